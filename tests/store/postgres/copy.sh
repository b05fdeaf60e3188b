#!/bin/sh
# Copies between files and a PostgreSQL server: the store's test of copies over both, the command,
# kills, a server that goes away, and what a server refuses. Skipped where there is no server.
cd "$(dirname "$0")/../../.." || exit 1
. tests/tools/result.sh
. tests/tools/postgres.sh
postgres_begin "copies over PostgreSQL"
IMGSEARCH_TEST_SERVER=$server IMGSEARCH_TEST_PSQL=$psql "$B/tests/store/test_copy" >"$W/out" 2>&1
result "test_copy" $? "$W/out"

db() { # SCHEMA
	$psql -c "CREATE SCHEMA IF NOT EXISTS $1" 2>/dev/null
	printf '%s' "$server?options=-csearch_path%3D$1,public"
}
export IMGSEARCH_LIBDIR="$B/tests/lib"
run() { "$B/imgsearch" "$@"; } # not for a program that is killed: that would be a shell
fails() { # NAME TEXT ARGUMENTS...
	what=$1 text=$2
	shift 2
	run "$@" >"$W/out" 2>&1
	[ $? != 0 ] && grep -q "$text" "$W/out"
	result "$what" $? "$W/out"
}

# ------------------------------------------------------------------------ there and back again ----

"$B/tools/draw" "$W/photos" 20
cp "$W/photos/city-01.jpg" "$W/photos/copy.jpg"
printf 'file,place\ncity-02.jpg,Ulm\n' >"$W/about.csv"
run index -q --db "$W/a.db" "$W/photos" --csv "$W/about.csv"
run rm -q --keep-out --db "$W/a.db" id:7 >"$W/out"
for s in exact graph; do run build -q --db "$W/a.db" --searcher $s; done
there=$(db photos)
run copy "$W/a.db" "$there" >"$W/out" 2>&1 && run copy "$there" "$(db second)" >>"$W/out" 2>&1 &&
	run copy "$(db second)" "$W/b.db" >>"$W/out" 2>&1
result "from a file to a server, to another one, to a file" $? "$W/out"
for d in "$W/a.db" "$there" "$(db second)" "$W/b.db"; do
	{
		run list --json --db "$d"
		run query "$W/photos/city-03.jpg" -k 20 --json --db "$d"
		run query "$W/photos/city-03.jpg" -k 20 --searcher exact --db "$d"
		run dups --db "$d"
		run info --db "$d" | grep -v '^\(index\|size\|searcher\|server\) \|kB,'
		run check --db "$d"
	} 2>&1 | sed 's/"seconds": [0-9.e-]*//; s/"plan": "[^"]*"//; s/, [0-9.]* s$//' >"$W/out.d"
	[ -f "$W/want" ] || mv "$W/out.d" "$W/want"
	[ ! -f "$W/out.d" ] || { diff "$W/want" "$W/out.d" >"$W/diff" || break; }
done
[ ! -s "$W/diff" ]
result "all four answer alike" $? "$W/diff"
for end in npy jsonl; do
	run export -q --compared --db "$W/a.db" "$W/a.$end" && run export -q --compared --db "$there" \
		"$W/b.$end" && cmp "$W/a.$end" "$W/b.$end" >"$W/out" 2>&1
	result "export of both is the same: .$end" $? "$W/out"
done
printf x >>"$W/photos/city-04.jpg"
run index --db "$there" 2>&1 | sed 's/ ([0-9.]* s)//' >"$W/out" && run index --db "$W/b.db" 2>&1 |
	sed 's/ ([0-9.]* s)//' >>"$W/out"
result "both go on" $? "$W/out"
[ "$(grep 'paths seen' "$W/out" | sort -u | wc -l)" = 1 ]
result "... alike" $? "$W/out"

# -------------------------------------------------------------------------------------- kills ----

