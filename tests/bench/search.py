#!/usr/bin/python3
"""Our searchers and the peers that are installed on the same vectors: recall@10, queries/s, memory,
building time.

    search.py BUILD build|ask|cold-build|cold|plot|table|all
        [--set 1280|256|uniform] [--dim D] [--n ROWS] [--engines A,B,...] [--threads T] [--data DIR]

build      makes the engines' indexes and the truth, and keeps them under BUILD/bench (minutes for
           peers at 200 000 rows)
ask        loads each and appends its figures to BUILD/bench/search.csv; about 3 s a figure, each
           engine a process of its own
cold       whole processes on the 256 set, pages cached: one query, 1000 queries (--recall R, as
           hnswlib --ef E has), what is read of the file; and queries through the file by one
           thread. cold-build makes the file before
plot       draws BUILD/bench/search-SET.svg from search.csv; table prints it as Markdown
all        build, ask and plot

Vectors are made by vectors.py when they are absent (minutes; needs ../shared). --dim D takes the
first D numbers of the 256 set's rows, which are its leading principal components. With one thread,
time is the process's CPU time; building counts that of all threads.
"""

import argparse, csv, json, os, resource, subprocess, sys, time
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
OURS = ["scan", "exact", "kdtree", "pca", "graph"]
PEERS = [
    "hnswlib", "faiss-flat", "faiss-hnsw", "faiss-hnsw-sq8", "faiss-ivf", "flann", "nanoflann",
    "annoy"
]
ANNOY = "/usr/lib/R/site-library/RcppAnnoy/include"
COLD = ["process", "queries", "recall@10", "ms", "CPU ms", "queries/s"]
FIELDS = [
    "engine", "queries", "n", "dim", "threads", "setting", "recall@10", "queries/s", "build CPU s",
    "MB", "rows read", "asked", "set"
]
K = 10


def compiled(build):
    """The program of the peers, with what is installed; made again when its source is newer."""
    source, program = f"{HERE}/search_peers.cc", f"{build}/bench/search_peers"
    if os.path.exists(program) and os.path.getmtime(program) > os.path.getmtime(source):
        return program
    have = {
        "HNSWLIB": "/usr/include/hnswlib/hnswlib.h",
        "FAISS": "/usr/include/faiss/IndexFlat.h",
        "FLANN": "/usr/include/flann/flann.hpp",
        "NANOFLANN": "/usr/include/nanoflann.hpp",
        "ANNOY": ANNOY + "/annoylib.h",
    }
    have = [name for name, path in have.items() if os.path.exists(path)]
    libs = (["-lfaiss", "-llapack", "-lblas", "-fopenmp"] if "FAISS" in have else []) + (
        ["-lflann", "-llz4"] if "FLANN" in have else []
    )
    command = [
        "g++",
        "-O3",
        "-march=native",
        "-DNDEBUG",
        "-w",
        "-std=c++17",
        "-I" + HERE + "/..",
        "-isystem",
        ANNOY,
        *("-DHAVE_" + h for h in have),
        source,
        "-o",
        program,
        "-pthread",
        *libs,
    ]
    return program if subprocess.run(command).returncode == 0 else None


def nearest(rows, n, queries, k=K):
    """Ids of the k nearest of the first n rows, by plain matrix products."""
    far, ids = np.empty((len(queries), 0)), np.empty((len(queries), 0), np.int64)
    for i in range(0, n, 50000):
        part = np.asarray(rows[i : min(n, i + 50000)], np.float32)
        d = (part**2).sum(1)[None] - 2 * (queries @ part.T)
        near = np.argpartition(d, min(2 * k, len(part)) - 1, 1)[:, : 2 * k]
        d = np.stack(
            [((part[j].astype(np.float64) - q) ** 2).sum(1) for q, j in zip(queries, near)]
        )
        far, ids = np.concatenate([far, d], 1), np.concatenate([ids, near + i], 1)
        best = np.lexsort([ids, far], 1)[:, :k]
        far, ids = np.take_along_axis(far, best, 1), np.take_along_axis(ids, best, 1)
    return ids


