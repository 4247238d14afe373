#!/bin/sh
# The case in Chinese, from question to outcome: every text arrives byte for byte, in the inbox, the
# case file, the attached files, opinions, discussion, synthesis, outcome and in the exported opinion.
# On a terminal of 80 columns no line is wider, and no character is torn.
set -eu
. "$(dirname "$0")/federation.sh"
houses_open lakeside harbour
consult_open "$houses_root/node/demo/zh"
consult_ask lakeside grey 'Dr. Meredith Grey'
consult_seen harbour
consult_join harbour visser "$case_join"
consult_read harbour visser
consult_want harbour visser
consult_supply lakeside grey 'Dr. Meredith Grey' harbour
consult_read harbour visser
consult_reply harbour visser "$case_dir/opinion-1.json" lakeside
consult_reveal lakeside grey 1 harbour
consult_talk harbour visser "$case_post" lakeside
consult_talk lakeside grey "$case_answer" harbour
consult_end lakeside grey harbour

say 'every text, byte for byte, at the other hospital'
same() { # HOST WHAT FILE FILTER COMMAND...: what jq finds is what stands in FILE
    same_host=$1
    same_what=$2
    same_file=$3
    same_filter=$4
    shift 4
    at "$same_host" "$@" --json | jq -j "$same_filter" >"$fed_home/found"
    # a file's last newline is no part of the text
    printf '%s' "$(cat "$same_file")" | cmp - "$fed_home/found" || fed_fail "$same_host: $same_what arrived as something else"
}
word() { # TEXT: as a file
    printf '%s' "$1" >"$fed_home/word"
    echo "$fed_home/word"
}
of_kind() { # KIND FIELD: of the newest record of that kind
    echo "[.thread[] | select(.kind == \"$1\")][-1].content$2"
}
for house in lakeside harbour; do
    same "$house" question "$case_dir/question.txt" .case.announcement.question show "$case"
    same "$house" description "$case_dir/description.txt" .case.case_file.description show "$case"
    for field in text diagnosis_text treatment_text; do
        jq -j ".$field // empty" "$case_dir/opinion-1.json" >"$fed_home/wanted"
        same "$house" "the opinion's $field" "$fed_home/wanted" \
            "$(of_kind OPINION ".$field") // empty" thread "$case"
    done
    same "$house" synthesis "$case_dir/synthesis.txt" "$(of_kind SYNTHESIS .text)" thread "$case"
    same "$house" outcome "$case_dir/outcome.txt" "$(of_kind OUTCOME .text)" thread "$case"
    same "$house" 'the final diagnosis' "$(word "$case_final")" \
        "$(of_kind OUTCOME .final_diagnosis)" thread "$case"
    same "$house" 'the last post' "$(word "$case_answer")" "$(of_kind POST .text)" thread "$case"
    same "$house" 'what was asked for' "$(word "$case_ask_records")" \
        "$(of_kind ASK '.items[0].text')" thread "$case"
    same "$house" "the supply's note" "$(word "$case_supply_note")" "$(of_kind SUPPLY .note)" \
        thread "$case"
done
cmp "$case_dir/labs.txt" "$fed_home"/harbour/read/*labs.txt || fed_fail 'labs.txt differs'
cmp "$case_dir/supply.txt" "$fed_home"/harbour/read/*supply.txt || fed_fail 'supply.txt differs'

say 'exported, and checked without a node'
consult_export lakeside "$fed_home/mail/opinion"
"$fed_build/node/cli/consilium" opinion verify "$fed_home/mail/opinion" --federation "$fed_id" --json |
    jq -j .text >"$fed_home/found"
jq -j .text "$case_dir/opinion-1.json" >"$fed_home/wanted"
cmp "$fed_home/wanted" "$fed_home/found" || fed_fail 'the exported opinion has another text'

say 'on a terminal of 80 columns'
narrow() { # COMMAND...
    script -qec "stty cols 80; $fed_build/node/cli/consilium $* --socket $fed_home/harbour/socket" \
        "$fed_home/typescript" >/dev/null </dev/null || fed_fail "$*"
    python3 - "$fed_home/typescript" "$*" <<'PYTHON'
import re, sys, unicodedata
lines = open(sys.argv[1], "rb").read().decode("utf-8").split("\n")[1:-2]
if not any(unicodedata.east_asian_width(c) == "W" for line in lines for c in line):
    sys.exit(f"{sys.argv[2]}: nothing Chinese is shown")
for line in lines:
    line = re.sub(r"\x1b\[[0-9;]*m", "", line.rstrip("\r"))
    width = sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)
    if width > 80:
        sys.exit(f"{sys.argv[2]}: {width} columns: {line}")
PYTHON
}
narrow show "$case"
narrow thread "$case"
narrow inbox --state all
narrow cases --state all
say done
