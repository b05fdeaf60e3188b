#!/bin/sh
# Edits that keep size and time, and times of every year.
. "$(dirname "$0")/common.sh"
draw pics 1
export IMGSEARCH_DB=$W/i.db
mkdir p
cp pics/city-01.jpg p/a.jpg
cp pics/flower-01.jpg p/b.jpg
cp pics/night-01.jpg p/c.jpg
truncate -s 200000 p/*.jpg
touch -d '2021-06-01 10:00 UTC' p/*.jpg
imgsearch index -q p

# Changes an inode until the clock of the file system shows it.
touched() { # FILE COMMAND...
	file=$1 before=$(stat -c %z "$1")
	shift
	while [ "$(stat -c %z "$file")" = "$before" ]; do "$@"; done
}
touched p/a.jpg chmod u+x p/a.jpg
check "a changed inode: the bytes are compared" 0 imgsearch index <<'END'
! imgsearch: 3 paths seen: 3 indexed; 3 unchanged, 1 re-hashed (T s)
END
check "... once" 0 imgsearch index <<'END'
! imgsearch: 3 paths seen: 3 indexed; 3 unchanged (T s)
END
edit() { cat pics/boat-01.jpg >p/a.jpg && truncate -s 200000 p/a.jpg && touch -r p/b.jpg p/a.jpg; }
cp pics/"$(ls pics | grep -v -e city -e flower -e night | head -1)" pics/boat-01.jpg
touched p/a.jpg edit
[ "$(stat -c %y%s p/a.jpg)" = "$(stat -c %y%s p/b.jpg)" ]
result "an edit keeps size and time" $?
check "it is read again" 0 imgsearch index <<'END'
! imgsearch: 3 paths seen: 3 indexed; 1 changed, 2 unchanged (T s)
END
imgsearch query -k 1 pics/boat-01.jpg | grep -q "^1.0000	$W/p/a.jpg"
result "... and finds itself" $?
check "--reread compares every file" 0 imgsearch index --reread <<'END'
! imgsearch: 3 paths seen: 3 indexed; 3 unchanged, 3 re-hashed (T s)
END
imgsearch index -q --json --reread | grep -q '"rehashed": 3,'
result "... and --json says so" $?
touched p/a.jpg chmod u-x p/a.jpg
touched p/b.jpg chmod u-w p/b.jpg
touched p/c.jpg chmod u-w p/c.jpg
check "where every change time moved it is said once" 0 imgsearch index <<'END'
! imgsearch: warning: W/p: every change time moved, as after a copy: all 3 files are compared
! imgsearch: 3 paths seen: 3 indexed; 3 unchanged, 3 re-hashed (T s)
END

# Times: as far as the file system has them.
rm p/b.jpg p/c.jpg
imgsearch index -q --prune
for time in 13569465600 9223372036 0 -86400 -0.5 -2208988800.25 1622541600.123456789; do
	touch -d "@$time" p/a.jpg
	stored=$(stat -c %.9Y p/a.jpg | sed -e 's/0*$//' -e 's/\.$//')
	imgsearch index -q
	got=$(imgsearch list --json | sed 's/.*"mtime": \([^,]*\),.*/\1/')
	[ "$got" = "$stored" ]
	result "a time of $time seconds: $got, $stored" $?
	imgsearch index 2>&1 | grep -q '1 unchanged ('
	result "... is unchanged afterwards" $?
done

done_testing
