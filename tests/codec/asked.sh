#!/bin/sh
# TIFF and video are read where asked for: remembered for the root or a part of it, forgotten, told
# by info; what the index has of them is shown without the option.
. "$(dirname "$0")/../cli/common.sh"
export IMGSEARCH_DB=$W/i.db
tiff=$TOP/tests/fuzz/seeds/tiff
mkdir -p p/sub
cp "$tiff/RGB.tif" p/a.tif
imgsearch index -q p --formats +tiff
[ "$(imgsearch list --paths)" = "$W/p/a.tif" ] ||
	{ echo "1..0 # SKIP libtiff is missing"; exit 0; }
in_index() { imgsearch list --paths --state indexed | sed "s|^$W/||" | sort | tr '\n' ' '; }
comes() { # NAME EXPECTED
	[ "$(in_index)" = "$2" ]
	got=$?
	in_index >.got
	result "$1" $got .got
}
new() { # PATH: a TIFF that no other is a copy of
	{ cat "$tiff/RGB.tif"; echo "$1"; } >"$1"
}
roots() { imgsearch info | sed -n '/^root/,/^[^r ]/p' | grep '^root\|^  '; }

new p/b.tif
new p/sub/c.tif
imgsearch index -q; comes "--formats is remembered" "p/a.tif p/b.tif p/sub/c.tif "
printf x >>p/a.tif
imgsearch index -q p; comes "... for a file that changed" "p/a.tif p/b.tif p/sub/c.tif "
check "info says it" 0 roots <<'END_'
root         W/p
  TIFF in    .
END_
imgsearch info --json | grep -q '"tiff": \["."\], "video": \[\]'
result "... --json too" $?
check "a part of it cannot be without" 3 imgsearch index --formats -tiff p/sub <<'END_'
! imgsearch: sub: TIFF is read in all of W/p, and not off for a part of it
END_
imgsearch index -q --formats -tiff
new p/d.tif
imgsearch index -q; comes "forgotten: a new one stays out" "p/a.tif p/b.tif p/sub/c.tif "
roots >.out; : >.err
compare "... and info says nothing" 0 0 <<'END_'
root         W/p
END_
imgsearch index -q --formats +tiff p/sub
new p/sub/e.tif
imgsearch index -q; comes "a part of a folder" "p/a.tif p/b.tif p/sub/c.tif p/sub/e.tif "
imgsearch index -q p/d.tif --formats=+tiff
printf x >>p/d.tif
imgsearch index -q
comes "a file that is named" "p/a.tif p/b.tif p/d.tif p/sub/c.tif p/sub/e.tif "
check "info says which" 0 roots <<'END_'
root         W/p
  TIFF in    sub
  TIFF in    d.tif
END_
rm -f i.db*; rm -rf p q; mkdir -p p/sub; new p/sub/a.tif
imgsearch index -q --formats +tiff p/sub
imgsearch index -q p
new p/sub/b.tif; new p/c.tif
imgsearch index -q; comes "a root that becomes a part of another" "p/sub/a.tif p/sub/b.tif "
check "a name that is none" 3 imgsearch index --formats tiff p <<'END_'
! imgsearch: formats: "tiff" is not one that is read where asked for: +tiff, +video; -tiff, -video: no longer
END_
check "on and off" 3 imgsearch index --formats +tiff,-tiff p <<'END_'
! imgsearch: formats: one cannot be both on and off
END_

# What the index has is shown without the option.
imgsearch query -q --paths -k 1 id:"$(imgsearch list | head -1 | cut -f 1)" --views 2 >.out 2>.err
[ "$(wc -l <.out)" = 1 ] && [ ! -s .err ]
result "views of a TIFF that the index has" $? .err
imgsearch map -q --tiles --size 200 -o map.png >.out 2>.err && [ ! -s .err ]
result "tiles" $? .err
done_testing
