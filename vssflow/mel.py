"""Log-mel spectrograms and phase reconstruction.

Conventions: STFT of 1024 samples (periodic Hann) every 160, the signal reflect-padded by
(n_fft - hop) / 2 on each side and not centred, so n samples give exactly n / hop frames;
magnitudes, not powers; natural logarithm of max(mel, floor). Tensors are float32, waveforms (B,
n), spectrograms (B, bands, frames). Nothing is peak-normalised: the level survives.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from vssflow.config import Config

MEL_CENTRE, MEL_SCALE = -5.0, 3.0
"""Bring natural-log mels, in [-11.5, 2], near mean 0 and deviation 1."""


def slaney_filters(sample_rate: int, n_fft: int, num_mels: int) -> NDArray[np.float32]:
    """Triangular Slaney mel filters of unit area, float32 (num_mels, n_fft / 2 + 1).

    They span 0 Hz to half the sample rate. The scale is linear up to 1000 Hz (3 mels per 200 Hz)
    and logarithmic above (27 mels per factor of 6.4).

    Reference: Slaney (1998), Auditory Toolbox, version 2.
    """
    linear_step, corner, log_step = 200.0 / 3.0, 1000.0, math.log(6.4) / 27.0
    corner_mel = corner / linear_step
    top_mel = corner_mel + math.log(sample_rate / 2 / corner) / log_step
    mels = np.linspace(0.0, top_mel, num_mels + 2)
    edges = np.where(
        mels < corner_mel, mels * linear_step, corner * np.exp(log_step * (mels - corner_mel))
    )
    bins = np.linspace(0.0, sample_rate / 2, n_fft // 2 + 1)
    rising = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    area = 2.0 / (edges[2:] - edges[:-2])
    return np.asarray(triangles * area[:, None], dtype=np.float32)


@cache
def _filters(sample_rate: int, n_fft: int, num_mels: int) -> Tensor:
    return torch.from_numpy(slaney_filters(sample_rate, n_fft, num_mels))


def spectrum(wave: Tensor, config: Config) -> Tensor:
    """Complex STFT (B, n_fft / 2 + 1, n / hop) of waveforms (B, n); n is a multiple of hop."""
    pad = (config.n_fft - config.hop) // 2
    padded = functional.pad(wave[:, None], (pad, pad), mode="reflect")[:, 0]
    window = torch.hann_window(config.n_fft, device=wave.device)
    return torch.stft(
        padded, config.n_fft, config.hop, window=window, center=False, return_complex=True
    )


def mel_of_magnitude(magnitude: Tensor, config: Config) -> Tensor:
    """Log-mel (B, num_mels, frames) of magnitudes (B, n_fft / 2 + 1, frames)."""
    filters = _filters(config.sample_rate, config.n_fft, config.num_mels).to(magnitude.device)
    return torch.log(torch.clamp(filters @ magnitude, min=config.mel_floor))


def log_mel(wave: Tensor, config: Config) -> Tensor:
    """Log-mel (B, num_mels, n / hop) of waveforms (B, n)."""
    return mel_of_magnitude(spectrum(wave, config).abs(), config)


def inverse_spectrum(spec: Tensor, config: Config) -> Tensor:
    """Waveforms (B, frames * hop) whose STFT is nearest to ``spec`` in the least-squares sense.

    Reference: Griffin and Lim (1984), Signal estimation from modified short-time Fourier transform,
    equation 6.
    """
    frames = spec.shape[-1]
    window = torch.hann_window(config.n_fft, device=spec.device)
    pieces = torch.fft.irfft(spec, n=config.n_fft, dim=1) * window[:, None]  # (B, n_fft, frames)
    total = _overlap_add(pieces, config)
    weight = _overlap_add((window**2)[None, :, None].expand(1, -1, frames), config)
    pad = (config.n_fft - config.hop) // 2
    return (total / weight.clamp(min=1e-8))[:, pad : pad + frames * config.hop]


def _overlap_add(pieces: Tensor, config: Config) -> Tensor:
    """Sum of frames (B, n_fft, frames) at their places, (B, n_fft + (frames - 1) hop)."""
    batch, width, frames = pieces.shape
    overlap = math.ceil(width / config.hop)
    whole = functional.pad(pieces, (0, 0, 0, overlap * config.hop - width))
    parts = whole.reshape(batch, overlap, config.hop, frames).transpose(2, 3)
    total = pieces.new_zeros(batch, frames + overlap - 1, config.hop)
    for at in range(overlap):
        total[:, at : at + frames] += parts[:, at]  # (B, frames, hop)
    return total.flatten(1)[:, : width + (frames - 1) * config.hop]


def griffin_lim(magnitude: Tensor, config: Config, *, steps: int, momentum: float = 0.99) -> Tensor:
    """Waveforms (B, frames * hop) whose STFT magnitude approaches ``magnitude`` (B, bins, frames).

    The first phase is drawn from a generator with a fixed seed, so equal magnitudes give equal
    waveforms.

    Args:
        magnitude: linear, >= 0.
        config: window, hop and rate.
        steps: iterations.
        momentum: of the fast variant, in [0, 1]; 0 is plain Griffin-Lim.

    Reference: Perraudin, Balazs and Sondergaard (2013), A fast Griffin-Lim algorithm.
    """
    generator = torch.Generator().manual_seed(0)
    phase = torch.rand(magnitude.shape[1:], generator=generator) * (2 * math.pi)
    spec = torch.polar(magnitude, phase.to(magnitude.device).expand_as(magnitude).contiguous())
    previous = torch.zeros_like(spec)
    for _ in range(steps):
        consistent = spectrum(inverse_spectrum(spec, config), config)
        extrapolated = consistent + momentum / (1 + momentum) * (consistent - previous)
        previous = consistent
        spec = magnitude * extrapolated / extrapolated.abs().clamp(min=1e-8)
    return inverse_spectrum(spec, config)
