#!/bin/sh
# An index in PostgreSQL whose schema is of another version: it is upgraded when its owner opens it,
# and refused otherwise. Skipped where no server with pgvector is found.
cd "$(dirname "$0")/../../.." || exit 1
. tests/tools/result.sh
. tests/tools/postgres.sh
. tests/tools/indexers.sh
postgres_begin "versions of a schema" end_all

# An index of version 1: it lacks a table and functions, and its searcher is of that version, too.
"$B/tools/draw" "$W/first" 30
picture=$(find "$W/first" -type f | head -1)
make_index elder 60
ask 'CREATE ROLE "the reader" LOGIN; GRANT USAGE ON SCHEMA elder TO "the reader";
	GRANT SELECT ON ALL TABLES IN SCHEMA elder TO "the reader"' >/dev/null
run build --searcher pgvector --db "$there" >"$W/out" 2>&1
result "a searcher that a role with a space in its name may read" $? "$W/out"
answers() { # AS
	run query "$picture" -k 8 --db "$(echo "$there" | sed "s/imgsearch@/$1@/")" >"$W/answer.$1" \
		2>&1
}
answers imgsearch
make_old() {
	ask "DROP TABLE stored_file, region, region_next; DELETE FROM tally WHERE what > 103;
		DROP FUNCTION ims_item_paths, ims_kept, ims_near;
		CREATE OR REPLACE FUNCTION ims_max_id() RETURNS bigint LANGUAGE sql AS 'SELECT 0::bigint';
		ALTER TYPE ims_record DROP ATTRIBUTE regions;
		UPDATE setting SET data = '1' WHERE name = 'version'" >/dev/null
}
make_old
version="SELECT encode(data, 'escape') FROM setting WHERE name = 'version'"

answers 'the%20reader'
[ $? != 0 ] && grep -q 'older imgsearch.*any command of its owner, imgsearch, upgrades it' \
	"$W/answer.the%20reader" && [ "$(ask "$version")" = 1 ]
result "a role that does not own an older index is told who upgrades it" $? "$W/answer.the%20reader"
for i in 1 2 3; do
	start $i list --db "$there"
done
failed=0
for p in $started; do
	wait "$p" || failed=1
done
cat "$W"/out.[123] >"$W/out"
result "its owner opens it, three times at once" $failed "$W/out"
[ "$(ask "$version")" = 3 ]
result "... it is upgraded" $?
[ "$(grep -c 'was upgraded from version 1 to 3: older programs cannot open it' "$W/out")" = 1 ]
result "... which one of the three says, in one line" $? "$W/out"
cp "$W/answer.imgsearch" "$W/answer.before"
answers imgsearch && cmp "$W/answer.before" "$W/answer.imgsearch" >"$W/out" 2>&1
result "... it answers as before" $? "$W/out"
answers 'the%20reader' && cmp "$W/answer.before" "$W/answer.the%20reader" >"$W/out" 2>&1
result "... to the other role, too" $? "$W/answer.the%20reader"
[ "$(ask "SELECT has_table_privilege('the reader', 'stored_file', 'SELECT')")" = t ]
result "... who may read stored bytes" $?
run query "$picture" -k 8 --searcher pgvector --json --db "$there" >"$W/out" 2>&1 &&
	grep -q '"plan": "index of the server"' "$W/out"
result "... its searcher is used" $? "$W/out"
functions() { # SCHEMA: the text of all, without what differs
	ask "SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = '$1'::regnamespace
		ORDER BY proname" |
		sed "s/\b$1\b/SCHEMA/g; s/\(compared*_\|near_\|number = \)[0-9]*/\1N/g"
}
functions elder >"$W/upgraded"
"$B/tools/draw" "$W/more" 40
run index --db "$there" "$W/more" >"$W/out" 2>&1
result "... more is indexed" $? "$W/out"
is_sound "... it is sound"
make_index younger 60
run build --searcher pgvector --db "$there" >"$W/out" 2>&1
functions younger | diff "$W/upgraded" - >"$W/out"
result "... it has the functions of a new index" $? "$W/out"

