"""Models that show what a metric can see: the ground truth and ways to spoil it.

They read the reference audio, so they are rows apart in a report and no competitors.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vsseval.audio import read_audio
from vsseval.errors import InputError
from vsseval.types import Audio, Item, ModelContext, ModelOutput

SHIFT_SECONDS = 0.4
"""Delay of ``shifted`` [s], well above the 0.1 s that onset metrics tolerate."""

NOISE_DBFS = -20.0
"""Root-mean-square level of ``noise`` relative to full scale [dB]."""


@dataclass(frozen=True, slots=True)
class Oracle:
    """A model that is one function of the item and the seed."""

    signature: Mapping[str, str]
    render: Callable[[Item, int], Audio]

    def generate(self, item: Item, seed: int) -> ModelOutput:
        """The rendered audio; no network function evaluations."""
        return ModelOutput(self.render(item, seed))


def load_reference(context: ModelContext) -> Oracle:
    """The reference audio as it is."""
    return Oracle({"name": "reference", "version": "1"}, lambda item, seed: reference_audio(item))


def load_shifted(context: ModelContext) -> Oracle:
    """The reference audio 0.4 s late: zeros in front, the end cut off, the length unchanged."""

    def render(item: Item, seed: int) -> Audio:
        return delayed(reference_audio(item), SHIFT_SECONDS)

    return Oracle({"name": "shifted", "seconds": str(SHIFT_SECONDS), "version": "1"}, render)


def load_shuffled(context: ModelContext) -> Oracle:
    """The reference audio of another item, cut or zero-padded to this item's duration."""
    partners = derangement([item for item in context.benchmark.items if item.audio is not None])

    def render(item: Item, seed: int) -> Audio:
        if item.id not in partners:
            raise InputError(f"item {item.id} has no reference audio to exchange")
        return fitted(reference_audio(partners[item.id]), item.duration)

    return Oracle({"name": "shuffled", "version": "1"}, render)


def load_noise(context: ModelContext) -> Oracle:
    """White Gaussian noise at -20 dBFS, at the benchmark's rate, seeded by the clip's seed."""
    rate = context.benchmark.sample_rate

    def render(item: Item, seed: int) -> Audio:
        draws = np.random.default_rng(seed).standard_normal((1, round(item.duration * rate)))
        return Audio(np.asarray(draws * 10 ** (NOISE_DBFS / 20), dtype=np.float32), rate)

    return Oracle({"name": "noise", "dbfs": str(NOISE_DBFS), "version": "1"}, render)


def load_silence(context: ModelContext) -> Oracle:
    """Zeros at the benchmark's rate."""
    rate = context.benchmark.sample_rate

    def render(item: Item, seed: int) -> Audio:
        return Audio(np.zeros((1, round(item.duration * rate)), dtype=np.float32), rate)

    return Oracle({"name": "silence", "version": "1"}, render)


def reference_audio(item: Item) -> Audio:
    """The item's reference audio.

    Raises:
        InputError: the item has none, or its file cannot be decoded.
    """
    if item.audio is None:
        raise InputError(f"item {item.id} has no reference audio")
    return read_audio(item.audio)


def delayed(audio: Audio, seconds: float) -> Audio:
    """Audio that begins ``seconds`` later: zeros in front, cut to the same length."""
    shift = min(round(seconds * audio.sample_rate), audio.samples.shape[1])
    moved: NDArray[np.float32] = np.zeros_like(audio.samples)
    moved[:, shift:] = audio.samples[:, : audio.samples.shape[1] - shift]
    return Audio(moved, audio.sample_rate)


def fitted(audio: Audio, seconds: float) -> Audio:
    """Audio cut, or padded with zeros at the end, to ``seconds``."""
    length = round(seconds * audio.sample_rate)
    cut = audio.samples[:, :length]
    return Audio(np.pad(cut, ((0, 0), (0, length - cut.shape[1]))), audio.sample_rate)


def derangement(items: list[Item]) -> dict[str, Item]:
    """A fixed one-to-one exchange in which no item keeps its own audio.

    Items are ordered by the hash of their content (transcript, else label, else id) and then of
    their id, and the list is turned by the size of its largest group of equal content: if no
    content fills more than half of the list, everyone receives other content. Otherwise (one
    content everywhere) it is turned by one.

    Raises:
        InputError: fewer than two items.
    """
    if len(items) < 2:
        raise InputError(f"exchanging audio takes at least 2 items with audio, got {len(items)}")
    content = {item.id: item.transcript or item.label or item.id for item in items}
    ordered = sorted(items, key=lambda item: (_hash(content[item.id]), _hash(item.id)))
    names = [content[item.id] for item in ordered]
    largest = max(names.count(name) for name in set(names))
    turn = largest if largest < len(items) else 1
    return {item.id: ordered[(index + turn) % len(ordered)] for index, item in enumerate(ordered)}


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
