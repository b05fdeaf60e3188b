#!/usr/bin/python3
"""Indexing a folder end to end, and the cold query, against what people write in Python.

    index.py [--pictures N] [--networks resnet50,mobilenet_v2] [--rounds R]

N pictures of ../shared/images (drawn ones without it) are indexed by three programs that take turns, each a process of its own
with the same weights (random) and files, on all CPUs: `imgsearch index`; the home-made script (torchvision, Pillow, eager f32, one at a
time); a tuned one (batches of 16 decoded by a second thread, channels last, bf16 where the CPU has it, frozen TorchScript).
Times are of the whole process, the best of R. Then: memory of the index run, and queries of an indexed and of a new picture,
the latter against build/tests/bench/bare, which links libtorch, reads the same weights as TorchScript and runs them once.
"""
import argparse, glob, json, os, random, shutil, statistics, subprocess, sys, tempfile, threading, time

B = os.environ.get("B", "build")
PROGRAM = os.path.join(B, "imgsearch")


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
    return t.Compose([t.Resize(256), t.CenterCrop(224), t.ToTensor(), t.Normalize([.485, .456, .406], [.229, .224, .225])])


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
    read = lambda fs: torch.stack([fit(Image.open(f).convert("RGB")) for f in fs]).to(kind).contiguous(memory_format=torch.channels_last)
    batches = [files[i:i + batch] for i in range(0, len(files), batch)]
    rows = []
    with torch.no_grad(), ThreadPoolExecutor(1) as pool:
        net = torch.fx.experimental.optimization.fuse(network(name, weights)) if hasattr(torch.fx, "experimental") else network(name, weights)
        net = net.to(memory_format=torch.channels_last, dtype=kind)
        net = torch.jit.optimize_for_inference(torch.jit.freeze(torch.jit.trace(net, read(batches[0]))))
        coming = pool.submit(read, batches[0])
        for i in range(len(batches)):
            x, coming = coming.result(), pool.submit(read, batches[i + 1]) if i + 1 < len(batches) else None
            rows.append(net(x).float().numpy())
    return np.concatenate(rows)


def child(how, name, weights, folder, out):
    import numpy as np
    import torch.fx.experimental.optimization  # noqa: F401
    files = sorted(glob.glob(os.path.join(folder, "*")))
    np.save(out, {"home": home_made, "tuned": tuned}[how](name, weights, files))


# ---- the bench ----

def run(command, env=None):
    """Seconds of the process, and the most memory that it had, in bytes, at three moments: a third, two thirds, the end."""
    memory, start = [], time.perf_counter()
    p = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **(env or {})})

    def watch():
        while p.poll() is None:
            try:
                with open(f"/proc/{p.pid}/status") as f:
                    memory.extend(int(line.split()[1]) * 1024 for line in f if line.startswith("VmRSS"))
            except OSError:
                pass
            time.sleep(.05)
    watcher = threading.Thread(target=watch)
    watcher.start()
    out, err = p.communicate()
    seconds = time.perf_counter() - start
    watcher.join()
    if p.returncode:
        sys.exit(f"{' '.join(command)}: {err}")
    at = lambda share: max(memory[:max(1, int(len(memory) * share))], default=0)
    return seconds, out, (at(1 / 3), at(2 / 3), at(1))


def gather(folder, n):
    files = sorted(f for s in ("caltech101", "imagenette", "intel", "flowers") for f in glob.glob(f"../shared/images/{s}/*/*.jpg"))
    random.Random(1).shuffle(files)
    if not files:
        print("# ../shared/images is missing: drawn pictures")
        subprocess.run([os.path.join(B, "tests/tools/draw"), folder], check=True)
        return
    for i in range(n):
        shutil.copy(files[i % len(files)], os.path.join(folder, f"{i:06}.jpg"))
        if i >= len(files):  # other bytes, so that it is no duplicate
            open(os.path.join(folder, f"{i:06}.jpg"), "ab").write(str(i).encode())


def make_weights(name, folder):
    code = ("import torch,torchvision,sys; n=getattr(torchvision.models,sys.argv[1])().eval(); torch.save(n.state_dict(),sys.argv[2]);"
            "torch.jit.script(n).save(sys.argv[3])")
    paths = os.path.join(folder, name + ".pth"), os.path.join(folder, name + "-script.pt")
    subprocess.run([sys.executable, "-c", code, name, *paths], check=True)
    return paths


def index(name, weights, pictures, folder, rounds):
    me = [sys.executable, os.path.abspath(__file__)]
    db, best = os.path.join(folder, name + ".db"), {}
    n = len(os.listdir(pictures))
    for _ in range(rounds):
        for how in "ours", "home", "tuned":
            if how == "ours":
                for f in glob.glob(db + "*"):
                    os.unlink(f)
                command = [PROGRAM, "index", pictures, "--db", db, "--model", name, "--weights", weights, "--no-build", "--no-server", "--json"]
            else:
                command = me + ["--child", how, name, weights, pictures, os.path.join(folder, "out.npy")]
            got = run(command)
            if how not in best or got[0] < best[how][0]:
                best[how] = got
    print(f"{name}: {n} pictures")
    for how, text in ("ours", "imgsearch index"), ("home", "home-made script"), ("tuned", "tuned script"):
        s = best[how][0]
        print(f"  {text:18} {s:7.1f} s {n / s:7.1f} pictures/s" + ("" if how == "ours" else f"   ours is {s / best['ours'][0]:.2f} x as fast"))
    counts = json.loads(best["ours"][1].strip().splitlines()[-1])
    parts = {k: counts[k + "_s"] for k in ("walk", "decode", "network", "store")}
    print("  of the work: " + ", ".join(f"{k} {v / sum(parts.values()):.0%}" for k, v in parts.items()) + " (decode runs beside the network)")
    print("  memory: " + ", ".join(f"{b / 1e6:.0f} MB" for b in best["ours"][2]) + " at most after a third, two thirds, all of the time")
    return db


def median_time(command, times=7):
    return statistics.median(run(command)[0] for _ in range(times))


def queries(name, db, weights, script, pictures, folder):
    new = os.path.join(folder, "new.jpg")
    first = sorted(os.listdir(pictures))[0]
    shutil.copy(os.path.join(pictures, first), new)
    open(new, "ab").write(b"new")
    query = [PROGRAM, "query", "--no-server", "--db", db]
    known = median_time(query + [os.path.join(pictures, first)])
    ours, bare = [], []
    for _ in range(7):  # in turn
        ours.append(run(query + [new])[0])
        bare.append(run([os.path.join(B, "tests/bench/bare"), script, "224"])[0])
    ours, bare = statistics.median(ours), statistics.median(bare)
    print(f"  query, cold: an indexed picture {known * 1e3:.0f} ms; a new one {ours * 1e3:.0f} ms, "
          f"{ours / bare:.2f} x a bare libtorch program ({bare * 1e3:.0f} ms)")


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--pictures", type=int, default=600)
    p.add_argument("--networks", default="resnet50,mobilenet_v2")
    p.add_argument("--rounds", type=int, default=2)
    a = p.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        pictures = os.path.join(folder, "pictures")
        os.mkdir(pictures)
        gather(pictures, a.pictures)
        for name in a.networks.split(","):
            weights, script = make_weights(name, folder)
            db = index(name, weights, pictures, folder, a.rounds)
            queries(name, db, weights, script, pictures, folder)


if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1] == "--child":
        child(*sys.argv[2:])
    else:
        main()
