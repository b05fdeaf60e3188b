#!/bin/sh
# lib/engine is a façade: no other file of lib/ defines or calls a public function that takes an
# `imgsearch *`.
cd "$(dirname "$0")/../.." || exit 1
W=$(mktemp -d) && trap 'rm -rf "$W"' EXIT
names() { # public functions with a handle among their parameters, one a line
	tr '\n' ' ' <"$1" | grep -o 'IMGSEARCH_API [^;]*;' | grep -E '[(,] *imgsearch \*' \
		| grep -o 'imgsearch_[a-z0-9_]* *(' | grep -v '^imgsearch_error' | tr -d ' (' | sort -u
}
uses() { # of those names, in the files of a tree but for its lib/engine; comments are passed over
	find "$1/lib" -name '*.c' -not -path "$1/lib/engine/*" | sort | while read -r file; do
		sed -e 's|/\*.*\*/||g' -e '/^[[:space:]]*\/\*/,/\*\//d' "$file" | grep -nE "\\b($(paste -sd"|" "$W/names")) *\(" | sed "s|^|# $file: |"
	done
}
cat include/imgsearch.h include/imgsearch/*.h >"$W/headers"
names "$W/headers" >"$W/names"
echo 1..3
[ "$(wc -l <"$W/names")" -ge 20 ] && echo "ok 1 - the headers' functions are found" || echo "not ok 1 - the headers' functions are found"
uses . >"$W/found"
[ ! -s "$W/found" ] && echo "ok 2 - lib/engine alone has public functions of a handle" || { echo "not ok 2 - lib/engine alone has public functions of a handle"; cat "$W/found"; }

mkdir -p "$W/tree/lib/engine" "$W/tree/lib/query"
echo 'int f(imgsearch *s) { return imgsearch_item_find(s, "a", 0, 0); }' | tee "$W/tree/lib/engine/a.c" >"$W/tree/lib/query/a.c"
echo '/* imgsearch_item_find(s) is documented elsewhere. */' >"$W/tree/lib/query/b.c"
[ "$(uses "$W/tree" | wc -l)" = 1 ] && echo "ok 3 - a call elsewhere is found" || echo "not ok 3 - a call elsewhere is found"
