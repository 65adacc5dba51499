"""Pictures of a video for the full-size model: CLIP's at 10 a second, Synchformer's at 25.

A video is decoded twice: for its time stamps, and for the frames that are needed, which are kept in
the networks' sizes. Black pictures stand for what lies past the end, as in the authors' features.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vsseval.errors import InputError
from vsseval.synchformer.checkpoint import load_network, stored_checkpoint
from vsseval.synchformer.network import VideoExtractor
from vsseval.synchformer.video import FPS, SIDE, segment_tokens, square
from vsseval.synchformer.video import shown_frames as shown_at_25
from vssflow.clip_vision import FRAMES, squeezed, token_frames
from vssflow.shown import shown_frames

WINDOW = 10 * FPS
"""Frames at 25 a second that the features of a clip stand for."""


class Pictures(NamedTuple):
    """Of one video."""

    semantic: NDArray[np.uint8]
    """Of each window the pictures of its 10 s, (windows, 100, side, side, 3)."""
    sync: NDArray[np.uint8]
    """At 25 a second, (T, 3, 224, 224)."""


def read_stamps(path: Path, seconds: float | None = None) -> list[Fraction]:
    """Times of the frames and of the end of the last one, rising from 0 [s].

    Raises:
        InputError: as :func:`vssflow.shown.shown_frames`.
    """
    times: list[Fraction] = []
    end = Fraction(0)
    for _, start, stop in shown_frames(path, seconds):
        times.append(max([start, *times[-1:]]))
        end = max(stop, times[-1])
    return [*times, end]


def read_pictures(
    path: Path,
    times: Sequence[Fraction],
    starts: Sequence[int],
    side: int,
    seconds: float | None = None,
) -> Pictures:
    """Pictures of a video.

    Args:
        path: the video.
        times: of :func:`read_stamps`.
        starts: first latent frame of each window of 10 s.
        side: of CLIP's pictures [pixels].
        seconds: as it was given to :func:`read_stamps`.

    Raises:
        InputError: as :func:`vssflow.shown.shown_frames`.
    """
    tokens = np.stack([token_frames(times, Fraction(start, FPS)) for start in starts])
    slots = np.array([int(FPS * time + Fraction(1, 2)) for time in times])
    shown = shown_at_25(slots)
    semantic = np.zeros((len(starts), FRAMES, side, side, 3), np.uint8)
    sync = np.zeros((len(shown), 3, SIDE, SIDE), np.uint8)
    for index, (frame, _, _) in enumerate(shown_frames(path, seconds)):
        in_tokens, in_sync = tokens == index, shown == index
        if not (in_tokens.any() or in_sync.any()):
            continue
        rgb = frame.to_ndarray(format="rgb24")
        if in_tokens.any():
            semantic[in_tokens] = squeezed(rgb, side)
        if in_sync.any():
            sync[in_sync] = square(rgb[None])[0]
    return Pictures(semantic, sync)


def sync_tokens(
    network: Callable[[Tensor], Tensor],
    pictures: NDArray[np.uint8],
    device: torch.device | str = "cpu",
) -> NDArray[np.float32]:
    """Sync features of 10 s, float32 (240, 768).

    30 segments of 16 frames every 8, the 8 tokens of one after those of another, though segments
    overlap by half.

    Args:
        network: Synchformer's visual extractor.
        pictures: at 25 a second, uint8 (n, 3, 224, 224); cut, or followed by black, to 250.
        device: where the network is.
    """
    frames = np.zeros((WINDOW, *pictures.shape[1:]), np.uint8)
    frames[: len(pictures)] = pictures[:WINDOW]
    tokens = segment_tokens(network, frames, str(device))
    return tokens.reshape(-1, tokens.shape[-1])


def load_sync(checkpoint: str) -> VideoExtractor:
    """Synchformer's visual extractor.

    Args:
        checkpoint: file of Synchformer or of MMAudio's release, or ``synchformer``: that of the
            weight store.

    Raises:
        InputError: neither, or another network's file.
        MissingWeightsError: it is not in the store.
    """
    path = Path(checkpoint)
    if not path.is_file():
        if checkpoint != "synchformer":
            raise InputError(
                f"no checkpoint of Synchformer at {checkpoint}; give a file, or `synchformer` for "
                "the one of the weight store"
            )
        path = stored_checkpoint(checkpoint)
    return load_network(path).video
