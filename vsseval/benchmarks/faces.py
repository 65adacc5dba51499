"""Where a speaker's face is: ``face_box`` of prepared sets, for whatever looks at the mouth.

MTCNN frames a face tightly, from the brows to below the lips. A benchmark's ``face_box`` is the
whole face, from hairline to chin and from ear to ear, as the demo benchmarks state it: the
detector's box grown by :data:`BESIDE` and :data:`ABOVE_AND_BELOW`, which were measured there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vsseval.benchmarks.clips import frames_at
from vsseval.encoders import mtcnn
from vsseval.weights import require, status

if TYPE_CHECKING:
    from vsseval.encoders.mtcnn_network import Cascade

Box = tuple[int, int, int, int]
"""Left, top, right, bottom [pixels]."""
FindsFace = Callable[[Path, int], Box | None]
"""The face in a video of so many frames; None if none is seen."""

FACE_FRAMES = 9
"""Frames of a video in which a face is looked for, spread evenly."""
BESIDE, ABOVE_AND_BELOW = 0.16, 0.11
"""The face beyond the detector's box, on each side, in widths and heights of that box."""
NOT_LOOKED_FOR = "faces: not looked for; vsseval weights pull mtcnn"


def face_finder() -> FindsFace | None:
    """:func:`face_box`; None without MTCNN's weights."""
    return face_box if status(["mtcnn"])[0].state == "ok" else None


def detector() -> str:
    """The detector and its weights; empty without them."""
    return f"{mtcnn.fingerprint()}:float64" if face_finder() else ""


def face_box(path: Path, frames: int) -> Box | None:
    """The largest face of a video, within the picture; the median of the frames that show one.

    Args:
        path: video file.
        frames: how many it holds.

    Raises:
        InputError: it cannot be decoded.
    """
    pictures = frames_at(path, _places(frames))
    grown = _whole_face(pictures)
    if grown is None:
        return None
    height, width = pictures[0].shape[:2]
    inside = np.clip(grown.round().astype(int), 0, [width, height, width, height])
    return (int(inside[0]), int(inside[1]), int(inside[2]), int(inside[3]))


def _places(frames: int) -> list[int]:
    return [int(at) for at in np.unique(np.linspace(0, frames - 1, FACE_FRAMES).round())]


def _whole_face(pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.float64] | None:
    """Edges of the face in some pictures before they are rounded [pixels]."""
    seen = [found for picture in pictures if len(found := mtcnn.detect(_cascade(), picture))]
    if not seen:
        return None
    areas = [(boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]) for boxes in seen]
    largest = [boxes[area.argmax(), :4] for boxes, area in zip(seen, areas, strict=True)]
    left, top, right, bottom = np.median(largest, axis=0)
    more = np.array([BESIDE * (right - left), ABOVE_AND_BELOW * (bottom - top)] * 2)
    return np.array([left, top, right, bottom]) + more * (-1, -1, 1, 1)


@cache
def _cascade() -> Cascade:
    """In float64: sums of another processor differ from ours by far less than rounding shows."""
    from vsseval.encoders.mtcnn_network import load_cascade

    return load_cascade(require("mtcnn")).double()
