#!/bin/sh
# Lakeside is backed up while it runs. It writes more, one case is erased by itself and one by Harbour;
# then its machine is lost, with the marker. Put back from the backup, it signs nothing and hands out
# nothing before two others have told what it wrote since; that comes back, nothing is forked, what was
# erased is erased again, and it goes on writing.
set -eu
. "$(dirname "$0")/federation.sh"
node=$houses_build/node/consiliumd
houses_open
case_mode=open
data=$fed_home/lakeside/data
backup=$fed_home/backup
fails() { # WORDS COMMAND...: ends with status 1, and says WORDS
    fails_words=$1 fails_status=0
    shift
    "$@" >"$fed_home/last" 2>&1 || fails_status=$?
    { [ "$fails_status" = 1 ] && grep -q -e "$fails_words" "$fed_home/last"; } ||
        fed_fail "should fail and say '$fails_words': $* ($fails_status, $(cat "$fed_home/last"))"
}
post() { # HOST LOGIN CASE TEXT
    tell_signed 0 "$1" "$2" discuss "$3" --text "$4" --language en
}
has_post() { # HOST CASE TEXT
    check "$1" "has '$3'" "any(.thread[]; .kind == \"POST\" and .content.text == \"$3\")" thread "$2"
}
is_erased() { # HOST CASE
    check "$1" 'the case is erased' '.case.state == "erased" and .case.case_file == null' show "$2"
    check "$1" 'nothing in it can be read' \
        '[.thread[] | select(.kind | IN("OPEN", "MANIFEST", "OPINION", "POST"))] | length == 0' \
        thread "$2"
}
waits() { # SENTENCE FILTER: status ends with 3 while posting waits
    await 30 "lakeside: $1" waits_now "$2"
}
waits_now() {
    waits_status=0
    at lakeside status --json >"$fed_home/status" || waits_status=$?
    [ "$waits_status" = 3 ] && jq -e "$1" "$fed_home/status"
}
item_count() {
    find "$1" -path '*/items/*' -type f | wc -l
}

consult_ask lakeside grey 'Dr. Meredith Grey'
consult_seen harbour hillside
consult_join harbour visser "$case_join"
consult_join hillside berg "$case_join_2"
kept=$case
post lakeside grey "$kept" 'before the backup'
has_post harbour "$kept" 'before the backup'
consult_ask lakeside grey 'Dr. Meredith Grey'
consult_seen harbour hillside
consult_join harbour visser "$case_join"
consult_read harbour visser
own=$case
consult_ask harbour visser 'Dr. Anna Visser'
consult_seen lakeside
consult_join lakeside grey "$case_join"
consult_read lakeside grey
theirs=$case
check lakeside 'no backup is known yet' '.backup == null' status

say 'backed up while it runs and writes'
(for n in 1 2 3 4 5; do post lakeside grey "$kept" "while it is copied $n" || exit 1; done) &
poster=$!
fed_passphrase "$fed_home/keys.passphrase"
"$node" backup --data "$data" --to "$backup" --keys "$fed_home/keys" \
    --new-passphrase-file "$fed_home/keys.passphrase" >"$fed_home/said" ||
    fed_fail "backup: $(cat "$fed_home/said")"
wait "$poster" || fed_fail 'posting goes on while a backup is made'
grep -q "$fed_name .*read back and checked" "$fed_home/said" || fed_fail "$(cat "$fed_home/said")"
[ -z "$(find "$backup" "$fed_home/keys" -type f ! -perm 600 -o -type d ! -perm 700)" ] ||
    fed_fail "open to others: $(ls -lR "$backup")"
[ -z "$(find "$backup" -name '*.key' ! -path '*/clinicians/*')" ] || fed_fail 'the keys are in it'
[ "$(item_count "$backup")" -gt 0 ] || fed_fail 'documents are in it'
check lakeside 'status shows it' '.backup.age_days == 0 and .backup.delete_by > .backup.made' status
at lakeside status | grep -q 'backup  *made today; delete it by 20' || fed_fail "$(at lakeside status)"
fails 'is there already' "$node" backup --data "$data" --to "$backup"
fails 'is there already' "$node" backup --data "$data" --to "$fed_home/other" --keys "$fed_home/keys" \
    --new-passphrase-file "$fed_home/keys.passphrase"
[ ! -e "$fed_home/other" ] || fed_fail 'no half of a backup'

say 'the unit of the package makes one each day, and deletes what is too old'
unit=$houses_root/node/package/consilium-backup.service
days=$fed_home/days
unit_runs() { # LINE: as systemd reads it, with the paths of this test
    mkdir -p -m 700 "$days"
    sed -n "s,^$1=,,p" "$unit" | sed "s,%%,%,g; s, \([()]\) , \\\\\1 ,g; s,/usr/bin/consiliumd,$node,
        s,/var/lib/consilium,$data," >"$fed_home/unit"
    CONSILIUM_BACKUP=$days sh -ef "$fed_home/unit" >"$fed_home/said" 2>&1 ||
        fed_fail "$(cat "$fed_home/unit" "$fed_home/said")"
}
unit_runs ExecStart
[ -f "$days/$(date +%F)/backup" ] || fed_fail "no backup of today: $(ls "$days")"
for name in 2020-01-01 2020-01-02.part "$(date +%F).part" other; do mkdir "$days/$name"; done
touch -d '29 days ago' "$days/2020-01-01" "$days/other"
touch -d '2 days ago' "$days/2020-01-02.part"
unit_runs ExecStartPre
[ "$(ls "$days" | tr '\n' ' ')" = "$(date +%F) $(date +%F).part other " ] || fed_fail "left: $(ls "$days")"

