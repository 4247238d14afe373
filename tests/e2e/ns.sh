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
# A test with a trap of its own on EXIT calls ns_close there. Names of hosts: [a-z0-9]{1,10}.

ns_open() {
    if [ "$(id -u)" -ne 0 ]; then
        ns_skip 'network namespaces need root'
    fi
    for ns_tool in ip nft nsenter; do
        command -v "$ns_tool" >/dev/null 2>&1 || ns_skip "there is no $ns_tool: sh node/install.sh test"
    done
    ns_prefix=consilium$$
    ns_count=0
    trap ns_close EXIT
    trap 'exit 130' INT TERM
    if ! ns_error=$(ip netns add "$ns_prefix-wire" 2>&1 &&
        ip -n "$ns_prefix-wire" link add wire type bridge 2>&1 &&
        ip -n "$ns_prefix-wire" link set wire up 2>&1); then
        ns_skip "this kernel gives no namespace with a bridge: $ns_error"
    fi
}

ns_skip() {
    echo "SKIPPED, NOTHING WAS TESTED: $1" >&2
    exit 77
}

ns_add() {
    for ns_host in "$@"; do
        ns_count=$((ns_count + 1))
        ip netns add "$ns_prefix-$ns_host"
        ip -n "$ns_prefix-wire" link add "$ns_host" type veth peer name eth0 netns "$ns_prefix-$ns_host"
        ip -n "$ns_prefix-wire" link set "$ns_host" master wire up
        ip -n "$ns_prefix-$ns_host" addr add "10.77.0.$ns_count/24" dev eth0
        ip -n "$ns_prefix-$ns_host" link set lo up
        ip -n "$ns_prefix-$ns_host" link set eth0 up
    done
}

ns_address() {
    ip -n "$ns_prefix-$1" -4 -o addr show dev eth0 | sed 's/.*inet \([0-9.]*\).*/\1/'
}

ns_run() {
    ns_host=$1
    shift
    nsenter --net="/run/netns/$ns_prefix-$ns_host" -- "$@"
}

# Not `ns_run ... &`: that would give the id of a shell that waits for the command.
ns_start() {
    ns_host=$1
    shift
    nsenter --net="/run/netns/$ns_prefix-$ns_host" -- "$@" &
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
    ip -n "$ns_prefix-wire" link set "$1" down
}

ns_plug() {
    ip -n "$ns_prefix-wire" link set "$1" up
}

ns_close() {
    trap - EXIT
    for ns_name in $(ip netns list 2>/dev/null | awk -v prefix="$ns_prefix-" 'index($1, prefix) == 1 { print $1 }'); do
        # only what runs in a namespace that this test has made
        for ns_pid in $(ip netns pids "$ns_name" 2>/dev/null); do
            kill -9 "$ns_pid" 2>/dev/null || true
        done
        ip netns del "$ns_name" 2>/dev/null || true
    done
}
