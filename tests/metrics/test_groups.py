"""Items that are not independent: whole groups are drawn, left out and exchanged.

Copies of a clip say no more than the clip, so that intervals and p-values of a set of copies must
be those of the set without them. Clusters of rows have a second origin: a group is what one clip
with the rows of all of them would be.
"""

from __future__ import annotations

import numpy as np
import pytest

from vsseval.errors import InputError
from vsseval.metrics import kernel
from vsseval.metrics._arrays import rows_of_items
from vsseval.metrics.divergence import inception_set_value
from vsseval.metrics.influence import frechet_influence, frechet_set_value
from vsseval.metrics.kernel import kernel_audio_distance, kernel_set_value, median_distance
from vsseval.metrics.paired import (
    clustered,
    compare_influence,
    compare_paired,
    exchange_p_values,
    margin_p_value,
    paired,
)
from vsseval.metrics.statistics import standard_error

COPIES = 4


def sides(seed, n, rows, d):
    """Clips of alike rows on both sides, and a group for each, in no order."""
    random = np.random.RandomState(seed)
    x = random.standard_normal((n, 1, d)) + 0.5 * random.standard_normal((n, rows, d))
    y = 0.6 * x + 0.8 * random.standard_normal((n, rows, d)) + 0.5
    groups = [*range(n // 4), *random.randint(0, n // 4, n - n // 4)]
    return list(x), list(y), groups


def reach(interval):
    return (interval[1] - interval[0]) / 2


def repeated(clips):
    """Every clip several times, in turn, and the number of the clip that each is a copy of."""
    return list(clips) * COPIES, list(range(len(clips))) * COPIES


@pytest.mark.parametrize(("rows", "d"), [(1, 3), (3, 3), (2, 100)])
@pytest.mark.parametrize("pairing", ["paired", "independent", "fixed"])
def test_frechet_group_is_what_one_clip_with_all_its_rows_is(rows, d, pairing):
    x, y, groups = sides(1, 48, rows, d)
    found = frechet_influence(x, y, pairing=pairing, groups=groups)
    merged = rows_of_items(x, groups), rows_of_items(y, groups)
    one = frechet_influence(*merged, pairing=pairing)
    assert found.value == frechet_influence(x, y).value
    assert found.standard_error == pytest.approx(one.standard_error, rel=1e-9)
    assert found.bias == (one.bias if one.bias is None else pytest.approx(one.bias, rel=1e-9))
    alone = frechet_influence(x, y, pairing=pairing)
    np.testing.assert_allclose(found.contributions, alone.contributions, rtol=1e-7, atol=1e-12)


def test_frechet_interval_of_copies_is_that_of_the_set_without_them():
    x, y, _ = sides(2, 100, 1, 3)
    single = frechet_set_value(x, y)
    copies, groups = repeated(x)
    drawn = frechet_set_value(copies, list(y) * COPIES, groups=groups)
    assert drawn.interval == pytest.approx(single.interval, rel=0.02)
    # Copies taken for clips would halve the interval: sqrt(4).
    apart = frechet_set_value(copies, list(y) * COPIES)
    assert reach(apart.interval) == pytest.approx(reach(single.interval) / 2, rel=0.02)


def test_frechet_groups_must_be_those_of_both_sides():
    x, y, groups = sides(3, 40, 1, 2)
    with pytest.raises(InputError, match="groups are those of both sides, got 39 for 40 and 40"):
        frechet_influence(x, y, groups=groups[1:])


@pytest.mark.parametrize("compute", [frechet_set_value, kernel_set_value])
def test_fewer_than_ten_groups_have_no_interval_however_many_clips(compute):
    x, y, _ = sides(4, 60, 1, 2)
    found = compute(x, y, groups=[at % 9 for at in range(60)])
    assert (found.interval, found.note) == (None, "fewer than 10 groups of clips: no interval")
    assert len(found.contributions) == 60
    assert compute(x, y, groups=[at % 10 for at in range(60)]).interval is not None


def test_a_single_group_has_no_error():
    x, y, _ = sides(5, 40, 1, 2)
    found = frechet_influence(x, y, groups=[0] * 40)
    assert (found.standard_error, found.note) == (None, "a single group of clips: no interval")


def test_takes_and_groups_go_together():
    x, y, groups = sides(6, 48, 1, 2)
    twice = [take for clip in y for take in (clip, clip + 0.1)]
    items = [at // 2 for at in range(96)]
    found = frechet_set_value(x, twice, items=items, groups=groups)
    merged = rows_of_items(x, groups), rows_of_items(rows_of_items(twice, items), groups)
    assert found.interval == pytest.approx(frechet_set_value(*merged).interval, rel=1e-9)


@pytest.mark.parametrize("rows", [1, 3])
def test_kernel_interval_leaves_out_whole_groups(monkeypatch, rows):
    x, y, groups = sides(7, 48, rows, 3)
    # The bandwidth is held at that of the whole set, as the definition says.
    scale = median_distance(x)
    found = kernel_set_value(x, y, groups=groups)
    monkeypatch.setattr(kernel, "median_distance", lambda rows: scale)
    without = []
    for group in range(12):
        keep = [at for at in range(48) if groups[at] != group]
        without.append(kernel_audio_distance([x[at] for at in keep], [y[at] for at in keep]))
    error = np.sqrt(11 / 12 * ((np.array(without) - np.mean(without)) ** 2).sum())
    assert reach(found.interval) == pytest.approx(1.959963984540054 * error, rel=1e-9)
    assert found.value == kernel_set_value(x, y).value


def test_kernel_interval_of_copies_is_as_wide_as_without_them():
    x, y, _ = sides(8, 100, 1, 3)
    single = kernel_set_value(x, y)
    copies, groups = repeated(x)
    drawn = kernel_set_value(copies, list(y) * COPIES, groups=groups)
    # Copies within a side move the value itself, since they are alike; its error they do not.
    assert reach(drawn.interval) == pytest.approx(reach(single.interval), rel=0.03)
    apart = kernel_set_value(copies, list(y) * COPIES)
    assert reach(apart.interval) == pytest.approx(reach(single.interval) / 2, rel=0.03)


def test_inception_interval_of_copies_is_as_wide_as_without_them():
    clips = np.random.RandomState(9).dirichlet(np.full(5, 0.5), 300)
    single = inception_set_value(clips, splits=1)
    copies, groups = repeated(clips)
    drawn = inception_set_value(copies, splits=1, groups=groups)
    assert drawn.interval == pytest.approx(single.interval, rel=0.01)
    apart = inception_set_value(copies, splits=1)
    assert reach(apart.interval) == pytest.approx(reach(single.interval) / 2, rel=0.01)


def test_inception_groups_may_lie_in_several_splits():
    clips = np.random.RandomState(10).dirichlet(np.ones(5), 100)
    groups = [at % 20 for at in range(100)]
    alone, found = inception_set_value(clips), inception_set_value(clips, groups=groups)
    sums = alone.contributions.reshape(5, 20).sum(axis=0)
    assert reach(found.interval) == pytest.approx(1.959963984540054 * standard_error(sums))
    assert found.contributions.tolist() == alone.contributions.tolist()
    few = inception_set_value(clips, groups=[at % 9 for at in range(100)])
    assert few.interval is None
    assert few.note.endswith("fewer than 10 groups of clips: no interval")


# --- two runs ---


def two_runs(seed, n=40):
    random = np.random.RandomState(seed)
    words = random.randint(1, 12, n).astype(float)
    first = np.stack([random.binomial(words.astype(int), 0.3), words], axis=1)
    second = np.stack([random.binomial(words.astype(int), 0.45), words + 1], axis=1)
    return first.astype(float), second.astype(float)


@pytest.mark.parametrize("rule", ["mean", "percent_ratio"])
def test_runs_over_copies_compare_as_those_without_them(rule):
    first, second = two_runs(11)
    (single,) = compare_paired([paired(first, second, rule)], seed=3)
    groups = list(range(40)) * COPIES
    copies = paired(np.tile(first, (COPIES, 1)), np.tile(second, (COPIES, 1)), rule)
    (drawn,) = compare_paired([clustered(copies, groups)], seed=3)
    assert drawn.interval == pytest.approx(single.interval, rel=1e-12)
    assert (drawn.p_value, drawn.p_bootstrap, drawn.n) == (single.p_value, single.p_bootstrap, 40)
    assert drawn.detectable == pytest.approx(single.detectable, rel=1e-12)
    assert drawn.effect_size == pytest.approx(single.effect_size, rel=1e-12)
    (apart,) = compare_paired([copies], seed=3)
    assert reach(apart.interval) < 0.6 * reach(single.interval)
    assert apart.p_value < single.p_value / 2


def test_sets_over_copies_compare_as_those_without_them():
    one, two = np.random.RandomState(12).standard_normal((2, 40)) / 40
    single = compare_influence(3.0, 3.3, one, two)
    groups = list(range(40)) * COPIES
    copies = np.tile(one, COPIES) / COPIES, np.tile(two, COPIES) / COPIES
    drawn = compare_influence(3.0, 3.3, *copies, clusters=groups)
    assert (drawn.p_value, drawn.n) == (pytest.approx(single.p_value, rel=1e-9), 40)
    assert drawn.interval == pytest.approx(single.interval, rel=1e-9)
    apart = compare_influence(3.0, 3.3, *copies)
    assert apart.p_value < single.p_value / 5
    assert compare_influence(3.0, 3.3, one, two, clusters=[0] * 40).p_value == 1.0


@pytest.mark.parametrize("margin", [0.0, 0.05])
def test_margin_over_copies_is_judged_as_without_them(margin):
    gaps = np.random.RandomState(13).standard_normal(40)
    parts = (gaps - gaps.mean() + 0.2 + margin) / 40
    single = margin_p_value(parts, margin, seed=3)
    copies = np.tile(parts, COPIES) / COPIES
    groups = list(range(40)) * COPIES
    assert margin_p_value(copies, margin, seed=3, clusters=groups) == single
    assert margin_p_value(copies, margin, seed=3) < single / 5


def test_only_whole_groups_keep_the_level_of_the_test():
    # Five clips of a recording differ alike; no recording is better with one run than the other.
    groups = np.repeat(np.arange(16), 5)
    random = np.random.RandomState(14)
    gaps = random.standard_normal((300, 16))[:, groups] + 0.3 * random.standard_normal((300, 80))
    pairs = [paired(np.zeros((80, 1)), gap[:, None], "mean") for gap in gaps]
    apart = np.array(exchange_p_values(pairs, seed=1, n_resamples=500))
    drawn = [clustered(pair, groups.tolist()) for pair in pairs]
    whole = np.array(exchange_p_values(drawn, seed=1, n_resamples=500))
    # 300 draws of 5 %: three standard deviations are 3.8 %.
    assert (whole < 0.05).mean() == pytest.approx(0.05, abs=0.038)
    assert (apart < 0.05).mean() > 0.25
