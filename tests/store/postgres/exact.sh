#!/bin/sh
# The exact search of a server over 2 000 pictures, beside a file: the same ids, and scores with the
# same bits. Skipped where no server with pgvector is found.
cd "$(dirname "$0")/../../.." || exit 1
. tests/tools/result.sh
. tests/tools/postgres.sh
postgres_begin "exact answers over PostgreSQL"
export IMGSEARCH_LIBDIR="$B/tests/lib"
run() { "$B/imgsearch" "$@"; }

# Grids of colours around eight centres. Of every 50 pictures three have the pixels of the one
# before in other bytes, so their scores are equal.
python3 - "$W" <<'END'
import os, random, sys, zlib
w, n = sys.argv[1], 2000
r = random.Random(7)
number = lambda v: v.to_bytes(4, "big")
chunk = lambda kind, data: number(len(data)) + kind + data + number(zlib.crc32(kind + data))
centres = [[r.randrange(256) for _ in range(48)] for _ in range(8)]
def write(path, grid, level):
    rows = [bytes(c for x in range(4) for c in grid[12 * y + 3 * x : 12 * y + 3 * x + 3] * 8)
            for y in range(4)]
    pixels = b"".join((b"\0" + row) * 8 for row in rows)
    with open(path, "wb") as f:
        f.write(b"\x89PNG\r\n\x1a\n"
                + chunk(b"IHDR", number(32) + number(32) + b"\x08\x02\0\0\0")
                + chunk(b"IDAT", zlib.compress(pixels, level)) + chunk(b"IEND", b""))
def near(centre, by):
    return [min(255, max(0, c + r.randint(-by, by))) for c in centre]
for folder in ("some", "rest", "asked"):
    os.makedirs(w + "/pics/" + folder if folder != "asked" else w + "/asked")
for i in range(n):
    again = i % 50 in (1, 2, 3)
    grid = grid if again else near(centres[i % 8], 40)
    write(f"{w}/pics/{'some' if i < 300 else 'rest'}/{i:04}.png", grid, i % 50 if again else 9)
for i in range(12):
    write(f"{w}/asked/{i:02}.png", near(centres[i % 8], 60), 9)
with open(w + "/asked.npy", "wb") as f:
    import struct
    header = "{'descr': '<f4', 'fortran_order': False, 'shape': (12, 48), }"
    f.write(b"\x93NUMPY\x01\x00v\x00" + ("%-117s\n" % header).encode())
    for i in range(12):
        f.write(struct.pack("<48f", *(v / 128 - 1 for v in near(centres[i % 8], 60))))
END
run index -q --db "$W/file.db" "$W/pics" && run index -q --db "$server" "$W/pics" &&
	[ "$(run list --db "$server" | wc -l)" = 2000 ]
result "2 000 pictures are indexed in both" $?
run build -q --searcher exact --db "$W/file.db"

items=
for i in $(seq 1 37 2000); do
	items="$items id:$i"
done
same() { # NAME ARGUMENTS...
	what=$1
	shift
	for d in "$W/file.db" "$server"; do
		run query --searcher exact --json --db "$d" "$@" 2>&1 |
			sed 's/"plan": "[^"]*"//; s/"searcher_why": "[^"]*"//' >"$W/out.${d##*[./]}"
	done
	[ -s "$W/out.db" ] && grep -q '"score"' "$W/out.db" &&
		diff "$W/out.db" "$W/out.postgres" >"$W/diff"
	result "$what" $? "$W/diff"
}
for built in "" ", after a build"; do
	same "by pictures of the index$built" -k 10 $items
	same "... that leave themselves out, to a k among ties$built" -k 3 --no-self $items
	same "... below a folder$built" -k 25 --under "$W/pics/some" $items
	same "by other pictures$built" -k 10 "$W"/asked/*
	same "... all of 2 000$built" -k 2000 "$W/asked/03.png"
	same "... above a score$built" -k 500 --min-score 0.2 "$W"/asked/*
	same "... without the mean$built" -k 10 --plain "$W"/asked/*
	same "by vectors$built" -k 10 --vectors "$W/asked.npy"
	same "... below a folder$built" -k 10 --under "$W/pics/some" --vectors "$W/asked.npy"
	run build -q --searcher exact --db "$server"
done
done_testing
