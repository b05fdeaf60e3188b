#!/bin/sh
# Two models in one index: both have a vector of every picture, whatever happens to the files, and
# each answers by itself. Networks of the fake shim.
cd "$(dirname "$0")/../.." || exit 1
. tests/cli/common.sh

draw drawn 8
ls drawn | { n=1; while read -r f; do mv "drawn/$f" "drawn/p$n"; n=$((n + 1)); done; }
cp "$IMGSEARCH_LIBDIR/default.safetensors" w.safetensors
export IMGSEARCH_DB="$W/index.db"
other="resnet18 --weights w.safetensors"

fresh() {
	rm -rf pics "$IMGSEARCH_DB"*
	mkdir pics
	cp drawn/p1 drawn/p2 drawn/p3 drawn/p4 drawn/p5 pics
	imgsearch index -q pics
}
second() { # VECTORS: so many has the second model
	imgsearch info --json | grep -o '"second": *{[^}]*' | grep '"model": *"resnet18"' |
		grep -q "\"vectors\": *$1,"
}
# Nothing is wrong, and each picture finds itself by either model.
sound() { # NAME FILE...
	what=$1
	shift
	imgsearch check >out 2>&1
	status=$?
	for f; do
		for m in default resnet18; do
			imgsearch query "$f" --model $m -k 1 2>/dev/null | cut -f 2 | grep -qx "$W/$f" || {
				echo "$f does not find itself by $m" >>out
				status=1
			}
		done
	done
	result "$what" $status out
}

fresh
check "index --add-model" 0 imgsearch index --add-model $other <<'END'
! imgsearch: 5 paths seen: 5 indexed; 5 unchanged, 5 lacking features made (T s)
END
second 5
result "... every picture has two vectors" $?
sound "... and finds itself by both" pics/p1 pics/p5
imgsearch query drawn/p6 --model resnet18 -k 5 >by_other 2>/dev/null
imgsearch query drawn/p6 -k 5 >by_own 2>/dev/null
[ "$(wc -l <by_other)" = 5 ] && ! cmp -s by_own by_other
result "... their answers differ" $?
imgsearch query drawn/p6 --model default -k 5 2>/dev/null | cmp -s - by_own
result "... without --model it is that of the index" $?
imgsearch export e.npy --model resnet18 -q && imgsearch export f.npy -q &&
	[ "$(wc -c <e.npy)" -gt 10000 ] && [ "$(wc -c <f.npy)" -lt 5000 ]
result "export --model" $?
imgsearch vectors export --model resnet18 -q g.npy && imgsearch vectors export -q h.npy &&
	cmp -s e.npy g.npy && cmp -s f.npy h.npy
result "vectors export --model" $?
check "query by another's vector" 3 imgsearch query --vectors f.npy --model resnet18 <<'END'
! imgsearch: vectors of 48 values; those of the model resnet18 have 512
END
check "query --model of another" 3 imgsearch query drawn/p6 --model vgg16 <<'END'
! imgsearch: index W/index.db has no vectors of the model vgg16, but of default and resnet18; leave --model out, or name one that it has; imgsearch index --add-model vgg16 makes the vectors of that one, too
END
check "query by id and --model of another" 3 imgsearch query id:1 --model vgg16 <<'END'
! imgsearch: index W/index.db has no vectors of the model vgg16, but of default and resnet18; leave --model out, or name one that it has; imgsearch index --add-model vgg16 makes the vectors of that one, too
END
imgsearch build --model resnet18 --searcher exact 2>out && grep -q 'exact: 5 rows' out
result "build --model" $? out
check "build --model of another" 3 imgsearch build --model vgg16 <<'END'
! imgsearch: index W/index.db has no vectors of the model vgg16, but of default and resnet18; imgsearch info names its models
END
mkdir kinds && for n in 1 2 3; do mkdir kinds/$n && cp drawn/p$n drawn/p$((n + 3)) kinds/$n; done
imgsearch index -q --db kinds.db kinds && imgsearch index -q --db kinds.db --add-model $other
imgsearch eval --db kinds.db >own 2>&1 && imgsearch eval --db kinds.db --model resnet18 >two 2>&1
result "eval of the same folders by both" $? two
check "eval by a model that it has not" 3 imgsearch eval --db kinds.db --model vgg16 <<'END'
! imgsearch: index W/kinds.db has no vectors of the model vgg16, but of default and resnet18; imgsearch info --db kinds.db names its models
END
for m in default resnet18; do
	imgsearch extract -q -d "$IMGSEARCH_DB" --model $m drawn/p1 drawn/p2 -o two.npy &&
		imgsearch extract -q -d "$IMGSEARCH_DB" --model $m drawn/p2 -o one.npy
	values=$(($(wc -c <one.npy) - 128))
	[ $values -eq $([ $m = default ] && echo 192 || echo 2048) ] &&
		[ $(wc -c <two.npy) -eq $((128 + 2 * values)) ] &&
		tail -c $values one.npy >row && tail -c $values two.npy | cmp -s - row
	result "extract by $m: rows of its own width" $?
