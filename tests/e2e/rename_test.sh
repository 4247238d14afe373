#!/bin/sh
# A hospital changes its name: its node writes the request, the society rotates it into the roster, and
# everybody who signs sees both names. What the request does not change stays.
set -eu
bin=${CONSILIUM_BUILD:?}
for program in node/consiliumd bootstrap/consilium-society; do
    [ -x "$bin/$program" ] || { echo "there is no $program" && exit 77; }
done
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT INT TERM
cd "$home"

fail() {
    echo "FAILED: $*" >&2
    cat log >&2
    exit 1
}
society() {
    "$bin/bootstrap/consilium-society" --society society "$@" >log 2>&1
}
sign() {
    society sign --key ada --passphrase-file pass --yes || fail sign
}
consiliumd() { # its fingerprint is in the file `said`
    "$bin/node/consiliumd" "$@" >log 2>&1 || fail "$*"
    grep -Eo '[0-9]{5}( [0-9]{5}){7}' log >said
}
member() { # FIELD of the member
    "$bin/bootstrap/consilium-society" --society society show --json | jq -r ".members[0].$1"
}

echo 'a passphrase' >pass
chmod 600 pass
society officer init --key ada --name Ada --passphrase-file pass || fail init
society found --name 'Rare Tumors' --officer ada/officer.public --threshold 1 || fail found
consiliumd init --data data --name 'Lakeside Hospital' --country CH --board oncology \
    --endpoint tcp://lakeside.example.org:7801 --request first.request
society admit first.request --fingerprint "$(cat said)" || fail admit
society show || fail show
for words in 'NEW MEMBER, admitted' 'signs with  [0-9a-f]\{64\}' 'new address tcp://lakeside' 'boards: oncology'; do
    grep -q "^    $words" log || fail "who signs the founding head sees of the first member: $words"
done
sign
node_id=$(member node_id)

echo 'the new name comes by a new request'
consiliumd request --data data --name 'Lakeside Medical Centre' --country CH --board oncology \
    --endpoint tcp://lakeside.example.org:7801 --output second.request
society rotate second.request --fingerprint "$(cat said)" || fail rotate
grep -q '^Lakeside Medical Centre (CH), until now Lakeside Hospital (CH)$' log || fail 'both names'
society show || fail show
grep -q 'was called Lakeside Hospital$' log || fail 'who signs sees both names'
if grep -q 'NEW KEYS\|address' log; then fail 'nothing else changes'; fi
sign
[ "$(member name)" = 'Lakeside Medical Centre' ] || fail 'the new name'
[ "$(member node_id)" = "$node_id" ] || fail 'the same member'
[ "$(member keys_since_epoch)" = 1 ] || fail 'the same keys'
society suspend 'Lakeside Medical Centre' || fail 'found by its new name'
society discard --yes || fail discard

echo 'another address later leaves the new name'
consiliumd request --data data --country CH --board oncology \
    --endpoint tcp://centre.example.org:7801 --output third.request
society rotate third.request --fingerprint "$(cat said)" || fail rotate
society show || fail show
if grep -q 'was called' log; then fail 'the old name came back'; fi
grep -q 'new address tcp://centre.example.org:7801' log || fail 'the new address'
sign
[ "$(member name)" = 'Lakeside Medical Centre' ] || fail 'still the new name'

echo "another hospital may not take another's name"
consiliumd init --data other --name Riverside --country FR --board oncology --request other.request
society admit other.request --fingerprint "$(cat said)" || fail admit
sign
consiliumd request --data other --name 'lakeside medical  centre' --country FR --board oncology \
    --output other.request
if society rotate other.request --fingerprint "$(cat said)"; then fail "another's name"; fi
grep -q 'looks like that of another member' log || fail 'should say whose name it is'
grep -q '^  Lakeside Medical Centre (CH), admitted' log || fail 'should say whose name it is'
echo 'done'
