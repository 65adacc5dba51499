"""What every metric of the table must keep: perfect value, symmetry, direction, degradation.

Each row of METRICS has one entry of CONTRACTS. The functions are called through the table, with
its parameters and its pooling rule, as a run calls them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pytest

from vsseval.metrics.pooling import pool
from vsseval.metrics.table import METRICS, metric, resolve
from vsseval.metrics.table_words import OTHERS
from vsseval.types import SetValue

N_CLIPS = 24
LEVELS = (0, 1, 2, 3)


def draw(seed, *shape):
    return np.random.RandomState(seed).standard_normal(shape)


def clips(seed, *shape):
    """One array for each clip."""
    return [draw(seed * 1000 + i, *shape) for i in range(N_CLIPS)]


def value_of(metric_id, inputs):
    """Value of the metric; ``inputs`` holds for each input of the row a list over the clips."""
    row = metric(metric_id)
    compute = resolve(row.compute)
    params = {**row.params, **CONTRACTS[metric_id].params}
    if row.scope == "set":
        found = compute(*inputs, **params)
        return found.value if isinstance(found, SetValue) else found
    components = np.stack([compute(*clip, **params) for clip in zip(*inputs, strict=True)])
    assert components.dtype == np.float64
    return pool(components, row.pool)


# Degradations: inputs of level 0 (best) to 3 (worst).


def embeddings(level):
    """Embeddings that drift away from their reference."""
    reference = clips(1, 4, 6)
    noise = clips(2, 4, 6)
    return reference, [r + level * (0.8 + n) for r, n in zip(reference, noise, strict=True)]


def posteriors(level):
    """Logits of a sure class for each clip that are blurred more and more."""
    reference = [np.tile(6.0 * np.eye(8)[i % 8], (2, 1)) for i in range(N_CLIPS)]
    return reference, [r * (1.0 - 0.3 * level) for r in reference]


def labelled(level):
    """Two axes for two labels; at each level a sixth of the generated clips more is exchanged."""
    axes = np.eye(2)[np.arange(N_CLIPS) % 2]
    heard = np.where(np.arange(N_CLIPS)[:, None] < 4 * level, axes[:, ::-1], axes)
    names = [np.array("bell" if axis[0] else "drum") for axis in axes]
    return names, [axis[None] for axis in axes], [axis[None] for axis in heard]


def sure_posteriors(level):
    return (posteriors(level)[1],)


def onset_times(seed):
    return [0.5 + 0.4 * np.arange(6) + 0.05 * draw(seed * 1000 + i, 6) for i in range(N_CLIPS)]


def moved_onsets(level):
    """A third of the generated onsets is moved half a gap away at each level."""
    reference = onset_times(3)
    moved = np.arange(6) < 2 * level
    return reference, [times + 0.2 * moved for times in reference]


def moved_onsets_beside_speech(level):
    """As above; speech at the end takes the last onsets of both sides out."""
    return [np.array([[2.3, 3.0]])] * N_CLIPS, *moved_onsets(level)


def moved_onsets_with_loudness(level):
    """As above; what is moved is as loud as the rest."""
    reference, generated = moved_onsets(level)
    ones = [np.ones(6)] * N_CLIPS
    return reference, generated, ones, ones


def ranked_onsets(level):
    """As above, with one loudness a clip."""
    return moved_onsets_with_loudness(level)[:3]


def lost_onsets(level):
    """A third of the onsets is not there at each level."""
    reference = onset_times(3)
    return reference, [times[: 6 - 2 * level] for times in reference]


def late_onsets(level):
    reference = onset_times(3)
    return reference, [times + 0.03 * level for times in reference]


def far_onsets_with_loudness(level):
    """A third of the onsets is far away at each level, and as loud as the rest."""
    reference = 0.5 + 0.8 * np.arange(6)
    generated = reference + 10.0 * (np.arange(6) >= 6 - 2 * level)
    return [reference] * N_CLIPS, [generated] * N_CLIPS, *([[np.ones(6)] * N_CLIPS] * 2)


def moved_onsets_before_motion(level):
    """Motion peaks every 10 frames at 25 fps; a third of the onsets leaves them at each level."""
    magnitude = np.zeros(100)
    magnitude[10:70:10] = 1.0
    times = 0.4 + 0.4 * np.arange(6) + 0.2 * (np.arange(6) < 2 * level)
    return [magnitude] * N_CLIPS, [np.array(25.0)] * N_CLIPS, [times] * N_CLIPS


def offset_logits(level):
    """Two windows a clip that are sure of an offset, 0.4 s more at each level."""
    return ([np.tile(9.0 * np.eye(21)[10 + 2 * level], (2, 1))] * N_CLIPS,)


def rare_offsets(level):
    """At each level a quarter of the clips more is sure of 1 s."""
    return ([np.tile(9.0 * np.eye(21)[10 + 5 * (i < 6 * level)], (2, 1)) for i in range(N_CLIPS)],)


def cepstra(level):
    reference = [np.cumsum(c, axis=0) for c in clips(4, 40, 14)]
    noise = clips(5, 40, 14)
    return reference, [r + level * n for r, n in zip(reference, noise, strict=True)]


def cepstra_with_level(level):
    """As above, at equal loudness."""
    reference, generated = cepstra(level)
    return reference, generated, [np.array(0.1)] * N_CLIPS, [np.array(0.1)] * N_CLIPS


def pitch(level):
    """The same spectra; F0 rises by a semitone, and five frames lose their voice, a level."""
    reference = [np.cumsum(c, axis=0) for c in clips(17, 40, 14)]
    f0 = np.concatenate([np.zeros(5), np.linspace(100.0, 150.0, 35)])
    moved = f0 * 2 ** (level / 12) * (np.arange(40) < 40 - 5 * level)
    return reference, reference, [f0] * N_CLIPS, [moved] * N_CLIPS


def transcriptions(level):
    """One more wrong word of six at each level."""
    words = ["bin", "blue", "at", "s", "nine", "now"]
    wrong = ["zebra"] * level + words[level:]
    return [np.array(" ".join(words))] * N_CLIPS, [np.array(" ".join(wrong))] * N_CLIPS


def missing_words(level):
    """One more word of six that is not said at each level."""
    words = ["bin", "blue", "at", "s", "nine", "now"]
    said, heard = np.array(" ".join(words)), np.array(" ".join(words[level:]))
    return [said] * N_CLIPS, [heard] * N_CLIPS


def added_words(level):
    """One more word that was not to be said at each level."""
    said = "bin blue at s nine now"
    return [np.array(said)] * N_CLIPS, [np.array(said + " zebra" * level)] * N_CLIPS


def spoken_levels(level):
    """Speech of 100 frames, and of 20 more at each level, in silence."""
    reference = np.pad(np.ones(100), 30)
    generated = np.pad(np.full(100 + 20 * level, 0.3), 50)
    return [reference] * N_CLIPS, [generated] * N_CLIPS


def complexities(level):
    return ([np.array(2.0 + level)] * N_CLIPS,)


def grid_transcriptions(level):
    """At each level a quarter of the clips, one by one, loses all of its words."""
    said = "bin blue at s nine now"
    heard = ["" if i < 6 * level else said for i in range(N_CLIPS)]
    return [np.array(said)] * N_CLIPS, [np.array(text) for text in heard]


def voices(level):
    reference = clips(6, 16)
    noise = clips(7, 16)
    return reference, [r + level * n for r, n in zip(reference, noise, strict=True)]


def opinions(level):
    return ([np.array(4.0 - level)] * N_CLIPS,)


def noisy_lip_sync(level):
    """Windows of sound that say less and less of the lips."""
    lips = clips(18, 40, 64)
    noise = clips(19, 39, 64)
    sound = [v[:-1] + (0.2 + 0.4 * level) * n for v, n in zip(lips, noise, strict=True)]
    return lips, [np.array(0)] * N_CLIPS, sound


def late_lip_sync(level):
    """Sound that comes a frame later at each level."""
    lips = clips(18, 40, 64)
    sound = [np.roll(v[:-1], level, axis=0) for v in lips]
    return lips, [np.array(0)] * N_CLIPS, sound


# Exchanges: the same two sides in one order and in the other.


def exchanged_embeddings():
    a, b = clips(8, 4, 6), [2.0 * c + 1.0 for c in clips(9, 4, 6)]
    return (a, b), (b, a)


def exchanged_posteriors():
    a, b = clips(10, 2, 8), [3.0 * c for c in clips(11, 2, 8)]
    return (a, b), (b, a)


def exchanged_onsets():
    a, b = onset_times(12), [times[:4] + 0.06 for times in onset_times(12)]
    return (a, b), (b, a)


def exchanged_onsets_beside_speech():
    (a, b), _ = exchanged_onsets()
    spans = [np.array([[2.3, 3.0]])] * N_CLIPS
    return (spans, a, b), (spans, b, a)


def exchanged_ranked_onsets():
    """Four onsets and weaker ones between them, as predictions of the four alone, and back."""
    few, many = [np.arange(1.0, 5.0)] * N_CLIPS, [np.arange(1.0, 5.0, 0.5)] * N_CLIPS
    return (few, many, [np.tile([2.0, 1.0], 4)] * N_CLIPS), (many, few, [np.ones(4)] * N_CLIPS)


def exchanged_onsets_with_loudness():
    (a, b), _ = exchanged_onsets()
    ones_of = {id(side): [np.ones(len(times)) for times in side] for side in (a, b)}
    return (a, b, ones_of[id(b)], ones_of[id(b)]), (b, a, ones_of[id(a)], ones_of[id(a)])


def exchanged_cepstra():
    a = [np.cumsum(c, axis=0) for c in clips(13, 40, 14)]
    b = [np.cumsum(c, axis=0) for c in clips(14, 40, 14)]
    return (a, b), (b, a)


def exchanged_cepstra_with_level():
    (a, b), _ = exchanged_cepstra()
    quiet, loud = [np.array(0.1)] * N_CLIPS, [np.array(0.2)] * N_CLIPS
    return (a, b, quiet, loud), (b, a, loud, quiet)


def exchanged_pitch():
    (a, b), _ = exchanged_cepstra()
    low, high = np.linspace(100.0, 150.0, 40), np.linspace(220.0, 180.0, 40)
    low[:6], high[-9:] = 0.0, 0.0
    return (a, b, [low] * N_CLIPS, [high] * N_CLIPS), (b, a, [high] * N_CLIPS, [low] * N_CLIPS)


def exchanged_spoken_levels():
    a, b = spoken_levels(2)
    return (a, b), (b, a)


def exchanged_replaced_words():
    a, b = [np.array("bin blue at")] * N_CLIPS, [np.array("bin red at s nine")] * N_CLIPS
    return (a, b), (b, a)


def exchanged_transcriptions():
    a, b = [np.array("bin blue at")] * N_CLIPS, [np.array("bin blue at s nine")] * N_CLIPS
    return (a, b), (b, a)


def exchanged_labelled():
    """One side knows the classes, the other hears one of them in every clip."""
    names, knows, _ = labelled(0)
    hears = [np.array([[1.0, 0.1]])] * N_CLIPS
    hears[0] = np.array([[1.0, -0.1]])
    return (names, knows, hears), (names, hears, knows)


def exchanged_voices():
    a, b = clips(15, 16), clips(16, 16)
    return (a, b), (b, a)


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
WITH_EXCHANGE = [name for name, contract in CONTRACTS.items() if contract.exchanged]
WITH_PERFECT = [name for name, contract in CONTRACTS.items() if contract.perfect is not None]


def test_every_metric_has_a_contract():
    assert set(CONTRACTS) == set(METRICS)


def test_symmetry_is_stated_wherever_there_are_two_sides():
    for name, contract in CONTRACTS.items():
        assert (contract.symmetric is None) == (contract.exchanged is None), name


@pytest.mark.parametrize("name", WITH_PERFECT)
def test_a_perfect_match_has_the_perfect_value(name):
    contract = CONTRACTS[name]
    value = value_of(name, contract.degraded(0))
    assert value == pytest.approx(contract.perfect, abs=1e-9)


def test_a_set_against_itself_is_slightly_below_zero_in_kad():
    # With m = n and equal sets: within - across = 2 S / (m (m - 1)) - 2 (S + m) / m^2 < 0, where S
    # is the sum of the off-diagonal kernel.
    rows = embeddings(0)[0]
    assert -100.0 * 2 / sum(len(r) for r in rows) < value_of("kad.aisfx", (rows, rows)) < 0


@pytest.mark.parametrize("name", sorted(CONTRACTS))
def test_each_degradation_is_worse_than_the_last(name):
    values = [value_of(name, CONTRACTS[name].degraded(level)) for level in LEVELS]
    steps = np.diff(values)
    worse = steps > 0 if METRICS[name].better == "lower" else steps < 0
    assert worse.all(), values


@pytest.mark.parametrize("name", WITH_EXCHANGE)
def test_symmetry_is_as_stated(name):
    contract = CONTRACTS[name]
    there, back = contract.exchanged()
    first, second = value_of(name, there), value_of(name, back)
    if contract.symmetric:
        assert first == pytest.approx(second, rel=1e-9)
    else:
        assert abs(first - second) > 1e-3


@pytest.mark.parametrize("name", sorted(CONTRACTS))
def test_same_input_same_bits(name):
    inputs = CONTRACTS[name].degraded(1)
    assert value_of(name, inputs) == value_of(name, inputs)


@pytest.mark.parametrize("name", sorted(CONTRACTS))
def test_inputs_are_left_as_they_were(name):
    inputs = CONTRACTS[name].degraded(2)
    before = [[clip.copy() for clip in side] for side in inputs]
    value_of(name, inputs)
    for side, copies in zip(inputs, before, strict=True):
        for clip, copy in zip(side, copies, strict=True):
            np.testing.assert_array_equal(clip, copy)


@pytest.mark.parametrize("name", sorted(set(CONTRACTS) - ORDER_MATTERS))
def test_the_order_of_clips_does_not_matter(name):
    inputs = CONTRACTS[name].degraded(1)
    backwards = [side[::-1] for side in inputs]
    assert value_of(name, backwards) == pytest.approx(value_of(name, inputs), rel=1e-9, abs=1e-9)
