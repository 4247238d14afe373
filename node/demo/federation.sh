# A federation on one machine, for the demo and the end-to-end tests: . node/demo/federation.sh
#
# What is done is done by the public programs alone; what passes between houses passes as a file in
# $fed_home/mail, with its fingerprint read out, or over the network. Each house has a folder of its
# own below $fed_home: officers/NAME, society, publisher, relay NAME, hospital NAME.
#
#   fed_open HOME BUILD       where everything lies, and the build directory of the programs
#   fed_officers NAME...      each makes a key of their own
#   fed_found NAME K [OPTION...]  prepares the founding head, K of the officers sign later ones
#   fed_relay NAME ADDRESS PORT   a relay with a key, listed; before fed_signed, or followed by it
#   fed_signed [OFFICER...]   these sign (default: the first K; all, when it is the founding head)
#   fed_relays_up             starts all relays and publishes the head to them
#   fed_hospital NAME TITLE COUNTRY BOARD [ADDRESS PORT]  identity and request; no address: outbound
#   fed_admit NAME...         phones, admits, invites, publishes; each takes its invitation
#   fed_up NAME, fed_down NAME    starts a hospital's node and waits till it answers; ends it
#   fed_clinician NAME LOGIN FULL-NAME CREDENTIALS SPECIALTY
#   at NAME COMMAND...        `consilium` at that hospital, signing with the clinician in $as
#   ask_at NAME FILTER COMMAND... what jq makes of its --json
#   await SECONDS WHAT COMMAND... until it succeeds; when it does not, the end, saying WHAT
#   fed_close [SIGNAL]        ends all processes that were started here, and no others
#
# A host is a name that a test may place in a network namespace: it redefines fed_at and fed_start.

fed_open() {
    fed_home=$1
    fed_build=$2
    fed_name=tumors
    fed_pids=
    fed_relays=
    fed_officer_names=
    mkdir -p "$fed_home/mail" "$fed_home/officers"
    chmod 700 "$fed_home"
}

fed_fail() {
    echo "FAILED: $*" >&2
    exit 1
}

# Runs a command as the host of that name; its output goes to $fed_home/last unless it is wanted.
fed_at() {
    shift
    "$@"
}

# The command's own id is in $fed_pid.
fed_start() {
    shift
    "$@" &
    fed_pid=$!
}

fed_quietly() {
    "$@" >"$fed_home/last" 2>&1 && return
    cat "$fed_home/last" >&2
    fed_fail "$*"
}

fed_passphrase() { # FILE: a passphrase of its own, for a machine that types it
    (umask 077 && od -An -N12 -tx1 /dev/urandom | tr -d ' \n' >"$1" && echo >>"$1")
}

await() { # SECONDS WHAT COMMAND...
    fed_until=$(($(date +%s) + $1))
    fed_what=$2
    shift 2
    until "$@" >/dev/null 2>&1; do
        [ "$(date +%s)" -lt "$fed_until" ] || fed_fail "waited in vain: $fed_what"
        sleep 0.1
    done
}

# ---- the society ----

fed_society() {
    "$fed_build/bootstrap/consilium-society" --society "$fed_home/society" "$@"
}

fed_officers() {
    for fed_officer in "$@"; do
        mkdir -p "$fed_home/officers/$fed_officer"
        fed_passphrase "$fed_home/officers/$fed_officer/passphrase"
        fed_quietly "$fed_build/bootstrap/consilium-society" officer init \
            --key "$fed_home/officers/$fed_officer/key" --name "$fed_officer" \
            --passphrase-file "$fed_home/officers/$fed_officer/passphrase"
        cp "$fed_home/officers/$fed_officer/key/officer.public" "$fed_home/mail/$fed_officer.public"
    done
    fed_officer_names="$*"
}

