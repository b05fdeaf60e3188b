#!/bin/sh
# The library states facts, and the command adds the advice: no text of the library names an option
# or a command of imgsearch, or a target of make.
cd "$(dirname "$0")/../.." || exit 1
. tests/tools/result.sh
W=$(mktemp -d) && trap 'rm -rf "$W"' EXIT

commands='index|build|query|models|info|train|check|dups'
advice='"[^"]*([^-]--[a-z]|[^n] imgsearch ('"$commands"')|make (setup|shim|all|install))'
find_advice() { grep -rnE "$advice" "$1" --include='*.c' --include='*.h'; }
find_advice lib >"$W/found"
[ ! -s "$W/found" ]
result "no text of the library names an option, a command or a target" $? "$W/found"
mkdir "$W/lib"
echo 'ims_fail(err, 1, "no model: give --model NAME");' >"$W/lib/a.c"
find_advice "$W/lib" >"$W/found"
result "one that does is found" $?
done_testing
