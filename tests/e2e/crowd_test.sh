#!/bin/sh
# A federation of 5,000 members, with the programs that people use: three officers found it, two sign
# the head that admits the crowd, one more hospital is admitted and invited, and proves all of it when
# it joins: heads, roots, each member. What of it was altered on the way does not stand.
set -eu
. "$(dirname "$0")/federation.sh"
houses_alone en
cd "$fed_home"
count=5000
fed_officers ada bela chen
fed_found 'Rare Tumors' 2 --cooling-off 0
fed_signed
say "founded: $fed_id"

"$fed_build/tests/e2e/e2e_crowd" society "$count" || fed_fail 'the crowd is prepared'
fed_society show >last || fed_fail show
[ "$(grep -c 'NEW MEMBER, admitted' last)" = "$count" ] || fed_fail 'an officer sees each of them'
fed_signed
[ "$(fed_society show --json | jq '.members | length')" = "$count" ] || fed_fail 'all are members'
say "$count members are in force"

fed_hospital lakeside 'Lakeside Hospital' CH oncology
fed_admit lakeside
[ "$(fed_society show --json | jq '.members | length')" = $((count + 1)) ] || fed_fail 'one more'
fed_society verify --federation "$fed_id" >last || fed_fail verify
grep -q "3 signatures, 0 members" last || fed_fail 'the founding head'
grep -q "2 signatures, $((count + 1)) members" last || fed_fail 'the last head'
say 'the history is proved'

say "the invitation has $(wc -c <mail/lakeside.invitation) bytes"
cp -r lakeside/data data
rm -r data/tumors
digits=$(fed_society invite 'Lakeside Hospital' --output fresh.invitation | fed_digits /dev/stdin)
"$fed_build/node/consiliumd" join --data data --federation tumors fresh.invitation \
    --fingerprint "$digits" >last || fed_fail 'the newcomer joins'
grep -q "Joined Rare Tumors: $((count + 1)) members, roster epoch 3" last || fed_fail 'all came along'
rm -r data/tumors
for at in 2000 300000 600000; do
    cp fresh.invitation altered
    byte=$(dd if=altered bs=1 skip=$at count=1 2>/dev/null | tr -d '\000')
    if [ "$byte" = X ]; then other=Y; else other=X; fi
    printf %s "$other" | dd of=altered bs=1 seek=$at conv=notrunc 2>/dev/null
    if "$fed_build/node/consiliumd" join --data data --federation tumors altered \
        --fingerprint "$digits" >said 2>last; then fed_fail "altered at $at"; fi
done
say 'an invitation that was altered is refused'

fed_up lakeside
ask_at lakeside .members status >last || fed_fail status
[ "$(cat last)" = $((count + 1)) ] || fed_fail 'its node counts them'
ask_at lakeside .head.epoch status | grep -qx 3 || fed_fail 'its node stands at the last head'
at lakeside members --text "number $count" >last || fed_fail members
grep -q "Hospital number $count" last || fed_fail 'it finds the last of them'
say 'its node holds them'
