"""The ablations from features to pages."""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from vsseval.errors import InputError
from vssflow.ablate_report import Setting, page
from vssflow.ablate_sample import generate, store_test_clips
from vssflow.ablate_scores import copy_curves, score_arms
from vssflow.ablate_train import Plan, share_features, train_arm
from vssflow.ablations import ABLATIONS, ablation, arms_of


def run_ablations(
    plan: Plan,
    names: tuple[str, ...],
    seeds: int,
    results: Path,
    workers: int,
    report: Callable[[str], None],
) -> None:
    """Train, sample, score and judge; what is finished is not done again.

    Writes ``NAME.md`` of each ablation, ``scores.csv``, ``curves.csv``, ``setting.json`` and
    ``records/``.

    Args:
        plan: how the arms are trained, and where.
        names: keys of :data:`vssflow.ablations.ABLATIONS`; empty: all.
        seeds: trainings of each arm, numbered from 0.
        results: where pages, tables and records go.
        workers: processes.
        report: is told about progress.

    Raises:
        UnknownNameError: there is no such ablation.
        InputError: the training data are not usable, or a folder belongs to another plan.
    """
    chosen = names or tuple(ABLATIONS)
    for name in chosen:
        ablation(name)
    arms = arms_of(chosen)
    setting = Setting(plan.preset, plan.steps, plan.batch, seeds, plan.limit)
    _same(plan.out / plan.preset / "plan.json", {**setting._asdict(), "seeds": None}, "--out")
    _same(results / "setting.json", setting._asdict(), "--results")
    share_features(plan, report, workers)
    trainings = [(arm, seed) for seed in range(seeds) for arm in arms]
    _for_each(trainings, partial(train_arm, plan=plan), "trained", report, workers)
    store_test_clips(plan)
    make = partial(generate, plan=plan, names=chosen)
    _for_each(trainings, make, "made the test clips of", report, workers)
    score_arms(plan, chosen, arms, seeds, results, workers)
    copy_curves(plan, arms, seeds, results)
    for name in chosen:
        (results / f"{name}.md").write_text(page(name, results, setting), encoding="utf-8")
        report(f"wrote {results / name}.md")


def _for_each(
    trainings: Sequence[tuple[str, int]],
    work: Callable[[str, int], None],
    done: str,
    report: Callable[[str], None],
    workers: int,
) -> None:
    """Work on each arm under each seed in a process of its own, so many at a time."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        calls = [pool.submit(work, arm, seed) for arm, seed in trainings]
        for (arm, seed), call in zip(trainings, calls, strict=True):
            call.result()
            report(f"{done} {arm}, seed {seed}")


def _same(path: Path, now: dict[str, object], option: str) -> None:
    """Note what a folder is for, or check that it is that."""
    if path.is_file() and (before := json.loads(path.read_text(encoding="utf-8"))) != now:
        raise InputError(f"{path.parent} was begun with {before}, now {now}; give another {option}")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(now) + "\n", encoding="utf-8")
