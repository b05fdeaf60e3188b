#!/bin/sh
# Two servers over one PostgreSQL, and pictures whose bytes it stores.
cd "$(dirname "$0")/../../.." || exit 1
. tests/tools/result.sh
. tests/tools/postgres.sh
postgres_begin "uploads in PostgreSQL"
$psql -c 'CREATE ROLE reader LOGIN; ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO reader'
export B
tests/serve/stored.py "$server" >"$W/out" 2>&1
result "two servers" $? "$W/out"
done_testing
