"""WavLM with ECAPA-TDNN: a clip to one vector that tells voices apart.

The states of all layers of WavLM are summed with learnt weights, each channel is brought to mean 0
and variance 1 over the clip, and a time-delay network with squeeze and excitation, several widths
at a time, pools mean and deviation under learnt attention.

Names are those of the checkpoint. Source: microsoft/UniSpeech at 40d3227,
downstreams/speaker_verification/models/ecapa_tdnn.py; the features as s3prl gives them (input of
each layer, output of the last after its norm; the wave normalised over the clip first).
B. Desplanques et al. (2020), arXiv 2005.07143.
"""

from __future__ import annotations

from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.functional import instance_norm, layer_norm, relu

from vsseval.encoders.checkpoints import build, read_state
from vsseval.encoders.wav2vec_network import WAVLM_LARGE, Size
from vsseval.encoders.wav2vec_network import Network as WavLM

TRAINING_ONLY = r"loss_calculator\.projection\.weight"
"""The classes of the training speakers."""
POOLED = 1536
"""Channels that are pooled."""


class ConvNorm(nn.Module):
    """Convolution, ReLU, batch norm."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv1d(inputs, outputs, kernel, padding=kernel // 2)
        self.bn = nn.BatchNorm1d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(b, inputs, t) -> (b, outputs, t)."""
        y: Tensor = self.bn(relu(self.conv(x)))
        return y


class Widths(nn.Module):
    """Channels in 8 parts, each but the last convolved after adding the part before it."""

    PARTS = 8

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        width = channels // self.PARTS
        self.convs = nn.ModuleList(
            nn.Conv1d(width, width, 3, padding=dilation, dilation=dilation)
            for _ in range(self.PARTS - 1)
        )
        self.bns = nn.ModuleList(nn.BatchNorm1d(width) for _ in range(self.PARTS - 1))

    def forward(self, x: Tensor) -> Tensor:
        """(b, channels, t) -> (b, channels, t)."""
        *parts, last = x.chunk(self.PARTS, dim=1)
        done: list[Tensor] = []
        for part, conv, norm in zip(parts, self.convs, self.bns, strict=True):
            done.append(norm(relu(conv(part + done[-1] if done else part))))
        return torch.cat([*done, last], dim=1)


class Excitation(nn.Module):
    """Each channel times a factor in (0, 1) from the means of all."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.linear1 = nn.Linear(channels, 128)
        self.linear2 = nn.Linear(128, channels)

    def forward(self, x: Tensor) -> Tensor:
        """(b, channels, t) -> (b, channels, t)."""
        factor = torch.sigmoid(self.linear2(relu(self.linear1(x.mean(dim=2)))))
        return x * factor[:, :, None]


class Block(nn.Module):
    """One step of the time-delay network, added to what came in."""

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.Conv1dReluBn1 = ConvNorm(channels, channels)
        self.Res2Conv1dReluBn = Widths(channels, dilation)
        self.Conv1dReluBn2 = ConvNorm(channels, channels)
        self.SE_Connect = Excitation(channels)

    def forward(self, x: Tensor) -> Tensor:
        """(b, channels, t) -> (b, channels, t)."""
        y = self.Conv1dReluBn2(self.Res2Conv1dReluBn(self.Conv1dReluBn1(x)))
        return x + cast(Tensor, self.SE_Connect(y))


class Pooling(nn.Module):
    """Mean and deviation of each channel under its own attention over time."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.linear1 = nn.Conv1d(channels, 128, 1)
        self.linear2 = nn.Conv1d(128, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(b, channels, t) -> (b, 2 channels)."""
        attention = torch.softmax(self.linear2(torch.tanh(self.linear1(x))), dim=2)
        mean = (attention * x).sum(dim=2)
        variance = (attention * x**2).sum(dim=2) - mean**2
        return torch.cat([mean, variance.clamp(min=1e-9).sqrt()], dim=1)


class Network(nn.Module):
    """Samples to a vector."""

    def __init__(self, size: Size = WAVLM_LARGE, channels: int = 512, outputs: int = 256) -> None:
        super().__init__()
        self.feature_extract = nn.ModuleDict({"model": WavLM(size)})
        self.feature_weight = nn.Parameter(torch.zeros(size.layers + 1))
        self.layer1 = ConvNorm(size.width, channels, kernel=5)
        self.layer2 = Block(channels, dilation=2)
        self.layer3 = Block(channels, dilation=3)
        self.layer4 = Block(channels, dilation=4)
        self.conv = nn.Conv1d(3 * channels, POOLED, 1)
        self.pooling = Pooling(POOLED)
        self.bn = nn.BatchNorm1d(2 * POOLED)
        self.linear = nn.Linear(2 * POOLED, outputs)

    def forward(self, samples: Tensor) -> Tensor:
        """Embedding (outputs,) of one clip of samples (n,), n >= 720: two frames."""
        states = torch.cat(self.feature_extract["model"](layer_norm(samples, samples.shape)[None]))
        weights = torch.softmax(self.feature_weight, dim=0)
        x = torch.einsum("l,ltw->wt", weights, states)[None] + 1e-6
        x = self.layer1(instance_norm(x))
        blocks = [x := block(x) for block in (self.layer2, self.layer3, self.layer4)]
        pooled = self.pooling(relu(self.conv(torch.cat(blocks, dim=1))))
        embedding: Tensor = self.linear(self.bn(pooled))[0]
        return embedding


def load_network(path: Path) -> Network:
    """The network of ``wavlm_large_finetune.pth``, for inference on the CPU.

    Raises:
        InputError: keys are missing or too many, or a shape differs.
    """
    return build(Network, read_state(path, "model"), path, unused=TRAINING_ONLY)
