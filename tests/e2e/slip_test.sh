#!/bin/sh
# Nothing is signed by a slip: a template that was not filled in is refused; who reveals, withdraws or
# closes too early is told before, at a terminal and in a script; and what the node would refuse is
# refused before a passphrase is typed.
set -eu
. "$(dirname "$0")/federation.sh"
houses_open
cd "$fed_home"

typed() { # HOST LOGIN ANSWER COMMAND...: as it is typed at a terminal; with a wrong passphrase file
    typed_at=$1
    typed_login=$2
    typed_answer=$3
    shift 3
    typed_line="'$fed_build/node/cli/consilium'"
    for typed_word in "$@" --socket "$fed_home/$typed_at/socket" --clinician "$typed_login" \
        --passphrase-file "${typed_passphrase:-$fed_home/$typed_at/$typed_login.passphrase}"; do
        typed_line="$typed_line '$typed_word'"
    done
    echo "$typed_answer" | script -qec "stty cols 80; $typed_line" /dev/null >typescript 2>&1 || typed_status=$?
    tr -d '\r' <typescript >said
    [ "$(LC_ALL=C.UTF-8 wc -L <said)" -le 80 ] || fed_fail "$* is wider than 80: $(cat said)"
}
kinds() { # HOST KIND: how many records of it
    ask_at "$1" "[.thread[] | select(.kind == \"$2\")] | length" thread "$case"
}
says() { # WORDS: what was shown, however it was wrapped
    tr -s '\n ' ' ' <said | grep -q -e "$1" || fed_fail "it should say '$1': $(cat said)"
}

next() { # HOST STEPS: what could come next, as `show` tells it, in any state
    at "$1" show "$case" | sed -n '/^Responsibility/,/^Thread/p' | sed '1,2d;$d' >said
    tr -s '\n ' ' ' <said >steps
    grep -q -x -e " $2 " steps || fed_fail "$1 should be told '$2': $(cat steps)"
}
id8() { echo "$case" | cut -c 1-8; }

say 'a join is shown and asked for'
consult_ask lakeside grey 'Dr. Meredith Grey'
next lakeside 'also possible grant, extend, close, withdraw, erase'
consult_seen harbour hillside
next harbour "consilium join $(id8) offer .* consilium decline $(id8) say .*"
typed harbour visser no join "$case" --note 'I treat ten of these.'
says 'To be signed: join, by visser note I treat ten of these'
says 'nothing was signed'
check harbour 'no request was sent' '.case.own_join == null' show "$case"
consult_join harbour visser "$case_join"
consult_join hillside berg "$case_join_2"

next lakeside 'also possible discuss, grant, ungrant, extend, close, withdraw, flag, erase'
next harbour "consilium fetch .* consilium read .* consilium reply .* also possible ask, decline, release, flag"

say 'the template'
at harbour opinion template >opinion.json
refused harbour 'still as in the template: text, language, diagnosis, treatment, confidence' \
    reply "$case" --file opinion.json --clinician visser --passphrase-file nowhere
sed -i 's/<your opinion, in full>/Go on./; s/<the language.*zh-Hans>/en/; s/<confirmed.*changed>/changed/' opinion.json
refused harbour 'still as in the template: treatment, confidence' \
    reply "$case" --file opinion.json --clinician visser --passphrase-file nowhere
sed -i 's/"<same.*>"/""/; s/<very-low.*high>/low/' opinion.json
[ "$(kinds harbour OPINION)" = 0 ] || fed_fail 'nothing should be signed'

say 'what the node refuses is refused before the passphrase'
refused harbour 'must be one of' reply "$case" --file opinion.json --confidence sure \
    --clinician visser --passphrase-file nowhere
typed_passphrase=nowhere
typed harbour visser yes reply "$case" --file opinion.json --confidence sure
if grep -q 'Type yes\|no such file' said; then fed_fail "it should be refused first: $(cat said)"; fi
typed_passphrase=

