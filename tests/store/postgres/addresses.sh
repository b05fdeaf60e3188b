#!/bin/sh
# Addresses with strange characters, passwords from elsewhere, and servers of other encodings.
# Skipped where no server with pgvector is found.
cd "$(dirname "$0")/../../.." || exit 1
. tests/tools/result.sh
. tests/tools/postgres.sh
postgres_begin "addresses of PostgreSQL"
export IMGSEARCH_LIBDIR="$B/tests/lib"
run() { "$B/imgsearch" "$@"; }

# ---------------------------------------------------------------------- strange characters ----

# Database, user and password, as they are and as an address has them.
$psql <<'END'
CREATE ROLE "odd user@x:/%" LOGIN PASSWORD 'p@ss:w/o%rd ?#"x" ''y'' ü';
CREATE DATABASE "odd ""db"" 'x'/?#@ ünï" OWNER "odd user@x:/%";
END
echo 'CREATE EXTENSION vector' |
	$pg/psql -q "host=127.0.0.1 port=$pg_port user=imgsearch dbname='odd \"db\" \\'x\\'/?#@ ünï'"
sed -i '1i host all "odd user@x:/%" 127.0.0.1/32 scram-sha-256' "$pg_data/db/pg_hba.conf"
$psql -c 'SELECT pg_reload_conf()' >/dev/null
password="p@ss:w/o%rd ?#\"x\" 'y' ü"
user='odd%20user%40x%3A%2F%25'
db='odd%20%22db%22%20%27x%27%2F%3F%23%40%20%C3%BCn%C3%AF'
at="127.0.0.1:$pg_port/$db"

"$B/tools/draw" "$W/pics" 1
cp "$W/pics/city-01.jpg" "$W/pics/ünï 日本 \"x\".jpg"
printf x >>"$W/pics/ünï 日本 \"x\".jpg"
cp "$W/pics/city-01.jpg" "$W/pics/$(printf 'no \377 utf-8\n.jpg')"
printf y >>"$W/pics/$(printf 'no \377 utf-8\n.jpg')"
files=10
run index --db "postgresql://$user:p%40ss%3Aw%2Fo%25rd%20%3F%23%22x%22%20%27y%27%20%C3%BC@$at" \
	"$W/pics" >"$W/out" 2>&1
result "a strange user, password and database" $? "$W/out"
lists() { # NAME COMMAND... ADDRESS
	what=$1
	shift
	env "$@" >"$W/out" 2>&1 && [ "$(tr -cd '\n' <"$W/out" | wc -c)" = $((files + 1)) ]
	result "$what" $? "$W/out"
}
lists "the password from PGPASSWORD" PGPASSWORD="$password" "$B/imgsearch" list --db \
	"postgresql://$user@$at"
printf '127.0.0.1:%s:*:odd user@x\\:/%%:p@ss\\:w/o%%rd ?#"x" '"'y'"' ü\n' "$pg_port" >"$W/pgpass"
chmod 600 "$W/pgpass"
lists "... from a password file" PGPASSFILE="$W/pgpass" "$B/imgsearch" list --db \
	"postgresql://$user@$at"
cat >"$W/services" <<END
[photos of me]
host=127.0.0.1
port=$pg_port
user=odd user@x:/%
dbname=odd "db" 'x'/?#@ ünï
password=$password
END
lists "... from a service file" PGSERVICEFILE="$W/services" "$B/imgsearch" list --db \
	'postgresql:///?service=photos%20of%20me'
PGSERVICEFILE="$W/services" run info --db 'postgresql:///?service=photos%20of%20me' >"$W/out" 2>&1 &&
	grep -q '^index  *postgresql:///?service=photos%20of%20me$' "$W/out"
result "... whose name is shown" $? "$W/out"

shown=$(PGPASSWORD="$password" run info --db "postgresql://$user@$at" | sed -n 's/^index  *//p')
lists "the address that is shown is one" PGPASSWORD="$password" "$B/imgsearch" list \
	--db "$shown"
schema="$at?options=-csearch_path%3Dpublic,pg_catalog"
shown=$(PGPASSWORD="$password" run info --db "postgresql://$user@$schema" | sed -n 's/^index  *//p')
case $shown in *'?options=-csearch_path%3Dpublic,pg_catalog') ;; *) shown=none ;; esac
lists "... of a schema, too" PGPASSWORD="$password" "$B/imgsearch" list --db "$shown"
shown=$(PGPASSWORD="$password" run info --db "postgresql://$user@/$db?host=$pg_data&port=$pg_port" |
	sed -n 's/^index  *//p')