class Vectors:
    """Rows, queries and truth of one set as files."""

    def __init__(self, args):
        self.args, self.name = args, args.set if not args.dim else f"d{args.dim}"
        self.cache = f"{args.build}/bench"
        os.makedirs(self.cache, exist_ok=True)
        self.data = args.data or f"{self.cache}/vectors"
        stem = {"1280": "", "256": "256"}.get(args.set, args.set)
        self.base = f"{self.data}/base{stem}.npy"
        self.queries = [f"{self.data}/query{stem}_{kind}.npy" for kind in ("in", "out")]
        if args.set == "uniform":
            self.queries = self.queries[1:]
            self.uniform()
        elif not os.path.exists(self.base):
            if not os.path.isdir("../shared/images"):
                sys.exit("bench-search: ../shared is absent, and so are vectors: skipped")
            subprocess.run([HERE + "/vectors.py", self.data], check=True)
        if args.dim:
            self.narrow(args.dim)
        rows = len(np.load(self.base, mmap_mode="r"))
        self.n = min(rows, args.n) if args.n else rows

    def uniform(self):
        rng = np.random.default_rng(7)
        for path, n in [(self.base, 100000), (self.queries[0], 1000)]:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            if not os.path.exists(path):
                np.save(path, rng.random((n, 128), np.float32))

    def narrow(self, dim):
        for path in [self.base, *self.queries]:
            narrow = f"{self.cache}/{os.path.basename(path)[:-4]}_d{dim}.npy"
            if not os.path.exists(narrow):
                np.save(narrow, np.ascontiguousarray(np.load(path, mmap_mode="r")[:, :dim]))
        self.base, *self.queries = [
            f"{self.cache}/{os.path.basename(p)[:-4]}_d{dim}.npy"
            for p in [self.base, *self.queries]
        ]

    def truths(self):
        paths = []
        for path in self.queries:
            base, name = os.path.basename(self.base)[:-4], os.path.basename(path)
            paths.append(f"{self.cache}/truth_{base}_{self.n}_{name}")
            if not os.path.exists(paths[-1]):
                rows = np.load(self.base, mmap_mode="r")
                np.save(paths[-1], nearest(rows, self.n, np.load(path)))
        return paths

    def state(self, engine):
        return f"{self.cache}/{engine}-{self.name}-{self.n}.index"


def program(args, engine):
    return f"{args.build}/tests/bench/search_ours" if engine in OURS else compiled(args.build)


def build(args, v, engine):
    path = program(args, engine)
    if path and engine != "scan" and not os.path.exists(v.state(engine) + ".txt"):
        subprocess.run(
            [path, "build", v.base, str(v.n), engine, str(args.threads), v.state(engine)],
            check=True,
        )


def ask(args, v, engine, echo=True):
    path = program(args, engine)
    if not path:
        return []
    env = {
        **os.environ,
        "OPENBLAS_NUM_THREADS": str(args.threads),
        "OMP_NUM_THREADS": str(args.threads),
    }
    done = subprocess.run(
        [
            path, "ask", v.base, str(v.n), engine, str(args.threads), v.state(engine),
            ",".join(v.queries), ",".join(v.truths())
        ],
        stdout=subprocess.PIPE,
        text=True,
        env=env,
    )
    rows = [r + [v.name] for r in csv.reader(done.stdout.splitlines())]
    append(f"{v.cache}/search.csv", FIELDS, rows, echo)
    return rows


def append(path, fields, rows, echo=True):
    new = not os.path.exists(path)
    with open(path, "a", newline="") as f:
        csv.writer(f).writerows(([fields] if new else []) + rows)
    for r in rows if echo else []:
        print(",".join(map(str, r)), flush=True)


def latest(path, key):
    """The lines of a CSV as dictionaries, the last of each key."""
    with open(path) as f:
        return list({tuple(r[k] for k in key): r for r in csv.DictReader(f)}.values())


# ---------------------------------------------------------------------------------------- cold ----


