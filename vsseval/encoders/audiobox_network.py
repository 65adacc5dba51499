"""Audiobox aesthetics: WavLM base, and for each axis a sum over layers and a small perceptron.

Names are those of the checkpoint. Source: facebookresearch/audiobox-aesthetics at 2618e9d
(model/aes.py); A. Tjandra et al. (2025), arXiv 2502.05139.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from vsseval.encoders.checkpoints import build, read_state, state_of
from vsseval.encoders.wav2vec_network import WAVLM_BASE, Size
from vsseval.encoders.wav2vec_network import Network as WavLM
from vsseval.errors import InputError
from vsseval.weights import load_torch

AXES = ("CE", "CU", "PC", "PQ")
"""Content enjoyment and usefulness, production complexity and quality."""
DEPTH = 5
"""Linear maps of each perceptron."""
CONFIGURATION: Mapping[str, object] = {
    "proj_num_layer": DEPTH,
    "proj_ln": True,
    "proj_act_fn": "gelu",
    "nth_layer": 13,
    "use_weighted_layer_sum": True,
    "normalize_embed": True,
    "output_dim": 1,
}
"""What the published checkpoint says of itself; another configuration is refused."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Mean and deviation of the listeners' scores on one axis."""

    mean: float
    std: float


@dataclass(frozen=True, slots=True)
class Aesthetics:
    """A network with the scales of its axes."""

    network: Network
    scales: Mapping[str, Scale] = field(default_factory=dict)


class Network(nn.Module):
    """Samples to four scores, before their scales."""

    def __init__(self, size: Size = WAVLM_BASE) -> None:
        super().__init__()
        self.wavlm_model = WavLM(size)
        self.proj_layer = nn.ModuleDict({axis: perceptron(size.width) for axis in AXES})
        self.layer_weights = nn.ParameterDict(
            {axis: nn.Parameter(torch.zeros(size.layers + 1)) for axis in AXES}
        )

    def forward(self, samples: Tensor, kept: Tensor) -> Tensor:
        """Scores (4,) in the order of ``AXES``, of one window.

        Args:
            samples: float32 (n,), zero after the sound's end.
            kept: bool (1, t): frames that are not padding (``wav2vec_network.kept_frames``).
        """
        states = torch.cat(self.wavlm_model(samples[None], kept))[:, kept[0]]  # (layers + 1, t, w)
        means = states.mean(dim=1)
        scores = [
            self.proj_layer[axis](
                normalize(torch.softmax(self.layer_weights[axis], dim=0) @ means, dim=0)
            )
            for axis in AXES
        ]
        return torch.cat(scores)


def perceptron(width: int) -> nn.Sequential:
    """Five linear maps, layer norm and GELU between them."""
    hidden = [
        module
        for _ in range(DEPTH - 1)
        for module in (nn.Linear(width, width), nn.LayerNorm(width), nn.GELU())
    ]
    return nn.Sequential(*hidden, nn.Linear(width, 1))


def load_network(path: Path) -> Aesthetics:
    """The published checkpoint, for inference on the CPU.

    Args:
        path: ``checkpoint.pt``, or ``model.safetensors`` with ``config.json`` beside it.

    Raises:
        InputError: another configuration, keys that are missing or too many, another shape.
    """
    if path.suffix == ".safetensors":
        configuration = json.loads(path.with_name("config.json").read_text(encoding="utf-8"))
        scales, state, prefix = configuration["target_transform"], read_state(path), ""
    else:
        checkpoint = cast("dict[str, dict[str, object]]", load_torch(path))
        configuration, scales = checkpoint["model_cfg"], checkpoint["target_transform"]
        state, prefix = state_of(checkpoint, path, "state_dict"), "model."
    differing = {
        k: configuration.get(k) for k, v in CONFIGURATION.items() if configuration.get(k) != v
    }
    if differing:
        raise InputError(f"{path} is not the published configuration: {differing}")
    network = build(Network, state, path, naming=lambda key: prefix + key)
    return Aesthetics(
        network, {axis: Scale(scales[axis]["mean"], scales[axis]["std"]) for axis in AXES}
    )
