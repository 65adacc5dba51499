"""Inputs of metrics: ever worse ones, and two sides in one order and in the other.

Each function gives what a metric reads: for each input of its row a list over the clips.
"""

from __future__ import annotations

import numpy as np

N_CLIPS = 24


def draw(seed, *shape):
    return np.random.RandomState(seed).standard_normal(shape)


def clips(seed, *shape):
    """One array for each clip."""
    return [draw(seed * 1000 + i, *shape) for i in range(N_CLIPS)]


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
