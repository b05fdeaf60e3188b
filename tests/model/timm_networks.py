"""EfficientNet-Lite0 to -Lite2 against timm (`make test-networks`): random weights; ImageNet's in
WEIGHTS=DIR (efficientnet_lite0_f16.pth, _lite2_). TIMM=FILE: the python3 of an environment that has
timm, which Debian has not."""

import os, sys, tempfile

from compare import agree, agree_that, end, ours, pictures, skip, torch
from lite_reference import network, random_weights, renamed

try:
    import timm
except ImportError as e:
    skip(f"{e}: pip install timm, and TIMM= the python3 that has it")

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


for number in range(3):
    made_up(number)
for number in 0, 2:
    real(number)
end()
