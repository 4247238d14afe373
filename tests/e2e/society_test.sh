#!/bin/sh
# The Society for Rare Tumors founds a federation: Ada, Bela and Chen are its officers, two of whom
# sign each head, each in a folder of their own. Two hospitals join by mail; one is suspended and
# removed; another changes its keys. Every wrong way is tried once.
set -eu
bin=${CONSILIUM_BUILD:?}/bootstrap/consilium-society
mail=$CONSILIUM_BUILD/tests/e2e/e2e_institution
[ -x "$bin" ] || { echo "there is no $bin"; exit 77; }

home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT INT TERM
cd "$home"
chmod 700 .

fail() {
    echo "FAILED: $*" >&2
    [ ! -f log ] || cat log >&2
    exit 1
}
society() { # runs it in the society's directory
    "$bin" --society society "$@" >log 2>&1
}
expect() { # expect 'words of the message' command...: status 1
    words=$1 status=0
    shift
    society "$@" || status=$?
    [ "$status" = "${wanted:-1}" ] || fail "should end with ${wanted:-1}, not $status: $*"
    grep -q -e "$words" log || fail "should say '$words': $*"
}
sign() {
    society sign --key "$1" --passphrase-file "$1.pass" --yes || fail "$1 signs"
}
shows() { # 'words' in what show says
    society show || fail show
    grep -q -e "$1" log || fail "show should say '$1'"
}
json() {
    "$bin" --society society show --json | jq -r "$1"
}
fields() { # COMMAND FIELD...: the object in that place of its JSON has these fields, in this order
    command=$1 place=$2
    shift 2
    there=$("$bin" --society society "$command" --json | jq -r "$place | keys_unsorted | join(\" \")")
    [ "$there" = "$*" ] || fail "$command --json has at $place: $there"
}
print_of() {
    "$mail" fingerprint <"$1"
}

echo 'each officer makes a key of their own'
for officer in ada bela chen mallory; do
    echo "passphrase of $officer" >$officer.pass
    chmod 600 $officer.pass
    society officer init --key $officer --name "$officer of the society" \
        --passphrase-file $officer.pass || fail "$officer init"
    [ "$(stat -c %a $officer)" = 700 ] || fail "the folder of $officer is open to others"
done
expect 'exists already' officer init --key ada --name Ada --passphrase-file ada.pass
echo short >short.pass
chmod 600 short.pass
expect 'at least 8' officer init --key dora --name Dora --passphrase-file short.pass

echo 'called in a wrong way: status 2, and where to read on'
wanted=2
expect 'no command .foo' foo
expect 'name a command'
expect 'usage: .*suspend MEMBER; see --help' suspend
expect 'with --key' sign
expect 'with --key' publish
expect 'with --name' found
expect 'name what to change' settings
expect 'not a number from 1 to' settings --participants 0
expect 'unrecognized option' show --colour
wanted=
society remove --help || fail help
grep -q -e '--successor OTHER' log || fail 'what a successor may'
grep -q 'consilium report MEMBER' log || fail 'where reports come from'
society --help || fail help
for command in $("$bin" --help | awk '/^  [a-z]/ { print $1 }'); do
    "$bin" "$command" --help | awk 'length($0) > 80 { exit 1 }' || fail "over 80 columns: $command"
done
grep -q 'end a membership, for good' log || fail 'all commands'

echo 'the federation is founded by all three'
expect 'name the society' show
mkdir -p society
expect 'holds no federation' show
expect 'how many of the 1 officers' found --name 'Rare Tumors' --officer ada/officer.public --threshold 0
expect 'named before' found --name 'Rare Tumors' --officer ada/officer.public \
    --officer ada/officer.key --threshold 1
expect 'not a public key' found --name 'Rare Tumors' --officer ada.pass --threshold 1
expect 'nobody.public.: there is no such file' found --name 'Rare Tumors' --officer nobody.public --threshold 1
society publisher init --key office --name office --passphrase-file ada.pass || fail 'publisher init'
expect 'the officer key is needed' found --name 'Rare Tumors' --officer office/publisher.public \
    --threshold 1
