#!/bin/sh
# `imgsearch serve` over an index of shards: one of them cannot be reached, one is added, the list
# becomes another one, the role may only read. A command that uses the server answers as one that
# does not. Skipped where no server with pgvector is found.
cd "$(dirname "$0")/../../.." || exit 1
. tests/tools/result.sh
. tests/tools/postgres.sh
stop_others() {
	stop_serving
	pg_data=$W/2/server
	postgres_stop
	pg_data=$W/server
}
postgres_begin "a server of pages over shards" stop_others
s1=$server psql1=$psql
mkdir "$W/2" && chmod 755 "$W/2"
postgres_start "$W/2/server" || exit 1
s2=$server psql2=$psql port2=$pg_port
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
schema() { # NUMBER NAME: the address of a new one on that server
	eval "\$psql$1 -c 'CREATE SCHEMA $2'" >&2
	eval "echo \$s$1?options=-csearch_path%3D$2,public"
}
serve() { # ARGUMENTS...: starts one, and waits until it listens; its address is $web
	: >"$W/address"
	"$B/imgsearch" serve --port 0 --no-token "$@" >"$W/address" 2>"$W/serve.err" &
	serving=$!
	tries=0
	until [ -s "$W/address" ] || ! kill -0 $serving 2>/dev/null || [ $tries -gt 600 ]; do
		tries=$((tries + 1))
		sleep 0.1
	done
	web=$(cat "$W/address")
}
stop_serving() {
	[ -z "$serving" ] || { kill $serving && wait $serving; } 2>/dev/null
	serving=
}
ask() { # PATH: the answer of the server
	python3 -c 'import sys, urllib.error, urllib.request as u
try: print(u.urlopen(sys.argv[1], timeout=60).read().decode())
except urllib.error.HTTPError as e: print(e.read().decode())
except (OSError, ValueError): pass' "${web%/}$1"
}
until_says() { # PATH TEXT: the server's answer has it, in a minute at most
	tries=0
	until ask "$1" | tee "$W/out" | grep -qF "$2"; do
		tries=$((tries + 1))
		[ $tries -lt 120 ] || return 1
		sleep 0.5
	done
}

"$B/tools/draw" "$W/photos" 20
picture=$(find "$W/photos" -type f | sort | head -1)

# ------------------------------------------------------------------- one that is not reached ----

{ schema 1 first && schema 1 second && schema 2 third; } >"$W/list.txt"
run index -q --db "$W/list.txt" "$W/photos"
all=$(find "$W/photos" -type f | wc -l)
run query -k 300 --no-server --db "$W/list.txt" "$picture" >"$W/whole"
run query -j -k 300 --no-server --db "$W/list.txt" "$picture" | grep -c '"missing"' >"$W/out"
[ "$(wc -l <"$W/whole")" = "$all" ] && [ "$(cat "$W/out")" = 0 ]
result "all are there" $? "$W/out"
pg_data=$W/2/server
postgres_stop
serve --partial --db "$W/list.txt"
grep -qF "$port2/postgres" "$W/serve.err" && grep -qF 'cannot be reached; what' "$W/serve.err"
result "a server that lacks a shard from the beginning says so" $? "$W/serve.err"
ask /api/info >"$W/out" && grep -qF '"missing": ["postgresql://' "$W/out"
result "... in its totals" $? "$W/out"
try query --db "$W/list.txt" "$picture"
expect "a query for all does not take what it answers" 3 "port $port2"
try query --partial -j --db "$W/list.txt" "$picture"
expect "one for a part is told" 0 '"missing": ["postgresql://'
try info --partial -j --db "$W/list.txt"
expect "totals name it, too" 0 '"missing": ["postgresql://'
run query -q --partial --html "$W/page.html" --db "$W/list.txt" "$picture" >/dev/null
grep -qF "Left out, since it could not be reached: postgresql://" "$W/page.html"
result "a page names it, too" $?
pg_port=$port2
postgres_again
try query -k 300 --db "$W/list.txt" "$picture"
cmp -s "$W/out" "$W/whole"
result "when the shard is back, a query has it at once" $? "$W/out"
until_says /api/info "\"vectors\": $all" && ! grep -q missing "$W/out"
result "... and the server finds it by itself" $? "$W/out"
stop_serving