done
imgsearch map --model resnet18 --json -q >out 2>&1 && imgsearch dups --model resnet18 -q >out 2>&1
[ $? -le 1 ]
result "dups and map" $? out

imgsearch index -q --db kinds.db --regions kinds 2>out && imgsearch info --db kinds.db >out
[ "$(grep -c 'regions: 54 rows' out)" -eq 2 ]
result "index --regions makes the parts of both" $? out

# Queries while another process exchanges the two: each is answered by the model that is named.
for n in 1 2 3 4 5 6 7 8; do
	imgsearch model switch -q resnet18 && imgsearch model switch -q default
done &
status=0
for m in resnet18 default resnet18 default resnet18 default resnet18 default; do
	FAKE_MS=20 imgsearch query drawn/p7 --model $m -k 5 2>>exchanged | wc -l | grep -qx 5 ||
		status=1
done
wait $!
result "queries while the two are exchanged" $status exchanged

# What happens to files.
cp drawn/p6 pics/new && cp pics/p1 pics/copy && cp drawn/p7 pics/p2 && rm pics/p3
mv pics/p4 pics/moved
imgsearch index -q >out 2>&1
sound "new, equal, changed, removed and moved files" pics/new pics/p2 pics/moved pics/p1
second 5
result "... have the vectors of both" $?
rm pics/p1
imgsearch index -q >out 2>&1
sound "a duplicate inherits both" pics/copy
imgsearch rm -q --keep-out pics/copy >out 2>&1 && second 4 && imgsearch readmit -q pics/copy
second 5
result "kept out and taken in again" $? out
sound "... with both" pics/copy

# The current model is another one.
check "model switch" 0 imgsearch model switch resnet18 <<'END'
! imgsearch: resnet18: queries and new pictures use it
END
imgsearch info >out && grep -qx 'model        resnet18' out && grep -qx 'second model default' out
result "... is told by info" $? out
cp drawn/p8 pics/later && imgsearch index -q
sound "... and later pictures have both" pics/later pics/p2
check "model switch to what is current" 0 imgsearch model switch resnet18 <<'END'
! imgsearch: resnet18: queries and new pictures use it
END
check "model switch to none of them" 3 imgsearch model switch vgg16 <<'END'
! imgsearch: index W/index.db has no vectors of the model vgg16, but of resnet18 and default; imgsearch info names its models
END
imgsearch model switch -q default

