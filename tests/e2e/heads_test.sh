#!/bin/sh
# Roster heads that must not count: signed by fewer than k officers, out of order, rolled back, forked.
# Relays and nodes refuse each, nodes keep proof of it and show it, over a restart too. Then two
# hospitals are led into two versions of the roster, and both find out when they meet.
set -eu
. "$(dirname "$0")/federation.sh"
houses_open lakeside harbour
caller=$fed_build/tests/e2e/e2e_caller
harbour_door="tcp://$(ns_address harbour):7801 $("$caller" key "$fed_home/harbour/data")"
north_door="tcp://$(ns_address north):7800 $(sed -n 's/^ *public key *//p' "$fed_home/mail/north.relay")"

relay_says() { # ANSWER HEAD...: north, to a publisher that gives it these
    relay_wanted=$1
    shift
    # shellcheck disable=SC2086 # an address and a key
    relay_said=$(ns_run society "$caller" publish $north_door "$fed_home/society" \
        "$fed_home/publisher/key" "$fed_home/publisher/passphrase" "$@")
    [ "$relay_said" = "$relay_wanted" ] || fed_fail "the relay should say $relay_wanted, not $relay_said"
}
tell_harbour() { # HEAD...: by somebody who has Lakeside's keys
    # shellcheck disable=SC2086
    [ "$(ns_run lakeside "$caller" heads $harbour_door "$fed_home/society" "$fed_home/lakeside/data" \
        "$@")" = heard ] || fed_fail 'harbour should listen'
}
relay_stands() {
    [ "$("$fed_build/bootstrap/consilium-relay" --config "$fed_home/north/relay.conf" --status |
        sed -n 's/^epoch=//p')" = "$1" ]
}
stands() { # EPOCH REFUSED
    check harbour "stands at head $1, has refused $2" \
        ".head.epoch == $1 and .head.refused == $2 and (.head.behind | not)" status
    await 30 "north is at head $1" relay_stands "$1"
}
as_forged() { # in the copy of the society's directory and of the officers' keys
    mv "$fed_home/society" "$fed_home/society.true" && mv "$fed_home/officers" "$fed_home/officers.true"
    ln -s "$fed_home/society.forged" "$fed_home/society" && ln -s "$fed_home/officers.forged" "$fed_home/officers"
    "$@"
    rm "$fed_home/society" "$fed_home/officers"
    mv "$fed_home/society.true" "$fed_home/society" && mv "$fed_home/officers.true" "$fed_home/officers"
}
fed_down lakeside
stands 2 0

say 'signed by one of two: neither relay nor node takes it'
cp -r "$fed_home/society" "$fed_home/society.forged"
cp -r "$fed_home/officers" "$fed_home/officers.forged"
fed_quietly fed_society renew
fed_sign ada
relay_says ERR_THRESHOLD "$fed_home/society/pending/head"
tell_harbour "$fed_home/society/pending/head"
stands 2 1

say 'forked: two heads at one epoch, each signed by two officers'
fed_sign bela
fed_publish
stands 3 1
forged_third() {
    fed_quietly fed_society settings --name 'Rarer Tumors'
    fed_sign ada
    fed_sign bela
}
as_forged forged_third
relay_says ERR_FORKED "$fed_home/society.forged/heads/00000003.head"
tell_harbour "$fed_home/society.forged/heads/00000003.head"
stands 3 2

say 'out of order: the fifth before the fourth'
fed_quietly fed_society renew
fed_signed
fed_quietly fed_society renew
fed_signed
relay_says ERR_OUT_OF_ORDER "$fed_home/society/heads/00000005.head"
tell_harbour "$fed_home/society/heads/00000005.head"
stands 3 2
fed_publish
stands 5 2

say 'rolled back: older heads, and none of the newer'
relay_says ERR_DUPLICATE "$fed_home/society/heads/00000003.head"
tell_harbour "$fed_home/society/heads/00000002.head" "$fed_home/society/heads/00000003.head"
stands 5 2
grep -q 'head-refused.*fewer signatures' "$fed_home/harbour/log" || fed_fail 'the log should say so'
grep -q 'head-refused.*two different' "$fed_home/harbour/log" || fed_fail 'the log should say so'
grep -q 'list-refused.*fewer signatures' "$fed_home/north/log" || fed_fail "the relay's log should say so"
fed_down harbour
fed_up harbour
stands 5 2
fed_up lakeside
houses_connected 1 lakeside harbour

say 'lakeside is led into the other roster: both find out when they meet'
fed_down lakeside
fed_down harbour
rm -r "$fed_home/lakeside/data/$fed_name"
other_roster() {
    fed_quietly fed_society invite 'Lakeside Hospital' --output "$fed_home/mail/forged.invitation"
}
as_forged other_roster
fed_quietly "$fed_build/node/consiliumd" join --data "$fed_home/lakeside/data" --federation "$fed_name" \
    "$fed_home/mail/forged.invitation" --fingerprint "$(fed_digits "$fed_home/last")"
fed_up harbour
fed_up lakeside
check harbour 'lakeside follows another roster' '.connected[] | select(.roster and (.same_head | not))' status
check lakeside 'the head at which harbour leaves its own is kept as proof' \
    '(.head | .epoch == 3 and .refused >= 1) and (.connected[] | .same_head | not)' status
say done
