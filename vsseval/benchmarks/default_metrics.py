"""Which metrics a published benchmark has by default: the columns of the papers' tables."""

from __future__ import annotations

SOUND_METRICS = (
    "fd.vggish@avbench",
    "fd.panns-16k@avbench",
    "fd.passt@avbench",
    "kl.panns-16k@avbench",
    "kl.passt@avbench",
    "is.panns-16k@avbench",
    "imagebind@ib-avbench",
    "clap.laion@avbench",
    "desync@desync-avbench",
    "onset_acc@onset-condfoley",
    "onset_ap@onset-condfoley",
)
"""Video to sound: the columns of preset ``vssflow-v2s``."""


def _speech_metrics(*word_error_rates: str) -> tuple[str, ...]:
    return (
        "mcd_dtw",
        "mcd_dtw_sl",
        *word_error_rates,
        "lse_c.syncnet",
        "lse_d.syncnet",
        "speaker_similarity.*",
        "utmos",
        "dnsmos.*",
    )


GRID_METRICS = _speech_metrics("wer.tiny_en", "wer.base", "wer.large-v3@openai")
"""Visual text to speech and dubbing, on GRID's sentences. Whisper large-v3 is what most of the
tables name, base what the GRID tables with a ground truth of 22 % used, tiny.en what is always
here."""

SPEECH_METRICS = _speech_metrics(
    "wer.tiny_en@whisper-en", "wer.base@whisper-en", "wer.large-v3@openai-whisper-en"
)
"""The same on free English, whose numbers and contractions are written in several ways: their words
are compared as Whisper's own normaliser leaves them."""

ONSET_METRICS = (
    "onset_acc@onset-condfoley",
    "onset_ap@onset-condfoley",
    "onset_f1.annotated",
    "desync@desync-avbench",
)
"""Synchrony alone, for sets too small for distances between distributions."""
