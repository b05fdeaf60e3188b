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

index a --regions --no-regions
[ $? = 2 ] && grep -q 'exclude each other' out
result "both at once are refused" $? out
done_testing
