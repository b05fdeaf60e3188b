#!/bin/sh
# Features of parts of pictures: made for what is there and for what comes, kept by every run, made
# again by another model, and dropped.
cd "$(dirname "$0")/../.." || exit 1
. tests/cli/common.sh

draw pics 9
ls pics | { n=1; while read -r f; do mv "pics/$f" "pics/p$n"; n=$((n + 1)); done; }
mkdir a
cp pics/p1 pics/p2 pics/p3 a && cp a/p1 a/copy

index() {
	imgsearch index --db index.db "$@" >out 2>&1
}
# So many pictures have regions, and nothing is wrong.
has() { # NAME N
	imgsearch check --db index.db >out 2>&1 && imgsearch info --db index.db >>out 2>&1 &&
		grep -q "^regions *9 a picture, $2 pictures" out
	result "$1" $? out
}

index a --regions
has "a new index" 3
index
grep -q '4 unchanged (' out
result "... the next run has nothing to do" $? out
cp pics/p4 a && index
has "... but for a new picture" 4
rm a/p1 && index
has "a copy inherits them" 4
mv a/p2 a/moved && index
has "a file that moved has them" 4
imgsearch rm -q --db index.db --keep-out a/p3 >out 2>&1 && cp pics/p5 a && index
has "... and one that was deleted on purpose" 5
imgsearch info --json --db index.db | grep -q '"regions": *9, *"with_regions": *5'
result "... as info tells programs" $?

# A crop that is a part: the first tile, of 0.45 of each side.
cp pics/p6 a && index
id=$(imgsearch list --db index.db --json | sed -n 's,.*"id": *\([0-9]*\),\1 &,p' | grep '/p6"' |
	cut -d' ' -f1)
size=$(imgsearch list --db index.db --json | grep '/p6"' |
	sed 's/.*"width": *\([0-9]*\).*"height": *\([0-9]*\).*/\1 \2/')
w=${size% *} h=${size#* }
crop=0,0,$((w * 45 / 100)),$((h * 45 / 100))
imgsearch build -q --db index.db
imgsearch query --db index.db -k 3 --crop $crop --json a/p6 >out 2>&1 &&
	grep -q "\"results\": \[{\"rank\": 1, \"id\": $id," out &&
	grep -q '"score": \(1\|0\.99\)[0-9.]*, "region": {"x": 0, "y": 0, ' out &&
	grep -q "\"picture_width\": $w, \"picture_height\": $h}" out
result "a crop finds its picture by the part, which is named" $? out
imgsearch query --db index.db -k 3 --crop $crop --json --whole a/p6 >out 2>&1 &&
	! grep -q region out
result "... but for --whole" $? out
imgsearch query --db index.db -k 3 --crop $crop --json "id:$id" >out 2>&1 &&
	grep -q "\"results\": \[{\"rank\": 1, \"id\": $id," out &&
	grep -q '"region": {"x": 0, "y": 0' out
result "... of a stored picture, too" $? out
mv a/p6 away && imgsearch query --db index.db --crop $crop "id:$id" >out 2>&1
[ $? = 3 ] && grep -q 'p6: No such file' out
result "... whose file must be there" $? out
mv away a/p6
imgsearch query --db index.db -k 20 --paths a/p6 >paths 2>&1 && sort paths | uniq -d >out &&
	[ "$(wc -l <paths)" = 5 ] && [ ! -s out ]
result "each picture is one hit" $? paths
imgsearch query --db index.db -k 3 --crop $crop --sheet s.png --html s.html a/p6 >out 2>&1 &&
	[ -s s.png ] && [ -s s.html ]
result "a sheet and a page have a frame" $? out
rm a/p6 && index

index --no-regions
imgsearch info --db index.db >out && ! grep -q regions out &&
	imgsearch check --db index.db >out 2>&1
result "dropped" $? out
cp pics/p6 a && index && imgsearch info --db index.db >out && ! grep -q regions out
result "... none are made any more" $? out
index a --regions
grep -q '5 features made anew' out
result "kept again: all are made" $? out
has "... of all that are there" 5
index a --flip
has "another model makes them again" 5

rm index.db* && index a
(FAKE_RUN=2 FAKE_SIGNAL=9 imgsearch index --db index.db a --regions) >out 2>&1
status=$?
has "a run that is killed" 0
index
[ $status = 137 ] && has "... the next one makes them" 6

# More queries than are ranked in one step.
draw many 16
small() { # what share of crops of a ninth finds its picture first, in thousandths
	imgsearch eval --db many.db --duplicates 128 |
		sed -n 's/^ *[0-9.]* *\([01]\)\.\([0-9]\{3\}\).*1\/9$/\1\2/p'
}
imgsearch index -q --db many.db many >out 2>&1 && whole=$(small)
imgsearch index -q --db many.db --regions many >>out 2>&1 && parts=$(small)
echo "$whole $parts" >>out
[ "$(echo "$parts" | sed "s/^0*//")" -gt $(($(echo "$whole" | sed "s/^0*//") * 2)) ]
result "eval --duplicates compares small crops with regions" $? out

index a --regions --no-regions
[ $? = 2 ] && grep -q 'exclude each other' out
result "both at once are refused" $? out
done_testing
