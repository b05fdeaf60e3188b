#!/usr/bin/python3
"""Which searcher answers fastest at which size, through the public API (tests/bench/front.c, an
index in a SQLite file), and what `auto` takes there.

    crossovers.py BUILD [--small] [--rows A,B,...] [--dims A,B,...] [--vectors DIR] [--data DIR]
        [--seconds S]

A line for each number of rows and dimensions: queries a second of CPU time, one thread, one by one,
ids and scores, k = 10. All searchers are built in one file and asked in turns, three rounds, of
which the best counts. The last column is auto's rate over that of the fastest searcher whose
answers are as exact. --small: 2 to 16 dimensions, ids in batches of 1000, beside nanoflann where
its header is installed.

Vectors are those of tests/bench/vectors.py (--vectors DIR): queries are crops of indexed photos. Up
to 256 dimensions rows are the first values of base256.npy, which are its principal components; 512
are such components of base.npy; more rows of 256 than base256.npy has are those of mixed.npy
(vectors.py --mixed ROWS), of which DATA then holds a copy in f32. Sizes that the files do not have
are left out. Prints Markdown.
"""

import argparse, json, os, subprocess
import numpy as np
from search import HERE, compiled, nearest

EXACT = ["scan", "exact", "kdtree", "pca"]
GRID = [200, 500, 2000, 10000, 50000, 100000, 1000000], [4, 8, 16, 64, 256, 512, 1280]
SMALL = [10000, 100000], [2, 3, 4, 8, 16]
ROUNDS = 3


