#!/usr/bin/python3
"""bench-serve: searches by id among 100 000 vectors, against two threads of imgsearch_query; by
upload, and uploads that are kept, against the rate at which the command alone extracts.

usage: serve.py CLIENT    (build/tests/bench/serve); pictures: ../shared/images, else drawn ones
"""

import glob, json, os, shutil, subprocess, sys, tempfile, time

import numpy as np

B = os.environ.get("B", "build")
COMMAND, CLIENT = B + "/imgsearch", sys.argv[1]
VECTORS, REQUESTS = (int(os.environ.get(n, 100000)) for n in ("VECTORS", "REQUESTS"))
DIM, CONNECTIONS = 512, 16
W = tempfile.mkdtemp()


def serve(db, *options):
    p = subprocess.Popen(
        [COMMAND, "serve", "--db", db, "--port", "0", "--no-token", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    return p, p.stdout.readline().rstrip("/\n").rsplit(":", 1)[1]


def memory(p):
    status = open(f"/proc/{p.pid}/status")
    return int(next(line for line in status if line.startswith("RssAnon")).split()[1]) / 1024


def client(*args):
    return json.loads(subprocess.run([CLIENT, *args], stdout=subprocess.PIPE, text=True).stdout)


def by_id():
    rng = np.random.default_rng(1)
    centres = rng.normal(size=(2000, 32)).astype(np.float32)
    rows = (
        centres[rng.integers(0, 2000, VECTORS)]
        + 0.6 * rng.normal(size=(VECTORS, 32)).astype(np.float32)
    ) @ rng.normal(size=(32, DIM)).astype(np.float32)
    np.save(W + "/v.npy", (rows + 0.3 * rng.normal(size=rows.shape)).astype(np.float32))
    subprocess.run(
        [COMMAND, "vectors", "import", "--db", W + "/v.db", W + "/v.npy"],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    subprocess.run(
        [COMMAND, "build", "--db", W + "/v.db"],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    np.save(W + "/q.npy", np.ascontiguousarray(np.load(W + "/v.npy", mmap_mode="r")[::100]))
    np.save(W + "/t.npy", np.arange(0, VECTORS, 100, dtype=np.int64)[:, None].repeat(10, 1))
    info = json.loads(subprocess.check_output([COMMAND, "info", "--db", W + "/v.db", "--json"]))
    setting = info["searcher"] + ",threads=2"
    said = subprocess.check_output(
        [B + "/tests/bench/front", "ask", W + "/v.db", W + "/q.npy", W + "/t.npy", setting],
        text=True,
    )
    print("imgsearch_query, two threads:", said.strip())
    p, port = serve(W + "/v.db")
    client(port, "ids", str(CONNECTIONS), "2000", str(VECTORS - 1))
    before, seen = memory(p), []
    asking = subprocess.Popen(
        [CLIENT, port, "ids", str(CONNECTIONS), str(REQUESTS), str(VECTORS - 1)],
        stdout=subprocess.PIPE,
        text=True,
    )
    while asking.poll() is None:
        seen.append(memory(p))
        time.sleep(0.2)
    print("mapped, of these the index's file: %d, %d MB" % memory_map(p), end="; ")
    print("the file has %d MB" % (os.path.getsize(W + "/v.db") >> 20))
    print(
        f"by id, {VECTORS} x {DIM}, {CONNECTIONS} connections:",
        asking.stdout.read().strip(),
        f"memory before {before:.1f}, during {min(seen):.1f}..{max(seen):.1f}, after"
        f" {memory(p):.1f} MB",
    )
    p.terminate()
    print("server's status:", p.wait())


def memory_map(p):
    """Mapped, in MB: all, and of the index's file."""
    with open(f"/proc/{p.pid}/smaps") as f:
        lines = f.read().splitlines()
    size, ours, total = False, 0, 0
    for line in lines:
        if "-" in line.split(" ")[0] and ":" not in line.split(" ")[0]:
            size = line.endswith("v.db")
        elif line.startswith("Size:"):
            total += int(line.split()[1])
            ours += int(line.split()[1]) * size
    return total // 1024, ours // 1024


def by_upload():
    pictures = sorted(glob.glob("../shared/images/imagenette/*/*"))[:600]
    if not pictures:
        subprocess.run([B + "/tools/draw", W + "/pics", "40"], check=True)
        pictures = sorted(glob.glob(W + "/pics/*"))
    options = os.environ.get("MODEL_OPTIONS", "").split()
    subprocess.run(
        [COMMAND, "index", "-q", "--db", W + "/p.db", *options, *pictures[:20]], check=True
    )
    rest = pictures[20:]
    p, port = serve(W + "/p.db")
    client(port, "upload", "8", *rest[:40])
    for _ in range(3):
        start = time.time()
        subprocess.run(
            [COMMAND, "extract", "-q", *options, "-o", W + "/f.npy", *rest[:8]], check=True
        )
        cold = time.time() - start
        start = time.time()
        subprocess.run([COMMAND, "extract", "-q", *options, "-o", W + "/f.npy", *rest], check=True)
        alone = (len(rest) - 8) / (time.time() - start - cold)
        served = client(port, "upload", str(CONNECTIONS), *rest)
        print(
            f"by upload: {served['per_second']:.0f}/s, the command alone extracts {alone:.0f}/s:"
            f" ratio {served['per_second'] / alone:.2f}, errors {served['errors']}"
        )
        os.mkdir(W + "/kept")
        keeper, at = serve(shutil.copy(W + "/p.db", W + "/k.db"), "--uploads", W + "/kept")
        kept = client(at, "keep", str(CONNECTIONS), *rest)
        keeper.terminate()
        keeper.wait()
        print(f"kept: {kept['per_second']:.0f}/s: ratio {kept['per_second'] / alone:.2f},"
              f" errors {kept['errors']}")
        shutil.rmtree(W + "/kept")
        os.remove(W + "/k.db")
    p.terminate()
    p.wait()


try:
    by_id()
    by_upload()
finally:
    shutil.rmtree(W)
