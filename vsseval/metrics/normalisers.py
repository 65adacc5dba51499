"""Text normalisers: what two texts have in common before their words are compared.

Goal: a word error rate says as much about its normaliser as about the speech, so every normaliser
in use has a name, a definition, and its known faults.

Conventions:
    A normaliser maps one string to one string without leading, trailing or doubled spaces. It is
    applied to reference and hypothesis alike.

Functions:
    normalise_grid              grid: the default here; GRID sentences as spelt words
    normalise_whisper_english   whisper-en: that of the Whisper paper; numbers become digits
    normalise_whisper_basic     whisper-basic: punctuation only; the default of VERSA
    normalise_styledubber       styledubber: parity only
    normalise_seedtts           seedtts: parity only
    collapse_spaces             none
    NORMALISERS                 all of them by name

Known faults, on the sentences of GRID:
    whisper-en          the letter O is the digit 0: "o nine" becomes "09", but "O9" becomes "0 9"
    whisper-basic       letter and digit stay glued: "S9" is one word, "s nine" are two
    styledubber         hyphens glue; of "23rd" only the digits are spelt: "two threerd"
    seedtts             digits stay digits, so "9" and "nine" differ

References:
    A. Radford et al. (2022), Robust speech recognition via large-scale weak supervision,
    appendix C; openai-whisper 20250625. GalaxyCong/StyleDubber at bc431c8,
    Dub_Metric/WER_Whisper. BytedanceSpeech/seed-tts-eval at 752f429, run_wer.py with the
    punctuation of zhon 2.1.1.
"""

from __future__ import annotations

import importlib.util
import re
import string
import sys
import unicodedata
import warnings
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

from vsseval.errors import InputError

_DIGIT_WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
_CHINESE_PUNCTUATION = (
    "\uff02\uff03\uff04\uff05\uff06\uff07\uff08\uff09\uff0a\uff0b\uff0c\uff0d\uff0f\uff1a\uff1b\uff1c"
    "\uff1d\uff1e\uff20\uff3b\uff3c\uff3d\uff3e\uff3f\uff40\uff5b\uff5c\uff5d\uff5e\uff5f\uff60\uff62"
    "\uff63\uff64\u3000\u3001\u3003\u3008\u3009\u300a\u300b\u300c\u300d\u300e\u300f\u3010\u3011\u3014"
    "\u3015\u3016\u3017\u3018\u3019\u301a\u301b\u301c\u301d\u301e\u301f\u3030\u303e\u303f\u2013\u2014"
    "\u2018\u2019\u201b\u201c\u201d\u201e\u201f\u2026\u2027\ufe4f\ufe51\ufe54\xb7\uff0e\uff01\uff1f"
    "\uff61\u3002"
)
"""As package zhon 2.1.1 lists it."""
_SEEDTTS_DELETED = str.maketrans("", "", _CHINESE_PUNCTUATION + string.punctuation.replace("'", ""))


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


def normalise_whisper_english(text: str) -> str:
    """Text as Whisper's EnglishTextNormalizer leaves it.

    Bracketed parts and fillers (hmm, mm, mhm, uh, um) removed, contractions expanded, numbers as
    digits, British spelling made American, symbols and diacritics removed. The normaliser of the
    package openai-whisper itself runs, so its version moves the number. "Bin blue at S nine." gives
    "bin blue at s 9"; the letter O counts as the digit 0, which breaks "o nine" ("09").

    Raises:
        InputError: the package openai-whisper is not installed.
    """
    return " ".join(_whisper_english()(text).split())


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


def normalise_styledubber(text: str) -> str:
    """Text as the WER script of StyleDubber compares it (parity only).

    Whatever is neither a word character nor space is deleted, so hyphens glue and the underscore
    stays; each ASCII digit becomes a space and its word; lower case; spaces are collapsed. "S9"
    gives "s nine", "C2H4" gives "c twoh four".
    """
    spelt = re.sub(r"[^\w\s]", "", text)
    for digit, word in enumerate(_DIGIT_WORDS):
        spelt = spelt.replace(str(digit), f" {word}")
    return " ".join(spelt.lower().split())


def normalise_seedtts(text: str) -> str:
    """Text as seed-tts-eval compares English (parity only).

    Chinese and ASCII punctuation is deleted but the ASCII apostrophe, so hyphens, dashes and
    typographic apostrophes glue; lower case; spaces are collapsed. Numbers stay as they are. The
    original collapses doubled spaces once, which leaves the same words.
    """
    return " ".join(text.translate(_SEEDTTS_DELETED).lower().split())


def collapse_spaces(text: str) -> str:
    """The text with runs of white space as single spaces and none at the ends."""
    return " ".join(text.split())


NORMALISERS: Mapping[str, Callable[[str], str]] = {
    "grid": normalise_grid,
    "whisper-en": normalise_whisper_english,
    "whisper-basic": normalise_whisper_basic,
    "styledubber": normalise_styledubber,
    "seedtts": normalise_seedtts,
    "none": collapse_spaces,
}
"""Text normalisers by name."""


@cache
def _whisper_english() -> Callable[[str], str]:
    """Whisper's normaliser from its files alone: ``import whisper`` loads torch and the network."""
    package = importlib.util.find_spec("whisper")
    if package is None or package.origin is None:
        raise InputError(
            "the normaliser whisper-en is that of the package openai-whisper, which is not "
            "installed; type: pip install openai-whisper"
        )
    folder = Path(package.origin).parent / "normalizers"
    name = f"{__name__}._openai_whisper"
    spec = importlib.util.spec_from_file_location(
        name, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    if spec is None or spec.loader is None:
        raise InputError(f"openai-whisper has no normalizers in {folder}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # its files import one another relative to this name
    spec.loader.exec_module(module)
    with warnings.catch_warnings():  # it leaves its list of spellings open
        warnings.simplefilter("ignore", ResourceWarning)
        normaliser: Callable[[str], str] = module.EnglishTextNormalizer()
    return normaliser
