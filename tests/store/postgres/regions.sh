#!/bin/sh
# Features of parts of pictures over PostgreSQL and over shards, beside the same over a file: what
# runs make, keep and drop, what queries find, by a scan and by each searcher, copies. Skipped where
# no server with pgvector is found.
cd "$(dirname "$0")/../../.." || exit 1
. tests/tools/result.sh
. tests/tools/postgres.sh
postgres_begin "regions over PostgreSQL"
export IMGSEARCH_LIBDIR="$B/tests/lib"
run() { "$B/imgsearch" "$@"; }
db() { # SCHEMA
	$psql -c "CREATE SCHEMA IF NOT EXISTS $1" 2>/dev/null
	printf '%s' "$server?options=-csearch_path%3D$1,public"
}

# The same command over all, with an id for @NAME; what differs by nature is left out.
all="file.db one.txt three.txt"
db one >"$W/one.txt"
for i in 1 2 3; do
	db shard$i
	echo
done >"$W/three.txt"
number() { # INDEX NAME of a picture: its id
	run list --json --db "$W/$1" | sed -n "s,.*\"id\": *\([0-9]*\).*/$2\".*,\1,p" | head -1
}
same() { # NAME ARGUMENTS...
	what=$1
	shift
	rm -f "$W"/out.*
	for d in $all; do
		given=
		for word in "$@"; do
			case $word in @*) word=id:$(number $d "${word#@}") ;; esac
			given="$given '$word'"
		done
		eval "run $given --db \"$W/$d\"" 2>&1 | sed 's/id:[0-9]*/id/g; s/"id": [0-9]*/"id"/g
			s/, [0-9.]* s$//; s/ ([0-9.]* s)$//; s/ rows, [0-9]* kB/ rows/
			s/, up to date$//; s/, catches up with changes$//
			s/"seconds": [0-9.e-]*//; s/"plan": "[^"]*"//; s/"searcher[_why]*": "[^"]*",*//g
			s/"rows_checked": [0-9]*//' |
			grep -v '^\(index\|size\|searcher\|server\|shard\) ' |
			grep -v 'postgresql:\|\.db\| kB\|built *pgvector' >"$W/out.$d"
	done
	rc=0
	: >"$W/diff"
	for d in $all; do
		[ -s "$W/out.$d" ] && diff "$W/out.file.db" "$W/out.$d" >>"$W/diff" || rc=1
	done
	result "$what" $rc "$W/diff"
}
sound() { # NAME
	rc=0
	for d in $all; do
		run check --db "$W/$d" >"$W/out" 2>&1 || rc=1
		[ $rc = 0 ] || break
	done
	result "$1" $rc "$W/out"
}
answers() { # NAME ARGUMENTS...
	what=$1
	shift
	same "$what: a part" query --json --crop 0,0,60,50 "$W/a/p6" -k 5 "$@"
	same "... of a picture that is stored" query --json --crop 10,10,60,50 @p3 -k 5 "$@"
	same "... all, with their paths" query --json "$W/a/p3" "$W/a/p6" -k 50 --paths "$@"
	same "... below a folder" query --json --under "$W/a/sub" --crop 0,0,60,50 "$W/a/p6" "$@"
	same "... wholes alone" query --json --whole --crop 0,0,60,50 "$W/a/p6" -k 5 "$@"
}

"$B/tools/draw" "$W/pics" 24
ls "$W/pics" | { n=1; while read -r f; do mv "$W/pics/$f" "$W/pics/p$n"; n=$((n + 1)); done; }
mkdir -p "$W/a/sub"
for i in 1 2 3 4 5 6 7 8; do cp "$W/pics/p$i" "$W/a"; done
for i in 11 12 13; do cp "$W/pics/p$i" "$W/a/sub"; done
cp "$W/a/p1" "$W/a/copy"

same "index" index --regions "$W/a"
grep -q regions "$W/out.file.db" || run info --db "$W/one.txt" >"$W/out" 2>&1
grep -q '^regions *9 a picture, 11 pictures' "$W/out"
result "all have regions" $? "$W/out"
same "index, once more" index
same "info" info
answers "by a scan"
for s in exact graph pca kdtree; do
	same "build $s" build --searcher $s --seed 3
	answers "by $s"
done
for i in 14 15; do cp "$W/pics/p$i" "$W/a"; done
rm "$W/a/p1"
mv "$W/a/p2" "$W/a/moved"
same "a new picture, one that went, one that moved" index
same "... info" info
answers "... by the searcher, with what changed"
same "one is kept out" rm --keep-out @p5
answers "... it is not found"
sound "... all is sound"
same "... and forgotten, as is another one" rm @p5 @p6
same "... info without them" info
sound "... all is sound"

run build -q --searcher pgvector --db "$W/one.txt" >"$W/out" 2>&1
result "pgvector for wholes" $? "$W/out"
run query --json --searcher pgvector --crop 0,0,60,50 "$W/a/p7" -k 3 --db "$W/one.txt" \
	>"$W/out" 2>&1 &&
	grep -q '"region": {' "$W/out"
result "... parts are found by a searcher of this machine" $? "$W/out"
same "build" build --searcher exact

run shard move -q --db "$W/three.txt" --from 1 --to 2 >"$W/out" 2>&1
result "one shard moves into another one" $? "$W/out"
answers "... which answers"
sound "... all is sound"

# ------------------------------------------------------------------------ there and back again ----

run copy "$W/file.db" "$(db second)" >"$W/out" 2>&1 &&
	run copy "$(db second)" "$W/back.db" >>"$W/out" 2>&1 &&
	run copy "$W/one.txt" "$(db third)" >>"$W/out" 2>&1
result "from a file to a server, to a file; to another server" $? "$W/out"
for i in 4 5 6; do
	db shard$i
	echo
done >"$W/six.txt"
run copy "$W/file.db" "$W/six.txt" >"$W/out" 2>&1 &&
	run copy "$W/three.txt" "$W/of.db" >>"$W/out" 2>&1
result "from a file to shards, from shards to a file" $? "$W/out"
db second >"$W/second.txt"
db third >"$W/third.txt"
before=$all all="$all second.txt third.txt back.db six.txt of.db"
same "... info" info
answers "... answers"
sound "... all is sound"
same "... each goes on" index
all=$before

# ------------------------------------------------------------------------- kept, made, dropped ----

same "by another model" index --flip
same "... info" info
same "... dropped" index --no-regions
same "... info" info
sound "... all is sound"
same "... and made for what is there" index --regions
answers "... which is found"
sound "... all is sound"
done_testing
