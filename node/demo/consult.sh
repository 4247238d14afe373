# A consult, step by step, as people at three hospitals do it: . node/demo/consult.sh
# (after federation.sh). Each step is a public command; what it did is checked at the receivers, from
# their own --json. With fed_tell=yes both are shown.
#
#   consult_open DIR           the case lies in that folder (en or zh); its words come with it
#                              case_mode=open makes opinions open from the start
#   consult_ask HOST LOGIN NAME [OPTION...]   draft, attach, preview, confirm; its id is in $case
#   consult_seen HOST...       it stands in their inboxes
#   consult_join HOST LOGIN NOTE      and the requester's node grants
#   consult_read HOST LOGIN    every byte of the case file, and a receipt; into $fed_home/HOST/read
#   consult_want HOST LOGIN, consult_supply HOST LOGIN NAME WHO-ASKED   more is asked for, and supplied
#   consult_reply HOST LOGIN FILE REQUESTER   an opinion, which the requester takes in
#   consult_apart HOST OTHER   HOST cannot read what OTHER wrote
#   consult_reveal HOST LOGIN COUNT OTHER...
#   consult_talk HOST LOGIN TEXT OTHER...
#   consult_end HOST LOGIN OTHER...           synthesis, close, outcome
#   consult_export HOST FILE   an opinion as a file, checked without a node
#   consult_erase HOST LOGIN COUNT            and that many receipts
#   record_of HOST KIND        id of the newest record of that kind in $case
#
#   tell LINES HOST COMMAND...              shows the command as typed, and LINES of what it says
#   tell_signed LINES HOST LOGIN COMMAND... the same, signed; both end the story when it fails
#   check HOST SENTENCE FILTER COMMAND...   within $fed_patience (30 s), jq finds FILTER in what HOST's node answers
#   refused HOST WORDS COMMAND...           it is refused, and says WORDS

tell() {
    fed_lines=$1
    shift
    tell_line "$@"
    fed_quietly at "$@"
    tell_answer
}

tell_signed() {
    fed_lines=$1
    fed_login=$3
    fed_there=$2
    shift 3
    tell_line "$fed_there" "$@" --clinician "$fed_login"
    fed_quietly sign_at "$fed_there" "$fed_login" "$@"
    tell_answer
}

tell_line() {
    [ "${fed_tell:-no}" = yes ] || return 0
    fed_line="$1\$ consilium"
    shift
    for fed_word in "$@"; do
        case $fed_word in
        "$fed_home"/*) fed_word=${fed_word##*/} ;;
        @*/*) fed_word="@${fed_word##*/}" ;;
        */*.pdf | */*.png | */*.txt | */*.json) fed_word=${fed_word##*/} ;;
        "$fed_id" | "${fed_head:-}") ;; # who checks an opinion needs all of it
        *)
            # an id may be shortened to any unique beginning
            printf '%s' "$fed_word" | grep -Eqv '^[0-9a-f]{32,}$' ||
                fed_word=$(echo "$fed_word" | cut -c 1-8)
            ;;
        esac
        case $fed_word in
        *' '*) fed_word="\"$fed_word\"" ;;
        esac
        fed_line="$fed_line $fed_word"
    done
    echo
    # broken at blanks alone: fold(1) would tear a Chinese character; what is typed so is one command
    printf '%s\n' "$fed_line" | awk '{
        for (i = 1; i <= NF; i++) {
            if (i > 1 && used + length($i) > 76) {
                printf (quotes % 2 == 0) ? " \\\n    " : "\n    "
                used = 4
            } else if (i > 1) {
                printf " "
                used++
            }
            printf "%s", $i
            used += length($i)
            quotes += gsub(/"/, "", $i)
        }
        print ""
    }'
}

# What was typed at a prompt came from a file; here it stands where it would at a terminal.
tell_answer() {
    [ "${fed_tell:-no}" = yes ] && [ "$fed_lines" -gt 0 ] || return 0
    sed 's/^Type yes: \(.\)/Type yes: yes\n\1/' "$fed_home/last" >"$fed_home/shown"
    head -n "$fed_lines" "$fed_home/shown"
    fed_more=$(($(wc -l <"$fed_home/shown") - fed_lines))
    [ "$fed_more" -le 0 ] || echo "  ... (lines left out here: $fed_more)"
}

