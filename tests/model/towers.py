"""SigLIP, Perception Encoder, DINOv3, DINOv2 and SSCD against transformers, timm, open_clip and
torchvision, with random weights, in the layouts of names that each of these writes (`make
test-networks`). `towers.py NAME...` runs only these, `towers.py all` the large ones as well."""

import json, os, re, sys, tempfile

from compare import agree, agree_found, agree_that, end, nn, no_worse, ours, pictures, safetensors
from compare import skip, torch

try:
    import open_clip, timm, torchvision, transformers
except ImportError as e:
    skip(f"{e}: pip install timm open_clip_torch transformers, and TIMM= the python3 that has them")

transformers.logging.set_verbosity_error()
WIDTHS = {"s": 384, "b": 768, "l": 1024, "so400m": 1152, "h": 1280}


def randomise(net):
    """Norms, biases, tokens, positions and layer scales that do something."""
    for name, p in net.named_parameters():
        if name.endswith(("gamma", "lambda1")):
            p.uniform_(0.1, 0.4)
        elif p.dim() == 1 and name.endswith("weight"):
            p.uniform_(0.7, 1.3)
        elif name.endswith("bias"):
            p.normal_(0, 0.1)
        elif "token" in name or "pos" in name or "latent" in name or "probe" in name:
            p.normal_(0, 0.3)
        elif p.dim() > 1:
            p.normal_(0, (p[0].numel()) ** -0.5)
    return net.eval()


def written(state, folder, name):
    path = os.path.join(folder, name + ".pth")
    torch.save(state, path)
    return path


def compared(what, name, net, feature, side, write=None, sides=()):
    """feature(net, x); write(state, folder): the path of the file. f32 of few pictures at the side
    and at others, bf16 of 16, by the rule of compare.py."""
    with tempfile.TemporaryDirectory() as folder:
        path = (write or (lambda s, f: written(s, f, name)))(net.state_dict(), folder)
        agree_found(path, name)
        for s in (side, *sides):
            x = pictures(s, 3)
            got = ours(name, path, "f32", x, folder)
            agree(f"{name} of {s}, {what}", feature(net, x).numpy(), got, 0.99999, 0.9999)
        x = pictures(side, 16)
        want, got = feature(net, x).numpy(), ours(name, path, "bf16", x, folder)
        own = feature(net.bfloat16(), x.bfloat16()).float().numpy()
        if isinstance(got, str):
            agree_that(f"{name} in bf16", False, got)
        else:
            no_worse(f"{name} in bf16, {what}: no worse than torch's", want, got, own)


# ------------------------------------------------------------------------------------- SigLIP ----


def siglip_sizes(kind):
    size, patch, side = re.fullmatch(r"(\D+|so400m)(\d\d)_(\d+)", kind).groups()
    return size, int(patch), int(side)


def pooled(net, x):
    return net(pixel_values=x).pooler_output


def siglip_config(kind):
    size, patch, side = siglip_sizes(kind)
    depth, heads, hidden = {
        "b": (12, 12, 3072),
        "l": (24, 16, 4096),
        "so400m": (27, 16, 4304),
    }[size]
    return {
        "hidden_size": WIDTHS[size],
        "num_hidden_layers": depth,
        "num_attention_heads": heads,
        "intermediate_size": hidden,
        "patch_size": patch,
        "image_size": side,
    }


def siglip_of_transformers(kind):
    """The whole model's file, with its tower of words."""
    torch.manual_seed(len(kind))
    words = {"num_hidden_layers": 1, "hidden_size": 64, "intermediate_size": 64}
    config = transformers.SiglipConfig(
        vision_config=siglip_config(kind), text_config=words | {"num_attention_heads": 1}
    )
    net = randomise(transformers.SiglipModel(config))

    def feature(net, x):
        out = net.get_image_features(pixel_values=x)
        return out if torch.is_tensor(out) else out.pooler_output

    compared("transformers", f"siglip_{kind}", net, feature, config.vision_config.image_size)


