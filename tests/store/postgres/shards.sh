#!/bin/sh
# An index of three shards, each on a server of its own, beside the same index in one file. Skipped
# where no server with pgvector is found: `make test-postgres` gets one.
cd "$(dirname "$0")/../../.." || exit 1
. tests/tools/result.sh
. tests/tools/postgres.sh
stop_others() {
	for i in 2 3; do
		pg_data=$W/$i/server
		postgres_stop
	done
	pg_data=$W/server
}
postgres_begin "an index of shards" stop_others
s1=$server psql1=$psql
for i in 2 3; do
	mkdir "$W/$i" && chmod 755 "$W/$i"
	postgres_start "$W/$i/server" || exit 1
	eval "s$i=\$server psql$i=\$psql"
done
port3=$pg_port

# --------------------------------------------------------------------------------- the store ----

# Shards of one server: what the tests look at is one transaction in each.
for t in test_store test_names test_deleted test_facts test_regions; do
	IMGSEARCH_TEST_SHARDS=3 IMGSEARCH_TEST_SERVER=$s1 IMGSEARCH_TEST_PSQL=$psql1 \
		"$B/tests/store/$t" >"$W/out" 2>&1
	result "$t over shards" $? "$W/out"
done

# ------------------------------------------------------------------------------- the command ----

export IMGSEARCH_LIBDIR="$B/tests/lib"
run() { "$B/imgsearch" "$@"; }
db() { # SCHEMA: the file that names it on each server
	for i in 1 2 3; do
		eval "\$psql$i -c 'CREATE SCHEMA $1'" >&2
		eval "echo \$s$i?options=-csearch_path%3D$1,public"
	done >"$W/$1.txt"
	echo "$W/$1.txt"
}
one() { # SCHEMA NUMBER: one of them
	sed -n "$2p" "$W/$1.txt"
}
expect() { # NAME STATUS TEXT: of the last run of `run`, whose output is in $W/out
	[ "$rc" = "$2" ] && grep -qF "$3" "$W/out"
	result "$1" $? "$W/out"
}
try() {
	run "$@" >"$W/out" 2>&1
	rc=$?
}

# The same command over both; what differs by nature is left out.
same() { # NAME ARGUMENTS...
	what=$1
	shift
	for d in "$there" "$W/index.db"; do
		run "$@" --db "$d" 2>"$W/err" >"$W/said"
		cat "$W/err" "$W/said" |
			sed 's/, [0-9.]* s$//; s/ rows, [0-9]* kB/ rows/; s/ ([0-9.]* s)$//' |
			grep -v '^\(index\|size\|searcher\|server\|kernels\|  built\) \|postgresql:' |
			grep -v 'for the reasons' |
			{ case $1 in list) cut -f2- ;; dups) cut -f1,3- | sort ;; *) cat ;; esac; } \
			>"$W/out.$([ "$d" = "$there" ] && echo shards || echo file)"
	done
	diff "$W/out.file" "$W/out.shards" >"$W/diff"
	result "$what" $? "$W/diff"
}
counts() { # of the shards, in one line
	run shard list --db "$there" 2>&1 | awk -F'\t' '{ printf "%s ", $3 + 0 }'
}
answers() { # DB: the ten best of 200 pictures
	xargs "$B/imgsearch" query -k 10 --db "$1" <"$W/queries" 2>/dev/null
}

