#!/usr/bin/env python3
"""Bulk load into PostgreSQL beside a bare \\copy of the same rows, in turns, on a server of its own
(fsync off): N x 256 vectors. `vectors import` is imgsearch_vectors_add in blocks of 32 MiB, each a
transaction; \\copy is one binary COPY from a file into a table with the same primary key. Then the
same rows by `copy` from a file, there and back, each with its comparison of both sides. Seconds,
and the peak of memory without mapped files; the least of the turns is compared. Arguments: the
build folder, N, turns."""
import os
import subprocess
import sys
import tempfile
import time

import numpy as np

BUILD, N, TURNS = os.path.abspath(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
DIM = 256
IMGSEARCH = os.path.join(BUILD, "imgsearch")
SERVER = """. tests/tools/postgres.sh
postgres_find && postgres_start "$1/server" >&2 && echo "$server" && echo "$pg/psql"
"""
STOP = """. tests/tools/postgres.sh
postgres_find && pg_data=$1/server && postgres_stop"""


def write_files(folder):
    """The rows as .npy, and as psql's binary COPY takes them."""
    rng = np.random.default_rng(1)
    rows = np.lib.format.open_memmap(folder + "/v.npy", "w+", np.float32, (N, DIM))
    tuples = np.dtype([("fields", ">i2"), ("id_size", ">i4"), ("id", ">i8"), ("size", ">i4"),
                       ("dim", ">i2"), ("unused", ">i2"), ("v", ">f4", DIM)])
    with open(folder + "/v.copy", "wb") as out:
        out.write(b"PGCOPY\n\xff\r\n\0" + bytes(8))
        for at in range(0, N, 10000):
            n = min(10000, N - at)
            rows[at:at + n] = rng.standard_normal((n, DIM), dtype=np.float32)
            t = np.zeros(n, tuples)
            t["fields"], t["id_size"], t["size"], t["dim"] = 2, 8, 4 + 4 * DIM, DIM
            t["id"] = np.arange(at, at + n)
            t["v"] = rows[at:at + n]
            out.write(t.tobytes())
        out.write(b"\xff\xff")


def own_memory(pid):
    """Bytes that are no pages of a mapped file."""
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as status:
        for line in status:
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) * 1024
    return 0


def timed(name, *command):
    begin = time.monotonic()
    pid = os.spawnv(os.P_NOWAIT, command[0], command)
    peak, done = 0, 0
    while not done:
        peak = max(peak, own_memory(pid))
        time.sleep(0.01)
        done, status, usage = os.wait4(pid, os.WNOHANG)
    seconds = time.monotonic() - begin
    assert status == 0, (name, status)
    cpu = usage.ru_utime + usage.ru_stime
    print(f"{name:30} {seconds:7.2f} s {N / seconds:8.0f} rows/s, CPU {cpu:6.2f} s, "
          f"memory {peak / 1e6:4.0f} MB", flush=True)
    return seconds


def main():
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        env = dict(os.environ, B=BUILD)
        started = subprocess.run(["sh", "-c", SERVER, "sh", folder], env=env, text=True,
                                 stdout=subprocess.PIPE, check=False)
        if started.returncode:
            sys.exit("load: no PostgreSQL with pgvector: PG_BIN=DIR, or make test-postgres")
        server, psql = started.stdout.split()
        try:
            measure(folder, server, psql)
        finally:
            subprocess.run(["sh", "-c", STOP, "sh", folder], env=env, check=False)


def measure(folder, server, psql):
    def sql(text):
        subprocess.run([psql, "-qX", "-v", "ON_ERROR_STOP=1", "-c",
                        "SET client_min_messages = warning", "-c", text, server], check=True)

    write_files(folder)
    index = server + "?options=-csearch_path%3Dours,public"
    quiet = [IMGSEARCH, "vectors", "import", "-q", "--metric", "l2", "--db", index]
    bare, ours = [], []
    for _ in range(TURNS):
        sql("DROP TABLE IF EXISTS bare; "
            "CREATE TABLE bare (id bigint PRIMARY KEY, data vector NOT NULL); CHECKPOINT")
        bare.append(timed("bare \\copy", psql, "-qX", "-c",
                          f"\\copy bare FROM '{folder}/v.copy' (FORMAT binary)", server))
        sql("DROP TABLE bare")
        sql("DROP SCHEMA IF EXISTS ours CASCADE")
        sql("CREATE SCHEMA ours")
        sql("CHECKPOINT")
        ours.append(timed("imgsearch vectors import", *quiet, folder + "/v.npy"))
    print(f"import: {min(bare) / min(ours):.2f} of the speed of \\copy")
    os.remove(folder + "/v.copy")
    subprocess.run([IMGSEARCH, "vectors", "import", "-q", "--metric", "l2", "--db",
                    folder + "/v.db", folder + "/v.npy"], check=True)
    sql("DROP SCHEMA ours CASCADE")
    sql("CREATE SCHEMA ours")
    timed("imgsearch copy, file to server", IMGSEARCH, "copy", "-q", folder + "/v.db", index)
    timed("imgsearch copy, server to file", IMGSEARCH, "copy", "-q", index, folder + "/w.db")


main()
