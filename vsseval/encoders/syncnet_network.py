"""The network of SyncNet: a tower for lips and one for sound that meet in one space.

The names of the layers are those of the published checkpoint. All of its layers after the first
look at one instant, so a clip is one volume and its windows share nothing but the first kernel's
frames: ``lips`` of a whole clip equals ``lips`` of its windows of five frames, one by one.

Source: joonson/syncnet_python at 6efbb1c, SyncNetModel.py; J. S. Chung, A. Zisserman (2016), Out of
time: automated lip sync in the wild.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from torch import Tensor, nn

from vsseval.encoders.checkpoints import build, read_state

FRAMES = 5
"""Pictures in a window."""
COLUMNS = 20
"""Columns of the cepstrum in a window: 0.2 s of 10 ms."""
COEFFICIENTS = 13


@dataclass(frozen=True, slots=True)
class Size:
    """Widths of the two towers."""

    crop: int
    """Side of the square pictures."""
    colours: int
    """Channels of a picture."""
    lips: tuple[int, int, int, int, int, int]
    """Channels of the six convolutions over pictures."""
    sound: tuple[int, int, int, int, int, int]
    """Channels of the six convolutions over the cepstrum."""
    hidden: int
    """Units between the last convolution and the embedding."""
    embedding: int

    @property
    def side(self) -> int:
        """Side of the map that the last convolution over pictures sees as a whole."""
        first = ((self.crop - 7) // 2 + 1 - 3) // 2 + 1
        second = (((first - 3) // 2 + 1) - 1) // 2 + 1
        return (second - 3) // 2 + 1


FULL = Size(224, 3, (96, 256, 256, 256, 256, 512), (64, 192, 384, 256, 256, 512), 512, 1024)
"""The published network, over BGR faces of 224 x 224."""


class Network(nn.Module):
    """Both towers; the names of the layers are the checkpoint's."""

    def __init__(self, size: Size = FULL) -> None:
        super().__init__()
        self.size = size
        self.netcnnaud = _sound_tower(size.sound)
        self.netfcaud = _head(size.sound[-1], size)
        self.netfclip = _head(size.lips[-1], size)
        self.netcnnlip = _lip_tower(size)

    def sound(self, cepstra: Tensor) -> Tensor:
        """Embeddings (b, d) of windows of the cepstrum (b, 13, 20)."""
        return self.netfcaud(self.netcnnaud(cepstra[:, None]).flatten(1))

    def lips(self, pictures: Tensor) -> Tensor:
        """Embeddings (b, t - 4, d) of pictures (b, colours, t, crop, crop), raw values 0 to 255."""
        maps = self.netcnnlip(pictures)[..., 0, 0].movedim(1, 2)  # (b, t - 4, channels)
        return self.netfclip(maps.flatten(0, 1)).unflatten(0, maps.shape[:2])


def _head(channels: int, size: Size) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(channels, size.hidden),
        nn.BatchNorm1d(size.hidden),
        nn.ReLU(),
        nn.Linear(size.hidden, size.embedding),
    )


def _sound_tower(widths: tuple[int, ...]) -> nn.Sequential:
    """Convolutions over (1, 13, 20); a pooling of one cell keeps the numbers of the layers."""
    layers: list[nn.Module] = []
    pools = {0: nn.MaxPool2d(1), 1: nn.MaxPool2d(3, (1, 2)), 4: nn.MaxPool2d(3, 2)}
    for index, (inside, outside) in enumerate(zip((1, *widths[:-1]), widths, strict=True)):
        last = index == len(widths) - 1
        layers += [
            nn.Conv2d(inside, outside, (5, 4) if last else 3, padding=0 if last else 1),
            nn.BatchNorm2d(outside),
            nn.ReLU(),
        ]
        if index in pools:
            layers.append(pools[index])
    return nn.Sequential(*layers)


def _lip_tower(size: Size) -> nn.Sequential:
    """Convolutions over (colours, t, crop, crop); only the first reaches over time."""
    layers: list[nn.Module] = []
    widths, side = size.lips, size.side
    kernels = ((FRAMES, 7, 7), (1, 5, 5), (1, 3, 3), (1, 3, 3), (1, 3, 3), (1, side, side))
    halved, half = (1, 2, 2), (1, 3, 3)
    pools = {
        0: nn.MaxPool3d(half, halved),
        1: nn.MaxPool3d(half, halved, padding=(0, 1, 1)),
        4: nn.MaxPool3d(half, halved),
    }
    for index, (inside, outside) in enumerate(
        zip((size.colours, *widths[:-1]), widths, strict=True)
    ):
        stride = halved if index < 2 else 1
        padding = (0, 1, 1) if 0 < index < 5 else 0
        layers += [
            nn.Conv3d(inside, outside, kernels[index], stride, padding),
            nn.BatchNorm3d(outside),
            nn.ReLU(),
        ]
        if index in pools:
            layers.append(pools[index])
    return nn.Sequential(*layers)


def load_network(path: Path, size: Size = FULL) -> Network:
    """The network of a checkpoint, for inference on the CPU.

    Raises:
        InputError: the file holds no state dict of this network.
    """
    return build(lambda: Network(size), read_state(path), path)
