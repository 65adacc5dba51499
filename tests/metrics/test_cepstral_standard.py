"""Profile standard: planted paths, level, pysptk and fastdtw on real speech, F0 along the path."""

import json
from pathlib import Path

import numpy as np
import pytest

from vsseval.audio import fit_length, mono, read_audio
from vsseval.encoders import world, world_standard
from vsseval.errors import InputError
from vsseval.metrics.cepstral import DECIBELS, mel_cepstral_distortion_dtw
from vsseval.metrics.cepstral_standard import (
    mcd_dtw_standard_components,
    mel_cepstral_distortion_standard,
    standard_path,
)
from vsseval.metrics.pitch import (
    f0_rmse_cents_components,
    f0_rmse_components,
    pitch_errors,
    voicing_error_components,
)

TESTS = Path(__file__).parents[1]
REFERENCE = TESTS / "reference" / "metrics_standard.json"
CASES = json.loads(REFERENCE.read_text(encoding="utf-8"))["cases"]
LEVEL = np.array(0.1)


def moving(seed, n):
    """Mel-cepstra (n, 25) of a random walk."""
    return np.cumsum(np.random.RandomState(seed).standard_normal((n, 25)), axis=0)


def at_pace(samples, pace, gain):
    """float32 samples read at another pace, and louder or softer."""
    positions = np.arange(0, len(samples) - 1, pace)
    values = gain * np.interp(positions, np.arange(len(samples)), samples.astype(np.float64))
    return values.astype(np.float32)


@pytest.fixture(scope="module")
def speech():
    """0.8 s of a voice that reads a sentence, 16 kHz."""
    return fit_length(mono(read_audio(TESTS / "encoders" / "hill.flac")), 64000)[6400:19200]


@pytest.fixture(scope="module")
def analysed(speech):
    return world_standard.load()(speech)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"pace {case['pace']}")
def test_equals_pysptk_and_exact_dtw_on_real_speech(case, speech, analysed):
    other = world_standard.load()(at_pace(speech, case["pace"], case["gain"]))
    assert other["mcep"].shape == (case["frames"], 25)
    np.testing.assert_allclose(other["mcep"][::37], case["mcep_every_37"], atol=1e-8)
    np.testing.assert_allclose(other["f0"][::37], case["f0_every_37"], atol=1e-6)
    sides = (analysed["mcep"], other["mcep"])
    components = mcd_dtw_standard_components(*sides, analysed["rms"], other["rms"])
    assert components[0] == pytest.approx(case["mcd_dtw"], rel=1e-8)
    assert components[1] == case["path_length"]
    f0 = (analysed["f0"], other["f0"])
    for compute, name in (
        (f0_rmse_components, "f0_rmse"),
        (f0_rmse_cents_components, "f0_rmse_cents"),
        (voicing_error_components, "voicing_error"),
    ):
        expected = [case[name], case["voiced_cells"], case["path_length"]]
        np.testing.assert_allclose(compute(*sides, *f0), expected, rtol=1e-6)


def test_a_gain_moves_pymcd_and_not_this(speech, analysed):
    # Known bug of pymcd: its floor is absolute, so loudness counts. Here a gain moves c0 alone, by
    # its logarithm. The gains are powers of two, so that samples stay exact.
    for gain in (0.5, 0.125):
        other = world_standard.load()(speech * np.float32(gain))
        np.testing.assert_allclose(other["mcep"][:, 1:], analysed["mcep"][:, 1:], atol=1e-6)
        shift = other["mcep"][:, 0] - analysed["mcep"][:, 0]
        np.testing.assert_allclose(shift, np.log(gain), atol=1e-6)
        assert mel_cepstral_distortion_standard(analysed["mcep"], other["mcep"]) < 1e-5
    pymcd = world.load()
    loud, soft = pymcd(speech)["mcep"], pymcd(speech * np.float32(0.5))["mcep"]
    assert mel_cepstral_distortion_dtw(loud, soft) > 1.0


def test_level_and_length_are_reported_and_warned_of():
    r = moving(1, 40)
    # 20 log10(0.05 / 0.1) = -6.02 dB: more than 3 dB.
    components = mcd_dtw_standard_components(r, r, LEVEL, np.array(0.05))
    np.testing.assert_allclose(components[:6], [0, 40, 40, 40, 1, 0])
    assert components[6] == pytest.approx(-6.0206, abs=1e-4)
    assert components[7] == 1
    assert mcd_dtw_standard_components(r, r, LEVEL, np.array(0.08))[7] == 0
    # 50 / 40 = 1.25 is more than 1.1; the sum of costs is also given by reference frame.
    components = mcd_dtw_standard_components(r, moving(2, 50), LEVEL, LEVEL)
    assert components[4] == 1.25
    assert components[7] == 1
    assert components[5] == pytest.approx(components[0] * components[1] / 40, rel=1e-12)


def test_one_coefficient_off_by_x_costs_6_1418_x_decibels():
    r = moving(3, 30) * 10
    g = r.copy()
    g[:, 24] += 0.25
    assert mel_cepstral_distortion_standard(r, g) == pytest.approx(0.25 * DECIBELS, rel=1e-9)


