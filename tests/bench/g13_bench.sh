#!/bin/sh
# G13: what is acknowledged and lost again to kill -9, to a power cut and to a failing disk; by the same
# programs that ctest runs with a smaller share. CONSILIUM_FULL=1: the full count, some twenty minutes.
set -eu
if [ "${CONSILIUM_FULL:-0}" = 1 ]; then
    kills=10000 images=250000 faults=2000
else
    kills=100 images=5000 faults=100
fi
tests=build/release/tests
export TMPDIR="$1"
report=$1/report.txt

status=0
CONSILIUM_KILL_COUNT=$kills $tests/unit_store_kill_test >"$report" 2>&1 || status=1
CONSILIUM_IMAGE_COUNT=$images CONSILIUM_FAULT_COUNT=$faults CONSILIUM_SEED=$(date +%s) \
    $tests/unit_store_power_test >>"$report" 2>&1 || status=1

count() {
    sed -n "s/^\([0-9]*\) $1.*/\1/p" "$report" | awk '{ sum += $1 } END { print sum + 0 }'
}
echo "g13.kills $(count 'kills, ') count"
echo "g13.images $(count 'images after a power cut') count"
echo "g13.failures $(count 'failures of the disk') count"
echo "g13.lost $status runs"
[ $status -eq 0 ] || cat "$report" >&2
exit $status