def components(args):
    """base.npy and its queries by their 512 leading principal components, kept as files."""
    paths = [f"{args.data}/{what}512.npy" for what in ("base", "query")]
    if not all(map(os.path.exists, paths)):
        base = np.load(f"{args.vectors}/base.npy", mmap_mode="r")
        sample = base[:: max(1, len(base) // 20000)].astype(np.float32)
        mean = sample.mean(0)
        axes = np.linalg.eigh(np.cov(sample.T.astype(np.float64)))[1][:, ::-1][:, :512]
        for path, rows in zip(paths, (base, np.load(f"{args.vectors}/query_in.npy"))):
            parts = (rows[i : i + 20000] - mean for i in range(0, len(rows), 20000))
            np.save(path, np.concatenate([p @ axes.astype(np.float32) for p in parts]))
    return paths


def widened(args, n):
    """The first n rows of mixed.npy in f32; None: it has fewer."""
    mixed, path = f"{args.vectors}/mixed.npy", f"{args.data}/mixed256.npy"
    rows = np.load(mixed, mmap_mode="r") if os.path.exists(mixed) else []
    if len(rows) < n:
        return None
    if not os.path.exists(path) or len(np.load(path, mmap_mode="r")) < n:
        out = np.lib.format.open_memmap(path, "w+", np.float32, (n, rows.shape[1]))
        for i in range(0, n, 100000):
            out[i : i + 100000] = rows[i : min(n, i + 100000)]
        out.flush()
    return path


def narrow(args, dim):
    """Files of rows and queries of so many values."""
    if dim == 512:
        return components(args)
    stem = "256" if dim <= 256 else ""
    paths = [f"{args.vectors}/{what}.npy" for what in (f"base{stem}", f"query{stem}_in")]
    if dim in (256, 1280):
        return paths
    kept = [f"{args.data}/{what}{dim}.npy" for what in ("base", "query")]
    for path, out in zip(paths, kept):
        if not os.path.exists(out):
            np.save(out, np.ascontiguousarray(np.load(path, mmap_mode="r")[:, :dim]))
    return kept


def run(*words, **more):
    done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True, **more)
    return done.stdout


class Cell:
    """An index of n rows with these searchers in it, and truth for the queries."""

    def __init__(self, args, n, dim, searchers):
        self.args, self.db, self.truth = args, f"{args.data}/cell.db", f"{args.data}/truth.npy"
        self.rows, self.queries = narrow(args, dim)
        if n > len(np.load(self.rows, mmap_mode="r")):
            self.rows = widened(args, n)
        self.n, self.remove = n, lambda: [
            os.remove(self.db + end)
            for end in ("", "-wal", "-shm")
            if os.path.exists(self.db + end)
        ]
        self.remove()
        rows = np.load(self.rows, mmap_mode="r")
        np.save(self.truth, nearest(rows, n, np.load(self.queries)))
        run(args.front, "build", self.db, self.rows, str(n), ",".join(searchers), "l2")
        info = json.loads(run(f"{args.build}/imgsearch", "info", "--json", "--db", self.db))
        self.chosen, self.reason = info["searcher"], info["searcher_why"]

    def rates(self, settings):
        """The best of the rounds for each setting: queries a second; and its recall."""
        env = {**os.environ, "SECONDS": str(self.args.seconds / ROUNDS)}
        asked = run(
            self.args.front, "ask", self.db, self.queries, self.truth, *settings * ROUNDS, env=env
        )
        best = {}
        for line in asked.splitlines():
            setting, recall, rate = line.rsplit(",", 5)[:3]
            most = max(float(rate), best.get(setting, (0, 0))[0])
            best[setting] = most, float(recall)
        return [best[s] for s in settings]

    def nanoflann(self):
        path = compiled(self.args.build)
        words = "ask", self.rows, str(self.n), "nanoflann", "1", "-", self.queries, self.truth
        done = subprocess.run([path, *words], stdout=subprocess.PIPE, text=True) if path else None
        return float(done.stdout.split(",")[7]) if done and not done.returncode else None


def grid_line(args, n, dim):
    # scans and trees of many values take minutes and win nowhere
    names = [s for s in EXACT if n * dim <= 2e7 or s in ("exact", "pca" if dim > 16 else "kdtree")]
    cell = Cell(args, n, dim, [*(s for s in names if s != "scan"), "graph", "auto"])
    found = cell.rates([f"{s},batch=1" for s in (*names, "graph", "auto")])
    rate = {name: f[0] for name, f in zip((*names, "graph", "auto"), found)}
    rivals = [s for s in names if rate[s]] + ["graph"] * (cell.chosen == "graph")
    best = max(rivals, key=rate.get)
    cells = [f"{rate[s]:,.0f}" if s in rate else "" for s in EXACT]
    cells += [f"{rate['graph']:,.0f} ({found[-2][1]:.3f})", cell.chosen, f"{rate['auto']:,.0f}"]
    cells += [best, f"{rate['auto'] / rate[best]:.2f}"]
    cell.remove()
    return cells


def small_line(args, n, dim):
    cell = Cell(args, n, dim, ["exact", "kdtree", "auto"])
    rates = [r[0] for r in cell.rates([f"{s},batch=1000" for s in ("exact", "kdtree", "auto")])]
    peer = cell.nanoflann()
    cells = [f"{r:,.0f}" for r in rates[:2]] + [cell.chosen, f"{rates[2]:,.0f}"]
    cell.remove()
    return cells + ([f"{peer:,.0f}", f"{rates[2] / peer:.2f}"] if peer else ["not installed", ""])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("build")
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--rows")
    parser.add_argument("--dims")
    parser.add_argument("--vectors")
    parser.add_argument("--data")
    parser.add_argument("--seconds", type=float, default=1, help="for each figure")
    args = parser.parse_args()
    args.vectors = args.vectors or f"{args.build}/bench/vectors"
    args.data = args.data or f"{args.build}/bench"
    args.front = f"{args.build}/tests/bench/front"
    for folder in args.data, f"{args.build}/bench":
        os.makedirs(folder, exist_ok=True)
    if not os.path.exists(f"{args.vectors}/base256.npy"):
        subprocess.run([HERE + "/vectors.py", args.vectors], check=True)
    numbers = lambda text, default: [int(w) for w in text.split(",")] if text else default
    default = SMALL if args.small else GRID
    heads = ["exact", "kdtree", "auto takes", "auto", "nanoflann", "auto over nanoflann"]
    if not args.small:
        heads = [*EXACT, "graph (recall)", "auto takes", "auto", "best", "share of the best"]
    print("| rows | dimensions |", " | ".join(heads), "|\n|---|---" + "|---" * len(heads) + "|")
    for dim in numbers(args.dims, default[1]):
        most = len(np.load(narrow(args, dim)[0], mmap_mode="r"))
        for n in numbers(args.rows, default[0]):
            n = most if most < n <= 1.2 * most else n
            if n > most and (dim != 256 or not widened(args, n)):
                continue
            cells = (small_line if args.small else grid_line)(args, n, dim)
            print(f"| {n:,} | {dim} |", " | ".join(cells), "|", flush=True)


if __name__ == "__main__":
    main()
