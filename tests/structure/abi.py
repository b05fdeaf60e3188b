#!/usr/bin/env python3
"""The binary interface: every public struct, enumerator and function, as tests/structure/abi.txt
has it. `abi.py --write` writes that file; a change that is no addition needs another soname."""
import os
import subprocess
import sys
import tempfile

os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
sys.path.insert(0, "tests/structure")
from header import Header  # noqa: E402

GOLDEN = "tests/structure/abi.txt"


def soname():
    for line in open("Makefile", encoding="utf-8"):
        if line.startswith("SOVERSION"):
            return line.split("=")[1].strip()
    raise SystemExit("no SOVERSION in the Makefile")


def program(header):
    yield "#include <stdio.h>\n#include <stddef.h>\n#include <imgsearch/eval.h>"
    yield "#include <imgsearch/train.h>\nint main(void)\n{"
    for name, fields in sorted(header.structs.items()):
        yield f'printf("struct {name} size %zu\\n", sizeof({name}));'
        for kind, field in fields:
            field = field.split("[")[0]
            yield (f'printf("\\t%zu %zu {field}: {kind}\\n", offsetof({name}, {field}), '
                   f'sizeof((({name} *)0)->{field}));')
        last = fields[-1][1].split("[")[0]
        yield (f'if (offsetof({name}, {last}) + sizeof((({name} *)0)->{last}) != sizeof({name})) '
               f'printf("\\tpadding at the end\\n");')
    for name, values in sorted(header.enums.items()):
        for value in values:
            yield f'printf("enum {name} {value} %d\\n", (int){value});'
    yield "return 0;\n}"


def dump():
    header = Header()
    with tempfile.TemporaryDirectory() as folder:
        source, binary = f"{folder}/abi.c", f"{folder}/abi"
        open(source, "w", encoding="utf-8").write("\n".join(program(header)))
        compiler = os.environ.get("CC", "cc").split()
        subprocess.run(compiler + ["-std=c11", "-Iinclude", source, "-o", binary], check=True)
        text = subprocess.run([binary], check=True, capture_output=True, text=True).stdout
    lines = [f"soname libimgsearch.so.{soname()}"] + text.splitlines()
    lines += [f"status {name} {number}" for name, number in header.statuses]
    lines += [f"opaque {name}" for name in header.opaque]
    lines += [f"callback {text}" for text in sorted(header.callbacks)]
    for name, (result, args) in sorted(header.functions.items()):
        text = ", ".join(f"{kind} {arg}" for kind, arg in args) or "void"
        lines.append(f"function {result} {name}({text})")
    return [line + "\n" for line in lines]


def main():
    now = dump()
    if "--write" in sys.argv[1:]:
        open(GOLDEN, "w", encoding="utf-8").writelines(now)
        return 0
    wanted = open(GOLDEN, encoding="utf-8").readlines()
    different = [f"# - {x}" for x in wanted if x not in now]
    different += [f"# + {x}" for x in now if x not in wanted]
    print(f"{'not ' if now != wanted else ''}ok 1 - the interface is the one of {GOLDEN}")
    sys.stdout.writelines(different)
    padded = [line for line in now if "padding at the end" in line]
    print(f"{'not ' if padded else ''}ok 2 - no struct has padding at its end")
    print("1..2")
    return now != wanted or bool(padded)


sys.exit(main())
