#!/bin/sh
# Where a person decides who joins: who asked waits, and asks no second time; is refused with a word,
# asks anew, is given access once. Then an opinion is replaced and counted once, and the case is not
# closed without a summary by mistake. Whose access has ended is told so, whatever it tries.
set -eu
. "$(dirname "$0")/federation.sh"
houses_open lakeside harbour
cd "$fed_home"
fed_down lakeside
echo 'grants = by-hand' >>lakeside/consiliumd.conf
fed_up lakeside
houses_connected 1 lakeside harbour
page() { # HOST WORDS COMMAND...: what it shows is narrow, and says so
    page_host=$1
    page_words=$2
    shift 2
    at "$page_host" "$@" >page 2>&1 || fed_fail "$*: $(cat page)"
    [ "$(LC_ALL=C.UTF-8 wc -L <page)" -le 80 ] || fed_fail "$* is wider than 80: $(cat page)"
    grep -q -e "$page_words" page || fed_fail "$* should say '$page_words': $(cat page)"
}
refused_signed() { # HOST LOGIN WORDS COMMAND...
    refused_host=$1
    refused_login=$2
    refused_words=$3
    shift 3
    refused "$refused_host" "$refused_words" "$@" --clinician "$refused_login" \
        --passphrase-file "$refused_host/$refused_login.passphrase"
}

say 'asked, and waiting'
consult_ask lakeside grey 'Dr. Meredith Grey'
consult_seen harbour
page harbour 'consilium join' show "$case"
tell_signed 1 harbour visser join "$case" --note 'I treat ten of these a year.'
page harbour 'waiting for the requester' show "$case"
if grep -q 'consilium join' page; then fed_fail 'it should offer no second join'; fi
refused_signed harbour visser 'waits for the requester' join "$case"
check lakeside 'one join waits' '.joins | length == 1' joins "$case"
page lakeside 'ten of these' joins "$case"
page lakeside 'consilium refuse' joins "$case"

say 'refused, with a word; asked anew; given access, once'
tell_signed 1 lakeside grey refuse "$case" 'Harbour University Hospital' --note 'Two have it already.'
page lakeside 'No request to join' joins "$case"
check harbour 'it is refused' '.case.own_join.state == "refused"' show "$case"
page harbour 'Two have it already' show "$case"
tell_signed 1 harbour visser join "$case"
check lakeside 'one join waits' '.joins | length == 1' joins "$case"
tell_signed 1 lakeside grey grant "$case" --participant 'Harbour University Hospital'
tell_signed 1 lakeside grey grant "$case" --participant 'Harbour University Hospital'
grep -q 'has access already' last || fed_fail "granted twice: $(cat last)"
check lakeside 'access was given once' '[.thread[] | select(.kind == "GRANT")] | length == 1' thread "$case"
check harbour 'the case file is here' '.case.part == "participant" and .case.case_file != null' show "$case"

say 'what is supplied answers what was asked for'
tell_signed 1 harbour visser ask "$case" --test Audiogram
check lakeside 'one thing is asked for' '.case.asked | length == 1' show "$case"
refused_signed lakeside grey 'counted from 0' supply "$case" --ask "$(record_of lakeside ASK)" \
    --answer 1=not-available
check lakeside 'no draft is left of it' '.drafts | length == 0' draft list

say 'a second reply says what becomes of the first; the institution counts once'
consult_reply harbour visser "$case_dir/opinion-1.json" lakeside
first=$fed_opinion
refused_signed harbour visser "replaces $(echo "$first" | cut -c 1-16)" \
    reply "$case" --file "$case_dir/opinion-2.json"
tell_signed 1 harbour visser reply "$case" --file "$case_dir/opinion-2.json" --replaces "$first"
check lakeside 'two are taken in, of one institution' \
    '.case.counts | .opinions == 2 and .institutions_with_opinion == 1' show "$case"
page lakeside 'opinions: 1 of 2 wanted' show "$case"
grep -q 'REPLACED by' page || fed_fail "the first should be marked: $(cat page)"

say 'an opinion as a file: what its check says first, and what is wrong with another'
tell 0 lakeside opinion export "$case" "$first" --to an.opinion
alone() { # STATUS WORDS OPTION...: the check of a file, which needs no node
    alone_status=0
    alone_wanted=$1
    alone_words=$2
    shift 2
    "$fed_build/node/cli/consilium" opinion verify "$@" >said 2>&1 || alone_status=$?
    [ "$alone_status" = "$alone_wanted" ] || fed_fail "$* ended with $alone_status: $(cat said)"
    head -n 2 said | grep -q -e "$alone_words" || fed_fail "$* should begin '$alone_words': $(cat said)"
}
alone 0 'NOT ANCHORED' an.opinion --federation "$fed_id"
head=$("$fed_build/node/cli/consilium" opinion verify an.opinion --federation "$fed_id" --json |
    jq -r .checked_head)
alone 0 '^VALID' an.opinion --federation "$fed_id" --head "$head"
alone 1 'head that you named' an.opinion --federation "$fed_id" --head "$fed_id"
alone 1 "another federation.*$fed_id" an.opinion --federation "$head"
alone 1 'NOT an opinion file' "$case_dir/letter.pdf" --federation "$fed_id"
alone 2 'give the id of the federation' an.opinion --federation tumors
head -c 3000 an.opinion >torn.opinion
alone 1 'file is incomplete' torn.opinion --federation "$fed_id"

say 'not closed without a summary by mistake'
refused_signed lakeside grey 'without-synthesis' close "$case"
[ "$(ask_at lakeside .case.state show "$case")" = announced ] || fed_fail 'it should be open'

say 'whose access has ended is told so'
tell_signed 1 lakeside grey ungrant "$case" --participant 'Harbour University Hospital' --note enough
check harbour 'its part is over' '.case.part == "ended"' show "$case"
page harbour 'access has ended' show "$case"
refused_signed harbour visser 'access of the institution has ended' reply "$case" \
    --file "$case_dir/opinion-1.json" --additional
refused_signed harbour visser 'access of the institution has ended' discuss "$case" --text 'Still me.'
refused_signed harbour visser 'access of the institution has ended' ask "$case" --test Audiogram
refused harbour 'access of the institution has ended' fetch "$case"
tell_signed 1 lakeside grey discuss "$case" --text 'Not for Harbour any more.'
post=$(record_of lakeside POST)
check harbour 'what came later is not readable there' \
    "[.thread[] | select(.record == \"$post\" and .kind != \"unreadable\")] | length == 0" thread "$case"
page lakeside 'access ended' show "$case"
tell_signed 1 lakeside grey close "$case" --without-synthesis
consult_state closed lakeside
say done
