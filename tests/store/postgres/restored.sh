#!/bin/sh
# One shard of an index is restored from its dump: every command of a role that may only read says
# so, and the command that makes the shards agree tells what that cost. Skipped where no server with
# pgvector is found.
cd "$(dirname "$0")/../../.." || exit 1
. tests/tools/result.sh
. tests/tools/postgres.sh
postgres_begin "a shard that is restored from a backup"
export IMGSEARCH_LIBDIR="$B/tests/lib"
run() { "$B/imgsearch" "$@"; }
try() {
	run "$@" >"$W/out" 2>&1
	rc=$?
}
expect() { # NAME STATUS TEXT: of the last `try`
	[ "$rc" = "$2" ] && grep -qF "$3" "$W/out"
	result "$1" $? "$W/out"
}
$psql -c 'CREATE ROLE reader LOGIN'
for name in one two three; do
	$psql -c "CREATE SCHEMA $name"
	echo "$server?options=-csearch_path%3D$name,public"
done >"$W/list.txt"
sed 's/imgsearch@/reader@/' "$W/list.txt" >"$W/reader.txt"
db=$W/list.txt
"$B/tools/draw" "$W/photos" 10
mkdir "$W/new"
mv "$W/photos"/*-10.* "$W/new"
picture=$(find "$W/photos" -type f | sort | head -1)
run index -q --db "$db" "$W/photos"
for name in one two three; do
	$psql -c "GRANT USAGE ON SCHEMA $name TO reader;
		GRANT SELECT ON ALL TABLES IN SCHEMA $name TO reader"
done
dump() { # of shard 3
	"$pg/pg_dump" -n three "$server" >"$W/dump.sql"
}
restore() {
	$psql -c 'SET client_min_messages = warning; DROP SCHEMA three CASCADE' &&
		$psql -f "$W/dump.sql" >/dev/null
}
old='is older than the others, as if it were restored from a backup'
told='was older than the others, as if it were restored from a backup'
total=$(find "$W/photos" -type f | wc -l)

try check --db "$W/reader.txt"
expect "nothing is wrong with shards of one time" 0 "no problem found"
dump
run shard move -q --db "$db" --from 1 --to 3 --buckets 200
restore
try check --db "$W/reader.txt"
expect "a check of one who reads finds a shard that lacks what came into it" 3 "$old"
try info --db "$W/reader.txt"
expect "totals are refused" 3 "$old"
try check --db "$db"
expect "the command that makes the shards agree tells what it did" 0 "shard 3 ("
grep -qF "$told" "$W/out"
result "... and why" $? "$W/out"
try check --db "$db"
! grep -qF "older than" "$W/out"
result "... once" $? "$W/out"
try index --db "$db" "$W/photos"
[ "$rc" = 0 ] && [ "$(run list --db "$W/reader.txt" | wc -l)" = "$total" ]
result "the next run takes in what is missing" $? "$W/out"

dump
run shard move -q --db "$db" --from 3 --to 1 --buckets 100
run query -k 200 --db "$W/reader.txt" "$picture" >"$W/before"
restore
run query -k 200 --db "$W/reader.txt" "$picture" >"$W/after" 2>&1
cmp "$W/before" "$W/after" >"$W/out" 2>&1
result "a shard that has again what left it changes no answer" $? "$W/out"
try check --db "$W/reader.txt"
expect "a check of one who reads finds it" 3 "$old"
try info --db "$W/reader.txt"
expect "totals are refused, too" 3 "$old"
try list --db "$db"
expect "any command of the owner removes it, and says so" 0 "$told"
[ "$(grep -c "^$W/" "$W/out")" = "$total" ] || [ "$(run list --db "$db" | wc -l)" = "$total" ]
result "... and all are there, once" $? "$W/out"

dump
run index -q --db "$db" "$W/new"
restore
try check --db "$db"
expect "a check finds a shard that has lost what it was given" 3 "$old"
try index --db "$db" "$W/new"
expect "the run that takes it in again says so" 0 "$told"
grep -q 'is missing (up to [1-9][0-9]* new pictures)' "$W/out"
result "... and how much was lost" $? "$W/out"
try check --db "$db"
expect "nothing is wrong then" 0 "no problem found"
done_testing