check() {
    fed_host=$1
    fed_says=$2
    fed_wanted=$3
    shift 3
    await "${fed_patience:-30}" "$fed_host: $fed_says" ask_at "$fed_host" "$fed_wanted" "$@"
    checked "$fed_host" "$fed_says"
}

checked() {
    [ "${fed_tell:-no}" != yes ] || printf '  ok  %s: %s\n' "$1" "$2"
}

refused() { # HOST WORDS COMMAND...
    fed_host=$1
    fed_words=$2
    shift 2
    if at "$fed_host" "$@" >"$fed_home/said" 2>"$fed_home/last"; then
        fed_fail "$fed_host should refuse: $*"
    fi
    grep -q -i -e "$fed_words" "$fed_home/last" || {
        cat "$fed_home/last" >&2
        fed_fail "$fed_host should say '$fed_words': $*"
    }
    checked "$fed_host" "refused: $(head -n 1 "$fed_home/last" | cut -c 12-70)"
}

record_of() {
    ask_at "$1" "[.thread[] | select(.kind == \"$2\")][-1].record" thread "$case"
}

# ---- asking ----

consult_open() {
    case_dir=$1
    # shellcheck source=/dev/null
    . "$case_dir/words.sh"
}

consult_draft() { # HOST [OPTION...]
    fed_asks=$1
    shift
    tell 0 "$fed_asks" draft new --question "@$case_dir/question.txt" \
        --description "@$case_dir/description.txt" --specialty "$case_specialty" \
        --service clinical-consult --reason "$case_reason" --wanted-count 2 --deadline 14d \
        --language "$case_language" --mode "${case_mode:-independent-first}" --age "$case_age" --sex "$case_sex" \
        --consent 'on paper, in the chart' "$@" --json
    draft=$(jq -r .draft "$fed_home/last")
    case=$(jq -r .case "$fed_home/last")
}

consult_attach() { # HOST: all files of this case
    for fed_file in "$case_dir"/letter.pdf "$case_dir"/labs.txt "$case_dir"/../ct.png; do
        [ ! -f "$fed_file" ] || tell 6 "$1" draft attach "$draft" "$fed_file"
    done
}

consult_announce() { # HOST LOGIN NAME
    echo yes >"$fed_home/yes"
    tell_signed 200 "$1" "$2" announce "$draft" --confirmed-by "$3" <"$fed_home/yes"
    check "$1" 'the case is announced' '.case.state == "announced"' show "$case"
}

consult_ask() { # HOST LOGIN NAME [OPTION...]
    fed_as=$2
    fed_full_name=$3
    fed_asks=$1
    shift 3
    consult_draft "$fed_asks" "$@"
    consult_attach "$fed_asks"
    consult_announce "$fed_asks" "$fed_as" "$fed_full_name"
}

consult_seen() {
    for fed_sees in "$@"; do
        check "$fed_sees" 'the question is in the inbox, word for word' \
            ".inbox[] | select(.case == \"$case\" and (.question | contains(\"$case_word\")))" inbox
    done
}

# ---- taking part ----

consult_join() { # HOST LOGIN NOTE
    tell_signed 2 "$1" "$2" join "$case" --note "$3"
    check "$1" 'access is granted, and the case file is here' \
        '.case | .part == "participant" and (.case_file.description | length) > 100' show "$case"
}

