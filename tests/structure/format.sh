#!/bin/sh
# The code looks as .clang-format says, and no line is longer than 100 columns (a tab is 4).
cd "$(dirname "$0")/../.." || exit 1
. tests/tools/result.sh
W=$(mktemp -d) && trap 'rm -rf "$W"' EXIT

files() { find include lib cli shim examples tests docs README.md -type f -name "$1"; }
wanted=$(sed -n 's/^# clang-format \([0-9]*\).*/\1/p' .clang-format)
found=$(clang-format --version 2>/dev/null | sed -n 's/.*version \([0-9]*\).*/\1/p')
if [ "$found" = "$wanted" ]; then
	for kind in c h cc cpp; do files "*.$kind"; done |
		xargs clang-format --dry-run -Werror 2>"$W/log"
	result "the code is as clang-format $wanted writes it" $? "$W/log"
else
	skip "the code is as clang-format $wanted writes it" "found version ${found:-none}"
fi

# Longer may be: addresses, tables of Markdown, aligned tables (between clang-format off and on),
# here-documents (what a command is to print), golden files and what the fuzzers start from.
for kind in c h cc cpp md sh py js mjs css; do files "*.$kind"; done |
	grep -v -e /golden/ -e /seeds/ | python3 -c '
import re, sys
for name in sys.stdin.read().split("\n")[:-1]:
    table, end = False, None
    for number, line in enumerate(open(name, encoding="utf-8"), 1):
        line = line.rstrip("\n").expandtabs(4)
        table = (table or "clang-format off" in line) and "clang-format on" not in line
        row = name.endswith(".md") and line.lstrip().startswith("|")
        if len(line) > 100 and not (table or row or end or "://" in line):
            print(f"{name}:{number}: {len(line)} columns")
        if end:
            end = None if line.strip() == end else end
        elif name.endswith(".sh"):
            here = re.search(r"<<-?\W?(\w+)", line)
            end = here and here[1]' >"$W/log"
[ ! -s "$W/log" ]
result "no line is longer than 100 columns" $? "$W/log"
done_testing
