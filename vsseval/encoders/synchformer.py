"""Synchformer: by how much sound and picture of a clip are apart (Iashin et al., ICASSP 2024).

The checkpoint is 24-01-04T16-39-21 (trained on AudioSet). A clip is read in segments of 0.64 s
every 0.32 s; ``video`` and ``audio`` say what each segment holds, each on its own, and ``head``
compares the two over windows of 14 segments (4.8 s): logits over 21 offsets from -2 to 2 s.

Video (:mod:`vsseval.synchformer.video`, which VSSFlow shares)
    rate      25 frames a second by the rule of FFmpeg's ``fps`` filter: output n shows the last
              frame whose time, rounded half up to the grid of 1/25 s, is not later than n / 25 s
    frame     short side to 224 (bicubic, antialiased, 8 bits), centre crop 224, (x - 0.5) / 0.5
    segments  16 frames every 8; frames after the last whole segment are left out
    output    (segments, 8, 768): a token for every second frame

Audio (16 kHz, mean of channels, mean not removed: preparation ``sinc6-mean``)
    segments  10,240 samples every 5,120; the tail is left out
    mel       per segment: Hann 400 in FFT 1024, hop 160, frames centred with reflection, power,
              128 HTK bands of unit height over 0 to 8 kHz, ln(x + 1e-6): 65 frames
    scaling   a 66th frame with the value 0, then (x + 4.2677393) / (2 * 4.5689974)
    output    (segments, 6, 768)

Windows
    :func:`first_and_last`  av-benchmark: the first 14 segments and the last 14. Of 10 s
                            (30 segments) what lies from 4.8 to 5.12 s and after 9.92 s is unseen.
    :func:`chunks`          JavisDiT: 14 after 14, the last 14 in place of a short last chunk, and a
                            clip below 14 segments repeated to 14.

Frames below 16 or samples below 10,240 are an InputError of the extractor, a clip below 4.8 s is
one of the head under :func:`first_and_last`. Where the two differ by one segment, as rounding of
durations can make them, the extra one at the end is left out; a larger difference is an InputError.

The decoder moves the result (Synchformer issue 11: accuracy 0.558 or 0.362 with two versions of
PyAV), so it stands in the signature.

Source: v-iashin/Synchformer at b66668a; hkchengrex/av-benchmark at 050a5cd (extract.py,
extract_video.py, data/); JavisVerse/JavisDiT at b505b37 (eval/javisbench/src/metrics.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vsseval import weights
from vsseval.errors import InputError
from vsseval.synchformer.video import (
    FPS,
    SEGMENT_FRAMES,
    SEGMENT_STEP,
    batches_of,
    frames_at_25,
    segment_tokens,
    square,
)
from vsseval.types import Features
from vsseval.video import DECODER

if TYPE_CHECKING:
    from vsseval.synchformer.network import (
        AudioExtractor,
        Head,
        Synchformer,
        VideoExtractor,
    )

SAMPLE_RATE = 16_000
SEGMENT_SAMPLES, SAMPLE_STEP = 10_240, 5_120
WINDOW = 14
"""Segments that the head compares at a time."""
SECONDS = (SEGMENT_FRAMES + (WINDOW - 1) * SEGMENT_STEP) / FPS
"""Length of a window: 4.8 s."""
MEL_FRAMES = 66


@cache
def mel_weights() -> NDArray[np.float64]:
    """Filter bank, float64 (128, 513): triangles of height 1 between points equal in HTK mels."""
    top = 2595.0 * np.log10(1.0 + SAMPLE_RATE / 2 / 700.0)
    points = 700.0 * (10.0 ** (np.linspace(0.0, top, 130) / 2595.0) - 1.0)
    bins = np.linspace(0.0, SAMPLE_RATE / 2, 513)
    low, centre, high = points[:-2, None], points[1:-1, None], points[2:, None]
    return np.minimum((bins - low) / (centre - low), (high - bins) / (high - centre)).clip(0)


def mel_segments(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scaled log-mel spectrograms, float32 (segments, 128, 66), of 16-kHz samples (n,).

    Raises:
        InputError: fewer than 10,240 samples.
    """
    if samples.size < SEGMENT_SAMPLES:
        raise InputError(
            f"synchformer needs at least one sample segment of {SEGMENT_SAMPLES / SAMPLE_RATE} s, "
            f"got {samples.size / SAMPLE_RATE:.3f} s"
        )
    windows = np.lib.stride_tricks.sliding_window_view(samples, SEGMENT_SAMPLES)[::SAMPLE_STEP]
    padded = np.pad(windows.astype(np.float64), ((0, 0), (512, 512)), mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, 1024, axis=1)[:, ::160]
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)
    power = (
        np.abs(np.fft.rfft(frames[..., 312:712] * hann, n=1024)) ** 2
    )  # a shift moves phase only
    mel = np.zeros((len(windows), 128, MEL_FRAMES))
    mel[..., :65] = np.log(power @ mel_weights().T + 1e-6).transpose(0, 2, 1)
    return ((mel + 4.2677393) / (2 * 4.5689974)).astype(np.float32)


