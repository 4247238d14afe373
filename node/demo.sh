#!/bin/sh
# sh node/demo.sh [--once] [--case en|zh] [--keep DIR] [--build DIR]
#
# Installs what it needs, builds, founds a federation (three officers, two sign each head), starts two
# relays and three hospitals as processes of their own, one of which accepts no connection, and lets
# a case be asked and answered. Then it says how to go on by hand, and stays up until Ctrl-C.
#
#   --once      ends after the walk: status 0 when each step was seen at its receiver
#   --case zh   the case in Chinese (node/demo/README.md tells where the cases come from)
#   --keep DIR  everything lies in DIR, which must not exist yet, and is kept
#   --build DIR the programs are there already
#
# No real patients. All of it stays on this machine: 127.0.0.1 and one folder.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/.."
once=no
language=en
keep=
build=
while [ $# -gt 0 ]; do
    case $1 in
    --once) once=yes ;;
    --case) language=${2:?en or zh}; shift ;;
    --keep) keep=${2:?a directory}; shift ;;
    --build) build=$(cd "${2:?a directory}" && pwd); shift ;;
    *) sed -n '2s/^# /usage: /p' "$here/demo.sh" >&2; exit 2 ;;
    esac
    shift
done
[ -d "$here/demo/$language" ] || { echo "demo: there is no case $language; en and zh are" >&2; exit 2; }

if [ -t 1 ]; then bold=$(printf '\033[1m') plain=$(printf '\033[0m'); else bold='' plain=''; fi
say() { printf '\n%s== %s%s\n' "$bold" "$*" "$plain"; }
step() { printf '  ..  %s\n' "$*"; }

if [ -z "$build" ]; then
    say 'Packages and programs'
    step 'Debian packages, where some are missing'
    sh node/install.sh build demo
    mkdir -p build
    step 'configure'
    cmake --preset release -B build/demo -DCONSILIUM_TESTS=OFF >build/demo.log 2>&1 </dev/null ||
        { cat build/demo.log >&2; exit 1; }
    step 'build, into build/demo: a few minutes the first time'
    cmake --build build/demo -j "$(nproc)" >build/demo.log 2>&1 </dev/null ||
        { tail -n 40 build/demo.log >&2; exit 1; }
    build=$(pwd)/build/demo
fi
# shellcheck source=node/demo/federation.sh
. "$here/demo/federation.sh"
# shellcheck source=node/demo/consult.sh
. "$here/demo/consult.sh"

if [ -n "$keep" ]; then
    mkdir "$keep" || exit 1
    home=$(cd "$keep" && pwd)
else
    home=$(mktemp -d)
