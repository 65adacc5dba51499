from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from vssflow.dit import Conditions, Features, VSSFlow, select
from vssflow.layers import CrossAttention, FeedForward, TimeToken, rotate, rotation
from vssflow.train_flow import flow_losses


def make_features(config, batch=2, frames=10, tokens=3):
    generator = torch.Generator().manual_seed(1)
    slots = frames * config.phonemes_per_frame
    return Features(
        torch.randn(batch, frames, config.lip_features, generator=generator),
        torch.randint(71, (batch, slots), generator=generator),
        torch.randn(batch, frames, config.sync_features, generator=generator),
        torch.randn(batch, tokens, config.semantic_features, generator=generator),
        torch.randn(batch, config.speaker_features, generator=generator),
    )


def test_fresh_model_is_the_zero_velocity_field(config):
    flow = VSSFlow(config)
    out = flow(torch.randn(2, 10, 64), torch.rand(2), flow.conditions(make_features(config)))
    assert torch.equal(out, torch.zeros(2, 10, 64))


def test_condition_channels_stand_in_the_order_lips_phonemes_sync(config, networks):
    features = make_features(config)
    channels = networks.flow.conditions(features).channels
    lips, phonemes = config.lip_channels, config.phoneme_channels
    torch.testing.assert_close(channels[..., :lips], networks.flow.lip_proj(features.lips))
    first = networks.flow.phone_embedding(features.phonemes[:, 0])
    torch.testing.assert_close(channels[:, 0, lips : lips + config.phoneme_width], first)
    torch.testing.assert_close(
        channels[..., lips + phonemes :], networks.flow.synch_proj(features.sync)
    )


def test_speaker_is_the_first_cross_token_and_zero_without_a_reference(config, networks):
    features = make_features(config)
    silent = features._replace(speaker=torch.zeros_like(features.speaker))
    tokens = networks.flow.conditions(silent).tokens
    assert tokens.shape == (2, 4, config.cross_width)
    assert torch.equal(tokens[:, 0], torch.zeros(2, config.cross_width))
    assert networks.flow.conditions(features).tokens[:, 0].abs().min() > 0


def test_no_speech_is_a_learned_row_and_not_the_null_condition(config, networks):
    features = make_features(config)
    mute = features._replace(phonemes=torch.zeros_like(features.phonemes))
    start = config.lip_channels
    part = networks.flow.conditions(mute).channels[0, 0, start : start + config.phoneme_width]
    torch.testing.assert_close(part, networks.flow.phone_embedding.weight[0])
    assert part.abs().max() > 0


def test_dropped_condition_equals_the_null_condition(config, networks):
    conditions = networks.flow.conditions(make_features(config))
    null = networks.flow.null(conditions)
    dropped = select(conditions, null, torch.tensor([True, False]))
    x_t, t = torch.randn(2, 10, 64), torch.rand(2)
    with torch.inference_mode():
        out = networks.flow(x_t, t, dropped)
        torch.testing.assert_close(out[0], networks.flow(x_t, t, null)[0], atol=1e-6, rtol=0)
        torch.testing.assert_close(out[1], networks.flow(x_t, t, conditions)[1], atol=1e-6, rtol=0)
        assert (out[0] - networks.flow(x_t, t, conditions)[0]).abs().max() > 1e-4


@pytest.mark.parametrize("field", ["lips", "phonemes", "sync", "semantic", "speaker"])
def test_every_feature_reaches_the_velocity(config, networks, field):
    features = make_features(config)
    value = getattr(features, field)
    other = features._replace(**{field: (value + 1) % 71 if field == "phonemes" else value + 1})
    x_t, t = torch.randn(2, 10, 64), torch.rand(2)
    with torch.inference_mode():
        before = networks.flow(x_t, t, networks.flow.conditions(features))
        after = networks.flow(x_t, t, networks.flow.conditions(other))
    assert (before - after).abs().max() > 1e-4


def test_item_is_the_same_alone_and_in_a_batch(config, networks):
    conditions = networks.flow.conditions(make_features(config, batch=3))
    x_t, t = torch.randn(3, 10, 64), torch.rand(3)
    with torch.inference_mode():
        batch = networks.flow(x_t, t, conditions)
        alone = networks.flow(x_t[1:2], t[1:2], Conditions(*(c[1:2] for c in conditions)))
    torch.testing.assert_close(batch[1:2], alone, atol=1e-6, rtol=0)


def test_rotation_turns_only_its_dimensions_and_keeps_lengths():
    x = torch.randn(1, 2, 5, 64)
    turned = rotate(x, rotation(5, 32, x.device))
    assert torch.equal(turned[..., 32:], x[..., 32:])
    assert torch.equal(turned[:, :, 0], x[:, :, 0])
    torch.testing.assert_close(turned.norm(dim=-1), x.norm(dim=-1))


def test_rotation_pairs_dimension_i_with_i_plus_half():
    # A unit vector on dimension 0 turns by 1 rad towards dimension 16 (frequency 10000^0 = 1).
    x = torch.zeros(1, 1, 2, 64)
    x[..., 0] = 1.0
    turned = rotate(x, rotation(2, 32, x.device))[0, 0, 1]
    expected = torch.zeros(64)
    expected[0], expected[16] = torch.cos(torch.tensor(1.0)), torch.sin(torch.tensor(1.0))
    torch.testing.assert_close(turned, expected)


def test_rotated_products_depend_on_the_distance_alone():
    query, key = torch.randn(1, 1, 1, 64), torch.randn(1, 1, 1, 64)
    angles = rotation(9, 64, query.device)
    q = rotate(query.expand(1, 1, 9, 64), angles)[0, 0]
    k = rotate(key.expand(1, 1, 9, 64), angles)[0, 0]
    torch.testing.assert_close(q[3] @ k[1], q[8] @ k[6], atol=1e-4, rtol=1e-4)


def test_cross_attention_ignores_the_order_of_its_tokens(config):
    attention = CrossAttention(config)
    x, tokens = torch.randn(1, 5, config.width), torch.randn(1, 4, config.cross_width)
    angles = rotation(5, config.rotary_width, x.device)
    out = attention(x, attention.encode(tokens), angles)
    torch.testing.assert_close(out, attention(x, attention.encode(tokens.flip(1)), angles))


def test_feed_forward_gates_the_first_half_by_the_second():
    layer = FeedForward(2, 3)
    x = torch.randn(1, 4, 2)
    value, gate = layer.proj_in(x)[..., :3], layer.proj_in(x)[..., 3:]
    torch.testing.assert_close(layer(x), layer.proj_out(value * gate * torch.sigmoid(gate)))


def test_time_token_accepts_times_beyond_one(config):
    token = TimeToken(config)(torch.tensor([0.0, 1.18]))
    assert token.shape == (2, 1, config.width)
    assert torch.isfinite(token).all()


def test_loss_on_one_batch_falls_to_under_half_in_150_steps(config):
    torch.manual_seed(0)
    flow = VSSFlow(replace(config, width=128, depth=2))
    features = make_features(config, batch=4, frames=8)
    latent = torch.randn(4, 8, 64, generator=torch.Generator().manual_seed(2))
    optimiser = torch.optim.AdamW(flow.parameters(), lr=3e-3)
    generator = torch.Generator().manual_seed(0)
    history = []
    for _ in range(150):
        loss = flow_losses(flow, latent, features, generator)["loss"]
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        history.append(loss.item())
    # A zero velocity has loss E[(x_1 - x_0)^2] = 2.
    assert history[0] == pytest.approx(2.0, abs=0.2)
    assert sum(history[-10:]) / 10 < history[0] / 2
