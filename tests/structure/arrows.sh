#!/bin/sh
# A room is a folder that holds sources: lib/store is the room "store", lib/search/graph the room
# "search/graph". A room includes the rooms that its line of docs/arrows.txt names, and no others.
# Includes are written "room/file.h" (public headers: "imgsearch.h", "imgsearch/train.h"). A system
# header that some line names is for the rooms whose lines name it. A room without a line is an
# error, and so is a line without a room.
cd "$(dirname "$0")/../.." || exit 1
arrows() { # checks the tree in the working directory
	find lib cli shim examples -name '*.[ch]' -o -name '*.cc' -o -name '*.cpp' 2>/dev/null | sort | xargs awk '
	FILENAME == "docs/arrows.txt" {
		if (!/^[a-z\/]+:/) next
		sub(":", "", $1); line[$1] = 1
		for (i = 2; i <= NF; i++) { ok[$1, $i] = 1; known[$i] = 1 }
		next
	}
	FNR == 1 {
		room = FILENAME; sub(/\/[^\/]*$/, "", room); sub(/^lib\//, "", room)
		seen[room] = 1
		if (!(room in line)) { print "# " FILENAME ": " room " -> (no line in docs/arrows.txt)"; bad = 1; line[room] = 1 }
	}
	!/^#[ ]*include/ { next }
	/</ { split($0, q, /[<>]/); split(q[2], t, "/"); to = "<" t[1] ">"; if (q[2] ~ /\//) sub(/\.h>$/, ">", to); if (!(to in known)) next }
	/"/ { split($0, q, "\""); to = q[2]; if (to ~ /^imgsearch(\/[a-z]*)?\.h$/) next; if (!sub(/\/[^\/]*$/, "", to)) to = "(write room/file.h)" }
	to != room && !((room, to) in ok) { print "# " FILENAME ":" FNR ": " room " -> " to; bad = 1 }
	END { for (r in line) if (!(r in seen)) { print "# docs/arrows.txt: " r " -> (no such room)"; bad = 1 } exit bad }' docs/arrows.txt
}
echo 1..4
arrows && echo "ok 1 - every include is an allowed arrow" || echo "not ok 1 - every include is an allowed arrow"

# The check itself, on a tree with these faults: an arrow between rooms, a system header, an arrow
# from a subfolder, a room without a line, a bare include, a line without a room.
W=$(mktemp -d) && trap 'rm -rf "$W"' EXIT
mkdir -p "$W/docs" "$W/lib/image" "$W/lib/search/bound" "$W/lib/search/graph" "$W/lib/base" "$W/lib/stray" "$W/cli"
cat >"$W/docs/arrows.txt" <<'END'
base:
image: base <png.h>
store: base <sqlite3.h>
search/bound: base
search/graph: base
cli: <png.h>
END
echo '#include "image/image.h"' >"$W/lib/search/bound/a.c"
echo '#include <sqlite3.h>' >"$W/lib/image/b.c"
echo '#include "base/base.h"' >"$W/cli/c.c"
echo '#include "search/bound/codes.h"' >"$W/lib/search/graph/d.c"
echo '#include <stdio.h>' >"$W/lib/stray/e.c"
echo '#include "base.h"' >"$W/lib/base/f.c"
printf '#include "base/base.h"\n#include "imgsearch.h"\n#include "image/image.h"\n#include <png.h>\n' >"$W/lib/image/fine.c"
echo '#include "search/graph/d.h"' >"$W/lib/search/graph/fine.c"
cd "$W" || exit 1
found=$(arrows)
[ "$(echo "$found" | grep -c ' -> ')" = 7 ] && echo "ok 2 - wrong ones are found" || echo "not ok 2 - wrong ones are found: $found"
echo "$found" | grep -q fine && echo "not ok 3 - right ones are left alone" || echo "ok 3 - right ones are left alone"
rm -r lib/search/bound/a.c lib/image/b.c cli/c.c lib/search/graph/d.c lib/stray lib/base/f.c
for room in base search/bound; do echo '#include "imgsearch.h"' >"lib/$room/fine.c"; done
echo '#include "imgsearch.h"' >cli/fine.c
mkdir lib/store && echo '#include "base/base.h"' >lib/store/fine.c
arrows >found && echo "ok 4 - a right tree passes" || { echo "not ok 4 - a right tree passes"; cat found; }
