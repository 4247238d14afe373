# The usual houses of an end-to-end test: . tests/e2e/federation.sh
#
#   houses_open [HOST...]   a network namespace each for the relays north and south and the HOSTs
#                           (default: lakeside harbour hillside), a founded federation, both relays
#                           up, every HOST a member with a clinician and a node that is connected
#   houses_alone [en|zh]    the same functions, no namespaces, nothing founded
#   houses_one              Lakeside is the only member, of a federation of one officer, no relay
#   houses_clocks           clocks can be set; ends the test with 77, aloud, where they cannot
#   houses_clock HOST OFFSET    what HOST starts from now on has its clock set by so much (+25h, -3d)
#
# Lakeside (grey) and Hillside (berg) accept no connection; Harbour (visser) does. What node/demo's
# federation.sh and consult.sh offer is there too. A test needs nothing else to clean up.
#
# A federation of the same houses is founded once for each build: what lies on the disks then is kept
# beside the build, and each test begins with a copy of its own. Founding anew is for CONSILIUM_FOUND=1.

houses_build=${CONSILIUM_BUILD:?}
houses_root=${houses_root:-$(cd "$(dirname "$0")/../.." && pwd)}
for houses_program in node/consiliumd node/cli/consilium bootstrap/consilium-relay \
    bootstrap/consilium-society; do
    if [ ! -x "$houses_build/$houses_program" ]; then
        echo "SKIPPED, NOTHING WAS TESTED: there is no $houses_program" >&2
        exit 77
    fi
done
# shellcheck source=tests/e2e/ns.sh
. "$houses_root/tests/e2e/ns.sh"
# shellcheck source=node/demo/federation.sh
. "$houses_root/node/demo/federation.sh"
# shellcheck source=node/demo/consult.sh
. "$houses_root/node/demo/consult.sh"
houses_started=$(date +%s)

say() {
    printf '[%3d s] %s\n' $(($(date +%s) - houses_started)) "$*"
}

