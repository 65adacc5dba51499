"""The picture half of ``relevance-demo``; see :mod:`vsseval.encoders.relevance`.

Front end:

    steps     round(12.5 n / fps), at least one; a step holds two moments, 40 ms apart: the frames
              nearest below 2 k / 25 s and (2 k + 1) / 25 s
    frames    48 x 48 by pixel areas, whatever the shape
    channels  colour of the later moment, luma of the earlier one
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from vsseval.encoders import relevance
from vsseval.errors import InputError
from vsseval.types import Features
from vsseval.video import DECODER

if TYPE_CHECKING:
    from vsseval.encoders.relevance_network import Tower

SIDE = 48


def small_frames(frames: NDArray[np.uint8], fps: float) -> NDArray[np.uint8]:
    """Steps of a clip, uint8 (steps, 4, 48, 48): red, green, blue, luma 40 ms before.

    Args:
        frames: RGB, uint8 (n, height, width, 3).
        fps: frames a second.
    """
    steps = max(1, round(len(frames) / fps * relevance.STEPS_PER_SECOND))
    moments = np.arange(2 * steps) / (2 * relevance.STEPS_PER_SECOND)
    index = np.minimum(np.floor(moments * fps + 1e-6).astype(int), len(frames) - 1)
    small = [cv2.resize(frames[i], (SIDE, SIDE), interpolation=cv2.INTER_AREA) for i in index]
    earlier = [cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None] for image in small[::2]]
    joined = np.concatenate([np.stack(small[1::2]), np.stack(earlier)], axis=3)
    return np.ascontiguousarray(joined.transpose(0, 3, 1, 2))


@dataclass(frozen=True, slots=True)
class RelevanceVideoEncoder:
    """One unit vector for what is seen when."""

    network: Tower
    device: str
    signature: str

    def __call__(self, frames: NDArray[np.uint8], fps: float) -> Features:
        """``embedding`` float32 (864,), unit norm, of RGB frames (n, height, width, 3).

        Raises:
            InputError: no frames.
        """
        if len(frames) == 0:
            raise InputError("relevance-demo-video needs at least one frame")
        import torch

        batch = torch.from_numpy(small_frames(frames, fps))[None].to(self.device)
        with torch.inference_mode():
            return {"embedding": self.network.embed(batch)[0].cpu().numpy()}


def signature(device: str = "cpu") -> str:
    """Checkpoint, and versions of OpenCV and of the video decoder."""
    del device
    return f"relevance-demo-video:{relevance.SIGNATURE}|cv2-{cv2.__version__}|{DECODER}"


def load(device: str = "cpu") -> RelevanceVideoEncoder:
    """The network with the weights that come with the package.

    Raises:
        InputError: the checkpoint is absent or damaged.
    """
    from vsseval.encoders.relevance_network import load_towers

    towers = load_towers()
    return RelevanceVideoEncoder(towers.video.to(device), device, signature(device))
