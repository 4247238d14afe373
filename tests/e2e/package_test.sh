#!/bin/sh
# The Debian packages hold what an administrator expects, install into an empty root without running
# anything of it, and leave a user, a closed directory, settings and units that systemd understands.
set -eu
build=${CONSILIUM_BUILD:?}
for tool in cpack dpkg-deb dpkg-shlibdeps systemd-analyze systemd-sysusers; do
    command -v "$tool" >/dev/null || { echo "SKIPPED, NOTHING WAS TESTED: there is no $tool" >&2 && exit 77; }
done
[ "$(id -u)" = 0 ] || { echo 'SKIPPED, NOTHING WAS TESTED: only root installs packages' >&2 && exit 77; }
home=$(mktemp -d)
chmod 755 "$home"
trap 'rm -rf "$home"' EXIT INT TERM
root=$home/root

fail() {
    echo "FAILED: $*" >&2
    exit 1
}
holds() { # PACKAGE MODE PATH...
    package=$1
    mode=$2
    shift 2
    dpkg-deb -c "$home/$package.deb" >"$home/$package.list"
    for path in "$@"; do
        grep -q -e "^$mode root/root .* \./$path\$" "$home/$package.list" ||
            fail "$package should hold $path with $mode"
    done
}
says() { # PACKAGE FIELD WORDS
    case "$(dpkg-deb -f "$home/$1.deb" "$2")" in
    *"$3"*) ;;
    *) fail "$1: $2 should say $3" ;;
    esac
}

echo 'two packages'
(cd "$build" && cpack -G DEB -B "$home/made") >"$home/log" 2>&1 || { cat "$home/log" >&2 && fail cpack; }
mv "$home"/made/consilium-node_*.deb "$home/node.deb"
mv "$home"/made/consilium-society_*.deb "$home/society.deb"
holds node -rwxr-xr-x usr/bin/consiliumd usr/bin/consilium usr/libexec/consilium/consilium-pdf
holds node -rw-r--r-- etc/consilium/consiliumd.conf usr/lib/systemd/system/consiliumd.service \
    usr/lib/systemd/system/consilium-backup.service usr/lib/systemd/system/consilium-backup.timer \
    usr/lib/sysusers.d/consilium-node.conf usr/share/man/man8/consiliumd.8
holds society -rwxr-xr-x usr/bin/consilium-relay usr/bin/consilium-society
holds society -rw-r--r-- etc/consilium/consilium-relay.conf \
    usr/lib/systemd/system/consilium-relay.service usr/lib/sysusers.d/consilium-relay.conf
if grep -q consiliumd "$home/society.list"; then fail 'a relay has no node'; fi
for package in node society; do
    says $package Depends 'libsodium23 (>= 1.0.18-1+deb12u1)'
    says $package Depends libzmq5
    [ "$(dpkg-deb --ctrl-tarfile "$home/$package.deb" | tar -xO ./conffiles | wc -l)" = 1 ] ||
        fail "$package: its settings are the administrator's"
done

echo 'installed'
mkdir -p "$root/var/lib/dpkg/info" "$root/var/lib/dpkg/updates" "$root/etc"
: >"$root/var/lib/dpkg/status"
dpkg --root="$root" --force-script-chrootless --force-depends -i "$home/node.deb" \
    "$home/society.deb" >"$home/log" 2>&1 || { cat "$home/log" >&2 && fail 'dpkg -i'; }
for who in consilium consilium-relay; do
    id=$(sed -n "s/^$who:x:\([0-9]*\):\([0-9]*\):.*/\1:\2/p" "$root/etc/passwd")
    [ -n "$id" ] || fail "there should be a user $who"
    grep -q "^$who:" "$root/etc/group" || fail "there should be a group $who"
    [ "$(stat -c %a:%u:%g "$root/var/lib/$who")" = "700:$id" ] ||
        fail "the directory of $who should be its own alone"
done
[ "$(stat -c %a "$root/var/backups/consilium")" = 700 ] || fail 'backups are for the node alone'
[ -z "$(find "$root" -path '*timers.target.wants*')" ] || fail 'the administrator enables the timer'
[ "$(stat -c %a "$root/run/consilium")" = 755 ] || fail 'the folder of the socket should be there'
for program in usr/bin/find bin/sh; do # of a system, which this root is not
    install -D -m 755 /dev/null "$root/$program"
done
systemd-analyze verify --root="$root" --recursive-errors=no --man=no consiliumd.service \
    consilium-relay.service consilium-backup.service consilium-backup.timer >"$home/log" 2>&1 || { cat "$home/log" >&2 && fail 'the units'; }
grep -v 'network-online.target\|time-sync.target\|nss-lookup.target' "$home/log" >"$home/rest" || true
[ ! -s "$home/rest" ] || { cat "$home/rest" >&2 && fail 'systemd complains of the units'; }
for unit in consiliumd consilium-relay; do
    for line in Type=notify NoNewPrivileges=yes ProtectSystem=strict CapabilityBoundingSet= \
        "StateDirectory=" WatchdogSec=60; do
        grep -q "^$line" "$root/usr/lib/systemd/system/$unit.service" || fail "$unit: $line"
    done
done

echo 'the settings that come with it lack only what nobody can know before'
sed -i "s,= /var/lib,= $root/var/lib,; s,= /run,= $root/run," "$root"/etc/consilium/*.conf
chown 0:0 "$root/var/lib/consilium" "$root/run/consilium" # the test is its user
"$build/node/consiliumd" --config "$root/etc/consilium/consiliumd.conf" --check-config \
    2>"$home/log" && fail 'there is no identity yet'
grep -q 'init' "$home/log" || { cat "$home/log" >&2 && fail 'it should say what is next'; }
"$build/bootstrap/consilium-relay" --config "$root/etc/consilium/consilium-relay.conf" \
    --check-config 2>"$home/log" && fail 'no society has named its federation yet'
grep -q 'federation is missing' "$home/log" || { cat "$home/log" >&2 && fail 'it should ask for it'; }
sed -i 's/^#federation.*/federation = '"$(printf %064d 1)"'/; s/^#publisher.*/publisher = '"$(printf %064d 1)/" \
    "$root/etc/consilium/consilium-relay.conf"
"$build/bootstrap/consilium-relay" --config "$root/etc/consilium/consilium-relay.conf" \
    --check-config 2>"$home/log" && fail 'there is no key yet'
grep -q 'consilium-relay init' "$home/log" || { cat "$home/log" >&2 && fail 'it should say what is next'; }
chown 0:0 "$root/var/lib/consilium-relay"
"$build/bootstrap/consilium-relay" init --data "$root/var/lib/consilium-relay" >"$home/log" || fail 'relay init'
"$build/bootstrap/consilium-relay" --config "$root/etc/consilium/consilium-relay.conf" \
    --check-config >"$home/log" || fail 'then they are good'
echo 'again, as an upgrade: what the administrator wrote stays'
dpkg --root="$root" --force-script-chrootless --force-depends --force-confold -i \
    "$home/society.deb" >"$home/log" 2>&1 || { cat "$home/log" >&2 && fail 'the upgrade'; }
grep -q '^federation = 0' "$root/etc/consilium/consilium-relay.conf" || fail 'they should stay'
dpkg --root="$root" --force-script-chrootless --force-depends -r consilium-society >"$home/log" 2>&1 ||
    { cat "$home/log" >&2 && fail 'the removal'; }
[ -d "$root/var/lib/consilium-relay" ] || fail 'keys stay when the package goes'
echo done
