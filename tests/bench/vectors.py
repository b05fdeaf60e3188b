#!/usr/bin/python3
"""Makes the vectors that bench-search measures on: features of real photos and of crops, flips and
scales of them.

    vectors.py OUT [--views N] [--jobs N] [--size PX] [--photos DIR] [--weights FILE] [--mixed ROWS]

Photos: those of a folder and the folders in it; without --photos those of ../shared. MobileNetV2
(../shared/weights/mobilenet_v2.pth, bf16, frozen TorchScript), average-pooled and L2-normalised.
View 0 of a photo is its centre square, every other a random box of 25-100 % of its area, aspect 3:4
to 4:3, flipped half of the time, resized to PX x PX. Rows are ordered by view, then photo, so that
a prefix is a smaller collection of the same photos and neighbours do not lie side by side.

    base.npy         (views x photos, 1280) f32
    base20k.npy      its first 20 000 rows, written early
    query_in.npy     (1000, 1280): further boxes of indexed photos
    query_out.npy    (300, 1280): view 0 of photos of which nothing is indexed
    base256.npy      (1 000 000, 256): the rows of base projected on their 256 leading principal
                     components, then mixed: (1-t) a + t b + s (c - d), a and b views of one photo,
                     c and d of another, t and s uniform in 0..0.5, so that spread between views
                     stays as the network gives it; L2-normalised
    query256_in.npy, query256_out.npy   the queries, projected alike and L2-normalised
    mixed.npy        (ROWS, 256) f16: more rows like those of base256 (--mixed ROWS; made from
                     base.npy where that is there)
"""

import argparse, glob, math, os, random, sys, time
from multiprocessing import Process
import numpy as np

HELD_OUT, QUERIES, REDUCED, MIXED = 300, 1000, 256, 1_000_000


def photos(args):
    if args.photos:
        found = glob.glob(f"{glob.escape(args.photos)}/**/*", recursive=True)
    else:
        found = (
            glob.glob(f"{args.shared}/images/*/*/*")
            + glob.glob(f"{args.shared}/images/paintings/*")
            + glob.glob(f"{args.shared}/train/*/*")
        )
    found = sorted(p for p in found if p.lower().endswith((".jpg", ".jpeg", ".png")))
    random.Random(1).shuffle(found)
    return found


def network(args):
    import torch, torchvision

    torch.set_num_threads(1)
    net = torchvision.models.mobilenet_v2()
    net.load_state_dict(torch.load(args.weights or f"{args.shared}/weights/mobilenet_v2.pth"))
    body = torch.nn.Sequential(net.features, torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten())
    body = body.eval().to(torch.bfloat16).to(memory_format=torch.channels_last)
    return torch.jit.freeze(torch.jit.script(body))


def box(rng, width, height, view):
    if view == 0:
        side = min(width, height)
        x, y = (width - side) / 2, (height - side) / 2
        return (x, y, x + side, y + side), False
    for _ in range(20):
        area, aspect = width * height * rng.uniform(0.25, 1), math.exp(
            rng.uniform(math.log(3 / 4), math.log(4 / 3))
        )
        w, h = math.sqrt(area * aspect), math.sqrt(area / aspect)
        if w <= width and h <= height:
            x, y = rng.uniform(0, width - w), rng.uniform(0, height - h)
            return (x, y, x + w, y + h), rng.random() < 0.5
    return box(None, width, height, 0)


def load(path):
    from PIL import Image

    im = Image.open(path)
    im.draft("RGB", (256, 256))
    im = im.convert("RGB")
    scale = 256 / min(im.size)
    return (
        im
        if scale >= 1
        else im.resize((round(im.width * scale), round(im.height * scale)), Image.BILINEAR)
    )


def features(net, pictures, views, size, out, at):
    """Features of one view of each picture into out[at], in batches of 32."""
    import torch
    from PIL import Image

    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    for i in range(0, len(pictures), 32):
        batch = []
        for im, (cut, flip) in zip(pictures[i : i + 32], views[i : i + 32]):
            im = im.resize((size, size), Image.BILINEAR, box=cut)
            batch.append(np.asarray(im.transpose(Image.FLIP_LEFT_RIGHT) if flip else im))
        x = (
            ((torch.from_numpy(np.stack(batch)).float() / 255 - mean) / std)
            .permute(0, 3, 1, 2)
            .to(torch.bfloat16)
        )
        with torch.no_grad():
            f = net(x).float().numpy()
        out[at[i : i + 32]] = f / np.linalg.norm(f, axis=1, keepdims=True)


