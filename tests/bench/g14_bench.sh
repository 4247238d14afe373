#!/bin/sh
# Federation-years with all faults on, simulated (tests/sim/story_year.c). CONSILIUM_YEARS says how many
# (10 if nothing does), CONSILIUM_SEED where to begin. A year that fails prints the line that replays it,
# on the error output.
set -eu
cd "$(dirname "$0")/../.."
build/release/tests/sim/sim --years "${CONSILIUM_YEARS:-10}" --seed "${CONSILIUM_SEED:-1}" |
    awk '/^g14/ { print; next } { print > "/dev/stderr" }'
