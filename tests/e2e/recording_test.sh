#!/bin/sh
# Two hospitals record what they are told while a case is asked and answered; one is stopped, the
# other killed. Both recordings are played again: the core leaves the same at every step. One that
# was altered is refused, and without its key it says nothing of the case.
set -eu
. "$(dirname "$0")/federation.sh"
houses_open
replay=$fed_build/tests/sim/replay

played() { # HOUSE WHAT: its recording is played, and ends so
    "$replay" "$fed_home/$1/recordings"/*.recording >"$fed_home/last" 2>&1 || true
    grep -q "$2" "$fed_home/last" || fed_fail "$1: $2"
    [ "$(cut -d' ' -f1 "$fed_home/last" | head -n 1)" -gt 100 ] || fed_fail "$1: hardly an event"
}

say 'two nodes start anew, and record'
for house in lakeside harbour; do
    fed_down "$house"
    mkdir -m 700 "$fed_home/$house/recordings"
    sed -i "1i recordings = $fed_home/$house/recordings" "$fed_home/$house/consiliumd.conf"
    fed_up "$house"
done
houses_connected 2 lakeside harbour hillside

say 'a case is asked and answered'
consult_ask lakeside grey 'Dr. Meredith Grey'
consult_seen harbour
consult_join harbour visser "$case_join"
consult_read harbour visser
consult_want harbour visser
consult_supply lakeside grey 'Dr. Meredith Grey' harbour
consult_read harbour visser
consult_reply harbour visser "$case_dir/opinion-1.json" lakeside
fed_down harbour KILL
fed_down lakeside

say 'played again, they do the same'
played lakeside 'all the same'
played harbour 'all the same'
grep -q 'breaks off' "$fed_home/last" || fed_fail 'harbour was killed, and its recording has an end'

say 'sealed, and no byte of it can be changed'
file=$(echo "$fed_home"/lakeside/recordings/*.recording)
[ "$(stat -c %a "$file")" = 600 ] || fed_fail 'others may read the recording'
[ "$(stat -c %a "$file.key")" = 600 ] || fed_fail 'others may read its key'
if grep -aq 'docetaxel\|sphenoid' "$file"; then fed_fail 'the recording lies open'; fi
"$replay" "$file" "$fed_home"/harbour/recordings/*.key >"$fed_home/last" 2>&1 &&
    fed_fail 'played with the key of another'
byte=$(od -An -tu1 -j5000 -N1 "$file")
# shellcheck disable=SC2059 # the format is the byte
printf "$(printf '\\%03o' $(((byte + 1) % 256)))" | dd of="$file" bs=1 seek=5000 conv=notrunc status=none
"$replay" "$file" >"$fed_home/last" 2>&1 && fed_fail 'an altered recording was played to its end'

say 'an erasure deletes what it would live on in'
fed_up lakeside
fed_up harbour
houses_connected 2 lakeside harbour
[ "$(find "$fed_home/lakeside/recordings" -type f | wc -l)" = 4 ] || fed_fail 'a second recording'
consult_erase lakeside grey 1
for house in lakeside harbour; do
    [ -z "$(find "$fed_home/$house/recordings" -type f)" ] || fed_fail "$house kept its recordings"
done
say done