def first_and_last(segments: int) -> NDArray[np.int64]:
    """Segments of each window, int64 (2, 14): the first 14 and the last 14.

    Raises:
        InputError: fewer than 14 segments.
    """
    if segments < WINDOW:
        raise InputError(
            f"DeSync needs {SECONDS} s of sound and picture ({WINDOW} segments), "
            f"the clip has {segments} segments"
        )
    return np.array([[0], [segments - WINDOW]]) + np.arange(WINDOW)


def chunks(segments: int) -> NDArray[np.int64]:
    """Segments of each window, int64 (ceil(segments / 14), 14), of one segment or more."""
    if segments < WINDOW:
        return np.arange(WINDOW)[None] % segments
    starts = np.arange(0, segments, WINDOW).clip(max=segments - WINDOW)
    return starts[:, None] + np.arange(WINDOW)


WINDOWS = {"first+last14": first_and_last, "chunks14": chunks}
"""What a clip is compared over (av-benchmark, JavisDiT), by the names in signatures."""


@dataclass(frozen=True, slots=True)
class VideoSegments:
    """What each segment of the picture holds."""

    network: VideoExtractor
    device: str
    signature: str

    def __call__(self, frames: NDArray[np.uint8], fps: float) -> Features:
        """``features`` float32 (segments, 8, 768) of RGB frames (n, h, w, 3).

        Raises:
            InputError: not RGB frames, a rate that is not positive, or fewer than 16 at 25 fps.
        """
        if not (np.isfinite(fps) and fps > 0):
            raise InputError(f"the frame rate must be positive, got {fps}")
        shown = square(frames[frames_at_25(len(frames), fps)])
        return {"features": segment_tokens(self.network, shown, self.device)}


@dataclass(frozen=True, slots=True)
class AudioSegments:
    """What each segment of the sound holds."""

    network: AudioExtractor
    device: str
    signature: str

    def __call__(self, samples: NDArray[np.float32]) -> Features:
        """``features`` float32 (segments, 6, 768) of 16-kHz samples (n,).

        Raises:
            InputError: fewer than 10,240 samples.
        """
        import torch

        batches = []
        for part in batches_of(mel_segments(samples)):
            with torch.inference_mode():
                batches.append(self.network(torch.from_numpy(part).to(self.device)).cpu().numpy())
        return {"features": np.concatenate(batches)}


@dataclass(frozen=True, slots=True)
class OffsetHead:
    """How far apart the two are in each window."""

    network: Head
    windows: Callable[[int], NDArray[np.int64]]
    device: str
    signature: str

    def __call__(self, first: NDArray[np.generic], second: NDArray[np.generic]) -> Features:
        """``logits`` float32 (windows, 21) over offsets -2.0, -1.8, ... 2.0 s.

        Args:
            first: features of the picture, float32 (segments, 8, 768).
            second: features of the sound, float32 (segments, 6, 768).

        Raises:
            InputError: no segment, too few for the windows, or counts that differ by more than one.
        """
        import torch

        count = min(len(first), len(second))
        if count == 0 or abs(len(first) - len(second)) > 1:
            raise InputError(
                f"picture and sound are not of one length: {len(first)} and {len(second)} segments"
            )
        index = self.windows(count)
        with torch.inference_mode():
            video, audio = (
                torch.from_numpy(np.asarray(part[index], dtype=np.float32)).to(self.device)
                for part in (first, second)
            )
            return {"logits": self.network(video, audio).cpu().numpy()}


def signature_video(device: str = "cpu") -> str:
    """Weights, front end and decoder; the device moves nothing above rounding."""
    del device
    return f"synchformer-video:{_digest()}|fps:25ffmpeg|side:224bicubic|{DECODER}"


def signature_audio(device: str = "cpu") -> str:
    """Weights and front end."""
    del device
    return f"synchformer-audio:{_digest()}|mel:66pad0"


def signature_head(windows: str, device: str = "cpu") -> str:
    """Weights and windows."""
    del device
    return f"synchformer-head:{_digest()}|windows:{windows}"


def load_video(device: str = "cpu") -> VideoSegments:
    """The visual extractor.

    Raises:
        MissingWeightsError: part ``synchformer`` is not in the store.
    """
    network = _network().video.to(device)
    return VideoSegments(network, device, signature_video(device))


def load_audio(device: str = "cpu") -> AudioSegments:
    """The audio extractor.

    Raises:
        MissingWeightsError: part ``synchformer`` is not in the store.
    """
    network = _network().audio.to(device)
    return AudioSegments(network, device, signature_audio(device))


def load_head(windows: str, device: str = "cpu") -> OffsetHead:
    """The head over one of :data:`WINDOWS`.

    Raises:
        MissingWeightsError: part ``synchformer`` is not in the store.
    """
    network = _network().head.to(device)
    return OffsetHead(network, WINDOWS[windows], device, signature_head(windows))


def _digest() -> str:
    return weights.fingerprint("synchformer")


def _network() -> Synchformer:
    from vsseval.synchformer.checkpoint import load_network, stored_checkpoint

    return load_network(stored_checkpoint("synchformer"))
