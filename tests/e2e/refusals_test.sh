#!/bin/sh
# What a clinician is refused, and that the reason is said: a wrong passphrase, an emergency, a case
# without a question, an unknown specialty, a deadline that has passed, files that must not or cannot
# be sent, a preview that nobody saw.
set -eu
. "$(dirname "$0")/federation.sh"
houses_one
cd "$fed_home"
grey="Dr. Meredith Grey"

say 'passphrases'
echo 'not the one of grey' >wrong
echo short >short
chmod 600 wrong short
consult_draft lakeside
echo yes >yes
refused lakeside passphrase announce "$draft" --confirmed-by "$grey" --clinician grey \
    --passphrase-file wrong <yes
refused lakeside 'full name' announce "$draft" --confirmed-by 'Somebody Else' --clinician grey \
    --passphrase-file lakeside/grey.passphrase <yes
cp wrong open
chmod 644 open
refused lakeside 'mode 600' announce "$draft" --confirmed-by "$grey" --clinician grey \
    --passphrase-file open <yes
refused lakeside 'no clinician account of that name' announce "$draft" --confirmed-by "$grey" --clinician nobody \
    --passphrase-file wrong <yes
refused lakeside '8 characters' clinician add --login new --name New --credentials MD \
    --specialties oncology --country CH --uid "$(id -u)" --passphrase-file short
refused lakeside already clinician add --login grey --name Again --credentials MD \
    --specialties oncology --country CH --uid "$(id -u)" --passphrase-file wrong

say 'drafts'
refused lakeside call draft new --question 'he does not breathe' --emergency
refused lakeside service draft new --question Q --service surgery
refused lakeside language draft new --question Q --language englisch
refused_draft() { # WORDS OPTION...: none of it leaves
    words=$1
    shift
    consult_draft lakeside
    tell 0 lakeside draft edit "$draft" "$@"
    refused lakeside "$words" announce "$draft" --confirmed-by "$grey" --clinician grey \
        --passphrase-file lakeside/grey.passphrase <yes
}
refused_draft question --question ''
refused_draft 'no board has this tag; the boards are: cardiology, hematology/bmt' --specialty dentistry
refused_draft deadline --deadline 2020-01-01T00:00:00.000Z

say 'attachments'
consult_draft lakeside
printf 'A drawing that is none' >not.png
printf 'MZ' >program.exe
: >empty.txt
printf '\033[2Jescape' >escape.txt
head -c 132 /dev/zero | tr '\0' ' ' >scan.dcm
printf DICM | dd of=scan.dcm bs=1 seek=128 conv=notrunc 2>/dev/null
cp scan.dcm scan.png
head -c 2000 "$case_dir/../ct.png" >torn.png
head -c 1200 "$case_dir/letter.pdf" >torn.pdf
truncate -s $((64 * 1024 * 1024 + 1)) large.txt
refused lakeside 'what its name says' draft attach "$draft" not.png
refused lakeside 'must end in' draft attach "$draft" program.exe
refused lakeside empty draft attach "$draft" empty.txt
refused lakeside 'control characters' draft attach "$draft" escape.txt
refused lakeside 'de-identified' draft attach "$draft" scan.dcm
refused lakeside 'PNG or JPEG' draft attach "$draft" scan.dcm
refused lakeside 'de-identified' draft attach "$draft" scan.png
refused lakeside damaged draft attach "$draft" torn.png
refused lakeside 'damaged\|what its name' draft attach "$draft" torn.pdf
refused lakeside '64 MiB' draft attach "$draft" large.txt
refused lakeside 'no such file' draft attach "$draft" missing.txt
[ "$(ask_at lakeside '.attachments | length' draft show "$draft")" = 0 ] ||
    fed_fail 'nothing should be attached'

