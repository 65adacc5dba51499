"""The table of benchmarks of speed: each a function that gives the rows of the report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

from vsseval.bench.measure import BenchRow
from vsseval.errors import UnknownNameError
from vsseval.lazy import resolve

SPEED: dict[str, str] = {
    "frechet": "vsseval.bench.distances:frechet_from_statistics",
    "frechet-few-rows": "vsseval.bench.distances:frechet_from_rows",
    "kad": "vsseval.bench.distances:kernel_distance",
    "lip-sync": "vsseval.bench.lip_sync:offset_search",
    "preparation": "vsseval.bench.preparation:fan_out",
    "mcd": "vsseval.bench.speech:mel_cepstral_distortions",
    "wer": "vsseval.bench.speech:word_error_rates",
    "statistics-vggish": "vsseval.bench.streams:vggish_statistics",
    "statistics-panns": "vsseval.bench.streams:panns_statistics",
    "paired-tests": "vsseval.bench.statistics:paired_tests",
    "intervals": "vsseval.bench.statistics:intervals",
    "sampling": "vsseval.bench.sampling:one_clip",
    "scale": "vsseval.bench.scale:simulated_run",
    "costs": "vsseval.bench.costs:per_clip",
}
"""Name -> ``module:function``; called with ``quick``, gives a list of BenchRow."""

LONG = ("scale", "costs")
"""Those that run by name only: they take longer than all others together."""


def measure(name: str, *, quick: bool = False) -> Sequence[BenchRow]:
    """Rows of one benchmark.

    Args:
        name: key of ``SPEED``.
        quick: tiny sizes, each once: whether it runs at all, not how fast.

    Raises:
        UnknownNameError: no such benchmark.
    """
    if name not in SPEED:
        raise UnknownNameError("benchmark of speed", name, SPEED)
    return cast("Callable[..., Sequence[BenchRow]]", resolve(SPEED[name]))(quick=quick)
