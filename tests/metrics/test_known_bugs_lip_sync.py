"""What the published lip-sync pipeline gets wrong, shown beside what is done here instead."""

from __future__ import annotations

import numpy as np
import pytest

from vsseval.encoders.face_track import longest_track
from vsseval.metrics.lip_sync import REACH, lip_sync_error
from vsseval.metrics.pooling import pool


def pair(windows: int, seed: int, *, fits: bool) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings with a distance of about 6.2 where they fit, as real ones, and 15 elsewhere."""
    draws = np.random.RandomState(seed)
    lips = 0.34 * draws.standard_normal((windows + 1, 1024))
    base = lips[:windows] if fits else 0.34 * draws.standard_normal((windows, 1024))
    return lips, base + 0.194 * draws.standard_normal((windows, 1024))


def published_tracks(frames: list[int], least: int = 100) -> list[int]:
    """Lengths of the tracks that the pipeline keeps: longer than ``min_track``."""
    return [length for length in frames if length > least]


def test_min_track_drops_every_clip_of_grid() -> None:
    assert published_tracks([75, 75, 75]) == []
    assert published_tracks([100]) == []  # not even as many as its name says
    seen = [np.array([[20.0, 20, 80, 90]])] * 75
    assert len(longest_track(seen).boxes) == 75


def published_lines(tracks: dict[str, list[float]]) -> float:
    """The script's mean: one line for each track, none for a clip without one."""
    return float(np.mean([value for values in tracks.values() for value in values]))


def test_a_mean_over_lines_weighs_clips_by_their_tracks() -> None:
    # Clip a has one good track, clip b three bad ones, clip c none: (6 + 3 * 10) / 4 = 9 hides both
    # the weights and the missing clip; one value a clip is (6 + 10) / 2 = 8, with c excluded.
    tracks = {"a": [6.0], "b": [10.0, 10.0, 10.0], "c": []}
    assert published_lines(tracks) == 9.0
    scored = np.array([[tracks["a"][0]], [tracks["b"][0]]])
    assert pool(scored, "mean") == 8.0
    assert len(scored) < len(tracks)  # a score of ours says 2 of 3


@pytest.mark.parametrize("windows", [20, 30, 70])
def test_zero_padding_flatters_what_does_not_fit(windows: int) -> None:
    padded, masked = [], []
    for seed in range(10):
        lips, sound = pair(windows, seed, fits=False)
        padded.append(lip_sync_error(lips, sound))
        masked.append(lip_sync_error(lips, sound, profile="masked"))
    # A padded cell is |V| = 0.34 * 32 = 10.9, a real one 16.6: the outermost offset wins.
    assert all(found.edge_offset for found in padded)
    low, true = (np.mean([f.distance for f in group]) for group in (padded, masked))
    assert low < true - 0.9
    assert np.mean([f.confidence for f in padded]) > 2 * np.mean([f.confidence for f in masked])


def test_zero_padding_punishes_short_clips_that_fit() -> None:
    confidence = {}
    for windows in (16, 30, 245):
        lips, sound = pair(windows, 1, fits=True)
        confidence[windows] = [
            lip_sync_error(lips, sound, profile=profile).confidence
            for profile in ("wav2lip", "masked")
        ]
    padded, masked = zip(*confidence.values(), strict=True)
    assert padded[0] < padded[1] < padded[2] - 0.5
    assert max(masked) - min(masked) < 0.3


def test_a_constant_delay_costs_nothing_but_the_distance_at_zero() -> None:
    draws = np.random.RandomState(4)
    track = 0.34 * draws.standard_normal((300, 1024))
    lips = track[20:266]
    scores = []
    for delay in (0, 10):
        sound = track[20 - delay : 265 - delay] + 0.194 * draws.standard_normal((245, 1024))
        scores.append(lip_sync_error(lips, sound))
    there, late = scores
    assert late.distance == pytest.approx(there.distance, rel=0.05)
    assert late.offset == -10
    assert abs(late.offset) <= REACH
    assert late.distance_zero > 2 * there.distance_zero
