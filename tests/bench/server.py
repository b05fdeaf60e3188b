#!/usr/bin/env python3
"""Queries of an index in PostgreSQL beside pgvector used by hand, over one table and one index of a
server of its own (fsync off), and beside the graph of a file. N rows of VECTORS/base256.npy, or of
base.npy with $DIM=1280; asked are its two sets of queries, of indexed photos and of photos of which
nothing is indexed. By hand is
pgbench with a prepared statement that gives ten ids; the query's vector comes from a small table of
the server. Ours is imgsearch_query, with paths and chances. Wall time, in turns, the best of the
rounds. Arguments: the build folder, VECTORS, N."""
import os
import re
import subprocess
import sys
import tempfile
import time

import numpy as np

BUILD, VECTORS, N = os.path.abspath(sys.argv[1]), sys.argv[2], int(sys.argv[3])
DIM = int(os.environ.get("DIM", "256"))
ROWS, ASKED = ("base256", "query256_") if DIM == 256 else ("base", "query_")
FRONT, IMGSEARCH = os.path.join(BUILD, "tests/bench/front"), os.path.join(BUILD, "imgsearch")
K, ROUNDS, SECONDS = 10, 2, 3
FEW = 20  # queries of the exact searcher
EFS = (40, 100, 250)
SERVER = """. tests/tools/postgres.sh
postgres_find && postgres_start "$1/server" >&2 || exit 1
for setting in shared_buffers=4GB work_mem=64MB maintenance_work_mem=4GB max_wal_size=8GB \
	max_parallel_maintenance_workers=1; do
	echo "${setting%%=*} = ${setting#*=}" >>"$pg_data/db/postgresql.auto.conf"
done
as_user "$pg/pg_ctl" -D "$pg_data/db" -w -m fast stop >/dev/null &&
	postgres_again && echo "$server" && echo "$pg"
"""
STOP = """. tests/tools/postgres.sh
postgres_find && pg_data=$1/server && postgres_stop"""


