"""A plain description of a voice: mean and deviation of each log-mel band over voiced frames."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from vssflow.config import Config
from vssflow.mel import MEL_CENTRE, MEL_SCALE, log_mel

VOICED_RANGE_DB = 30.0
"""Frames at most so far below the loudest count as voiced [dB]."""


def speaker_vector(wave: NDArray[np.float32], config: Config) -> NDArray[np.float32]:
    """Voice of mono samples (n,) at the model's rate, float32 (2 num_mels,), about unit scale.

    Silence alone gives zeros, which stand for "no reference".
    """
    length = max(config.n_fft, wave.size // config.hop * config.hop)
    padded = np.pad(wave, (0, max(0, length - wave.size)))[:length]
    mel = log_mel(torch.from_numpy(padded)[None], config)[0].double().numpy()
    level = np.log(np.exp(2 * mel).sum(0)) * 10 / np.log(10)
    if not np.any(padded):
        return np.zeros(config.speaker_features, np.float32)
    voiced = mel[:, level >= level.max() - VOICED_RANGE_DB]
    mean, deviation = (voiced.mean(1) - MEL_CENTRE) / MEL_SCALE, voiced.std(1) / MEL_SCALE
    return np.concatenate([mean, deviation]).astype(np.float32)
