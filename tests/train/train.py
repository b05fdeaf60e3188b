#!/usr/bin/python3
"""imgsearch train from end to end, with networks of random weights on drawn pictures: what it writes can be used at once,
what was interrupted goes on as if it had not been, and bad folders, checkpoints, teachers and numbers end with a sentence."""
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time

top = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
build = os.environ.get("B", os.path.join(top, "build"))
if not os.path.isabs(build):
    build = os.path.join(top, build)
if not os.path.exists(os.path.join(build, "imgsearch-shim.so")):
    print("1..0 # SKIP the shim is not built (libtorch is missing)")
    sys.exit(0)
try:
    import torch
    import torchvision
    from PIL import Image
except ImportError as e:
    print("1..0 # SKIP", e)
    sys.exit(0)

count = failed = 0


def ok(name, good, why=""):
    global count, failed
    count += 1
    failed += not good
    print(("ok" if good else "not ok"), count, "-", name, flush=True)
    if not good:
        print("#", str(why).replace("\n", "\n# "), flush=True)


def imgsearch(*args, **kw):
    env = dict(os.environ, LC_ALL="C", TERM="dumb", IMGSEARCH_DB="index.db")
    env.pop("IMGSEARCH_LIBDIR", None)
    return subprocess.Popen([os.path.join(build, "imgsearch"), *map(str, args)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env, **kw)


def run(*args):
    p = imgsearch(*args)
    out, err = p.communicate()
    return p.returncode, out, err


def draw(folder, n, hue):
    os.makedirs(folder)
    for i in range(n):
        im = Image.effect_noise((48, 40), 30).convert("RGB")
        colour = Image.new("RGB", im.size, tuple(int(c) for c in hue))
        Image.blend(im, colour, 0.6).save(f"{folder}/{i}.png")


def refuses(name, want, *args):
    code, out, err = run("train", *args)
    ok(name, code == 3 and want in err, f"{code}: {err}")


def content(path):
    with open(path, "rb") as f:
        return f.read()


random.seed(1)
torch.manual_seed(1)
with tempfile.TemporaryDirectory() as work:
    os.chdir(work)
    for name, hue in ("red", (255, 0, 0)), ("green", (0, 200, 0)), ("blue", (0, 0, 255)):
        draw("set/" + name, 12, hue)
    os.mkdir("set/empty")
    with open("set/red/broken.png", "wb") as f:
        f.write(content("set/red/0.png")[:200])
    with open("set/notes.txt", "w") as f:
        f.write("no picture\n")
    net = torchvision.models.mobilenet_v2()
    torch.save(net.state_dict(), "net.pth")
    model = ["--model", "mobilenet_v2", "--weights", "net.pth", "--size", 32, "--precision", "f32", "--threads", 1]

    # ---- from labels
    common = [*model, "--batch", 8, "--val", 0.25, "--lr", 0.003, "--epochs", 30, "--patience", 100]
    for loss in "ce", "supcon", "arcface":
        code, out, err = run("train", "set", *common, "--loss", loss, "--json", "-o", loss + ".safetensors")
        r = json.loads(out) if out else {}
        ok(f"{loss} learns three colours", code == 4 and r.get("validation_accuracy", 0) > 0.8 and r["schema"] == 1, f"{code} {out}{err}")
        if loss == "ce":
            ok("classes, pictures and those held out are counted", (r.get("classes"), r.get("pictures"), r.get("held_out")) == (3, 36, 9), out)
            ok("a broken picture is left out and said, another file is not", r.get("failed") == 1 and "broken.png" in err and "notes.txt" not in err, err)
    ok("no checkpoint is left", not [f for f in os.listdir(".") if "checkpoint" in f or "part" in f])
    code, out, err = run("index", "set", "--model", "ce.safetensors")
    ok("index --model takes the file", code in (0, 4), err)
    code, out, err = run("query", "set/red/3.png", "-k", 6, "--no-self", "--json")
    hits = [h["path"] for h in json.loads(out)["results"]] if out else []
    ok("and finds by what was learned", len(hits) == 6 and sum("/red/" in h for h in hits) >= 5, out + err)
    known = {k: tuple(v.shape) for k, v in net.state_dict().items()}
    code, out, err = run("train", "set", *common, "--layers", 2, "--f32", "-o", "last.safetensors")
    size = int.from_bytes(content("last.safetensors")[:8], "little")
    head = json.loads(content("last.safetensors")[8:8 + size])
    ok("tensors have torchvision's names and shapes", all(known.get(k) == tuple(v["shape"]) for k, v in head.items()), head.keys())
    first = head["features.0.0.weight"]["data_offsets"]
    data = content("last.safetensors")[8 + size:]
    ok("--layers 2 leaves the first layer as it was", data[first[0]:first[1]] == net.state_dict()["features.0.0.weight"].numpy().tobytes())
    last = head["features.18.0.weight"]["data_offsets"]
    ok("and not the last", data[last[0]:last[1]] != net.state_dict()["features.18.0.weight"].numpy().tobytes())

    # ---- interrupted
    long = [*model, "--batch", 8, "--val", -1, "--steps", 60, "--seed", 5, "--f32"]
    code, out, err = run("train", "set", *long, "-o", "whole.safetensors")
    ok("a run without validation ends", code == 4, err)
    p = imgsearch("train", "set", *long, "-o", "parts.safetensors", "-v")
    time.sleep(2)
    p.send_signal(signal.SIGINT)
    out, err = p.communicate()
    stopped = os.path.exists("parts.safetensors.checkpoint")
    ok("an interrupted run leaves a checkpoint", p.returncode == 130 and stopped or p.returncode == 4, f"{p.returncode} {err}")
    if stopped:
        kept = content("parts.safetensors.checkpoint")
        refuses("a leftover checkpoint is not overwritten unasked", "--resume", "set", *long, "-o", "parts.safetensors")
        refuses("that of another run is refused", "another run", "set", *long, "--seed", 6, "-o", "parts.safetensors", "--resume")
        with open("parts.safetensors.checkpoint", "wb") as f:
            f.write(kept[:len(kept) // 2])
        refuses("half a checkpoint is refused", "parts.safetensors.checkpoint", "set", *long, "-o", "parts.safetensors", "--resume")
        with open("parts.safetensors.checkpoint.part", "wb") as f:
            f.write(kept[:1000])  # as a kill in the middle of writing leaves it
        with open("parts.safetensors.checkpoint", "wb") as f:
            f.write(kept)
        code, out, err = run("train", "set", *long, "-o", "parts.safetensors", "--resume")
        ok("it goes on from there", code == 4, err)
    ok("to the same bytes as without a stop", content("whole.safetensors") == content("parts.safetensors"))

    # ---- bad input
    os.makedirs("one/a"), os.makedirs("single/a"), os.makedirs("none")
    for i in range(3):
        os.link(f"set/red/{i}.png", f"one/a/{i}.png")
    os.link("set/red/0.png", "single/a/0.png")
    refuses("one class", "two", "one", *model, "-o", "bad.safetensors")
    refuses("one picture", "too few", "single", *model, "-o", "bad.safetensors")
    refuses("no picture", "too few", "none", *model, "-o", "bad.safetensors")
    refuses("no such folder", "nowhere", "nowhere", *model, "-o", "bad.safetensors")
    for i in range(200):
        os.makedirs(f"many/{i}")
        os.link("set/red/0.png", f"many/{i}/0.png")
    code, out, err = run("train", "many", *model, "--epochs", 1, "--batch", 16, "-o", "many.safetensors")
    ok("as many classes as pictures", code == 0, err)
    state = net.state_dict()
    state["features.5.conv.0.0.weight"] = state["features.5.conv.0.0.weight"].clone().fill_(float("nan"))
    torch.save(state, "nan.pth")
    before = content("ce.safetensors")
    refuses("weights that are no numbers", "not a number", "set", "--model", "mobilenet_v2", "--weights", "nan.pth", "--size", 32, "-o", "ce.safetensors")
    ok("what was there before is kept", content("ce.safetensors") == before)

    # ---- from teachers
    class Teacher(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = torch.nn.Conv2d(3, 24, 7, 4)

        def forward(self, x):
            return self.conv(x).relu().mean((2, 3))

    torch.jit.script(Teacher().half()).save("teacher.pt")
    with open("teacher.json", "w") as f:
        json.dump({"name": "tiny", "network": "script", "resize": 64, "crop": 48, "dim": 24}, f)
    distil = ["--model", "ce.safetensors", *model[4:], "--batch", 8, "--dim", 4, "--epochs", 12, "--lr", 0.001]
    code, out, err = run("train", "set", *distil, "--distill", "ce.safetensors,teacher.pt", "--json", "-o", "student.safetensors")
    r = json.loads(out) if out else {}
    ok("a student of two teachers", code == 4 and r.get("dim") == 4 and r.get("validation_accuracy", 0) > 0.5, f"{code} {out}{err}")
    with open("student.json") as f:
        card = json.load(f)
    ok("its card", card["dim"] == 4 and card["projection"] is True and card["crop"] == 32 and "tiny" in card["descent"], card)
    code, out, err = run("index", "set", "--model", "student.safetensors", "--db", "student.db")
    ok("can be used at once", code in (0, 4), err)
    code, out, err = run("train", "one", *distil, "--distill", "teacher.pt", "-o", "plain.safetensors")
    ok("no classes are needed", code == 0, err)
    code, out, err = run("train", "set", *distil, "--distill", "teacher.pt", "--labels", 0.5, "-o", "labelled.safetensors")
    ok("classes may help", code == 4, err)
    refuses("more values than the teachers have", "less than 4000", "set", *model, "--dim", 4000, "--distill", "teacher.pt", "-o", "bad.safetensors")
    refuses("classes are taught as well", "have 2280 values", "set", *model, "--dim", 4000, "--distill", "mobilenet_v2=net.pth", "-o", "bad.safetensors")
    refuses("a teacher that is not there", "nobody.pt", "set", *model, "--distill", "nobody.pt", "-o", "bad.safetensors")
    os.chdir(top)
print(f"1..{count}")
sys.exit(failed != 0)
