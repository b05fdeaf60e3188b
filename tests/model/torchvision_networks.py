"""torchvision's networks as references: random weights and statistics, and the feature."""

import torch
import torchvision
from torch import nn


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


def norms_of(net):
    return [m for m in net.modules() if isinstance(m, nn.BatchNorm2d)]


def draw(net):
    """All but the statistics. The last batch norm of a residual branch is small and MobileNet's
    kernels of one channel smooth rather than take differences, both as in trained networks, so that
    rounding is not amplified."""
    for m in norms_of(net):
        m.momentum = 1.0
        m.weight.uniform_(0.7, 1.3)
        m.bias.normal_(0.3, 0.2)
    for m in net.modules():
        if isinstance(m, nn.LayerNorm):
            m.weight.uniform_(0.7, 1.3)
            m.bias.normal_(0, 0.1)
        if isinstance(m, torchvision.models.VisionTransformer):
            m.class_token.normal_(0, 0.5)
            m.encoder.pos_embedding.normal_(0, 0.2)
        if isinstance(m, torchvision.models.convnext.CNBlock):
            m.layer_scale.uniform_(0.1, 0.4)
    for name, m in net.named_modules():
        if isinstance(m, nn.Conv2d) and m.bias is None:
            nn.init.kaiming_normal_(m.weight, nonlinearity="relu")
            if m.groups > 1 and "conv.1" in name:
                m.weight.abs_()
        if isinstance(m, torchvision.ops.StochasticDepth):
            m.p = 0
        if getattr(
            m,
            "use_res_connect",
            isinstance(
                m,
                (
                    torchvision.models.resnet.BasicBlock,
                    torchvision.models.resnet.Bottleneck,
                    torchvision.models.regnet.ResBottleneckBlock,
                ),
            ),
        ):
            last = (
                m.bn3
                if hasattr(m, "bn3")
                else [k for k in m.modules() if isinstance(k, nn.BatchNorm2d)][-1]
            )
            last.weight.mul_(0.3)
            last.bias.zero_()


def fit(net, x):
    """Statistics near what the pictures give, so that signals neither vanish nor explode, but off
    by a random amount."""
    # In training Inception's auxiliary classifier would ask for large pictures.
    auxiliary, net.AuxLogits = getattr(net, "AuxLogits", None), None
    net.train()
    net(x)
    net.eval()
    net.AuxLogits = auxiliary
    for m in norms_of(net):
        m.running_mean += 0.1 * m.running_var.sqrt() * torch.randn(m.running_mean.shape)
        m.running_var *= torch.empty(m.running_var.shape).uniform_(0.8, 1.25)


def randomise(net, x):
    draw(net)
    fit(net, x)


def without_classifier(net):
    """The output before the last linear layer where more than that follows the pooling."""
    if isinstance(net, (torchvision.models.VGG, torchvision.models.ConvNeXt)):
        last = max(i for i, m in enumerate(net.classifier) if isinstance(m, nn.Linear))
        net.classifier = net.classifier[:last]
    for part in ("fc", "classifier", "heads"):
        if hasattr(net, part) and not isinstance(
            net, (torchvision.models.VGG, torchvision.models.ConvNeXt)
        ):
            setattr(net, part, nn.Identity())
    return net


def reference(net, x):
    return without_classifier(net)(x).numpy()


def made(name):
    """Inception's transform_input is part of our recipe, not of the network."""
    options = {"init_weights": False, "transform_input": False} if name == "inception_v3" else {}
    return getattr(torchvision.models, name)(**options)
