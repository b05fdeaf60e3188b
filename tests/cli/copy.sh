#!/bin/sh
# Copies of an index into another file; tests/store/postgres/copy.sh has those over a server.
. "$(dirname "$0")/common.sh"
draw pics 2
printf 'file,place\ncity-02.jpg,Ulm\n' >about.csv
imgsearch index -q --db a.db pics --csv about.csv 2>.err
imgsearch build -q --db a.db --searcher graph

check "copy" 0 imgsearch copy a.db b.db <<'END'
! imgsearch: 16 pictures, 16 vectors; the copy was read again and is the same
END
for command in "list --json" "query -k 5 pics/city-01.jpg" "check"; do
	imgsearch $command --db a.db >want
	imgsearch $command --db b.db | cmp -s - want
	result "... answers alike: $command" $?
done
check "once more: nothing is left to do" 0 imgsearch copy a.db b.db <<'END'
! imgsearch: 16 pictures, 16 vectors; the copy was read again and is the same
END
check "index into the copy: nothing is new" 0 imgsearch index --db b.db <<'END'
! imgsearch: 16 paths seen: 16 indexed; 16 unchanged (T s)
END
imgsearch copy -q --json a.db c.db >.out
grep -q '"resumed": false, "tables": \[{"name": "setting", "rows": [0-9]*, "ch' .out
result "--json" $?

imgsearch rm -q --db b.db pics/city-01.jpg
check "a target with something else" 3 imgsearch copy a.db b.db <<'END'
! imgsearch: index W/b.db is not empty, so nothing is copied into it; name a new file or an empty schema
END
check "an index into itself" 3 imgsearch copy a.db a.db <<'END'
! imgsearch: index W/a.db cannot be copied into itself
END
check "a source that is not there" 3 imgsearch copy none.db x.db <<'END'
-
END
check "... and a folder that is not" 3 imgsearch copy a.db no/x.db <<'END'
! imgsearch: no/x.db: its folder does not exist
END
[ ! -e none.db ] && [ ! -e x.db ]; result "... make no file" $?
check "one operand" 2 imgsearch copy a.db <<'END'
-
END
check "into memory" 3 imgsearch copy a.db :memory: <<'END'
! imgsearch: a copy in memory would be lost at once
END

# No room: a limit on the size of files stands for a full disk. What is there is refused.
limited() {
	(ulimit -f 8000 && exec "$@")
}
head -c 24000000 /dev/zero >zeros
{
	printf '\223NUMPY\001\000v\000'
	printf '%-117s\n' "{'descr': '<f4', 'fortran_order': False, 'shape': (93750, 64), }"
	cat zeros
} >v.npy
imgsearch vectors import -q --metric l2 --db v.db v.npy
rm zeros v.npy
check "a copy without room" 3 limited imgsearch copy v.db w.db <<'END'
! imgsearch: index W/w.db: disk I/O error; run it again: it goes on where it was
END
for command in "info" "query pics/city-01.jpg" "list" "index pics" "rm pics/city-01.jpg" "build" \
	"dups" "check" "backup x.db" "map -o x.html" "serve -p 0" "vectors export x.npy" \
	"copy w.db x.db"; do
	case $command in copy*) set -- ;; *) set -- --db w.db ;; esac
	timeout 60 imgsearch $command "$@" >.out 2>.err
	[ $? = 3 ] && grep -q "index $W/w.db is an incomplete copy of index $W/v.db: copy that" .err
	result "... is refused: $command" $? .err
done
check "... by another index" 3 imgsearch copy a.db w.db <<'END'
! imgsearch: index W/w.db is an incomplete copy of another index, W/v.db; name another target, or start over with --restart
END
check "... and is completed" 0 imgsearch copy v.db w.db <<'END'
! imgsearch: 0 pictures, 93750 vectors; the copy was read again and is the same
END
limited imgsearch copy v.db y.db 2>.err
check "--restart" 0 imgsearch copy --restart a.db y.db <<'END'
! imgsearch: 16 pictures, 16 vectors; the copy was read again and is the same
END

# Killed at any moment, again and again.
rm -f w.db
for i in 01 02 03 04 05 06 07 08 09 10 12 14; do
	imgsearch copy v.db w.db >.out 2>.err & one=$!
	sleep 0.$i
	kill -9 $one 2>.err
	wait $one 2>.err
	imgsearch info --db w.db >.out 2>.err ||
		grep -q "incomplete copy of\|no index\|it is empty" .err ||
		result "killed after 0.$i s" 1 .err
done
check "a copy that was killed is completed" 0 imgsearch copy v.db w.db <<'END'
! imgsearch: 0 pictures, 93750 vectors; the copy was read again and is the same
END
check "... and is sound" 0 imgsearch check --db w.db <<'END'
no problem found
END

# A source that is open for reading only, in a folder that cannot be written.
mkdir ro && cp a.db ro/a.db && chmod a-w ro/a.db ro
check "from where nothing can be written" 0 imgsearch copy ro/a.db d.db <<'END'
! imgsearch: 16 pictures, 16 vectors; the copy was read again and is the same
END
chmod u+w ro

done_testing
