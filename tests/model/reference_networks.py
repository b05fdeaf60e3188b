"""The networks of docs/models.md in other implementations: torchvision, timm, open_clip and
transformers of PyPI, and the publishers' own programs of DINOv2, DINOv3 and Perception Encoder,
whose repositories lie in $PUBLISHERS (dinov2, dinov3, perception_models)."""

import importlib, os, re, sys, types
from dataclasses import dataclass

import open_clip, timm, torch, torchvision, transformers
from torch import nn
from torchvision import transforms as T

import torchvision_networks
from lite_reference import renamed

transformers.logging.set_verbosity_error()


@dataclass
class Reference:
    """feature(net, x): the feature; transform(PIL picture): the input; fit(net, x): sets
    statistics, None where there are none; state: the tensors of the weights file, where they are
    not those of net."""

    network: str
    against: str
    net: nn.Module
    side: int
    transform: object
    feature: object = lambda net, x: net(x)
    fit: object = None
    shards: int = 1
    last: bool = False  # channels last
    rename: object = lambda name: name
    published: bool = False  # weights that nothing draws again
    state: dict = None
    words: tuple = None  # context and vocabulary: of texts instead of pictures

    def __post_init__(self):
        self.state = self.state or self.net.state_dict()


def randomise(net):
    """Norms, biases, tokens, positions and layer scales that do something."""
    for name, p in net.named_parameters():
        if name.endswith(("gamma", "lambda1")):
            p.uniform_(0.1, 0.4)
        elif p.dim() == 1 and name.endswith("weight"):
            p.uniform_(0.7, 1.3)
        elif name.endswith("bias"):
            p.normal_(0, 0.1)
        elif any(word in name for word in ("token", "pos", "latent", "probe", "class_emb")):
            p.normal_(0, 0.3)
        elif p.dim() > 1:
            p.normal_(0, p[0].numel() ** -0.5)
    return net.eval()


def resized(side, mean, std, way="bicubic", resize=None):
    """Squashed to the side, or, with a resize, cut to it."""
    sizes = [T.Resize(resize), T.CenterCrop(side)] if resize else [T.Resize((side, side))]
    sizes[0].interpolation = T.InterpolationMode(way)
    return T.Compose([*sizes, T.ToTensor(), T.Normalize(mean, std)])


SIDE = 128  # of convolutional networks, which take any; a larger one says no more and costs more
IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
OPENAI = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)

# -------------------------------------------------------------------------------- torchvision ----


def inception_transform(transform):
    """Its transform_input is part of our recipe, not of the network."""
    wanted = types.SimpleNamespace(transform_input=True)
    theirs = torchvision.models.Inception3._transform_input
    return lambda im: theirs(wanted, transform(im)[None])[0]


def of_torchvision(name):
    """The recipe of the first weights."""
    transform = next(iter(torchvision.models.get_model_weights(name))).transforms()
    side = SIDE
    if name == "inception_v3":
        transform, side = inception_transform(transform), 139  # its least is 75
    net = torchvision_networks.made(name)
    torchvision_networks.draw(net)
    fit = torchvision_networks.fit if torchvision_networks.norms_of(net) else None
    state = net.state_dict()
    net = torchvision_networks.without_classifier(net).eval()
    last = not name.startswith("vit")
    side = side if last else transform.crop_size[0]
    return Reference(name, "torchvision", net, side, transform, fit=fit, last=last, state=state)


def sscd(name):
    resnet = torchvision.models.resnet
    settings = {"groups": 32, "width_per_group": 4} if "101" in name else {}
    depths, dim = ([3, 4, 23, 3], 1024) if "101" in name else ([3, 4, 6, 3], 512)
    trunk = resnet.ResNet(resnet.Bottleneck, depths, num_classes=dim, **settings)
    net = torchvision_networks.Sscd(trunk)
    torchvision_networks.draw(net)
    against = "its definition, over torchvision"
    fit = torchvision_networks.fit
    transform = resized(320, *IMAGENET, "bilinear")
    return Reference(name, against, net.eval(), SIDE, transform, fit=fit, last=True)


# -------------------------------------------------------------------------------------- timm ----


def transform_of_timm(net, **changes):
    config = timm.data.resolve_data_config(model=net) | changes
    return timm.data.create_transform(**config, is_training=False)


