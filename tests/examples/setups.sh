#!/bin/sh
# Every block of docs/setups.md has at most 15 lines, and is run, or compiled.
. "$(dirname "$0")/../cli/common.sh"
if [ ! -e "$B/imgsearch-shim.so" ] || [ ! -e "$B/default.safetensors" ]; then
	skip "docs/setups.md" "there is no network"
	done_testing
	exit
fi
export IMGSEARCH_LIBDIR="$B"
draw photos 6
for kind in city night flower sunset; do
	mkdir -p classes/$kind && cp photos/$kind-*.jpg classes/$kind
done
cp -r photos landscapes && cp -r photos paintings
cp -r classes caltech101 && cp -r classes dogs
cp photos/city-01.jpg query.jpg
printf 'file,title,artist\ncity-01.jpg,City,Ann\nnight-01.jpg,Night,Bob\n' >paintings.csv

awk -v w="$W" '
	/^```(sh|c)$/ { n++; file = w "/block" n "." substr($0, 4); next }
	/^```$/ { file = ""; next }
	file { print > file }
' "$TOP/docs/setups.md"
blocks=0
for block in block[0-9]*.sh; do
	blocks=$((blocks + 1))
	lines=$(wc -l <"$block")
	[ "$lines" -le 15 ]
	result "$block: at most 15 lines ($lines)" $?
	if grep -q curl "$block" && ! command -v curl >/dev/null; then
		skip "$block" "curl is not installed"
		continue
	fi
	sh -e "$block" >.out 2>.err </dev/null
	result "$block runs: $(head -n 1 "$block")" $? .err
	case $block in
	block1.sh) grep -q '"results": \[{"rank": 1, "id": [0-9]*, "path": "[^"]*/city-01.jpg"' .out ;;
	block2.sh) [ -s tsne.png ] && [ -s pca.png ] && [ -s found.png ] &&
		[ "$(grep -c '^mAP' .out)" = 2 ] ;;
	block3.sh) imgsearch info --db photos.db | grep -q '^searcher *graph: chosen by name' ;;
	block4.sh) grep -q "city-01.jpg	City$" .out && [ "$(grep -c '	Night$' .out)" -le 2 ] ;;
	block5.sh) [ "$(wc -l <dogs.jsonl)" = "$(ls dogs/*/*.jpg | wc -l)" ] &&
		grep -q '"rank": 3' .out ;;
	esac
	result "... and does what it says" $? .out
done
[ $blocks = 5 ]
result "five set-ups ($blocks)" $?
for block in block[0-9]*.c; do
	[ "$(wc -l <"$block")" -le 15 ] && ${CC:-gcc} -std=c11 -Wall -Wextra -Werror -I"$TOP/include" \
		-c "$block" -o block.o 2>.err
	result "$block: at most 15 lines that compile" $? .err
done
done_testing
