#!/usr/bin/env python3
"""What a caller gets: imgsearch_query and imgsearch_vectors_query (tests/bench/front.c, an index in
a SQLite file) beside faiss-cpu, hnswlib, usearch, sqlite-vec and lancedb from PyPI by their own
APIs, on the same vectors in one run; and beside SymphonyQG, whose Python binding was built in the
folder --symphony.

    peers.py BUILD [--vectors DIR] [--set 256|1280 | --rows FILE --queries FILE] [--n ROWS]
        [--engines A,B] [--data DIR] [--symphony DIR] [--seconds S]

`make bench-peers` makes a virtual environment (VENV=DIR) and runs this with its python3. Vectors
are those of tests/bench/vectors.py: --vectors DIR holds base*.npy and query*_in.npy,
query*_out.npy. Or they are those of two files, .npy, .fvecs or .bvecs, which are made unit length.
Each figure is the best of three, in CPU time of the process, on one thread. For a peer the time of
a call that finds nothing to do (an index of one row) is subtracted: it is Python's. Prints
Markdown.
"""

import argparse, os, subprocess, sys, time
import numpy as np

K = 10


def truth(rows, queries):
    found = []
    for i in range(0, len(queries), 100):
        score = queries[i : i + 100] @ rows.T
        near = np.argpartition(-score, 2 * K, 1)[:, : 2 * K]
        order = np.argsort(-np.take_along_axis(score, near, 1), 1)[:, :K]
        found.append(np.take_along_axis(near, order, 1))
    return np.concatenate(found).astype(np.int64)


def recall(found, right):
    return np.mean([len(set(a) & set(b)) / K for a, b in zip(found, right)])


def per_call(call, queries, batch, seconds):
    """The least CPU time of a query in three rounds."""
    best = float("inf")
    for _ in range(3):
        asked, i, start, end = 0, 0, time.process_time(), time.time() + seconds / 3
        while time.time() < end:
            part = queries[i : i + batch]
            call(part)
            asked += len(part)
            i = i + batch if i + batch < len(queries) else 0
        best = min(best, (time.process_time() - start) / asked)
    return best


# ----------------------------------------------------------------------------------- peers ----
# Each gives the settings to print and, for a setting, a call: queries (n, dim) -> ids (n, K).


class Hnswlib:
    settings = [16, 24, 32, 48, 64, 96, 128, 200]

    def __init__(self, rows, cache):
        import hnswlib

        self.index = hnswlib.Index("ip", rows.shape[1])
        path = f"{cache}/hnswlib-{len(rows)}-{rows.shape[1]}"
        if len(rows) > 1 and os.path.exists(path):
            self.index.load_index(path)
        else:
            self.index.init_index(len(rows), M=16, ef_construction=200)
            self.index.add_items(rows)
            if len(rows) > 1:
                self.index.save_index(path)
        self.index.set_num_threads(1)

    def call(self, ef):
        self.index.set_ef(ef)
        k = min(K, self.index.get_current_count())
        return lambda q: self.index.knn_query(q, k)[0]


class FaissHnsw:
    settings = [16, 24, 32, 48, 64, 96, 128, 200]

    def __init__(self, rows, cache):
        import faiss

        faiss.omp_set_num_threads(1)
        path = f"{cache}/faiss-hnsw-{len(rows)}-{rows.shape[1]}"
        if len(rows) > 1 and os.path.exists(path):
            self.index = faiss.read_index(path)
            return
        self.index = faiss.IndexHNSWFlat(rows.shape[1], 16, faiss.METRIC_INNER_PRODUCT)
        self.index.hnsw.efConstruction = 200
        self.index.add(rows)
        if len(rows) > 1:
            faiss.write_index(self.index, path)

    def call(self, ef):
        self.index.hnsw.efSearch = ef
        return lambda q: self.index.search(q, K)[1]


class FaissFlat:
    """At its best: by a matrix product (BLAS) in every batch, without it one by one."""

    settings = ["exact"]
    kind = "Flat"

    def __init__(self, rows, cache):
        import faiss

        faiss.omp_set_num_threads(1)
        self.variables = faiss.cvar
        self.index = faiss.index_factory(rows.shape[1], self.kind)
        if len(rows) > 1:
            self.index.train(rows)
        self.index.add(rows)

    def call(self, _):
        def search(q):
            self.variables.distance_compute_blas_threshold = 20 if len(q) == 1 else 1
            return self.index.search(q, K)[1]

        return search


class FaissPanorama(FaissFlat):
    """Faiss's exact search by progressive bounds, over all principal axes."""

    def __init__(self, rows, cache):
        self.kind = f"PCA{rows.shape[1]},FlatL2Panorama8" if len(rows) > 1 else "Flat"
        super().__init__(rows, cache)


