"""Word and character error rates, and the text normalisers they depend on.

Goal: are the words right? A rate is only comparable with its recogniser and its normaliser, so
both stand in the signature; the recogniser is an encoder, the normaliser a parameter.

Conventions:
    Argument order (reference, hypothesis), plain strings. Alignment has the fewest edits and, of
    those, the most hits. The rate of a corpus is 100 * sum(edits) / sum(reference length), in
    percent, lower is better, and may exceed 100. Not symmetric.

Functions:
    word_edits, character_edits     counts of one utterance
    word_error_rate, character_error_rate       pooled over utterances [%]
    word_components, character_components       component vectors for the METRICS table
    NORMALISERS                     grid, whisper-basic, none

Edge cases:
    empty hypothesis        all reference words deleted: rate 100, never dropped
    nothing left of the reference after normalisation       InputError: nothing to divide by
    repeated, leading or trailing spaces                    no influence

References:
    Edit distance: V. I. Levenshtein (1966). Counts checked against jiwer 4.0 process_words.
    whisper-basic: BasicTextNormalizer of openai-whisper 20250625 without letter splitting.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vsseval.errors import InputError, UnknownNameError

_DIGIT_WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]


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

    def components(self) -> NDArray[np.float64]:
        """(edits, n_reference, substitutions, deletions, insertions), float64 (5,)."""
        counts = (
            self.edits,
            self.n_reference,
            self.substitutions,
            self.deletions,
            self.insertions,
        )
        return np.array(counts, dtype=np.float64)


def normalise_grid(text: str) -> str:
    """Text as GRID sentences are compared: lower-case letters and spelt digits.

    NFKC and lower case; whatever is neither letter nor digit becomes a space; letters and digits
    are set apart; each digit becomes its word, one by one; spaces are collapsed. "Bin blue at S9."
    gives "bin blue at s nine".
    """
    words = []
    for character in unicodedata.normalize("NFKC", text).lower():
        if character.isalpha():
            words.append(character)
        elif character.isdecimal():
            words.append(f" {_DIGIT_WORDS[unicodedata.decimal(character)]} ")
        else:
            words.append(" ")
    return " ".join("".join(words).split())


def normalise_whisper_basic(text: str) -> str:
    """Text as Whisper's basic normaliser leaves it: bracketed parts and punctuation removed.

    Lower case; text in <...>, [...] and (...) removed; NFKC; marks, symbols and punctuation become
    spaces; spaces are collapsed. Digits and letters stay glued: "S9." gives "s9".
    """
    text = re.sub(r"[<\[][^>\]]*[>\]]|\([^)]+?\)", "", text.lower())
    characters = (
        " " if unicodedata.category(character)[0] in "MSP" else character
        for character in unicodedata.normalize("NFKC", text)
    )
    return " ".join("".join(characters).lower().split())


def collapse_spaces(text: str) -> str:
    """The text with runs of white space as single spaces and none at the ends."""
    return " ".join(text.split())


NORMALISERS: Mapping[str, Callable[[str], str]] = {
    "grid": normalise_grid,
    "whisper-basic": normalise_whisper_basic,
    "none": collapse_spaces,
}
"""Text normalisers by name."""


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
    """(edits, reference words, substitutions, deletions, insertions) of :func:`word_edits`.

    Raises:
        InputError: as :func:`word_edits`, or an input that is not one string.
    """
    return word_edits(_text(transcript), _text(text), normaliser=normaliser).components()


def character_components(
    transcript: NDArray[np.str_] | str, text: NDArray[np.str_] | str, *, normaliser: str = "grid"
) -> NDArray[np.float64]:
    """As :func:`word_components`, over the characters of :func:`character_edits`."""
    return character_edits(_text(transcript), _text(text), normaliser=normaliser).components()


def _text(value: NDArray[np.str_] | str) -> str:
    """The string of a 0-d array; InputError for anything else, None included."""
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
