#!/bin/sh
# Each wrong setting of consiliumd is one line that names the setting and what to do, and ends it with
# status 1: an unknown key, a missing value, a port in use, somebody else's directory, and so on.
set -eu
. "$(dirname "$0")/houses.sh"
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
wrong 'others\|chmod' --run <<END
data = $fed_home/open
$federation
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
wrong 'in use\|serves it\|already\|another' --run <<END
$data
socket = $fed_home/lakeside/socket
$federation
END
fed_down lakeside
"$node" --config "$good" 2>log & fed_keep lakeside $!
await 20 'it is up again' at lakeside status
fed_down lakeside
port=$((20000 + $$ % 20000))
"$fed_build/bootstrap/consilium-relay" init --data relay >said
cat >relay.conf <<END
data = $fed_home/relay
listen = tcp://127.0.0.1:$port
federation = $fed_id
publisher = $(sed -n 2p publisher/key/publisher.public)
END
"$fed_build/bootstrap/consilium-relay" --config relay.conf 2>relay.log & fed_keep relay $!
await 20 'somebody listens on the port' grep -q listening relay.log
wrong 'port is in use' --run <<END
$data
$federation
listen = tcp://127.0.0.1:$port
END
wrong 'no \[federation' --run <<END
$data
END
wrong 'invitation' --run <<END
$data
[federation tumors]
id = $fed_id
[federation other]
id = $fed_id
END
"$node" --config nothing.conf --check-config >said 2>last && fed_fail 'there are no settings'
grep -q nothing.conf last || fed_fail 'should name the file'
say done