def siglip_of_timm(kind, prefix=""):
    size, patch, side = siglip_sizes(kind)
    torch.manual_seed(len(kind) + 1)
    long = {"b": "base", "l": "large", "so400m": "so400m"}[size]
    net = timm.create_model(f"vit_{long}_patch{patch}_siglip_{side}", num_classes=0)
    exact = getattr(net.blocks[0].mlp.act, "approximate", "tanh") == "none"

    def write(state, folder):
        text = {"text.ln_final.weight": torch.ones(8), "logit_scale": torch.ones(())}
        state = {prefix + k: v for k, v in state.items()} | (text if prefix else {})
        return written(state, folder, kind)

    what = "open_clip's names" if prefix else "timm"
    name = f"siglip_{kind}" + ("_gelu" if exact else "")
    compared(what, name, randomise(net), lambda net, x: net(x), side, write)


# ------------------------------------------------------------------------- Perception Encoder ----


def perception(name, theirs):
    torch.manual_seed(5)
    net = randomise(open_clip.create_model(theirs, pretrained=None))
    net.visual.trunk.head.bias.data.zero_()
    compared(
        "open_clip", name, net, lambda net, x: net.encode_image(x), net.visual.image_size[0]
    )


# -------------------------------------------------------------------------------------- DINO ----


def dino3(name, size, depth, gated=0):
    torch.manual_seed(6)
    width = WIDTHS[size]
    config = transformers.DINOv3ViTConfig(
        hidden_size=width,
        num_hidden_layers=depth,
        num_attention_heads=width // 64,
        intermediate_size=gated or 4 * width,
        use_gated_mlp=bool(gated),
        hidden_act="silu" if gated else "gelu",
        num_register_tokens=4,
        image_size=256,
    )
    net = randomise(transformers.DINOv3ViTModel(config))
    compared("transformers", name, net, pooled, 256, sides=[96])


def dino2(name, size, depth, published):
    """At the size of the positions, since transformers interpolates them in a way of its own."""
    torch.manual_seed(7)
    settings = {
        "hidden_size": WIDTHS[size],
        "num_hidden_layers": depth,
        "num_attention_heads": WIDTHS[size] // 64,
        "image_size": 518,
        "patch_size": 14,
    }
    kind, model = (
        (transformers.Dinov2WithRegistersConfig, transformers.Dinov2WithRegistersModel)
        if "reg" in name
        else (transformers.Dinov2Config, transformers.Dinov2Model)
    )
    net = randomise(model(kind(**settings)))
    older = {
        ".attention.q_proj.": ".attention.attention.query.",
        ".attention.k_proj.": ".attention.attention.key.",
        ".attention.v_proj.": ".attention.attention.value.",
        ".attention.o_proj.": ".attention.output.dense.",
    }

    def write(state, folder):
        for new, old in older.items() if published else ():
            state = {k.replace(new, old): v for k, v in state.items()}
        return sharded(state, folder)

    what = "transformers' older names, sharded" if published else "transformers, sharded"
    compared(what, name, net, pooled, 518, write)


def sharded(state, folder):
    """Three files and an index, as Hugging Face's programs write them."""
    names, where = list(state), {}
    for i in range(3):
        file = f"model-{i + 1:05}-of-00003.safetensors"
        safetensors(os.path.join(folder, file), {k: state[k] for k in names[i::3]})
        where |= {k: file for k in names[i::3]}
    path = os.path.join(folder, "model.safetensors.index.json")
    with open(path, "w") as f:
        json.dump({"metadata": {"total_size": 0}, "weight_map": where}, f)
    return path


# -------------------------------------------------------------------------------------- SSCD ----


