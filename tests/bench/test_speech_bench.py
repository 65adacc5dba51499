"""The benchmarks of speech at tiny sizes: both routes agree; without pymcd ours stands alone."""

from __future__ import annotations

import sys
import types

import numpy as np
import pytest

from vsseval.bench import speech


def test_without_pymcd_ours_stands_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speech.importlib.util, "find_spec", lambda name: None)
    rows = speech.mel_cepstral_distortions(quick=True)
    assert len(rows) == 2
    for row in rows:
        assert row.ours > 0
        assert (row.reference, row.ratio, row.reference_route) == (None, None, "")
        assert "pip install vsseval[bench]" in row.agreement


def test_pymcd_is_called_for_both_modes_and_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    class Calculator:
        def __init__(self, MCD_mode: str) -> None:
            self.mode = MCD_mode

        def calculate_mcd(self, reference: str, generated: str) -> float:
            calls.append(self.mode)
            return 0.0

    module = types.ModuleType("pymcd.mcd")
    module.Calculate_MCD = Calculator
    monkeypatch.setitem(sys.modules, "pymcd", types.ModuleType("pymcd"))
    monkeypatch.setitem(sys.modules, "pymcd.mcd", module)
    monkeypatch.setattr(speech.importlib.util, "find_spec", lambda name: object())
    cold, warm = speech.mel_cepstral_distortions(quick=True)
    assert calls == ["dtw", "dtw_sl"] * 2  # two pairs
    assert (cold.target, warm.target) == (5.0, 20.0)
    for row in (cold, warm):
        assert row.ratio == row.reference / row.ours
        # The distortions of two different sentences are decibels away from this fake's zeros.
        assert float(row.agreement.split()[2]) > 1.0


@pytest.mark.slow
def test_values_equal_pymcd_from_the_same_files() -> None:
    pytest.importorskip("pymcd", reason="the extra bench is not installed")
    for row in speech.mel_cepstral_distortions(quick=True):
        assert float(row.agreement.split()[2]) < 1e-6


@pytest.mark.weights
@pytest.mark.slow
def test_both_runtimes_print_their_error_rate() -> None:
    (row,) = speech.word_error_rates(quick=True)
    assert row.ratio is not None
    assert "% against " in row.agreement
    assert np.isfinite(row.ratio)
