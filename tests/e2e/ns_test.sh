#!/bin/sh
# The hosts of ns.sh can do what the other end-to-end tests take for granted: they hear each other, a
# firewalled one is heard and not reached, a partition parts two and no more, and nothing is left over.
set -eu
. "$(dirname "$0")/ns.sh"
ns_open
folder=$(mktemp -d)
trap 'ns_close; rm -rf "$folder"' EXIT

fail() {
    echo "FAILED: $1" >&2
    exit 1
}

# Prints "open" when HOST can open a TCP connection to ADDRESS, else "shut".
reach() {
    ns_run "$1" python3 -c '
import socket, sys
try:
    socket.create_connection((sys.argv[1], 7000), timeout=1).close()
    print("open")
except OSError:
    print("shut")' "$2"
}

expect() {
    found=$(reach "$1" "$(ns_address "$2")")
    [ "$found" = "$3" ] || fail "$1 to $2 is $found, not $3: $4"
}

ns_add north south walled
for host in north south walled; do
    ns_start "$host" python3 -c '
import socket, sys
listener = socket.create_server(("0.0.0.0", 7000))
open(sys.argv[1], "w").close()
while True:
    listener.accept()[0].close()' "$folder/$host"
done
for host in north south walled; do
    tries=0
    until [ -e "$folder/$host" ]; do
        tries=$((tries + 1))
        [ $tries -lt 200 ] || fail "$host does not listen"
        sleep 0.05
    done
done
grep -q python3 "/proc/$ns_pid/cmdline" || fail 'the id that ns_start leaves is not the command'

expect north south open 'they share a wire'
expect south walled open 'no wall was asked for yet'
ns_drop_inbound walled
expect south walled shut 'the wall lets nothing in'
expect walled south open 'the wall lets everything out'

ns_part north south
expect north south shut 'they are parted'
expect south north shut 'they are parted, the other way'
expect walled north open 'the third is not part of it'
ns_heal north south
expect north south open 'they are healed'
ns_part south north
expect north south shut 'they are parted again'
ns_heal south north

ns_unplug north
expect walled north shut 'it is unplugged'
ns_plug north
expect walled north open 'it is plugged in again'

namespace=$(readlink "/proc/$(ns_holder south)/ns/net")
ns_close
sleep 0.2
for process in /proc/[0-9]*; do
    if [ "$(readlink "$process/ns/net" 2>/dev/null)" = "$namespace" ]; then
        fail 'a process is left over'
    fi
done
echo 'hosts hear each other, are walled, parted and unplugged as asked, and leave nothing behind'
