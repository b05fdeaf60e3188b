#!/usr/bin/python3
"""Writes the seeds of fuzz_weights, fuzz_weights_index, fuzz_pickle and fuzz_card: a small state
dict in every format."""

import json, os, struct, zipfile
import torch

here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "seeds")
net = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 1, bias=False), torch.nn.BatchNorm2d(2))
with torch.no_grad():
    state = net.state_dict()
    state["half"] = torch.ones(2, 2).half().t()
for d in "weights", "weights_index", "pickle", "card":
    os.makedirs(os.path.join(here, d), exist_ok=True)
w = lambda d, n: os.path.join(here, d, n)
torch.save(state, w("weights", "zip.pth"))
torch.save(state, w("weights", "legacy.pth"), _use_new_zipfile_serialization=False)
torch.save(
    {"epoch": 3, "state_dict": state},
    w("weights", "checkpoint.pth"),
    _use_new_zipfile_serialization=False,
)
torch.save(state, w("weights", "protocol4.pth"), pickle_protocol=4)
for name in "zip", "protocol4":
    with zipfile.ZipFile(w("weights", name + ".pth")) as z:
        open(w("pickle", name), "wb").write(
            z.read([n for n in z.namelist() if n.endswith("data.pkl")][0])
        )
open(w("pickle", "legacy"), "wb").write(open(w("weights", "legacy.pth"), "rb").read())
head = json.dumps(
    {
        "__metadata__": {"format": "pt"},
        "a": {"dtype": "F32", "shape": [2, 1], "data_offsets": [0, 8]},
    }
).encode()
open(w("weights", "small.safetensors"), "wb").write(struct.pack("<Q", len(head)) + head + bytes(8))
card = {
    "name": "m",
    "network": "mobilenet_v2",
    "resize": 200,
    "crop": 176,
    "interpolation": "bilinear",
    "mean": [0.5, 0.5, 0.5],
    "std": [0.25, 0.25, 0.25],
    "dim": 256,
    "projection": True,
    "descent": "d",
    "licence": "MIT",
    "note": "\u00e9\U0001f600",
}
open(w("card", "full.json"), "w").write(json.dumps(card))
shards = {n: f"model-0000{i + 1}-of-00002.safetensors" for i, n in enumerate("ab")}
index = {"metadata": {"total_size": 16}, "weight_map": shards}
open(w("weights_index", "two.json"), "w").write(json.dumps(index))
