from __future__ import annotations

import pytest
import torch

from vsseval.errors import UnknownNameError
from vssflow.dit import Conditions
from vssflow.flow import guided, sample_path, velocity_loss
from vssflow.sampler import sample, seeded_noise
from vssflow.solvers import euler, uniform_grid


def test_path_starts_in_noise_and_ends_in_data():
    x_0, x_1 = torch.randn(2, 4, 3), torch.randn(2, 4, 3)
    path = sample_path(x_0, x_1, torch.tensor([0.0, 1.0]))
    assert torch.equal(path.x_t[0], x_0[0])
    assert torch.equal(path.x_t[1], x_1[1])
    assert torch.equal(path.velocity, x_1 - x_0)


def test_true_velocity_has_no_loss_and_unit_error_has_loss_one():
    velocity = torch.randn(2, 4, 3)
    assert velocity_loss(velocity, velocity) == 0
    torch.testing.assert_close(velocity_loss(velocity + 1, velocity), torch.tensor(1.0))


def test_guidance_of_one_is_conditional_and_of_zero_is_unconditional():
    v_c, v_u = torch.tensor([3.0]), torch.tensor([1.0])
    assert guided(v_c, v_u, 1.0) == 3.0
    assert guided(v_c, v_u, 0.0) == 1.0
    assert guided(v_c, v_u, 3.0) == 7.0  # 1 + 3 (3 - 1)


def _conditions(networks, batch=1, frames=10):
    config = networks.config
    generator = torch.Generator().manual_seed(3)
    return Conditions(
        torch.randn(batch, frames, config.condition_channels, generator=generator),
        torch.randn(batch, 4, config.cross_width, generator=generator),
    )


def test_sampling_at_guidance_one_is_plain_conditional_euler(networks):
    conditions, noise = _conditions(networks), torch.randn(1, 10, 64)
    with torch.inference_mode():
        drawn = sample(networks.flow, conditions, noise, num_steps=4, guidance_scale=1.0)
        expected = euler(
            lambda x, t: networks.flow(x, torch.tensor([t]), conditions), noise, uniform_grid(4)
        ).x_1
    torch.testing.assert_close(drawn.latent, expected, atol=1e-5, rtol=0)
    assert drawn.nfe == 4


def test_joint_guided_pass_equals_two_separate_passes(networks):
    conditions, noise = _conditions(networks), torch.randn(1, 10, 64)
    null = Conditions(*(torch.zeros_like(part) for part in conditions))
    with torch.inference_mode():
        drawn = sample(networks.flow, conditions, noise, num_steps=2, guidance_scale=2.0)

        def field(x, t):
            time = torch.tensor([t])
            v_c, v_u = networks.flow(x, time, conditions), networks.flow(x, time, null)
            return v_u + 2.0 * (v_c - v_u)

        expected = euler(field, noise, uniform_grid(2)).x_1
    torch.testing.assert_close(drawn.latent, expected, atol=1e-5, rtol=0)
    assert drawn.nfe == 4


def test_midpoint_counts_two_evaluations_a_step(networks):
    drawn = sample(
        networks.flow,
        _conditions(networks),
        torch.randn(1, 10, 64),
        num_steps=3,
        guidance_scale=2.0,
        solver="midpoint",
    )
    assert drawn.nfe == 12


def test_unknown_solver_names_close_ones(networks):
    with pytest.raises(UnknownNameError, match="euler"):
        sample(
            networks.flow,
            _conditions(networks),
            torch.randn(1, 10, 64),
            num_steps=1,
            guidance_scale=1.0,
            solver="eular",
        )


def test_noise_depends_on_the_seed_alone():
    assert torch.equal(seeded_noise(5, 4, 7, "cpu"), seeded_noise(5, 4, 7, "cpu"))
    assert not torch.equal(seeded_noise(5, 4, 7, "cpu"), seeded_noise(5, 4, 8, "cpu"))


def test_batch_of_clips_equals_each_clip_alone(networks):
    conditions, noise = _conditions(networks, batch=3), torch.randn(3, 10, 64)
    with torch.inference_mode():
        together = sample(
            networks.flow, conditions, noise, num_steps=3, guidance_scale=2.0, solver="heun"
        )
        for row in range(3):
            part = Conditions(*(value[row : row + 1] for value in conditions))
            alone = sample(
                networks.flow,
                part,
                noise[row : row + 1],
                num_steps=3,
                guidance_scale=2.0,
                solver="heun",
            )
            torch.testing.assert_close(
                together.latent[row : row + 1], alone.latent, atol=1e-5, rtol=0
            )
    assert together.nfe == 12  # 3 steps, 2 evaluations, 2 branches


def test_keys_of_a_clip_are_computed_once_whatever_the_steps(networks, monkeypatch):
    calls = []
    encode = type(networks.flow).encode_tokens
    monkeypatch.setattr(
        type(networks.flow), "encode_tokens", lambda flow, x: calls.append(1) or encode(flow, x)
    )
    with torch.inference_mode():
        sample(
            networks.flow,
            _conditions(networks),
            torch.randn(1, 10, 64),
            num_steps=5,
            guidance_scale=2.0,
        )
    assert len(calls) == 1


def test_adaptive_solver_agrees_with_many_small_steps_on_the_network(networks):
    conditions, noise = _conditions(networks), torch.randn(1, 10, 64)
    with torch.inference_mode():
        drawn = sample(
            networks.flow, conditions, noise, num_steps=1, guidance_scale=1.0, solver="dopri5"
        )
        fine = sample(
            networks.flow, conditions, noise, num_steps=200, guidance_scale=1.0, solver="midpoint"
        )
    torch.testing.assert_close(drawn.latent, fine.latent, atol=2e-3, rtol=0)
    assert drawn.nfe < fine.nfe
