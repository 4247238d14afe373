#!/bin/sh
# Lakeside is killed at the n-th call of a kind, or that call fails, once or from then on, while it asks,
# posts, grants access, takes an opinion in, erases and stops. Started again, it and Harbour hold all that
# was acknowledged, once; no stream is forked; an erasure goes on. A node that ends itself logs a sentence
# that says what to do. The same for a backup and for putting it back.
# A share of the calls is taken; CONSILIUM_FULL=1 takes them all, in some hours.
set -eu
full=${CONSILIUM_FULL:-}
. "$(dirname "$0")/federation.sh"
strace -f -qq -o /dev/null true 2>/dev/null || {
    echo 'SKIPPED, NOTHING WAS TESTED: strace does not work here: sh node/install.sh test' >&2
    exit 77
}
export ASAN_OPTIONS=detect_leaks=0 # it cannot look for leaks while it is traced
node=$houses_build/node/consiliumd
houses_open lakeside harbour
data=$fed_home/lakeside/data
case_mode=open
acknowledged=$fed_home/acknowledged
: >"$acknowledged"
echo yes >"$fed_home/yes"
injected=

fed_start() {
    houses_host=$1
    shift
    # -D: the node stays the child of this shell
    # shellcheck disable=SC2086 # words
    [ "$houses_host" != lakeside ] || [ -z "$injected" ] ||
        set -- strace -D -f -qq -o "$fed_home/traced" $injected "$@"
    ns_start "$houses_host" "$@"
    fed_pid=$ns_pid
}

is_up() {
    # who has ended is a zombie until it is waited for
    grep -qs '^State:[^Z]*$' "/proc/$fed_pid_lakeside/status"
}

acknowledge() {
    echo "$number $*" >>"$acknowledged"
}

post() { # TEXT
    tell_signed 0 lakeside grey discuss "$kept" --text "$1" --language en
    acknowledge "post $1"
}

announce() {
    tell_signed 0 lakeside grey announce "$draft" --confirmed-by 'Dr. Meredith Grey' <"$fed_home/yes"
}

# In a process of its own, which ends at the first step that fails, as do those that wait when the node
# is gone. Who erases a case has heard of its end when all receipts are there.
story() {
    await() {
        fed_until=$(($(date +%s) + 12))
        fed_what=$2
        shift 2
        until "$@" >/dev/null 2>&1; do
            is_up || fed_fail "the node is gone: $fed_what"
            [ "$(date +%s)" -lt "$fed_until" ] || fed_fail "waited in vain: $fed_what"
            sleep 0.05
        done
    }
    post "number $number"
    consult_draft lakeside
    consult_attach lakeside
    echo "$case" >"$fed_home/case"
    announce
    acknowledge "case $case"
    consult_seen harbour
    consult_join harbour visser "$case_join"
    consult_reply harbour visser "$case_dir/opinion-1.json" lakeside
    acknowledge "opinion $case $fed_opinion"
    post "number $number again"
    tell_signed 0 lakeside grey erase "$case" --yes
    acknowledge "erased $case"
    check lakeside 'a receipt' '[.receipts[] | select(.erased_at)] | length == 1' erasure "$case"
    acknowledge "whole"
}

acknowledged_now() { # PATTERN
    grep -q "^$number $1" "$acknowledged"
}

# CALL ACTION N: what strace is told; it counts for each thread.
traced() {
    injected="-e trace=$1 -e inject=$1:$2:when=$3 ${4:-}"
    # a signal cannot be sent from where --seccomp-bpf stops a thread
    [ "$2" = signal=KILL ] || injected="--seccomp-bpf $injected"
    number=$((number + 1))
    rm -f "$fed_home/case"
    log_size=$(wc -c <"$fed_home/lakeside/log")
    ended=0
    : >"$fed_home/traced"
    fed_start lakeside "$node" --config "$fed_home/lakeside/consiliumd.conf" 2>>"$fed_home/lakeside/log"
    fed_keep lakeside "$fed_pid"
    (
        for try in $(seq 300); do
            ! at lakeside boards >/dev/null 2>&1 || break
            is_up || exit 1
            sleep 0.05
        done
        story
    ) >"$fed_home/story" 2>&1 || true
    if is_up; then
        kill -TERM "$fed_pid_lakeside"
        for try in $(seq 200); do
            is_up || break
            sleep 0.05
        done
        ! is_up || fed_fail "does not stop: $1 $2 $3"
    fi
    wait "$fed_pid_lakeside" || ended=$?
    injected=
    hit=no
    ! grep -q 'INJECTED\|killed by SIGKILL' "$fed_home/traced" || hit=yes
    [ "$hit$full" != no ] || fed_fail "was not reached: $1 $3"
    say "$1 $2 $3: reached: $hit, ended with $ended, $(grep -c "^$number " "$acknowledged") acknowledged$(
        sed -n 's/.*FAILED: /; /p' "$fed_home/story" | head -n 1)"
}

killed() { # CALL N
    traced "$1" signal=KILL "$2"
    [ "$hit" = no ] || [ "$ended" = 137 ] || fed_fail "was killed, and ended with $ended"
    goes_on
}

failing() { # CALL ERROR N[+] [OPTION]
    traced "$1" "error=$2" "$3" "${4:-}"
    tail -c +$((log_size + 1)) "$fed_home/lakeside/log" >"$fed_home/log"
    case $ended in
    0) ;;
    1)
        grep -q ' do=\|^consiliumd: ' "$fed_home/log" ||
            fed_fail "ends without a word about what to do: $1 $2 $3"
        ;;
    *) fed_fail "ended with $ended: $1 $2 $3" ;;
    esac
    goes_on
}

