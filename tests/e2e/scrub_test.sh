#!/bin/sh
# A bit flips on the disk of Harbour, in a post of Lakeside. The node starts all the same, finds it by
# itself, says so, and has it again as soon as somebody is there who can give it.
set -eu
. "$(dirname "$0")/federation.sh"
houses_open lakeside harbour
case_mode=open
consult_ask lakeside grey 'Dr. Meredith Grey'
consult_seen harbour
consult_join harbour visser "$case_join"
said='the margins are free on all sides'
tell_signed 0 lakeside grey discuss "$case" --text "$said" --language en
is_here() { # HOST
    check "$1" 'the post is here' \
        "any(.thread[]; .kind == \"POST\" and .content.text == \"$said\")" thread "$case"
}
is_here harbour

say 'a bit flips'
fed_down lakeside
fed_down harbour KILL
"$houses_build/tests/e2e/e2e_spoiler" "$fed_home/harbour/data/$fed_name"
fed_up harbour
check harbour 'the node has found it' '.streams.lost == 1 and .streams.lost_own == 0' status
at harbour status >"$fed_home/last" || [ $? = 3 ] || fed_fail "no status"
grep -q 'lost by the disk' "$fed_home/last" || grep -q 'LOST (by the disk' "$fed_home/last" || {
    cat "$fed_home/last" >&2
    fed_fail 'status should say what was lost'
}
grep -q 'disk-lost-a-record' "$fed_home/harbour/log" || fed_fail 'the log should say it'
if ask_at harbour 'any(.thread[]; .kind == "POST")' thread "$case" >"$fed_home/said"; then
    fed_fail 'what is damaged should not be shown'
fi

say 'lakeside is back'
fed_up lakeside
houses_connected 1 harbour
is_here harbour
check harbour 'nothing is lost, nothing forked' '.streams.lost == 0 and .streams.forked == 0' status
fed_down lakeside
fed_down harbour KILL
fed_up harbour
is_here harbour
check harbour 'nor after a start' '.streams.lost == 0' status
say done
