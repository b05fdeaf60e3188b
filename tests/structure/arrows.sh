#!/bin/sh
# Rooms may include what docs/arrows.txt says, and nothing else. Includes are written "room/file.h" (the public header:
# "imgsearch.h"); a system header that any room's line names may be used by those rooms alone.
cd "$(dirname "$0")/../.." || exit 1
arrows() { # of the tree in the working directory
	find lib cli shim examples \( -name '*.[ch]' -o -name '*.cc' -o -name '*.cpp' \) 2>/dev/null | sort | xargs awk '
	FILENAME == "docs/arrows.txt" { sub(":", "", $1); for (i = 2; i <= NF; i++) { ok[$1, $i] = 1; known[$i] = 1 } next }
	FNR == 1 { split(FILENAME, p, "/"); room = p[1] == "lib" ? p[2] : p[1] }
	!/^#[ ]*include/ { next }
	/</ { split($0, q, /[<>]/); split(q[2], t, "/"); to = "<" t[1] ">"; if (q[2] ~ /\//) sub(/\.h>$/, ">", to); if (!(to in known)) next }
	/"/ { split($0, q, "\""); n = split(q[2], t, "/"); to = q[2] == "imgsearch.h" ? "include" : n == 1 ? "(write room/file.h)" : t[1] }
	to == "include" { next }
	to != room && !((room, to) in ok) { print "# " FILENAME ":" FNR ": " room " -> " to; bad = 1 }
	END { exit bad }' docs/arrows.txt
}
echo 1..3
arrows && echo "ok 1 - every include is an allowed arrow" || echo "not ok 1 - every include is an allowed arrow"

# The check itself, on a tree that is wrong in three ways.
W=$(mktemp -d) && trap 'rm -rf "$W"' EXIT
mkdir -p "$W/docs" "$W/lib/image" "$W/lib/search" "$W/cli"
cp docs/arrows.txt "$W/docs"
echo '#include "image/image.h"' >"$W/lib/search/a.c"
echo '#include <sqlite3.h>' >"$W/lib/image/b.c"
echo '#include "base/base.h"' >"$W/cli/c.c"
echo '#include "base/base.h"' >"$W/lib/image/fine.c"
cd "$W" && found=$(arrows)
[ "$(echo "$found" | grep -c ' -> ')" = 3 ] && echo "ok 2 - wrong ones are found" || echo "not ok 2 - wrong ones are found: $found"
echo "$found" | grep -q fine && echo "not ok 3 - right ones are left alone" || echo "ok 3 - right ones are left alone"