def lite(name):
    """The mean and deviation of Google's program, which timm rounds."""
    net = timm.create_model("tf_" + name, num_classes=0)
    torchvision_networks.draw(net)
    for part, m in net.named_modules():
        if isinstance(getattr(m, "act", None), nn.Identity):  # the last norm of a block
            m.weight.mul_(0.3)
            m.bias.zero_()
        if part.endswith("conv_dw"):
            m.weight.abs_()
    exact = {"mean": (127 / 255,) * 3, "std": (128 / 255,) * 3}
    transform, fit = transform_of_timm(net, **exact), torchvision_networks.fit
    return Reference(name, "timm", net.eval(), SIDE, transform, fit=fit, last=True)


def siglip_parts(name):
    size, patch, side = re.fullmatch(r"siglip_(\D+|so400m)(\d\d)_(\d+)", name).groups()
    return size, int(patch), int(side)


def squashed(size, patch, side):
    """The preprocessing of open_clip, which runs these networks of timm."""
    theirs = f"ViT-{size.upper()}-{patch}-SigLIP" + ("" if side == 224 else f"-{side}")
    config = open_clip.get_pretrained_cfg(theirs, "webli")
    keys = "mean", "std", "interpolation", "resize_mode"
    settings = {"size": side} | {k: config[k] for k in keys}
    settings = open_clip.transform.PreprocessCfg(**settings)
    return open_clip.transform.image_transform_v2(settings, is_train=False)


def siglip_of_timm(name, prefix=""):
    size, patch, side = siglip_parts(name.removesuffix("_gelu"))
    long = {"b": "base", "l": "large", "so400m": "so400m"}[size]
    net = timm.create_model(f"vit_{long}_patch{patch}_siglip_{side}", num_classes=0)
    exact = getattr(net.blocks[0].mlp.act, "approximate", "tanh") == "none"
    assert exact == name.endswith("_gelu")
    against = "timm, names of open_clip" if prefix else "timm"
    transform = squashed(size, patch, side)
    rename = lambda part: prefix + part
    return Reference(name, against, randomise(net), side, transform, rename=rename)


def published_lite(name):
    """Of ImageNet: $WEIGHTS/NAME_f16.pth."""
    path = os.path.join(os.environ.get("WEIGHTS", "../shared/weights"), name + "_f16.pth")
    made, number = lite(name), int(name[-1])
    file = {k: t.float() for k, t in torch.load(path).items() if not k.startswith("_fc.")}
    made.net.load_state_dict(renamed(file, number, timm=True), strict=False)
    made.against, made.published, made.fit = "timm, weights of ImageNet", True, None
    return made


# --------------------------------------------------------------------------------- open_clip ----


def encoded(net, x):
    return net.encode_image(x)


def of_open_clip(name, theirs):
    net = randomise(open_clip.create_model(theirs, pretrained=None))
    settings = open_clip.transform.PreprocessCfg(**net.visual.preprocess_cfg)
    transform = open_clip.transform.image_transform_v2(settings, is_train=False)
    return Reference(name, "open_clip", net, net.visual.image_size[0], transform, encoded)


def clip(name):
    size = {"b32": "B-32", "b16": "B-16", "l14": "L-14", "l14_336": "L-14-336"}
    theirs = "ViT-" + size[name.partition("vit_")[2]]
    return of_open_clip(name, theirs + ("" if name.startswith("open") else "-quickgelu"))


def perception_of_open_clip(name, theirs):
    """Its weights and names alone; the preprocessing is the publisher's."""
    made = of_open_clip(name, theirs)
    made.transform = resized(made.side, (0.5,) * 3, (0.5,) * 3, "bilinear")
    made.net.visual.trunk.head.bias.data.zero_()
    return made


# ------------------------------------------------------------------------------ transformers ----

WIDTHS = {"s": 384, "b": 768, "l": 1024, "so400m": 1152}
SIGLIP = {"b": (12, 12, 3072), "l": (24, 16, 4096), "so400m": (27, 16, 4304)}
SIGLIP_2 = ("siglip_b32_256", "siglip_l16_512", "siglip_so400m16_384", "siglip_so400m16_512")


def pooled(net, x):
    return net(pixel_values=x).pooler_output


def image_features(net, x):
    out = net.get_image_features(pixel_values=x)
    return out if torch.is_tensor(out) else out.pooler_output


def of_processor(processor):
    return lambda im: processor(im.convert("RGB"), return_tensors="pt")["pixel_values"][0]


