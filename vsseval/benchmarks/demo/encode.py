"""Writing the media, H.264 mp4 and FLAC: the same bytes every time on the same encoder build."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import soundfile
from numpy.typing import NDArray

from vsseval.benchmarks.demo.clip import FPS, RATE, FloatArray

CRF = 26
"""Constant rate factor of x264."""
X264 = "no-mbtree=1"
"""With macroblock-tree rate control, x264 was seen to give other bytes for the same frames."""


def write_video(path: Path, frames: NDArray[np.uint8]) -> None:
    """Write RGB frames uint8 (n, height, width, 3) at 25 fps by x264 on one thread, yuv420p."""
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuv420p"
        stream.thread_count = 1
        stream.options = {
            "preset": "veryfast",
            "crf": str(CRF),
            "threads": "1",
            "x264-params": X264,
        }
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode(None))


def pcm(samples: FloatArray) -> NDArray[np.int16]:
    """Samples in (-1, 1) rounded to 16 bits."""
    return np.asarray(np.clip(np.rint(samples * 32768), -32768, 32767), dtype=np.int16)


def write_flac(path: Path, samples: FloatArray) -> None:
    """Write mono 16-bit FLAC at 16 kHz, at the strongest compression."""
    soundfile.write(
        path, pcm(samples), RATE, format="FLAC", subtype="PCM_16", compression_level=1.0
    )
