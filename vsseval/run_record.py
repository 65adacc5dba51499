"""The record of a run that is done: what was asked for, made, found odd and scored."""

from __future__ import annotations

from collections.abc import Sequence

import soundfile

from vsseval.generate import clip_label
from vsseval.models import LoadedModel
from vsseval.records import (
    BenchmarkEntry,
    Cost,
    Counts,
    ModelEntry,
    RunRecord,
    environment,
)
from vsseval.sanity import Sanity
from vsseval.score import Scored
from vsseval.slices import groups_of, slices_of
from vsseval.types import Benchmark, Generation

SHORT_SECONDS = 0.1
"""Generated audio that ends so much before its item is noted [s]."""


def record_of(
    run_id: str,
    model: LoadedModel,
    whole: Benchmark,
    benchmark: Benchmark,
    rows: Sequence[Generation],
    scored: Sequence[Scored],
    sanity: Sanity,
    *,
    seed: int,
    takes: int,
    limit: int | None,
    device: str,
) -> RunRecord:
    """What is written of a run.

    Args:
        run_id: As :func:`vsseval.records.run_id` gives it.
        model: What generated.
        whole: The benchmark as it is published.
        benchmark: The same with the items that were asked for.
        rows: A row for each of these items and each take.
        scored: Scores of the metrics, in their order.
        sanity: What was found odd about the files.
        seed: Of the run.
        takes: Clips an item.
        limit: Number of items, None if that is all.
        device: ``cpu`` or ``cuda``.
    """
    done = [row for row in rows if row.path is not None]
    lengths = {(row.item_id, row.take): _seconds(row) for row in done}
    length = sum(lengths.values())
    seconds = sum(row.seconds for row in done)
    durations = {item.id: item.duration for item in benchmark.items}
    odd = {
        clip_label(row.item_id, row.take): "; ".join(
            odd_about(lengths[row.item_id, row.take], durations[row.item_id], row.clipped)
        )
        for row in done
    }
    return RunRecord(
        run_id=run_id,
        model=ModelEntry(model.name, model.kind, dict(model.signature)),
        benchmark=BenchmarkEntry(whole.name, whole.version, whole.task, whole.digest),
        seed=seed,
        takes=takes,
        limit=limit,
        counts=Counts(len(rows), len(done), len(rows) - len(done)),
        cost=Cost(seconds, seconds / length if length else None, sum(row.nfe for row in done)),
        failures={clip_label(row.item_id, row.take): row.error for row in rows if row.error},
        warnings={label: text for label, text in odd.items() if text},
        notes=model.notes,
        scores=tuple(one.score for one in scored),
        sanity=sanity,
        environment=environment(device),
        slices=slices_of(benchmark.items),
        groups=groups_of(benchmark.items),
    )


def _seconds(row: Generation) -> float:
    return float(soundfile.info(str(row.path)).duration)


def odd_about(seconds: float, duration: float, clipped: int) -> list[str]:
    """What to say of generated audio that ends early or was clipped; usually nothing."""
    odd = []
    if seconds < duration - SHORT_SECONDS:
        odd.append(f"{seconds:.2f} s long, the item lasts {duration:.2f} s: padded with zeros")
    if clipped:
        odd.append(f"{clipped} samples beyond full scale were clipped")
    return odd
