"""Durations of v1's phonemes in the shards: from an alignment, predicted, or an even stretch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vssflow.config import Config
from vssflow.duration_predictor import Prediction, said_when
from vssflow.durations import SILENT, aligned_durations, padded
from vssflow.features import Clip

TIMINGS = ("none", "aligned", "predicted", "even")
"""Where the durations of a clip are from, by the number in the shards."""


def timed_row(
    words: Sequence[Sequence[int]] | None,
    clip: Clip,
    lips: NDArray[np.float32],
    prediction: Prediction | None,
    config: Config,
) -> Mapping[str, NDArray[Any]]:
    """Arrays ``phonemes`` (T,), ``spans`` (T, 2) and ``timing`` of a clip.

    Args:
        words: phoneme ids of each word; None: a sound.
        clip: its alignment is taken where it has one.
        lips: of the frames that the clip lasts, (n, 1024).
        prediction: what times a clip without alignment; None: an even stretch.
        config: of v1.

    Raises:
        InputError: the words do not fit, or the alignment holds an unknown phone.
    """
    spoken, timing = SILENT, "none"
    if words is not None and clip.phones:
        spoken, timing = aligned_durations(words, clip, len(lips), config), "aligned"
    elif words is not None:
        spoken = said_when(words, len(lips), prediction, lips)
        timing = "even" if prediction is None else "predicted"
    ids, spans = padded(spoken, config.clip_frames)
    return {
        "phonemes": ids.astype(np.int16),
        "spans": spans.astype(np.int16),
        "timing": np.array(TIMINGS.index(timing), np.int8),
    }
