"""The three networks of MTCNN: proposals, refinement, output; names are the checkpoints'.

Source: package facenet-pytorch 2.6.0 (models/mtcnn.py); K. Zhang et al. (2016), Joint face
detection and alignment using multitask cascaded convolutional networks.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool2d, softmax

from vsseval.encoders.checkpoints import build, read_state


class Layer(NamedTuple):
    """A convolution with PReLU, and the pooling after it."""

    channels: int
    kernel: int
    pool: int = 0
    """Side of the pooling window, stride 2; 0 for none."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What tells the three apart."""

    layers: tuple[Layer, ...]
    flat: int
    """Numbers of a picture after the convolutions, where a dense layer follows; otherwise 0."""
    dense: int
    heads: tuple[int, ...]
    """Outputs of each head: face or not, corrections of the box, and landmarks (unused)."""


PROPOSE = Plan((Layer(10, 3, 2), Layer(16, 3), Layer(32, 3)), 0, 0, (2, 4))
REFINE = Plan((Layer(28, 3, 3), Layer(48, 3, 3), Layer(64, 2)), 576, 128, (2, 4))
OUTPUT = Plan(
    (Layer(32, 3, 3), Layer(64, 3, 3), Layer(64, 3, 2), Layer(128, 2)), 1152, 256, (2, 4, 10)
)


class Stage(nn.Module):
    """One of the three."""

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.plan = plan
        inside = 3
        for number, layer in enumerate(plan.layers, start=1):
            self.add_module(f"conv{number}", nn.Conv2d(inside, layer.channels, layer.kernel))
            self.add_module(f"prelu{number}", nn.PReLU(layer.channels))
            inside = layer.channels
        last = len(plan.layers) + 1
        if plan.flat:
            self.add_module(f"dense{last}", nn.Linear(plan.flat, plan.dense))
            self.add_module(f"prelu{last}", nn.PReLU(plan.dense))
        for number, width in enumerate(plan.heads, start=1):
            head = nn.Linear(plan.dense, width) if plan.flat else nn.Conv2d(inside, width, 1)
            name = f"dense{last + 1}_{number}" if plan.flat else f"conv{last}_{number}"
            self.add_module(name, head)

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Probability of a face and corrections, (b,) and (b, 4), or maps of them.

        Args:
            pictures: (b, 3, h, w), RGB, (value - 127.5) / 128.
        """
        layers = dict(self.named_children())
        x = pictures
        for number, layer in enumerate(self.plan.layers, start=1):
            x = layers[f"prelu{number}"](layers[f"conv{number}"](x))
            if layer.pool:
                x = max_pool2d(x, layer.pool, 2, ceil_mode=True)
        last = len(self.plan.layers) + 1
        if self.plan.flat:
            x = x.permute(0, 3, 2, 1).flatten(1)  # columns, rows, channels: the order of training
            x = layers[f"prelu{last}"](layers[f"dense{last}"](x))
        kind = f"dense{last + 1}" if self.plan.flat else f"conv{last}"
        return softmax(layers[f"{kind}_1"](x), dim=1)[:, 1], layers[f"{kind}_2"](x)


class Cascade(NamedTuple):
    """All three."""

    propose: Stage
    refine: Stage
    output: Stage

    @property
    def dtype(self) -> torch.dtype:
        """Type of its numbers."""
        return next(self.propose.parameters()).dtype

    def double(self) -> Cascade:
        """The same networks, whose numbers are made float64."""
        return Cascade(self.propose.double(), self.refine.double(), self.output.double())


def load_cascade(folder: Path) -> Cascade:
    """The networks of a part of the store, for inference on the CPU.

    Raises:
        InputError: a file holds no state dict of its network.
    """

    def stage(name: str, plan: Plan) -> Stage:
        path = folder / f"{name}.pt"
        return build(lambda: Stage(plan), read_state(path), path)

    return Cascade(stage("pnet", PROPOSE), stage("rnet", REFINE), stage("onet", OUTPUT))
