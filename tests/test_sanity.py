"""Checks of generated audio: each finds what was planted, and nothing in sound audio."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from vsseval.outputs import check_files
from vsseval.sanity import Output, clipped_share, correlation_peak, examine, gather, level_dbfs
from vsseval.types import Audio, Benchmark, Generation, Item

RATE = 16000


def noise(seed: int, seconds: float = 1.0, scale: float = 0.1, rate: int = RATE) -> np.ndarray:
    samples = scale * np.random.RandomState(seed).standard_normal(int(seconds * rate))
    return samples.astype(np.float32)


def output(samples, reference=None, *, item="a", clip=None, duration=1.0, rate=RATE) -> Output:
    def audio(one):
        return Audio(np.atleast_2d(one).astype(np.float32), rate)

    theirs = None if reference is None else audio(reference)
    return Output(clip or item, item, audio(samples), theirs, duration)


def found(*outputs: Output) -> dict:
    return {check: dict(clips) for check, clips in gather(map(examine, outputs)).findings.items()}


def test_sound_audio_has_no_findings() -> None:
    one = output(noise(0), noise(1))
    other = output(noise(2), noise(3), item="b")
    assert found(one, other) == {}


@pytest.mark.parametrize(
    ("samples", "check"),
    [
        (np.zeros(RATE), "silent"),
        (noise(0, scale=5e-4), "silent"),
        (np.clip(noise(0, scale=2.0), -1, 1), "clipped"),
        (noise(0) + 0.03, "dc"),
        (noise(0, seconds=0.85), "length"),
        (noise(0, seconds=1.2), "length"),
    ],
    ids=["zeros", "below -60 dBFS", "clipped", "offset", "short", "long"],
)
def test_planted_fault_is_found_and_no_other(samples, check: str) -> None:
    assert list(found(output(samples))) == [check]


def test_level_is_measured_against_the_reference() -> None:
    # 0.1 against 0.005 is 26 dB.
    assert found(output(noise(0), noise(1, scale=0.005))) == {
        "level": {"a": "+26 dB from the reference"}
    }
    assert found(output(noise(0), noise(1, scale=0.02))) == {}


def test_median_levels_of_both_sides() -> None:
    tone = np.sin(2 * np.pi * 100 * np.arange(RATE) / RATE)
    sane = gather(examine(output(tone * 0.1, tone, item=str(n))) for n in range(3))
    # A sine of amplitude 1 has -3.01 dBFS.
    assert (sane.checked, sane.level, sane.reference_level) == (3, -23.01, -3.01)
    nothing = gather([])
    assert (nothing.checked, nothing.level, nothing.reference_level) == (0, None, None)


def test_same_output_for_two_items_is_named_on_both() -> None:
    same = noise(0)
    clips = found(output(same), output(same, item="b"), output(noise(1), item="c"))
    assert clips == {"duplicate": {"a": "the same samples as b", "b": "the same samples as a"}}


def test_same_takes_of_one_item_are_no_duplicates() -> None:
    same = noise(0)
    assert found(output(same), output(same, item="a", clip="a.take1")) == {}


def test_silent_outputs_are_silent_and_no_duplicates() -> None:
    clips = found(output(np.zeros(RATE)), output(np.zeros(RATE), item="b"))
    assert list(clips) == ["silent"]


def test_shifted_louder_copy_of_the_reference_is_found() -> None:
    reference = noise(0)
    copy = 2.0 * np.concatenate([np.zeros(3000, np.float32), reference[:-3000]])
    copy = copy + 0.1 * noise(1)
    clips = found(output(copy, reference))
    assert list(clips) == ["near-copy"]
    # A copy that is inverted is one as well.
    assert list(found(output(-copy, reference))) == ["near-copy"]


def test_correlation_is_that_of_the_mixture() -> None:
    # r = 1 / sqrt(1 + 1) for equal parts of the reference and of something else; white noise keeps
    # it under resampling.
    reference = noise(0, 4.0)
    mixed = reference + noise(1, 4.0)
    sides = [Audio(side[None], RATE) for side in (mixed, reference)]
    assert correlation_peak(*sides) == pytest.approx(0.5**0.5, abs=0.02)
    assert correlation_peak(sides[1], sides[1]) == pytest.approx(1.0, abs=1e-9)
    late = Audio(np.roll(reference, RATE)[None], RATE)
    # One second is beyond the lags that are looked at.
    assert correlation_peak(late, sides[1]) < 0.1


def test_copy_at_another_rate_is_found() -> None:
    import soxr

    reference = noise(0, 1.0)
    low = soxr.resample(reference, RATE, 12000).astype(np.float32)
    assert correlation_peak(Audio(low[None], 12000), Audio(reference[None], RATE)) > 0.99


def test_single_peaks_are_not_clipping() -> None:
    samples = noise(0)
    samples[::10] = 1.0
    assert clipped_share(samples[None]) == 0.0
    samples[100:104] = 1.0
    # Four of 16,000, and the runs they make with a peak beside them.
    assert clipped_share(samples[None]) == pytest.approx(4 / RATE)


def test_level_of_nothing_is_finite() -> None:
    assert level_dbfs(np.zeros((1, 0), np.float32)) == -200.0
    assert level_dbfs(np.zeros((1, 5), np.float32)) == -200.0


# --- files ---


def test_files_of_a_run_are_checked_in_the_order_of_their_clips(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "ref.wav", noise(0), RATE, subtype="FLOAT")
    soundfile.write(tmp_path / "copy.wav", noise(0), RATE, subtype="FLOAT")
    soundfile.write(tmp_path / "zero.wav", np.zeros(RATE), RATE)
    (tmp_path / "broken.wav").write_bytes(b"nothing")
    items = tuple(Item(name, 1.0, audio=tmp_path / "ref.wav") for name in "abcd")
    bench = Benchmark("toy", "1", "sound", 1.0, RATE, items, (), "0" * 64)
    files = {"b": "copy.wav", "a": "zero.wav", "c": "broken.wav", "d": None}
    rows = [
        Generation(name, 0, 0, tmp_path / file if file else None, None, None, 0.0, 0)
        for name, file in files.items()
    ]
    found = check_files(bench, rows)
    assert found.checked == 2
    assert {check: list(clips) for check, clips in found.findings.items()} == {
        "silent": ["a"],
        "near-copy": ["b"],
    }
    lost = replace(bench, items=tuple(replace(item, audio=tmp_path / "no") for item in items))
    assert check_files(lost, rows).reference_level is None
