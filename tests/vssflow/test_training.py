from __future__ import annotations

import csv
import signal
from dataclasses import replace

import pytest
import torch
from torch import nn

from vsseval.errors import InputError
from vssflow.run_files import append_row, claimed, keep_rows
from vssflow.stopping import stop_asked_for
from vssflow.training import Budget, Job, TrainingError, fit, learning_rate_scale


def make_job(*, broken_at=None, ema_decay=None):
    torch.manual_seed(0)
    network = nn.Linear(4, 1)
    calls = []

    def losses(draw):
        x = torch.randn(8, 4, generator=draw.generator)
        calls.append(1)
        factor = float("nan") if len(calls) == broken_at else 1.0
        return {"loss": factor * ((network(x)[:, 0] - x.sum(1)) ** 2).mean()}

    return Job("line", network, losses, learning_rate=0.1, warmup_steps=5, ema_decay=ema_decay)


def silent(_):
    pass


def test_fit_lowers_the_loss_and_writes_the_curve(tmp_path):
    fit(make_job(), Budget(steps=200), tmp_path, seed=0, report=silent)
    rows = list(csv.DictReader((tmp_path / "line.csv").read_text().splitlines()))
    assert [int(row["step"]) for row in rows] == list(range(20, 201, 20))
    assert float(rows[-1]["loss"]) < 0.01 * float(rows[0]["loss"])


def test_same_seed_gives_the_same_weights(tmp_path):
    first = fit(make_job(), Budget(steps=30), tmp_path / "a", seed=1, report=silent)
    second = fit(make_job(), Budget(steps=30), tmp_path / "b", seed=1, report=silent)
    other = fit(make_job(), Budget(steps=30), tmp_path / "c", seed=2, report=silent)
    assert torch.equal(first["weight"], second["weight"])
    assert not torch.equal(first["weight"], other["weight"])


def test_resumed_run_draws_the_batches_that_follow(tmp_path):
    # A run that is saved at every step and broken off by an exception equals one without a break.
    whole = fit(make_job(), Budget(steps=30), tmp_path / "whole", seed=1, report=silent)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("vssflow.training.SAVE_SECONDS", 0.0)
        with pytest.raises(TrainingError):
            fit(make_job(broken_at=16), Budget(steps=30), tmp_path / "cut", seed=1, report=silent)
    # The generator is saved before the batch is drawn, so the broken step is done again.
    resumed = fit(make_job(), Budget(steps=30), tmp_path / "cut", seed=1, report=silent)
    assert torch.equal(whole["weight"], resumed["weight"])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_run_that_is_asked_to_stop_saves_what_it_has(tmp_path, number):
    whole = fit(make_job(), Budget(steps=30), tmp_path / "whole", seed=1, report=silent)
    said, job = [], make_job()

    def losses(draw):
        if draw.step == 15:  # in the middle of the 16th update
            signal.raise_signal(number)
        return job.losses(draw)

    before = signal.getsignal(number)
    stopped = replace(job, losses=losses)
    with pytest.raises(KeyboardInterrupt):
        fit(stopped, Budget(steps=30), tmp_path / "cut", seed=1, report=said.append)
    assert said == ["line: stopped and saved at step 16"]
    assert signal.getsignal(number) is before
    resumed = fit(make_job(), Budget(steps=30), tmp_path / "cut", seed=1, report=said.append)
    assert said[1] == "line: resumed at step 16"
    assert torch.equal(whole["weight"], resumed["weight"])


def test_second_wish_to_stop_is_met_at_once():
    with stop_asked_for() as asked:
        signal.raise_signal(signal.SIGINT)
        assert asked()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_gradient_that_is_not_finite_does_not_reach_the_weights(tmp_path):
    job = make_job()
    before = job.network.weight.detach().clone()

    def losses(draw):
        weight = job.network.weight
        # The derivative of a square root is infinite at 0, its value is not.
        return {"loss": (weight - weight.detach()).abs().sum().sqrt() + draw.step}

    broken = replace(job, losses=losses)
    with pytest.raises(TrainingError, match="the gradient is not finite at step 0"):
        fit(broken, Budget(steps=1), tmp_path, seed=0, report=silent)
    assert torch.equal(job.network.weight, before)
    assert not (tmp_path / "line.pt").exists()


