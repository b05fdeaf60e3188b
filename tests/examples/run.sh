#!/bin/sh
# The examples are run, and the quickstart is the same text in its file, in the header and in the
# README.
. "$(dirname "$0")/../cli/common.sh"
E=$B/examples
draw photos 2
cp photos/city-01.jpg query.jpg

"$E/quickstart" >.out 2>.err
compare "quickstart" 0 $? <<'END'
-
END
head -n 1 .out | grep -q '^1\.000 .*/photos/city-01.jpg$' && [ "$(wc -l <.out)" = 10 ]
result "... finds what it should" $? .out
echo text >photos/bad.jpg; head -c 2000 photos/night-01.jpg >photos/cut.jpg
"$E/add_folder" a.db photos >.out 2>.err; status=$?
grep -q '^16 pictures, 18 paths new$' .out && grep -q 'cut.jpg: ' .out && [ $status = 0 ]
result "add_folder" $? .err
"$E/add_folder" no/such/a.db photos >.out 2>.err
[ $? = 1 ] && grep -q 'no/such/a.db' .err
result "add_folder, where that cannot be" $?
IMGSEARCH_LIBDIR=/nothing "$E/query_by_vector" >.out 2>.err
compare "query_by_vector, without a network" 0 $? <<'END'
250 at distance 0.0000
249 at distance 0.0063
251 at distance 0.0063
query 0: nearest is 100
query 1: nearest is 200
END
"$E/threads" >.out 2>.err
compare "threads" 0 $? <<'END'
thread 0: 200 answers, 0 failures
thread 1: 200 answers, 0 failures
thread 2: 200 answers, 0 failures
thread 3: 200 answers, 0 failures
END
"$E/embed_in_cpp" a.db query.jpg >.out 2>.err
[ $? = 0 ] && head -n 1 .out | grep -q '^1 .*/photos/city-01.jpg$'
result "embed_in_cpp" $? .err
"$E/embed_in_cpp" none.db query.jpg >.out 2>.err
[ $? = 1 ] && grep -q none.db .err
result "embed_in_cpp without an index" $?

sed -n '/^{$/,/^}$/p' "$TOP/examples/quickstart.c" | sed '1d;$d' >code
sed -n 's/^ \*\(	.*\)/\1/p' "$TOP/include/imgsearch.h" | sed -n '1,/imgsearch_close/p' >header
[ -s code ] && diff code header >.diff
result "the header shows the quickstart" $? .diff
sed -n '/^```c$/,/^```$/p' "$TOP/README.md" | sed '1d;/^```$/,$d' >readme
sed 1d "$TOP/examples/quickstart.c" >whole
[ -s readme ] && diff whole readme >.diff
result "the README shows the quickstart" $? .diff

done_testing
