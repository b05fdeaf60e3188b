#!/bin/sh
# imgsearch check of a damaged index: each problem counts, and so many are shown.
. "$(dirname "$0")/common.sh"
export IMGSEARCH_DB=$W/i.db
head -c 2560000 /dev/zero | tr '\0' '\1' >ones
{
	printf '\223NUMPY\001\000v\000'
	printf '%-117s\n' "{'descr': '<f4', 'fortran_order': False, 'shape': (10000, 64), }"
	cat ones
} >v.npy
imgsearch vectors import -q --metric l2 v.npy; result "an index" $?
check "it is sound" 0 imgsearch check <<'END'
no problem found
END

page=$(od -An -tu1 -j16 -N2 i.db | awk '{print $1 * 256 + $2}')
pages=$(($(wc -c <i.db) / page))
damage() { # N pages from the end
	n=0
	while [ $n -lt "$1" ]; do
		n=$((n + 1))
		printf '\0\0\0\0\0\0\0\0' | dd of=i.db bs=1 seek=$(((pages - n) * page)) conv=notrunc 2>.err
	done
}
cp i.db sound.db
damage 3
imgsearch check >.out 2>.err; status=$?
[ $status = 3 ] && [ "$(wc -l <.out)" = 3 ] && [ "$(grep -c '^Page [0-9]*: ' .out)" = 3 ] &&
	[ ! -s .err ]
result "each page is a problem, and no more" $? .out
imgsearch check --json 2>.err | grep -q '"problems": 3, "queries": 0'
result "... and counts" $? .err
[ "$(grep -c 'Page' .err)" = 3 ]; result "... its sentences on standard error" $? .err
imgsearch check --recall 5 --json 2>.err | grep -q '"problems": 3'
result "... where searchers are asked, too" $? .err
damage 25
imgsearch check >.out 2>.err; status=$?
[ $status = 3 ] && [ "$(wc -l <.out)" = 21 ] &&
	[ "$(tail -n 1 .out)" = "and 5 more (-v shows them)" ]
result "twenty are shown, and the number of the others" $? .out
[ "$(imgsearch check -v 2>.err | grep -c '^Page')" = 25 ]; result "... all with -v" $? .err
imgsearch check --json 2>.err | grep -q '"problems": 25,'; result "... in JSON all count" $? .err
[ "$(wc -l <.err)" = 21 ]; result "... and twenty are told" $? .err

done_testing
