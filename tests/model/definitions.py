"""What the definitions of vision transformers in torch's functional operators share: random
weights, attention, the comparison in f32 and bf16."""

import os

from compare import agree, nn, no_worse, ours, pictures, torch

F = nn.functional


class Weights(dict):
    """Random weights, small enough that what each layer adds does not drown the rest."""

    def linear(self, weight, bias, out, *fan):
        self[weight] = torch.randn(out, *fan) / torch.tensor(fan).prod().sqrt()
        if bias:
            self[bias] = torch.randn(out) * 0.1

    def norm(self, name, width):
        self[name + ".weight"] = torch.empty(width).uniform_(0.7, 1.3)
        self[name + ".bias"] = torch.randn(width) * 0.1

    def of(self, name, weight=".weight", bias=".bias"):
        return self[name + weight], self[name + bias]


def attention(qkv):
    """(n, T, 3 D) to (n, T, D), by heads of 64."""
    n, tokens, width = qkv.shape
    q, k, v = qkv.reshape(n, tokens, 3, width // 192, 64).permute(2, 0, 3, 1, 4)
    return ((q @ k.transpose(2, 3) / 8).softmax(3) @ v).transpose(1, 2).reshape(n, tokens, -1)


def compared(name, state, reference, sides, folder):
    """reference(state, x); the first of the sides is that of the positions."""
    path = os.path.join(folder, name + ".pth")
    torch.save({k: v.half() for k, v in state.items()}, path)
    state = Weights({k: v.half().float() for k, v in state.items()})
    for side in sides:
        x = pictures(side, 2 if side > 300 else 6)
        want = reference(state, x).numpy()
        agree(f"{name} of {side}", want, ours(name, path, "f32", x, folder), 0.99999, 0.9999)
    x = pictures(side, 16)
    want = reference(state, x).numpy()
    got = ours(name, path, "bf16", x, folder)
    agree(f"{name} of {side} in bf16", want, got, 0.99, 0.99)
    half = Weights({k: v.bfloat16() for k, v in state.items()})
    own = reference(half, x.bfloat16()).float().numpy()
    if not isinstance(got, str):
        no_worse(f"{name} in bf16: no worse than torch's", want, got, own)
    return path