there=$(db photos)
"$B/tools/draw" "$W/photos" 40
mkdir "$W/photos/sub" "$W/photos/bad"
first=$(find "$W/photos" -type f | sort | head -1)
second=$(find "$W/photos" -type f | sort | sed -n 2p)
cp "$first" "$W/photos/sub/copy.jpg"
ln "$second" "$W/photos/sub/name.jpg"
head -c 300 "$first" >"$W/photos/bad/cut.jpg"
echo 'no picture' >"$W/photos/bad/text.jpg"
find "$W/photos" -name '*.jpg' -not -path '*/bad/*' | sort | head -200 >"$W/queries"
same "index" index "$W/photos"
same "index, once more" index
same "list" list
same "list of what failed" failed
same "query" query "$first" -k 10
same "query by a copy" query "$W/photos/sub/copy.jpg" -k 10
same "query below a folder" query "$first" -k 10 --under "$W/photos/sub"
same "info" info
same "dups" dups
same "check" check
answers "$W/index.db" >"$W/one"
answers "$there" >"$W/three"
cmp -s "$W/one" "$W/three" && [ "$(wc -l <"$W/one")" -ge 2000 ]
result "the ten best of 200 queries are those of one file" $?
[ "$(run shard list --db "$there" | awk -F'\t' '$4 + 0 > 60' | wc -l)" = 3 ]
result "each shard has its part" $?

# Other bytes below a path belong elsewhere: the picture moves, and keeps its id.
ids() { # of the pictures 3 to 12, and the shards that they lie in
	sed -n 3,12p "$W/queries" >"$W/changed"
	for i in 1 2 3; do
		path="'$W/photos/' || convert_from(path, 'UTF8')"
		eval "\$psql$i -tA -F ' ' -c \"SELECT $path, id, $i FROM photos.picture\""
	done | sort >"$W/all"
	grep -Ff "$W/changed" "$W/all"
}
ids >"$W/before"
while read -r p; do printf x >>"$p"; done <"$W/changed"
run index -q --db "$there"
ids >"$W/after"
[ "$(wc -l <"$W/after")" = 10 ] && cut -d' ' -f1,2 "$W/before" >"$W/a" &&
	cut -d' ' -f1,2 "$W/after" | diff "$W/a" - >"$W/diff" && ! cmp -s "$W/before" "$W/after"
result "a picture whose bytes change keeps its id, also where it moves" $? "$W/diff"
run index -q --db "$W/index.db"
same "query after that" query "$(head -1 "$W/changed")" -k 10
same "list after that" list
same "check after that" check
rm "$first" # a copy takes its place
same "index where a picture is gone" index
same "query where a copy took its place" query "$W/photos/sub/copy.jpg" -k 10
same "keep out" rm --keep-out "$W/photos/sub/name.jpg"
same "index does not take it in" index
same "readmit" readmit "$second"
same "list in the end" list

# ------------------------------------------------------------------------------- searchers ----

try build --searcher pgvector --db "$there"
[ "$rc" = 0 ] && run query -j --db "$there" "$second" | grep -q '"plan": "index of the server"'
result "an index of each server answers" $? "$W/out"
$psql1 -c "SET search_path = photos, public; BEGIN; SELECT ims_begin(0);
	SELECT ims_set_model(1, 'wide', 'w', 'w', '', 3, 0);
	INSERT INTO feature_next SELECT id, '[1,2,3]' FROM feature; SELECT ims_switch_model();
	ROLLBACK" >"$W/out" 2>&1
result "a model of other dimensions takes the place of one that is compared" $? "$W/out"
for what in exact pca; do
	try build --searcher $what --db "$there"
	run build -q --searcher $what --db "$W/index.db"
	same "query by $what" query --searcher $what "$second" -k 10
done

# ---------------------------------------------------------------------------- what is refused ----

try query --db "$(one photos 1)" "$second"
expect "one shard alone" 3 \
	"is shard 1 of 3: all of them are opened together; give a --db for each of them"