fi
[ ${#home} -le 70 ] || { echo "demo: $home: too long a path for sockets; name a shorter one" >&2; exit 1; }
finish() {
    status=$?
    trap - EXIT INT TERM
    [ "$status" = 0 ] || [ -z "$(find "$home" -name log)" ] ||
        { echo; echo 'The last lines of the logs:'; tail -n 3 "$home"/*/log; } >&2
    fed_close
    [ -n "$keep" ] || rm -rf "$home"
    exit "$status"
}
fed_open "$home" "$build"
trap finish EXIT
trap 'exit 130' INT TERM
consult_open "$here/demo/$language"
fed_tell=yes

free_port() { # the next that nobody listens on: $port
    port=$((${port:-$((20000 + $$ % 20000))} + 1))
    while [ -n "$(ss -Htln "sport = :$port")" ]; do port=$((port + 1)); done
}

say 'A society founds a federation'
step 'Ada, Bela and Chen each make an officer key, under their own passphrase'
fed_officers ada bela chen
step 'the founding head: two of three sign each later one; the office publishes'
fed_found 'Society for Rare Tumors' 2 --cooling-off 0
free_port; fed_relay north 127.0.0.1 "$port"
free_port; fed_relay south 127.0.0.1 "$port"
step 'all three sign; two relays start, and are given the list of whom to admit'
fed_signed
fed_relays_up
printf '  ok  the federation has an id, which everybody compares:\n      %s\n' "$fed_id"

say 'Three hospitals join, by mail and phone'
step 'each makes its identity and mails a request'
free_port; fed_hospital lakeside 'Lakeside Hospital' CH oncology 127.0.0.1 "$port"
free_port; fed_hospital harbour 'Harbour University Hospital' NL oncology 127.0.0.1 "$port"
fed_hospital hillside 'Hillside Cancer Centre' SE oncology
step 'an officer compares fingerprints by phone; two sign; invitations go back'
fed_admit lakeside harbour hillside
step 'three nodes start; Hillside accepts no connection at all'
for house in lakeside harbour hillside; do fed_up "$house"; done
fed_clinician lakeside grey 'Dr. Meredith Grey' MD oncology CH
fed_clinician harbour visser 'Dr. Anna Visser' 'MD, PhD' oncology NL
fed_clinician hillside berg 'Dr. Karin Berg' MD oncology SE
for house in lakeside harbour hillside; do
    check "$house" 'connected to both others and both relays' \
        '(.connected | length == 2) and ([.relays[] | select(.connected)] | length == 2) and
         (.posting_waits | not)' status
done

say "Lakeside asks: $case_title"
consult_ask lakeside grey 'Dr. Meredith Grey'
check lakeside 'the notice reached both other institutions' \
    '.case.announcement.delivery | .reached == 2 and .audience == 2' show "$case"

say 'Two others see it, offer an opinion, and read the case file'
tell 60 harbour inbox
consult_seen harbour hillside
consult_join harbour visser "$case_join"
consult_join hillside berg "$case_join_2"
consult_read harbour visser
consult_read hillside berg
for house in harbour hillside; do
    if grep -aq PLANTED "$home/$house/read"/*; then fed_fail 'planted metadata left the hospital'; fi
    checked "$house" 'author, title, dates, comments of the files stayed at Lakeside'
done

say 'Harbour asks for more, Lakeside supplies'
consult_want harbour visser
consult_supply lakeside grey 'Dr. Meredith Grey' harbour
consult_read harbour visser
grep -q 66 "$home"/harbour/read/*supply.txt || fed_fail 'what was supplied should be here'

say 'Two opinions, each written without knowing the other'
consult_reply harbour visser "$case_dir/opinion-1.json" lakeside
consult_reply hillside berg "$case_dir/opinion-2.json" lakeside
consult_apart harbour hillside
consult_apart hillside harbour
consult_reveal lakeside grey 2 harbour hillside

say 'They talk it over, Lakeside sums up, and tells how it ended'
consult_talk hillside berg "$case_post" lakeside harbour
consult_talk lakeside grey "$case_answer" hillside harbour
consult_end lakeside grey harbour hillside

say 'The thread, as Hillside holds it'
tell 400 hillside thread "$case"

say 'An opinion stands alone; the audit log is sound'
consult_export lakeside "$home/mail/second.opinion"
for house in lakeside harbour hillside; do
    check "$house" 'the audit log is sound' .sound audit verify
done
listening=$(ss -Htlnp | grep -c "pid=$fed_pid_hillside," || true)
[ "$listening" = 0 ] || fed_fail 'Hillside listens'
checked hillside 'its node owns no listening TCP socket'

if [ "$once" = yes ]; then
    say 'Done: every step was seen at its receiver'
    exit 0
fi
say 'Go on by hand, in another terminal'
cat <<END

  export PATH=$build/node/cli:$build/bootstrap:\$PATH
  hospital() { export CONSILIUM_SOCKET=$home/\$1/socket; }
  hospital lakeside         # or harbour, hillside

  consilium status
  consilium show $(echo "$case" | cut -c 1-8)
  consilium draft new       # asks for one field after the other
  consilium inbox

Who signs names the account, and here, instead of typing it, the passphrase's file:

  lakeside   --clinician grey   --passphrase-file $home/lakeside/grey.passphrase
  harbour    --clinician visser --passphrase-file $home/harbour/visser.passphrase
  hillside   --clinician berg   --passphrase-file $home/hillside/berg.passphrase

  consilium-society --society $home/society show

All is up until Ctrl-C$([ -n "$keep" ] || echo ', and then gone').
END
while :; do sleep 3600 & wait $!; done
