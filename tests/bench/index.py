#!/usr/bin/python3
"""Indexing a folder end to end, memory, unchanged files, and cold queries, against what people
write in Python.

    index.py [PART...] [--pictures N] [--photos DIR] [--rounds R] [--work DIR]

Parts (all without one): resnet50, mobilenet_v2: N pictures of DIR, else of ../shared/images (0:
all that are there; drawn ones where there are none) are indexed by three programs that take turns,
each a process of its
own with the same weights (random) and files, on all CPUs: `imgsearch index`; the home-made script
(torchvision, Pillow, eager f32, one at a time); a tuned one (batches of 16 decoded by a second
thread, channels last, bf16 where the CPU has it, frozen TorchScript). Times are of the whole
process, the best of R. memory: 10 000 pictures with ResNet-50. known: queries of one of them.
unchanged: a second run over 100 000 files. cold: queries of a new picture against
build/tests/bench/bare, which links libtorch, reads the same weights as TorchScript and runs them
once, and where the time goes by build/tests/bench/cold. Each part takes less than four minutes on
two cores once what it needs lies in DIR (default: a temporary folder); --prepare only puts it
there.
"""

import argparse, glob, json, os, random, shutil, statistics, subprocess
import sys, tempfile, threading, time

B = os.environ.get("B", "build")
PROGRAM = os.path.join(B, "imgsearch")
NETWORKS = "resnet50", "mobilenet_v2"
MANY, UNCHANGED = 10_000, 100_000


def has_bf16():
    return "avx512_bf16" in open("/proc/cpuinfo").read()


# ---- what runs in processes of its own ----


def network(name, weights):
    import torch, torchvision

    net = getattr(torchvision.models, name)()
    net.load_state_dict(torch.load(weights))
    setattr(net, "fc" if hasattr(net, "fc") else "classifier", torch.nn.Identity())
    return net.eval()


def transform():
    from torchvision import transforms as t

    return t.Compose(
        [
            t.Resize(256),
            t.CenterCrop(224),
            t.ToTensor(),
            t.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
        ]
    )


def home_made(name, weights, files):
    import numpy as np, torch
    from PIL import Image

    net, fit, rows = network(name, weights), transform(), []
    with torch.no_grad():
        for f in files:
            rows.append(net(fit(Image.open(f).convert("RGB")).unsqueeze(0))[0].numpy())
    return np.stack(rows)


def tuned(name, weights, files, batch=16):
    import numpy as np, torch
    from concurrent.futures import ThreadPoolExecutor
    from PIL import Image

    kind = torch.bfloat16 if has_bf16() else torch.float32
    fit = transform()
    read = (
        lambda fs: torch.stack([fit(Image.open(f).convert("RGB")) for f in fs])
        .to(kind)
        .contiguous(memory_format=torch.channels_last)
    )
    batches = [files[i : i + batch] for i in range(0, len(files), batch)]
    rows = []
    with torch.no_grad(), ThreadPoolExecutor(1) as pool:
        net = (
            torch.fx.experimental.optimization.fuse(network(name, weights))
            if hasattr(torch.fx, "experimental")
            else network(name, weights)
        )
        net = net.to(memory_format=torch.channels_last, dtype=kind)
        net = torch.jit.optimize_for_inference(
            torch.jit.freeze(torch.jit.trace(net, read(batches[0])))
        )
        coming = pool.submit(read, batches[0])
        for i in range(len(batches)):
            x = coming.result()
            coming = pool.submit(read, batches[i + 1]) if i + 1 < len(batches) else None
            rows.append(net(x).float().numpy())
    return np.concatenate(rows)


def child(how, name, weights, folder, out):
    import numpy as np
    import torch.fx.experimental.optimization  # noqa: F401

    files = sorted(glob.glob(os.path.join(folder, "*")))
    np.save(out, {"home": home_made, "tuned": tuned}[how](name, weights, files))


# ---- what the parts need, made once in the work folder ----


def gather(work, n, photos="../shared/images"):
    folder = os.path.join(work, f"pictures-{n}")
    if os.path.isdir(folder):
        return folder
    files = sorted(
        f
        for ending in ("jpg", "JPEG")
        for f in glob.glob(os.path.join(photos, "**/*." + ending), recursive=True)
    )
    random.Random(1).shuffle(files)
    n = n or len(files)
    os.mkdir(folder)
    if not files:
        print(f"# no pictures in {photos}: drawn ones")
        drawn = os.path.join(folder, "drawn")
        subprocess.run([os.path.join(B, "tools/draw"), drawn], check=True)
        files, n = sorted(glob.glob(os.path.join(drawn, "**/*.jpg"), recursive=True)), n or 200
    for i in range(n):
        to = os.path.join(folder, f"{i:06}.jpg")
        shutil.copy(files[i % len(files)], to)
        if i >= len(files):  # other bytes, so that it is no duplicate
            with open(to, "ab") as f:
                f.write(str(i).encode())
    shutil.rmtree(os.path.join(folder, "drawn"), ignore_errors=True)
    return folder


