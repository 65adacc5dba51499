"""Semantic video features of the full-size model: raw CLS tokens of CLIP ViT-B/16.

The token is what the last block puts out; neither the final layer norm nor the projection is
applied. 10 frames a second, 100 for 10 s; frames are squeezed to 224 x 224 without keeping their
aspect ratio, and black frames that fill up a short clip are encoded like any other.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vsseval.errors import InputError
from vssflow.devices import device_of

if TYPE_CHECKING:
    from transformers import CLIPVisionModel

FPS = 10
FRAMES = 100
MEAN = (0.48145466, 0.4578275, 0.40821073)
DEVIATION = (0.26862954, 0.26130258, 0.27577711)
BATCH = 16


def token_frames(times: Sequence[Fraction], start: Fraction) -> NDArray[np.int64]:
    """Frame of each token of 10 s: the nearest to start + i / 10 s, int64 (100,).

    At a constant rate this is the authors' round(i fps / 10). Between two equally near the even
    one is taken, as their rounding does.

    Args:
        times: of the frames and of the end of the last one, rising (n + 1,). Number n is no frame:
            the clip is over.
        start: of the 10 s.
    """
    return np.array([_nearest(times, start + Fraction(i, FPS)) for i in range(FRAMES)], np.int64)


def _nearest(times: Sequence[Fraction], at: Fraction) -> int:
    after = min(bisect_left(times, at), len(times) - 1)
    before = max(0, after - 1)
    to_before, to_after = abs(at - times[before]), abs(times[after] - at)
    if to_before == to_after:
        return before if before % 2 == 0 else after
    return before if to_before < to_after else after


def squeezed(frame: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """RGB uint8 (height, width, 3) to (side, side, 3), bicubic; nothing is cropped."""
    from PIL import Image

    return np.array(Image.fromarray(frame).resize((side, side), Image.Resampling.BICUBIC))


def normalised(pictures: NDArray[np.uint8]) -> Tensor:
    """Input of the network, float32 (n, 3, side, side), of pictures uint8 (n, side, side, 3)."""
    scaled = torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 255
    mean, deviation = (torch.tensor(values)[:, None, None] for values in (MEAN, DEVIATION))
    return (scaled - mean) / deviation


def side_of(network: CLIPVisionModel) -> int:
    """Side of the pictures of a network [pixels]."""
    return cast(int, network.config.image_size)


def semantic_tokens(network: CLIPVisionModel, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Tokens float32 (n, width) of pictures uint8 (n, side, side, 3)."""
    inputs = normalised(pictures).to(device_of(network))
    with torch.inference_mode():
        parts = [
            network(pixel_values=inputs[at : at + BATCH]).last_hidden_state[:, 0]
            for at in range(0, len(inputs), BATCH)
        ]
    return torch.cat(parts).float().cpu().numpy()


def load_clip(folder: Path, device: str = "cpu") -> CLIPVisionModel:
    """The vision tower from a folder of ``openai/clip-vit-base-patch16``, on a device.

    Raises:
        InputError: there is no configuration.
    """
    from transformers import CLIPVisionModel

    if not (folder / "config.json").is_file():
        raise InputError(f"no config.json in {folder}; give openai/clip-vit-base-patch16")
    network = CLIPVisionModel.from_pretrained(str(folder), local_files_only=True)
    network.train(False)
    # Not network.to: transformers wraps it in a way that type checkers cannot follow.
    return torch.nn.Module.to(network, device)
