#!/bin/sh
# index and query: the two commands that are enough.
. "$(dirname "$0")/common.sh"
scores() { sed 's/^-\{0,1\}[0-9]\.[0-9]*	/S	/'; }
q() { imgsearch query "$@" | scores; }
draw pics 2

check "query without an index says how to make one" 3 imgsearch query pics/city-01.jpg <<'END'
! imgsearch: W/data/imgsearch/index.db: there is no index; make one with: imgsearch index DIR
END
[ ! -e data ]
result "... and makes none" $?
check "index" 0 imgsearch index pics <<'END'
! imgsearch: 16 paths seen: 16 indexed; 16 new (T s)
END
check "index again" 0 imgsearch index pics <<'END'
! imgsearch: 16 paths seen: 16 indexed; 16 unchanged (T s)
END
check "index without an argument refreshes" 0 imgsearch index <<'END'
! imgsearch: 16 paths seen: 16 indexed; 16 unchanged (T s)
END
check "index -q says nothing" 0 imgsearch index -q pics </dev/null
check "a stored picture finds itself first" 0 q -k 1 pics/city-01.jpg <<'END'
S	W/pics/city-01.jpg
END
check "its like comes next" 0 q --no-self -k 1 pics/bricks-01.jpg <<'END'
S	W/pics/bricks-02.jpg
END
cp pics/bricks-01.jpg copy.jpg
check "a copy elsewhere is the same picture" 0 q -k 1 copy.jpg <<'END'
S	W/pics/bricks-01.jpg
END
check "... also for --no-self" 0 q --no-self -k 1 copy.jpg <<'END'
S	W/pics/bricks-02.jpg
END
alone query -k 1 copy.jpg >.out 2>.err
compare "... and needs no network" 0 $? <<'END'
1.0000	W/pics/bricks-01.jpg
END
id=$(imgsearch list --json pics/bricks-01.jpg | sed 's/.*"id": \([0-9]*\).*/\1/')
check "a stored picture by id" 0 q -k 1 id:$id <<'END'
S	W/pics/bricks-01.jpg
END
check "an id that is not there" 3 imgsearch query id:999 <<'END'
! imgsearch: item 999 is not in index W/data/imgsearch/index.db
END
check "an id that is none" 2 imgsearch query id:7x <<'END'
! imgsearch: query: id:7x: not the id of a picture, such as id:7 (a file of that name: ./id:7x) (see: imgsearch help query)
END
imgsearch query -k 1 - <pics/bricks-01.jpg >.out 2>.err
compare "a picture on standard input" 0 $? <<'END'
1.0000	W/pics/bricks-01.jpg
END
check "nothing on standard input" 3 imgsearch query - <<'END'
! imgsearch: standard input: the file is empty
END
check "standard input twice" 2 imgsearch query --combine - - <<'END'
! imgsearch: query: standard input (-) can be given only once (see: imgsearch help query)
END
check "several pictures are several queries" 0 q -k 1 pics/city-01.jpg pics/night-01.jpg <<'END'
==> W/pics/city-01.jpg <==
S	W/pics/city-01.jpg
==> W/pics/night-01.jpg <==
S	W/pics/night-01.jpg
END
check "one of two fails" 4 imgsearch query -k 1 pics/city-01.jpg none.jpg <<'END'
==> W/pics/city-01.jpg <==
1.0000	W/pics/city-01.jpg
! imgsearch: none.jpg: No such file or directory
END
check "both fail" 3 imgsearch query none.jpg pics <<'END'
! imgsearch: none.jpg: No such file or directory
! imgsearch: pics: a folder, not a file
END
echo text >text.jpg
check "no picture" 3 imgsearch query text.jpg <<'END'
! imgsearch: text.jpg: not a picture of a known format
END
imgsearch query --combine pics/city-01.jpg pics/city-02.jpg >both 2>.err &&
	[ "$(grep -c . both)" = 10 ]
