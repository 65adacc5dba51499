"""ImageBind's eye by its own view rule: five clips of two seconds.

    clips     5 windows of 2 s, spread over the clip as the views of the audio tower are; of each
              the first and the last frame; a clip under 2 s is seen five times over
    size      shorter side 224 pixels, the longer one rounded down; bilinear, no antialiasing
    crops, value, embedding  as in the other rule; 15 views

Upstream decodes with decord, whose frame count and mean rate give the length of the clip; frames
are taken to be equally spaced here.

Source: facebookresearch/ImageBind at 53680b0 (data.py), pytorchvideo at 6cdc929 (the release it
pins; encoded_video_decord.py, transforms/functional.py).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vsseval import weights
from vsseval.encoders.imagebind_audio import START_RULE, VIEW_SECONDS, view_starts
from vsseval.encoders.imagebind_video import SIDE, cut, mean_embedding, normalised
from vsseval.errors import InputError
from vsseval.types import Features
from vsseval.video import DECODER

if TYPE_CHECKING:
    from torch import Tensor

    from vsseval.encoders.imagebind_network import Tower

CLIPS = 5


def frame_pairs(count: int, fps: float, rule: str = START_RULE) -> list[tuple[int, int]]:
    """First and last frame of each window, of ``count`` frames at ``fps``."""
    starts = view_starts(count / fps, CLIPS, rule)
    firsts = (math.ceil(fps * start) for start in starts)
    ends = (math.ceil(fps * (start + VIEW_SECONDS)) for start in starts)
    return [(first, min(end, count) - 1) for first, end in zip(firsts, ends, strict=True)]


def views(frames: NDArray[np.uint8], fps: float, rule: str = START_RULE) -> Tensor:
    """What the network is given of RGB frames (n, h, w, 3): float32 (15, 3, 2, 224, 224).

    Raises:
        InputError: no frames.
    """
    import torch
    from torch.nn.functional import interpolate

    if len(frames) == 0:
        raise InputError("imagebind-video@ib-native needs at least one frame")
    chosen = np.array(frame_pairs(len(frames), fps, rule)).ravel()
    pictures = torch.from_numpy(frames[chosen]).permute(0, 3, 1, 2) / 255
    height, width = pictures.shape[2:]
    short = min(height, width)
    size = (math.floor(height / short * SIDE), math.floor(width / short * SIDE))
    pictures = normalised(interpolate(pictures, size, mode="bilinear", align_corners=False))
    return torch.stack(
        [square for pair in pictures.reshape(CLIPS, 2, *pictures.shape[1:]) for square in cut(pair)]
    )


@dataclass(frozen=True, slots=True)
class ImagebindNativeVideoEncoder:
    """One vector a clip, in the space that ImageBind's towers share."""

    tower: Tower
    device: str
    signature: str
    rule: str = START_RULE

    def __call__(self, frames: NDArray[np.uint8], fps: float) -> Features:
        """``embedding`` float32 (1024,) of RGB frames (n, h, w, 3).

        Raises:
            InputError: no frames.
        """
        clips = views(frames, fps, self.rule)
        return {"embedding": mean_embedding(self.tower, clips, self.device)}


def signature(device: str = "cpu") -> str:
    """Weights, view rule, rule of the starts and decoder."""
    del device
    part = weights.fingerprint("imagebind")
    return f"imagebind-huge:{part}|vision|views:ib-native|starts:{START_RULE}|{DECODER}"


def load(device: str = "cpu") -> ImagebindNativeVideoEncoder:
    """The vision tower with its published weights.

    Raises:
        MissingWeightsError: part ``imagebind`` is not in the store.
    """
    from vsseval.encoders.imagebind_network import load_tower

    tower = load_tower(weights.require("imagebind") / "imagebind_huge.pth", "vision")
    return ImagebindNativeVideoEncoder(tower.to(device), device, signature(device))
