"""What the audio encoders of LAION-CLAP and MS-CLAP share: windows of a clip, a vector for each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vsseval.errors import InputError
from vsseval.types import Features

if TYPE_CHECKING:
    from torch import nn

Cut = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""Samples (n,) -> windows (k, samples of a window)."""


class Windows(NamedTuple):
    """A way to cut a clip."""

    cut: Cut
    signature: str
    """What signatures say of it."""


def each_second(samples: NDArray[np.float32], rate: int, window: int) -> NDArray[np.float32]:
    """Windows (ceil(n / rate), window) from every second on, zeros after the end (fadtk's)."""
    padded = np.pad(samples, (0, window))
    starts = range(0, samples.size, rate)
    return np.stack([padded[start : start + window] for start in starts])


@dataclass(frozen=True, slots=True)
class ClapAudio:
    """A vector for each window of a clip."""

    tower: nn.Module
    cut: Cut
    device: str
    signature: str

    def __call__(self, samples: NDArray[np.float32]) -> Features:
        """``embedding`` float32 (windows, 512 or 1024) of samples (n,) at the tower's rate.

        Raises:
            InputError: no samples, or the cut refuses the clip.
        """
        if samples.size == 0:
            raise InputError("CLAP needs at least one sample")
        import torch

        windows = torch.from_numpy(self.cut(samples))
        with torch.inference_mode():  # one by one: a window's values do not depend on the others
            rows = [self.tower(window[None].to(self.device)).cpu() for window in windows]
        return {"embedding": torch.cat(rows).numpy()}
