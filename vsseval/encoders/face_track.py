"""From boxes of single frames to one face, followed through the clip and cut out.

    frames     at 25 fps: each takes the nearest one of the file in time
    track      a face is the face of up to 25 frames ago whose box it shares more than half with
               (intersection over union); frames in between are interpolated linearly
    choice     the longest track; of equally long ones, the one that begins first
    smoothing  medians over 13 frames of centre and half side s (of the longer side), zeros beyond
               the ends, as published
    crop       rows cy - s to cy + 1.8 s, columns cx - 1.4 s to cx + 1.4 s, gray 110 outside of the
               frame, resized to 224 x 224

Left out on purpose: the published pipeline keeps only tracks of more than 100 frames and boxes of
more than 100 pixels, so that not one clip of GRID (75 frames) is scored; its detour over XVID and
JPEG; its search for cuts.

Two faces: the longest track is scored, whoever speaks. A face that leaves: the track is scored from
its first frame to its last. No face, or none for 7 frames: an error, which excludes the clip.

Source: joonson/syncnet_python at 6efbb1c, run_pipeline.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vsseval.errors import InputError

FPS = 25
SIDE = 224
SHARED = 0.5
"""Intersection over union above which two boxes are one face."""
MISSED = 25
"""Frames from one sighting to the next, at most."""
LEAST_FRAMES = 7
"""Below, the medians reach beyond both ends and come out zero."""
WINDOW = 13
PAD = 110
"""Value outside of the frame."""
MARGIN = 0.4
"""Crop scale: margin beside and below the box, in half sides (twice below)."""

Boxes = NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Track:
    """One face through consecutive frames."""

    start: int
    """Its first frame."""
    boxes: NDArray[np.float64]
    """(frames, 4): left, top, right, bottom [pixels]."""


def frames_at_25(count: int, fps: float) -> NDArray[np.int64]:
    """Indices of the frames of a file that a clip at 25 fps takes: the nearest in time.

    Args:
        count: frames of the file.
        fps: its rate, > 0.
    """
    wanted = max(1, round(count * FPS / fps))
    nearest = np.floor(np.arange(wanted) * fps / FPS + 0.5).astype(np.int64)
    return np.minimum(nearest, count - 1)


def overlap(box: Boxes, others: Boxes) -> NDArray[np.float64]:
    """Intersection over union of a box (4,) with others (k, 4)."""
    low, high = np.maximum(box[:2], others[:, :2]), np.minimum(box[2:4], others[:, 2:4])
    common = np.prod(np.maximum(high - low, 0), axis=1)
    areas = [np.prod(b[..., 2:4] - b[..., :2], axis=-1) for b in (box, others)]
    return np.asarray(common / (areas[0] + areas[1] - common))


def longest_track(sightings: Sequence[Boxes]) -> Track:
    """The longest track of a clip.

    Args:
        sightings: for each frame the boxes (k, 4 or more) of the faces in it, k >= 0.

    Raises:
        InputError: no face at all, or none that is seen in 7 frames from first to last.
    """
    left = [list(np.asarray(boxes, dtype=np.float64)[:, :4]) for boxes in sightings]
    if not any(left):
        raise InputError(f"no face found in {len(sightings)} frames")
    tracks = []
    while any(left):
        seen: list[tuple[int, NDArray[np.float64]]] = []
        for frame, boxes in enumerate(left):
            if not boxes:
                continue
            if not seen:
                seen.append((frame, boxes.pop(0)))
                continue
            last, box = seen[-1]
            if frame - last > MISSED:
                break
            shares = overlap(box, np.stack(boxes))
            if shares.max() > SHARED:
                seen.append((frame, boxes.pop(int(shares.argmax()))))
        tracks.append(_interpolated(seen))
    best = max(tracks, key=lambda track: len(track.boxes))
    if len(best.boxes) < LEAST_FRAMES:
        raise InputError(
            f"no face is seen in {LEAST_FRAMES} frames: the longest track has {len(best.boxes)}"
        )
    return best


def _interpolated(seen: list[tuple[int, NDArray[np.float64]]]) -> Track:
    at = np.array([frame for frame, _ in seen])
    boxes = np.stack([box for _, box in seen])
    frames = np.arange(at[0], at[-1] + 1)
    edges = [np.interp(frames, at, boxes[:, edge]) for edge in range(4)]
    return Track(int(at[0]), np.stack(edges, axis=1))


def face_crops(frames: NDArray[np.uint8], track: Track) -> NDArray[np.uint8]:
    """The face of a track, cut out of the frames: uint8 (track, 224, 224, 3), colours as given.

    Args:
        frames: of the whole clip, uint8 (n, h, w, 3).
        track: see the module.
    """
    import cv2

    boxes = track.boxes
    half = _medians(np.maximum(boxes[:, 3] - boxes[:, 1], boxes[:, 2] - boxes[:, 0]) / 2)
    middle_y = _medians((boxes[:, 1] + boxes[:, 3]) / 2)
    middle_x = _medians((boxes[:, 0] + boxes[:, 2]) / 2)
    crops = np.empty((len(boxes), SIDE, SIDE, 3), np.uint8)
    for index, (x, y, s) in enumerate(zip(middle_x, middle_y, half, strict=True)):
        crops[index] = cv2.resize(_crop(frames[track.start + index], x, y, s), (SIDE, SIDE))
    return crops


def _medians(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Medians over 13 values around each, zeros beyond the ends."""
    around = np.lib.stride_tricks.sliding_window_view(np.pad(values, WINDOW // 2), WINDOW)
    return np.asarray(np.median(around, axis=1))


def _crop(frame: NDArray[np.uint8], x: float, y: float, s: float) -> NDArray[np.uint8]:
    """One crop; indices are cut to integers in the coordinates of the frame after padding."""
    pad = int(s * (1 + 2 * MARGIN))
    height, width = frame.shape[:2]
    top, bottom = int(y + pad - s) - pad, int(y + pad + s * (1 + 2 * MARGIN)) - pad
    left, right = int(x + pad - s * (1 + MARGIN)) - pad, int(x + pad + s * (1 + MARGIN)) - pad
    bottom, right = min(bottom, height + pad), min(right, width + pad)
    crop = np.full((bottom - top, right - left, 3), PAD, np.uint8)
    rows = slice(max(top, 0), min(bottom, height))
    columns = slice(max(left, 0), min(right, width))
    crop[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left] = frame[
        rows, columns
    ]
    return crop
