"""How long the shipped model takes for a clip, beside how long the clip lasts."""

from __future__ import annotations

from functools import partial

from vsseval.bench.measure import REPEATS, BenchRow, alone
from vsseval.benchmarks.manifest import load_benchmark
from vsseval.models import load_model

BENCHMARKS = ("demo-sound", "demo-speech")
REAL_TIME = "real time"
FASTER = 2.0
"""Aim: a clip takes half as long as it lasts."""


def one_clip(*, quick: bool = False) -> list[BenchRow]:
    """A clip of sound and one of speech, from the video file to samples, on all cores."""
    rows = []
    for name in BENCHMARKS:
        benchmark = load_benchmark(name)
        item = benchmark.items[0]
        model = load_model("vssflow", benchmark).model
        generate = partial(model.generate, item, 0)
        took, made = alone(generate, repeats=1 if quick else REPEATS)
        what = (
            f"{model.signature['name']}, a clip of {name} of {item.duration:g} s, "
            f"{model.signature['steps']} steps ({made.nfe} network evaluations), file to samples"
        )
        rows.append(BenchRow(what, took, REAL_TIME, item.duration, FASTER))
    return rows
