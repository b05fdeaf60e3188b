#!/usr/bin/python3
"""DINOv2 and CLIP against their definitions in torch's functional operators: random weights,
positions of other grids, registers, SwiGLU, both kinds of GELU; a crop that is no multiple of the
patch. The larger ones: `make test-networks`."""

import json, os, tempfile

from compare import agree, agree_that, end, ours, pictures, torch
from definitions import F, Weights, attention, compared

KINDS = {"s": (384, 12)}
CLIPS = {"b32": (768, 12, 32, 7, 512)}


# ------------------------------------------------------------------------------------- DINOv2 ----


def dino_weights(size, registers):
    width, depth = KINDS[size]
    hidden = (width * 8 // 3 + 7) // 8 * 8
    mlp = (
        {"w12": (2 * hidden, width), "w3": (width, hidden)}
        if size == "g"
        else {"fc1": (4 * width, width), "fc2": (width, 4 * width)}
    )
    state = Weights(
        cls_token=torch.randn(1, 1, width) * 0.5,
        pos_embed=torch.randn(1, 1 + 37 * 37, width) * 0.3,
        mask_token=torch.zeros(1, width),
    )
    if registers:
        state["register_tokens"] = torch.randn(1, 4, width) * 0.5

    def linear(name, out, *fan):
        state.linear(name + ".weight", name + ".bias", out, *fan)

    linear("patch_embed.proj", width, 3, 14, 14)
    state.norm("norm", width)
    for i in range(depth):
        block = f"blocks.{i}."
        state.norm(block + "norm1", width)
        state.norm(block + "norm2", width)
        linear(block + "attn.qkv", 3 * width, width)
        linear(block + "attn.proj", width, width)
        for name, (out, fan) in mlp.items():
            linear(block + "mlp." + name, out, fan)
        for scale in "ls1", "ls2":
            state[f"{block}{scale}.gamma"] = torch.empty(width).uniform_(0.1, 0.4)
    return state


def positions(state, side, registers):
    """The publisher's interpolation: by a factor with an offset, or by size with antialiasing."""
    all = state["pos_embed"].float()
    grid = all[:, 1:].reshape(1, 37, 37, -1).permute(0, 3, 1, 2)
    if side != 37:
        grid = (
            F.interpolate(grid, size=(side, side), mode="bicubic", antialias=True)
            if registers
            else F.interpolate(grid, scale_factor=(side + 0.1) / 37, mode="bicubic")
        )
    rows = grid.flatten(2).transpose(1, 2)
    return all[:, :1].to(state["pos_embed"]), rows.to(state["pos_embed"])


def dino_tokens(size, state, x, registers):
    width, depth = KINDS[size]
    of = state.of
    of_class, of_patches = positions(state, x.shape[-1] // 14, registers)
    t = F.conv2d(x, *of("patch_embed.proj"), stride=14).flatten(2).transpose(1, 2)
    parts = [(state["cls_token"] + of_class).expand(len(x), 1, width), t + of_patches]
    if registers:
        parts.insert(1, state["register_tokens"].expand(len(x), 4, width))
    t = torch.cat(parts, 1)
    for i in range(depth):
        block = f"blocks.{i}."
        y = F.linear(F.layer_norm(t, (width,), *of(block + "norm1"), 1e-6), *of(block + "attn.qkv"))
        y = F.linear(attention(y), *of(block + "attn.proj"))
        t = t + y * state[block + "ls1.gamma"]
        y = F.layer_norm(t, (width,), *of(block + "norm2"), 1e-6)
        if size == "g":
            a, b = F.linear(y, *of(block + "mlp.w12")).chunk(2, -1)
            y = F.linear(F.silu(a) * b, *of(block + "mlp.w3"))
        else:
            y = F.linear(F.gelu(F.linear(y, *of(block + "mlp.fc1"))), *of(block + "mlp.fc2"))
        t = t + y * state[block + "ls2.gamma"]
    return F.layer_norm(t, (width,), *of("norm"), 1e-6)


def dino(size, state, x, registers):
    return dino_tokens(size, state, x, registers)[:, 0]


# --------------------------------------------------------------------------------------- CLIP ----


def clip_weights(kind):
    width, depth, patch, grid, joint = CLIPS[kind]
    state = Weights(
        {
            "visual.class_embedding": torch.randn(width) * 0.5,
            "visual.positional_embedding": torch.randn(1 + grid * grid, width) * 0.3,
            "visual.proj": torch.randn(width, joint) / width**0.5,
            "logit_scale": torch.ones(()),
            "text_projection": torch.zeros(8, joint),
            "transformer.resblocks.0.ln_1.weight": torch.ones(8),
        }
    )
    state.linear("visual.conv1.weight", None, width, 3, patch, patch)
    for name in "visual.ln_pre", "visual.ln_post":
        state.norm(name, width)
    for i in range(depth):
        block = f"visual.transformer.resblocks.{i}."
        for name in "ln_1", "ln_2":
            state.norm(block + name, width)
        state.linear(
            block + "attn.in_proj_weight", block + "attn.in_proj_bias", 3 * width, width
        )
        for name, out, fan in (
            ("attn.out_proj", width, width),
            ("mlp.c_fc", 4 * width, width),
            ("mlp.c_proj", width, 4 * width),
        ):
            state.linear(block + name + ".weight", block + name + ".bias", out, fan)
    for name in list(state):
        if name.endswith(("out_proj.weight", "c_proj.weight")):
            state[name] *= 0.3
    return state


def clip_positions(state, side, grid):
    all = state["visual.positional_embedding"]
    if side == grid:
        return all
    maps = all[1:].float().reshape(1, grid, grid, -1).permute(0, 3, 1, 2)
    maps = F.interpolate(maps, size=(side, side), mode="bicubic", antialias=True)
    return torch.cat([all[:1], maps.flatten(2)[0].t().to(all)])


def clip(kind, state, x, quick):
    width, depth, patch, grid, _ = CLIPS[kind]
    gelu = (lambda y: y * torch.sigmoid(1.702 * y)) if quick else F.gelu
    of = state.of
    t = F.conv2d(x, state["visual.conv1.weight"], stride=patch).flatten(2).transpose(1, 2)
    t = torch.cat([state["visual.class_embedding"].expand(len(x), 1, width), t], 1)
    t = t + clip_positions(state, x.shape[-1] // patch, grid)
    t = F.layer_norm(t, (width,), *of("visual.ln_pre"))
    for i in range(depth):
        block = f"visual.transformer.resblocks.{i}."
        y = F.layer_norm(t, (width,), *of(block + "ln_1"))
        y = attention(F.linear(y, *of(block + "attn.in_proj", "_weight", "_bias")))
        t = t + F.linear(y, *of(block + "attn.out_proj"))
        y = gelu(F.linear(F.layer_norm(t, (width,), *of(block + "ln_2")), *of(block + "mlp.c_fc")))
        t = t + F.linear(y, *of(block + "mlp.c_proj"))
    return F.layer_norm(t[:, 0], (width,), *of("visual.ln_post")) @ state["visual.proj"]


# -------------------------------------------------------------------------------------- tests ----


POOLINGS = {
    "mean": lambda t: t.mean(1),
    "max": lambda t: t.amax(1),
    "gem": lambda t: t.clamp_min(1e-6).pow(3).mean(1).pow(1 / 3),
}


def pooled(name, size, state, registers, path, folder):
    """The tokens of patches, not the class token nor the registers, behind the last norm."""
    x = pictures(70)
    state = Weights({k: v.half().float() for k, v in state.items()})
    tokens = dino_tokens(size, state, x, registers)
    for pooling, pool in POOLINGS.items():
        with open(path.replace(".pth", ".json"), "w") as f:
            json.dump({"network": name, "pooling": pooling}, f)
        want = pool(tokens[:, 5 if registers else 1 :]).numpy()
        got = ours("-", path, "f32", x, folder)
        agree(f"{name} pooled by {pooling}", want, got, 0.99999, 0.9999)


def all_of_dino(size, folder):
    for registers in False, True:
        torch.manual_seed(ord(size) + registers)
        state = dino_weights(size, registers)
        name = f"dinov2_vit{size}14" + ("_reg" if registers else "")
        sides = [70] if size != "s" else [224, 70] if registers else [518, 224, 70]
        path = compared(
            name, state, lambda s, x: dino(size, s, x, registers), sides, folder
        )
        pooled(name, size, state, registers, path, folder)
    said = ours(name, path, "f32", pictures(100), folder)
    agree_that(
        f"{name}: a crop that is no multiple of the patch",
        isinstance(said, str) and "98 and 112" in said,
        said,
    )


def all_of_clip(kind, folder):
    torch.manual_seed(len(kind) + ord(kind[1]))
    state = clip_weights(kind)
    sides = [CLIPS[kind][2] * CLIPS[kind][3], 4 * CLIPS[kind][2]]
    for prefix, quick in ("clip", True), ("openclip", False):
        compared(
            f"{prefix}_vit_{kind}", state, lambda s, x: clip(kind, s, x, quick), sides, folder
        )


with tempfile.TemporaryDirectory() as folder:
    all_of_dino("s", folder)
    all_of_clip("b32", folder)
end()
