#!/usr/bin/python3
"""SigLIP, Perception Encoder and DINOv3 against their definitions in torch's functional operators:
random weights, pooling by attention, both kinds of rotary positions, other grids than the file's, a
crop that is no multiple of the patch, masked biases of keys, periods in the file and without."""

import math, os, tempfile

from compare import agree, end, ours, pictures, torch
from definitions import F, Weights, attention, compared


def linear(state, name, x, weight=".weight", bias=".bias"):
    return F.linear(x, *state.of(name, weight, bias))


def norm(state, name, x, eps):
    return F.layer_norm(x, x.shape[-1:], *state.of(name), eps)


def random_linear(state, name, out, fan, weight=".weight", bias=".bias"):
    state.linear(name + weight, name + bias, out, fan)


def patches(state, name, x, patch, bias=True):
    bias = state[name + ".bias"] if bias else None
    return F.conv2d(x, state[name + ".weight"], bias, stride=patch).flatten(2).transpose(1, 2)


def pool(latent, q, kv, heads):
    """One query that is the same for all pictures; kv: (n, T, 2 D)."""
    n, tokens, width = kv.shape
    size = width // 2 // heads
    k, v = kv.view(n, tokens, 2, heads, size).permute(2, 0, 3, 1, 4)
    q = F.linear(latent, *q).view(1, 1, heads, size).transpose(1, 2)
    y = (q @ k.transpose(2, 3) / math.sqrt(size)).softmax(3) @ v
    return y.transpose(1, 2).reshape(n, 1, width // 2)


def resized(rows, side, corners):
    grid = math.isqrt(rows.shape[0])
    maps = rows.float().t().view(1, -1, grid, grid)
    maps = F.interpolate(maps, size=(side, side), mode="bilinear", align_corners=corners)
    return maps.flatten(2)[0].t().to(rows)


# ------------------------------------------------------------------------------------- SigLIP ----

WIDTH, DEPTH, GRID = 768, 12, 8
GELU = {"approximate": "tanh"} if torch.__version__ >= "1.12" else {}


def siglip_weights():
    state = Weights(
        {
            "pos_embed": torch.randn(1, GRID * GRID, WIDTH) * 0.3,
            "attn_pool.latent": torch.randn(1, 1, WIDTH),
        }
    )
    state.linear("patch_embed.proj.weight", "patch_embed.proj.bias", WIDTH, 3, 32, 32)
    for name in "norm", "attn_pool.norm":
        state.norm(name, WIDTH)
    for i in range(DEPTH):
        for name in "norm1", "norm2":
            state.norm(f"blocks.{i}.{name}", WIDTH)
        random_linear(state, f"blocks.{i}.attn.qkv", 3 * WIDTH, WIDTH)
        random_linear(state, f"blocks.{i}.attn.proj", WIDTH, WIDTH)
        random_linear(state, f"blocks.{i}.mlp.fc1", 4 * WIDTH, WIDTH)
        random_linear(state, f"blocks.{i}.mlp.fc2", WIDTH, 4 * WIDTH)
        for name in "attn.proj", "mlp.fc2":
            state[f"blocks.{i}.{name}.weight"] *= 0.3
    random_linear(state, "attn_pool.q", WIDTH, WIDTH)
    random_linear(state, "attn_pool.kv", 2 * WIDTH, WIDTH)
    random_linear(state, "attn_pool.proj", WIDTH, WIDTH)
    random_linear(state, "attn_pool.mlp.fc1", 4 * WIDTH, WIDTH)
    random_linear(state, "attn_pool.mlp.fc2", WIDTH, 4 * WIDTH)
    return state


def siglip(state, x):
    def mlp(name, y):
        y = F.gelu(linear(state, name + ".fc1", y), **GELU)
        return linear(state, name + ".fc2", y)

    side, places = x.shape[-1] // 32, state["pos_embed"][0]
    t = patches(state, "patch_embed.proj", x, 32)
    t = t + (places if side == GRID else resized(places, side, True))
    for i in range(DEPTH):
        block = f"blocks.{i}."
        y = attention(linear(state, block + "attn.qkv", norm(state, block + "norm1", t, 1e-6)))
        t = t + linear(state, block + "attn.proj", y)
        t = t + mlp(block + "mlp", norm(state, block + "norm2", t, 1e-6))
    kv = linear(state, "attn_pool.kv", norm(state, "norm", t, 1e-6))
    y = pool(state["attn_pool.latent"], state.of("attn_pool.q"), kv, 12)
    y = linear(state, "attn_pool.proj", y)
    return (y + mlp("attn_pool.mlp", norm(state, "attn_pool.norm", y, 1e-6)))[:, 0]


# -------------------------------------------------------------------------- rotary positions ----


def rotary_attention(qkv, cos, sin, partner):
    """Queries and keys of the last tokens, as many as cos has rows, are turned; in f32."""
    n, tokens, width = qkv.shape
    q, k, v = qkv.view(n, tokens, 3, width // 192, 64).permute(2, 0, 3, 1, 4)

    def turn(y):
        before, rest = y.split([tokens - len(cos), len(cos)], 2)
        rest = rest.float()
        return torch.cat([before, (rest * cos + partner(rest) * sin).to(y)], 2)

    y = (turn(q) @ turn(k).transpose(2, 3) / 8).softmax(3) @ v
    return y.transpose(1, 2).reshape(n, tokens, -1)


# ------------------------------------------------------------------------- Perception Encoder ----


def perception_weights(width=192, grid=24, joint=512):
    v = "visual."
    state = Weights(
        {
            v + "class_embedding": torch.randn(width) * 0.5,
            v + "positional_embedding": torch.randn(1 + grid * grid, width) * 0.3,
            v + "attn_pool.probe": torch.randn(1, 1, width),
            v + "proj": torch.randn(width, joint) / width**0.5,
            "logit_scale": torch.ones(()),
        }
    )
    state.linear(v + "conv1.weight", None, width, 3, 16, 16)
    for name in "ln_pre", "ln_post", "attn_pool.layernorm":
        state.norm(v + name, width)
    names = [f"transformer.resblocks.{i}." for i in range(12)] + ["attn_pool."]
    for block in names:
        block = v + block
        random_linear(state, block + "attn.in_proj", 3 * width, width, "_weight", "_bias")
        random_linear(state, block + "attn.out_proj", width, width)
        random_linear(state, block + "mlp.c_fc", 4 * width, width)
        random_linear(state, block + "mlp.c_proj", width, 4 * width)
        if "pool" not in block:
            state.norm(block + "ln_1", width)
            state.norm(block + "ln_2", width)
            for name in "attn.out_proj", "mlp.c_proj":
                state[block + name + ".weight"] *= 0.3
    return state


def pair_partner(y):
    """-b, a for each pair a, b of values."""
    return torch.stack([-y[..., 1::2], y[..., 0::2]], -1).flatten(-2)


def perception(state, x):
    width, grid, side = 192, 24, x.shape[-1] // 16
    v, places = "visual.", state["visual.positional_embedding"]

    def mlp(block, y):
        return linear(state, block + "mlp.c_proj", F.gelu(linear(state, block + "mlp.c_fc", y)))

    if side != grid:
        places = torch.cat([places[:1], resized(places[1:], side, False)])
    t = patches(state, v + "conv1", x, 16, bias=False)
    t = torch.cat([state[v + "class_embedding"].expand(len(x), 1, width), t], 1) + places
    t = norm(state, v + "ln_pre", t, 1e-5)
    down, across = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    angles = torch.cat(
        [
            (place.flatten()[:, None] + 1) * 10000.0 ** -(torch.arange(16) / 16)
            for place in (across, down)
        ],
        1,
    ).repeat_interleave(2, 1)
    for i in range(12):
        block = f"{v}transformer.resblocks.{i}."
        y = norm(state, block + "ln_1", t, 1e-5)
        y = linear(state, block + "attn.in_proj", y, "_weight", "_bias")
        y = rotary_attention(y, angles.cos(), angles.sin(), pair_partner)
        t = t + linear(state, block + "attn.out_proj", y)
        t = t + mlp(block, norm(state, block + "ln_2", t, 1e-5))
    t = norm(state, v + "ln_post", t, 1e-5)
    weight, bias = state.of(v + "attn_pool.attn.in_proj", "_weight", "_bias")
    kv = F.linear(t, weight[width:], bias[width:])
    y = pool(state[v + "attn_pool.probe"], (weight[:width], bias[:width]), kv, 8)
    y = linear(state, v + "attn_pool.attn.out_proj", y)
    y = y + mlp(v + "attn_pool.", norm(state, v + "attn_pool.layernorm", y, 1e-5))
    return y[:, 0] @ state[v + "proj"]


# -------------------------------------------------------------------------------------- DINOv3 ----


def dino_weights(gated, width=384):
    hidden = 1536
    state = Weights(
        {
            "cls_token": torch.randn(1, 1, width) * 0.5,
            "storage_tokens": torch.randn(1, 4, width) * 0.5,
            "mask_token": torch.zeros(1, width),
            # Other ones than the network would make by itself.
            "rope_embed.periods": 90 ** (torch.arange(16) / 16),
        }
    )
    state.linear("patch_embed.proj.weight", "patch_embed.proj.bias", width, 3, 16, 16)
    state.norm("norm", width)
    mask = torch.ones(3 * width)
    mask[width : 2 * width] = 0
    for i in range(12):
        block = f"blocks.{i}."
        for name in "norm1", "norm2":
            state.norm(block + name, width)
        random_linear(state, block + "attn.qkv", 3 * width, width)
        state[block + "attn.qkv.bias_mask"] = mask.clone()
        random_linear(state, block + "attn.proj", width, width)
        for name in ("w1", "w2") if gated else ("fc1",):
            random_linear(state, block + "mlp." + name, hidden, width)
        random_linear(state, block + "mlp." + ("w3" if gated else "fc2"), width, hidden)
        for scale in "ls1", "ls2":
            state[f"{block}{scale}.gamma"] = torch.empty(width).uniform_(0.1, 0.4)
    return state


def half_partner(y):
    """-b, a for the halves a, b of each head."""
    a, b = y.chunk(2, -1)
    return torch.cat([-b, a], -1)


def dino(state, x, gated):
    n, side = len(x), x.shape[-1] // 16
    width = state["cls_token"].shape[-1]
    t = patches(state, "patch_embed.proj", x, 16)
    tokens = [state[name].expand(n, -1, width) for name in ("cls_token", "storage_tokens")]
    t = torch.cat(tokens + [t], 1)
    middle = (torch.arange(side) + 0.5) / side * 2 - 1
    periods = state.get("rope_embed.periods", 100 ** (torch.arange(16) / 16)).float()
    down, across = torch.meshgrid(middle, middle, indexing="ij")
    angles = torch.cat(
        [2 * math.pi * place.flatten()[:, None] / periods for place in (down, across)], 1
    ).repeat(1, 2)
    for i in range(12):
        block = f"blocks.{i}."
        weight, bias = state.of(block + "attn.qkv")
        bias = bias * state[block + "attn.qkv.bias_mask"]
        y = F.linear(norm(state, block + "norm1", t, 1e-5), weight, bias)
        y = rotary_attention(y, angles.cos(), angles.sin(), half_partner)
        t = t + linear(state, block + "attn.proj", y) * state[block + "ls1.gamma"]
        y = norm(state, block + "norm2", t, 1e-5)
        if gated:
            y = F.silu(linear(state, block + "mlp.w1", y)) * linear(state, block + "mlp.w2", y)
            y = linear(state, block + "mlp.w3", y)
        else:
            y = linear(state, block + "mlp.fc2", F.gelu(linear(state, block + "mlp.fc1", y)))
        t = t + y * state[block + "ls2.gamma"]
    return norm(state, "norm", t[:, 0], 1e-5)


def without_periods(folder):
    state = dino_weights(False)
    del state["rope_embed.periods"]
    path = os.path.join(folder, "none.pth")
    torch.save(dict(state), path)
    x = pictures(80)
    want = dino(state, x, False).numpy()
    got = ours("dinov3_vits16", path, "f32", x, folder)
    agree("dinov3_vits16 without periods in the file", want, got, 0.99999, 0.9999)


with tempfile.TemporaryDirectory() as folder:
    torch.manual_seed(1)
    compared("siglip_b32_256", siglip_weights(), siglip, [256, 250], folder)
    compared("pe_core_t16_384", perception_weights(), perception, [384, 96], folder)
    for name, gated in ("dinov3_vits16", False), ("dinov3_vits16plus", True):
        compared(name, dino_weights(gated), lambda s, x: dino(s, x, gated), [80], folder)
    without_periods(folder)
end()
