"""Text normalisers: published implementations, and the letter O and "S9" in every preset."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from whisper.normalizers import BasicTextNormalizer, EnglishTextNormalizer

from vsseval.errors import InputError
from vsseval.metrics import normalisers
from vsseval.metrics.normalisers import (
    NORMALISERS,
    normalise_grid,
    normalise_seedtts,
    normalise_styledubber,
    normalise_whisper_basic,
    normalise_whisper_english,
)
from vsseval.metrics.transcription import word_edits

REFERENCE = Path(__file__).parents[1] / "reference" / "metrics_transcription.json"
RECORDED = json.loads(REFERENCE.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Place green by A2, again.", "place green by a two again"),
        ("S9", "s nine"),
        ("E-5", "e five"),
        ("BIN BLUE AT O NINE", "bin blue at o nine"),
        ("Bin blue at O9.", "bin blue at o nine"),
        ("25", "two five"),
        ("  lay\twhite\nin  ", "lay white in"),
        ("it's", "it s"),
        ("\uff22\uff49\uff4e \uff19", "bin nine"),
        ("٣", "three"),
        ("naïve x²", "naïve x two"),
        ("...", ""),
    ],
)
def test_grid_normal_form(text, expected):
    assert normalise_grid(text) == expected
    assert normalise_grid(expected) == expected


TEXTS = [
    "Bin blue at S9.",
    "[music] Hello (laughs) world <noise>!",
    "It's 3.5 % — naïve, isn't it?",
    "  spaces   everywhere ",
    "a\u0301 x² ½ \uff21\uff22",
    "",
]


@pytest.mark.parametrize("text", TEXTS)
def test_whisper_basic_equals_openai_whisper(text):
    assert normalise_whisper_basic(text) == BasicTextNormalizer()(text).strip()


def test_whisper_basic_punishes_a_perfect_transcript_of_grid():
    # Known bug of the normaliser: Whisper writes "S9" for "s nine".
    reference, hypothesis = "bin blue at s nine now", "Bin blue at S9 now."
    assert word_edits(reference, hypothesis, normaliser="whisper-basic").edits == 2
    assert word_edits(reference, hypothesis, normaliser="grid").edits == 0


# Whisper's English normaliser is not: "x\xb2 \xbd" becomes "x 2 one 2", and that "x 21 2".
@pytest.mark.parametrize("name", sorted(set(NORMALISERS) - {"whisper-en"}))
def test_normalisers_are_idempotent(name):
    for text in TEXTS:
        once = NORMALISERS[name](text)
        assert NORMALISERS[name](once) == once


@pytest.mark.parametrize("name", sorted(NORMALISERS))
def test_no_spaces_are_left_over(name):
    for text in TEXTS:
        assert NORMALISERS[name](text) == " ".join(NORMALISERS[name](text).split())


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize(
    "text",
    [
        *TEXTS,
        "Um, mm, I can't do that; colour me grey.",
        "twenty-five percent of $3,000, or the 23rd",
        "Bin blue at O nine. Bin blue at O9.",
    ],
)
def test_whisper_english_equals_openai_whisper(text):
    assert normalise_whisper_english(text) == " ".join(EnglishTextNormalizer()(text).split())


def test_whisper_english_runs_without_torch():
    # import whisper.normalizers would import torch and the recogniser with it.
    code = (
        "import sys; from vsseval.metrics.normalisers import normalise_whisper_english as n; "
        "print(n('S nine'), [m for m in ('torch', 'whisper') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "s 9 []"


def test_whisper_english_without_the_package(monkeypatch):
    normalisers._whisper_english.cache_clear()
    monkeypatch.setattr(normalisers.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match="pip install openai-whisper"):
        normalise_whisper_english("S nine")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("C2H4", "c twoh four"),
        ("25", "two five"),
        ("23rd", "two threerd"),
        ("well-known, snake_case", "wellknown snake_case"),
        ("S9", "s nine"),
    ],
)
def test_styledubber_normal_form(text, expected):
    # Each expectation is an example of the definition, glued words and spelt digits included.
    assert normalise_styledubber(text) == expected


def test_seedtts_deletes_the_punctuation_of_zhon():
    deleted = RECORDED["seedtts_deleted"]
    assert normalise_seedtts("a" + deleted + "b") == "ab"
    kept = [chr(code) for code in range(0x21, 0x10000) if not chr(code).isspace()]
    kept = [character for character in kept if character not in deleted]
    assert normalise_seedtts("".join(kept)) == "".join(kept).lower()


def test_seedtts_keeps_the_ascii_apostrophe_only():
    assert normalise_seedtts("It's  well-known \u2014 isn\u2019t it?") == "it's wellknown isnt it"


SLOTS_OF_GRID = {
    # preset: edits for a perfect transcript with "S9", with "O9", and with "O nine"
    "grid": (0, 0, 0),
    "whisper-en": (0, 2, 0),
    "whisper-basic": (2, 2, 0),
    "styledubber": (0, 0, 0),
    "seedtts": (2, 2, 0),
}


@pytest.mark.parametrize("name", SLOTS_OF_GRID)
def test_the_letter_o_and_s9_in_each_preset(name):
    # Known bugs: whisper-en reads "o nine" as "09" and "O9" as "0 9", a substitution and an
    # insertion; whisper-basic and seedtts leave "s9" one word, a substitution and a deletion.
    found = tuple(
        word_edits(reference, hypothesis, normaliser=name).edits
        for reference, hypothesis in (
            ("bin blue at s nine now", "Bin blue at S9 now."),
            ("bin blue at o nine now", "Bin blue at O9 now."),
            ("bin blue at o nine now", "Bin blue at O nine now."),
        )
    )
    assert found == SLOTS_OF_GRID[name]


def test_every_preset_but_none_has_its_grid_cases():
    assert set(SLOTS_OF_GRID) == set(NORMALISERS) - {"none"}
