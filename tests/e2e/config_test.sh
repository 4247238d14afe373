#!/bin/sh
# Each wrong setting of consiliumd is one line that names the setting and what to do, and ends it with
# status 1: an unknown key, a missing value, a port in use, somebody else's directory, and so on.
set -eu
. "$(dirname "$0")/federation.sh"
houses_one
cd "$fed_home"
good=lakeside/consiliumd.conf
node=$fed_build/node/consiliumd
"$node" --config "$good" --check-config >last || fed_fail 'the good one is good'

# wrong WORDS [--run]: the settings on standard input
wrong() {
    cat >wrong.conf
    if [ "${2:-}" = --run ]; then
        timeout 20 "$node" --config wrong.conf >said 2>all && fed_fail "should not start: $1"
        grep '^consiliumd: ' all >last || true # the log is beside it
    else
        "$node" --config wrong.conf --check-config >said 2>last && fed_fail "should be wrong: $1"
    fi
    grep -q '^consiliumd: [^ ]*wrong\.conf:[0-9]*:\? ' last || grep -q 'wrong.conf: \|no \[federation' last ||
        { cat last >&2 && fed_fail "should name the file, for: $1"; }
    if grep -q '\[\]' last; then cat last >&2 && fed_fail 'no section has no name'; fi
    [ "$(grep -c . last)" = 1 ] || { cat last >&2 && fed_fail "one line, not more, for: $1"; }
    grep -q -i -e "$1" last || { cat last >&2 && fed_fail "should say '$1'"; }
    checked lakeside "$(cut -c 1-70 last)"
}
data="data = $fed_home/lakeside/data"
federation="[federation tumors]
id = $fed_id"

say 'settings'
wrong 'colour' <<END
colour = blue
$data
END
wrong 'data' <<END
socket = /tmp/socket
END
wrong 'data' <<END
data =
END
wrong 'log' <<END
$data
log = loud
END
wrong 'workers' <<END
$data
workers = many
END
wrong 'workers' <<END
$data
workers = 65
END
wrong 'kidneys' <<END
$data
[kidneys]
END
wrong 'id' <<END
$data
[federation tumors]
END
wrong '64 hexadecimal digits' <<END
$data
[federation tumors]
id = 1234
END
wrong 'letters, digits' <<END
$data
[federation Tumors!]
id = $fed_id
END
wrong 'listen' <<END
$data
$federation
listen = localhost
END
wrong 'listen' <<END
$data
$federation
listen = tcp://127.0.0.1:70000
END
wrong 'grants' <<END
$data
$federation
grants = perhaps
END
wrong 'quota' <<END
$data
$federation
quota = 5
END
wrong 'administrators' <<END
$data
administrators = no-such-group-here
END
wrong 'group' <<END
$data
group = no-such-group-here
END
wrong 'again\|twice\|already' <<END
$data
$data
END
head -c 2000 /dev/urandom | wrong '.'

say 'directories, ports and files'
wrong 'no such file\|there is no\|init' <<END
data = $fed_home/nowhere
END
mkdir open empty
chmod 700 empty
cp -r lakeside/data/*.key open/ && chmod 700 open && chmod 644 open/*.key
wrong 'others\|chmod' <<END
data = $fed_home/open
END
cp -r lakeside/data lost && rm lost/store.key
wrong '2: data: .*lost/store.key: is not there' <<END
# a remark
data = $fed_home/lost
END
cp lost/identity.key lost/store.key
wrong 'store.key: holds a node' <<END
data = $fed_home/lost
END
wrong '3: marker: .*/nowhere is not a directory' <<END
# a remark
$data
marker = $fed_home/nowhere
END
rm -r lost
wrong '2: institution: the keys in .* are of "Lakeside Hospital"' <<END
$data
institution = Harbour University Hospital
END
wrong '1: socket: its folder .*nowhere: No such file' <<END
socket = $fed_home/nowhere/socket
$data
END
wrong '1: socket: something else lies there' <<END
socket = $fed_home/lakeside/consiliumd.conf
$data
END
wrong 'init' <<END
data = $fed_home/empty
END
if [ "$(id -u)" = 0 ]; then
    cp -r lakeside/data theirs
    chown -R nobody theirs
    wrong 'belongs\|owner\|user' <<END
data = $fed_home/theirs
END
fi

say 'beside a node that runs'
wrong 'runs with these stores' --run <<END
$data
socket = $fed_home/lakeside/socket
$federation
END
"$node" --config "$good" --check-config >last || fed_fail 'its own settings are good while it runs'
grep -q 'a node runs' last || fed_fail 'it should say that it did not look at everything'
mkdir other
chmod 700 other
"$node" init --data other --name 'Riverside Institute' --country FR --board oncology \
    --request other.request >said
