"""EfficientNet-Lite by its definition, of torch's functional operators; random weights for it."""

from math import ceil

import torch
from torch.nn import functional as F

STAGES = [  # widen, kernel, stride, channels, repeats
    (1, 3, 1, 16, 1), (6, 3, 2, 24, 2), (6, 5, 2, 40, 2), (6, 3, 2, 80, 3), (6, 5, 1, 112, 3),
    (6, 5, 2, 192, 4), (6, 3, 1, 320, 1)
]
SCALES = [(1.0, 1.0), (1.0, 1.1), (1.1, 1.2)]  # width, depth
EPSILON = 1e-3


def width(channels, scale):
    """The nearest multiple of 8, the next one where that is less than nine tenths."""
    near = max(8, int(channels * scale + 4) // 8 * 8)
    return near + 8 if near < 0.9 * channels * scale else near


def network(number, timm):
    """Blocks of convolutions: (name, name of the norm, in, out, kernel, stride, groups, clipped);
    stem and head are blocks too."""
    wide, deep = SCALES[number]
    names = [("conv_stem", "bn1"), ("conv_head", "bn2")]
    if not timm:
        names = [("_conv_stem", "_bn0"), ("_conv_head", "_bn1")]
    blocks, last, index = [[(*names[0], 3, 32, 3, 2, 1, True)]], 32, 0
    for s, (widen, kernel, stride, out, repeats) in enumerate(STAGES):
        out = width(out, wide)
        for r in range(repeats if s in (0, 6) else ceil(repeats * deep)):
            at = f"blocks.{s}.{r}." if timm else f"_blocks.{index}."
            convs, norms = ("_expand_conv", "_depthwise_conv", "_project_conv"), "_bn0 _bn1 _bn2"
            if timm and widen == 1:
                convs, norms = ("", "conv_dw", "conv_pw"), "- bn1 bn2"
            elif timm:
                convs, norms = ("conv_pw", "conv_dw", "conv_pwl"), "bn1 bn2 bn3"
            dims = [
                (last, widen * last, 1, 1, 1, True),
                (widen * last, widen * last, kernel, 1 if r else stride, widen * last, True),
                (widen * last, out, 1, 1, 1, False),
            ]
            first = 1 if widen == 1 else 0
            blocks.append(
                [(at + c, at + n, *d) for c, n, d in zip(convs, norms.split(), dims)][first:]
            )
            last, index = out, index + 1
    return blocks + [[(*names[1], last, 1280, 1, 1, 1, True)]]


def padded(x, kernel, stride):
    """TensorFlow's "SAME": as many outputs as steps, the odd one of the padding comes last."""
    pads = []
    for size in (x.shape[3], x.shape[2]):
        whole = max((ceil(size / stride) - 1) * stride + kernel - size, 0)
        pads += [whole // 2, whole - whole // 2]
    return F.pad(x, pads)


def features(blocks, state, x, fit=False):
    """The maps' means over the picture. fit: the running statistics become those of x."""
    kind = x.dtype
    for block in blocks:
        shortcut = x
        for name, norm, inputs, out, kernel, stride, groups, clipped in block:
            weight = state[name + ".weight"].to(kind)
            x = F.conv2d(padded(x, kernel, stride), weight, None, stride, 0, 1, groups)
            if fit:
                state[norm + ".running_mean"] = x.mean((0, 2, 3))
                state[norm + ".running_var"] = x.var((0, 2, 3))
            tensors = [
                state[f"{norm}.{t}"].float()
                for t in ("running_mean", "running_var", "weight", "bias")
            ]
            x = F.batch_norm(x, *tensors, eps=EPSILON)
            x = x.clamp(0, 6) if clipped else x
        if len(block) > 1 and block[0][5] == block[-2][5] == 1 and shortcut.shape == x.shape:
            x = x + shortcut
    return x.float().mean((2, 3))


def random_weights(blocks, x):
    """Statistics near those of x, so that signals neither vanish nor explode, but off by a random
    amount; residual branches small, kernels of one channel smooth, as in trained networks."""
    state = {}
    for block in blocks:
        for name, norm, inputs, out, kernel, stride, groups, clipped in block:
            fan = inputs // groups * kernel**2
            weight = torch.randn(out, inputs // groups, kernel, kernel) * (2 / fan) ** 0.5
            state[name + ".weight"] = weight.abs() if groups > 1 else weight
            state[norm + ".weight"] = torch.empty(out).uniform_(0.7, 1.3) * (1 if clipped else 0.3)
            state[norm + ".bias"] = torch.randn(out) * 0.2 + (0.3 if clipped else 0)
    features(blocks, state, x, fit=True)
    for name, t in state.items():
        if name.endswith("running_mean"):
            t += 0.1 * state[name[:-4] + "var"].sqrt() * torch.randn(t.shape)
    for name, t in state.items():
        if name.endswith("running_var"):
            t *= torch.empty(t.shape).uniform_(0.8, 1.25)
    return state


def renamed(state, number, timm):
    """The same tensors by the other layout's names."""
    here, there = (
        [pair for block in network(number, t) for c in block for pair in zip("cn", c[:2])]
        for t in (not timm, timm)
    )
    names = {a[1]: b[1] for a, b in zip(here, there)}
    return {names[k.rpartition(".")[0]] + "." + k.rpartition(".")[2]: v for k, v in state.items()}
