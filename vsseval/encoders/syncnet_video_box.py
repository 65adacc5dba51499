"""SyncNet's lip tower over the face box that the data set gives, constant over the clip."""

from __future__ import annotations

import numpy as np

from vsseval import weights
from vsseval.encoders.face_track import LEAST_FRAMES, Track
from vsseval.encoders.syncnet_video import (
    FRAME_RULE,
    Box,
    Frames,
    SyncnetVideoEncoder,
    load_lips,
)
from vsseval.errors import InputError


def box_track(frames: Frames, face_box: Box | None) -> Track:
    """The same box in every frame.

    Raises:
        InputError: no box, or fewer than 7 frames.
    """
    if face_box is None:
        raise InputError("the item has no face_box, which this encoder needs")
    if len(frames) < LEAST_FRAMES:
        raise InputError(f"SyncNet needs {LEAST_FRAMES} frames at 25 fps, got {len(frames)}")
    return Track(0, np.tile(np.asarray(face_box, dtype=np.float64), (len(frames), 1)))


def signature(device: str = "cpu") -> str:
    """Weights, decoder and frame rule."""
    del device
    return f"syncnet-v2-video:{weights.fingerprint('syncnet')}|face:box|{FRAME_RULE}"


def load(device: str = "cpu") -> SyncnetVideoEncoder:
    """The tower with its published weights.

    Raises:
        MissingWeightsError: part ``syncnet`` is not in the store.
        InputError: its file holds another network.
    """
    return SyncnetVideoEncoder(load_lips(device), box_track, device, signature(device))
