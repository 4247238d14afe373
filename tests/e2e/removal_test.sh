#!/bin/sh
# Lakeside leaves: suspended, then removed with cuts, where the others say its streams stand, and with
# Hillside as its successor. Its case goes on without it: the successor closes it and erases it.
set -eu
. "$(dirname "$0")/federation.sh"
houses_open
case_mode=open
consult_ask lakeside grey 'Dr. Meredith Grey'
consult_seen harbour hillside
consult_join harbour visser "$case_join"
consult_join hillside berg "$case_join_2"
consult_read harbour visser
consult_reply harbour visser "$case_dir/opinion-1.json" lakeside
check hillside 'the opinion is here' '.thread[] | select(.kind == "OPINION" and .taken_in)' thread "$case"
refused hillside . close "$case" --clinician berg --passphrase-file "$fed_home/hillside/berg.passphrase"
published() { # EPOCH, and taken by those who stay
    fed_signed
    fed_publish
    for house in harbour hillside; do
        check "$house" "has head $1" ".head | .epoch == $1 and (.behind | not)" status
    done
}

say 'suspended; what it says now reaches nobody'
fed_quietly fed_society suspend 'Lakeside Hospital'
published 3
check lakeside 'it knows that the others refuse it' '.standing.state == "refused"' status
at lakeside status >"$fed_home/said" || [ $? = 3 ] || fed_fail "no status"
head -n 1 "$fed_home/said" | grep -q '^REFUSED: ' || fed_fail 'status does not say so first'
refused lakeside 'has suspended or removed' discuss "$case" --text 'said when suspended' --language en --clinician grey \
    --passphrase-file "$fed_home/lakeside/grey.passphrase"
sign_at lakeside grey discuss "$case" --text 'said when suspended' --language en >"$fed_home/said" 2>&1 || true
check harbour 'lakeside is not connected' '[.connected[].name] == ["Hillside Cancer Centre"]' status

say 'the others report where its streams stand; it is removed with these cuts'
for house in harbour hillside; do
    tell 0 "$house" report 'Lakeside Hospital' --to "$fed_home/mail/$house.report"
    [ -s "$fed_home/mail/$house.report" ] || fed_fail "$house reports nothing"
done
fed_quietly fed_society remove 'Lakeside Hospital' --cuts "$fed_home/mail/harbour.report" \
    --cuts "$fed_home/mail/hillside.report" --successor 'Hillside Cancer Centre'
grep -q 'stream' "$fed_home/last" || fed_fail 'the officer should see what is cut'
published 4
check harbour 'lakeside is removed' '.members[] | select(.name == "Lakeside Hospital" and .state == "removed")' members
for house in harbour hillside; do
    check "$house" 'the case and the opinion are still here' \
        '.thread[] | select(.kind == "OPINION")' thread "$case"
done

say 'its successor closes the case, then erases it'
tell_signed 0 hillside berg close "$case" --note 'Lakeside has left'
consult_state closed hillside harbour
refused harbour . erase "$case" --yes --clinician visser \
    --passphrase-file "$fed_home/harbour/visser.passphrase"
tell_signed 0 hillside berg erase "$case" --yes
consult_state erased hillside harbour
check hillside 'the receipt is here' \
    '.receipts[] | select(.erased_at and (.name | startswith("Harbour")))' erasure "$case"
for house in harbour hillside; do
    check "$house" 'nothing in it can be read' \
        '[.thread[] | select(.kind | IN("OPEN", "MANIFEST", "OPINION", "POST"))] | length == 0' \
        thread "$case"
    fed_down "$house" KILL
    fed_up "$house"
    consult_state erased "$house"
done
say done
