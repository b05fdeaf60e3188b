#!/bin/sh
# A room is a folder that holds sources: lib/store is the room "store", lib/search/graph the room
# "search/graph". A room includes the rooms that its line of docs/arrows.txt names, and no others.
# Includes are written "room/file.h" (public headers: "imgsearch.h", "imgsearch/train.h"). A system
# header that some line names is for the rooms whose lines name it. A room without a line is an
# error, and so are a line without a room and an arrow that no include uses.
cd "$(dirname "$0")/../.." || exit 1
. tests/tools/result.sh
W=$(mktemp -d) && trap 'rm -rf "$W"' EXIT

cat >"$W/arrows.awk" <<'AWK'
function wrong(what) {
	print what
	bad = 1
}
FILENAME == "docs/arrows.txt" {
	if (!/^[a-z\/]+:/) next
	sub(":", "", $1)
	line[$1] = 1
	for (i = 2; i <= NF; i++) {
		ok[$1, $i] = 1
		known[$i] = 1
	}
	next
}
FNR == 1 {
	room = FILENAME
	sub(/\/[^\/]*$/, "", room)
	sub(/^lib\//, "", room)
	seen[room] = 1
	if (!(room in line)) {
		wrong(FILENAME ": " room " -> (no line in docs/arrows.txt)")
		line[room] = 1
	}
}
!/^#[ ]*include/ { next }
/</ {
	split($0, part, /[<>]/)
	split(part[2], folder, "/")
	to = "<" folder[1] ">"
	if (part[2] ~ /\//) sub(/\.h>$/, ">", to)
	if (!(to in known)) next
}
/"/ {
	split($0, part, "\"")
	to = part[2]
	if (to ~ /^imgsearch(\/[a-z]*)?\.h$/) next
	if (!sub(/\/[^\/]*$/, "", to)) to = "(write room/file.h)"
}
to != room && !((room, to) in ok) { wrong(FILENAME ":" FNR ": " room " -> " to) }
{ used[room, to] = 1 }
END {
	for (arrow in ok)
		if (!(arrow in used)) {
			split(arrow, end, SUBSEP)
			wrong("docs/arrows.txt: " end[1] " -> " end[2] " (no include uses it)")
		}
	for (r in line)
		if (!(r in seen)) wrong("docs/arrows.txt: " r " -> (no such room)")
	exit bad
}
AWK
arrows() { # checks the tree in the working directory
	find lib cli shim examples -name '*.[ch]' -o -name '*.cc' -o -name '*.cpp' 2>/dev/null |
		sort | xargs awk -f "$W/arrows.awk" docs/arrows.txt
}

arrows >"$W/found"
result "every include is an allowed arrow" $? "$W/found"

# The check itself, on a tree with these faults: an arrow between rooms, a system header, an arrow
# from a subfolder, a room without a line, a bare include, a line without a room, unused arrows.
T=$W/tree
mkdir -p "$T/docs" "$T/lib/image" "$T/lib/search/bound" "$T/lib/search/graph" "$T/lib/base" \
	"$T/lib/stray" "$T/cli"
cd "$T" || exit 1
cat >docs/arrows.txt <<'END'
base:
image: base <png.h>
store: <sqlite3.h>
search/bound: base
search/graph:
cli: image
END
echo '#include "image/image.h"' >lib/search/bound/a.c
echo '#include <sqlite3.h>' >lib/image/b.c
echo '#include "base/base.h"' >cli/c.c
echo '#include "search/bound/codes.h"' >lib/search/graph/d.c
echo '#include <stdio.h>' >lib/stray/e.c
echo '#include "base.h"' >lib/base/f.c
cat >lib/image/fine.c <<'END'
#include "base/base.h"
#include "imgsearch.h"
#include "image/image.h"
#include <png.h>
END
echo '#include "search/graph/d.h"' >lib/search/graph/fine.c
arrows >"$W/found"
[ "$(grep -c ' -> ' "$W/found")" = 10 ]
result "wrong ones are found" $? "$W/found"
! grep -q fine "$W/found"
result "right ones are left alone" $? "$W/found"

rm -r lib/search/bound/a.c lib/image/b.c cli/c.c lib/search/graph/d.c lib/stray lib/base/f.c
echo '#include "imgsearch.h"' >lib/base/fine.c
echo '#include "base/base.h"' >lib/search/bound/fine.c
echo '#include "image/image.h"' >cli/fine.c
mkdir lib/store && echo '#include <sqlite3.h>' >lib/store/fine.c
arrows >"$W/found"
result "a right tree passes" $? "$W/found"
done_testing
