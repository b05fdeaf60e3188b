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


VERBS = "open close cancel extract build query range check train".split()
NOUNS = ("answers batch build_report bytes cancel_token check_report decoder eval eval_report "
         "groups hits image index index_update_report info input item map model network root "
         "status train_report transaction shards vectors version").split()


def follows_grammar(name):
    """imgsearch_VERB for what the handle itself does, imgsearch_NOUN_VERB for all else."""
    name = name.removeprefix("imgsearch_")
    return name in VERBS or any(name.startswith(noun + "_") for noun in NOUNS)


def broken_rules(header):
    for name in header.functions:
        if not follows_grammar(name):
            yield f"{name}: neither a verb of the handle nor a noun and a verb"
    for name, values in header.enums.items():
        if name == "imgsearch_status":
            continue
        for value in values:
            if not value.startswith(name.upper() + "_"):
                yield f"{value}: does not carry the name of {name}"
    for name, fields in header.structs.items():
        for kind, field in fields:
            if kind in header.structs:
                yield f"{name}.{field}: holds a struct by value"
            if field == "items" and ("size_t", "count") not in fields:
                yield f"{name}.items: no count"
    for name, (_, args) in header.functions.items():
        if args and args[-1][1] != "err" and any(arg == "err" for _, arg in args):
            yield f"{name}: err is not the last parameter"
        for kind, arg in args:
            if kind in header.structs:
                yield f"{name}: {arg} is a struct by value"


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
    rules = list(broken_rules(Header()))
    print(f"{'not ' if rules else ''}ok 3 - names, lists and parameters follow the rules")
    sys.stdout.writelines(f"# {rule}\n" for rule in rules)
    print("1..3")
    return now != wanted or bool(padded) or bool(rules)


sys.exit(main())