"$bin" --society risky found --name Risky --officer ada/officer.public \
    --officer bela/officer.public --threshold 2 >log 2>&1
grep -q 'after one key is lost' log || fail 'n = k should be warned of'
society found --name 'Rare Tumors' --officer ada/officer.public --officer bela/officer.public \
    --officer chen/officer.public --threshold 2 --cooling-off 48 || fail found
expect 'not one of the 3 officers' sign --key mallory --passphrase-file mallory.pass --yes
expect 'does not open it; nothing was changed' sign --key ada --passphrase-file bela.pass --yes
expect 'passphrase file nowhere: there is no such file' sign --key ada --passphrase-file nowhere --yes
expect 'nowhere/officer.key: does not exist; --key must name' sign --key nowhere --yes
expect 'office/officer.key: does not exist' sign --key office --yes
cp -r office disguised
mv disguised/publisher.key disguised/officer.key
expect 'another kind of key' sign --key disguised --yes
cp ada.pass open.pass
chmod 644 open.pass
expect 'chmod 600' sign --key ada --passphrase-file open.pass --yes
shows 'not yet      .*ada of the society'
sign ada
shows '^  signed by    ada of the society$'
if grep '^  not yet' log | grep -q ada; then fail 'ada has signed'; fi
grep '^  not yet' log | grep 'bela of the society' | grep -q 'chen of the society' || fail 'who is missing'
expect 'signed the pending head already' sign --key ada --passphrase-file ada.pass --yes
sign bela
[ "$(json .federation)" = null ] || fail 'founded by two of three'
expect 'not founded yet' invite 'Lakeside Hospital' --output early.invitation
sign chen
federation=$(json .federation)
[ ${#federation} = 64 ] || fail 'no federation'
[ "$(json .settings.cooling_off_ms)" = 172800000 ] || fail 'cooling-off'
[ "$(json '.settings.boards | length')" = 8 ] || fail 'default boards'
expect 'holds a federation already' found --name Again --officer ada/officer.public --threshold 1

echo 'two hospitals ask by mail; the fingerprint decides'
"$mail" request north 'Klinikum Nord' DE hematology oncology >north.request
"$mail" request east '東部総合病院' JP hematology/bmt >east.request
"$mail" request west 'Hôpital Ouest' FR dermatology >west.request
expect 'not the fingerprint' admit north.request --fingerprint "$(print_of east.request)"
expect 'no board .dermatology' admit west.request --fingerprint "$(print_of west.request)"
grep -q '^  rare-diseases$' log || fail 'its boards are listed'
expect 'no board .radiologie' admit west.request --board radiologie --fingerprint "$(print_of west.request)"
society admit west.request --board radiology --fingerprint "$(print_of west.request)" || fail 'admit west'
grep -q '^  board        radiology$' log || fail 'the boards that it will serve'
grep -q 'it asked for dermatology instead' log || fail 'the boards that it asked for'
if grep -q '^  board        dermatology' log; then fail 'not the old board'; fi
society discard --yes || fail discard
head -c 100 north.request >broken.request
expect 'damaged on the way' admit broken.request --fingerprint 1
expect 'nowhere: there is no such file' admit nowhere
expect 'not a regular file' admit society
society admit north.request --fingerprint "$(print_of north.request)" || fail 'admit north'
society admit east.request --fingerprint "$(print_of east.request)" || fail 'admit east'
expect 'sign. first' invite 'Klinikum Nord'
sed -i "s/ ada of the society/ a$(printf '\033')[2Jda/" society/names
shows '^  not yet      .*[0-9a-f]\{16\}\.\.\.'
if grep -q "$(printf '\033')" log; then fail 'nothing in that file drives the terminal'; fi
sign ada
expect 'signatures already' admit west.request --fingerprint "$(print_of west.request)"
[ "$(json .epoch)" = 1 ] || fail 'k - 1 signatures must not do'
cp -r society copy
sign chen
[ "$(json .epoch)" = 2 ] || fail 'k signatures should do'
[ "$(json '.members | length')" = 2 ] || fail 'two members'

echo 'an officer signs one head for each epoch'
"$bin" --society copy discard --yes >log 2>&1 || fail discard
"$bin" --society copy renew >log 2>&1 || fail renew
if "$bin" --society copy sign --key ada --passphrase-file ada.pass --yes >log 2>&1; then
    fail 'a second head at one epoch'
fi
grep -q 'split the federation' log || fail 'should say what it would do'

echo 'the invitation proves itself to its hospital'
society invite 'Klinikum Nord' --output north.invitation || fail invite
sed -n 's,^  fingerprint  ,,p' log >said
"$mail" accept north <north.invitation >shown || fail 'north accepts'
head -n 1 shown | cmp -s - said || fail 'both sides show one fingerprint'
grep -q 'members 2' shown || fail 'two members in the invitation'
if "$mail" accept east <north.invitation >log 2>&1; then fail "another's invitation"; fi
head -c -10 north.invitation >torn
if "$mail" accept north <torn >log 2>&1; then fail 'a torn invitation'; fi

echo 'a name that people could take for another one is refused unless the officer insists'
alike=0
for name in 'KLINIKUM  nord' "Klinikum$(printf '\302\240')Nord" "Klini$(printf '\342\200\213')kum Nord" \
    "$(printf '\320\232')linikum N$(printf '\320\276')rd"; do
    alike=$((alike + 1))
    "$mail" request "alike$alike" "$name" AT oncology >alike.request
    expect 'looks like that of another member' admit alike.request --fingerprint "$(print_of alike.request)"
    grep -q '^  Klinikum Nord (DE), admitted, node ' log || fail 'which member, with its country'
    grep -q '^    fingerprint of its key  [0-9 ]\{47\}$' log || fail 'and its fingerprint'
    grep -q -e '--allow-look-alike' log || fail 'how to insist'
done
society admit alike.request --allow-look-alike --fingerprint "$(print_of alike.request)" || fail insist
grep -q 'warning: the name .* looks like' log || fail 'a warning for who insists'
shows '^    CAUTION: its name looks like that of another member:$'
sed -n '/CAUTION/,$p' log | grep -q '^  Klinikum Nord (DE), admitted' || fail 'who signs sees both'
sed -n '/CAUTION/,$p' log | grep -q '^  .* (AT), admitted' || fail 'who signs sees both'
society suspend 'Klinikum Nord' || fail suspend
sed -n '/warning: another member has a name/,/This command is for/p' log | grep -q '(AT)' || fail 'the other'
sed -n '/^This command is for:$/,$p' log | grep -q '^  Klinikum Nord (DE), admitted' ||
    fail 'which one is meant'
society discard --yes || fail discard
"$mail" request twin 'Klinikum Nord' DE oncology >twin.request
society admit twin.request --allow-look-alike --fingerprint "$(print_of twin.request)" || fail twin
expect 'names several members' suspend 'Klinikum Nord'
[ "$(grep -c '^  Klinikum Nord (DE), admitted, node' log)" = 2 ] || fail 'both are listed'
society discard --yes || fail discard
society show || fail show
if grep -q CAUTION log; then fail 'nobody is alike here'; fi

echo 'relays, publishers, boards'
key=$(printf '%064d' 7)
society publisher init --key publisher --name publisher --passphrase-file ada.pass || fail publisher
society publisher add publisher/publisher.public || fail 'publisher add'
expect 'not the fingerprint' relay add "$key" tcp://relay.example.org:4500 \
    --fingerprint '11111 11111 11111 11111 11111 11111 11111 11111'
heard=$(sed -n 's,^  fingerprint  ,,p' log)
society relay add "$key" tcp://relay.example.org:4500 --name 'Relay North' --fingerprint "$heard" ||
    fail 'relay add'
expect 'not an address' relay add "$key" http://relay.example.org
society board add 'hematology/car-t=CAR-T cells' 'oncology=Tumors' || fail 'board add'
society board remove oncology || fail 'board remove'
grep -q '^1 member serves this board; tell them before the head is signed:$' log || fail 'how many serve it'
grep -q '^  Klinikum Nord (DE), admitted, node [0-9a-f]\{32\}$' log || fail 'who serves it'
shows 'board oncology CLOSES; members that serve it: 1$'
society board add 'oncology=Tumors' || fail 'board add'
society board remove orthopedics || fail 'board remove'
grep -q '^0 members serve this board.$' log || fail 'nobody serves it'
society settings --cooling-off 24 --custody no --participants 8 || fail settings

echo 'an officer sees what changes before a signature is asked for'
if setsid "$bin" --society society sign --key bela --passphrase-file bela.pass >log 2>&1; then
    fail 'signed without a yes'
fi
for words in 'cooling-off before new members read: 48 -> 24 h' 'participants of a case: 32 -> 8' \
    'custody: allowed -> not allowed' 'NEW board hematology/car-t (CAR-T cells)' \
    'board oncology: Oncology -> Tumors' 'board orthopedics CLOSES; members that serve it: 0' \
    'NEW relay Relay North at tcp://relay.example.org:4500' 'NEW publisher'; do
    grep -q -e "$words" log || fail "should say '$words'"
done
if grep -q -i 'cardiology\|generations\|longest life' log; then fail 'only what changes'; fi
society board add orthopedics=Orthopedics || fail 'board add'
society settings --cooling-off 48 --custody yes --participants 32 || fail settings
sign bela
sign chen
grep -q 'Now .publish. it to the relays' log || fail 'what comes next'
[ "$(json '.settings.relays[0].name')" = 'Relay North' ] || fail relay
[ "$(json '.settings.publishers | length')" = 1 ] || fail 'one publisher'
[ "$(json '.settings.boards | length')" = 9 ] || fail 'nine boards'

echo 'a hospital changes its keys: signed by the old key, or not'
"$mail" rotate north north-2 "$federation" 'Klinikum Nord GmbH' >rotate.request
society rotate rotate.request --fingerprint "$(print_of rotate.request)" || fail rotate
shows 'NEW KEYS, signed by the old key'
shows 'was called Klinikum Nord$'
society rotate rotate.request --fingerprint "$(print_of rotate.request)" || fail rotate
if grep -q 'did not sign' log; then fail 'the old key did sign'; fi
sign ada
sign bela
[ "$(json '.members[] | select(.country == "DE") | .keys_signed')" = true ] || fail keys
[ "$(json '.members[] | select(.country == "DE") | .name')" = 'Klinikum Nord GmbH' ] || fail name

echo 'another is suspended, then removed; its streams end where the nodes say'
east=$(json '.members[] | select(.country == "JP") | .node_id')
expect 'not suspended' reinstate "$east"
society suspend '東部総合病院' || fail suspend
sign ada
sign bela
zeros=$(printf '%064d' 0)
one=$(printf '%064d' 1)
two=$(printf '%064d' 2)
cat >report-north <<END
# federation stream, generation 1
01$zeros${east}00000001 4 $one
03$one${east}00000001 9 $two
END
echo "01$zeros${east}00000001 7 $two" >report-south
society remove "$east" --cuts report-north --cuts report-south --successor 'Klinikum Nord GmbH' ||
    fail remove
grep -q '1 stream of this member' log || fail 'one cut: case streams end elsewhere'
shows 'was suspended, is now removed'
shows 'its cases may be closed by Klinikum Nord GmbH'
sign bela
sign chen
[ "$(json '.members[] | select(.country == "JP") | .state')" = removed ] || fail removed
expect 'is removed, not admitted' suspend "$east"
expect 'for good' admit east.request --fingerprint "$(print_of east.request)"
expect 'only admitted' invite "$east"

society renew || fail renew
fields show . federation fingerprint epoch head valid_until_ms expired threshold officers settings \
    members pending
fields show .settings name cooling_off_ms announcement_ms_max participant_count_max \
    generation_count_max custody_allowed boards relays publishers
fields show .settings.boards[0] tag name
fields show .settings.relays[0] key endpoint name
fields show '.members[] | select(.country == "DE")' node_id name country state sign_key transport_key \
    admitted_epoch state_since_epoch keys_since_epoch keys_signed boards
fields show '.members[] | select(.country == "JP")' node_id name country state sign_key transport_key \
    admitted_epoch state_since_epoch keys_since_epoch keys_signed successor boards
fields show '.members[0].boards[0]' tag since_epoch
fields show .pending epoch head signatures needed threshold officers members
fields verify . federation verified heads
fields verify .heads[0] epoch head issued_ms signatures members
"$bin" --society society show --json >log
[ "$(jq -c . log)" = "$(cat log)" ] || fail 'one line'
[ "$(jq -r '.members[] | select(.country == "JP") | .name' log)" = '東部総合病院' ] || fail 'UTF-8'
society discard --yes || fail discard

echo 'other officers, and the whole history proved'
society officers --officer ada/officer.public --officer bela/officer.public \
    --officer mallory/officer.public --threshold 2 || fail officers
shows 'NEW mallory of the society'
shows 'no longer chen of the society'
shows 'signatures that each head needs: 2 of 3 -> 2 of 3'
sign bela
sign chen
shows '^head  *epoch'
if grep -q EXPIRE log; then fail 'no warning yet'; fi
society renew --valid-days 60 || fail renew
expect 'not one of the 3 officers' sign --key chen --passphrase-file chen.pass --yes
sign mallory
sign ada
society verify --federation "$federation" || fail verify
grep -q 'reproduces its roots' log || fail 'verify says what it proved'
shows '^  EXPIRES in 59 days: .renew., .sign. and .publish. before then'
expect 'another federation' verify --federation "$zeros"
[ "$("$bin" --society society verify --json | jq '.heads | length')" = 8 ] || fail 'eight heads'

echo 'what was altered, dropped or put in does not stand'
try_altered() {
    if "$bin" --society altered verify >log 2>&1; then fail "$1"; fi
    rm -rf altered
}
for victim in 00000002.head 00000004.delta 00000008.head; do
    cp -r society altered
    byte=$(dd if=altered/heads/$victim bs=1 skip=60 count=1 2>/dev/null)
    if [ "$byte" = X ]; then other=Y; else other=X; fi
    printf %s "$other" | dd of=altered/heads/$victim bs=1 seek=60 conv=notrunc 2>/dev/null
    try_altered "$victim altered"
done
cp -r society altered
rm altered/heads/00000005.head
try_altered 'a head dropped'
cp -r society altered
cp altered/heads/00000007.delta altered/heads/00000006.delta
try_altered 'content of another head'
cp -r society altered
society renew || fail renew
sign ada
cp society/pending/head altered/pending/head
cp society/heads/00000002.delta altered/pending/items
try_altered 'another content under a signed pending head'
half_copied() { # FILE: is not there any more
    rm -r half 2>/dev/null || true
    cp -r society half
    rm -r "half/$1"
    if "$bin" --society half show >log 2>&1; then fail "without $1"; fi
    grep -q 'another officer\|who prepared it\|holds no federation' log || fail "what to do without $1"
}
half_copied heads/00000002.delta
half_copied heads/00000005.head
half_copied heads/00000001.head
half_copied heads
half_copied pending/items
expect 'is this directory itself' heal society
expect 'is not a directory' heal nowhere
wanted=2
expect 'all 64 hexadecimal digits' verify --federation 12345678
echo 'done'
