#!/bin/sh
# lib/engine is a façade: no other file of lib/ defines or calls a public function that takes an
# `imgsearch *`.
cd "$(dirname "$0")/../.." || exit 1
. tests/tools/result.sh
W=$(mktemp -d) && trap 'rm -rf "$W"' EXIT

names() { # public functions with a handle among their parameters, one a line
	tr '\n' ' ' <"$1" | grep -o 'IMGSEARCH_API [^;]*;' | grep -E '[(,] *imgsearch \*' |
		grep -o 'imgsearch_[a-z0-9_]* *(' | grep -v '^imgsearch_error' | tr -d ' (' | sort -u
}

uses() { # of those names, in the files of a tree but for its lib/engine; comments are passed over
	pattern="\\b($(paste -sd'|' "$W/names")) *\\("
	find "$1/lib" -name '*.c' -not -path "$1/lib/engine/*" | sort | while read -r file; do
		sed -e 's|/\*.*\*/||g' -e '/^[[:space:]]*\/\*/,/\*\//d' "$file" |
			grep -nE "$pattern" | sed "s|^|$file: |"
	done
}

for header in include/imgsearch.h include/imgsearch/*.h; do names "$header"; done >"$W/names"
[ "$(wc -l <"$W/names")" -ge 20 ]
result "the header's functions are found" $?
uses . >"$W/found"
[ ! -s "$W/found" ]
result "lib/engine alone has public functions of a handle" $? "$W/found"

T=$W/tree
mkdir -p "$T/lib/engine" "$T/lib/query"
echo 'int f(imgsearch *s) { return imgsearch_item_find(s, "a", 0, 0); }' >"$T/lib/query/a.c"
cp "$T/lib/query/a.c" "$T/lib/engine"
echo '/* imgsearch_item_find(s) is documented elsewhere. */' >"$T/lib/query/b.c"
[ "$(uses "$T" | wc -l)" = 1 ]
result "a call elsewhere is found" $?
done_testing