try query --db "$(one photos 1)" --db "$(one photos 3)" "$second"
expect "two of three" 3 "has 3 shards, and the addresses lack that of shard 2"
try query --db "$(one photos 1)" --db "$(one photos 2)" --db "$(one photos 2)" "$second"
expect "one twice" 3 "is named twice"
# Making a new index that was cut off, or misspelt, leaves empty shards: they may be made again.
new=$(db new)
try index --db "$(one new 1)" --db "$(one new 2)" --db "$(one new 1)" "$W/photos/sub"
expect "a new shard twice" 3 "is named twice"
try index --db "$(one new 2)" --db "$(one new 1)" "$W/none"
try index --db "$(one new 1)" --db "$(one new 2)" --db "$(one new 3)" "$W/none"
try index --db "$(one new 3)" --db "$(one new 2)" --db "$(one new 1)" "$W/photos/sub"
[ "$rc" = 0 ] && try check --db "$new"
expect "the right ones are a new index in any order" 0 "no problem found"
other=$(db other)
run index -q --db "$other" "$W/photos/sub"
try query --db "$(one photos 1)" --db "$(one photos 2)" --db "$(one other 3)" "$second"
expect "a shard of another index" 3 "is a shard of another index"
try query --db "$(one photos 1)" --db "$W/index.db" "$second"
expect "a file among them" 3 "only the addresses of servers can be several"
printf '# shards\n%s\nhere.db\n' "$(one photos 1)" >"$W/wrong"
try query --db "$W/wrong" "$second"
expect "a list with another line" 3 "wrong: line 3 is not the address of a server"
try index --db "$W/mistyped.txt" "$W/photos/sub"
[ ! -e "$W/mistyped.txt" ]
expect "a list that does not exist" 3 "there is no such file; a name in .txt is that of a list"
size=$(wc -c <"$there")
{ cat "$there" && printf "%$((511 - size % 512))s\n" ''; } >"$W/pages" # as large as pages
try query --db "$W/pages" "$second"
expect "a list of whole pages" 0 "$second"
target=$(db target)
try copy "$there" "$target"
expect "a copy of shards into shards" 3 \
	"lies on several servers: copy it into a file or to one server"
try query --db "$target" "$second"
expect "nothing was made there" 3 "there is no index"
{ one photos 1 && one photos 2 && one target 3; } >"$W/mixed"
try index --db "$W/mixed" "$W/photos"
expect "two of three, and an empty one" 3 "is no shard of the index: it holds nothing"
[ "$($psql3 -tAc "SELECT to_regclass('target.picture')")" = "" ]
result "which stays empty" $?
try query --db "$W/mixed" "$second"
expect "and the same where nothing is made" 3 "is no shard of the index: it holds nothing"
{ one photos 1 && one photos 2 && one other 3 | sed 's/other/nowhere/'; } >"$W/mixed"
try query --db "$W/mixed" "$second"
expect "two of three, and a schema that is not there" 3 'there is no schema "nowhere"'
try query --db "$(one photos 1 | sed 's/photos/nowhere/')" "$second"
expect "a schema that is not there" 3 'there is no schema "nowhere"'
alone=$(db alone)
run index -q --db "$(one alone 1)" "$W/photos/sub"
for cmd in info index; do
	try $cmd --db "$alone"
	expect "$cmd: an index of one server, and empty ones" 3 "it is opened alone, and other servers"
done
try shard add --db "$(one alone 1)" "$(one alone 1)"
expect "an index is not added to itself" 3 "holds something already"
[ -z "$($psql1 -tAc "SELECT name FROM alone.setting WHERE name = 'shards'")" ]
result "nor made the first shard by that" $?
try copy "$there" "$W/back.db"
answers "$W/back.db" >"$W/back"
answers "$there" >"$W/three"
[ "$rc" = 0 ] && cmp -s "$W/three" "$W/back"
result "a copy of shards into a file answers the same" $? "$W/out"

# ------------------------------------------------------------------------ a copy into shards ----

# One that one of the servers stops, whose last transaction the others have alone.
copied=$(db copied)
run build -q --searcher pca --db "$W/index.db"
awk 'BEGIN { print "file,date,rating,colour" }
	{ printf "%s,20%02d-01-01,%d,%s\n", $0, NR * 7 % 90 + 10, NR % 5 + 1, NR % 3 ? "red" : "" }' \
	"$W/queries" >"$W/columns.csv"
run index -q --csv "$W/columns.csv" --db "$W/index.db"
try copy "$W/index.db" "$W/mistyped.txt"
expect "a copy to a list that does not exist" 3 "there is no such file"
try index --db "$copied" "$W/none"
refuse='BEGIN RAISE EXCEPTION $$no more$$; END'
$psql3 -c "CREATE FUNCTION copied.refuse() RETURNS trigger LANGUAGE plpgsql AS '$refuse';
	CREATE TRIGGER refuse BEFORE INSERT ON copied.feature FOR EACH ROW
	EXECUTE FUNCTION copied.refuse()"
