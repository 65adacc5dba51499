"""Closed-form test sounds, on which the values of tests/reference/encoders_*.json were computed.

Every function returns mono float32 (n,) in [-1, 1] with n = round(seconds * rate).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

Samples = NDArray[np.float32]


def chirp(rate: int, seconds: float) -> Samples:
    """Linear sweep from 100 Hz to 6 kHz that swells from 0.1 to 0.6."""
    t = np.arange(round(seconds * rate)) / rate
    phase = 2 * np.pi * (100 * t + (6000 - 100) / (2 * seconds) * t**2)
    return ((0.1 + 0.5 * t / seconds) * np.sin(phase)).astype(np.float32)


HIT_TIMES = (0.40, 0.95, 1.30, 2.05, 2.80, 3.35)


def hits(rate: int, seconds: float) -> Samples:
    """Modes of 523, 1187 and 2741 Hz struck at ``HIT_TIMES``, ever weaker, over faint noise."""
    t = np.arange(round(seconds * rate)) / rate
    wave = 0.002 * np.random.default_rng(7).standard_normal(t.size)
    for index, start in enumerate(HIT_TIMES):
        since = np.maximum(t - start, 0.0)
        modes = sum(
            gain * np.exp(-decay * since) * np.sin(2 * np.pi * frequency * since)
            for gain, decay, frequency in ((1.0, 18, 523), (0.6, 30, 1187), (0.4, 45, 2741))
        )
        wave += 0.3 * 0.85**index * modes
    return wave.astype(np.float32)


def noise(rate: int, seconds: float) -> Samples:
    """White noise, seed 11, whose level rises and falls three times a second."""
    t = np.arange(round(seconds * rate)) / rate
    white = np.random.default_rng(11).standard_normal(t.size)
    return (0.08 * (1 + 0.9 * np.sin(2 * np.pi * 3 * t)) * white).astype(np.float32)


def vowels(rate: int, seconds: float) -> Samples:
    """A pulse train gliding between 110 and 170 Hz through formants that change every 0.4 s."""
    n = round(seconds * rate)
    t = np.arange(n) / rate
    phase = np.cumsum(140 + 30 * np.sin(2 * np.pi * 0.7 * t)) / rate
    pulses = np.diff(np.floor(phase), prepend=0.0) + 0.003 * np.random.default_rng(
        3
    ).standard_normal(n)
    formants = ((730, 1090, 2440), (270, 2290, 3010), (300, 870, 2240), (530, 1840, 2480))
    wave = np.zeros(n)
    step = round(0.4 * rate)
    for index, start in enumerate(range(0, n, step)):
        piece = pulses[start : start + step]
        for frequency in formants[index % 4]:
            radius = np.exp(-np.pi * 90 / rate)
            poles = [1, -2 * radius * np.cos(2 * np.pi * frequency / rate), radius**2]
            piece = lfilter([1 - radius], poles, piece)
        wave[start : start + step] = piece * np.hanning(piece.size) ** 0.25
    return (0.4 * wave / np.abs(wave).max()).astype(np.float32)


SIGNALS = {"chirp": chirp, "hits": hits, "noise": noise, "vowels": vowels}
