"""Two routes to one result, timed in turn in one process; and how much memory a route takes."""

from __future__ import annotations

import gc
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Generic, TypeVar

Result = TypeVar("Result")

REPEATS = 5


@dataclass(frozen=True, slots=True)
class BenchRow:
    """A line of the report."""

    what: str
    """What is computed, with its size."""
    ours: float
    """Median wall time [s]."""
    reference_route: str = ""
    """What it is compared with, in a few words; empty if it stands alone."""
    reference: float | None = None
    """Median wall time of that route [s]."""
    target: float | None = None
    """Least ratio that is aimed at."""
    agreement: str = ""
    """How nearly both results agree, with the measure."""
    memory: str = ""
    """Peak of what is allocated, or empty."""

    @property
    def ratio(self) -> float | None:
        """How many times faster ours is."""
        return None if self.reference is None else self.reference / self.ours


@dataclass(frozen=True, slots=True)
class Comparison(Generic[Result]):
    """Medians of two routes [s], and what each gave."""

    ours: float
    reference: float
    result: Result
    reference_result: Result


def side_by_side(
    ours: Callable[[], Result], reference: Callable[[], Result], *, repeats: int = REPEATS
) -> Comparison[Result]:
    """Both routes in turn, ``repeats`` times each, ours first; nothing runs at the same time."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(repeats):
        first, result = _timed(ours)
        second, reference_result = _timed(reference)
        times[0].append(first)
        times[1].append(second)
    return Comparison(median(times[0]), median(times[1]), result, reference_result)


def alone(ours: Callable[[], Result], *, repeats: int = REPEATS) -> tuple[float, Result]:
    """Median wall time [s] of one route, and what it gave."""
    times = []
    for _ in range(repeats):
        seconds, result = _timed(ours)
        times.append(seconds)
    return median(times), result


def peak_bytes(route: Callable[[], object]) -> int:
    """Most that one more call holds at once, by tracemalloc: numpy's arrays and Python's objects.

    What the caller holds already, such as the input, is not counted. Call it apart from timing: it
    slows Python down.
    """
    gc.collect()
    tracemalloc.start()
    try:
        route()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def mebibytes(count: int) -> str:
    """``12 MiB``."""
    return f"{count / 2**20:.0f} MiB" if count >= 10 * 2**20 else f"{count / 2**20:.1f} MiB"


def relative_difference(value: float, reference: float) -> str:
    """``relative difference 3e-12`` of a value from its reference."""
    return f"relative difference {abs(value - reference) / abs(reference):.0e}"


def _timed(route: Callable[[], Result]) -> tuple[float, Result]:
    gc.collect()
    start = time.perf_counter()
    result = route()
    return time.perf_counter() - start, result