try copy "$W/index.db" "$copied"
expect "a copy that a server stops" 3 "no more"
try query --db "$copied" "$second"
expect "is no index" 3 "is an incomplete copy"
$psql3 -c 'DROP TRIGGER refuse ON copied.feature'
$psql2 -c "UPDATE copied.setting SET data = data || '\\x00' WHERE name = 'copy'"
try copy "$W/index.db" "$copied"
expect "of which one shard has more than the others starts over" 0 "has a part of the last rows"
answers "$W/index.db" >"$W/one"
answers "$copied" >"$W/three"
cmp -s "$W/one" "$W/three"
result "a copy into shards answers as the file" $?
there=$copied
ids_of() { # DB
	run list -j --db "$1" | grep -o '"id": [0-9]*, "path": "[^"]*"' | sort
}
ids_of "$W/index.db" >"$W/one"
ids_of "$copied" | diff "$W/one" - >"$W/diff" && [ "$(counts)" = "342 341 341 " ]
result "with the same ids, spread" $? "$W/diff"
same "check of a copy into shards" check
same "query of a copy into shards by its state" query --searcher pca "$second"
# Ids of all shards are mixed.
same "list by a column" list --where 'colour = "red"'
same "query by a column" query --where 'rating > 2' -k 200 "$second"
same "query by a column below a folder" query -u "$W/photos" --where 'rating > 2' "$second"
same "dups by a column" dups --kind scene --min-score 0.9 --where 'rating > 2'
for by in date rating; do
	same "list by $by" list --sort $by
	same "list by $by and a condition" list --sort $by --reverse --where 'colour = "red"'
done
try copy "$W/index.db" "$copied"
expect "a second copy compares" 0 "the copy was read again and is the same"
given="import sqlite3, sys
sql = 'SELECT seq FROM sqlite_sequence WHERE name = ?'
print(sqlite3.connect(sys.argv[1]).execute(sql, ['picture']).fetchone()[0])"
[ "$($psql1 -tAc 'SELECT last_value FROM copied.item_id')" = \
	"$(python3 -c "$given" "$W/index.db")" ]
result "and ids go on behind the largest one" $?

# ------------------------------------------------------------------- one becomes three, moving ----

# More pictures than an answer has, whose vectors are the same: they are in order of id.
mkdir "$W/photos/tied"
for n in 1 2 3 4 5 6 7 8 9 10 11 12; do
	{ cat "$second" && echo "$n"; } >"$W/photos/tied/$n.jpg"
done
run index -q --db "$W/index.db"
run build -q --searcher exact --db "$W/index.db"
answers "$W/index.db" >"$W/one"
grown=$(db grown)
run copy "$W/index.db" "$(one grown 1)" 2>/dev/null
try shard add --db "$(one grown 1)" "$(one grown 2)"
[ "$rc" = 0 ] && try shard add --db "$(one grown 1)" --db "$(one grown 2)" "$(one grown 3)"
there=$grown
[ "$rc" = 0 ] && [ "$(counts)" = "1024 0 0 " ]
result "two empty shards are added" $? "$W/out"
try shard add --db "$grown" "$(one photos 1)"
expect "a shard that holds something is not added" 3 "holds something already"
# Vectors of one's own, whose ids are of no shard's range, replaced among new ones.
python3 - "$W" <<'END'
import struct, sys
def npy(name, kind, shape, data):
    head = "{'descr': '%s', 'fortran_order': False, 'shape': %s, }" % (kind, shape)
    head += " " * (-(len(head) + 11) % 64) + "\n"
    with open(sys.argv[1] + "/" + name, "wb") as f:
        f.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode() + data)
