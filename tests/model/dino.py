#!/usr/bin/python3
"""DINOv2 against its definition in torch's functional operators: random weights, positions of other
grids, with and without registers, SwiGLU; a crop that is no multiple of the patch."""

import os, sys, tempfile

from compare import agree, agree_that, end, nn, no_worse, ours, pictures, torch

F = nn.functional
KINDS = {"s": (384, 12), "b": (768, 12), "l": (1024, 24), "g": (1536, 40)}


def random_weights(size, registers):
    width, depth = KINDS[size]
    hidden = (width * 8 // 3 + 7) // 8 * 8
    mlp = (
        {"w12": (2 * hidden, width), "w3": (width, hidden)}
        if size == "g"
        else {"fc1": (4 * width, width), "fc2": (width, 4 * width)}
    )
    state = {
        "cls_token": torch.randn(1, 1, width) * 0.5,
        "pos_embed": torch.randn(1, 1 + 37 * 37, width) * 0.3,
        "mask_token": torch.zeros(1, width),
    }
    if registers:
        state["register_tokens"] = torch.randn(1, 4, width) * 0.5

    def linear(name, out, *fan):
        state[name + ".weight"] = torch.randn(out, *fan) / torch.tensor(fan).prod().sqrt()
        state[name + ".bias"] = torch.randn(out) * 0.1

    def norm(name):
        state[name + ".weight"] = torch.empty(width).uniform_(0.7, 1.3)
        state[name + ".bias"] = torch.randn(width) * 0.1

    linear("patch_embed.proj", width, 3, 14, 14)
    norm("norm")
    for i in range(depth):
        block = f"blocks.{i}."
        norm(block + "norm1")
        norm(block + "norm2")
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


def reference(size, state, x, registers):
    width, depth = KINDS[size]
    of_class, of_patches = positions(state, x.shape[-1] // 14, registers)
    of = lambda name: (state[name + ".weight"], state[name + ".bias"])
    t = F.conv2d(x, *of("patch_embed.proj"), stride=14).flatten(2).transpose(1, 2)
    parts = [(state["cls_token"] + of_class).expand(len(x), 1, width), t + of_patches]
    if registers:
        parts.insert(1, state["register_tokens"].expand(len(x), 4, width))
    t = torch.cat(parts, 1)
    for i in range(depth):
        block = f"blocks.{i}."
        y = F.linear(F.layer_norm(t, (width,), *of(block + "norm1"), 1e-6), *of(block + "attn.qkv"))
        q, k, v = y.reshape(len(x), -1, 3, width // 64, 64).permute(2, 0, 3, 1, 4)
        y = (q @ k.transpose(2, 3) / 8).softmax(3) @ v
        y = F.linear(y.transpose(1, 2).reshape(t.shape), *of(block + "attn.proj"))
        t = t + y * state[block + "ls1.gamma"]
        y = F.layer_norm(t, (width,), *of(block + "norm2"), 1e-6)
        if size == "g":
            a, b = F.linear(y, *of(block + "mlp.w12")).chunk(2, -1)
            y = F.linear(F.silu(a) * b, *of(block + "mlp.w3"))
        else:
            y = F.linear(F.gelu(F.linear(y, *of(block + "mlp.fc1"))), *of(block + "mlp.fc2"))
        t = t + y * state[block + "ls2.gamma"]
    return F.layer_norm(t[:, 0], (width,), *of("norm"), 1e-6)


def compared(size, registers, sides, folder):
    torch.manual_seed(ord(size) + registers)
    state = random_weights(size, registers)
    name = f"dinov2_vit{size}14" + ("_reg" if registers else "")
    path = os.path.join(folder, name + ".pth")
    torch.save(state, path)
    for side in sides:
        x = pictures(side, 2 if side == 518 else 6)
        want = reference(size, state, x, registers).numpy()
        agree(f"{name} of {side}", want, ours(name, path, "f32", x, folder), 0.99999, 0.9999)
    x = pictures(side, 16)
    want = reference(size, state, x, registers).numpy()
    got = ours(name, path, "bf16", x, folder)
    agree(f"{name} of {side} in bf16", want, got, 0.99, 0.99)
    half = {k: v.bfloat16() for k, v in state.items()}
    own = reference(size, half, x.bfloat16(), registers).float().numpy()
    if not isinstance(got, str):
        no_worse(f"{name} in bf16: no worse than torch's", want, got, own)
    return name, path


with tempfile.TemporaryDirectory() as folder:
    for size in sys.argv[1:] or ["s"]:
        name, path = compared(size, False, [518, 224, 70] if size == "s" else [70], folder)
        if size == "s":
            said = ours(name, path, "f32", pictures(100), folder)
            agree_that(
                "a crop that is no multiple of the patch",
                isinstance(said, str) and "98 and 112" in said,
                said,
            )
        compared(size, True, [224, 70] if size == "s" else [70], folder)
end()
