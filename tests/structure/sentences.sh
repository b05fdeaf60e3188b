#!/bin/sh
# The library states facts, and the command adds the advice: no text of the library names an option
# or a command of imgsearch, or a target of make, nor tells anyone what to do.
cd "$(dirname "$0")/../.." || exit 1
. tests/tools/result.sh
W=$(mktemp -d) && trap 'rm -rf "$W"' EXIT

commands='index|build|query|models|info|train|check|dups'
advice='"[^"]*([^-]--[a-z]|[^n] imgsearch ('"$commands"')|make (setup|shim|all|install))'
verbs='name|give|try|make|use|open|run|write|put|set|leave|build|choose|start|delete|restore'
orders='"[^"]*([;:,] |; or )('"$verbs"')'
orders="$orders (it|another|one|room|that|again|the model|\./|related)|"
orders="$orders(name|give|choose|use) another |(try|open it|run it|index|build it) (again|first)"
find_advice() {
	grep -rnE "$advice|$orders" "$@" --include='*.c' --include='*.h' --include='*.cc'
}
find_advice lib shim | grep -vE '^[^:]*:[0-9]*:\s*(/?\*|//)' >"$W/found"
[ ! -s "$W/found" ]
result "no text of the library names an option, a command or a target" $? "$W/found"
mkdir "$W/lib"
for text in 'no model: give --model NAME' 'is no index; name another file' \
	'full: make room and go on' \
	'is locked; try again' 'was moved: open it again' 'is stale; build it first'; do
	echo "ims_fail(err, 1, \"$text\");" >"$W/lib/a.c"
	find_advice "$W/lib" >"$W/found"
	result "one that does is found: $text" $?
done
done_testing