def normalised(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def true_neighbours(base, queries):
    """Row numbers, best first, of the K nearest by cosine."""
    out = np.empty((len(queries), K), np.int64)
    for i in range(0, len(queries), 100):
        score = normalised(queries[i:i + 100]) @ base.T
        near = np.argpartition(-score, K, axis=1)[:, :K]
        order = np.argsort(-np.take_along_axis(score, near, 1), axis=1)
        out[i:i + 100] = np.take_along_axis(near, order, 1)
    return out


class Hand:
    """Plain SQL over our table of rows and its index."""

    def __init__(self, server, programs, folder):
        self.server, self.programs, self.folder = server, programs, folder

    def sql(self, text):
        command = [self.programs + "/psql", "-qAtX", "-v", "ON_ERROR_STOP=1", self.server]
        return subprocess.run(command, input=text, capture_output=True, check=True,
                              text=True).stdout

    def put_queries(self, name, rows):
        lines = "\n".join(f"{i}\t[{','.join(repr(float(v)) for v in r)}]"
                          for i, r in enumerate(normalised(rows)))
        self.sql(f"CREATE TABLE {name} (i int PRIMARY KEY, v vector);\n"
                 f"COPY {name} FROM STDIN;\n{lines}\n\\.\nANALYZE {name};")

    def recall(self, name, ef, truth):
        text = self.sql(f"SET hnsw.ef_search = {ef}; SET enable_seqscan = off;"
                        f"SELECT q.i, (SELECT string_agg(id::text, ' ') FROM (SELECT id FROM"
                        f" compared_1 ORDER BY data <-> q.v LIMIT {K}) n) FROM {name} q ORDER BY 1")
        hits = 0
        for line in text.split("\n")[:-1]:
            i, ids = line.split("|")
            hits += len(set(map(int, ids.split())) & set(truth[int(i)].tolist()))
        return hits / truth.size

    def rate(self, name, n, ef, clients):
        script = self.folder + "/ask.sql"
        with open(script, "w", encoding="ascii") as f:
            f.write(f"\\set i random(0, {n - 1})\n"
                    f"SELECT id FROM compared_1 ORDER BY data <-> (SELECT v FROM {name} WHERE"
                    f" i = :i) LIMIT {K};\n")
        env = dict(os.environ, PGOPTIONS=f"-c hnsw.ef_search={ef}")
        text = subprocess.run([self.programs + "/pgbench", "-n", "-M", "prepared", "-f", script,
                               "-c", str(clients), "-j", "2", "-T", str(SECONDS), self.server],
                              capture_output=True, check=True, text=True, env=env).stdout
        return float(re.search(r"tps = ([0-9.]+)", text).group(1))


def ask(index, queries, truth, *settings):
    """(recall, queries a second) of each setting."""
    text = subprocess.run([FRONT, "ask", index, queries, truth, *settings], capture_output=True,
                          check=True, text=True, env=dict(os.environ, SECONDS=str(SECONDS))).stdout
    lines = [line.split(",") for line in text.split("\n")[:-1]]
    return [(float(line[-5]), float(line[-4])) for line in lines]


def timed(*command):
    start = time.monotonic()
    subprocess.run(command, check=True)
    return time.monotonic() - start


def compare(hand, server, folder, kind):
    queries = np.load(f"{VECTORS}/{ASKED}{kind}.npy")
    path, truth_path = f"{VECTORS}/{ASKED}{kind}.npy", f"{folder}/truth_{kind}.npy"
    truth = np.load(truth_path)
    hand.put_queries(kind + "_query", queries)
    print(f"\nqueries: {kind}\n{'ef':>4} {'recall':>7} {'by hand/s':>10} {'ours/s':>8} {'ratio':>6}"
          f" {'by hand, 16':>12} {'ours, 16':>9}")
    for ef in EFS:
        one, sixteen, ours, ours16 = [], [], [], []
        for _ in range(ROUNDS):
            one.append(hand.rate(kind + "_query", len(queries), ef, 1))
            sixteen.append(hand.rate(kind + "_query", len(queries), ef, 16))
            (recall, rate), (_, many) = ask(server, path, truth_path, f"pgvector,ef={ef}",
                                            f"pgvector,ef={ef},threads=16")
            ours.append(rate)
            ours16.append(many)
        print(f"{ef:4} {recall:7.3f} {max(one):10.0f} {max(ours):8.0f} {max(ours) / max(one):6.2f}"
              f" {max(sixteen):12.0f} {max(ours16):9.0f}   (by hand recall"
              f" {hand.recall(kind + '_query', ef, truth):.3f})", flush=True)
    few, few_truth = f"{folder}/few_{kind}.npy", f"{folder}/few_truth_{kind}.npy"
    np.save(few, queries[:FEW])
    np.save(few_truth, truth[:FEW])
    for index, name, searcher in ((server, "server", "pgvector"),
                                  (folder + "/index.db", "file", "graph")):
        for setting in (f"{searcher},recall=0.95,threads=2", f"{searcher},recall=0.99,threads=2"):
            (recall, rate), = ask(index, path, truth_path, setting)
            print(f"  {name}: {setting}: recall {recall:.3f}, {rate:.0f}/s", flush=True)
        (recall, rate), = ask(index, few, few_truth, "exact,threads=2")
        print(f"  {name}: exact,threads=2: recall {recall:.3f}, {rate:.1f}/s", flush=True)


def prepare(hand, server, folder, n):
    """Both indexes, with what it takes. A server's rows are vacuumed, as it does by itself soon."""
    rows, index = f"{VECTORS}/{ROWS}.npy", folder + "/index.db"
    print(f"{n} rows of {DIM}\n{'':8} {'load s':>8} {'rows s':>8} {'build s':>8} {'MB':>7}",
          flush=True)
    load = timed(FRONT, "build", server, rows, str(n), "")
    fill = timed(IMGSEARCH, "build", "-q", "--db", server, "--searcher", "exact")
    build = timed(IMGSEARCH, "build", "-q", "--db", server, "--searcher", "pgvector")
    hand.sql("VACUUM ANALYZE")
    size = int(hand.sql("SELECT pg_database_size(current_database())"))
    print(f"{'server':8} {load:8.1f} {fill:8.1f} {build:8.1f} {size / 1e6:7.0f}", flush=True)
    load = timed(FRONT, "build", index, rows, str(n), "")
    build = timed(IMGSEARCH, "build", "-q", "--db", index, "--searcher", "graph")
    print(f"{'file':8} {load:8.1f} {'':8} {build:8.1f} {os.path.getsize(index) / 1e6:7.0f}",
          flush=True)
    for table, size in [line.split("|") for line in hand.sql(
            "SELECT relname, pg_relation_size(oid) + coalesce(pg_relation_size(nullif("
            "reltoastrelid, 0)), 0) FROM pg_class WHERE relkind IN ('r', 'i')"
            " ORDER BY 2 DESC LIMIT 6").split("\n")[:-1]]:
        print(f"  {table}: {int(size) / 1e6:.0f} MB", flush=True)


def main():
    base = normalised(np.load(f"{VECTORS}/{ROWS}.npy", mmap_mode="r")[:N])
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        for kind in ("in", "out"):
            np.save(f"{folder}/truth_{kind}.npy",
                    true_neighbours(base, np.load(f"{VECTORS}/{ASKED}{kind}.npy")))
        server, programs = subprocess.run(["sh", "-c", SERVER, "sh", folder], check=True, text=True,
                                          stdout=subprocess.PIPE).stdout.split()
        try:
            hand = Hand(server, programs, folder)
            prepare(hand, server, folder, len(base))
            for kind in ("in", "out"):
                compare(hand, server, folder, kind)
        finally:
            subprocess.run(["sh", "-c", STOP, "sh", folder], check=False)


if __name__ == "__main__":
    main()
