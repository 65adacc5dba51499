"""What Synchformer sees: frames at 25 a second, 224 x 224, in segments of 16 every 8.

The metric DeSync and the sync features of VSSFlow both come from here;
:mod:`vsseval.encoders.synchformer` states the rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vsseval.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

FPS = 25
SIDE = 224
SEGMENT_FRAMES, SEGMENT_STEP = 16, 8
_BATCH = 4
"""Segments in one pass; enough to fill a CPU, and about 1 GB at full size."""


def frames_at_25(count: int, fps: float) -> NDArray[np.int64]:
    """Index of the source frame that each frame at 25 fps shows, int64 (round(25 count / fps),)."""
    return shown_frames(np.floor(np.arange(count + 1) * (FPS / fps) + 0.5))


def shown_frames(slots: NDArray[np.floating] | NDArray[np.integer]) -> NDArray[np.int64]:
    """Index of the source frame that each frame at 25 fps shows, int64 (last slot,).

    Args:
        slots: times of the frames, and of the end of the last one, rounded half up to the grid of
            1/25 s, in its units and rising, (n + 1,); the first is 0.
    """
    return np.searchsorted(slots[:-1], np.arange(slots[-1]), side="right") - 1


def square(frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """RGB frames (n, h, w, 3) with the short side at 224 and the centre cut out, (n, 3, 224, 224).

    Raises:
        InputError: not RGB frames.
    """
    if frames.ndim != 4 or frames.shape[3] != 3 or min(frames.shape[1:3]) < 1:
        raise InputError(f"synchformer needs RGB frames (n, h, w, 3), got shape {frames.shape}")
    import torch
    from torch.nn.functional import interpolate

    height, width = frames.shape[1:3]
    short = min(height, width)
    height, width = SIDE * height // short, SIDE * width // short
    top, left = round((height - SIDE) / 2), round((width - SIDE) / 2)
    out = np.empty((len(frames), 3, SIDE, SIDE), dtype=np.uint8)
    for start in range(0, len(frames), SEGMENT_FRAMES):  # large frames need not fit twice
        part = torch.from_numpy(np.ascontiguousarray(frames[start : start + SEGMENT_FRAMES]))
        resized = interpolate(
            part.permute(0, 3, 1, 2), size=(height, width), mode="bicubic", antialias=True
        )
        out[start : start + SEGMENT_FRAMES] = resized[
            :, :, top : top + SIDE, left : left + SIDE
        ].numpy()
    return out


def segment_tokens(
    network: Callable[[Tensor], Tensor], frames: NDArray[np.uint8], device: str = "cpu"
) -> NDArray[np.float32]:
    """Tokens float32 (segments, 8, 768) of frames (n, 3, 224, 224) at 25 fps.

    Args:
        network: :class:`vsseval.synchformer.network.VideoExtractor` on the device.
        frames: as :func:`square` makes them; those after the last whole segment are left out.
        device: where the network is.

    Raises:
        InputError: fewer than 16 frames.
    """
    import torch

    if len(frames) < SEGMENT_FRAMES:
        raise InputError(
            f"synchformer needs at least one segment of {SEGMENT_FRAMES} frames at {FPS} fps, "
            f"got {len(frames)} frames"
        )
    windows = np.lib.stride_tricks.sliding_window_view(frames, SEGMENT_FRAMES, axis=0)
    tokens = []
    for part in batches_of(windows[::SEGMENT_STEP]):  # (b, 3, 224, 224, 16)
        x = torch.from_numpy(part).to(device).permute(0, 1, 4, 2, 3)
        with torch.inference_mode():
            tokens.append(network((x.float() / 255 - 0.5) / 0.5).cpu().numpy())
    return np.concatenate(tokens)


def batches_of(segments: NDArray[np.generic]) -> Iterator[NDArray[np.generic]]:
    """Segments (n, ...) in passes of a few."""
    for start in range(0, len(segments), _BATCH):
        yield np.ascontiguousarray(segments[start : start + _BATCH])
