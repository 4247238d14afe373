#!/bin/sh
# Lakeside asks, Harbour answers, and the two are never on at the same moment; Hillside, on all the time,
# keeps their mail, sealed. Documents need a link between the two: this case has none.
set -eu
. "$(dirname "$0")/federation.sh"
houses_open

# All that HOST has for who is off lies with a custodian.
left() {
    check "$1" 'what it has for the other lies with a custodian' \
        '.custody | .left > 0 and .leaving == 0' status
}

turn() { # OFF ON
    fed_down "$1"
    fed_up "$2"
    houses_connected 1 "$2"
}

fed_patience=90
say 'harbour goes off; lakeside asks, and goes off'
fed_down harbour
case_mode=open consult_draft lakeside
consult_announce lakeside grey 'Dr. Meredith Grey'
consult_seen hillside
turn lakeside harbour

say 'harbour hears of it from hillside, and offers an opinion to a hospital that is off'
consult_seen harbour
await 90 'harbour may post' sign_at harbour visser join "$case" --note "$case_join"
left harbour
check hillside 'it holds mail for one who is off' '.custody.held > 0' status
turn harbour lakeside

say 'lakeside has the wish to join, and grants access to a hospital that is off'
check lakeside 'there is a participant' '.case.participants | length == 1' show "$case"
left lakeside
turn lakeside harbour

say 'harbour has the case, and answers a hospital that is off'
check harbour 'access is granted, and the case file is here' \
    '.case | .part == "participant" and (.case_file.description | length) > 100' show "$case"
tell_signed 0 harbour visser reply "$case" --file "$case_dir/opinion-1.json"
opinion=$(record_of harbour OPINION)
left harbour
turn harbour lakeside

say 'lakeside has the opinion, and sums up'
check lakeside 'the opinion is here, its signature good, and taken in' \
    ".thread[] | select(.record == \"$opinion\" and .signature == \"good\" and .taken_in)" \
    thread "$case"
tell_signed 0 lakeside grey synthesis "$case" --text 'In short.' --language en
left lakeside
turn lakeside harbour

say 'harbour reads how it ended'
check harbour 'the case is synthesised' '.case.state == "synthesised"' show "$case"
check harbour 'its opinion reached the other, which it never met' \
    ".thread[] | select(.record == \"$opinion\") | .delivery.reached == 1" thread "$case"
say done
