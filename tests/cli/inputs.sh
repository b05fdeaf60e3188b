#!/bin/sh
# Pictures that come through pipes, and relative paths of what is no longer there.
. "$(dirname "$0")/common.sh"
draw pics 1
export IMGSEARCH_DB=$W/i.db
imgsearch index -q pics
imgsearch query --json -k 3 pics/city-01.jpg | sed 's/.*"results"/"results"/' >wanted

answers() { # NAME: .out holds the answer
	sed 's/.*"results"/"results"/' .out >.got
	cmp -s .got wanted
	result "$1" $? .got
}
imgsearch query --json -k 3 - <pics/city-01.jpg >.out
answers "-"
cat pics/city-01.jpg | imgsearch query --json -k 3 - >.out
answers "- of a pipe"
imgsearch query --json -k 3 /dev/stdin <pics/city-01.jpg >.out
answers "/dev/stdin of a file"
cat pics/city-01.jpg | imgsearch query --json -k 3 /dev/stdin >.out
answers "/dev/stdin of a pipe"
cat pics/city-01.jpg | imgsearch query --json -k 3 /dev/fd/0 >.out
answers "/dev/fd/0"
mkfifo fifo other
cat pics/city-01.jpg >fifo &
imgsearch query --json -k 3 fifo >.out
answers "a FIFO"
cat pics/city-01.jpg >fifo &
cat pics/flower-01.jpg >other &
imgsearch query -k 1 fifo other >.out
wait
printf '==> fifo <==\n1.0000\t%s\n==> other <==\n1.0000\t%s\n' "$W/pics/city-01.jpg" \
	"$W/pics/flower-01.jpg" >.wanted
diff .wanted .out >.diff
result "two FIFOs are two queries" $? .diff
if command -v bash >/dev/null; then
	bash -c 'imgsearch query --json -k 3 <(cat pics/city-01.jpg)' >.out
	answers "<(command)"
	bash -c 'imgsearch query --paths -k 1 --combine <(cat pics/city-01.jpg) <(cat pics/city-01.jpg)
		' >.out
	[ "$(cat .out)" = "$W/pics/city-01.jpg" ]
	result "two of them, combined" $? .out
	bash -c 'imgsearch extract -q -o a.npy pics/city-01.jpg <(cat pics/city-01.jpg)'
	row=$((($(wc -c <a.npy) - 128) / 2))
	tail -c $row a.npy >.one
	tail -c $((2 * row)) a.npy | head -c $row | cmp -s - .one
	result "extract: the same row" $?
else
	skip "<(command)" "bash is not there"
fi
echo "no picture" >fifo &
check "a pipe that brings no picture" 3 imgsearch query fifo <<'END'
! imgsearch: fifo: not a picture of a known format
END
: >fifo &
check "an empty one" 3 imgsearch query fifo <<'END'
! imgsearch: fifo: the file is empty
END
imgsearch query fifo >.out 2>.err &
asking=$!
exec 3>fifo # waits for the reader
kill -TERM $asking
exec 3>&-
wait $asking
compare "a pipe that is waited for, interrupted" 130 $? <<'END'
! imgsearch: interrupted; fifo was not read
END
cat pics/city-01.jpg | imgsearch query - /dev/stdin >.out 2>.err
compare "standard input twice" 2 $? <<'END'
-
END
check "a device" 3 imgsearch query /dev/zero <<'END'
! imgsearch: /dev/zero: not a regular file
END

# ------------------------------------------------------------------------- relative paths
mkdir -p disk/a/b
draw more 2
cp more/night-02.jpg disk/a/b/n.jpg
imgsearch index -q disk
printf '%s\n' "$W/disk/a/b/n.jpg" >wanted
same() { # NAME: .out is what is wanted
	cmp -s .out wanted
	result "$1" $? .out
}
imgsearch list --paths disk/a >.out; same "list DIR"
(cd disk/a && imgsearch list --paths .) >.out; same "list ."
(cd disk/a && imgsearch list --paths ../a/b/) >.out; same "list ../a/b/"
imgsearch query --paths -k 5 --under disk pics/city-01.jpg >.out; same "query --under"
mv disk gone
imgsearch list --paths disk/a/b >.out; same "list a folder that is not there"
imgsearch list --paths ./disk/a >.out; same "... ./"
(cd pics && imgsearch list --paths ../disk/a) >.out; same "... ../"
imgsearch query --paths -k 5 --under disk/a pics/city-01.jpg >.out; same "query --under such a one"
check "index a root that is not there" 0 imgsearch index disk/ <<'END'
! imgsearch: warning: W/disk: not there; offline, its files are kept (1)
! imgsearch: 0 paths seen; 1 offline (T s)
! imgsearch: if a folder lies elsewhere now: imgsearch root mv OLD NEW
END
imgsearch rm --dry-run disk/a/b/n.jpg >.out; same "rm"
check "root mv" 0 imgsearch root mv disk gone/../gone <<'END'
! imgsearch: W/disk: its pictures are now looked for in W/gone
END
check "failed" 0 imgsearch failed gone <<'END'
! imgsearch: no file failed
END

done_testing
