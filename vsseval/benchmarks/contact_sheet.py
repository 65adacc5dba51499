"""One picture of a benchmark: the middle frame of each clip, what is odd first."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vsseval.benchmarks.clips import opened
from vsseval.benchmarks.inspection import Inspection
from vsseval.benchmarks.manifest import read_items
from vsseval.errors import InputError
from vsseval.files import write_atomic

WIDTH, HEIGHT, CAPTION = 192, 144, 40
"""Size of a picture and of the two lines below it [pixels]."""
COLUMNS = 8
_BLACK, _GREY, _RED = (0, 0, 0), (90, 90, 90), (200, 30, 30)


def write_contact_sheet(path: Path, root: Path, found: Inspection, most: int) -> None:
    """Write a PNG of ``most`` clips: those that something is said of, then the first of the others.

    Args:
        path: where it goes.
        root: the first of the folders that were inspected.
        found: what is said of the clips.
        most: number of clips.

    Raises:
        InputError: the manifest does not fit.
    """
    flags = found.flags(found.names[0])
    items = [item for item, _ in read_items(root)]
    items.sort(key=lambda item: item.id not in flags)
    cells = [
        cell(middle_frame(item.video), item.id, flags.get(item.id, [])) for item in items[:most]
    ]
    blank = np.full_like(cells[0], 255)
    columns = min(COLUMNS, len(cells))
    cells += [blank] * (-len(cells) % columns)
    rows = [np.hstack(cells[at : at + columns]) for at in range(0, len(cells), columns)]
    done, png = cv2.imencode(".png", np.vstack(rows)[:, :, ::-1])
    if not done:
        raise InputError(f"cannot make a PNG of {len(cells)} pictures")
    write_atomic(path, png.tobytes())


def middle_frame(path: Path | None) -> NDArray[np.uint8] | None:
    """The frame in the middle, RGB uint8 (h, w, 3); None if there is none."""
    if path is None or not path.is_file():
        return None
    try:
        with opened(path) as container:
            if not container.streams.video:
                return None
            stream = container.streams.video[0]
            middle = (stream.frames or 50) // 2
            latest = None
            for at, frame in enumerate(container.decode(stream)):
                latest = frame
                if at >= middle:
                    break
            return None if latest is None else latest.to_ndarray(format="rgb24")
    except InputError:
        return None


def cell(frame: NDArray[np.uint8] | None, name: str, said: Sequence[str]) -> NDArray[np.uint8]:
    """A picture with the end of its name and what is said of it, uint8 RGB."""
    out = np.full((HEIGHT + CAPTION, WIDTH, 3), 255, np.uint8)
    if frame is None:
        out[:HEIGHT] = _GREY
    else:
        scale = min(WIDTH / frame.shape[1], HEIGHT / frame.shape[0])
        size = max(1, int(frame.shape[1] * scale)), max(1, int(frame.shape[0] * scale))
        small = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
        top, left = (HEIGHT - size[1]) // 2, (WIDTH - size[0]) // 2
        out[:HEIGHT] = _BLACK
        out[top : top + size[1], left : left + size[0]] = small
    _text(out, name[-30:], HEIGHT + 14, _BLACK)
    _text(out, "; ".join(said)[:30], HEIGHT + 30, _RED)
    return out


def _text(
    picture: NDArray[np.uint8], words: str, bottom: int, colour: tuple[int, int, int]
) -> None:
    cv2.putText(picture, words, (3, bottom), cv2.FONT_HERSHEY_SIMPLEX, 0.35, colour, 1, cv2.LINE_AA)