class Usearch:
    settings = [32, 64, 128, 256]

    def __init__(self, rows, cache):
        from usearch.index import Index

        self.index = Index(ndim=rows.shape[1], metric="ip", dtype="f16", connectivity=16)
        self.index.add(np.arange(len(rows)), rows, threads=1)

    def call(self, ef):
        self.index.expansion_search = ef

        def search(q):
            found = self.index.search(q if len(q) > 1 else q[0], K, threads=1).keys
            return np.atleast_2d(found)

        return search


class SqliteVec:
    settings = ["exact"]

    def __init__(self, rows, cache):
        import sqlite3, sqlite_vec

        self.db = sqlite3.connect(":memory:")
        self.db.enable_load_extension(True)
        sqlite_vec.load(self.db)
        self.db.execute(f"CREATE VIRTUAL TABLE v USING vec0(e float[{rows.shape[1]}])")
        self.db.executemany(
            "INSERT INTO v(rowid, e) VALUES(?, ?)", ((i, r.tobytes()) for i, r in enumerate(rows))
        )

    def call(self, _):
        ask = "SELECT rowid FROM v WHERE e MATCH ? AND k = 10 ORDER BY distance"
        return lambda q: [[r[0] for r in self.db.execute(ask, (x.tobytes(),))] for x in q]


class LanceDb:
    """A graph of scalar-quantised rows (IVF_HNSW_SQ) in a table on disk. One by one: a call's cost
    is its engine's, and nothing is subtracted."""

    settings = [40, 100, 250]  # at least k times refine_factor
    idles = False

    def __init__(self, rows, cache):
        import lancedb.index, pyarrow

        path = f"{cache}/lance-{len(rows)}-{rows.shape[1]}"
        vectors = pyarrow.FixedSizeListArray.from_arrays(rows.ravel(), rows.shape[1])
        table = pyarrow.table({"id": np.arange(len(rows)), "vector": vectors})
        self.table = lancedb.connect(path).create_table("rows", table, mode="overwrite")
        if len(rows) > 1000:
            self.table.create_index("vector", config=lancedb.index.HnswSq(distance_type="cosine"))

    def call(self, ef):
        def one(q):
            asked = self.table.search(q).distance_type("cosine").ef(ef).refine_factor(4)
            found = asked.limit(K).select(["id"]).to_arrow()["id"].to_numpy()
            return np.pad(found, (0, K - len(found)), constant_values=-1)

        return lambda q: np.stack([one(x) for x in q])


class SymphonyQg:
    """One by one: a call into C++ costs little, and nothing is subtracted. Batches: the same."""

    settings = [16, 24, 32, 48, 64, 96, 128, 200]
    idles = False
    folder = None

    def __init__(self, rows, cache):
        if not self.folder:
            raise RuntimeError("--symphony DIR names the folder of its Python binding")
        sys.path.insert(0, self.folder)
        import symphonyqg

        n, dim = max(len(rows), 64), rows.shape[1]
        path = f"{cache}/symphony-{n}-{dim}"
        self.index = symphonyqg.Index("QG", "L2", num_elements=n, dimension=dim, degree_bound=32)
        if os.path.exists(path):
            self.index.load(path)
        else:
            self.index.build_index(np.resize(rows, (n, dim)), 200, num_thread=1)
            self.index.save(path)

    def call(self, ef):
        self.index.set_ef(ef)
        return lambda q: np.stack([self.index.search(x, K)[:K] for x in q])


PEERS = {
    "hnswlib": Hnswlib,
    "faiss-hnsw": FaissHnsw,
    "faiss-flat": FaissFlat,
    "faiss-panorama": FaissPanorama,
    "usearch": Usearch,
    "sqlite-vec": SqliteVec,
    "lancedb": LanceDb,
    "symphonyqg": SymphonyQg,
}


def ask_peer(name, rows, sets, args):
    try:
        peer = PEERS[name](rows, args.data)
    except Exception as why:
        print(f"{name}: not measured ({why})", file=sys.stderr)
        return
    idle = 0
    if getattr(peer, "idles", True):
        idle = per_call(PEERS[name](rows[:1], args.data).call(64), rows[:1000], 1, 0.5)
    for kind, (queries, right) in sets.items():
        for setting in peer.settings:
            call = peer.call(setting)
            found = np.concatenate([call(q[None]) for q in queries])
            one = per_call(call, queries, 1, args.seconds) - idle
            many = per_call(call, queries, 1024, args.seconds)
            yield name, setting, kind, recall(found, right), 1 / one, 1 / many


# ------------------------------------------------------------------------------------ ours ----

OURS = {
    "graph": [f"ef={e}" for e in (10, 12, 16, 24, 32, 48, 64, 96)]
    + [f"recall={r}" for r in (0.9, 0.95, 0.99)],
    "exact": [""],
}


