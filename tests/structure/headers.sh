#!/bin/sh
# The public headers alone, by both compilers and as C11 and C++17, with the strictest warnings; the
# examples in C as both; each internal header alone; and all sources without a warning by the
# compiler that did not build them.
cd "$(dirname "$0")/../.." || exit 1
. tests/tools/result.sh
W=$(mktemp -d) && trap 'rm -rf "$W"' EXIT

cat >"$W/use.c" <<'END'
#include "imgsearch.h"
#include "imgsearch/eval.h"
#include "imgsearch/train.h"
static imgsearch_call kept = IMGSEARCH_STATIC_INIT(imgsearch_call);
static const imgsearch_options fixed = IMGSEARCH_STATIC_INIT(imgsearch_options);
int use(imgsearch_hits **hits);
int use(imgsearch_hits **hits)
{
	static imgsearch_filter filter = IMGSEARCH_STATIC_INIT(imgsearch_filter);
	imgsearch_query_options o = IMGSEARCH_INIT(imgsearch_query_options);
	imgsearch_input in = imgsearch_input_file("a.jpg");
	imgsearch_call call = IMGSEARCH_INIT(imgsearch_call);
	imgsearch_train_options train = IMGSEARCH_INIT(imgsearch_train_options);
	imgsearch_eval_report *report = 0;
	imgsearch_error err;
	imgsearch *s;
	int rc = imgsearch_open(":memory:", 0, 0, &s, &err);
	o.k = 3;
	call.deadline_ms = 1000 + kept.deadline_ms + fixed.dim;
	o.filter = &filter;
	train = IMGSEARCH_INIT(imgsearch_train_options);
	if (!rc)
		rc = imgsearch_train(s, "folder", &train, &call, 0, &err);
	if (!rc)
		rc = imgsearch_eval_run(s, 0, &call, &report, &err);
	imgsearch_eval_report_free(report);
	return rc ? rc : imgsearch_query(s, &in, 1, &o, &call, hits, &err);
}
END
cp "$W/use.c" "$W/use.cpp"
cat >"$W/static.c" <<'END'
#include "imgsearch.h"
static imgsearch_call kept = IMGSEARCH_INIT(imgsearch_call);
int main(void)
{
	static imgsearch_options fixed = IMGSEARCH_INIT(imgsearch_options);
	return kept.struct_size + fixed.struct_size == 0;
}
END
strict="-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror -fsyntax-only -Iinclude"
for compiler in gcc clang; do
	if ! command -v $compiler >/dev/null; then
		skip "imgsearch.h by $compiler" "not installed"
		continue
	fi
	$compiler -std=c11 $strict -Wstrict-prototypes -Wc++-compat "$W/use.c" 2>"$W/log"
	result "imgsearch.h as strict C11 by $compiler" $? "$W/log"
	for standard in c11 c++17; do
		language=${standard%%[0-9]*}
		$compiler -x "$language" -std=$standard -Wall -Wextra -Werror -fsyntax-only -Iinclude \
			"$W/static.c" 2>"$W/log"
		result "IMGSEARCH_INIT of a static struct as $standard by $compiler" $? "$W/log"
	done
	for standard in c++17 c++11; do
		$compiler -x c++ -std=$standard $strict "$W/use.cpp" 2>"$W/log"
		result "imgsearch.h as $standard by $compiler" $? "$W/log"
	done
	for standard in c11 c++17; do
		language=${standard%%[0-9]*}
		for example in examples/*.c; do
			$compiler -x "$language" -std=$standard -Wall -Wextra -Wpedantic -Werror -fsyntax-only \
				-Iinclude "$example" || echo "$example"
		done >"$W/log" 2>&1
		[ ! -s "$W/log" ]
		result "the examples as $standard by $compiler" $? "$W/log"
	done
done

internal="-std=c11 -Wall -Wextra -D_GNU_SOURCE -Iinclude -Ilib -I. -fsyntax-only"
: >"$W/log"
bad=0
for header in imgsearch.h imgsearch/eval.h imgsearch/train.h; do
	echo "#include \"$header\"" | gcc $internal -Wpedantic -Werror -x c - 2>>"$W/log" && continue
	echo "$header" >>"$W/log"
	bad=1
done
result "each public header stands alone" $bad "$W/log"

: >"$W/log"
bad=0
for header in $(find lib cli -name '*.h' | sort) shim/shim.h; do
	echo "#include \"${header#lib/}\"" | gcc $internal -x c - 2>>"$W/log" && continue
	echo "$header" >>"$W/log"
	bad=1
done
result "each header stands alone" $bad "$W/log"

chafa=$(pkg-config --cflags chafa 2>/dev/null | sed 's/-I/-isystem /g')
for compiler in gcc clang; do
	if ! command -v $compiler >/dev/null; then
		skip "no warnings by $compiler" "not installed"
		continue
	fi
	find lib cli tests/tools -name '*.c' -print0 | sort -z | xargs -0 -n 1 -P "$(nproc)" \
		$compiler $internal -Wpedantic -Wvla -Werror -O0 $chafa 2>"$W/log"
	result "no warnings in lib, cli and tests/tools by $compiler" $? "$W/log"
done
done_testing
