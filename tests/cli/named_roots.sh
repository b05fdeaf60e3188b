#!/bin/sh
# Folders that the index knows by a name: machines that have an archive at different places index
# one collection. IMGSEARCH_TEST_DB: the index (an address), instead of a file.
cd "$(dirname "$0")/../.." || exit 1
. tests/tools/result.sh
B=${B:-$PWD/build}
W=$(mktemp -d) && trap 'rm -rf "$W"' EXIT
db=${IMGSEARCH_TEST_DB:-$W/index.db}
run() { IMGSEARCH_LIBDIR=$B/tests/lib "$B/imgsearch" "$@" --db "$db"; }

# Machine "one" has the archive in one/archive, "two" in two/mnt/archive: the same files.
mkdir -p "$W/one" "$W/two/mnt" "$W/photos"
"$B/tools/draw" "$W/one/archive" 3
mkdir "$W/one/archive/sub" && mv "$W"/one/archive/*-01.* "$W/one/archive/sub"
cp -rp "$W/one/archive" "$W/two/mnt/archive"
"$B/tools/draw" "$W/photos" 1
for f in "$W"/photos/*; do
	echo >>"$f"
done
files=$(find "$W/one/archive" -type f | wc -l)
one="archive=$W/one/archive" two="archive=$W/two/mnt/archive"
paths() { # ROOT...
	run list "$@" | cut -f 2 | sort
}

run index --root "$one" "$W/one/archive" >"$W/out" 2>&1
result "a folder with a name is indexed" $? "$W/out"
paths --root "$one" >"$W/a" && find "$W/one/archive" -type f | sort | diff - "$W/a" >"$W/diff"
result "... its paths are those of the machine" $? "$W/diff"
paths --root "$two" >"$W/a" && find "$W/two/mnt/archive" -type f | sort | diff - "$W/a" >"$W/diff"
result "... on another one the paths of that" $? "$W/diff"
paths >"$W/a" && (cd "$W/one/archive" && find . -type f) | sed 's|^\.|archive:|' | sort |
	diff - "$W/a" >"$W/diff"
result "... and NAME:/PATH where it is not named" $? "$W/diff"

run index --root "$two" >"$W/out" 2>&1 && grep -q "$files unchanged" "$W/out" &&
	! grep -q ' new\| removed' "$W/out"
result "another machine finds nothing to do" $? "$W/out"
"$B/tools/draw" "$W/two/mnt/archive/more" 1
for f in "$W"/two/mnt/archive/more/*; do
	echo more >>"$f"
done
run index --root "$two" "$W/two/mnt/archive/more" >"$W/out" 2>&1 &&
	grep -q '8 new' "$W/out" && cp -rp "$W/two/mnt/archive/more" "$W/one/archive"
result "... and indexes what is new below it" $? "$W/out"
run index --root "$one" >"$W/out" 2>&1 && grep -q "$((files + 8)) unchanged" "$W/out"
result "... which the first one has then" $? "$W/out"

run index "$W/photos" >"$W/out" 2>&1 && grep -q '8 new' "$W/out"
result "a machine without the archive indexes another folder" $? "$W/out"
run index >"$W/out" 2>&1 && grep -q 'archive: this machine was not told' "$W/out" &&
	grep -q "$((files + 8)) offline" "$W/out"
result "... where the archive is offline" $? "$W/out"
[ "$(paths | grep -c '^archive:/')" = $((files + 8)) ]
result "... and stays" $? "$W/out"
run info >"$W/out" 2>&1 && grep -q 'archive:' "$W/out"
result "... info lists it" $? "$W/out"
run check >"$W/out" 2>&1
result "... the index is sound" $? "$W/out"

first=$(find "$W/one/archive/sub" -type f | sort | head -1)
run query --root "$one" "$first" -k 3 --under "$W/one/archive/sub" >"$W/out" 2>&1 &&
	grep -q "$W/one/archive/sub" "$W/out"
result "a query below a folder of it" $? "$W/out"
run query "$first" -k 3 --under archive:/sub >"$W/out" 2>&1 && grep -q 'archive:/sub/' "$W/out"
result "... by its name" $? "$W/out"
run query --root "$one" "$first" -k 3 --under "$W/one" >"$W/out" 2>&1 &&
	grep -q "$W/one/archive" "$W/out"
result "... and below a folder around it" $? "$W/out"
run rm --root "$two" "$W/two/mnt/archive/sub/${first##*/}" >"$W/out" 2>&1
result "a picture of it goes by its path" $? "$W/out"

run rm "archive:/sub/$(ls "$W/one/archive/sub" | tail -1)" >"$W/out" 2>&1
result "... or by its name" $? "$W/out"

# A folder that was indexed without a name gets one.
run root mv "$W/photos" photos: >"$W/out" 2>&1
result "a folder gets a name" $? "$W/out"
[ "$(paths | grep -c '^photos:/')" = 8 ]
result "... by which it is known" $? "$W/out"
run index --root "photos=$W/photos" >"$W/out" 2>&1 && grep -q '8 unchanged' "$W/out"
result "... and is where the machine has it" $? "$W/out"
mkdir "$W/late" && cp "$first" "$W/late/x.jpg" && echo late >>"$W/late/x.jpg"
run index "$W/late" >"$W/out" 2>&1
run index --root "late=$W/late" >"$W/out" 2>&1 && [ "$(paths | grep -c '^late:/')" = 1 ]
result "a run with its name gives it to a folder" $? "$W/out"

# Folders around one with a name, and in it.
run index --root "$two" "$W/two" >"$W/out" 2>&1 &&
	[ "$(paths | grep -c '^archive:/')" = $((files + 8)) ]
result "a folder around it does not take it over" $? "$W/out"

fails() { # NAME TEXT ARGUMENTS...
	what=$1 text=$2
	shift 2
	run "$@" >"$W/out" 2>&1
	[ $? != 0 ] && grep -q -e "$text" "$W/out"
	result "$what" $? "$W/out"
}
fails "a root without a folder" 'root "archive": it is NAME=DIR' list --root archive
fails "a name with a slash" 'it is NAME=DIR' list --root a/b=/x
fails "a name that is given twice" 'given twice' list --root a=/x --root a=/y
fails "a folder that is given twice" 'given twice' list --root a=/x --root b=/x

done_testing
