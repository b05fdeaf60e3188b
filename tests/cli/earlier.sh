#!/bin/sh
# An index of an earlier default model after the default model was replaced.
. "$(dirname "$0")/common.sh"
draw pics 4
mv pics/city-01.jpg new.jpg
mv pics/city-02.jpg late.jpg
mkdir lib
cp "$IMGSEARCH_LIBDIR"/* lib
export IMGSEARCH_LIBDIR="$W/lib" IMGSEARCH_DB="$W/i.db"
imgsearch index -q pics
result "an index" $?
known=$(ls pics/*.jpg | head -n 1)
crop() { imgsearch info --json | sed 's/.*"crop": \([0-9]*\).*/\1/'; }
wanted() { # NAME TEXT FILE: whether the file has the text
	grep -q -- "$2" "$3"
	result "$1" $? "$3"
}
imgsearch query --json -q new.jpg >before.json
for ending in safetensors json; do mv lib/default.$ending lib/default-0.1.$ending; done
printf '\003\0\0\0\0\0\0\0{ }' >lib/default.safetensors
sed 's/32/40/g' lib/default-0.1.json >lib/default.json
check "the old file is there: a new picture is embedded by it" 0 \
	imgsearch query --json -q new.jpg <<'END2'
-
END2
cmp before.json .out
result "... with the same results" $?
mv late.jpg pics
check "... and an index run goes on with it" 0 imgsearch index -q pics <<'END2'
END2
[ "$(crop)" = 32 ]
result "... the index keeps its model" $?
mkdir away
mv lib/default-0.1.* away
check "it is missing: a known picture is answered" 0 imgsearch query -q "$known" <<'END2'
-
END2
for command in "query -q new.jpg" "index -q pics"; do
	cp new.jpg pics/another.jpg
	check "it is missing: $command" 3 imgsearch $command <<'END2'
-
END2
	wanted "... both ways out are said: the file" "default-0.1.safetensors.*put them there" .err
	wanted "... or all features anew" "anew: imgsearch index.*--model default" .err
done
check "index --model default" 0 imgsearch index pics --model default <<'END2'
-
END2
wanted "... the summary counts the features made anew" " features made anew" .err
[ "$(crop)" = 40 ]
result "... with the recipe of the new model" $?
check "... then the old file is not needed" 0 imgsearch query -q new.jpg <<'END2'
-
END2
mv away/* lib
check "... and does not come back" 0 imgsearch index -q pics <<'END2'
END2
[ "$(crop)" = 40 ]
result "... the new model stays" $?
# A model of one name with other weights; the folder of the old ones is still there.
mkdir old
cp away/* old 2>/dev/null || cp lib/default-0.1.* old
for ending in safetensors json; do mv old/default-0.1.$ending old/default.$ending; done
check "an index of weights elsewhere, named by a relative path" 0 \
	imgsearch index -q pics --db far.db --model old/default.safetensors <<'END2'
END2
crop_of() { imgsearch info --json --db far.db | sed 's/.*"crop": \([0-9]*\).*/\1/'; }
[ "$(crop_of)" = 32 ]
result "... with their recipe" $?
cp new.jpg pics/far.jpg
(cd pics && imgsearch query -q far.jpg --db ../far.db) >/dev/null 2>.err
result "... found from another folder" $? .err
check "index --weights of other weights" 0 \
	imgsearch index -q pics --db far.db --weights lib/default.safetensors <<'END2'
END2
[ "$(crop_of)" = 40 ]
result "... with the recipe of their card" $?
check "back to the old ones" 0 \
	imgsearch index -q pics --db far.db --model default --weights old/default.safetensors <<'END2'
END2
check "index --model default, the old weights still at their place" 0 \
	imgsearch index -q pics --db far.db --model default <<'END2'
END2
[ "$(crop_of)" = 40 ]
result "... is the present default model" $?
done_testing
