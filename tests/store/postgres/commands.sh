#!/bin/sh
# The store's tests over PostgreSQL, and the command over a server beside the same over a file.
# Skipped where no server with pgvector is found: `make test-postgres` gets one.
cd "$(dirname "$0")/../../.." || exit 1
. tests/tools/result.sh
. tests/tools/postgres.sh
postgres_begin "the store over PostgreSQL"

# --------------------------------------------------------------------------------- the store ----

for t in test_store test_names test_deleted test_facts test_near test_regions; do
	IMGSEARCH_TEST_SERVER=$server IMGSEARCH_TEST_PSQL=$psql "$B/tests/store/$t" >"$W/out" 2>&1
	result "$t" $? "$W/out"
done

# ------------------------------------------------------------------------------- the command ----

db() { # SCHEMA
	$psql -c "CREATE SCHEMA IF NOT EXISTS $1" >&2
	printf '%s' "$server?options=-csearch_path%3D$1,public"
}
export IMGSEARCH_LIBDIR="$B/tests/lib"
run() { "$B/imgsearch" "$@"; } # not for a program that is killed: that would be a shell

# The same command over both; what differs by nature is left out.
version=$($psql -tAc "SELECT extversion FROM pg_extension WHERE extname = 'vector'")
same() { # NAME ARGUMENTS...
	what=$1
	shift
	for d in "$there" "$W/index.db"; do
		run "$@" --db "$d" 2>&1 | sed 's/, [0-9.]* s$//; s/ rows, [0-9]* kB/ rows/' |
			grep -v '^\(index\|size\|searcher\|server\) \|postgresql:\|index.db\| s)$' \
			>"$W/out.$([ "$d" = "$there" ] && echo server || echo file)"
	done
	diff "$W/out.file" "$W/out.server" >"$W/diff"
	result "$what" $? "$W/diff"
}

there=$(db photos)
"$B/tools/draw" "$W/photos" 40
cp "$W/photos/$(ls "$W/photos" | head -1)" "$W/photos/copy.jpg"
mkdir "$W/photos/sub" && mv "$W/photos/$(ls "$W/photos" | tail -2 | head -1)" "$W/photos/sub"
first=$(find "$W/photos" -type f | sort | head -1)
same "index" index "$W/photos"
same "index, once more" index
same "list" list
same "query" query "$first" -k 10
same "query below a folder" query "$first" -k 10 --under "$W/photos/sub"
same "dups" dups
rm "$first"
same "a picture that went" index
same "list without it" list
same "rm" rm id:5
same "keep-out" rm --keep-out id:7
same "list after both" list
for searcher in exact kdtree pca graph pgvector; do
	[ $searcher = pgvector ] || same "build $searcher" build --searcher $searcher
	same "query by $searcher" query "$W/photos/copy.jpg" -k 5 --searcher $searcher
done

# The state of a graph is fetched once, and kept in the cache folder.
fetched() { # COMMAND ARGUMENTS...: how many statements of it fetched chunks
	: >"$pg_data/server.log"
	$psql -c "ALTER DATABASE postgres SET log_statement = 'all'"
	run "$@" >"$W/out" 2>"$W/err"
	$psql -c "ALTER DATABASE postgres RESET log_statement"
	grep -c 'data FROM searcher_chunk' "$pg_data/server.log"
	: >"$pg_data/server.log"
}
graph="query $W/photos/copy.jpg -k 5 --searcher graph --db $there"
states=$XDG_CACHE_HOME/imgsearch/states
[ "$(ls "$states" | grep -c '^imgsearch-graph-')" = 1 ] && [ "$(fetched $graph)" = 0 ]
result "a graph is kept on this machine" $? "$W/err"
kept=$(ls "$states"/imgsearch-graph-*)
cp "$W/out" "$W/right"
printf damaged | dd of="$kept" bs=1 seek=900 conv=notrunc 2>/dev/null
[ "$(fetched $graph)" = 1 ] && cmp "$W/out" "$W/right" && [ "$(fetched $graph)" = 0 ]
result "... a damaged part is fetched again" $? "$W/err"
: >"$kept"
[ "$(fetched $graph)" = 1 ] && cmp "$W/out" "$W/right" && [ "$(fetched $graph)" = 0 ]
result "... and a file that was cut off" $? "$W/err"
run build --searcher graph --seed 3 --db "$there" >"$W/out" 2>&1
[ "$(fetched $graph)" = 1 ] && [ ! -e "$kept" ] &&
	[ "$(ls "$states" | grep -c '^imgsearch-graph-')" = 1 ]
result "... a new graph takes the place of the old one" $? "$W/err"
rm -r "$states" && : >"$states"
[ "$(fetched $graph)" -gt 1 ] && grep -q 'warning: searcher graph is not kept.*states' "$W/err"
result "... a folder that cannot be written is a warning" $? "$W/err"
rm "$states"

