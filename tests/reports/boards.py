"""Records with made-up clips, written to disk, for the tests of reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from vsseval.metrics.pooling import pool
from vsseval.metrics.table import METRICS
from vsseval.records import BenchmarkEntry, Cost, Counts, ModelEntry, RunRecord, write_record
from vsseval.score import Scored
from vsseval.types import Score

BENCH = BenchmarkEntry("toy", "1", "sound", "abcdef0123456789")


def score(metric: str, value: float | None, **changes: object) -> Score:
    """A score written by hand, of four items."""
    fields = {
        "metric": metric,
        "value": value,
        "note": "" if value is not None else "undefined: why",
        "unit": "u",
        "better": "higher" if metric == "onset_f1" else "lower",
        "signature": f"{metric}|enc:e-1|n:4/4|v:1",
        "n_expected": 4,
        "n_scored": 4,
        "interval": None,
        "excluded": {},
    }
    return Score(**{**fields, **changes})


def record(name: str, *scores: Score, kind: str = "system", **changes: object) -> RunRecord:
    """A record of written scores."""
    fields = {
        "run_id": f"{name}-id",
        "model": ModelEntry(name, kind, {"name": name}),
        "benchmark": BENCH,
        "seed": 0,
        "takes": 1,
        "limit": None,
        "counts": Counts(4, 4, 0),
        "cost": Cost(2.0, 0.5, 8),
        "failures": {},
        "warnings": {},
        "notes": (),
        "scores": scores,
        "environment": {},
    }
    return RunRecord(**{**fields, **changes})


def scored(
    metric: str,
    clips: Sequence[Sequence[float] | None] | np.ndarray,
    *,
    value: float | None = None,
    encoder: str = "e-1",
    note: str = "",
    takes: int = 1,
) -> Scored:
    """A metric with the components of clips i000, i001, ...; None is an excluded clip.

    For a metric of set scope ``value`` is given and ``clips`` are contributions.
    """
    n = len(clips)
    keys = [(f"i{at // takes:03d}", at % takes) for at in range(n)]
    rows = {
        key: np.atleast_1d(np.asarray(clip, dtype=float))
        for key, clip in zip(keys, clips, strict=True)
        if clip is not None
    }
    if value is None and rows:
        value = pool(np.stack(list(rows.values())), METRICS[metric].pool)
    score = Score(
        metric=metric,
        value=value,
        note=note,
        unit=METRICS[metric].unit,
        better=METRICS[metric].better,
        signature=f"{metric}|enc:{encoder}|n:{len(rows)}/{n}|takes:{takes}|v:1",
        n_expected=n,
        n_scored=len(rows) if rows else n,
        interval=None,
        excluded={key[0]: "too short" for key in keys if key not in rows and rows},
    )
    return Scored(score, rows)


def run(
    folder: Path,
    name: str,
    *metrics: Scored,
    kind: str = "system",
    seed: int = 0,
    failures: Mapping[str, str] | None = None,
    **changes: object,
) -> Path:
    """A record written below ``folder``; its own folder comes back."""
    failures = failures or {}
    whole = record(
        name,
        *(one.score for one in metrics),
        kind=kind,
        **{
            "run_id": f"{name}-{seed}-id",
            "seed": seed,
            "counts": Counts(40, 40 - len(failures), len(failures)),
            "failures": failures,
            **changes,
        },
    )
    where = folder / f"{name}-{seed}"
    write_record(where, whole, list(metrics))
    return where


def column(values: np.ndarray) -> list[list[float]]:
    """One component a clip."""
    return [[float(value)] for value in values]
