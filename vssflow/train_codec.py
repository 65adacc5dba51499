"""Training of the codec on random one-second cuts: all of it, then decoder and vocoder alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vssflow.codec import Codec
from vssflow.devices import bfloat16, device_of
from vssflow.mel import MEL_SCALE, mel_of_magnitude, spectrum
from vssflow.training import Draw, Job

BATCH = 48
CUT_FRAMES = 25
"""Latent frames of a cut: one second."""
KL_WEIGHT = 0.002
PEAK_WEIGHT = 0.1
LATENT_NOISE = 0.1
"""Deviation of the noise on normalised latents while the decoder is trained alone."""


def codec_job(codec: Codec, wave: NDArray[np.int16]) -> Job:
    """Job over waveforms int16 (N, n), n at least one second."""

    def losses(draw: Draw) -> Mapping[str, Tensor]:
        generator = draw.generator
        cuts = draw_cuts(wave, codec.config.samples_per_frame, generator)
        return codec_losses(codec, cuts.to(device_of(codec)), generator)

    return Job("codec", codec, losses, learning_rate=1e-3)


def decoder_job(codec: Codec, wave: NDArray[np.int16]) -> Job:
    """Job over waveforms as :func:`codec_job` takes them that goes on with decoder and vocoder.

    The encoder, and with it every latent, stays.
    """
    codec.encoder.requires_grad_(requires_grad=False)

    def losses(draw: Draw) -> Mapping[str, Tensor]:
        generator = draw.generator
        cuts = draw_cuts(wave, codec.config.samples_per_frame, generator)
        return decoder_losses(codec, cuts.to(device_of(codec)), generator)

    return Job("decoder", codec, losses, learning_rate=7e-4, ema_decay=0.998)


def draw_cuts(
    wave: NDArray[np.int16], samples_per_frame: int, generator: torch.Generator
) -> Tensor:
    """Random cuts, float32 (BATCH, CUT_FRAMES * samples_per_frame), at gains of -6 to +3 dB."""
    length = CUT_FRAMES * samples_per_frame
    rows = torch.randint(wave.shape[0], (BATCH,), generator=generator).tolist()
    starts = torch.randint(wave.shape[1] - length + 1, (BATCH,), generator=generator).tolist()
    cuts = np.stack([wave[row, at : at + length] for row, at in zip(rows, starts, strict=True)])
    decibels = torch.rand(BATCH, 1, generator=generator) * 9 - 6
    return torch.from_numpy(cuts).float() / 32768 * 10 ** (decibels / 20)


def codec_losses(codec: Codec, wave: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
    """L1 and L2 of the log-mel, a weak KL, L1 of the predicted log-magnitude, linear peak errors.

    Waveforms are float32 (B, n), full scale 1; ``loss`` is the weighted sum of the others.
    Half of the vocoder's batch sees true mels, half sees decoded ones.
    """
    goal = _targets(codec, wave)
    with bfloat16(wave.device):
        posterior = codec.posterior(goal.mel)
        deviation = posterior.log_deviation.exp()
        noise = torch.randn(deviation.shape, generator=generator).to(wave.device)
        decoded = codec.mel_of_raw(posterior.mean + deviation * noise)
        half = wave.shape[0] // 2
        heard = torch.cat([goal.mel[:half], decoded[half:].detach()])
        predicted = codec.log_magnitude(heard)
    kl = 0.5 * (posterior.mean**2 + deviation**2 - 1) - posterior.log_deviation
    losses = _reconstruction_losses(decoded, predicted, goal)
    return {**losses, "loss": losses["loss"] + KL_WEIGHT * kl.mean(), "kl": kl.mean()}


def decoder_losses(codec: Codec, wave: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
    """As :func:`codec_losses`, but from noisy posterior means; the vocoder sees decoded mels."""
    goal = _targets(codec, wave)
    with bfloat16(wave.device):
        with torch.no_grad():
            mean = codec.posterior(goal.mel).mean
            noise = torch.randn(mean.shape, generator=generator).to(wave.device)
            raw = mean + LATENT_NOISE * codec.latent_deviation[:, None] * noise
        decoded = codec.mel_of_raw(raw)
        predicted = codec.log_magnitude(decoded)
    return _reconstruction_losses(decoded, predicted, goal)


class Targets(NamedTuple):
    """What decoder and vocoder should give for a batch of waveforms."""

    mel: Tensor
    """Log-mel (B, num_mels, frames)."""
    magnitude: Tensor
    """Linear magnitude (B, bins, frames)."""


def _targets(codec: Codec, wave: Tensor) -> Targets:
    magnitude = spectrum(wave, codec.config).abs()
    return Targets(mel_of_magnitude(magnitude, codec.config), magnitude)


def _reconstruction_losses(decoded: Tensor, predicted: Tensor, goal: Targets) -> dict[str, Tensor]:
    """Errors of a decoded log-mel and a predicted log-magnitude, and their weighted sum."""
    error = (decoded - goal.mel) / MEL_SCALE
    target = torch.log(goal.magnitude.clamp(min=1e-4))
    parts = {
        "mel": error.abs().mean() + (error**2).mean(),
        "magnitude": ((predicted - target) / MEL_SCALE).abs().mean(),
        "peaks": _linear_error(predicted, goal.magnitude) + _linear_error(decoded, goal.mel.exp()),
    }
    return {"loss": parts["mel"] + parts["magnitude"] + PEAK_WEIGHT * parts["peaks"], **parts}


def _linear_error(log_estimate: Tensor, magnitude: Tensor) -> Tensor:
    """Mean over items of |estimate - magnitude| / |magnitude|, Frobenius norms: keeps peaks."""
    error = (log_estimate.clamp(max=6.0).exp() - magnitude).flatten(1).norm(dim=1)
    return (error / (magnitude.flatten(1).norm(dim=1) + 0.1)).mean()


def set_latent_statistics(codec: Codec, wave: NDArray[np.int16]) -> None:
    """Set the latent mean and deviation buffers from up to 1000 evenly spaced clips of (N, n)."""
    rows = np.unique(np.linspace(0, wave.shape[0] - 1, min(1000, wave.shape[0])).astype(int))
    codec.latent_mean.zero_()
    codec.latent_deviation.fill_(1.0)
    latents = [encode_clip(codec, wave[row]) for row in rows]
    stacked = torch.cat(latents).double()
    codec.latent_mean.copy_(stacked.mean(0))
    codec.latent_deviation.copy_(stacked.std(0).clamp(min=1e-3))


def encode_clip(codec: Codec, samples: NDArray[np.int16]) -> Tensor:
    """Normalised latents (T, latent_channels) of one clip, int16 (n,), on the CPU."""
    with torch.inference_mode():
        wave = torch.from_numpy(samples.astype(np.float32) / 32768)
        return codec.encode(wave[None].to(device_of(codec)))[0].cpu().clone()
