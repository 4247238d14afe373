#!/bin/sh
# sh tests/run.sh [--build release|dev|both] [--label REGEX] [--full]
#
# Installs what the tests need, builds, runs ctest, and ends with ctest's own closing line.
# `dev` is the build with AddressSanitizer and UndefinedBehaviorSanitizer, `release` the one that
# ships. With both (the usual), lint and end-to-end tests run in `release` only; --full runs
# everything in each, and tells tests by CONSILIUM_FULL=1 to take their long share.
set -eu
cd "$(dirname "$0")/.."

build=both
label=
full=no
usage() {
    sed -n '2s/^# /usage: /p' tests/run.sh >&2
    exit 2
}
while [ $# -gt 0 ]; do
    case $1 in
    --build) [ $# -gt 1 ] || usage; build=$2; shift 2 ;;
    --label) [ $# -gt 1 ] || usage; label=$2; shift 2 ;;
    --full) full=yes; shift ;;
    *) usage ;;
    esac
done
case $build in
release | dev) presets=$build ;;
both) presets='dev release' ;;
*) usage ;;
esac

started=$(date +%s)
say() {
    printf '[%4d s] %s\n' $(($(date +%s) - started)) "$*"
}

# Runs a command with its output kept back; shows it when the command fails.
quietly() {
    if ! "$@" >"$log" 2>&1 </dev/null; then
        cat "$log"
        say "failed: $*"
        exit 1
    fi
}

say 'packages'
sh node/install.sh build test
mkdir -p build
log=build/run.log

for preset in $presets; do
    say "$preset: configure"
    quietly cmake --preset "$preset"
    say "$preset: build"
    quietly cmake --build --preset "$preset" -j 2
done

[ "$full" = no ] || export CONSILIUM_FULL=1
say "simulated stories: seeds from $(sh tests/sim/seeds.sh --first)"
for preset in $presets; do
    set -- --test-dir "build/$preset" -j 2 --output-on-failure --no-label-summary --timeout 900
    [ -z "$label" ] || set -- "$@" -L "$label"
    if [ "$preset$build$full" = devbothno ]; then
        set -- "$@" -LE '^(lint|e2e)$'
    fi
    say "$preset: ctest"
    status=0
    ctest "$@" >"build/$preset/ctest.log" 2>&1 </dev/null || status=$?
    if [ $status -ne 0 ]; then
        cat "build/$preset/ctest.log"
        exit $status
    fi
    # what was skipped is said aloud; then ctest's own closing lines
    grep -E '\*\*\*(Skipped|Not Run)' "build/$preset/ctest.log" || true
    sed -n '/tests passed/,$p' "build/$preset/ctest.log"
done
