"""Word and character errors: jiwer's counts, pooling, normalisers, the bugs of other scripts."""

import json
from pathlib import Path

import jiwer
import numpy as np
import pytest

from vsseval.errors import InputError, UnknownNameError
from vsseval.metrics.pooling import pool
from vsseval.metrics.transcription import (
    character_components,
    character_edits,
    character_error_rate,
    styledubber_word_components,
    word_components,
    word_edits,
    word_error_rate,
    word_kind_components,
    word_rate_components,
)

REFERENCE = Path(__file__).parents[1] / "reference" / "metrics_transcription.json"
CASES = json.loads(REFERENCE.read_text(encoding="utf-8"))["cases"]


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


def pooled_mean(rows):
    return pool(np.stack(rows), "mean")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["hypothesis"] or "empty")
def test_styledubber_rate_equals_its_script(case):
    if case["styledubber"] is None:
        with pytest.raises(InputError, match="StyleDubber's script drops"):
            styledubber_word_components(case["reference"], case["hypothesis"])
        return
    components = styledubber_word_components(case["reference"], case["hypothesis"])
    assert components[0] == pytest.approx(100 * case["styledubber"], rel=1e-12)
    assert components[1:].sum() == pytest.approx(components[0], rel=1e-12)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["hypothesis"] or "empty")
def test_seedtts_rate_equals_its_script(case):
    rates = word_rate_components(case["reference"], case["hypothesis"], normaliser="seedtts")
    rate, substitutions, deletions, insertions = (100 * x for x in case["seedtts"])
    assert rates[0] == pytest.approx(rate, rel=1e-12)
    # Where alignments tie, jiwer need not take the one with the most hits.
    assert rates[1] <= substitutions + 1e-9
    assert rates[2] - rates[3] == pytest.approx(deletions - insertions, abs=1e-9)


def test_styledubber_exchanges_the_arguments():
    # Known bug: three words said, one heard: correct 2 / 3, theirs 2 / 1, and the other way round.
    assert styledubber_word_components("one two three", "three")[0] == 200.0
    assert styledubber_word_components("three", "one two three")[0] == pytest.approx(200 / 3)


def test_styledubber_gains_by_silence():
    # Known bug: of two clips one is wrong in half its words and one is silent. Ours: 75 % of the
    # words are wrong. Theirs: the silent one is dropped, so falling silent is no worse.
    said, heard = ["a b", "c d"], ["a x", ""]
    assert word_error_rate(said, heard, normaliser="none") == 75.0
    assert styledubber_word_components(said[0], heard[0])[0] == 50.0
    with pytest.raises(InputError, match="empty transcription"):
        styledubber_word_components(said[1], heard[1])
    with pytest.raises(InputError, match="the reference has no words"):
        styledubber_word_components("...", "a")


def test_the_mean_of_utterances_is_not_the_rate_of_the_corpus():
    # 1 of 1 and 0 of 9 words wrong: (100 + 0) / 2 = 50 %, not 1 / 10.
    pairs = [("a", "x"), ("b c d e f g h i j", "b c d e f g h i j")]
    rows = [word_rate_components(*pair, normaliser="none") for pair in pairs]
    assert pooled_mean(rows) == 50.0
    counts = [word_components(*pair, normaliser="none") for pair in pairs]
    assert pool(np.stack(counts), "percent_ratio") == 10.0


def test_shares_add_up_to_the_rate_and_empty_is_flagged():
    # a b c -> a x d e: two replaced, one added, over three words.
    rates = word_rate_components("a b c", "a x d e", normaliser="none")
    np.testing.assert_allclose(rates, [100.0, 200 / 3, 0.0, 100 / 3, 0.0])
    assert word_rate_components("a b", "", normaliser="none").tolist() == [100, 0, 100, 0, 1]
    assert word_components("a b", "...").tolist() == [2, 2, 0, 2, 0, 1]


def test_the_three_kinds_add_up_to_the_edits():
    # a b c d -> a x d e: b replaced, c missing, e added, over four words.
    pair = ("a b c d", "a x d e")
    for kind in ("substitutions", "deletions", "insertions"):
        assert word_kind_components(*pair, kind=kind, normaliser="none").tolist() == [1, 4]
    assert word_components(*pair, normaliser="none")[:2].tolist() == [3, 4]
    assert word_kind_components("a b", "", kind="deletions").tolist() == [2, 2]
    assert word_kind_components("a", "a b c", kind="insertions").tolist() == [2, 1]
    with pytest.raises(UnknownNameError, match="did you mean deletions"):
        word_kind_components(*pair, kind="deletion")


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


def test_capitals_digits_and_the_letter_o_do_not_count():
    assert word_error_rate(["BIN BLUE AT O NINE"], ["Bin blue at O9."]) == 0.0


def test_components_take_zero_dimensional_string_arrays():
    components = word_components(np.array("bin red"), np.array("bin bed now"))
    assert components.dtype == np.float64
    assert components.tolist() == [2, 2, 1, 0, 1, 0]
    assert character_components(np.array("ab"), np.array("b")).tolist() == [1, 2, 0, 1, 0, 0]


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
