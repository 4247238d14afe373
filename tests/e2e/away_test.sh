#!/bin/sh
# Hospitals that are off when something is said. Harbour is off when Lakeside asks; when it
# comes back Lakeside is off, and it hears of the case from Hillside. It offers an opinion to a hospital
# that is off, and writes it while the wire of Lakeside is pulled. Hillside joins late.
set -eu
. "$(dirname "$0")/federation.sh"
houses_open

say 'harbour is off when lakeside asks'
fed_down harbour
consult_ask lakeside grey 'Dr. Meredith Grey'
consult_seen hillside
check lakeside 'it reached one of two' \
    '.case.announcement.delivery | .reached == 1 and .audience == 2' show "$case"

say 'lakeside is off when harbour comes back: hillside hands it on'
fed_down lakeside
fed_up harbour
consult_seen harbour
say 'harbour offers an opinion to a hospital that is off'
await 40 'harbour may post' sign_at harbour visser join "$case" --note "$case_join"
fed_down hillside
fed_up lakeside
check harbour 'access is granted' '.case.part == "participant"' show "$case"
consult_read harbour visser

say 'the wire of lakeside is pulled; harbour answers nevertheless'
ns_unplug lakeside
tell_signed 0 harbour visser reply "$case" --file "$case_dir/opinion-1.json"
opinion=$(record_of harbour OPINION)
check harbour 'it is kept here, and reached nobody' \
    ".thread[] | select(.record == \"$opinion\") | .delivery.kept and .delivery.reached == 0" \
    thread "$case"
ns_plug lakeside
say 'plugged in again'
await 90 'the opinion arrives' ask_at lakeside \
    ".thread[] | select(.record == \"$opinion\" and .taken_in)" thread "$case"
check harbour 'it reached the other' \
    ".thread[] | select(.record == \"$opinion\") | .delivery.reached == 1" thread "$case"

tell_signed 0 lakeside grey reveal "$case"

say 'hillside, off since before the opinion, joins late and has it all'
fed_up hillside
houses_connected 2 hillside
consult_join hillside berg "$case_join_2"
check hillside 'the opinion is there, revealed' \
    ".thread[] | select(.record == \"$opinion\" and .revealed)" thread "$case"
for house in lakeside harbour; do
    check "$house" 'each record once' '[.thread[].record] | length == (unique | length)' \
        thread "$case"
done
say done