lists "... of a socket, too" PGPASSWORD="$password" "$B/imgsearch" list --db "$shown"
several="127.0.0.1:1,127.0.0.1:$pg_port/$db"
shown=$(PGPASSWORD="$password" run info --db "postgresql://$user@$several" | sed -n 's/^index  *//p')
case $shown in *"@127.0.0.1:1,127.0.0.1:$pg_port/"*) ;; *) shown=none ;; esac
lists "... of several hosts, too" PGPASSWORD="$password" "$B/imgsearch" list --db "$shown"
run list --db "postgresql://$user:not%20this@$at" >"$W/out" 2>&1
[ $? != 0 ] && grep -q 'password authentication failed for user' "$W/out" &&
	! grep -q 'not.*this' "$W/out"
result "a wrong password is refused, and not shown" $? "$W/out"
run list --db 'postgresql:///?service=nothing' >"$W/out" 2>&1
[ $? != 0 ] && grep -q 'service "nothing" not found' "$W/out"
result "a service that is not there" $? "$W/out"

# ---------------------------------------------------------------- servers that speak German ----

# What answers every client by one error, as a server whose messages are German.
cat >"$W/german.py" <<'END'
import os, socket, struct, sys
code, message, port_file = sys.argv[1:]
listening = socket.socket()
listening.bind(("127.0.0.1", 0))
listening.listen(64)
open(port_file + ".new", "w").write(str(listening.getsockname()[1]))
os.rename(port_file + ".new", port_file)
while True:
    client, _ = listening.accept()
    try:
        while True:
            size, version = struct.unpack(">II", client.recv(8, socket.MSG_WAITALL))
            if version >> 16 == 3:
                break
            client.sendall(b"N")  # neither TLS nor GSS
        client.recv(size - 8, socket.MSG_WAITALL)
        fields = {"S": "SCHWERWIEGEND", "V": "FATAL", "C": code, "M": message}
        body = b"".join(k.encode() + v.encode() + b"\0" for k, v in fields.items()) + b"\0"
        client.sendall(b"E" + struct.pack(">I", len(body) + 4) + body)
    except (OSError, struct.error):
        pass
    client.close()
END
german() { # CODE MESSAGE: sets $from, the address of a server that answers so
	rm -f "$W/port"
	python3 "$W/german.py" "$1" "$2" "$W/port" &
	answering=$!
	until [ -s "$W/port" ]; do kill -0 $answering || return; done
	from="postgresql://imgsearch@127.0.0.1:$(cat "$W/port")/there"
}
for s in one two; do
	$psql -c "CREATE SCHEMA $s"
	echo "$server?options=-csearch_path%3D$s,public"
done >"$W/shards.txt"
run index -q --db "$W/shards.txt" "$W/pics"
partly() { # one of two shards is on that server
	{ head -1 "$W/shards.txt" && echo "$from"; } >"$W/part.txt"
	run list --partial --db "$W/part.txt" >"$W/out" 2>&1
	rc=$?
	kill $answering
	wait $answering 2>/dev/null
}
while read -r code message; do
	german "$code" "$message"
	run list --db "$from" >"$W/out" 2>&1
	[ $? = 3 ] && grep -q ": SCHWERWIEGEND:  $message\$" "$W/out"
	result "$message" $? "$W/out"
	partly
	[ $rc = 3 ] && grep -q "$message\$" "$W/out"
	result "... is an error of a shard that is there" $? "$W/out"
done <<END
28P01 Passwort-Authentifizierung fehlgeschlagen
28000 kein pg_hba.conf-Eintrag
3D000 Datenbank existiert nicht
42501 keine Berechtigung
END
for code in 57P03 53300; do
	german $code "nicht jetzt"
	partly
	[ $rc = 0 ] && grep -q 'cannot be reached; what it has is left out' "$W/out"
	result "a server that answers $code is away" $? "$W/out"
done
# ------------------------------------------------------------------------------- encodings ----

run index -q --db "$W/file.db" "$W/pics"
for encoding in LATIN1 EUC_JP SQL_ASCII; do
	$psql -c "CREATE DATABASE e_$encoding ENCODING $encoding LC_COLLATE 'C' LC_CTYPE 'C'
		TEMPLATE template0"
	there=${server%/*}/e_$(echo $encoding | tr A-Z a-z)
	$pg/psql -q "$there" -c 'CREATE EXTENSION vector'
	run index -q --db "$there" "$W/pics" >"$W/out" 2>&1 &&
		run build -q --db "$there" --searcher pgvector >>"$W/out" 2>&1
	result "a server of the encoding $encoding" $? "$W/out"
	for d in "$there" "$W/file.db"; do
		run list --db "$d" >"$W/list"
		run query "$W/pics/ünï 日本 \"x\".jpg" -k 4 --searcher exact --db "$d" >>"$W/list"
		run query id:1 -k 4 --under "$W/pics" --db "$d" --searcher exact >>"$W/list"
		[ "$d" = "$W/file.db" ] || mv "$W/list" "$W/list.server"
	done
	diff "$W/list" "$W/list.server" >"$W/out"
	result "... answers as a file" $? "$W/out"
	run check --db "$there" >"$W/out" 2>&1
	result "... and is sound" $? "$W/out"
done
done_testing
