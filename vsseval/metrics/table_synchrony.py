"""Rows of the metrics of synchrony: onsets and AV-Align."""

from __future__ import annotations

from vsseval.types import Metric

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
_SYNCHFORMER = "V. Iashin et al. (2024), arXiv 2401.16423; v-iashin/Synchformer at b66668a"

SYNCHRONY_ROWS = (
    Metric(
        id="onset_f1",
        title="Onset F1",
        task="sound",
        scope="clip",
        inputs=_DETECTED,
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
        id="onset_f1.nonspeech",
        title="Onset F1 (outside speech)",
        task="sound",
        scope="clip",
        inputs=("item:speech_spans", *_DETECTED),
        compute="vsseval.metrics.onset:onset_f1_outside",
        unit="fraction",
        better="higher",
        definition=(
            "F1 of the detected onsets more than 100 ms outside the stated intervals of speech, "
            "within 100 ms of any onset of the other side; mean over clips that state them."
        ),
        source="definition in metrics/onset.py; matching as mir_eval at fe73b35",
        version=1,
        params={"window": 0.1, "margin": 0.1},
    ),
    Metric(
        id="onset_ap",
        title="Onset AP",
        task="sound",
        scope="clip",
        inputs=(*_DETECTED, "generated:onsets.confidence_030"),
        compute="vsseval.metrics.onset:onset_average_precision_components",
        unit="fraction",
        better="higher",
        definition=(
            "Average precision of generated onsets, ranked by loudness, as detections of the "
            "reference onsets, one-to-one within 100 ms, recall over all reference onsets; mean "
            "over clips. Silence scores 0."
        ),
        source="M. Everingham et al. (2010), section 4.2 (profile onset-f1)",
        version=2,
        params={"window": 0.1},
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
        id="onset_acc@onset-condfoley",
        title="Onset Acc (CondFoley)",
        task="sound",
        scope="clip",
        inputs=_CONDFOLEY_INPUTS,
        compute="vsseval.metrics.onset_condfoley:onset_accuracy_condfoley_components",
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
        id="onset_ap@onset-condfoley",
        title="Onset AP (CondFoley)",
        task="sound",
        scope="clip",
        inputs=_CONDFOLEY_INPUTS,
        compute="vsseval.metrics.onset_condfoley:onset_average_precision_condfoley_components",
        unit="fraction",
        better="higher",
        definition=(
            "Average precision of generated onsets ranked by loudness, with the published flaws: "
            "misses count as positives, so silence scores 1. Read it beside onset F1 only."
        ),
        source=_CONDFOLEY,
        version=1,
        params={"tolerance": 0.1},
        remark="vsseval.metrics.onset_condfoley:silent_predictions",
    ),
    Metric(
        id="onset_acc@onset-mmaudio",
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
        id="onset_ap@onset-mmaudio",
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
        remark="vsseval.metrics.onset_condfoley:silent_predictions",
    ),
    Metric(
        id="onset_f1@onset-mmaudio",
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
        id="av_align",
        title="AV-Align (2025)",
        task="sound",
        scope="clip",
        inputs=_MOTION_AND_ONSETS,
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
    Metric(
        id="av_align@avalign-javis",
        title="AV-Align (Javis)",
        task="sound",
        scope="clip",
        inputs=_MOTION_AND_ONSETS,
        compute="vsseval.metrics.audio_visual:av_align_2023_components",
        unit="ratio",
        better="higher",
        definition=(
            "As av_align@avalign-2023, with 1e-6 added to the denominator, so that a clip with "
            "neither onsets nor peaks counts as 0; mean over clips."
        ),
        source="JavisVerse/JavisDiT at b505b37 (profile avalign-javis)",
        version=1,
        params={"epsilon": 1e-6},
    ),
    Metric(
        id="desync@desync-avbench",
        title="DeSync (avbench)",
        task="sound",
        scope="clip",
        inputs=("generated:synchformer.logits",),
        compute="vsseval.metrics.synchrony:desync_avbench_components",
        unit="s",
        better="lower",
        definition=(
            "Absolute offset that Synchformer reads from video and generated sound, mean over the "
            "first and the last 4.8 s, then over clips. Shorter clips are excluded."
        ),
        source=f"{_SYNCHFORMER}; hkchengrex/av-benchmark at 050a5cd (profile desync-avbench)",
        version=1,
    ),
    Metric(
        id="desync.nonspeech",
        title="DeSync (outside speech)",
        task="sound",
        scope="clip",
        inputs=("generated_nonspeech:synchformer.logits",),
        compute="vsseval.metrics.synchrony:desync_avbench_components",
        unit="s",
        better="lower",
        definition=(
            "As desync@desync-avbench, of the generated sound with the stated intervals of speech "
            "erased; mean over clips that state them."
        ),
        source=f"{_SYNCHFORMER}; hkchengrex/av-benchmark at 050a5cd; docs/joint.md",
        version=1,
    ),
    Metric(
        id="desync@desync-javis",
        title="DeSync (Javis)",
        task="sound",
        scope="clip",
        inputs=("generated:synchformer-chunks.logits",),
        compute="vsseval.metrics.synchrony:desync_javis_components",
        unit="s",
        better="lower",
        definition=(
            "Absolute offset that Synchformer reads from video and generated sound, mean over 4.8 "
            "s after 4.8 s of the clip, then over clips."
        ),
        source=f"{_SYNCHFORMER}; JavisVerse/JavisDiT at b505b37 (profile desync-javis)",
        version=1,
    ),
    Metric(
        id="sync_accuracy@synchformer-native",
        title="Sync Acc (Synchformer)",
        task="sound",
        scope="clip",
        inputs=("generated:synchformer.logits",),
        compute="vsseval.metrics.synchrony:offset_accuracy_components",
        unit="fraction",
        better="higher",
        definition=(
            "Share of the first and last 4.8 s whose offset class is that of no offset; mean over "
            "clips."
        ),
        source=f"{_SYNCHFORMER}, accuracy_1 (profile synchformer-native)",
        version=1,
        params={"offset": 0.0, "classes": 0},
    ),
    Metric(
        id="sync_accuracy_1@synchformer-native",
        title="Sync Acc ±1 (Synchformer)",
        task="sound",
        scope="clip",
        inputs=("generated:synchformer.logits",),
        compute="vsseval.metrics.synchrony:offset_accuracy_components",
        unit="fraction",
        better="higher",
        definition=(
            "As sync_accuracy@synchformer-native, an offset of one class (0.2 s) counting as none."
        ),
        source=f"{_SYNCHFORMER}, accuracy_1_tol1 (profile synchformer-native)",
        version=1,
        params={"offset": 0.0, "classes": 1},
    ),
)
