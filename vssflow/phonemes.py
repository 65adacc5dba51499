"""Text to ARPAbet phonemes with stress, the symbol table of the paper, and phoneme timing.

Ids: 0 "no speech", 1 to 70 the symbols of ``SYMBOLS`` in order; ``<blank>`` (59) is silence inside
speech. Timing works in slots; a latent frame holds ``phonemes_per_frame`` of them (20 ms each with
preset tiny).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vsseval.errors import InputError

SYMBOLS = (
    "AA0", "DH", "AY0", "V", "F", "AH2", "D", "P", "EH1", "AW1",
    "ER0", "OW0", "TH", "UH1", "OW2", "IY2", "HH", "UW0", "CH", "AH1",
    "JH", "OY2", "Z", "AO2", "IH0", "NG", "UH0", "AE1", "AO0", "IH2",
    "IY0", "EH0", "AY2", "T", "OY1", "ER2", "AA2", "Y", "AW0", "UH2",
    "M", "UW2", "IH1", "R", "SH", "G", "S", "AE0", "EH2", "W",
    "UW1", "AW2", "EY1", "ZH", "OY0", "OW1", "EY0", "L", "<blank>", "ER1",
    "N", "AA1", "AY1", "AO1", "B", "EY2", "K", "AH0", "IY1", "AE2",
)  # fmt: skip
IDS: Mapping[str, int] = {symbol: index for index, symbol in enumerate(SYMBOLS, start=1)}
NO_SPEECH = 0
BLANK = IDS["<blank>"]

SILENCE = "SIL"
CLASSES = (
    SILENCE,
    *sorted({symbol.rstrip("012") for symbol in SYMBOLS if symbol != "<blank>"}),
)
"""The 40 classes of the lip front end: silence, then the ARPAbet phones without stress."""
CLASS_OF_ID: NDArray[np.int64] = np.array(
    [0]
    + [
        0 if symbol == "<blank>" else CLASSES.index(symbol.rstrip("012").upper())
        for symbol in SYMBOLS
    ]
)
"""Lip class of each phoneme id, int64 (71,); "no speech" and ``<blank>`` are silence."""

LETTER_NAMES: Mapping[str, str] = {
    "a": "EY1", "b": "B IY1", "c": "S IY1", "d": "D IY1", "e": "IY1", "f": "EH1 F", "g": "JH IY1",
    "h": "EY1 CH", "i": "AY1", "j": "JH EY1", "k": "K EY1", "l": "EH1 L", "m": "EH1 M",
    "n": "EH1 N", "o": "OW1", "p": "P IY1", "q": "K Y UW1", "r": "AA1 R", "s": "EH1 S",
    "t": "T IY1", "u": "Y UW1", "v": "V IY1", "w": "D AH1 B AH0 L Y UW0",
    "x": "EH1 K S", "y": "W AY1", "z": "Z IY1",
}  # fmt: skip
PUNCTUATION = ".,;:!?'\"()[]/-\N{EN DASH}\N{EM DASH}\N{HORIZONTAL ELLIPSIS}`" + (
    "\N{LEFT DOUBLE QUOTATION MARK}\N{RIGHT DOUBLE QUOTATION MARK}\N{LEFT SINGLE QUOTATION MARK}"
)
"""What separates words and is not read aloud."""
DIGIT_NAMES = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]

Pronunciations = Mapping[str, tuple[str, ...]]


@cache
def read_dictionary(path: Path) -> Pronunciations:
    """First pronunciation of each word of a CMU dictionary file.

    A line is ``word PH0 PH1 ...``; ``#`` starts a comment.
    """
    words: dict[str, tuple[str, ...]] = {}
    for line in path.read_text(encoding="latin-1").splitlines():
        if line.startswith(";;;"):
            continue
        word, *phones = line.split("#")[0].split()
        words.setdefault(word.lower(), tuple(phones))
    return words


def words_of(text: str) -> list[str]:
    """Lower-case words of a text: letters and apostrophes.

    Each digit becomes its name; punctuation separates.

    Raises:
        InputError: there is no word, or a letter outside a-z is left after accents are removed, or
            a symbol that people would read aloud, such as ``$`` or ``%``.
    """
    plain = unicodedata.normalize("NFKD", text.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'"))
    plain = "".join(c for c in plain if not unicodedata.combining(c)).lower()
    foreign = sorted({c for c in plain if c.isalnum() and not re.match("[a-z0-9]", c)})
    if foreign:
        raise InputError(
            f"transcript {_shortened(text)} holds symbols without an English pronunciation: "
            f"{_listed(foreign)}; write it in English letters"
        )
    symbols = sorted({c for c in plain if not c.isalnum() and not c.isspace()} - set(PUNCTUATION))
    if symbols:
        raise InputError(
            f"transcript {_shortened(text)} holds symbols without a pronunciation: "
            f"{_listed(symbols)}; write them as words"
        )
    named = re.sub("[0-9]", lambda digit: f" {DIGIT_NAMES[int(digit[0])]} ", plain)
    words = [word.strip("'") for word in re.findall("[a-z']+", named)]
    words = [word for word in words if word]
    if not words:
        raise InputError(f"transcript {text!r} holds no word; give at least one English word")
    return words


def _shortened(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:57]}...")


def _listed(symbols: Sequence[str]) -> str:
    """The first symbols; one that cannot be seen by its code point."""
    shown = [s if s.isprintable() else f"U+{ord(s):04X}" for s in symbols[:20]]
    return " ".join(shown) + (f" and {len(symbols) - 20} more" if len(symbols) > 20 else "")


def pronounce(word: str, dictionary: Pronunciations) -> list[int]:
    """Phoneme ids of a word; one that the dictionary lacks loses its 's, or is spelt by letters."""
    phones = dictionary.get(word)
    if phones is None and word.endswith("'s") and word[:-2] in dictionary:
        phones = (*dictionary[word[:-2]], "Z")
    if phones is None:
        names = [LETTER_NAMES[letter] for letter in word if letter != "'"]
        phones = tuple(" ".join(names).split())
    return [IDS[phone] for phone in phones]


