"""Frechet distance of single clips, and extrapolated to endless data (profile fadtk).

Goal: which clips lie far from the reference set, and what the distance would be without the bias
of few rows. Papers print these for it. For both the influence function gives better answers
(:mod:`vsseval.metrics.influence`): draws with replacement know no rows but those at hand,
so the extrapolation tends to the plain distance and keeps the bias that it is meant to remove.

Conventions:
    As :mod:`vsseval.metrics.frechet`. Statistics of the reference are those of all its rows and
    stay fixed; only the generated side is cut or drawn.

Functions:
    frechet_per_clip            distance of the rows of each clip to the reference set
    frechet_per_clip_set_value  its mean over clips, for the METRICS table
    frechet_infinity            intercept of the distance over 1 / n

Edge cases:
    a clip of one row               nan in frechet_per_clip; left out of the mean, and counted in
                                    the note
    no clip of two rows             InputError
    no more rows than the grid      InputError: fadtk then draws more rows than there are, and the
                                    line runs the wrong way
    another order of clips          another frechet_infinity: the draws follow the order

References:
    A. Gui et al. (2024), Adapting Frechet Audio Distance for generative music evaluation, arXiv
    2311.01616. Implementation followed: microsoft/fadtk at ec74b1f, fadtk/fad.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from vsseval.errors import InputError
from vsseval.metrics._arrays import Floats, Rows, check_same_width, stack_rows
from vsseval.metrics.frechet import frechet_distance_between, gaussian_statistics
from vsseval.types import SetValue


def frechet_per_clip(reference: Rows, generated: Sequence[Floats]) -> NDArray[np.float64]:
    """Frechet distance between the rows of each clip and all rows of the reference.

    A clip has few rows, so its covariance has a low rank and the value is mostly the spread that
    the clip lacks: read the order of clips, not the values.

    Args:
        reference: float (n, d), or a sequence of one (d,) or (k, d) array for each clip.
        generated: one float (d,) or (k, d) array for each clip.

    Returns:
        float64 (clips,), >= 0; nan for a clip of one row, which has no covariance.

    Raises:
        InputError: fewer than two rows of the reference, unequal widths, or a value that is not
            finite.

    Source: microsoft/fadtk at ec74b1f, score_individual.
    """
    x = stack_rows(reference, name="reference")
    check_same_width(x, stack_rows(generated, name="generated"))
    if len(x) < 2:
        raise InputError(f"a Frechet distance needs at least 2 rows, reference has {len(x)}")
    mean = x.mean(axis=0)
    factor = (x - mean) / np.sqrt(len(x) - 1)
    spread = float((factor * factor).sum())
    if len(x) > x.shape[1]:
        # Any factor with the same square will do; the triangle has d rows and not n.
        factor = np.linalg.qr(factor, mode="r")
    values = np.full(len(generated), np.nan)
    for index, clip in enumerate(generated):
        rows = np.atleast_2d(np.asarray(clip, dtype=np.float64))
        if len(rows) < 2:
            continue
        centred = (rows - rows.mean(axis=0)) / np.sqrt(len(rows) - 1)
        gap = mean - rows.mean(axis=0)
        root_trace = scipy.linalg.svdvals(centred @ factor.T).sum()
        squares = float(gap @ gap) + spread + float((centred * centred).sum())
        values[index] = max(0.0, squares - 2.0 * float(root_trace))
    return values


def frechet_per_clip_set_value(reference: Rows, generated: Sequence[Floats]) -> SetValue:
    """Mean of :func:`frechet_per_clip` over the clips of at least two rows; no interval.

    Args:
        reference: as :func:`frechet_per_clip`.
        generated: as :func:`frechet_per_clip`.

    Raises:
        InputError: no clip of two rows, or as :func:`frechet_per_clip`.
    """
    values = frechet_per_clip(reference, generated)
    defined = values[np.isfinite(values)]
    if len(defined) == 0:
        raise InputError("no clip has the 2 rows that a covariance needs")
    lost = len(values) - len(defined)
    return SetValue(
        float(defined.mean()), None, f"{lost} clips of one row left out" if lost else ""
    )


def frechet_infinity(
    reference: Rows,
    generated: Sequence[Floats],
    *,
    draw: Literal["rows", "clips"] = "clips",
    steps: int = 25,
    least: int = 500,
    draw_seed: int = 2020,
) -> float:
    """Frechet distance extrapolated to endless generated data: FAD-infinity.

    For ``steps`` sizes n from ``least`` to the number of generated rows, evenly spaced and cut to
    integers, n rows are drawn with replacement and their distance F(n) to the reference is taken.
    The value is a of the least-squares line F(n) = a + b / n.

    Args:
        reference: float (n1, d), or a sequence of one (d,) or (k, d) array for each clip.
        generated: one float (d,) or (k, d) array for each clip.
        draw: ``rows`` as fadtk does, where rows of one clip count as independent; ``clips`` draws
            whole clips until there are n rows or more, and fits at the number that it got.
        steps: number of sizes.
        least: smallest size in rows.
        draw_seed: seed of the legacy generator; fadtk draws from the global one, unseeded.

    Returns:
        Intercept; may be slightly negative. Its mean is the plain distance of the same sets, whose
        bias it keeps.

    Raises:
        InputError: no more generated rows than ``least``, fewer than two of the reference, unequal
            widths, a value that is not finite, or an unknown way to draw.

    Source: microsoft/fadtk at ec74b1f, score_inf.
    """
    if draw not in ("rows", "clips"):
        raise InputError(f"draw must be 'rows' or 'clips', got {draw!r}")
    y = stack_rows(generated, name="generated")
    if len(y) <= least:
        raise InputError(
            f"an extrapolation from {least} rows on needs more, generated has {len(y)}"
        )
    fixed = gaussian_statistics(reference)
    lengths = np.array([len(np.atleast_2d(clip)) for clip in generated])
    starts = np.cumsum(lengths) - lengths
    # The legacy generator gives the draws of fadtk after numpy.random.seed of the same number.
    random = np.random.RandomState(draw_seed)
    sizes, values = [], []
    for n in np.linspace(least, len(y), steps).astype(int).tolist():
        if draw == "rows":
            chosen = random.choice(len(y), size=n, replace=True)
        else:
            # As many draws as rows are enough, since each clip has one row or more.
            clips = random.choice(len(lengths), size=n, replace=True)
            clips = clips[: int(np.searchsorted(np.cumsum(lengths[clips]), n)) + 1]
            chosen = np.concatenate([np.arange(starts[c], starts[c] + lengths[c]) for c in clips])
        sizes.append(len(chosen))
        values.append(frechet_distance_between(fixed, gaussian_statistics(y[chosen])))
    _, intercept = np.polyfit(1.0 / np.array(sizes), np.array(values), 1)
    return float(intercept)
