#!/bin/sh
# sh node/install.sh PURPOSE...
#
# Installs the Debian packages that node/packages lists for each PURPOSE (build, demo, test, tidy).
# Prints nothing when all are installed. Without root or sudo it prints the command to run as root
# and exits with status 1.
set -eu
here=$(cd "$(dirname "$0")" && pwd)

if [ $# -eq 0 ]; then
    echo "usage: sh node/install.sh build|demo|test|tidy ..." >&2
    exit 2
fi

wanted=
for purpose in "$@"; do
    names=$(awk -v purpose="$purpose" '$1 == purpose { print $2 }' "$here/packages")
    if [ -z "$names" ]; then
        echo "install: node/packages lists nothing for '$purpose'" >&2
        exit 2
    fi
    wanted="$wanted $names"
done

if ! command -v dpkg-query >/dev/null 2>&1; then
    echo "install: this system is not Debian; install the equivalents of:" $wanted >&2
    exit 0
fi

missing=
for name in $(printf '%s\n' $wanted | sort -u); do
    state=$(dpkg-query -W -f='${db:Status-Status}\n' "$name" 2>/dev/null | head -n 1) || true
    [ "$state" = installed ] || missing="$missing $name"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -eq 0 ]; then
    root=
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    root='sudo -n'
elif command -v sudo >/dev/null 2>&1 && [ -t 0 ]; then
    root=sudo
else
    echo "install: some Debian packages are missing. Run this as root, then run this script again:" >&2
    echo "    apt-get update && apt-get install -y --no-install-recommends$missing" >&2
    exit 1
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
# Runs one apt-get, quietly unless it fails.
apt() {
    if ! $root env DEBIAN_FRONTEND=noninteractive apt-get -qq "$@" >"$log" 2>&1 </dev/null; then
        cat "$log" >&2
        echo "install: apt-get $1 failed; fix that, then run this script again" >&2
        exit 1
    fi
}

echo "install: $(printf '%s\n' $missing | wc -l) Debian packages:$missing"
apt update
apt install -y --no-install-recommends $missing
