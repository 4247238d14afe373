#!/bin/sh
# Lakeside's keys, from bare to sealed to another passphrase, with the program killed at each step that
# the disk sees: they open as before or as wanted, both of them, never a half; what lay bare is
# overwritten. And its request: lost, written again, and never asked for more than it must be.
set -eu
node=${CONSILIUM_BUILD:?}/node/consiliumd
[ -x "$node" ] || { echo "there is no $node" && exit 77; }
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT INT TERM
cd "$home"
fail() {
    echo "FAILED: $*" >&2
    cat said last >&2
    exit 1
}
consiliumd() {
    "$node" "$@" >said 2>last
}
expect() { # STATUS WORDS COMMAND...
    wanted=$1 words=$2
    shift 2
    status=0
    consiliumd "$@" || status=$?
    [ "$status" = "$wanted" ] || fail "should end with $wanted, not $status: $*"
    grep -q -e "$words" said last || fail "should say '$words': $*"
}
# opens DIR HOW: both keys open so (bare, or by the passphrase in that file), and not otherwise
opens() {
    keys=$1 how=$2
    [ "$how" != bare ] || how=nowhere
    consiliumd request --data "$keys" --country CH --board oncology --output opened.request \
        --passphrase-file "$how" || return 1
    [ -z "$(find "$keys" -name '*.new' -o -name '*.old')" ] || fail "something is left in $keys"
}
for n in one two; do
    echo "passphrase number $n" >$n
    chmod 600 $n
done

echo 'a request is written again, the same'
consiliumd init --data data --name 'Lakeside Hospital' --country CH --board oncology \
    --request lakeside.request || fail init
digits=$(grep -Eo '[0-9]{5}( [0-9]{5})+' said)
expect 0 "$digits" request --data data --output again.request
cmp lakeside.request again.request || fail 'the same bytes'
expect 1 'consiliumd request' init --data data --name 'Lakeside Hospital' --country CH \
    --board oncology --request other.request
expect 1 'nowhere/request' request --data data --output nowhere/request
expect 0 'A new request' request --data data --country CH --board radiology --output new.request
if cmp -s lakeside.request new.request; then fail 'another board, another request'; fi
expect 1 'no specialty tag' request --data data --country CH --board Onc --output new.request
expect 2 'wants --country' request --data data --name Other --output other.request
expect 1 '1 to 200 bytes' request --data data --name "$(printf %0201d 1)" --country CH --board oncology \
    --output other.request
grep -q 'Lakeside Hospital' new.request || fail 'the name of the identity'
expect 0 'A new request' request --data data --name 'Lakeside Medical Centre' --country CH --board oncology \
    --output renamed.request
grep -q 'Lakeside Medical Centre' renamed.request || fail 'the new name'
expect 0 'A new request' request --data data --country CH --board radiology --output new.request
grep -q 'Lakeside Medical Centre' new.request || fail 'the new name stays'
expect 0 'same request' request --data data --output again.request
cmp new.request again.request || fail 'the newest is kept'
rm data/request
expect 1 'no request of this institution is kept' request --data data --output again.request
mkdir -m 700 other
consiliumd init --data other --name Other --country CH --board oncology --request o.request || fail init
cp other/request data/request
expect 1 'no request of this institution is kept' request --data data --output again.request
rm data/request
expect 1 '1 to 200 bytes' init --data long --name "$(printf %0201d 1)" --country CH --board oncology \
    --request long.request
[ ! -e long ] || fail 'nothing is made for a name that nobody takes'
expect 1 'the identity is made, its request is not' init --data late --name Late --country CH \
    --board oncology --request nowhere/late.request
expect 0 'same request' request --data late --output late.request

echo 'wrong ways'
expect 2 'no command .foo' foo
expect 2 'wants --data' seal
expect 2 'wants --data' passphrase
expect 1 'consiliumd init' seal --data nowhere --passphrase-file one
expect 1 'consiliumd seal' passphrase --data data --passphrase-file one --new-passphrase-file two
echo short >short
chmod 600 short
expect 1 'at least 8 characters' seal --data data --passphrase-file short
expect 1 'is not there' seal --data data --passphrase-file nowhere
cp one open
chmod 644 open
expect 1 'chmod 600' seal --data data --passphrase-file open
cp -r data half
rm half/store.key
expect 1 'store.key: is not there; restore' seal --data half --passphrase-file one
[ -z "$(find half -name '*.new')" ] || fail 'what was begun is taken back'
opens half bare && fail 'half an identity opened'
expect 1 'other half' init --data half --name Half --country CH --board oncology --request h.request
opens data bare || fail 'still bare'

