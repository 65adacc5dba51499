"""Which metrics a published benchmark has by default: the columns of the papers' tables."""

from __future__ import annotations

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
    "lse_c.syncnet",
    "lse_d.syncnet",
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
