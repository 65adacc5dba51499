"""Known bugs of published sound metrics: the faulty rule in a few lines, and what comes out here.

Bugs with tests elsewhere: the square root of a product (``test_frechet``), both bandwidths of KAD
(``test_kernel``), the two directions of KL (``test_divergence``, ``test_sound_profiles``), the
other flaws of the onset dialects (``test_onset``, ``test_sound_profiles``), one peak for many
onsets (``test_audio_visual``), corrupt and short files (``tests/test_run.py``).
"""

from __future__ import annotations

import random

import numpy as np
import pytest
import scipy.linalg
from scipy.special import softmax

from vsseval.encoders.imagebind_audio import views
from vsseval.encoders.onsets import detect
from vsseval.features import FeatureTable
from vsseval.metrics.divergence import inception_score, kl_divergence
from vsseval.metrics.frechet import frechet_distance
from vsseval.metrics.frechet_fadtk import frechet_infinity
from vsseval.metrics.onset import onset_f1
from vsseval.metrics.table import METRICS
from vsseval.preparations import prepare
from vsseval.score import Scored, score_metrics
from vsseval.types import Audio, Benchmark, Item

RATE = 22_050


def scored(metric: str, tables: dict[str, dict], missing: dict[str, str] | None = None) -> Scored:
    """A metric on aiSFX features by source and clip; ``missing`` says why a generated one lacks."""
    names = sorted({name for rows in tables.values() for name in rows} | set(missing or {}))
    items = tuple(Item(name, 4.0) for name in names)
    bench = Benchmark("bench", "1", "sound", 4.0, RATE, items, (), "0123456789abcdef")
    filled = {
        (source, "aisfx"): FeatureTable(
            source,
            "aisfx",
            "aisfx",
            ("soxr-mean:44100",),
            {(name, 0): features for name, features in rows.items()},
            {(name, 0): why for name, why in (missing or {}).items()},
        )
        for source, rows in tables.items()
    }
    return score_metrics([METRICS[metric]], bench, filled, {}, takes=1)[0]


def logits(*peaks: int) -> dict[str, dict]:
    """Clips a, b, c ... of one block each, surest of the class given."""
    return {
        name: {"logits": 3.0 * np.eye(8)[[peak]]} for name, peak in zip("abcd", peaks, strict=False)
    }


# ---- a failed distance is -1, the best of ranks (av-benchmark, gudgud96)


def test_a_failed_distance_has_no_value_and_no_rank() -> None:
    x = np.random.RandomState(0).standard_normal((40, 3))
    sets = {"good": x + 0.1, "failed": x[:1] + 9.0}

    def published(generated: np.ndarray) -> float:
        try:
            return frechet_distance(x, generated)
        except Exception:
            return -1.0

    values = {name: published(rows) for name, rows in sets.items()}
    assert min(values, key=values.get) == "failed"
    features = {f"{n:02}": {"embedding": row} for n, row in enumerate(x)}
    lost = dict.fromkeys(list(features)[1:], "unreadable")
    only = {"00": {"embedding": sets["failed"][0]}}
    score = scored("fd.aisfx", {"reference": features, "generated": only}, lost).score
    assert score.value is None
    assert "at least 2 rows" in score.note
    assert (score.n_scored, score.n_expected) == (1, 40)


# ---- a clip that cannot be read becomes its neighbour, or a constant (av-benchmark, VABench)


@pytest.mark.parametrize("instead", ["the next clip", "0.0", "1.0"])
def test_a_clip_that_failed_is_no_value_in_the_mean(instead: str) -> None:
    reference, generated = logits(0, 1, 2), logits(0, 1, 3)
    each = {
        name: kl_divergence(reference[name]["logits"][0], generated[name]["logits"][0])
        for name in "abc"
    }
    standing_in = each["c"] if instead == "the next clip" else float(instead)
    published = np.mean([each["a"], standing_in, each["c"]])
    del generated["b"]
    found = scored(
        "kl.aisfx", {"reference": reference, "generated": generated}, {"b": "unreadable"}
    )
    assert found.score.value == pytest.approx((each["a"] + each["c"]) / 2)
    assert abs(published - found.score.value) > 0.01
    assert found.score.excluded == {"b": "generated: unreadable"}
    assert (found.score.n_scored, found.score.n_expected) == (2, 3)


