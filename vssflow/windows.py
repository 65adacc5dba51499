"""A film in windows of the length that a network knows, and the windows joined again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor


class Window(NamedTuple):
    """Latent frames from ``start`` to before ``stop``."""

    start: int
    stop: int


def windows(num_frames: int, longest: int, overlap: int) -> list[Window]:
    """Windows of one length that cover all frames, each sharing at least ``overlap`` with the next.

    A clip that fits is one window; others are spread evenly. All counts are latent frames.
    """
    if num_frames <= longest:
        return [Window(0, num_frames)]
    count = -(-(num_frames - overlap) // (longest - overlap))
    starts = [round(i * (num_frames - longest) / (count - 1)) for i in range(count)]
    return [Window(start, start + longest) for start in starts]


def cross_fade(parts: Sequence[Tensor], places: Sequence[Window]) -> Tensor:
    """Windows (B, T_w, C) joined to (B, T, C) by linear ramps over what two of them share.

    The weights of a frame add up to one, so parts that agree are kept as they are.
    """
    total = places[-1].stop
    out = parts[0].new_zeros(parts[0].shape[0], total, parts[0].shape[-1])
    weight_sum = out.new_zeros(total, 1)
    for i, (part, place) in enumerate(zip(parts, places, strict=True)):
        frames = torch.arange(place.start, place.stop, device=out.device)
        weight = torch.ones(len(frames), device=out.device)
        if i > 0:
            shared = places[i - 1].stop - place.start
            weight = torch.minimum(weight, (frames - place.start + 0.5) / shared)
        if i + 1 < len(places):
            shared = place.stop - places[i + 1].start
            weight = torch.minimum(weight, (place.stop - frames - 0.5) / shared)
        out[:, place.start : place.stop] += weight[:, None] * part
        weight_sum[place.start : place.stop] += weight[:, None]
    return out / weight_sum
