"""Whisper as a listener: what a clip says, through faster-whisper with pinned decoding.

    language en, task transcribe, temperature 0 without fallback, beam 5, no conditioning on the
    previous text, no voice activity detection, no time stamps, int8 weights

Without time stamps a window of 30 s is decoded once, so a clip up to 30 s is one pass. The decoder
is stopped after 4 + 8 tokens for each second of the clip (three times fast speech), so that a
hallucination on noise ends. A window that the network holds to be silent (no-speech probability
above 0.6 and mean log-probability below -1, the package's rule) gives an empty text, which is a
result.

Source: faster-whisper 1.2 (transcribe.py); decoding as the metrics of the dubbing papers pin it.
"""

from __future__ import annotations

import importlib.metadata
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vsseval import weights
from vsseval.errors import InputError
from vsseval.types import Features

if TYPE_CHECKING:
    from faster_whisper import WhisperModel

SAMPLE_RATE = 16_000
TINY_EN, BASE = "whisper-tiny.en", "whisper-base"
"""Parts of the weight store."""
BEAM = 5
TOKENS, TOKENS_PER_SECOND = 4, 8
DECODING = f"en,t0,beam{BEAM},nots,max{TOKENS}+{TOKENS_PER_SECOND}/s"
"""The settings, as signatures say them."""


def token_limit(length: int) -> int:
    """Most tokens that a clip of ``length`` samples may give; at most 220 (Whisper's window)."""
    return min(220, TOKENS + math.ceil(TOKENS_PER_SECOND * length / SAMPLE_RATE))


@dataclass(frozen=True, slots=True)
class WhisperEncoder:
    """The transcript of a clip."""

    model: WhisperModel
    signature: str

    def __call__(self, samples: NDArray[np.float32]) -> Features:
        """``text``, a 0-d string that may be empty, of 16-kHz samples (n,).

        Raises:
            InputError: no samples.
        """
        from threadpoolctl import threadpool_limits

        if samples.size == 0:
            raise InputError("whisper needs at least one sample")
        # NumPy's products sum in another order with another number of threads, which changes the
        # mel input in its last digit and, through int8, now and then a word.
        with threadpool_limits(limits=1, user_api="blas"):
            segments, _ = self.model.transcribe(
                samples,
                language="en",
                task="transcribe",
                temperature=0.0,
                beam_size=BEAM,
                condition_on_previous_text=False,
                vad_filter=False,
                without_timestamps=True,
                max_new_tokens=token_limit(samples.size),
            )
            words = [segment.text.strip() for segment in segments]
        return {"text": np.array(" ".join(words))}


def signature(part: str, device: str = "cpu") -> str:
    """Weights, run time, decoding and device (int8 arithmetic differs between devices)."""
    packages = "|".join(
        f"{name}-{importlib.metadata.version(name)}" for name in ("faster-whisper", "ctranslate2")
    )
    return f"{part}:{weights.fingerprint(part)}|{packages}|int8-{device}|{DECODING}"


def load(part: str, device: str = "cpu") -> WhisperEncoder:
    """Whisper of the size that a part of the weight store holds, in CTranslate2 form.

    Raises:
        MissingWeightsError: the part is not in the store.
    """
    from faster_whisper import WhisperModel

    model = WhisperModel(
        str(weights.require(part)),
        device=device,
        compute_type="int8",
        cpu_threads=1,
        local_files_only=True,
    )
    return WhisperEncoder(model, signature(part, device))
