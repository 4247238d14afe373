#!/bin/sh
# What an operator learns from `consilium-relay --status`: of a relay that runs, one that is busy, one
# that ended, one that never ran, and one of somebody else; and from each wrong command.
set -eu
relay=${CONSILIUM_BUILD:?}/bootstrap/consilium-relay
[ -x "$relay" ] || { echo "there is no $relay" && exit 77; }
unshare --net true 2>/dev/null || { echo 'SKIPPED, NOTHING WAS TESTED: no network namespaces' >&2 && exit 77; }
home=$(mktemp -d)
pid=
finish() {
    status=$?
    trap - EXIT
    [ -z "$pid" ] || kill -9 "$pid" 2>/dev/null || true
    rm -rf "$home"
    exit "$status"
}
trap finish EXIT
trap 'exit 130' INT TERM
cd "$home"
fail() {
    echo "FAILED: $*" >&2
    cat said last log >&2 2>/dev/null
    exit 1
}
expect() { # STATUS WORDS COMMAND...
    wanted=$1 words=$2 status=0
    shift 2
    "$relay" "$@" >said 2>last || status=$?
    [ "$status" = "$wanted" ] || fail "should end with $wanted, not $status: $*"
    grep -q -e "$words" said last || fail "should say '$words': $*"
}
await() { # FILE WORDS
    for _ in $(seq 600); do
        if grep -q -e "$2" "$1" 2>/dev/null; then return; fi
        sleep 0.05
    done
    fail "waited in vain for '$2' in $1"
}
expect 0 'relay add' init --data data
key=$(sed -n 's/^ *public key *//p' said)
expect 1 'existing key was not changed' init --data data
cat >relay.conf <<END
data = $home/data
listen = tcp://127.0.0.1:7800
federation = $key
publisher = $key
END
expect 2 'not understood' foo
expect 2 'needs --data' init
expect 2 'unrecognized option' --colour
expect 0 'all settings are good' --config relay.conf --check-config
sed 's,/data$,/nowhere,' relay.conf >wrong.conf
expect 1 'wrong.conf:1: data: there is no relay.key; make it' --config wrong.conf --check-config
cp -r data open
chmod 644 open/relay.key
sed 's,/data$,/open,' relay.conf >wrong.conf
expect 1 'wrong.conf:1: data: .*others may read' --config wrong.conf --check-config
chmod 600 open/relay.key
echo 'not a key' >open/relay.key
expect 1 'wrong.conf:1: data: .*restore it' --config wrong.conf --check-config
expect 1 'no relay ever ran' --config relay.conf --status
expect 1 'nowhere.conf' --config nowhere.conf --status

unshare --net sh -c 'ip link set lo up && exec "$@"' sh "$relay" --config relay.conf 2>log &
pid=$!
await log listening
expect 0 '^state=running$' --config relay.conf --status

echo 'stopped by somebody: it waits, says so, and has an answer when the relay goes on'
kill -STOP "$pid"
"$relay" --config relay.conf --status >answer 2>waiting &
asking=$!
await waiting "waiting for process $pid, which is busy"
kill -CONT "$pid"
wait "$asking" || fail 'an answer came'
grep -q '^state=running$' answer || fail 'the answer is whole'

if [ "$(id -u)" = 0 ]; then
    echo 'somebody else'
    chmod 755 . && cp "$relay" relay && chmod 755 relay && chmod 644 relay.conf
    status=0
    setpriv --reuid nobody --clear-groups ./relay --config relay.conf --status >said 2>last || status=$?
    [ "$status" = 1 ] || fail "should end with 1, not $status"
    grep -q 'runs as another user' last || fail 'whom to ask as'
fi

kill "$pid"
wait "$pid" || true
pid=
expect 1 'no relay is running here; this was its last status' --config relay.conf --status
grep -q '^state=ended$' said || fail 'its last status'
echo 'done'
