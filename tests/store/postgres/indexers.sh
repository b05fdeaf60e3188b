#!/bin/sh
# Several programs index into one PostgreSQL at once: each file is read once, whichever of them is
# killed, stopped or cut off. Skipped where no server with pgvector is found.
cd "$(dirname "$0")/../../.." || exit 1
. tests/tools/result.sh
. tests/tools/postgres.sh
B=${B:-$PWD/build}
if ! postgres_find; then
	skip "many indexers" "no PostgreSQL with pgvector: PG_BIN=DIR, or make test-postgres"
	done_testing
	exit
fi
W=$(mktemp -d) && trap 'end_all; postgres_stop; rm -rf "$W"' EXIT
trap 'exit 1' INT TERM
chmod 755 "$W"
end_all() {
	for p in $started; do
		kill -9 "$p" 2>/dev/null
	done
}
if ! postgres_start "$W/server"; then
	skip "many indexers" "the server does not start: $(tail -1 "$W/initdb.log")"
	done_testing
	exit
fi

# ------------------------------------------------------------------------------------- tools ----

# An index of its own, whose programs may be silent for so many seconds.
make_index() { # SCHEMA SECONDS
	there="$server?options=-csearch_path%3D$1,public"
	sql="$psql -A -t -c 'SET search_path = $1, public' -c"
	$psql -c "CREATE SCHEMA $1"
	run info --db "$there" >/dev/null 2>&1
	run index -q --db "$there" "$W/first" >"$W/out" 2>&1
	ask "INSERT INTO setting VALUES ('lease', '$2')" >/dev/null
}
run() { IMGSEARCH_LIBDIR=$B/tests/lib "$B/imgsearch" "$@"; }
ask() { eval "$sql \"\$1\""; }
start() { # NUMBER ARGUMENTS...: in the background; $! and out.NUMBER
	number=$1
	shift
	IMGSEARCH_LIBDIR=$B/tests/lib "$B/imgsearch" "$@" >"$W/out.$number" 2>&1 &
	started="$started $!"
}
wait_until() { # SQL, which becomes true
	tries=0
	until [ "$(ask "$1")" = t ]; do
		tries=$((tries + 1))
		[ $tries -lt 600 ] || return 1
		sleep 0.1
	done
}
# A session that holds locks meanwhile: say SQL.
begin_session() {
	rm -f "$W/session"
	mkfifo "$W/session"
	$psql -A -t <"$W/session" >"$W/session.out" 2>&1 &
	session=$!
	started="$started $session"
	exec 3>"$W/session"
	say "SET search_path = $1, public;"
}
say() { echo "$1" >&3; }
end_session() {
	exec 3>&-
	wait $session
}
new_of() { # FILES: the sum of what their summaries call new
	cat "$@" | sed -n 's/.*[;,] \([0-9]*\) new.*/\1/p' | awk '{ n += $1 } END { print n + 0 }'
}
is_clean() {
	[ "$(ask 'SELECT (SELECT count(*) FROM lease) + (SELECT count(*) FROM claim) = 0')" = t ]
}
is_sound() { # NAME
	run check --db "$there" >"$W/out" 2>&1
	result "$1" $? "$W/out"
}
holds_each_once() { # NAME FOLDERS...
	what=$1
	shift
	run list --db "$there" | cut -f 2 | sort >"$W/list"
	find "$@" -type f | sort | diff - "$W/list" >"$W/diff"
	result "$what" $? "$W/diff"
}

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
for i in 1 2 3; do
	start $i index --db "$there" "$W/tree"
done
failed=0
for p in $started; do
	wait "$p" || failed=1
done
cat "$W"/out.[123] >"$W/out"
result "three programs index one tree" $failed "$W/out"
[ "$(new_of "$W"/out.[123])" = "$files" ]
result "... each file is read by one of them" $? "$W/out"
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
	sleep "$(echo "$random" | awk '{ printf "%.2f", ($1 % 128) / 100 + 0.1 }')"
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

done_testing
