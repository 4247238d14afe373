#!/bin/sh
# The society brings its heads to two relays. One is down at first; an older copy of the directory and
# a key that is not listed bring nothing.
set -eu
bin=${CONSILIUM_BUILD:?}/bootstrap
[ -x "$bin/consilium-society" ] || { echo "there is no consilium-society"; exit 77; }
[ -x "$bin/consilium-relay" ] || { echo "there is no consilium-relay"; exit 77; }

home=$(mktemp -d)
pids=
finish() {
    for pid in $pids; do kill "$pid" 2>/dev/null || true; done
    wait
    rm -rf "$home"
}
trap finish EXIT
trap 'exit 1' INT TERM
cd "$home"

fail() {
    echo "FAILED: $*" >&2
    cat log ./*.log >&2 2>/dev/null || true
    exit 1
}
society() {
    "$bin/consilium-society" --society society "$@" >log 2>&1
}
sign() {
    society sign --key ada --passphrase-file pass --yes || fail sign
}
publish() {
    society publish --key "$1" --passphrase-file pass --wait 20 --json
}
start_relay() {
    "$bin/consilium-relay" --config "$1.conf" >"$1.log" 2>&1 &
    pids="$pids $!"
    for _ in $(seq 100); do
        grep -q listening "$1.log" && return
        sleep 0.1
    done
    fail "$1 does not start"
}
key_of_relay() {
    sed -n 's/^ *public key *//p' "$1.init"
}
make_relay() { # name port
    "$bin/consilium-relay" init --data "$1" --endpoint "tcp://127.0.0.1:$2" >"$1.init"
    society relay add "$(key_of_relay "$1")" "tcp://127.0.0.1:$2" --name "$1" \
        --fingerprint "$(sed -n 's/^ *fingerprint *//p' "$1.init")" || fail 'relay add'
}
configure_relay() { # name port
    cat >"$1.conf" <<END
data = $home/$1
listen = tcp://127.0.0.1:$2
federation = $federation
publisher = $(sed -n 2p publisher/publisher.public)
END
}

base=$((20000 + $$ % 20000))
north=$base
south=$((base + 1))
echo 'a passphrase' >pass
chmod 600 pass
society officer init --key ada --name Ada --passphrase-file pass || fail init
society publisher init --key publisher --name desk --passphrase-file pass || fail init
society publisher init --key stranger --name stranger --passphrase-file pass || fail init
society found --name Relays --officer ada/officer.public --threshold 1 || fail found
society publisher add publisher/publisher.public || fail publisher
make_relay north $north
make_relay south $south
if publish publisher; then fail 'nothing is founded yet'; fi
sign
federation=$("$bin/consilium-society" --society society show --json | jq -r .federation)
configure_relay north $north
configure_relay south $south
start_relay north

echo 'one relay is down: it is said, and the other has the head'
if publish publisher; then fail 'south is down'; fi
grep -q 'not every relay' log || fail 'should say that south lacks it'
[ "$(sed -n '/^{/p' log | jq '[.relays[] | select(.holds)] | length')" = 1 ] || fail 'one holds it'
start_relay south
publish publisher || fail 'both are up'
[ "$(sed -n '/^{/p' log | jq -r '[.relays[].outcome] | sort | join("; ")')" = \
    'had it already; took it' ] || fail 'one had it, one took it'

echo 'a key that the roster does not list publishes nothing'
if publish stranger; then fail 'a stranger'; fi
grep -q 'does not list this publisher' log || fail 'should say why'

echo 'the next head, and an older copy of the directory'
cp -r society older
society renew || fail renew
sign
publish publisher || fail 'second head'
[ "$(sed -n '/^{/p' log | jq .epoch)" = 2 ] || fail 'epoch 2'
[ "$(sed -n '/^{/p' log | jq -r '[keys_unsorted, (.relays[0] | keys_unsorted)] | flatten | join(" ")')" = \
    'epoch head relays connected reached name key holds outcome' ] || fail 'the fields'
grep -q 'list-taken epoch=2' north.log || fail 'north took it'
grep -q 'list-taken epoch=2' south.log || fail 'south took it'
if "$bin/consilium-society" --society older publish --key publisher --passphrase-file pass \
    --wait 20 >log 2>&1; then fail 'an older copy'; fi
grep -q 'not the newest copy' log || fail 'should say that it is old'

echo 'a relay that was away for several heads, and restarted, follows'
for pid in $pids; do kill "$pid"; done
wait
pids=
society renew || fail renew
sign
society renew || fail renew
sign
start_relay north
start_relay south
publish publisher || fail 'after the restart'
grep -q 'list-taken epoch=4' north.log || fail 'north follows'
echo done
