#!/bin/sh
# The reference of the public headers: every function has its place and an example in it; every link
# leads somewhere; libimgsearch(3) is the kept one.
cd "$(dirname "$0")/../.." || exit 1
. tests/tools/result.sh
W=$(mktemp -d) && trap 'rm -rf "$W"' EXIT

tests/tools/reference.py "$W/page.html" 2>"$W/log"
result "the page is made" $? "$W/log"
grep -ho '^IMGSEARCH_API [^;(]*imgsearch_[a-z0-9_]*(' include/imgsearch.h include/imgsearch/*.h |
	grep -o 'imgsearch_[a-z0-9_]*($' | tr -d '(' | sort -u >"$W/functions"
while read -r name; do
	grep -q "<h4 id=\"$name\">" "$W/page.html" || echo "$name has no place"
	case $name in
	*_free) ;;
	*)
		grep -A8 "<h4 id=\"$name\">" "$W/page.html" | grep -q 'Example: ' ||
			echo "$name has no example"
		;;
	esac
done <"$W/functions" >"$W/lacking"
[ "$(wc -l <"$W/functions")" -gt 70 ] && [ ! -s "$W/lacking" ]
result "every function is in it, with an example" $? "$W/lacking"
grep -o ' id="[^"]*"' "$W/page.html" | cut -d '"' -f 2 | sort >"$W/ids"
grep -o 'href="#[^"]*"' "$W/page.html" | cut -d '#' -f 2 | tr -d '"' | sort -u >"$W/links"
sort -u "$W/ids" | comm -13 - "$W/links" >"$W/broken"
uniq -d "$W/ids" >>"$W/broken"
[ "$(wc -l <"$W/links")" -gt 100 ] && [ ! -s "$W/broken" ]
result "every link leads to one place" $? "$W/broken"
tests/tools/reference.py --man "$W/page.3" && diff -u docs/libimgsearch.3 "$W/page.3" >"$W/diff"
result "libimgsearch(3) is the kept one (else: make reference)" $? "$W/diff"
if command -v mandoc >/dev/null; then
	mandoc -Tlint "$W/page.3" >"$W/lint" 2>&1
	[ ! -s "$W/lint" ]
	result "mandoc finds nothing in it" $? "$W/lint"
else
	skip "mandoc" "mandoc is not installed"
fi
done_testing
