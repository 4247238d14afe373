#!/bin/sh
# Too many opinions confuse (M20): the node gives access by itself up to the number wanted, and beyond
# it a person decides. And an opinion that nobody reveals: its author may release it once the deadline
# is over, and not before.
set -eu
. "$(dirname "$0")/federation.sh"
houses_clocks
houses_open

say 'one opinion is wanted'
consult_draft lakeside
tell 0 lakeside draft edit "$draft" --wanted-count 1
consult_attach lakeside
consult_announce lakeside grey 'Dr. Meredith Grey'
consult_seen harbour hillside
consult_join harbour visser "$case_join"
check lakeside 'the cap is reached' '.case.counts.cap_reached' show "$case"

say 'who comes later waits for a person'
tell_signed 1 hillside berg join "$case" --note "$case_join_2"
check lakeside 'a join waits' '.joins | length == 1' joins "$case"
check hillside 'it waits' '.case | .part == "none" and .own_join.state == "waiting"' show "$case"
consult_reply harbour visser "$case_dir/opinion-1.json" lakeside
opinion=$fed_opinion
tell_signed 1 lakeside grey grant "$case" --participant 'Hillside Cancer Centre'
check hillside 'access is given by hand' '.case.part == "participant"' show "$case"
check lakeside 'two take part, one opinion of one wanted' \
    '.case.counts | .participants == 2 and .institutions_with_opinion == 1' show "$case"

say 'nobody reveals it; before the deadline its author may not release it'
consult_apart hillside harbour
refused harbour deadline release "$case" --record "$opinion" --clinician visser \
    --passphrase-file "$fed_home/harbour/visser.passphrase"

say 'fifteen days later it may'
for house in lakeside harbour hillside; do
    fed_down "$house"
    houses_clock "$house" +15d
done
for house in lakeside harbour hillside; do fed_up "$house"; done
houses_connected 2 lakeside harbour hillside
check lakeside 'the deadline is over' '.case.counts.overdue and .case.state == "announced"' show "$case"
at lakeside show "$case" | grep -q 'deadline is over' || fed_fail 'the page should say so'
consult_apart hillside harbour
tell_signed 1 harbour visser release "$case" --record "$opinion"
check hillside 'the opinion can be read' \
    ".thread[] | select(.record == \"$opinion\" and .kind == \"OPINION\" and .signature == \"good\")" \
    thread "$case"
check hillside 'the state is as it was' '.case.state == "announced"' show "$case"
say done