def make_weights(work, name):
    paths = os.path.join(work, name + ".pth"), os.path.join(work, name + "-script.pt")
    code = (
        "import torch,torchvision,sys; n=getattr(torchvision.models,sys.argv[1])().eval();"
        " torch.save(n.state_dict(),sys.argv[2]);torch.jit.script(n).save(sys.argv[3])"
    )
    if not os.path.exists(paths[1]):
        subprocess.run([sys.executable, "-c", code, name, *paths], check=True)
    return paths


def make_unchanged(work):
    """An index of 100 000 small files, in 100 folders; its vectors are the fake network's, which
    the second run never needs."""
    import io
    from PIL import Image

    folder, db = os.path.join(work, "unchanged"), os.path.join(work, "unchanged.db")
    if not os.path.exists(db):
        for i in range(UNCHANGED):
            if i % 1000 == 0:
                os.makedirs(os.path.join(folder, f"{i // 1000:03}"))
            out = io.BytesIO()
            Image.new("RGB", (8, 8), (i >> 16, i >> 8 & 255, i & 255)).save(out, "PNG")
            with open(os.path.join(folder, f"{i // 1000:03}", f"picture-{i:06}.png"), "wb") as f:
                f.write(out.getvalue())
        index(folder, db, [], {"IMGSEARCH_LIBDIR": os.path.join(B, "tests/lib")})
    return folder, db


# ---- the bench ----


def run(command, env=None):
    """Seconds of the process, what it printed, and the most memory that it had, in bytes, after a
    third, two thirds, all of its time: without and with the pages of files (libraries, weights, the
    index) that it has mapped."""
    memory, start = [], time.perf_counter()
    p = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **(env or {})},
    )

    def watch():
        while p.poll() is None:
            try:
                with open(f"/proc/{p.pid}/status") as f:
                    kilobytes = dict(
                        line.split()[:2] for line in f if line.startswith(("VmRSS", "RssAnon"))
                    )
                memory.append(tuple(int(kilobytes[k]) * 1024 for k in ("RssAnon:", "VmRSS:")))
            except (OSError, KeyError):
                pass
            time.sleep(0.05)

    watcher = threading.Thread(target=watch)
    watcher.start()
    out, err = p.communicate()
    seconds = time.perf_counter() - start
    watcher.join()
    if p.returncode:
        sys.exit(f"{' '.join(command)}: {err}")
    at = lambda share, kind: max(
        (m[kind] for m in memory[: max(1, int(len(memory) * share))]), default=0
    )
    return seconds, out, [[at(share, kind) for share in (1 / 3, 2 / 3, 1)] for kind in (0, 1)]


def median_time(command, times=7):
    """A process is waited for, nothing else: the watcher of run() would disturb one of
    milliseconds."""

    def once():
        start = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return time.perf_counter() - start

    return statistics.median(once() for _ in range(times))


def index(pictures, db, options, env=None):
    return run([PROGRAM, "index", pictures, "--db", db, "--no-server", "--json", *options], env)


def in_turn(a, name):
    pictures, weights = gather(a.work, a.pictures, a.photos), make_weights(a.work, name)[0]
    n, best, db = len(os.listdir(pictures)), {}, os.path.join(a.work, name + ".db")
    for _ in range(0 if a.prepare else a.rounds):
        for how in "ours", "home", "tuned":
            if how == "ours":
                for f in glob.glob(db + "*"):
                    os.unlink(f)
                got = index(pictures, db, ["--model", name, "--weights", weights, "--no-build"])
            else:
                got = run(
                    [
                        sys.executable, os.path.abspath(__file__), "--child", how, name, weights,
                        pictures, os.path.join(a.work, "out.npy")
                    ]
                )
            print(f"# {name} {how} {got[0]:.1f} s", file=sys.stderr)
            if how not in best or got[0] < best[how][0]:
                best[how] = got
    if not best:
        return
    print(f"{name}: {n} pictures, whole processes")
    for how, text in (
        ("ours", "imgsearch index"),
        ("home", "home-made script"),
        ("tuned", "tuned script"),
    ):
        s = best[how][0]
        print(
            f"  {text:18} {s:7.1f} s {n / s:7.1f} pictures/s"
            + ("" if how == "ours" else f"   ours is {s / best['ours'][0]:.2f} x as fast")
        )
    counts = json.loads(best["ours"][1].strip().splitlines()[-1])
    parts = {k: counts[k + "_s"] for k in ("walk", "decode", "network", "store")}
    print(
        "  of the work: "
        + ", ".join(f"{k} {v / sum(parts.values()):.0%}" for k, v in parts.items())
        + " (decode runs beside the network)"
    )


