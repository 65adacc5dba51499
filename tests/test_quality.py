"""What is asked of the shipped model, held against its records under three seeds of the noise."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from vsseval.metrics.table import METRICS
from vsseval.reports.markdown import ARROW, number, report, table
from vsseval.reports.pairs import find_results

ROOT = Path(__file__).parents[1]
RESULTS = find_results(ROOT / "results" / "demo", ROOT / "results" / "quality")
MODEL, SEEDS = "vssflow-tiny", (0, 1, 2)
ORACLES = ("codec-tiny", "reference", "shuffled", "shifted")

Values = Mapping[str, float | None]
"""Value of one metric by oracle."""


def records(model: str, bench: str) -> dict[int, Values]:
    """Values by metric of each seed."""
    return {
        record.seed: {score.metric: score.value for score in record.scores}
        for record in RESULTS.records
        if (record.model.name, record.benchmark.name) == (model, bench)
    }


class Aim(NamedTuple):
    """A line of what is asked."""

    bench: str
    metric: str
    words: str
    holds: Callable[[float, Values], bool]
    """Of the model's value and those of the oracles."""

    def oracles(self) -> Values:
        """What the oracles have; they have one seed."""
        return {
            name: values[self.metric]
            for name in ORACLES
            for values in records(name, self.bench).values()
        }

    def model(self) -> dict[int, float | None]:
        """What the model has, by seed."""
        return {seed: values[self.metric] for seed, values in records(MODEL, self.bench).items()}


def nearer(to: str, than: str) -> Callable[[float, Values], bool]:
    """Whether a value is nearer to that of one oracle than to that of another."""
    return lambda value, oracles: abs(value - oracles[to]) < abs(value - oracles[than])


def least(bound: float) -> Callable[[float, Values], bool]:
    """Whether a value is no lower."""
    return lambda value, oracles: value >= bound


AIMS = (
    Aim(
        "demo-speech",
        "wer.tiny_en",
        "at most 20 above codec",
        lambda value, oracles: value <= oracles["codec-tiny"] + 20,
    ),
    Aim(
        "demo-speech",
        "speaker_similarity.ge2e",
        "nearer to codec than to shuffled",
        nearer("codec-tiny", "shuffled"),
    ),
    Aim(
        "demo-speech",
        "lse_d.demo",
        "nearer to reference than to shifted",
        nearer("reference", "shifted"),
    ),
    Aim(
        "demo-speech",
        "lse_d0.demo",
        "nearer to reference than to shifted",
        nearer("reference", "shifted"),
    ),
    Aim(
        "demo-sound",
        "onset_f1",
        "at least 0.6, shuffled below 0.25",
        lambda value, oracles: value >= 0.6 and oracles["shuffled"] < 0.25,
    ),
    Aim(
        "demo-sound",
        "kl.aisfx",
        "nearer to codec than to shuffled",
        nearer("codec-tiny", "shuffled"),
    ),
    Aim(
        "demo-sound",
        "fd.aisfx",
        "nearer to codec than to shuffled",
        nearer("codec-tiny", "shuffled"),
    ),
    Aim("demo-sound", "label_accuracy.aisfx", "at least 70", least(70)),
    Aim("demo-sound", "label_accuracy.demo", "at least 70", least(70)),
)


def measured() -> str:
    """The table of docs/vssflow.md."""
    oracles = [name.removesuffix("-tiny") for name in ORACLES]
    rows = [["", "aim", *(f"seed {seed}" for seed in SEEDS), *(f"`{name}`" for name in oracles)]]
    for aim in AIMS:
        row = METRICS[aim.metric]
        values = [
            *(aim.model()[seed] for seed in SEEDS),
            *(aim.oracles()[name] for name in ORACLES),
        ]
        rows.append([f"{row.title} {ARROW[row.better]}", aim.words, *map(number, values)])
    return "\n".join(table(rows))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("aim", AIMS, ids=lambda aim: aim.metric)
def test_aim_holds(aim: Aim, seed: int) -> None:
    assert aim.holds(aim.model()[seed], aim.oracles()), (aim.model(), aim.oracles())


def test_each_seed_is_there_and_lost_no_clip() -> None:
    for bench in ("demo-sound", "demo-speech"):
        assert tuple(sorted(records(MODEL, bench))) == SEEDS
        assert all(len(records(name, bench)) == 1 for name in ORACLES)
    for record in RESULTS.records:
        assert (record.counts.expected, record.counts.failed) == (96, 0), record.run_id


def test_runs_differ_in_the_seed_alone_and_hear_it() -> None:
    runs = [record for record in RESULTS.records if record.model.name == MODEL]
    assert len({tuple(sorted(record.model.signature.items())) for record in runs}) == 1
    for bench, metric in (("demo-sound", "kl.aisfx"), ("demo-speech", "lse_d.demo")):
        assert len({values[metric] for values in records(MODEL, bench).values()}) == len(SEEDS)


def test_committed_report_is_what_the_records_give() -> None:
    path = ROOT / "results" / "quality" / "report.md"
    text = path.read_text(encoding="utf-8")
    assert text == report(RESULTS)
    assert f"{MODEL} (3 seeds)" in text


def test_table_in_the_document_is_what_the_records_give() -> None:
    # To renew it, print measured() and put it there.
    assert measured() in (ROOT / "docs" / "vssflow.md").read_text(encoding="utf-8")
