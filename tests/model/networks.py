#!/usr/bin/python3
"""torchvision's networks, and SSCD's, against torchvision's: random weights, random batch norm
statistics, all formats of weights files. The large ones: `make test-networks`.

The features of tests/model/features (our readers, our shim) must agree with torchvision's in f32 to
cosine 0.99999, and after subtracting the mean over the pictures, which random weights give nearly
the same feature, to 0.9999; in bf16 to 0.99, and no worse than torch's own bf16. Small inputs keep
it short. `networks.py NAME...` runs only these.

Which random weights, matters to bf16, whose rounding (one part in 512 after every layer) they may
amplify. Measured, centred cosine, ours / torch's own bf16 on channels last:
- as torchvision makes them, with running means N(0, 0.1) and variances U(0.5, 1.5): ResNet-18 to
  -152 0.9999 / 0.9998, 0.9998 / 0.9997, 0.9999 / 0.9998, 0.9994 / 0.9988, 0.9969 / 0.9961: tested
  here (another draw of ResNet-152's: 0.981 / 0.966). The others' kernels of one channel are made so
  small that nothing of the picture arrives (features differ by less than bf16 can say): no figure.
- as torchvision makes them, with statistics fitted to the pictures and then disturbed (means by 0.1
  deviations, variances by U(0.8, 1.25)): ResNets 0.999 / 0.999, 0.994 / 0.992, 0.926 / 0.898,
  0.830 / 0.793, 0.477 / 0.466; MobileNetV2 0.899 / 0.888; EfficientNet-B0 to -B2 0.989 / 0.987,
  0.652 / 0.581, 0.783 / 0.752. Every layer then stretches small differences to full size again,
  which no trained network does: with MobileNetV2's ImageNet weights and photographs the lowest is
  0.995 (tests/image/reference.py).
- hence the weights of torchvision_networks.randomise, for all networks.
"""

import json, os, sys, tempfile

from compare import agree, agree_found, agree_that, end, found, nn, no_worse, ours, pictures
from compare import safetensors, skip, torch

try:
    import torchvision
except ImportError as e:
    skip(f"python3-torchvision is missing: {e}")
from torchvision_networks import Sscd, made, randomise, reference

NETWORKS = {
    "resnet18": 96,
    "resnet34": 96,
    "resnet50": 96,
    "resnet101": 64,
    "mobilenet_v2": 128,
    **{f"efficientnet_b{i}": 96 for i in range(6)},
    "mobilenet_v3_small": 128,
    "mobilenet_v3_large": 128,
    "efficientnet_v2_s": 96,
    "densenet121": 96,
    "inception_v3": 139,
    "regnet_y_400mf": 96,
    "convnext_tiny": 96,
    "resnext50_32x4d": 96,
}
FORMATS = ["zip", "legacy", "safetensors", "script"]


def as_made(net):
    """As torchvision makes it, with random statistics that keep a ResNet's signal alive."""
    net.eval()
    for m in net.modules():
        if isinstance(m, nn.BatchNorm2d):
            m.running_mean.normal_(0, 0.1)
            m.running_var.uniform_(0.5, 1.5)


def save(net, form, folder):
    state = net.state_dict()
    path = os.path.join(
        folder,
        {
            "zip": "zip.pth",
            "legacy": "legacy.pth",
            "safetensors": "w.safetensors",
            "script": "s.pt",
        }[form],
    )
    if form == "script":
        torch.jit.script(net).save(path)
    elif form == "safetensors":
        safetensors(path, state)
    else:
        torch.save(state, path, _use_new_zipfile_serialization=form == "zip")
    return path


def bf16(what, net, x, path, name, want, folder, least=0.99):
    """Ours, and that torch's own is not better by more than chance."""
    got = ours(name, path, "bf16", x, folder)
    agree(f"{name} bf16{what}", want, got, 0.99, least)
    if isinstance(got, str):
        return
    last = torch.channels_last
    own = (
        net.to(memory_format=last, dtype=torch.bfloat16)(
            x.to(torch.bfloat16).contiguous(memory_format=last)
        )
        .float()
        .numpy()
    )
    no_worse(f"{name} bf16{what}: no worse than torch's", want, got, own)


