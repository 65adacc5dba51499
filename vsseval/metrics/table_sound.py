"""Rows of the metrics of sound: one for each column a sound leaderboard can have."""

from __future__ import annotations

from vsseval.types import Metric

_AISFX = ("reference:aisfx.embedding", "generated:aisfx.embedding")
_AISFX_LOGITS = ("reference:aisfx.logits", "generated:aisfx.logits")
_DETECTED = ("reference:onsets.times_030", "generated:onsets.times_030")
_MOTION_AND_ONSETS = ("video:motion.magnitude", "video:motion.fps", "generated:onsets.times_007")
_MMAUDIO = "hkchengrex/MMAudio at 974010a, eval_onsets.py (profile onset-mmaudio)"
_MMAUDIO_INPUTS = (
    "item:onsets",
    "generated:onsets-signed.times",
    "generated:onsets-signed.confidence",
    "generated:onsets-signed.amplitude",
)
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
        compute="vsseval.metrics.influence:frechet_set_value",
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
    Metric(
        id="fd_inf.aisfx",
        title="FD-inf (aiSFX)",
        task="sound",
        scope="set",
        inputs=_AISFX,
        compute="vsseval.metrics.frechet_fadtk:frechet_infinity",
        unit="squared distance",
        better="lower",
        definition=(
            "Fréchet distance extrapolated to endless generated data: intercept of the line over "
            "1 / n through 25 sizes from 500 rows on, whole clips drawn with replacement and a "
            "stated seed. It tends to the plain distance of the same rows and keeps its bias: the "
            "interval of fd.aisfx says more."
        ),
        source="variant of profile fadtk: whole clips, seeded; microsoft/fadtk at ec74b1f",
        version=1,
        pool="set",
        params={"draw": "clips", "draw_seed": 2020},
    ),
    Metric(
        id="fd_inf.aisfx@fadtk",
        title="FD-inf (aiSFX, fadtk)",
        task="sound",
        scope="set",
        inputs=_AISFX,
        compute="vsseval.metrics.frechet_fadtk:frechet_infinity",
        unit="squared distance",
        better="lower",
        definition=(
            "As fd_inf.aisfx, but rows are drawn as if those of a clip were independent, as "
            "published; the seed is ours."
        ),
        source="A. Gui et al. (2024), arXiv 2311.01616; microsoft/fadtk at ec74b1f (profile fadtk)",
        version=1,
        pool="set",
        params={"draw": "rows", "draw_seed": 2020},
    ),
    Metric(
        id="fd_clip.aisfx@fadtk",
        title="FD per clip (aiSFX)",
        task="sound",
        scope="set",
        inputs=_AISFX,
        compute="vsseval.metrics.frechet_fadtk:frechet_per_clip_set_value",
        unit="squared distance",
        better="lower",
        definition=(
            "Fréchet distance between the rows of one generated clip and the whole reference "
            "set, mean over clips. Mostly the spread that a single clip lacks."
        ),
        source="A. Gui et al. (2024), arXiv 2311.01616; microsoft/fadtk at ec74b1f (profile fadtk)",
        version=1,
        pool="set",
    ),
    Metric(
        id="kad.aisfx@kadtk-1.1",
        title="KAD (aiSFX, kadtk 1.1)",
        task="sound",
        scope="set",
        inputs=_AISFX,
        compute="vsseval.metrics.kernel:kernel_set_value",
        unit="100 x MMD²",
        better="lower",
        definition=(
            "As kad.aisfx, with the bandwidth of the generated set, so that each system is "
            "measured with a kernel of its own. Interval by the jackknife over clips."
        ),
        source="YoonjinXD/kadtk at 8bda71d (profile kadtk-1.1)",
        version=1,
        pool="set",
        params={"bandwidth": "generated"},
    ),
    Metric(
        id="kid.aisfx",
        title="KID (aiSFX)",
        task="sound",
        scope="set",
        inputs=_AISFX,
        compute="vsseval.metrics.kid:kernel_inception_distance",
        unit="MMD²",
        better="lower",
        definition=(
            "Unbiased squared maximum mean discrepancy with the kernel (x'y / d + 1)^3, mean "
            "over 100 random subsets of 1,000 rows. Undefined for fewer rows."
        ),
        source="M. Binkowski et al. (2018), arXiv 1801.01401; toshas/torch-fidelity at 5e211a9",
        version=1,
        pool="set",
        params={"subsets": 100, "subset_size": 1000, "shuffle_seed": 2020},
    ),
    Metric(
        id="kl.aisfx@stable-audio",
        title="KL reversed (aiSFX)",
        task="sound",
        scope="clip",
        inputs=_AISFX_LOGITS,
        compute="vsseval.metrics.divergence:kl_reversed_components",
        unit="nat",
        better="lower",
        definition=(
            "KL(generated || reference) of the class posteriors of a clip, 1e-6 added to that "
            "of the reference; mean over clips. The other direction than kl.aisfx."
        ),
        source="Stability-AI/stable-audio-metrics at fd55536, passt_kld.py (profile stable-audio)",
        version=1,
        params={"epsilon": 1e-6},
    ),
    Metric(
        id="kl.aisfx@audioldm",
        title="KL with eps (aiSFX)",
        task="sound",
        scope="clip",
        inputs=_AISFX_LOGITS,
        compute="vsseval.metrics.divergence:kl_epsilon_components",
        unit="nat",
        better="lower",
        definition=(
            "KL(reference || generated) of the class posteriors of a clip, 1e-6 added to that "
            "of the generated sound; mean over clips."
        ),
        source="haoheliu/audioldm_eval at 8dc07ee, audioldm_eval/metrics/kl.py (profile audioldm)",
        version=1,
        params={"epsilon": 1e-6},
    ),
    Metric(
        id="kl_sigmoid.aisfx@avbench",
        title="KL sigmoid (aiSFX, avbench)",
        task="sound",
        scope="clip",
        inputs=_AISFX_LOGITS,
        compute="vsseval.metrics.divergence:kl_sigmoid_components",
        unit="nat",
        better="lower",
        definition=(
            "Sum over classes of p ln(p / q) with p, q the sigmoids of the logits: one side of "
            "a divergence only, can be negative; mean over clips."
        ),
        source="hkchengrex/av-benchmark at 050a5cd, av_bench/metrics/kl.py (profile avbench)",
        version=1,
    ),
    Metric(
        id="kl_sigmoid.aisfx@audioldm",
        title="KL sigmoid (aiSFX, audioldm)",
        task="sound",
        scope="clip",
        inputs=_AISFX_LOGITS,
        compute="vsseval.metrics.divergence:kl_sigmoid_components",
        unit="nat",
        better="lower",
        definition=("As kl_sigmoid.aisfx@avbench, with 1e-6 added to q; mean over clips."),
        source="haoheliu/audioldm_eval at 8dc07ee, audioldm_eval/metrics/kl.py (profile audioldm)",
        version=1,
        params={"epsilon": 1e-6},
    ),
    Metric(
        id="onset_f1.50ms",
        title="Onset F1 (50 ms)",
        task="sound",
        scope="clip",
        inputs=_DETECTED,
        compute="vsseval.metrics.onset:onset_f1_components",
        unit="fraction",
        better="higher",
        definition=("As onset_f1, one-to-one within 50 ms; mean over clips."),
        source="mir_eval at fe73b35, onset.f_measure (profile onset-f1)",
        version=1,
        params={"window": 0.05},
    ),
    Metric(
        id="onset_f1.200ms",
        title="Onset F1 (200 ms)",
        task="sound",
        scope="clip",
        inputs=_DETECTED,
        compute="vsseval.metrics.onset:onset_f1_components",
        unit="fraction",
        better="higher",
        definition=("As onset_f1, one-to-one within 200 ms; mean over clips."),
        source="mir_eval at fe73b35, onset.f_measure (profile onset-f1)",
        version=1,
        params={"window": 0.2},
    ),
    Metric(
        id="onset_offset",
        title="Onset offset",
        task="sound",
        scope="clip",
        inputs=_DETECTED,
        compute="vsseval.metrics.onset:onset_offset_components",
        unit="s",
        better="lower",
        definition=(
            "Median absolute distance of detected onsets of the generated sound from those of "
            "the reference, over pairs matched one-to-one within 200 ms; mean over clips that "
            "have a pair."
        ),
        source="definition in metrics/onset.py; matching as mir_eval at fe73b35 (profile onset-f1)",
        version=1,
        params={"window": 0.2},
    ),
    Metric(
        id="onset_acc@mmaudio",
        title="Onset Acc (MMAudio)",
        task="sound",
        scope="clip",
        inputs=_MMAUDIO_INPUTS,
        compute="vsseval.metrics.onset_mmaudio:onset_mmaudio_components",
        unit="fraction",
        better="higher",
        definition=(
            "Share of annotated onsets that take a detected generated onset closer than 300 ms, "
            "with the published index slip; mean over annotated clips."
        ),
        source=_MMAUDIO,
        version=1,
        params={"value": "accuracy", "tolerance": 0.3},
    ),
    Metric(
        id="onset_ap@mmaudio",
        title="Onset AP (MMAudio)",
        task="sound",
        scope="clip",
        inputs=_MMAUDIO_INPUTS,
        compute="vsseval.metrics.onset_mmaudio:onset_mmaudio_components",
        unit="fraction",
        better="higher",
        definition=(
            "Average precision of generated onsets against annotated ones within 300 ms, with "
            "the published flaws: silence scores 1. Read it beside onset_f1.annotated only."
        ),
        source=_MMAUDIO,
        version=1,
        params={"value": "average_precision", "tolerance": 0.3},
    ),
    Metric(
        id="onset_f1@mmaudio",
        title="Onset F1 (MMAudio)",
        task="sound",
        scope="clip",
        inputs=_MMAUDIO_INPUTS,
        compute="vsseval.metrics.onset_mmaudio:onset_mmaudio_components",
        unit="fraction",
        better="higher",
        definition=(
            "F1 of the same matching, which ends when the generated onsets run out, so that "
            "later misses are not counted; mean over annotated clips."
        ),
        source=_MMAUDIO,
        version=1,
        params={"value": "f1", "tolerance": 0.3},
    ),
    Metric(
        id="av_align@avalign-2023",
        title="AV-Align (2023)",
        task="sound",
        scope="clip",
        inputs=_MOTION_AND_ONSETS,
        compute="vsseval.metrics.audio_visual:av_align_2023_components",
        unit="ratio",
        better="higher",
        definition=(
            "Audio onsets near a peak of visible motion over all onsets and peaks less these; "
            "one peak may serve many onsets, so it can exceed 1; mean over clips."
        ),
        source="guyyariv/TempoTokens at 34d9502, av_align.py (profile avalign-2023)",
        version=1,
    ),
    Metric(
        id="av_align@avalign-svg",
        title="AV-Align (SVG)",
        task="sound",
        scope="clip",
        inputs=_MOTION_AND_ONSETS,
        compute="vsseval.metrics.audio_visual:av_align_svg_components",
        unit="fraction",
        better="higher",
        definition=(
            "p1 p2 / (p1 + p2 - p1 p2) with p1 the share of audio onsets near a peak of visible "
            "motion and p2 the share of peaks near an onset; mean over clips."
        ),
        source="SonyResearch/SVG_baseline at e8ebd06, av_align.py (profile avalign-svg)",
        version=1,
    ),
)
