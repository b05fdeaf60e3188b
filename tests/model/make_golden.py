"""make_golden.py [NETWORK...]: writes tests/model/golden/NETWORK.txt anew, features that
tests/model/test_golden.c compares ours with, by the programs of reference_networks.py. Weights and
pictures are drawn by a generator that the test has too, so a file keeps of each tensor a mean and a
spread, and of each feature some values. Texts are kept as their tokens."""

import os, sys, warnings

warnings.filterwarnings("ignore")

import numpy as np

from compare import nn, torch
from reference_networks import CASES, words_of_open_clip, words_of_transformers

HERE = os.path.dirname(os.path.abspath(__file__))
VALUES = 32  # of each feature
PICTURES = 2
# The smallest of each family, and the side of the pictures.
NETWORKS = {
    "resnet18": 64,
    "resnext50_32x4d": 64,
    "mobilenet_v2": 64,
    "mobilenet_v3_small": 64,
    "efficientnet_b0": 64,
    "efficientnet_lite0": 64,
    "efficientnet_v2_s": 64,
    "densenet121": 64,
    "inception_v3": 80,
    "regnet_y_400mf": 64,
    "convnext_tiny": 64,
    "vgg11": 64,
    "sscd_resnet50": 64,
    "vit_b_32": 224,
    "clip_vit_b32": 224,
    "openclip_vit_b32": 224,
    "siglip_b32_256": 256,
    "dinov2_vits14": 70,
    "dinov2_vits14_reg": 70,
    "dinov3_vits16": 64,
    "pe_core_t16_384": 64,
}
# Small text towers; SigLIP's have 12 heads.
SMALL = {"width": 64, "layers": 2, "heads": 1, "context_length": 9, "vocab_size": 40}
SIGLIP = SMALL | {"width": 96, "heads": 12, "no_causal_mask": True, "pool_type": "last"}
SIGLIP |= {"proj_bias": True, "norm_kwargs": {"eps": 1e-6}}
TRANSFORMERS = {"num_hidden_layers": 2, "max_position_embeddings": 9, "vocab_size": 40}
WORDS = {
    "words_clip": lambda: words_of_open_clip("clip_vit", {"embed_dim": 32, "text_cfg": SMALL}),
    "words_clip_transformers": lambda: words_of_transformers(
        "clip_vit",
        "CLIP",
        hidden_size=64,
        intermediate_size=128,
        num_attention_heads=1,
        bos_token_id=38,
        eos_token_id=39,
        **TRANSFORMERS,
    ),
    "words_pe_core": lambda: words_of_open_clip(
        "pe_core_t16_384", {"embed_dim": 32, "text_cfg": SMALL}, "text."
    ),
    "words_siglip": lambda: words_of_transformers(
        "siglip_b16_224",
        "Siglip",
        hidden_size=96,
        projection_size=96,
        intermediate_size=128,
        num_attention_heads=12,
        bos_token_id=38,
        eos_token_id=39,
        **TRANSFORMERS,
    ),
    "words_siglip_gelu": lambda: words_of_open_clip(
        "siglip_b16_224_gelu", {"embed_dim": 96, "text_cfg": SIGLIP}, "text."
    ),
}
# What is no part of the feature, or may be missing.
LEFT_OUT = ("AuxLogits.", "text_model.", "transformer.", "token_embedding.", "ln_final.", "text.")
LEFT_OUT_ENDS = ("num_batches_tracked", "bias_mask", "mask_token", "periods", "position_ids")
LEFT_OUT_WHOLE = ("positional_embedding", "text_projection", "logit_scale", "logit_bias")


def seed_of(name):
    """FNV-1a."""
    h = 0xCBF29CE484222325
    for byte in name.encode():
        h = (h ^ byte) * 0x100000001B3 % 2**64
    return h


