#!/bin/sh
# The public headers alone, by both compilers and as C11 and C++17, with the strictest warnings; each
# internal header alone; and all sources without a warning by the compiler that did not build them.
cd "$(dirname "$0")/../.." || exit 1
W=$(mktemp -d) && trap 'rm -rf "$W"' EXIT
n=0
result() { n=$((n + 1)); [ "$2" = 0 ] && echo "ok $n - $1" || { echo "not ok $n - $1"; sed 's/^/# /' "$W/log" | head -n 40; }; }
skip() { n=$((n + 1)); echo "ok $n - $1 # SKIP $2"; }

cat >"$W/use.c" <<'END'
#include "imgsearch/train.h"
#include "imgsearch/eval.h"
int use(imgsearch_hits **hits);
int use(imgsearch_hits **hits)
{
	imgsearch_query_options o = IMGSEARCH_INIT(imgsearch_query_options);
	imgsearch_input in = imgsearch_input_file("a.jpg");
	imgsearch_error err;
	imgsearch *s;
	int rc = imgsearch_open(":memory:", 0, 0, &s, &err);
	o.k = 3;
	return rc ? rc : imgsearch_query(s, &in, 1, &o, 0, hits, &err);
}
END
cp "$W/use.c" "$W/use.cpp"
strict="-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror -fsyntax-only -Iinclude"
for compiler in gcc clang; do
	command -v $compiler >/dev/null || { skip "public headers by $compiler" "not installed"; continue; }
	$compiler -std=c11 $strict -Wstrict-prototypes -Wc++-compat "$W/use.c" 2>"$W/log"; result "public headers as strict C11 by $compiler" $?
	$compiler -x c++ -std=c++17 $strict "$W/use.cpp" 2>"$W/log"; result "public headers as C++17 by $compiler" $?
	$compiler -x c++ -std=c++11 $strict "$W/use.cpp" 2>"$W/log"; result "public headers as C++11 by $compiler" $?
done

: >"$W/log"; bad=0
for header in $(find lib cli -name '*.h' | sort) shim/shim.h; do
	echo "#include \"${header#lib/}\"" | gcc -std=c11 -Wall -Wextra -D_GNU_SOURCE -Iinclude -Ilib -I. -x c -fsyntax-only - 2>>"$W/log" || { bad=1; echo "$header" >>"$W/log"; }
done
result "each header stands alone" $bad

for compiler in gcc clang; do
	command -v $compiler >/dev/null || { skip "no warnings by $compiler" "not installed"; continue; }
	find lib cli tests/tools -name '*.c' -print0 | sort -z | xargs -0 -n 1 -P "$(nproc)" $compiler -std=c11 -Wall -Wextra -Wpedantic -Wvla -Werror -O0 -D_GNU_SOURCE -Iinclude -Ilib -I. \
		$(pkg-config --cflags chafa 2>/dev/null | sed 's/-I/-isystem /g') -fsyntax-only 2>"$W/log"
	result "no warnings in lib, cli and tests/tools by $compiler" $?
done
echo "1..$n"
