#!/bin/sh
# sh tests/bench/run.sh [NAME...]
#
# Builds a release and measures the figures named (all there are, if none): NAME is g1, g2, g8 and so
# on. Prints lines `name value unit`, and writes the same with facts about the machine to
# build/bench/NAME.json. A figure is a program tests/bench/NAME_bench.c or a script NAME_bench.sh; it
# is called with one empty folder on the disk that is measured (CONSILIUM_BENCH_DIR, usually
# build/bench), prints such lines, and nothing else on its standard output.
set -eu
cd "$(dirname "$0")/../.."
sh node/install.sh build test

mkdir -p build/bench
out=$PWD/build/bench
base=${CONSILIUM_BENCH_DIR:-$out}
if ! { cmake --preset release && cmake --build --preset release -j 2; } >"$out/build.log" 2>&1; then
    cat "$out/build.log" >&2
    exit 1
fi

data=$(mktemp -d "$base/data.XXXXXX")
trap 'rm -rf "$data"' EXIT
trap 'exit 130' INT TERM
programs=$PWD/build/release/tests/bench

known=$(for f in tests/bench/*_bench.c tests/bench/*_bench.sh; do
    [ ! -e "$f" ] || basename "$f" | sed 's/_bench\..*//'
done | sort -uV)
# shellcheck disable=SC2086 # one word each
[ $# -gt 0 ] || set -- $known

model=$(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo | head -n 1)
filesystem=$(stat -f -c %T "$data")
commit=$(git rev-parse HEAD 2>/dev/null || true)
echo "# $model, $filesystem"
"$programs/machine" "$data" >"$out/machine.txt"
cat "$out/machine.txt"

# Lines `name value unit` to JSON.
to_json() {
    awk -v model="$model" -v filesystem="$filesystem" -v commit="$commit" '
        BEGIN {
            printf "{\n  \"commit\": \"%s\",\n  \"processor\": \"%s\",\n", commit, model
            printf "  \"file_system\": \"%s\",\n  \"figures\": {", filesystem
        }
        NF == 3 {
            printf "%s\n    \"%s\": { \"value\": %s, \"unit\": \"%s\" }", comma, $1, $2, $3
            comma = ","
        }
        END { print "\n  }\n}" }
    ' "$@"
}

status=0
for name in "$@"; do
    mkdir -p "$data/$name"
    if [ -e "tests/bench/${name}_bench.c" ]; then
        set -- "$programs/${name}_bench"
    elif [ -e "tests/bench/${name}_bench.sh" ]; then
        set -- sh "tests/bench/${name}_bench.sh"
    else
        echo "bench: there is no figure '$name'; there are:" "$known" >&2
        exit 2
    fi
    if "$@" "$data/$name" >"$out/$name.txt"; then
        cat "$out/$name.txt"
        to_json "$out/machine.txt" "$out/$name.txt" >"$out/$name.json"
    else
        cat "$out/$name.txt"
        echo "bench: $name failed" >&2
        status=1
    fi
    rm -rf "${data:?}/$name"
done
exit $status
