"""The oracles do to the reference what their names say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from baselines.oracles import (
    delayed,
    derangement,
    load_noise,
    load_reference,
    load_shifted,
    load_shuffled,
    load_silence,
)
from vsseval.audio import read_audio
from vsseval.benchmarks.manifest import read_benchmark
from vsseval.errors import InputError
from vsseval.types import Audio, Item, ModelContext


@pytest.fixture
def context(toy: Path) -> ModelContext:
    return ModelContext(read_benchmark(toy), None, "cpu")


def test_reference_is_the_file(context: ModelContext) -> None:
    item = context.benchmark.items[0]
    output = load_reference(context).generate(item, 1).audio
    assert np.array_equal(output.samples, read_audio(item.audio).samples)


def test_shifted_is_late_by_exactly_0_4_seconds(context: ModelContext) -> None:
    item = context.benchmark.items[0]
    reference = read_audio(item.audio).samples
    output = load_shifted(context).generate(item, 1).audio.samples
    assert output.shape == reference.shape
    assert not output[:, :6400].any()
    assert np.array_equal(output[:, 6400:], reference[:, :-6400])


def test_delay_beyond_the_end_is_silence() -> None:
    assert not delayed(Audio(np.ones((1, 10), np.float32), 100), 0.4).samples.any()


def test_shuffled_gives_each_audio_once_and_never_that_of_the_same_sentence(
    context: ModelContext,
) -> None:
    model = load_shuffled(context)
    items = context.benchmark.items
    own = {item.id: read_audio(item.audio).samples.tobytes() for item in items}
    given = {item.id: model.generate(item, 1).audio.samples.tobytes() for item in items}
    assert sorted(own.values()) == sorted(given.values())
    assert all(own[name] != given[name] for name in own)


def test_shuffled_fits_the_duration(context: ModelContext) -> None:
    model = load_shuffled(context)
    for seconds in (0.5, 1.5):
        item = replace(context.benchmark.items[0], duration=seconds)
        assert model.generate(item, 1).audio.samples.shape == (1, round(16000 * seconds))


def test_derangement_prefers_another_label() -> None:
    items = [Item(f"{label}{n}", 1.0, label=label) for label in "xyz" for n in range(4)]
    for name, partner in derangement(items).items():
        assert partner.label != name[0]


def test_derangement_of_one_label_still_moves_everyone() -> None:
    items = [Item(str(n), 1.0, label="x") for n in range(5)]
    partners = derangement(items)
    assert sorted(p.id for p in partners.values()) == sorted(partners)
    assert all(name != partner.id for name, partner in partners.items())


def test_derangement_does_not_depend_on_the_order_of_items() -> None:
    items = [Item(str(n), 1.0, label=str(n % 3)) for n in range(9)]
    assert derangement(items) == derangement(items[::-1])


def test_derangement_of_one_item_is_refused() -> None:
    with pytest.raises(InputError, match="at least 2 items with audio, got 1"):
        derangement([Item("a", 1.0)])


def test_noise_has_its_level_and_follows_the_seed(context: ModelContext) -> None:
    model = load_noise(context)
    item = replace(context.benchmark.items[0], duration=10.0)
    samples = model.generate(item, 7).audio.samples
    # -20 dBFS is a root mean square of 0.1; its relative standard error is 1 / sqrt(2 * 160000).
    assert np.sqrt(np.mean(samples.astype(np.float64) ** 2)) == pytest.approx(0.1, rel=0.01)
    assert np.array_equal(samples, model.generate(item, 7).audio.samples)
    assert not np.array_equal(samples, model.generate(item, 8).audio.samples)


def test_silence_is_zeros_of_the_right_length(context: ModelContext) -> None:
    audio = load_silence(context).generate(context.benchmark.items[0], 1).audio
    assert audio.samples.shape == (1, 16000)
    assert not audio.samples.any()


def test_item_without_reference_is_refused(context: ModelContext) -> None:
    item = Item("x", 1.0)
    with pytest.raises(InputError, match="item x has no reference audio"):
        load_reference(context).generate(item, 1)
    with pytest.raises(InputError, match="item x has no reference audio to exchange"):
        load_shuffled(context).generate(item, 1)
