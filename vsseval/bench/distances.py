"""Fréchet distance and kernel audio distance beside the published routes, restated here."""

from __future__ import annotations

import numpy as np
import scipy.linalg
from numpy.typing import NDArray
from scipy.spatial.distance import cdist, pdist

from vsseval.bench.made_up import embeddings
from vsseval.bench.measure import (
    REPEATS,
    BenchRow,
    alone,
    mebibytes,
    peak_bytes,
    relative_difference,
    side_by_side,
)
from vsseval.metrics.frechet import (
    GaussianStatistics,
    frechet_distance,
    frechet_distance_between,
    gaussian_statistics,
)
from vsseval.metrics.kernel import kernel_audio_distance

Matrix = NDArray[np.floating]


def frechet_from_statistics(*, quick: bool = False) -> list[BenchRow]:
    """From covariances that both routes are given: N = 15,000, d = 2048."""
    n, width, repeats = (400, 64, 1) if quick else (15_000, 2048, REPEATS)
    first, second = _two_sets(n, width)
    a, b = gaussian_statistics(first), gaussian_statistics(second)
    # Both routes start from means and covariances; ours takes them wrapped as sums.
    covariances = a.covariance, b.covariance
    timed = side_by_side(
        lambda: frechet_distance_between(a, b),
        lambda: _by_square_root(a, b, *covariances),
        repeats=repeats,
    )
    return [
        BenchRow(
            f"Fréchet distance from statistics, N = {n:,}, d = {width}",
            timed.ours,
            "scipy.linalg.sqrtm of the product of covariances",
            timed.reference,
            target=10.0,
            agreement=relative_difference(timed.result, timed.reference_result),
        )
    ]


def frechet_from_rows(*, quick: bool = False) -> list[BenchRow]:
    """From fewer rows than dimensions, covariances included: N = 1,500, d = 2048."""
    n, width, repeats = (48, 64, 1) if quick else (1500, 2048, REPEATS)
    first, second = _two_sets(n, width)
    timed = side_by_side(
        lambda: frechet_distance(first, second),
        lambda: _by_square_root_of_rows(first, second),
        repeats=repeats,
    )
    return [
        BenchRow(
            f"Fréchet distance from rows, N = {n:,}, d = {width}",
            timed.ours,
            "numpy.cov, then scipy.linalg.sqrtm of the product",
            timed.reference,
            target=20.0,
            # The root of a singular product keeps half the digits of each empty direction.
            agreement=f"{relative_difference(timed.result, timed.reference_result)}; "
            f"{relative_difference(timed.result, _by_singular_values(first, second))} from the "
            "singular values of the product of both sets of rows",
        )
    ]


def kernel_distance(*, quick: bool = False) -> list[BenchRow]:
    """Beside whole matrices where those are small, then alone at 15,000 x 15,000, d = 512."""
    small, large, width, repeats = (60, 120, 16, 1) if quick else (3000, 15_000, 512, REPEATS)
    first, second = _two_sets(small, width)
    timed = side_by_side(
        lambda: kernel_audio_distance(first, second),
        lambda: _by_whole_matrices(first, second),
        repeats=repeats,
    )
    rows = [
        BenchRow(
            f"KAD, {small:,} x {small:,}, d = {width}",
            timed.ours,
            "three N x N matrices, scipy cdist, numpy.median",
            timed.reference,
            agreement=relative_difference(timed.result, timed.reference_result),
            memory=mebibytes(peak_bytes(lambda: kernel_audio_distance(first, second)))
            + " against "
            + mebibytes(peak_bytes(lambda: _by_whole_matrices(first, second))),
        )
    ]
    first, second = _two_sets(large, width)
    seconds, _ = alone(lambda: kernel_audio_distance(first, second), repeats=repeats)
    rows.append(
        BenchRow(
            f"KAD, {large:,} x {large:,}, d = {width}",
            seconds,
            memory=mebibytes(peak_bytes(lambda: kernel_audio_distance(first, second)))
            + f"; one N x N matrix would be {mebibytes(8 * large * large)}",
        )
    )
    return rows


def _two_sets(n: int, width: int) -> tuple[Matrix, Matrix]:
    return embeddings(n, width, 1), embeddings(n, width, 2, shift=0.02)


def _by_square_root(a: GaussianStatistics, b: GaussianStatistics, s1: Matrix, s2: Matrix) -> float:
    gap = a.mean - b.mean
    root = scipy.linalg.sqrtm(s1 @ s2)
    return float(gap @ gap + np.trace(s1) + np.trace(s2) - 2.0 * np.trace(root).real)


def _by_square_root_of_rows(first: Matrix, second: Matrix) -> float:
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    s1, s2 = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    gap = a.mean(axis=0) - b.mean(axis=0)
    root = scipy.linalg.sqrtm(s1 @ s2)
    return float(gap @ gap + np.trace(s1) + np.trace(s2) - 2.0 * np.trace(root).real)


def _by_singular_values(first: Matrix, second: Matrix) -> float:
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    gap = a.mean(axis=0) - b.mean(axis=0)
    a, b = ((rows - rows.mean(axis=0)) / np.sqrt(len(rows) - 1) for rows in (a, b))
    values = np.linalg.svd(a @ b.T, compute_uv=False)
    return float(gap @ gap + (a**2).sum() + (b**2).sum() - 2.0 * values.sum())


def _by_whole_matrices(first: Matrix, second: Matrix) -> float:
    x, y = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    pairs = np.sort(pdist(x))
    scale = pairs[(len(pairs) - 1) // 2]
    gamma = 1.0 / (2.0 * scale**2 + 1e-8)
    within_x, within_y, across = (
        np.exp(-gamma * cdist(a, b, "sqeuclidean")) for a, b in ((x, x), (y, y), (x, y))
    )
    m, n = len(x), len(y)
    mmd = (within_x.sum() - m) / (m * (m - 1)) + (within_y.sum() - n) / (n * (n - 1))
    return float(100.0 * (mmd - 2.0 * across.mean()))