# What is refused.
check "index --model of the second" 3 imgsearch index --model $other <<'END'
! imgsearch: W/index.db: resnet18 is its second model, beside default; make it the current one: imgsearch model switch resnet18
END
check "a third model" 3 imgsearch index --add-model resnet34 --weights w.safetensors <<'END'
! imgsearch: W/index.db has two models, default and resnet18: a third can take the place of one that was dropped; drop the second one first: imgsearch model drop resnet18
END
check "model drop of the current one" 3 imgsearch model drop default <<'END'
! imgsearch: index W/index.db: default is its current model, and resnet18 the one beside it; make the other one current first: imgsearch model switch resnet18
END
check "--add-model of the current one" 3 imgsearch index --add-model default <<'END'
! imgsearch: W/index.db: default is its model already
END
check "copy" 3 imgsearch copy index.db copy.db <<'END'
! imgsearch: index W/index.db has a second model, which a backup keeps, and a copy does not; drop it with imgsearch model drop, or use imgsearch backup
END
imgsearch backup -q other.db && IMGSEARCH_DB=$W/other.db second 6
result "a backup has both" $?

imgsearch model drop -q resnet18 >out 2>&1 && imgsearch check >out 2>&1
result "model drop" $? out
check "... and it is gone" 3 imgsearch model drop resnet18 <<'END'
! imgsearch: index W/index.db has no vectors of the model resnet18, but of default; imgsearch info names its models
END
check "--add-model of the own one" 3 imgsearch index --add-model default <<'END'
! imgsearch: W/index.db: default is its model already
END
check "... with another recipe" 3 imgsearch index --add-model default --flip <<'END'
! imgsearch: W/index.db: its own model has the name default, too (without mirror images, not with), and two models are told apart by name
END
check "--add-model of what there is not" 3 imgsearch index --add-model nothing <<'END'
-
END
check "--add-model to no index" 3 imgsearch index --db none.db pics --add-model $other <<'END'
! imgsearch: none.db: there is no index; make one with: imgsearch index --db none.db DIR
END
imgsearch check >out 2>&1 && ! imgsearch info --json | grep -q '"second": *{'
result "... nothing is changed by that" $? out

# Killed at any time: the next plain run goes on.
fresh
n=1
while [ $n -le 4 ]; do
	rm -f count
	FAKE_COUNT=count FAKE_RUN=$n FAKE_SIGNAL=9 imgsearch index -q --threads 1 --add-model $other \
		>out 2>&1
	imgsearch check >out 2>&1 || break
	[ $n -gt 1 ] || imgsearch model switch resnet18 >empty 2>&1
	n=$((n + 1))
done
result "a run that adds a model is killed: the index is sound" $((n != 5)) out
grep -q 'has no vectors of resnet18 yet' empty
result "... and is not switched to what has made nothing" $? empty
imgsearch index -q >out 2>&1
second 5
result "... a plain run makes what is left" $? out
sound "... and all find themselves" pics/p1 pics/p2 pics/p3 pics/p4 pics/p5

# The network of a model is not there.
mv w.safetensors away && cp drawn/p6 pics/new
imgsearch index >out 2>&1
status=$?
grep -q 'the second model has made no vectors' out && grep -q '6 indexed' out
result "without the second network the run counts" $(($? + status)) out
imgsearch query pics/new --model resnet18 >out 2>&1
[ $? = 3 ] && grep -q 'pull resnet18.*model drop resnet18' out
result "... a query by it says the ways out" $? out
check "... and an item that lacks its vector" 3 imgsearch query id:6 --model resnet18 <<'END'
! imgsearch: item 6 of index W/index.db has no vector of the model resnet18
END
imgsearch model switch resnet18 >out 2>&1 && grep -q 'no vector of resnet18 yet.*: 1$' out
result "to switch then tells what it lacks" $? out
rm pics/new && cp drawn/p7 pics/new2
imgsearch index >out 2>&1
[ $? = 3 ] && grep -q 'no weights for resnet18: .*/w.safetensors cannot be read' out &&
	grep -q 'pull resnet18.*model switch default' out
result "without that of the current one it does not" $? out
imgsearch query pics/p1 -k 1 --model default 2>/dev/null | grep -q p1
result "... but the other one answers" $?
mv away w.safetensors && imgsearch index -q
sound "... until it is there again" pics/new2 pics/p1

done_testing
