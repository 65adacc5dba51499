"""Training of the codec: mel autoencoder and vocoder together, on random one-second cuts."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vssflow.codec import MEL_SCALE, Codec
from vssflow.mel import mel_of_magnitude, spectrum
from vssflow.training import Job

BATCH = 48
CUT_FRAMES = 25  # latent frames of a cut: one second
KL_WEIGHT = 0.002
PEAK_WEIGHT = 0.1


def codec_job(codec: Codec, wave: NDArray[np.int16]) -> Job:
    """Job over waveforms int16 (N, n), n at least one second."""

    def losses(generator: torch.Generator) -> Mapping[str, Tensor]:
        cuts = draw_cuts(wave, codec.config.samples_per_frame, generator)
        return codec_losses(codec, cuts, generator)

    return Job("codec", codec, losses, learning_rate=1e-3)


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

    Half of the vocoder's batch sees true mels, half sees decoded ones.
    """
    with torch.no_grad():
        magnitude = spectrum(wave, codec.config).abs()
        mel = mel_of_magnitude(magnitude, codec.config)
        target = torch.log(magnitude.clamp(min=codec.config.mel_floor * 10))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        posterior = codec.posterior(mel)
        deviation = posterior.log_deviation.exp()
        noise = torch.randn(deviation.shape, generator=generator)
        decoded = codec.mel_of_raw(posterior.mean + deviation * noise)
        half = mel.shape[0] // 2
        heard = torch.cat([mel[:half], decoded[half:].detach()])
        predicted = codec.log_magnitude(heard)
    error = (decoded - mel) / MEL_SCALE
    kl = 0.5 * (posterior.mean**2 + deviation**2 - 1) - posterior.log_deviation
    parts = {
        "mel": error.abs().mean() + (error**2).mean(),
        "kl": kl.mean(),
        "magnitude": ((predicted - target) / MEL_SCALE).abs().mean(),
        "peaks": _linear_error(predicted, magnitude) + _linear_error(decoded, mel.exp()),
    }
    loss = parts["mel"] + KL_WEIGHT * parts["kl"] + parts["magnitude"]
    return {"loss": loss + PEAK_WEIGHT * parts["peaks"], **parts}


def _linear_error(log_estimate: Tensor, magnitude: Tensor) -> Tensor:
    """Mean over items of |estimate - magnitude| / |magnitude|, Frobenius norms: keeps peaks."""
    error = (log_estimate.clamp(max=6.0).exp() - magnitude).flatten(1).norm(dim=1)
    return (error / (magnitude.flatten(1).norm(dim=1) + 0.1)).mean()


def set_latent_statistics(codec: Codec, wave: NDArray[np.int16]) -> None:
    """Set the latent mean and deviation buffers from up to 1000 evenly spaced clips."""
    rows = np.unique(np.linspace(0, wave.shape[0] - 1, min(1000, wave.shape[0])).astype(int))
    codec.latent_mean.zero_()
    codec.latent_deviation.fill_(1.0)
    latents = [encode_clip(codec, wave[row]) for row in rows]
    stacked = torch.cat(latents).double()
    codec.latent_mean.copy_(stacked.mean(0))
    codec.latent_deviation.copy_(stacked.std(0).clamp(min=1e-3))


def encode_clip(codec: Codec, samples: NDArray[np.int16]) -> Tensor:
    """Normalised latents (T, latent_channels) of one clip, int16 (n,)."""
    with torch.inference_mode():
        wave = torch.from_numpy(samples.astype(np.float32) / 32768)
        return codec.encode(wave[None])[0].clone()
