#!/bin/sh
# A picture that the index has stays, with its vector, where its format is not read any more: after
# a touch, a move, a copy. A new one of that format is left out.
. "$(dirname "$0")/../cli/common.sh"
mkdir photos
cp "$TOP/tests/fuzz/seeds/tiff/RGB.tif" photos/a.tif
imgsearch index -q photos --formats +tiff
[ "$(imgsearch list --paths)" = "$W/photos/a.tif" ] ||
	{ echo "1..0 # SKIP libtiff is missing"; exit 0; }
result "an index with a TIFF" 0
imgsearch index -q --formats -tiff
id=$(imgsearch list | cut -f 1)
paths() { # NAME STATE PATH...: what the index has in this state
	name=$1 state=$2
	shift 2
	for path; do echo "$W/photos/$path"; done >wanted
	imgsearch list --paths --state "$state" >.out
	cmp -s .out wanted
	result "$name" $? .out
}
imgsearch query -q --paths -k 1 --formats +tiff photos/a.tif >.out
[ "$(cat .out)" = "$W/photos/a.tif" ]
result "... that is asked for by a TIFF" $? .out
{ cat photos/a.tif; echo; } >other.tif
imgsearch query -q --paths -k 1 --formats +tiff other.tif >.out
[ "$(cat .out)" = "$W/photos/a.tif" ]
result "... or by one that it has not" $? .out
imgsearch query -q other.tif >.out 2>.err
[ $? = 3 ] && grep -q TIFF .err
result "... where TIFFs are asked for" $? .err
touch -d 2020-01-01 photos/a.tif
imgsearch index -q photos
paths "touched" indexed a.tif
mv photos/a.tif photos/b.tif
imgsearch index -q photos
paths "moved" indexed b.tif
[ "$(imgsearch list | cut -f 1)" = "$id" ]
result "... with its id" $?
cp photos/b.tif photos/c.tif
imgsearch index -q photos
paths "copied" duplicate c.tif
cp "$TOP/tests/fuzz/seeds/tiff/L.tif" photos/new.tif 2>/dev/null ||
	{ cat photos/b.tif; echo; } >photos/new.tif
imgsearch index -q photos
paths "a new one is left out" unsupported new.tif
paths "... and the others stay" indexed b.tif
printf x >>photos/b.tif
imgsearch index -q photos
paths "one that was changed cannot be read" unsupported b.tif new.tif
paths "... its copy is the picture now" indexed c.tif
done_testing
