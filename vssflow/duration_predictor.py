"""The duration predictor of v1: lips look at phonemes, and the look is the duration.

Facts: Ceaglex/vasflow at 1bda706. Two post-norm encoders, of phonemes and of lips (AV-HuBERT
large), and a decoder whose frames of lips attend to the phonemes; its last cross-attention map says
which phoneme each frame is at. Module names are the authors' keys, below ``dp.``.
Shapes: B batch, T frames at 25 a second, P phonemes, D width.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from vsseval.errors import InputError
from vsseval.files import file_digest
from vssflow.config import Config
from vssflow.durations import Spoken, path_spans, uniform_durations
from vssflow.phonemes import sequence_of
from vssflow.upstream import check_tensors, read_lightning

PREFIX = "dp."
LIPS = 1024
"""Width of an AV-HuBERT frame."""
ROWS, PHONE = 1001, 64
"""Of the phoneme embedding."""
ENCODER, ENCODER_HEADS, ENCODER_LAYERS, ENCODED = 256, 4, 2, 128
DECODER, DECODER_LAYERS = 64, 4
HIDDEN = 1024
"""Width inside the feed-forward layers."""
SMOOTH = 0.0005
"""Error from which the loss is linear."""


def with_positions(x: Tensor) -> Tensor:
    """(B, N, D) plus sine at even and cosine at odd channels, base 10000."""
    length, width = x.shape[1:]
    rates = torch.exp(torch.arange(0, width, 2, device=x.device) * (-math.log(10000.0) / width))
    angles = torch.arange(length, device=x.device)[:, None] * rates  # (N, D / 2)
    return x + torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)


class Layer(nn.Module):
    """Post-norm: self-attention, in the decoder cross-attention, and three linears."""

    def __init__(self, width: int, heads: int, *, crossed: bool) -> None:
        super().__init__()
        self.self_attn = nn.MultiheadAttention(width, heads, batch_first=True)
        if crossed:
            self.cross_attn = nn.MultiheadAttention(width, heads, batch_first=True)
            self.norm3 = nn.LayerNorm(width)
        self.feed_forward = nn.Sequential(
            nn.Linear(width, HIDDEN),
            nn.ReLU(),
            nn.Linear(HIDDEN, HIDDEN),
            nn.ReLU(),
            nn.Linear(HIDDEN, width),
        )
        self.norm1 = nn.LayerNorm(width)
        self.norm2 = nn.LayerNorm(width)

    def forward(self, x: Tensor, seen: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(B, N, D), and what is seen (B, M, D), to (B, N, D) and the map (B, N, M)."""
        x = self.norm1(x + self.self_attn(x, x, x, need_weights=False)[0])
        if seen is None:
            return self.norm2(x + self.feed_forward(x)), x.new_zeros(0)
        looked, look = self.cross_attn(x, seen, seen)
        x = self.norm2(x + looked)
        return self.norm3(x + self.feed_forward(x)), look


class Encoder(nn.Module):
    """(B, N, width_in) -> (B, N, ENCODED)."""

    def __init__(self, width_in: int) -> None:
        super().__init__()
        self.inputq_proj = nn.Linear(width_in, ENCODER)
        layers = [Layer(ENCODER, ENCODER_HEADS, crossed=False) for _ in range(ENCODER_LAYERS)]
        self.layers = nn.ModuleList(layers)
        self.output_proj = nn.Linear(ENCODER, ENCODED)

    def forward(self, x: Tensor) -> Tensor:
        """(B, N, width_in) -> (B, N, ENCODED)."""
        x = with_positions(self.inputq_proj(x))
        for layer in self.layers:
            x, _ = layer(x)
        return self.output_proj(x)


class Decoder(nn.Module):
    """Lips (B, T, ENCODED) and phonemes (B, P, ENCODED) to features and the last map (B, T, P)."""

    def __init__(self) -> None:
        super().__init__()
        self.inputq_proj = nn.Linear(ENCODED, DECODER)
        self.inputkv_proj = nn.Linear(ENCODED, DECODER)
        layers = [Layer(DECODER, 1, crossed=True) for _ in range(DECODER_LAYERS)]
        self.layers = nn.ModuleList(layers)
        self.output_proj = nn.Linear(DECODER, DECODER)

    def forward(self, lips: Tensor, phonemes: Tensor) -> Tensor:
        """Encoded lips (B, T, E) and phonemes (B, P, E) to the map of the last layer, (B, T, P).

        What follows it in that layer is in the authors' checkpoints and in no loss.
        """
        x = with_positions(self.inputq_proj(lips))
        seen = with_positions(self.inputkv_proj(phonemes))
        look = x
        for layer in self.layers:
            x, look = layer(x, seen)
        return look