class Sscd(nn.Module):
    """As the publisher's, over torchvision's trunk."""

    def __init__(self, trunk):
        super().__init__()
        self.backbone = trunk

    def forward(self, x):
        b = self.backbone
        x = b.maxpool(b.relu(b.bn1(b.conv1(x))))
        x = b.layer4(b.layer3(b.layer2(b.layer1(x))))
        return b.fc(x.flatten(2).clamp(min=1e-6).pow(3).mean(2).pow(1 / 3))


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


def sscd(name, trunk, dim):
    torch.manual_seed(8)
    net = Sscd(trunk(num_classes=dim)).eval()
    for m in net.modules():
        if isinstance(m, nn.BatchNorm2d):
            m.running_mean.normal_(0, 0.1)
            m.running_var.uniform_(0.5, 1.5)
            m.weight.data.uniform_(0.5, 1.0)
            m.bias.data.normal_(0, 0.1)

    def program(state, folder):
        path = os.path.join(folder, name + ".pt")
        torch.jit.trace(net, pictures(64, 1)).save(path)
        return path

    def feature(net, x):
        return net(x)

    compared("torchvision's names", name, net, feature, 320)
    net.float()
    renamed = lambda state, folder: written(classy(state), folder, name)
    compared("Classy Vision's names", name, net, feature, 96, renamed)
    net.float()
    compared("a TorchScript file", name, net, feature, 96, program)


def sscd50():
    sscd("sscd_resnet50", torchvision.models.resnet50, 512)


def sscd101():
    resnet = torchvision.models.resnet
    sscd(
        "sscd_resnext101_32x4d",
        lambda num_classes: resnet.ResNet(
            resnet.Bottleneck, [3, 4, 23, 3], num_classes, groups=32, width_per_group=4
        ),
        1024,
    )


CASES = {
    "siglip_b16_224": lambda: siglip_of_transformers("b16_224"),
    "siglip_timm_b16_256": lambda: siglip_of_timm("b16_256"),
    "siglip_open_clip_b16_224": lambda: siglip_of_timm("b16_224", "visual.trunk."),
    "pe_core_t16_384": lambda: perception("pe_core_t16_384", "PE-Core-T-16-384"),
    "pe_core_b16_224": lambda: perception("pe_core_b16_224", "PE-Core-B-16"),
    "dinov3_vits16": lambda: dino3("dinov3_vits16", "s", 12),
    "dinov3_vits16plus": lambda: dino3("dinov3_vits16plus", "s", 12, 1536),
    "dinov2_vits14": lambda: dino2("dinov2_vits14", "s", 12, True),
    "dinov2_vits14_reg": lambda: dino2("dinov2_vits14_reg", "s", 12, False),
    "sscd_resnet50": sscd50,
}
LARGE = {
    "siglip_so400m14_384": lambda: siglip_of_transformers("so400m14_384"),
    "siglip_so400m14_224": lambda: siglip_of_transformers("so400m14_224"),
    "siglip_b16_384": lambda: siglip_of_transformers("b16_384"),
    "siglip_l16_256": lambda: siglip_of_transformers("l16_256"),
    "siglip_l16_384": lambda: siglip_of_transformers("l16_384"),
    "siglip_so400m16_256": lambda: siglip_of_timm("so400m16_256"),
    "siglip_so400m16_384": lambda: siglip_of_timm("so400m16_384"),
    "pe_core_s16_384": lambda: perception("pe_core_s16_384", "PE-Core-S-16-384"),
    "pe_core_l14_336": lambda: perception("pe_core_l14_336", "PE-Core-L-14-336"),
    "dinov3_vitb16": lambda: dino3("dinov3_vitb16", "b", 12),
    "dinov3_vitl16": lambda: dino3("dinov3_vitl16", "l", 24),
    "dinov3_vith16plus": lambda: dino3("dinov3_vith16plus", "h", 32, 5120),
    "sscd_resnext101_32x4d": sscd101,
}

wanted = sys.argv[1:] or list(CASES)
for case, run in (CASES | LARGE).items():
    if case in wanted or wanted == ["all"]:
        run()
end()
