"""The demo SyncNet's lip tower over the mouth in the data set's face box."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vsseval.encoders.face_track import LEAST_FRAMES, frames_at_25
from vsseval.encoders.syncnet_demo import SHA256, load_demo_network, mouth_crops
from vsseval.encoders.syncnet_video import FRAME_RULE, Box, Frames, lip_embeddings
from vsseval.errors import InputError
from vsseval.types import Features

if TYPE_CHECKING:
    from vsseval.encoders.syncnet_network import Network


@dataclass(frozen=True, slots=True)
class SyncnetDemoVideoEncoder:
    """The lip tower of the demo SyncNet."""

    network: Network
    device: str
    signature: str

    def __call__(self, frames: Frames, fps: float, face_box: Box | None = None) -> Features:
        """``embedding`` float32 (n - 4, 256) of n frames at 25 fps, and ``start`` int64 (), 0.

        Args:
            frames: RGB uint8 (n, h, w, 3).
            fps: frames a second.
            face_box: (left, top, right, bottom) [pixels].

        Raises:
            InputError: no box, one beside the frames, or fewer than 7 frames.
        """
        if face_box is None:
            raise InputError("the item has no face_box, which the demo SyncNet needs")
        frames = frames[frames_at_25(len(frames), fps)]
        if len(frames) < LEAST_FRAMES:
            raise InputError(f"SyncNet needs {LEAST_FRAMES} frames at 25 fps, got {len(frames)}")
        crops = mouth_crops(frames, face_box)[..., np.newaxis]
        return {
            "embedding": lip_embeddings(self.network, crops, self.device),
            "start": np.array(0, dtype=np.int64),
        }


def signature(device: str = "cpu") -> str:
    """Weights, decoder and frame rule."""
    del device
    return f"syncnet-demo-video:{SHA256[:8]}|face:box|{FRAME_RULE}"


def load(device: str = "cpu") -> SyncnetDemoVideoEncoder:
    """The tower with the weights that come with the package."""
    return SyncnetDemoVideoEncoder(load_demo_network().to(device), device, signature(device))