# A shard, whose indexes call a function.
$psql -c 'CREATE SCHEMA second'
second="$server?options=-csearch_path%3Dsecond,public"
run shard add --db "$there" "$second" >"$W/out" 2>&1 &&
	run list --db "$there" --db "$second" >"$W/list" 2>>"$W/out"
make_old
run list --db "$there" --db "$second" >"$W/list.2" 2>>"$W/out" &&
	cmp "$W/list" "$W/list.2" >>"$W/out"
result "a shard is upgraded" $? "$W/out"
[ "$(grep -c 'and 1 more was upgraded from version 1 to 3' "$W/out")" = 1 ]
result "... which is said" $? "$W/out"

# ---------------------------------------------------------------------- versions of pgvector ----

fake() { # VERSION of the extension, as the server tells it
	$psql -c "UPDATE pg_extension SET extversion = '$1' WHERE extname = 'vector'"
}
builds() { # what a build of the server's index sets
	: >"$pg_data/server.log"
	$psql -c "ALTER DATABASE postgres SET log_statement = 'all'"
	run build --searcher pgvector --seed 2 --db "$there" >"$W/out" 2>&1
	rc=$?
	$psql -c "ALTER DATABASE postgres RESET log_statement"
	return $rc
}
own=$($psql -tAc "SELECT extversion FROM pg_extension WHERE extname = 'vector'")
make_index vectors 60
one_process='SET max_parallel_maintenance_workers = 0'
iterates="SELECT count(*) = 1 FROM pg_proc WHERE pronamespace = 'vectors'::regnamespace
	AND proname = 'ims_near_index' AND prosrc LIKE '%hnsw.iterative_scan%'"
for v in 0.7.4 0.8.0 0.8.1 0.8.2 0.8.4 0.10.0 1.0.0; do
	fake $v
	ask 'SELECT ims_comparison_drop(number) FROM comparison' >/dev/null
	builds
	result "with pgvector $v an index is built" $? "$W/out"
	parallel=$(grep -c "$one_process" "$pg_data/server.log")
	case $v in 0.7.4 | 0.8.0 | 0.8.1) [ "$parallel" -ge 1 ] ;; *) [ "$parallel" = 0 ] ;; esac
	result "... by one process where several are unsafe" $? "$W/out"
	[ "$(ask "$iterates")" = "$([ $v = 0.7.4 ] && echo f || echo t)" ]
	result "... searched iteratively where that is known" $?
	run query "$picture" -k 8 --searcher pgvector --db "$there" >"$W/out" 2>&1
	result "... and answers" $? "$W/out"
	run info --db "$there" >"$W/info" 2>&1
	run check --db "$there" >"$W/check" 2>&1
	rc=0
	for said in info check; do
		case $v in
		0.7.4) grep -q 'before 0.8 one gives a filter too few' "$W/$said" || rc=1 ;;
		0.8.[0-2]) grep -q 'before pgvector 0.8.4 a vacuum may damage' "$W/$said" || rc=1 ;;
		*) ! grep -q 'before pgvector' "$W/$said" || rc=1 ;;
		esac
	done
	result "... info and check say what is known of it" $rc "$W/info"
done
fake 0.6.2
builds
[ $? != 0 ] && grep -q 'pgvector 0.7 or newer is needed' "$W/out"
result "pgvector 0.6.2 is too old for an index" $? "$W/out"
fake "$own"

# ------------------------------------------------------------------- versions that do not fit ----

for other in 4/newer 0/older; do
	ask "UPDATE setting SET data = '${other%/*}' WHERE name = 'version'" >/dev/null
	run list --db "$there" >"$W/out" 2>&1
	[ $? != 0 ] && grep -q "made by a[n]* ${other#*/} imgsearch (schema ${other%/*}, this" "$W/out"
	result "version ${other%/*} is refused" $? "$W/out"
done
done_testing
