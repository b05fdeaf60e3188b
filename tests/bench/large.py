#!/usr/bin/python3
"""A large collection through the command: import of f16 rows, build, queries; recall against the
plain scan's answers.

    large.py BUILD [--n ROWS] [--data DIR] [--searcher NAME] [--threads N] [--queries N] [--keep]

Says first what disk it needs and stops where that is not there. Rows (ROWS x 256, default 10
million) are made by vectors.py (--mixed) when they are absent. Prints a JSON line for each step;
index and rows lie in DIR (default BUILD/bench/vectors), the index is removed at the end without
--keep.
"""

import argparse, json, os, resource, shutil, subprocess, sys, time
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
DIM, K = 256, 10


def step(name, **values):
    print(json.dumps({"step": name, **values}), flush=True)


def command(args, *words):
    """Runs imgsearch: seconds, peak memory, what it wrote."""
    before = time.time()
    p = subprocess.Popen(
        [f"{args.build}/imgsearch", *words, "--db", args.db, "--threads", str(args.threads), "-q"],
        stdout=subprocess.PIPE,
        text=True,
    )
    out = p.stdout.read()
    _, status, usage = os.wait4(p.pid, 0)
    if status:
        sys.exit(f"large.py: imgsearch {words[0]} failed")
    return {
        "seconds": round(time.time() - before, 1),
        "peak_rss_mb": round(usage.ru_maxrss / 1024),
    }, (json.loads(out) if out.strip() else {})


def truth(rows, n, queries):
    """Ids of the nearest K of the first n rows."""
    far, ids = np.empty((len(queries), 0), np.float32), np.empty((len(queries), 0), np.int64)
    for i in range(0, n, 100000):
        part = rows[i : min(n, i + 100000)].astype(np.float32)
        d = (part**2).sum(1)[None] - 2 * (queries @ part.T)
        near = np.argpartition(d, min(K, len(part) - 1), 1)[:, :K]
        far = np.concatenate([far, np.take_along_axis(d, near, 1)], 1)
        ids = np.concatenate([ids, near + i], 1)
        best = np.argsort(far, 1, kind="stable")[:, :K]
        far, ids = np.take_along_axis(far, best, 1), np.take_along_axis(ids, best, 1)
    return ids


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("build")
    parser.add_argument("--n", type=int, default=10_000_000)
    parser.add_argument("--data")
    parser.add_argument("--searcher", default="graph")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--queries", type=int, default=100, help="of each kind")
    parser.add_argument("--keep", action="store_true")
    args = parser.parse_args()
    data = args.data or f"{args.build}/bench/vectors"
    os.makedirs(data, exist_ok=True)
    source, args.db = f"{data}/mixed.npy", f"{data}/large-{args.n}.db"
    there = os.path.exists(source) and len(np.load(source, mmap_mode="r")) >= args.n

    need = {
        "rows_gb": 0 if there else args.n * DIM * 2 / 1e9,
        "index_gb": args.n * (DIM * 4 * 1.07 + 450) / 1e9,
        "journal_gb": args.n * 450 / 1e9,
    }
    free = shutil.disk_usage(data).free / 1e9
    step(
        "disk",
        **{k: round(v, 1) for k, v in need.items()},
        need_gb=round(sum(need.values()), 1),
        free_gb=round(free, 1),
    )
    if sum(need.values()) > free:
        sys.exit("large.py: the disk is too small: --data DIR on another, or fewer rows (--n)")
    if not there:
        subprocess.run([f"{HERE}/vectors.py", data, "--mixed", str(args.n)], check=True)
    if not os.path.exists(source):
        return print("large.py: ../shared is absent, and so are vectors: skipped")

    rows = np.load(source, mmap_mode="r")
    if len(rows) > args.n:  # the command imports whole files
        source = f"{data}/mixed-{args.n}.npy"
        np.save(source, rows[: args.n])
    for name in args.db, args.db + "-wal", args.db + "-shm":
        if os.path.exists(name):
            os.remove(name)
    cost, _ = command(args, "vectors", "import", source, "--metric", "l2")
    step("import", **cost, db_mb=os.path.getsize(args.db) // 10**6)
    cost, report = command(args, "build", "--searcher", args.searcher, "--stats")
    step("build", **cost, **report, db_mb=os.path.getsize(args.db) // 10**6)
    for kind in "in", "out":
        queries = np.load(f"{data}/query256_{kind}.npy")[: args.queries]
        np.save(f"{data}/large_queries.npy", queries)
        right = truth(rows, args.n, queries)
        for recall in ["0.9", "0.95", "0.99"] if args.searcher == "graph" else [None]:
            cost, stats = command(
                args, "query", "--vectors", f"{data}/large_queries.npy", "-k", str(K),
                "--ids", f"{data}/large_ids.npy", "--searcher", args.searcher, "--batch", "1",
                "--stats", *(["--recall", recall] if recall else [])
            )
            got = np.load(f"{data}/large_ids.npy")
            hit = np.mean([len(set(a) & set(b)) / K for a, b in zip(got, right)])
            step(
                "query",
                queries=kind,
                asked=recall,
                recall=round(float(hit), 4),
                ms=round(1000 * stats["search_s"] / len(queries), 3),
                **cost,
                load_s=stats["load_s"],
            )
    if not args.keep:
        os.remove(args.db)


if __name__ == "__main__":
    main()
