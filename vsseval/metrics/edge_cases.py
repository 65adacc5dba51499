"""What each metric says of input at its borders: the table that docs/metrics.md prints.

A row names a metric of the table, the situation, and the outcome as a run reports it: a number; a
note beside a value; "excluded: reason" for a clip that is left out; "no value: reason" for a whole
set. tests/metrics/test_edge_cases.py makes each situation and compares the outcome.
"""

from __future__ import annotations

from typing import NamedTuple


class EdgeCase(NamedTuple):
    """One row."""

    metric: str
    """Id in ``METRICS``."""
    situation: str
    outcome: str


EDGE_CASES = (
    EdgeCase(
        "fd.aisfx",
        "one generated row",
        "no value: a Frechet distance needs at least 2 rows, generated has 1",
    ),
    EdgeCase(
        "fd.aisfx",
        "10 clips of 1 row, 12 dimensions",
        "a value; no more rows (10) than dimensions (12): biased upwards, no interval",
    ),
    EdgeCase("fd.aisfx", "9 clips", "a value; fewer than 10 clips: no interval"),
    EdgeCase(
        "fd_inf.aisfx",
        "500 generated rows",
        "no value: an extrapolation from 500 rows on needs more, generated has 500",
    ),
    EdgeCase(
        "fd_clip.aisfx@fadtk",
        "1 row a clip",
        "no value: no clip has the 2 rows that a covariance needs",
    ),
    EdgeCase(
        "kad.aisfx",
        "one generated row",
        "no value: a kernel audio distance needs at least 2 rows, generated has 1",
    ),
    EdgeCase("kad.aisfx", "9 clips", "a value; fewer than 10 clips: no interval"),
    EdgeCase(
        "kid.aisfx",
        "999 generated rows",
        "no value: a kernel inception distance over subsets of 1000 rows needs as many, "
        "generated has 999",
    ),
    EdgeCase(
        "is.aisfx",
        "9 clips",
        "no value: an inception score over 10 splits needs 10 clips, got 9",
    ),
    EdgeCase(
        "is.aisfx",
        "20 clips",
        "a value; 20 clips: below 1000 it falls with their number; too few in a split: no interval",
    ),
    EdgeCase(
        "kl.aisfx",
        "a logit that is not finite",
        "excluded: generated logits hold a value that is not finite",
    ),
    EdgeCase(
        "label_accuracy.aisfx",
        "one class",
        "no value: label accuracy needs two classes of two or more items, got 1",
    ),
    EdgeCase(
        "label_accuracy.aisfx",
        "a class of one item",
        "a value; 1 of 5 clips not counted: no other item of their class; "
        "fewer than 10 clips: no interval",
    ),
    EdgeCase("onset_f1", "silent prediction", "0"),
    EdgeCase("onset_f1", "no onsets on either side", "excluded: no onsets on either side"),
    EdgeCase("onset_f1.nonspeech", "silent prediction", "0"),
    EdgeCase(
        "onset_f1.nonspeech",
        "all onsets within speech",
        "excluded: no onsets on either side outside speech",
    ),
    EdgeCase("onset_f1.annotated", "continuous sound", "excluded: no annotated onsets"),
    EdgeCase("onset_acc@onset-condfoley", "silent prediction", "0"),
    EdgeCase("onset_ap", "silent prediction", "0"),
    EdgeCase("onset_ap", "no onsets on either side", "excluded: no onsets on either side"),
    EdgeCase("onset_ap@onset-condfoley", "silent prediction", "1"),
    EdgeCase(
        "onset_offset",
        "silent prediction",
        "excluded: no onsets within 0.2 s of each other",
    ),
    EdgeCase("onset_acc@onset-mmaudio", "silent prediction", "0"),
    EdgeCase("onset_ap@onset-mmaudio", "silent prediction", "1"),
    EdgeCase("onset_f1@onset-mmaudio", "silent prediction", "0"),
    EdgeCase("av_align", "silent prediction", "0"),
    EdgeCase("av_align", "silent and still", "excluded: neither onsets nor motion peaks"),
    EdgeCase(
        "av_align@avalign-2023",
        "silent and still",
        "excluded: neither onsets nor motion peaks",
    ),
    EdgeCase("av_align@avalign-svg", "silent and still", "0"),
    EdgeCase(
        "lse_d.demo",
        "a track that begins when the sound is over",
        "excluded: no window of lips and sound together: 20 video windows, 15 sound windows, "
        "track from frame 15",
    ),
    EdgeCase(
        "lse_d.demo@masked",
        "15 windows of lips and sound",
        "excluded: profile masked needs 16 windows, got 15",
    ),
    EdgeCase("lse_c.demo", "one distance at all offsets", "0"),
    EdgeCase("lse_offset.demo", "one distance at all offsets", "15"),
    EdgeCase(
        "lse_d0.demo",
        "an embedding that is not finite",
        "excluded: an embedding of the video or of the sound is not finite",
    ),
    EdgeCase("av_align@avalign-javis", "silent and still", "0"),
    EdgeCase(
        "mcd_dtw",
        "silent reference",
        "excluded: the reference is silent: its mel-cepstra do not move",
    ),
    EdgeCase(
        "mcd_dtw",
        "one generated frame",
        "excluded: generated has 1 frames of 5 ms, at least 2 are needed",
    ),
    EdgeCase(
        "mcd_dtw@standard",
        "silent speech",
        "excluded: the generated audio is silent: its mel-cepstra do not move",
    ),
    EdgeCase(
        "f0_rmse@standard",
        "whisper",
        "excluded: 0 cells are voiced on both sides, 10 are needed",
    ),
    EdgeCase(
        "duration_ratio",
        "silent speech",
        "excluded: the generated audio is silent: its speech has no length",
    ),
    EdgeCase("wer.tiny_en", "empty transcription", "100"),
    EdgeCase("wer.tiny_en", "capitals, a digit and the letter O", "0"),
    EdgeCase("wer.tiny_en", "another language", "100"),
    EdgeCase("wer.given", "empty transcription", "100"),
    EdgeCase("wer.given", "capitals, a digit and the letter O", "0"),
    EdgeCase(
        "wer.tiny_en",
        "no words to say",
        "excluded: the reference has no words after normalisation",
    ),
    EdgeCase("wer.tiny_en@whisper-en", "capitals, a digit and the letter O", "50"),
    EdgeCase("wer.tiny_en@whisper-basic", "capitals, a digit and the letter O", "40"),
    EdgeCase(
        "wer.tiny_en@styledubber",
        "empty transcription",
        "excluded: empty transcription, which StyleDubber's script drops",
    ),
    EdgeCase("grid_slot_accuracy.tiny_en", "empty transcription", "0"),
    EdgeCase(
        "grid_slot_accuracy.tiny_en",
        "no words to say",
        "excluded: not a GRID sentence: 0 words in '...', 6 are needed",
    ),
    EdgeCase(
        "speaker_similarity.ge2e",
        "an embedding of zeros",
        "excluded: the generated embedding is all zero, so it has no direction",
    ),
    EdgeCase(
        "utmos",
        "a score that is not finite",
        "excluded: expected one finite opinion score, got array(nan)",
    ),
)


