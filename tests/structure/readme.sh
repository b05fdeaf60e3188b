#!/bin/sh
# The commands of the README work: lines of its blocks that begin with imgsearch are run, in order
# of the alphabet, where ~/Pictures and the files they name are drawn pictures; make targets exist;
# files that it links to are there.
. "$(dirname "$0")/../cli/common.sh"
README=$TOP/README.md
draw Pictures 2
for folder in photos pictures caltech101; do cp -r Pictures $folder; done
awk '
	/^```/ { block = !block; next }
	block && sub(/^(\$ )?/, "") && /^(imgsearch|make) / { sub(/ *#.*/, ""); print }
' "$README" | sort -u >lines
[ -s lines ]
result "the README has commands" $?
while read -r line; do
	set -- $line
	for word; do
		case $word in
		*.jpg | *.png)
			[ -e "$word" ] && continue
			mkdir -p "$(dirname "$word")"
			cp Pictures/city-01.jpg "$word" ;;
		esac
	done
	case $line in
	make\ *)
		grep -q -e "^$2:" -e "^\.PHONY:.* $2\( \|$\)" "$TOP/Makefile"
		result "there is a target for: $line" $?
		continue ;;
	imgsearch\ serve* | imgsearch\ train* | *...*)
		imgsearch "$2" --help >.out 2>.err </dev/null
		result "there is a command for: $line" $? .err
		continue ;;
	esac
	B=$B sh -c "$line" >.out 2>.err </dev/null
	result "$line" $? .err
done <lines
links=0
for link in $(grep -o '](\([^)#:]*\))' "$README" | sed 's/](//; s/)//' | sort -u); do
	links=$((links + 1))
	[ -e "$TOP/$link" ]
	result "there is $link" $?
done
[ $links -gt 5 ]
result "links were found" $?
done_testing
