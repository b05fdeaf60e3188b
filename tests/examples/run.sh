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
"$E/index_and_query" a.db photos query.jpg >.out 2>.err
[ $? = 0 ] && grep -q '^16 pictures, 18 paths new$' .out && grep -q 'cut.jpg: ' .out &&
	grep -q '^1\.0000 .*/photos/city-01.jpg$' .out
result "index_and_query" $? .err
"$E/index_and_query" no/such/a.db photos query.jpg >.out 2>.err
[ $? = 1 ] && grep -q 'no/such/a.db' .err
result "index_and_query, where that cannot be" $?
IMGSEARCH_LIBDIR=/nothing "$E/own_vectors" >.out 2>.err
compare "own_vectors, without a network" 0 $? <<'END'
point 250 at distance 0.0000
point 251 at distance 0.0063
point 248 at distance 0.0126
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

"$E/batch_query" a.db query.jpg photos/bad.jpg none.jpg photos/night-01.jpg >.out 2>.err
status=$?
sed -e "s|$W|W|g" -e 's/\(error: [^:]*\):.*/\1/' .out >answers
diff - answers >.diff <<'END' && [ $status = 0 ]
query.jpg: 1.0000 W/photos/city-01.jpg
photos/bad.jpg: error: photos/bad.jpg
none.jpg: error: none.jpg
photos/night-01.jpg: 1.0000 W/photos/night-01.jpg
END
result "batch_query" $? .diff
"$E/batch_query" none.db query.jpg >.out 2>.err
[ $? = 1 ] && grep -q none.db .err
result "batch_query without an index" $?
draw more 1
echo before >copy.db
"$E/backup" a.db copy.db more/*.jpg >.out 2>.err
[ $? = 0 ] && echo "$(ls more/*.jpg | wc -l) added, 0 failed, backup done" | diff - .out >.diff
result "backup" $? .diff
"$E/batch_query" copy.db query.jpg | grep -q '^query.jpg: 1\.0000 .*/photos/city-01.jpg$'
result "... which opens" $?
"$E/backup" a.db no/such/copy.db more/*.jpg >.out 2>.err
[ $? = 1 ] && grep -q 'no/such/copy.db' .err && grep -q 'backup failed$' .out
result "backup, where that cannot be" $? .err

"$E/query_speed" a.db >.out 2>.err
[ $? = 0 ] && grep -qE '^[1-9][0-9]* queries, [1-9][0-9]* a second, recall 1.000$' .out
result "query_speed" $? .err
"$E/query_speed" none/at/all.db >.out 2>.err
[ $? = 1 ] && grep -q none/at/all.db .err
result "query_speed without an index" $?

cp photos/city-01.jpg photos/city-copy.jpg && imgsearch index -q --db a.db photos 2>.err
"$E/items" a.db "$W/photos/city-01.jpg" >.out 2>.err
[ $? = 0 ] && grep -q '^16 pictures, [1-9] duplicates, model default' .out &&
	grep -q "^also at .*/city-copy.jpg$" .out && [ "$(grep -c '^[1-5]: ' .out)" = 5 ] &&
	grep -q '^item [0-9]* exists: 1; item 1000000000: 0$' .out &&
	grep -q "^$(wc -c <photos/city-01.jpg) bytes$" .out
result "items" $? .out
"$E/items" a.db none.jpg >.out 2>.err
[ $? = 1 ] && grep -q '^ENOTFOUND: .*none.jpg' .err
result "items: a path that is not there" $? .err
"$E/duplicates" a.db >.out 2>.err
[ $? = 0 ] && [ "$(grep -c '^[.#]*$' .out)" = 8 ] && [ "$(tr -cd '#' <.out | wc -c)" = 16 ]
result "duplicates: none among these, and the map" $? .out
"$E/duplicates" a.db --undo 2>.err | head -n 1 | grep -qx '0 taken in again'
result "duplicates --undo" $? .err
"$E/duplicates" a.db "$W/photos/city-01.jpg" none.jpg >.out 2>.err
[ $? = 1 ] && grep -q none.jpg .err
result "duplicates of a picture that is not there" $? .err
"$E/pictures" a.db query.jpg small.jpg >.out 2>.err
[ $? = 0 ] && grep -q '^160 x ' .out && [ "$(grep -c 'like the whole$' .out)" = 2 ] &&
	grep -q '^[1-9][0-9]* with a score' .out && grep -q '^no words: ' .out &&
	head -c 3 small.jpg | od -An -tx1 | grep -q 'ff d8 ff'
result "pictures" $? .err
export XDG_DATA_HOME="$W/data"
"$E/models" a.db mine "$IMGSEARCH_LIBDIR/default.safetensors" resnet18 >.out 2>.err
[ $? = 0 ] && grep -q '^mine.safetensors of mine: as added$' .out &&
	grep -q '^16 vectors of mine$' .out && grep -q '^current mine, second default$' .out &&
	grep -q '^current default, second -$' .out && [ ! -e data/imgsearch/models/mine ]
result "models" $? .err
"$E/upkeep" a.db kept.db >.out 2>.err
[ $? = 0 ] && grep -q '^0 problems$' .out && grep -q '^pca: recall ' .out &&
	grep -q '^16 vectors of 48 values$' .out && grep -q '^on two components: yes$' .out &&
	grep -q '^no shards: ' .out && grep -q '^[1-9][0-9]* tables, with rows, compared$' .out
result "upkeep" $? .err
mv photos photos2
"$E/upkeep" a.db kept2.db "$W/photos" "$W/photos2" >.out 2>.err &&
	"$E/items" a.db "$W/photos2/city-01.jpg" >.out 2>.err
result "upkeep: a folder that moved" $? .err
mv photos2 photos
mkdir -p classes/a classes/b && for n in 1 2 3 4; do
	cp photos/city-0$n.jpg classes/a/ 2>/dev/null; cp photos/night-0$n.jpg classes/b/ 2>/dev/null
done
if [ -e "$B/imgsearch-shim.so" ] && [ -e "$B/default.safetensors" ]; then
	IMGSEARCH_LIBDIR=$B "$E/learn" classes new.safetensors 2 >.out 2>.err
	[ $? = 0 ] && [ "$(grep -c 'mean average precision' .out)" = 2 ] &&
		grep -q 'of 2 classes, 2 steps$' .out && [ -e new.json ]
	result "learn" $? .err
else
	skip "learn" "there is no network"
fi

mv query.jpg kept.jpg
"$E/quickstart" >.out 2>.err
[ $? = 1 ] && grep -q 'query.jpg' .out
result "the quickstart says why a query fails" $? .out
mv kept.jpg query.jpg

sed -n '/^{$/,/^}$/p' "$TOP/examples/quickstart.c" | sed '1d;$d' >code
sed -n 's/^ \*\(	.*\)/\1/p' "$TOP/include/imgsearch.h" | sed -n '1,/imgsearch_close/p' >header
[ -s code ] && diff code header >.diff
result "the header shows the quickstart" $? .diff
sed -n '/^```c$/,/^```$/p' "$TOP/README.md" | sed '1d;/^```$/,$d' >readme
sed 1d "$TOP/examples/quickstart.c" >whole
[ -s readme ] && diff whole readme >.diff
result "the README shows the quickstart" $? .diff

done_testing
