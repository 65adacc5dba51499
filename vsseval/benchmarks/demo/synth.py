"""Building blocks of the sounds, float64 at 16 kHz: modes, noise bands, bubbles, mixing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from scipy.signal import butter, sosfilt

from vsseval.benchmarks.demo.clip import RATE, SAMPLES, FloatArray

HIGHEST = 7600.0
"""Modes above this frequency [Hz] are left out, to stay clear of the Nyquist frequency."""


def modes(
    frequencies: Sequence[float] | FloatArray,
    decays: Sequence[float] | FloatArray,
    amplitudes: Sequence[float] | FloatArray,
    rng: np.random.Generator,
) -> FloatArray:
    """Response of a struck body: a sum of decaying sinusoids, each with its own starting phase.

    Args:
        frequencies: of the modes [Hz].
        decays: time in which each mode falls to 1/e [s].
        amplitudes: of the modes, linear.
        rng: gives the phases.

    Returns:
        float64 (n,), n = 7 times the longest decay; the first millisecond is faded in.
    """
    length = min(SAMPLES, int(7 * max(decays) * RATE) + 64)
    out = np.zeros(length)
    for frequency, decay, amplitude in zip(frequencies, decays, amplitudes, strict=True):
        phase = rng.uniform(0, 2 * np.pi)
        if frequency < HIGHEST:
            n = min(length, int(7 * decay * RATE) + 64)
            t = np.arange(n) / RATE
            out[:n] += amplitude * np.exp(-t / decay) * np.sin(2 * np.pi * frequency * t + phase)
    out[:16] *= np.linspace(0, 1, 16)
    return out


def band(x: FloatArray, low: float, high: float, order: int = 2) -> FloatArray:
    """Samples between two frequencies [Hz] (Butterworth; 0 or 8000 leaves that side open)."""
    if low <= 0 and high >= RATE / 2:
        return x
    if low <= 0:
        sos = butter(order, high, "lowpass", fs=RATE, output="sos")
    elif high >= RATE / 2:
        sos = butter(order, low, "highpass", fs=RATE, output="sos")
    else:
        sos = butter(order, [low, high], "bandpass", fs=RATE, output="sos")
    return np.asarray(sosfilt(sos, x), dtype=np.float64)


def unit(x: FloatArray) -> FloatArray:
    """Samples scaled to a largest magnitude of 1 (zeros stay zeros)."""
    peak = float(np.abs(x).max())
    return x / peak if peak > 0 else x


def burst(
    rng: np.random.Generator, decay: float, low: float, high: float, attack: float = 0.0005
) -> FloatArray:
    """A burst of noise between two frequencies [Hz]; peak 1.

    It rises in ``attack`` and falls to 1/e in ``decay`` [s].
    """
    n = int(7 * decay * RATE) + int(attack * RATE) + 64
    t = np.arange(n) / RATE
    envelope = np.minimum(1, t / attack) * np.exp(-np.maximum(0, t - attack) / decay)
    return unit(band(rng.standard_normal(n), low, high) * envelope)


def grains(
    rng: np.random.Generator, count: int, spread: float, low: float, high: float
) -> FloatArray:
    """A crunch: short bursts at random times within ``spread`` seconds, denser at first; peak 1."""
    out = np.zeros(int((spread + 0.05) * RATE))
    for start in rng.beta(1, 1.8, count) * spread:
        grain = burst(rng, rng.uniform(0.001, 0.005), low, high) * rng.uniform(0.3, 1)
        i = int(start * RATE)
        n = min(len(grain), len(out) - i)
        out[i : i + n] += grain[:n]
    return unit(out)


def bubble(radius_mm: float) -> FloatArray:
    """The chirp of a drop's bubble; peak 1.

    Its frequency is 3.26 m/s over its radius (Minnaert 1933); damping and rise of pitch are those
    of van den Doel, Physically-based models for liquid sounds (2005).
    """
    frequency = 3260.0 / radius_mm
    damping = 0.13 / (radius_mm * 1e-3) + 0.0072 * (radius_mm * 1e-3) ** -1.5
    rise = 0.1 * damping
    t = np.arange(int(7 / damping * RATE) + 64) / RATE
    phase = 2 * np.pi * (frequency * t + 0.5 * frequency * rise * t**2)
    out = np.exp(-damping * t) * np.sin(phase)
    out[np.gradient(phase) * RATE / (2 * np.pi) > HIGHEST] = 0
    return unit(out)


def mix(events: Iterable[tuple[float, float, FloatArray]]) -> FloatArray:
    """Sum of (time [s], gain, response) on the clip's time axis, float64 (64000,)."""
    out = np.zeros(SAMPLES)
    for time, gain, response in events:
        start = round(time * RATE)
        n = min(len(response), SAMPLES - start)
        if n > 0:
            out[start : start + n] += gain * response[:n]
    return out


def smooth_noise(rng: np.random.Generator, knots: int, n: int) -> FloatArray:
    """A wandering curve in [0, 1]: ``knots`` random values joined by cosines, float64 (n,)."""
    values = rng.uniform(0, 1, knots)
    at = np.linspace(0, knots - 1, n)
    i = np.minimum(at.astype(int), knots - 2)
    blend = (1 - np.cos(np.pi * (at - i))) / 2
    return np.asarray(values[i] * (1 - blend) + values[i + 1] * blend)


def finish(
    rng: np.random.Generator, x: FloatArray, level: float, floor_db: float = -74.0
) -> FloatArray:
    """Samples scaled to peak ``level``, over a low-passed noise floor of ``floor_db`` dBFS."""
    floor = band(rng.standard_normal(SAMPLES), 0, 4000)
    floor *= 10 ** (floor_db / 20) / float(np.sqrt(np.mean(floor**2)))
    return np.clip(unit(x) * level + floor, -0.99, 0.99)
