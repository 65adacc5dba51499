"""Label accuracy: does a generated clip sound like the class that its item states?

Goal: a share that can be read at once, of any benchmark whose items have labels, by any encoder of
sound. There is no list of classes to map: the classes are the labels, and what a class sounds like
is taken from the reference sounds of the benchmark itself.

Conventions:
    One label an item; embeddings are floats, (d,) for a clip or (blocks, d) for its analysis
    windows, which are averaged first. Every clip then counts at unit length, so that the length of
    an embedding, which may follow the level of the sound, decides nothing. Percent, higher is
    better, arithmetic is float64.

Functions:
    label_hits                  which generated clips are nearest to their own class
    label_accuracy              their share
    label_accuracy_set_value    the same with interval and contributions, for the METRICS table

Edge cases:
    no label                        the clip is excluded
    a class of one item, or of      takes no part, neither as a class nor with its clips, with a
    items of one group              note: beside their own references nothing is known of it
    fewer than two other classes    InputError
    an all-zero embedding           has cosine 0 with everything; as a generated clip it is no hit
    equally near to two classes     no hit

References:
    The rule is the nearest class mean of T. Mensink et al. (2013), IEEE TPAMI 35(11), in cosine,
    each clip's own reference, or all of its group, left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vsseval.errors import InputError
from vsseval.metrics._arrays import Floats, check_same_width, stack_rows
from vsseval.metrics.statistics import cluster_sums, contribution_interval, too_few
from vsseval.types import SetValue

Label = str | NDArray[np.str_]


def label_hits(
    labels: Sequence[Label],
    reference: Sequence[Floats],
    generated: Sequence[Floats],
    *,
    items: Sequence[int] | None = None,
    groups: Sequence[int] | None = None,
) -> NDArray[np.float64]:
    """Which generated clips are nearer to the references of their own class than of any other.

    With r_j, g_i the unit vectors of the references and of the generated clips (mean over blocks,
    over its length), clip i of item k with label l is a hit if

        cos(g_i, m_l) > cos(g_i, m_c) for all c != l,   m_c = sum of r_j, j != k with label c

    A clip's own reference is left out, so a copy of it is no easier than another clip of its class;
    and so are those of the group that item k is in, in place of j != k.

    Args:
        labels: one for each item.
        reference: one float (d,) or (blocks, d) array for each item.
        generated: one for each clip, of the same encoder.
        items: for each clip the item it is a take of; None if each clip is an item of its own.
        groups: for each item the number of its group, where some are not independent of each other.

    Returns:
        float64 (clips,): 1 a hit, 0 none, nan for a clip whose class has no other item (group).

    Raises:
        InputError: fewer than two classes of two items, unequal numbers or widths, or a value that
            is not finite.

    Reference: T. Mensink et al. (2013), Distance-based image classification.
    """
    names = [str(label) for label in labels]
    at = np.arange(len(generated)) if items is None else np.asarray(items)
    clips = at.tolist()
    whole = len(clips) == len(generated) and set(clips) == set(range(len(names)))
    if not whole or len(reference) != len(names):
        raise InputError(
            f"labels, reference and generated must belong together, got {len(names)}, "
            f"{len(reference)} and {len(generated)}"
        )
    own_group = list(zip(names, groups or range(len(names)), strict=True))
    counts = Counter(name for name, _ in set(own_group))
    classes = sorted(name for name, count in counts.items() if count > 1)
    if len(classes) < 2:
        raise InputError(
            f"label accuracy needs two classes of two or more items, got {len(classes)}"
        )
    r, g = _units(reference, name="reference"), _units(generated, name="generated")
    check_same_width(r, g)
    member = np.array(names)[:, None] == np.array(classes)
    own = member[at]
    sums = member.T.astype(np.float64) @ r
    cosines = g @ _unit(sums).T
    # For its own class each clip has a mean of its own, without its reference and its group's.
    place = {pair: number for number, pair in enumerate(dict.fromkeys(own_group))}
    own_sums = cluster_sums(r, own_group)[[place[pair] for pair in own_group]]
    left = _unit((sums[member.argmax(axis=1)] - own_sums)[at])
    nearest_other = np.where(own, -np.inf, cosines).max(axis=1)
    hits = np.einsum("id,id->i", g, left) > nearest_other
    return np.where(own.any(axis=1), hits, np.nan)


def label_accuracy(
    labels: Sequence[Label], reference: Sequence[Floats], generated: Sequence[Floats]
) -> float:
    """Share of hits among the clips of classes with two or more items, in percent.

    Args:
        labels: as :func:`label_hits`.
        reference: as :func:`label_hits`.
        generated: as :func:`label_hits`.

    Returns:
        In [0, 100]; 100 / classes is expected of a clip that has nothing to do with its item, where
        all classes have equally many.

    Raises:
        InputError: as :func:`label_hits`.
    """
    return label_accuracy_set_value(labels, reference, generated).value


def label_accuracy_set_value(
    labels: Sequence[Label],
    reference: Sequence[Floats],
    generated: Sequence[Floats],
    *,
    items: Sequence[int] | None = None,
    groups: Sequence[int] | None = None,
) -> SetValue:
    """:func:`label_accuracy`, with an interval for other generated clips beside these references.

        accuracy = 100 * hits / clips

    with the hits of :func:`label_hits`. An item contributes the sum over its clips of
    (100 * hit - accuracy) / clips; the interval is that of
    :func:`vsseval.metrics.statistics.contribution_interval`, cut at 0 and 100.

    Args:
        labels: as :func:`label_hits`.
        reference: as :func:`label_hits`.
        generated: as :func:`label_hits`.
        items: as :func:`label_hits`.
        groups: as :func:`label_hits`; the interval is then that of drawing whole groups.

    Raises:
        InputError: as :func:`label_hits`.
    """
    hits = label_hits(labels, reference, generated, items=items, groups=groups)
    counted = np.isfinite(hits)
    accuracy = float(100.0 * hits[counted].mean())
    parts = np.where(counted, 100.0 * hits - accuracy, 0.0) / counted.sum()
    if items is not None:
        parts = cluster_sums(parts[:, None], items)[:, 0]
    interval = contribution_interval(accuracy, parts, clusters=groups)
    if interval is not None:
        interval = max(0.0, interval[0]), min(100.0, interval[1])
    alone = len(hits) - int(counted.sum())
    notes = [f"{alone} of {len(hits)} clips not counted: no other item of their class"] * (
        alone > 0
    )
    notes += [few] if (few := too_few(len(parts), groups)) else []
    return SetValue(accuracy, interval, "; ".join(notes), parts)


def _units(clips: Sequence[Floats], *, name: str) -> NDArray[np.float64]:
    """Mean over the blocks of each clip at unit length, float64 (clips, d)."""
    blocks = [stack_rows([clip], name=name) for clip in clips]
    return _unit(stack_rows([rows.mean(axis=0) for rows in blocks], name=name))


def _unit(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rows at unit length; those of zeros stay."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(lengths > 0, lengths, 1.0)
