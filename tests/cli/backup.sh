#!/bin/sh
# Copies of an index.
. "$(dirname "$0")/common.sh"
draw pics 1
imgsearch index -q --db i.db pics
export IMGSEARCH_DB=$W/i.db

check "backup" 0 imgsearch backup copy.db <<'END'
-
END
grep -q "^imgsearch: copy.db: a copy of $W/i.db ([0-9]* kB)\$" .err && [ ! -s .out ]
result "... says what it did: $(tidy <.err)" $?
imgsearch query -k 3 pics/city-01.jpg >want
imgsearch query --db copy.db -k 3 pics/city-01.jpg | cmp -s - want
result "the copy opens, and answers alike" $?
check "check of the copy" 0 imgsearch check --db copy.db <<'END'
no problem found
END
check "index into the copy: nothing is new" 0 imgsearch index --db copy.db pics <<'END'
! imgsearch: 8 paths seen: 8 indexed; 8 unchanged (T s)
END

echo "something else" >there.db; cp there.db before
check "a target that exists is refused" 3 imgsearch backup there.db <<'END'
! imgsearch: W/there.db already exists; replace it with --force, or write elsewhere
END
cmp -s there.db before; result "... and stays" $?
imgsearch backup --json -q --force there.db | grep -q '"path": "there.db", "bytes": [1-9]'
result "--force replaces it, --json" $?
imgsearch query --db there.db -k 3 pics/city-01.jpg | cmp -s - want; result "... by an index" $?
check "the index itself is refused" 3 imgsearch backup --force i.db <<'END'
-
END
check "no name is refused" 2 imgsearch backup "" <<'END'
! imgsearch: backup: the name of the copy is empty (see: imgsearch help backup)
END
check "standard output is refused" 2 imgsearch backup - <<'END'
! imgsearch: backup: the copy is a file, not standard output (a file of that name: ./-) (see: imgsearch help backup)
END
[ ! -e - ]; result "... and no file has that name" $?
check "an index that is not there" 3 imgsearch backup --db none.db x.db <<'END'
-
END
[ ! -e x.db ] && [ ! -e none.db ]; result "... makes no file" $?
check "a folder that is not there" 3 imgsearch backup no/such/x.db <<'END'
-
END
imgsearch backup pics 2>.err; grep -q "pics is a folder" .err
result "a folder is said to be one, not to exist" $? .err
check "no target" 2 imgsearch backup <<'END'
-
END

# A server that has the index open is killed, and the backup is put in the place of the index.
mkdir more; cp pics/city-01.jpg more/1.jpg; printf x >>more/1.jpg
imgsearch backup -q --force copy.db
imgsearch serve -q --port 0 >address & server=$!
until [ -s address ] || ! kill -0 $server 2>.err; do :; done
imgsearch index -q more
kill -KILL $server; wait $server 2>.err
cp i.db killed; cp i.db-wal killed-wal; mv copy.db i.db
sentence="index $W/i.db: the journal $W/i.db-wal beside it is of another index"
for command in "info" "query pics/city-01.jpg" "list" "index pics" "rm pics/city-01.jpg" "build" \
	"dups" "check" "backup x.db" "map -o x.html" "eval" "serve -p 0"; do
	timeout 60 imgsearch $command >.out 2>.err
	[ $? = 3 ] && grep -q "$sentence, in whose place this file was put: move the journal away" .err
	result "a journal of another index: $command" $? .err
done
cmp -s i.db-wal killed-wal; result "... which is as it was" $?
mv killed i.db
[ "$(imgsearch list --json -q | grep -c more/1.jpg)" = 1 ]
result "the killed index itself has all" $?
[ ! -e i.db-wal ] && [ ! -e i.db-lock ]; result "... and its journal is gone" $?

# No room: a limit on the size of files stands for a full disk.
limited() {
	(ulimit -f 100 && exec "$@")
}
head -c 4000000 /dev/zero >zeros
{
	printf '\223NUMPY\001\000v\000'
	printf '%-117s\n' "{'descr': '<f4', 'fortran_order': False, 'shape': (15625, 64), }"
	cat zeros
} >v.npy
imgsearch vectors import -q --metric l2 --db v.db v.npy
rm zeros v.npy
cp v.db source
rm -f copy.db
check "a backup without room" 3 limited imgsearch backup --db v.db copy.db <<'END'
! imgsearch: index W/copy.db: disk I/O error: File too large
END
! ls copy.db* >.out 2>&1; result "... leaves no file" $?
cp there.db before
check "... over a file" 3 limited imgsearch backup --db v.db --force there.db <<'END'
! imgsearch: index W/there.db: disk I/O error: File too large
END
cmp -s there.db before; result "... leaves that" $?
! ls there.db.* >.out 2>&1; result "... and no other file" $?
cmp -s v.db source; result "... and the index" $?

# Interrupted between two of its steps: it is stopped when its file appears.
head -c 100000000 /dev/zero >zeros
{
	printf '\223NUMPY\001\000v\000'
	printf '%-117s\n' "{'descr': '<f4', 'fortran_order': False, 'shape': (97656, 256), }"
	cat zeros
} >big.npy
rm zeros
imgsearch vectors import -q --metric l2 --db big.db big.npy; result "a large index" $?
rm big.npy
ended_or_stopped() { sed "s/.*) \\(.\\).*/\\1/" "/proc/$1/stat" | grep -q "[TZ]"; }
interrupted() { # whether a backup was stopped before its end
	imgsearch backup --db big.db --force there.db 2>.err & one=$!
	tries=100000
	until ls there.db.*.part >.out 2>&1 || [ $tries = 0 ]; do tries=$((tries - 1)); done
	kill -STOP $one
	until ended_or_stopped $one; do :; done
	ls there.db.*.part >.out 2>&1; found=$?
	kill -INT $one
	kill -CONT $one
	wait $one; status=$?
	[ $found = 0 ] && [ $status = 130 ]
}
cp there.db before
attempts=10
until interrupted || [ $attempts = 0 ]; do attempts=$((attempts - 1)); cp before there.db; done
: >.out
compare "Ctrl-C" 130 $status <<'END'
! imgsearch: interrupted; there.db is as it was before
END
cmp -s there.db before; result "... leaves the target as it was" $?
! ls there.db.* >.out 2>&1; result "... and no other file" $?

done_testing
