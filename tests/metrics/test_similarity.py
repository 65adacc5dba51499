"""Cosine similarity and predicted opinion scores."""

import numpy as np
import pytest

from vsseval.errors import InputError
from vsseval.metrics.opinion import opinion_components
from vsseval.metrics.similarity import (
    cosine_similarity,
    mean_cosine_components,
    speaker_similarity_components,
)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ([1.0, 0.0], [3.0, 0.0], 1.0),
        ([1.0, 0.0], [0.0, 2.0], 0.0),
        ([1.0, 0.0], [-0.5, 0.0], -1.0),
        ([1.0, 0.0], [1.0, 1.0], np.sqrt(0.5)),
        ([3.0, 4.0], [4.0, 3.0], 24 / 25),
    ],
    ids=["same", "orthogonal", "opposite", "45 degrees", "3-4-5"],
)
def test_cosine_of_written_out_vectors(a, b, expected):
    assert cosine_similarity(np.array(a), np.array(b)) == pytest.approx(expected, abs=1e-15)


def test_cosine_of_a_vector_with_itself_never_exceeds_one():
    for seed in range(50):
        vector = np.random.RandomState(seed).standard_normal(256).astype(np.float32)
        assert 1.0 - 1e-12 <= cosine_similarity(vector, vector) <= 1.0


def test_speaker_similarity_is_a_hundred_times_the_cosine():
    components = speaker_similarity_components(np.array([1.0, 0.0]), np.array([1.0, 1.0]))
    assert components.dtype == np.float64
    assert components.tolist() == [pytest.approx(100 * np.sqrt(0.5))]


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        ([1.0, 0.0], [1.0, 0.0, 0.0], "differ in size: 2 and 3"),
        ([0.0, 0.0], [1.0, 0.0], "the reference embedding is all zero"),
        ([1.0, 0.0], [0.0, 0.0], "the generated embedding is all zero"),
        ([1.0, np.nan], [1.0, 0.0], "reference embedding holds a value that is not finite"),
        ([[1.0, 0.0]], [1.0, 0.0], "must be one-dimensional"),
    ],
    ids=["sizes", "zero reference", "zero generated", "nan", "matrix"],
)
def test_bad_embeddings_are_refused(a, b, message):
    with pytest.raises(InputError, match=message):
        cosine_similarity(np.array(a), np.array(b))


@pytest.mark.parametrize(
    ("text", "sound", "expected"),
    [
        ([1.0, 0.0], [[3.0, 4.0]], 0.6),
        ([1.0, 0.0], [[3.0, 4.0], [0.0, 9.0], [-2.0, 0.0], [1.0, 0.0]], (0.6 + 0 - 1 + 1) / 4),
        ([[1.0, 0.0], [0.0, 1.0]], [[3.0, 4.0], [1.0, 0.0]], (0.6 + 1 + 0.8 + 0) / 4),
    ],
    ids=["one window", "four windows", "two by two"],
)
def test_cosines_of_windows_are_averaged_not_the_embeddings(text, sound, expected):
    found = mean_cosine_components(np.array(text), np.array(sound))
    assert found.dtype == np.float64
    assert found.tolist() == [pytest.approx(expected, abs=1e-15)]


def test_no_windows_have_no_mean():
    with pytest.raises(InputError, match="the encoder gave no window"):
        mean_cosine_components(np.ones(4), np.ones((0, 4)))


def test_an_opinion_score_passes_unchanged():
    components = opinion_components(np.array(3.25))
    assert components.dtype == np.float64
    assert components.tolist() == [3.25]


@pytest.mark.parametrize("score", [np.array(np.nan), np.array([1.0, 2.0])], ids=["nan", "two"])
def test_an_opinion_score_must_be_one_finite_number(score):
    with pytest.raises(InputError, match="one finite opinion score"):
        opinion_components(score)