def one(index, name, side, folder):
    torch.manual_seed(index)
    x = pictures(side)
    net = made(name)
    randomise(net, x)
    forms = FORMATS if name in ("resnet18", "mobilenet_v2") else [FORMATS[index % 3]]
    paths = {f: save(net, f, folder) for f in forms}
    want = reference(net, x)
    for f, path in paths.items():
        agree(f"{name} f32 from {f}", want, ours(name, path, "f32", x, folder), 0.99999, 0.9999)
        agree_found(path, name)
    # Nothing is added to a shortcut in Inception-v3, so each layer stretches what bf16 rounds away.
    bf16("", net, x, path, name, want, folder, 0.97 if name == "inception_v3" else 0.99)
    if name.startswith("resnet"):
        net = getattr(torchvision.models, name)()
        as_made(net)
        path = save(net, "zip", folder)
        bf16(
            " as made",
            net,
            x,
            path,
            name,
            reference(net, x),
            folder,
            0.97 if name == "resnet152" else 0.99,
        )


def classy(state):
    """The same tensors by the names of Classy Vision."""
    out = {}
    for name, tensor in state.items():
        part = name.split(".")[1:]
        if part[0] == "fc":
            new = ["embeddings", "1"]
        elif part[0] in ("conv1", "bn1"):
            new = ["backbone", "initial_block", "_module", "01"[part[0] == "bn1"]]
        else:
            inner, n = part[2], part[2][-1]
            new = ["backbone", "blocks", str(int(part[0][-1]) - 1), part[1], "_module"]
            if inner == "downsample":
                new += part[2:4]
            elif inner == "bn3":
                new += ["bn"]
            else:
                number = 3 * (int(n) - 1) + inner.startswith("bn")
                new += ["convolutional_block", str(number)]
        out[".".join(new + part[-1:])] = tensor
    return out


def sscd(folder):
    """In the layouts that its publisher has files of."""
    torch.manual_seed(9)
    x = pictures(96)
    net = Sscd(torchvision.models.resnet50(num_classes=512)).eval()
    randomise(net, x)
    want, state = net(x).numpy(), net.state_dict()
    path = os.path.join(folder, "sscd.pth")
    for what, tensors in ("torchvision's names", state), ("Classy Vision's names", classy(state)):
        torch.save(tensors, path)
        agree_found(path, "sscd_resnet50")
        got = ours("sscd_resnet50", path, "f32", x, folder)
        agree(f"sscd_resnet50, {what}", want, got, 0.99999, 0.9999)
    path = os.path.join(folder, "sscd.pt")
    torch.jit.trace(net, x[:1]).save(path)
    got = ours("sscd_resnet50", path, "f32", x, folder)
    agree("sscd_resnet50 from a TorchScript file", want, got, 0.99999, 0.9999)


def projected(folder):
    """A linear layer behind the pooling, half precision weights, the network named by the card."""
    torch.manual_seed(5)
    x = pictures(96)
    net = torchvision.models.mobilenet_v2()
    randomise(net, x)
    state = {
        k: v.half()
        for k, v in net.state_dict().items()
        if "num_batches" not in k and "classifier" not in k
    }
    net.load_state_dict(state, strict=False)
    layer = nn.Linear(1280, 64)
    state |= {"project.weight": layer.weight.half(), "project.bias": layer.bias.half()}
    path = os.path.join(folder, "mine.safetensors")
    safetensors(path, state)
    with open(os.path.join(folder, "mine.json"), "w") as f:
        json.dump(
            {
                "name": "mine",
                "network": "mobilenet_v2",
                "projection": True,
                "dim": 64,
                "resize": 128,
                "crop": 96,
            },
            f,
        )
    want = nn.functional.linear(
        torch.from_numpy(reference(net, x)), layer.weight.half().float(), layer.bias.half().float()
    ).numpy()
    agree(
        "mobilenet_v2 with a projection in f16 by its card",
        want,
        ours("-", path, "f32", x, folder),
        0.99999,
        0.9999,
    )


