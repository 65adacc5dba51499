"""The network of VGGish: six convolutions and three linear layers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from torch import Tensor, nn

from vsseval.encoders.checkpoints import build, read_state

WIDTHS = ((64,), (128,), (256, 256), (512, 512))
"""Channels of the convolutions before each of the four poolings."""
HIDDEN, OUTPUT = 4096, 128


class Vggish(nn.Module):
    """Log-mel patches to embeddings; named as the checkpoint."""

    def __init__(
        self, widths: Sequence[Sequence[int]] = WIDTHS, hidden: int = HIDDEN, output: int = OUTPUT
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inputs = 1
        for group in widths:
            for width in group:
                layers += [nn.Conv2d(inputs, width, 3, padding=1), nn.ReLU()]
                inputs = width
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        # Published tools leave out the ReLU that ends the original network.
        self.embeddings = nn.Sequential(
            nn.Linear(6 * 4 * inputs, hidden),
            nn.ReLU(),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Linear(hidden, output),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Embeddings (b, 128) of log-mel patches (b, 96, 64)."""
        x = self.features(x[:, None])  # (b, 512, 6, 4)
        x = x.permute(0, 2, 3, 1).flatten(1)  # channels last, as in the TensorFlow original
        return self.embeddings(x)


def load_network(path: Path) -> Vggish:
    """The network of a checkpoint, for inference on the CPU.

    Raises:
        InputError: the file is not torchvggish's.
    """
    return build(Vggish, read_state(path), path)
