"""SyncNet's sound tower: one embedding for each frame of video, over the 0.2 s that follow it.

    samples     16 kHz, taken to 16-bit integers
    cepstrum    13 coefficients every 10 ms (vsseval.encoders.mfcc)
    window v    columns 4 v to 4 v + 19, the time of frames v to v + 4 at 25 fps
    windows     floor(samples / 640) - 5, one fewer than fit between frames: as published

The wave is embedded as it is: no muxing, no detour over MP3, which delays it by 1105 samples of
the file's own rate, another time for each system.

Source: joonson/syncnet_python at 6efbb1c, SyncNetInstance.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vsseval import weights
from vsseval.encoders.mfcc import mfcc, to_int16
from vsseval.errors import InputError
from vsseval.types import Features

if TYPE_CHECKING:
    from vsseval.encoders.syncnet_network import Network

SAMPLE_RATE = 16_000
FRAME = 640
"""Samples in a frame of video at 25 fps."""
COLUMNS, STEP = 20, 4
"""Columns of the cepstrum in a window, and from one window to the next."""
MISSING = 5
"""Windows that a clip has fewer than frames."""
_BATCH = 128


def sound_windows(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Windows of the cepstrum of 16-kHz samples in [-1, 1], float32 (windows, 13, 20).

    Raises:
        InputError: fewer than 6 frames of 40 ms.
    """
    count = samples.size // FRAME - MISSING
    if count < 1:
        raise InputError(
            f"SyncNet needs at least {MISSING + 1} frames of 40 ms of sound, got "
            f"{samples.size / SAMPLE_RATE:.3f} s"
        )
    columns = mfcc(to_int16(samples)).T.astype(np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(columns, COLUMNS, axis=1)
    return np.ascontiguousarray(windows[:, ::STEP][:, :count].transpose(1, 0, 2))


@dataclass(frozen=True, slots=True)
class SyncnetAudioEncoder:
    """The sound tower of a SyncNet."""

    network: Network
    device: str
    signature: str

    def __call__(self, samples: NDArray[np.float32]) -> Features:
        """``embedding`` float32 (windows, d) of 16-kHz samples (n,).

        Raises:
            InputError: no samples, or fewer than 6 frames of 40 ms.
        """
        import torch

        if samples.size == 0:
            raise InputError("SyncNet needs at least one sample")
        windows = torch.from_numpy(sound_windows(samples)).to(self.device)
        with torch.inference_mode():
            parts = [
                self.network.sound(part).cpu().numpy() for part in torch.split(windows, _BATCH)
            ]
        return {"embedding": np.concatenate(parts)}


def signature(device: str = "cpu") -> str:
    """Weights; the device moves nothing above rounding."""
    del device
    return f"syncnet-v2-audio:{weights.fingerprint('syncnet')}"


def load(device: str = "cpu") -> SyncnetAudioEncoder:
    """The tower with its published weights.

    Raises:
        MissingWeightsError: part ``syncnet`` is not in the store.
        InputError: its file is no state dict of SyncNet v2.
    """
    from vsseval.encoders.syncnet_network import load_network

    network = load_network(weights.require("syncnet") / "syncnet_v2.model")
    return SyncnetAudioEncoder(network.to(device), device, signature(device))
