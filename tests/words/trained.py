#!/usr/bin/env python3
"""The whole way of words with weights that mean something (`make test-words`): a tiny CLIP, trained
from nothing for some minutes by open_clip on photographs of ../shared and the names of their
classes, is saved as OpenCLIP saves one, added, and asked by `imgsearch query --text`. Photographs
that were held out are found by the names of their classes, and the first ten of many texts are
those of open_clip itself. Arguments: seconds of training (240), a folder to keep the model in,
which is not trained again where it is there."""
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time

try:
    import open_clip
    import torch
    from open_clip.tokenizer import default_bpe
    from PIL import Image
    from safetensors.torch import load_file, save_file
except ImportError as e:
    print(f"1..0 # SKIP {e}")
    sys.exit(0)

B = os.environ.get("B", "build")
SHARED = "../shared"
SIDE, HELD_OUT = 64, 4  # pixels; every fourth photograph of a class
CONFIG = {
    "embed_dim": 64,
    "vision_cfg": {"image_size": SIDE, "layers": 4, "width": 128, "patch_size": 8},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 128, "heads": 2, "layers": 3},
}
WEIGHTS = "open_clip_model.safetensors"
MEAN, STD = open_clip.OPENAI_DATASET_MEAN, open_clip.OPENAI_DATASET_STD
IMAGENETTE = {
    "n01440764": "tench", "n02102040": "spaniel", "n02979186": "cassette player",
    "n03000684": "chain saw", "n03028079": "church", "n03394916": "french horn",
    "n03417042": "garbage truck", "n03425413": "gas pump", "n03445777": "golf ball",
    "n03888257": "parachute",
}
CAPTIONS = ("a photo of {}", "{}", "a picture of {}", "a photo of the {}", "{} in a picture")


def labelled():
    """{class: paths}, of at least 30 photographs each."""
    classes = {}
    for folder in ("imagenette", "flowers", "intel"):
        top = f"{SHARED}/images/{folder}"
        for name in sorted(os.listdir(top)):
            classes[IMAGENETTE.get(name, name)] = [
                f"{top}/{name}/{f}" for f in sorted(os.listdir(f"{top}/{name}"))
            ]
    with open(f"{SHARED}/train2/labels.tsv") as f:
        for line in f.readlines()[1:]:
            path, name = line.rstrip("\n").split("\t")
            if path.startswith("sports/"):
                classes.setdefault(name.replace("_", " "), []).append(f"{SHARED}/train2/{path}")
    return {name: paths for name, paths in classes.items() if len(paths) >= 30}


def small(path):
    """The photograph as both programs shall see it: SIDE x SIDE, so that neither resizes it."""
    im = Image.open(path).convert("RGB")
    side = min(im.size)
    x, y = (im.width - side) // 2, (im.height - side) // 2
    return im.crop((x, y, x + side, y + side)).resize((SIDE, SIDE), Image.BICUBIC)


def tensor(im):
    t = torch.frombuffer(bytearray(im.tobytes()), dtype=torch.uint8)
    t = t.view(im.height, im.width, 3).permute(2, 0, 1).float() / 255
    return (t - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1)


def altered(x, rng):
    """A part of it, perhaps mirrored."""
    if rng.random() < .5:
        x = x.flip(2)
    side = rng.randint(SIDE * 2 // 3, SIDE)
    top, left = rng.randint(0, SIDE - side), rng.randint(0, SIDE - side)
    part = x[None, :, top : top + side, left : left + side]
    return torch.nn.functional.interpolate(part, (SIDE, SIDE), mode="bilinear")[0]


def train(model, photos, seconds):
    """Contrastive: a photograph of each class in every step, and a caption of each."""
    rng = random.Random(3)
    words = {c: open_clip.tokenize([t.format(c) for t in CAPTIONS]) for c in photos}
    groups = [dict(params=[p for p in model.parameters() if p.ndim > 1], weight_decay=.1),
              dict(params=[p for p in model.parameters() if p.ndim <= 1], weight_decay=0)]
    optimiser = torch.optim.AdamW(groups, lr=1e-3, betas=(.9, .98))
    start, steps, names = time.time(), 0, list(photos)
    while (spent := (time.time() - start) / seconds) < 1:
        for group in optimiser.param_groups:
            group["lr"] = 1e-3 * min(1, (steps + 1) / 100) * (1 - spent)
        pictures = torch.stack([altered(rng.choice(photos[c]), rng) for c in names])
        texts = torch.stack([rng.choice(words[c]) for c in names])
        image, text, scale = model(pictures, texts)[:3]
        scores, right = scale * image @ text.T, torch.arange(len(names))
        loss = (torch.nn.functional.cross_entropy(scores, right, label_smoothing=.1)
                + torch.nn.functional.cross_entropy(scores.T, right, label_smoothing=.1)) / 2
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        with torch.no_grad():
            model.logit_scale.clamp_(0, 4.6)
        steps += 1
    print(f"# {steps} steps, the last loss {loss.item():.2f}")


def save(model, folder):
    os.makedirs(folder)
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, f"{folder}/{WEIGHTS}")
    with open(f"{folder}/open_clip_config.json", "w") as f:
        json.dump({"model_cfg": CONFIG, "preprocess_cfg": {"mean": MEAN, "std": STD}}, f)
    shutil.copy(default_bpe(), folder)


