#!/usr/bin/python3
"""imgsearch train from end to end, with networks of random weights on drawn pictures: what it
writes can be used at once, what was interrupted goes on as if it had not been, and bad folders,
checkpoints, teachers and numbers end with a sentence.
"""

import fcntl
import json
import os
import random
import select
import shutil
import signal
import subprocess
import sys
import tempfile

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

sys.path.insert(0, os.path.join(top, "tests/model"))
from lite_reference import network, random_weights  # noqa: E402

count = failed = 0


def ok(name, good, why=""):
    global count, failed
    count += 1
    failed += not good
    print(("ok" if good else "not ok"), count, "-", name, flush=True)
    if not good:
        print("#", str(why).replace("\n", "\n# "), flush=True)


def imgsearch(*args, **environment):
    env = dict(os.environ, LC_ALL="C", TERM="dumb", IMGSEARCH_DB="index.db")
    env.pop("IMGSEARCH_LIBDIR", None)
    env.update(environment)
    return subprocess.Popen(
        [os.path.join(build, "imgsearch"), *map(str, args)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=env,
    )


def result(process):
    out, err = process.communicate()
    return process.returncode, out, err


def run(*args):
    return result(imgsearch(*args))


def stop(signal_number, step, *args):
    """Starts a training that raises this signal in its step-th step: see stop_shim.c."""
    return imgsearch(
        "train",
        *args,
        IMGSEARCH_LIBDIR=os.path.join(build, "tests", "stop"),
        STOP_SHIM=os.path.join(build, "imgsearch-shim.so"),
        STOP_STEP=str(step),
        STOP_SIGNAL=str(int(signal_number)),
    )


def stopped(*args):
    return result(stop(*args))


def killed_writing(path, process):
    """Kills a process that writes this file; its exit status and the first bytes of the file.

    A named pipe stands in for the file: the process is stuck in the middle of it once it is full.
    """
    os.mkfifo(path)
    pipe = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    began = bool(select.select([pipe], [], [], 120)[0])
    start = os.read(pipe, 1000) if began else b""
    process.kill()
    process.communicate()
    os.close(pipe)
    os.unlink(path)
    return process.returncode, start


def files(prefix):
    return sorted(f for f in os.listdir(".") if f.startswith(prefix))


def draw(folder, n, hue):
    os.makedirs(folder)
    for i in range(n):
        grey = bytes(min(max(int(random.gauss(128, 30)), 0), 255) for _ in range(48 * 40))
        im = Image.frombytes("L", (48, 40), grey).convert("RGB")
        colour = Image.new("RGB", im.size, tuple(int(c) for c in hue))
        Image.blend(im, colour, 0.6).save(f"{folder}/{i}.png")


def refuses(name, want, *args):
    code, out, err = run("train", *args)
    ok(name, code == 3 and want in err, f"{code}: {err}")


def content(path):
    with open(path, "rb") as f:
        return f.read()


def write(path, data):
    with open(path, "wb") as f:
        f.write(data)


def tensor(path, name):
    """Of a .safetensors file, flat."""
    data = content(path)
    size = int.from_bytes(data[:8], "little")
    t = json.loads(data[8 : 8 + size])[name]
    first, end = t["data_offsets"]
    return torch.frombuffer(
        bytearray(data[8 + size + first : 8 + size + end]),
        dtype={"F32": torch.float32, "F16": torch.float16, "I8": torch.int8}[t["dtype"]],
    )


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
    # by the statistics of a new network all features would be alike but for rounding
    for m in net.modules():
        if isinstance(m, torch.nn.BatchNorm2d):
            m.momentum = None
    with torch.no_grad():
        net.train()(torch.randn(64, 3, 32, 32, generator=torch.Generator().manual_seed(1)))
    net.eval()
    torch.save(net.state_dict(), "net.pth")
    model = [
        "--model", "mobilenet_v2", "--weights", "net.pth", "--size", 32, "--precision", "f32",
        "--threads", 1
    ]

    # ---- from labels
    common = [*model, "--batch", 8, "--val", 0.25, "--lr", 0.003, "--epochs", 30, "--patience", 100]
    for loss in "ce", "supcon", "arcface":
        code, out, err = run(
            "train", "set", *common, "--loss", loss, "--json", "-o", loss + ".safetensors"
        )
        r = json.loads(out) if out else {}
        ok(
            f"{loss} learns three colours",
            code == 4 and r.get("validation_accuracy", 0) > 0.6 and r["schema"] == 1,
            f"{code} {out}{err}",
        )
        if loss == "ce":
            ok(
                "classes, pictures and those held out are counted",
                (r.get("classes"), r.get("pictures"), r.get("held_out")) == (3, 36, 9),
                out,
            )
            ok(
                "a broken picture is left out and said, another file is not",
                r.get("failed") == 1 and "broken.png" in err and "notes.txt" not in err,
                err,
            )
    ok(
        "no checkpoint is left",
        not [f for f in os.listdir(".") if "checkpoint" in f or "part" in f],
    )
    # ---- folders that are never trained on
    draw("other/brown", 8, (128, 110, 90))
    draw("other/grey", 8, (120, 110, 98))
    os.symlink("set/green", "link")
    judged = ["set", *model, "--batch", 8, "--val", -1, "--epochs", 3, "--lr", 0.003, "--f32"]
    judged += ["--layers", 2, "--json"]
    held = ["--holdout", "link", "--holdout", "other"]
    code, out, err = run("train", *judged, *held, "-o", "judged.safetensors")
    r = json.loads(out) if out else {}
    curve = r.get("holdout", [])
    ok(
        "a held-out folder, named by a link, is not trained on",
        code == 4 and (r.get("classes"), r.get("pictures")) == (2, 24),
        f"{code} {out}{err}",
    )
    ok(
        "it is judged at the start and after each epoch of three batches",
        [(h["folder"], h["step"]) for h in curve]
        == [(f, s) for s in (0, 3, 6, 9) for f in ("link", "other")],
        out,
    )
    ok(
        "pictures with a class are queries, copies of each picture too",
        [(h["queries"], h["copies"], h["map"] is None) for h in curve[-2:]]
        == [(0, 84, True), (16, 112, False)],
        out,
    )
    run("index", "other", "--model", "judged.safetensors", "--precision", "f32", "--db", "o.db")
    code, out, err = run("eval", "--plain", "--json", "--db", "o.db")
    e = json.loads(out) if out else {}
    ok(
        "eval --plain says the same of the file that was written",
        abs(e.get("map", 9) - curve[-1]["map"]) < 0.01
        and abs(e.get("accuracy", 9) - curve[-1]["accuracy"]) < 0.01,
        f"{out}{err}{curve[-1:]}",
    )
    os.rename("set/green", "green")
    run("train", *judged, "-o", "unjudged.safetensors")
    os.rename("green", "set/green")
    ok(
        "what is written does not depend on it",
        content("judged.safetensors") == content("unjudged.safetensors"),
    )
    for folder, name, want in (
        ("set", "the folder of all pictures", "held out"),
        (".", "a folder above it", "held out"),
        ("nowhere", "a missing folder", "nowhere"),
        ("set/empty", "an empty folder", "fewer than two pictures"),
    ):
        refuses(f"held out: {name}", want, *judged, "--holdout", folder, "-o", "no.safetensors")

    code, out, err = run("index", "set", "--model", "ce.safetensors")
    ok("index --model takes the file", code == 4, err)
    code, out, err = run("query", "set/red/3.png", "-k", 6, "--no-self", "--json")
    hits = [h["path"] for h in json.loads(out)["results"]] if out else []
    ok(
        "and finds by what was learned",
        len(hits) == 6 and sum("/red/" in h for h in hits) >= 5,
        out + err,
    )
    known = {k: tuple(v.shape) for k, v in net.state_dict().items()}
    code, out, err = run("train", "set", *common, "--layers", 2, "--f32", "-o", "last.safetensors")
    size = int.from_bytes(content("last.safetensors")[:8], "little")
    head = json.loads(content("last.safetensors")[8 : 8 + size])
    ok(
        "tensors have torchvision's names and shapes",
        all(known.get(k) == tuple(v["shape"]) for k, v in head.items()),
        head.keys(),
    )
    first = head["features.0.0.weight"]["data_offsets"]
    data = content("last.safetensors")[8 + size :]
    ok(
        "--layers 2 leaves the first layer as it was",
        data[first[0] : first[1]] == net.state_dict()["features.0.0.weight"].numpy().tobytes(),
    )
    last = head["features.18.0.weight"]["data_offsets"]
    ok(
        "and not the last",
        data[last[0] : last[1]] != net.state_dict()["features.18.0.weight"].numpy().tobytes(),
    )

    code, out, err = run(
        "train", "set", *model, "--steps", 1, "--lr", 0.001, "--val", -1, "--f32",
        "-o", "one.safetensors"
    )
    ok(
        "one step is not told as several, nor as a rate",
        "1 step over" in err and "images/s" not in err,
        err,
    )
    step = (
        tensor("one.safetensors", "features.18.0.weight")
        - net.state_dict()["features.18.0.weight"].flatten()
    ).abs()
    ok(
        "AdamW's first step is as long as the learning rate",
        0.00099 < step.median() < 0.00101 and step.max() < 0.00101,
        step.max(),
    )

    for blend in 0, 0.25, 1:
        run(
            "train", "set", *model, "--steps", 3, "--lr", 0.001, "--val", -1, "--f32",
            "--blend", blend, "-o", f"blend{blend}.safetensors"
        )
    name = "features.18.0.weight"
    start, tuned, part, none = net.state_dict()[name].flatten(), *(
        tensor(f"blend{b}.safetensors", name) for b in (0, 0.25, 1)
    )
    ok(
        "--blend 0.25 is a quarter of the way back",
        (part - (0.75 * tuned + 0.25 * start)).abs().max() < 1e-6
        and (tuned - start).abs().max() > 1e-3,
    )
    ok("--blend 1 is the start", torch.equal(none, start))
    same = [
        torch.allclose(tensor("blend1.safetensors", k), net.state_dict()[k].flatten())
        for k in ("features.18.1.running_mean", "features.18.1.running_var")
    ]
    ok("with its running statistics", all(same), same)
    judged = [
        *model, "--batch", 8, "--val", 0.25, "--lr", 0.003, "--epochs", 3, "--patience", 100,
        "--f32"
    ]
    losses = [
        json.loads(
            run("train", "set", *judged, "--blend", b, "--json", "-o", "judged.safetensors")[1]
        )["loss"]
        for b in (0, 0.5)
    ]
    ok("what is judged is blended, what learns is not", losses[0] == losses[1], losses)

    deep = torchvision.models.resnet18()
    torch.save(deep.state_dict(), "deep.pth")
    moved = {}
    for precision in "f32", "bf16":
        run(
            "train", "set", "--model", "resnet18", "--weights", "deep.pth", "--size", 96,
            "--precision", precision, "--batch", 8, "--steps", 1, "--val", -1, "--lr", 0.001,
            "--f32", "-o", "one.safetensors"
        )
        for name in "layer4.0.conv1.weight", "layer4.1.conv2.weight":
            moved[precision, name] = (
                tensor("one.safetensors", name) - deep.state_dict()[name].flatten()
            )
    for name in "layer4.0.conv1.weight", "layer4.1.conv2.weight":
        same = (moved["f32", name] * moved["bf16", name] > 0).float().mean()
        ok(f"bf16's gradients point where f32's do, {name}", same > 0.8, same)

    # ---- interrupted
    long = [*model, "--batch", 8, "--val", -1, "--steps", 14, "--seed", 5, "--f32"]
    code, out, err = run("train", "set", *long, "-o", "whole.safetensors")
    ok("a run without validation ends", code == 4, err)
    whole = content("whole.safetensors")
    code, out, err = stopped(signal.SIGINT, 4, "set", *long, "-o", "parts.safetensors")
    ok(
        "an interrupted run ends with 130 and leaves a checkpoint, no result",
        code == 130 and files("parts") == ["parts.safetensors.checkpoint"],
        f"{code} {err}",
    )
    kept = content("parts.safetensors.checkpoint")
    refuses(
        "a leftover checkpoint is not overwritten unasked",
        "--resume",
        "set",
        *long,
        "-o",
        "parts.safetensors",
    )
    refuses(
        "that of another run is refused",
        "another run",
        "set",
        *long,
        "--seed",
        6,
        "-o",
        "parts.safetensors",
        "--resume",
    )
    write("parts.safetensors.checkpoint", kept[: len(kept) // 2])
    refuses(
        "half a checkpoint is refused",
        "parts.safetensors.checkpoint",
        "set",
        *long,
        "-o",
        "parts.safetensors",
        "--resume",
    )
    write("parts.safetensors.checkpoint", kept)
    # Four steps are done; the run that goes on makes the other ten and no more.
    code, out, err = stopped(
        signal.SIGKILL, 11, "set", *long, "-o", "parts.safetensors", "--resume"
    )
    ok("it goes on from there", code == 4, f"{code} {err}")
    ok("to the same bytes as without a stop", content("parts.safetensors") == whole)

    # ---- killed: while a checkpoint is written over an older one, and at a step
    stopped(signal.SIGINT, 3, "set", *long, "-o", "killed.safetensors")
    kept = content("killed.safetensors.checkpoint")
    part = "killed.safetensors.checkpoint.part"
    code, start = killed_writing(
        part, stop(signal.SIGINT, 2, "set", *long, "-o", "killed.safetensors", "--resume")
    )
    ok(
        "a run is killed while it writes a checkpoint",
        code == -signal.SIGKILL and len(start) > 8,
        f"{code} {len(start)}",
    )
    ok("which leaves the old one", content("killed.safetensors.checkpoint") == kept)
    write(part, start)
    code, out, err = stopped(
        signal.SIGKILL, 3, "set", *long, "-o", "killed.safetensors", "--resume"
    )
    ok("a run is killed at a step", code == -signal.SIGKILL, f"{code} {err}")
    code, out, err = run("train", "set", *long, "-o", "killed.safetensors", "--resume")
    ok(
        "after kills it goes on, to the same bytes",
        code == 4 and content("killed.safetensors") == whole,
        err,
    )
    ok(
        "and leaves nothing behind",
        files("killed") == ["killed.json", "killed.safetensors"],
        files("killed"),
    )

    # a run whose numbers go wrong keeps what is there
    size = int.from_bytes(kept[:8], "little")
    head = json.loads(kept[8 : 8 + size])
    first, end = (8 + size + at for at in head["value.features.0.0.weight"]["data_offsets"])
    wrong = kept[:first] + b"\xff\xff\xff\x7f" * ((end - first) // 4) + kept[end:]
    write("wrong.safetensors.checkpoint", wrong)
    refuses(
        "a loss that is no number stops the run",
        "not a number",
        "set",
        *long,
        "-o",
        "wrong.safetensors",
        "--resume",
    )
    ok(
        "and leaves the checkpoint as it was, and no result",
        content("wrong.safetensors.checkpoint") == wrong
        and files("wrong") == ["wrong.safetensors.checkpoint"],
        files("wrong"),
    )

    # ---- bad input
    os.makedirs("one/a"), os.makedirs("single/a"), os.makedirs("none")
    for i in range(3):
        os.link(f"set/red/{i}.png", f"one/a/{i}.png")
    os.link("set/red/0.png", "single/a/0.png")
    for name in "red", "blue":
        os.makedirs("few/" + name)
        for i in range(3):
            os.link(f"set/{name}/{i}.png", f"few/{name}/{i}.png")
    refuses("one class", "two", "one", *model, "-o", "bad.safetensors")
    refuses("one picture", "too few", "single", *model, "-o", "bad.safetensors")
    os.makedirs("folder.safetensors")
    for name, want, out in (
        ("a name that no model can have", ".safetensors", "e.bin"),
        ("a folder that is not there", "No such file", "away/e.safetensors"),
        ("a file for a folder", "Not a directory", "net.pth/e.safetensors"),
        ("a folder for a file", "folder", "folder.safetensors"),
    ):
        refuses(
            f"the result's place: {name}", want, "none", *model, "-o", out
        )  # before it sees that there is no picture
    for batch in 2, 7:
        refuses(
            f"supcon in batches of {batch}",
            "8 pictures",
            "none",
            *model,
            "--loss",
            "supcon",
            "--batch",
            batch,
            "-o",
            "bad.safetensors",
        )
    refuses(
        "supcon of fewer than 8 pictures",
        "8 pictures",
        "few",
        *model,
        "--loss",
        "supcon",
        "-o",
        "bad.safetensors",
    )
    refuses("no picture", "too few", "none", *model, "-o", "bad.safetensors")
    refuses("no such folder", "nowhere", "nowhere", *model, "-o", "bad.safetensors")
    for i in range(3000):
        os.makedirs(f"many/{i}")
        os.link("set/red/0.png", f"many/{i}/0.png")
    code, out, err = run(
        "train", "many", *model, "--steps", 3, "--batch", 16, "--json", "-o", "many.safetensors"
    )
    ok(
        "thousands of classes, of one picture each",
        code == 0 and json.loads(out)["classes"] == 3000,
        out + err,
    )
    os.makedirs("broken/a"), os.makedirs("broken/b")
    for c in "ab":
        for i in range(2):
            with open(f"broken/{c}/{i}.png", "wb") as f:
                f.write(content("set/red/0.png")[: 60 + i])
    refuses(
        "nothing but broken pictures", "can be decoded", "broken", *model, "-o", "bad.safetensors"
    )
    before = content("ce.safetensors")
    state = net.state_dict()
    state["features.5.conv.0.0.weight"] = (
        state["features.5.conv.0.0.weight"].clone().fill_(float("nan"))
    )
    torch.save(state, "nan.pth")
    refuses(
        "weights that are no numbers",
        "features.5.conv.0.0.weight has values that are not finite",
        "set",
        "--model",
        "mobilenet_v2",
        "--weights",
        "nan.pth",
        "--size",
        32,
        "-o",
        "ce.safetensors",
    )
    ok("what was there before is kept", content("ce.safetensors") == before)

    # ---- from teachers
    class Teacher(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = torch.nn.Conv2d(3, 24, 7, 4)

        def forward(self, x):
            return self.conv(x).relu().mean((2, 3))

    torch.jit.script(Teacher().half()).save("teacher.pt")
    # Five crops are for an index: training makes views of its own.
    with open("teacher.json", "w") as f:
        json.dump(
            {
                "name": "tiny",
                "network": "script",
                "resize": 64,
                "crop": 48,
                "dim": 24,
                "crops": 5,
            },
            f,
        )
    distil = [
        "--model", "ce.safetensors", *model[4:], "--batch", 8, "--dim", 4, "--epochs", 12,
        "--lr", 0.001
    ]
    code, out, err = run(
        "train", "set", *distil, "--distill", "ce.safetensors,teacher.pt", "--json",
        "-o", "student.safetensors"
    )
    r = json.loads(out) if out else {}
    ok(
        "a student of two teachers",
        code == 4 and r.get("dim") == 4 and r.get("validation_accuracy", 0) > 0.5,
        f"{code} {out}{err}",
    )
    with open("student.json") as f:
        card = json.load(f)
    ok(
        "its card",
        card["dim"] == 4
        and card["projection"] is True
        and card["crop"] == 32
        and "tiny" in card["descent"],
        card,
    )
    code, out, err = run("index", "set", "--model", "student.safetensors", "--db", "student.db")
    ok("can be used at once", code == 4, err)
    code, out, err = run(
        "train", "one", *distil, "--distill", "teacher.pt", "-o", "plain.safetensors"
    )
    ok("no classes are needed", code == 0, err)
    code, out, err = run(
        "train", "set", *distil, "--distill", "teacher.pt", "--labels", 0.5,
        "-o", "labelled.safetensors"
    )
    ok("classes may help", code == 4, err)
    code, out, err = run(
        "train", "set", *model, "--batch", 8, "--dim", 4, "--steps", 6, "--posteriors", "--int8",
        "--distill", "teacher.pt", "-o", "classes.safetensors"
    )
    size = int.from_bytes(content("classes.safetensors")[:8], "little")
    head = json.loads(content("classes.safetensors")[8 : 8 + size])
    ok(
        "what the network knows of its classes stays, in eight bits",
        code == 4
        and head["posterior.weight"]["shape"] == [1000, 1280]
        and head["posterior.weight"]["dtype"] == "I8"
        and head["posterior.weight_scale"]["shape"] == [1000]
        and head["project.weight"]["shape"] == [4, 2280],
        err,
    )
    ok("small matrices keep sixteen", head["features.1.conv.0.0.weight"]["dtype"] == "F16")
    code, out, err = run("index", "set", "--model", "classes.safetensors", "--db", "classes.db")
    ok("such a network can be used at once", code == 4, err)
    code, out, err = run(
        "train", "set", "--model", "classes.safetensors", *model[4:], "--batch", 8, "--steps", 3,
        "--distill", "teacher.pt", "-o", "again.safetensors"
    )
    ok("and be tuned on", code == 4, err)
    kept = [
        "--model", "ce.safetensors", *model[4:], "--batch", 8, "--dim", 4, "--steps", 2, "--val",
        -1, "--views", 3, "--whole", "--together", 2, "--f32", "--distill", "teacher.pt"
    ]
    run("train", "set", *kept, "-o", "removed.safetensors")
    run("train", "set", *kept, "--teach", "kept.teach", "-o", "kept.safetensors")
    row = 16 + 24 * 4
    ok(
        "what teachers say is kept where asked: 37 pictures, one of them damaged, 3 views",
        os.path.getsize("kept.teach") == 64 + 37 * 3 * row and not files("removed.safetensors.t"),
        files("kept") + files("removed"),
    )
    ok(
        "the same bytes with a file of one's own",
        content("kept.safetensors") == content("removed.safetensors"),
    )
    before = content("kept.teach")
    part = ["set", *kept, "--holdout", "set/red"]
    run("train", *part, "--teach", "kept.teach", "-o", "part.safetensors")
    ok("a run on some of the pictures takes what is there", content("kept.teach") == before)
    run("train", *part, "-o", "alone.safetensors")
    ok(
        "... and has the same bytes as one that asks the teachers itself",
        content("part.safetensors") == content("alone.safetensors"),
    )
    write("kept.teach", before[: 64 + 50 * row - 7])
    run("train", "set", *kept, "--teach", "kept.teach", "-o", "again.safetensors")
    ok(
        "a file cut off in a row is completed",
        content("again.safetensors") == content("kept.safetensors")
        and len(content("kept.teach")) == len(before),
    )
    run("train", "set", *kept, "--teach", "kept.teach", "--seed", 2, "-o", "seed.safetensors")
    ok(
        "other crops begin it anew",
        len(content("kept.teach")) == len(before) and content("kept.teach") != before,
    )
    with open("kept.teach", "r+b") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        refuses(
            "a file that another run writes",
            "another run is writing it",
            "set", *kept, "--teach", "kept.teach", "-o", "busy.safetensors",
        )
    refuses(
        "more views together than there are", "whole number of pictures", "set", *kept,
        "--views", 1, "-o", "bad.safetensors",
    )
    refuses(
        "a batch with part of a picture", "whole number of pictures", "set", *kept,
        "--batch", 9, "-o", "bad.safetensors",
    )
    start = ["--model", "ce.safetensors", *model[4:], "--f32", "--val", -1, "--lr", 1e-8]
    run("train", "set", *start, "--steps", 1, "--batch", 8, "--fold", "-o", "folded.safetensors")
    size = int.from_bytes(content("folded.safetensors")[:8], "little")
    head = json.loads(content("folded.safetensors")[8 : 8 + size])
    ok(
        "--fold: batch norms are part of the convolutions",
        "features.0.0.bias" in head and not [k for k in head if "running" in k],
        sorted(head)[:9],
    )
    shown = []
    for name in "ce", "folded":
        run(
            "extract", "set/red/1.png", "set/blue/1.png", "--model", name + ".safetensors",
            "--precision", "f32", "--raw", "-o", "shown.npy"
        )
        shown.append(torch.frombuffer(bytearray(content("shown.npy")[-2 * 1280 * 4 :]),
                                      dtype=torch.float32))
    ok(
        "... and the features are the same",
        (shown[0] - shown[1]).abs().max() < 0.01 * shown[0].abs().max(),
        shown,
    )
    # The statistics of noise: with those of a new network the maps vanish on the way.
    noisy = torchvision.models.mobilenet_v2()
    for module in noisy.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1
    with torch.no_grad():
        noisy.train()(torch.randn(64, 3, 32, 32))
    noisy.eval()
    torch.save(noisy.state_dict(), "noisy.pth")
    inner = [
        "set", "--model", "mobilenet_v2", "--weights", "noisy.pth", "--resize", 32, "--crop", 32,
        "--precision", "f32", "--threads", 1, "--batch", 8, "--steps", 1, "--lr", 1e-8, "--val", -1,
        "--fold", "--f32", "--distill", "teacher.pt", "--dim", 40, "--inner", 0.4, "--power", 0.5
    ]
    code, out, err = run("train", *inner, "--own", 1, "-o", "inner.safetensors")
    weight = tensor("inner.safetensors", "inner.weight")
    ok(
        "inner maps: the last blocks of the third, fourth and fifth stage",
        code == 4 and [i for i in range(17) if weight[i] > 0] == [5, 9, 12],
        f"{code} {err} {weight}",
    )
    refuses(
        "without the student's own features there are too few values",
        "which is less than 40", *inner, "-o", "bad.safetensors",
    )
    shown = Image.open("set/red/1.png").convert("RGB").crop((4, 4, 36, 36))
    shown.save("shown.png")
    x = torch.frombuffer(bytearray(shown.tobytes()), dtype=torch.uint8).view(1, 32, 32, 3)
    x = x.permute(0, 3, 1, 2).float() / 255 - torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
    x, parts = x / torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1), []
    with torch.no_grad():
        for i, block in enumerate(noisy.features):
            x = block(x)
            if i in (6, 10, 13, 18):
                mean = x.mean((2, 3))
                mean = torch.nn.functional.normalize(mean.sqrt() if i == 18 else mean)
                parts.append(mean if i == 18 else mean * 0.4)
    row = torch.cat(parts[-1:] + parts[:-1], 1)
    layer = tensor("inner.safetensors", "project.weight").view(40, -1)
    want = (row @ layer.T + tensor("inner.safetensors", "project.bias"))[0]
    run(
        "extract", "shown.png", "--model", "inner.safetensors", "--precision", "f32", "--raw",
        "-o", "shown.npy"
    )
    got = torch.frombuffer(bytearray(content("shown.npy")[-40 * 4 :]), dtype=torch.float32)
    ok(
        "... their means lie beside the last one's root, as torchvision has them",
        torch.nn.functional.cosine_similarity(want, got, 0) > 0.9999
        and (want - got).abs().max() < 1e-3 * want.abs().max(),
        (want, got),
    )
    refuses(
        "inner maps without a layer for them", "need a linear layer", "set", *model, "--inner", 1,
        "-o", "bad.safetensors",
    )
    refuses(
        "a power without a layer for it", "need a linear layer", "set", *model, "--power", 0.5,
        "-o", "bad.safetensors",
    )
    same = [
        *model, "--batch", 8, "--dim", 4, "--steps", 2, "--posteriors", "--distill", "teacher.pt",
        "--val", -1
    ]
    for kind in "f32", "int8":
        run("train", "set", *same, "--" + kind, "-o", kind + ".safetensors")
    for name, rows in (
        ("features.18.0.weight", 1280),
        ("features.0.0.weight", 32),
        ("posterior.weight", 1000),
    ):
        whole, small = (
            tensor(kind + ".safetensors", name).float().view(rows, -1) for kind in ("f32", "int8")
        )
        if name != "features.0.0.weight":
            scale = tensor("int8.safetensors", name + "_scale").unsqueeze(1)
            good = ((small * scale - whole).abs() <= scale * 0.5001).all() and (
                small.abs().amax(1) == 127
            ).all()
        else:
            good = (small - whole).abs().max() <= 0.001 * whole.abs().max()
        ok(f"eight bits are as near as they can be: {name}", good)
    more = ["set", *same, "--steps", 5, "-o", "stopped.safetensors"]
    code, out, err = stopped(signal.SIGINT, 2, *more)
    ok("a run with posteriors is interrupted", code == 130, f"{code} {err}")
    without = [o for o in more if o != "--posteriors"]
    refuses(
        "a checkpoint of a run with posteriors, without them", "another run", *without, "--resume"
    )
    for other in (
        ["--blend", 0.5],
        ["--int8"],
        ["--resize", 64],
        ["--mean", "0,0,0", "--std", "1,1,1"],
    ):
        refuses(f"and with {other[0]}", "another run", *more, "--resume", *other)
    code, out, err = run("train", *more, "--resume")
    ok("a run with posteriors goes on", code == 4, f"{code} {err}")
    run("train", *more[:-1], "unstopped.safetensors")
    ok("to the same bytes", content("stopped.safetensors") == content("unstopped.safetensors"))
    state = net.state_dict() | {
        "project.weight": torch.zeros(4, 1280),
        "project.bias": torch.zeros(4),
    }
    torch.save(state, "both.pth")
    refuses(
        "posteriors behind a projection made without",
        "without posteriors",
        "set",
        "--model",
        "mobilenet_v2",
        "--weights",
        "both.pth",
        *model[4:],
        "--dim",
        4,
        "--posteriors",
        "--distill",
        "teacher.pt",
        "-o",
        "bad.safetensors",
    )
    refuses(
        "posteriors without a layer for them",
        "dim",
        "set",
        *model,
        "--posteriors",
        "-o",
        "bad.safetensors",
    )
    shutil.copy("both.pth", "pooled.pth")
    with open("pooled.json", "w") as f:
        json.dump({"network": "mobilenet_v2", "pooling": "gem"}, f)
    refuses(
        "another pooling than the network's own",
        "own pooling",
        "set",
        "--weights",
        "pooled.pth",
        *model[4:],
        "-o",
        "bad.safetensors",
    )
    refuses(
        "posteriors of weights without a classifier",
        "no classifier",
        "set",
        *distil,
        "--posteriors",
        "--distill",
        "teacher.pt",
        "-o",
        "bad.safetensors",
    )
    refuses(
        "8 and 32 bits at once",
        "not in both",
        "set",
        *model,
        "--int8",
        "--f32",
        "-o",
        "bad.safetensors",
    )
    refuses(
        "more values than the teachers have",
        "less than 4000",
        "set",
        *model,
        "--dim",
        4000,
        "--distill",
        "teacher.pt",
        "-o",
        "bad.safetensors",
    )
    refuses(
        "classes are taught as well",
        "have 2280 values",
        "set",
        *model,
        "--dim",
        4000,
        "--distill",
        "mobilenet_v2=net.pth",
        "-o",
        "bad.safetensors",
    )
    with open("other.json", "w") as f:
        json.dump({"name": "other", "network": "script", "resize": 64, "crop": 48, "dim": 30}, f)
    os.link("teacher.pt", "other.pt")
    refuses(
        "a teacher whose card says another dimension",
        "30",
        "set",
        *distil,
        "--distill",
        "other.pt",
        "-o",
        "bad.safetensors",
    )
    refuses(
        "a teacher that is not there",
        "nobody.pt",
        "set",
        *model,
        "--distill",
        "nobody.pt",
        "-o",
        "bad.safetensors",
    )

    # ---- EfficientNet-Lite, in half precision and with the names of efficientnet_pytorch
    with torch.no_grad():
        state = random_weights(network(0, timm=False), torch.rand(8, 3, 48, 48) * 2 - 1)
    state |= {"_fc.weight": torch.randn(10, 1280), "_fc.bias": torch.randn(10)}
    torch.save({k: v.half() for k, v in state.items()}, "lite.pth")
    lite = [
        "--model", "efficientnet_lite0", "--weights", "lite.pth", "--size", 48, "--batch", 8,
        "--lr", 0.001
    ]
    code, out, err = run(
        "train", "set", *lite, "--epochs", 20, "--patience", 100, "--val", 0.25, "--json",
        "-o", "lite.safetensors"
    )
    r = json.loads(out) if out else {}
    ok(
        "EfficientNet-Lite learns the classes",
        code == 4 and r.get("validation_accuracy", 0) > 0.6,
        f"{code} {out}{err}",
    )
    kept = b"\"_blocks.1._depthwise_conv.weight\"" in content("lite.safetensors")
    ok("under the names it had", kept)
    with open("lite.json") as f:
        card = json.load(f)
    ok(
        "and with its own recipe",
        card["network"] == "efficientnet_lite0"
        and card["interpolation"] == "bicubic"
        and card["mean"] == [0.498039] * 3
        and card["std"] == [0.501961] * 3,
        card,
    )
    code, out, err = run("index", "set", "--model", "lite.safetensors", "--db", "lite.db")
    ok("can be used at once", code == 4, err)
    code, out, err = run(
        "train", "set", *lite, "--steps", 6, "--dim", 4, "--posteriors", "--int8", "--distill",
        "efficientnet_lite0=lite.pth", "-o", "lite_student.safetensors"
    )
    ok("it is a student and a teacher, with class probabilities", code == 4, err)
    code, out, err = run(
        "index", "set", "--model", "lite_student.safetensors", "--db", "lite_student.db"
    )
    ok("the student can be used at once", code == 4, err)
    refuses(
        "the probabilities of a teacher in half precision count",
        "have 1290 values",
        "set",
        *model,
        "--dim",
        4000,
        "--distill",
        "efficientnet_lite0=lite.pth",
        "-o",
        "bad.safetensors",
    )

    # ---- the large networks that people tune
    for name, options in ("efficientnet_b5", []), ("resnet152", ["--layers", 2]):
        torch.save(getattr(torchvision.models, name)().state_dict(), name + ".pth")
        code, out, err = run(
            "train", "set", "--model", name, "--weights", name + ".pth", *options, "--size", 64,
            "--batch", 8, "--epochs", 1, "-o", name + "_tuned.safetensors"
        )
        good = code == 4
        code, out, err = (
            run("index", "set", "--model", name + "_tuned.safetensors", "--db", name + ".db")
            if good
            else (code, out, err)
        )
        hits = json.loads(
            run("query", "set/red/3.png", "--db", name + ".db", "--json")[1] or '{"results": []}'
        )["results"]
        ok(f"{name} is tuned, indexes and finds", good and code == 4 and len(hits) == 10, err)
        os.remove(name + ".pth")
    os.chdir(top)
print(f"1..{count}")
sys.exit(failed != 0)