echo 'killed at each step'
# steps CALLS DIR HOW-BEFORE HOW-AFTER COMMAND...: kills it as it makes the Nth call of each kind
steps() {
    calls=$1 folder=$2 before=$3 after=$4
    shift 4
    for call in $calls; do
        for n in $(seq "${call#*:}"); do
            rm -rf try
            cp -r "$folder" try
            if ASAN_OPTIONS=detect_leaks=0 strace -f -qq -o /dev/null -e trace="${call%:*}" \
                -e inject="${call%:*}:signal=KILL:when=$n" "$node" "$@" --data try >said 2>last; then
                fail "was not killed: $call $n"
            fi
            if opens try "$before"; then
                echo "  ${call%:*} $n: as before"
                undone=$((undone + 1))
            elif opens try "$after"; then
                echo "  ${call%:*} $n: as wanted"
                made=$((made + 1))
            else
                fail "neither opens: $call $n"
            fi
        done
    done
}
undone=0 made=0
cp -r data sealed
consiliumd seal --data sealed --passphrase-file one || fail 'seal'
if strace -f -qq -o /dev/null true 2>/dev/null; then
    steps 'renameat2:2 link:2 rename:2 pwrite64:2 unlink:2' data bare one seal --passphrase-file one
    [ "$undone $made" = '5 5' ] || fail "each step, once: $undone, $made"
    steps 'rename:2' sealed one two passphrase --passphrase-file one --new-passphrase-file two
    [ "$undone $made" = '6 6' ] || fail "each step, once: $undone, $made"
else
    echo 'SKIPPED, NOTHING WAS KILLED: no strace here' >&2
fi

echo 'sealed, and what lay bare is gone'
ln data/identity.key bare-identity
ln data/store.key bare-store
cp bare-identity was-identity
expect 0 'Backups made before' seal --data data --passphrase-file one
opens data bare && fail 'still opens without'
opens data one || fail 'opens with the passphrase'
expect 1 'sealed already' seal --data data --passphrase-file one
[ "$(stat -c %s bare-identity)" = "$(stat -c %s was-identity)" ] || fail 'in place'
cmp -s bare-identity was-identity && fail 'the old file was not overwritten'
head -c 8 bare-store | grep -q CONSKEY && fail 'the old store key was not overwritten'

echo 'another passphrase'
expect 1 'does not open it; nothing was changed' passphrase --data data --passphrase-file two \
    --new-passphrase-file one
opens data one || fail 'as before'
expect 0 'new passphrase only' passphrase --data data --passphrase-file one --new-passphrase-file two
opens data one && fail 'the old one still opens'
opens data two || fail 'the new one opens'

echo 'at a terminal: asked twice, and once'
cat >typist.py <<'END'
import os, pty, sys
# typist.py ANSWER... -- COMMAND...: answers each prompt; the last line is how many there were
cut = sys.argv.index("--")
answers, command = sys.argv[1:cut], sys.argv[cut + 1:]
pid, terminal = pty.fork()
if pid == 0:
    os.execv(command[0], command)
said, asked, seen = b"", 0, 0
while True:
    try:
        piece = os.read(terminal, 4096)
    except OSError:
        break
    if not piece:
        break
    said += piece
    line = said[seen:].rsplit(b"\n", 1)[-1]
    if line.startswith((b"Passphrase", b"New passphrase")) and line.endswith(b": "):
        seen = len(said)
        os.write(terminal, (answers[asked] if asked < len(answers) else "more").encode() + b"\n")
        asked += 1
status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
sys.stdout.buffer.write(said)
print(f"\nasked {asked}, status {status}")
END
python3 typist.py 'passphrase number one' 'passphrase number one' -- "$node" init --data typed --sealed \
    --name Typed --country CH --board oncology --request typed.request >said
grep -q 'asked 2, status 0' said || fail 'init asks twice'
opens typed one || fail 'what was typed opens it'
python3 typist.py 'passphrase number one' 'passphrase number onE' -- "$node" init --data mistyped \
    --sealed --name Typed --country CH --board oncology --request mistyped.request >said
grep -q 'asked 2, status 1' said || fail 'a typo is an error'
grep -q 'typed twice the same' said || fail 'it says so'
[ ! -e mistyped/identity.key ] || fail 'nothing is made of a typo'
python3 typist.py 'passphrase number one' 'passphrase number two' 'passphrase number two' -- \
    "$node" passphrase --data typed >said
grep -q 'asked 3, status 0' said || fail 'the old one once, the new one twice'
opens typed two || fail 'what was typed opens it'
echo 'done'
