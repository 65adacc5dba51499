"""Word and character errors: jiwer's counts, pooling, normalisers, the bugs of other scripts."""

import jiwer
import numpy as np
import pytest
from whisper.normalizers import BasicTextNormalizer

from vsseval.errors import InputError, UnknownNameError
from vsseval.metrics.transcription import (
    NORMALISERS,
    character_components,
    character_edits,
    character_error_rate,
    normalise_grid,
    normalise_whisper_basic,
    word_components,
    word_edits,
    word_error_rate,
)


@pytest.mark.parametrize(
    ("reference", "hypothesis", "hits", "substitutions", "deletions", "insertions"),
    [
        ("a b c", "a b c", 3, 0, 0, 0),
        ("a b c", "a x c", 2, 1, 0, 0),
        ("a b c", "a c", 2, 0, 1, 0),
        ("a c", "a b c", 2, 0, 0, 1),
        ("a b c", "", 0, 0, 3, 0),
        ("a", "b c d", 0, 1, 0, 2),
        # Two substitutions also cost 2, but a hit with a deletion and an insertion has more hits.
        ("a b", "b c", 1, 0, 1, 1),
    ],
    ids=["equal", "replaced", "missing", "added", "empty", "longer", "most hits"],
)
def test_counts_of_written_out_pairs(
    reference, hypothesis, hits, substitutions, deletions, insertions
):
    counts = word_edits(reference, hypothesis, normaliser="none")
    assert (counts.hits, counts.substitutions) == (hits, substitutions)
    assert (counts.deletions, counts.insertions) == (deletions, insertions)
    assert counts.edits == substitutions + deletions + insertions
    assert counts.n_reference == len(reference.split())


@pytest.mark.parametrize("seed", range(40))
def test_edits_equal_jiwer(seed):
    random = np.random.RandomState(seed)
    words = np.array(["bin", "lay", "red", "at", "b", "two", "now"])
    reference = " ".join(random.choice(words, random.randint(1, 12)))
    hypothesis = " ".join(random.choice(words, random.randint(0, 12)))
    expected = jiwer.process_words(reference, hypothesis)
    counts = word_edits(reference, hypothesis, normaliser="none")
    assert counts.edits == expected.substitutions + expected.deletions + expected.insertions
    assert counts.deletions - counts.insertions == expected.deletions - expected.insertions
    assert counts.hits >= expected.hits
    expected = jiwer.process_characters(reference, hypothesis)
    edits = expected.substitutions + expected.deletions + expected.insertions
    assert character_edits(reference, hypothesis, normaliser="none").edits == edits


def test_corpus_rate_pools_edits_over_words_not_rates():
    # 1 of 1 and 0 of 9 words wrong: 1 / 10 = 10 %, not (100 + 0) / 2 = 50 %.
    references = ["a", "b c d e f g h i j"]
    assert word_error_rate(references, ["x", references[1]], normaliser="none") == 10.0


def test_corpus_rate_equals_jiwer():
    references = ["bin blue at s nine now", "set red by q four please", "lay green in a one soon"]
    hypotheses = ["bin blue at nine now", "said red buy queue for please", ""]
    expected = 100 * jiwer.wer(references, hypotheses)
    assert word_error_rate(references, hypotheses) == pytest.approx(expected, rel=1e-12)
    expected = 100 * jiwer.cer(references, hypotheses)
    assert character_error_rate(references, hypotheses) == pytest.approx(expected, rel=1e-12)


def test_the_denominator_is_the_reference():
    # Known bug of StyleDubber: the arguments are swapped. Correct: 2 insertions over 1 word.
    assert word_error_rate(["a"], ["a b c"], normaliser="none") == 200.0
    assert 100 * jiwer.wer("a b c", "a") == pytest.approx(200 / 3)


def test_empty_transcriptions_count_as_deletions():
    # Known bug of StyleDubber: empty transcriptions are dropped, which would give 0 here.
    assert word_error_rate(["a b", "c d"], ["a b", ""], normaliser="none") == 50.0
    assert character_error_rate(["ab"], ["  "], normaliser="none") == 100.0


def test_a_reference_without_words_is_excluded():
    # Known bug of jiwer 4: the "rate" of an empty reference is the number of insertions.
    assert jiwer.wer("", "three words here") == 3
    with pytest.raises(InputError, match="the reference has no words"):
        word_edits("...", "three words here")
    with pytest.raises(InputError, match="the reference has no characters"):
        character_edits("", "three words here")


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


@pytest.mark.parametrize("name", sorted(NORMALISERS))
def test_normalisers_are_idempotent(name):
    for text in TEXTS:
        once = NORMALISERS[name](text)
        assert NORMALISERS[name](once) == once


def test_capitals_digits_and_the_letter_o_do_not_count():
    assert word_error_rate(["BIN BLUE AT O NINE"], ["Bin blue at O9."]) == 0.0


def test_components_take_zero_dimensional_string_arrays():
    components = word_components(np.array("bin red"), np.array("bin bed now"))
    assert components.dtype == np.float64
    assert components.tolist() == [2, 2, 1, 0, 1]
    assert character_components(np.array("ab"), np.array("b")).tolist() == [1, 2, 0, 1, 0]


def test_error_rates_are_not_symmetric():
    assert word_error_rate(["a b"], ["a"], normaliser="none") == 50.0
    assert word_error_rate(["a"], ["a b"], normaliser="none") == 100.0


@pytest.mark.parametrize(
    ("references", "hypotheses"), [(["a"], []), ([], [])], ids=["unequal", "none"]
)
def test_bad_lists_are_refused(references, hypotheses):
    with pytest.raises(InputError, match="as many hypotheses as references"):
        word_error_rate(references, hypotheses)


def test_an_unknown_normaliser_is_named_with_the_close_ones():
    with pytest.raises(UnknownNameError, match="did you mean grid"):
        word_edits("a", "a", normaliser="grids")


@pytest.mark.parametrize("transcript", [None, 3.0, ["a", "b"]], ids=["none", "number", "list"])
def test_a_transcript_must_be_one_string(transcript):
    with pytest.raises(InputError, match="expected one string"):
        word_components(transcript, "a")