for n in (2, 256):
    ids = [(1 << 46) + i for i in range(n)]
    npy(f"ids{n}.npy", "<i8", f"({n},)", struct.pack(f"<{n}q", *ids))
    rows = [float(i * j % 7 + 1) for i in range(n) for j in range(8)]
    npy(f"rows{n}.npy", "<f4", f"({n}, 8)", struct.pack(f"<{8 * n}f", *rows))
END
own=$(db own)
try vectors import "$W/rows2.npy" --ids "$W/ids2.npy" --db "$own"
[ "$rc" = 0 ] && try vectors import "$W/rows256.npy" --ids "$W/ids256.npy" --db "$own"
vectors=$(run shard list --db "$own" | awk -F'\t' '{ n += $5 } END { print n }')
[ "$rc" = 0 ] && [ "$vectors" = 256 ]
result "vectors of one's own are replaced among new ones" $? "$W/out"
metric=$(db metric)
try vectors import "$W/rows2.npy" --metric l2 --db "$metric"
[ "$rc" = 0 ] && try vectors import "$W/rows2.npy" --db "$metric" && try info --db "$metric"
expect "new shards have the metric that is asked for" 0 "vectors      4 vectors of 8 values, l2"
try vectors import "$W/rows2.npy" --metric ip --db "$metric"
expect "shards that are there have their own" 3 "the index has the metric l2; leave --metric out"
try shard move --db "$grown" --to 9
expect "there is no such shard" 3 "has the shards 1 to 3"

# Programs that search while buckets move see each picture, and see it once.
reading() {
	while [ ! -e "$W/moved" ]; do
		answers "$grown" >"$W/seen.$1"
		cmp -s "$W/one" "$W/seen.$1" || { cp "$W/seen.$1" "$W/differs"; return 1; }
	done
}
reading 1 &
reader=$!
for n in 1 2 3 4 5 6; do
	"$B/imgsearch" shard move -q --db "$grown" --buckets 120 &
	mover=$!
	until [ "$(counts)" != "${last:-1024 0 0 }" ] || ! kill -0 $mover 2>/dev/null; do :; done
	kill -9 $mover 2>/dev/null
	wait $mover 2>/dev/null
	last=$(counts)
done
try shard move --db "$grown"
[ "$rc" = 0 ] && [ "$(counts)" = "342 341 341 " ]
result "movers that are killed leave what they moved, and the last one ends it" $? "$W/out"
touch "$W/moved"
wait $reader
result "who searches meanwhile sees every picture once" $? "$W/differs"
same "check after the moves" check
same "index after the moves" index
same "list after the moves" list
try shard move --db "$grown" --from 2
[ "$rc" = 0 ] && [ "$(counts)" = "512 0 512 " ] &&
	[ -z "$($psql2 -tAc 'SELECT id FROM grown.feature')" ]
result "a shard is emptied" $? "$W/out"
answers "$grown" >"$W/three"
cmp -s "$W/one" "$W/three"
result "the answers are still those of one file" $?
tied() { # DB
	run query -j -k 10 --db "$1" "$second" | grep -o '"id": [0-9]*, "path": "[^"]*", "score": 1[,}]'
}
tied "$W/index.db" >"$W/one.tied"
tied "$grown" >"$W/three.tied"
where=$(for i in 1 2 3; do
	eval "\$psql$i -tAc \"SELECT 1 FROM grown.picture WHERE path LIKE 'tied/%' LIMIT 1\""
done | grep -c 1)
[ "$where" = 2 ] && [ "$(wc -l <"$W/one.tied")" = 10 ] &&
	diff "$W/one.tied" "$W/three.tied" >"$W/diff"
result "pictures of two shards with equal scores are in order of id" $? "$W/diff"
run shard move -q --db "$grown"
try shard move --db "$grown" --to 3
expect "no bucket moves where all have as many" 0 "0 buckets were moved: no shard has fewer"
try shard move --db "$grown" --to 3 --buckets 7
[ "$(counts)" = "338 337 349 " ] || [ "$(counts)" = "338 338 348 " ]
expect "as many as are asked for" 0 "7 buckets were moved"
run shard move -q --db "$grown"

