#!/bin/sh
# sh tests/sim/seeds.sh SIM STORY COUNT [DAYS]
# sh tests/sim/seeds.sh --first
#
# Runs a story with COUNT seeds, with CONSILIUM_FULL=1 a thousand; with DAYS the first days of COUNT
# simulated years. --first prints only the first seed. It is the first eight hex digits of the
# commit, so that each commit meets seeds of its own; CONSILIUM_SEED=N takes N, as whoever runs a
# failure again wants. Prints the seeds, and fails when one fails or fewer were told than asked for.
set -u

seeds_least=2      # of any story, in any build
seeds_full=1000
seeds_fixed=314159 # where there is no commit to read

seeds_first() {
    if [ -n "${CONSILIUM_SEED:-}" ]; then
        echo "$CONSILIUM_SEED"
        return
    fi
    here=$(cd "$(dirname "$0")" && pwd)
    head=$(git -c safe.directory='*' -C "$here" rev-parse --verify --quiet HEAD 2>/dev/null) || head=
    digits=$(printf '%s' "$head" | cut -c 1-8)
    case $digits in
    ???????? ) echo $((0x$digits)) ;;
    * ) echo $seeds_fixed ;;
    esac
}

first=$(seeds_first)
if [ "${1:-}" = --first ]; then
    echo "$first"
    exit 0
fi
[ $# -eq 3 ] || [ $# -eq 4 ] || { sed -n '2,3s/^# /usage: /p' "$0" >&2; exit 2; }
sim=$1 story=$2 count=$3
if [ $# -eq 4 ]; then
    set -- --years "$count" --days "$4" --seed "$first"
    told="g14.years $(awk -v n="$count" -v d="$4" 'BEGIN { printf "%.2f", n * d / 365 }') years"
    failures='g14.failures 0 failures'
else
    [ "${CONSILIUM_FULL:-0}" != 1 ] || count=$seeds_full
    set -- --story "$story" --seeds "$count" --seed "$first"
    told="sim.told $count stories"
    failures='sim.failures 0 failures'
fi
if [ "$count" -lt $seeds_least ]; then
    echo "$story: $count seeds are too few, at least $seeds_least are wanted" >&2
    exit 1
fi
echo "$story: seeds $first to $((first + count - 1))"
echo "again: $sim $*"
output=$(timeout $((120 + 10 * count)) "$sim" "$@" 2>&1)
status=$?
[ $status -ne 124 ] || echo "$story: the seed after the last one named takes too long"
printf '%s\n' "$output"
for wanted in "$told" "$failures"; do
    printf '%s\n' "$output" | grep -qxF "$wanted" || { echo "not said: $wanted"; status=1; }
done
exit $status
