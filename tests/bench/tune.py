#!/usr/bin/python3
"""make bench-tune: what tuning on classes does for pictures that were not tuned on. Half of the
pictures of each class of ../shared/images/caltech101 are learned from, the other half is indexed,
and ranked leave-one-out by eval --plain, before and after; three seeds, each another half."""

import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile

build = os.path.abspath(os.environ.get("B", "build"))
source = os.path.abspath("../shared/images/caltech101")
weights = os.path.abspath("../shared/weights/mobilenet_v2.pth")
loss, epochs = os.environ.get("LOSS", "supcon"), os.environ.get("EPOCHS", "4")
rate = os.environ.get("RATE", "5e-5")
if not os.path.isdir(source):
    print("../shared is not there: nothing to tune on")
    sys.exit(0)


def imgsearch(*args):
    out = subprocess.run(
        [f"{build}/imgsearch", *args, "--json", "-q"], check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    return json.loads(out.splitlines()[-1])


def quality(name, *model):
    imgsearch("index", "test", *model, "--db", name, "--no-build")
    return imgsearch("eval", "--plain", "--db", name)["map"]


def split(seed):
    chance = random.Random(seed)
    for c in sorted(os.listdir(source)):
        names = sorted(os.listdir(os.path.join(source, c)))
        chance.shuffle(names)
        for i, name in enumerate(names):
            folder = os.path.join("train" if i < len(names) // 2 else "test", c)
            os.makedirs(folder, exist_ok=True)
            shutil.copy(os.path.join(source, c, name), folder)


gains = []
for seed in range(1, int(os.environ.get("SEEDS", 3)) + 1):
    with tempfile.TemporaryDirectory() as work:
        os.chdir(work)
        split(seed)
        start = ["--model", "mobilenet_v2", "--weights", weights]
        before = quality("before.db", *start)
        r = imgsearch(
            "train", "train", *start, "--loss", loss, "--epochs", epochs, "--lr", rate, "--val",
            "-1", "--seed", str(seed), "-o", "tuned.safetensors"
        )
        after = quality("after.db", "--model", "tuned.safetensors")
        gains.append(after - before)
        print(
            f"seed {seed}: mAP {before:.4f} before, {after:.4f} after {r['steps']} steps of {loss}"
            f" ({r['images_per_second']:.1f} images/s): {after - before:+.4f}",
            flush=True,
        )
        os.chdir("/")
spread = statistics.stdev(gains) if len(gains) > 1 else 0
print(f"gain {statistics.mean(gains):+.4f}, standard deviation over seeds {spread:.4f}")
sys.exit(statistics.mean(gains) <= 0)
