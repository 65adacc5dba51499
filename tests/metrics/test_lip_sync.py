"""The offset search: the published loop, planted offsets, closed forms, both profiles."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from vsseval.bench.lip_sync import offset_search
from vsseval.errors import InputError
from vsseval.metrics.lip_sync import (
    lip_sync_error,
    lse_c_components,
    lse_d0_components,
    lse_d_components,
    lse_offset_components,
    mean_distances,
)

PATH = Path(__file__).parents[1] / "reference" / "lip_sync_search.json"
CASES = json.loads(PATH.read_text())["cases"]


def pair(windows: int, seed: int, weight: float, shift: int) -> tuple[np.ndarray, np.ndarray]:
    """As in tests/reference/lip_sync_recipe.py."""
    draws = np.random.RandomState(seed)
    lips = 0.3 * draws.standard_normal((windows + 1, 1024))
    sound = weight * np.roll(lips[:windows], shift, axis=0)
    sound += 0.2 * draws.standard_normal((windows, 1024))
    return lips.astype(np.float32), sound.astype(np.float32)


@pytest.mark.parametrize("name", sorted(CASES))
def test_search_equals_the_published_loop(name: str) -> None:
    case = CASES[name]
    lips, sound = pair(*case["arguments"])
    found = lip_sync_error(lips, sound)
    assert found.offset == case["offset"]
    assert found.distance == pytest.approx(case["distance"], rel=1e-6)
    # A difference of two float32 numbers of about 10 upstream.
    assert found.confidence == pytest.approx(case["confidence"], abs=5e-6)
    # The stored list runs over k = 0..30; ours over the same offsets in the same order.
    np.testing.assert_allclose(mean_distances(lips, sound), case["means"], rtol=1e-6)
    assert found.distance_zero == pytest.approx(case["means"][15], rel=1e-6)


def plain(lips, sound, *, start=0, masked=False):
    """The definition, cell by cell in float64."""
    length = min(len(lips) - 1, len(sound) - start)
    sums, counts = np.zeros(31), np.zeros(31)
    for v in range(length):
        for k in range(-15, 16):
            inside = 0 <= v + k < length
            if masked and not inside:
                continue
            other = sound[start + v + k].astype(np.float64) if inside else 0.0
            sums[k + 15] += np.linalg.norm(lips[v].astype(np.float64) - other + 1e-6)
            counts[k + 15] += 1
    return sums / counts


@pytest.mark.parametrize("profile", ["wav2lip", "masked"])
@pytest.mark.parametrize("start", [0, 9])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("windows", [33, 17, 16])
def test_search_is_its_definition(profile, start, dtype, windows) -> None:
    draws = np.random.RandomState(windows)
    lips = draws.standard_normal((windows + 1, 24)).astype(dtype)
    sound = draws.standard_normal((windows + start + 3, 24)).astype(dtype)
    found = mean_distances(lips, sound, start=start, profile=profile)
    expected = plain(lips, sound, start=start, masked=profile == "masked")
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_nearly_equal_vectors_lose_nothing() -> None:
    # All distances but those at offset 0 are large; that one is 1e-3 of the vectors' length.
    draws = np.random.RandomState(0)
    lips = draws.standard_normal((40, 1024)).astype(np.float32)
    sound = lips[:-1] + np.float32(1e-3) * draws.standard_normal((39, 1024)).astype(np.float32)
    found = lip_sync_error(lips, sound)
    assert found.distance == pytest.approx(plain(lips, sound)[15], rel=1e-6)


@pytest.mark.parametrize("shift", range(-15, 16, 3))
@pytest.mark.parametrize("profile", ["wav2lip", "masked"])
def test_a_planted_offset_is_found_to_the_frame(shift: int, profile: str) -> None:
    draws = np.random.RandomState(1)
    track = draws.standard_normal((130, 32))
    lips, sound = (
        track[15:86],
        track[15 - shift : 85 - shift],
    )  # sound[v] belongs to lips[v - shift]
    found = lip_sync_error(lips, sound, profile=profile)
    assert found.offset == -shift  # late sound is a negative offset
    assert found.edge_offset == (abs(shift) >= 13)


def test_a_face_that_comes_later_meets_its_own_sound() -> None:
    draws = np.random.RandomState(2)
    track = draws.standard_normal((95, 32))
    found = lip_sync_error(track[20:61], track, start=20)
    assert (found.offset, found.num_windows) == (0, 40)


def test_the_last_window_of_lips_is_never_used() -> None:
    draws = np.random.RandomState(3)
    lips, sound = draws.standard_normal((31, 8)), draws.standard_normal((40, 8))
    before = mean_distances(lips, sound)
    lips[-1], sound[30:] = 1e3, -1e3
    np.testing.assert_array_equal(mean_distances(lips, sound), before)


def test_closed_form_of_vectors_that_stand_still() -> None:
    # V = 3 e, A = 4 f, orthogonal: 5 inside and 3 outside, where 15 - |k| ... of L = 20 windows
    # |k| lie outside: m_k = (5 (20 - |k|) + 3 |k|) / 20, least at |k| = 15: 3.5, at 0: 5.
    lips, sound = np.zeros((21, 2)), np.zeros((20, 2))
    lips[:, 0], sound[:, 1] = 3.0, 4.0
    found = lip_sync_error(lips, sound)
    assert found.distance == pytest.approx(3.5, abs=1e-5)
    # The median of |k| over -15..15 is 8: 5 - 0.1 * 8 = 4.2.
    assert found.confidence == pytest.approx(0.7, abs=1e-5)
    assert found.distance_zero == pytest.approx(5.0, abs=1e-5)
    assert lip_sync_error(lips, sound, profile="masked").distance == pytest.approx(5.0, abs=1e-5)


def test_components_carry_offset_edge_and_windows() -> None:
    lips, sound = pair(70, 2, 0.8, 4)
    found = lip_sync_error(lips, sound)
    rest = [-4.0, 0.0, 70.0]
    for function, value in (
        (lse_d_components, found.distance),
        (lse_c_components, found.confidence),
        (lse_offset_components, 4.0),
        (lse_d0_components, found.distance_zero),
    ):
        assert function(lips, np.array(0), sound, profile="wav2lip").tolist() == [value, *rest]


@pytest.mark.parametrize(
    ("lips", "sound", "options", "message"),
    [
        (np.zeros((1, 4)), np.zeros((9, 4)), {}, "no window of lips and sound together: 1 video"),
        (np.zeros((9, 4)), np.zeros((0, 4)), {}, "no window of lips and sound together: 9 video"),
        (np.zeros((16, 4)), np.zeros((20, 4)), {"profile": "masked"}, "needs 16 windows, got 15"),
        (np.zeros((9, 4)), np.zeros((9, 5)), {}, r"of one SyncNet, got shapes \(8, 4\) and"),
        (np.zeros((9, 4)), np.zeros((9, 4)), {"profile": "papers"}, "got 'papers'"),
        (np.zeros((9, 4)), np.zeros((9, 4)), {"start": -1}, "cannot begin at frame -1"),
        (np.full((9, 4), np.inf), np.zeros((9, 4)), {}, "not finite"),
    ],
)
def test_errors_say_what_came(lips, sound, options, message: str) -> None:
    with pytest.raises(InputError, match=message):
        lip_sync_error(lips, sound, **options)


def test_the_bench_compares_equal_numbers() -> None:
    for row in offset_search(quick=True):
        assert row.reference is not None
        digits = re.search(r"difference (\S+)", row.agreement)
        assert digits is not None
        assert float(digits[1]) < 1e-6