def text_to_phonemes(text: str, dictionary: Pronunciations) -> list[list[int]]:
    """Phoneme ids of each word of a text.

    Raises:
        InputError: as :func:`words_of`.
    """
    return [pronounce(word, dictionary) for word in words_of(text)]


def sequence_of(words: Sequence[Sequence[int]]) -> NDArray[np.int64]:
    """Phonemes of a text with a blank at both ends, int64 (P,)."""
    return np.array([BLANK, *(phone for word in words for phone in word), BLANK])


def uniform_timing(words: Sequence[Sequence[int]], num_slots: int) -> NDArray[np.int64]:
    """Ids int64 (num_slots,): phonemes and a blank at both ends, each for about the same time."""
    ids = sequence_of(words)
    if ids.size < num_slots:
        ids = np.repeat(ids, -(-num_slots // ids.size))
    return ids[np.arange(num_slots) * ids.size // num_slots]


def lip_timing(
    words: Sequence[Sequence[int]], log_posteriors: NDArray[np.float32]
) -> NDArray[np.int64]:
    """Ids int64 (num_slots,) on the best monotone path through the lips' phone posteriors.

    Args:
        words: phoneme ids of each word.
        log_posteriors: float32 (num_slots, 40) over ``CLASSES``, in slots of 20 ms.

    Raises:
        InputError: more phonemes than slots.
    """
    states, path = phoneme_path(words, log_posteriors, 50)
    return states[path]


class PhonemePath(NamedTuple):
    """A path through the phonemes of a text and the pauses it may have."""

    states: NDArray[np.int64]
    """Ids of all phonemes, with a blank at both ends and between words, (S,)."""
    path: NDArray[np.int64]
    """State of each slot, (num_slots,)."""


def phoneme_path(
    words: Sequence[Sequence[int]], log_posteriors: NDArray[np.float32], slots_per_second: int
) -> PhonemePath:
    """The best monotone path of a text through phone posteriors.

    The path visits every phoneme in order for at least one slot; silence is optional at both ends
    and between words.

    Args:
        words: phoneme ids of each word.
        log_posteriors: float32 (num_slots, 40) over ``CLASSES``.
        slots_per_second: for the message.

    Raises:
        InputError: more phonemes than slots.
    """
    states, optional = [BLANK], [True]
    for word in words:
        states += [*word, BLANK]
        optional += [False] * len(word) + [True]
    emissions = log_posteriors[:, CLASS_OF_ID[states]].astype(np.float64)
    if sum(map(len, words)) > emissions.shape[0]:
        seconds = emissions.shape[0] / slots_per_second
        raise InputError(
            f"{sum(map(len, words))} phonemes do not fit into {seconds:.2f} s; "
            "shorten the transcript"
        )
    return PhonemePath(np.array(states), monotone_path(emissions, optional))


def monotone_path(emissions: NDArray[np.float64], optional: Sequence[bool]) -> NDArray[np.int64]:
    """State of each slot, int64 (slots,), on the path of greatest total emission.

    The path starts in state 0 (or 1 if 0 is optional), ends in the last (or the one before if the
    last is optional), and from slot to slot stays, moves on by one, or by two over an optional
    state.

    Args:
        emissions: float64 (slots, states).
        optional: which states may be left out; two neighbours never both are.
    """
    slots, num_states = emissions.shape
    may_skip = np.array(optional)
    jump_allowed = np.zeros(num_states, dtype=bool)  # from state s - 2 to s
    jump_allowed[2:] = may_skip[1:-1]
    score = np.full(num_states, -np.inf)
    score[0] = emissions[0, 0]
    if may_skip[0]:
        score[1] = emissions[0, 1]
    moves = np.zeros((slots, num_states), dtype=np.int64)
    for slot in range(1, slots):
        step = np.concatenate([[-np.inf], score[:-1]])
        jump = np.where(jump_allowed, np.concatenate([[-np.inf] * 2, score[:-2]]), -np.inf)
        choices = np.stack([score, step, jump])
        moves[slot] = choices.argmax(0)
        score = choices.max(0) + emissions[slot]
    state = num_states - 1
    if may_skip[-1] and score[-2] > score[-1]:
        state -= 1
    path = np.empty(slots, dtype=np.int64)
    for slot in range(slots - 1, -1, -1):
        path[slot] = state
        state -= moves[slot, state]
    return path
