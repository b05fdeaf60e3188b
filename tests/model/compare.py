"""What the tests of networks share: pictures, weights files, our features, the comparison, TAP.
"""

import json, os, struct, subprocess, sys

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # threads that wait would spin

B = os.environ.get("B", "build")
DRIVER = os.path.join(B, "tests/model/features")
TEXT_DRIVER = os.path.join(B, "tests/model/text_features")
FIND = os.path.join(B, "tests/model/find")
N = 6
count = 0


def skip(why):
    print(f"1..0 # SKIP {why}")
    sys.exit(0)


if not os.path.exists(os.path.join(B, "imgsearch-shim.so")):
    skip("the shim was not built (libtorch is missing)")
try:
    import numpy as np
    import torch
    from torch import nn
except ImportError as e:
    skip(f"python3-torch or -numpy is missing: {e}")

torch.set_grad_enabled(False)
torch.set_num_threads(2)


def pictures(side, n=N):
    """Soft random patterns of several sizes that differ in colour and contrast as photographs do.
    """
    g = torch.Generator().manual_seed(3)
    out = []
    for _ in range(n):
        x = sum(
            nn.functional.interpolate(
                torch.randn(1, 3, k, k, generator=g), (side, side), mode="bicubic"
            )
            for k in (2, 5, 11, 23)
        )
        out.append(x * (0.3 + torch.rand(1, generator=g)) + torch.randn(1, 3, 1, 1, generator=g))
    return torch.cat(out)


def safetensors(path, state):
    kinds = {torch.float32: "F32", torch.float16: "F16", torch.int64: "I64", torch.int8: "I8"}
    at, head, data = 0, {}, []
    for name, t in state.items():
        raw = t.contiguous().numpy().tobytes()
        head[name] = {
            "dtype": kinds[t.dtype],
            "shape": list(t.shape),
            "data_offsets": [at, at + len(raw)],
        }
        at += len(raw)
        data.append(raw)
    text = json.dumps(head).encode()
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + b"".join(data))


def ours(name, weights, precision, x, folder):
    inp, out = os.path.join(folder, "in.f32"), os.path.join(folder, "out.f32")
    x.permute(0, 2, 3, 1).contiguous().numpy().tofile(inp)
    r = subprocess.run(
        [DRIVER, name, weights, precision, "2", str(x.shape[-1]), str(len(x)), inp, out],
        capture_output=True,
        text=True,
        env={**os.environ, "IMGSEARCH_LIBDIR": B},
    )
    if r.returncode:
        return r.stderr.strip()
    return np.fromfile(out, dtype=np.float32).reshape(len(x), -1)


def ours_of_texts(name, weights, precision, texts, folder):
    """texts: (n, 1 + context), how many tokens and these."""
    inp, out = os.path.join(folder, "in.i32"), os.path.join(folder, "out.f32")
    texts.astype(np.int32).tofile(inp)
    n, context = len(texts), texts.shape[1] - 1
    r = subprocess.run(
        [TEXT_DRIVER, name, weights, precision, "2", str(context), str(n), inp, out],
        capture_output=True,
        text=True,
        env={**os.environ, "IMGSEARCH_LIBDIR": B},
    )
    if r.returncode:
        return r.stderr.strip()
    return np.fromfile(out, dtype=np.float32).reshape(n, -1)


def found(path):
    """The networks whose tensors a file has; or why there is none."""
    r = subprocess.run(
        [FIND, path], capture_output=True, text=True, env={**os.environ, "IMGSEARCH_LIBDIR": B}
    )
    return r.stdout.split() or r.stderr.strip()


def plain_name(name):
    """The same for networks of the same tensors."""
    return name.removesuffix("_gelu").removeprefix("open")


def agree_found(path, name):
    """Beside the network only one that has the same tensors and another activation is found."""
    got = found(path)
    good = name in got and all(plain_name(other) == plain_name(name) for other in got)
    agree_that(f"{os.path.basename(path)} is found to be {name}", good, got)


def agree_that(what, good, remark):
    global count
    count += 1
    print(f"{'ok' if good else 'not ok'} {count} - {what}\n# {remark}")
    sys.stdout.flush()


def cosines(a, b):
    return (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)


def cosine(a, b):
    return float(cosines(a, b).min())


def agree(what, want, got, least, least_centred):
    global count
    count += 1
    if isinstance(got, str):
        print(f"not ok {count} - {what}\n# {got}")
    elif want.shape != got.shape:
        print(f"not ok {count} - {what}\n# {want.shape} wanted, {got.shape} got")
    else:
        plain, centred = cosine(want, got), cosine(want - want.mean(0), got - got.mean(0))
        spread = float(
            np.mean(np.linalg.norm(want - want.mean(0), axis=1) / np.linalg.norm(want, axis=1))
        )
        print(
            f"{'ok' if plain >= least and centred >= least_centred else 'not ok'} {count} - {what}"
        )
        print(f"# cosine {plain:.7f}, centred {centred:.6f}, spread {spread:.2f}")
    sys.stdout.flush()


def no_worse(what, want, got, own):
    """Ours are not further from the f32 features than torch's own, but by chance."""
    mine, theirs = (
        float(1 - cosines(want - want.mean(0), f - f.mean(0)).mean()) for f in (got, own)
    )
    agree_that(
        what,
        mine <= 1.2 * theirs + 3e-5,
        f"1 - centred cosine, mean {mine:.6f}, torch's {theirs:.6f}",
    )


def end():
    print(f"1..{count}")
