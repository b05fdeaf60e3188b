#!/usr/bin/python3
"""make bench-chance: chance scores against what is seen, on indexes of every mix of the labelled
sets of ../shared/images, asked by the other sets, the paintings, and 200 pictures of each set of
../shared/train. MODEL, WEIGHTS: another network than MobileNetV2.
"""

import os
import subprocess
import sys
import tempfile

build, program = os.path.abspath(os.environ.get("B", "build")), os.path.abspath(sys.argv[1])
shared = os.path.abspath("../shared")
model = os.environ.get("MODEL", "mobilenet_v2")
weights = os.environ.get("WEIGHTS", shared + "/weights/mobilenet_v2.pth")
network = ["--model", model, "--weights", weights] if model != "default" else []
if not os.path.isdir(shared):
    print("../shared is not there: nothing to measure on")
    sys.exit(0)


def index(name, folder):
    subprocess.run(
        [
            f"{build}/imgsearch", "index", folder, "-L", "--db", name + ".db", "--no-build", "-q",
            *network
        ]
    )
    return f"{name}={name}.db"


def some(folder, n):
    """A folder with links to n of the pictures below one."""
    files = sorted(os.path.join(d, f) for d, _, names in os.walk(folder) for f in names)
    os.makedirs("some/" + os.path.basename(folder))
    for i, f in enumerate(files[:: max(len(files) // n, 1)][:n]):
        os.symlink(f, f"some/{os.path.basename(folder)}/{i:04}{os.path.splitext(f)[1]}")
    return "some/" + os.path.basename(folder)


with tempfile.TemporaryDirectory() as work:
    os.chdir(work)
    sets = [
        index(name, f"{shared}/images/{name}")
        for name in ("caltech101", "imagenette", "intel", "flowers")
    ]
    asking = [index("paintings", f"{shared}/images/paintings")]
    asking += [
        index(name, some(f"{shared}/train/{name}", 200))
        for name in ("cats-dogs", "clothing", "grocery", "houses")
    ]
    done = subprocess.run([program, *sets, "--", *asking])
    os.chdir("/")
sys.exit(done.returncode)
