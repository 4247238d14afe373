#!/bin/sh
# A running node cannot do any more what it does not need: no thread of it may make other system calls
# than those of the list, its paths end at its data, and the child that reads PDF still runs.
set -eu
. "$(dirname "$0")/federation.sh"
houses_one
cd "$fed_home"

say 'system calls'
threads=0
for status in "/proc/$fed_pid_lakeside/task"/*/status; do
    grep -q '^Seccomp:[[:space:]]*2$' "$status" || fed_fail "a thread without a filter: $status"
    grep -q '^NoNewPrivs:[[:space:]]*1$' "$status" || fed_fail "may gain privileges: $status"
    threads=$((threads + 1))
done
[ "$threads" -gt 3 ] || fed_fail 'it has threads for its links, its store and its checks'
checked lakeside "all $threads threads are filtered"

say 'the child'
consult_draft lakeside
tell 0 lakeside draft attach "$draft" "$case_dir/letter.pdf"
[ "$(ask_at lakeside '.attachments | length' draft show "$draft")" = 1 ] || fed_fail 'PDF is read'
checked lakeside 'a PDF is read in a child'

say 'systemd'
fed_down lakeside
cat >systemd.py <<'END'
import os, socket, subprocess, sys
ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
ear.bind("notify")
child = subprocess.Popen(sys.argv[1:], env={**os.environ, "NOTIFY_SOCKET": os.path.abspath("notify"),
                                            "WATCHDOG_USEC": "50000"})
for wanted in "READY=1", "WATCHDOG=1", "WATCHDOG=1":
    said = ear.recv(100).decode()
    assert said == wanted, (said, wanted)
child.terminate()
while ear.recv(100) != b"STOPPING=1":
    pass
sys.exit(child.wait())
END
timeout 60 python3 systemd.py "$fed_build/node/consiliumd" --config lakeside/consiliumd.conf \
    2>>lakeside/log || fed_fail 'systemd should hear that it is ready, turns and ends'
checked lakeside 'systemd hears that it is ready, that its loop turns, and that it ends'

say 'paths'
if grep -q paths-not-confined lakeside/log; then
    echo 'SKIPPED IN PART: this kernel has no Landlock' >&2
    exit 77
fi
mv "lakeside/data/$fed_name/items" outside
ln -s "$fed_home/outside" "lakeside/data/$fed_name/items"
timeout 20 "$fed_build/node/consiliumd" --config lakeside/consiliumd.conf 2>last &&
    fed_fail 'a path out of its data should be refused'
grep -q 'items.*Permission denied' last || { cat last >&2 && fed_fail 'it should say what it may not'; }
rm "lakeside/data/$fed_name/items"
mv outside "lakeside/data/$fed_name/items"
mv "lakeside/data/$fed_name" disk
ln -s "$fed_home/disk" "lakeside/data/$fed_name"
fed_up lakeside
checked lakeside 'a store on another disk, linked by its administrator, is its own; other links are not'
say done
