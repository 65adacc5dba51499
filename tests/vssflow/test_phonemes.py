from __future__ import annotations

import numpy as np
import pytest

from vsseval.errors import InputError
from vsseval.weights import require
from vssflow.phonemes import (
    BLANK,
    CLASS_OF_ID,
    CLASSES,
    IDS,
    SYMBOLS,
    lip_timing,
    monotone_path,
    read_dictionary,
    text_to_phonemes,
    uniform_timing,
    words_of,
)

DICTIONARY = {"bin": ("B", "IH1", "N"), "dog": ("D", "AO1", "G")}


def test_table_has_the_70_symbols_at_the_ids_of_the_paper():
    assert len(SYMBOLS) == len(set(SYMBOLS)) == 70
    # Entries of the printed table: first, last, the blank, and one of each column between.
    expected = {"AA0": 1, "ER0": 11, "JH": 21, "IY0": 31, "M": 41, "UW1": 51, "<blank>": 59}
    assert {symbol: IDS[symbol] for symbol in expected} == expected
    assert IDS["AE2"] == 70


def test_lip_classes_are_silence_and_39_phones():
    assert len(CLASSES) == 40
    assert CLASS_OF_ID[BLANK] == CLASS_OF_ID[0] == 0
    assert CLASSES[CLASS_OF_ID[IDS["AE2"]]] == "AE"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("Bin blue!", ["bin", "blue"], id="punctuation"),
        pytest.param("at f2 now", ["at", "f", "two", "now"], id="digit"),
        pytest.param("don\N{RIGHT SINGLE QUOTATION MARK}t", ["don't"], id="apostrophe"),
        pytest.param("caf\N{LATIN SMALL LETTER E WITH ACUTE}", ["cafe"], id="accent"),
    ],
)
def test_words_of_text(text, words):
    assert words_of(text) == words


@pytest.mark.parametrize("text", ["", "  ", "?!", "'"])
def test_text_without_words_is_refused(text):
    with pytest.raises(InputError, match="holds no word"):
        words_of(text)


def test_another_script_is_refused_by_naming_its_symbols():
    with pytest.raises(InputError, match="pronunciation: \N{GREEK SMALL LETTER BETA}"):
        words_of("a \N{GREEK SMALL LETTER BETA}")


def test_symbols_that_cannot_be_seen_are_named_by_their_code_points():
    with pytest.raises(InputError, match=r"pronunciation: U\+200B; write them as words"):
        words_of("bin\N{ZERO WIDTH SPACE}blue")


def test_long_transcript_is_shortened_in_its_message():
    with pytest.raises(InputError, match="%") as caught:
        words_of("bin " * 1000 + "%")
    assert len(str(caught.value)) < 200


def test_known_word_possessive_and_spelling():
    ids = text_to_phonemes("bin dog's xz", DICTIONARY)
    names = [[SYMBOLS[i - 1] for i in word] for word in ids]
    assert names == [["B", "IH1", "N"], ["D", "AO1", "G", "Z"], ["EH1", "K", "S", "Z", "IY1"]]


@pytest.mark.weights
def test_real_dictionary_pronounces_a_grid_sentence():
    dictionary = read_dictionary(require("cmudict") / "cmudict.dict")
    words = text_to_phonemes("place red at g nine again", dictionary)
    assert [len(word) for word in words] == [4, 3, 2, 2, 3, 4]
    assert [SYMBOLS[i - 1] for i in words[0]] == ["P", "L", "EY1", "S"]


def test_uniform_timing_gives_every_phoneme_about_the_same_time():
    # blank B IH1 N blank: 5 ids over 20 slots are 4 slots each
    ids = uniform_timing([[IDS["B"], IDS["IH1"], IDS["N"]]], 20)
    expected = np.repeat([BLANK, IDS["B"], IDS["IH1"], IDS["N"], BLANK], 4)
    np.testing.assert_array_equal(ids, expected)


def test_monotone_path_recovers_a_planted_path():
    rng = np.random.default_rng(0)
    for _ in range(20):
        optional = [True, False, False, True, False, True]
        visited = [1, 2, 4] if rng.random() < 0.5 else [0, 1, 2, 3, 4, 5]
        planted = np.repeat(visited, rng.integers(1, 6, len(visited)))
        emissions = rng.normal(0, 0.1, (planted.size, 6))
        emissions[np.arange(planted.size), planted] += 5.0
        np.testing.assert_array_equal(monotone_path(emissions, optional), planted)


def test_monotone_path_never_leaves_out_what_is_not_optional():
    # Every slot prefers state 0; states 1 and 2 must still be visited.
    emissions = np.zeros((6, 4))
    emissions[:, 0] = 9.0
    path = monotone_path(emissions, [True, False, False, True])
    np.testing.assert_array_equal(path, [0, 0, 0, 0, 1, 2])


def test_lip_timing_follows_the_posteriors():
    posteriors = np.full((12, len(CLASSES)), -9.0, np.float32)
    planted = ["SIL"] * 3 + ["B"] * 2 + ["IH"] * 4 + ["N"] * 1 + ["SIL"] * 2
    for slot, name in enumerate(planted):
        posteriors[slot, CLASSES.index(name)] = 0.0
    ids = lip_timing([[IDS["B"], IDS["IH1"], IDS["N"]]], posteriors)
    assert [CLASSES[CLASS_OF_ID[i]] for i in ids] == planted


def test_more_phonemes_than_slots_are_refused():
    with pytest.raises(InputError, match=r"3 phonemes do not fit into 0\.04 s"):
        lip_timing([[1, 2, 3]], np.zeros((2, len(CLASSES)), np.float32))
