#!/bin/sh
# Names: the shared library exports imgsearch_* alone, all that the headers declare and no more; the
# static one has only imgsearch_* and ims_* to be seen; the shim exports one. The command and its
# libraries share no name. The library is not linked with libtorch. What it keeps outside of handles
# is what imgsearch.h names.
cd "$(dirname "$0")/../.." || exit 1
: "${B:=build}"
. tests/tools/result.sh
W=$(mktemp -d) && trap 'rm -rf "$W"' EXIT

nm -D --defined-only "$B/libimgsearch.so" |
	awk '$2 ~ /[TDRB]/ { sub(/@.*/, "", $3); print $3 }' |
	grep -v -e '^IMGSEARCH_' -e '^__\?asan' -e '^__odr' | sort -u >"$W/exported"
cat include/imgsearch.h include/imgsearch/*.h | tr '\n' ' ' | grep -o 'IMGSEARCH_API [a-z][^(]*(' |
	sed 's/.*[ *]\([a-z0-9_]*\)($/\1/' | sort -u >"$W/declared"
grep -v '^imgsearch_' "$W/exported" >"$W/foreign"
[ ! -s "$W/foreign" ]
result "libimgsearch.so exports imgsearch_* alone" $? "$W/foreign"
comm -23 "$W/exported" "$W/declared" >"$W/extra"
[ ! -s "$W/extra" ]
result "... nothing that the headers do not declare" $? "$W/extra"
comm -13 "$W/exported" "$W/declared" >"$W/missing"
[ ! -s "$W/missing" ]
result "... and all that they declare" $? "$W/missing"
objdump -p "$B/libimgsearch.so" | grep -q 'SONAME  *libimgsearch\.so\.[0-9]*$'
result "it has a soname" $?
nm -g --defined-only "$B/libimgsearch.a" | awk 'NF == 3 { print $3 }' | sort -u >"$W/shown"
grep -v -e '^imgsearch_' -e '^ims_' -e '^__odr' -e '^__asan' -e '^__tsan' "$W/shown" >"$W/foreign"
grep -qx imgsearch_open "$W/shown" && grep -qx ims_build "$W/shown" && [ ! -s "$W/foreign" ]
result "libimgsearch.a shows imgsearch_* and ims_* alone" $? "$W/foreign"
# kernels; the network; libutf8proc; Little CMS; picture formats; libpq; forks, the end of the
# program and calls at work; the count of allocations; hashes of files
kept="kernels shim_gate shim_load spelling colour heif jxl tiff webp libpq fork ending callback
	handle snapshot leases calls errors alloc hashed unicode"
objdump -t "$B/libimgsearch.a" | awk -v kept="$kept" '
	BEGIN { n = split(kept, name, " "); for (i = 1; i <= n; i++) ok[name[i] ".o:"] = 1 }
	/\.o: / { file = $1 }
	/ \.t?(bss|data)[\t ]/ && $2 != "d" && $3 != "d" && !(file in ok) { print file, $NF }
	/ \.t?(bss|data)[\t ]/ && / chosen/ { seen = 1 }
	END { if (!seen) print "no choice of kernels" }' | grep -v -e __asan -e __odr >"$W/foreign"
[ ! -s "$W/foreign" ]
result "only known files keep state outside of handles" $? "$W/foreign"
objdump -p "$B/libimgsearch.so" "$B/imgsearch" >"$W/headers"
grep -i 'NEEDED.*\(torch\|c10\|stdc++\)' "$W/headers" >"$W/foreign"
[ "$(grep -c 'NEEDED.*libc\.so' "$W/headers")" = 2 ] && [ ! -s "$W/foreign" ]
result "neither library nor command is linked with libtorch or C++" $? "$W/foreign"
objdump -p "$B/imgsearch" | grep -q 'NEEDED.*libimgsearch\.so'
result "the command uses the shared library" $?
# A name that the command defines and a library of its exports would be taken from the wrong one,
# without a word.
find cli -name '*.c' | sed "s|^|$B/|; s|c$|o|" | xargs nm -g --defined-only |
	awk 'NF == 3 && $3 !~ /^_/ { print $3 }' | sort -u >"$W/ours"
ldd "$B/imgsearch" | awk '$3 ~ /lib(microhttpd|jansson|chafa|glib)/ { print $3 }' >"$W/libraries"
xargs nm -D --defined-only <"$W/libraries" |
	awk 'NF == 3 { sub(/@.*/, "", $3); print $3 }' | sort -u >"$W/theirs"
comm -12 "$W/ours" "$W/theirs" >"$W/foreign"
grep -qx main "$W/ours" && grep -qx cmd_query "$W/ours" &&
	[ "$(wc -l <"$W/libraries")" = 4 ] && [ ! -s "$W/foreign" ]
result "the command defines no name that one of its libraries exports" $? "$W/foreign"
if [ -e "$B/imgsearch-shim.so" ]; then
	nm -D --defined-only "$B/imgsearch-shim.so" | awk '$2 == "T" { print $3 }' |
		grep -v -e '^_Z' >"$W/foreign"
	[ "$(cat "$W/foreign")" = ims_shim ]
	result "the shim exports one function" $? "$W/foreign"
else
	skip "the shim exports one function" "built without libtorch"
fi
done_testing
