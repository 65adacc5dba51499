"""The vectorised offset search of lip sync beside the published loop, restated here."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from vsseval.bench.measure import REPEATS, BenchRow, side_by_side
from vsseval.metrics.lip_sync import REACH, mean_distances

Floats = NDArray[np.floating]
TARGET = 10.0
CALLS = 20
"""Searches in one measurement: a single one takes a tenth of a millisecond."""


def offset_search(*, quick: bool = False) -> list[BenchRow]:
    """A row for 75 frames, the clips of GRID, and one for 250; both routes on one core.

    The loop goes window by window through PyTorch's pairwise distance in float32, as
    joonson/syncnet_python at 6efbb1c does.
    """
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(limits=1):
            return [_row(frames, 1 if quick else CALLS) for frames in (75, 250)]
    finally:
        torch.set_num_threads(threads)


def _row(frames: int, calls: int) -> BenchRow:
    rng = np.random.default_rng(frames)
    lips = rng.standard_normal((frames - 4, 1024)).astype(np.float32)
    sound = (0.7 * lips[:-1] + rng.standard_normal((frames - 5, 1024))).astype(np.float32)

    def ours() -> list[Floats]:
        return [mean_distances(lips, sound) for _ in range(calls)]

    def loop() -> list[Floats]:
        return [_loop(lips[:-1], sound) for _ in range(calls)]

    found = side_by_side(ours, loop, repeats=REPEATS if calls > 1 else 1)
    difference = float(np.abs(found.result[0] / found.reference_result[0] - 1).max())
    return BenchRow(
        what=f"LSE offset search, {frames} frames at 1024 dimensions, float32, one core",
        ours=found.ours / calls,
        reference_route="syncnet_python's loop over windows (PyTorch)",
        reference=found.reference / calls,
        target=TARGET,
        agreement=f"31 means, largest relative difference {difference:.0e}",
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
