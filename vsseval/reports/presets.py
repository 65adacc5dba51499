"""Column sets of papers.

A preset lists metrics in the order of the paper's table; the columns that no record has are left
out. Published tables name few of their settings, so a column of a preset is the same kind of
number, under the signature in its footnote, and not a promise that it repeats the paper's.
"""

from __future__ import annotations

from collections.abc import Mapping

from vsseval.errors import UnknownNameError

_WORD_ERROR_RATES = ("wer", "wer.*@openai", "wer.*@whisper-en", "wer.*@openai-whisper-en")
"""Of each recogniser, on GRID and on free English."""

PRESETS: Mapping[str, tuple[str, ...]] = {
    "vssflow-v2s": (
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
    ),
    "vssflow-vtts": (
        *_WORD_ERROR_RATES,
        "cer",
        "mcd_dtw",
        "mcd_dtw_sl",
        "speaker_similarity.*",
        "lse_c",
        "lse_d",
        "utmos",
        "dnsmos.*",
    ),
    "mmaudio": (
        "fd.passt@avbench",
        "fd.panns-16k@avbench",
        "fd.vggish@avbench",
        "kl.panns-16k@avbench",
        "kl.passt@avbench",
        "is.panns-16k@avbench",
        "imagebind@ib-avbench",
        "desync@desync-avbench",
    ),
    "hunyuan": (
        "fd.panns-16k@avbench",
        "fd.passt@avbench",
        "kl.panns-16k@avbench",
        "is.panns-16k@avbench",
        "audiobox.pq",
        "audiobox.pc",
        "audiobox.ce",
        "audiobox.cu",
        "imagebind@ib-avbench",
        "desync@desync-avbench",
        "clap.laion@avbench",
    ),
    "dubbing": (
        "lse_c",
        "lse_d",
        *_WORD_ERROR_RATES,
        "mcd_dtw",
        "mcd_dtw_sl",
        "speaker_similarity.*",
        "utmos",
    ),
}
"""Metric patterns by name of the preset."""


def preset(name: str) -> tuple[str, ...]:
    """The patterns of a preset.

    Raises:
        UnknownNameError: no such preset.
    """
    if name not in PRESETS:
        raise UnknownNameError("preset", name, PRESETS)
    return PRESETS[name]