def test_c0_counts_nowhere():
    r = moving(4, 30)
    g = r.copy()
    g[:, 0] = np.random.RandomState(0).standard_normal(30)
    assert mel_cepstral_distortion_standard(r, g) == 0.0


def test_a_planted_monotone_path_is_recovered():
    # Each generated frame copies the reference frame at its place on a random monotone path, with
    # noise a hundredth as large as the steps.
    random = np.random.RandomState(5)
    r = random.standard_normal((60, 25)) * 10
    planted = np.minimum(np.cumsum(random.choice([0, 1], 100, p=[0.4, 0.6])), 59)
    planted = np.concatenate([planted, np.arange(planted[-1] + 1, 60)])
    g = r[planted] + random.standard_normal((len(planted), 25)) * 0.1
    path = standard_path(r, g)
    assert {(int(i), j) for j, i in enumerate(planted)} <= set(map(tuple, path.tolist()))


@pytest.mark.parametrize("silent", ["reference", "generated audio"])
def test_silence_is_excluded_on_either_side(silent):
    sides = [moving(6, 20), moving(7, 20)]
    sides[silent != "reference"] = np.zeros((20, 25))
    with pytest.raises(InputError, match=f"the {silent} is silent"):
        mcd_dtw_standard_components(*sides, LEVEL, LEVEL)
    with pytest.raises(InputError, match=f"the {silent} is silent"):
        voicing_error_components(*sides, np.zeros(20), np.zeros(20))


def test_bad_input_is_refused():
    r = moving(8, 20)
    with pytest.raises(InputError, match="reference has 1 frames"):
        mel_cepstral_distortion_standard(r[:1], r)
    with pytest.raises(InputError, match="generated mel-cepstra hold a value"):
        mel_cepstral_distortion_standard(r, r * np.nan)
    with pytest.raises(InputError, match="one finite level of the generated side"):
        mcd_dtw_standard_components(r, r, LEVEL, np.array(-0.1))


# ---- F0


def diagonal(n):
    return np.stack([np.arange(n)] * 2, axis=1)


def test_pitch_errors_of_written_out_tracks():
    # Cells: 100 -> 103, 200 -> 196, voiced to unvoiced, unvoiced to voiced, unvoiced on both.
    r, g = np.array([100.0, 200, 100, 0, 0]), np.array([103.0, 196, 0, 100, 0])
    errors = pitch_errors(r, g, diagonal(5))
    # sqrt((9 + 16) / 2), and 2 of 5 cells.
    assert errors.rmse == pytest.approx(np.sqrt(12.5), rel=1e-12)
    assert (errors.voicing_error, errors.num_voiced, errors.num_cells) == (40.0, 2, 5)
    # Known bug of VERSA without DTW: unvoiced frames count as 0 Hz, and two voicing errors of
    # 100 Hz hide the 3.5 Hz: sqrt((9 + 16 + 100^2 + 100^2) / 5) = 63.3.
    assert np.sqrt(np.mean((g - r) ** 2)) == pytest.approx(63.285, abs=1e-3)


def test_a_semitone_is_100_cents_at_any_pitch():
    r = np.array([80.0, 240, 640])
    errors = pitch_errors(r, r * 2 ** (1 / 12), diagonal(3))
    assert errors.rmse_cents == pytest.approx(100.0, rel=1e-12)


def test_pitch_follows_the_path_and_not_the_frames():
    # The generated side holds every frame twice: aligned, the tracks agree.
    r, f0 = moving(9, 30), np.linspace(90.0, 180.0, 30)
    components = f0_rmse_components(r, np.repeat(r, 2, axis=0), f0, np.repeat(f0, 2))
    assert components.tolist() == [0.0, 60.0, 60.0]


def test_few_voiced_cells_exclude_the_rmse_and_not_the_voicing_error():
    r, f0 = moving(10, 30), np.full(30, 120.0)
    whispered = f0 * (np.arange(30) < 9)
    with pytest.raises(InputError, match="9 cells are voiced on both sides, 10 are needed"):
        f0_rmse_components(r, r, f0, whispered)
    with pytest.raises(InputError, match="9 cells are voiced on both sides"):
        f0_rmse_cents_components(r, r, f0, whispered)
    assert voicing_error_components(r, r, f0, whispered)[0] == pytest.approx(70.0)


@pytest.mark.parametrize(
    ("f0", "message"),
    [
        (np.full(29, 100.0), "frames of mel-cepstra and F0 differ: 30 and 30"),
        (np.full(30, -1.0), "must not be negative"),
        (np.full(30, np.nan), "generated F0 holds a value that is not finite"),
    ],
    ids=["frames", "negative", "nan"],
)
def test_bad_tracks_are_refused(f0, message):
    r = moving(11, 30)
    with pytest.raises(InputError, match=message):
        f0_rmse_components(r, r, np.full(30, 100.0), f0)


def test_a_path_beyond_the_tracks_is_refused():
    with pytest.raises(InputError, match="the path leaves the F0 tracks of 3 and 3 frames"):
        pitch_errors(np.ones(3), np.ones(3), diagonal(4))
