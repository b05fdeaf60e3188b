#!/usr/bin/python3
"""make bench-folds: how a recipe of training does on sources that it was not trained on.

    folds.py SHARED OUT [--folds 1,2] NAME TRAIN-OPTION...

Trains once for each fold with the options given (--model, --weights, --distill ... of imgsearch
train; paths absolute), leaving the fold's sources out of SHARED/train and SHARED/train2, and judges
what was written on them and on what is in no fold. Judged are kinds of things (labelled sources,
SHARED/images) and instances (places, books, paintings and their photographs, altered copies, crops
of a quarter), with SHARED/weights/mobilenet_v2.pth beside. Folds go by subject. A source that only
one fold leaves out is judged there; what is in no fold is the mean over the folds.

Everything lies in OUT; a run that was stopped goes on. OUT/table.txt gets the table: mean, worst
and spread over the sets of each sort, and 95 % intervals of paired bootstraps over queries."""

import json
import os
import subprocess
import sys

import numpy as np
from PIL import Image

build = os.path.abspath(os.environ.get("B", "build"))
FOLDS = {
    1: ["caltech101", "books"],
    2: ["flowers", "aerial"],
    3: ["scenes", "houses"],
    4: ["animals", "mammals", "cats-dogs", "birds", "insects", "raccoons"],
    5: ["sports", "pacs"],
}
LABELLED = ["sports", "animals", "aerial", "pacs", "books"]
IMAGES = ["caltech101", "imagenette", "intel", "flowers"]
KINDS = ["sports", "animals", "aerial", "pacs"] + IMAGES
INSTANCES = ["places", "books", "paintings", "quarters", "copies"]
# A set of images is judged in the fold that leaves its look-alikes out; others in every fold.
OF_FOLD = {"caltech101": 1, "flowers": 2, "intel": 3}
SMALL = 100  # queries; a set with fewer counts in means only


def pictures(folder):
    return sorted(os.path.join(d, f) for d, _, files in os.walk(folder) for f in files)


def link(source, target):
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if os.path.exists(target):
        return
    try:
        os.link(source, target)
    except OSError:
        with open(source, "rb") as a, open(target, "wb") as b:
            b.write(a.read())


def gather(shared, photos):
    """The photos by source, the labelled ones by class."""
    with open(f"{shared}/train2/labels.tsv") as f:
        label = dict(line.rstrip("\n").split("\t") for line in list(f)[1:])
    for part in "train", "train2":
        for path in pictures(f"{shared}/{part}"):
            inside = os.path.relpath(path, f"{shared}/{part}")
            if "/" not in inside:
                continue
            source, rest = inside.split("/", 1)
            if part == "train2" and inside in label:
                rest = f"{label[inside]}/{rest}"
            link(path, f"{photos}/{source}/{rest}")


def sets_of(shared, photos, fold):
    """name: (paths, class of each), of what this fold judges."""
    out = {"places": f"{shared}/judge/places"}
    out |= {n: f"{shared}/images/{n}" for n in IMAGES if OF_FOLD.get(n, fold) == fold}
    out |= {n: f"{photos}/{n}" for n in LABELLED if n in FOLDS[fold]}
    sets = {}
    for name, folder in out.items():
        paths = [p for p in pictures(folder) if os.path.dirname(p) != folder]  # of a class
        sets[name] = paths, [os.path.relpath(p, folder).split("/")[0] for p in paths]
    return sets


