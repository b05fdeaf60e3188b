#!/usr/bin/python3
"""make bench-quality: what each improvement does, by imgsearch eval, on each labelled set of
../shared/images, as rows of a table: mAP / 1-NN (recall@10 for the paintings, whose queries are
photographs of one of them each). MODEL, WEIGHTS: another network.
"""

import json
import os
import subprocess
import sys
import tempfile

build = os.path.abspath(os.environ.get("B", "build"))
images = os.path.abspath("../shared/images")
model = os.environ.get("MODEL", "mobilenet_v2")
weights = os.environ.get("WEIGHTS", os.path.abspath("../shared/weights/mobilenet_v2.pth"))
network = ["--model", model, "--weights", weights] if model != "default" else []
sets = ["caltech101", "imagenette", "intel", "flowers", "paintings"]
rows = [
    ("features as they are (`--plain`)", ["--plain"]),
    ("**mean subtracted** (the default)", []),
]
rows += [
    (f"+ whitening to {n} components (`--whiten {n}`)", ["--whiten", str(n)]) for n in (64, 128)
]
rows += [
    (f"+ query expansion by {n} (`--expand {n}`)", ["--expand", str(n)]) for n in (1, 3, 5, 10)
]
cubed = ["--expand", "10", "--expand-power", "3"]
rows += [("+ expansion by 10, weights score³ (`--expand-power 3`)", cubed)]
rows += [
    (f"+ k-reciprocal re-ranking (`--reciprocal {n}`)", ["--reciprocal", str(n)]) for n in (10, 20)
]
both = ["--expand", "3", "--reciprocal", "20"]
rows += [("+ expansion by 3, then re-ranking (`--expand 3 --reciprocal 20`)", both)]
rows += [
    ("+ the query's middle too (`--views 2`)", ["--views", "2"]),
    ("+ its middle and corners (`--views 6`)", ["--views", "6"]),
]
if not os.path.isdir(images):
    print("../shared is not there: nothing to measure on")
    sys.exit(0)


def imgsearch(*args):
    p = subprocess.run(
        [f"{build}/imgsearch", *args, "--json", "-q"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    if p.returncode not in (0, 4):
        return p.stderr.strip()
    return json.loads(p.stdout.splitlines()[-1])


def cell(name, db, options):
    asked = (
        ["--queries", f"{images}/painting-queries", "--truth", f"{images}/painting-queries.csv"]
        if name == "paintings"
        else []
    )
    r = imgsearch("eval", "--db", db, *asked, *options)
    if isinstance(r, str):
        return "–"
    first = r["recall"]["10"] if asked else r["accuracy"]
    return f"{r['map']:.3f} / {first:.3f}".replace("0.", ".")


with tempfile.TemporaryDirectory() as work:
    for flip in [], ["--flip"]:
        for name in sets:
            r = imgsearch(
                "index", f"{images}/{name}", "--db", f"{work}/{name}{len(flip)}.db", *network, *flip
            )
            if isinstance(r, str):
                sys.exit(r)
    print("| |", " | ".join(sets), "|\n|---|" + "---|" * len(sets))
    flipped = [
        ("+ averaged with the mirror image, index and query (`index --flip`)", []),
        ("+ flip, expansion by 3, re-ranking", both),
    ]
    for index, table in enumerate((rows, flipped)):
        for title, options in table:
            found = [cell(name, f"{work}/{name}{index}.db", options) for name in sets]
            print(f"| {title} |", " | ".join(found), "|", flush=True)
