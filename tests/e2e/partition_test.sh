#!/bin/sh
# Lakeside and Harbour stand in a direct link; then nothing passes between the two, and what they say
# goes through a relay. Then the relays are cut off from Lakeside too: it goes on by itself, and all of
# it arrives, once, when the networks are whole again. A silent link is noticed after 45 s.
set -eu
. "$(dirname "$0")/federation.sh"
houses_open lakeside harbour
fed_patience=90
case_mode=open
consult_ask lakeside grey 'Dr. Meredith Grey'
consult_seen harbour
consult_join harbour visser "$case_join"

say 'nothing passes between the two: a relay is in between'
ns_part lakeside harbour
consult_talk lakeside grey 'first, through a relay' harbour
check harbour 'by relay' '.connected[] | select(.way == "relayed")' status
say 'nor from lakeside to the relays'
ns_part lakeside north
ns_part lakeside south
for number in 1 2 3; do
    tell_signed 0 lakeside grey discuss "$case" --text "said alone, $number" --language en
    tell_signed 0 harbour visser discuss "$case" --text "answered alone, $number" --language en
done
check lakeside 'kept here, reached nobody' \
    '[.thread[] | select(.kind == "POST")][-1].delivery | .kept and .reached == 0' thread "$case"

say 'whole again'
for other in harbour north south; do ns_heal lakeside "$other"; done
for house in lakeside harbour; do
    check "$house" 'all seven posts, each once' \
        '[.thread[] | select(.kind == "POST") | .content.text] | length == 7 and (unique | length == 7)' \
        thread "$case"
    check "$house" 'no fork' '.streams.forked == 0' status
done
check lakeside 'reached' 'all(.thread[] | select(.kind == "POST" and .delivery); .delivery.reached == 1)' \
    thread "$case"
say done
