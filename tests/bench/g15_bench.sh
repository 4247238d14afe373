#!/bin/sh
# G15: how often the fuzz entries ran over inputs that cross a trust boundary, and how many of them found
# something. Without a fuzzer each seed is replayed whole, cut short and with each bit turned; with the
# preset `fuzz` built (sh node/install.sh tidy), libFuzzer goes on from there: CONSILIUM_FUZZ_SECONDS for
# each entry, 10 unless told. CONSILIUM_FULL=1: an hour for each.
set -eu
seconds=${CONSILIUM_FUZZ_SECONDS:-10}
[ "${CONSILIUM_FULL:-0}" != 1 ] || seconds=3600
export TMPDIR="$1"
runs=0
crashes=0
entries=0

count() {
    sed -n "s/$1/\1/p" "$TMPDIR/report" | awk '{ sum += $1 } END { print sum + 0 }'
}
for entry in build/release/tests/fuzz/*_fuzz; do
    noun=$(basename "$entry" _fuzz)
    entries=$((entries + 1))
    "$entry" "tests/fuzz/seeds/$noun" >"$TMPDIR/report" 2>&1 || {
        crashes=$((crashes + 1))
        echo "g15: the seeds of $noun end it" >&2
    }
    runs=$((runs + $(count '^[0-9]* files, \([0-9]*\) runs$')))
    [ -x "build/fuzz/tests/fuzz/${noun}_fuzz" ] || continue
    mkdir -p build/fuzz/corpus/"$noun"
    "build/fuzz/tests/fuzz/${noun}_fuzz" -max_total_time="$seconds" -max_len=16384 -timeout=20 \
        -artifact_prefix="build/fuzz/crash-$noun-" -print_final_stats=1 \
        build/fuzz/corpus/"$noun" "tests/fuzz/seeds/$noun" >"$TMPDIR/report" 2>&1 || {
        crashes=$((crashes + 1))
        echo "g15: see build/fuzz/crash-$noun-*" >&2
    }
    runs=$((runs + $(count '^stat::number_of_executed_units: *\([0-9]*\)$')))
done
echo "g15.entries $entries count"
echo "g15.execs $runs count"
echo "g15.crashes $crashes count"
[ $crashes -eq 0 ]
