"""LAION-CLAP: sound and text in one space of 512 dimensions (Wu et al., 2023).

Four checkpoints, which differ in size and training data, and three ways to cut a clip:

    id                        checkpoint                                      HTSAT    cut
    clap-laion                music_speech_audioset_epoch_15_esc_89.98.pt     base     one window
    clap-laion-music          music_audioset_epoch_15_esc_90.14.pt            base     one window
    clap-laion-630k           630k-audioset-best.pt                           tiny     one window
    clap-laion-music@fadtk    as without @fadtk                               base     fadtk's
    clap-laion-630k@fadtk     as without @fadtk                               tiny     fadtk's
    clap-laion-630k-fusion    630k-audioset-fusion-best.pt                    tiny     up to 10 s

One window, as av-benchmark and laion_clap hear a clip of up to 10 s: whole copies of it as long as
they fit into 10 s, then zeros. Of a longer clip the first 10 s are heard; upstream draws 10 s at
random, with a generator that nothing seeds (and at 1fd4c37 with a call that numpy does not have).

fadtk's: a window of 10 s from every second of the clip, zeros after its end, so that a clip of s
seconds gives ceil(s) of them; the samples go once more through 16 bits, times 32767, cut towards 0.

Up to 10 s, for stable-audio-metrics: 16 bits as for fadtk, then one window. A longer clip is
refused: upstream fuses a shrunken picture of it with three pieces drawn at random.

Text: ``<s>``, at most 75 byte-pair tokens of RoBERTa, ``</s>``. Upstream fills up to 77 tokens with
padding that the attention leaves out; here there is none.

Source: LAION-AI/CLAP at 1fd4c37 (hook.py, training/data.py), microsoft/fadtk at ec74b1f
(model_loader.py), hkchengrex/av-benchmark at 050a5cd (extract.py, extract_text.py),
Stability-AI/stable-audio-metrics at fd55536 (clap_score.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vsseval import weights
from vsseval.encoders.byte_pairs import BytePairs, read_byte_pairs, roberta_tokens
from vsseval.encoders.clap import ClapAudio, Windows, each_second
from vsseval.errors import InputError
from vsseval.types import Features

if TYPE_CHECKING:
    from vsseval.encoders.clap_laion_network import TextTower

SAMPLE_RATE = 48_000
WINDOW = 10 * SAMPLE_RATE
TEXT_LIMIT = 77
"""Tokens of a text, the outer two included."""
FILES = {
    "clap-laion": "music_speech_audioset_epoch_15_esc_89.98.pt",
    "clap-laion-music": "music_audioset_epoch_15_esc_90.14.pt",
    "clap-laion-630k": "630k-audioset-best.pt",
    "clap-laion-630k-fusion": "630k-audioset-fusion-best.pt",
}
"""Part of the weight store -> its file."""
TINY_PARTS = ("clap-laion-630k", "clap-laion-630k-fusion")
FUSION_PARTS = ("clap-laion-630k-fusion",)


def one_window(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """One window (1, 480000): whole copies of samples (n,), then zeros; or their first 10 s."""
    copies = np.tile(samples, max(1, WINDOW // samples.size))[:WINDOW]
    return np.pad(copies, (0, WINDOW - copies.size))[None]


def window_each_second(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Windows (ceil(n / 48000), 480000) from every second on, zeros after the end."""
    return each_second(_through_16_bits(samples), SAMPLE_RATE, WINDOW)


def one_short_window(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """:func:`one_window` of samples (n,) that went through 16 bits, n at most 480000.

    Raises:
        InputError: the clip is longer than 10 s.
    """
    if samples.size > WINDOW:
        seconds = samples.size / SAMPLE_RATE
        raise InputError(
            f"clap-laion-630k-fusion hears clips of up to 10 s, this one has {seconds:.2f} s; "
            "clap-laion takes the first 10 s of any clip"
        )
    return one_window(_through_16_bits(samples))


def _through_16_bits(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    whole = np.clip(samples.astype(np.float64), -1, 1)
    return (np.trunc(whole * 32767) / 32767).astype(np.float32)


_ONE = Windows(one_window, "window:10s repeated, padded; longer: the first")
_EACH_SECOND = Windows(window_each_second, "windows:10s/1s padded, 16 bits")
AUDIO = {
    "clap-laion": _ONE,
    "clap-laion-music": _ONE,
    "clap-laion-630k": _ONE,
    "clap-laion-music@fadtk": _EACH_SECOND,
    "clap-laion-630k@fadtk": _EACH_SECOND,
    "clap-laion-630k-fusion": Windows(one_short_window, "window:10s repeated, padded, 16 bits"),
}
"""Audio encoder, which is its part of the weight store up to the @ -> how it cuts a clip."""


@dataclass(frozen=True, slots=True)
class LaionText:
    """A unit vector for a text."""

    tower: TextTower
    pairs: BytePairs
    device: str
    signature: str

    def __call__(self, text: str) -> Features:
        """``embedding`` float32 (512,), unit norm."""
        import torch

        tokens = torch.tensor([roberta_tokens(text, self.pairs, TEXT_LIMIT)], device=self.device)
        with torch.inference_mode():
            return {"embedding": self.tower(tokens)[0].cpu().numpy()}


def signature(encoder: str, device: str = "cpu") -> str:
    """Of a row of :data:`AUDIO`: weights and cut; the device moves nothing above rounding."""
    del device
    part = encoder.partition("@")[0]
    return f"{part}:{weights.fingerprint(part)}|{AUDIO[encoder].signature}"


def load(encoder: str, device: str = "cpu") -> ClapAudio:
    """A row of :data:`AUDIO`.

    Raises:
        MissingWeightsError: its part is not in the store.
    """
    from vsseval.encoders.clap_laion_network import load_audio_tower, load_fusion_audio_tower
    from vsseval.encoders.htsat_network import BASE, TINY

    part = encoder.partition("@")[0]
    load_tower = load_fusion_audio_tower if part in FUSION_PARTS else load_audio_tower
    tower = load_tower(_checkpoint(part), TINY if part in TINY_PARTS else BASE)
    return ClapAudio(tower.to(device), AUDIO[encoder].cut, device, signature(encoder))


def signature_text(part: str, device: str = "cpu") -> str:
    """Of the texts of a checkpoint: weights, tokens and their limit."""
    del device
    tokens = weights.fingerprint("roberta-base")
    return f"{part}-text:{weights.fingerprint(part)}|tokens:{tokens}/{TEXT_LIMIT}"


def load_text(part: str, device: str = "cpu") -> LaionText:
    """The text tower of a checkpoint.

    Raises:
        MissingWeightsError: its part or ``roberta-base`` is not in the store.
    """
    from vsseval.encoders.clap_laion_network import load_text_tower
    from vsseval.encoders.roberta_network import Size

    path, vocabulary = _checkpoint(part), weights.require("roberta-base")
    tower = load_text_tower(path, Size()).to(device)
    return LaionText(tower, read_byte_pairs(vocabulary), device, signature_text(part))


def _checkpoint(part: str) -> Path:
    return weights.require(part) / FILES[part]
