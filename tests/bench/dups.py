#!/usr/bin/python3
"""bench-dups: imgsearch dups over 100 000 pictures that are indexed.

usage: dups.py    (B: the build; N: how many; ROWS: a .npy of features of the pictures, instead of
extracting them; KEEP: a folder that keeps the index for another time)

Indexing 100 000 real files takes minutes, so the index is put together from real parts: features by
the default model of the pictures in ../shared, each blended with another's by up to a third until
there are N, and signatures (lib/analysis/signature.h) of random crops of the same pictures. Of
every hundredth, a copy follows: the feature a little off, the pixels mirrored, with noise. Rows and
signatures are put straight into the tables; imgsearch build makes the searcher. Time: the whole
process. Without ../shared (and Pillow) both are random, which is said.
"""

import glob, json, os, shutil, sqlite3, subprocess, sys, tempfile, time

import numpy as np

B, N = os.environ.get("B", "build"), int(os.environ.get("N", 100000))
COMMAND, DB = B + "/imgsearch", None
W = tempfile.mkdtemp()
rng = np.random.default_rng(1)
found = sorted(
    p
    for d in ("images/*/*", "images/*/*/*", "train/*/*")
    for p in glob.glob("../shared/" + d)
    if p.lower().endswith((".jpg", ".jpeg", ".png"))
)


def features():
    if os.environ.get("ROWS"):
        return np.load(os.environ["ROWS"]).astype(np.float32)
    if not found:
        return rng.normal(size=(5000, 256)).astype(np.float32)
    with open(W + "/list", "wb") as f:
        f.write(b"\0".join(os.fsencode(p) for p in found))
    subprocess.run(
        [
            "xargs", "-0", "-a", W + "/list", "-s", "2000000", COMMAND, "extract", "-q",
            "-o", W + "/x.npy"
        ],
        check=True,
    )
    return np.load(W + "/x.npy")


def rows(n):
    x = features()
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    t = rng.uniform(0, 1 / 3, (n, 1)).astype(np.float32)
    return (1 - t) * x[np.arange(n) % len(x)] + t * x[rng.integers(0, len(x), n)]


LEVELS = np.array([0, 4, 9, 16, 26, 40, 60, 90])


def signature(rgb):
    """of 96 x 96 pixels: coarse luminance, 4 bits a finer cell, Cb and Cr"""
    luma = rgb @ np.array([77, 150, 29]) / 256
    coarse = np.floor(luma.reshape(32, 3, 32, 3).mean((1, 3)) + 0.5)
    off = luma - coarse.repeat(3, 0).repeat(3, 1)
    step = np.searchsorted((LEVELS[1:] + LEVELS[:-1]) / 2, np.abs(off))
    code = np.where(off < 0, 7 - step, 7 + step).reshape(-1, 2)
    mean = rgb.reshape(16, 6, 16, 6, 3).mean((1, 3))
    y = mean @ np.array([77, 150, 29]) / 256
    chroma = 128.5 + np.stack([0.564 * (mean[..., 2] - y), 0.713 * (mean[..., 0] - y)])
    return b"".join(
        np.clip(part, 0, 255).astype(np.uint8).tobytes()
        for part in (coarse, code[:, 0] + 16 * code[:, 1], chroma)
    )


def parts(n):
    """n times the number of a picture and 96 x 96 pixels of it"""
    if not found:
        for i in range(n):
            small = rng.normal(size=(8, 8, 3)).repeat(12, 0).repeat(12, 1) * 40 + 128
            yield i, np.clip(small, 0, 255)
        return
    from PIL import Image

    for i, path in enumerate(found[:n]):
        with Image.open(path) as im:
            im.draft("RGB", (128, 128))
            im = im.convert("RGB")
        for at in range(i, n, min(len(found), n)):
            share = rng.uniform(0.6, 1, 2)
            w, h = im.width * share[0], im.height * share[1]
            x, y = rng.uniform(0, im.width - w), rng.uniform(0, im.height - h)
            yield at, np.asarray(im.resize((96, 96), Image.BOX, box=(x, y, x + w, y + h)), float)


def signatures(n, of):
    """of n pictures, and of copies of those numbered"""
    out, copy = [None] * (n + len(of)), {at: n + i for i, at in enumerate(of)}
    for at, rgb in parts(n):
        out[at] = signature(rgb)
        if at in copy:
            noise = rng.normal(size=(96, 96, 1))
            out[copy[at]] = signature(np.clip(rgb[:, ::-1] + noise, 0, 255))
    return out


def make(db):
    n, copies = N - N // 100, N // 100
    x = rows(n)
    of = rng.choice(n, copies, replace=False)
    s = signatures(n, of)
    x = np.concatenate([x, x[of] + 0.01 * rng.normal(size=(copies, x.shape[1])).astype(np.float32)])
    np.save(W + "/v.npy", x)
    subprocess.run([COMMAND, "vectors", "import", "-q", "--db", db, W + "/v.npy"], check=True)
    c = sqlite3.connect(db)
    root = c.execute("INSERT INTO root(path) VALUES(?)", (b"/nowhere",)).lastrowid
    hashes = [rng.bytes(32) for _ in range(N)]
    c.executemany(
        "INSERT INTO picture(id, root, path, size, mtime_seconds, mtime_nanoseconds, state, width,"
        " height, hash) VALUES(?, ?, ?, 1, 1, 0, 1, 640, 480, ?)",
        ((i, root, b"%d.jpg" % i, hashes[i]) for i in range(N)),
    )
    c.executemany(
        "INSERT INTO signature VALUES(?, ?, ?)", ((i, hashes[i], s[i]) for i in range(N))
    )
    c.execute("UPDATE tally SET n = ? WHERE what = 1", (N,))
    c.commit()
    c.close()
    subprocess.run([COMMAND, "build", "-q", "--db", db], check=True)


try:
    db = os.environ.get("KEEP", W) + "/dups.db"
    if not os.path.exists(db):
        make(db)
    print(
        f"near-duplicates of {N} pictures ({'parts of real ones' if found else 'random'}),"
        f" {os.cpu_count()} cores"
    )
    for kind in (), ("--kind", "picture"), ("--kind", "scene"):
        start = time.time()
        p = subprocess.run(
            [COMMAND, "dups", "-q", "--json", "--db", db, *kind], stdout=subprocess.PIPE
        )
        took, groups = time.time() - start, [json.loads(line) for line in p.stdout.splitlines()]
        sizes = {k: sum(g["kind"] == k for g in groups) for k in ("bytes", "picture", "scene")}
        print(
            f"  {kind[-1] if kind else 'all kinds':9s} {took:6.1f} s, status {p.returncode}, groups"
            f" {sizes}"
        )
finally:
    shutil.rmtree(W)
