#!/bin/sh
# What monitoring sees: promtool accepts the metrics of node and relay, all that the rules and the
# dashboard name is there, and an exit status says whether records can be written.
set -eu
. "$(dirname "$0")/federation.sh"
monitoring=$houses_root/node/monitoring
houses_open
houses_connected 2 lakeside harbour hillside

say 'of a node'
at lakeside metrics >"$fed_home/node.prom" || fed_fail 'lakeside has no metrics'
promtool check metrics <"$fed_home/node.prom" || fed_fail 'promtool refuses the metrics of a node'
value() { # NAME: its value at lakeside
    sed -n "s/^consilium_$1{federation=\"[^\"]*\"} //p" "$fed_home/node.prom"
}
[ "$(value members)" = 3 ] || fed_fail "members: $(value members)"
[ "$(value members_connected)" = 2 ] || fed_fail "connected: $(value members_connected)"
[ "$(value relays_connected)" = 2 ] || fed_fail "relays: $(value relays_connected)"
[ "$(value posting_waits)" = 0 ] || fed_fail 'posting waits'
[ "$(value roster_expiry_timestamp_seconds)" -gt "$(date +%s)" ] || fed_fail 'the roster expires'
! grep -qiE 'lakeside|harbour|hillside' "$fed_home/node.prom" || fed_fail 'an institution is named'

say 'of a relay'
ns_run north "$fed_build/bootstrap/consilium-relay" --config "$fed_home/north/relay.conf" --metrics \
    >"$fed_home/relay.prom" || fed_fail 'north has no metrics'
promtool check metrics <"$fed_home/relay.prom" || fed_fail 'promtool refuses the metrics of a relay'
grep -q '^consilium_relay_up 1$' "$fed_home/relay.prom" || fed_fail 'the relay is not up'
grep -q '^consilium_relay_links 3$' "$fed_home/relay.prom" || fed_fail 'three members are connected'

say 'rules and dashboard'
promtool check rules "$monitoring/consilium.rules.yml" || fed_fail 'promtool refuses the rules'
jq -e '.panels | length > 5' "$monitoring/consilium.dashboard.json" >/dev/null ||
    fed_fail 'the dashboard has no panels'
for name in $(grep -ohE 'consilium_[a-z_]+' "$monitoring/consilium.rules.yml" \
    "$monitoring/consilium.dashboard.json" | sort -u); do
    grep -q "^$name[{ ]" "$fed_home/node.prom" "$fed_home/relay.prom" ||
        fed_fail "nothing gives $name"
done

say 'a check of a node'
at lakeside doctor >"$fed_home/doctor" || fed_fail "a good node has a fault: $(cat "$fed_home/doctor")"
grep -q '^ok *writing' "$fed_home/doctor" || fed_fail "no check of writing: $(cat "$fed_home/doctor")"
grep -q '^0 faults' "$fed_home/doctor" || fed_fail 'a good node counts faults'
[ "$(wc -L <"$fed_home/doctor")" -le 80 ] || fed_fail 'a line is longer than 80 columns'

say 'an exit status'
status=0
at lakeside status >/dev/null || status=$?
[ "$status" = 0 ] || fed_fail "a node that may write ends with $status"
for house in north south harbour hillside lakeside; do fed_down "$house"; done
fed_up lakeside
status=0
at lakeside status >"$fed_home/last" || status=$?
[ "$status" = 3 ] || fed_fail "a node that compared no roster ends with $status"
at lakeside doctor --json >"$fed_home/doctor" && fed_fail 'a node that may not write has no fault'
jq -e '[.[] | select(.state == "fault")] | length >= 2 and all(.do | length > 10)' "$fed_home/doctor" ||
    fed_fail "writing and relays should be faults: $(cat "$fed_home/doctor")"
jq -e '.[] | select(.check == "relay") | .says | contains("tcp://")' "$fed_home/doctor" >/dev/null ||
    fed_fail 'a relay that is down is not named with its address'
fed_down lakeside
at lakeside doctor >"$fed_home/doctor" 2>&1 && fed_fail 'a node that is down is said to be well'
grep -q 'check-config' "$fed_home/doctor" || fed_fail "no way on: $(cat "$fed_home/doctor")"
fed_up lakeside
at lakeside metrics | grep -q '^consilium_posting_waits{.*} 1$' || fed_fail 'and its metrics do not say so'
say done
