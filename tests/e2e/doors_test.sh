#!/bin/sh
# Who knows a server's key and is not listed stays outside, at a hospital's own door and at a relay's.
# So does a member from the head on that suspends it, and for good from the head on that removes it.
set -eu
. "$(dirname "$0")/federation.sh"
houses_open lakeside harbour
caller=$fed_build/tests/e2e/e2e_caller
ns_add stranger
harbour_door="tcp://$(ns_address harbour):7801 $("$caller" key "$fed_home/harbour/data")"
relay_door() { # NAME
    echo "tcp://$(ns_address "$1"):7800 $(sed -n 's/^ *public key *//p' "$fed_home/mail/$1.relay")"
}

knock() { # EXPECTED DOOR [DATA]: at that door
    knock_wanted=$1
    shift
    # shellcheck disable=SC2086 # an address and a key
    knock_said=$(ns_run stranger "$caller" dial $*)
    [ "$knock_said" = "$knock_wanted" ] || fed_fail "at $* it should be '$knock_wanted', not '$knock_said'"
}
doors() { # EXPECTED [DATA]: the same at every door
    doors_wanted=$1
    shift
    for door in "$harbour_door" "$(relay_door north)" "$(relay_door south)"; do
        knock "$doors_wanted" "$door" "$@"
    done
}
published() { # and taken by harbour
    fed_signed
    fed_publish
    check harbour 'has the new head' ".head | .epoch == $1 and (.behind | not)" status
}
no='they do not list our key'

say 'a stranger who knows all server keys'
doors "$no"
check harbour 'is connected to one member' '.connected | length == 1' status
[ "$("$fed_build/bootstrap/consilium-relay" --config "$fed_home/north/relay.conf" --status |
    sed -n 's/^handshakes_refused=//p')" -ge 1 ] || fed_fail 'the relay should count who was refused'

say 'a member gets in with its key, from wherever it calls'
fed_down lakeside
doors up "$fed_home/lakeside/data"

say 'suspended: refused everywhere'
fed_quietly fed_society suspend 'Lakeside Hospital'
published 3
doors "$no" "$fed_home/lakeside/data"
fed_up lakeside
check lakeside 'nobody lets it in' '(.connected | length == 0) and all(.relays[]; .connected | not)' status
fed_down lakeside

say 'reinstated, and let in again'
fed_quietly fed_society reinstate 'Lakeside Hospital'
published 4
doors up "$fed_home/lakeside/data"

say 'connected when it is suspended: its links end'
fed_up lakeside
houses_connected 1 lakeside harbour
fed_quietly fed_society suspend 'Lakeside Hospital'
published 5
check harbour 'the link has ended' '.connected | length == 0' status
check lakeside 'at the relays too' '(.connected | length == 0) and all(.relays[]; .connected | not)' status
fed_down lakeside

say 'removed: for good'
fed_quietly fed_society remove 'Lakeside Hospital'
published 6
doors "$no" "$fed_home/lakeside/data"
say done