houses_finish() {
    houses_status=$?
    trap - EXIT INT TERM
    if [ "$houses_status" != 0 ] && [ "$houses_status" != 77 ]; then
        for houses_log in "$fed_home"/*/log; do
            [ ! -f "$houses_log" ] || { echo "--- $houses_log" && tail -n 12 "$houses_log"; } >&2
        done
    fi
    fed_close KILL
    [ -z "${ns_hosts:-}" ] || ns_close
    [ -n "${CONSILIUM_KEEP:-}" ] || rm -rf "$fed_home"
    exit "$houses_status"
}

houses_alone() {
    fed_open "$(mktemp -d)" "$houses_build"
    trap houses_finish EXIT
    trap 'exit 130' INT TERM
    consult_open "$houses_root/node/demo/${1:-en}"
}

houses_of() { # HOST: title, country, login, name
    case $1 in
    lakeside) echo 'Lakeside Hospital:CH:grey:Dr. Meredith Grey' ;;
    harbour) echo 'Harbour University Hospital:NL:visser:Dr. Anna Visser' ;;
    hillside) echo 'Hillside Cancer Centre:SE:berg:Dr. Karin Berg' ;;
    riverside) echo 'Riverside Institute:FR:roux:Dr. Paul Roux' ;;
    esac
}

houses_login() {
    houses_of "$1" | cut -d: -f3
}

houses_name() {
    houses_of "$1" | cut -d: -f4
}

houses_make() { # HOST: identity and request
    houses_title=$(houses_of "$1" | cut -d: -f1)
    houses_country=$(houses_of "$1" | cut -d: -f2)
    if [ "$1" = harbour ]; then
        fed_hospital "$1" "$houses_title" "$houses_country" oncology "$(houses_address "$1")" 7801
    else
        fed_hospital "$1" "$houses_title" "$houses_country" oncology
    fi
}

houses_address() {
    ns_address "$1"
}

houses_clinician() {
    fed_clinician "$1" "$(houses_login "$1")" "$(houses_name "$1")" MD oncology \
        "$(houses_of "$1" | cut -d: -f2)"
}

# Sees the others and both relays, and may post.
houses_connected() { # COUNT HOST...
    houses_count=$1
    shift
    for houses_house in "$@"; do
        check "$houses_house" "connected to $houses_count others" \
            "(.connected | length >= $houses_count) and (.posting_waits | not)" status
    done
}

houses_clocks() {
    houses_faketime=$(find /usr/lib -name libfaketimeMT.so.1 2>/dev/null | head -n 1)
    [ -n "$houses_faketime" ] || {
        echo 'SKIPPED, NOTHING WAS TESTED: there is no faketime: sh node/install.sh test' >&2
        exit 77
    }
}

houses_clock() {
    eval "houses_clock_$1=$2"
}

# The variables of `env` that set the clock of HOST, or none.
houses_env() {
    eval "houses_offset=\${houses_clock_$1:-}"
    [ -z "$houses_offset" ] ||
        echo "LD_PRELOAD=$houses_faketime FAKETIME=$houses_offset FAKETIME_DONT_FAKE_MONOTONIC=1"
}

houses_open() {
    ns_open
    houses_alone en
    [ $# -gt 0 ] || set -- lakeside harbour hillside
    fed_at() {
        ns_run "$@"
    }
    fed_start() {
        houses_host=$1
        shift
        # shellcheck disable=SC2046 # variables, or none
        ns_start "$houses_host" env $(houses_env "$houses_host") "$@"
        fed_pid=$ns_pid
    }
    ns_add north south society "$@"
    for houses_house in "$@"; do
        [ "$houses_house" = harbour ] || ns_drop_inbound "$houses_house"
    done
    houses_kept=$houses_build/tests/e2e/founded/$(echo "$*" | tr ' ' -)
    houses_stamp=$(cd "$houses_build" && cksum node/consiliumd node/cli/consilium \
        bootstrap/consilium-relay bootstrap/consilium-society)
    if [ -z "${CONSILIUM_FOUND:-}" ] && houses_is_kept; then
        houses_copy
        for houses_house in north south; do fed_relay_up "$houses_house"; done
        for houses_house in "$@"; do fed_up "$houses_house"; done
    else
        houses_found "$@"
        for houses_house in "$@"; do fed_down "$houses_house"; done
        houses_keep
        for houses_house in "$@"; do fed_up "$houses_house"; done
    fi
    houses_connected $(($# - 1)) "$@"
    say "founded; $* are connected"
}

houses_found() { # HOST...: until each has a clinician
    fed_officers ada bela chen
    fed_found 'Rare Tumors' 2 --cooling-off 0
    fed_relay north "$(ns_address north)" 7800
    fed_relay south "$(ns_address south)" 7800
    fed_signed
    fed_relays_up
    for houses_house in "$@"; do houses_make "$houses_house"; done
    fed_admit "$@"
    for houses_house in "$@"; do
        fed_up "$houses_house"
        houses_clinician "$houses_house"
    done
}

# What lies on all disks, while no node runs; whole or not at all, since tests run side by side.
houses_keep() {
    mkdir -p "$houses_build/tests/e2e/founded"
    houses_new=$(mktemp -d "$houses_build/tests/e2e/founded/new.XXXXXX")
    cp -a "$fed_home/." "$houses_new"
    rm -f "$houses_new"/*/log "$houses_new"/*/socket
    cat >"$houses_new/words" <<END
fed_id=$fed_id
fed_title='$fed_title'
fed_threshold=$fed_threshold
fed_relays='$fed_relays'
fed_officer_names='$fed_officer_names'
houses_home=$fed_home
END
    echo "$houses_stamp" >"$houses_new/stamp"
    (
        flock 9
        if ! houses_is_kept; then
            rm -rf "$houses_kept"
            mv -T "$houses_new" "$houses_kept"
        fi
    ) 9>"$houses_build/tests/e2e/founded/lock"
    rm -rf "$houses_new"
}

houses_is_kept() {
    [ "$(cat "$houses_kept/stamp" 2>/dev/null)" = "$houses_stamp" ]
}

houses_copy() {
    cp -a "$houses_kept/." "$fed_home"
    rm -f "$fed_home"/*/marker/* # a copied marker vouches for nothing
    # shellcheck source=/dev/null
    . "$fed_home/words"
    for houses_conf in "$fed_home"/*/consiliumd.conf; do
        sed -i "s,$houses_home,$fed_home,g" "$houses_conf"
    done
}

houses_one() {
    houses_alone en
    fed_start() {
        houses_host=$1
        shift
        # shellcheck disable=SC2046 # variables, or none
        env $(houses_env "$houses_host") "$@" &
        fed_pid=$!
    }
    fed_officers ada
    fed_found 'Rare Tumors' 1 --cooling-off 0
    fed_signed
    houses_make lakeside
    fed_admit lakeside
    fed_up lakeside
    houses_clinician lakeside
    say 'founded; Lakeside is up'
}
