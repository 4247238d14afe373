#!/bin/sh
# The disk of Harbour is full: what would grow is refused, and says what to do; what was acknowledged
# stays, over kill -9 too. A certificate is revoked, a case of Lakeside and one of its own are erased all
# the same, each with its receipts. When there is room again all goes on: what had to wait arrives, what
# was refused is taken.
set -eu
if [ -z "${room_inside:-}" ]; then
    unshare --mount --propagation private true 2>/dev/null || {
        echo 'SKIPPED, NOTHING WAS TESTED: this machine gives no mount namespaces' >&2
        exit 77
    }
    room_inside=1 exec unshare --mount --propagation private sh "$0"
fi
. "$(dirname "$0")/federation.sh"
houses_open lakeside harbour
data=$fed_home/harbour/data
case_mode=open

say 'harbour gets a small disk'
fed_down harbour
mv "$data" "$data.large"
mkdir -m 700 "$data"
mount -t tmpfs -o size=56m,mode=0700 tmpfs "$data" || fed_fail 'no tmpfs'
trap 'room_status=$?; set +e; umount -l "$data"; (exit $room_status); houses_finish' EXIT
cp -a "$data.large/." "$data"
fed_up harbour
houses_connected 1 lakeside harbour

lakeside_asks() { # its case is in $case, and Harbour takes part
    consult_ask lakeside grey 'Dr. Meredith Grey'
    consult_seen harbour
    consult_join harbour visser "$case_join"
}
lakeside_asks
goes=$case
consult_read harbour visser
consult_ask harbour visser 'Dr. Anna Visser'
consult_seen lakeside
consult_join lakeside grey "$case_join"
own=$case
lakeside_asks
stays=$case
consult_draft harbour
prepared=$case
prepared_draft=$draft
case=$stays
count=0
while [ "$count" -lt 3 ]; do
    tell_signed 0 harbour visser discuss "$case" --text "post number $count" --language en
    count=$((count + 1))
done

tell 0 harbour clinician add --login leaver --name 'Dr. Lea Vers' --credentials MD \
    --specialties oncology --country NL --uid "$(id -u)" --passphrase-file "$fed_home/harbour/visser.passphrase"
listed() { # COUNT: specialists of this name that Lakeside knows
    check lakeside 'who left is listed no more, who is there is' \
        "[.specialists[] | select(.name == \"Dr. Lea Vers\")] | length == $1" specialists
}
listed 1

say 'not a byte is left'
for block in 1M 64K 4K 1; do
    dd if=/dev/zero bs="$block" status=none >>"$data/filler" 2>"$fed_home/last" || true
done
full() { # WORDS... of a command that harbour refuses, saying what to do
    if sign_at harbour visser "$@" >"$fed_home/said" 2>"$fed_home/last"; then
        fed_fail "should be refused on a full disk: $*"
    fi
    grep -q 'free space on the disk' "$fed_home/last" || {
        cat "$fed_home/last" >&2
        fed_fail "should say what to do: $*"
    }
}
full discuss "$case" --text 'a post too many' --language en
echo yes >"$fed_home/yes"
full announce "$prepared_draft" --confirmed-by 'Dr. Anna Visser' <"$fed_home/yes"
check harbour 'the node says that it is full' .disk.full status
if at harbour fetch "$case" >"$fed_home/said" 2>"$fed_home/last"; then
    fed_fail 'files should not be fetched to a full disk'
fi
grep -q 'free space on the disk' "$fed_home/last" || {
    cat "$fed_home/last" >&2
    fed_fail 'fetch should say what to do'
}
tell_signed 0 lakeside grey discuss "$case" --text 'for the full house' --language en

as_acknowledged() { # HOST
    check "$1" 'holds what was acknowledged, and no more' \
        "[.thread[] | select(.kind == \"POST\") | .content.text | select(startswith(\"post number\") or
             startswith(\"a post too\"))] | sort == ([range($count) | \"post number \\(.)\"] | sort)" \
        thread "$case"
}
again() { # Harbour ends without notice, and is back
    fed_down harbour KILL
    fed_up harbour
    houses_connected 1 lakeside
    as_acknowledged harbour
}
as_acknowledged harbour
again

say 'a clinician leaves'
tell 0 harbour clinician revoke leaver --reason left-the-institution
gone='[.clinicians[] | select(.login == "leaver" and .revoked)] | length == 1'
check harbour 'the certificate is revoked' "$gone" clinician list
again
check harbour 'the revocation is kept' "$gone" clinician list
listed 0
full discuss "$case" --text 'a post too many' --language en

say 'a case is erased from outside on the full disk'
tell_signed 0 lakeside grey discuss "$goes" --text 'for the full house' --language en
tell_signed 0 lakeside grey erase "$goes" --yes
check lakeside 'a receipt from the full disk' '[.receipts[] | select(.erased_at)] | length == 1' \
    erasure "$goes"
erased() { # HOST CASE
    check "$1" 'the case is erased' '.case.state == "erased" and .case.case_file == null' show "$2"
}
erased harbour "$goes"
again
erased harbour "$goes"

say 'one of its own, too'
check harbour 'heads were compared' '.keys_wait | not' status
tell_signed 0 harbour visser erase "$own" --yes
check harbour 'a receipt is let in' '[.receipts[] | select(.erased_at)] | length == 1' erasure "$own"
erased harbour "$own"
erased lakeside "$own"
again
erased harbour "$own"
check harbour 'the receipt is kept' '[.receipts[] | select(.erased_at)] | length == 1' erasure "$own"
full discuss "$case" --text 'a post too many' --language en

say 'there is room again'
rm "$data/filler"
check harbour 'the node says it' '.disk.full | not' status
for house in lakeside harbour; do
    check "$house" 'what had to wait is here' \
        'any(.thread[]; .kind == "POST" and .content.text == "for the full house")' thread "$case"
done
houses_connected 1 lakeside harbour
tell_signed 0 harbour visser discuss "$case" --text "post number $count" --language en
count=$((count + 1))
consult_read harbour visser
tell_signed 0 harbour visser announce "$prepared_draft" --confirmed-by 'Dr. Anna Visser' \
    <"$fed_home/yes"
case=$prepared
consult_seen lakeside
case=$stays
again
as_acknowledged lakeside
for house in lakeside harbour; do
    erased "$house" "$goes"
    erased "$house" "$own"
    check "$house" 'no stream is forked' '.streams.forked == 0' status
    check "$house" 'the audit log is sound' .sound audit verify
    fed_down "$house"
done
say done
