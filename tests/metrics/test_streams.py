"""Streams of rows against the statistics of the whole set."""

import tracemalloc

import numpy as np
import pytest

from vsseval.errors import InputError
from vsseval.metrics import streams
from vsseval.metrics.frechet import gaussian_statistics
from vsseval.metrics.streams import GaussianStream


def streamed(pieces, width):
    stream = GaussianStream(width)
    for piece in pieces:
        stream.add(piece)
    return stream.statistics()


@pytest.mark.parametrize("block", [4, 70, 1 << 21], ids=["tiny block", "block", "one block"])
@pytest.mark.parametrize("cuts", [[], [1, 2, 50], [33, 66], list(range(1, 300))])
def test_any_grouping_gives_the_statistics_of_the_whole(monkeypatch, block, cuts):
    monkeypatch.setattr(streams, "_BLOCK_NUMBERS", block)
    rows = np.random.RandomState(0).standard_normal((300, 7)) * np.arange(1, 8) + 1000.0
    whole = gaussian_statistics(rows)
    found = streamed(np.split(rows, cuts), 7)
    assert found.n == 300
    np.testing.assert_allclose(found.mean, whole.mean, rtol=1e-12)
    np.testing.assert_allclose(found.covariance, whole.covariance, rtol=0, atol=1e-9)
    np.testing.assert_array_equal(found.scatter, found.scatter.T)


def test_order_does_not_matter(monkeypatch):
    monkeypatch.setattr(streams, "_BLOCK_NUMBERS", 160)
    rows = np.sort(np.random.RandomState(1).standard_normal((500, 8)), axis=0)
    first, last = streamed(rows, 8), streamed(rows[::-1], 8)
    np.testing.assert_allclose(first.mean, last.mean, rtol=0, atol=1e-12)
    np.testing.assert_allclose(first.covariance, last.covariance, rtol=0, atol=1e-12)


def test_float32_rows_are_summed_in_float64():
    rows = (np.random.RandomState(4).standard_normal((20000, 2)) * 0.01 + 100.0).astype(np.float32)
    found = streamed(rows, 2)
    np.testing.assert_allclose(found.mean, rows.astype(np.float64).mean(axis=0), rtol=1e-14)


def test_rows_may_follow_after_the_statistics_were_asked_for():
    rows = np.random.RandomState(2).standard_normal((40, 3))
    stream = GaussianStream(3)
    stream.add(rows[:25])
    early = stream.statistics()
    kept = early.scatter.copy()
    stream.add(rows[25:])
    np.testing.assert_allclose(stream.statistics().scatter, gaussian_statistics(rows).scatter)
    np.testing.assert_array_equal(early.scatter, kept)
    assert early.n == 25


def test_memory_does_not_grow_with_the_rows():
    def peak(count):
        row = np.ones(64, np.float32)
        tracemalloc.start()
        stream = GaussianStream(64)
        for _ in range(count):
            stream.add(row)
        stream.statistics()
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    few, many = peak(100), peak(20000)
    assert many < few + 10_000


def test_added_rows_are_left_alone():
    rows = np.ones((5, 3))
    streamed([rows], 3)
    np.testing.assert_array_equal(rows, np.ones((5, 3)))


def test_bad_rows_are_refused():
    stream = GaussianStream(3)
    with pytest.raises(InputError, match="no rows"):
        stream.statistics()
    with pytest.raises(InputError, match=r"width 3, got shape \(2, 4\)"):
        stream.add(np.zeros((2, 4)))
    stream.add(np.array([0.0, np.nan, 0.0]))
    with pytest.raises(InputError, match="not finite"):
        stream.statistics()
