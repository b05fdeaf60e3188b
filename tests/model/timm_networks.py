"""Networks against timm, open_clip and transformers (`make test-networks`): EfficientNet-Lite0 to
-Lite2 and DINOv2 against timm, CLIP against the others, with random weights; EfficientNet-Lite's of
ImageNet in WEIGHTS=DIR (efficientnet_lite0_f16.pth, _lite2_). TIMM=FILE: the python3 of an
environment that has these, which Debian has not."""

import os, sys, tempfile

from compare import agree, agree_that, end, ours, pictures, skip, torch
from lite_reference import network, random_weights, renamed

try:
    import open_clip, timm, transformers
except ImportError as e:
    skip(f"{e}: pip install timm open_clip_torch transformers, and TIMM= the python3 that has them")

FOLDER = sys.argv[1]


def reference(number, state):
    net = timm.create_model(f"tf_efficientnet_lite{number}", num_classes=0).eval()
    missing, extra = net.load_state_dict(state, strict=False)
    bad = [k for k in (*missing, *extra) if "num_batches" not in k and "classifier" not in k]
    agree_that(f"efficientnet_lite{number} has timm's tensors", not bad, bad)
    return net


def compared(what, number, path, state):
    name, net = f"efficientnet_lite{number}", reference(number, state)
    for side in 64, 65, 67, 192, net.pretrained_cfg["input_size"][1]:
        x = pictures(side)
        with tempfile.TemporaryDirectory() as folder:
            got = ours(name, path, "f32", x, folder)
        agree(f"{name} of {side}, {what}", net(x).numpy(), got, 0.99999, 0.9999)


def made_up(number):
    torch.manual_seed(number)
    state = random_weights(network(number, timm=True), pictures(128))
    with tempfile.NamedTemporaryFile(suffix=".pth") as f:
        torch.save(state, f.name)
        compared("random weights", number, f.name, state)


def real(number):
    path = os.path.join(FOLDER, f"efficientnet_lite{number}_f16.pth")
    what = f"efficientnet_lite{number}, ImageNet's weights"
    if not os.path.exists(path):
        agree_that(f"{what} # SKIP no {path}", True, "WEIGHTS=DIR")
        return
    file = torch.load(path)
    state = {k: t.float() for k, t in file.items() if not k.startswith("_fc.")}
    compared("ImageNet's weights", number, path, renamed(state, number, timm=True))


def randomise(net):
    for name, p in net.named_parameters():
        if p.dim() == 1 and name.endswith("weight"):
            p.uniform_(0.7, 1.3)
        elif name.endswith("gamma"):
            p.uniform_(0.1, 0.4)
        elif name.endswith("bias") or "token" in name or "pos_embed" in name:
            p.normal_(0, 0.2)


def saved(what, name, state, x, want):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, name + ".pth")
        torch.save(state, path)
        agree(what, want.numpy(), ours(name, path, "f32", x, folder), 0.99999, 0.9999)


def dino(theirs, name):
    """timm adds the positions of patches alone where there are registers."""
    torch.manual_seed(2)
    net = timm.create_model(theirs, num_classes=0).eval()
    randomise(net)
    x, state = pictures(518, 2), net.state_dict()
    if "reg_token" in state:
        state["register_tokens"] = state.pop("reg_token")
        none = torch.zeros(1, 1, state["pos_embed"].shape[2])
        state["pos_embed"] = torch.cat([none, state["pos_embed"]], 1)
    saved(f"{name} against timm's", name, state, x, net(x))


def clip(theirs, name):
    torch.manual_seed(3)
    net = open_clip.create_model(theirs, pretrained=None).eval()
    randomise(net)
    x = pictures(224)
    saved(f"{name} against open_clip's", name, net.state_dict(), x, net.encode_image(x))


def hugging_face(name):
    torch.manual_seed(4)
    config = transformers.CLIPConfig(
        vision_config={
            "hidden_size": 768,
            "intermediate_size": 3072,
            "num_hidden_layers": 12,
            "num_attention_heads": 12,
            "patch_size": 32,
            "hidden_act": "quick_gelu",
        }
    )
    net = transformers.CLIPModel(config).eval()
    randomise(net)
    x = pictures(224)
    out = net.get_image_features(pixel_values=x)
    want = out if torch.is_tensor(out) else out.pooler_output
    saved(f"{name} in Hugging Face's layout", name, net.state_dict(), x, want)


for number in range(3):
    made_up(number)
dino("vit_small_patch14_dinov2", "dinov2_vits14")
dino("vit_small_patch14_reg4_dinov2", "dinov2_vits14_reg")
clip("ViT-B-32-quickgelu", "clip_vit_b32")
clip("ViT-B-16", "openclip_vit_b16")
hugging_face("clip_vit_b32")
for number in 0, 2:
    real(number)
end()