# A participant keeps that a case was erased; who only read the announcement forgets the case.
is_erased() { # HOST
    if at "$1" show "$case" --json >"$fed_home/shown" 2>"$fed_home/last"; then
        jq -e '.case.state == "erased"' "$fed_home/shown"
    else
        [ "$1" = harbour ] && grep -q 'not known here' "$fed_home/last"
    fi && ask_at "$1" "all(.inbox[]; .case != \"$case\" or .state == \"erased\")" inbox
}

goes_on() {
    fed_up lakeside
    check lakeside 'it may post, nothing is forked' '(.posting_waits | not) and .streams.forked == 0' status
    for words in "number $number" "number $number again"; do
        ! acknowledged_now "post $words\$" || has_once lakeside "$words"
    done
    if [ -s "$fed_home/case" ]; then
        case=$(cat "$fed_home/case")
        announced=no
        ! ask_at lakeside '.case.state' show "$case" >"$fed_home/state" 2>/dev/null || announced=yes
        ! acknowledged_now "case $case" || [ "$announced" = yes ] || fed_fail "the case $case is lost"
        ! acknowledged_now "erased $case" || [ "$(cat "$fed_home/state")" = erased ] ||
            fed_fail "the case $case was erased, and is $(cat "$fed_home/state")"
        if [ "$announced" = yes ] && [ "$(cat "$fed_home/state")" != draft ]; then
            opinion=$(sed -n "s/^$number opinion $case //p" "$acknowledged")
            [ "$(cat "$fed_home/state")" = erased ] || [ -z "$opinion" ] ||
                check lakeside 'the opinion that was taken in' \
                    "any(.thread[]; .record == \"$opinion\")" thread "$case"
            [ "$(cat "$fed_home/state")" = erased ] || {
                # what was announced in part is still a draft; the same again continues it
                draft=$(ask_at lakeside ".drafts[] | select(.case == \"$case\") | .draft" draft list) || draft=
                acknowledged_now "case $case" || [ -z "$draft" ] || announce
                consult_seen harbour
                tell_signed 0 lakeside grey erase "$case" --yes
            }
            for house in lakeside harbour; do
                await 30 "$house: $case is erased" is_erased "$house"
            done
            cases="$cases $case"
        fi
    fi
    post "number $number goes on"
    fed_down lakeside
}

has_once() { # HOST TEXT
    check "$1" "has '$2' once" \
        "[.thread[] | select(.kind == \"POST\" and .content.text == \"$2\")] | length == 1" thread "$kept"
}

number=0
cases=
consult_ask lakeside grey 'Dr. Meredith Grey'
consult_seen harbour
consult_join harbour visser "$case_join"
kept=$case
fed_down lakeside

# ALL are from 1 to that, SHARE are some that every run reaches.
kills() { # CALL ALL SHARE...
    kills_call=$1
    [ -z "$full" ] || set -- "$1" "$2" $(seq "$2")
    shift 2
    for kills_n in "$@"; do killed "$kills_call" "$kills_n"; done
}

fails() { # CALL ERROR ALL SHARE...
    fails_call=$1 fails_error=$2
    [ -z "$full" ] || set -- "$1" "$2" "$3" $(seq "$3") $(seq -f %g+ "$3")
    shift 3
    for fails_n in "$@"; do failing "$fails_call" "$fails_error" "$fails_n"; done
}

kills pwrite64 200 60 110
kills fdatasync 50 15 30
kills fsync 11 4 6
kills unlinkat 6 2
kills fallocate 3 1
kills write 60 20
kills sendto 40 20
kills sendmsg 40 20
fails pwrite64 EIO 200 80
fails pwrite64 ENOSPC 200 100+
fails fdatasync EIO 50 25 35+
fails fdatasync ENOSPC 50
fails fsync EIO 11 5
fails fallocate ENOSPC 2 1+
fails unlinkat EIO 6 3+
# without its marker the node goes on, and says so
marker="-P $fed_home/lakeside/marker/tumors.marker"
failing write EIO 1+ "$marker"
grep -q 'marker-failed.* do=' "$fed_home/log" || fed_fail 'nothing tells that the marker failed'
[ -z "$full" ] || for n in 1 2 3 1+ 2+ 3+; do failing write ENOSPC "$n" "$marker"; done

say "$number times; now both are up"
fed_up lakeside
houses_connected 1 lakeside
case=$kept
at lakeside thread "$kept" --json | jq -r '.thread[] | select(.kind == "POST") | .content.text' |
    sort >"$fed_home/posts"
check harbour 'the last post is here' \
    "any(.thread[]; .kind == \"POST\" and .content.text == \"number $number goes on\")" thread "$kept"
at harbour thread "$kept" --json | jq -r '.thread[] | select(.kind == "POST") | .content.text' |
    sort >"$fed_home/posts-harbour"
cmp "$fed_home/posts" "$fed_home/posts-harbour" || fed_fail 'the houses hold different posts'
[ -z "$(uniq -d "$fed_home/posts")" ] || fed_fail 'a post is there twice'
sed -n 's/^[0-9]* post //p' "$acknowledged" | while read -r text; do
    grep -qxF "$text" "$fed_home/posts" || fed_fail "was acknowledged, and is lost: $text"
done
[ "$(echo "$cases" | wc -w)" -gt 5 ] || fed_fail "few cases came so far:$cases"
for case in $cases; do
    for house in lakeside harbour; do
        await 30 "$house: $case is erased" is_erased "$house"
    done
done
for house in lakeside harbour; do
    check "$house" 'nothing is forked' '.streams.forked == 0 and .equivocated == []' status
    check "$house" 'the audit log is sound' .sound audit verify
done
say done
