#!/usr/bin/env python3
"""Prints lib/words/entities.c: the names of HTML 5 as Python's standard library has them."""
from html.entities import html5

HEAD = '''/*
 * The named character references of HTML 5 (WHATWG, section 13.5), made by tests/tools/entities.py.
 * Each is '&' where its name stands without a semicolon too, else ';'; the name; 0; the text in
 * UTF-8; 0. A string of them ends with an empty one, and NULL ends the strings.
 */
#include "words/entities.h"

#include <stddef.h>

/* clang-format off */
const char *const ims_entities[] = {
'''


def escaped(text):
    return "".join(chr(b) if 32 <= b < 127 and b not in b'"\\' else f"\\{b:03o}"
                   for b in text.encode())


print(HEAD, end="")
line, length = "", 0
for name in sorted(n[:-1] for n in html5 if n.endswith(";")):
    text = html5[name + ";"]
    item = f"{'&' if name in html5 else ';'}{name}\\000{escaped(text)}\\000"
    size = len(name) + len(text.encode()) + 3
    if len(line) + len(item) > 92 or length + size > 4000:
        print(f'\t"{line}"' + ("," if length + size > 4000 else ""))
        line, length = "", 0 if length + size > 4000 else length
    line, length = line + item, length + size
print(f'\t"{line}",\n\tNULL,\n}};')
