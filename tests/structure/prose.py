#!/usr/bin/python3
"""Sentences of more than 30 words in comments and pages. A part of the tree has at most as many as
LEFT says. When one is mended, the number goes down.

    prose.py [PREFIX]    lists those of files whose path begins so
"""

import os, re, subprocess, sys

MOST = 30
LEFT = {"README.md": 4, "docs": 214, "include": 13, "lib": 155, "cli": 8, "shim": 4, "tests": 31,
        "examples": 0}
TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")


def paragraphs(path, text):
    """Of a page its text without code, tables and pictures; of a source its comments."""
    if path.endswith(".md"):
        text = re.sub(r"```.*?```|<[^>]*>", "\n\n", text, flags=re.S)
        lines = (line for line in text.split("\n") if not line.startswith(("|", "    ")))
        return re.split(r"\n\s*\n|\n(?=\s*[-*] )|\n(?=#)|(?<=\w)\n(?=[A-Z]\w+\n)", "\n".join(lines))
    comments = (re.sub(r"^\s*\* ?", "", c, flags=re.M)
                for c in re.findall(r"/\*(.*?)\*/", text, flags=re.S))
    return [p for c in comments for p in re.split(r"\n\s*\n|\n\t", c)]


def sentences(paragraph):
    paragraph = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", paragraph)
    paragraph = re.sub(r"\s+", " ", re.sub(r"`[^`]*`", "X", paragraph))
    return re.split(r"(?<=[.!?])\s+(?=[A-Z`*\"(\[0-9])|(?<=[:;])\s+(?=[A-Z])", paragraph)


def long_sentences():
    """(words, path, sentence), the longest first."""
    listed = subprocess.run(["git", "ls-files", *LEFT], cwd=TOP, capture_output=True, text=True)
    found = []
    for path in listed.stdout.split():
        if not path.endswith((".md", ".c", ".h", ".cc", ".cpp")):
            continue
        with open(os.path.join(TOP, path), encoding="utf-8") as f:
            for paragraph in paragraphs(path, f.read()):
                for sentence in sentences(paragraph):
                    words = re.findall(r"[\w'`./-]+", sentence)
                    n = sum(re.search("[A-Za-z]", w) is not None for w in words)
                    if n > MOST:
                        found.append((n, path, sentence.strip()))
    return sorted(found, reverse=True)


def main():
    found = long_sentences()
    if len(sys.argv) > 1:
        for words, path, sentence in found:
            if path.startswith(sys.argv[1]):
                print(f"{words} {path}: {sentence}\n")
        return 0
    failed = 0
    for number, (part, left) in enumerate(LEFT.items(), 1):
        own = [f for f in found if f[1].split("/")[0] == part]
        good = len(own) <= left
        failed += not good
        word = "ok" if good else "not ok"
        print(f"{word} {number} - {part}: {len(own)} long sentences of {left}")
        for words, path, sentence in [] if good else own[:5]:
            print(f"# {words} {path}: {sentence[:160]}")
    print(f"1..{len(LEFT)}")
    return failed > 0


if os.path.isdir(os.path.join(TOP, ".git")) or len(sys.argv) > 1:
    sys.exit(main())
print("1..0 # SKIP not a git checkout")
