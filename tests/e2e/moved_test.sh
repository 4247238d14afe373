#!/bin/sh
# A relay that moves: to another port, by a new list; to a name, by another list; to another host, by
# that name alone, one of whose addresses is dead. Nodes that run follow each time. The names are
# those of a hosts file that only this test sees.
set -eu
if [ -z "${MOVED_HOSTS:-}" ]; then
    unshare -m true 2>/dev/null || {
        echo 'SKIPPED, NOTHING WAS TESTED: this machine gives no mount namespaces' >&2
        exit 77
    }
    MOVED_HOSTS=$(mktemp -d)
    export MOVED_HOSTS
    status=0
    unshare -m sh "$0" || status=$?
    rm -rf "$MOVED_HOSTS"
    exit $status
fi
. "$(dirname "$0")/federation.sh"

# /etc/hosts may be missing: then it is laid over a copy of /etc.
mount --make-rprivate /
if [ ! -e /etc/hosts ]; then
    cp -a /etc/. "$MOVED_HOSTS"
    : >"$MOVED_HOSTS/hosts"
    mount --bind "$MOVED_HOSTS" /etc
else
    : >"$MOVED_HOSTS/hosts"
    mount --bind "$MOVED_HOSTS/hosts" /etc/hosts
fi

houses_open lakeside harbour
ns_add elsewhere
key=$(sed -n 's/^ *public key *//p' "$fed_home/mail/north.relay")
digits=$(fed_digits "$fed_home/mail/north.relay")

listed() { # ENDPOINT: there the list in force says that north is
    fed_quietly fed_society relay add "$key" "$1" --name north --fingerprint "$digits"
    fed_signed
    fed_publish
}
north_up() { # HOST PORT
    echo "listen = tcp://$(ns_address "$1"):$2" >"$fed_home/north/listen"
    sed -i "s,^listen = .*,$(cat "$fed_home/north/listen")," "$fed_home/north/relay.conf"
    fed_start "$1" "$fed_build/bootstrap/consilium-relay" --config "$fed_home/north/relay.conf" \
        >"$fed_home/north/log" 2>&1
    fed_keep north "$fed_pid"
    await 20 'north listens' grep -q listening "$fed_home/north/log"
}
followed() { # WORDS
    for house in lakeside harbour; do
        check "$house" "$1" "[.relays[] | select(.key == \"$key\" and .connected)] | length == 1" status
    done
}
followed 'north is where it was'

say 'to another port: the list says so'
fed_down north
why_north=".relays[] | select(.key == \"$key\") | .why == \"nobody listens there\" and
    .last_success != null and .last_try > .last_success and .next_try > .last_try"
for house in lakeside harbour; do
    check "$house" 'says why north is not connected, and when it is tried again' "$why_north" status
    grep -q 'relay-not-reached.*nobody listens there' "$fed_home/$house/log" ||
        fed_fail "the log of $house should say that north is not reached"
done
north_up north 7900
listed "tcp://$(ns_address north):7900"
followed 'north is followed to its new port'

say 'to a name: the list says so'
echo "$(ns_address north) north.test" >/etc/hosts
listed 'tcp://north.test:7900'
followed 'north is found by its name'

say 'to another host: the name says so, beside an address where nobody is'
fed_down north
printf '%s north.test\n' fd77::1 "$(ns_address elsewhere)" >/etc/hosts
north_up elsewhere 7900
followed 'north is followed to another host'

say 'a member that is off'
fed_down harbour
check lakeside 'says why harbour is not reached' \
    '.not_reached[] | .name == "Harbour University Hospital" and .why == "nobody listens there"' status
grep -q 'member-gone name="Harbour University Hospital"' "$fed_home/lakeside/log" ||
    fed_fail 'the log of lakeside should say that harbour went'
say done
