#!/bin/sh
# A pooler in transaction mode stands before the server, PgBouncer: each transaction may have
# another session. Skipped where it or a server with pgvector is not found.
cd "$(dirname "$0")/../../.." || exit 1
. tests/tools/result.sh
. tests/tools/postgres.sh
PATH=$PATH:/usr/sbin
if ! command -v pgbouncer >/dev/null; then
	skip "a pooler before the server" "no PgBouncer (Debian: pgbouncer)"
	done_testing
	exit
fi
stop_pooler() {
	[ ! -s "$W/pooler/pid" ] || kill "$(cat "$W/pooler/pid")"
}
postgres_begin "a pooler before the server" stop_pooler
export IMGSEARCH_LIBDIR="$B/tests/lib"
run() { "$B/imgsearch" "$@"; }

# Three sessions for all.
mkdir "$W/pooler"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])')
cat >"$W/pooler/ini" <<END
[databases]
* = host=127.0.0.1 port=$pg_port user=imgsearch
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $port
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 3
logfile = $W/pooler/log
pidfile = $W/pooler/pid
END
[ "$(id -u)" != 0 ] || chown -R 65534:65534 "$W/pooler"
as_user pgbouncer -q "$W/pooler/ini" >/dev/null 2>&1 &
pooled=postgresql://imgsearch@127.0.0.1:$port/postgres
tries=0
until $pg/psql -q "$pooled" -c 'SELECT 1' >/dev/null 2>&1 || [ $tries = 600 ]; do
	tries=$((tries + 1))
	sleep 0.05
done
result "it answers" "$(($tries == 600))" "$W/pooler/log"

"$B/tools/draw" "$W/pics" 12
for i in 1 2 3 4; do
	cp -r "$W/pics" "$W/copies$i"
	echo "$i" | tee -a "$W/copies$i"/* >/dev/null
done
set -- "$W/pics" "$W"/copies?
run index --db "$pooled" "$@" >"$W/out.2" 2>&1 &
run index --db "$pooled" "$@" >"$W/out" 2>&1
rc=$?
wait $! || rc=1
cat "$W/out.2" >>"$W/out"
result "two programs index" $rc "$W/out"
run check --db "$pooled" >"$W/out" 2>&1 &&
	[ "$(run list --db "$pooled" | wc -l)" = "$(find "$@" -type f | wc -l)" ]
result "... all is there, once" $? "$W/out"
for searcher in exact pgvector graph; do
	run build -q --db "$pooled" --searcher $searcher >"$W/out" 2>&1
	result "build $searcher" $? "$W/out"
	# Many queries of one program; programs at once, each of which gets other sessions.
	asking=
	for i in 1 2 3 4; do
		run query -k 5 --searcher $searcher --db "$pooled" "$W"/pics/* >"$W/answer.$i" 2>/dev/null &
		asking="$asking $!"
	done
	run query -k 5 --searcher $searcher --db "$server" "$W"/pics/* >"$W/right" 2>/dev/null
	rc=0
	for p in $asking; do
		wait "$p" || rc=1
	done
	for i in 1 2 3 4; do
		cmp "$W/right" "$W/answer.$i" >>"$W/out" 2>&1 || rc=1
	done
	[ -s "$W/right" ] || rc=1
	result "... queries at once answer as without the pooler" $rc "$W/out"
done
run index --db "$pooled" --resize 40 >"$W/out" 2>&1
result "another model" $? "$W/out"
run copy "$pooled" "$W/copy.db" >"$W/out" 2>&1 && run copy "$W/copy.db" "$pooled" >>"$W/out" 2>&1
result "a copy, compared with both" $? "$W/out"
open="SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'"
[ "$($psql -tAc "$open")" = 0 ]
result "no transaction stays open" $?
done_testing
