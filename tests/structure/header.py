"""Reads the public headers: structs with their members, enums, functions, callback types."""
import re

HEADERS = ["imgsearch.h", "imgsearch/eval.h", "imgsearch/train.h"]


class Header:
    def __init__(self, include="include"):
        text = "".join(open(f"{include}/{name}", encoding="utf-8").read() for name in HEADERS)
        text = re.sub(r"/\*.*?\*/", " ", text, flags=re.S)
        self.statuses = re.findall(r"X\((IMGSEARCH_\w+), (-?\d+),", text)
        text = re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", "", text, flags=re.M)
        text = re.sub(r"\s+", " ", text)
        self.enums = {}
        for body, name in re.findall(r"typedef enum \w+ \{([^}]*)\} (\w+);", text):
            self.enums[name] = re.findall(r"(IMGSEARCH_\w+) =", body)
        self.structs = {}
        for body, name in re.findall(r"typedef struct \w+ \{([^}]*)\} (\w+);", text):
            self.structs[name] = [m for d in body.split(";") for m in members(d)]
        self.opaque = sorted(set(re.findall(r"typedef struct (\w+) \1;", text)) - set(self.structs))
        self.callbacks = re.findall(r"typedef (\w+ \(\*\w+\)\([^)]*\));", text)
        self.functions = {}
        for result, name, args in re.findall(
                r"IMGSEARCH_API ([\w *]+?)(\w+)\(([^)]*)\);", text):
            self.functions[name] = (result.strip(), parameters(args))


def members(declaration):
    """(type, name) of each member that a declaration declares; arrays keep their brackets."""
    declaration = declaration.strip()
    if not declaration:
        return []
    first, *others = [part.strip() for part in declaration.split(",")]
    head = re.match(r"(.*?[\s*])(\w+(?:\[\w+\])?)$", first)
    base = re.sub(r"[\s*]+(const\s*)?$", "", head.group(1)).rstrip()
    found = [(head.group(1).strip(), head.group(2))]
    for other in others:
        stars, name = re.match(r"([*\s]*)(\w+(?:\[\w+\])?)$", other).groups()
        found.append(((base + " " + stars).strip(), name))
    return found


def parameters(text):
    if text.strip() in ("void", ""):
        return []
    found = []
    for part in text.split(","):
        kind, name = re.match(r"\s*(.*?[\s*])(\w+)$", part).groups()
        found.append((kind.strip(), name))
    return found
