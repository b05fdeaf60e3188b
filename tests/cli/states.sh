#!/bin/sh
# What becomes of files: list, failed, rm, exclude, links, moved and absent folders.
. "$(dirname "$0")/common.sh"
draw pics 1
cp pics/city-01.jpg pics/twin.jpg
head -c 3000 pics/city-01.jpg >pics/cut.jpg
: >pics/empty.jpg
echo words >pics/notes.txt
cp pics/flower-01.jpg pics/named-wrong.png
mkdir pics/.hidden pics/folder.jpg && cp pics/night-01.jpg pics/.hidden/a.jpg
mkfifo pics/fifo.jpg
export IMGSEARCH_DB=$W/i.db

check "index with bad files: status 4" 4 imgsearch index pics <<'END'
-
END
cp .err summary
check "... that are as they were: status 0" 0 imgsearch index <<'END'
-
END
check "... tried again: status 4" 4 imgsearch index --retry <<'END'
-
END
check "... named: status 4" 4 imgsearch index pics/cut.jpg <<'END'
-
END
imgsearch index --json 2>/dev/null | grep -q '"damaged": 2, .*"failed": 0'
result "... counted, and not as failed" $?
imgsearch failed | sort >.out; : >.err
compare "failed: state, path, reason" 0 0 <<'END'
damaged	W/pics/cut.jpg	the JPEG is cut off
damaged	W/pics/empty.jpg	empty file
unsupported	W/pics/fifo.jpg	not a regular file
unsupported	W/pics/notes.txt	not a picture
END
for path in cut.jpg empty.jpg; do
	imgsearch failed --paths | grep -qx "$W/pics/$path"
	result "failed names $path" $?
done
imgsearch failed | grep -q "^damaged	$W/pics/cut.jpg	."
result "a truncated JPEG is damaged, with a reason" $?
imgsearch list --json --state duplicate | grep -q '"state": "duplicate", .*"same_as": [0-9]'
result "the same bytes twice: a duplicate" $?
imgsearch failed --json | grep -q '"reason": "'
result "failed --json" $?
for command in list failed; do
	check "$command DIR: nothing of another folder" 0 imgsearch $command pics/folder.jpg <<'END'
! imgsearch: W/pics/folder.jpg: the index has nothing of it
END
	check "$command DIR: a folder that is not there" 3 imgsearch $command pics/nowhere <<'END'
