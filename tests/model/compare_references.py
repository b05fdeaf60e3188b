"""compare_references.py FOLDER [CASE...]: our features and inputs against those that
make_references.py wrote into the folder; TAP, then a table in Markdown. What was compared is kept
below $B/networks, and is not compared again unless the shim or the references are newer."""

import json, os, shutil, subprocess, sys, tempfile

from compare import (
    B,
    agree_that,
    cosines,
    end,
    found,
    np,
    ours,
    ours_of_texts,
    plain_name,
    skip,
    torch,
)
from reference_weights import write_sharded

FOLDER = sys.argv[1]
SHIM, SHOW = os.path.join(B, "imgsearch-shim.so"), os.path.join(B, "tests/image/show")
KEPT = os.path.join(B, "networks")


class Case:
    def __init__(self, name):
        self.name, self.path = name, os.path.join(FOLDER, name + ".npz")
        self.file = np.load(self.path)
        self.about = json.loads(str(self.file["about"]))
        self.words = self.about.get("words")

    def tensors(self):
        return {
            name: drawn or self.file["tensor " + name]
            for name, drawn in self.about["tensors"].items()
        }


def distance(want, got):
    """1 - cosine, mean over the pictures."""
    return float(1 - cosines(want, got).mean())


def centred(features):
    return features - features.mean(0)


def levels(case):
    """Of 255: the mean difference of what the networks are given, over the photographs."""
    folder, want = os.path.join(FOLDER, "photos"), case.file["prepared"].astype(np.float32)
    files = [os.path.join(folder, name) for name in sorted(os.listdir(folder))]
    command = [SHOW, "prepare", case.about["network"], *files]
    raw = subprocess.run(command, check=True, capture_output=True).stdout
    got = np.frombuffer(raw, "<f4")
    if got.size != want.size:
        return f"{got.size} values, the reference has {want.size}"
    got = got.reshape(len(files), *want.shape[2:], 3).transpose(0, 3, 1, 2)
    scale = 255 / case.file["range"].reshape(1, 3, 1, 1)
    return float((np.abs(got - want) * scale).mean())


def features(case, path, folder):
    """Ours in f32 and bf16."""
    if case.words:
        run, x = ours_of_texts, case.file["texts"]
    else:
        side = case.about["side"]
        run, x = ours, torch.from_numpy(np.load(os.path.join(FOLDER, f"pictures_{side}.npy")))
    for precision in "f32", "bf16":
        got = run(case.about["network"], path, precision, x, folder)
        if isinstance(got, str):
            raise RuntimeError(got)
        yield got.astype(np.float64)


def compared(case):
    folder = tempfile.mkdtemp(dir=FOLDER)
    try:
        path = write_sharded(folder, "weights", case.tensors(), case.about["shards"])
        names = None if case.words else found(path)
        got, half = features(case, path, folder)
    finally:
        shutil.rmtree(folder)
    want, own = (case.file[k].astype(np.float64) for k in ("f32", "bf16"))
    return {
        "found": names,
        "least": float(cosines(want, got).min()),
        "least centred": float(cosines(centred(want), centred(got)).min()),
        "bf16": [distance(want, half), distance(want, own)],
        "bf16 centred": [distance(centred(want), centred(y)) for y in (half, own)],
        "levels": None if case.words else levels(case),
    }


def result(case):
    kept = os.path.join(KEPT, case.name + ".json")
    newest = max(os.path.getmtime(SHIM), os.path.getmtime(case.path))
    if not os.path.exists(kept) or os.path.getmtime(kept) < newest:
        out = compared(case)
        with open(kept, "w") as f:
            json.dump(out, f)
    with open(kept) as f:
        return json.load(f)


def judged(case, r):
    name, network = case.name, case.about["network"]
    good = r["least"] >= 0.99999 and r["least centred"] >= 0.9999
    agree_that(f"{name}: f32", good, f"cosine {r['least']:.8f}, centred {r['least centred']:.8f}")
    good = all(mine <= 1.2 * theirs for mine, theirs in (r["bf16"], r["bf16 centred"]))
    remark = ", centred ".join("%.2g of %.2g" % tuple(r[k]) for k in ("bf16", "bf16 centred"))
    agree_that(f"{name}: bf16, 1 - cosine", good, remark)
    if case.words:
        return
    alike = network in r["found"] and all(plain_name(n) == plain_name(network) for n in r["found"])
    agree_that(f"{name}: found by its tensors", alike, r["found"])
    good = isinstance(r["levels"], float) and r["levels"] <= 0.5
    agree_that(f"{name}: preprocessing, levels of 255", good, r["levels"])


def row(case, r):
    def pair(values):
        return " / ".join("%.1e" % v for v in values)

    level = f"{r['levels']:.2f}" if isinstance(r["levels"], float) else "differs"
    level = "-" if case.words else level
    cells = case.about["network"], case.about["against"], "%.1e" % (1 - r["least"])
    return "| " + " | ".join([*cells, pair(r["bf16"]), pair(r["bf16 centred"]), level]) + " |"


def names():
    there = [f.removesuffix(".npz") for f in sorted(os.listdir(FOLDER)) if f.endswith(".npz")]
    return sys.argv[2:] or there


if not os.path.isdir(FOLDER) or not names():
    skip(f"{FOLDER} has no references: make network-references")
os.makedirs(KEPT, exist_ok=True)
rows = []
for case in map(Case, names()):
    try:
        r = result(case)
        judged(case, r)
        rows.append(row(case, r))
    except RuntimeError as e:
        agree_that(case.name, False, e)
end()
print(
    "\n| network | against | f32: 1 - cosine, the largest | bf16: ours / the reference's own |"
    " centred | levels |\n|---|---|---|---|---|---|"
)
print("\n".join(rows))