def uniform(name, n):
    """Steele, Lea and Flood's splitmix64 (2014): n values in [-1, 1)."""
    with np.errstate(over="ignore"):
        z = np.arange(1, n + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z += np.uint64(seed_of(name))
        z = (z ^ z >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ z >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    return ((z >> np.uint64(40)).astype(np.float32) - 2**23) / 2**23


def short(x):
    return float("%.3g" % x)


def draw(name, t, mean, spread):
    """Fills t; returns the two numbers as the file has them."""
    mean, spread = short(mean), short(spread)
    values = np.float32(mean) + np.float32(spread) * uniform(name, t.numel())
    t.copy_(torch.from_numpy(values).view(t.shape))
    return mean, spread


def alike(name, t):
    """Other values of the same mean and deviation."""
    spread = float(t.std(unbiased=False)) * 3**0.5
    mean = float(t.mean())
    return draw(name, t, mean if abs(mean) > 0.05 * spread else 0, spread)


def used(name):
    return not (
        name.startswith(LEFT_OUT) or name.endswith(LEFT_OUT_ENDS) or name in LEFT_OUT_WHOLE
    )


def draw_weights(state):
    """All but the statistics: the two numbers of each tensor."""
    return {name: alike(name, t) for name, t in state.items() if "running_" not in name}


def draw_statistics(net, run):
    """Each batch norm, when its turn comes, takes statistics near those of its input."""
    numbers = {}

    def hook(name):
        def fit(norm, inputs):
            x = inputs[0].transpose(0, 1).flatten(1)
            mean, variance = float(x.mean()), float(x.var(1).mean())
            for part, to, by in (
                ("running_mean", mean, 0.1 * variance**0.5),
                ("running_var", variance, 0.2 * variance),
            ):
                whole = f"{name}.{part}"
                numbers[whole] = draw(whole, getattr(norm, part), to, by)

        return fit

    hooks = [
        m.register_forward_pre_hook(hook(name))
        for name, m in net.named_modules()
        if isinstance(m, nn.BatchNorm2d) and used(name + ".")
    ]
    run()
    for h in hooks:
        h.remove()
    return numbers


def lines_of(state, numbers):
    """A batch norm has one line, any other tensor has one."""
    norms = {name.rpartition(".")[0] for name in numbers if name.endswith("running_var")}
    for name, pair in numbers.items():
        prefix, _, part = name.rpartition(".")
        if prefix not in norms:
            yield " ".join(["tensor", name, "%g %g" % pair, *map(str, state[name].shape)])
        elif part == "weight":
            parts = "weight", "bias", "running_mean", "running_var"
            of_all = ["%g %g" % numbers[f"{prefix}.{p}"] for p in parts]
            yield " ".join(["norm", prefix, str(len(state[name])), *of_all])


def pictures(side):
    """Squares of 8 pixels."""
    squares = -(-side // 8)
    x = torch.from_numpy(uniform("pictures", PICTURES * squares * squares * 3) * 2)
    x = x.view(PICTURES, squares, squares, 3).permute(0, 3, 1, 2)
    return x.repeat_interleave(8, 2).repeat_interleave(8, 3)[:, :, :side, :side].contiguous()


def features_of(case, x):
    for feature in case.feature(case.net, x):
        places = [i * len(feature) // VALUES for i in range(VALUES)]
        values = " ".join(f"{v:.7g}" for v in feature[places].tolist())
        yield f"feature {len(feature)} {values}"


def write(name, lines):
    with open(os.path.join(HERE, "golden", name + ".txt"), "w") as f:
        f.write("\n".join(lines) + "\n")


def written(name, side):
    torch.manual_seed(1)
    case = CASES[name]()
    x = pictures(side)
    if hasattr(case.net, "rope_embed"):
        case.net.rope_embed._init_weights()  # not those that published files have
    state = case.net.state_dict()
    numbers = draw_weights({name: t for name, t in state.items() if used(name)})
    numbers |= draw_statistics(case.net, lambda: case.feature(case.net, x))
    lines = [f"network {name} {side}", *lines_of(state, numbers)]
    write(name, [*lines, *features_of(case, x)])


def texts(context, vocabulary):
    """A short one and one that fills the context; what is no token of theirs is 0."""
    tokens = torch.zeros((PICTURES, context), dtype=torch.long)
    for row, used in zip(tokens, (4, context)):
        row[:used] = torch.arange(1, used + 1) * 5 % (vocabulary - 2)
        row[used - 1] = vocabulary - 1  # the end, by which some find it
        yield used, row


def written_words(name):
    """The names are those of the file before the tensors are drawn."""
    torch.manual_seed(1)
    case = WORDS[name]()
    state = {case.rename(part): t for part, t in case.state.items()}
    numbers = draw_weights({part: t for part, t in state.items() if used_word(part)})
    lines = [f"words {case.network} {case.words[0]}", *lines_of(state, numbers)]
    made = list(texts(*case.words))
    lines += [" ".join(map(str, ["text", used, *row.tolist()])) for used, row in made]
    x = torch.stack([row for _, row in made])
    write(name, [*lines, *features_of(case, x)])


def used_word(name):
    return not name.endswith(LEFT_OUT_ENDS)


for name in sys.argv[1:] or [*NETWORKS, *WORDS]:
    written_words(name) if name in WORDS else written(name, NETWORKS[name])
