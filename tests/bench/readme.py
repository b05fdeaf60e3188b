#!/usr/bin/env python3
"""The README's table of speed. Its searches are what examples/query_speed.c prints: queries are
vectors of the index itself, one by one, paths in the answer, one thread, CPU time.

    readme.py BUILD [--vectors DIR] [--data DIR] [--parts search,index,map]

Peers answer the same queries in the same run, by their own APIs (tests/bench/peers.py; `make
bench-readme` runs this with the python3 of the peers' virtual environment): Faiss flat beside exact
answers; of hnswlib the fastest setting whose recall is not below that of the graph. The index of
2165 photos and the map are those of index.py and map.py, by the system's python3. What cannot be
measured is left out and named on stderr. Prints Markdown.
"""

import argparse, os, re, subprocess, sys
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
SETS = [("", 90170, ["exact", "graph"]), ("256", 100000, ["exact", "graph"])]
PEER = {"exact": "faiss-flat", "graph": "hnswlib"}
LABEL = {"faiss-flat": "Faiss IndexFlatL2", "hnswlib": "hnswlib"}


def output(words, **more):
    """What a program prints; None, and a line on stderr, where it fails."""
    done = subprocess.run(words, stdout=subprocess.PIPE, text=True, **more)
    if done.returncode:
        print(f"readme.py: {words[0]} {words[1]} failed, and is not measured", file=sys.stderr)
    return None if done.returncode else done.stdout


def grouped(n):
    return f"{n:,}".replace(",", " ")


def row(what, ours, theirs):
    print(f"| {what} | {ours} | {theirs} |", flush=True)


def peer(args, name, rows, n, least):
    """The best rate of a peer's settings whose recall is at least that, with the recall."""
    queries = f"{args.data}/readme_queries.npy"
    np.save(queries, np.load(rows, mmap_mode="r")[:1000])
    words = [sys.executable, f"{HERE}/peers.py", args.build, "--rows", rows, "--queries", queries]
    words += ["--n", str(n), "--engines", name, "--data", args.data]
    text = output(words, env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"})
    found = re.findall(rf"^\| {name} .*?\| ([\d.]+) \| \| ([\d,]+) \|", text or "", re.M)
    good = [(int(rate.replace(",", "")), float(recall)) for recall, rate in found]
    return max((g for g in good if g[1] >= least), default=None)


def search(args):
    for stem, n, searchers in SETS:
        rows = f"{args.vectors}/base{stem}.npy"
        if not os.path.exists(rows):
            print(f"readme.py: {rows} is absent: not measured", file=sys.stderr)
            continue
        n = min(n, len(np.load(rows, mmap_mode="r")))
        dim = np.load(rows, mmap_mode="r").shape[1]
        db = f"{args.data}/readme-{n}-{dim}.db"
        if not os.path.exists(db):
            front = f"{args.build}/tests/bench/front"
            output([front, "build", db, rows, str(n), ",".join(searchers)])
        for name in searchers:
            text = output([f"{args.build}/examples/query_speed", db, name])
            if not text:
                continue
            rate, recall = re.search(r"(\d+) a second, recall ([\d.]+)", text).groups()
            best = peer(args, PEER[name], rows, n, float(recall) - 0.0005)
            theirs = ""
            if best:
                theirs = f"{LABEL[PEER[name]]}: {grouped(best[0])}"
                theirs += f", recall {best[1]:.3f}" if name == "graph" else ""
            what = f"the 10 nearest of {grouped(n)} × {grouped(dim)}, "
            what += "proven" if name == "exact" else f"by the graph, recall {recall}"
            row(what, f"{grouped(int(rate))} a second", theirs)


def index(args):
    words = ["/usr/bin/python3", f"{HERE}/index.py", "mobilenet_v2"]
    text = output(words, env={**os.environ, "B": args.build})
    ways = "imgsearch index|home-made script|tuned script"
    times = re.findall(rf"^  (?:{ways}) +([\d.]+) s", text or "", re.M)
    if len(times) == 3:
        n = re.search(r": (\d+) pictures", text)[1]
        others = f"torchvision and Pillow, one at a time: {times[1]} s; batches, bf16: {times[2]} s"
        row(f"index {n} photos with MobileNetV2", f"{times[0]} s", others)


def draw_map(args):
    text = output(["/usr/bin/python3", f"{HERE}/map.py"], env={**os.environ, "B": args.build})
    times = re.search(r"imgsearch ([\d.]+) s, scikit-learn ([\d.]+) s", text or "")
    if times:
        row("t-SNE map of 10 000 × 256", f"{times[1]} s", f"scikit-learn: {times[2]} s")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("build")
    parser.add_argument("--vectors")
    parser.add_argument("--data")
    parser.add_argument("--parts", default="index,search,map")
    args = parser.parse_args()
    args.vectors = args.vectors or f"{args.build}/bench/vectors"
    args.data = args.data or f"{args.build}/bench/peers"
    os.makedirs(args.data, exist_ok=True)
    row("", "imgsearch", "otherwise")
    print("|---|---|---|")
    parts = {"index": index, "search": search, "map": draw_map}
    for part in args.parts.split(","):
        parts[part](args)


if __name__ == "__main__":
    main()
