# Read by tests: starts a PostgreSQL server of their own that has pgvector, on loopback, as a user
# without rights. PG_BIN: the folder of its programs; else one of Debian's, else what
# `make test-postgres` unpacked. postgres_start sets $server, the address of a database, and $psql.
#
# A script sources tests/tools/result.sh before, and calls postgres_begin.

postgres_find() { # sets pg: the folder of the programs; fails where there is none, or no libpq
	python3 -c 'import ctypes; ctypes.CDLL("libpq.so.5")' 2>/dev/null || return 1
	for pg in "$PG_BIN" /usr/lib/postgresql/*/bin "$B"/postgres/*/pginstall/bin; do
		[ -x "$pg/initdb" ] || continue
		share=$("$pg/pg_config" --sharedir 2>/dev/null)
		for at in "$share" "$pg/../share/postgresql"; do
			[ ! -f "$at/extension/vector.control" ] || return 0
		done
	done
	return 1
}

as_user() {
	if [ "$(id -u)" = 0 ]; then
		setpriv --reuid=65534 --regid=65534 --clear-groups env HOME="$pg_data" "$@"
	else
		"$@"
	fi
}

postgres_start() { # FOLDER, which the server gets; beside it a cache folder
	pg_data=$1
	mkdir -p "$pg_data"
	[ "$(id -u)" != 0 ] || chown 65534:65534 "$pg_data"
	chmod 755 "$pg_data/.."
	as_user "$pg/initdb" -D "$pg_data/db" -U imgsearch --auth=trust -E UTF8 --locale=C -N \
		>"$pg_data/../initdb.log" 2>&1 || return 1
	pg_port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])')
	postgres_again || return 1
	server=postgresql://imgsearch@127.0.0.1:$pg_port/postgres
	psql="$pg/psql -q -X -v ON_ERROR_STOP=1 $server"
	export XDG_CACHE_HOME="$pg_data/../cache" # of the commands: not that of the user
	$psql -c 'CREATE EXTENSION vector'
}

postgres_again() { # starts a server that was stopped
	as_user "$pg/pg_ctl" -D "$pg_data/db" -w -l "$pg_data/server.log" -o \
		"-k $pg_data -c listen_addresses=${pg_listen:-127.0.0.1} -p $pg_port -c fsync=off" start \
		>/dev/null
}

postgres_stop() {
	as_user "$pg/pg_ctl" -D "$pg_data/db" -m immediate stop >/dev/null 2>&1
}

postgres_need() { # WHAT: skips it and ends the script where there is no server
	B=${B:-$PWD/build}
	postgres_find && return
	skip "$1" "no PostgreSQL with pgvector (PG_BIN=DIR), or no libpq5"
	done_testing
	exit
}

# Makes the folder $W and starts a server in it, or skips and ends the script. At the end of the
# script the command AT_END runs, the server stops, and the folder goes.
postgres_begin() { # WHAT [AT_END]
	postgres_need "$1"
	postgres_at_end=${2:-:}
	W=$(mktemp -d) && trap '$postgres_at_end; postgres_stop; rm -rf "$W"' EXIT
	trap 'exit 1' INT TERM PIPE
	chmod 755 "$W"
	postgres_start "$W/server" && return
	skip "$1" "the server does not start: $(tail -1 "$W/initdb.log")"
	done_testing
	exit
}
