#!/bin/sh
# A case is erased while a participant is off. The other destroys it and sends a receipt; who is silent
# is listed; when it is back it destroys the case too, and its copy comes back to nobody. A post that
# should not be there is flagged before.
set -eu
. "$(dirname "$0")/federation.sh"
houses_open
case_mode=open
consult_ask lakeside grey 'Dr. Meredith Grey'
consult_seen harbour hillside
consult_join harbour visser "$case_join"
consult_join hillside berg "$case_join_2"
consult_read harbour visser
consult_read hillside berg
consult_reply harbour visser "$case_dir/opinion-1.json" lakeside
consult_talk hillside berg 'his name is on the third page' lakeside harbour
tell_signed 0 harbour visser flag "$case" --record "$(record_of harbour POST)" \
    --reason identifying-data --text 'the letter names him'
check lakeside 'the flag is here' '.thread[] | select(.kind == "FLAG")' thread "$case"

say 'who received it: given access, items that went there, who opened them (M27)'
at lakeside received "$case" --json | jq -e '.notice.audience == 2 and (.received | length == 2) and
    all(.received[]; .granted_at and (.opened_by | length > 0)) and
    ([.received[].items[]] | length > 0)' >/dev/null || fed_fail "received: $(at lakeside received "$case" --json)"
at lakeside received "$case" >"$fed_home/page"
grep -q 'Hillside Cancer Centre' "$fed_home/page" && grep -q 'opened by  *Dr. Karin Berg' "$fed_home/page" ||
    fed_fail "received: $(cat "$fed_home/page")"
[ "$(LC_ALL=C.UTF-8 wc -L <"$fed_home/page")" -le 80 ] || fed_fail "too wide: $(cat "$fed_home/page")"
at hillside received "$case" >"$fed_home/page"
grep -q 'only the requester gives access' "$fed_home/page" ||
    fed_fail "a participant has no access: $(cat "$fed_home/page")"
at lakeside audit list --case "$case" --json | jq -e --arg case "$case" \
    '(.entries | length > 3) and all(.entries[]; .case == $case)' >/dev/null || fed_fail 'other entries'

say 'hillside is off; the case is erased'
fed_down hillside
tell_signed 0 lakeside grey erase "$case" --yes
check lakeside 'one receipt, one silent' \
    '([.receipts[] | select(.erased_at)] | length == 1) and
     ([.silent[]? | select(.name | startswith("Hillside"))] | length == 1)' erasure "$case"
check lakeside 'who is off was never told' \
    '.silent[] | select(.name | startswith("Hillside")) | .told == false' erasure "$case"
at lakeside erasure "$case" >"$fed_home/page"
grep -q 'Hillside Cancer Centre  *NEVER TOLD of the erasure' "$fed_home/page" ||
    fed_fail "erasure: $(cat "$fed_home/page")"
at lakeside received "$case" >"$fed_home/page"
[ "$(grep -c 'NEVER TOLD of the erasure' "$fed_home/page")" = 1 ] ||
    fed_fail "received: $(cat "$fed_home/page")"
gone() { # HOST
    check "$1" 'the case is erased' '.case.state == "erased" and .case.case_file == null' show "$case"
    check "$1" 'nothing in it can be read' \
        '[.thread[] | select(.kind | IN("OPEN", "MANIFEST", "OPINION", "POST", "FLAG"))] | length == 0' \
        thread "$case"
    [ -z "$(find "$fed_home/$1/data" -path '*item*' -type f -size +0c ! -name '*.mdb')" ] ||
        fed_fail "$1 keeps chunks: $(find "$fed_home/$1/data" -type f)"
    refused "$1" 'is erased' fetch "$case"
    gone_login=$(houses_login "$1")
    for gone_try in 'discuss --text late' 'ask --test Audiogram' 'grant --participant'; do
        gone_word=${gone_try%% *}
        gone_rest=${gone_try#"$gone_word"}
        [ "$gone_word" != grant ] || gone_rest="$gone_rest $gone_member"
        # shellcheck disable=SC2086 # options
        refused "$1" 'is erased' "$gone_word" "$case" $gone_rest --clinician "$gone_login" \
            --passphrase-file "$fed_home/$1/$gone_login.passphrase"
    done
}
gone_member=$(ask_at lakeside '.members[] | select(.name | startswith("Harbour")) | .node' members)
gone lakeside
gone harbour

say 'hillside comes back'
fed_up hillside
check lakeside 'both receipts' '[.receipts[] | select(.erased_at)] | length == 2' erasure "$case"
gone hillside
gone harbour
at lakeside received "$case" >"$fed_home/page"
! grep -q 'NEVER TOLD' "$fed_home/page" || fed_fail "it was told: $(cat "$fed_home/page")"
at lakeside received "$case" --json | jq -e '[.received[] | select(.erased_at)] | length == 2' >/dev/null ||
    fed_fail 'who received it is known after the erasure too'
for house in lakeside harbour hillside; do
    fed_down "$house" KILL
    fed_up "$house"
    check "$house" 'still erased' '.case.state == "erased"' show "$case"
    check "$house" 'the audit log is sound' .sound audit verify
done
say done
