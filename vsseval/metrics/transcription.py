"""Word and character error rates, pooled over words or averaged over utterances.

Goal: are the words right? A rate is only comparable with its recogniser and its normaliser, so
both stand in the signature; the recogniser is an encoder, the normaliser a parameter.

Conventions:
    Argument order (reference, hypothesis), plain strings. Alignment has the fewest edits and, of
    those, the most hits. The rate of a corpus is 100 * sum(edits) / sum(reference length), in
    percent, lower is better, and may exceed 100. Not symmetric. The mean of the rates of utterances
    is another number, and has another name.

Functions:
    word_edits, character_edits     counts of one utterance
    word_error_rate, character_error_rate       pooled over utterances [%]
    word_components, character_components       component vectors for the METRICS table
    word_rate_components            the rate of one utterance, for the mean of utterances
    word_kind_components            the edits of one kind
    styledubber_word_components     as published: arguments swapped, empty transcriptions dropped

Edge cases:
    empty hypothesis        all reference words deleted: rate 100, never dropped (but by the
                            StyleDubber form, which is excluded for that reason)
    nothing left of the reference after normalisation       InputError: nothing to divide by
    repeated, leading or trailing spaces                    no influence

References:
    Edit distance: V. I. Levenshtein (1966). Counts checked against jiwer 4.0 process_words.
    Normalisers: vsseval.metrics.normalisers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vsseval.errors import InputError, UnknownNameError
from vsseval.metrics.normalisers import NORMALISERS

KINDS = ("substitutions", "deletions", "insertions")
"""Kinds of edits."""


@dataclass(frozen=True, slots=True)
class EditCounts:
    """An alignment of a hypothesis to its reference, in words or characters."""

    hits: int
    """Equal units."""
    substitutions: int
    """Units replaced by another."""
    deletions: int
    """Reference units that are missing."""
    insertions: int
    """Hypothesis units that are too much."""

    @property
    def edits(self) -> int:
        """Substitutions, deletions and insertions together."""
        return self.substitutions + self.deletions + self.insertions

    @property
    def n_reference(self) -> int:
        """Length of the reference in units."""
        return self.hits + self.substitutions + self.deletions

    @property
    def n_hypothesis(self) -> int:
        """Length of the hypothesis in units."""
        return self.hits + self.substitutions + self.insertions

    def components(self) -> NDArray[np.float64]:
        """float64 (6,): edits, n_reference, S, D, I, 1 if the hypothesis is empty and else 0."""
        counts = (
            self.edits,
            self.n_reference,
            self.substitutions,
            self.deletions,
            self.insertions,
            self.n_hypothesis == 0,
        )
        return np.array(counts, dtype=np.float64)

    def rates(self) -> NDArray[np.float64]:
        """float64 (5,): rate [%], shares of S, D and I that add up to it, 1 if empty and else 0."""
        counts = (self.edits, self.substitutions, self.deletions, self.insertions)
        shares = 100.0 * np.array(counts, dtype=np.float64) / self.n_reference
        return np.append(shares, float(self.n_hypothesis == 0))


def word_edits(reference: str, hypothesis: str, *, normaliser: str = "grid") -> EditCounts:
    """Edits that turn the words of the reference into those of the hypothesis.

    Args:
        reference: what was to be said.
        hypothesis: what was recognised; may be empty.
        normaliser: a key of :data:`NORMALISERS`, applied to both.

    Raises:
        InputError: the reference has no words after normalisation.
        UnknownNameError: no such normaliser.
    """
    normalise = _normalise(normaliser)
    return _edits(normalise(reference).split(), normalise(hypothesis).split(), unit="words")


def character_edits(reference: str, hypothesis: str, *, normaliser: str = "grid") -> EditCounts:
    """As :func:`word_edits`, over the characters of the normalised text, single spaces included."""
    normalise = _normalise(normaliser)
    return _edits(list(normalise(reference)), list(normalise(hypothesis)), unit="characters")


def word_error_rate(
    references: Sequence[str], hypotheses: Sequence[str], *, normaliser: str = "grid"
) -> float:
    """Corpus word error rate in percent: 100 * sum(S + D + I) / sum(reference words).

    Args:
        references: what was to be said, one string for each utterance.
        hypotheses: what was recognised, in the same order; may hold empty strings.
        normaliser: a key of :data:`NORMALISERS`.

    Raises:
        InputError: unequal numbers of utterances, none, or a reference without words.
        UnknownNameError: no such normaliser.
    """
    return _corpus_rate(references, hypotheses, word_edits, normaliser)


def character_error_rate(
    references: Sequence[str], hypotheses: Sequence[str], *, normaliser: str = "grid"
) -> float:
    """Corpus character error rate in percent; as :func:`word_error_rate` over characters."""
    return _corpus_rate(references, hypotheses, character_edits, normaliser)


def word_components(
    transcript: NDArray[np.str_] | str, text: NDArray[np.str_] | str, *, normaliser: str = "grid"
) -> NDArray[np.float64]:
    """(edits, reference words, S, D, I, hypothesis is empty) of :func:`word_edits`.

    S, D and I are the substitutions, deletions and insertions; the last is 0 or 1.

    Raises:
        InputError: as :func:`word_edits`, or an input that is not one string.
    """
    return word_edits(
        single_string(transcript), single_string(text), normaliser=normaliser
    ).components()


def character_components(
    transcript: NDArray[np.str_] | str, text: NDArray[np.str_] | str, *, normaliser: str = "grid"
) -> NDArray[np.float64]:
    """As :func:`word_components`, over the characters of :func:`character_edits`."""
    return character_edits(
        single_string(transcript), single_string(text), normaliser=normaliser
    ).components()


def word_rate_components(
    transcript: NDArray[np.str_] | str, text: NDArray[np.str_] | str, *, normaliser: str = "grid"
) -> NDArray[np.float64]:
    """(rate, S share, D share, I share, hypothesis is empty) of one utterance.

        rate = 100 * (S + D + I) / reference words

    of :func:`word_edits`, in percent; the shares are those of the three kinds and add up to it.
    The mean over utterances weighs a word of a short sentence more than one of a long sentence.

    Raises:
        InputError: as :func:`word_edits`, or an input that is not one string.
    """
    return word_edits(single_string(transcript), single_string(text), normaliser=normaliser).rates()


def word_kind_components(
    transcript: NDArray[np.str_] | str,
    text: NDArray[np.str_] | str,
    *,
    kind: str,
    normaliser: str = "grid",
) -> NDArray[np.float64]:
    """(edits of one kind, reference words) of :func:`word_edits`, float64 (2,).

    The three kinds add up to the edits of :func:`word_components`. Which edits of a kind an
    alignment has is fixed by its rule: the fewest edits and, of those, the most hits.

    Args:
        transcript: what was to be said.
        text: what was recognised.
        kind: ``substitutions``, ``deletions`` or ``insertions``.
        normaliser: a key of :data:`NORMALISERS`.

    Raises:
        InputError: as :func:`word_edits`, or an input that is not one string.
        UnknownNameError: no such kind or normaliser.
    """
    if kind not in KINDS:
        raise UnknownNameError("kind of edit", kind, KINDS)
    counts = word_edits(single_string(transcript), single_string(text), normaliser=normaliser)
    return np.array([getattr(counts, kind), counts.n_reference], dtype=np.float64)


def styledubber_word_components(
    transcript: NDArray[np.str_] | str, text: NDArray[np.str_] | str
) -> NDArray[np.float64]:
    """(rate, S share, D share, I share) of StyleDubber's script: **not** a word error rate.

    :func:`word_rate_components` with the two texts exchanged, in the normal form ``styledubber``:
    the edits are divided by the words of the hypothesis, so deletions cost too much and invented
    words too little. An utterance without a transcription is left out of the mean, where it would
    cost 100.

    Raises:
        InputError: the transcription is empty, which the script drops; the transcript has no words;
            or an input is not one string.

    Source: GalaxyCong/StyleDubber at bc431c8, Dub_Metric/WER_Whisper; an exception of jiwer, for a
    transcription of punctuation alone, drops the utterance there too.
    """
    normalise = _normalise("styledubber")
    reference, hypothesis = normalise(single_string(transcript)), normalise(single_string(text))
    if not hypothesis:
        raise InputError("empty transcription, which StyleDubber's script drops")
    if not reference:
        raise InputError("the reference has no words after normalisation")
    return _edits(hypothesis.split(), reference.split(), unit="words").rates()[:4]


def single_string(value: NDArray[np.str_] | str) -> str:
    """The string of a 0-d array, or the string itself.

    Raises:
        InputError: anything else, None included.
    """
    array = np.asarray(value)
    if array.dtype.kind != "U" or array.ndim:
        raise InputError(f"expected one string, got {value!r}")
    return str(array)


def _normalise(name: str) -> Callable[[str], str]:
    if name not in NORMALISERS:
        raise UnknownNameError("text normaliser", name, NORMALISERS)
    return NORMALISERS[name]


def _corpus_rate(
    references: Sequence[str],
    hypotheses: Sequence[str],
    count: Callable[..., EditCounts],
    normaliser: str,
) -> float:
    if len(references) != len(hypotheses) or not references:
        raise InputError(
            f"expected as many hypotheses as references and at least one, got {len(references)} "
            f"references and {len(hypotheses)} hypotheses"
        )
    counts = [
        count(reference, hypothesis, normaliser=normaliser)
        for reference, hypothesis in zip(references, hypotheses, strict=True)
    ]
    return 100.0 * sum(c.edits for c in counts) / sum(c.n_reference for c in counts)


def _edits(reference: Sequence[str], hypothesis: Sequence[str], *, unit: str) -> EditCounts:
    """Counts of the alignment with the fewest edits and, of those, the most hits.

    The two aims are one integer, edits * scale - hits, with scale above any number of hits. Edits
    and hits then fix the other counts.
    """
    n, m = len(reference), len(hypothesis)
    if n == 0:
        raise InputError(f"the reference has no {unit} after normalisation")
    scale = min(n, m) + 1
    units = {unit: index for index, unit in enumerate(dict.fromkeys([*reference, *hypothesis]))}
    columns = np.array([units[unit] for unit in hypothesis], dtype=np.int64)
    slope = scale * np.arange(m + 1)
    costs = slope.copy()
    for row, symbol in enumerate(reference, start=1):
        match = np.where(columns == units[symbol], -1, scale)
        entered = np.minimum(costs[1:] + scale, costs[:-1] + match)
        entered = np.concatenate(([row * scale], entered))
        # A run of insertions costs ``scale`` a column, so it is a running minimum on that slope.
        costs = np.minimum.accumulate(entered - slope) + slope
    edits = -(-int(costs[m]) // scale)
    hits = edits * scale - int(costs[m])
    insertions = edits - n + hits
    deletions = insertions + n - m
    return EditCounts(hits, n - hits - deletions, deletions, insertions)
