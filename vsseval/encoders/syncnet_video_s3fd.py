"""SyncNet's lip tower over the face found by S3FD at a quarter of the size, as published."""

from __future__ import annotations

from vsseval import weights
from vsseval.encoders import s3fd
from vsseval.encoders.face_track import Track, longest_track
from vsseval.encoders.syncnet_video import (
    FRAME_RULE,
    Box,
    Frames,
    SyncnetVideoEncoder,
    load_lips,
)


def signature(device: str = "cpu") -> str:
    """Weights of both networks, scale, decoder and frame rule."""
    del device
    return (
        f"syncnet-v2-video:{weights.fingerprint('syncnet')}|{s3fd.fingerprint()}|"
        f"scale:{s3fd.SCALE}|{FRAME_RULE}"
    )


def load(device: str = "cpu") -> SyncnetVideoEncoder:
    """The tower with its published weights, behind S3FD.

    Raises:
        MissingWeightsError: part ``syncnet`` or ``s3fd`` is not in the store.
        InputError: a file holds another network.
    """
    from vsseval.encoders.s3fd_network import load_network

    network = load_network(weights.require("s3fd") / "sfd_face.pth").to(device)

    def find(frames: Frames, face_box: Box | None) -> Track:
        return longest_track([s3fd.detect(network, frame, device) for frame in frames])

    return SyncnetVideoEncoder(load_lips(device), find, device, signature(device))
