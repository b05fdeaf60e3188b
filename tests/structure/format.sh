#!/bin/sh
# The code looks as .clang-format says, and no line is longer than 100 columns (a tab is 4).
cd "$(dirname "$0")/../.." || exit 1
W=$(mktemp -d) && trap 'rm -rf "$W"' EXIT
n=0
result() {
	n=$((n + 1))
	[ "$2" = 0 ] && echo "ok $n - $1" && return
	echo "not ok $n - $1"
	sed 's/^/# /' "$W/log" | head -n 40
}

files() { find include lib cli shim examples tests docs README.md -type f -name "$1"; }
wanted=$(sed -n 's/^# clang-format \([0-9]*\).*/\1/p' .clang-format)
found=$(clang-format --version 2>/dev/null | sed -n 's/.*version \([0-9]*\).*/\1/p')
if [ "$found" = "$wanted" ]; then
	for kind in c h cc cpp; do files "*.$kind"; done |
		xargs clang-format --dry-run -Werror 2>"$W/log"
	result "the code is as clang-format $wanted writes it" $?
else
	n=$((n + 1))
	echo "ok $n - the code is as clang-format $wanted writes it # SKIP needs version $wanted, found ${found:-none}"
fi

# Longer may be: addresses, tables of Markdown, aligned tables (between clang-format off and on),
# golden files and what the fuzzers start from.
for kind in c h cc cpp md sh py js mjs css; do files "*.$kind"; done |
	grep -v -e /golden/ -e /seeds/ | python3 -c '
import sys
for name in sys.stdin.read().split("\n")[:-1]:
    table = False
    for number, line in enumerate(open(name, encoding="utf-8"), 1):
        line = line.rstrip("\n").expandtabs(4)
        table = (table or "clang-format off" in line) and "clang-format on" not in line
        exempt = table or "://" in line or name.endswith(".md") and line.lstrip().startswith("|")
        if len(line) > 100 and not exempt:
            print(f"{name}:{number}: {len(line)} columns")' >"$W/log"
[ ! -s "$W/log" ]
result "no line is longer than 100 columns" $?
echo "1..$n"
