"""Scores of the arms by ``vsseval run``, as records and tables in the folder of results."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from vsseval.errors import VssevalError
from vssflow.ablate_sample import audio_folder, audio_path, benchmark_folder
from vssflow.ablate_train import Plan
from vssflow.ablations import ARMS, METRICS, Task, guidances

ScoreKey = tuple[str, str, float, int, str, str]
"""Preset, arm, guidance, seed, task, metric."""
SCORE_FIELDS = ("preset", "arm", "guidance", "seed", "task", "metric")
CURVE_FIELDS = ("preset", "arm", "seed", "step")


def score_arms(
    plan: Plan, names: tuple[str, ...], arms: Sequence[str], seeds: int, results: Path, workers: int
) -> None:
    """Score all clips of the arms: seeds together as ``records/``, one by one in ``scores.csv``.

    Raises:
        VssevalError: ``vsseval run`` failed; its last line is given.
    """
    scores: dict[ScoreKey, float] = {}
    for task in METRICS:
        wanted = [
            (arm, guidance)
            for arm in arms
            if task in ARMS[arm].tasks
            for guidance in guidances(arm, task, names)
        ]
        if not wanted:
            continue
        folders = [audio_folder(plan, arm, task, guidance) for arm, guidance in wanted]
        for folder in folders:
            old = results / "records" / f"demo-{task}" / folder.name
            shutil.rmtree(old, ignore_errors=True)
        _run(plan, task, folders, seeds, results / "records", workers)
        apart = {
            _one_seed(plan, folder, task, seed): (plan.preset, arm, guidance, seed, task)
            for folder, (arm, guidance) in zip(folders, wanted, strict=True)
            for seed in range(seeds)
        }
        by_name = {folder.name: key for folder, key in apart.items()}
        for line in _run(plan, task, list(apart), 1, plan.out / "by-seed", workers):
            record = json.loads(line)
            for score in record["scores"]:
                scores[*by_name[record["model"]["name"]], score["metric"]] = score["value"]
    _merge(
        results / "scores.csv",
        (*SCORE_FIELDS, "value"),
        [(*map(_text, key), f"{value:.10g}") for key, value in scores.items()],
        key=len(SCORE_FIELDS),
    )


def _one_seed(plan: Plan, folder: Path, task: Task, seed: int) -> Path:
    """The files of one seed, as a folder of their own."""
    alone = plan.out / plan.preset / "one-seed" / task / f"{folder.name}-seed{seed}"
    shutil.rmtree(alone, ignore_errors=True)
    alone.mkdir(parents=True)
    manifest = (benchmark_folder(task, plan) / "manifest.jsonl").read_text(encoding="utf-8")
    for line in manifest.splitlines():
        name = json.loads(line)["id"]
        source = audio_path(folder, name, seed)
        if source.is_file():
            os.link(source, alone / f"{name}.wav")
    return alone


def _run(
    plan: Plan, task: Task, folders: Sequence[Path], takes: int, out: Path, workers: int
) -> list[str]:
    """``vsseval run`` on folders of audio; one record a line."""
    words = ["run", "--bench", f"demo-{task}", "--metrics", ",".join(METRICS[task]), "--json"]
    words += ["--takes", str(takes), "--out", str(out), "--cache", str(plan.out / "cache")]
    words += ["--data", str(benchmark_folder(task, plan)), "--workers", str(workers)]
    if plan.test_limit is not None:
        words += ["--limit", str(plan.test_limit)]
    for folder in folders:
        words += ["--model", f"folder:{folder}"]
    done = subprocess.run(
        [sys.executable, "-m", "vsseval", *words], capture_output=True, text=True, check=False
    )
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:]
        raise VssevalError(f"vsseval run of {task} ended with {done.returncode}: {''.join(last)}")
    return [line for line in done.stdout.splitlines() if line.startswith("{")]


def copy_curves(plan: Plan, arms: Sequence[str], seeds: int, results: Path) -> None:
    """The loss curve of every training, together in ``curves.csv``."""
    rows = []
    for arm in arms:
        for seed in range(seeds):
            with (plan.arm(arm, seed) / "flow.csv").open(newline="") as file:
                for row in csv.DictReader(file):
                    key = (plan.preset, arm, str(seed), row["step"])
                    rows.append((*key, row["seconds"], row["loss"]))
    head = (*CURVE_FIELDS, "seconds", "loss")
    _merge(results / "curves.csv", head, rows, key=len(CURVE_FIELDS))


def read_scores(results: Path) -> Mapping[ScoreKey, float]:
    """Values of single seeds."""
    with (results / "scores.csv").open(newline="") as file:
        return {
            (
                row["preset"],
                row["arm"],
                float(row["guidance"]),
                int(row["seed"]),
                row["task"],
                row["metric"],
            ): float(row["value"])
            for row in csv.DictReader(file)
        }


def _text(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _merge(path: Path, head: Sequence[str], rows: Sequence[tuple[str, ...]], key: int) -> None:
    """Rows by their first ``key`` fields; new ones take the place of old ones, others stay."""
    old: list[tuple[str, ...]] = []
    if path.is_file():
        with path.open(newline="") as file:
            old = [tuple(row) for row in csv.reader(file)][1:]
    merged = {row[:key]: row for row in (*old, *rows)}
    with path.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([tuple(head), *merged.values()])
