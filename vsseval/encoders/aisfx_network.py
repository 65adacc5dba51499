"""The network of aiSFX: a VGG-like trunk with one classifier for each set it was trained on."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from torch import Tensor, nn
from torch.nn.functional import max_pool2d

from vsseval.encoders.checkpoints import build, state_of
from vsseval.encoders.panns_network import ConvBlock
from vsseval.weights import load_torch


class _Trunk(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv_block1 = ConvBlock(1, 64)
        self.conv_block2 = ConvBlock(64, 128)
        self.conv_block3 = ConvBlock(128, 256)
        self.conv_block4 = ConvBlock(256, 512)

    def forward(self, x: Tensor) -> Tensor:
        x = x[:, None]  # (b, 1, 100, 96)
        x = max_pool2d(self.conv_block1(x), 2)  # (b, 64, 50, 48)
        x = max_pool2d(self.conv_block2(x), 2)  # (b, 128, 25, 24)
        x = max_pool2d(self.conv_block3(x), 2)  # (b, 256, 12, 12)
        x = self.conv_block4(x)  # (b, 512, 12, 12)
        return x.mean(dim=3).amax(dim=2)  # (b, 512)


class Network(nn.Module):
    """The trunk and a three-layer classifier for each training set; named as the checkpoint."""

    def __init__(self, classes: list[int]) -> None:
        super().__init__()
        self.embedding_net = _Trunk()
        self.fc = nn.ModuleList(
            nn.Sequential(
                nn.Linear(512, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, k)
            )
            for k in classes
        )

    def forward(self, x: Tensor, head: int) -> tuple[Tensor, Tensor]:
        """Embedding (b, 512) and logits (b, classes) of blocks (b, 100, 96)."""
        embedding = self.embedding_net(x)
        return embedding, self.fc[head](embedding)


def load_network(path: Path) -> tuple[Network, dict[str, int]]:
    """The network of a checkpoint, for inference on the CPU, and the index of each head by name.

    Raises:
        InputError: the file is no checkpoint of this network.
    """
    stored, heads = cast("tuple[object, dict[str, tuple[int, int]]]", load_torch(path))
    classes = [count for _, count in sorted(heads.values())]
    network = build(lambda: Network(classes), state_of(stored, path), path)
    return network, {name: int(index) for name, (index, _) in heads.items()}
