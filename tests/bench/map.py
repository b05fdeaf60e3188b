#!/usr/bin/python3
"""bench-map: t-SNE of 10 000 features, the command against scikit-learn's TSNE, in the same run.

usage: map.py    (B: the build; ROWS: a .npy file of rows to take instead of making them; N: how
many)

Rows: features by the default model of the pictures in ../shared, and of mirrored copies of some
where they are fewer than N; without ../shared, rows around random centres (said so). Both get the
same L2-normalised rows and the paper's defaults. Time of the command: the whole process, with the
search for neighbours. Trustworthiness: k = 12.
"""

import glob, json, os, shutil, subprocess, sys, tempfile, time

import numpy as np

B, N = os.environ.get("B", "build"), int(os.environ.get("N", 10000))
COMMAND = B + "/imgsearch"
W = tempfile.mkdtemp()


def pictures():
    from PIL import Image, ImageOps

    found = sorted(
        p
        for d in ("images/*/*", "images/*/*/*", "train/*/*")
        for p in glob.glob("../shared/" + d)
        if p.lower().endswith((".jpg", ".jpeg", ".png"))
    )
    found = found[:N]
    for i, path in enumerate(found[: N - len(found)]):
        with Image.open(path) as im:
            upright = ImageOps.exif_transpose(im).convert("RGB")
            ImageOps.mirror(upright).save(f"{W}/{i}.jpg", quality=90)
    return found + sorted(glob.glob(W + "/*.jpg"))


def rows():
    if os.environ.get("ROWS"):
        x = np.array(np.load(os.environ["ROWS"], mmap_mode="r")[:N], np.float32)
        return x, os.path.basename(os.environ["ROWS"])
    files = pictures()
    if not files:
        rng = np.random.default_rng(1)
        x = rng.normal(size=(40, 16))[rng.integers(0, 40, N)] + 0.5 * rng.normal(size=(N, 16))
        x = (x @ rng.normal(size=(16, 256))).astype(np.float32)
        return x, "no pictures: rows around random centres"
    with open(W + "/list", "wb") as f:
        f.write(b"\0".join(os.fsencode(p) for p in files) + b"\0")
    subprocess.run(
        [
            "xargs", "-0", "-a", W + "/list", "-s", "2000000", COMMAND, "extract", "-q",
            "-o", W + "/x.npy"
        ],
        check=True,
    )
    return np.load(W + "/x.npy"), "features of pictures, default model"


def ours(x):
    np.save(W + "/x.npy", x)
    subprocess.run(
        [COMMAND, "vectors", "import", "-q", "--db", W + "/x.db", "--metric", "l2", W + "/x.npy"],
        check=True,
    )
    start = time.time()
    text = subprocess.run(
        [COMMAND, "map", "-q", "--json", "--db", W + "/x.db"], check=True, stdout=subprocess.PIPE
    ).stdout
    took, xy = time.time() - start, np.zeros((len(x), 2))
    for id, px, py, _ in json.loads(text)["points"]:
        xy[id] = px, py
    return took, xy


def theirs(x):
    from sklearn.manifold import TSNE

    tsne = TSNE(
        n_components=2, perplexity=30, init="pca", learning_rate="auto", n_jobs=-1, random_state=0
    )
    start = time.time()
    xy = tsne.fit_transform(x)
    return time.time() - start, xy


try:
    from sklearn.manifold import trustworthiness

    x, what = rows()
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    a, b = ours(x), theirs(x)
    trust = [trustworthiness(x, xy, n_neighbors=12) for _, xy in (a, b)]
    print(f"t-SNE of {len(x)} x {x.shape[1]} ({what}), {os.cpu_count()} cores")
    print(
        f"  time            imgsearch {a[0]:.1f} s, scikit-learn {b[0]:.1f} s: {b[0] / a[0]:.1f}"
        " times as fast"
    )
    print(
        f"  trustworthiness imgsearch {trust[0]:.4f}, scikit-learn {trust[1]:.4f}:"
        f" {trust[0] - trust[1]:+.4f}"
    )
    sys.exit(int(a[0] > b[0] or trust[0] < trust[1] - 0.01))
finally:
    shutil.rmtree(W)
