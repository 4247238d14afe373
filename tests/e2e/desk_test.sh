#!/bin/sh
# The command as a clinician meets it who has bad luck: options given twice, words too many, ids that
# fit nothing, no passphrase. And what every command owes its reader: a help with an example, at most
# 80 columns, no escape sequence of others.
set -eu
. "$(dirname "$0")/federation.sh"
houses_one
cd "$fed_home"

wrong() { # WORDS COMMAND...: called in a wrong way: status 2, and nothing on standard output
    words=$1
    shift
    status=0
    at lakeside "$@" >said 2>last || status=$?
    [ "$status" = 2 ] || fed_fail "$* ended with $status, not 2: $(cat last)"
    grep -q -e "$words" last || fed_fail "$* should say '$words': $(cat last)"
    [ ! -s said ] || fed_fail "$* should say nothing on standard output"
}

narrow() { # FILE WHAT: at most 80 columns
    widest=$(LC_ALL=C.UTF-8 wc -L <"$1")
    [ "$widest" -le 80 ] || fed_fail "$2 is $widest columns wide"
}

say 'empty lists say what to do next'
begin() { # WORDS COMMAND...
    words=$1
    shift
    at lakeside "$@" >said 2>&1 || fed_fail "$*: $(cat said)"
    narrow said "$*"
    grep -q -e "$words" said || fed_fail "$* should say '$words': $(cat said)"
}
begin 'older than its admission' inbox
begin 'consilium inbox' requests
begin 'consilium draft new' cases
begin 'consilium draft new' draft list
begin '1 member, also here' boards

say 'called in a wrong way'
wrong 'give it once' draft new --question one --question two
wrong 'give it once' show 0123 --federation tumors --federation others
wrong 'unexpected argument' show 0123 4567
wrong 'unexpected argument' status now
wrong 'CASE is missing' show
wrong '--reason is missing' decline 0123
wrong 'CASE, --day, --followed, --result are missing' outcome
wrong 'unrecognized option' draft new --quetsion x
[ "$(ask_at lakeside '.drafts | length' draft list)" = 0 ] || fed_fail 'no draft should be made'

say 'every command tells how it is called'
"$fed_build/node/cli/consilium" --help >help
narrow help help
sed -n 's/^  \([a-z]*\( [a-z]\{3,\}\)\{0,1\}\).*/\1/p' help >commands
[ "$(wc -l <commands)" -ge 50 ] || fed_fail "commands: $(cat commands)"
while read -r words; do
    # shellcheck disable=SC2086 # one or two words
    "$fed_build/node/cli/consilium" $words --help >help </dev/null || fed_fail "$words --help"
    narrow help "$words --help"
    sed -n '/^Example:$/,$p' help | grep -q "consilium $words" || fed_fail "$words has no example"
done <commands

say 'completion'
"$fed_build/node/cli/consilium" completion >completion
cat >complete.bash <<'END'
. ./completion
try() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); _consilium; echo "${COMPREPLY[*]}"; }
try consilium sta
try consilium draft ed
try consilium draft new --quest
try consilium show ee51 --js
END
bash complete.bash >completed
printf 'status\nedit\n--question\n--json\n' | cmp - completed || fed_fail "completion: $(cat completed)"

say 'passphrases'
printf 'another one\n' >later
printf 'short\n' >short
chmod 600 later short
refused lakeside 'at least 8' clinician passphrase grey \
    --passphrase-file lakeside/grey.passphrase --new-passphrase-file short
refused lakeside 'does not decrypt' clinician passphrase grey --passphrase-file later \
    --new-passphrase-file later
tell 0 lakeside clinician passphrase grey --passphrase-file lakeside/grey.passphrase \
    --new-passphrase-file later
consult_draft lakeside
echo yes >yes
refused lakeside 'does not decrypt' announce "$draft" --confirmed-by 'Dr. Meredith Grey' \
    --clinician grey --passphrase-file lakeside/grey.passphrase <yes
cp later lakeside/grey.passphrase
check lakeside 'the change stands in the audit log' \
    '[.entries[] | select(.what == "passphrase-changed" and .login == "grey")] | length == 1' audit list
tell 0 lakeside clinician renew grey --valid-days 400
tell 0 lakeside clinician renew grey --specialties oncology --specialties radiology \
    --passphrase-file lakeside/grey.passphrase
check lakeside 'the new specialties are known' \
    '[.specialists[] | select(.specialties == ["oncology", "radiology"])] | length == 1' specialists
refused lakeside 'dentistry belongs to no board; the boards are: cardiology' clinician add --login new \
    --name New --credentials MD --specialties dentistry --country CH --uid "$(id -u)" \
    --passphrase-file lakeside/grey.passphrase
consult_announce lakeside grey 'Dr. Meredith Grey'
refused lakeside 'no such file' close "$case" --clinician grey --passphrase-file nowhere
chmod 644 later
refused lakeside 'mode 600' close "$case" --clinician grey --passphrase-file later
if setsid -w "$fed_build/node/cli/consilium" close "$case" --clinician grey \
    --socket lakeside/socket 2>last; then
    fed_fail 'nobody could type a passphrase'