# ------------------------------------------------------------------------------ another list ----

mkdir "$W/few"
find "$W/photos" -type f | sort | head -30 | while read -r p; do cp "$p" "$W/few"; done
{ schema 1 fourth && schema 2 fifth; } >"$W/few.txt"
run index -q --db "$W/few.txt" "$W/few"
cp "$W/list.txt" "$W/now.txt"
serve --db "$W/now.txt"
run query -k 300 --db "$W/now.txt" "$picture" | wc -l >"$W/out"
cat "$W/few.txt" >"$W/now.txt"
run query -k 300 --db "$W/now.txt" "$picture" | wc -l >>"$W/out"
[ "$(tr '\n' ' ' <"$W/out" | tr -s ' ')" = "$all 30 " ]
result "a list that becomes another one is that of another index" $? "$W/out"
ask /api/info | grep -qF '"vectors": 30,'
result "... of the server, too" $?
stop_serving

# ------------------------------------------------------------------------------- one is added ----

one=$(sed -n 1p "$W/few.txt") two=$(sed -n 2p "$W/few.txt")
cp "$W/few.txt" "$W/open.txt"
serve --socket "$W/by.sock" --db "$one" --db "$two"
address=$web first=$serving
serve --db "$W/open.txt"
run shard add -q --db "$W/few.txt" "$(schema 2 sixth | tee "$W/sixth")"
cat "$W/few.txt" "$W/sixth" >"$W/grown.txt"
ask /api/info >"$W/out" && grep -qF '"vectors": 30,' "$W/out"
result "an index that has got a shard, which has nothing yet" $? "$W/out"
run query -k 300 --db "$W/open.txt" "$picture" | wc -l >"$W/out"
[ "$(tr -d ' ' <"$W/out")" = 30 ]
result "... and a query of it" $?
run shard move -q --db "$W/grown.txt"
ask /api/info >"$W/out"
grep -qF 'has 3 shards by now, and this program has opened 2' "$W/out"
result "an open program does not count without a shard that it does not know" $? "$W/out"
ask /api/list >/dev/null
try query -k 300 --db "$W/open.txt" "$picture"
expect "a query by it is refused, too" 3 'has 3 shards'
cat "$W/sixth" >>"$W/open.txt"
try query -k 300 --db "$W/open.txt" "$picture"
[ "$rc" = 0 ] && [ "$(wc -l <"$W/out")" = 30 ] && ask /api/info | grep -qF '"vectors": 30,'
result "a server opens the new shard when its list has it" $? "$W/out"
stop_serving
serving=$first web=$address
ask /api/info >"$W/out"
grep -qF 'has 3 shards' "$W/out"
result "one whose addresses lack it goes on refusing" $? "$W/out"
stop_serving

# -------------------------------------------------------------------- who may only read ----

for i in 1 2; do
	eval "\$psql$i -c 'CREATE ROLE reader LOGIN'"
done
for at in 1.first 1.second 2.third; do
	eval "\$psql${at%.*} -c 'GRANT USAGE ON SCHEMA ${at#*.} TO reader;
		GRANT SELECT ON ALL TABLES IN SCHEMA ${at#*.} TO reader'"
done
sed 's/imgsearch@/reader@/' "$W/list.txt" >"$W/reader.txt"
for uploads in '' :index:; do
	serve ${uploads:+--uploads "$uploads"} --db "$W/reader.txt"
	ask /api/info >"$W/out"
	grep -qF '"uploads": false, "writable": false' "$W/out"
	result "a server of a role that may not write says so${uploads:+, also with --uploads}" $? \
		"$W/out"
	grep -c 'uploads: the index cannot be written' "$W/serve.err" >"$W/out"
	[ "$(cat "$W/out")" = "${uploads:+1}" ] || [ "$(cat "$W/out")${uploads}" = 0 ]
	result "... at the start where pictures are to be taken${uploads:+: it warns}" $? "$W/serve.err"
	stop_serving
done
done_testing