def quarters(sets, folder):
    """Crops of a quarter of up to 60 pictures of each set: (crops, (set, row) of each)."""
    os.makedirs(folder, exist_ok=True)
    crops, of = [], []
    for name, (paths, _) in sets.items():
        chance = np.random.default_rng(len(paths))
        for row in range(0, len(paths), max(1, len(paths) // 60)):
            at = chance.random(2)
            out = f"{folder}/{name}-{row}.png"
            if not os.path.exists(out):
                im = Image.open(paths[row]).convert("RGB")
                w, h = im.size
                x, y = int(at[0] * w / 2), int(at[1] * h / 2)
                im.crop((x, y, x + (w + 1) // 2, y + (h + 1) // 2)).save(out)
            crops.append(out)
            of.append((name, row))
    return crops, of


def features(paths, model, out):
    """Of length 1; kept in out."""
    if not os.path.exists(out):
        rows = []
        for i in range(0, len(paths), 1000):
            subprocess.run(
                [f"{build}/imgsearch", "extract", "-q", "-t", "1", *model, *paths[i : i + 1000],
                 "-o", out + ".part.npy"], check=True)
            rows.append(np.load(out + ".part.npy"))
        np.save(out + ".new.npy", np.concatenate(rows))
        os.replace(out + ".new.npy", out)
        os.unlink(out + ".part.npy")
    return np.load(out)


def rank(scores, relevant):
    """Average precision of each query, and whether its first result is right. -inf: left out."""
    order = np.argsort(-scores, axis=1, kind="stable")
    hit = np.take_along_axis(relevant, order, 1)
    precision = np.cumsum(hit, 1) / np.arange(1, hit.shape[1] + 1)
    n = hit.sum(1)
    keep = n > 0
    return ((precision * hit).sum(1)[keep] / n[keep], hit[keep, 0].astype(float))


def judge(shared, photos, fold, model, folder):
    """set: (average precisions, first results right) of this model."""
    sets = sets_of(shared, photos, fold)
    crops, of = quarters(sets, os.path.join(os.path.dirname(photos), f"quarters-{fold}"))
    with open(f"{shared}/images/painting-queries.csv") as f:
        asked = [line.rstrip("\n").split(",") for line in list(f)[1:]]
    museum = pictures(f"{shared}/images/paintings")
    photographs = [f"{shared}/images/painting-queries/{a[0]}" for a in asked]
    paths = sum((p for p, _ in sets.values()), []) + crops + museum + photographs
    os.makedirs(folder, exist_ok=True)
    x = dict(zip(paths, features(paths, model, f"{folder}/features.npy")))
    out = {}
    for name, (paths, classes) in sets.items():
        rows = np.stack([x[p] for p in paths])
        same = np.array(classes)[:, None] == np.array(classes)[None]
        np.fill_diagonal(same, False)
        scores = rows @ rows.T
        np.fill_diagonal(scores, -np.inf)
        out[name] = rank(scores, same)
    found = []
    for crop, (name, row) in zip(crops, of):
        rows = np.stack([x[p] for p in sets[name][0]])
        found.append(rank((rows @ x[crop])[None], np.arange(len(rows))[None] == row))
    out["quarters"] = tuple(np.concatenate(v) for v in zip(*found))
    rows = np.stack([x[p] for p in museum])
    relevant = np.array([[os.path.basename(p) in a[1:] for p in museum] for a in asked])
    out["paintings"] = rank(np.stack([x[p] for p in photographs]) @ rows.T, relevant)
    return out


def train(photos, fold, held, out, options, extra=()):
    """The report of a run; the last one's if it is finished."""
    done = out + ".json"
    if not os.path.exists(done):
        command = [f"{build}/imgsearch", "train", photos, "-o", out, "--resume", "--json", "-q"]
        command += [*options, *extra]
        for folder in [f"{photos}/{s}" for s in FOLDS[fold]] + held:
            command += ["--holdout", folder]
        text = subprocess.run(command, stdout=subprocess.PIPE, text=True).stdout
        if not text:
            sys.exit(f"the run of fold {fold} ended without a report")
        with open(done + ".part", "w") as f:
            json.dump(json.loads(text.splitlines()[-1]), f)
        os.replace(done + ".part", done)
    with open(done) as f:
        return json.load(f)


def copies(report, step):
    """Share of altered copies that find their original, of each folder judged after that step."""
    return {h["folder"]: h["duplicates"] for h in report["holdout"] if h["step"] == step}


def one_fold(shared, out, name, fold, options):
    photos = f"{out}/photos"
    held = [f"{shared}/images/{n}" for n in IMAGES if OF_FOLD.get(n, fold) == fold]
    held += [f"{shared}/judge/places"]
    start = ["--model", "mobilenet_v2", "--weights", f"{shared}/weights/mobilenet_v2.pth"]
    base, mine = f"{out}/mobilenet_v2/{fold}", f"{out}/{name}/{fold}"
    for folder in base, mine:
        os.makedirs(folder, exist_ok=True)
    before = train(photos, fold, held, f"{base}/unused.safetensors", start,
                   ["--steps", "1", "--lr", "1e-8", "--val", "-1", "--layers", "1"])
    report = train(photos, fold, held, f"{mine}/model.safetensors", options)
    result = judge(shared, photos, fold, ["--model", f"{mine}/model.safetensors"], mine)
    other = judge(shared, photos, fold, start, base)
    result["copies"] = (np.array(list(copies(report, report["steps"]).values())),) * 2
    other["copies"] = (np.array(list(copies(before, 0).values())),) * 2
    return result, other


def merge(folds):
    """Over the folds: (ours, theirs) of each set, of all its queries."""
    out = {}
    for ours, theirs in folds:
        for name in ours:
            out.setdefault(name, []).append((ours[name], theirs[name]))
    return out


def ratio(pairs, which, pick=None):
    """Ours / theirs, the mean over the folds that judge the set. pick: rows of each, or None."""
    values = []
    for k, (a, b) in enumerate(pairs):
        rows = slice(None) if pick is None else pick[k]
        values.append(a[which][rows].mean() / b[which][rows].mean())
    return float(np.mean(values))


def interval(table, names, which=0, draws=1000):
    """95 % of the mean ratio over these sets, queries drawn with replacement, paired."""
    chance, means = np.random.default_rng(1), []
    for _ in range(draws):
        one = []
        for name in names:
            pick = [chance.integers(0, len(a[0]), len(a[0])) for a, _ in table[name]]
            one.append(ratio(table[name], which, pick))
        means.append(np.mean(one))
    return np.percentile(means, [2.5, 97.5])


def show(table, name):
    lines = [f"{name}: ours, MobileNetV2's, ratio (95 %), of average precision; first result right"]
    for sort, names in ("kinds", KINDS), ("instances", INSTANCES):
        names = [n for n in names if n in table]
        ratios = {}
        for n in names:
            pairs = table[n]
            ratios[n] = ratio(pairs, 0)
            low, high = interval(table, [n])
            ours, theirs = (np.mean([p[k][0].mean() for p in pairs]) for k in (0, 1))
            lines.append(
                f"  {n:10s} {ours:.3f} {theirs:.3f} {ratios[n]:.3f} ({low:.3f}-{high:.3f})"
                f"  first {ratio(pairs, 1):.3f}  {len(pairs[0][0][0])} queries")
        low, high = interval(table, names)
        large = {n: r for n, r in ratios.items() if len(table[n][0][0][0]) >= SMALL} or ratios
        worst = min(large, key=large.get)
        lines.append(
            f"{sort}: mean {np.mean(list(ratios.values())):.3f} ({low:.3f}-{high:.3f}), worst"
            f" {large[worst]:.3f} ({worst}), spread {np.std(list(ratios.values())):.3f}, first"
            f" result right {np.mean([ratio(table[n], 1) for n in names]):.3f}")
    return "\n".join(lines) + "\n"


def main(args):
    shared, out = (os.path.abspath(a) for a in args[:2])
    args, wanted = args[2:], list(FOLDS)
    if args[:1] == ["--folds"]:
        wanted, args = [int(k) for k in args[1].split(",")], args[2:]
    name, options = args[0], args[1:]
    gather(shared, f"{out}/photos")
    folds = [one_fold(shared, out, name, fold, options) for fold in wanted]
    text = show(merge(folds), f"{name}, folds {','.join(map(str, wanted))}")
    print(text, end="")
    with open(f"{out}/table.txt", "a") as f:
        f.write(text)


if __name__ == "__main__":
    if len(sys.argv) < 5:
        sys.exit(__doc__)
    if not os.path.isdir(sys.argv[1]):
        print(f"{sys.argv[1]} is not there: nothing to judge on")
        sys.exit(0)
    main(sys.argv[1:])
