#!/bin/sh
# The way back from a real fork. The machine of Lakeside is set back to a snapshot, marker included, and
# is started while nobody is connected: it writes what the others hold otherwise. They freeze it. Its status
# says so first; what it writes is refused. The officers suspend and reinstate it, and it goes on, also on
# the board whose stream was forked.
set -eu
. "$(dirname "$0")/federation.sh"
houses_open
marker=$fed_home/lakeside/marker
check lakeside 'the marker is begun' '.posting_waits | not' status
await 30 'the marker is there' test -n "$(ls "$marker")"

say 'a snapshot is taken; then a case is announced'
fed_down lakeside
cp -a "$fed_home/lakeside" "$fed_home/saved"
fed_up lakeside
houses_connected 2 lakeside
consult_ask lakeside grey 'Dr. Meredith Grey'
consult_seen harbour hillside

say 'the machine is set back: the same files, with what they held; it is alone, and announces another'
fed_down lakeside
rm -rf "$fed_home/lakeside/data"
cp -a "$fed_home/saved/data" "$fed_home/lakeside/data"
for file in "$marker"/*; do cat "$fed_home/saved/marker/${file##*/}" >"$file"; done
fed_down north KILL
fed_down south KILL
fed_down harbour
fed_up lakeside
check lakeside 'its marker vouches for the store' '(.posting_waits | not) and (.connected == [])' status
consult_ask lakeside grey 'Dr. Meredith Grey'
fed_relay_up north
fed_relay_up south
fed_up harbour
fed_patience=90
for house in harbour hillside; do
    check "$house" 'lakeside is frozen' '[.equivocated[].name] == ["Lakeside Hospital"]' status
done
check lakeside 'it knows' '.standing.state == "frozen"' status
at lakeside status >"$fed_home/said" || [ $? = 3 ] || fed_fail "no status"
head -n 1 "$fed_home/said" | grep -q '^FROZEN: ' || fed_fail 'status does not say so first'
consult_draft lakeside
echo yes >"$fed_home/yes"
refused lakeside 'is frozen' announce "$draft" --confirmed-by 'Dr. Meredith Grey' --clinician grey \
    --passphrase-file "$fed_home/lakeside/grey.passphrase" <"$fed_home/yes"

say 'the officers suspend it, reinstate it, and publish both'
fed_quietly fed_society suspend 'Lakeside Hospital'
fed_signed
fed_quietly fed_society reinstate 'Lakeside Hospital'
fed_signed
fed_publish
check lakeside 'nothing stands in its way' '.standing == null and (.posting_waits | not)' status
for house in harbour hillside; do
    check "$house" 'lakeside is heard again' '.equivocated == [] and .head.epoch == 4' status
done
consult_ask lakeside grey 'Dr. Meredith Grey'
consult_seen harbour hillside
consult_join harbour visser "$case_join"
say done
