#!/bin/sh
# A case is erased, and nobody can read it again: not with a copy of a house's data from before, put
# back, and not with a disk and its master key. One house is off meanwhile, and is listed as silent.
#
# What the search of the raw disk shows: no text and no byte of a file of the case, and no key of it,
# lies open in any file of a house; and no sealed key of it, in no old page of the store, can be opened
# with the keyring that is there now, while before the erasure it could. What it does not show: what
# flash memory, a file system or a copy elsewhere still hold, and what a running node has in memory.
set -eu
. "$(dirname "$0")/federation.sh"
houses_open
thief=$houses_build/tests/e2e/e2e_thief
case_mode=open
consult_ask lakeside grey 'Dr. Meredith Grey'
consult_seen harbour hillside
consult_join harbour visser "$case_join"
consult_join hillside berg "$case_join_2"
consult_read harbour visser
consult_read hillside berg
consult_reply harbour visser "$case_dir/opinion-1.json" lakeside
check hillside 'the opinion is here' 'any(.thread[]; .kind == "OPINION")' thread "$case"
consult_talk hillside berg 'his name is on the third page' lakeside harbour

thief_says() { # WORD...: one number
    "$thief" "$@" || fed_fail "thief $*"
}
files_of() {
    find "$fed_home/$1/data" -type f
}
say 'the houses are stopped: their keys are listed, and their data copied'
for house in lakeside harbour hillside; do
    fed_down "$house"
    cp -a "$fed_home/$house/data" "$fed_home/$house/copy"
    [ "$(thief_says list "$fed_home/$house/data" "$fed_name" "$fed_id" "$case" "$fed_home/$house/keys")" -ge 6 ] ||
        fed_fail "$house should hold keys of records and items"
    [ "$(thief_says open "$fed_home/$house/data" "$fed_name" "$fed_home/$house/keys")" -gt 0 ] ||
        fed_fail "the thief should be able to read at $house what is not erased"
done
fed_up lakeside
fed_up harbour
houses_connected 1 lakeside harbour

say 'the case is erased; hillside is off'
tell_signed 0 lakeside grey erase "$case" --yes
one_is_silent() {
    check lakeside 'one receipt, one silent' \
        '([.receipts[] | select(.erased_at)] | length == 1) and
         ([.silent[]? | select(.name | startswith("Hillside"))] | length == 1)' erasure "$case"
}
gone() { # HOST
    check "$1" 'the case is erased' '.case.state == "erased" and .case.case_file == null' show "$case"
    check "$1" 'nothing in it can be read' \
        '[.thread[] | select(.kind | IN("OPEN", "MANIFEST", "OPINION", "POST"))] | length == 0' \
        thread "$case"
    check "$1" 'the inbox shows nothing of it' \
        "[.inbox[] | select(.case == \"$case\" or ((.question // \"\") | contains(\"$case_word\")))] | length == 0" \
        inbox --state all
    [ -z "$(find "$fed_home/$1/data" -path '*items/*' -type f -size +0c)" ] ||
        fed_fail "$1 keeps chunks: $(files_of "$1")"
    refused "$1" '.' fetch "$case"
}
one_is_silent
gone lakeside
gone harbour

say 'harbour: a copy of its data from before the erasure is put back'
fed_down harbour
mv "$fed_home/harbour/data" "$fed_home/harbour/erased"
cp -a "$fed_home/harbour/copy" "$fed_home/harbour/data"
fed_up harbour
houses_connected 1 harbour
gone harbour
one_is_silent

say 'hillside comes back'
fed_up hillside
gone hillside
check lakeside 'both receipts, nobody is silent' \
    '([.receipts[] | select(.erased_at)] | length == 2) and ((.silent // []) | length == 0)' \
    erasure "$case"
for house in lakeside harbour hillside; do
    check "$house" 'the audit log is sound' .sound audit verify
    fed_down "$house"
done

say 'the disks are searched'
mkdir "$fed_home/before"
mv "$fed_home/harbour/erased" "$fed_home/before/data"
cp "$fed_home/harbour/keys" "$fed_home/before/keys"
for house in lakeside harbour hillside before; do
    thief_says settle "$fed_home/$house/data" "$fed_name" "$fed_id" >"$fed_home/last"
    for text in 'large malignant tumour' 'cisplatin again' 'his name is on the third page' "$case_join"; do
        ! LC_ALL=C grep -r -a -q -F -e "$text" "$fed_home/$house/data" || fed_fail "$house: '$text'"
    done
    # shellcheck disable=SC2046 # no blank in a name
    set -- $(files_of "$house")
    [ "$(thief_says part "$case_dir/letter.pdf" "$@")" = 0 ] || fed_fail "$house: a part of the letter"
    [ "$(thief_says bare "$fed_home/$house/keys" "$@")" = 0 ] || fed_fail "$house: a bare key"
    found=$(thief_says open "$fed_home/$house/data" "$fed_name" "$fed_home/$house/keys")
    [ "$found" = 0 ] || fed_fail "$house: $found sealed keys of the case can be opened"
done
[ "$("$thief" part "$case_dir/letter.pdf" "$case_dir/letter.pdf")" = 1 ] || fed_fail 'the search finds nothing'
say done