# A move that is cut off between two commits: what arrived is in both, and the maps differ.
$psql1 -tAc "SELECT encode(data, 'hex') FROM grown.setting WHERE name = 'shards'" >"$W/map"
ids=$($psql1 -tAc "SELECT string_agg(id::text, ',') FROM grown.picture")
run shard move -q --db "$grown" --from 1 --to 3 --buckets 40
$psql1 -c "UPDATE grown.setting SET data = decode('$(cat "$W/map")', 'hex') WHERE name = 'shards'"
gone=$($psql3 -tAc "SELECT count(*) FROM grown.picture WHERE id IN ($ids)")
$psql3 -qAt -c "COPY (SELECT * FROM grown.picture WHERE id IN ($ids)) TO STDOUT" >"$W/rows"
$psql1 -c "COPY grown.picture FROM STDIN" <"$W/rows"
$psql3 -qAt -c "COPY (SELECT * FROM grown.feature WHERE id IN ($ids)) TO STDOUT" >"$W/rows"
$psql1 -c "COPY grown.feature FROM STDIN" <"$W/rows"
$psql1 -c "UPDATE grown.tally t SET n = (SELECT count(*) FROM grown.picture WHERE state = what)
		WHERE what < 100;
	UPDATE grown.tally SET n = (SELECT count(*) FROM grown.feature) WHERE what = 101"
answers "$grown" >"$W/three"
[ "$gone" -gt 0 ] && diff "$W/one" "$W/three" >"$W/diff"
result "what lies in two shards is shown once" $? "$W/diff"
try index --db "$grown"
[ "$rc" = 0 ] && [ "$($psql1 -tAc "SELECT count(*) FROM grown.picture")" = \
	"$(($(echo "$ids" | tr ',' '\n' | wc -l) - gone))" ]
result "the next writer ends a move that was cut off" $? "$W/out"
same "check after that move" check

# --------------------------------------------------------------- restored from a backup ----