def remembering(folder):
    """Class posteriors before the projection, and the large matrices in int8 with a scale for each
    row."""
    torch.manual_seed(6)
    x = pictures(96)
    net = torchvision.models.mobilenet_v2()
    randomise(net, x)
    layer, classes = nn.Linear(1280 + 1000, 64), net.classifier[1]
    state = {
        k: v
        for k, v in net.state_dict().items()
        if "num_batches" not in k and "classifier" not in k
    }
    state |= {
        "project.weight": layer.weight,
        "project.bias": layer.bias,
        "posterior.weight": classes.weight,
        "posterior.bias": classes.bias,
    }
    for k, v in list(state.items()):
        if v.dim() > 1 and v.numel() >= 16384:
            state[k + "_scale"] = scale = v.detach().flatten(1).abs().amax(1) / 127
            rows = scale.reshape([-1] + [1] * (v.dim() - 1))
            state[k] = (v.detach() / rows).round().to(torch.int8)
            v.data.copy_(state[k].float() * rows)  # the reference is of the same numbers
    path = os.path.join(folder, "knows.safetensors")
    safetensors(path, state)
    with open(os.path.join(folder, "knows.json"), "w") as f:
        json.dump(
            {
                "name": "knows",
                "network": "mobilenet_v2",
                "projection": True,
                "dim": 64,
                "resize": 128,
                "crop": 96,
            },
            f,
        )
    pooled = net.features(x).mean((2, 3))
    roots = (classes(pooled) / 2).softmax(1).sqrt()
    want = layer(torch.cat([nn.functional.normalize(pooled), roots], 1)).numpy()
    agree(
        "mobilenet_v2 with posteriors, in int8",
        want,
        ours("-", path, "f32", x, folder),
        0.99999,
        0.9999,
    )
    whole = dict(state)
    for what, change, want in (
        ("int8 without its scale", {"posterior.weight_scale": None}, "posterior.weight_scale"),
        (
            "a scale of another length",
            {"posterior.weight_scale": torch.ones(3)},
            "posterior.weight_scale",
        ),
        (
            "a scale of what is not int8",
            {"project.bias_scale": torch.ones(64)},
            "project.bias_scale",
        ),
        ("posteriors without a bias", {"posterior.bias": None}, "posterior.bias"),
        (
            "posteriors of another width",
            {"posterior.weight": torch.ones(1000, 640), "posterior.weight_scale": None},
            "posterior.weight",
        ),
        (
            "posteriors of no class",
            {
                "posterior.weight": torch.ones(0, 1280),
                "posterior.weight_scale": None,
                "posterior.bias": torch.ones(0),
            },
            "no rows",
        ),
        (
            "posteriors without a projection",
            {"project.weight": None, "project.weight_scale": None, "project.bias": None},
            "project.weight",
        ),
    ):
        safetensors(path, {k: v for k, v in (whole | change).items() if v is not None})
        said = ours("-", path, "f32", x, folder)
        agree_that(what + " is refused", isinstance(said, str) and want in said, said)


def script_as_network(folder):
    net = nn.Sequential(
        nn.Conv2d(3, 16, 3, 2), nn.BatchNorm2d(16), nn.ReLU(), nn.Conv2d(16, 40, 3, 2)
    ).eval()
    x = pictures(64)
    path = os.path.join(folder, "program.pt")
    torch.jit.script(net).save(path)
    agree(
        "a TorchScript program is the network",
        net(x).mean((2, 3)).numpy(),
        ours("script", path, "f32", x, folder),
        0.99999,
        0.9999,
    )


def older_names(folder):
    """DenseNet's published files say "norm.1"; wrappers put "module." before all names."""
    torch.manual_seed(7)
    x = pictures(64)
    net = made("densenet121")
    randomise(net, x)
    state = {}
    for name, tensor in net.state_dict().items():
        for part in ("norm", "conv"):
            if "denselayer" in name:
                name = name.replace(f".{part}1.", f".{part}.1.").replace(
                    f".{part}2.", f".{part}.2."
                )
        state[name] = tensor
    want, path = reference(net, x), os.path.join(folder, "older.pth")
    for what, prefix in ("older names", ""), ("a wrapper's prefix", "module."):
        torch.save({prefix + name: tensor for name, tensor in state.items()}, path)
        agree_found(path, "densenet121")
        agree(
            f"densenet121 with {what}",
            want,
            ours("densenet121", path, "f32", x, folder),
            0.99999,
            0.9999,
        )


