"""Faces by MTCNN, a detector that comes without a hub: three small networks, one after the other.

    pyramid    the frame at 12 / least (mean of areas), at 0.709 of that, and so on to 12 pixels
    propose    windows of 12 pixels every 2 with probability 0.6; non-maximum suppression (NMS) at
               IoU 0.5 within a scale and 0.7 over all; corrected; squared
    refine     each at 24 x 24, probability above 0.7, NMS 0.7, corrected, squared
    output     each at 48 x 48, probability above 0.7, corrected, NMS 0.7 over the smaller of two

Boxes equal those of facenet-pytorch on the same frames; a proposal without a pixel inside the frame
is dropped where that package confuses its neighbours.

Source: package facenet-pytorch 2.6.0 (models/mtcnn.py, models/utils/detect_face.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vsseval import weights

if TYPE_CHECKING:
    from torch import Tensor

    from vsseval.encoders.mtcnn_network import Cascade, Stage

Boxes = NDArray[np.float32] | NDArray[np.float64]

FACTOR = 0.709
PROPOSED, REFINED, FOUND = 0.6, 0.7, 0.7
"""Least probabilities of the three stages."""
LEAST_FACE = 20
"""Smallest face that is looked for, at least [pixels]."""
LEAST_SHARE = 10
"""Smallest face that is looked for is this part of the shorter side of the frame, at least."""
_BATCH = 512


def detect(
    cascade: Cascade, frame: NDArray[np.uint8], device: str = "cpu", least: int | None = None
) -> Boxes:
    """Boxes (k, 5) of a frame: left, top, right, bottom [pixels], probability.

    Args:
        cascade: the three networks, float32 or float64; boxes are of their type.
        frame: RGB uint8 (h, w, 3).
        device: where the networks are.
        least: smallest face [pixels]; None for a tenth of the shorter side, at least 20.
    """
    import torch

    height, width = frame.shape[:2]
    least = least or max(LEAST_FACE, min(height, width) // LEAST_SHARE)
    picture = torch.from_numpy(frame).to(device).permute(2, 0, 1)[None].to(cascade.dtype)
    with torch.inference_mode():
        boxes = _proposals(cascade.propose, picture, least)
        for stage, side, limit in ((cascade.refine, 24, REFINED), (cascade.output, 48, FOUND)):
            boxes, corrections = _judged(stage, picture, boxes, side, limit)
            if side == 24:
                kept = _suppress(boxes, 0.7)
                boxes = _squared(_corrected(boxes[kept], corrections[kept], 1))
            else:
                boxes = _corrected(boxes, corrections, 1)
    return _suppress_contained(boxes.cpu().numpy(), 0.7)


def scales(height: int, width: int, least: int) -> Iterator[float]:
    """Scales at which a face of ``least`` pixels, and larger ones, are 12 pixels wide."""
    scale = 12.0 / least
    side = min(height, width) * scale
    while side >= 12:
        yield scale
        scale, side = scale * FACTOR, side * FACTOR


def _proposals(stage: Stage, picture: Tensor, least: int) -> Tensor:
    """Square boxes (k, 5) of the first network."""
    import torch
    from torch.nn.functional import interpolate

    height, width = picture.shape[2:]
    found = []
    for scale in scales(height, width, least):
        size = (int(height * scale + 1), int(width * scale + 1))
        probability, corrections = stage(_normed(interpolate(picture, size, mode="area")))
        rows, columns = torch.nonzero(probability[0] >= PROPOSED, as_tuple=True)
        corner = torch.stack([columns, rows], 1).to(picture) * 2
        boxes = torch.cat(
            [
                ((corner + 1) / scale).floor(),
                ((corner + 12) / scale).floor(),
                probability[0, rows, columns, None],
                corrections[0, :, rows, columns].T,
            ],
            1,
        )
        found.append(boxes[_suppress(boxes, 0.5)])
    if not found:
        return picture.new_zeros((0, 5))
    boxes = torch.cat(found)
    boxes = boxes[_suppress(boxes, 0.7)]
    return _squared(_corrected(boxes[:, :5], boxes[:, 5:], 0))


def _judged(
    stage: Stage, picture: Tensor, boxes: Tensor, side: int, limit: float
) -> tuple[Tensor, Tensor]:
    """Boxes (k, 5) above a probability, with it, and their corrections (k, 4)."""
    import torch
    from torch.nn.functional import interpolate

    height, width = picture.shape[2:]
    corners = boxes[:, :4].trunc().long()
    low = (corners[:, :2] - 1).clamp_min(0)
    high = torch.minimum(corners[:, 2:], corners.new_tensor([width, height]))
    inside = (high > low).all(1)
    boxes, low, high = boxes[inside], low[inside], high[inside]
    if len(boxes) == 0:
        return boxes, boxes[:, :4]
    cut = [
        interpolate(picture[:, :, top:bottom, left:right], (side, side), mode="area")
        for (left, top), (right, bottom) in zip(low.tolist(), high.tolist(), strict=True)
    ]
    parts = [stage(part) for part in torch.split(_normed(torch.cat(cut)), _BATCH)]
    probability = torch.cat([p for p, _ in parts])
    corrections = torch.cat([c for _, c in parts])
    good = probability > limit
    return torch.cat([boxes[good, :4], probability[good, None]], 1), corrections[good]


def _normed(picture: Tensor) -> Tensor:
    return (picture - 127.5) / 128


def _corrected(boxes: Tensor, corrections: Tensor, more: int) -> Tensor:
    """Each edge moved by its correction, in units of the box's size plus ``more`` pixels."""
    import torch

    size = (boxes[:, 2:4] - boxes[:, :2] + more).repeat(1, 2)
    return torch.cat([boxes[:, :4] + corrections * size, boxes[:, 4:5]], 1)


def _squared(boxes: Tensor) -> Tensor:
    """Squares of the longer side about the same centres."""
    import torch

    size = boxes[:, 2:4] - boxes[:, :2]
    side = size.amax(1, keepdim=True)
    low = boxes[:, :2] + size / 2 - side / 2
    return torch.cat([low, low + side, boxes[:, 4:5]], 1)


def _suppress(boxes: Tensor, limit: float) -> Tensor:
    """Indices of the boxes that no better one covers by more than ``limit`` of the union."""
    from torchvision.ops import nms

    return nms(boxes[:, :4], boxes[:, 4], limit)  # type: ignore[no-any-return]


def _suppress_contained(boxes: Boxes, limit: float) -> Boxes:
    """Boxes of which no better one covers more than ``limit`` of the smaller of the two."""
    left, top, right, bottom = boxes[:, :4].T
    area = (right - left + 1) * (bottom - top + 1)
    order = np.argsort(boxes[:, 4])[::-1]
    kept: list[int] = []
    while order.size:
        best, rest = order[0], order[1:]
        kept.append(int(best))
        across = np.minimum(right[best], right[rest]) - np.maximum(left[best], left[rest]) + 1
        down = np.minimum(bottom[best], bottom[rest]) - np.maximum(top[best], top[rest]) + 1
        common = np.maximum(across, 0) * np.maximum(down, 0)
        order = rest[common / np.minimum(area[best], area[rest]) <= limit]
    return boxes[kept]


def fingerprint() -> str:
    """Detector and weights, for signatures."""
    return f"mtcnn:{weights.fingerprint('mtcnn')}"
