#!/bin/sh
# A roster that was split is healed: two pairs of officers signed two versions, one relay and one
# hospital follow each. Officers of the last common head sign one that names both; each relay takes it
# when its operator has named it, each node when its administrator typed the fingerprint.
set -eu
. "$(dirname "$0")/federation.sh"
houses_open lakeside harbour
cd "$fed_home"
epoch_is() { # RELAY EPOCH
    [ "$("$fed_build/bootstrap/consilium-relay" --config "$fed_home/$1/relay.conf" --status |
        sed -n 's/^epoch=//p')" = "$2" ]
}
other_side() { # COMMAND...: with the directory, and the officers' memory, of the other side
    mv society society.ours && mv officers officers.ours
    mv society.theirs society && mv officers.theirs officers
    "$@"
    mv society society.theirs && mv officers officers.theirs
    mv society.ours society && mv officers.ours officers
}
said() { # prints the fingerprint of the head in force, as officers read it out
    fed_society show | sed -n '/^head/,$s/^  fingerprint  //p' | head -n 1
}

publish_some() { # to whichever relays listen and take it
    (fed_publish) >published 2>&1 || true
}

say 'split: each side admits a hospital of its own'
fed_down lakeside
fed_down harbour
cp -r society society.theirs
cp -r officers officers.theirs
for side in north south; do fed_down "$side"; done
houses_make hillside
houses_make riverside
admit_one() { # HOST OFFICER OFFICER
    fed_quietly fed_society admit "$fed_home/mail/$1.request" --fingerprint "$(cat "$fed_home/mail/$1.said")"
    fed_sign "$2"
    fed_sign "$3"
}
admit_one hillside ada bela
renewed() {
    admit_one riverside bela chen
    fed_quietly fed_society suspend 'Lakeside Hospital'
    fed_sign bela
    fed_sign chen
    fed_quietly fed_society reinstate 'Lakeside Hospital'
    fed_sign bela
    fed_sign chen
}
other_side renewed
fed_relay_up north
fed_up lakeside
publish_some
check lakeside 'follows one side' '.head.epoch == 3' status
fed_down lakeside
fed_down north
fed_relay_up south
fed_up harbour
other_side publish_some
check harbour 'follows the other' '.head.epoch == 5' status
fed_relay_up north
fed_up lakeside
check harbour 'sees that Lakeside has another roster' '.rosters_that_differ >= 1' status

say 'healed: officers of the common head sign one that names both'
if fed_society heal society >last 2>&1; then fed_fail 'a directory is not split from itself'; fi
fed_quietly fed_society heal society.theirs
grep -q 'epoch 6' last || { cat last >&2 && fed_fail 'above both'; }
if fed_society renew >last 2>&1; then fed_fail 'nothing is added to a healing head'; fi
fed_sign ada
[ "$(fed_society show --json | jq .epoch)" = 3 ] || fed_fail 'one of two does not do'
fed_sign chen
[ "$(fed_society show --json | jq .epoch)" = 6 ] || fed_fail 'two do'
fed_quietly fed_society verify --federation "$fed_id"
fed_society show --json | jq -e '[.members[] | select(.state == "admitted").name] | length == 4' >last ||
    fed_fail 'the members of both sides'
fed_society show --json | jq -e '.members[] | select(.name == "Riverside Institute") |
    .admitted_epoch == 6' >last || fed_fail 'dated by the healing head'

say 'no relay follows it unasked'
fed_down harbour
publish_some
grep -q 'healing' published || { cat published >&2 && fed_fail 'it should say what the operator does'; }
epoch_is north 3 || fed_fail 'north stays'
epoch_is south 5 || fed_fail 'south stays'
healing=$(fed_society show --json | jq -r .head)
for relay in north south; do
    fed_down "$relay"
    echo "healing = $(printf %064d 7)" >>"$relay/relay.conf"
    fed_start "$relay" "$fed_build/bootstrap/consilium-relay" --config "$fed_home/$relay/relay.conf" >>"$relay/log" 2>&1
    fed_keep "$relay" "$fed_pid"
done
publish_some
epoch_is north 3 || fed_fail 'another id is another head'
for relay in north south; do
    fed_down "$relay"
    sed -i "s/^healing.*/healing = $healing/" "$relay/relay.conf"
    fed_start "$relay" "$fed_build/bootstrap/consilium-relay" --config "$fed_home/$relay/relay.conf" >>"$relay/log" 2>&1
    fed_keep "$relay" "$fed_pid"
done
publish_some
for relay in north south; do
    await 40 "$relay follows" epoch_is "$relay" 6
    fed_down "$relay"
    fed_start "$relay" "$fed_build/bootstrap/consilium-relay" --config "$fed_home/$relay/relay.conf" >>"$relay/log" 2>&1
    fed_keep "$relay" "$fed_pid"
    await 40 "$relay follows after a restart too" epoch_is "$relay" 6
done

say 'each node waits for its administrator'
confirm() { # HOST EPOCH
    check "$1" 'a healing head waits' '.head.healing.epoch == 6 and .head.epoch < 6' status
    refused "$1" 'not the fingerprint' roster heal --fingerprint \
        '11111 11111 11111 11111 11111 11111 11111 11111'
    check "$1" 'and still waits' '.head.healing.epoch == 6 and .head.epoch < 6' status
    fed_quietly at "$1" roster heal --fingerprint "$print"
    check "$1" "stands at $2" \
        ".head.epoch == $2 and .head.healing == null and (.head.behind | not)" status
    fed_down "$1"
    fed_up "$1"
    check "$1" 'and after a restart too' ".head.epoch == $2 and .members == 4" status
}
print=$(said)
refused lakeside 'fingerprint' roster heal
confirm lakeside 6

say 'an ordinary head needs nobody: who comes late follows both'
fed_quietly fed_society renew
fed_signed ada bela
publish_some
check lakeside 'has the next head' '.head.epoch == 7 and (.head.behind | not)' status
fed_up harbour
confirm harbour 7
for house in lakeside harbour; do
    check "$house" 'all have one roster' '.rosters_that_differ == 0 and (.connected[] | .same_head)' status
done
say done
