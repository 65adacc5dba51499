"""Sizes and inputs that the recipe and the tests share. Needs numpy alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Case:
    """One layout at one size; feature widths are those of the published front ends."""

    preset: str
    channels: int
    cross_width: int
    generation: str = "v3"
    latent: int = 8
    lips: int = 12
    sync: int = 16
    semantic: int = 16
    phone: int = 4
    depth: int = 2
    heads: int = 2
    cross_heads: int = 1
    frames: int = 25
    seconds: int = 1
    every: int = 3


CASES = {
    "v3": Case("v3-m", 8 + 12 + 4 + 16, 16),
    "v3-all-cross": Case("v3-all-cross", 8, 16 + 4 + 12 + 16),
    "v3-lipsync": Case("v3-lipsync", 8 + 12 + 16, 16 + 4),
    "v3-videotext": Case("v3-videotext", 8 + 16 + 4, 16 + 12),
    "v3-all-concat": Case("v3-all-concat", 8 + 16 + 4 + 12 + 16, 0, cross_heads=2),
    "v1": Case("v1", 8 + 4 + 1, 768, "v1", semantic=768, frames=20),
}
"""Reduced sizes. The temporal projection of v1 wants a cross width of 768."""

V1_CASES = {
    "v1": CASES["v1"],
    "v1-all-cross": Case("v1-all-cross", 8, 768 + 4, "v1", semantic=768, frames=20),
    "v1-video": Case("v1-video", 8 + 768, 768, "v1", semantic=768, frames=20, every=9),
    "v1-all-concat": Case(
        "v1-all-concat", 8 + 4 + 768, 0, "v1", semantic=768, frames=20, cross_heads=2, every=9
    ),
}
"""Final and ablated layouts of v1, for sampling too."""
STEPS, GUIDANCE = 4, 3.0
"""Euler steps and the authors' guidance of the samples."""

FULL = {"latent": 128, "lips": 1024, "sync": 768, "semantic": 768, "phone": 32, "depth": 10}
M_CASES = {
    "v3-M": Case(
        "v3-m", 1952, 768, heads=24, cross_heads=12, frames=250, seconds=10, every=997, **FULL
    ),
    "v1-M": Case(
        "v1", 161, 768, "v1", heads=24, cross_heads=12, frames=250, seconds=10, every=997, **FULL
    ),
}
"""The published sizes."""


def inputs(case: Case) -> dict[str, NDArray[np.generic]]:
    """Features at their own rates, noisy latents and times of two clips, float32 and int64."""
    state = np.random.RandomState(11)

    def normal(*shape: int) -> NDArray[np.generic]:
        return state.standard_normal((2, *shape)).astype(np.float32)

    given: dict[str, NDArray[np.generic]] = {
        "x_t": normal(case.frames, case.latent),
        "t": np.array([0.1, 0.83], np.float32),
        "semantic": normal(10 * case.seconds, 768),
        "speaker": normal(256),
    }
    phones = case.frames - 3
    if case.generation == "v1":
        phones = 9
        durations = np.zeros((2, case.frames, phones), np.float32)
        rows = np.arange(case.frames)
        for item in range(2):
            durations[item, rows, (rows + item) * phones // (case.frames + 1)] = 1
        durations[1, 5, 6] = 1  # a predicted path may point at two phones
        given["durations"] = durations
    else:
        given["sync"] = normal(3 * case.seconds, 8, 768)
        given["lips"] = normal(case.frames - 5, 1024)
    given["phonemes"] = state.randint(0, 71, (2, phones)).astype(np.int64)
    return given


def predictor_inputs() -> dict[str, NDArray[np.generic]]:
    """Phonemes, lips, durations and lengths of two clips for v1's duration predictor."""
    state = np.random.RandomState(12)
    frames, phones = 60, 11
    ids = state.randint(1, 71, (2, phones)).astype(np.int64)
    ids[1, 8:] = 0  # padding
    lips = state.standard_normal((2, frames, 1024)).astype(np.float32)
    durations = np.zeros((2, frames, phones), np.float32)
    lengths = np.array([60, 41], np.int64)
    for item, (length, count) in enumerate(zip(lengths, (11, 8), strict=True)):
        rows = np.arange(length)
        durations[item, rows, rows * count // length] = 1
        lips[item, length:] = 0
    durations[0, 7, 2] = 1  # a frame of two phonemes
    return {"ids": ids, "lips": lips, "durations": durations, "frames": lengths}


def spoken_ids() -> NDArray[np.int64]:
    """One utterance: blank, phonemes, blank."""
    middle = np.random.RandomState(13).randint(1, 59, 27)
    return np.array([59, *middle, 59], np.int64)


def path_maps() -> list[NDArray[np.float32]]:
    """Maps to find a path through: more frames, more phonemes, one row, one column, ties."""
    state = np.random.RandomState(14)
    shapes = ((40, 9), (5, 12), (1, 4), (6, 1))
    maps = [state.random_sample(shape).astype(np.float32) for shape in shapes]
    ties = state.randint(0, 3, (15, 8)).astype(np.float32) / 2
    return [*maps, ties, np.zeros((7, 5), np.float32)]
