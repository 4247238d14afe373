# Several hosts on one machine, for end-to-end tests: . tests/e2e/ns.sh
#
#   ns_open              must come first; ends the test with 77 (skipped, aloud) where it cannot work
#   ns_add HOST...       a host each: its own network namespace, lo, and eth0 on one common wire
#   ns_address HOST      prints its IPv4 address on that wire
#   ns_run HOST COMMAND  runs there, and waits
#   ns_start HOST COMMAND         runs there in the background; $ns_pid is the command's own id
#   ns_drop_inbound HOST only what it asked for itself comes in: a hospital behind its firewall
#   ns_part A B, ns_heal A B      nothing passes between the two, in either direction; and again
#   ns_unplug HOST, ns_plug HOST  nothing reaches or leaves it; and again
#   ns_close             ends what still runs in the hosts and takes all down; called at exit
#
# The wire is a bridge in a namespace of its own, so the machine's own network is never touched.
# A test with a trap of its own on EXIT calls ns_close there. Names of hosts: [a-z0-9]{1,10}, not wire.

ns_open() {
    if [ "$(id -u)" -ne 0 ]; then
        ns_skip 'network namespaces need root'
    fi
    for ns_tool in ip nft nsenter setpriv; do
        command -v "$ns_tool" >/dev/null 2>&1 || ns_skip "there is no $ns_tool: sh node/install.sh test"
    done
    ns_count=0
    ns_hosts=
    trap ns_close EXIT
    trap 'exit 130' INT TERM
    unshare --net true 2>/dev/null || ns_skip 'this machine gives no network namespaces'
    ns_hold wire
    if ! ns_error=$(ns_run wire ip link add wire type bridge 2>&1 &&
        ns_run wire ip link set wire up 2>&1); then
        ns_skip "this kernel gives no bridge: $ns_error"
    fi
}

ns_skip() {
    echo "SKIPPED, NOTHING WAS TESTED: $1" >&2
    exit 77
}

# A namespace lives as long as a process that sleeps in it, and that one as long as the test.
ns_hold() {
    unshare --net setpriv --pdeathsig KILL sleep infinity >/dev/null 2>&1 &
    eval "ns_holder_$1=$!"
    until [ "$(readlink "/proc/$!/ns/net")" != "$(readlink /proc/self/ns/net)" ]; do
        sleep 0.01
    done
    ns_hosts="$ns_hosts $1"
}

ns_holder() {
    eval "echo \"\$ns_holder_$1\""
}

ns_add() {
    for ns_new in "$@"; do
        ns_count=$((ns_count + 1))
        ns_hold "$ns_new"
        ns_run wire ip link add "$ns_new" type veth peer name eth0 netns "$(ns_holder "$ns_new")"
        ns_run wire ip link set "$ns_new" master wire up
        ns_run "$ns_new" ip addr add "10.77.0.$ns_count/24" dev eth0
        ns_run "$ns_new" ip link set lo up
        ns_run "$ns_new" ip link set eth0 up
    done
}

ns_address() {
    ns_run "$1" ip -4 -o addr show dev eth0 | sed 's/.*inet \([0-9.]*\).*/\1/'
}

ns_run() {
    ns_host=$1
    shift
    nsenter --target "$(ns_holder "$ns_host")" --net -- "$@"
}

# Not `ns_run ... &`: that would give the id of a shell that waits for the command.
ns_start() {
    ns_host=$1
    shift
    nsenter --target "$(ns_holder "$ns_host")" --net -- "$@" &
    ns_pid=$!
}

ns_drop_inbound() {
    ns_run "$1" nft -f - <<'RULES'
table inet firewall {
    chain inbound {
        type filter hook input priority 0; policy drop;
        iif lo accept
        ct state established,related accept
        ip protocol icmp accept
    }
}
RULES
}

# The rules of partitions lie in a table of their own in each host.
ns_part() {
    for ns_pair in "$1 $2" "$2 $1"; do
        # shellcheck disable=SC2086 # two words
        set -- $ns_pair
        ns_run "$1" nft -f - <<RULES
table inet partition {
    set parted { type ipv4_addr; }
    chain inbound { type filter hook input priority -10; ip saddr @parted drop; }
    chain outbound { type filter hook output priority -10; ip daddr @parted drop; }
}
flush chain inet partition inbound
flush chain inet partition outbound
add rule inet partition inbound ip saddr @parted drop
add rule inet partition outbound ip daddr @parted drop
add element inet partition parted { $(ns_address "$2") }
RULES
    done
}

ns_heal() {
    ns_run "$1" nft delete element inet partition parted "{ $(ns_address "$2") }"
    ns_run "$2" nft delete element inet partition parted "{ $(ns_address "$1") }"
}

ns_unplug() {
    ns_run wire ip link set "$1" down
}

ns_plug() {
    ns_run wire ip link set "$1" up
}

ns_close() {
    trap - EXIT
    for ns_host in $ns_hosts; do
        ns_link=$(readlink "/proc/$(ns_holder "$ns_host")/ns/net") || continue
        # only what runs in a namespace that this test has made
        for ns_process in /proc/[0-9]*; do
            if [ "$(readlink "$ns_process/ns/net" 2>/dev/null)" = "$ns_link" ]; then
                kill -9 "${ns_process#/proc/}" 2>/dev/null || true
            fi
        done
    done
    ns_hosts=
}
