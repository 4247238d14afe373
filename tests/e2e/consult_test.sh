#!/bin/sh
# Three hospitals on three networks and two relays. Two of the hospitals let nothing in, so they meet
# at a relay only; that relay is killed in the middle, and everything goes on through the other. From
# the question to the outcome, each step seen at its receiver; then the case is erased, with receipts.
set -eu
. "$(dirname "$0")/federation.sh"
houses_open

say 'who accepts no connection owns no listening socket'
for house in lakeside hillside; do
    [ -z "$(ns_run "$house" ss -Hltn)" ] || fed_fail "$house listens: $(ns_run "$house" ss -Hltnp)"
done
[ -n "$(ns_run harbour ss -Hltn)" ] || fed_fail 'harbour should listen, or this test proves nothing'
check lakeside 'hillside is reached through a relay' \
    '.connected[] | select((.name | startswith("Hillside")) and .way == "relayed")' status
check lakeside 'harbour is reached directly' \
    '.connected[] | select((.name | startswith("Harbour")) and .way == "direct")' status

say 'asked, seen, joined'
consult_ask lakeside grey 'Dr. Meredith Grey'
consult_seen harbour hillside
check lakeside 'the notice reached both' \
    '.case.announcement.delivery | .reached == 2 and .audience == 2' show "$case"
consult_join harbour visser "$case_join"
consult_join hillside berg "$case_join_2"

say 'the case file comes, byte for byte, without what was planted'
consult_read harbour visser
fed_down north KILL
say 'one relay is killed; the other hospital still gets it'
consult_read hillside berg
for house in harbour hillside; do
    if grep -aq PLANTED "$fed_home/$house/read"/*; then fed_fail "metadata reached $house"; fi
    cmp "$fed_home/$house/read"/*ct.png "$fed_home"/harbour/read/*ct.png || fed_fail 'two images'
    qpdf --check "$fed_home/$house/read"/*letter.pdf >/dev/null || fed_fail 'the letter is damaged'
done
check lakeside 'both have opened it' '[.thread[] | select(.kind == "OPENED")] | length == 2' \
    thread "$case"

say 'more is asked for and supplied; two opinions, apart'
consult_want harbour visser
consult_supply lakeside grey 'Dr. Meredith Grey' harbour
consult_read harbour visser
consult_reply harbour visser "$case_dir/opinion-1.json" lakeside
consult_reply hillside berg "$case_dir/opinion-2.json" lakeside
consult_apart harbour hillside
consult_apart hillside harbour
check lakeside 'opinions of two institutions are counted' \
    '.case.counts.institutions_with_opinion == 2' show "$case"

say 'revealed, discussed, summed up, closed, followed up'
consult_reveal lakeside grey 2 harbour hillside
consult_talk hillside berg "$case_post" lakeside harbour
consult_end lakeside grey harbour hillside
check lakeside 'the outcome reached both' \
    '.thread[] | select(.kind == "OUTCOME" and .delivery.reached == 2)' thread "$case"
consult_export lakeside "$fed_home/mail/opinion"
for house in lakeside harbour hillside; do
    check "$house" 'the audit log is sound' .sound audit verify
done

say 'erased, with receipts'
consult_erase lakeside grey 2
for house in harbour hillside; do
    check "$house" 'nothing of it can be read' \
        '[.thread[] | select(.kind == "OPINION" or .kind == "MANIFEST")] | length == 0' thread "$case"
done
say done