def many(a):
    """The index of 10 000 pictures, and what making it took: (None, db) where it was there."""
    pictures, weights = gather(a.work, MANY), make_weights(a.work, "resnet50")[0]
    db = os.path.join(a.work, "many.db")
    if os.path.exists(db + ".done"):
        return None, db, pictures
    for f in glob.glob(db + "*"):
        os.unlink(f)
    got = index(pictures, db, ["--model", "resnet50", "--weights", weights])
    open(db + ".done", "w").close()
    return got, db, pictures


def memory(a):
    if a.prepare:
        return gather(a.work, MANY), make_weights(a.work, "resnet50")
    for f in glob.glob(os.path.join(a.work, "many.db*")):
        os.unlink(f)
    seconds, _, (own, mapped) = many(a)[0]
    text = lambda at: " ".join(f"{b / 1e6:.0f}" for b in at)
    print(
        f"memory, {MANY} pictures with ResNet-50, the searcher built, {seconds:.0f} s: at most"
        f" {text(own)} MB, with mapped files {text(mapped)} MB, after a third, two thirds, all of"
        " the time"
    )


def known(a):
    _, db, pictures = many(a)
    if a.prepare:
        return
    picture = os.path.join(pictures, sorted(os.listdir(pictures))[0])
    command = [PROGRAM, "query", "--no-server", "--db", db, picture]
    opened = subprocess.run(
        command, check=True, capture_output=True, text=True, env={**os.environ, "LD_DEBUG": "files"}
    ).stderr
    print(
        f"query of an indexed picture among {MANY}, whole process:"
        f" {median_time(command, 21) * 1e3:.1f} ms; libtorch is "
        + ("MAPPED" if "libtorch" in opened else "not mapped")
    )


def unchanged(a):
    folder, db = make_unchanged(a.work)
    for _ in range(0 if a.prepare else a.rounds):
        seconds, out, _ = index(folder, db, [])
        counts = json.loads(out.strip().splitlines()[-1])
        print(
            f"{counts['unchanged']} of {counts['seen']} files unchanged: {seconds:.2f} s,"
            f" {counts['seen'] / seconds:.0f} files/s, whole process"
        )


def cold(a):
    for name in NETWORKS:
        weights, script = make_weights(a.work, name)
        pictures = gather(a.work, 100)
        db, new = os.path.join(a.work, name + "-cold.db"), os.path.join(a.work, "new.jpg")
        if not os.path.exists(db):
            index(pictures, db, ["--model", name, "--weights", weights])
        shutil.copy(os.path.join(pictures, "000000.jpg"), new)
        with open(new, "ab") as f:
            f.write(b"new")
        if a.prepare:
            continue
        ours, bare = [], []
        for _ in range(9):  # in turn
            ours.append(median_time([PROGRAM, "query", "--no-server", "--db", db, new], 1))
            bare.append(median_time([os.path.join(B, "tests/bench/bare"), script, "224"], 1))
        ours, bare = statistics.median(ours), statistics.median(bare)
        print(
            f"query of a new picture, cold, {name}: {ours * 1e3:.0f} ms, {ours / bare:.2f} x a bare"
            f" libtorch program ({bare * 1e3:.0f} ms)"
        )
        steps = [
            json.loads(
                subprocess.run(
                    [os.path.join(B, "tests/bench/cold"), name, weights, new],
                    check=True,
                    capture_output=True,
                    text=True,
                    env={**os.environ, "IMGSEARCH_LIBDIR": B, "OMP_WAIT_POLICY": "passive"},
                ).stdout
            )
            for _ in range(9)
        ]
        print(
            "  "
            + ", ".join(
                f"{k} {statistics.median(s[k] for s in steps):.0f} ms" for k in list(steps[0])[1:]
            )
        )


PARTS = {
    "resnet50": lambda a: in_turn(a, "resnet50"),
    "mobilenet_v2": lambda a: in_turn(a, "mobilenet_v2"),
    "memory": memory,
    "known": known,
    "unchanged": unchanged,
    "cold": cold,
}


def main():
    p = argparse.ArgumentParser()
    p.add_argument("parts", nargs="*", metavar="PART")
    p.add_argument("--pictures", type=int, default=1000)
    p.add_argument("--photos", default="../shared/images")
    p.add_argument("--rounds", type=int, default=2)
    p.add_argument("--work")
    p.add_argument("--prepare", action="store_true")
    a = p.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if a.work:
            os.makedirs(a.work, exist_ok=True)
        a.work = a.work or folder
        for part in a.parts or PARTS:
            PARTS[part](a)


if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1] == "--child":
        child(*sys.argv[2:])
    else:
        main()