say 'files that the user names'
consult_draft lakeside
printf '\357\273\277Two lines\r\nof a question\r\n' >windows.txt
tell 0 lakeside draft edit "$draft" --question @windows.txt
[ "$(ask_at lakeside .fields.question draft show "$draft")" = "Two lines
of a question" ] || fed_fail 'a text of Windows should be taken as lines'
mkdir folder.txt
mkfifo pipe.txt
printf 'caf\351' >latin.txt
latin=$(printf 'caf\351.txt')
cp windows.txt "$latin"
refused lakeside 'is a folder; name a file' draft edit "$draft" --question @folder.txt
refused lakeside 'not a regular file; ' draft edit "$draft" --question @pipe.txt
refused lakeside 'not UTF-8; save' draft edit "$draft" --question @latin.txt
refused lakeside 'name of the file is too long; rename' draft edit "$draft" \
    --question "@$(printf 'x%.0s' $(seq 1 300))"
refused lakeside 'is a folder; name a file' draft attach "$draft" folder.txt
refused lakeside 'not a regular file; ' draft attach "$draft" pipe.txt
refused lakeside 'not UTF-8; rename' draft attach "$draft" "$latin"
refused lakeside 'longer than 120 bytes; give another one with --name' draft attach "$draft" \
    windows.txt --name "$(printf 'x%.0s' $(seq 1 117)).txt"
refused lakeside 'not a regular file; ' clinician passphrase grey --passphrase-file pipe.txt
refused lakeside 'is a folder; name a file' clinician passphrase grey --passphrase-file folder.txt
for device in /dev/null /dev/zero; do
    refused lakeside 'not a regular file; ' draft attach "$draft" $device
done
[ "$(ask_at lakeside '.attachments | length' draft show "$draft")" = 0 ] ||
    fed_fail 'nothing should be attached'
tell 0 lakeside draft attach "$draft" "$latin" --name cafe.txt
tell 0 lakeside draft attach "$draft" windows.txt
tell 0 lakeside draft edit "$draft" --question "$(printf '\357\273\277As typed\r\nthere')"
[ "$(ask_at lakeside .fields.question draft show "$draft")" = "As typed
there" ] || fed_fail 'a line end of Windows is one'

say 'what the name of a file may tell is pointed out before it leaves'
cp windows.txt 'Keller 12.03.1961.txt'
at lakeside draft attach "$draft" 'Keller 12.03.1961.txt' >said
grep -q 'LOOK: the name may hold a date' said && grep -q 'may hold the name of a person' said &&
    tr '\n' ' ' <said | grep -q 'draft detach .* --name NAME' || fed_fail "it should be pointed out: $(cat said)"
at lakeside preview "$draft" >said
[ "$(grep -c 'LOOK: the name of' said)" = 2 ] || fed_fail "the preview should say it: $(cat said)"
tell 0 lakeside draft detach "$draft" 'Keller 12.03.1961.txt'
at lakeside draft attach "$draft" 'Keller 12.03.1961.txt' --name letter.txt >said
if grep -q LOOK said; then fed_fail "the new name tells nothing: $(cat said)"; fi

say 'what nobody saw does not leave'
seen=$(ask_at lakeside .preview preview "$draft")
tell 0 lakeside draft edit "$draft" --question 'quite another question'
refused lakeside 'changed' announce "$draft" --preview "$seen" --yes --confirmed-by "$grey" \
    --clinician grey --passphrase-file lakeside/grey.passphrase
refused lakeside 'needs --preview' announce "$draft" --yes --confirmed-by "$grey" \
    --clinician grey --passphrase-file lakeside/grey.passphrase
echo no >no
refused lakeside 'nothing was sent' announce "$draft" --confirmed-by "$grey" --clinician grey \
    --passphrase-file lakeside/grey.passphrase <no
check lakeside 'no case was made' '.cases | length == 0' cases

say 'other mistakes'
refused lakeside 'not known here' show 0123456789abcdef
refused lakeside 'not known here' join 01 --clinician grey \
    --passphrase-file lakeside/grey.passphrase
consult_draft lakeside
consult_announce lakeside grey 'Dr. Meredith Grey'
refused lakeside '.' reply "$case" --text 'my own' --language en --clinician grey \
    --passphrase-file lakeside/grey.passphrase
refused lakeside '.' reveal "$case" --clinician grey --passphrase-file lakeside/grey.passphrase
if "$fed_build/node/cli/consilium" status --socket "$fed_home/nowhere" 2>last; then
    fed_fail 'no node listens there'
fi
grep -q 'is consiliumd running' last || fed_fail 'should ask whether the node runs'
say done
