#!/usr/bin/env python3
"""An export in Milvus Lite (`make test-milvus MILVUS=FILE`, the python3 that has pymilvus and
milvus-lite of PyPI): the best 10 of pictures are those of `query --searcher exact`, from .npy with
its ids, from .fbin and from JSON Lines, with their paths."""

import json
import sys

import common
from common import begin, imgsearch, needs, result

needs("numpy", "pymilvus", "milvus_lite")
import numpy as np  # noqa: E402
from pymilvus import MilvusClient  # noqa: E402

K = 10
QUERIES = 40


def read(base, ending):
    """Ids, rows and paths (JSON Lines alone) of an export, and its description."""
    about = json.load(open(f"{base}.json", encoding="utf-8"))
    if ending == "jsonl":
        items = [json.loads(line) for line in open(f"{base}.jsonl", encoding="utf-8")]
        rows = np.array([item["vector"] for item in items], np.float32)
        return [item["id"] for item in items], rows, [item["path"] for item in items], about
    ids = np.load(f"{base}.ids.npy")
    if ending == "npy":
        rows = np.load(f"{base}.npy")
    else:
        n, dim = np.fromfile(f"{base}.fbin", np.uint32, 2)
        rows = np.fromfile(f"{base}.fbin", np.float32, offset=8).reshape(n, dim)
    return ids.tolist(), rows, [""] * len(ids), about


def load(client, name, ids, rows, paths, about):
    client.create_collection(name, dimension=about["dim"], id_type="int", auto_id=False,
                             metric_type=about["metric"].upper())
    data = [{"id": i, "vector": row.tolist(), "path": path}
            for i, row, path in zip(ids, rows, paths)]
    for at in range(0, len(data), 500):
        client.insert(name, data[at:at + 500])
    client.load_collection(name)


def answers(index):
    """Of some pictures the best ones by the index: ids, scores and paths."""
    found = {}
    for id in range(1, QUERIES + 1):
        p = imgsearch("query", "--searcher", "exact", "-k", str(K), "--json", "--db", index,
                      f"id:{id}")
        found[id] = [(r["id"], r["score"], r["path"]) for r in json.loads(p.stdout)["results"]]
    return found


def compare(client, name, ids, rows, truth, with_paths, cosine):
    """What differs: another id where scores differ by more than the arithmetic, or other scores.
    Under L2 a score is the negative distance, and Milvus tells the square of it."""
    place = {id: i for i, id in enumerate(ids)}
    bad = []
    hits = client.search(name, [rows[place[id]].tolist() for id in truth], limit=K,
                         output_fields=["path"])
    for (id, want), got in zip(truth.items(), hits):
        for (i, score, path), hit in zip(want, got, strict=True):
            theirs = hit["distance"] if cosine else -max(hit["distance"], 0) ** 0.5
            if abs(score - theirs) > (1e-5 if i != hit["id"] else 1e-3 if score == 0 else 1e-4):
                bad.append((id, (i, score), (hit["id"], theirs)))
            elif with_paths and i == hit["id"] and path != hit["entity"]["path"]:
                bad.append((id, path, hit["entity"]["path"]))
    return bad


def main():
    begin([f"{what}: the best {K} in Milvus Lite, from .{ending}"
           for what in ("pictures", "own vectors, l2") for ending in ("npy", "fbin", "jsonl")])
    common.subprocess.run([common.build + "/tools/draw", "pics", "50"], check=True,
                          stdout=common.subprocess.DEVNULL)
    imgsearch("index", "-q", "pics", "--db", "pictures.db")
    np.save("v.npy", np.random.default_rng(5).standard_normal((3000, 24), dtype=np.float32))
    np.save("v.ids.npy", np.arange(1, 3001))
    imgsearch("vectors", "import", "-q", "v.npy", "--ids", "v.ids.npy", "--metric", "l2", "--db",
              "own.db")
    client = MilvusClient("milvus.db")
    for index in "pictures", "own":
        truth = answers(index + ".db")
        for ending in "npy", "fbin", "jsonl":
            imgsearch("export", "-q", "--compared", f"{index}.{ending}", "--db", index + ".db")
            ids, rows, paths, about = read(index, ending)
            load(client, index + ending, ids, rows, paths, about)
            bad = compare(client, index + ending, ids, rows, truth, ending == "jsonl",
                          about["metric"] == "cosine")
            result(not bad and len(ids) == about["rows"], bad)
    client.close()


sys.exit(main())
