#!/bin/sh
# Names as hostile as a file system allows, and lists of them on standard input.
. "$(dirname "$0")/common.sh"
draw drawn 1
export IMGSEARCH_DB=$W/i.db
nl='
'
escape=$(printf '\033')
mkdir pics
i=0
for name in "new${nl}line.jpg" "tab	tab.jpg" "quote\".jpg" "apostrophe'.jpg" 'back\slash.jpg' \
	'$(echo dollar).jpg' '-dash.jpg' "esc${escape}[2J.jpg"; do
	i=$((i + 1))
	cp "$(ls -d "$W"/drawn/* | sed -n ${i}p)" "pics/$name"
done
rm pics/new*.jpg; mv drawn/balloons-01.jpg "pics/$(printf 'latin1-\351.jpg')"
cp drawn/bricks-01.jpg copy.jpg
draw more 2; mv more/night-02.jpg "pics/new${nl}line.jpg"; mv more/city-02.jpg "pics/id:5"

check "index them all" 0 imgsearch index pics <<'END'
! imgsearch: 10 paths seen: 10 indexed; 10 new (T s)
END
imgsearch list --paths -0 | tr '\n\0' '!\n' | sed "s|$W|W|" >.out; : >.err
cat >.wanted <<END
W/pics/\$(echo dollar).jpg
W/pics/-dash.jpg
W/pics/apostrophe'.jpg
W/pics/back\\slash.jpg
W/pics/esc${escape}[2J.jpg
W/pics/id:5
W/pics/latin1-$(printf '\351').jpg
W/pics/new!line.jpg
W/pics/quote".jpg
W/pics/tab	tab.jpg
END
sort .wanted >w; sort .out >o; cmp -s w o
result "list -0 gives the bytes" $? .out
imgsearch list --json >.out
grep -q '"path": "[^"]*/new\\nline.jpg"' .out
result "JSON escapes a line break" $?
grep -q '"path": "[^"]*/quote\\".jpg"' .out
result "... a quote" $?
grep -q '"path": "[^"]*/back\\\\slash.jpg"' .out
result "... a backslash" $?
grep -q '"path": "[^"]*/tab\\ttab.jpg"' .out
result "... a tab" $?
replaced=$(printf '\357\277\275')
grep -q "\"path\": \"[^\"]*/latin1-$replaced.jpg\", \"path_b64\": \"[A-Za-z0-9+/=]*\"" .out
result "... and gives the bytes of what is not UTF-8" $?
printf '%s\351.jpg' "$W/pics/latin1-" >o
sed -n 's/.*"path_b64": "\([^"]*\)".*/\1/p' .out | base64 -d | cmp -s - o
result "... the right ones" $?
perl -MJSON::PP -e 'while (<>) { JSON::PP->new->utf8->decode($_) }' .out
result "... and is JSON that a parser takes" $?
(cd pics && imgsearch query -k 1 -- -dash.jpg | grep -q -- '-dash.jpg$')
result "a name that begins with a dash, behind --" $?
(cd pics && imgsearch query -k 1 ./id:5 | grep -q 'id:5$')
result "a file named id:5, as ./id:5" $?
for name in "new${nl}line.jpg" "quote\".jpg" "$(printf 'latin1-\351.jpg')"; do
	imgsearch query --paths -0 -k 1 "pics/$name" | tr -d '\0' >.out
	printf '%s' "$W/pics/$name" | cmp -s - .out
	result "query finds $(printf '%s' "$name" | tr -c '[:alnum:].' _) by name" $?
done
check "control characters in an error" 3 \
	imgsearch query "none$(printf '\033')[31m${nl}x.jpg" <<'END'
! imgsearch: none\x1b[31m\nx.jpg: No such file or directory
END

rm -f i.db*
printf '%s\n' pics/quote*.jpg pics/back*.jpg | imgsearch index - >.out 2>.err
compare "paths on standard input" 0 $? <<'END'
! imgsearch: 2 paths seen: 2 indexed; 2 new (T s)
END
printf '%s\0' pics/new*.jpg pics/latin*.jpg | imgsearch index -0 - >.out 2>.err
compare "... ended by NUL" 0 $? <<'END'
! imgsearch: 2 paths seen: 2 indexed; 2 new (T s)
END
printf 'pics/tab\ttab.jpg' | imgsearch index -q - && imgsearch list --paths | grep -q 'tab.jpg$'
result "... without an end of the last line" $?
check "no paths on standard input" 0 imgsearch index - <<'END'
! imgsearch: no paths on standard input: nothing to do
END
printf 'none.jpg\n' | imgsearch index - >.out 2>.err
compare "a path that is not there" 3 $? <<'END'
-
END
grep -q 'none.jpg: ' .err
result "... is named" $?

done_testing