say 'more is written, two cases are erased, the machine is lost'
post lakeside grey "$kept" 'after the backup'
for house in harbour hillside; do has_post "$house" "$kept" 'after the backup'; done
tell_signed 0 lakeside grey erase "$own" --yes
tell_signed 0 harbour visser erase "$theirs" --yes
is_erased harbour "$own"
is_erased lakeside "$theirs"
items=$(item_count "$data")
fed_down lakeside KILL
rm -rf "$data" "$fed_home/lakeside/marker"
mkdir -m 700 "$fed_home/lakeside/marker"

say 'what is not put back'
restore() {
    "$node" restore --from "$backup" --data "$data" --keys "$fed_home/keys" \
        --passphrase-file "$fed_home/keys.passphrase" "$@"
}
fails 'holds no backup' "$node" restore --from "$fed_home/mail" --data "$data"
fails 'holds no keys' "$node" restore --from "$backup" --data "$data"
fed_passphrase "$fed_home/wrong"
fails 'does not open it' restore --passphrase-file "$fed_home/wrong"
mkdir -p -m 700 "$data"
touch "$data/something"
fails 'holds "something" already' restore
rm "$data/something"
cp -a "$backup" "$fed_home/altered"
sed -i 's/^made 1/made 2/' "$fed_home/altered/backup"
fails 'was altered' restore --from "$fed_home/altered"
rm -rf "$fed_home/altered"
cp -a "$backup" "$fed_home/altered"
find "$fed_home/altered" -name data.mdb -exec truncate -s -8192 {} +
fails 'nothing was restored' restore --from "$fed_home/altered"
[ -z "$(ls "$data")" ] || fed_fail "nothing is left of what failed: $(ls "$data")"
houses_faketime=$(find /usr/lib -name libfaketimeMT.so.1 2>/dev/null | head -n 1)
if [ -n "$houses_faketime" ]; then
    fails 'is 30 days old; erasure receipts promise' env LD_PRELOAD="$houses_faketime" FAKETIME=+30d \
        "$node" restore --from "$backup" --data "$data" --keys "$fed_home/keys" \
        --passphrase-file "$fed_home/keys.passphrase"
    fed_quietly env LD_PRELOAD="$houses_faketime" FAKETIME=+30d \
        "$node" restore --from "$backup" --data "$fed_home/old" --keys "$fed_home/keys" \
        --passphrase-file "$fed_home/keys.passphrase" --even-if-old
else
    echo 'SKIPPED, NO AGE WAS TESTED: there is no faketime: sh node/install.sh test' >&2
fi

say 'put back; the others cannot be reached'
fed_quietly restore
for house in harbour hillside; do ns_unplug "$house"; done
sed -i "1i passphrase-file = $fed_home/keys.passphrase" "$fed_home/lakeside/consiliumd.conf"
: >"$fed_home/lakeside/log"
fed_up lakeside
grep -q store-is-restored "$fed_home/lakeside/log" || fed_fail 'the log says it'
waits 'it writes nothing and hands out no key' '.posting_waits and .keys_wait'
ns_plug harbour
has_post lakeside "$kept" 'after the backup'
waits 'what one other has is back, and that one is not enough' \
    '(.connected | length) == 1 and .posting_waits and .keys_wait'
ns_plug hillside
houses_connected 2 lakeside

say 'what it wrote is back, what was erased is erased'
for n in 1 2 3 4 5; do has_post lakeside "$kept" "while it is copied $n"; done
is_erased lakeside "$own"
is_erased lakeside "$theirs"
check lakeside 'no question of them in the inbox' \
    "[.inbox[] | select((.case == \"$own\" or .case == \"$theirs\") and .question)] | length == 0" inbox
[ "$(item_count "$data")" = "$items" ] || fed_fail "documents of erased cases are left: $(find "$data")"

say 'it writes again'
post lakeside grey "$kept" 'after the restore'
for house in lakeside harbour hillside; do
    has_post "$house" "$kept" 'after the restore'
    check "$house" 'nothing is forked or lost' \
        '.streams.forked == 0 and .streams.lost == 0 and .equivocated == []' status
done
check lakeside 'the backup has its age' '.backup.age_days == 0' status
fed_down lakeside
fed_up lakeside
[ "$(grep -c store-is-restored "$fed_home/lakeside/log")" = 1 ] || fed_fail 'it is restored once'
houses_connected 2 lakeside
is_erased lakeside "$own"
post lakeside grey "$kept" 'after another start'
for house in harbour hillside; do
    has_post "$house" "$kept" 'after another start'
    check "$house" 'nothing is forked' '.streams.forked == 0' status
done
say done
