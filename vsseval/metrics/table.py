"""The table of metrics: one literal row for each column a leaderboard can have."""

from __future__ import annotations

import importlib
from collections.abc import Callable

from vsseval.errors import InputError, UnknownNameError
from vsseval.types import Metric

_CONDFOLEY = "XYPB/CondFoleyGen at c565db7, predict_onset.py (profile onset-condfoley)"
_PYMCD = "pymcd 0.2.1, chenqi008/pymcd at 9321b74 (profile pymcd)"
_DNSMOS = "microsoft/DNS-Challenge at 591184a; C. K. A. Reddy et al. (2022), arXiv 2110.01763"
_CEPSTRA = ("reference:mcep-pymcd.mcep", "generated:mcep-pymcd.mcep")
_CONDFOLEY_INPUTS = (
    "reference:onsets.times_030",
    "generated:onsets.times_030",
    "generated:onsets.confidence_030",
    "generated:onsets.amplitude_030",
)

_ROWS = (
    Metric(
        id="fd.aisfx",
        title="FD (aiSFX)",
        task="sound",
        scope="set",
        inputs=("reference:aisfx.embedding", "generated:aisfx.embedding"),
        compute="vsseval.metrics.frechet:frechet_distance",
        unit="squared distance",
        better="lower",
        definition=(
            "Fréchet distance between Gaussians fitted to the aiSFX embeddings of all analysis "
            "blocks: |mu1 - mu2|^2 + tr S1 + tr S2 - 2 tr (S1^1/2 S2 S1^1/2)^1/2. Biased upwards "
            "when there are few blocks for 512 dimensions."
        ),
        source="Dowson and Landau (1982); K. Kilgour et al. (2019), arXiv 1812.08466",
        version=1,
        pool="set",
    ),
    Metric(
        id="kad.aisfx",
        title="KAD (aiSFX)",
        task="sound",
        scope="set",
        inputs=("reference:aisfx.embedding", "generated:aisfx.embedding"),
        compute="vsseval.metrics.kernel:kernel_audio_distance",
        unit="100 x MMD²",
        better="lower",
        definition=(
            "100 times the unbiased squared maximum mean discrepancy with a Gaussian kernel whose "
            "bandwidth is the median pairwise distance of the reference set (profile kad-paper). "
            "May be slightly negative."
        ),
        source="Y. Chung et al. (2025), arXiv 2502.15602; YoonjinXD/kadtk at 8bda71d",
        version=1,
        pool="set",
        params={"bandwidth": "reference"},
    ),
    Metric(
        id="is.aisfx",
        title="IS (aiSFX)",
        task="sound",
        scope="set",
        inputs=("generated:aisfx.logits",),
        compute="vsseval.metrics.divergence:inception_score",
        unit="classes",
        better="higher",
        definition=(
            "Inception score exp(mean KL(p_i || mean p)) over class posteriors of the generated "
            "clips, mean over 10 splits. It reads no reference, so it says nothing about "
            "fidelity, and it falls with the number of clips."
        ),
        source="T. Salimans et al. (2016), arXiv 1606.03498; hkchengrex/av-benchmark at 050a5cd",
        version=1,
        pool="set",
        params={"splits": 10, "shuffle_seed": 2020},
    ),
    Metric(
        id="kl.aisfx",
        title="KL (aiSFX)",
        task="sound",
        scope="clip",
        inputs=("reference:aisfx.logits", "generated:aisfx.logits"),
        compute="vsseval.metrics.divergence:kl_components",
        unit="nat",
        better="lower",
        definition=(
            "KL(reference || generated) of the class posteriors of a clip, softmax of the logits "
            "averaged over its blocks, no epsilon; mean over clips."
        ),
        source="hkchengrex/av-benchmark at 050a5cd, av_bench/metrics/kl.py (profile avbench)",
        version=1,
    ),
    Metric(
        id="onset_f1",
        title="Onset F1",
        task="sound",
        scope="clip",
        inputs=("reference:onsets.times_030", "generated:onsets.times_030"),
        compute="vsseval.metrics.onset:onset_f1_components",
        unit="fraction",
        better="higher",
        definition=(
            "F1 of detected onsets of the generated sound against detected onsets of the "
            "reference, one-to-one within 100 ms; mean over clips. Silence scores 0."
        ),
        source="mir_eval at fe73b35, onset.f_measure (profile onset-f1)",
        version=1,
        params={"window": 0.1},
    ),
    Metric(
        id="onset_f1.annotated",
        title="Onset F1 (annotated)",
        task="sound",
        scope="clip",
        inputs=("item:onsets", "generated:onsets.times_030"),
        compute="vsseval.metrics.onset:annotated_onset_f1_components",
        unit="fraction",
        better="higher",
        definition=(
            "F1 of detected onsets of the generated sound against the annotated onsets of the "
            "clip, one-to-one within 100 ms; mean over clips that have annotations."
        ),
        source="mir_eval at fe73b35, onset.f_measure (profile onset-f1)",
        version=1,
        params={"window": 0.1},
    ),
    Metric(
        id="onset_acc",
        title="Onset Acc (CondFoley)",
        task="sound",
        scope="clip",
        inputs=_CONDFOLEY_INPUTS,
        compute="vsseval.metrics.onset:onset_accuracy_components",
        unit="fraction",
        better="higher",
        definition=(
            "Share of detected reference onsets that take a detected generated onset closer than "
            "100 ms; mean over clips. False alarms cost nothing."
        ),
        source=_CONDFOLEY,
        version=1,
        params={"tolerance": 0.1},
    ),
    Metric(
        id="onset_ap",
        title="Onset AP (CondFoley)",
        task="sound",
        scope="clip",
        inputs=_CONDFOLEY_INPUTS,
        compute="vsseval.metrics.onset:onset_average_precision_components",
        unit="fraction",
        better="higher",
        definition=(
            "Average precision of generated onsets ranked by loudness, with the published flaws: "
            "misses count as positives, so silence scores 1. Read it beside onset F1 only."
        ),
        source=_CONDFOLEY,
        version=1,
        params={"tolerance": 0.1},
    ),
    Metric(
        id="av_align",
        title="AV-Align (2025)",
        task="sound",
        scope="clip",
        inputs=("video:motion.magnitude", "video:motion.fps", "generated:onsets.times_007"),
        compute="vsseval.metrics.audio_visual:av_align_components",
        unit="fraction",
        better="higher",
        definition=(
            "Intersection over union of audio onsets and peaks of visible motion, matched within "
            "one video frame, each peak used once; mean over clips."
        ),
        source="guyyariv/TempoTokens at bf0b1e3, av_align.py (profile avalign-2025)",
        version=1,
    ),
    Metric(
        id="mcd",
        title="MCD (pymcd)",
        task="speech",
        scope="clip",
        inputs=_CEPSTRA,
        compute="vsseval.metrics.cepstral:mcd_components",
        unit="dB",
        better="lower",
        definition=(
            "Mel-cepstral distortion frame by frame, c0 included; mean over clips. Silence has a "
            "finite value."
        ),
        source=_PYMCD,
        version=1,
    ),
    Metric(
        id="mcd_dtw",
        title="MCD-DTW (pymcd)",
        task="speech",
        scope="clip",
        inputs=_CEPSTRA,
        compute="vsseval.metrics.cepstral:mcd_dtw_components",
        unit="dB",
        better="lower",
        definition=(
            "Mel-cepstral distortion averaged over the path of FastDTW (radius 1), c0 in the cost "
            "and not in the alignment; mean over clips."
        ),
        source=_PYMCD,
        version=1,
    ),
    Metric(
        id="mcd_dtw_sl",
        title="MCD-DTW-SL (pymcd)",
        task="speech",
        scope="clip",
        inputs=_CEPSTRA,
        compute="vsseval.metrics.cepstral:mcd_dtw_sl_components",
        unit="dB",
        better="lower",
        definition=(
            "MCD-DTW times the ratio of the longer to the shorter number of frames; mean over "
            "clips. Equal to MCD-DTW when all systems keep the length of the video."
        ),
        source=f"{_PYMCD}; Q. Chen et al. (2022), arXiv 2111.12890",
        version=1,
    ),
    Metric(
        id="wer.tiny_en",
        title="WER (tiny.en)",
        task="speech",
        scope="clip",
        inputs=("item:transcript", "generated:whisper-tiny.en.text"),
        compute="vsseval.metrics.transcription:word_components",
        unit="%",
        better="lower",
        definition=(
            "100 * sum of word edits / sum of reference words over all clips, both texts in the "
            "grid normal form; an empty transcription is all deletions."
        ),
        source="definition in metrics/transcription.py; counts as jiwer 4.0 process_words",
        version=1,
        pool="percent_ratio",
        params={"normaliser": "grid"},
    ),
    Metric(
        id="cer.tiny_en",
        title="CER (tiny.en)",
        task="speech",
        scope="clip",
        inputs=("item:transcript", "generated:whisper-tiny.en.text"),
        compute="vsseval.metrics.transcription:character_components",
        unit="%",
        better="lower",
        definition=(
            "100 * sum of character edits / sum of reference characters over all clips, both "
            "texts in the grid normal form, single spaces included."
        ),
        source="definition in metrics/transcription.py; counts as jiwer 4.0 process_characters",
        version=1,
        pool="percent_ratio",
        params={"normaliser": "grid"},
    ),
    Metric(
        id="speaker_similarity.ge2e",
        title="Speaker sim. (GE2E)",
        task="speech",
        scope="clip",
        inputs=("speaker:ge2e.embedding", "generated:ge2e.embedding"),
        compute="vsseval.metrics.similarity:speaker_similarity_components",
        unit="100 x cosine",
        better="higher",
        definition=(
            "100 times the cosine between the GE2E embeddings of another clip of the wanted "
            "speaker and of the generated speech; mean over clips."
        ),
        source="L. Wan et al. (2018), arXiv 1710.10467; resemble-ai/Resemblyzer at 15d828e",
        version=1,
    ),
    Metric(
        id="dnsmos.ovrl",
        title="DNSMOS OVRL",
        task="speech",
        scope="clip",
        inputs=("generated:dnsmos.ovrl",),
        compute="vsseval.metrics.opinion:opinion_components",
        unit="MOS",
        better="higher",
        definition="Predicted overall quality (ITU-T P.835 scale 1 to 5); mean over clips.",
        source=_DNSMOS,
        version=1,
    ),
    Metric(
        id="dnsmos.sig",
        title="DNSMOS SIG",
        task="speech",
        scope="clip",
        inputs=("generated:dnsmos.sig",),
        compute="vsseval.metrics.opinion:opinion_components",
        unit="MOS",
        better="higher",
        definition="Predicted quality of the speech signal (P.835, 1 to 5); mean over clips.",
        source=_DNSMOS,
        version=1,
    ),
    Metric(
        id="dnsmos.bak",
        title="DNSMOS BAK",
        task="speech",
        scope="clip",
        inputs=("generated:dnsmos.bak",),
        compute="vsseval.metrics.opinion:opinion_components",
        unit="MOS",
        better="higher",
        definition="Predicted absence of background noise (P.835, 1 to 5); mean over clips.",
        source=_DNSMOS,
        version=1,
    ),
    Metric(
        id="dnsmos.p808",
        title="DNSMOS P.808",
        task="speech",
        scope="clip",
        inputs=("generated:dnsmos.p808",),
        compute="vsseval.metrics.opinion:opinion_components",
        unit="MOS",
        better="higher",
        definition="Predicted overall quality (ITU-T P.808 scale 1 to 5); mean over clips.",
        source=_DNSMOS,
        version=1,
    ),
)

METRICS: dict[str, Metric] = {row.id: row for row in _ROWS}
"""Metrics by id, in the order that tables print them."""


def metric(metric_id: str) -> Metric:
    """The row of that id.

    Raises:
        UnknownNameError: no such metric; the message lists close ids.
    """
    if metric_id not in METRICS:
        raise UnknownNameError("metric", metric_id, METRICS)
    return METRICS[metric_id]


def resolve(compute: str) -> Callable[..., object]:
    """The function behind ``module:function``, imported now.

    Set-scope functions return a float, clip-scope ones float64 (k,).

    Raises:
        InputError: the text has no colon, or there is no such module or function.
    """
    module_name, colon, function_name = compute.partition(":")
    if not colon:
        raise InputError(f"expected 'module:function', got {compute!r}")
    try:
        function = getattr(importlib.import_module(module_name), function_name)
    except (ModuleNotFoundError, AttributeError) as error:
        raise InputError(f"cannot import {compute!r}: {error}") from error
    if not callable(function):
        raise InputError(f"{compute!r} is not a function")
    return function  # type: ignore[no-any-return]