# A shard as it was before moves and runs. Those who only read are told; the next writer takes in
# what is lost, and gives no id twice.
dump() { # of shard 3
	"$pg/pg_dump" -n grown "$s3" >"$W/dump.sql"
}
restore() {
	$psql3 -c 'SET client_min_messages = warning; DROP SCHEMA grown CASCADE' &&
		$psql3 -f "$W/dump.sql" >/dev/null
}
largest() { # the largest id that shard 3 has given
	$psql3 -tAc 'SELECT last_value FROM grown.item_id'
}
new_pictures() { # NUMBER: of the drawings of each kind, in a folder of their own
	"$B/tools/draw" "$W/drawn" "$1"
	mkdir "$W/new$1"
	mv "$W/drawn"/*-"$1".jpg "$W/new$1"
	run index -q --db "$grown" "$W/new$1"
	run index -q --db "$W/index.db" "$W/new$1"
}
for i in 1 2 3; do
	eval "\$psql$i -c 'CREATE ROLE reader LOGIN; GRANT USAGE ON SCHEMA grown TO reader;
		GRANT SELECT ON ALL TABLES IN SCHEMA grown TO reader'"
done
sed 's/imgsearch@/reader@/' "$grown" >"$W/reader.txt"
dump
new_pictures 41
given=$(largest)
restore
[ "$(largest)" -lt "$given" ] && try index --db "$grown" && [ "$(largest)" -gt "$given" ]
result "a restored shard gives no id twice" $? "$W/out"
same "list after a restore" list
same "check after a restore" check
dump
new_pictures 42
run shard move -q --db "$grown" --from 3 --to 1 --buckets 40
run shard move -q --db "$grown" --from 1 --to 3 --buckets 20
run shard move -q --db "$grown" --from 3 --to 2 --buckets 20
restore
try query --db "$W/reader.txt" "$second"
expect "who may only read is told of a restored shard" 3 \
	"shard 3 ($(sed -n 3p "$W/reader.txt")) is older than the others"
try index --db "$grown"
[ "$rc" = 0 ] && try query --db "$W/reader.txt" "$second"
expect "the next writer makes the shards agree" 0 "$second"
same "index after that" index
same "list after a restored move" list
same "check after a restored move" check
same "query after a restored move" query "$W/new42/forest-42.jpg" -k 10
answers "$grown" >"$W/one"

# ----------------------------------------------------------------------------- many indexers ----

busy=$(db busy)
rm -r "$W/photos/bad" # or the status would not be 0
for n in 1 2 3; do
	"$B/imgsearch" index --db "$busy" "$W/photos" >"$W/index.$n" 2>&1 &
	eval "p$n=$!"
done
wait $p1 && wait $p2 && wait $p3
result "three programs index at once" $? "$W/index.1"
new=$(sed -n 's/.* \([0-9]*\) new.*/\1/p' "$W"/index.[123] | awk '{ n += $1 } END { print n }')
[ "$new" = "$(find "$W/photos" -type f | wc -l)" ]
result "each file is taken in by one of them" $? "$W/index.1"
there=$busy
run check --db "$busy" >"$W/out" 2>&1
result "check after that" $? "$W/out"

# -------------------------------------------------------------------- one that is not reached ----

there=$grown
$psql3 -tAc "SELECT convert_from(path, 'UTF8') FROM grown.picture WHERE state = 1 LIMIT 1" \
	>"$W/lost"
"$B/imgsearch" serve --partial --no-token --db "$grown" --port 0 --socket "$W/socket" \
	>"$W/serve" 2>&1 &
serving=$!
until grep -q '^http' "$W/serve"; do kill -0 $serving 2>/dev/null || break; done
total() { # of the pictures that the open program lists
	python3 -c 'import json, sys, urllib.request
print(json.load(urllib.request.urlopen(sys.argv[1] + "api/pictures?sort=path"))["total"])' \
		"$(grep '^http' "$W/serve")" 2>&1
}
total >"$W/all"
pg_data=$W/3/server
postgres_stop
total >"$W/out"
python3 - "$(grep '^http' "$W/serve")" >"$W/rejected" <<'END'
import sys, urllib.error, urllib.request
try:
    urllib.request.urlopen(sys.argv[1] + "api/reject", b'{"a": 1, "b": 2}')
except urllib.error.HTTPError as e:
    print(e.read().decode())
END
kill $serving
wait $serving
[ "$(cat "$W/out")" -gt 0 ] && [ "$(cat "$W/out")" -lt "$(cat "$W/all")" ]
result "a shard that goes away is left out of lists of an open program" $? "$W/out"
grep -q 'nothing can be written without it' "$W/rejected"
result "... which writes nothing without it" $? "$W/rejected"
try query --db "$grown" "$second"
expect "a shard that is away is an error" 3 "port $port3"
try query --partial --db "$grown" "$second" -k 10
expect "or left out, by name" 0 \
	"shard 3 ($(one grown 3)) cannot be reached; what it has is left out"
! grep -qF "$(cat "$W/lost")" "$W/out"
result "without what it has" $? "$W/out"
run query --partial -j --db "$grown" "$second" | grep -q '"missing": \["postgresql://'
result "in JSON, too" $?
try query --partial --db "$grown" id:99999
expect "an item may lie there" 3 'and 2 more, as far as its shards can be reached'
try check --partial --db "$grown"
expect "a check says what it did not look at" 0 "no problem found in the shards that were reached"
sed "s/imgsearch@/nobody@/" "$grown" | sed -n 2p | cat - "$grown" | sed 3d >"$W/refused.txt"
try query --partial --db "$W/refused.txt" "$second"
expect "a role that does not exist is an error" 3 'role "nobody" does not exist'
! grep -qF 'name another file' "$W/out"
result "whose advice is no other file" $? "$W/out"
try index --db "$grown" "$W/photos"
expect "nothing is written then" 3 "port $port3"
try shard list --partial --db "$grown"
expect "the list says so" 0 "cannot be reached"
pg_port=$port3
postgres_again
answers "$grown" >"$W/three"
cmp -s "$W/one" "$W/three"
result "when it is back, all is there" $?
done_testing
