#!/bin/sh
# Several programs index into one PostgreSQL at once: each file is read once, whichever of them is
# killed, stopped or cut off. Skipped where no server with pgvector is found.
cd "$(dirname "$0")/../../.." || exit 1
. tests/tools/result.sh
. tests/tools/postgres.sh
. tests/tools/indexers.sh
postgres_begin "many indexers" end_all

# A tree of 96 pictures, and copies of them with other bytes.
"$B/tools/draw" "$W/first" 1
mkdir "$W/tree"
"$B/tools/draw" "$W/tree/a" 12
add_copy() { # NAME
	cp -r "$W/tree/a" "$W/tree/$1"
	echo "$1" | tee -a "$W/tree/$1"/* >/dev/null
}
for copy in b c d e f g h i j k l m n o p q r s t u v w x y z; do
	add_copy $copy
done
files=$(find "$W/tree" -type f | wc -l)

# ------------------------------------------------------------------------------ three at once ----

make_index three 60
export FAKE_COUNT="$W/embedded"
for i in 1 2 3; do
	start $i index --db "$there" "$W/tree"
done
unset FAKE_COUNT
failed=0
for p in $started; do
	wait "$p" || failed=1
done
cat "$W"/out.[123] >"$W/out"
result "three programs index one tree" $failed "$W/out"
[ "$(new_of "$W"/out.[123])" = "$files" ]
result "... what they call new adds up" $? "$W/out"
known=$(find "$W/first" -type f | wc -l) # their bytes are in the tree, too
embedded=$(awk '{ n += $1 } END { print n }' "$W/embedded")
[ "$embedded" = $((files - known)) ]
result "... each file is embedded once: $embedded" $? "$W/out"
holds_each_once "... and is there once" "$W/tree" "$W/first"
is_sound "... the index is sound"
is_clean
result "... nothing stays claimed" $?

# ------------------------------------------------------------------------------------ killed ----

# Rows are written slowly, so that many kills come within a transaction.
make_index killed 2
ask 'CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS
	$$ BEGIN PERFORM pg_sleep(0.001); RETURN NEW; END $$' >/dev/null
ask 'CREATE TRIGGER slow BEFORE INSERT ON picture FOR EACH ROW EXECUTE FUNCTION slow()' >/dev/null
kills=0 rounds=0
one= two= three=
is_alive() { [ -n "$1" ] && kill -0 "$1" 2>/dev/null; }
while [ $kills -lt 50 ] && [ $rounds -lt 100 ]; do
	rounds=$((rounds + 1))
	is_alive "$one" || { start 1 index --db "$there" "$W/tree" && one=$!; }
	is_alive "$two" || { start 2 index --db "$there" "$W/tree" && two=$!; }
	is_alive "$three" || { start 3 index --db "$there" "$W/tree" && three=$!; }
	random=$(od -An -N2 -tu2 /dev/urandom)
	sleep "$(echo "$random" | awk '{ printf "%.2f", ($1 % 90) / 100 + 0.1 }')"
	case $((random / 256 % 3)) in
	0) victim=$one ;;
	1) victim=$two ;;
	2) victim=$three ;;
	esac
	if kill -9 "$victim" 2>/dev/null; then
		kills=$((kills + 1))
	else
		add_copy "more$rounds" # they were done
	fi
	wait "$victim" 2>/dev/null
	run check --db "$there" >"$W/out" 2>&1 || break
done
[ $kills = 50 ] && run check --db "$there" >"$W/out" 2>&1
result "50 kills, and the index is sound each time" $? "$W/out"
for p in $one $two $three; do
	wait "$p" 2>/dev/null
done
run index --db "$there" "$W/tree" >"$W/out" 2>&1
result "the next run completes it" $? "$W/out"
run index --db "$there" "$W/tree" >"$W/out" 2>&1
[ "$(new_of "$W/out")" = 0 ]
result "... nothing is left to do" $? "$W/out"
holds_each_once "... each file is there once" "$W/tree" "$W/first"
is_sound "... the index is sound"
wait_until "SELECT count(*) = 0 FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
	WHERE c.relname = 'newest' AND l.mode = 'RowShareLock'"
result "... nothing stays locked" $?
is_clean
result "... or claimed" $?


# ------------------------------------------------------------------ another model, other names ----

make_index again 60
run index -q --db "$there" "$W/tree/a" "$W/tree/b" >"$W/out" 2>&1
pictures=$(find "$W/first" "$W/tree/a" "$W/tree/b" -type f | wc -l)
export FAKE_COUNT="$W/embedded"
rm -f "$W/embedded"
started=
for i in 1 2 3; do
	start $i index --db "$there" --resize 40
done
unset FAKE_COUNT
failed=0
for p in $started; do
	wait "$p" || failed=1
done
cat "$W"/out.[123] >"$W/out"
result "three programs index again with another model" $failed "$W/out"
embedded=$(awk '{ n += $1 } END { print n }' "$W/embedded")
[ "$embedded" = "$(ask 'SELECT count(*) FROM picture WHERE state = 1')" ]
result "... each picture is embedded once: $embedded" $? "$W/out"
[ "$(ask 'SELECT count(*) FROM model WHERE next = 1')" = 0 ]
result "... and the model is switched" $? "$W/out"
holds_each_once "... all is there once" "$W/first" "$W/tree/a" "$W/tree/b"
is_sound "... the index is sound"

mkdir "$W/linked"
for f in "$W"/tree/a/*; do
	ln "$f" "$W/linked/1-${f##*/}" && ln "$f" "$W/linked/2-${f##*/}"
done
make_index linked 60
started=
for i in 1 2 3; do
	start $i index --db "$there" "$W/linked"
done
failed=0
for p in $started; do
	wait "$p" || failed=1
done
cat "$W"/out.[123] >"$W/out"
result "three programs index files with two names" $failed "$W/out"
[ "$(ask 'SELECT count(*) FROM picture WHERE state = 9')" = "$(find "$W/tree/a" -type f | wc -l)" ]
result "... one of them is the other name" $? "$W/out"
is_sound "... the index is sound"
rm -r "$W/linked"

# --------------------------------------------------------------------- equal bytes, two paths ----

make_index equal 60
cp -r "$W/tree/a" "$W/one" && cp -r "$W/tree/a" "$W/other"
begin_session equal
gate picture
start 1 index --db "$there" "$W/one"
one=$!
start 2 index --db "$there" "$W/other"
other=$!
wait_until "SELECT ($waiting) = 2"
result "two programs wait to write the same pictures" $?
open_gate
wait $one && wait $other
result "... both write them" $? "$W/out.2"
end_session
holds_each_once "... every path is there once" "$W/one" "$W/other" "$W/first"
[ "$(ask 'SELECT count(*) FROM picture WHERE state = 1')" = "$(find "$W/one" -type f | wc -l)" ]
result "... one of each two is indexed" $?
is_sound "... the index is sound"

# --------------------------------------------------------------- in order of their commits ----

make_index ordered 60
run build --searcher exact --db "$there" >/dev/null 2>&1 # now changes are numbered
begin_session ordered
newest="SELECT coalesce(max(number), 0) FROM change"
before=$(ask "$newest")
say "BEGIN; SELECT ims_begin(0); SELECT ims_changed('{1}');"
wait_until "SELECT count(*) = 1 FROM pg_stat_activity WHERE state = 'idle in transaction'"
ask "BEGIN; SELECT ims_begin(0); SELECT ims_changed('{2,3}'); COMMIT" >"$W/out" 2>&1 &
second=$!
wait_until "SELECT ($waiting) = 1"
result "a second writer waits for the first one" $?
[ "$(ask "$newest")" = "$before" ]
result "... readers see the changes of neither" $?
say "COMMIT;"
wait $second
ids=$(ask "SELECT string_agg(id::text, ' ' ORDER BY number) FROM change WHERE number > $before")
[ "$ids" = "1 2 3" ]
result "... and they are numbered in order of the commits" $?
end_session

# ------------------------------------------------------------------- late commits are refused ----

# A program that is stopped within its transaction, as one whose network vanished: the server ends
# the transaction after two seconds, and others go on.
make_index stopped 2
begin_session stopped
gate picture
start 1 index --db "$there" "$W/one"
one=$!
wait_until "SELECT ($waiting) = 1"
kill -STOP $one
open_gate
run index --db "$there" "$W/other" >"$W/out" 2>&1
result "a program is stopped while it writes: another one writes" $? "$W/out"
wait_until "SELECT count(*) = 0 FROM lease"
run index --db "$there" "$W/one" >"$W/out" 2>&1
[ "$(new_of "$W/out")" = "$(find "$W/one" -type f | wc -l)" ]
result "... and reads its files" $? "$W/out"
kill -CONT $one
wait $one
[ $? != 0 ] && grep -q 'not heard of for too long' "$W/out.1"
result "... what the first one writes late is refused" $? "$W/out.1"
end_session
is_sound "... the index is sound"

make_index switched 60
begin_session switched
gate claim
start 1 index --db "$there" "$W/one"
one=$!
wait_until "SELECT ($waiting) = 1"
ask "SELECT ims_set_model(0, name, weights, weights_hash, recipe, dim, precision) FROM model" \
	>/dev/null
open_gate
wait $one
[ $? != 0 ] && grep -q 'another program changed the model' "$W/out.1"
result "vectors of a model that was replaced meanwhile are refused" $? "$W/out.1"
end_session

make_index built 60
ask "SELECT ims_begin_work('build', 'that machine', '', 1)" >/dev/null
run build --db "$there" >"$W/out" 2>&1
[ $? != 0 ] && grep -q 'that machine builds a searcher or moves pictures' "$W/out"
result "one program builds at a time" $? "$W/out"
run index --db "$there" "$W/one" >"$W/out" 2>&1
result "... others index meanwhile" $? "$W/out"

# ----------------------------------------------------------------------------- the server goes ----

make_index gone 20
begin_session gone
gate picture
start 1 index --db "$there" "$W/one"
one=$!
wait_until "SELECT ($waiting) = 1"
exec 3>&-
as_user "$pg/pg_ctl" -D "$pg_data/db" -w -m immediate stop >/dev/null
postgres_again
ask 'DROP TRIGGER wait ON picture' >/dev/null
wait $one
result "the server was started anew while a program wrote" $? "$W/out.1"
holds_each_once "... all is there" "$W/one" "$W/first"
is_sound "... the index is sound"

make_index away 2
begin_session away
gate picture
start 1 index --db "$there" "$W/one"
one=$!
wait_until "SELECT ($waiting) = 1"
exec 3>&-
as_user "$pg/pg_ctl" -D "$pg_data/db" -w -m immediate stop >/dev/null
wait $one
[ $? != 0 ] && grep -q 'refused' "$W/out.1"
result "the server went and stays away: a sentence" $? "$W/out.1"
postgres_again
ask 'DROP TRIGGER wait ON picture' >/dev/null
is_sound "... the index is sound"

# ---------------------------------------------------------------------- folders with a name ----

$psql -c 'CREATE SCHEMA named'
IMGSEARCH_TEST_DB="$server?options=-csearch_path%3Dnamed,public" sh tests/cli/named_roots.sh \
	>"$W/out" 2>&1 && ! grep -q '^not ok' "$W/out"
result "folders that the index knows by a name" $? "$W/out"

# ------------------------------------------------------------------------------------ errors ----

fails() { # NAME TEXT ARGUMENTS...
	what=$1 text=$2
	shift 2
	run "$@" >"$W/out" 2>&1
	[ $? != 0 ] && grep -q "$text" "$W/out"
	result "$what" $? "$W/out"
}
make_index errors 60
options="options=-csearch_path%3Derrors,public"
ask "CREATE ROLE reader LOGIN; GRANT USAGE ON SCHEMA errors TO reader;
	GRANT SELECT ON ALL TABLES IN SCHEMA errors TO reader" >/dev/null
reader="postgresql://reader@127.0.0.1:$pg_port/postgres?$options"
run list --db "$reader" >"$W/out" 2>&1
result "a role that may only read reads" $? "$W/out"
fails "... and does not write" "this role may not do that: permission denied" \
	index --db "$reader" "$W/one"

ask "CREATE ROLE indexer LOGIN; GRANT USAGE ON SCHEMA errors TO indexer;
	GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON ALL TABLES IN SCHEMA errors TO indexer;
	GRANT SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA errors TO indexer" >/dev/null
indexer="postgresql://indexer@127.0.0.1:$pg_port/postgres?$options"
run index --db "$indexer" "$W/one" >"$W/out" 2>&1
result "a role that may index does" $? "$W/out"
run index --db "$indexer" --resize 40 "$W/one" >"$W/out" 2>&1
result "... again, with another model" $? "$W/out"

begin_session errors
gate picture
fails "a limit of time of the server's" "canceling statement due to statement timeout" \
	index --db "$server?$options%20-cstatement_timeout%3D1000" "$W/other"
open_gate
end_session

ask "CREATE ROLE locked LOGIN PASSWORD 'right'" >/dev/null
sed -i '1i host all locked 127.0.0.1/32 scram-sha-256' "$pg_data/db/pg_hba.conf"
ask "SELECT pg_reload_conf()" >/dev/null
fails "a wrong password" "password authentication failed" list \
	--db "postgresql://locked:wrong@127.0.0.1:$pg_port/postgres?$options"
! grep -q wrong "$W/out"
result "... is not shown" $? "$W/out"

ask "CREATE DATABASE bare" >/dev/null
fails "a database without the extension" "CREATE EXTENSION vector" index "$W/one" \
	--db "postgresql://imgsearch@127.0.0.1:$pg_port/bare"

done_testing