fed_found() {
    fed_title=$1
    fed_threshold=$2
    shift 2
    fed_listed=
    for fed_officer in $fed_officer_names; do
        fed_listed="$fed_listed --officer $fed_home/mail/$fed_officer.public"
    done
    # shellcheck disable=SC2086 # a list of options
    fed_quietly fed_society found --name "$fed_title" $fed_listed --threshold "$fed_threshold" "$@"
    mkdir -p "$fed_home/publisher"
    fed_passphrase "$fed_home/publisher/passphrase"
    fed_quietly "$fed_build/bootstrap/consilium-society" publisher init \
        --key "$fed_home/publisher/key" --name office \
        --passphrase-file "$fed_home/publisher/passphrase"
    fed_quietly fed_society publisher add "$fed_home/publisher/key/publisher.public"
}

fed_sign() { # OFFICER, with a key and in an invocation of their own
    fed_quietly fed_society sign --key "$fed_home/officers/$1/key" --yes \
        --passphrase-file "$fed_home/officers/$1/passphrase"
}

fed_signed() {
    if [ $# -eq 0 ]; then
        # shellcheck disable=SC2086 # a list of names
        set -- $fed_officer_names
        fed_epoch=$(fed_society show --json 2>/dev/null | jq '.epoch // 0')
        [ "${fed_epoch:-0}" -eq 0 ] || while [ $# -gt "$fed_threshold" ]; do shift; done
    fi
    for fed_officer in "$@"; do
        fed_sign "$fed_officer"
    done
    fed_id=$(fed_society show --json | jq -r .federation)
}

fed_publish() {
    fed_quietly fed_at society "$fed_build/bootstrap/consilium-society" \
        --society "$fed_home/society" publish --key "$fed_home/publisher/key" --wait 20 \
        --passphrase-file "$fed_home/publisher/passphrase"
}

# ---- relays ----

fed_relay() {
    mkdir -p "$fed_home/$1"
    "$fed_build/bootstrap/consilium-relay" init --data "$fed_home/$1/data" \
        --endpoint "tcp://$2:$3" >"$fed_home/mail/$1.relay" || fed_fail "relay $1 init"
    fed_key=$(sed -n 's/^ *public key *//p' "$fed_home/mail/$1.relay")
    fed_quietly fed_society relay add "$fed_key" "tcp://$2:$3" --name "$1" \
        --fingerprint "$(fed_digits "$fed_home/mail/$1.relay")"
    echo "listen = tcp://$2:$3" >"$fed_home/$1/listen"
    fed_relays="$fed_relays $1"
}

fed_relay_up() {
    cat >"$fed_home/$1/relay.conf" <<END
data = $fed_home/$1/data
$(cat "$fed_home/$1/listen")
federation = $fed_id
publisher = $(sed -n 2p "$fed_home/publisher/key/publisher.public")
END
    fed_start "$1" "$fed_build/bootstrap/consilium-relay" --config "$fed_home/$1/relay.conf" \
        >"$fed_home/$1/log" 2>&1
    fed_keep "$1" "$fed_pid"
    await 20 "relay $1 listens" grep -q listening "$fed_home/$1/log"
}

fed_relays_up() {
    for fed_relay in $fed_relays; do
        fed_relay_up "$fed_relay"
    done
    fed_publish
}

# ---- hospitals ----

fed_hospital() { # NAME TITLE COUNTRY BOARD [ADDRESS PORT]
    fed_house=$fed_home/$1
    mkdir -p "$fed_house"
    fed_endpoint=
    fed_listen=
    if [ $# -gt 4 ]; then
        fed_endpoint="--endpoint tcp://$5:$6"
        fed_listen="listen = tcp://$5:$6"
    fi
    # shellcheck disable=SC2086 # none, or two words
    fed_quietly "$fed_build/node/consiliumd" init --data "$fed_house/data" --name "$2" \
        --country "$3" --board "$4" --request "$fed_home/mail/$1.request" $fed_endpoint
    fed_digits "$fed_home/last" >"$fed_home/mail/$1.said"
    echo "$2" >"$fed_house/title"
    mkdir -p -m 700 "$fed_house/marker"
    cat >"$fed_house/consiliumd.conf" <<END
data = $fed_house/data
marker = $fed_house/marker
socket = $fed_house/socket
[federation $fed_name]
id = $fed_id
$fed_listen
END
}

fed_digits() { # the fingerprint that a program showed
    grep -Eo '[0-9]{5}( [0-9]{5})+' "$1" | head -n 1
}

fed_admit() {
    for fed_new in "$@"; do
        fed_quietly fed_society admit "$fed_home/mail/$fed_new.request" \
            --fingerprint "$(cat "$fed_home/mail/$fed_new.said")"
    done
    fed_signed
    [ -z "$fed_relays" ] || fed_publish
    for fed_new in "$@"; do
        fed_quietly fed_society invite "$(cat "$fed_home/$fed_new/title")" \
            --output "$fed_home/mail/$fed_new.invitation"
        fed_quietly "$fed_build/node/consiliumd" join --data "$fed_home/$fed_new/data" \
            --federation "$fed_name" "$fed_home/mail/$fed_new.invitation" \
            --fingerprint "$(fed_digits "$fed_home/last")"
    done
}

fed_up() {
    fed_start "$1" "$fed_build/node/consiliumd" --config "$fed_home/$1/consiliumd.conf" \
        2>>"$fed_home/$1/log"
    fed_keep "$1" "$fed_pid"
    await 30 "the node of $1 answers" at "$1" boards
}

fed_keep() {
    eval "fed_pid_$1=$2"
    fed_pids="$fed_pids $2"
}

fed_down() { # NAME [SIGNAL]
    eval "fed_pid=\$fed_pid_$1"
    kill "-${2:-TERM}" "$fed_pid" 2>/dev/null || true
    wait "$fed_pid" 2>/dev/null || true
}

fed_clinician() { # NAME LOGIN FULL-NAME CREDENTIALS SPECIALTY COUNTRY
    fed_passphrase "$fed_home/$1/$2.passphrase"
    fed_quietly at "$1" clinician add --login "$2" --name "$3" --credentials "$4" \
        --specialties "$5" --country "$6" --uid "$(id -u)" --passphrase-file "$fed_home/$1/$2.passphrase"
}

at() {
    fed_where=$1
    shift
    "$fed_build/node/cli/consilium" "$@" --socket "$fed_home/$fed_where/socket"
}

# As the clinician LOGIN there, as a script: at a terminal the command would ask before it signs.
sign_at() { # NAME LOGIN COMMAND...
    if [ -t 0 ]; then
        sign_at "$@" </dev/null
        return
    fi
    fed_where=$1
    fed_login=$2
    shift 2
    at "$fed_where" "$@" --clinician "$fed_login" \
        --passphrase-file "$fed_home/$fed_where/$fed_login.passphrase"
}

ask_at() { # NAME FILTER COMMAND...
    fed_there=$1
    fed_filter=$2
    shift 2
    # what fails says nothing, and that is true to some versions of jq
    fed_answer=$(at "$fed_there" "$@" --json) || [ $? = 3 ] || return 1 # 3: a status that waits
    [ -n "$fed_answer" ] &&
        printf '%s\n' "$fed_answer" | jq -er "$fed_filter"
}

fed_close() { # [SIGNAL]: what does not end within seven seconds is killed
    for fed_pid in $fed_pids; do
        kill "-${1:-TERM}" "$fed_pid" 2>/dev/null || true
    done
    for fed_pid in $fed_pids; do
        fed_try=0
        while kill -0 "$fed_pid" 2>/dev/null && [ "$fed_try" -lt 70 ]; do
            sleep 0.1
            fed_try=$((fed_try + 1))
        done
        kill -9 "$fed_pid" 2>/dev/null || true
        wait "$fed_pid" 2>/dev/null || true
    done
    fed_pids=
}
