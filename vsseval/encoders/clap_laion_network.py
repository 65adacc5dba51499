"""The two towers of LAION-CLAP, named as its checkpoints name them.

Audio: HTSAT, then a linear layer, ReLU and a linear layer to 512 values. Text: the pooled state of
RoBERTa, then likewise. Both are scaled to unit norm. The transforms and scales of the training loss
are in the checkpoint and not used.

A checkpoint with fusion has layers more, which mix in three pieces of a clip of over 10 s. A clip
of up to 10 s passes them by, but hears itself through other mel bands: triangles of height 1 on the
HTK scale, computed outside the network, in place of those in the checkpoint.

Source: LAION-AI/CLAP at 1fd4c37, clap_module/model.py and factory.py (package laion_clap 1.1.5).
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import normalize

from vsseval.encoders import htsat_network, roberta_network
from vsseval.encoders.checkpoints import State, build, read_state
from vsseval.encoders.htsat_network import BANDS, FFT, Htsat
from vsseval.encoders.roberta_network import Roberta

WIDTH = 512
"""Length of an embedding."""
HOP = 480
"""Of the spectrogram, at 48 kHz."""
_LOSS = r"logit_scale_[at]|(audio|text)_transform\..*"
AUDIO_UNUSED = rf"{_LOSS}|text_.*|audio_branch\.{htsat_network.UNUSED}"
FUSION_UNUSED = rf"{AUDIO_UNUSED}|audio_branch\.patch_embed\.(mel_conv2d|fusion_model)\..*"
TEXT_UNUSED = rf"{_LOSS}|audio_.*|text_branch\.embeddings\.position_ids"


class AudioTower(nn.Module):
    """Unit vectors (b, 512) of 48-kHz samples (b, n), n at most 10 s."""

    def __init__(self, size: htsat_network.Size) -> None:
        super().__init__()
        self.audio_branch = Htsat(size, HOP)
        self.audio_projection = _projection(size.embedding)

    def forward(self, samples: Tensor) -> Tensor:
        """Embedding of each row."""
        return normalize(self.audio_projection(self.audio_branch(samples)), dim=-1)


class TextTower(nn.Module):
    """Unit vectors (b, 512) of token ids, int64 (b, t)."""

    def __init__(self, size: roberta_network.Size) -> None:
        super().__init__()
        self.text_branch = Roberta(size)
        self.text_projection = _projection(size.width)

    def forward(self, tokens: Tensor) -> Tensor:
        """Embedding of each row."""
        return normalize(self.text_projection(self.text_branch(tokens)), dim=-1)


def _projection(inputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, WIDTH), nn.ReLU(), nn.Linear(WIDTH, WIDTH))


def load_audio_tower(path: Path, size: htsat_network.Size) -> AudioTower:
    """The audio tower of a checkpoint, for inference on the CPU.

    Raises:
        InputError: the file is no checkpoint of a LAION-CLAP of this size.
    """
    return build(lambda: AudioTower(size), _read(path), path, unused=AUDIO_UNUSED)


def load_fusion_audio_tower(path: Path, size: htsat_network.Size) -> AudioTower:
    """The audio tower of a checkpoint with fusion, for clips of up to 10 s.

    Raises:
        InputError: the file is no checkpoint of a LAION-CLAP with fusion of this size.
    """
    tower = build(lambda: AudioTower(size), _read(path), path, unused=FUSION_UNUSED)
    tower.audio_branch.logmel_extractor.melW.copy_(htk_bands())
    return tower


def htk_bands() -> Tensor:
    """Mel weights float32 (513, 64) from 50 Hz to 14 kHz: triangles of height 1, HTK scale."""
    edges = _hertz(np.linspace(_mel(50.0), _mel(14_000.0), BANDS + 2))
    low, centre, high = edges[:-2], edges[1:-1], edges[2:]
    bins = np.arange(FFT // 2 + 1)[:, None] * 48_000 / FFT
    triangles = np.minimum((bins - low) / (centre - low), (high - bins) / (high - centre))
    return torch.from_numpy(triangles.clip(0).astype(np.float32))


def _mel(frequency: float) -> float:
    return 2595 * math.log10(1 + frequency / 700)


def _hertz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    return 700 * (10 ** (mel / 2595) - 1)


def load_text_tower(path: Path, size: roberta_network.Size) -> TextTower:
    """The text tower of a checkpoint, for inference on the CPU.

    Raises:
        InputError: the file is no checkpoint of a LAION-CLAP of this size.
    """
    return build(lambda: TextTower(size), _read(path), path, unused=TEXT_UNUSED)


def _read(path: Path) -> State:
    """Tensors by name; files of training put ``module.`` before each."""
    state = read_state(path, "state_dict")
    return {key.removeprefix("module."): tensor for key, tensor in state.items()}