def test_damaged_state_is_named_with_what_to_do(tmp_path):
    fit(make_job(), Budget(steps=2), tmp_path, seed=0, report=silent)
    state = tmp_path / "line.pt"
    state.write_bytes(state.read_bytes()[:500])
    with pytest.raises(InputError, match=r"line\.pt is damaged.*delete it to train"):
        fit(make_job(), Budget(steps=2), tmp_path, seed=0, report=silent)


def test_state_that_cannot_be_written_leaves_the_one_before(tmp_path, monkeypatch):
    fit(make_job(), Budget(steps=2), tmp_path, seed=0, report=silent)
    before = (tmp_path / "line.pt").read_bytes()

    def full(_, stream):
        stream.write(b"half")
        raise RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 1 vs 2")

    monkeypatch.setattr("torch.save", full)
    with pytest.raises(OSError, match=r"is there space left\?: .*line\.pt"):
        fit(make_job(), Budget(steps=4), tmp_path, seed=0, report=silent)
    assert (tmp_path / "line.pt").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["line.pt"]


def test_folder_belongs_to_one_run_at_a_time(tmp_path):
    with claimed(tmp_path), pytest.raises(InputError, match="another run is at work in"):
        claimed(tmp_path).__enter__()
    with claimed(tmp_path):
        pass


def test_curve_has_each_step_once_after_a_resume(tmp_path):
    with pytest.raises(TrainingError):
        fit(make_job(broken_at=50), Budget(steps=60), tmp_path, seed=1, report=silent)
    # Nothing was saved within two minutes, so the second run starts at step 0 again.
    fit(make_job(), Budget(steps=60), tmp_path, seed=1, report=silent)
    rows = list(csv.DictReader((tmp_path / "line.csv").read_text().splitlines()))
    assert [int(row["step"]) for row in rows] == [20, 40, 60]


def test_curve_that_a_kill_left_empty_gets_its_head(tmp_path):
    curve = tmp_path / "a.csv"
    curve.touch()
    keep_rows(curve, 0)
    append_row(curve, {"step": 20, "loss": 1.5})
    assert curve.read_text().splitlines() == ["step,loss", "20,1.5"]


def test_finished_run_is_not_trained_again(tmp_path):
    first = fit(make_job(), Budget(steps=20), tmp_path, seed=0, report=silent)
    second = fit(make_job(broken_at=1), Budget(steps=20), tmp_path, seed=0, report=silent)
    assert torch.equal(first["weight"], second["weight"])


def test_moving_average_lags_behind_the_weights(tmp_path):
    averaged = fit(
        make_job(ema_decay=0.99), Budget(steps=20), tmp_path / "a", seed=0, report=silent
    )
    plain = fit(make_job(), Budget(steps=20), tmp_path / "b", seed=0, report=silent)
    start = make_job().network.state_dict()["weight"]
    assert torch.all((averaged["weight"] - start).abs() < (plain["weight"] - start).abs())


def test_loss_that_is_not_finite_stops_with_step_and_seed(tmp_path):
    with pytest.raises(TrainingError, match="not finite at step 3, seed 7"):
        fit(make_job(broken_at=4), Budget(steps=10), tmp_path, seed=7, report=silent)


@pytest.mark.parametrize("arguments", [{}, {"steps": 1, "minutes": 1.0}])
def test_budget_is_steps_or_minutes(arguments):
    with pytest.raises(InputError, match="exactly one"):
        Budget(**arguments)


def test_learning_rate_warms_up_and_falls_to_two_percent():
    assert learning_rate_scale(0, 0.0, 100) == pytest.approx(0.01)
    assert learning_rate_scale(100, 0.0, 100) == pytest.approx(1.0)
    assert learning_rate_scale(1000, 1.0, 100) == pytest.approx(0.02)
