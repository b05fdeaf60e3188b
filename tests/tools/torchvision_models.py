#!/usr/bin/env python3
# Prints the lines of lib/model/models.jsonl for the weights of the installed torchvision, of the
# networks that `imgsearch model list --all --json` names on standard input (a line each). What
# torchvision states: address, size in MiB, the first digits of the SHA-256, transforms.
import json
import re
import sys

from torchvision.models import get_model_weights, list_models

PLAIN = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
GOOD_AT = {
    "mobilenet": "kinds of things, quick",
    "efficientnet_lite": "kinds of things, quick",
    "resnet": "kinds of things",
    "vgg": "kinds of things, textures",
    "inception": "kinds of things",
    "vit": "kinds of things, whole scenes",
}
QUICK = {"resnet18", "mobilenet_v2", "mobilenet_v3_small", "mobilenet_v3_large",
         "efficientnet_b0", "regnet_y_400mf", "regnet_y_800mf"}


def good_at(name):
    if name in QUICK:
        return "kinds of things, quick"
    for start, text in GOOD_AT.items():
        if name.startswith(start):
            return text
    return "kinds of things"


def recipe(network, t):
    """What differs from the network's own."""
    out = {}
    ours = {"resize": t.resize_size[0], "crop": t.crop_size[0],
            "interpolation": t.interpolation.value}
    for key, value in ours.items():
        if network[key] != value:
            out[key] = value
    return out


def line(network, weights):
    name = network["name"]
    swag = "SWAG" in weights.name
    which = re.sub("^imagenet1k_|^v1$", "", weights.name.lower()).replace("swag_linear_v1", "swag")
    which = "" if which == "v1" else which
    digits = re.search(r"-([0-9a-f]{8})\.pth$", weights.url)
    file = {"url": weights.url, "mib": weights.meta["_file_size"]}
    if digits:
        file |= {"sha256": digits.group(1), "sha256_from": "the name of the file"}
    out = {"name": name + (f"_{which}" if which else ""), "network": name,
           "publisher": "torchvision", "licence": "CC-BY-NC-4.0" if swag else "BSD-3-Clause"}
    if swag:
        out["terms"] = "CC-BY-NC-4.0, no commercial use " \
                       "(https://github.com/facebookresearch/SWAG/blob/main/LICENSE)"
        out["publisher"] = "Meta"
    out["good_at"] = "kinds of things, whole scenes" if swag else good_at(name)
    return out | recipe(network, weights.transforms()) | {"files": [file]}


def wanted(weights):
    return "FEATURES" not in weights.name and "E2E" not in weights.name


def main():
    known = list_models()
    for text in sys.stdin:
        network = json.loads(text)
        if network["name"] not in known or network.get("publisher"):
            continue
        for weights in get_model_weights(network["name"]):
            if wanted(weights):
                print(json.dumps(line(network, weights)))


main()
