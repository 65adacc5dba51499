"""Small visual front ends, trained from pixels and then frozen: sync, lips and semantic tokens.

They take the places of Synchformer, AV-HuBERT and CLIP in preset tiny. Pictures come as uint8 and
are scaled inside.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from vssflow.config import Config
from vssflow.phonemes import CLASSES


class TemporalConv(nn.Module):
    """x + conv(gelu(conv(x))) over time, kernel 5, on (B, width, T)."""

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.conv_in = nn.Conv1d(width, width, 5, padding=2 * dilation, dilation=dilation)
        self.conv_out = nn.Conv1d(width, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, width, T) -> (B, width, T)."""
        return x + self.conv_out(functional.gelu(self.conv_in(x)))


def with_motion(pictures: Tensor) -> Tensor:
    """Pictures with their change since the last frame and to the next.

    Args:
        pictures: uint8 (B, T, K, S, S).

    Returns:
        float32 (B, T, 3 K, S, S); values in [-1, 1], changes enlarged four times, zero at the ends.
    """
    x = pictures.float() / 127.5 - 1.0
    change = 4 * (x[:, 1:] - x[:, :-1])
    still = torch.zeros_like(x[:, :1])
    return torch.cat([x, torch.cat([still, change], 1), torch.cat([change, still], 1)], dim=2)


class FrameTower(nn.Module):
    """Pictures (B, T, K, S, S) -> one vector a frame (B, T, width).

    Places in the picture stay apart until the last layer.
    """

    def __init__(
        self, planes: int, size: int, patch: int, channels: tuple[int, int, int], width: int
    ) -> None:
        super().__init__()
        first, second, third = channels
        self.convs = nn.Sequential(
            nn.Conv2d(planes, first, patch, stride=patch),
            nn.GELU(),
            nn.Conv2d(first, second, 3, stride=2, padding=1),
            nn.GELU(),
            nn.Conv2d(second, third, 3, stride=2, padding=1),
            nn.GELU(),
        )
        side = size // patch // 4
        self.out = nn.Linear(third * side * side, width)
        # At PyTorch's default scale differences between pictures fade, and training stalls.
        for layer in (*self.convs, self.out):
            if isinstance(layer, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)

    def forward(self, pictures: Tensor) -> Tensor:
        """(B, T, K, S, S) -> (B, T, width)."""
        batch, frames = pictures.shape[:2]
        flat = pictures.flatten(0, 1).contiguous(memory_format=torch.channels_last)
        return self.out(self.convs(flat).flatten(1)).unflatten(0, (batch, frames))


class SyncPrediction(NamedTuple):
    """What the sync front end is trained to say of each latent frame."""

    latent: Tensor
    """Normalised codec latent, (B, T, latent_channels)."""
    onset: Tensor
    """Logit of an onset in this frame, (B, T)."""


class SyncFrontEnd(nn.Module):
    """Whole frames -> sync features that know when something sounds, and roughly how."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        width = 160
        self.tower = FrameTower(6, config.frame_size, 4, (48, 96, 128), width)
        self.temporal = nn.Sequential(
            TemporalConv(width, 1), TemporalConv(width, 2), TemporalConv(width, 4)
        )
        self.to_features = nn.Linear(width, config.sync_features)
        self.latent_head = nn.Linear(config.sync_features, config.latent_channels)
        self.onset_head = nn.Linear(config.sync_features, 1)

    def forward(self, scene: Tensor) -> Tensor:
        """Features (B, T, sync_features) of whole frames uint8 (B, T, 2, S, S)."""
        x = functional.gelu(self.tower(with_motion(scene))).transpose(1, 2)
        x = self.temporal(x).transpose(1, 2)
        return torch.tanh(self.to_features(x))

    def predict(self, features: Tensor) -> SyncPrediction:
        """Training targets predicted from the features (B, T, sync_features)."""
        return SyncPrediction(self.latent_head(features), self.onset_head(features)[..., 0])


class LipFrontEnd(nn.Module):
    """Gray mouth crops -> lip features, and phone posteriors for each phoneme slot."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        width = 160
        self.slots = config.phonemes_per_frame
        self.tower = FrameTower(3, config.mouth_size, 2, (32, 64, 64), width)
        self.temporal = nn.Sequential(
            TemporalConv(width, 1), TemporalConv(width, 2), TemporalConv(width, 1)
        )
        self.to_features = nn.Linear(width, config.lip_features)
        self.phone_head = nn.Linear(config.lip_features, self.slots * len(CLASSES))

    def forward(self, mouth: Tensor) -> Tensor:
        """Features (B, T, lip_features) of mouth crops uint8 (B, T, S, S)."""
        x = functional.gelu(self.tower(with_motion(mouth[:, :, None]))).transpose(1, 2)
        x = self.temporal(x).transpose(1, 2)
        return torch.tanh(self.to_features(x))

    def log_posteriors(self, features: Tensor) -> Tensor:
        """Log-posteriors (B, T slots, 40) over ``CLASSES``."""
        logits = self.phone_head(features).unflatten(-1, (self.slots, len(CLASSES)))
        return functional.log_softmax(logits.flatten(1, 2).float(), dim=-1)


class SemanticFrontEnd(nn.Module):
    """Colour frames -> one token each, trained to name the sound's class and its mean latent."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.tower = FrameTower(3, config.colour_size, 4, (48, 96, 128), config.semantic_features)
        self.label_head = nn.Linear(config.semantic_features, config.max_labels)
        self.latent_head = nn.Linear(config.semantic_features, 2 * config.latent_channels)

    def forward(self, colour: Tensor) -> Tensor:
        """Tokens (B, V, semantic_features) of colour frames uint8 (B, V, S, S, 3)."""
        pictures = colour.permute(0, 1, 4, 2, 3).float() / 127.5 - 1.0
        return torch.tanh(self.tower(pictures))
