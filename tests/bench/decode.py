#!/usr/bin/python3
"""Decoding large JPEGs: ours at the scale the network needs, against Pillow in full and in draft
mode.

    decode.py PROGRAM [--files N] [--quality Q]

PROGRAM is build/tests/bench/decode. The N JPEGs of 12 megapixels are made here: 4000 x 3000, 4:2:0,
mosaics of photos from ../shared/images/large at their own sharpness (of noise without them). All
figures are processor time of one thread, the files being in memory; the three take turns on each
tenth of the files.
"""

import argparse, glob, io, os, random, subprocess, tempfile, time

from PIL import Image

WIDTH, HEIGHT, TILE = 4000, 3000, 1000


def sources():
    found = [
        Image.open(f).convert("RGB") for f in sorted(glob.glob("../shared/images/large/*.jpg"))
    ]
    return [im for im in found if min(im.size) >= TILE] or [
        Image.effect_noise((2 * TILE, 2 * TILE), s).convert("RGB") for s in (20, 60)
    ]


def mosaic(photos, rng):
    im = Image.new("RGB", (WIDTH, HEIGHT))
    for x in range(0, WIDTH, TILE):
        for y in range(0, HEIGHT, TILE):
            p = rng.choice(photos)
            left, top = rng.randrange(p.width - TILE + 1), rng.randrange(p.height - TILE + 1)
            im.paste(p.crop((left, top, left + TILE, top + TILE)), (x, y))
    return im


def pillow(files, draft):
    spent = 0
    for file in files:
        data = open(file, "rb").read()
        t = time.thread_time()
        im = Image.open(io.BytesIO(data))
        if draft:
            im.draft("RGB", (256, 256))
        im.convert("RGB")
        spent += time.thread_time() - t
    return spent


def ours(program, files, at_least):
    decode, fit, bad = subprocess.run(
        [program, str(at_least), "0", *files], check=True, capture_output=True, text=True
    ).stdout.split()
    assert bad == "0"
    return float(decode), float(fit)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("program")
    p.add_argument("--files", type=int, default=100)
    p.add_argument("--quality", type=int, default=85)
    a = p.parse_args()
    rng, photos = random.Random(1), sources()
    with tempfile.TemporaryDirectory() as folder:
        files = [os.path.join(folder, f"{i}.jpg") for i in range(a.files)]
        for file in files:
            mosaic(photos, rng).save(file, quality=a.quality, subsampling=2)
        size = sum(os.path.getsize(f) for f in files) / 1e6
        print(
            f"{a.files} JPEGs of 12 megapixels, quality {a.quality}, {size / a.files:.2f} MB each;"
            " one thread, processor time"
        )
        scaled = fit = whole = full = draft = 0
        step = max(1, a.files // 10)
        for i in range(0, a.files, step):
            part = files[i : i + step]
            d, f = ours(a.program, part, 256)
            scaled, fit = scaled + d, fit + f
            whole += ours(a.program, part, 0)[0]
            full += pillow(part, False)
            draft += pillow(part, True)
    for name, s in (
        ("ours, at the network's scale", scaled),
        ("ours, in full", whole),
        ("Pillow, in full", full),
        ("Pillow, draft mode", draft),
    ):
        print(f"{name:30} {s / a.files * 1000:7.1f} ms a file   {full / s:5.2f} x Pillow in full")
    print(f"{'our fit to 224 x 224':30} {fit / a.files * 1000:7.2f} ms a file")


main()
