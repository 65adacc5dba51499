"""What tests put in the place of reports and networks: nothing, and small ones."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from torch import nn

from vssflow.config import PRESETS, Config
from vssflow.dit import VSSFlow

if TYPE_CHECKING:
    from transformers import CLIPVisionModel

    from vssflow.audioldm2 import AudioLdm2

FRAMES = 10
"""Latent frames of TINY and :func:`v3_small`."""
TINY = replace(PRESETS["tiny"], clip_seconds=0.4, width=32, depth=2, heads=2, cross_heads=1,
               rotary_width=8, feed_forward=32)  # fmt: skip


def silent(_: str) -> None:
    """A report that nobody reads."""


def brightness(x: torch.Tensor) -> torch.Tensor:
    """In the place of Synchformer: a token says how bright the first of its two frames is."""
    assert x.shape[1:] == (3, 16, 224, 224)
    level = x[:, :, ::2].mean((1, 3, 4)) / 2 + 0.5
    return level[..., None].expand(-1, -1, 768)


def v3_small(**changes: object) -> Config:
    """The full-size layout at a small width."""
    return replace(
        PRESETS["v3-m"], clip_seconds=0.4, width=64, heads=1, cross_heads=1, depth=2,
        feed_forward=32, lip_channels=16, sync_channels=16, semantic_channels=16, **changes,
    )  # fmt: skip


def flow_of(config: Config) -> VSSFlow:
    """A seeded transformer whose output layer is not zero."""
    torch.manual_seed(0)
    made = VSSFlow(config)
    nn.init.normal_(made.proj_out.weight, std=0.05)
    return made


def codec_and_vision() -> tuple[AudioLdm2, CLIPVisionModel]:
    """The classes of a full-size model's codec and CLIP, with random weights."""
    from transformers import (
        CLIPVisionConfig,
        CLIPVisionModel,
        SpeechT5HifiGan,
        SpeechT5HifiGanConfig,
    )

    from vssflow.audioldm2 import AudioLdm2
    from vssflow.vae_network import Vae, VaeSize

    torch.manual_seed(0)
    vision = CLIPVisionModel(
        CLIPVisionConfig(
            hidden_size=768,
            intermediate_size=32,
            num_hidden_layers=1,
            num_attention_heads=2,
            image_size=16,
            patch_size=16,
        )
    ).eval()
    vocoder = SpeechT5HifiGan(
        SpeechT5HifiGanConfig(
            model_in_dim=64,
            upsample_initial_channel=8,
            upsample_rates=[160],
            upsample_kernel_sizes=[160],
            resblock_kernel_sizes=[3],
            resblock_dilation_sizes=[[1]],
        )
    )
    return AudioLdm2(Vae(VaeSize((32, 32, 32), 1, 8)), vocoder), vision