consult_read() { # HOST LOGIN
    mkdir -p "$fed_home/$1/read"
    rm -f "$fed_home/$1/read"/*
    tell_line "$1" fetch "$case"
    if [ "${fed_tell:-no}" = yes ] && [ -t 1 ]; then
        at "$1" fetch "$case" >/dev/tty || fed_fail "$1 fetch"
    else
        fed_quietly at "$1" fetch "$case"
    fi
    check "$1" 'all of it is here' 'all(.items[]; .chunks_here == .chunk_count)' items "$case"
    tell_signed 0 "$1" "$2" read "$case" --to "$fed_home/$1/read"
    checked "$1" "read: $(ls "$fed_home/$1/read" | tr '\n' ' ')"
}

consult_want() { # HOST LOGIN
    tell_signed 2 "$1" "$2" ask "$case" --records "$case_ask_records" --test "$case_ask_test"
}

consult_supply() { # HOST LOGIN NAME WHO-ASKED
    check "$1" 'two things are asked for' '[.case.asked[] | select(.state == "open")] | length == 2' \
        show "$case"
    fed_ask=$(record_of "$1" ASK)
    echo yes >"$fed_home/yes"
    tell_signed 0 "$1" "$2" supply "$case" --ask "$fed_ask" --answer 0=supplied \
        --answer "1=not-available:$case_supply_missing" --attach "$case_dir/supply.txt" \
        --note "$case_supply_note" --confirmed-by "$3" <"$fed_home/yes"
    check "$4" 'nothing that it asked for is open any more' \
        '(.case.asked | length > 0) and all(.case.asked[]; .state != "open")' show "$case"
}

consult_reply() { # HOST LOGIN FILE REQUESTER
    tell_signed 2 "$1" "$2" reply "$case" --file "$3"
    fed_opinion=$(record_of "$1" OPINION)
    check "$4" 'the opinion is here, its signature good, and taken in' \
        ".thread[] | select(.record == \"$fed_opinion\" and .signature == \"good\" and .taken_in)" \
        thread "$case"
}

consult_apart() { # HOST OTHER: of two hospitals that both replied
    fed_other=$(ask_at "$2" .institution.node status)
    check "$1" "cannot read the opinion of $2" \
        "[.thread[] | select(.kind == \"OPINION\" and .writer.node == \"$fed_other\")] | length == 0" \
        thread "$case"
}

# ---- to the end ----

consult_reveal() { # HOST LOGIN COUNT OTHER...
    tell_signed 2 "$1" "$2" reveal "$case"
    fed_count=$3
    shift 3
    for fed_reader in "$@"; do
        check "$fed_reader" "$fed_count opinions can be read, and all that was said before" \
            "([.thread[] | select(.kind == \"OPINION\" and .revealed)] | length == $fed_count) and
             all(.thread[]; .kind != \"unreadable\")" thread "$case"
    done
}

consult_talk() { # HOST LOGIN TEXT OTHER...
    tell_signed 2 "$1" "$2" discuss "$case" --text "$3" --language "$case_language"
    fed_post=$(record_of "$1" POST)
    shift 3
    for fed_reader in "$@"; do
        check "$fed_reader" 'the post is here' ".thread[] | select(.record == \"$fed_post\")" \
            thread "$case"
    done
}

consult_state() { # STATE HOST...
    fed_state=$1
    shift
    for fed_reader in "$@"; do
        check "$fed_reader" "the case is $fed_state" ".case.state == \"$fed_state\"" show "$case"
    done
}

consult_end() { # HOST LOGIN OTHER...
    fed_asks=$1
    fed_as=$2
    shift 2
    tell_signed 2 "$fed_asks" "$fed_as" synthesis "$case" --text "@$case_dir/synthesis.txt" \
        --language "$case_language"
    tell_signed 2 "$fed_asks" "$fed_as" close "$case"
    consult_state closed "$fed_asks" "$@"
    tell_signed 2 "$fed_asks" "$fed_as" outcome "$case" --day 21 --followed partly-followed \
        --result improved --final-diagnosis "$case_final" --text "@$case_dir/outcome.txt"
    consult_state followed-up "$fed_asks" "$@"
}

consult_export() { # HOST FILE
    tell 9 "$1" opinion export "$case" "$(record_of "$1" OPINION)" --to "$2"
    # the head in force, as the society shows it: who asks it trusts no file alone
    fed_head=$(fed_society show --json | jq -r .head)
    tell_line anywhere opinion verify "$2" --federation "$fed_id" --head "$fed_head"
    fed_lines=200
    fed_quietly "$fed_build/node/cli/consilium" opinion verify "$2" --federation "$fed_id" \
        --head "$fed_head"
    tell_answer
    "$fed_build/node/cli/consilium" opinion verify "$2" --federation "$fed_id" \
        --head "$fed_head" --json |
        jq -e '.valid and .taken_in and .sentence ==
            "advice; the treating clinician keeps the responsibility"' >/dev/null ||
        fed_fail 'the opinion alone should be valid'
    checked anywhere 'valid, without a node'
}

consult_erase() { # HOST LOGIN COUNT
    tell_signed 2 "$1" "$2" erase "$case" --yes
    check "$1" "$3 receipts of erasure" "[.receipts[] | select(.erased_at)] | length == $3" \
        erasure "$case"
}
