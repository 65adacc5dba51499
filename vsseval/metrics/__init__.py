"""Metrics: pure functions on arrays, and the table that names them.

The functions below are loaded when they are first used, so that importing this package costs
nothing. The definition of each is its docstring; docs/metrics.md prints them all.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vsseval.metrics.audio_visual import av_align
    from vsseval.metrics.cepstral import (
        mel_cepstral_distortion,
        mel_cepstral_distortion_dtw,
        mel_cepstral_distortion_dtw_sl,
    )
    from vsseval.metrics.cepstral_standard import mel_cepstral_distortion_standard
    from vsseval.metrics.divergence import inception_score, kl_divergence
    from vsseval.metrics.frechet import frechet_distance
    from vsseval.metrics.frechet_fadtk import frechet_infinity, frechet_per_clip
    from vsseval.metrics.grid import slot_hits
    from vsseval.metrics.influence import frechet_influence
    from vsseval.metrics.kernel import kernel_audio_distance
    from vsseval.metrics.kid import kernel_inception_distance
    from vsseval.metrics.labels import label_accuracy
    from vsseval.metrics.lip_sync import lip_sync_error
    from vsseval.metrics.onset import onset_average_precision, onset_f1
    from vsseval.metrics.onset_condfoley import (
        onset_accuracy_condfoley,
        onset_average_precision_condfoley,
    )
    from vsseval.metrics.pitch import pitch_errors
    from vsseval.metrics.similarity import cosine_similarity
    from vsseval.metrics.transcription import character_error_rate, word_error_rate

__all__ = [
    "av_align",
    "character_error_rate",
    "cosine_similarity",
    "frechet_distance",
    "frechet_infinity",
    "frechet_influence",
    "frechet_per_clip",
    "inception_score",
    "kernel_audio_distance",
    "kernel_inception_distance",
    "kl_divergence",
    "label_accuracy",
    "lip_sync_error",
    "mel_cepstral_distortion",
    "mel_cepstral_distortion_dtw",
    "mel_cepstral_distortion_dtw_sl",
    "mel_cepstral_distortion_standard",
    "onset_accuracy_condfoley",
    "onset_average_precision",
    "onset_average_precision_condfoley",
    "onset_f1",
    "pitch_errors",
    "slot_hits",
    "word_error_rate",
]

_MODULES = {
    "av_align": "audio_visual",
    "character_error_rate": "transcription",
    "cosine_similarity": "similarity",
    "frechet_distance": "frechet",
    "frechet_infinity": "frechet_fadtk",
    "frechet_influence": "influence",
    "frechet_per_clip": "frechet_fadtk",
    "inception_score": "divergence",
    "kernel_audio_distance": "kernel",
    "kernel_inception_distance": "kid",
    "kl_divergence": "divergence",
    "label_accuracy": "labels",
    "lip_sync_error": "lip_sync",
    "mel_cepstral_distortion": "cepstral",
    "mel_cepstral_distortion_dtw": "cepstral",
    "mel_cepstral_distortion_dtw_sl": "cepstral",
    "mel_cepstral_distortion_standard": "cepstral_standard",
    "onset_accuracy_condfoley": "onset_condfoley",
    "onset_average_precision": "onset",
    "onset_average_precision_condfoley": "onset_condfoley",
    "onset_f1": "onset",
    "pitch_errors": "pitch",
    "slot_hits": "grid",
    "word_error_rate": "transcription",
}


def __getattr__(name: str) -> object:
    """The function of that name, from the module that defines it."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
