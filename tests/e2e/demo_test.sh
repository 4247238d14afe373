#!/bin/sh
# The demo as a newcomer sees it, once for each of its cases, with the programs that are built here.
# Each step is seen at its receiver, and no character of what it shows is torn.
set -eu
build=${CONSILIUM_BUILD:?}
root=$(cd "$(dirname "$0")/../.." && pwd)
[ -x "$build/node/consiliumd" ] || { echo 'SKIPPED, NOTHING WAS TESTED: there is no consiliumd' >&2 && exit 77; }
# a network of its own, so that no port of this machine is in the way
unshare --net true 2>/dev/null || { echo 'SKIPPED, NOTHING WAS TESTED: no network namespaces' >&2 && exit 77; }
shown=$(mktemp)
trap 'rm -f "$shown"' EXIT
for language in en zh; do
    unshare --net sh -c 'ip link set lo up && exec sh "$@"' sh "$root/node/demo.sh" --once \
        --case "$language" --build "$build" >"$shown" 2>&1 || { cat "$shown" && exit 1; }
    grep -q 'every step was seen at its receiver' "$shown" || { cat "$shown" && exit 1; }
    [ "$(grep -c '^  ok  ' "$shown")" -ge 36 ] || { cat "$shown" && echo 'too few checks' && exit 1; }
    iconv -f UTF-8 -t UTF-8 "$shown" >/dev/null || { echo 'a character is torn' && exit 1; }
    echo "$language: $(grep -c '^  ok  ' "$shown") steps seen at their receivers"
done
