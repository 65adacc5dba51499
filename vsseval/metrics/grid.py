"""Slot accuracy on GRID sentences: which of the six words came through.

Goal: every GRID sentence is command, colour, preposition, letter, digit, adverb. Whether each slot
is heard says more than a word error rate: colours survive a weak system, letters do not.

Conventions:
    Argument order (reference, hypothesis), plain strings, both in the ``grid`` normal form. A slot
    is right if its word is a hit of the alignment with the fewest edits; of those, with the most
    hits; of those, with the earliest slots hit. Percent, higher is better, extra words cost
    nothing by themselves. Not symmetric.

Functions:
    grid_slots                  the six words of a sentence
    slot_hits                   which of them a hypothesis holds
    slot_components             mean of the six slots, as a component vector for the METRICS table
    one_slot_components         one slot
    sentence_components         all six at once
    LEXICONS                    which spellings count as the same word

Edge cases:
    reference is not a GRID sentence    InputError: such items are excluded
    empty hypothesis                    no slot is right: 0
    the letter w                        not in GRID: its name has three syllables

References:
    M. Cooke et al. (2006), An audio-visual corpus for speech perception and automatic speech
    recognition, table I: the grammar.
"""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from vsseval.errors import InputError, UnknownNameError
from vsseval.metrics.normalisers import normalise_grid
from vsseval.metrics.transcription import single_string

GRAMMAR: Mapping[str, frozenset[str]] = {
    "command": frozenset({"bin", "lay", "place", "set"}),
    "colour": frozenset({"blue", "green", "red", "white"}),
    "preposition": frozenset({"at", "by", "in", "with"}),
    "letter": frozenset(string.ascii_lowercase) - {"w"},
    "digit": frozenset(
        {"zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"}
    ),
    "adverb": frozenset({"again", "now", "please", "soon"}),
}
"""Words of each slot, in the order of the sentence."""

SLOTS = tuple(GRAMMAR)
"""The six slots in order."""

LEXICONS: Mapping[str, Mapping[str, frozenset[str]]] = {
    "exact": {},
    "grid-homophones": {
        "b": frozenset({"be", "bee"}),
        "c": frozenset({"see", "sea"}),
        "g": frozenset({"gee"}),
        "i": frozenset({"eye"}),
        "j": frozenset({"jay"}),
        "k": frozenset({"kay"}),
        "o": frozenset({"oh"}),
        "p": frozenset({"pea", "pee"}),
        "q": frozenset({"queue", "cue"}),
        "r": frozenset({"are"}),
        "t": frozenset({"tea", "tee"}),
        "u": frozenset({"you"}),
        "x": frozenset({"ex"}),
        "y": frozenset({"why"}),
        "z": frozenset({"zed", "zee"}),
        "one": frozenset({"won"}),
        "two": frozenset({"to", "too"}),
        "four": frozenset({"for"}),
        "eight": frozenset({"ate"}),
        "by": frozenset({"buy", "bye"}),
        "in": frozenset({"inn"}),
    },
}
"""Name -> word of the grammar -> other spellings that count as it."""


def grid_slots(text: str) -> tuple[str, ...]:
    """The six words of a GRID sentence, in its order, in the ``grid`` normal form.

    Raises:
        InputError: not six words, or one that its slot of :data:`GRAMMAR` does not know.
    """
    words = tuple(normalise_grid(text).split())
    if len(words) != len(SLOTS):
        raise InputError(f"not a GRID sentence: {len(words)} words in {text!r}, 6 are needed")
    for word, (slot, known) in zip(words, GRAMMAR.items(), strict=True):
        if word not in known:
            raise InputError(f"not a GRID sentence: no {slot} {word!r} in {text!r}")
    return words


def slot_hits(reference: str, hypothesis: str, *, lexicon: str = "exact") -> NDArray[np.bool_]:
    """Which slots of a GRID sentence a hypothesis holds.

    Both texts are compared as :func:`normalise_grid` leaves them. Of all alignments of the words
    the one with the fewest edits counts; of those, the one with the most hits; of those, the one
    whose hits come in the earliest slots.

    Args:
        reference: a GRID sentence.
        hypothesis: what was recognised, any text; may be empty.
        lexicon: a key of :data:`LEXICONS`: which spellings are the same word.

    Returns:
        bool (6,), in the order of :data:`SLOTS`.

    Raises:
        InputError: the reference is not a GRID sentence.
        UnknownNameError: no such lexicon.
    """
    if lexicon not in LEXICONS:
        raise UnknownNameError("lexicon", lexicon, LEXICONS)
    same = LEXICONS[lexicon]
    accepted = [{word, *same.get(word, ())} for word in grid_slots(reference)]
    return _hits(accepted, normalise_grid(hypothesis).split())


def slot_components(
    transcript: NDArray[np.str_] | str, text: NDArray[np.str_] | str, *, lexicon: str = "exact"
) -> NDArray[np.float64]:
    """(accuracy, then each of the six slots) of one sentence, in percent, float64 (7,).

        accuracy = 100 * slots that are hits / 6

    with the hits of :func:`slot_hits`; the slots follow as 0 or 100 in the order command, colour,
    preposition, letter, digit, adverb.

    Raises:
        InputError: the transcript is not a GRID sentence, or an input is not one string.
        UnknownNameError: no such lexicon.
    """
    hits = slot_hits(single_string(transcript), single_string(text), lexicon=lexicon)
    return 100.0 * np.append(hits.mean(), hits)


def one_slot_components(
    transcript: NDArray[np.str_] | str,
    text: NDArray[np.str_] | str,
    *,
    slot: str,
    lexicon: str = "exact",
) -> NDArray[np.float64]:
    """100 if the word of ``slot`` is a hit of :func:`slot_hits`, else 0; float64 (1,).

    Raises:
        InputError: the transcript is not a GRID sentence, or an input is not one string.
        UnknownNameError: no such slot or lexicon.
    """
    if slot not in GRAMMAR:
        raise UnknownNameError("slot", slot, GRAMMAR)
    hits = slot_hits(single_string(transcript), single_string(text), lexicon=lexicon)
    return np.array([100.0 * hits[SLOTS.index(slot)]])


def sentence_components(
    transcript: NDArray[np.str_] | str, text: NDArray[np.str_] | str, *, lexicon: str = "exact"
) -> NDArray[np.float64]:
    """100 if all six slots are hits of :func:`slot_hits`, else 0; float64 (1,).

    Raises:
        InputError: the transcript is not a GRID sentence, or an input is not one string.
        UnknownNameError: no such lexicon.
    """
    hits = slot_hits(single_string(transcript), single_string(text), lexicon=lexicon)
    return np.array([100.0 * hits.all()])


def _hits(accepted: Sequence[set[str]], hypothesis: Sequence[str]) -> NDArray[np.bool_]:
    """Which reference words, given as sets of spellings, are hits of the best alignment.

    Fewest edits, most hits and earliest hits are one integer to be least: an edit costs ``edit``, a
    hit of word i earns ``hit`` and its own bit, and the bits of earlier words are higher.
    """
    n = len(accepted)
    hit = 1 << n
    edit = hit * (n + 1)
    costs = [edit * j for j in range(len(hypothesis) + 1)]
    for i, spellings in enumerate(accepted):
        row = [costs[0] + edit]
        for j, word in enumerate(hypothesis):
            paired = -(hit + (1 << (n - 1 - i))) if word in spellings else edit
            row.append(min(costs[j] + paired, costs[j + 1] + edit, row[j] + edit))
        costs = row
    bits = -costs[-1] % hit
    return np.array([bool(bits >> (n - 1 - i) & 1) for i in range(n)])
