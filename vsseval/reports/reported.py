"""Published numbers: shown apart with their source, never ranked beside what was measured here.

They come from ``reported.csv`` beside this module, where it is packaged, with the columns
benchmark, setting, protocol, method, metric, value, unit, better, source, table, quality. Values
compare within one table of one source alone, so each is a table of its own.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from vsseval.errors import InputError

REPORTED = Path(__file__).with_name("reported.csv")
HIDDEN = ("weak", "curve")
"""Qualities that are for orientation and not for a table."""
_COLUMNS = (
    "benchmark",
    "setting",
    "protocol",
    "method",
    "metric",
    "value",
    "unit",
    "better",
    "source",
    "table",
    "quality",
)


@dataclass(frozen=True, slots=True)
class ReportedMetric:
    """A column of a published table."""

    name: str
    unit: str
    better: str
    """``higher``, ``lower`` or ``none``."""


@dataclass(frozen=True, slots=True)
class ReportedTable:
    """One published table, or the part of it on one benchmark and setting."""

    table: str
    setting: str
    protocol: str
    source: str
    quality: str
    metrics: tuple[ReportedMetric, ...]
    rows: Mapping[str, Mapping[str, str]]
    """Value as printed by method and metric."""


def reported_rows(bench: str, path: Path = REPORTED) -> list[ReportedTable]:
    """Published tables on a benchmark, in the order of the file; none if the file is not there.

    Args:
        bench: name of the benchmark.
        path: the CSV.

    Raises:
        InputError: a column is missing, a value is no number, or a method has a metric twice.
    """
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as stream:
        reader = csv.DictReader(stream)
        if tuple(reader.fieldnames or ()) != _COLUMNS:
            raise InputError(f"{path.name} must have the columns {', '.join(_COLUMNS)}")
        lines = [(at, line) for at, line in enumerate(reader, 2) if line["benchmark"] == bench]
    groups: dict[tuple[str, ...], list[tuple[int, dict[str, str]]]] = {}
    for at, line in lines:
        if line["quality"] not in HIDDEN:
            key = tuple(line[n] for n in ("table", "setting", "protocol", "source", "quality"))
            groups.setdefault(key, []).append((at, line))
    return [_table(key, group, path) for key, group in groups.items()]


def _table(
    key: tuple[str, ...], group: list[tuple[int, dict[str, str]]], path: Path
) -> ReportedTable:
    metrics: dict[str, ReportedMetric] = {}
    rows: dict[str, dict[str, str]] = {}
    for at, line in group:
        metric, method, value = line["metric"], line["method"], line["value"]
        metrics.setdefault(metric, ReportedMetric(metric, line["unit"], line["better"]))
        try:
            finite = math.isfinite(float(value))
        except ValueError:
            finite = False
        if not finite or metric in rows.get(method, {}):
            raise InputError(f"{path.name} line {at}: {method}, {metric}: {value!r} is no number")
        rows.setdefault(method, {})[metric] = value
    table, setting, protocol, source, quality = key
    return ReportedTable(table, setting, protocol, source, quality, tuple(metrics.values()), rows)