result "--combine is one query" $?
imgsearch query -k 16 pics/city-01.jpg --not pics/bricks-01.jpg | tail -n 2 | grep -q bricks
result "--not pushes away" $?
imgsearch query pics/city-01.jpg >whole
imgsearch query --crop 0,0,60,60 pics/city-01.jpg >.out 2>.err &&
	[ "$(wc -l <.out)" = 10 ] && ! cmp -s whole .out
result "--crop asks with the part" $? .err
check "a crop outside the picture" 3 imgsearch query --crop 9999,0,10,10 pics/city-01.jpg <<'END'
-
END
grep -q 'pics/city-01.jpg: crop 9999,0,10,10 does not lie in a picture of' .err
result "... says so" $?
check "nothing scores that high: status 1" 1 \
	imgsearch query --min-score 1.5 pics/city-01.jpg <<'END'
! imgsearch: nothing found
END
[ "$(imgsearch query --min-score=-2 -k 100 pics/city-01.jpg | wc -l)" = 16 ]
result "--min-score -2 and a k above all: all" $?
mkdir sub && cp pics/flower-01.jpg sub/other.jpg && imgsearch index -q sub
check "--under a folder" 0 q --under sub -k 5 pics/city-01.jpg <<'END'
-
END
check "--under a folder of which nothing is indexed" 1 \
	imgsearch query --under /nowhere pics/city-01.jpg <<'END'
! imgsearch: warning: nothing of the index lies below /nowhere
! imgsearch: nothing found
END
check "--paths" 0 imgsearch query --paths -k 1 pics/city-01.jpg <<'END'
W/pics/city-01.jpg
END
imgsearch query --paths -0 -k 2 pics/city-01.jpg | tr '\0\n' '\n!' >.out
[ "$(wc -l <.out)" = 2 ] && ! grep -q '!' .out
result "-0 ends records with NUL" $?
imgsearch query --json -k 2 pics/bricks-01.jpg >.out 2>.err
sed -e 's/"score": [0-9.]*/"score": S/g' -e 's/"id": [0-9]*/"id": N/g' \
	-e 's/, "plan": "[a-z]*", "reranked": false, "better_than_chance": [0-9]*//' <.out >.json
mv .json .out
compare "--json" 0 0 <<'END'
{"schema": 1, "query": "pics/bricks-01.jpg", "query_path": "W/pics/bricks-01.jpg", "searcher": "exact", "exact": true, "results": [{"rank": 1, "id": N, "path": "W/pics/bricks-01.jpg", "score": S}, {"rank": 2, "id": N, "path": "W/pics/bricks-02.jpg", "score": S}]}
END
check "--json of a failure" 3 imgsearch query --json none.jpg <<'END'
{"schema": 1, "query": "none.jpg", "query_path": "W/none.jpg", "error": "none.jpg: No such file or directory"}
! imgsearch: none.jpg: No such file or directory
END
check "--json of nothing" 1 imgsearch query --json --min-score 2 pics/city-01.jpg <<'END'
-
END
grep -q '"results": \[\]' .out
result "... an empty list" $?
for searcher in exact scan; do
	check "--searcher $searcher" 0 q --searcher $searcher -k 1 pics/city-01.jpg <<'END'
S	W/pics/city-01.jpg
END
done
mkdir none && imgsearch index -q --db none.db none
check "an empty index" 1 imgsearch query --db none.db pics/city-01.jpg <<'END'
! imgsearch: the index is empty
END
IMGSEARCH_DB=$W/other.db imgsearch index -q pics && [ -e other.db ]
result "\$IMGSEARCH_DB" $?
check "--db" 0 q --db other.db -k 1 pics/city-01.jpg <<'END'
S	W/pics/city-01.jpg
END
env -u XDG_DATA_HOME imgsearch index -q pics && [ -e .local/share/imgsearch/index.db ]
result "the default index below HOME" $?
check "no home at all" 3 env -u XDG_DATA_HOME -u HOME imgsearch info <<'END'
! imgsearch: no path for the index: HOME is not set; give one with --db FILE
END

done_testing
