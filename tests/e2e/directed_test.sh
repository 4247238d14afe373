#!/bin/sh
# A request directed to one institution (M33) stands on no board: nobody else learns of it. The other
# may decline, or answer as any participant does. Then a hospital declines a case on the board.
set -eu
. "$(dirname "$0")/federation.sh"
houses_open

say 'lakeside asks harbour alone'
harbour=$(ask_at lakeside '.members[] | select(.name | startswith("Harbour")) | .node' members)
consult_ask lakeside grey 'Dr. Meredith Grey' --directed "$harbour"
check harbour 'the request is here' \
    ".requests[] | select(.case == \"$case\" and (.question | contains(\"$case_word\")))" requests
consult_join harbour visser "$case_join"
consult_read harbour visser
consult_reply harbour visser "$case_dir/opinion-1.json" lakeside
consult_reveal lakeside grey 1 harbour
consult_end lakeside grey harbour
directed=$case

say 'and one on the board after it, which tells when all before has passed'
consult_ask lakeside grey 'Dr. Meredith Grey'
consult_seen harbour hillside
at hillside inbox --state all --json | jq -e ".inbox | length == 1" >/dev/null ||
    fed_fail 'hillside should know one case'
at hillside requests --json | jq -e '.requests | length == 0' >/dev/null ||
    fed_fail 'hillside was asked nothing'
refused hillside 'not known here' show "$directed"

say 'hillside joins and declines: not my field'
consult_join hillside berg "$case_join_2"
tell_signed 0 hillside berg decline "$case" --reason not-my-field --text 'Ask a skull base centre.'
check lakeside 'declined, counted apart from opinions' \
    '.case.counts | .declined == 1 and .opinions == 0' show "$case"
say 'lakeside withdraws it'
tell_signed 0 lakeside grey withdraw "$case" --note 'the patient asked us to'
consult_state withdrawn lakeside hillside
check harbour 'no longer open' ".inbox | length == 0" inbox
say done