same "check" check
same "info" info
run info --db "$there" | grep -q '^server  *PostgreSQL [1-9].*, pgvector [0-9.]*$'
result "info names the versions of the server" $?
$psql -c "UPDATE pg_extension SET extversion = '0.8.0' WHERE extname = 'vector'"
run info --db "$there" | grep -q 'before pgvector 0.8.4'
result "info says what is wrong with an old pgvector" $?
run check --db "$there" 2>&1 | grep -q 'before pgvector 0.8.4'
result "check does" $?
$psql -c "UPDATE pg_extension SET extversion = '$version' WHERE extname = 'vector'"

$psql -c 'DELETE FROM photos.feature WHERE id = (SELECT min(id) FROM photos.feature)'
run check --db "$there" >"$W/out" 2>&1
[ $? != 0 ] && grep -q 'has no vector' "$W/out" && grep -q 'the count of vectors' "$W/out"
result "check finds a vector that is missing" $? "$W/out"

# Killed while it writes, again and again: nothing is half there.
there=$(db killed)
mkdir "$W/many"
for i in 1 2 3 4; do
	"$B/tools/draw" "$W/many/$i" 90
	for f in "$W/many/$i"/*; do
		printf %s "$i" >>"$f" # other bytes than those of the folders before
	done
done
for i in 1 2 3 4 5 6; do
	"$B/imgsearch" index --db "$there" "$W/many" >"$W/out" 2>&1 &
	sleep 0.$i
	kill -9 $! 2>/dev/null
	wait $! 2>/dev/null
done
run check --db "$there" >"$W/out" 2>&1
result "after kills the index is sound" $? "$W/out"
run index --db "$there" "$W/many" >"$W/out" 2>&1
run index -q --db "$W/many.db" "$W/many"
# Ids follow the order in which files were read: those of a killed run are read later.
run list --db "$there" | cut -f 2- | sort >"$W/a"
run list --db "$W/many.db" | cut -f 2- | sort >"$W/b"
diff "$W/a" "$W/b" >"$W/diff"
result "... and is completed by the next run" $? "$W/diff"

# What is asked of the server: for the run as a whole, for each transaction, and for claims.
there=$(db counted)
$psql -c "ALTER SYSTEM SET log_statement = 'all'" -c 'SELECT pg_reload_conf()' >"$W/out"
run index -q --db "$there" "$W/many" >"$W/out" 2>&1
$psql -c "ALTER SYSTEM SET log_statement = 'none'" -c 'SELECT pg_reload_conf()' >>"$W/out"
asked=$(grep 'LOG:  \(execute\|statement\)' "$pg_data/server.log" |
	grep -vc 'SAVEPOINT s\|RELEASE s')
writes=$(grep -c 'FROM ims_write' "$pg_data/server.log")
files=$(find "$W/many" -type f | wc -l)
echo "$asked statements, $writes writes, $files files" >>"$W/out"
[ "$writes" -gt 0 ] && [ "$asked" -le $((130 + 8 * writes + files / 50)) ]
result "an index run asks the server for blocks, not for files" $? "$W/out"

# Two programs index at once: each picture once.
there=$(db two)
run index --db "$there" "$W/many" >"$W/out" 2>&1 &
run index --db "$there" "$W/photos" >"$W/out.2" 2>&1
wait $!
result "two index runs at once" $? "$W/out"
run check --db "$there" >"$W/out" 2>&1
result "... leave a sound index" $? "$W/out"
n=$(run list --db "$there" | wc -l)
[ "$n" = "$(find "$W/many" "$W/photos" -type f | wc -l)" ]
result "... of all pictures" $? "$W/out.2"

# ------------------------------------------------------------------------------------ errors ----

fails() { # NAME TEXT ARGUMENTS...
	what=$1 text=$2
	shift 2
	run "$@" >"$W/out" 2>&1
	[ $? != 0 ] && grep -q "$text" "$W/out"
	result "$what" $? "$W/out"
}
fails "no such index" "there is no index" query "$W/photos/copy.jpg" --db "$(db empty)"
fails "no such schema" 'no schema "nothing"' index "$W/photos" --db \
	"$server?options=-csearch_path%3Dnothing,public"
fails "no schema at all" "no schema of the search path" index "$W/photos" --db \
	"$server?options=-csearch_path%3Dnothing"
fails "no such server" "refused" index "$W/photos" --db postgresql://127.0.0.1:1/x
fails "a damaged address" "address" index "$W/photos" --db "postgresql://%zz/"
run index "$W/photos" --db "postgresql://imgsearch:secret@127.0.0.1:1/x" >"$W/out" 2>&1
! grep -q secret "$W/out"
result "no password in a message" $? "$W/out"

done_testing
