"""Faces by S3FD, as the published lip-sync pipeline finds them.

    input    the frame at a quarter of its size (bilinear), RGB less (123, 117, 104)
    boxes    one for each cell of six maps of steps 4 to 128, about squares of 16 to 512 pixels
    kept     probability above 0.9; non-maximum suppression at IoU 0.3, and again at 0.1

The scale is part of the protocol: a frame of GRID (360 x 288) becomes 90 x 72 pixels, in which a
face may be missed.

Source: joonson/syncnet_python at 6efbb1c, detectors/s3fd.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vsseval import weights
from vsseval.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

    from vsseval.encoders.s3fd_network import Network

SCALE = 0.25
LEAST_PROBABILITY = 0.9
MEAN = (123.0, 117.0, 104.0)
"""Of R, G, B."""
STEPS = (4, 8, 16, 32, 64, 128)
"""Pixels from one cell of a map to the next; a cell's square is four times as wide."""
LEAST_SIDE = 28
"""Below, the last of five poolings has nothing left [pixels]."""
VARIANCES = (0.1, 0.2)
"""Units of the corrections of centre and of size."""


def detect(
    network: Network, frame: NDArray[np.uint8], device: str = "cpu", scale: float = SCALE
) -> NDArray[np.float32]:
    """Boxes float32 (k, 5) of a frame: left, top, right, bottom [pixels], probability.

    Args:
        network: S3FD.
        frame: RGB uint8 (h, w, 3).
        device: where the network is.
        scale: of the picture that the network sees.

    Raises:
        InputError: the scaled frame is smaller than the network can see.
    """
    import cv2
    import torch

    small = cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
    if min(small.shape[:2]) < LEAST_SIDE:
        raise InputError(
            f"S3FD needs {LEAST_SIDE} pixels at scale {scale:g}, got frames of "
            f"{frame.shape[1]} x {frame.shape[0]}"
        )
    centred = small.astype(np.float32) - np.array(MEAN, dtype=np.float32)
    picture = torch.from_numpy(centred).to(device).permute(2, 0, 1)[None]
    with torch.inference_mode():
        maps = network(picture)
        boxes = torch.cat(
            [
                decoded(corrections, probability, step, small.shape[:2])
                for (corrections, probability), step in zip(maps, STEPS, strict=True)
            ]
        )
    return best_boxes(boxes, frame.shape[:2]).cpu().numpy()


def decoded(corrections: Tensor, probability: Tensor, step: int, size: tuple[int, ...]) -> Tensor:
    """Boxes (cells, 5) of one map: left, top, right, bottom [share of the picture], probability.

    Args:
        corrections: (4, h, w): centre x and y, width, height.
        probability: (h, w).
        step: pixels between cells.
        size: (height, width) of the picture.
    """
    import torch

    rows, columns = torch.meshgrid(
        *(torch.arange(n, device=probability.device) for n in probability.shape), indexing="ij"
    )
    shape = corrections.new_tensor([size[1], size[0]])
    centre = (torch.stack([columns, rows], -1) + 0.5) * step / shape  # (h, w, 2)
    side = 4 * step / shape
    moves = corrections.permute(1, 2, 0)
    centre = centre + moves[..., :2] * VARIANCES[0] * side
    extent = side * torch.exp(moves[..., 2:] * VARIANCES[1])
    low = centre - extent / 2
    return torch.cat([low, low + extent, probability[..., None]], -1).flatten(0, 1)


def best_boxes(boxes: Tensor, size: tuple[int, ...]) -> Tensor:
    """Boxes (k, 5) [pixels of a frame of (height, width)] of the faces among all cells."""
    from torchvision.ops import nms

    boxes = boxes[boxes[:, 4] > LEAST_PROBABILITY]
    for limit in (0.3, 0.1):
        boxes = boxes[nms(boxes[:, :4], boxes[:, 4], limit)]
    height, width = size
    return boxes * boxes.new_tensor([width, height, width, height, 1])


def fingerprint() -> str:
    """Detector and weights, for signatures."""
    return f"s3fd:{weights.fingerprint('s3fd')}"
