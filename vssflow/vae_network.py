"""The autoencoder of AudioLDM2: log-mel pictures (B, 1, time, mel) to latents a quarter as wide.

Written from the layer list of diffusers' ``AutoencoderKL`` (0.35.2), whose key names the parameters
carry, so that a published folder loads as it is. Shapes: B batch, C channels, H time, W mel.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

GROUPS = 32
EPSILON = 1e-6


class VaeSize(NamedTuple):
    """Widths; the defaults are AudioLDM2's."""

    channels: tuple[int, ...] = (128, 256, 512)
    """Of each level; the picture is halved between levels."""
    layers: int = 2
    """Residual blocks of an encoder level; a decoder level has one more."""
    latent: int = 8
    """Latent channels."""


class ResnetBlock(nn.Module):
    """shortcut(x) + conv(silu(norm(conv(silu(norm(x))))))."""

    def __init__(self, width_in: int, width_out: int) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(GROUPS, width_in, eps=EPSILON)
        self.conv1 = nn.Conv2d(width_in, width_out, 3, padding=1)
        self.norm2 = nn.GroupNorm(GROUPS, width_out, eps=EPSILON)
        self.conv2 = nn.Conv2d(width_out, width_out, 3, padding=1)
        if width_in != width_out:
            self.conv_shortcut = nn.Conv2d(width_in, width_out, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, width_in, H, W) -> (B, width_out, H, W)."""
        h = self.conv1(functional.silu(self.norm1(x)))
        h = self.conv2(functional.silu(self.norm2(h)))
        return h + (self.conv_shortcut(x) if hasattr(self, "conv_shortcut") else x)


class Attention(nn.Module):
    """x + one-head attention over all places of the normalised picture."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.group_norm = nn.GroupNorm(GROUPS, width, eps=EPSILON)
        self.to_q = nn.Linear(width, width)
        self.to_k = nn.Linear(width, width)
        self.to_v = nn.Linear(width, width)
        self.to_out = nn.ModuleList([nn.Linear(width, width)])

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C, H, W)."""
        places = self.group_norm(x).flatten(2).transpose(1, 2)  # (B, H W, C)
        q, k, v = self.to_q(places), self.to_k(places), self.to_v(places)
        mixed = functional.scaled_dot_product_attention(q[:, None], k[:, None], v[:, None])[:, 0]
        return x + self.to_out[0](mixed).transpose(1, 2).unflatten(2, x.shape[2:])


class Middle(nn.Module):
    """Block, attention, block."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.attentions = nn.ModuleList([Attention(width)])
        self.resnets = nn.ModuleList([ResnetBlock(width, width) for _ in range(2)])

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C, H, W)."""
        return self.resnets[1](self.attentions[0](self.resnets[0](x)))


class Halve(nn.Module):
    """Convolution of stride 2 after a row and a column of zeros at the end."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C, H / 2, W / 2)."""
        return self.conv(functional.pad(x, (0, 1, 0, 1)))


class Double(nn.Module):
    """Every place four times, then a convolution."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C, 2 H, 2 W)."""
        return self.conv(functional.interpolate(x, scale_factor=2.0, mode="nearest"))


class Level(nn.Module):
    """Residual blocks, then a change of scale (not at the last level)."""

    def __init__(self, width_in: int, width_out: int, layers: int, scale: str | None) -> None:
        super().__init__()
        widths = [width_in, *[width_out] * layers]
        self.resnets = nn.ModuleList([ResnetBlock(a, b) for a, b in pairwise(widths)])
        if scale == "halve":
            self.downsamplers = nn.ModuleList([Halve(width_out)])
        if scale == "double":
            self.upsamplers = nn.ModuleList([Double(width_out)])

    def forward(self, x: Tensor) -> Tensor:
        """(B, width_in, H, W) -> (B, width_out, H', W')."""
        for block in self.resnets:
            x = block(x)
        for name in ("downsamplers", "upsamplers"):
            for layer in getattr(self, name, ()):
                x = layer(x)
        return x


class Encoder(nn.Module):
    """Pictures to the mean and log-variance of latents."""

    def __init__(self, size: VaeSize) -> None:
        super().__init__()
        widths = (size.channels[0], *size.channels)
        last = len(size.channels) - 1
        self.conv_in = nn.Conv2d(1, widths[0], 3, padding=1)
        self.down_blocks = nn.ModuleList(
            [
                Level(widths[i], widths[i + 1], size.layers, "halve" if i < last else None)
                for i in range(last + 1)
            ]
        )
        self.mid_block = Middle(widths[-1])
        self.conv_norm_out = nn.GroupNorm(GROUPS, widths[-1], eps=EPSILON)
        self.conv_out = nn.Conv2d(widths[-1], 2 * size.latent, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, 1, H, W) -> (B, 2 latent, H / 4, W / 4)."""
        x = self.conv_in(x)
        for level in self.down_blocks:
            x = level(x)
        return self.conv_out(functional.silu(self.conv_norm_out(self.mid_block(x))))


class Decoder(nn.Module):
    """Latents to pictures."""

    def __init__(self, size: VaeSize) -> None:
        super().__init__()
        widths = (size.channels[-1], *reversed(size.channels))
        last = len(size.channels) - 1
        self.conv_in = nn.Conv2d(size.latent, widths[0], 3, padding=1)
        self.mid_block = Middle(widths[0])
        self.up_blocks = nn.ModuleList(
            [
                Level(widths[i], widths[i + 1], size.layers + 1, "double" if i < last else None)
                for i in range(last + 1)
            ]
        )
        self.conv_norm_out = nn.GroupNorm(GROUPS, widths[-1], eps=EPSILON)
        self.conv_out = nn.Conv2d(widths[-1], 1, 3, padding=1)

    def forward(self, z: Tensor) -> Tensor:
        """(B, latent, H, W) -> (B, 1, 4 H, 4 W)."""
        x = self.mid_block(self.conv_in(z))
        for level in self.up_blocks:
            x = level(x)
        return self.conv_out(functional.silu(self.conv_norm_out(x)))


class Posterior(NamedTuple):
    """Gaussian over latents."""

    mean: Tensor
    """(B, latent, H / 4, W / 4)."""
    deviation: Tensor
    """Of the same shape."""


class Vae(nn.Module):
    """AudioLDM2's ``AutoencoderKL``; its scaling factor is the caller's business."""

    def __init__(self, size: VaeSize | None = None) -> None:
        super().__init__()
        chosen = size or VaeSize()
        self.encoder, self.decoder = Encoder(chosen), Decoder(chosen)
        self.quant_conv = nn.Conv2d(2 * chosen.latent, 2 * chosen.latent, 1)
        self.post_quant_conv = nn.Conv2d(chosen.latent, chosen.latent, 1)

    def encode(self, picture: Tensor) -> Posterior:
        """Latent distribution of log-mels (B, 1, H, W)."""
        mean, log_variance = self.quant_conv(self.encoder(picture)).chunk(2, dim=1)
        return Posterior(mean, torch.exp(0.5 * log_variance.clamp(-30.0, 20.0)))

    def decode(self, latent: Tensor) -> Tensor:
        """Log-mels (B, 1, 4 H, 4 W) of latents (B, latent, H, W)."""
        return self.decoder(self.post_quant_conv(latent))
