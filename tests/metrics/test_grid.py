"""Slots of GRID sentences: the grammar, written-out alignments, ties, homophones."""

import itertools

import numpy as np
import pytest

from vsseval.errors import InputError, UnknownNameError
from vsseval.metrics.grid import (
    GRAMMAR,
    LEXICONS,
    SLOTS,
    grid_slots,
    one_slot_components,
    sentence_components,
    slot_components,
    slot_hits,
)
from vsseval.metrics.table import METRICS
from vsseval.metrics.transcription import word_edits

SAID = "bin blue at f two now"


def hits(hypothesis, reference=SAID, lexicon="exact"):
    found = slot_hits(reference, hypothesis, lexicon=lexicon)
    return "".join("x" if hit else "-" for hit in found)


def test_grammar_has_the_sizes_of_the_corpus():
    # Cooke et al. (2006): 4 x 4 x 4 x 25 x 10 x 4 sentences.
    assert [len(words) for words in GRAMMAR.values()] == [4, 4, 4, 25, 10, 4]
    assert "w" not in GRAMMAR["letter"]


def test_no_word_stands_in_two_slots():
    # Each word of a sentence is then different, which slot_hits relies on to name slots.
    words = [word for slot in GRAMMAR.values() for word in slot]
    assert len(words) == len(set(words))


@pytest.mark.parametrize(
    ("hypothesis", "expected"),
    [
        (SAID, "xxxxxx"),
        ("Bin blue at F2, now.", "xxxxxx"),
        ("BIN BLUE AT F TWO NOW", "xxxxxx"),
        ("", "------"),
        ("Thank you.", "------"),
        # One word replaced, missing, added.
        ("bin blue at s two now", "xxx-xx"),
        ("bin blue at two now", "xxx-xx"),
        ("bin blue at a f two now", "xxxxxx"),
        ("been blue at f two now thank you", "-xxxxx"),
        # Backwards, six substitutions cost as much as four with a deletion, an insertion and a hit:
        # the third word against the fourth heard, or the fourth against the third. The earlier.
        ("now two f at blue bin", "--x---"),
        # Two edits either way: the exchanged pair keeps its earlier word.
        ("blue bin at f two now", "x-xxxx"),
        ("bin blue at two f now", "xxxx-x"),
    ],
)
def test_hits_of_written_out_hypotheses(hypothesis, expected):
    assert hits(hypothesis) == expected


def brute_force(reference, hypothesis):
    """Best (edits, -hits, misses of the earliest slots first) over all monotone pairings."""
    best = None
    n, m = len(reference), len(hypothesis)
    for size in range(min(n, m) + 1):
        for rows in itertools.combinations(range(n), size):
            for columns in itertools.combinations(range(m), size):
                pairs = list(zip(rows, columns, strict=True))
                hit_rows = {i for i, j in pairs if reference[i] == hypothesis[j]}
                edits = size - len(hit_rows) + (n - size) + (m - size)
                misses = tuple(i not in hit_rows for i in range(n))
                key = (edits, -len(hit_rows), misses)
                best = key if best is None or key < best else best
    return best


@pytest.mark.parametrize("seed", range(30))
def test_alignment_is_the_best_of_all(seed):
    random = np.random.RandomState(seed)
    words = SAID.split()
    heard = list(random.choice([*words, "please", "red"], random.randint(0, 7)))
    edits, negative_hits, misses = brute_force(words, heard)
    found = slot_hits(SAID, " ".join(heard))
    assert found.tolist() == [not miss for miss in misses]
    counts = word_edits(SAID, " ".join(heard))
    assert (counts.edits, counts.hits) == (edits, -negative_hits)


@pytest.mark.parametrize(
    ("reference", "hypothesis", "exact", "lenient"),
    [
        ("lay red by c four please", "Lay red bye see for please.", "xx---x", "xxxxxx"),
        ("set green with u two soon", "Set green with you too soon", "xxx--x", "xxxxxx"),
        ("set green in t eight soon", "set green inn tea ate soon", "xx---x", "xxxxxx"),
        # "to" is the digit two, and no other digit.
        ("set green in t nine soon", "set green in t to soon", "xxxx-x", "xxxx-x"),
    ],
)
def test_homophones_count_only_in_their_lexicon(reference, hypothesis, exact, lenient):
    assert hits(hypothesis, reference) == exact
    assert hits(hypothesis, reference, "grid-homophones") == lenient


def test_homophones_are_outside_the_grammar_and_of_one_word():
    words = {word for slot in GRAMMAR.values() for word in slot}
    spellings = [s for other in LEXICONS["grid-homophones"].values() for s in other]
    assert set(LEXICONS["grid-homophones"]) <= words
    assert not words & set(spellings)
    assert len(spellings) == len(set(spellings))


def test_the_letter_o_is_not_the_digit_zero():
    assert hits("Bin blue at O9 now", "bin blue at o nine now") == "xxxxxx"
    assert hits("Bin blue at zero nine now", "bin blue at o nine now") == "xxx-xx"


def test_components_are_percent():
    components = slot_components(np.array(SAID), np.array("bin blue at f too"))
    assert components.dtype == np.float64
    np.testing.assert_allclose(components, [400 / 6, 100, 100, 100, 100, 0, 0])
    assert one_slot_components(SAID, "bin red at f two now", slot="colour").tolist() == [0]
    assert one_slot_components(SAID, "bin red at f two now", slot="letter").tolist() == [100]
    assert sentence_components(SAID, "bin blue at f 2 now").tolist() == [100]
    assert sentence_components(SAID, "bin blue at f now").tolist() == [0]


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("bin blue at f two", "5 words"),
        ("bin blue at w two now", "no letter 'w'"),
        ("bin black at f two now", "no colour 'black'"),
        ("The flask holds water.", "4 words"),
        ("", "0 words"),
    ],
)
def test_other_sentences_are_excluded(reference, message):
    with pytest.raises(InputError, match=f"not a GRID sentence: {message}"):
        slot_components(reference, SAID)


def test_slots_are_read_from_digits_and_capitals():
    assert grid_slots("Bin blue at F2, now!") == tuple(SAID.split())


def test_unknown_names_are_refused():
    with pytest.raises(UnknownNameError, match="did you mean grid-homophones"):
        slot_hits(SAID, SAID, lexicon="homophones")
    with pytest.raises(UnknownNameError, match="did you mean colour"):
        one_slot_components(SAID, SAID, slot="color")


def test_every_slot_has_a_row():
    rows = [row for row in METRICS.values() if row.compute.endswith(":one_slot_components")]
    assert tuple(row.params["slot"] for row in rows) == SLOTS