# ---- names are cut by their length (av-benchmark), or differ and leave KL at -1 (audioldm_eval)


def test_names_are_never_cut_or_compared_by_form() -> None:
    # 20 characters are taken for a VGGSound name with the number of a take at its end.
    names = ["street-band-drums-01", "street-band-drums-02"]
    keys = {name[:18] if len(name) == 20 else name for name in names}
    assert len(keys) == 1
    reference = {name: logits(0)["a"] for name in names}
    generated = {names[0]: logits(0)["a"], names[1]: logits(1)["a"]}
    found = scored("kl.aisfx", {"reference": reference, "generated": generated})
    values = [float(found.components[name, 0][0]) for name in names]
    assert values[0] == pytest.approx(0.0, abs=1e-12)
    assert values[1] > 0.5


def test_clips_without_a_partner_are_named_and_give_no_minus_one() -> None:
    reference, generated = logits(0, 1), {"x": logits(0)["a"]}
    shared = reference.keys() & generated.keys()
    published = np.mean([0.0 for _ in shared]) if shared else -1.0
    assert published == -1.0
    score = scored("kl.aisfx", {"reference": reference, "generated": generated}).score
    assert score.value is None
    assert set(score.excluded) == {"a", "b", "x"}


# ---- an encoder without classes has a KL and an IS (audioldm_eval's default, MERT)


def test_hidden_states_taken_for_logits_score_almost_perfectly() -> None:
    first, second = 0.1 * np.random.RandomState(1).standard_normal((2, 20, 768))
    p, q = softmax(first, axis=1), softmax(second, axis=1)
    published = np.mean(np.sum(p * np.log(p / q), axis=1))
    assert published < 0.02  # nothing is shared by the two sides
    assert inception_score(second, splits=2) == pytest.approx(1.0, abs=0.01)
    for row in METRICS.values():
        if row.compute.startswith("vsseval.metrics.divergence:"):
            assert {text.rpartition(".")[2] for text in row.inputs} == {"logits"}, row.id


# ---- stereo: the first channel alone (audioldm_eval), channels laid end to end (MS-CLAP)


def test_sound_of_the_right_channel_is_heard() -> None:
    right = 0.5 * np.sin(2 * np.pi * 440 * np.arange(10 * RATE) / RATE)
    stereo = np.stack([np.zeros(10 * RATE), right]).astype(np.float32)
    assert not stereo[0].any()
    assert not stereo.reshape(-1)[: 7 * RATE].any()
    heard = prepare(Audio(stereo, RATE), RATE, 10.0)
    np.testing.assert_allclose(heard, right / 2, atol=1e-4)


# ---- windows drawn anew in each call (MS-CLAP, LAION-CLAP)


def test_a_clip_of_twelve_seconds_is_heard_the_same_twice() -> None:
    assert not hasattr(np.random, "integers")  # what LAION-CLAP calls beyond 10 s (its issue 182)
    samples = np.random.RandomState(2).standard_normal(12 * 16_000).astype(np.float32)
    drawn = [random.Random(seed).randrange(samples.size - 7 * 16_000) for seed in (1, 2)]
    crops = [samples[start:][: 7 * 16_000] for start in drawn]
    assert not np.array_equal(*crops)
    first = views(samples)
    random.seed(5)
    np.random.seed(5)  # noqa: NPY002
    np.testing.assert_array_equal(views(samples), first)


# ---- FAD-infinity draws from the global generator (fadtk, kadtk, VERSA)


