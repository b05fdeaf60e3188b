#!/usr/bin/python3
"""Our searchers and the peers that are installed on the same vectors: recall@10 and queries/s, as CSV and a plot.

    search.py BUILD [--n ROWS] [--data DIR] [--engines A,B,...] [--threads 1,2] [--set 1280|256]

Vectors are made by vectors.py when they are absent (minutes; needs ../shared). Each engine runs in a process of its own.
With one thread, time is the process's CPU time. Output: BUILD/bench/search.csv and search.svg.
"""
import argparse, csv, os, subprocess, sys
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
OURS = ["exact", "graph", "kdtree", "pca"]
PEERS = ["hnswlib", "faiss-flat", "faiss-hnsw", "faiss-hnsw-sq8", "faiss-ivf", "flann", "nanoflann", "annoy"]
ANNOY = "/usr/lib/R/site-library/RcppAnnoy/include"
FIELDS = ["engine", "queries", "n", "dim", "threads", "setting", "recall@10", "queries/s", "build s", "MB", "rows read"]


def compiled(build):
    """The program of the peers, with what is installed."""
    have = {"HNSWLIB": "/usr/include/hnswlib/hnswlib.h", "FAISS": "/usr/include/faiss/IndexFlat.h", "FLANN": "/usr/include/flann/flann.hpp",
            "NANOFLANN": "/usr/include/nanoflann.hpp", "ANNOY": ANNOY + "/annoylib.h"}
    have = [name for name, path in have.items() if os.path.exists(path)]
    program = f"{build}/bench/search_peers"
    libs = (["-lfaiss", "-llapack", "-lblas", "-fopenmp"] if "FAISS" in have else []) + (["-lflann", "-llz4"] if "FLANN" in have else [])
    command = ["g++", "-O3", "-march=native", "-DNDEBUG", "-w", "-std=c++17", "-I" + HERE + "/..", "-isystem", ANNOY, *("-DHAVE_" + h for h in have),
               HERE + "/search_peers.cc", "-o", program, "-pthread", *libs]
    return program if subprocess.run(command).returncode == 0 else None


def truth(data, base, query, n, build):
    """The ids of the ten nearest rows, by plain matrix products; kept beside the results."""
    path = f"{build}/bench/truth_{base}_{query}_{n}.npy"
    if os.path.exists(path):
        return path
    rows, q = np.load(f"{data}/{base}.npy", mmap_mode="r"), np.load(f"{data}/{query}.npy")
    far, ids = np.empty((len(q), 0), np.float32), np.empty((len(q), 0), np.int64)
    for i in range(0, n, 20000):
        part = np.asarray(rows[i:min(n, i + 20000)])
        far = np.concatenate([far, (part ** 2).sum(1)[None] - 2 * (q @ part.T)], 1)
        ids = np.concatenate([ids, np.tile(np.arange(i, i + len(part)), (len(q), 1))], 1)
        best = np.argsort(far, 1, kind="stable")[:, :10]
        far, ids = np.take_along_axis(far, best, 1), np.take_along_axis(ids, best, 1)
    np.save(path, ids)
    return path


def plot(rows, path):
    try:
        import matplotlib
        matplotlib.use("svg")
        import matplotlib.pyplot as plt
    except ImportError:
        return print("no matplotlib: no plot", file=sys.stderr)
    figure, axes = plt.subplots(1, 2, figsize=(12, 5), sharey=True)
    for ax, kind, title in zip(axes, ("in", "out"), ("queries from indexed photos", "photos of which nothing is indexed")):
        for engine in dict.fromkeys(r[0] for r in rows):
            line = sorted((float(r[6]), float(r[7])) for r in rows if r[0] == engine and r[1] == kind and r[4] == "1" and not r[5].startswith("batch"))
            if line:
                ax.plot(*zip(*line), marker="o", markersize=3, linewidth=1, label=engine)
        ax.set(title=title, xlabel="recall@10", yscale="log", xlim=(0.7, 1.005))
        ax.grid(alpha=0.3)
    axes[0].set_ylabel("queries/s, one thread")
    axes[1].legend(fontsize=7)
    figure.tight_layout()
    figure.savefig(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("build")
    parser.add_argument("--n", type=int, default=20000, help="rows; 0 for all (about 200000 x 1280, an hour for all engines)")
    parser.add_argument("--data")
    parser.add_argument("--engines")
    parser.add_argument("--threads", default="1")
    parser.add_argument("--set", default="1280", choices=["1280", "256"])
    args = parser.parse_args()
    data = args.data or f"{args.build}/bench/vectors"
    os.makedirs(f"{args.build}/bench", exist_ok=True)
    low = "256" if args.set == "256" else ""
    base = "base" + low
    if not os.path.exists(f"{data}/{base}.npy"):
        if not os.path.isdir("../shared/images"):
            return print("bench-search: ../shared is absent, and so are vectors: skipped")
        subprocess.run([HERE + "/vectors.py", data], check=True)
    n = len(np.load(f"{data}/{base}.npy", mmap_mode="r"))
    n = min(n, args.n) if args.n else n
    queries = [f"query{low}_in", f"query{low}_out"]
    truths = ",".join(truth(data, base, q, n, args.build) for q in queries)
    files = ",".join(f"{data}/{q}.npy" for q in queries)
    peers = compiled(args.build)
    rows = []
    print(",".join(FIELDS))
    for threads in args.threads.split(","):
        for engine in args.engines.split(",") if args.engines else OURS + PEERS:
            program = f"{args.build}/tests/bench/search_ours" if engine in OURS else peers
            if not program:
                continue
            command = [program, f"{data}/{base}.npy", files, truths, engine, threads, str(n)]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "OPENBLAS_NUM_THREADS": threads, "OMP_NUM_THREADS": threads})
            print(done.stdout, end="", flush=True)
            rows += list(csv.reader(done.stdout.splitlines()))
    with open(f"{args.build}/bench/search.csv", "w", newline="") as f:
        csv.writer(f).writerows([FIELDS, *rows])
    plot(rows, f"{args.build}/bench/search.svg")
    print(f"{args.build}/bench/search.csv, search.svg", file=sys.stderr)


if __name__ == "__main__":
    main()
