#!/bin/sh
# usage: tap.sh PROGRAM
#
# Runs a test. A skipped one, which cmocka writes as "not ok N # SKIP", passes as TAP has it. The
# status is kept, so that a program that ends badly after its last test is noticed.
case $1 in
*.sh | *.py) exec "$@" ;;
esac
out=$(mktemp) || exit 1
"$@" >"$out"
status=$?
sed 's/^not ok \([0-9]* # SKIP\)/ok \1/' "$out"
rm -f "$out"
exit $status
