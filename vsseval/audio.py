"""Reading, writing and cutting waveforms: float32 (channels, n) in [-1, 1]."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from vsseval.errors import InputError
from vsseval.files import written_whole
from vsseval.resampling import resample
from vsseval.types import Audio, mono

SPEECH_MARGIN = 0.1
"""How far beyond its stated interval speech may reach [s]."""


def read_audio(path: Path) -> Audio:
    """Decode a WAV or FLAC file.

    Integer files are divided by 2^(bits-1).

    Raises:
        InputError: the file is missing, empty, undecodable, or holds a value that is not finite.
    """
    if not path.is_file():
        raise InputError(f"no audio file at {path}")
    try:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, RuntimeError) as error:
        raise InputError(f"cannot decode audio {path}: {error}") from error
    if samples.shape[0] == 0:
        raise InputError(f"audio {path} holds no samples")
    if not np.isfinite(samples).all():
        raise InputError(f"audio {path} holds values that are not finite (NaN or infinity)")
    return Audio(np.ascontiguousarray(samples.T), int(rate))


def write_audio(path: Path, audio: Audio) -> int:
    """Write 16-bit PCM (WAV or FLAC, by suffix) through a temporary file and a rename.

    A file that was read from 16 bits comes back bit for bit.

    Returns:
        Number of samples that were clipped.

    Raises:
        InputError: no samples, or a value that is not finite.
    """
    if audio.samples.size == 0 or not np.isfinite(audio.samples).all():
        raise InputError(f"audio for {path.name} is empty or holds values that are not finite")
    scaled = np.rint(audio.samples.astype(np.float64) * 32768.0)
    clipped = int(np.count_nonzero((scaled > 32767) | (scaled < -32768)))
    pcm = np.clip(scaled, -32768, 32767).astype(np.int16)
    # Encoded in memory first, so that a full disk is an OSError and not one of libsndfile's.
    encoded = io.BytesIO()
    soundfile.write(
        encoded, pcm.T, audio.sample_rate, subtype="PCM_16", format=path.suffix[1:].upper()
    )
    with written_whole(path) as partial:
        partial.write_bytes(encoded.getvalue())
    return clipped


def fit_length(samples: NDArray[np.float32], length: int) -> NDArray[np.float32]:
    """Mono samples cut, or padded with zeros at the end, to exactly ``length`` samples."""
    if samples.shape[-1] >= length:
        return samples[:length]
    return np.pad(samples, (0, length - samples.shape[-1]))


def without_speech(audio: Audio, spans: Sequence[tuple[float, float]]) -> Audio:
    """The audio with each span, and :data:`SPEECH_MARGIN` to both sides of it, set to zero.

    What is left fades over the outer half of the margin. The file's other samples stay as they are,
    and without spans all of them.

    Raises:
        InputError: nothing is left.
    """
    if not spans:
        return audio
    time = np.arange(audio.samples.shape[-1]) / audio.sample_rate
    gain = np.ones_like(time)
    for start, end in spans:
        distance = np.maximum(np.maximum(start - time, time - end), 0.0)
        gain = np.minimum(gain, np.clip(2 * distance / SPEECH_MARGIN - 1, 0.0, 1.0))
    if not gain.any():
        raise InputError("nothing is left outside speech")
    return Audio(audio.samples * gain.astype(np.float32), audio.sample_rate)


def mono_at(audio: Audio, sample_rate: int, duration: float) -> NDArray[np.float32]:
    """Mono float32 (round(duration * sample_rate),): mean of channels, resampled, cut or padded."""
    return fit_length(
        resample(mono(audio), audio.sample_rate, sample_rate), round(duration * sample_rate)
    )


def audio_digest(audio: Audio) -> str:
    """sha256 of rate, shape and samples: the same for the same sound, from whatever file."""
    head = f"{audio.sample_rate}:{audio.samples.shape}".encode()
    return hashlib.sha256(
        head + np.ascontiguousarray(audio.samples, dtype="<f4").tobytes()
    ).hexdigest()
