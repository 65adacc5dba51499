"""How a file becomes the samples that an encoder hears: the preparations of the field, by name.

The steps, in this order: channels to one, whole-file mean removed (DC), resampling, level, 16-bit
round trip, cut or zero-padded to the clip. Where no step looks at the whole file, what lies beyond
the clip is cut off before them, so that a file padded by its model is heard like one that ends with
the clip, to the bit. A row of ``ENCODERS`` names its preparation; the name
stands in the signature of every number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from vsseval.audio import fit_length
from vsseval.resampling import resample
from vsseval.types import Audio, mono


@dataclass(frozen=True, slots=True)
class Preparation:
    """A row of :data:`PREPARATIONS`."""

    resampler: str
    """One of ``vsseval.resampling.RESAMPLERS``."""
    channels: Literal["mean", "first", "first-centred"]
    """``mean``; the ``first``; the first less the mean over all channels and samples."""
    remove_mean: bool = False
    """Whether the mean of the whole file is subtracted, before resampling."""
    peak_db: float | None = None
    """Largest absolute sample after scaling [dB of full scale]; None leaves the level."""
    pcm16: bool = False
    """Whether the resampled wave goes through 16-bit integers."""
    least_samples: int = 0
    """Padded with zeros to at least so many samples."""
    source: str = ""
    """Implementation at a commit."""

    @property
    def sees_whole_file(self) -> bool:
        """Whether samples beyond the clip move those within it."""
        centred = self.remove_mean or self.channels == "first-centred"
        return centred or self.peak_db is not None


PREPARATIONS: dict[str, Preparation] = {
    "soxr-mean": Preparation("soxr-hq", "mean", source="ours"),
    "avbench": Preparation(
        "sinc6", "mean", remove_mean=True, source="hkchengrex/av-benchmark at 050a5cd, data loader"
    ),
    "sinc6-mean": Preparation(
        "sinc6", "mean", source="hkchengrex/av-benchmark at 050a5cd, Synchformer path"
    ),
    "audioldm": Preparation(
        "sinc6",
        "first",
        remove_mean=True,
        least_samples=32_000,
        source="haoheliu/audioldm_eval at 8dc07ee, datasets",
    ),
    "imagebind": Preparation(
        "sinc6", "first-centred", source="facebookresearch/ImageBind at 53680b0, data.py"
    ),
    "fadtk": Preparation("kaiser64", "mean", pcm16=True, source="microsoft/fadtk at ec74b1f"),
    "gudgud96": Preparation(
        "resampy-best", "mean", source="gudgud96/frechet-audio-distance at 55971f6"
    ),
    "stable-audio": Preparation(
        "soxr-hq",
        "mean",
        peak_db=-1.0,
        source="Stability-AI/stable-audio-metrics at fd55536",
    ),
    "audiocraft": Preparation(
        "julius24", "mean", source="facebookresearch/audiocraft at 896ec7c, convert_audio"
    ),
}
"""All preparations by name."""


def prepare(
    audio: Audio, sample_rate: int, duration: float | None, preparation: str = "soxr-mean"
) -> NDArray[np.float32]:
    """Mono float32 (n,) at ``sample_rate``, as the named preparation makes it.

    Args:
        audio: the decoded file.
        sample_rate: rate of the encoder [Hz].
        duration: length to cut or zero-pad to [s]; None keeps the file's own.
        preparation: a name of ``PREPARATIONS``.
    """
    row = PREPARATIONS[preparation]
    if duration is not None and not row.sees_whole_file:
        within = audio.samples[:, : round(duration * audio.sample_rate)]
        audio = Audio(within, audio.sample_rate)
    samples = _one_channel(audio, row.channels)
    if row.remove_mean:
        samples = samples - samples.mean(dtype=np.float64).astype(np.float32)
    samples = resample(samples, audio.sample_rate, sample_rate, row.resampler)
    if row.peak_db is not None and (peak := float(np.abs(samples).max())) > 0:
        samples = samples * np.float32(10 ** (row.peak_db / 20) / peak)
    if row.pcm16:
        samples = np.trunc(samples.clip(-1, 32767 / 32768) * 32768).astype(np.float32) / 32768
    if duration is not None:
        samples = fit_length(samples, round(duration * sample_rate))
    return fit_length(samples, max(row.least_samples, samples.size))


def _one_channel(audio: Audio, channels: str) -> NDArray[np.float32]:
    if channels == "mean":
        return mono(audio)
    if channels == "first":
        return audio.samples[0]
    return audio.samples[0] - audio.samples.mean(dtype=np.float64).astype(np.float32)
