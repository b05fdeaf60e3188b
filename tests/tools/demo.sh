#!/bin/sh
# usage: B=build demo.sh [DIR]
#
# Indexes DIR (or pictures drawn for the purpose) into an index of its own, and shows what a few
# queries find.
: "${B:=build}"
dir=$1
db=$B/demo/index.db
mkdir -p "$B/demo"
if [ -z "$dir" ]; then
	dir=$B/demo/pictures
	rm -f "$db" "$db"-*
	"$B/tools/draw" "$dir" || exit 1
	echo "no DIR= was given: using pictures drawn for the purpose, in $dir" >&2
elif [ ! -d "$dir" ]; then
	echo "demo: $dir: no such folder" >&2
	exit 2
fi

model=
weights=../shared/weights/mobilenet_v2.pth
if [ ! -e "$B/default.json" ]; then
	if [ -e "$weights" ]; then
		model="--model mobilenet_v2 --weights $weights"
	else
		echo "demo: no network has weights here; give some:" \
			"imgsearch index --model resnet50 --weights FILE.pth $dir" >&2
		exit 3
	fi
fi

echo "\$ imgsearch index $dir" >&2
"$B/imgsearch" index --db "$db" $model "$dir"
status=$?
[ $status -eq 0 ] || [ $status -eq 4 ] || exit $status

# Five pictures, spread evenly over what was indexed below DIR.
"$B/imgsearch" list --db "$db" --paths "$dir" > "$B/demo/paths"
count=$(wc -l < "$B/demo/paths")
for i in 1 3 5 7 9; do
	picture=$(sed -n "$((1 + (count - 1) * i / 10))p" "$B/demo/paths")
	[ -n "$picture" ] || continue
	echo
	echo "\$ imgsearch query --no-self -k 5 $picture"
	"$B/imgsearch" query --db "$db" --under "$dir" --no-self -k 5 -- "$picture"
done
echo >&2
echo "search on with: $B/imgsearch query --db $db IMG" >&2
