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

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vsseval import weights
from vsseval.encoders.byte_pairs import BytePairs, read_byte_pairs, roberta_tokens
from vsseval.errors import InputError
from vsseval.types import Features

if TYPE_CHECKING:
    from vsseval.encoders.clap_laion_network import AudioTower, TextTower

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
TINY_PARTS = ("clap-laion-630k",)

Cut = Callable[[NDArray[np.float32]], NDArray[np.float32]]


def one_window(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """One window (1, 480000): whole copies of samples (n,), then zeros; or their first 10 s."""
    copies = np.tile(samples, max(1, WINDOW // samples.size))[:WINDOW]
    return np.pad(copies, (0, WINDOW - copies.size))[None]


def window_each_second(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Windows (ceil(n / 48000), 480000) from every second on, zeros after the end."""
    padded = np.pad(_through_16_bits(samples), (0, WINDOW))
    starts = range(0, samples.size, SAMPLE_RATE)
    return np.stack([padded[start : start + WINDOW] for start in starts])


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


@dataclass(frozen=True, slots=True)
class LaionAudio:
    """A unit vector for each window of a clip."""

    tower: AudioTower
    cut: Cut
    device: str
    signature: str

    def __call__(self, samples: NDArray[np.float32]) -> Features:
        """``embedding`` float32 (windows, 512), unit norm, of 48-kHz samples (n,).

        Raises:
            InputError: no samples.
        """
        if samples.size == 0:
            raise InputError("clap-laion needs at least one sample")
        import torch

        windows = torch.from_numpy(self.cut(samples))
        with torch.inference_mode():  # one by one: a window's values do not depend on the others
            rows = [self.tower(window[None].to(self.device)).cpu() for window in windows]
        return {"embedding": torch.cat(rows).numpy()}


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


def signature(device: str = "cpu") -> str:
    """Of ``clap-laion``: weights and cut; the device moves nothing above rounding."""
    del device
    return _one_window_signature("clap-laion")


def signature_music(device: str = "cpu") -> str:
    """Of ``clap-laion-music``."""
    del device
    return _one_window_signature("clap-laion-music")


def signature_630k(device: str = "cpu") -> str:
    """Of ``clap-laion-630k``."""
    del device
    return _one_window_signature("clap-laion-630k")


def signature_music_fadtk(device: str = "cpu") -> str:
    """Of ``clap-laion-music@fadtk``."""
    del device
    return _fadtk_signature("clap-laion-music")


def signature_630k_fadtk(device: str = "cpu") -> str:
    """Of ``clap-laion-630k@fadtk``."""
    del device
    return _fadtk_signature("clap-laion-630k")


def signature_630k_fusion(device: str = "cpu") -> str:
    """Of ``clap-laion-630k-fusion``."""
    del device
    part = "clap-laion-630k-fusion"
    return f"{part}:{weights.fingerprint(part)}|window:10s repeated, padded, 16 bits"


def signature_text(device: str = "cpu") -> str:
    """Of ``clap-laion-text``: weights, tokens and their limit."""
    del device
    return _text_signature("clap-laion")


def signature_630k_fusion_text(device: str = "cpu") -> str:
    """Of ``clap-laion-630k-fusion-text``."""
    del device
    return _text_signature("clap-laion-630k-fusion")


def load(device: str = "cpu") -> LaionAudio:
    """Encoder ``clap-laion``.

    Raises:
        MissingWeightsError: part ``clap-laion`` is not in the store.
    """
    return _audio("clap-laion", one_window, device, signature(device))


def load_music(device: str = "cpu") -> LaionAudio:
    """Encoder ``clap-laion-music``.

    Raises:
        MissingWeightsError: part ``clap-laion-music`` is not in the store.
    """
    return _audio("clap-laion-music", one_window, device, signature_music(device))


def load_630k(device: str = "cpu") -> LaionAudio:
    """Encoder ``clap-laion-630k``.

    Raises:
        MissingWeightsError: part ``clap-laion-630k`` is not in the store.
    """
    return _audio("clap-laion-630k", one_window, device, signature_630k(device))


def load_music_fadtk(device: str = "cpu") -> LaionAudio:
    """Encoder ``clap-laion-music@fadtk``.

    Raises:
        MissingWeightsError: part ``clap-laion-music`` is not in the store.
    """
    return _audio("clap-laion-music", window_each_second, device, signature_music_fadtk(device))


def load_630k_fadtk(device: str = "cpu") -> LaionAudio:
    """Encoder ``clap-laion-630k@fadtk``.

    Raises:
        MissingWeightsError: part ``clap-laion-630k`` is not in the store.
    """
    return _audio("clap-laion-630k", window_each_second, device, signature_630k_fadtk(device))


def load_630k_fusion(device: str = "cpu") -> LaionAudio:
    """Encoder ``clap-laion-630k-fusion``.

    Raises:
        MissingWeightsError: part ``clap-laion-630k-fusion`` is not in the store.
    """
    from vsseval.encoders.clap_laion_network import load_fusion_audio_tower
    from vsseval.encoders.htsat_network import TINY

    tower = load_fusion_audio_tower(_checkpoint("clap-laion-630k-fusion"), TINY).to(device)
    return LaionAudio(tower, one_short_window, device, signature_630k_fusion(device))


def load_text(device: str = "cpu") -> LaionText:
    """Encoder ``clap-laion-text``.

    Raises:
        MissingWeightsError: part ``clap-laion`` or ``roberta-base`` is not in the store.
    """
    return _text("clap-laion", device)


def load_630k_fusion_text(device: str = "cpu") -> LaionText:
    """Encoder ``clap-laion-630k-fusion-text``.

    Raises:
        MissingWeightsError: part ``clap-laion-630k-fusion`` or ``roberta-base`` is not in the
            store.
    """
    return _text("clap-laion-630k-fusion", device)


def _audio(part: str, cut: Cut, device: str, signature: str) -> LaionAudio:
    from vsseval.encoders.clap_laion_network import load_audio_tower
    from vsseval.encoders.htsat_network import BASE, TINY

    tower = load_audio_tower(_checkpoint(part), TINY if part in TINY_PARTS else BASE)
    return LaionAudio(tower.to(device), cut, device, signature)


def _text(part: str, device: str) -> LaionText:
    from vsseval.encoders.clap_laion_network import load_text_tower
    from vsseval.encoders.roberta_network import Size

    path, vocabulary = _checkpoint(part), weights.require("roberta-base")
    tower = load_text_tower(path, Size()).to(device)
    return LaionText(tower, read_byte_pairs(vocabulary), device, _text_signature(part))


def _checkpoint(part: str) -> Path:
    return weights.require(part) / FILES[part]


def _one_window_signature(part: str) -> str:
    return f"{part}:{weights.fingerprint(part)}|window:10s repeated, padded; longer: the first"


def _fadtk_signature(part: str) -> str:
    return f"{part}:{weights.fingerprint(part)}|windows:10s/1s padded, 16 bits"


def _text_signature(part: str) -> str:
    tokens = weights.fingerprint("roberta-base")
    return f"{part}-text:{weights.fingerprint(part)}|tokens:{tokens}/{TEXT_LIMIT}"
