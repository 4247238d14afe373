#!/bin/sh
# Harbour is off for a week (the clocks of the others, and then its own, are moved on). Meanwhile a case
# goes on, another is asked whose announcement expires, a third is asked after it. When Harbour is back
# it gets what it lacks: the expired announcement keeps its place and shows nowhere, nothing is lost,
# nothing is here twice.
set -eu
. "$(dirname "$0")/federation.sh"
houses_clocks
houses_open
case_mode=open
consult_ask lakeside grey 'Dr. Meredith Grey'
consult_seen harbour hillside
consult_join harbour visser "$case_join"
consult_join hillside berg "$case_join_2"
first=$case
fed_down harbour

say 'harbour is off; a case is asked that is open for a day'
consult_draft lakeside
tell 0 lakeside draft edit "$draft" --deadline 1d
consult_announce lakeside grey 'Dr. Meredith Grey'
consult_seen hillside
expired=$case
case=$first
for day in 1 2; do consult_talk hillside berg "said on day $day" lakeside; done

say 'a week later'
for house in lakeside hillside; do
    fed_down "$house"
    houses_clock "$house" +7d
    fed_up "$house"
done
houses_connected 1 lakeside hillside
check hillside 'the case of a day is open no more' "all(.inbox[]; .case != \"$expired\")" inbox
consult_talk lakeside grey 'said on day 7' hillside
consult_ask lakeside grey 'Dr. Meredith Grey'
consult_seen hillside
late=$case

say 'harbour is back'
houses_clock harbour +7d
fed_up harbour
consult_seen harbour
case=$first
check harbour 'all three posts, each once' \
    '[.thread[] | select(.kind == "POST") | .content.text] | sort ==
     ["said on day 1", "said on day 2", "said on day 7"]' thread "$case"
check harbour 'the case of a day is not among the open ones' "all(.inbox[]; .case != \"$expired\")" inbox
check harbour 'nothing is lacking, nothing behind, nothing forked' \
    '.streams | .lacking == 0 and .behind == 0 and .forked == 0' status
for house in lakeside harbour hillside; do
    at "$house" thread "$first" --json | jq -e '[.thread[].record] | length == (unique | length)' \
        >/dev/null || fed_fail "a record twice at $house"
    at "$house" inbox --state all --json | jq -e '[.inbox[].case] | length == (unique | length)' \
        >/dev/null || fed_fail "a case twice at $house"
done

say 'and takes part again'
case=$late
consult_join harbour visser "$case_join"
consult_reply harbour visser "$case_dir/opinion-1.json" lakeside
say done