def siglip(name):
    """The whole model's file, with its text tower. SigLIP 2 is resized bilinearly (2)."""
    size, patch, side = siglip_parts(name)
    depth, heads, hidden = SIGLIP[size]
    vision = {
        "hidden_size": WIDTHS[size],
        "num_hidden_layers": depth,
        "num_attention_heads": heads,
        "intermediate_size": hidden,
        "patch_size": patch,
        "image_size": side,
    }
    words = {
        "num_hidden_layers": 1,
        "hidden_size": 64,
        "intermediate_size": 64,
        "num_attention_heads": 1,
        "vocab_size": 8,
    }
    config = transformers.SiglipConfig(vision_config=vision, text_config=words)
    net = randomise(transformers.SiglipModel(config))
    way = {"resample": 2} if name in SIGLIP_2 else {}
    processor = transformers.SiglipImageProcessor(size={"height": side, "width": side}, **way)
    return Reference(name, "transformers", net, side, of_processor(processor), image_features)


def clip_of_transformers(name):
    """Its weights and names alone; the preprocessing is the publisher's."""
    vision = {
        "hidden_size": 768,
        "intermediate_size": 3072,
        "num_hidden_layers": 12,
        "num_attention_heads": 12,
        "patch_size": 32,
        "hidden_act": "quick_gelu",
    }
    net = randomise(transformers.CLIPModel(transformers.CLIPConfig(vision_config=vision)))
    transform = resized(224, *OPENAI, resize=224)
    return Reference(name, "transformers", net, 224, transform, image_features)


OLDER = {
    ".attention.q_proj.": ".attention.attention.query.",
    ".attention.k_proj.": ".attention.attention.key.",
    ".attention.v_proj.": ".attention.attention.value.",
    ".attention.o_proj.": ".attention.output.dense.",
}


def older(name):
    for new, old in OLDER.items():
        name = name.replace(new, old)
    return name


def dino2_of_transformers(name):
    """At the size of the positions, since transformers interpolates them in a way of its own;
    without registers by the names of published files."""
    settings = {
        "hidden_size": 384,
        "num_hidden_layers": 12,
        "num_attention_heads": 6,
        "image_size": 518,
        "patch_size": 14,
    }
    registers = "reg" in name
    kind = "Dinov2WithRegisters" if registers else "Dinov2"
    config = getattr(transformers, kind + "Config")(**settings)
    net = randomise(getattr(transformers, kind + "Model")(config))
    rename = (lambda part: part) if registers else older
    against = "transformers, in shards"
    transform = resized(224, *IMAGENET, resize=256)  # as its preprocessor_config.json has it
    return Reference(name, against, net, 518, transform, pooled, shards=3, rename=rename)


def dino3_of_transformers(name):
    gated = "plus" in name
    config = transformers.DINOv3ViTConfig(
        hidden_size=384,
        num_hidden_layers=12,
        num_attention_heads=6,
        intermediate_size=1536,
        use_gated_mlp=gated,
        hidden_act="silu" if gated else "gelu",
        num_register_tokens=4,
        image_size=256,
    )
    net = randomise(transformers.DINOv3ViTModel(config))
    return Reference(name, "transformers", net, 256, dino3_transform(256), pooled)


# ----------------------------------------------------------------------------- text towers ----

TINY = {  # of no size that has a name
    "embed_dim": 64,
    "vision_cfg": {"image_size": 64, "patch_size": 8, "layers": 4, "width": 128},
    "text_cfg": {"context_length": 20, "vocab_size": 500, "layers": 4, "width": 128, "heads": 2},
}


def tiny_clip(name):
    """Its pictures; the preprocessing is that of larger ones."""
    net = randomise(open_clip.CLIP(**TINY, quick_gelu=not name.startswith("open")))
    against = "open_clip, a small one"
    return Reference(name, against, net, 64, resized(224, *OPENAI, resize=224), encoded)


def words_of_open_clip(name, theirs, prefix=""):
    """theirs: the name of a configuration, or one."""
    config = open_clip.get_model_config(theirs) if isinstance(theirs, str) else theirs
    text, quick = config["text_cfg"], name.startswith("clip")
    net = randomise(open_clip.model._build_text_tower(config["embed_dim"], text, quick))
    size = text.get("context_length", 77), text.get("vocab_size", 49408)
    rename = lambda part: prefix + part
    return Reference(name, "open_clip, words", net, 0, None, rename=rename, words=size)


