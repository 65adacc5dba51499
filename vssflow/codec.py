"""Audio codec: log-mel <-> latent (a small convolutional VAE) and log-mel -> waveform (vocoder).

Latents are (B, T, latent_channels) at 25 frames a second, normalised so that each channel has mean
0 and deviation 1 over the training data. The vocoder predicts the linear log-magnitude from the
log-mel; the phase comes from fast Griffin-Lim iterations.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from vssflow.config import Config
from vssflow.mel import MEL_CENTRE, MEL_SCALE, griffin_lim, log_mel


class ResidualConv(nn.Module):
    """x + conv(gelu(conv(rms_norm(x)))) on (B, width, frames), kernel 3."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(width, 1))
        self.conv_in = nn.Conv1d(width, width, 3, padding=1)
        self.conv_out = nn.Conv1d(width, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, width, frames) -> (B, width, frames)."""
        normed = x * torch.rsqrt(x.float().square().mean(1, keepdim=True) + 1e-5) * self.gain
        return x + self.conv_out(functional.gelu(self.conv_in(normed)))


class Posterior(NamedTuple):
    """Gaussian over raw (not normalised) latents."""

    mean: Tensor
    """(B, latent_channels, T)."""
    log_deviation: Tensor
    """(B, latent_channels, T)."""


class Codec(nn.Module):
    """The VAE and the vocoder's network, with the latent statistics as buffers."""

    latent_mean: Tensor
    """Of raw latents, (latent_channels,)."""
    latent_deviation: Tensor
    """Standard deviation likewise, > 0."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        narrow, wide = config.codec_width, config.codec_width * 5 // 4
        step, latent = config.mel_per_latent, config.latent_channels
        self.encoder = nn.Sequential(
            nn.Conv1d(config.num_mels, narrow, 5, padding=2),
            ResidualConv(narrow),
            nn.Conv1d(narrow, wide, step, stride=step),
            ResidualConv(wide),
            nn.Conv1d(wide, 2 * latent, 1),
        )
        self.decoder = nn.Sequential(
            nn.Conv1d(latent, wide, 3, padding=1),
            ResidualConv(wide),
            ResidualConv(wide),
            nn.ConvTranspose1d(wide, narrow, step, stride=step),
            ResidualConv(narrow),
            ResidualConv(narrow),
            nn.Conv1d(narrow, config.num_mels, 5, padding=2),
        )
        self.vocoder = nn.Sequential(
            nn.Conv1d(config.num_mels, config.vocoder_width, 5, padding=2),
            ResidualConv(config.vocoder_width),
            ResidualConv(config.vocoder_width),
            nn.Conv1d(config.vocoder_width, config.n_fft // 2 + 1, 1),
        )
        self.register_buffer("latent_mean", torch.zeros(latent))
        self.register_buffer("latent_deviation", torch.ones(latent))

    def posterior(self, mel: Tensor) -> Posterior:
        """Raw latent distribution of log-mels (B, num_mels, 4 T)."""
        out = self.encoder((mel - MEL_CENTRE) / MEL_SCALE).float()
        mean, log_deviation = out.chunk(2, dim=1)
        return Posterior(mean, log_deviation.clamp(-8.0, 2.0))

    def mel_of_raw(self, raw: Tensor) -> Tensor:
        """Log-mel (B, num_mels, 4 T) of raw latents (B, latent_channels, T)."""
        return self.decoder(raw).float() * MEL_SCALE + MEL_CENTRE

    def log_magnitude(self, mel: Tensor) -> Tensor:
        """Linear log-magnitude (B, n_fft / 2 + 1, frames) of log-mels (B, num_mels, frames)."""
        return self.vocoder((mel - MEL_CENTRE) / MEL_SCALE).float() * MEL_SCALE + MEL_CENTRE

    def encode(self, wave: Tensor) -> Tensor:
        """Normalised latents (B, T, latent_channels), posterior means, of waveforms (B, 640 T)."""
        mean = self.posterior(log_mel(wave, self.config)).mean.transpose(1, 2)
        return (mean - self.latent_mean) / self.latent_deviation

    def decode_mel(self, latent: Tensor) -> Tensor:
        """Log-mel (B, num_mels, 4 T) of normalised latents (B, T, latent_channels)."""
        raw = latent * self.latent_deviation + self.latent_mean
        return self.mel_of_raw(raw.transpose(1, 2))

    def vocode(self, mel: Tensor) -> Tensor:
        """Waveforms (B, 160 frames) of log-mels (B, num_mels, frames)."""
        magnitude = torch.exp(self.log_magnitude(mel))
        return griffin_lim(magnitude, self.config, steps=self.config.griffin_lim_steps)

    def decode(self, latent: Tensor) -> Tensor:
        """Waveforms (B, 640 T) of normalised latents (B, T, latent_channels)."""
        return self.vocode(self.decode_mel(latent))