def ask_ours(searcher, rows_path, sets, args):
    program, words = f"{args.build}/tests/bench/front", lambda *w: ",".join(filter(None, w))
    db = f"{args.data}/{searcher}-{args.n}-{args.set}.db"
    if not os.path.exists(db):
        subprocess.run([program, "build", db, rows_path, str(args.n), searcher], check=True)
    for kind, (queries, right) in sets.items():
        paths = f"{args.data}/queries.npy", f"{args.data}/truth.npy"
        np.save(paths[0], queries)
        np.save(paths[1], right)
        for setting in OURS[searcher]:
            ways = "", "ids", "batch=1", "batch=1024"
            asked = [words(searcher, way, setting) for way in ways]
            out = subprocess.run(
                [program, "ask", db, *paths, *asked],
                stdout=subprocess.PIPE,
                text=True,
                check=True,
                env={**os.environ, "SECONDS": str(args.seconds)},
            ).stdout
            figures = [line.rsplit(",", 5)[1:] for line in out.splitlines()]
            share, rates = float(figures[0][0]), [float(f[1]) for f in figures]
            yield f"imgsearch {searcher}", setting or "exact", kind, share, rates


# ----------------------------------------------------------------------------------- input ----


def load(path):
    """Rows of a file: .npy; .fvecs and .bvecs, each row behind its number of values."""
    if not path.endswith((".fvecs", ".bvecs")):
        return np.load(path, mmap_mode="r")
    size = 4 if path.endswith(".fvecs") else 1
    data = np.memmap(path, np.uint8, "r")
    dim = int(data[:4].view("<i4")[0])
    if dim < 1 or len(data) % (4 + dim * size):
        sys.exit(f"peers.py: {path}: not rows of {dim} values")
    values = data.reshape(-1, 4 + dim * size)[:, 4:]
    return values.view("<f4") if size == 4 else values


def unit(rows):
    rows = np.ascontiguousarray(rows, np.float32)
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-30)


def read_sets(args):
    """(rows, the file that they are in, {what: (queries, truth)})."""
    if args.rows:
        rows, base = unit(load(args.rows)[: args.n]), f"{args.data}/rows.npy"
        queries = unit(load(args.queries)[:1000])
        np.save(base, rows)
        args.set = os.path.basename(args.rows)
        return rows, base, {"the file": (queries, truth(rows, queries))}
    stem = "" if args.set == "1280" else args.set
    base = f"{args.vectors}/base{stem}.npy"
    if not os.path.exists(base):
        sys.exit(f"peers.py: {base} is absent: tests/bench/vectors.py makes it; nothing measured")
    rows = np.ascontiguousarray(np.load(base, mmap_mode="r")[: args.n], np.float32)
    sets = {}
    for kind, what in ("in", "indexed photos"), ("out", "photos not indexed"):
        queries = np.load(f"{args.vectors}/query{stem}_{kind}.npy").astype(np.float32)
        sets[what] = queries, truth(rows, queries)
    return rows, base, sets


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("build")
    parser.add_argument("--vectors")
    parser.add_argument("--set", default="256")
    parser.add_argument("--rows")
    parser.add_argument("--queries")
    parser.add_argument("--symphony")
    parser.add_argument("--n", type=int, default=100000)
    parser.add_argument("--engines", default=",".join([*OURS, *PEERS]))
    parser.add_argument("--data")
    parser.add_argument("--seconds", type=float, default=3)
    args = parser.parse_args()
    args.vectors = args.vectors or f"{args.build}/bench/vectors"
    args.data = args.data or f"{args.build}/bench/peers"
    os.makedirs(args.data, exist_ok=True)
    if args.rows and not args.queries:
        sys.exit("peers.py: --rows needs --queries")
    SymphonyQg.folder = args.symphony
    rows, base, sets = read_sets(args)
    args.n = len(rows)
    print(f"{args.n} rows x {rows.shape[1]}; queries a second\n")
    heads = "engine", "setting", "queries from", "recall@10", "one by one: paths and chances"
    heads += "ids and chances", "ids, scores", "batches of 1024"
    print("|", " | ".join(heads), "|")
    print("|---|---|---|---|---|---|---|---|", flush=True)
    for engine in args.engines.split(","):
        if engine in OURS:
            for name, setting, kind, share, rates in ask_ours(engine, base, sets, args):
                cells = " | ".join(f"{r:,.0f}" for r in rates)
                print(f"| {name} | {setting} | {kind} | {share:.4f} | {cells} |", flush=True)
        else:
            for name, setting, kind, share, one, many in ask_peer(engine, rows, sets, args):
                cells = f"| | {one:,.0f} | {many:,.0f}"
                print(f"| {name} | {setting} | {kind} | {share:.4f} {cells} |", flush=True)


if __name__ == "__main__":
    main()
