"""What every metric of the table must keep, by its id."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from degradations import (
    added_words,
    cepstra_with_level,
    complexities,
    embeddings,
    exchanged_cepstra_with_level,
    exchanged_embeddings,
    exchanged_labelled,
    exchanged_onsets,
    exchanged_onsets_beside_speech,
    exchanged_onsets_with_loudness,
    exchanged_pitch,
    exchanged_posteriors,
    exchanged_ranked_onsets,
    exchanged_replaced_words,
    exchanged_spoken_levels,
    exchanged_transcriptions,
    exchanged_voices,
    far_onsets_with_loudness,
    grid_transcriptions,
    labelled,
    late_lip_sync,
    late_onsets,
    lost_onsets,
    missing_words,
    moved_onsets,
    moved_onsets_before_motion,
    moved_onsets_beside_speech,
    moved_onsets_with_loudness,
    noisy_lip_sync,
    offset_logits,
    opinions,
    pitch,
    posteriors,
    ranked_onsets,
    rare_offsets,
    spoken_levels,
    sure_posteriors,
    transcriptions,
    voices,
)

from vsseval.metrics.table import METRICS
from vsseval.metrics.table_words import OTHERS


@dataclass(frozen=True)
class Contract:
    """What one metric keeps."""

    degraded: Callable[[int], tuple]
    """Inputs by level: 0 is a perfect match, or the best that a metric without reference knows."""
    perfect: float | None
    """Value at level 0 when the generated side equals the reference, or None without reference."""
    symmetric: bool | None
    """Whether the two sides may be exchanged; None if they are of different kinds, or one only."""
    exchanged: Callable[[], tuple[tuple, tuple]] | None = None
    """The same two sides in both orders; None if ``symmetric`` is."""
    params: Mapping[str, float] = field(default_factory=dict)
    """Smaller sizes than those of the row, so that a few clips are enough."""


FEW_ROWS = {"least": 40, "steps": 5}
FEW_SUBSETS = {"subsets": 5, "subset_size": 60}
ORDER_MATTERS = {name for name in METRICS if name.split(".")[0] in ("is", "kid", "fd_inf")}
"""Their splits or draws follow the order of clips, by definition."""

# Lips and sound are of different kinds; the best distance is what a network can reach.
LIP_SYNC = {
    "lse_d": Contract(noisy_lip_sync, None, None),
    "lse_c": Contract(noisy_lip_sync, None, None),
    "lse_d0": Contract(noisy_lip_sync, None, None),
    "lse_offset": Contract(late_lip_sync, 0.0, None),
}
FD = Contract(embeddings, 0.0, True, exchanged_embeddings)

CONTRACTS = {
    "fd.aisfx": FD,
    "fd.aisfx-nonspeech": FD,
    **dict.fromkeys(
        (
            "fd.vggish@avbench",
            "fd.panns-16k@avbench",
            "fd.passt@avbench",
            "fd.panns-32k",
            "fd.clap-laion",
            "fd.clap-ms",
            "fd.vggish@audioldm-16k",
            "fd.panns-16k@audioldm-16k",
            "fd.panns-32k@audioldm-32k",
            "fd.vggish@fadtk",
            "fd.clap-laion-music@fadtk",
            "fd.clap-laion-630k@fadtk",
            "fd.vggish@gudgud96",
        ),
        FD,
    ),
    **dict.fromkeys(
        ("fd_inf.vggish@fadtk", "fd_inf.clap-laion-music@fadtk"),
        Contract(embeddings, None, False, exchanged_embeddings, FEW_ROWS),
    ),
    "fd_clip.vggish@fadtk": Contract(embeddings, None, False, exchanged_embeddings),
    **dict.fromkeys(
        (
            "kad.vggish",
            "kad.panns-32k",
            "kad.passt",
            "kad.clap-laion",
            "kad.panns-32k@kadtk-1.1",
            "kad.clap-laion@kadtk-1.1",
        ),
        Contract(embeddings, None, False, exchanged_embeddings),
    ),
    **dict.fromkeys(
        ("kid.panns-32k", "kid.passt"),
        Contract(embeddings, None, False, exchanged_embeddings, FEW_SUBSETS),
    ),
    **dict.fromkeys(
        (
            "is.panns-16k@avbench",
            "is.passt@avbench",
            "is.panns-16k@audioldm-16k",
            "is.panns-32k@audioldm-32k",
        ),
        Contract(sure_posteriors, None, None),
    ),
    **dict.fromkeys(
        (
            "kl.panns-16k@avbench",
            "kl.passt@avbench",
            "kl.passt@audiocraft",
            "kl_sigmoid.panns-16k@avbench",
            "kl_sigmoid.passt@avbench",
        ),
        Contract(posteriors, 0.0, False, exchanged_posteriors),
    ),
    **dict.fromkeys(
        ("kl.panns-16k@audioldm-16k", "kl.panns-32k@audioldm-32k", "kl.passt@stable-audio"),
        Contract(posteriors, -7.99856e-6, False, exchanged_posteriors),
    ),
    **dict.fromkeys(
        ("kl_sigmoid.panns-16k@audioldm-16k", "kl_sigmoid.panns-32k@audioldm-32k"),
        Contract(posteriors, -8e-6, False, exchanged_posteriors),
    ),
    **dict.fromkeys(
        (
            "relevance.demo",
            "relevance.demo-nonspeech",
            "imagebind.nonspeech",
            "imagebind@ib-avbench",
            "imagebind@ib-native",
            "imagebind_text",
        ),
        Contract(voices, 100.0, True, exchanged_voices),
    ),
    **dict.fromkeys(
        (
            "clap.laion@avbench",
            "clap_audio.laion",
            "clap.ms",
            "clap.ms@avbench",
            "clap.laion@stable-audio",
        ),
        Contract(voices, 1.0, True, exchanged_voices),
    ),
    # Unbiased, so a set against itself is slightly below zero: checked for itself further down.
    "kad.aisfx": Contract(embeddings, None, False, exchanged_embeddings),
    "kad.aisfx@kadtk-1.1": Contract(embeddings, None, False, exchanged_embeddings),
    "kid.aisfx": Contract(embeddings, None, False, exchanged_embeddings, FEW_SUBSETS),
    "fd_inf.aisfx": Contract(embeddings, None, False, exchanged_embeddings, FEW_ROWS),
    "fd_inf.aisfx@fadtk": Contract(embeddings, None, False, exchanged_embeddings, FEW_ROWS),
    # A clip has not the spread of the whole set, so even the reference itself is above zero.
    "fd_clip.aisfx@fadtk": Contract(embeddings, None, False, exchanged_embeddings),
    "label_accuracy.aisfx": Contract(labelled, 100.0, False, exchanged_labelled),
    "label_accuracy.demo": Contract(labelled, 100.0, False, exchanged_labelled),
    "is.aisfx": Contract(sure_posteriors, None, None),
    "kl.aisfx": Contract(posteriors, 0.0, False, exchanged_posteriors),
    # With 1e-6 added to the second posterior: -8e-6 + 1e-12 / 2 * sum 1 / p, p = softmax(6, 0 x 7).
    "kl.aisfx@stable-audio": Contract(posteriors, -7.99856e-6, False, exchanged_posteriors),
    "kl.aisfx@audioldm": Contract(posteriors, -7.99856e-6, False, exchanged_posteriors),
    "kl_sigmoid.aisfx@avbench": Contract(posteriors, 0.0, False, exchanged_posteriors),
    "kl_sigmoid.aisfx@audioldm": Contract(posteriors, -8e-6, False, exchanged_posteriors),
    "onset_f1.50ms": Contract(moved_onsets, 1.0, True, exchanged_onsets),
    "onset_f1.200ms": Contract(lost_onsets, 1.0, True, exchanged_onsets),
    "onset_offset": Contract(late_onsets, 0.0, True, exchanged_onsets),
    "onset_acc@onset-mmaudio": Contract(
        far_onsets_with_loudness, 1.0, False, exchanged_onsets_with_loudness
    ),
    "onset_ap@onset-mmaudio": Contract(
        far_onsets_with_loudness, 1.0, False, exchanged_onsets_with_loudness
    ),
    "onset_f1@onset-mmaudio": Contract(
        far_onsets_with_loudness, 1.0, False, exchanged_onsets_with_loudness
    ),
    "onset_f1": Contract(moved_onsets, 1.0, True, exchanged_onsets),
    "onset_f1.nonspeech": Contract(
        moved_onsets_beside_speech, 1.0, True, exchanged_onsets_beside_speech
    ),
    "onset_f1.annotated": Contract(moved_onsets, 1.0, True, exchanged_onsets),
    "onset_acc@onset-condfoley": Contract(
        moved_onsets_with_loudness, 1.0, False, exchanged_onsets_with_loudness
    ),
    "onset_ap@onset-condfoley": Contract(
        moved_onsets_with_loudness, 1.0, False, exchanged_onsets_with_loudness
    ),
    "onset_ap": Contract(ranked_onsets, 1.0, False, exchanged_ranked_onsets),
    "av_align": Contract(moved_onsets_before_motion, 1.0, None),
    "av_align@avalign-2023": Contract(moved_onsets_before_motion, 1.0, None),
    "av_align@avalign-svg": Contract(moved_onsets_before_motion, 1.0, None),
    # The epsilon keeps it a little below 1.
    "av_align@avalign-javis": Contract(moved_onsets_before_motion, 6 / (6 + 1e-6), None),
    "desync@desync-avbench": Contract(offset_logits, 0.0, None),
    "desync.nonspeech": Contract(offset_logits, 0.0, None),
    "desync@desync-javis": Contract(offset_logits, 0.0, None),
    "sync_accuracy@synchformer-native": Contract(rare_offsets, 1.0, None),
    "sync_accuracy_1@synchformer-native": Contract(rare_offsets, 1.0, None),
    "mcd": Contract(cepstra_with_level, 0.0, True, exchanged_cepstra_with_level),
    "mcd_dtw": Contract(cepstra_with_level, 0.0, True, exchanged_cepstra_with_level),
    "mcd_dtw_sl": Contract(cepstra_with_level, 0.0, True, exchanged_cepstra_with_level),
    "mcd_dtw@standard": Contract(cepstra_with_level, 0.0, True, exchanged_cepstra_with_level),
    "f0_rmse@standard": Contract(pitch, 0.0, True, exchanged_pitch),
    "f0_rmse_cents@standard": Contract(pitch, 0.0, True, exchanged_pitch),
    "voicing_error@standard": Contract(pitch, 0.0, True, exchanged_pitch),
    "duration_ratio": Contract(spoken_levels, 1.0, True, exchanged_spoken_levels),
    "wer.tiny_en": Contract(transcriptions, 0.0, False, exchanged_transcriptions),
    "cer.tiny_en": Contract(transcriptions, 0.0, False, exchanged_transcriptions),
    "wer_macro.tiny_en": Contract(transcriptions, 0.0, False, exchanged_transcriptions),
    "wer.tiny_en@whisper-en": Contract(transcriptions, 0.0, False, exchanged_transcriptions),
    "wer.tiny_en@whisper-basic": Contract(transcriptions, 0.0, False, exchanged_transcriptions),
    "wer.tiny_en@seedtts": Contract(transcriptions, 0.0, False, exchanged_transcriptions),
    "wer.tiny_en@styledubber": Contract(transcriptions, 0.0, False, exchanged_transcriptions),
    # Only the reference has to be a GRID sentence: the two sides are of different kinds.
    "grid_slot_accuracy.tiny_en": Contract(transcriptions, 100.0, None),
    "grid_slot_accuracy.tiny_en@homophones": Contract(transcriptions, 100.0, None),
    "grid_sentence_accuracy.tiny_en": Contract(grid_transcriptions, 100.0, None),
    "grid_command_accuracy.tiny_en": Contract(grid_transcriptions, 100.0, None),
    "grid_colour_accuracy.tiny_en": Contract(grid_transcriptions, 100.0, None),
    "grid_preposition_accuracy.tiny_en": Contract(grid_transcriptions, 100.0, None),
    "grid_letter_accuracy.tiny_en": Contract(grid_transcriptions, 100.0, None),
    "grid_digit_accuracy.tiny_en": Contract(grid_transcriptions, 100.0, None),
    "grid_adverb_accuracy.tiny_en": Contract(grid_transcriptions, 100.0, None),
    "speaker_similarity.ge2e": Contract(voices, 100.0, True, exchanged_voices),
    "dnsmos.ovrl": Contract(opinions, None, None),
    "dnsmos.sig": Contract(opinions, None, None),
    "dnsmos.bak": Contract(opinions, None, None),
    "dnsmos.p808": Contract(opinions, None, None),
    **{
        f"{number}.{variant}": contract
        for variant in (
            "demo",
            "demo@masked",
            "syncnet",
            "syncnet@masked",
            "syncnet@s3fd",
            "syncnet@box",
        )
        for number, contract in LIP_SYNC.items()
    },
    "wer_substitutions.tiny_en": Contract(transcriptions, 0.0, False, exchanged_replaced_words),
    "wer_deletions.tiny_en": Contract(missing_words, 0.0, False, exchanged_transcriptions),
    "wer_insertions.tiny_en": Contract(added_words, 0.0, False, exchanged_transcriptions),
    **{
        listener.metric_id(family, profile): Contract(
            transcriptions, 0.0, False, exchanged_transcriptions
        )
        for listener in OTHERS
        for family, profile in (
            ("wer", ""),
            ("cer", ""),
            ("wer_macro", ""),
            ("wer", "whisper-en"),
            ("wer", "whisper-basic"),
            ("wer", "seedtts"),
            ("wer", "styledubber"),
        )
    },
    **{
        listener.metric_id("grid_slot_accuracy"): Contract(transcriptions, 100.0, None)
        for listener in OTHERS
    },
    "speaker_similarity.ge2e@setting1": Contract(voices, 100.0, True, exchanged_voices),
    "speaker_similarity.wavlm-ecapa": Contract(voices, 100.0, True, exchanged_voices),
    "speaker_similarity.wavlm-ecapa@setting1": Contract(voices, 100.0, True, exchanged_voices),
    "utmos": Contract(opinions, None, None),
    "audiobox.pq": Contract(opinions, None, None),
    "audiobox.pc": Contract(complexities, None, None),
    "audiobox.ce": Contract(opinions, None, None),
    "audiobox.cu": Contract(opinions, None, None),
}
