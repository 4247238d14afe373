#!/bin/sh
# An audit log whose entries were altered, dropped, reordered or inserted behind the node's back is
# found out, with the position and an exit status, and so is one that was cut: it is shorter than the
# head that this institution wrote into its federation stream the day after. The clock of that day is
# the machine's, moved on for this process.
set -eu
. "$(dirname "$0")/federation.sh"
houses_clocks
houses_one
auditor=$fed_build/tests/e2e/e2e_auditor
consult_ask lakeside grey 'Dr. Meredith Grey'
tell_signed 0 lakeside grey withdraw "$case"
check lakeside 'the audit log is sound' .sound audit verify

say 'a day passes; the next head is witnessed'
fed_down lakeside
houses_clock lakeside +25h
fed_up lakeside
check lakeside 'the new day is witnessed' '.sound and .witnesses >= 2' audit verify
fed_down lakeside
edit() {
    "$auditor" "$fed_home/lakeside/data" "$fed_name" "$fed_id" "$@"
}
count=$(edit count)
[ "$count" -ge 5 ] || fed_fail "only $count entries"
cp -a "$fed_home/lakeside/data" "$fed_home/whole"

try() { # WHAT NUMBER FAULT POSITION
    rm -rf "$fed_home/lakeside/data"
    cp -a "$fed_home/whole" "$fed_home/lakeside/data"
    edit "$1" "$2"
    fed_up lakeside
    if at lakeside audit verify >"$fed_home/last" 2>&1; then fed_fail "$1 $2 is not found"; fi
    at lakeside audit verify --json >"$fed_home/verdict" || true
    jq -e "(.sound | not) and .number == $4 and .fault == \"$3\"" "$fed_home/verdict" >/dev/null ||
        { cat "$fed_home/verdict" >&2 && fed_fail "$1 $2 should be $3 at $4"; }
    grep -q "$4" "$fed_home/last" || { cat "$fed_home/last" >&2 && fed_fail "no position is shown"; }
    fed_down lakeside
    say "$1 $2: $3 at $4"
}
try alter 3 altered 3
try alter 1 rewritten 1
try drop 3 missing 3
try swap 2 reordered 2
try insert 3 inserted 4
try cut 3 truncated 3
say done
