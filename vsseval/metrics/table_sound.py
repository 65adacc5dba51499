"""Rows of the metrics of sound: one for each column a sound leaderboard can have."""

from __future__ import annotations

from vsseval.types import Metric

_CONDFOLEY = "XYPB/CondFoleyGen at c565db7, predict_onset.py (profile onset-condfoley)"
_CONDFOLEY_INPUTS = (
    "reference:onsets.times_030",
    "generated:onsets.times_030",
    "generated:onsets.confidence_030",
    "generated:onsets.amplitude_030",
)

SOUND_ROWS = (
    Metric(
        id="fd.aisfx",
        title="FD (aiSFX)",
        task="sound",
        scope="set",
        inputs=("reference:aisfx.embedding", "generated:aisfx.embedding"),
        compute="vsseval.metrics.frechet_influence:frechet_set_value",
        unit="squared distance",
        better="lower",
        definition=(
            "Fréchet distance between Gaussians fitted to the aiSFX embeddings of all analysis "
            "blocks: |mu1 - mu2|^2 + tr S1 + tr S2 - 2 tr (S1^1/2 S2 S1^1/2)^1/2. Biased upwards "
            "when there are few blocks for 512 dimensions; the interval is around the value "
            "less its bias, clips paired."
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
        compute="vsseval.metrics.kernel:kernel_set_value",
        unit="100 x MMD²",
        better="lower",
        definition=(
            "100 times the unbiased squared maximum mean discrepancy with a Gaussian kernel whose "
            "bandwidth is the median pairwise distance of the reference set (profile kad-paper). "
            "May be slightly negative. Interval by the jackknife over clips."
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
        compute="vsseval.metrics.divergence:inception_set_value",
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
)
