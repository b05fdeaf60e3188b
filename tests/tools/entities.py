#!/usr/bin/env python3
"""Prints lib/words/entities.c: the names of HTML 5 as Python's standard library has them."""
from html.entities import html5

HEAD = '''/*
 * The named character references of HTML 5 (WHATWG, section 13.5), made by tests/tools/entities.py.
 * Each is '&' where its name stands without a semicolon too, else ';'; the name; 0; the text in
 * UTF-8; 0. An empty one ends them.
 */
#include "words/entities.h"

const char ims_entities[] =
	/* clang-format off */
'''


def escaped(text):
    return "".join(chr(b) if 32 <= b < 127 and b not in b'"\\' else f"\\{b:03o}"
                   for b in text.encode())


print(HEAD, end="")
line = ""
for name in sorted(n[:-1] for n in html5 if n.endswith(";")):
    item = f"{'&' if name in html5 else ';'}{name}\\000{escaped(html5[name + ';'])}\\000"
    if len(line) + len(item) > 92:
        print(f'\t"{line}"')
        line = ""
    line += item
print(f'\t"{line}";')
