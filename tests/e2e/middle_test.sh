#!/bin/sh
# What the middle sees of a case. Lakeside and Hillside meet at a relay only. While a case goes from
# question to outcome, every packet at both relays is written down, and each relay's memory is looked
# through at every step: no word of the case, no name of a clinician or an institution, and no
# passphrase is there, nor in any log at its most talkative. The same search finds them at a hospital.
set -eu
. "$(dirname "$0")/federation.sh"
houses_open lakeside hillside

words='sphenoid|docetaxel|creatinine|cisplatin|Lakeside|Hillside|Meredith|Karin'
seen() { # FILE
    grep -aqE "$words" "$1"
}
memory() { # NAME: all of its process
    eval "process=\$fed_pid_$1"
    # the daemon may run below a process that only brought it here
    for below in $(cat "/proc/$process/task/$process/children"); do process=$below; done
    python3 "$houses_root/tests/e2e/wire.py" memory "$process" >"$fed_home/memory"
    [ "$(stat -c %s "$fed_home/memory")" -gt 100000 ] || fed_fail "hardly any memory of $1"
}
relays_know_nothing() {
    for relay in north south; do
        memory "$relay"
        ! seen "$fed_home/memory" || fed_fail "$relay has in mind: $(grep -aoE "$words" "$fed_home/memory" | sort -u)"
    done
}

for relay in north south; do
    ns_start "$relay" python3 "$houses_root/tests/e2e/wire.py" watch "$fed_home/$relay.packets"
    fed_keep "watch_$relay" "$ns_pid"
done
for house in lakeside hillside; do
    fed_down "$house"
    sed -i '1i log = debug' "$fed_home/$house/consiliumd.conf"
    fed_up "$house"
done
houses_connected 1 lakeside hillside

say 'asked, answered, closed'
consult_ask lakeside grey 'Dr. Meredith Grey'
consult_seen hillside
relays_know_nothing
consult_join hillside berg "$case_join"
consult_read hillside berg
relays_know_nothing
consult_want hillside berg
consult_supply lakeside grey 'Dr. Meredith Grey' hillside
consult_reply hillside berg "$case_dir/opinion-2.json" lakeside
relays_know_nothing
consult_reveal lakeside grey 1 hillside
consult_end lakeside grey hillside
relays_know_nothing

say 'nothing on the wire'
for relay in north south; do
    fed_down "watch_$relay"
done
carried=$(cat "$fed_home/north.packets" "$fed_home/south.packets" | wc -c)
files=$(cat "$fed_home/hillside/read"/* | wc -c)
[ "$carried" -gt "$files" ] || fed_fail 'the case file did not pass the relays, or was not seen'
for relay in north south; do
    ! seen "$fed_home/$relay.packets" || fed_fail "on the wire at $relay"
done

say 'and nothing in the logs'
words='sphenoid|docetaxel|creatinine|cisplatin|Meredith|Karin'
for passphrase in "$fed_home"/*/*passphrase "$fed_home"/officers/*/passphrase; do
    words="$words|$(cat "$passphrase")"
done
for log in "$fed_home"/*/log; do
    ! seen "$log" || fed_fail "$log: $(grep -aoE "$words" "$log" | sort -u)"
done
for house in lakeside hillside; do
    [ "$(grep -c ' member name=' "$fed_home/$house/log")" -gt 1 ] || fed_fail "$house logs hardly anything"
done

say 'the same search finds them where they may be'
words='sphenoid|docetaxel'
memory lakeside
seen "$fed_home/memory" || fed_fail 'a search that finds nothing anywhere'
say done
