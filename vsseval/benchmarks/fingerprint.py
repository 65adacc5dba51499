"""Whether two clips hold the same recording: a small fingerprint of spectral peaks.

Peaks of the short-time spectrum (8 kHz, frames of 64 ms every 8 ms, bands of two bins) that are the
largest of their surroundings (0.33 s and 340 Hz) stay where they are under gain, coding and added
noise. Each peak is joined to the next five within 2 s; a pair is one number made of both
frequencies and the time between, in steps of 32 ms. Two clips are the same recording if many of
their numbers agree at one and the same shift in time::

    score = most numbers that agree at one shift / numbers of the clip that has fewer

The idea is Wang's (2003, An industrial-strength audio search algorithm); constants are ours.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter

from vsseval.resampling import resample
from vsseval.types import Audio, mono

RATE = 8000
FRAME, HOP = 512, 64
BAND_BINS = 2
SURROUNDINGS = (41, 11)
"""Frames and bands within which a peak is the largest."""
PEAKS_A_SECOND = 30
FLOOR_DB = 60.0
"""Peaks so far below the loudest do not count [dB]."""
FOLLOWERS = 5
REACH = 252
"""Frames ahead within which a peak is joined to others: 2 s."""
GAP_STEP = 4
"""Frames that the time between two peaks is counted in."""
SAME_FROM = 0.25
"""Score from which two clips hold the same recording. Of the demo's clips, those coded at
32 kbit/s, in noise of -20 dB, or cut have at least 0.31; two different ones have at most 0.17, or
fewer numbers than ``SAME_LEAST``."""
SAME_LEAST = 12
"""Numbers that must agree at the least."""
_SILENT = 1e-4
_COMMON = 200
"""A number in more clips than this says nothing, as of a hum that all of them have."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Numbers of one clip."""

    numbers: NDArray[np.uint32]
    """uint32 (k,)."""
    frames: NDArray[np.int32]
    """int32 (k,): when the first peak of each pair is, in hops of 8 ms."""


@dataclass(frozen=True, slots=True)
class Match:
    """Two clips that hold the same recording."""

    first: str
    second: str
    score: float
    """Share of the numbers that agree, above 0 to 1."""
    shift: float
    """So much later is it in the second [s]."""


def fingerprint(audio: Audio) -> Fingerprint:
    """Fingerprint of a clip; no numbers for silence.

    Args:
        audio: any rate and channels.
    """
    one = mono(audio)
    # A constant would sound at its ends once it is resampled.
    one = one - one.mean(dtype=np.float64).astype(np.float32)
    none = Fingerprint(np.zeros(0, np.uint32), np.zeros(0, np.int32))
    if one.std(dtype=np.float64) < _SILENT:
        return none
    samples = resample(one, audio.sample_rate, RATE).astype(np.float64)
    if len(samples) < FRAME:
        return none
    blocks = np.lib.stride_tricks.sliding_window_view(samples, FRAME)[::HOP]
    power = np.abs(np.fft.rfft(blocks * np.hanning(FRAME), axis=1)[:, 1:257]) ** 2
    bands = power.reshape(len(power), -1, BAND_BINS).sum(axis=2)
    level = 10 * np.log10(bands + 1e-12)
    largest = (level == maximum_filter(level, SURROUNDINGS)) & (level > level.max() - FLOOR_DB)
    frames, tones = np.nonzero(largest)
    most = max(1, round(PEAKS_A_SECOND * len(samples) / RATE))
    if len(frames) > most:
        kept = np.sort(np.argsort(-level[frames, tones], kind="stable")[:most])
        frames, tones = frames[kept], tones[kept]
    numbers, times = [], []
    for at in range(len(frames)):
        later = slice(at + 1, at + 1 + 4 * FOLLOWERS)
        gaps = frames[later] - frames[at]
        for ahead in np.flatnonzero((gaps >= 0) & (gaps <= REACH))[:FOLLOWERS]:
            second = tones[later][ahead]
            numbers.append(int(tones[at]) << 16 | int(second) << 8 | int(gaps[ahead]) // GAP_STEP)
            times.append(int(frames[at]))
    return Fingerprint(np.array(numbers, np.uint32), np.array(times, np.int32))


def same_recordings(
    clips: Mapping[str, Fingerprint], against: Mapping[str, Fingerprint] | None = None
) -> list[Match]:
    """Pairs of clips that hold the same recording, the surest first.

    Args:
        clips: fingerprints by name.
        against: others to look for the clips in; None for pairs within ``clips``.
    """
    others = clips if against is None else against
    names, prints = list(others), list(others.values())
    if not names:
        return []
    numbers = np.concatenate([one.numbers for one in prints])
    order = np.argsort(numbers, kind="stable")
    numbers = numbers[order]
    holders = np.repeat(np.arange(len(prints)), [len(one.numbers) for one in prints])[order]
    frames = np.concatenate([one.frames for one in prints])[order].astype(np.int64)
    found = []
    for at, (name, print_) in enumerate(clips.items()):
        first = np.searchsorted(numbers, print_.numbers, "left")
        count = np.searchsorted(numbers, print_.numbers, "right") - first
        count[count > _COMMON] = 0
        # Every place in the index that holds one of the clip's numbers.
        ends = np.cumsum(count)
        places = np.arange(count.sum()) + np.repeat(first - ends + count, count)
        shifts = frames[places] - np.repeat(print_.frames.astype(np.int64), count)
        who = holders[places]
        if against is None:
            # Every pair is looked at once.
            who, shifts = who[who > at], shifts[who > at]
        for other, agreeing, shift in _best_shifts(who, shifts):
            score = min(1.0, agreeing / min(len(print_.numbers), len(prints[other].numbers)))
            if score >= SAME_FROM:
                found.append(Match(name, names[other], score, shift * HOP / RATE))
    return sorted(found, key=lambda match: (-match.score, match.first, match.second))


def _best_shifts(
    who: NDArray[np.int64], shifts: NDArray[np.int64]
) -> Iterator[tuple[int, int, int]]:
    """(clip, numbers that agree, shift in frames) where most agree, if at least SAME_LEAST do."""
    if not len(who):
        return
    span = int(np.abs(shifts).max()) + 2
    keys, counts = np.unique(who * (2 * span) + shifts + span, return_counts=True)
    # A pair whose peaks move by a frame agrees at two neighbouring shifts.
    adjacent = np.diff(keys) == 1
    after = np.append(np.where(adjacent, counts[1:], 0), 0)
    before = np.append(0, np.where(adjacent, counts[:-1], 0))
    both = counts + np.maximum(before, after)
    enough = both >= SAME_LEAST
    keys, counts, both = keys[enough], counts[enough], both[enough]
    clip = keys // (2 * span)
    # Of two sums as large, the shift with most numbers of its own.
    order = np.lexsort((-counts, -both, clip))
    first = order[np.append(True, np.diff(clip[order]) > 0)[: len(order)]]
    for at in first.tolist():
        yield int(clip[at]), int(both[at]), int(keys[at] - clip[at] * 2 * span - span)
