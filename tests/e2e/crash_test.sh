#!/bin/sh
# Nodes are killed with kill -9 while they are written to and while they receive. What was
# acknowledged to a clinician is at every hospital afterwards, once; what was not, at most once.
set -eu
. "$(dirname "$0")/federation.sh"
houses_open
case_mode=open
consult_ask lakeside grey 'Dr. Meredith Grey'
consult_seen harbour hillside
consult_join harbour visser "$case_join"
consult_join hillside berg "$case_join_2"

restart() { # HOST
    fed_down "$1" KILL
    fed_up "$1"
}

say 'lakeside is killed while it takes posts, each time a little later'
now_ms() {
    echo $(($(date +%s%N) / 1000000))
}
acknowledged=
number=0
began=$(now_ms)
tell_signed 0 lakeside grey discuss "$case" --text 'how long a post takes' --language en
lasts=$(($(now_ms) - began))
for percent in 20 40 60 70 75 80 85 90 95 100 105 110; do
    number=$((number + 1))
    houses_connected 1 lakeside
    (
        sign_at lakeside grey discuss "$case" --text "post number $number" --language en \
            >"$fed_home/lakeside/post-$number" 2>&1 &&
            touch "$fed_home/lakeside/acknowledged-$number"
    ) &
    writer=$!
    sleep "$(awk "BEGIN { print $lasts * $percent / 100000 }")"
    fed_down lakeside KILL
    wait $writer || true
    # the receivers are killed too, one after the other, when they may just have it
    case $number in
    3 | 7) restart harbour ;;
    5 | 9) restart hillside ;;
    esac
    fed_up lakeside
    [ ! -f "$fed_home/lakeside/acknowledged-$number" ] || acknowledged="$acknowledged $number"
done
say "acknowledged:$acknowledged"

say 'a last one, that tells when all before it has arrived'
houses_connected 2 lakeside
tell_signed 0 lakeside grey discuss "$case" --text 'post number last' --language en
for house in lakeside harbour hillside; do
    check "$house" 'the last post is here' \
        'any(.thread[]; .kind == "POST" and .content.text == "post number last")' thread "$case"
    at "$house" thread "$case" --json | jq -r '.thread[] | select(.kind == "POST") | .content.text' |
        sort >"$fed_home/$house/posts"
    [ -z "$(uniq -d "$fed_home/$house/posts")" ] || fed_fail "twice at $house"
    for number in $acknowledged; do
        grep -qx "post number $number" "$fed_home/$house/posts" ||
            fed_fail "$number was acknowledged, and is not at $house"
    done
    cmp "$fed_home/$house/posts" "$fed_home/lakeside/posts" || fed_fail "$house holds others"
done
say 'the same posts everywhere, each once'
for house in lakeside harbour hillside; do
    check "$house" 'no stream is forked' '.streams.forked == 0' status
    check "$house" 'the audit log is sound' .sound audit verify
done
say done
