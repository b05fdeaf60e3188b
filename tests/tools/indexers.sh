# Read by tests of several programs that index into one PostgreSQL, after postgres.sh and result.sh:
# indexes of their own, programs in the background, a session that holds locks meanwhile. $W is the
# test's folder, $there the address of the index at work; end_all ends what was started.

# An index of its own, whose programs may be silent for so many seconds.
make_index() { # SCHEMA SECONDS
	there="$server?options=-csearch_path%3D$1,public"
	sql="$psql -A -t -c 'SET search_path = $1, public' -c"
	$psql -c "CREATE SCHEMA $1"
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

end_all() {
	for p in $started; do
		kill -9 "$p" 2>/dev/null
	done
}

# The first writer waits at a gate within its transaction, others wait for their turn: all have read
# their files by then.
gate() { # TABLE: inserts wait for the session
	ask 'CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS
		$$ BEGIN PERFORM pg_advisory_xact_lock_shared(7); RETURN NEW; END $$' >/dev/null
	ask "CREATE TRIGGER wait BEFORE INSERT ON $1 FOR EACH ROW EXECUTE FUNCTION wait()" >/dev/null
	say 'SELECT pg_advisory_lock(7);'
	wait_until "SELECT count(*) = 1 FROM pg_locks WHERE locktype = 'advisory' AND granted"
}
open_gate() {
	say 'SELECT pg_advisory_unlock(7);'
}
waiting="SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