rows=40000
head -c $((rows * 256 * 4)) /dev/urandom >"$W/raw" # as f32, most are finite: as bytes they are not
python3 - "$W" $rows <<'END'
import sys
w, n = sys.argv[1], int(sys.argv[2])
header = "{'descr': '<f4', 'fortran_order': False, 'shape': (%d, 256), }" % n
with open(w + "/v.npy", "wb") as out, open(w + "/raw", "rb") as raw:
    out.write(b"\x93NUMPY\x01\x00v\x00" + ("%-117s\n" % header).encode())
    while block := raw.read(1 << 20):
        block = bytearray(block)
        block[3::4] = b"\x3f" * (len(block) // 4)  # values of 0.5 to 2
        out.write(block)
END
rm "$W/raw"
run vectors import -q --metric l2 --db "$W/v.db" "$W/v.npy"
rm "$W/v.npy"
there=$(db killed)
kills=0
for way in to from; do
	[ $way = to ] && set -- "$W/v.db" "$there" || set -- "$there" "$W/back.db"
	for i in 01 02 04 06 08 10 13 16 20 25; do
		"$B/imgsearch" copy "$@" >"$W/out" 2>&1 &
		sleep 0.$i
		kill -9 $! 2>/dev/null && kills=$((kills + 1))
		wait $! 2>/dev/null
	done
	run info --db "$2" >"$W/out" 2>&1 ||
		grep -q "incomplete copy of index\|there is no index\|it is empty" "$W/out"
	result "killed again and again, $way the server: refused, or complete" $? "$W/out"
	run copy "$@" >"$W/out" 2>&1
	result "... and completed" $? "$W/out"
done
echo "# $kills were killed"
run copy --json "$there" "$W/back.db" 2>"$W/out" | tr '{' '\n' | grep checksum >"$W/sums.a"
run copy --json "$W/v.db" "$there" 2>>"$W/out" | tr '{' '\n' | grep checksum >"$W/sums.b"
[ -s "$W/sums.a" ] && cmp -s "$W/sums.a" "$W/sums.b"
result "... with the same checksums at all three" $? "$W/out"

# ----------------------------------------------------------- a server that goes in the middle ----

there=$(db gone)
"$B/imgsearch" copy "$W/v.db" "$there" >"$W/out" 2>&1 &
until $psql -tc "SELECT 1 FROM gone.setting WHERE name = 'copy'" 2>/dev/null | grep -q 1 ||
	! kill -0 $! 2>/dev/null; do :; done
kill -9 $! 2>/dev/null
wait $! 2>/dev/null
$psql -c "BEGIN; SELECT FROM gone.newest FOR UPDATE; SELECT pg_sleep(120)" >"$W/lock" 2>&1 &
sleeping="SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
until $psql -tc "$sleeping" | grep -q 1; do :; done
"$B/imgsearch" copy "$W/v.db" "$there" >"$W/out" 2>&1 &
waiting="SELECT 1 FROM pg_stat_activity WHERE application_name = 'imgsearch'
	AND wait_event_type = 'Lock'"
tries=2000
until $psql -tc "$waiting" | grep -q 1 || [ $tries = 0 ]; do tries=$((tries - 1)); done
postgres_stop
postgres_again
wait $!
rc=$?
grep -q "it is tried again" "$W/out" || rc=1
result "the server stops in the middle of a copy, which goes on when it is back" $rc "$W/out"

there=$(db away)
"$B/imgsearch" copy "$W/v.db" "$there" >"$W/out" 2>&1 &
until $psql -tc "SELECT 1 FROM away.setting WHERE name = 'copy'" 2>/dev/null | grep -q 1 ||
	! kill -0 $! 2>/dev/null; do :; done
postgres_stop
until grep -q "it is tried again" "$W/out" || ! kill -0 $! 2>/dev/null; do :; done
kill -INT $!
wait $!
[ $? = 130 ] && grep -q "127.0.0.1" "$W/out" && grep -q "goes on where it was" "$W/out"
result "it does not come back: interrupted" $? "$W/out"
postgres_again
run copy "$W/v.db" "$there" >"$W/out" 2>&1
result "... and the same command completes the copy" $? "$W/out"

# ------------------------------------------------------------------------------------- errors ----

fails "a target that is not empty" "is not empty" copy "$W/a.db" "$there"
$psql -c "CREATE SCHEMA theirs; CREATE ROLE reader LOGIN;
	GRANT USAGE ON SCHEMA theirs, photos TO reader;
	GRANT SELECT ON ALL TABLES IN SCHEMA photos TO reader;
	GRANT SELECT ON ALL SEQUENCES IN SCHEMA photos TO reader"
reader=$(db theirs | sed 's/imgsearch@/reader@/')
fails "a role that may not write" "permission denied" copy "$W/a.db" "$reader"
! grep -q 'run it again' "$W/out"
result "... is not told to try again" $?
run copy "$(db photos | sed 's/imgsearch@/reader@/')" "$W/read.db" >"$W/out" 2>&1
result "... may be copied from" $? "$W/out"
$psql -c "CREATE DATABASE plain"
fails "no pgvector" "lacks the extension vector" copy "$W/a.db" "${server%/*}/plain"
fails "no such server" "refused" copy "$W/a.db" postgresql://127.0.0.1:1/x
run copy "$W/a.db" "postgresql://imgsearch:secret@127.0.0.1:1/x" >"$W/out" 2>&1
with="$(db absent | sed 's/imgsearch@/imgsearch:secret@/')&password=secret&connect_timeout=9"
run info --db "$with" >>"$W/out" 2>&1
run copy "$with" "$W/x.db" >>"$W/out" 2>&1
grep -q "connect_timeout=9: there is no index" "$W/out" && ! grep -q secret "$W/out"
result "no password in a message" $? "$W/out"
cp "$W/a.db" "$W/newer.db"
printf '\377' | dd of="$W/newer.db" bs=1 seek=63 conv=notrunc 2>/dev/null
fails "a file of a newer version" "newer imgsearch" copy "$W/newer.db" "$(db newer)"

# A limit on the size of a server's files stands for a full disk.
postgres_stop
ulimit -S -f 65536
postgres_start "$W/small/server"
ulimit -S -f unlimited
there=$(db small)
fails "a full disk" "could not extend file" copy "$W/v.db" "$there"
grep -q "127.0.0.1" "$W/out"
result "... of the server that is named" $? "$W/out"
postgres_stop
postgres_again
run copy "$W/v.db" "$there" >"$W/out" 2>&1
result "... and with room it is completed" $? "$W/out"

done_testing