def text_features(net, x):
    out = net.get_text_features(input_ids=x)
    return out if torch.is_tensor(out) else out.pooler_output


def words_of_transformers(name, kind, **text):
    """Beside the least image tower, whose tensors are left out."""
    vision = {"num_hidden_layers": 1, "hidden_size": 64, "intermediate_size": 64}
    vision |= {"num_attention_heads": 1, "image_size": 32, "patch_size": 32}
    config = getattr(transformers, kind + "Config")(text_config=text, vision_config=vision)
    net = randomise(getattr(transformers, kind + "Model")(config))
    text = config.text_config
    size = text.max_position_embeddings, text.vocab_size
    state = {k: t for k, t in net.state_dict().items() if k.startswith("text_")}
    against = f"transformers ({kind}), words"
    return Reference(name, against, net, 0, None, text_features, state=state, words=size)


def words_of_siglip(name, kind, vocabulary=32000):
    size = siglip_parts(name)[0]
    depth, heads, hidden = SIGLIP[size]
    return words_of_transformers(
        name,
        kind,
        hidden_size=WIDTHS[size],
        projection_size=WIDTHS[size],
        num_hidden_layers=depth,
        num_attention_heads=heads,
        intermediate_size=hidden,
        vocab_size=vocabulary,
        bos_token_id=None,
        eos_token_id=None,
    )


# -------------------------------------------------------------------------------- publishers ----


def program(repository, module):
    """A module of a publisher's repository."""
    sys.path.insert(0, os.path.join(os.environ.get("PUBLISHERS", ""), repository))
    try:
        return importlib.import_module(module)
    finally:
        sys.path.pop(0)


