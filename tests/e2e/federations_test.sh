#!/bin/sh
# One daemon in two federations (M3). Lakeside is a member of the Rare Tumors with Harbour and of the
# Bone Marrow with Riverside, each with officers, a relay and a roster of its own. A case is asked and
# answered in each; nothing of one shows in the other.
set -eu
. "$(dirname "$0")/federation.sh"
houses_open lakeside harbour
tumors=$fed_id
first=$fed_home

say 'another society founds another federation; Lakeside and Riverside join it'
ns_add east riverside
ns_drop_inbound riverside
fed_home=$first/marrow
fed_name=marrow
fed_relays=
mkdir -p "$fed_home/mail"
ln -s "$first/lakeside" "$fed_home/lakeside"
cp "$first"/mail/lakeside.* "$fed_home/mail"
fed_officers dora
fed_found 'Bone Marrow' 1 --cooling-off 0
fed_relay east "$(ns_address east)" 7800
fed_signed
fed_relays_up
houses_make riverside
fed_down lakeside
fed_admit lakeside riverside
marrow=$fed_id
printf '[federation marrow]\nid = %s\n' "$marrow" >>"$first/lakeside/consiliumd.conf"
ln -s "$fed_home/riverside" "$first/riverside"
fed_home=$first
at() { # names the federation, for Lakeside is in two
    fed_where=$1
    shift
    "$fed_build/node/cli/consilium" "$@" --federation "$fed_name" --socket "$fed_home/$fed_where/socket"
}
in_tumors() {
    fed_name=tumors
    fed_id=$tumors
}
in_marrow() {
    fed_name=marrow
    fed_id=$marrow
}
[ "$tumors" != "$marrow" ] || fed_fail 'two federations, one id'
in_tumors
fed_up lakeside
in_marrow
fed_up riverside
houses_clinician riverside
fed_name=tumors
refused riverside federation inbox
in_marrow
fed_clinician lakeside meredith 'Dr. Meredith Grey' MD oncology CH
houses_connected 1 lakeside riverside
in_tumors
houses_connected 1 lakeside harbour
curl -s --unix-socket "$first/lakeside/socket" http://consilium/v1/status |
    jq -e "[.federations[].federation] | sort == ([\"$tumors\", \"$marrow\"] | sort)" >/dev/null ||
    fed_fail 'lakeside should be in both'
if "$fed_build/node/cli/consilium" inbox --socket "$first/lakeside/socket" 2>"$fed_home/last"; then
    fed_fail 'which federation?'
fi
grep -q -e --federation "$fed_home/last" || fed_fail 'should say that there are several'

[ "$("$fed_build/node/cli/consilium" status --json --socket "$first/lakeside/socket" |
    jq '.federations | length')" = 2 ] || fed_fail 'status shows both when none is named'
"$fed_build/node/cli/consilium" status --socket "$first/lakeside/socket" >"$fed_home/last" ||
    [ $? = 3 ] || fed_fail "no status"
grep -q 'Rare Tumors' "$fed_home/last" && grep -q 'Bone Marrow' "$fed_home/last" ||
    fed_fail "status should tell of both: $(cat "$fed_home/last")"

say 'Lakeside asks Harbour in the one'
consult_ask lakeside grey 'Dr. Meredith Grey'
consult_seen harbour
consult_join harbour visser "$case_join"
consult_read harbour visser
consult_reply harbour visser "$case_dir/opinion-1.json" lakeside
of_tumors=$case
opinion_of_tumors=$(record_of lakeside OPINION)

say 'Riverside asks Lakeside in the other'
in_marrow
consult_ask riverside roux 'Dr. Paul Roux'
consult_seen lakeside
consult_join lakeside meredith "$case_join_2"
consult_read lakeside meredith
consult_reply lakeside meredith "$case_dir/opinion-2.json" riverside
of_marrow=$case
opinion_of_marrow=$(record_of riverside OPINION)

say 'nothing of one shows in the other'
alone() { # HOST CASE: of all cases, only this one
    at "$1" cases --state all --json | jq -e "[.cases[].case] == [\"$2\"]" >/dev/null ||
        fed_fail "$1 should have one case in $fed_name"
    at "$1" inbox --state all --json | jq -e "all(.inbox[]; .case == \"$2\")" >/dev/null ||
        fed_fail "$1 should see one case on the board of $fed_name"
}
members() { # HOST NAMES
    [ "$(ask_at "$1" '[.members[].name] | sort | join(", ")' members)" = "$2" ] ||
        fed_fail "$1: other members in $fed_name"
}
certificate() { # of Lakeside's only clinician there
    ask_at lakeside '.clinicians | if length == 1 then .[0].certificate else empty end' clinician list
}
alone lakeside "$of_marrow"
alone riverside "$of_marrow"
refused lakeside 'not known here' show "$of_tumors"
members lakeside 'Lakeside Hospital, Riverside Institute'
members riverside 'Lakeside Hospital, Riverside Institute'
at lakeside specialists --json | jq -e '[.specialists[].name] | index("Dr. Anna Visser") == null' \
    >/dev/null || fed_fail "a specialist of the other federation"
of_meredith=$(certificate)
in_tumors
alone lakeside "$of_tumors"
alone harbour "$of_tumors"
refused lakeside 'not known here' show "$of_marrow"
members lakeside 'Harbour University Hospital, Lakeside Hospital'
members harbour 'Harbour University Hospital, Lakeside Hospital'
[ "$(certificate)" != "$of_meredith" ] || fed_fail 'one certificate in two federations'

say 'an opinion of one is none of the other'
case=$of_tumors
tell 0 lakeside opinion export "$case" "$opinion_of_tumors" --to "$fed_home/mail/opinion"
"$fed_build/node/cli/consilium" opinion verify "$fed_home/mail/opinion" --federation "$tumors" \
    >"$fed_home/last" || fed_fail 'should be valid'
if "$fed_build/node/cli/consilium" opinion verify "$fed_home/mail/opinion" --federation "$marrow" \
    >"$fed_home/last" 2>&1; then
    fed_fail 'should not be valid in the other federation'
fi

say 'killed and started again: both are as they were'
fed_down lakeside KILL
fed_up lakeside
for fed_name in tumors marrow; do
    eval "case=\$of_$fed_name opinion=\$opinion_of_$fed_name"
    alone lakeside "$case"
    check lakeside "the opinion of $fed_name is here" \
        ".thread[] | select(.record == \"$opinion\" and .signature == \"good\")" thread "$case"
    houses_connected 1 lakeside
    check lakeside 'the audit log is sound' .sound audit verify
    at lakeside audit list --json | jq -e ".entries | all(.case == null or .case == \"$case\")" \
        >/dev/null || fed_fail 'the audit log speaks of another case'
done
say done
