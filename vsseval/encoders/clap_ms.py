"""MS-CLAP 2023: sound and text in one space of 1024 dimensions (Elizalde et al., 2023).

The samples are at 44.1 kHz, but the front end in the network is that of HTSAT for 32 kHz (frames
every 320 samples, mel bands up to what 14 kHz would be there): the settings of the published
configuration (44.1 kHz, 8 kHz) are read and not used.

A window has 7 s. A shorter clip is repeated and cut at 7 s. Of a longer one:

    clap-ms           windows every second, and one that ends with the clip if none of them does;
                      a metric takes the mean of their cosines
    clap-ms@avbench   one window at a random place, as upstream draws it, but by a generator that is
                      seeded with 0 for each clip: the place depends on the clip's length alone
    clap-ms@fadtk     a window from every second on, zeros after the end of the clip

Upstream lays the channels of a file end to end before it draws, and av-benchmark hands it the whole
file; here all of them hear the mean of the channels, cut to the clip.

Text: a space and ``<|endoftext|>`` are added, and the state at the last token counts. Text of more
than 77 tokens is not cut, as upstream. Each exclamation mark (token 0, also the padding) moves the
counted state one token forward; that is upstream's flaw, kept.

Source: microsoft/CLAP at e8a6467 (CLAPWrapper.py, configs/config_2023.yml, models/config.py),
microsoft/fadtk at ec74b1f (model_loader.py), hkchengrex/av-benchmark at 050a5cd (extract.py).
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vsseval import weights
from vsseval.encoders.byte_pairs import END_OF_TEXT, BytePairs, read_byte_pairs
from vsseval.encoders.clap import ClapAudio, Windows, each_second
from vsseval.errors import InputError
from vsseval.types import Features

if TYPE_CHECKING:
    from vsseval.encoders.clap_ms_network import TextTower

SAMPLE_RATE = 44_100
WINDOW = 7 * SAMPLE_RATE
CROP_SEED = 0
"""Of the one window of ``clap-ms@avbench``."""
CHECKPOINT = "CLAP_weights_2023.pth"
PADDING = "!"
"""The token that upstream pads with, which makes it special in a text as well."""


def covering_windows(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Windows (k, 308700) of samples (n,) that hear every one of them."""
    long = _at_least_a_window(samples)
    starts = [*range(0, long.size - WINDOW + 1, SAMPLE_RATE)]
    if starts[-1] + WINDOW < long.size:
        starts.append(long.size - WINDOW)
    return np.stack([long[start : start + WINDOW] for start in starts])


def drawn_window(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """One window (1, 308700) at a place drawn from ``CROP_SEED`` and the number of samples."""
    long = _at_least_a_window(samples)
    spare = long.size - WINDOW
    start = random.Random(CROP_SEED).randrange(spare) if spare else 0
    return long[None, start : start + WINDOW].copy()


def window_each_second(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Windows (ceil(n / 44100), 308700) from every second on, zeros after the end."""
    return each_second(samples, SAMPLE_RATE, WINDOW)


def _at_least_a_window(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    if samples.size >= WINDOW:
        return samples
    return np.tile(samples, -(-WINDOW // samples.size))[:WINDOW]


AUDIO = {
    "clap-ms": Windows(covering_windows, "windows:7s/1s and the end"),
    "clap-ms@avbench": Windows(drawn_window, f"window:7s drawn, seed {CROP_SEED}"),
    "clap-ms@fadtk": Windows(window_each_second, "windows:7s/1s padded"),
}
"""Audio encoder -> how it cuts a clip."""


@dataclass(frozen=True, slots=True)
class MsText:
    """A vector for a text."""

    tower: TextTower
    pairs: BytePairs
    longest: int
    """Most tokens that the network has positions for."""
    device: str
    signature: str

    def __call__(self, text: str) -> Features:
        """``embedding`` float32 (1024,).

        Raises:
            InputError: the text has more tokens than the network has positions.
        """
        import torch

        ids = self.pairs(f"{text} {END_OF_TEXT}")
        if len(ids) > self.longest:
            raise InputError(f"clap-ms-text takes {self.longest} tokens, the text has {len(ids)}")
        with torch.inference_mode():
            embedding = self.tower(torch.tensor([ids], device=self.device))
        return {"embedding": embedding[0].cpu().numpy()}


def signature(encoder: str, device: str = "cpu") -> str:
    """Of a row of :data:`AUDIO`: weights and windows; the device moves nothing above rounding."""
    del device
    return f"clap-ms:{weights.fingerprint('clap-ms')}|{AUDIO[encoder].signature}"


def load(encoder: str, device: str = "cpu") -> ClapAudio:
    """A row of :data:`AUDIO`.

    Raises:
        MissingWeightsError: part ``clap-ms`` is not in the store.
    """
    from vsseval.encoders.clap_ms_network import load_audio_tower
    from vsseval.encoders.htsat_network import TINY

    tower = load_audio_tower(_checkpoint(), TINY).to(device)
    return ClapAudio(tower, AUDIO[encoder].cut, device, signature(encoder))


def signature_text(device: str = "cpu") -> str:
    """Of ``clap-ms-text``: weights and tokens."""
    del device
    return f"clap-ms-text:{weights.fingerprint('clap-ms')}|tokens:{weights.fingerprint('gpt2')}"


def load_text(device: str = "cpu") -> MsText:
    """Encoder ``clap-ms-text``.

    Raises:
        MissingWeightsError: part ``clap-ms`` or ``gpt2`` is not in the store.
    """
    from vsseval.encoders.clap_ms_network import load_text_tower
    from vsseval.encoders.gpt2_network import Size

    size = Size()
    path, vocabulary = _checkpoint(), weights.require("gpt2")
    pairs = read_byte_pairs(vocabulary, special=(END_OF_TEXT, PADDING))
    tower = load_text_tower(path, size).to(device)
    return MsText(tower, pairs, size.positions, device, signature_text(device))


def _checkpoint() -> Path:
    return weights.require("clap-ms") / CHECKPOINT
