from __future__ import annotations

import librosa
import numpy as np
import torch

from vssflow.config import PRESETS
from vssflow.mel import griffin_lim, inverse_spectrum, log_mel, slaney_filters, spectrum

CONFIG = PRESETS["tiny"]


def test_slaney_filters_equal_those_of_librosa():
    # librosa 0.11.0, librosa.filters.mel with its defaults htk=False, norm="slaney"
    expected = librosa.filters.mel(sr=16000, n_fft=1024, n_mels=80)
    np.testing.assert_allclose(slaney_filters(16000, 1024, 80), expected, atol=1e-7)


def test_log_mel_has_one_frame_a_hop_and_the_floor_in_silence():
    mel = log_mel(torch.zeros(1, 16000), CONFIG)
    assert mel.shape == (1, 80, 100)
    assert torch.equal(mel, torch.full_like(mel, float(np.log(np.float32(1e-5)))))


def test_level_survives_in_the_log_mel():
    wave = torch.randn(1, 16000, generator=torch.Generator().manual_seed(0))
    # Ten times the amplitude adds ln 10 to every band.
    difference = log_mel(10 * wave, CONFIG) - log_mel(wave, CONFIG)
    torch.testing.assert_close(
        difference, torch.full_like(difference, float(np.log(10.0))), atol=1e-4, rtol=0
    )


def test_inverse_spectrum_undoes_spectrum():
    wave = torch.randn(1, 16000, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(
        inverse_spectrum(spectrum(wave, CONFIG), CONFIG), wave, atol=1e-5, rtol=0
    )


def _mismatch(wave, magnitude):
    return float((spectrum(wave, CONFIG).abs() - magnitude).norm() / magnitude.norm())


def test_griffin_lim_approaches_the_magnitude():
    time = torch.arange(16000) / 16000
    wave = (torch.sin(2 * torch.pi * 220 * time) * torch.exp(-3 * time))[None]
    magnitude = spectrum(wave, CONFIG).abs()
    first = _mismatch(griffin_lim(magnitude, CONFIG, steps=0), magnitude)
    last = _mismatch(griffin_lim(magnitude, CONFIG, steps=32), magnitude)
    assert last < 0.25 * first


def test_griffin_lim_repeats_itself():
    magnitude = spectrum(torch.randn(1, 3200), CONFIG).abs()
    assert torch.equal(
        griffin_lim(magnitude, CONFIG, steps=2), griffin_lim(magnitude, CONFIG, steps=2)
    )
