"""The vectorised offset search against the published loop, on the same embeddings."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from vsseval.metrics.lip_sync import REACH, mean_distances

Floats = NDArray[np.floating]
Row = tuple[str, float, float, float, float]
"""What, our seconds, seconds of the published loop, their ratio, largest relative difference."""


def lip_sync_rows(frames: tuple[int, ...] = (75, 250), repeats: int = 20) -> list[Row]:
    """A row for each length of clip [frames at 25 fps]; the fastest of ``repeats`` calls counts.

    The loop goes window by window through PyTorch's pairwise distance in float32, as
    joonson/syncnet_python at 6efbb1c does; it is written here anew. Both run on one core.
    """
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(limits=1):
            return [_row(count, repeats) for count in frames]
    finally:
        torch.set_num_threads(threads)


def _row(count: int, repeats: int) -> Row:
    rng = np.random.default_rng(count)
    lips = rng.standard_normal((count - 4, 1024)).astype(np.float32)
    sound = (0.7 * lips[:-1] + rng.standard_normal((count - 5, 1024))).astype(np.float32)
    ours, seconds = _fastest(lambda: mean_distances(lips, sound), repeats)
    loop, loop_seconds = _fastest(lambda: _loop(lips[:-1], sound), repeats)
    difference = float(np.abs(ours / loop - 1).max())
    return (
        f"LSE search, {count} frames",
        seconds,
        loop_seconds,
        loop_seconds / seconds,
        difference,
    )


def _loop(lips: Floats, sound: Floats) -> Floats:
    import torch
    from torch.nn.functional import pad, pairwise_distance

    video, padded = torch.from_numpy(lips), pad(torch.from_numpy(sound), (0, 0, REACH, REACH))
    width = 2 * REACH + 1
    columns = [
        pairwise_distance(video[[v]].repeat(width, 1), padded[v : v + width])
        for v in range(len(video))
    ]
    return np.asarray(torch.stack(columns, 1).mean(1))


def _fastest(call: Callable[[], Floats], repeats: int) -> tuple[Floats, float]:
    seconds = []
    for _ in range(repeats):
        began = time.perf_counter()
        result = call()
        seconds.append(time.perf_counter() - began)
    return result, min(seconds)
