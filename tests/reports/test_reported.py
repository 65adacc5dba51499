"""Published numbers that are packaged: whole, sourced, and shown by table."""

from __future__ import annotations

import csv
from collections import Counter

import pytest

from vsseval.benchmarks.table import BENCHMARKS
from vsseval.reports.reported import HIDDEN, REPORTED, reported_rows


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    with REPORTED.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_every_row_has_a_source_and_all_the_rest(rows) -> None:
    assert len(rows) == 1160
    for row in rows:
        assert all(value.strip() for value in row.values()), row
        float(row["value"])
    assert {row["better"] for row in rows} == {"higher", "lower", "none"}
    assert {row["quality"] for row in rows} == {
        *("primary", "submission", "abstract", "secondary", "rerun"),
        *HIDDEN,
    }


def test_no_number_stands_twice(rows) -> None:
    names = ("table", "benchmark", "setting", "protocol", "source", "quality", "method", "metric")
    counts = Counter(tuple(row[name] for name in names) for row in rows)
    assert max(counts.values()) == 1
    # A table of one benchmark and setting comes from one source.
    sources: dict[tuple[str, str, str], set[str]] = {}
    for row in rows:
        key = (row["table"], row["benchmark"], row["setting"])
        sources.setdefault(key, set()).add(row["source"])
    assert all(len(found) == 1 for found in sources.values())


# Methods times metrics of the published tables, less the cells that they leave empty.
SIZES = {
    "R01": 9 * 10 - 4,
    "R02": 3 * 9,
    "R10": 10 * 5,
    "R12": 7 * 5,
    "R15": 10 * 4,
    "R17": 5 * 5,
    # Three numbers behind a sign of plus or minus for each method and MOS.
    "R08": 6 * 10 + 6 * 3,
    "R14": 2 * 3 - 2,
    "R24": 10 * 6,
    "R27": 3 * 7 + 3 * 2,
    "R34": 4 * 9 - 3,
}


@pytest.mark.parametrize("table", SIZES)
def test_tables_are_whole(rows, table: str) -> None:
    assert sum(row["table"] == table for row in rows) == SIZES[table]


# Read off the published tables by hand.
CELLS = [
    ("vggsound", "R01", "MMAudio-S-16k", "FD_PaSST", "70.19"),
    ("vggsound", "R01", "Frieren", "DeSync", "0.851"),
    ("chem", "R10", "GT", "WER", "3.85"),
    ("chem", "R12", "DiFlowDubber", "LSE-C", "8.31"),
    ("grid", "R15", "Speaker2Dubber", "MCD-DTW-SL", "5.45"),
    ("v2c", "R29", "StyleDubber", "WER", "24.70"),
    ("lrs2", "R22", "Foley-Omni", "WER", "13.0"),
]


@pytest.mark.parametrize(("bench", "table", "method", "metric", "value"), CELLS)
def test_cells_come_out_by_the_name_of_the_benchmark(
    bench: str, table: str, method: str, metric: str, value: str
) -> None:
    assert bench in BENCHMARKS
    (found,) = [one for one in reported_rows(bench) if one.table == table]
    assert float(found.rows[method][metric]) == float(value)
    assert found.source


def test_what_is_for_orientation_is_not_shown(rows) -> None:
    hidden = {row["table"] for row in rows if row["quality"] in HIDDEN}
    assert hidden == {"R35", "R36", "R37", "R38", "R39", "R40", "R41", "C1", "C2"}
    for bench in {row["benchmark"] for row in rows}:
        assert not {one.table for one in reported_rows(bench)} & hidden


def test_a_benchmark_of_ours_alone_has_no_published_numbers() -> None:
    assert reported_rows("demo-sound") == []
