#!/bin/sh
# Lakeside's clock is a quarter of an hour fast. While it is alone it writes nevertheless, and what it
# wrote is from the future to the others: they show it at once, with a mark, and it stops nothing. Against
# two others lakeside sees that its clock differs, says so, and does not post until it is set right.
set -eu
. "$(dirname "$0")/federation.sh"
houses_clocks
houses_open
case_mode=open
consult_ask lakeside grey 'Dr. Meredith Grey'
consult_seen harbour hillside
consult_join harbour visser "$case_join"
consult_join hillside berg "$case_join_2"

say 'fast, and alone'
for house in harbour hillside lakeside; do fed_down "$house"; done
houses_clock lakeside +15m
fed_up lakeside
await 30 'lakeside may post' sign_at lakeside grey discuss "$case" --text 'from the future' --language en
early=$(record_of lakeside POST)

say 'with two others: it is shown, and posting waits'
fed_up harbour
fed_up hillside
check lakeside 'two clocks differ, and posting waits for that' \
    '.clocks_that_differ == 2 and .posting_waits and (.why | test("clock is 1[45] minutes ahead of those of most members"))' status
refused lakeside clock discuss "$case" --text 'not now' --language en --clinician grey \
    --passphrase-file "$fed_home/lakeside/grey.passphrase"
for house in harbour hillside; do
    check "$house" 'one clock differs, which stops nothing' \
        '.clocks_that_differ == 1 and (.posting_waits | not)' status
    consult_talk "$house" "$(houses_login "$house")" "said at $house" "$house"
done
consult_talk harbour visser 'and heard at the other' hillside
for house in harbour hillside; do
    check "$house" 'what is from the future is there, with a mark' \
        "[.thread[] | select(.record == \"$early\") | .time_doubt] == [\"ahead\"]" thread "$case"
    at "$house" thread "$case" | grep -q 'its time lay in the future when it came here' ||
        fed_fail "$house does not say that a time lay in the future"
    check "$house" 'no stream is forked' '.streams.forked == 0' status
done

say 'set right, and alone: nobody says yet that it is not the clock that is wrong'
for house in harbour hillside lakeside; do fed_down "$house"; done
houses_clock lakeside +0
fed_up lakeside
check lakeside 'it is behind its own last record' \
    '.posting_waits and (.why | test("minutes behind the last record that it wrote"))' status

say 'with two others: it may post, and what it wrote early is still its own'
fed_up harbour
fed_up hillside
check lakeside 'no clock differs' '.clocks_that_differ == 0 and (.posting_waits | not)' status
tell_signed 0 lakeside grey discuss "$case" --text 'in time again' --language en
late=$(record_of lakeside POST)

say 'all of it is everywhere at once, in its order'
for house in harbour hillside lakeside; do
    check "$house" 'both posts, once' \
        "[.thread[] | select(.record == \"$early\" or .record == \"$late\") | .record] ==
         [\"$early\", \"$late\"]" thread "$case"
    # lakeside itself says that its time went back, unless its node wrote something in between
    [ "$house" = lakeside ] || check "$house" 'a right clock has no mark' \
        "[.thread[] | select(.record == \"$late\") | .time_doubt] == [null]" thread "$case"
    check "$house" 'no stream is forked' '.streams.forked == 0' status
done
say done
