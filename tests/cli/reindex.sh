#!/bin/sh
# A new model for the pictures of an index, while files move, come and go: the index switches when
# every picture has its vector, and no picture is left without one.
cd "$(dirname "$0")/../.." || exit 1
. tests/cli/common.sh

draw pics 9
ls pics | { n=1; while read -r f; do mv "pics/$f" "pics/p$n"; n=$((n + 1)); done; }

# Three pictures in a, two in b; new ones are at hand.
fresh() {
	rm -rf a b off index.db*
	mkdir a b
	cp pics/p1 pics/p2 pics/p3 a && cp pics/p4 pics/p5 b
	imgsearch index -q --db index.db a b
}
# Nothing is wrong, and each picture finds itself.
sound() { # NAME FILE...
	what=$1
	shift
	imgsearch check --db index.db >out 2>&1
	status=$?
	for f; do
		imgsearch query --db index.db "$f" -k 1 2>/dev/null | cut -f 2 | grep -qx "$W/$f" || {
			echo "$f does not find itself" >>out
			status=1
		}
	done
	result "$what" $status out
}
waits() { # NAME: the index has not switched, and says so
	grep -q 'not made yet' out
	result "$1" $? out
}

fresh
mv a/p1 a/z && cp pics/p6 a/new
imgsearch index -q --db index.db a b --flip >out 2>&1
sound "a file that moved, and a new one" a/z a/new a/p2 b/p4
imgsearch info --db index.db | grep -q 'reindex\|not made'
result "... the index has switched" $((!$?))

fresh
mv b off && cp pics/p6 a/new1 && cp pics/p7 a/new2
imgsearch index --db index.db --flip >out 2>&1
waits "as many new files as are offline: it waits for those"
sound "... and is sound, by the old model" a/p1 a/p2
mv off b
imgsearch index -q --db index.db --flip >out 2>&1
sound "... until they are there" a/new1 a/p1 b/p4 b/p5

fresh
cp pics/p6 a/new1 && cp pics/p7 a/new2
imgsearch index --db index.db a --flip >out 2>&1
waits "one of two roots was named"
sound "... and is sound, by the old model" a/p1 b/p4

fresh
cp a/p1 a/q && imgsearch index -q --db index.db && rm a/p1 && cp pics/p6 a/new
imgsearch index --db index.db --flip >out 2>&1
imgsearch index -q --db index.db --flip >out 2>&1
sound "a duplicate whose picture went" a/q a/new

fresh
imgsearch index -q --db index.db --squash >out 2>&1
sound "another shape of the input" a/p1 b/p4
imgsearch info --json --db index.db >out && grep -q '"squash": *true' out &&
	imgsearch info --db index.db | grep -q squashed
result "... the index keeps it" $?
imgsearch index --db index.db >out 2>&1 && grep -q '5 unchanged' out
result "... and the next run asks for nothing else" $? out

fresh
imgsearch index -q --db index.db --crops 5 --pooling max >out 2>&1
sound "several crops, another pooling" a/p1 b/p4
imgsearch info --json --db index.db >out && grep -q '"crops": *5' out &&
	grep -q '"pooling": *"max"' out &&
	imgsearch info --db index.db | grep -q 'five crops of 32, pooling max'
result "... the index keeps both" $? out
imgsearch index --db index.db >out 2>&1 && grep -q '5 unchanged' out
result "... and the next run asks for nothing else" $? out
imgsearch query --db index.db a/p1 -k 1 >out 2>&1
result "... nor does a query" $? out

fresh
mv b off
imgsearch index -q --db index.db --flip --prune >out 2>&1
sound "--prune removes what is away" a/p1 a/p2
[ "$(imgsearch list --db index.db | wc -l)" = 3 ]
result "... and nothing else" $?

# A picture without a vector, as an earlier version may have left it, is read again.
fresh
python3 - <<'END'
import sqlite3
db = sqlite3.connect('index.db')
db.execute('DELETE FROM vector WHERE id = 1')
db.execute('UPDATE tally SET n = n - 1 WHERE what = 101')
db.commit()
END
imgsearch index -q --db index.db
sound "a picture without a vector gets one" a/p1 a/p2 a/p3

# Names that are handed on.
fresh
mv a/p1 a/z && mv a/p3 a/p1
imgsearch index --db index.db >out 2>&1
grep -q '5 indexed' out
result "a file that makes way for another is indexed" $? out
sound "... as itself" a/z a/p1 a/p2

done_testing
