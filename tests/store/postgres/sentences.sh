#!/bin/sh
# What the command says of an index on servers: which shard it is about, why it refuses, and what
# can be done. Skipped where no server with pgvector is found.
cd "$(dirname "$0")/../../.." || exit 1
. tests/tools/result.sh
. tests/tools/postgres.sh
postgres_begin "sentences of an index on servers"
export IMGSEARCH_LIBDIR="$B/tests/lib"
run() { "$B/imgsearch" "$@"; }
try() {
	run "$@" >"$W/out" 2>&1
	rc=$?
}
expect() { # NAME STATUS TEXT: of the last `try`
	[ "$rc" = "$2" ] && grep -qF -e "$3" "$W/out"
	result "$1" $? "$W/out"
}
$psql -c 'CREATE ROLE reader LOGIN'
for name in one two three four; do
	$psql -c "CREATE SCHEMA $name"
	address="$server?options=-csearch_path%3D$name,public"
	echo "$address" >"$W/$name"
done
one=$(cat "$W/one") two=$(cat "$W/two") three=$(cat "$W/three") four=$(cat "$W/four")
list=$W/list.txt
cat "$W/one" "$W/two" "$W/three" >"$list"
"$B/tools/draw" "$W/photos" 8
picture=$(find "$W/photos" -type f | sort | head -1)

# ------------------------------------------------------------------------------ before there is one

: >"$W/empty.txt"
for cmd in "index --db $W/empty.txt $W/photos" "query --db $W/empty.txt $picture"; do
	# shellcheck disable=SC2086
	try $cmd
	[ ! -s "$W/empty.txt" ]
	expect "${cmd%% *}: a list without an address" 3 "empty.txt: it has no address in it"
done
try query --db "$W/nolist.txt" "$picture"
expect "query: a list that does not exist" 3 "a name in .txt is that of a list of addresses"
try query --db "$list" "$picture"
expect "query: shards that hold nothing" 3 \
	"$list: there is no index; make one with: imgsearch index --db $list DIR"
try query --db "$four" "$picture"
expect "query: a database that holds nothing" 3 "make one with: imgsearch index --db '$four' DIR"

# ----------------------------------------------------------------------------------------- names

run index -q --db "$list" "$W/photos"
try shard list --db "$list"
for n in 1 2 3; do
	grep "^$n" "$W/out" | cut -f2
done >"$W/names"
diff "$W/names" "$list" >"$W/diff"
result "shards in schemas of one database are named by their schemas" $? "$W/diff"
try shard move --db "$list" --from 3 --to 3
expect "a move into the same shard" 3 "shard 3 is to move into itself"
try shard add --db "$list" "$two"
expect "a shard that is one already" 3 "is shard 2 of this index already"
try backup --db "$list" "$W/backup"
expect "a backup" 3 "a backup is made by pg_dump, of each of its 3 databases"
run index -q --db "$W/file.db" "$W/photos"
try shard add --db "$W/file.db" "$four"
expect "a shard of a file" 3 "lies in a file, and shards lie on servers: copy it to one first"
for cmd in list move; do
	try shard $cmd --db "$W/file.db"
	expect "shard $cmd of a file" 3 "has no shards"
done
try info --db "$W/file.db"
expect "info: vectors" 0 "vectors of 48 values, cosine"

# -------------------------------------------------------------------------------- a copy, a build

run build -q --searcher pca --db "$W/file.db"
$psql -c 'CREATE SCHEMA five; CREATE SCHEMA six'
for name in five six; do
	echo "$server?options=-csearch_path%3D$name,public"
done >"$W/copy.txt"
run copy -q "$W/file.db" "$(sed -n 1p "$W/copy.txt")"
run shard add -q --db "$(sed -n 1p "$W/copy.txt")" "$(sed -n 2p "$W/copy.txt")"
try info --db "$W/copy.txt"
expect "info: an index whose new shard lacks the searcher" 0 "scan: no searcher is built"
run build -q --searcher pgvector --db "$W/copy.txt"
try info --db "$W/copy.txt"
expect "info: what a recall is of" 0 "of stored pictures and 1.000 between them"

# ------------------------------------------------------------------------------------- a reader

run index -q --db "$four" "$W/photos"
$psql -c 'GRANT USAGE ON SCHEMA four TO reader; GRANT SELECT ON ALL TABLES IN SCHEMA four TO reader'
reader=$(echo "$four" | sed 's/imgsearch@/reader@/')
try rm "$picture" --db "$reader"
expect "a role without a right is told where they stand" 3 "(docs/scaling.md, Roles: the grants)"
try copy "$reader" "$W/copy.db"
expect "a copy needs the sequence" 3 "permission denied for sequence"
! grep -q 'run it again' "$W/out"
result "... and is not told to try again" $? "$W/out"

# ---------------------------------------------------------------------------------------- folders

run root mv -q "$W/photos" flowers: --db "$four"
try index --db "$four"
expect "a folder that this machine was not told of" 0 "by --root NAME=DIR"

# ------------------------------------------------------------------------- a shard that is away

{ cat "$W/one" "$W/two" && sed 's/127.0.0.1:[0-9]*/127.0.0.1:1/' "$W/three"; } >"$W/away.txt"
try query --db "$W/away.txt" "$picture"
expect "query: a shard that is away" 3 "; --partial answers without it"
try index --db "$W/away.txt" "$W/photos"
expect "index: a shard that is away" 3 "; all shards are needed to index"
try query --partial --db "$W/away.txt" "$picture"
expect "query: without it, which is named by its number" 0 "shard 3 (postgresql://"
done_testing