POOLINGS = {
    "mean": lambda y: y.mean((2, 3)),
    "max": lambda y: y.amax((2, 3)),
    "gem": lambda y: y.clamp_min(1e-6).pow(3).mean((2, 3)).pow(1 / 3),
}


def by_card(folder, network, state, **keys):
    path = os.path.join(folder, "pooled.safetensors")
    safetensors(path, state)
    with open(os.path.join(folder, "pooled.json"), "w") as f:
        json.dump({"network": network, **keys}, f)
    return path


def pooled(folder):
    """Other poolings of the last maps, and of a transformer's patches."""
    torch.manual_seed(8)
    x = pictures(96)
    net = torchvision.models.resnet18()
    randomise(net, x)
    state = net.state_dict()
    maps = nn.Sequential(*list(net.children())[:-2])(x)
    for name, pool in POOLINGS.items():
        path = by_card(folder, "resnet18", state, pooling=name)
        got = ours("-", path, "f32", x, folder)
        agree(f"resnet18 pooled by {name}", pool(maps).numpy(), got, 0.99999, 0.9999)
    net = made("convnext_tiny")
    randomise(net, x)
    path = by_card(folder, "convnext_tiny", net.state_dict(), pooling="max")
    want = net.classifier[0](POOLINGS["max"](net.features(x))[:, :, None, None]).flatten(1).numpy()
    got = ours("-", path, "f32", x, folder)
    agree("convnext_tiny pooled by max, before its last norm", want, got, 0.99999, 0.9999)
    for network, name in ("resnet18", "class"), ("vgg11", "max"):
        net = made(network)
        path = by_card(folder, network, net.state_dict(), pooling=name)
        said = ours("-", path, "f32", x, folder)
        want = f'this network has no pooling "{name}"'
        agree_that(f"{network} by {name} is refused", want in str(said), said)


def refused(folder):
    """Weights of another network are refused by the tensor's name."""
    path = os.path.join(folder, "other.pth")
    state = torchvision.models.resnet18().state_dict()
    torch.save({k: v for k, v in state.items() if k != "layer3.1.bn2.bias"}, path)
    said = found(path)
    want = "resnet18: missing layer3.1.bn2.bias"
    agree_that("a file that lacks a tensor is of no network", said == want, said)
    torch.save({**state, "layer3.1.conv2.weight": torch.ones(256, 256, 1, 1)}, path)
    said = found(path)
    want = "resnet18: tensor layer3.1.conv2.weight has shape (256, 256, 1, 1), the network needs"
    agree_that("nor one whose tensor is misshaped", want in said, said)
    for what, value in ("no number", float("nan")), ("infinite", float("inf")):
        bad = {k: v.clone() for k, v in state.items()}
        bad["layer2.0.conv1.weight"][3, 2, 1, 0] = value
        torch.save(bad, path)
        said = ours("resnet18", path, "f32", pictures(64), folder)
        want = "tensor layer2.0.conv1.weight has values that are not finite"
        agree_that(f"a value that is {what} is refused", want in str(said), said)
    torch.save(state, path)
    said = ours("resnet50", path, "f32", pictures(64), folder)
    agree_that(
        "weights of another network are refused",
        isinstance(said, str) and "layer1.0.conv" in said,
        said,
    )


wanted = sys.argv[1:] or NETWORKS
for index, (name, side) in enumerate(NETWORKS.items()):
    if name in wanted:
        with tempfile.TemporaryDirectory() as folder:
            one(index, name, side, folder)
with tempfile.TemporaryDirectory() as folder:
    sscd(folder)
    projected(folder)
    remembering(folder)
    script_as_network(folder)
    older_names(folder)
    pooled(folder)
    refused(folder)
end()