def test_an_extrapolation_neither_reads_nor_moves_the_global_generator() -> None:
    x = np.random.RandomState(3).standard_normal((90, 2))

    def published() -> float:
        chosen = np.random.choice(90, 90)  # noqa: NPY002
        return frechet_distance(x, x[chosen])

    assert published() != published()
    values = []
    for seed in (1, 2):
        np.random.seed(seed)  # noqa: NPY002
        values.append(frechet_infinity(x, x + 0.3, least=40, steps=4))
        after = np.random.random_sample()  # noqa: NPY002
        assert after == np.random.RandomState(seed).random_sample()
    assert values[0] == values[1]


# ---- imaginary parts dropped after float32 statistics (kadtk)


def test_fewer_clips_than_dimensions_leave_the_distance_exact() -> None:
    # 20 clips in 8 of 48 dimensions, turned: the distance is that of the 8 dimensions.
    draw = np.random.RandomState(4).standard_normal
    x, y = draw((20, 8)), draw((20, 8)) + 0.3
    turn = np.linalg.qr(draw((48, 48)))[0][:8]
    exact = frechet_by_square_root(x, y)
    single = [side.astype(np.float32) for side in (x @ turn, y @ turn)]
    published = frechet_by_square_root(*single)
    assert abs(published / exact - 1) > 1e-5
    assert frechet_distance(x @ turn, y @ turn) == pytest.approx(exact, rel=1e-9)


def frechet_by_square_root(x: np.ndarray, y: np.ndarray) -> float:
    first, second = (np.cov(side, rowvar=False, dtype=side.dtype) for side in (x, y))
    root = np.real(scipy.linalg.sqrtm(first @ second))
    gap = x.mean(axis=0) - y.mean(axis=0)
    return float(gap @ gap + np.trace(first) + np.trace(second) - 2 * np.trace(root))


# ---- 1e-6 is always added to both covariances (FastVideo)


def test_nothing_is_added_to_covariances() -> None:
    # Each side varies in the half of 8 dimensions in which the other is constant, so that no
    # variance can be carried over: the distance is the sum of both traces.
    points = np.vstack([np.eye(4), -np.eye(4)]) * 3.0
    x, y = (np.hstack(sides) for sides in ((points, 0 * points), (0 * points, points)))
    first, second = (np.cov(side, rowvar=False) + 1e-6 * np.eye(8) for side in (x, y))
    root = np.sqrt(np.diag(first) * np.diag(second)).sum()
    published = np.trace(first) + np.trace(second) - 2 * root
    exact = 2 * 4 * 2 * 9 / 7
    assert frechet_distance(x, y) == pytest.approx(exact, rel=1e-12)
    # -2 sqrt(variance * 1e-6) in each of the 8 dimensions: 0.12 % too little
    assert published == pytest.approx(exact - 16 * np.sqrt(1e-6 * 18 / 7), rel=1e-5)


# ---- one option is the threshold of detection and the tolerance of matching (MMAudio)


def test_a_wider_tolerance_never_loses_an_onset() -> None:
    frames = np.array([20, 70, 120, 170])
    flux = np.zeros(200, np.float32)
    flux[frames] = (1.0, 0.9, 0.6, 0.4)
    planted = frames * 512 / RATE

    def published(option: float) -> int:
        found = detect(flux, option) / RATE
        return sum(bool((np.abs(found - onset) < option).any()) for onset in planted)

    assert [published(option) for option in (0.1, 0.3, 0.5, 0.7)] == [4, 4, 3, 2]
    late = detect(flux, 0.3) / RATE + 0.07
    values = [onset_f1(planted, late, window=window) for window in (0.05, 0.1, 0.2)]
    assert values == [0.0, 1.0, 1.0]


# ---- silence divides by zero, or ends in an error without onsets (CondFoleyGen, MMAudio)


def test_silence_has_loudness_zero_and_no_onsets() -> None:
    from vsseval.encoders.onsets import load

    silence = np.zeros(RATE, np.float32)
    with np.errstate(invalid="ignore"):
        published = (silence - silence.min()) / (silence.max() - silence.min())
    assert np.isnan(published).all()
    found = load()(silence)
    assert {name: values.size for name, values in found.items()} == dict.fromkeys(found, 0)