say 'an opinion is shown and asked for'
typed harbour visser no reply "$case" --file opinion.json
says 'diagnosis changed .*confidence low Go on.* language en'
[ "$(kinds harbour OPINION)" = 0 ] || fed_fail 'nothing should be signed'
typed harbour visser yes reply "$case" --file opinion.json
[ "$(kinds harbour OPINION)" = 1 ] || fed_fail "it should be signed: $(cat said)"
[ "$(ask_at harbour '.thread[] | select(.kind == "OPINION") | .content |
    [.alternatives, .treatment, .confidence] | tostring' thread "$case")" = '[null,null,"low"]' ] ||
    fed_fail 'what was left out should not be there'
typed harbour visser yes reply "$case" --file opinion.json
says '\-\-replaces'
if grep -q 'Type yes' said; then fed_fail 'a second one should be refused first'; fi

say 'who reveals, closes or withdraws early is told'
check lakeside 'one opinion of two is here' '.case.counts.opinions == 1' show "$case"
next lakeside "consilium reveal $(id8) let .* also possible .*"
for early in reveal close withdraw; do
    typed lakeside grey no "$early" "$case"
    says 'nothing was signed'
    cp said "$early.said"
done
cp reveal.said said
says '1 of 2 wanted opinions arrived'
says 'Opinion, Dr. Anna Visser; Harbour'
cp close.said said
says '1 of 2 wanted opinions arrived'
says 'not written a summary'
cp withdraw.said said
says '1 opinion arrived already'
check lakeside 'nothing was signed' '.case.state == "announced"' show "$case"
refused lakeside 'no synthesis was written' close "$case" --clinician grey --passphrase-file nowhere
fed_quietly sign_at lakeside grey reveal "$case"
grep -q 'note: 1 of 2 wanted' "$fed_home/last" || fed_fail "a script should be told, too: $(cat "$fed_home/last")"
check lakeside 'a script is not asked' '.case.state == "revealed"' show "$case"

next lakeside "consilium synthesis $(id8) sum up .* also possible .*"
check harbour 'it is revealed' '.case.state == "revealed"' show "$case"
next harbour '.* also possible ask, decline, discuss, release, flag'

say 'with a summary, closing warns of nothing'
typed lakeside grey yes synthesis "$case" --text 'So it is.' --language en
says 'So it is.'
next lakeside "consilium close $(id8) close .* also possible .*"
typed lakeside grey yes close "$case"
if grep -q 'Note:' said; then fed_fail "nothing was overlooked: $(cat said)"; fi
check lakeside 'it is closed' '.case.state == "closed"' show "$case"
next lakeside "consilium outcome $(id8) tell .* also possible discuss, flag, erase"
check harbour 'it is closed' '.case.state == "closed"' show "$case"
next harbour "consilium read $(id8) sign .* also possible discuss, release, opinion export, flag"
typed lakeside grey no outcome "$case" --day 21 --followed followed --result improved
says 'To be signed: outcome, by grey day 21 followed followed result improved'
typed lakeside grey yes outcome "$case" --day 21 --followed followed --result improved
check lakeside 'its outcome is told' '.case.state == "followed-up"' show "$case"
next lakeside "consilium outcome $(id8) tell the participants what happened since also possible .*"
sign_at lakeside grey erase "$case" --yes >last
for house in lakeside harbour; do
    check "$house" 'it is erased' '.case.state == "erased"' show "$case"
    next "$house" "consilium erasure $(id8) .*"
    at "$house" cases >said
    grep -q '  Lakeside Hospital$' said || fed_fail "an erased case is a line of its own: $(cat said)"
done

say 'withdrawn'
consult_ask lakeside grey 'Dr. Meredith Grey'
sign_at lakeside grey withdraw "$case" --yes >last
next lakeside 'The case is withdrawn: nothing is to be done. also possible flag, erase'
check harbour 'it is withdrawn' '.case.state == "withdrawn"' show "$case"
next harbour 'The case is over. .*'
say done
