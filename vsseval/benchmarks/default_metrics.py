"""Which metrics a published benchmark has by default: the columns of the papers' tables."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Sequence

SOUND_METRICS = (
    "fd.vggish@avbench",
    "kl.passt@avbench",
    "is.panns-16k@avbench",
    "clap.laion@avbench",
    "imagebind@ib-avbench",
    "onset_acc@onset-condfoley",
    "onset_ap@onset-condfoley",
    "desync@desync-avbench",
)
"""Video to sound."""

SPEECH_METRICS = (
    "mcd_dtw_sl",
    "wer.*",
    "lse_c",
    "lse_d",
    "speaker_similarity.*",
    "utmos",
    "dnsmos.*",
)
"""Visual text to speech and dubbing."""

ONSET_METRICS = (
    "onset_acc@onset-condfoley",
    "onset_ap@onset-condfoley",
    "onset_f1.annotated",
    "desync@desync-avbench",
)
"""Synchrony alone, for sets too small for distances between distributions."""


def fitting(patterns: Sequence[str], metrics: Iterable[str]) -> list[str]:
    """The metrics that patterns choose, in the order of the patterns.

    A pattern without ``@`` chooses no dialect, which has one.

    Args:
        patterns: Ids, or ids with ``*``.
        metrics: Ids to choose from.
    """
    known = list(metrics)
    chosen: dict[str, None] = {}
    for pattern in patterns:
        chosen.update(
            dict.fromkeys(
                name
                for name in known
                if ("@" in pattern or "@" not in name) and fnmatch.fnmatchcase(name, pattern)
            )
        )
    return list(chosen)