class ClipCase(NamedTuple):
    """A clip that an encoder cannot take, or that is not there; it leaves every metric of it."""

    who: str
    """Id in ``ENCODERS``, or ``any metric``."""
    situation: str
    outcome: str


CLIP_CASES = (
    ClipCase(
        "vggish",
        "0.97 s of sound",
        "excluded: vggish needs at least 15600 samples (0.975 s, one patch of 96 frames), got "
        "15520 (0.970 s)",
    ),
    ClipCase(
        "panns-16k",
        "0.3 s of sound",
        "excluded: panns-16k needs at least 4960 samples (0.31 s, 32 frames), got 4800 (0.300 s)",
    ),
    ClipCase("passt", "less than 10 s of sound", "zeros at the end, as published"),
    ClipCase("clap-laion", "less than 10 s of sound", "whole copies, then zeros, as published"),
    ClipCase(
        "synchformer",
        "4.7 s of sound and picture",
        "excluded: DeSync needs 4.8 s of sound and picture (14 segments), the clip has 13 segments",
    ),
    ClipCase(
        "imagebind-video",
        "3.8 s of picture",
        "excluded: imagebind-video needs 4 s of frames, got 3.80 s (95 at 25 fps)",
    ),
    ClipCase("motion", "one frame", "excluded: motion needs at least two frames, got 1"),
    ClipCase(
        "onsets", "90 ms of sound", "excluded: onsets need 2048 samples at 22.05 kHz, got 1984"
    ),
    ClipCase("label_accuracy.aisfx", "no label", "excluded: no label"),
    ClipCase("any metric", "no reference audio", "excluded: reference: file missing: a.flac"),
    ClipCase("any metric", "generation failed", "excluded: generation failed: the model gave NaN"),
    ClipCase("any metric", "no clip left", "no value: generation failed: the model gave NaN"),
    ClipCase(
        "any metric",
        "no weights in the store",
        "excluded: weights missing: vsseval weights pull aisfx",
    ),
    ClipCase(
        "any metric",
        "two folders without a common name",
        "error: no file of generated (1 wav or flac) is named like one of reference (1); files "
        "belong together if their names agree without suffix",
    ),
)