wrong '2: socket: another consiliumd serves it' <<END
data = $fed_home/other
socket = $fed_home/lakeside/socket
END
fed_down lakeside

say 'ports and stores'
port=$((20000 + $$ % 10000))
"$fed_build/bootstrap/consilium-relay" init --data relay >said
cat >relay.conf <<END
data = $fed_home/relay
listen = tcp://127.0.0.1:$port
federation = $fed_id
publisher = $(sed -n 2p publisher/key/publisher.public)
END
"$fed_build/bootstrap/consilium-relay" --config relay.conf 2>relay.log & fed_keep relay $!
await 20 'somebody listens on the port' grep -q listening relay.log
for run in '' --run; do
    wrong '4: \[federation tumors\] listen: .*port is in use' $run <<END
$data
$federation
listen = tcp://127.0.0.1:$port
END
    wrong "invitation was taken" $run <<END
$data
$federation
[federation other]
id = $(printf %064d 1)
END
done
wrong 'listen: tcp://127.0.0.1:.*: the port is in use' <<END
$data
$federation
listen = tcp://127.0.0.1:$((port + 1)), tcp://127.0.0.1:$((port + 1))
END
wrong 'listen: tcp://192.0.2.1:7801: this machine has no such address' <<END
$data
$federation
listen = tcp://192.0.2.1:7801
END
wrong '5: \[federation other\] id: another section has this federation' <<END
$data
$federation
[federation other]
id = $fed_id
END
wrong 'no \[federation' --run <<END
$data
END
cp -r lakeside/data/tumors other/tumors
wrong '2: \[federation tumors\] id: .*other store key\|3: \[federation tumors\] id: .*another store key' <<END
data = $fed_home/other
$federation
END
cp lakeside/data/store.key other/store.key
for run in '' --run; do
    wrong '3: \[federation tumors\] id: .*belongs to another federation or institution' $run <<END
data = $fed_home/other
$federation
END
done
wrong '3: \[federation tumors\] id: .*belongs to another federation or institution' <<END
$data
[federation tumors]
id = $(printf %064d 1)
END

say 'a socket without a folder'
sed 's,^socket = .*,socket = bare.sock,' "$good" >bare.conf
grep -q '^socket = bare.sock' bare.conf || fed_fail 'the settings should name a socket'
"$node" --config bare.conf --check-config >last || fed_fail 'relative names are good'
checked lakeside 'a bare name of settings and socket'
"$node" --config bare.conf >said 2>all &
bare=$!
for _ in $(seq 100); do
    [ ! -S bare.sock ] || break
    kill -0 "$bare" || { cat all >&2 && fed_fail 'it should start with a bare name'; }
    sleep 0.05
done
[ -S bare.sock ] || { cat all >&2 && fed_fail 'the socket should be beside the settings'; }
kill "$bare"
wait "$bare" || fed_fail 'it should end well'
checked lakeside 'served at a bare name'

say 'how the keys open'
printf 'a passphrase\n' >words
chmod 600 words
mkdir sealed
chmod 700 sealed
"$node" init --data sealed --sealed --passphrase-file words --name 'Riverside Institute' \
    --country FR --board oncology --request sealed.request >said
sealed="data = $fed_home/sealed"
printf '%s\n' "$sealed" >good.conf
"$node" --config good.conf --check-config >last || fed_fail 'sealed keys are good'
grep -q 'not opened' last || fed_fail 'it should say that it did not open them'
printf '%s\nunlock = passphrase-file\npassphrase-file = words\n' "$sealed" >good.conf
"$node" --config good.conf --check-config >last || fed_fail 'so they open'
printf '%s\nunlock = credential\n' "$sealed" >good.conf
cp words consilium-passphrase
chmod 400 consilium-passphrase
CREDENTIALS_DIRECTORY=$fed_home "$node" --config good.conf --check-config >last ||
    fed_fail 'so they open too'
if grep -q 'not opened' last; then fed_fail 'it opened them'; fi
wrong '2: unlock: the keys lie bare' <<END
$data
unlock = prompt
END
wrong '2: unlock: the keys are sealed' <<END
$sealed
unlock = key-file
END
wrong '2: unlock: wants a line passphrase-file' <<END
$sealed
unlock = passphrase-file
END
wrong '3: passphrase-file: is not used' <<END
$sealed
unlock = credential
passphrase-file = words
END
wrong '2: passphrase-file: .*nothing is not there' <<END
$sealed
passphrase-file = nothing
END
chmod 644 words
wrong '2: passphrase-file: .*others may read' <<END
$sealed
passphrase-file = words
END
chmod 600 words
echo 'another passphrase' >words
wrong 'identity.key: the passphrase does not open it' <<END
$sealed
passphrase-file = words
END
"$node" --config nothing.conf --check-config >said 2>last && fed_fail 'there are no settings'
grep -q nothing.conf last || fed_fail 'should name the file'
say done