def dino2(name):
    net = getattr(program("dinov2", "dinov2.hub.backbones"), name)(pretrained=False)
    path = os.path.join(os.environ["PUBLISHERS"], "dinov2/dinov2/data/transforms.py")
    spec = importlib.util.spec_from_file_location("dinov2_transforms", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    transform = module.make_classification_eval_transform()
    return Reference(name, "the publisher's program", randomise(net), 224, transform)


def dino3_transform(side):
    """As the publisher's README has it."""
    from torchvision.transforms import v2

    size = v2.Resize((side, side), antialias=True)
    values = [v2.ToDtype(torch.float32, scale=True), v2.Normalize(*IMAGENET)]
    return v2.Compose([v2.ToImage(), size, *values])


def dino3(name):
    """The periods of rotary positions are bf16, as in the published files."""
    net = getattr(program("dinov3", "dinov3.hub.backbones"), name)(pretrained=False)
    periods = net.rope_embed.periods
    periods.copy_(periods.bfloat16())
    return Reference(name, "the publisher's program", randomise(net), 256, dino3_transform(256))


def perception(name):
    size, patch, side = re.fullmatch(r"pe_core_(.)(\d\d)_(\d+)", name).groups()
    module = program("perception_models", "core.vision_encoder.pe")
    tools = program("perception_models", "core.vision_encoder.transforms")
    net = module.CLIP.from_config(f"PE-Core-{size.upper()}{patch}-{side}", pretrained=False)
    transform, side = tools.get_image_transform(int(side)), int(side)
    against = "the publisher's program"
    return Reference(name, against, randomise(net), side, transform, encoded)


# -------------------------------------------------------------------------------------- cases ----


def family(make, *names):
    return {name: (lambda name=name: make(name)) for name in names}


TORCHVISION = (
    "resnet18 resnet34 resnet50 resnet101 resnet152 resnext50_32x4d resnext101_32x8d"
    " resnext101_64x4d wide_resnet50_2 wide_resnet101_2 mobilenet_v2 mobilenet_v3_small"
    " mobilenet_v3_large efficientnet_b0 efficientnet_b1 efficientnet_b2 efficientnet_b3"
    " efficientnet_b4 efficientnet_b5 efficientnet_b6 efficientnet_b7 efficientnet_v2_s"
    " efficientnet_v2_m efficientnet_v2_l densenet121 densenet161 densenet169 densenet201 vgg11"
    " vgg13 vgg16 vgg19 vgg11_bn vgg13_bn vgg16_bn vgg19_bn inception_v3 regnet_y_400mf"
    " regnet_y_800mf regnet_y_1_6gf regnet_y_3_2gf regnet_y_8gf regnet_y_16gf convnext_tiny"
    " convnext_small convnext_base convnext_large vit_b_16 vit_b_32 vit_l_16"
).split()
CLIP = "clip_vit_b32 clip_vit_b16 clip_vit_l14 clip_vit_l14_336".split()
OPEN_CLIP = "openclip_vit_b32 openclip_vit_b16 openclip_vit_l14".split()
BOTH = "b16_224 b16_256 b16_384 b16_512 l16_256 l16_384 so400m14_224 so400m14_384".split()
DINO_2 = [f"dinov2_vit{size}14{reg}" for size in "sblg" for reg in ("", "_reg")]
DINO_3 = "dinov3_vits16 dinov3_vits16plus dinov3_vitb16 dinov3_vitl16 dinov3_vith16plus".split()
PERCEPTION = "pe_core_t16_384 pe_core_s16_384 pe_core_b16_224 pe_core_l14_336".split()

# The text towers beside the networks of these names.
WORDS = {
    "clip_vit_b32": lambda name: words_of_open_clip(name, "ViT-B-32-quickgelu"),
    "clip_vit_b32@transformers": lambda name: words_of_transformers(
        name, "CLIP", bos_token_id=49406, eos_token_id=49407
    ),
    "clip_vit_l14": lambda name: words_of_open_clip(name, "ViT-L-14-quickgelu"),
    "openclip_vit_b16": lambda name: words_of_open_clip(name, "ViT-B-16"),
    "openclip_vit": lambda name: words_of_open_clip(name, TINY, "text."),
    "pe_core_t16_384": lambda name: words_of_open_clip(name, "PE-Core-T-16-384", "text."),
    "pe_core_b16_224": lambda name: words_of_open_clip(name, "PE-Core-B-16"),
    "siglip_b16_224": lambda name: words_of_siglip(name, "Siglip"),
    "siglip_b16_224_gelu": lambda name: words_of_open_clip(name, "ViT-B-16-SigLIP", "text."),
    "siglip_l16_256": lambda name: words_of_siglip(name, "Siglip"),
    "siglip_so400m14_224_gelu": lambda name: words_of_open_clip(
        name, "ViT-SO400M-14-SigLIP", "text."
    ),
    "siglip_b32_256": lambda name: words_of_siglip(name, "Siglip2", 256000),
    "siglip_b16_256_gelu": lambda name: words_of_open_clip(name, "ViT-B-16-SigLIP2-256", "text."),
}

# Behind "@" stands another program, or another layout of names, for the same network.
CASES = {
    **family(of_torchvision, *TORCHVISION),
    **family(lite, *(f"efficientnet_lite{i}" for i in range(3))),
    "efficientnet_lite0@imagenet": lambda: published_lite("efficientnet_lite0"),
    "efficientnet_lite2@imagenet": lambda: published_lite("efficientnet_lite2"),
    **family(sscd, "sscd_resnet50", "sscd_resnext101_32x4d"),
    **family(clip, *CLIP, *OPEN_CLIP),
    "clip_vit_b32@transformers": lambda: clip_of_transformers("clip_vit_b32"),
    **family(siglip, *("siglip_" + size for size in BOTH), "siglip_so400m16_256", *SIGLIP_2),
    **family(siglip_of_timm, *(f"siglip_{size}_gelu" for size in BOTH)),
    "siglip_b16_224@open_clip": lambda: siglip_of_timm("siglip_b16_224_gelu", "visual.trunk."),
    **family(dino2, *DINO_2),
    "dinov2_vits14@transformers": lambda: dino2_of_transformers("dinov2_vits14"),
    "dinov2_vits14_reg@transformers": lambda: dino2_of_transformers("dinov2_vits14_reg"),
    **family(dino3, *DINO_3),
    "dinov3_vits16@transformers": lambda: dino3_of_transformers("dinov3_vits16"),
    "dinov3_vits16plus@transformers": lambda: dino3_of_transformers("dinov3_vits16plus"),
    **family(perception, *PERCEPTION),
    **family(tiny_clip, "clip_vit", "openclip_vit"),
    **{
        "words_" + key: (lambda make=make, name=key.partition("@")[0]: make(name))
        for key, make in WORDS.items()
    },
    "pe_core_t16_384@open_clip": lambda: perception_of_open_clip(
        "pe_core_t16_384", "PE-Core-T-16-384"
    ),
}
