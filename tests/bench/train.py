#!/usr/bin/python3
"""make bench-train: images/s of a training step (forward, backward, AdamW) of imgsearch train
against the same network, batch and precision in python3-torch, in turns; the median of each.
MobileNetV2 with its batch norm folded (as one tunes the weights that exist so) and ResNet-50 with
batch norm that learns. Weights are random: they do not change the speed.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

import torch
import torchvision
from PIL import Image

build = os.path.abspath(os.environ.get("B", "build"))
rounds, steps = int(os.environ.get("ROUNDS", 5)), int(os.environ.get("STEPS", 6))
threads = int(os.environ.get("THREADS", len(os.sched_getaffinity(0))))
torch.set_num_threads(threads)


class Clamp(torch.nn.Module):
    """ReLU6 whose backward exists in bfloat16 on the CPU."""

    def forward(self, x):
        return x.clamp(0, 6)


def fold(net):
    """Batch norms into the convolutions before them."""
    for parent in list(net.modules()):
        children = list(parent.named_children())
        for (a, conv), (b, norm) in zip(children, children[1:]):
            if isinstance(conv, torch.nn.Conv2d) and isinstance(norm, torch.nn.BatchNorm2d):
                setattr(
                    parent, a, torch.nn.utils.fusion.fuse_conv_bn_eval(conv.eval(), norm.eval())
                )
                setattr(parent, b, torch.nn.Identity())
    return net


def state_of(net):
    """torchvision's names, of a network whose norms may have been folded."""
    return {k: v for k, v in net.state_dict().items() if not k.startswith(("fc.", "classifier."))}


def python_rate(net, batch, side, bf16):
    net.train().to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(net.parameters(), lr=1e-4)
    x = torch.rand(batch, 3, side, side).contiguous(memory_format=torch.channels_last)
    y = torch.arange(batch) % 10
    for i in range(steps + 1):
        if i == 1:
            start = time.perf_counter()
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            loss = torch.nn.functional.cross_entropy(net(x), y, label_smoothing=0.1)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        loss.item()
    return steps * batch / (time.perf_counter() - start)


def our_rate(name, weights, batch, side, bf16):
    out = subprocess.run(
        [
            f"{build}/imgsearch",
            "train",
            "set",
            "--model",
            name,
            "--weights",
            weights,
            "--size",
            str(side),
            "--batch",
            str(batch),
            "--steps",
            str(steps + 1),
            "--val",
            "-1",
            "--precision",
            "bf16" if bf16 else "f32",
            "--threads",
            str(threads),
            "--restart",
            "--json",
            "-o",
            "out.safetensors",
        ],
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ).stdout
    return json.loads(out)["images_per_second"]


def swap_clamp(net):
    for m in net.modules():
        for k, child in m.named_children():
            if isinstance(child, torch.nn.ReLU6):
                setattr(m, k, Clamp())
    return net


bad = 0
with tempfile.TemporaryDirectory() as work:
    os.chdir(work)
    for c in range(10):
        os.makedirs(f"set/{c}")
        for i in range(4):
            Image.effect_noise((64, 64), 50 + c).convert("RGB").save(f"set/{c}/{i}.png")
    for name, make, batch, side in (
        "mobilenet_v2",
        lambda: fold(torchvision.models.mobilenet_v2(num_classes=10)),
        32,
        168,
    ), ("resnet50", lambda: torchvision.models.resnet50(num_classes=10), 16, 160):
        net = make()
        torch.save(state_of(net), name + ".pth")
        for bf16 in (False, True):
            if bf16:
                net = swap_clamp(net)
            theirs, ours = [], []
            for _ in range(rounds):
                theirs.append(python_rate(net, batch, side, bf16))
                ours.append(our_rate(name, name + ".pth", batch, side, bf16))
            theirs, ours = statistics.median(theirs), statistics.median(ours)
            bad += ours < theirs
            print(
                f"{name} {'bf16' if bf16 else 'f32'} batch {batch} at {side}, {threads} threads:"
                f" imgsearch {ours:.1f} images/s, python3-torch {torch.__version__} {theirs:.1f}:"
                f" {ours / theirs:.2f} x",
                flush=True,
            )
    os.chdir("/")
sys.exit(bad != 0)