fi
grep -q 'no terminal' last || fed_fail "no terminal: $(cat last)"

say 'a complaint is wrapped for a person, and one line for a program'
nowhere=/nowhere/$(printf 'deep/%.0s' 1 2 3 4 5 6 7 8 9 0)socket
script -qec "'$fed_build/node/cli/consilium' inbox --socket $nowhere" /dev/null >last || true
[ "$(wc -l <last)" -gt 1 ] || fed_fail 'it should be wrapped'
tr -d '\r' <last | awk 'length($0) > 80 { exit 1 }' || fed_fail "over 80 columns: $(cat last)"
"$fed_build/node/cli/consilium" inbox --socket "$nowhere" 2>last || true
[ "$(wc -l <last)" = 1 ] || fed_fail 'it should be one line'

say 'who may not use the socket'
if [ "$(id -u)" = 0 ]; then
    public=$(mktemp -d)
    chmod 755 "$public"
    cp "$fed_build/node/cli/consilium" "$public"
    if setpriv --reuid 65534 --regid 65534 --clear-groups "$public/consilium" status \
        --socket "$fed_home/lakeside/socket" 2>last; then
        fed_fail 'a stranger should not get in'
    fi
    rm -r "$public"
    grep -q 'you may not use' last || fed_fail "a stranger should be told: $(cat last)"
else
    echo 'SKIPPED: only root can be somebody else' >&2
fi

say 'progress: on a terminal, and only there'
head -c 20000000 /dev/zero | tr '\0' 'x' | fold >long.txt
kept=$case
consult_draft lakeside
at lakeside draft attach "$draft" long.txt >said
if grep -q "$(printf '\r')" said; then fed_fail 'a file is no terminal'; fi
grep -q 'long.txt' said || fed_fail 'it should say what was attached'
head -n 3 long.txt >short.txt
for again in 1 2; do tell 0 lakeside draft attach "$draft" short.txt; done
refused lakeside 'several attachments' draft detach "$draft" short.txt
refused lakeside 'no such attachment' draft detach "$draft" ffff
[ "$(ask_at lakeside '.attachments | length' draft show "$draft")" = 3 ] || fed_fail 'all three stay'
tell 0 lakeside draft detach "$draft" \
    "$(ask_at lakeside '.attachments[-1].item[:16]' draft show "$draft")"
tell 0 lakeside draft detach "$draft" short.txt
[ "$(ask_at lakeside '.attachments[].name' draft show "$draft")" = long.txt ] ||
    fed_fail 'those that were named should be gone'
case=$kept

say 'what is shown: 80 columns, nothing that steers the terminal'
shown() { # COMMAND...: all that it shows is narrow and harmless
    at lakeside "$@" >said 2>&1 || fed_fail "$*: $(cat said)"
    narrow said "$*"
    if LC_ALL=C grep -q "$(printf '[\033\007\302\233]')" said; then fed_fail "$* passes an escape on"; fi
    if grep -q '^ *[{["]' said; then fed_fail "$* shows raw JSON: $(cat said)"; fi
}
long=$(printf 'x%.0s' $(seq 1 400))
wide=$(printf '\347\227\205%.0s' $(seq 1 300)) # a Chinese character, two columns each
tell 0 lakeside draft new --question "$wide" --description "$long $wide" --json
next=$(jq -r .draft last)
printf '\033[31mred\n' >escape
refused lakeside 'control characters' draft edit "$next" --question @escape
sign_at lakeside grey discuss "$case" --text "$wide $long" >last
sign_at lakeside grey discuss "$case" --text "$(printf 'turned \342\200\256 around')" >last
for words in requests status members specialists boards relays 'clinician list' 'draft list' inbox cases \
    "draft show $next" "show $case" "thread $case" "items $case" "joins $case" "erasure $case" \
    'audit list' 'audit verify' 'inbox --specialty oncology'; do
    # shellcheck disable=SC2086 # words
    shown $words
done
asked=$case
consult_draft lakeside
tell 0 lakeside draft attach "$draft" "$case_dir/letter.pdf"
shown preview "$draft"
grep -q 'save-items' said || fed_fail 'it should tell how to look at the attachments'
at lakeside preview "$draft" --save-items leaves >said || fed_fail "preview: $(cat said)"
narrow said 'preview --save-items'
grep -q 'leaves/1-letter.pdf' said || fed_fail 'it should say what was written'
[ "$(wc -c <leaves/1-letter.pdf)" = "$(ask_at lakeside '.attachments[0].size' draft show "$draft")" ] ||
    fed_fail 'it should be what leaves'