class Command:
    def __init__(self, home):
        self.env = {**os.environ, "XDG_DATA_HOME": f"{home}/data", "IMGSEARCH_LIBDIR": B}
        self.db = f"{home}/tiny.db"

    def run(self, *words):
        return subprocess.run([f"{B}/imgsearch", *words], env=self.env, check=True, text=True,
                              stdout=subprocess.PIPE).stdout

    def index(self, db, folder):
        """In f32, as the reference: where the CPU has bf16 it would be that."""
        self.run("index", "-q", "--db", db, "--model", "tiny", "--precision", "f32", folder)
        self.run("build", "-q", "--db", db)

    def hits(self, db, text, k, *more):
        out = self.run("query", "--db", db, "--text", text, "-k", str(k), "--json", *more)
        return json.loads(out)["results"]

    def query(self, text, k, *more):
        return [(os.path.basename(r["path"]), r["score"])
                for r in self.hits(self.db, text, k, *more)]


def class_of(name):
    return name.rsplit("-", 1)[0].replace("_", " ")


def same_but_for_ties(got, scores, k, tie=2e-5):
    """Whether got (name, score) are k of the best of `scores` ({name: score}), in order."""
    if len(got) != k or len({name for name, _ in got}) != k:
        return False
    best = sorted(scores.values(), reverse=True)
    return all(abs(scores[name] - best[i]) <= tie and abs(scores[name] - score) <= tie
               for i, (name, score) in enumerate(got))


class Tap:
    count = failed = 0

    def check(self, name, ok, why=""):
        self.count += 1
        self.failed += not ok
        print(f"{'ok' if ok else 'not ok'} {self.count} - {name}" + (f"\n# {why}" * (not ok)))


def reference(model, pictures, texts):
    with torch.inference_mode():
        image = torch.cat([model.encode_image(torch.stack(pictures[i : i + 64]), normalize=True)
                           for i in range(0, len(pictures), 64)])
        return model.encode_text(open_clip.tokenize(texts), normalize=True) @ image.T


def compare(tap, model, names, pictures, classes, command):
    found = sum(class_of(command.query(f"a photo of {c}", 1, "--template", "{}")[0][0]) == c
                for c in classes)
    share, chance = found / len(classes), 1 / len(classes)
    print(f"# the first answer is of the class for {found} of {len(classes)} names")
    tap.check("names of classes find pictures of them", share >= 5 * chance)
    texts = [t.format(c) for c in classes for t in (*CAPTIONS, "many of {} at night")]
    wrong = []
    for text, row in zip(texts, reference(model, pictures, texts)):
        got = command.query(text, 10, "--plain", "--template", "{}")
        if not same_but_for_ties(got, dict(zip(names, row.tolist())), 10):
            wrong.append(f"{text}: {got}")
    tap.check(f"the first ten of {len(texts)} texts are open_clip's", not wrong, str(wrong)[:600])


def measure_chance(command, home, names, classes, rounds=8, most=(10, 1, 0.1)):
    """How many hits have a chance of up to so much, for classes that an index has no picture of."""
    rng, queries, seen = random.Random(1), 0, dict.fromkeys(most, 0)
    for i in range(2 * rounds):
        if i % 2 == 0:
            rng.shuffle(classes)
        half = len(classes) // 2
        kept, asked = (classes[:half], classes[half:])[:: -1 if i % 2 else 1]
        part, db = f"{home}/part-{i}", f"{home}/part-{i}.db"
        for name in names:
            if class_of(name) in kept:
                folder = f"{part}/{class_of(name)}"
                os.makedirs(folder, exist_ok=True)
                os.link(f"{home}/held-out/{name}", f"{folder}/{name}")
        command.index(db, part)
        for c in asked:
            hits = command.hits(db, c, len(names))
            queries += 1
            for limit in most:
                seen[limit] += sum(h["chance"] <= limit for h in hits)
    print(f"# {queries} names of classes that are not there: hits with a chance of up to",
          ", ".join(f"{limit}: {n / queries:.2f}" for limit, n in seen.items()))


def measure_expansion(command, home, names):
    with open(f"{home}/asked.csv", "w") as f:
        f.write("text,file\n" + "".join(f"{class_of(n)},{n}\n" for n in names))
    for more in ([], ["--expand", "3"], ["--expand", "10", "--expand-power", "0"]):
        out = command.run("eval", "--db", command.db, "--text", f"{home}/asked.csv", "--json",
                          *more)
        print(f"# mean average precision of texts {' '.join(more)}: {json.loads(out)['map']:.3f}")


def main():
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 240
    if not os.path.isdir(f"{SHARED}/images"):
        print("1..0 # SKIP no photographs in ../shared")
        return 0
    torch.manual_seed(1)
    tap = Tap()
    with tempfile.TemporaryDirectory() as home:
        photos, names, pictures = {}, [], []
        os.makedirs(f"{home}/held-out")
        for c, paths in labelled().items():
            for i, path in enumerate(paths):
                im = small(path)
                if i % HELD_OUT:
                    photos.setdefault(c, []).append(tensor(im))
                    continue
                names.append(f"{c.replace(' ', '_')}-{i}.png")
                pictures.append(tensor(im))
                im.save(f"{home}/held-out/{names[-1]}")
        model = open_clip.CLIP(**CONFIG)
        folder = sys.argv[2] if len(sys.argv) > 2 else f"{home}/tiny-clip"
        if os.path.exists(f"{folder}/{WEIGHTS}"):
            model.load_state_dict(load_file(f"{folder}/{WEIGHTS}"))
        else:
            train(model.train(), photos, seconds)
            save(model, folder)
        model.eval()
        command = Command(home)
        command.run("model", "add", "--name", "tiny", "--network", "openclip_vit", "--resize",
                    str(SIDE), "--crop", str(SIDE), folder)
        command.index(command.db, f"{home}/held-out")
        compare(tap, model, names, pictures, sorted(photos), command)
        measure_chance(command, home, names, sorted(photos))
        measure_expansion(command, home, names)
    print(f"1..{tap.count}")
    return tap.failed > 0


if __name__ == "__main__":
    sys.exit(main())