def worker(job, jobs, files, args):
    import torch

    net = network(args)
    out = np.load(f"{args.out}/query_out.part.npy", mmap_mode="r+")
    mine = list(range(job, HELD_OUT, jobs))
    pictures = [load(files[i]) for i in mine]
    features(net, pictures, [box(None, *im.size, 0) for im in pictures], args.size, out, mine)

    files = files[HELD_OUT:]
    base = np.load(f"{args.out}/base.part.npy", mmap_mode="r+")
    queries = np.load(f"{args.out}/query_in.part.npy", mmap_mode="r+")
    mine = list(range(job, len(files), jobs))
    pictures = [load(files[i]) for i in mine]
    started = time.time()
    for view in range(args.views + 1):
        rng = random.Random(1000 * view + job)
        boxes = [box(rng, *im.size, view) for im in pictures]
        if view < args.views:
            features(net, pictures, boxes, args.size, base, [view * len(files) + i for i in mine])
        else:
            n = sum(i < QUERIES for i in mine)
            features(net, pictures[:n], boxes[:n], args.size, queries, mine[:n])
        open(f"{args.out}/.view{view}.{job}", "w").close()
        if job == 0:
            print(
                f"view {view} of {args.views}: {time.time() - started:.0f} s",
                file=sys.stderr,
                flush=True,
            )


def reduced(out, views, name, n, dtype):
    """n rows x 256 by mixing, and their queries where those are absent."""
    base = np.load(f"{out}/base.npy", mmap_mode="r")
    sample = base[:: max(1, len(base) // 40000)].astype(np.float32)
    mean = sample.mean(0)
    values, axes = np.linalg.eigh(np.cov(sample.T.astype(np.float64)))
    axes = axes[:, ::-1][:, :REDUCED].astype(np.float32)
    print(
        f"{REDUCED} components hold {values[::-1][:REDUCED].sum() / values.sum():.3f} of the"
        " variance",
        file=sys.stderr,
    )
    unit = lambda a: a / np.linalg.norm(a, axis=1, keepdims=True)
    low = np.concatenate([(base[i : i + 20000] - mean) @ axes for i in range(0, len(base), 20000)])
    photos, rng = len(base) // views, np.random.default_rng(1)
    mixed = np.lib.format.open_memmap(f"{out}/{name}.part.npy", "w+", dtype, (n, REDUCED))
    for i in range(0, n, 50000):
        m = min(50000, n - i)
        row = lambda photo: low[rng.integers(0, views, m) * photos + photo]
        p, q = rng.integers(0, photos, (2, m))
        t, s = rng.uniform(0, 0.5, (2, m, 1)).astype(np.float32)
        mixed[i : i + m] = unit((1 - t) * row(p) + t * row(p) + s * (row(q) - row(q)))
    mixed.flush()
    for kind in "in", "out":
        if not os.path.exists(f"{out}/query256_{kind}.npy"):
            np.save(
                f"{out}/query256_{kind}.npy",
                unit((np.load(f"{out}/query_{kind}.npy") - mean) @ axes),
            )
    os.rename(f"{out}/{name}.part.npy", f"{out}/{name}.npy")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("out")
    parser.add_argument("--views", type=int, default=23)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--shared", default="../shared")
    parser.add_argument("--photos")
    parser.add_argument("--weights")
    parser.add_argument(
        "--mixed",
        metavar="ROWS",
        type=int,
        help="only mixed.npy: so many rows like those of base256, f16",
    )
    args = parser.parse_args()
    os.makedirs(args.out, exist_ok=True)
    if args.mixed and os.path.exists(f"{args.out}/base.npy"):
        return reduced(args.out, args.views, "mixed", args.mixed, np.float16)
    files = photos(args)
    if len(files) < HELD_OUT + QUERIES:
        sys.exit(
            f"vectors.py: {args.photos or args.shared} has {len(files)} photos of"
            f" {HELD_OUT + QUERIES} that are needed: nothing made"
        )
    kept = len(files) - HELD_OUT
    rows = {"base": args.views * kept, "query_in": QUERIES, "query_out": HELD_OUT}
    for name, n in rows.items():
        np.lib.format.open_memmap(f"{args.out}/{name}.part.npy", "w+", np.float32, (n, 1280))
    print(f"{kept} photos, {args.views} views each: {rows['base']} rows", file=sys.stderr)
    jobs = [Process(target=worker, args=(j, args.jobs, files, args)) for j in range(args.jobs)]
    for j in jobs:
        j.start()
    early = (20000 + kept - 1) // kept
    while any(j.is_alive() for j in jobs):
        time.sleep(1)
        if early and all(
            os.path.exists(f"{args.out}/.view{early - 1}.{j}") for j in range(args.jobs)
        ):
            np.save(
                f"{args.out}/base20k.npy",
                np.load(f"{args.out}/base.part.npy", mmap_mode="r")[:20000],
            )
            early = 0
    for j in jobs:
        if j.exitcode:
            sys.exit("vectors.py: a worker failed")
    for name in rows:
        os.rename(f"{args.out}/{name}.part.npy", f"{args.out}/{name}.npy")
    for mark in glob.glob(f"{args.out}/.view*"):
        os.remove(mark)
    reduced(args.out, args.views, "base256", MIXED, np.float32)
    if args.mixed:
        reduced(args.out, args.views, "mixed", args.mixed, np.float16)


if __name__ == "__main__":
    main()
