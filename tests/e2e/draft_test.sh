#!/bin/sh
# A case is begun at a terminal, field by field: a wrong answer is asked for again, Ctrl-C loses nothing
# that was typed, and `draft edit` goes on where it stopped. A script is asked nothing.
set -eu
. "$(dirname "$0")/federation.sh"
houses_one
cd "$fed_home"

terminal() { # COMMAND...: at a terminal; what is typed comes from standard input
    script -qec "stty cols 80; '$fed_build/node/cli/consilium' $* --socket '$fed_home/lakeside/socket'" \
        /dev/null >typescript 2>&1 || true
    tr -d '\r' <typescript >said
    [ "$(LC_ALL=C.UTF-8 wc -L <said)" -le 80 ] || fed_fail "$* is wider than 80: $(cat said)"
}
held() { # FILTER: is true of the only draft
    ask_at lakeside ".drafts | length == 1 and (.[0].fields | $1)" draft list
}

say 'begun, and interrupted'
{
    printf 'Which regimen?\nAnd how long?\n'
    await 20 'two lines are stored' held '.question == "Which regimen?\nAnd how long?"' >/dev/null
    printf '.\nA long story\n'
    await 20 'a line is stored' held '.description == "A long story"' >/dev/null
    printf '\003'
    await 20 'Ctrl-C ends it, though the input stays open' grep -q 'is kept' typescript
} | terminal draft new
draft=$(ask_at lakeside '.drafts[0].draft[:8]' draft list)
grep -q "what you typed is kept: .consilium draft edit $draft. continues" said ||
    fed_fail "Ctrl-C should say that it is kept: $(cat said)"
held '.question == "Which regimen?\nAnd how long?" and .description == "A long story"' >/dev/null ||
    fed_fail 'what was typed should be there'

say 'continued'
printf '%s\n' '' 'that goes on.' . oncology surgery clinical-consult rare 2 14d en independent-first \
    '' '' CH '' physician | terminal draft edit "$draft"
grep -q 'must be one of clinical-consult' said || fed_fail "a wrong answer should be refused: $(cat said)"
grep -q 'oncology .*1 member' said || fed_fail "the boards should be listed: $(cat said)"
grep -q '^Ready: ' said || fed_fail "nothing should be missing: $(cat said)"
held '.question == "Which regimen?\nAnd how long?" and .description == "A long story\nthat goes on." and
    .service == "clinical-consult" and .wanted_count == 2 and .country == "CH" and (has("age") | not)' \
    >/dev/null || fed_fail "draft: $(at lakeside draft show "$draft")"

say 'a file, and the end of the input'
printf '@%s/question.txt\n' "$case_dir" | terminal draft edit "$draft"
held '.question | contains("Which regimen") | not' >/dev/null || fed_fail 'the file should be read'
printf '' | terminal draft new
grep -q 'nothing was typed' said || fed_fail "no draft should be made: $(cat said)"
[ "$(ask_at lakeside '.drafts | length' draft list)" = 1 ] || fed_fail 'one draft'

say 'a script is asked nothing'
at lakeside draft new </dev/null >said
grep -q 'consilium draft edit .* --question' said || fed_fail "it should say what is missing: $(cat said)"
grep -q -- '--deadline 14d' said || fed_fail "it should say how it is set: $(cat said)"
say done
