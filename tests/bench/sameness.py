#!/usr/bin/python3
"""bench-sameness: what imgsearch dups says of pictures of which it is known which are the same.

usage: sameness.py MAKER    (B: the build; N: how many pictures, 2000; KEEP: a folder for them)

MAKER (sameness.c) makes families of four of photographs in ../shared and of drawn pages: copies,
links, bursts, colour variants, stamps, pages of one layout that say something else. They are
indexed together by the default model. The table counts what the first picture of a family and
another one of it were said to be, by the kind that was made; "right" names the answers that are
allowed. Precision of "picture": of all pairs in its groups, those that are copies, but for pictures
in another light.
"""

import collections, glob, itertools, json, os, shutil, subprocess, sys, tempfile

B, N = os.environ.get("B", "build"), int(os.environ.get("N", 2000))
COMMAND = B + "/imgsearch"
ANSWERS = "bytes", "picture", "scene", "nothing"
COPIES = "half size", "quality 25", "quarter turn", "mirrored", "grey", "40 % turned", "page copied"
PAGES = "transfer", "receipt", "calculator", "form", "page of text"
RIGHT = {kind: ("picture",) for kind in COPIES}
RIGHT.update({kind: ("nothing",) for kind in PAGES}, bytes=("bytes",), link=("bytes",))
LIGHT = "other light"  # a copy or not: an opinion
RIGHT[LIGHT] = "picture", "scene", "nothing"
found = sorted(
    p
    for d in ("caltech101/*/*", "imagenette/*/*", "intel/*/*", "flowers/*/*", "paintings/*")
    for p in glob.glob("../shared/images/" + d)
    if p.lower().endswith((".jpg", ".jpeg", ".png"))
)
families = N // 4
photos = found[:: max(1, len(found) // families)]
if len(photos) < families:
    print("bench-sameness: skipped, ../shared/images has too few photographs")
    sys.exit(0)


class Joined:
    """sets of names that groups have joined so far"""

    def __init__(self):
        self.of = {}

    def find(self, name):
        while self.of.get(name, name) != name:
            name = self.of[name]
        return name

    def join(self, names):
        for name in names[1:]:
            self.of[self.find(name)] = self.find(names[0])


def answers(groups, files, pairs):
    """of each pair: the strictest kind that joins it; files: names of one file each"""
    joined, out = Joined(), {pair: "nothing" for pair in pairs}
    for names in files:
        joined.join(names)
    for kind in ANSWERS[:3]:
        for names in groups[kind]:
            joined.join(names)
        for a, b in pairs:
            if out[a, b] == "nothing" and joined.find(a) == joined.find(b):
                out[a, b] = kind
    return out


with tempfile.TemporaryDirectory() as work:
    folder = os.environ.get("KEEP", work) + "/pictures"
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    made = subprocess.run(
        [sys.argv[1], folder, str(families)], input="\n".join(photos), stdout=subprocess.PIPE,
        text=True, check=True
    )
    truth = [line.split("\t") for line in made.stdout.splitlines()]
    subprocess.run([COMMAND, "index", "-q", "--db", work + "/db", folder], check=True)
    said = subprocess.run(
        [COMMAND, "dups", "-q", "--json", "--db", work + "/db"], stdout=subprocess.PIPE, text=True
    )
    listed = subprocess.run(
        [COMMAND, "list", "--json", "--db", work + "/db"], stdout=subprocess.PIPE, text=True
    )
groups = collections.defaultdict(list)
for line in said.stdout.splitlines():
    group = json.loads(line)
    groups[group["kind"]].append([os.path.basename(p["path"]) for p in group["pictures"]])

items = {item["id"]: item for item in map(json.loads, listed.stdout.splitlines())}
files = [
    [os.path.basename(i["path"]) for i in (item, items[item["same_file"]])]
    for item in items.values()
    if "same_file" in item
]

first_of, is_copy = {}, {}
for kind, first, name in truth:
    first_of[first], first_of[name] = first, first
    is_copy[first], is_copy[name] = True, kind in COPIES + ("bytes", "link", LIGHT)
said = answers(groups, files, [(first, name) for _, first, name in truth])
table = collections.defaultdict(collections.Counter)
for kind, first, name in truth:
    table[kind][said[first, name]] += 1

print(f"{len(first_of)} pictures in {families} families")
print(f"{'made':18s}" + "".join(f"{a:>9s}" for a in ANSWERS) + "    right")
wrong = 0
for kind, counts in table.items():
    right = RIGHT.get(kind, ("scene", "nothing"))
    wrong += sum(n for answer, n in counts.items() if answer not in right)
    print(f"{kind:18s}" + "".join(f"{counts[a]:9d}" for a in ANSWERS) + f"    {', '.join(right)}")
pairs = [pair for names in groups["picture"] for pair in itertools.combinations(names, 2)]
bad = [
    (a, b) for a, b in pairs if first_of[a] != first_of[b] or not is_copy[a] or not is_copy[b]
]
print(f"{wrong} answers of {len(truth)} are not right")
print(
    f"precision of picture: {1 - len(bad) / max(1, len(pairs)):.4f} ({len(bad)} of"
    f" {len(pairs)} pairs are no copies)"
)
for a, b in bad[:20]:
    print(f"  {a} {b}")