def process(words):
    """A whole process: its time and its processors' time."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.time()
    out = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True).stdout
    seconds, after = time.time() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "ms": 1000 * seconds,
        "cpu_ms": 1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime),
        "out": out,
    }


def megabytes_read(words, path):
    """How much of the file comes into memory, read-ahead included, when none of it was there
    before."""
    with open(path, "rb") as f:
        os.fsync(f.fileno())
        os.posix_fadvise(f.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    process(words)
    return int(process(["fincore", "-n", "-b", "-o", "RES", path])["out"]) / 1e6


def recall_of(path, truth):
    return float(np.mean([len(set(a[:K]) & set(b[:K])) / K for a, b in zip(np.load(path), truth)]))


def cold(args, v):
    """An index file with both searchers (made by cold-build); then each process five times, the
    fastest counts."""
    db, one, ids = (
        f"{v.cache}/cold-{v.n}-{v.name}.db",
        f"{v.cache}/one.npy",
        f"{v.cache}/cold_ids.npy",
    )
    program = f"{args.build}/imgsearch"
    np.save(one, np.load(v.queries[0])[:1])
    if not os.path.exists(db):
        part = f"{v.cache}/cold.npy"
        np.save(part, np.load(v.base, mmap_mode="r")[: v.n])
        subprocess.run(
            [program, "vectors", "import", part, "--metric", "l2", "--db", db, "-q"], check=True
        )
        os.remove(part)
        for name in "exact", "graph":
            subprocess.run([program, "build", "--searcher", name, "--db", db, "-q"], check=True)
    if args.action == "cold-build":
        return
    with open(db, "rb") as f:
        while f.read(1 << 24):
            pass
    truth = [np.load(p) for p in v.truths()]
    asked = ("one query", one, truth[0][:1]), ("1000 queries", v.queries[0], truth[0])
    imgsearch = lambda queries, *more: [
        f"{args.build}/imgsearch", "query", "--vectors", queries, "-k", str(K), "--ids", ids,
        "--db", db, "-q", *more
    ]
    ways = {
        "imgsearch graph": lambda q: imgsearch(q, "--searcher", "graph", "--recall", args.recall),
        "imgsearch exact": lambda q: imgsearch(q, "--searcher", "exact"),
    }
    peers = compiled(args.build)
    if peers and os.path.exists(v.state("hnswlib")):
        ways[f"hnswlib ef {args.ef}"] = lambda q: [
            peers, "cold", q, v.state("hnswlib"), args.ef, ids
        ]
    for way, words in ways.items():
        for name, queries, right in asked:
            best = min((process(words(queries)) for _ in range(5)), key=lambda p: p["ms"])
            row = [way, name, round(recall_of(ids, right), 4), round(best["ms"])]
            append(f"{v.cache}/cold.csv", COLD, [[*row, round(best["cpu_ms"]), ""]])
    # the same through the file, one query after the other by one thread, the searcher loaded
    for searcher, recalls in ("graph", ["0.9", "0.95", "0.99"]), ("exact", [None]):
        for recall in recalls:
            words = imgsearch(
                v.queries[0], "--searcher", searcher, "--stats", "--threads", "1", "--batch", "1",
                *(["--recall", recall] if recall else [])
            )
            best = min(json.loads(process(words)["out"])["search_s"] for _ in range(3))
            row = [f"imgsearch {searcher}", f"warm, recall {recall}" if recall else "warm"]
            row += [round(recall_of(ids, truth[0]), 4), "", "", round(len(truth[0]) / best)]
            append(f"{v.cache}/cold.csv", COLD, [row])
    for way in "imgsearch graph", "imgsearch exact":
        print(
            f"{way}: one query reads {megabytes_read(ways[way](one), db):.0f} MB of"
            f" {os.path.getsize(db) / 1e6:.0f}; the rows alone are"
            f" {v.n * np.load(one).shape[1] * 4 / 1e6:.0f} MB"
        )


# --------------------------------------------------------------------------------- plot, table ----


def plot(args):
    import matplotlib

    matplotlib.use("svg")
    import matplotlib.pyplot as plt

    matplotlib.rcParams["svg.fonttype"] = "none"  # text as text: small files
    rows = [
        r
        for r in latest(
            f"{args.build}/bench/search.csv",
            ["set", "n", "engine", "queries", "threads", "setting"],
        )
        if r["threads"] == "1"
    ]
    most = {
        name: max(int(r["n"]) for r in rows if r["set"] == name)
        for name in sorted({r["set"] for r in rows} & {"1280", "256", "uniform"})
    }
    for name, n in most.items():
        engines = list(dict.fromkeys(r["engine"] for r in rows))
        colour = lambda engine: plt.get_cmap("tab20")(engines.index(engine) % 20)
        kinds = [
            k for k in ("in", "out") if any(r["set"] == name and r["queries"] == k for r in rows)
        ]
        figure, axes = plt.subplots(
            1, len(kinds), figsize=(6 * len(kinds), 4.5), sharey=True, squeeze=False
        )
        for ax, kind in zip(axes[0], kinds):
            here = [
                r
                for r in rows
                if r["set"] == name
                and int(r["n"]) == n
                and r["queries"] == kind
                and not r["setting"].startswith(("batch", "recall"))
            ]
            for engine in dict.fromkeys(r["engine"] for r in here):
                line = sorted(
                    (float(r["recall@10"]), float(r["queries/s"]))
                    for r in here
                    if r["engine"] == engine
                )
                ax.plot(
                    *zip(*line),
                    color=colour(engine),
                    marker="o",
                    markersize=3,
                    linewidth=1.5 if engine in OURS else 1,
                    linestyle="-" if engine in OURS else "--",
                    label=engine,
                )
            ax.set(
                title=(
                    {
                        "in": "queries from indexed photos",
                        "out": "photos of which nothing is indexed",
                    }[kind]
                    if name != "uniform"
                    else "uniform random"
                ),
                xlabel="recall@10",
                yscale="log",
                xlim=(0.7, 1.005),
            )
            ax.grid(alpha=0.3)
        axes[0][0].set_ylabel(f"queries/s, one thread, {n} x {here[0]['dim']}")
        axes[0][-1].legend(fontsize=7)
        figure.tight_layout()
        figure.savefig(f"{args.build}/bench/search-{name}.svg")
        print(f"{args.build}/bench/search-{name}.svg")


def table(args):
    rows = latest(
        f"{args.build}/bench/search.csv", ["set", "n", "engine", "queries", "threads", "setting"]
    )
    print(
        "| set | rows | engine | threads | setting | indexed: recall | queries/s | unknown: recall"
        " | queries/s | build CPU s | MB |\n"
        + "|---" * 11
        + "|"
    )
    for r in rows:
        if r["queries"] == "in" or r["set"] == "uniform":
            out = [
                o
                for o in rows
                if o["queries"] == "out"
                and all(o[k] == r[k] for k in ("set", "n", "engine", "threads", "setting"))
            ]
            tail = (
                [out[0]["recall@10"], out[0]["queries/s"]]
                if out and r["queries"] == "in"
                else ["", ""]
            )
            print(
                "|",
                " | ".join(
                    [
                        r["set"], r["n"], r["engine"], r["threads"], r["setting"], r["recall@10"],
                        r["queries/s"], *tail, r["build CPU s"], r["MB"]
                    ]
                ),
                "|",
            )


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("build")
    parser.add_argument(
        "action",
        choices=["build", "ask", "cold", "cold-build", "plot", "table", "all"],
    )
    parser.add_argument("--set", default="1280", choices=["1280", "256", "uniform"])
    parser.add_argument("--dim", type=int, default=0)
    parser.add_argument("--n", type=int, default=0, help="the first so many rows; 0: all")
    parser.add_argument("--engines", help="with commas; default: all")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--data", help="where vectors lie (default: BUILD/bench/vectors)")
    parser.add_argument("--recall", default="0.95", help="cold: asked of the graph")
    parser.add_argument("--ef", default="16", help="cold: of hnswlib")
    args = parser.parse_args()
    if args.action == "plot":
        return plot(args)
    if args.action == "table":
        return table(args)
    if args.action.startswith("cold"):
        args.set, args.dim = "256", 0
    v = Vectors(args)
    if args.action.startswith("cold"):
        return cold(args, v)
    for engine in args.engines.split(",") if args.engines else OURS + PEERS:
        if args.action in ("build", "all"):
            build(args, v, engine)
        if args.action in ("ask", "all"):
            ask(args, v, engine)
    if args.action == "build":
        v.truths()
    if args.action == "all":
        plot(args)


if __name__ == "__main__":
    main()
