"""ImageBind's eye by av-benchmark's view rule: pairs of frames two seconds apart.

    frames    one in two seconds, as FFmpeg's filter ``fps=0.5`` picks them: frame k is the last one
              before 2 k + 1 seconds; half as many as the clip has whole seconds (8 s give 4)
    clips     each frame with the next one, so that 8 s give 3
    size      shorter side 224 pixels, the longer one rounded down; bicubic with antialiasing, in
              8 bits
    crops     left, centre, right of a wide picture; top, centre, bottom of a tall one
    value     x / 255, less CLIP's mean, divided by CLIP's deviation, for each colour
    embedding mean of the unit vectors of all clips and crops (9 for 8 s); its length is below 1

A clip under 4 s has no pair and is refused (upstream stops with an error). Frames are taken to be
equally spaced. av-benchmark knows the declared length of its clips; here the length is that of the
frames plus one, so that a clip that lost its last frame still counts as whole.

Source: hkchengrex/av-benchmark at 050a5cd (data/video_dataset.py, data/ib_data.py,
extract_video.py); facebookresearch/ImageBind at 53680b0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vsseval import weights
from vsseval.errors import InputError
from vsseval.types import Features
from vsseval.video import DECODER

if TYPE_CHECKING:
    from torch import Tensor

    from vsseval.encoders.imagebind_network import Tower

SIDE = 224
FRAME_RATE = 0.5
MEAN = (0.48145466, 0.4578275, 0.40821073)
DEVIATION = (0.26862954, 0.26130258, 0.27577711)


def frame_indices(count: int, fps: float) -> list[int]:
    """Which of ``count`` frames at ``fps`` the filter keeps, one for every two seconds."""
    kept = int((count + 1) / fps * FRAME_RATE)
    wanted = (math.ceil((index + 0.5) * fps / FRAME_RATE) - 1 for index in range(kept))
    return [min(index, count - 1) for index in wanted]


def crops(height: int, width: int) -> list[tuple[int, int]]:
    """(top, left) of the three squares of a picture whose shorter side is 224."""
    top, left = math.ceil((height - SIDE) / 2), math.ceil((width - SIDE) / 2)
    if height > width:
        return [(0, left), (top, left), (height - SIDE, left)]
    return [(top, 0), (top, left), (top, width - SIDE)]


def normalised(pictures: Tensor) -> Tensor:
    """Float pictures (n, 3, h, w) in [0, 1], in the units of CLIP."""
    mean, deviation = (pictures.new_tensor(values)[:, None, None] for values in (MEAN, DEVIATION))
    return (pictures - mean) / deviation


def cut(pictures: Tensor) -> list[Tensor]:
    """The three squares of pictures (n, 3, h, w), each (3, n, 224, 224), colours first."""
    return [
        pictures[:, :, top : top + SIDE, left : left + SIDE].transpose(0, 1)
        for top, left in crops(*pictures.shape[2:])
    ]


def views(frames: NDArray[np.uint8], fps: float) -> Tensor:
    """What the network is given of RGB frames (n, h, w, 3): float32 (views, 3, 2, 224, 224).

    Raises:
        InputError: the clip is under four seconds.
    """
    import torch
    from torch.nn.functional import interpolate

    chosen = frame_indices(len(frames), fps)
    if len(chosen) < 2:
        raise InputError(
            f"imagebind-video needs 4 s of frames, got {len(frames) / fps:.2f} s "
            f"({len(frames)} at {fps:g} fps)"
        )
    pictures = torch.from_numpy(frames[chosen]).permute(0, 3, 1, 2)
    height, width = pictures.shape[2:]
    short = min(height, width)
    size = (SIDE * height // short, SIDE * width // short)
    if size != (height, width):
        pictures = interpolate(pictures, size, mode="bicubic", antialias=True)
    squares = torch.stack(cut(normalised(pictures / 255)))
    pairs = [squares[:, :, first : first + 2] for first in range(len(chosen) - 1)]
    return torch.cat(pairs)


@dataclass(frozen=True, slots=True)
class ImagebindVideoEncoder:
    """One vector a clip, in the space that ImageBind's towers share."""

    tower: Tower
    device: str
    signature: str

    def __call__(self, frames: NDArray[np.uint8], fps: float) -> Features:
        """``embedding`` float32 (1024,) of RGB frames (n, h, w, 3).

        Raises:
            InputError: the clip is under four seconds.
        """
        return {"embedding": mean_embedding(self.tower, views(frames, fps), self.device)}


def mean_embedding(tower: Tower, clips: Tensor, device: str) -> NDArray[np.float32]:
    """Mean (1024,) of the unit vectors of views (n, 3, 2, 224, 224), three at a time."""
    import torch

    with torch.inference_mode():
        parts = (clips[first : first + 3] for first in range(0, len(clips), 3))
        vectors = [tower(part.to(device)) for part in parts]
        return np.asarray(torch.cat(vectors).mean(dim=0).cpu().numpy())


def signature(device: str = "cpu") -> str:
    """Weights, view rule and decoder; the device moves nothing above rounding."""
    del device
    return f"imagebind-huge:{weights.fingerprint('imagebind')}|vision|views:ib-avbench|{DECODER}"


def load(device: str = "cpu") -> ImagebindVideoEncoder:
    """The vision tower with its published weights.

    Raises:
        MissingWeightsError: part ``imagebind`` is not in the store.
    """
    from vsseval.encoders.imagebind_network import load_tower

    tower = load_tower(weights.require("imagebind") / "imagebind_huge.pth", "vision")
    return ImagebindVideoEncoder(tower.to(device), device, signature(device))
