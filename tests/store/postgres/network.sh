#!/bin/sh
# A program that indexes into PostgreSQL, and whose network vanishes: it runs in a namespace of its
# own, whose link is taken down. Skipped where namespaces of networks cannot be made.
cd "$(dirname "$0")/../../.." || exit 1
. tests/tools/result.sh
. tests/tools/postgres.sh
postgres_need "a network that vanishes"
if [ -z "$IN_NAMESPACE" ]; then
	if ! unshare -n ip link add near type veth peer name far 2>/dev/null ||
		! command -v nsenter >/dev/null; then
		skip "a network that vanishes" "no namespaces of networks (unshare, ip, nsenter; root)"
		done_testing
		exit
	fi
	IN_NAMESPACE=1 exec unshare -n sh "tests/store/postgres/${0##*/}"
fi
ip link set lo up
ip link add near type veth peer name far
ip addr add 10.231.0.1/30 dev near
ip link set near up

. tests/tools/indexers.sh
pg_listen=127.0.0.1,10.231.0.1
postgres_begin "a network that vanishes" end_all
echo 'host all all 10.231.0.0/30 trust' >>"$pg_data/db/pg_hba.conf"
$psql -c 'SELECT pg_reload_conf()' >/dev/null
"$B/tools/draw" "$W/first" 1
"$B/tools/draw" "$W/one" 8
cp -r "$W/one" "$W/other"

make_index far 2
begin_session far
gate picture
mkfifo "$W/go"
quick="connect_timeout=2&keepalives_idle=1&keepalives_interval=1&tcp_user_timeout=2000"
IMGSEARCH_LIBDIR=$B/tests/lib unshare -n sh -c 'read go && exec "$@"' sh "$B/imgsearch" index --db \
	"postgresql://imgsearch@10.231.0.1:$pg_port/postgres?options=-csearch_path%3Dfar,public&$quick" \
	"$W/one" <"$W/go" >"$W/out.1" 2>&1 &
far=$!
started="$started $far"
exec 4>"$W/go"
tries=0
while [ "$(readlink /proc/$far/ns/net)" = "$(readlink /proc/$$/ns/net)" ] && [ $tries -lt 6000 ]; do
	tries=$((tries + 1))
	sleep 0.01 # until it has a network of its own
done
ip link set far netns $far
nsenter -t $far -n ip addr add 10.231.0.2/30 dev far
nsenter -t $far -n ip link set far up
echo go >&4
wait_until "SELECT ($waiting) = 1"
result "a program of another network writes" $? "$W/out.1"

ip link set near down
open_gate
run index --db "$there" "$W/other" >"$W/out" 2>&1
result "its network vanishes: another one writes" $? "$W/out"
wait $far
[ $? != 0 ] && grep -q '^imgsearch: index postgresql:' "$W/out.1"
result "... it ends with a sentence" $? "$W/out.1"
wait_until "SELECT count(*) = 0 FROM lease WHERE ends > clock_timestamp()"
run index --db "$there" "$W/one" >"$W/out" 2>&1
[ "$(new_of "$W/out")" = "$(find "$W/one" -type f | wc -l)" ]
result "... its files are read by the next one" $? "$W/out"
end_session
holds_each_once "... all is there once" "$W/one" "$W/other" "$W/first"
is_sound "... the index is sound"
is_clean
result "... nothing stays claimed" $?

done_testing
