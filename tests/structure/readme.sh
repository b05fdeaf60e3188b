#!/bin/sh
# The commands of the README work: lines of its sh blocks that begin with imgsearch are run where ~/Pictures, photo.jpg
# and the other files they name are drawn pictures; make targets exist; files that it links to are there.
. "$(dirname "$0")/../cli/common.sh"
README=$TOP/README.md
if [ ! -e "$README" ]; then
	echo "1..0 # SKIP there is no README"
	exit 0
fi
draw Pictures 2
for file in photo.jpg query.jpg a.jpg b.jpg; do cp Pictures/city-01.jpg $file; done
for folder in photos pictures; do cp -r Pictures $folder; done
sed -n '/^```sh$/,/^```$/p; /^```$/,/^```$/p' "$README" | grep -e '^\(\$ \)\{0,1\}\(imgsearch\|make\) ' | sed 's/^\$ //; s/ *#.*//' | sort -u >lines
[ -s lines ]; result "the README has commands" $?
while read -r line; do
	set -- $line
	case $line in
	make\ *)
		grep -q -e "^$2:" -e "^\.PHONY:.* $2\( \|$\)" "$TOP/Makefile"; result "there is a target for: $line" $?
		continue ;;
	imgsearch\ serve* | imgsearch\ train* | *...*)
		imgsearch "$2" --help >.out 2>.err </dev/null; result "there is a command for: $line" $? .err
		continue ;;
	esac
	B=$B sh -c "$line" >.out 2>.err </dev/null; status=$?
	[ $status = 0 ] || [ $status = 4 ]; result "$line" $? .err
done <lines
for link in $(grep -o '](\([^)#:]*\))' "$README" | sed 's/](//; s/)//' | sort -u); do
	[ -e "$TOP/$link" ]; result "there is $link" $?
done
done_testing
