"""DeSync: by how many seconds is sound apart from picture, as Synchformer sees it?

Goal: the offset between what is heard and what is seen, read from logits over 21 offsets.

Conventions:
    Logits are float (windows, 21), or (21,) for one window. Class i stands for (i - 10) / 5 s, from
    -2.0 to 2.0 s in steps of 0.2; positive means that the sound comes early. Which windows of the
    clip were looked at is the encoder's matter (``vsseval.encoders.synchformer``):

        desync-avbench      two windows of 4.8 s, the first and the last of the clip
        desync-javis        4.8 s after 4.8 s, the last 4.8 s in place of a short rest, a clip
                            below 4.8 s repeated to that length
        synchformer-native  one window of the middle 5 s, sound shifted by a known offset

    DeSync is in seconds, >= 0, lower is better; classes drawn uniformly give 22 / 21 = 1.048 s, and
    2.0 is the largest value. The mean over clips equals av-benchmark's mean over all 2 N windows.

Functions:
    predicted_offsets           offset of each window [s]
    desync                      mean absolute offset of a clip [s]
    desync_avbench_components   component vector for the METRICS table, two windows
    desync_javis_components     the same, any number of windows
    offset_accuracy             share of windows that name a known offset
    offset_accuracy_components  component vector; ``classes`` 0 is Acc@1, 1 is Acc@1 within a class

Edge cases:
    two classes equally likely  the lower index, so the more negative offset
    not 21 classes, no window   InputError
    not two windows             InputError in profile desync-avbench
    a value that is not finite  InputError (published code returns the offset of class 0, or noise)
    a clip that is too short    excluded by the encoder; VABench's 1.0 for it is not followed
    a known offset off the grid the nearest class, the lower one of two

References:
    V. Iashin, W. Xie, E. Rahtu and A. Zisserman (2024), Synchformer: Efficient Synchronization from
    Sparse Cues, ICASSP, arXiv 2401.16423. Implementations followed: hkchengrex/av-benchmark at
    050a5cd, evaluate.py; JavisVerse/JavisDiT at b505b37, eval/javisbench/src/metrics.py;
    v-iashin/Synchformer at b66668a, scripts/train_utils.py (accuracy_1, accuracy_1_tol1).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vsseval.errors import InputError
from vsseval.metrics._arrays import Floats

CLASSES = 21
OFFSETS = (np.arange(CLASSES) - 10) / 5
"""Offset of each class [s], float64 (21,)."""


def predicted_offsets(logits: Floats) -> NDArray[np.float64]:
    """Offset of the most likely class of each window [s], float64 (windows,) in [-2, 2].

    Args:
        logits: float (windows, 21) or (21,).

    Raises:
        InputError: another shape, no window, or a value that is not finite.
    """
    return OFFSETS[_classes(logits)]


def desync(logits: Floats) -> float:
    """Mean over windows of the absolute predicted offset [s], in [0, 2]; 0 is in time.

    Args:
        logits: as :func:`predicted_offsets`.

    Raises:
        InputError: as :func:`predicted_offsets`.
    """
    return float(np.mean(np.abs(predicted_offsets(logits))))


def desync_avbench_components(logits: Floats) -> NDArray[np.float64]:
    """(:func:`desync`, offset in the first window, in the last), all [s]; profile desync-avbench.

    Args:
        logits: float (2, 21).

    Raises:
        InputError: as :func:`predicted_offsets`, or not two windows.

    Source: hkchengrex/av-benchmark at 050a5cd, evaluate.py.
    """
    offsets = predicted_offsets(logits)
    if len(offsets) != 2:
        raise InputError(f"desync-avbench reads the first and the last window, got {len(offsets)}")
    return np.array([desync(logits), *offsets])


def desync_javis_components(logits: Floats) -> NDArray[np.float64]:
    """(:func:`desync` [s], windows) of profile desync-javis.

    Args:
        logits: as :func:`predicted_offsets`.

    Raises:
        InputError: as :func:`predicted_offsets`.

    Source: JavisVerse/JavisDiT at b505b37, eval/javisbench/src/metrics.py.
    """
    return np.array([desync(logits), len(predicted_offsets(logits))])


def offset_accuracy(logits: Floats, *, offset: float = 0.0, classes: int = 0) -> float:
    """Share of windows whose predicted class is at most ``classes`` from that of ``offset``.

    Args:
        logits: as :func:`predicted_offsets`.
        offset: what the sound was shifted by [s], in [-2, 2].
        classes: 0 for Acc@1, 1 for "within one class" (0.2 s).

    Returns:
        In [0, 1].

    Raises:
        InputError: as :func:`predicted_offsets`, an offset outside the grid, or classes below 0.

    Source: v-iashin/Synchformer at b66668a, scripts/train_utils.py.
    """
    if not abs(offset) <= OFFSETS[-1] or classes < 0:
        raise InputError(
            f"the offset must lie in [-2, 2] s and classes must be at least 0, "
            f"got {offset} and {classes}"
        )
    target = int(np.argmin(np.abs(OFFSETS - offset)))
    return float(np.mean(np.abs(_classes(logits) - target) <= classes))


def offset_accuracy_components(
    logits: Floats, *, offset: float = 0.0, classes: int = 0
) -> NDArray[np.float64]:
    """(value, mean predicted offset [s]) of :func:`offset_accuracy`, profile synchformer-native."""
    value = offset_accuracy(logits, offset=offset, classes=classes)
    return np.array([value, predicted_offsets(logits).mean()])


def _classes(logits: Floats) -> NDArray[np.intp]:
    values = np.atleast_2d(np.asarray(logits, dtype=np.float64))
    if values.ndim != 2 or values.shape[1] != CLASSES or len(values) == 0:
        raise InputError(
            f"offset logits must be (windows, {CLASSES}), got shape {np.shape(logits)}"
        )
    if not np.isfinite(values).all():
        raise InputError("offset logits hold a value that is not finite")
    return values.argmax(axis=1)
