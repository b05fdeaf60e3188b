#!/bin/sh
# What may happen to a PostgreSQL server while it is asked: connections end, it stops, its limit of
# time passes, its disk is full. Skipped where no server with pgvector is found.
cd "$(dirname "$0")/../../.." || exit 1
. tests/tools/result.sh
. tests/tools/postgres.sh
. tests/tools/indexers.sh
postgres_need "faults of a server"
# The disk is one of the test's own, where it may make one.
if [ -z "$IN_NAMESPACE" ] && unshare -m mount -t tmpfs tmpfs /mnt 2>/dev/null; then
	IN_NAMESPACE=1 exec unshare -m sh "tests/store/postgres/${0##*/}"
fi
postgres_begin "faults of a server" end_all
"$B/tools/draw" "$W/first" 20
picture=$(find "$W/first" -name '*.jpg' | head -1)
options="options=-csearch_path%3Dfaults,public"
make_index faults 20
run query "$picture" -k 5 --db "$there" >"$W/right" 2>/dev/null

# ---------------------------------------------------------------------- while a query waits ----

# A query that waits for a table; then what `hold_end` does not undo.
query_waits() { # ADDRESS
	begin_session faults
	say 'BEGIN; LOCK TABLE feature IN ACCESS EXCLUSIVE MODE;'
	wait_until "SELECT count(*) = 1 FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted
		AND relation = 'feature'::regclass"
	run query "$picture" -k 5 --db "$1" >"$W/answer" 2>"$W/out" &
	asks=$!
	started="$started $asks"
	wait_until "SELECT ($waiting) = 1"
}
answers_right() { # NAME
	wait $asks && cmp "$W/right" "$W/answer" >>"$W/out" 2>&1
	result "$1" $? "$W/out"
}
fails_with() { # NAME TEXT
	wait $asks
	[ $? != 0 ] && grep -q "$2" "$W/out" && [ ! -s "$W/answer" ]
	result "$1" $? "$W/out"
}

query_waits "$there"
ask "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
	WHERE application_name = 'imgsearch' AND wait_event_type = 'Lock'" >/dev/null
say 'COMMIT;'
end_session
answers_right "a query whose connection ends is asked again"

query_waits "$server?$options%20-cstatement_timeout%3D500"
fails_with "a limit of time of the server's ends a query" \
	"index postgresql:.*canceling statement due to statement timeout"
say 'COMMIT;'
end_session

query_waits "$there"
as_user "$pg/pg_ctl" -D "$pg_data/db" -w -m immediate stop >/dev/null
end_session
fails_with "a query whose server stops: a sentence" \
	"index postgresql:.*\(refused\|shutting down\)"
run query "$picture" --db "$there" >"$W/answer" 2>"$W/out" &
asks=$!
fails_with "a query when it is away" "index postgresql:.*refused"
postgres_again
run query "$picture" -k 5 --db "$there" >"$W/answer" 2>"$W/out" &
asks=$!
answers_right "... and when it is back"

# A program that lives through it: its connections are made again.
python3 - "$there" "$B" "$pg" "$pg_data" "$picture" <<'END' >"$W/out" 2>&1
import http.client, json, os, signal, subprocess, sys
there, b, pg, data, picture = sys.argv[1:]
s = subprocess.Popen([b + "/imgsearch", "serve", "--db", there, "--port", "0", "--no-token", "--socket",
                      data + "/../socket"],
                     env=dict(os.environ, IMGSEARCH_LIBDIR=b + "/tests/lib"),
                     stdout=subprocess.PIPE, text=True)
port = int(s.stdout.readline().rstrip("/\n").rsplit(":", 1)[1])
def search():
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    c.request("POST", "/api/search?k=5", open(picture, "rb").read())
    r = c.getresponse()
    return r.status, [h["id"] for h in json.load(r).get("results", [])]
try:
    before = [search() for i in range(4)]
    user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if not os.getuid() else []
    subprocess.run(user + [pg + "/pg_ctl", "-D", data + "/db", "-w", "-m", "fast", "restart", "-l",
                           data + "/server.log"], check=True, stdout=subprocess.DEVNULL)
    after = [search() for i in range(4)]
    print(before, after)
    ok = before == after and before[0][0] == 200 and len(before[0][1]) == 5
finally:
    s.send_signal(signal.SIGTERM)
    ok = not s.wait(40) and ok
sys.exit(not ok)
END
result "a server of pages goes on after the server is started anew" $? "$W/out"

# -------------------------------------------------------------------------------- two models ----

started=
start 1 index --db "$there" --resize 40
start 2 index --db "$there" --flip
for p in $started; do
	wait "$p"
done
cat "$W/out.1" "$W/out.2" >"$W/out"
grep -q 'features made anew' "$W/out"
result "two programs want two models: one gets it" $? "$W/out"
ended=$(grep -c 'features made anew' "$W/out")
[ "$ended" = 2 ] || grep -q 'another program changed the model\|is re-indexed' "$W/out"
result "... the other one is told, or is next" $? "$W/out"
is_sound "... the index is sound"
run index --db "$there" >"$W/out" 2>&1
[ "$(ask 'SELECT count(*) FROM model')" = 1 ] &&
	[ "$(ask 'SELECT count(*) FROM feature')" = "$(ask 'SELECT n FROM tally WHERE what = 101')" ]
result "... and has one model" $? "$W/out"

# ------------------------------------------------------------------------------- a full disk ----

mkdir "$W/disk"
if [ -n "$IN_NAMESPACE" ] && mount -t tmpfs -o size=12m tmpfs "$W/disk"; then
	chown 65534:65534 "$W/disk"
	$psql -c "CREATE TABLESPACE small LOCATION '$W/disk'" \
		-c 'CREATE DATABASE little TABLESPACE small'
	little=${server%/*}/little
	$pg/psql -q "$little" -c 'CREATE EXTENSION vector'
	mkdir "$W/many"
	for i in $(seq 24); do
		cp -r "$W/first" "$W/many/$i"
		echo "$i" | tee -a "$W/many/$i"/* >/dev/null
	done
	run index --db "$little" "$W/many" >"$W/out" 2>&1
	[ $? != 0 ] && grep -q 'No space left on device; make room' "$W/out"
	result "the disk of the server is full while a program indexes: a sentence" $? "$W/out"
	run check --db "$little" >"$W/out" 2>&1
	result "... the index is sound" $? "$W/out"
	mount -o remount,size=100m "$W/disk"
	run index --db "$little" "$W/many" >"$W/out" 2>&1 &&
		run check --db "$little" >>"$W/out" 2>&1 &&
		[ "$(run list --db "$little" | wc -l)" = "$(find "$W/many" -type f | wc -l)" ]
	result "... with room it is completed" $? "$W/out"
	$pg/psql -q "$server" -c 'DROP DATABASE little' -c 'DROP TABLESPACE small'
	umount "$W/disk"
else
	skip "a full disk" "no disk can be made (unshare, mount; root)"
fi
done_testing
