"""The two towers of LAION-CLAP without fusion, named as its checkpoints name them.

Audio: HTSAT, then a linear layer, ReLU and a linear layer to 512 values. Text: the pooled state of
RoBERTa, then likewise. Both are scaled to unit norm. The transforms and scales of the training loss
are in the checkpoint and not used.

Source: LAION-AI/CLAP at 1fd4c37, clap_module/model.py and factory.py (package laion_clap 1.1.5).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import cast

from torch import Tensor, nn
from torch.nn.functional import normalize

from vsseval.encoders import htsat_network, roberta_network
from vsseval.encoders.checkpoint_keys import load_strictly, renamed
from vsseval.encoders.htsat_network import Htsat
from vsseval.encoders.roberta_network import Roberta
from vsseval.weights import load_torch

WIDTH = 512
"""Length of an embedding."""
HOP = 480
"""Of the spectrogram, at 48 kHz."""
_LOSS = r"logit_scale_[at]|(audio|text)_transform\..*"
AUDIO_UNUSED = rf"{_LOSS}|text_.*|audio_branch\.{htsat_network.UNUSED}"
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
    tower = AudioTower(size)
    load_strictly(tower, renamed(_read(path), {}, unused=AUDIO_UNUSED), path)
    return tower


def load_text_tower(path: Path, size: roberta_network.Size) -> TextTower:
    """The text tower of a checkpoint, for inference on the CPU.

    Raises:
        InputError: the file is no checkpoint of a LAION-CLAP of this size.
    """
    tower = TextTower(size)
    load_strictly(tower, renamed(_read(path), {}, unused=TEXT_UNUSED), path)
    return tower


def _read(path: Path) -> dict[str, Tensor]:
    """Tensors by name; files of training hold them inside, each name after ``module.``."""
    content = cast("Mapping[str, object]", load_torch(path))
    state = cast("Mapping[str, Tensor]", content.get("state_dict", content))
    return {key.removeprefix("module."): tensor for key, tensor in state.items()}
