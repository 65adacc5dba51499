"""The network of S3FD, the face detector of the published lip-sync pipeline; names are upstream's.

Source: joonson/syncnet_python at 6efbb1c, detectors/s3fd/nets.py; S. Zhang et al. (2017), S3FD:
single shot scale-invariant face detector.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from vsseval.encoders.checkpoints import build, read_state

_BLOCKS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
"""Channels of the convolutions between the poolings: VGG-16."""
_TAPS = {15: "L2Norm3_3", 22: "L2Norm4_3", 29: "L2Norm5_3", 34: None}
"""Layer after which a map is read -> its norm."""
_MAPS = (256, 512, 512, 1024, 512, 256)
"""Channels of the six maps that are read."""


class Norm(nn.Module):
    """Each pixel's vector at unit length, times a weight for each channel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Maps (b, channels, h, w)."""
        length = x.square().sum(1, keepdim=True).sqrt() + 1e-10
        return self.weight[:, None, None] * x / length


class Network(nn.Module):
    """Corrections and face scores of every cell of six maps."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inside = 3
        for index, block in enumerate(_BLOCKS):
            for channels in block:
                layers += [nn.Conv2d(inside, channels, 3, padding=1), nn.ReLU()]
                inside = channels
            layers.append(nn.MaxPool2d(2, 2, ceil_mode=index == 2))
        layers += [nn.Conv2d(inside, 1024, 3, padding=6, dilation=6), nn.ReLU()]
        layers += [nn.Conv2d(1024, 1024, 1), nn.ReLU()]
        self.vgg = nn.ModuleList(layers)
        self.L2Norm3_3, self.L2Norm4_3, self.L2Norm5_3 = Norm(256), Norm(512), Norm(512)
        self.extras = nn.ModuleList(
            [
                nn.Conv2d(1024, 256, 1),
                nn.Conv2d(256, 512, 3, 2, padding=1),
                nn.Conv2d(512, 128, 1),
                nn.Conv2d(128, 256, 3, 2, padding=1),
            ]
        )
        self.loc = nn.ModuleList([nn.Conv2d(c, 4, 3, padding=1) for c in _MAPS])
        self.conf = nn.ModuleList(
            [nn.Conv2d(c, 2 if i else 4, 3, padding=1) for i, c in enumerate(_MAPS)]
        )

    def forward(self, x: Tensor) -> list[tuple[Tensor, Tensor]]:
        """For each of six maps: corrections (4, h, w) and the probability of a face (h, w).

        Args:
            x: one picture (1, 3, h, w), RGB less its mean.
        """
        maps = []
        for index, layer in enumerate(self.vgg):
            x = layer(x)
            if index in _TAPS:
                norm = _TAPS[index]
                maps.append(self.get_submodule(norm)(x) if norm else x)
        for index, layer in enumerate(self.extras):
            x = relu(layer(x))
            if index % 2:
                maps.append(x)
        found = []
        for index, seen in enumerate(maps):
            scores = self.conf[index](seen)[0]
            if (
                index == 0
            ):  # three backgrounds, of which the likeliest counts: fewer false small faces
                scores = torch.cat([scores[:3].amax(0, keepdim=True), scores[3:]])
            found.append((self.loc[index](seen)[0], scores.softmax(0)[1]))
        return found


def load_network(path: Path) -> Network:
    """The network of a checkpoint, for inference on the CPU.

    Raises:
        InputError: the file holds no state dict of this network.
    """
    return build(Network, read_state(path), path)
