"""The demo SyncNet: the published network in a small width, trained on drawn faces and Flite.

It comes with the package (docs/syncnet-demo.md), so that lip sync of demo-speech is measured
without any download. On real faces it says nothing.

    crop    the lower half of the data set's face box, the middle three quarters of its width
    input   gray, 64 x 64, raw values 0 to 255; windows of sound as for SyncNet v2
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vsseval.errors import InputError

if TYPE_CHECKING:
    from vsseval.encoders.syncnet_network import Network, Size

SIDE = 64
CHECKPOINT = Path(__file__).parent / "checkpoints" / "syncnet-demo.safetensors"
SHA256 = "02917d6c104ddac09e30fa36842a9fba0c1b0f97b719f1aad272df35ca3380d1"
"""Of the checkpoint; another file is refused. Signatures print the first eight digits."""
Box = tuple[int, int, int, int]


def demo_size() -> Size:
    """Widths of the demo's towers."""
    from vsseval.encoders.syncnet_network import Size

    return Size(
        crop=SIDE,
        colours=1,
        lips=(24, 48, 64, 64, 64, 128),
        sound=(16, 32, 64, 48, 48, 96),
        hidden=128,
        embedding=256,
    )


def mouth_crops(frames: NDArray[np.uint8], face_box: Box) -> NDArray[np.uint8]:
    """Gray pictures uint8 (n, 64, 64) of the mouth in RGB frames (n, h, w, 3).

    Args:
        frames: RGB, uint8.
        face_box: (left, top, right, bottom) in pixels, constant over the clip.

    Raises:
        InputError: the part of the box that is used lies outside of the frames.
    """
    import cv2

    left, top, right, bottom = face_box
    margin = (right - left) // 8
    height, width = frames.shape[1:3]
    rows = slice(max(0, (top + bottom) // 2), min(height, bottom))
    columns = slice(max(0, left + margin), min(width, right - margin))
    if rows.stop - rows.start < 8 or columns.stop - columns.start < 8:
        raise InputError(f"face_box {face_box} leaves no mouth in frames of {width} x {height}")
    crops = np.empty((len(frames), SIDE, SIDE), np.uint8)
    for index, frame in enumerate(frames[:, rows, columns]):
        gray = cv2.cvtColor(np.ascontiguousarray(frame), cv2.COLOR_RGB2GRAY)
        crops[index] = cv2.resize(gray, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return crops


def load_demo_network() -> Network:
    """The demo network, for inference on the CPU.

    Raises:
        InputError: the checkpoint is absent or damaged.
    """
    from vsseval.encoders.checkpoints import build, read_shipped
    from vsseval.encoders.syncnet_network import Network

    return build(lambda: Network(demo_size()), read_shipped(CHECKPOINT, SHA256), CHECKPOINT)