if grep -aq PLANTED leaves/1-letter.pdf; then fed_fail 'what is taken out should not be there'; fi
: >file
refused lakeside 'is not a folder' preview "$draft" --save-items file
case=$asked
at lakeside status >said
grep -q 'NO REAL PATIENTS' said || fed_fail 'status should say: no real patients'
at lakeside "show" "$case" >said
grep -q 'stored here' said || fed_fail 'a post should say that it is stored here'
if grep -q "$(printf '\342\200\256')" said; then fed_fail 'a mark that turns the writing is passed on'; fi
say 'what is signed at a terminal is shown and asked first'
typed() { # ANSWER COMMAND...: as grey types it at a terminal
    typed_answer=$1
    shift
    typed_line="'$fed_build/node/cli/consilium'"
    for typed_word in "$@" --socket lakeside/socket --clinician grey --passphrase-file \
        lakeside/grey.passphrase; do typed_line="$typed_line '$typed_word'"; done
    echo "$typed_answer" | script -qec "$typed_line" /dev/null >said 2>&1
}
post_count() { ask_at lakeside '[.thread[] | select(.kind == "POST")] | length' thread "$case"; }
posts=$(post_count)
for words in 'discuss --text unsent' withdraw close 'extend --deadline 20d' \
    "flag --record $(record_of lakeside POST | cut -c 1-16) --reason other --text unsent"; do
    # shellcheck disable=SC2086 # words
    set -- $words
    word=$1
    shift
    if typed no "$word" "$case" "$@"; then fed_fail "$word should end with 1: $(cat said)"; fi
    grep -q "To be signed: $word" said && grep -q 'nothing was signed' said ||
        fed_fail "$word should be shown and not signed: $(cat said)"
    grep -q "Case $(echo "$case" | cut -c 1-16), oncology, from Lakeside" said ||
        fed_fail "$word should name the case: $(cat said)"
    if [ "$word" = discuss ]; then grep -q '^  unsent' said || fed_fail "$word should show the text: $(cat said)"; fi
    tr -d '\r' <said >page
    narrow page "$word at a terminal"
done
grep -q 'Discussion, Dr. Meredith Grey; Lakeside' said || fed_fail "flag should name the record: $(cat said)"
for words in 'synthesis --text unsent' reveal 'reply --text unsent' 'outcome --day 21 --followed x --result y'; do
    # shellcheck disable=SC2086 # words
    set -- $words
    word=$1
    shift
    if typed yes "$word" "$case" "$@"; then fed_fail "$word should be refused: $(cat said)"; fi
    if grep -q 'To be signed\|Type yes' said; then fed_fail "$word is refused before it is asked: $(cat said)"; fi
done
tr -s '\r\n ' ' ' <said | grep -q 'followed: must be one of .*; result: must be .* the state of the case is: announced' ||
    fed_fail "all that is wrong should be said at once: $(cat said)"
[ "$(ask_at lakeside '[.thread[] | select(.kind != "OPEN" and .kind != "MANIFEST" and .kind != "POST")] | length' \
    thread "$case")" = 0 ] || fed_fail 'nothing should be signed'
[ "$(post_count)" = "$posts" ] || fed_fail 'nothing should be signed'
typed yes discuss "$case" --text 'sent after yes' || fed_fail "yes should sign it: $(cat said)"
typed no discuss "$case" --text 'sent with --yes' --yes || fed_fail "--yes asks nothing: $(cat said)"
if grep -q 'Type yes' said; then fed_fail '--yes should ask nothing'; fi
[ "$(post_count)" = $((posts + 2)) ] || fed_fail 'two should be signed'

say 'files that are written: private, through no link, over nothing else'
umask 022
tell 0 lakeside audit export --to audit.jsonl
[ "$(stat -c %a audit.jsonl)" = 600 ] || fed_fail 'an export should be private'
echo mine >mine
ln -s mine link
ln -s nowhere dangling
for name in mine link dangling; do
    refused lakeside 'exists already' audit export --to "$name"
done
[ "$(cat mine)" = mine ] || fed_fail 'a file should not be overwritten'
[ ! -e nowhere ] || fed_fail 'a link should not be followed'
tell 0 lakeside audit export --to link --yes
[ ! -L link ] && [ "$(cat mine)" = mine ] || fed_fail 'the link should be replaced, not followed'
echo changed >leaves/1-letter.pdf
refused lakeside 'exists already' preview "$draft" --save-items leaves
tell 0 lakeside preview "$draft" --save-items leaves --yes
tell 0 lakeside preview "$draft" --save-items leaves
[ "$(ls leaves)" = 1-letter.pdf ] || fed_fail "no unfinished file should be left: $(ls leaves)"

say 'an erased case is a line, not holes'
sign_at lakeside grey erase "$case" --yes >last
at lakeside cases >said
narrow said cases
grep -q 'erased$' said && grep -q "consilium erasure $(echo "$case" | cut -c 1-8)" said ||
    fed_fail "an erased case should say so: $(cat said)"
if grep -q '; ;' said; then fed_fail "nothing is there to say: $(cat said)"; fi
say done
