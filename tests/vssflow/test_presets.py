"""The full-size layouts, built for free on the meta device."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from vssflow.config import PRESETS
from vssflow.dit import Features, VSSFlow
from vssflow.network import Networks

LAYOUTS = [
    "v3-m", "v3-all-cross", "v3-lipsync", "v3-videotext", "v3-all-concat",
    "v1", "v1-all-cross", "v1-video", "v1-all-concat",
]  # fmt: skip


def count(flow: VSSFlow) -> int:
    """Parameters and the frozen frequencies, which are a buffer here and a parameter upstream."""
    return sum(p.numel() for p in flow.parameters()) + flow.time_token.frequencies.numel()


# Derived from the shapes of the released code (vasflow1/vssflow at c172450b, Ceaglex/vasflow at
# 1bda706); the paper prints 443M (v1) and 463M (M).
@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("v1", 443_283_202),
        ("v1-all-cross", 442_555_776),
        ("v1-video", 445_963_648),
        ("v1-all-concat", 485_057_920),
        ("v3-s", 245_215_104),
        ("v3-m", 463_565_184),
        ("v3-l", 681_915_264),
        ("v3-all-cross", 478_390_656),
        ("v3-lipsync", 463_710_592),
        ("v3-videotext", 470_249_856),
        ("v3-all-concat", 512_029_056),
    ],
)
def test_parameter_count_is_the_papers(name: str, parameters: int) -> None:
    with torch.device("meta"):
        flow = VSSFlow(PRESETS[name])
    assert count(flow) == parameters


@pytest.mark.parametrize(
    ("name", "channels", "cross_width"),
    [
        ("v1", 161, 768),
        ("v1-all-cross", 128, 800),
        ("v1-video", 896, 768),
        ("v1-all-concat", 928, 0),
        ("v3-m", 1952, 768),
        ("v3-all-cross", 128, 2592),
        ("v3-lipsync", 1920, 800),
        ("v3-videotext", 928, 1792),
        ("v3-all-concat", 2720, 0),
    ],
)
def test_layout_has_the_widths_of_the_configuration_upstream(
    name: str, channels: int, cross_width: int
) -> None:
    assert PRESETS[name].channels == channels
    assert PRESETS[name].cross_width == cross_width


def test_full_size_checkpoint_holds_the_transformer_alone() -> None:
    with torch.device("meta"):
        names = {name.split(".")[0] for name in Networks(PRESETS["v3-s"]).state_dict()}
    assert names == {"flow"}


def small(name: str) -> VSSFlow:
    """A layout at reduced widths with an output layer that is not zero."""
    torch.manual_seed(0)
    config = replace(
        PRESETS[name],
        latent_channels=8,
        lip_features=12,
        lip_channels=10,
        sync_features=14,
        sync_channels=6,
        semantic_features=9,
        semantic_channels=6,
        speaker_features=5,
        phoneme_width=4,
        width=64,
        depth=2,
        heads=2,
        cross_heads=1,
        feed_forward=48,
    )
    flow = VSSFlow(config).eval()
    torch.nn.init.normal_(flow.proj_out.weight, std=0.1)
    return flow


def features(flow: VSSFlow, frames: int = 7) -> Features:
    config, generator = flow.config, torch.Generator().manual_seed(1)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(2, *shape, generator=generator)

    phones = torch.randint(1, 71, (2, frames), generator=generator)
    durations = None
    if config.phoneme_positions:
        phones = phones[:, :3]
        durations = torch.nn.functional.one_hot(torch.arange(frames) * 3 // frames, 3).float()
        durations = durations.expand(2, -1, -1)
    return Features(
        normal(frames, config.lip_features),
        phones,
        normal(frames, config.sync_features),
        normal(frames, config.semantic_features),
        normal(config.speaker_features),
        durations,
    )


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_condition_of_a_layout_reaches_the_velocity_wherever_it_stands(name: str) -> None:
    flow = small(name)
    given = features(flow)
    used = {"semantic", "phonemes", "speaker"} | {*flow.config.concatenated, *flow.config.crossed}
    used -= {"temporal", "speech"}  # made of CLIP, and of the phonemes
    x_t, t = torch.randn(2, 7, 8), torch.tensor([0.2, 0.9])
    with torch.inference_mode():
        before = flow(x_t, t, flow.conditions(given))
        for field in sorted(used):
            value = getattr(given, field)
            other = given._replace(**{field: value.flip(1 if field == "phonemes" else -1)})
            after = flow(x_t, t, flow.conditions(other))
            assert (before - after).abs().max() > 1e-5, field


@pytest.mark.parametrize("name", LAYOUTS)
def test_null_condition_is_the_same_whatever_was_given(name: str) -> None:
    flow = small(name)
    first = flow.conditions(features(flow))
    second = flow.conditions(features(flow)._replace(speaker=torch.ones(2, 5)))
    for a, b in zip(flow.null(first), flow.null(second), strict=True):
        assert torch.equal(a, b)
    tokens = flow.null(first).tokens
    assert not torch.any(tokens[:, 0])
    assert bool(torch.any(tokens)) == (name in ("v1-all-cross", "v1-video"))


@pytest.mark.parametrize("name", [name for name in LAYOUTS if name.startswith("v1")])
def test_null_condition_of_v1_is_no_speech_at_position_zero_and_nothing_seen(name: str) -> None:
    # Ids all 0 and every frame pointing at phone 0, zeros elsewhere, through the very projections.
    flow = small(name)
    given = features(flow)
    pointing = torch.zeros_like(given.durations)
    pointing[..., 0] = 1.0
    mute = Features(*(torch.zeros_like(value) for value in given[:5]), pointing)
    expected, null = flow.conditions(mute), flow.null(flow.conditions(given))
    torch.testing.assert_close(null.channels, expected.channels)
    torch.testing.assert_close(null.tokens, expected.tokens)
    assert torch.any(null.channels) or torch.any(null.tokens)


def test_gradient_checkpointing_changes_no_gradient() -> None:
    flow = small("v3-m")
    x_t, t, given = torch.randn(2, 7, 8), torch.tensor([0.2, 0.9]), features(flow)
    gradients = []
    for enabled in (False, True):
        flow.gradient_checkpointing = enabled
        flow.zero_grad()
        flow(x_t, t, flow.conditions(given)).square().sum().backward()
        gradients.append([p.grad.clone() for p in flow.parameters() if p.grad is not None])
    assert len(gradients[0]) == len(gradients[1])
    for plain, again in zip(*gradients, strict=True):
        assert torch.equal(plain, again)


def test_semantic_token_beside_frames_stands_for_the_frames_it_covers() -> None:
    # Two tokens over seven frames: floor(2 i / 7) is 0 for four frames and 1 for three.
    flow = small("v3-videotext")
    given = features(flow)
    given = given._replace(semantic=given.semantic[:, :2])
    channels = flow.conditions(given).channels[..., :6]
    expected = flow.cond_proj(given.semantic)[:, [0, 0, 0, 0, 1, 1, 1]]
    torch.testing.assert_close(channels, expected)
