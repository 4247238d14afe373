#!/bin/sh
# A copy of a hospital's node is started on another machine beside the original: both notice it at the
# relays, write nothing, and say so first. The administrator shuts one down and restarts the other, which
# goes on. Later its data and its marker are put back together to an earlier day. Nobody sees a fork.
set -eu
. "$(dirname "$0")/federation.sh"
houses_open
ns_add copy
unforked() {
    for house in harbour hillside; do
        check "$house" 'nobody equivocated' '(.equivocated == []) and .streams.forked == 0' status
    done
}
doubled() { # HOST
    check "$1" 'it knows that it is not alone' '.standing.state == "doubled"' status
    at "$1" status >"$fed_home/said" || [ $? = 3 ] || fed_fail "no status"
    head -n 1 "$fed_home/said" | grep -q '^DOUBLED: ' || fed_fail "$1: status does not say so first"
    consult_draft "$1"
    echo yes >"$fed_home/yes"
    refused "$1" 'a second node' announce "$draft" --confirmed-by 'Dr. Meredith Grey' --clinician grey \
        --passphrase-file "$fed_home/$1/grey.passphrase" <"$fed_home/yes"
    refused "$1" 'a second node' clinician revoke grey --reason key-lost
}

say 'its disk is copied while it is off; then both run'
fed_down lakeside
cp -a "$fed_home/lakeside" "$fed_home/copy"
cp -a "$fed_home/lakeside" "$fed_home/saved"
sed -i "s,$fed_home/lakeside,$fed_home/copy,g" "$fed_home/copy/consiliumd.conf"
rm -f "$fed_home/copy/log" "$fed_home/copy/socket"
fed_up lakeside
houses_connected 2 lakeside
fed_up copy
doubled lakeside
doubled copy

say 'the copy is shut down; the original is restarted, and goes on'
fed_down copy
fed_down lakeside
fed_up lakeside
houses_connected 2 lakeside
check lakeside 'it is alone' '.standing == null' status
consult_ask lakeside grey 'Dr. Meredith Grey'
consult_seen harbour hillside
unforked

say 'data and marker are put back together; no member is reached, so it writes nothing'
fed_down lakeside
rm -rf "$fed_home/lakeside/data" "$fed_home/lakeside/marker"
cp -a "$fed_home/saved/data" "$fed_home/saved/marker" "$fed_home/lakeside"
fed_down north KILL
fed_down south KILL
fed_down harbour
fed_up lakeside
check lakeside 'it waits for the others' '.posting_waits and (.connected == [])' status
grep -q marker-moved "$fed_home/lakeside/log" || fed_fail 'the log does not say that the marker is a copy'
fed_relay_up north
fed_relay_up south
fed_up harbour
houses_connected 2 lakeside
consult_ask lakeside grey 'Dr. Meredith Grey'
consult_seen harbour hillside
unforked
say done
