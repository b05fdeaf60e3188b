"""make_references.py FOLDER [CASE...]: features of other implementations, of random weights, a file
a case: what makes the weights again (reference_weights.py), the features in f32 and in the
reference's own bf16 of 16 pictures or texts, and what its preprocessing makes of some photographs.
A case
whose file is there is passed over. The memory that a case takes is about three times its weights.
"""

import glob, json, os, sys, time, warnings

warnings.filterwarnings("ignore")

import numpy as np
from PIL import Image

from compare import pictures, torch
from reference_networks import CASES
from reference_weights import LARGE, drawn

N = 16


def saved(path, write):
    """Complete or absent."""
    with open(path + ".new", "wb") as f:
        write(f)
    os.rename(path + ".new", path)


def inputs(folder, side):
    path = os.path.join(folder, f"pictures_{side}.npy")
    if not os.path.exists(path):
        saved(path, lambda f: np.save(f, pictures(side, N).numpy()))
    return torch.from_numpy(np.load(path))


def texts(context, vocabulary):
    """(N, 1 + context): how many tokens, and these; from one token to the whole context. The first
    and the last of a text are the two largest numbers, as CLIP has it."""
    random = np.random.default_rng(1)
    out = np.zeros((N, 1 + context), np.int64)
    for row, used in zip(out, np.linspace(2, context, N).astype(int)):
        row[0] = used
        row[1 : 1 + used] = random.integers(1, vocabulary - 2, used)
        row[1], row[used] = vocabulary - 2, vocabulary - 1
    return torch.from_numpy(out)


def drawn_photo(width, height, seed):
    """Shapes with sharp edges over soft colours."""
    random = np.random.default_rng(seed)
    small = random.integers(0, 256, (5, 7, 3), dtype=np.uint8)
    picture = np.array(Image.fromarray(small).resize((width, height), Image.BICUBIC))
    for _ in range(40):
        x, y = random.integers(0, width), random.integers(0, height)
        w, h = random.integers(2, width // 3), random.integers(2, height // 3)
        picture[y : y + h, x : x + w] = random.integers(0, 256, 3)
    return Image.fromarray(picture)


def photos(folder):
    """Photographs of ../shared where it is there, and drawn pictures: copies in the folder."""
    folder = os.path.join(folder, "photos")
    if not os.path.isdir(folder):
        os.makedirs(folder + ".new", exist_ok=True)
        found = [
            sorted(glob.glob(f"../shared/images/{d}/**/*.[jJ]*", recursive=True))[:1]
            for d in ("large", "flowers", "caltech101", "imagenette")
        ]
        for i, path in enumerate(sum(found, [])):
            with open(path, "rb") as f, open(f"{folder}.new/{i}.jpg", "wb") as to:
                to.write(f.read())
        drawn_photo(900, 600, 1).save(f"{folder}.new/wide.png")
        drawn_photo(333, 500, 2).save(f"{folder}.new/high.png")
        os.rename(folder + ".new", folder)
    return sorted(glob.glob(folder + "/*"))


def prepared(transform, files):
    """What becomes of each file, and of the difference of white and black, channel by channel."""

    def of(im):
        return transform(im.convert("RGB")).numpy().astype(np.float16)

    plain = (Image.new("RGB", (64, 64), colour) for colour in ("white", "black"))
    white, black = (of(im).astype(np.float32) for im in plain)
    return {
        "prepared": np.stack([of(Image.open(f)) for f in files]),
        "range": (white - black).mean((1, 2)),
    }


def seeded(state):
    """Draws large tensors again, by what is returned. The names are those of the file."""
    large = {}
    for name, t in state.items():
        if t.is_floating_point() and t.dim() > 1 and t.numel() >= LARGE:
            spread = float(t.float().pow(2).mean().sqrt())
            large[name] = [list(t.shape), spread, bool(t.min() >= 0)]
            t.copy_(torch.from_numpy(drawn(name, *large[name])))
    return large


def features(net, feature, x):
    return torch.cat([feature(net, part) for part in x.split(4)]).float().numpy()


def of_case(make, folder):
    torch.manual_seed(1)
    case = make()
    x = texts(*case.words) if case.words else inputs(folder, case.side)
    state = {case.rename(k): t for k, t in case.state.items()}
    large = {} if case.published else seeded(state)
    if case.fit:
        case.fit(case.net, x[:8])
    tensors = {
        k: large.get(k) or t.detach().clone().contiguous().numpy() for k, t in state.items()
    }
    case.state = state = None
    out = {"texts": x.numpy()} if case.words else prepared(case.transform, photos(folder))
    x = x[:, 1:] if case.words else x
    out["f32"] = features(case.net, case.feature, x)
    half, x = case.net.bfloat16(), x if case.words else x.bfloat16()
    if case.last:
        half = half.to(memory_format=torch.channels_last)
        x = x.contiguous(memory_format=torch.channels_last)
    out["bf16"] = features(half, case.feature, x)
    about = {
        "network": case.network,
        "against": case.against,
        "side": case.side,
        "shards": case.shards,
        "words": case.words,
        "torch": torch.__version__,
        "tensors": {k: t if isinstance(t, list) else None for k, t in tensors.items()},
    }
    out |= {"tensor " + k: t for k, t in tensors.items() if not isinstance(t, list)}
    return out | {"about": np.array(json.dumps(about))}


def made(name, folder):
    path, start = os.path.join(folder, name + ".npz"), time.monotonic()
    if os.path.exists(path):
        return True
    try:
        out = of_case(CASES[name], folder)
    except Exception as e:
        print(f"{name}: none is made: {e!r}", flush=True)
        return False
    saved(path, lambda f: np.savez(f, **out))
    print(f"{name}: {time.monotonic() - start:.0f} s", flush=True)
    return True


folder = sys.argv[1]
os.makedirs(folder, exist_ok=True)
sys.exit(not all([made(name, folder) for name in sys.argv[2:] or CASES]))
