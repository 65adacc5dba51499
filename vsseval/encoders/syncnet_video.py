"""SyncNet's lip tower over the face of a clip, found by MTCNN: one embedding for each frame.

    frames   at 25 fps, the nearest in time (vsseval.encoders.face_track)
    face     the longest track of MTCNN's boxes, cut out to 224 x 224, in BGR, raw values 0 to 255
    window   v: frames v to v + 4 of the track; there are frames - 4

The embeddings depend on the video alone, so they are computed once for a benchmark, and scoring a
system afterwards is a matter of its sound. The published pipeline finds faces by S3FD (encoder
``syncnet-video@s3fd``); ``syncnet-video@box`` takes the data set's box.

Source: joonson/syncnet_python at 6efbb1c, SyncNetInstance.py and run_pipeline.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vsseval import weights
from vsseval.encoders import mtcnn
from vsseval.encoders.face_track import Track, face_crops, frames_at_25, longest_track
from vsseval.types import Features
from vsseval.video import DECODER

if TYPE_CHECKING:
    from vsseval.encoders.syncnet_network import Network

Box = tuple[int, int, int, int]
Frames = NDArray[np.uint8]
_FRAMES = 5
_BATCH = 20
"""Windows in one pass: the first layer needs 23 MB for each."""


@dataclass(frozen=True, slots=True)
class SyncnetVideoEncoder:
    """The lip tower of SyncNet v2 behind one way to find the face."""

    network: Network
    find: Callable[[Frames, Box | None], Track]
    """From frames at 25 fps, and the data set's box, to one face."""
    device: str
    signature: str

    def __call__(self, frames: Frames, fps: float, face_box: Box | None = None) -> Features:
        """``embedding`` float32 (track - 4, 1024) and ``start`` int64 (), the track's first frame.

        Args:
            frames: RGB uint8 (n, h, w, 3).
            fps: frames a second.
            face_box: (left, top, right, bottom) where the data set gives it.

        Raises:
            InputError: no face, or none that is seen in 7 frames from first to last; no box where
                the box is asked for.
        """
        frames = frames[frames_at_25(len(frames), fps)]
        track = self.find(frames, face_box)
        crops = face_crops(frames, track)[..., ::-1]
        return {
            "embedding": lip_embeddings(self.network, crops, self.device),
            "start": np.array(track.start, dtype=np.int64),
        }


def lip_embeddings(network: Network, crops: Frames, device: str = "cpu") -> NDArray[np.float32]:
    """Embeddings float32 (n - 4, d) of square pictures uint8 (n, side, side, colours)."""
    import torch

    pictures = torch.from_numpy(np.ascontiguousarray(crops.transpose(3, 0, 1, 2)))
    parts = []
    with torch.inference_mode():
        for first in range(0, len(crops) - _FRAMES + 1, _BATCH):
            part = pictures[None, :, first : first + _BATCH + _FRAMES - 1].to(device).float()
            parts.append(network.lips(part)[0].cpu().numpy())
    return np.concatenate(parts)


def signature(device: str = "cpu") -> str:
    """Weights of both networks, least size of a face, decoder and frame rule."""
    del device
    return (
        f"syncnet-v2-video:{weights.fingerprint('syncnet')}|{mtcnn.fingerprint()}|"
        f"least:max({mtcnn.LEAST_FACE},side/{mtcnn.LEAST_SHARE})|{FRAME_RULE}"
    )


FRAME_RULE = f"25fps-nearest|{DECODER}"


def load(device: str = "cpu") -> SyncnetVideoEncoder:
    """The tower with its published weights, behind MTCNN.

    Raises:
        MissingWeightsError: part ``syncnet`` or ``mtcnn`` is not in the store.
        InputError: a file holds another network.
    """
    from vsseval.encoders.mtcnn_network import Cascade, load_cascade

    loaded = load_cascade(weights.require("mtcnn"))
    cascade = Cascade(*(stage.to(device) for stage in loaded))

    def find(frames: Frames, face_box: Box | None) -> Track:
        return longest_track([mtcnn.detect(cascade, frame, device) for frame in frames])

    return SyncnetVideoEncoder(load_lips(device), find, device, signature(device))


def load_lips(device: str) -> Network:
    """SyncNet v2 from the store."""
    from vsseval.encoders.syncnet_network import load_network

    return load_network(weights.require("syncnet") / "syncnet_v2.model").to(device)