! imgsearch: W/pics/nowhere: it is not there, and nothing below it is in the index
END
done
check "failed: of a picture that did not fail" 0 imgsearch failed pics/city-01.jpg <<'END'
! imgsearch: no file failed
END
imgsearch info --json | sed 's/.*"pictures": {\([^}]*\)}.*/\1/; s/"//g; s/: /=/g; s/, / /g' >.sums
seen=0
sum=0
for pair in $(cat .sums); do
	case $pair in
	seen=*) seen=${pair#*=} ;;
	offline=*) ;; # no state
	*) sum=$((sum + ${pair#*=})) ;;
	esac
done
[ "$seen" -gt 0 ] && [ "$seen" = "$sum" ]
result "info accounts for every path ($(cat .sums))" $?
imgsearch info >.out 2>.err && grep -q '^paths seen ' .out
result "info as text" $?

check "list" 0 imgsearch list --paths <<'END'
W/pics/balloons-01.jpg
W/pics/bricks-01.jpg
W/pics/city-01.jpg
W/pics/flower-01.jpg
W/pics/forest-01.jpg
W/pics/mountains-01.jpg
W/pics/named-wrong.png
W/pics/night-01.jpg
W/pics/sunset-01.jpg
W/pics/twin.jpg
END
# Each state of an item and each count of index is a state that list takes.
imgsearch list --json --state all | sed 's/.*"state": "\([^"]*\)".*/\1/' | sort -u >said
imgsearch index --json -q | grep -o '"seen".*"link": [0-9]*' | grep -o '"[a-z_]*"' | tr -d '"' |
	grep -v seen | tr _ ' ' >>said
while read -r state; do
	imgsearch list --state "$state"
	imgsearch list --state "$(echo "$state" | tr ' ' -)"
done <said >/dev/null 2>.err
[ "$(sort -u said | wc -l)" = 9 ] && [ ! -s .err ]
result "list takes each state that is said" $? .err
check "... and no other" 2 imgsearch list --state 'too  big' <<'END'
-
END
check "list of one state" 0 imgsearch list --paths --state damaged <<'END'
-
END
imgsearch list | grep -q "^[0-9]*	$W/pics/city-01.jpg\$"
result "list: id and path" $?

check "rm --dry-run" 0 imgsearch rm --dry-run pics/night-01.jpg <<'END'
W/pics/night-01.jpg
! imgsearch: 1 would be removed from the index
END
imgsearch list --paths | grep -q night-01
result "... takes nothing out" $?
check "rm" 0 imgsearch rm pics/night-01.jpg pics/night-01.jpg <<'END'
W/pics/night-01.jpg
! imgsearch: 1 removed from the index; the files are untouched
END
[ -e pics/night-01.jpg ] && ! imgsearch list --paths | grep -q night
result "... out of the index, not of the disk" $?
check "rm of what is not there takes nothing out" 3 \
	imgsearch rm pics/city-01.jpg pics/none.jpg <<'END'
! imgsearch: W/pics/none.jpg: neither it nor anything below it is in the index; nothing was removed
END
check "rm of an unknown id" 3 imgsearch rm id:999 <<'END'
-
END
imgsearch list --paths -0 pics >all && imgsearch rm -0 -q - <all >.out &&
	[ "$(imgsearch list | wc -l)" = 0 ]
result "list -0 | rm -0 -" $?
imgsearch index -q pics
[ "$(imgsearch list | wc -l)" = 10 ]
result "index brings them back" $?
imgsearch rm pics -q >.out && [ "$(imgsearch list | wc -l)" = 0 ]
result "rm of a folder" $?

rm -f i.db*
rm -rf pics
draw pics 1
mkdir -p pics/a/b pics/c
mv pics/city-01.jpg pics/a/b
mv pics/night-01.jpg pics/c
check "--exclude, --include" 0 \
	imgsearch index --exclude 'a/*' --exclude 'bricks*' --include '*.jpg' pics <<'END'
-
END
check "... leave out" 0 imgsearch list --paths <<'END'
W/pics/balloons-01.jpg
W/pics/c/night-01.jpg
W/pics/flower-01.jpg
W/pics/forest-01.jpg
W/pics/mountains-01.jpg
W/pics/sunset-01.jpg
END
printf 'c/\n*.jpg\n!flower*\n' >pics/.imgsearchignore
imgsearch index -q pics
imgsearch list --paths >.out; : >.err
compare "an ignore file" 0 0 <<'END'
W/pics/flower-01.jpg
END
rm pics/.imgsearchignore
mkdir elsewhere
cp pics/sunset-01.jpg elsewhere/linked.jpg
echo x >>elsewhere/linked.jpg
ln -s ../elsewhere pics/link
ln -s .. pics/c/loop
imgsearch index -q pics && ! imgsearch list --paths | grep -q linked
result "links are not followed" $?
imgsearch index -q -L pics && imgsearch list --paths | grep -q linked
result "-L follows them, loops or not" $?

rm -f i.db*
rm -rf pics/link pics/c/loop
imgsearch index -q pics
mv pics/sunset-01.jpg pics/renamed.jpg
check "a moved file keeps its vector" 0 imgsearch index pics <<'END'
! imgsearch: 8 paths seen: 8 indexed; 7 unchanged, 1 moved (T s)
END
rm pics/renamed.jpg
check "a deleted file drops out" 0 imgsearch index pics <<'END'
! imgsearch: 7 paths seen: 7 indexed; 7 unchanged, 1 removed (T s)
END
mv pics moved
check "an absent folder is kept" 0 imgsearch index <<'END'
-
END
[ "$(imgsearch list | wc -l)" = 7 ]
result "... with its pictures" $?
imgsearch info | grep -q "^root, absent *$W/pics"
result "... and said to be absent" $?
check "root mv" 0 imgsearch root mv pics moved <<'END'
! imgsearch: W/pics: its pictures are now looked for in W/moved
END
check "... nothing is read again" 0 imgsearch index <<'END'
! imgsearch: 7 paths seen: 7 indexed; 7 unchanged (T s)
END
imgsearch list --paths | grep -q "^$W/moved/a/b/city-01.jpg"
result "... and found in its new place" $?
check "root mv to a folder that is not there" 0 imgsearch root mv moved nowhere <<'END'
! imgsearch: W/moved: its pictures are now looked for in W/nowhere, which is not there yet
END
imgsearch root mv -q nowhere moved
check "root mv of what is no root" 3 imgsearch root mv other moved <<'END'
! imgsearch: index W/i.db has no root W/other; imgsearch info lists the folders
END
rm -rf moved/[b-z]*
check "most of a folder gone: kept" 0 imgsearch index <<'END'
! imgsearch: warning: W/moved: missing: 6 of 7 files; kept in the index (--prune removes them)
! imgsearch: 1 path seen: 1 indexed; 1 unchanged (T s)
END
check "--prune" 0 imgsearch index --prune <<'END'
! imgsearch: 1 path seen: 1 indexed; 1 unchanged, 6 removed (T s)
END

# Two megapixels of a bit each.
mkdir big
python3 - <<'END'
import struct
import zlib


def chunk(kind, data):
    crc = zlib.crc32(kind + data)
    return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', crc)


head = struct.pack('>IIBBBBB', 2000, 1000, 1, 0, 0, 0, 0)
with open('big/a.png', 'wb') as f:
    f.write(b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', head))
    f.write(chunk(b'IDAT', zlib.compress(bytes(251 * 1000))) + chunk(b'IEND', b''))
END
big() { imgsearch index --db big.db "$@"; }
check "a picture over the limit" 4 big --max-megapixels 1 big <<'END'
! imgsearch: 1 path seen: 1 too big; 1 new (T s)
! imgsearch: for the reasons: imgsearch failed --db big.db
END
check "... is not tried where no limit is given" 0 big <<'END'
! imgsearch: 1 path seen: 1 too big; 1 unchanged (T s)
! imgsearch: for the reasons: imgsearch failed --db big.db
END
check "... is where one is" 4 big --max-megapixels 1 <<'END'
! imgsearch: 1 path seen: 1 too big (T s)
! imgsearch: for the reasons: imgsearch failed --db big.db
END
check "... and comes in by a larger one" 0 big --max-memory 64M <<'END'
! imgsearch: 1 path seen: 1 indexed; 1 changed (T s)
END

done_testing