class DurationPredictor(nn.Module):
    """Phonemes and lips to a map of which phoneme each frame is at."""

    def __init__(self) -> None:
        super().__init__()
        self.phone_embedding = nn.Embedding(ROWS, PHONE)
        self.phone_encoder = Encoder(PHONE)
        self.hubert_encoder = Encoder(LIPS)
        self.attn_decoder = Decoder()
        self.output_proj = nn.Linear(DECODER, 2)

    def forward(self, ids: Tensor, lips: Tensor) -> Tensor:
        """Ids (B, P) and lips (B, T, 1024) to (B, T, P); each row sums to 1."""
        phonemes = self.phone_encoder(self.phone_embedding(ids))
        look: Tensor = self.attn_decoder(self.hubert_encoder(lips), phonemes)
        return look


def duration_loss(look: Tensor, durations: Tensor, frames: Tensor) -> Tensor:
    """Smooth L1 between a map and a duration matrix, both (B, T, P), of clips of some frames (B,).

    A row of several phonemes is shared among them; rows past the end of a clip count as agreeing.
    """
    inside = (torch.arange(look.shape[1], device=look.device) < frames[:, None])[..., None]
    wanted = durations / durations.sum(-1, keepdim=True).clamp(min=1.0)
    return functional.smooth_l1_loss(look * inside, wanted * inside, beta=SMOOTH)


def spoken_lips(lips: NDArray[np.float32] | None, frames: int) -> NDArray[np.float32]:
    """What the predictor sees, (frames, 1024): given lips cut or padded, or ones without any."""
    if lips is None:
        return np.ones((frames, LIPS), np.float32)
    return np.pad(lips[:frames], ((0, max(0, frames - len(lips))), (0, 0)))


class Prediction(NamedTuple):
    """How durations are predicted."""

    network: DurationPredictor
    """Trained."""
    clip_frames: int
    """Frames that the network always sees; those past the speech are zeros."""
    digest: str = ""
    """Of the checkpoint."""
    to_the_end: bool = False
    """The path runs to the end of the clip, as the authors', and is cut where the speech ends, so
    that its last phonemes may be lost; otherwise it ends with the speech."""

    def durations(self, ids: NDArray[np.int64], lips: NDArray[np.float32]) -> Spoken:
        """Phonemes said over as many frames as there are of lips (T, 1024).

        Raises:
            InputError: more frames than the predictor sees.
        """
        if len(lips) > self.clip_frames:
            raise InputError(
                f"the duration predictor sees {self.clip_frames} frames, not {len(lips)}; give "
                "--speech-span, or no --durations"
            )
        seen = np.zeros((self.clip_frames, LIPS), np.float32)
        seen[: len(lips)] = lips
        with torch.inference_mode():
            look = self.network(torch.from_numpy(ids)[None], torch.from_numpy(seen)[None])[0]
        rows = self.clip_frames if self.to_the_end else len(lips)
        return Spoken(ids, path_spans(look[:rows].numpy())[: len(lips)])


def said_when(
    words: Sequence[Sequence[int]],
    frames: int,
    prediction: Prediction | None,
    lips: NDArray[np.float32] | None,
) -> Spoken:
    """Phonemes of a text over some frames: as predicted from lips, or stretched evenly.

    Args:
        words: phoneme ids of each word.
        frames: of the speech.
        prediction: how durations are predicted; None: an even stretch.
        lips: (n, 1024) at 25 a second; None: without a face.
    """
    ids = sequence_of(words)
    if prediction is None:
        return uniform_durations(ids, frames)
    return prediction.durations(ids, spoken_lips(lips, frames))


def upstream_state(network: DurationPredictor) -> Mapping[str, Tensor]:
    """Weights under the authors' keys."""
    return {PREFIX + name: value for name, value in network.state_dict().items()}


def load_duration_predictor(path: Path) -> DurationPredictor:
    """The predictor of a Lightning checkpoint of the authors, or of ``--stage durations``.

    Tables of sines are computed here and passed over there: the authors drop them when they load.

    Raises:
        InputError: no such file, or a key is missing, unknown or of another shape.
    """
    tensors = read_lightning(path, "duration predictor")
    found = {name: value for name, value in tensors.items() if not name.endswith(".pe")}
    network = DurationPredictor()
    wanted = {name: tuple(value.shape) for name, value in upstream_state(network).items()}
    check_tensors("duration predictor", wanted, found)
    network.load_state_dict({name.removeprefix(PREFIX): found[name].float() for name in wanted})
    return network.eval()


def load_prediction(path: Path, config: Config) -> Prediction:
    """A predictor's checkpoint for the clips of a preset.

    Raises:
        InputError: the preset has no durations, or as :func:`load_duration_predictor`.
    """
    if not config.phoneme_positions:
        raise InputError(f"preset {config.preset} has no durations to predict")
    digest = f"duration predictor {file_digest(path)[:16]}" if path.is_file() else ""
    return Prediction(load_duration_predictor(path), config.clip_frames, digest)
