#!/usr/bin/env python3
"""What this version costs beside another one.

    versions.py OLD NEW [--pictures DIR] [--rounds N] [--parts PART,...]

OLD and NEW are source folders that are built (make); OLD may be of 0.1. Each part runs in both, in
pairs that change their order (ABBA), N times (5), and a line tells the CPU seconds of a run, user
and system, the median of each version, and the median of the ratios of the pairs with their least
and greatest. Parts: index (the command over the pictures of DIR, two threads, with the default
model of OLD), add, single, build-exact, build-graph, query-exact, query-graph, batch-exact and
batch-graph (tests/bench/versions.c, one thread).
"""
import argparse
import os
import resource
import statistics
import subprocess
import tempfile

PARTS = ["add", "single", "build-exact", "build-graph", "query-exact", "batch-exact",
         "query-graph", "batch-graph", "index"]


def build(source, folder, name):
    program = os.path.join(folder, name)
    lib = os.path.abspath(os.path.join(source, "build"))
    here = os.path.dirname(os.path.abspath(__file__))
    subprocess.run(["gcc", "-O2", "-std=c11", "-I" + os.path.join(source, "include"),
                    os.path.join(here, "versions.c"), "-o", program, "-L" + lib, "-limgsearch",
                    "-Wl,-rpath," + lib], check=True)
    return program


def children():
    u = resource.getrusage(resource.RUSAGE_CHILDREN)
    return u.ru_utime + u.ru_stime


class Version:
    def __init__(self, source, folder, name, pictures, model):
        self.program = build(source, folder, name)
        self.command = os.path.join(source, "build", "imgsearch")
        self.db = os.path.join(folder, name + ".db")
        self.scratch = os.path.join(folder, name + "-scratch.db")
        self.pictures = pictures
        self.model = model

    def forget(self):
        for end in "", "-wal", "-shm", "-lock":
            if os.path.exists(self.scratch + end):
                os.remove(self.scratch + end)

    def run(self, part):
        what, _, searcher = part.partition("-")
        self.forget()
        if what == "index":
            before = children()
            subprocess.run(
                [self.command, "index", "-q", "-t", "2", "--db", self.scratch, "--model",
                 self.model, self.pictures], check=True, stdout=subprocess.DEVNULL)
            return children() - before
        db = self.scratch if what in ("add", "single") else self.db
        words = [self.program, what, db] + ([searcher] if searcher else [])
        return float(subprocess.run(words, check=True, capture_output=True, text=True).stdout)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("old")
    p.add_argument("new")
    p.add_argument("--parts", default=",".join(PARTS))
    p.add_argument("--pictures")
    p.add_argument("--rounds", type=int, default=5)
    a = p.parse_args()
    parts = a.parts.split(",")
    with tempfile.TemporaryDirectory() as folder:
        model = os.path.join(os.path.abspath(a.old), "lib/model/default.safetensors")
        old, new = (Version(source, folder, name, a.pictures, model)
                    for source, name in ((a.old, "old"), (a.new, "new")))
        for v in old, new:
            subprocess.run([v.program, "add", v.db], check=True, stdout=subprocess.DEVNULL)
            for searcher in "exact", "graph":
                if any(part.endswith("-" + searcher) for part in parts):
                    v.run("build-" + searcher)
        for part in parts:
            if part == "index" and not a.pictures:
                continue
            times = {old: [], new: []}
            for n in range(2 * a.rounds):
                for v in (old, new) if n % 2 == 0 else (new, old):
                    times[v].append(v.run(part))
            ratios = sorted(n / o for o, n in zip(times[old], times[new]))
            print(f"| {part} | {statistics.median(times[old]):.3f} | "
                  f"{statistics.median(times[new]):.3f} | {statistics.median(ratios):.3f} "
                  f"({ratios[0]:.3f} to {ratios[-1]:.3f}) |", flush=True)


main()
