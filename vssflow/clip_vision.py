"""Semantic video features of the full-size model: raw CLS tokens of CLIP ViT-B/16.

The token is what the last block puts out; neither the final layer norm nor the projection is
applied. 10 frames a second, 100 for 10 s; frames are squeezed to 224 x 224 without keeping their
aspect ratio, and black frames that fill up a short clip are encoded like any other.
"""

from __future__ import annotations

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


def frame_indices(num_frames: int, fps: float) -> NDArray[np.int64]:
    """Source frame of each token, round(i fps / 10); those past the end are left out."""
    indices = np.round(np.arange(FRAMES) * fps / FPS).astype(np.int64)
    return indices[indices < num_frames]


def pictures(frames: NDArray[np.uint8], fps: float, side: int) -> Tensor:
    """Input of the network, float32 (100, 3, side, side), of RGB frames uint8 (n, h, w, 3).

    Raises:
        InputError: not RGB frames, or none.
    """
    if frames.ndim != 4 or frames.shape[-1] != 3 or not len(frames):
        raise InputError(f"expected RGB frames (n, height, width, 3), got {frames.shape}")
    from PIL import Image

    chosen = frames[frame_indices(len(frames), fps)]
    small = np.zeros((FRAMES, side, side, 3), np.uint8)
    for row, frame in enumerate(chosen):
        image = Image.fromarray(frame).resize((side, side), Image.Resampling.BICUBIC)
        small[row] = np.asarray(image)
    scaled = torch.from_numpy(small).permute(0, 3, 1, 2).float() / 255
    mean, deviation = (torch.tensor(values)[:, None, None] for values in (MEAN, DEVIATION))
    return (scaled - mean) / deviation


def semantic_tokens(
    network: CLIPVisionModel, frames: NDArray[np.uint8], fps: float
) -> NDArray[np.float32]:
    """Tokens float32 (100, width) of the first 10 s of a clip.

    Raises:
        InputError: as :func:`pictures`.
    """
    inputs = pictures(frames, fps, cast(int, network.config.image_size)).to(device_of(network))
    with torch.inference_mode():
        parts = [
            network(pixel_values=inputs[at : at + BATCH]).last_hidden_state[:, 0]
            for at in range(0, FRAMES, BATCH)
        ]
    return torch.cat(parts).float().cpu().numpy()


def load_clip(folder: Path) -> CLIPVisionModel:
    """The vision tower from a folder of ``openai/clip-vit-base-patch16``.

    Raises:
        InputError: there is no configuration.
    """
    from transformers import CLIPVisionModel

    if not (folder / "config.json").is_file():
        raise InputError(f"no config.json in {folder}; give openai/clip-vit-base-patch16")
    network = CLIPVisionModel.from_pretrained(str(folder), local_files_only=True)
    network.train(False)
    return network
