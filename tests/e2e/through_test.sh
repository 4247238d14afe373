#!/bin/sh
# An opinion reaches the requester though the two are never on at one time: another participant of the
# case hands it on. Then the same with the requester's own words, the other way.
set -eu
. "$(dirname "$0")/federation.sh"
houses_open
case_mode=open
consult_ask lakeside grey 'Dr. Meredith Grey'
consult_seen harbour hillside
consult_join harbour visser "$case_join"
consult_join hillside berg "$case_join_2"

say 'lakeside is off when harbour answers'
fed_down lakeside
tell_signed 0 harbour visser reply "$case" --file "$case_dir/opinion-1.json"
opinion=$(record_of harbour OPINION)
check hillside 'the opinion is here, not taken in' \
    ".thread[] | select(.record == \"$opinion\" and (.taken_in | not))" thread "$case"

say 'harbour is off when lakeside is back: hillside hands it on'
fed_down harbour
fed_up lakeside
check lakeside 'the opinion is here, its signature good, and taken in' \
    ".thread[] | select(.record == \"$opinion\" and .signature == \"good\" and .taken_in)" thread "$case"
check lakeside 'only hillside is connected' \
    '[.connected[].name] == ["Hillside Cancer Centre"]' status
consult_talk lakeside grey "$case_answer" hillside
answer=$fed_post

say 'lakeside is off when harbour is back: hillside hands the answer on'
fed_down lakeside
fed_up harbour
check harbour 'the answer is here, and that the opinion was taken in' \
    "(.thread | any(.record == \"$answer\")) and
     any(.thread[]; .record == \"$opinion\" and .taken_in)" thread "$case"

say 'all three are on: each record once, and who has it is known'
fed_up lakeside
houses_connected 2 lakeside
check lakeside 'the answer reached both' \
    ".thread[] | select(.record == \"$answer\" and .delivery.reached == 2)" thread "$case"
for house in lakeside harbour hillside; do
    at "$house" thread "$case" --json | jq -e '[.thread[].record] | length == (unique | length)' \
        >/dev/null || fed_fail "a record twice at $house"
    check "$house" 'no stream is forked' '.streams.forked == 0' status
done
say done
