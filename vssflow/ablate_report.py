"""What records and tables of the arms say of each claim, as a page for each ablation."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from vsseval.errors import VssevalError
from vssflow.ablate_sample import model_name
from vssflow.ablate_scores import ScoreKey, read_scores
from vssflow.ablations import Claim, Expected, ablation, arms_of

Verdict = Literal["holds", "does not hold", "not settled"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """A claim with what was measured. Differences are arm - against."""

    claim: Claim
    values: tuple[float, float]
    """Of ``against`` and of the arm, over all seeds."""
    difference: float
    """Of the two values, in the metric's unit."""
    interval: tuple[float, float] | None
    """95 %, over test clips; the seeds of a clip stay together. None: too few clips differ."""
    by_seed: tuple[float, ...]
    """Difference of each seed alone."""
    lower_is_better: bool

    @property
    def verdict(self) -> Verdict:
        """Whether the claim holds."""
        return judge(
            self.claim.expected,
            self.interval,
            self.claim.margin,
            lower_is_better=self.lower_is_better,
        )


class Setting(NamedTuple):
    """How the arms of the results were trained."""

    preset: str
    steps: int
    batch: int
    seeds: int
    limit: int | None
    """Training clips of each benchmark folder at most."""


def judge(
    expected: Expected,
    interval: tuple[float, float] | None,
    margin: float,
    *,
    lower_is_better: bool,
) -> Verdict:
    """What an interval of a difference (arm - against) says of a claim.

    ``worse`` and ``better`` hold if the whole interval lies on that side of 0 and do not hold if it
    lies on the other; ``not worse`` holds if the whole interval is better than a loss of
    ``margin`` and does not hold if all of it is a larger loss. Without an interval it is open.
    """
    if interval is None:
        return "not settled"
    sign = 1.0 if lower_is_better else -1.0
    low, high = sorted(sign * end for end in interval)  # of the loss
    if expected == "better":
        low, high = -high, -low  # of the gain
    if expected == "not worse":
        holds, fails = high <= margin, low > margin
    else:
        holds, fails = low > 0, high < 0
    return "holds" if holds else "does not hold" if fails else "not settled"


def of_all(verdicts: Iterable[Verdict]) -> Verdict:
    """A finding holds if all its claims do, and does not if one does not."""
    found = set(verdicts)
    if found == {"holds"}:
        return "holds"
    return "does not hold" if "does not hold" in found else "not settled"


def page(name: str, results: Path, setting: Setting) -> str:
    """The page of an ablation, from the records and tables in a folder of results.

    Raises:
        VssevalError: ``vsseval compare`` failed.
    """
    scores = read_scores(results)
    compared: dict[tuple[Path, Path], Mapping[str, dict[str, Any]]] = {}
    outcomes = []
    for claim in ablation(name).claims:
        against = _record(claim.against, claim, setting, results)
        pair = against, _record(claim.arm, claim, setting, results)
        if pair not in compared:
            compared[pair] = _compare(*pair)
        outcomes.append(_outcome(claim, compared[pair][claim.metric], setting, scores))
    return _markdown(name, outcomes, setting, _seconds(name, results, setting))


def _record(arm: str, claim: Claim, setting: Setting, results: Path) -> Path:
    model = model_name(setting.preset, arm, claim.guidance)
    (found,) = (results / "records" / f"demo-{claim.task}" / model).glob("*/record.json")
    return found


def _compare(against: Path, arm: Path) -> Mapping[str, dict[str, Any]]:
    """Differences of two records by metric, as ``vsseval compare --json`` prints them."""
    done = subprocess.run(
        [sys.executable, "-m", "vsseval", "compare", "--json", str(against), str(arm)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise VssevalError(f"vsseval compare failed: {done.stderr.strip()}")
    return {row["metric"]: row for row in json.loads(done.stdout)}


def _outcome(
    claim: Claim, row: dict[str, Any], setting: Setting, scores: Mapping[ScoreKey, float]
) -> Outcome:
    def single(arm: str, seed: int) -> float:
        where = (setting.preset, arm, claim.guidance, seed, claim.task, claim.metric)
        return scores[where]

    return Outcome(
        claim,
        (row["first"], row["second"]),
        row["difference"],
        None if row["interval"] is None else (row["interval"][0], row["interval"][1]),
        tuple(
            single(claim.arm, seed) - single(claim.against, seed) for seed in range(setting.seeds)
        ),
        row["better"] == "lower",
    )


def _seconds(name: str, results: Path, setting: Setting) -> list[float]:
    """How long each training of the arms of an ablation took."""
    arms, last = arms_of((name,)), {}
    with (results / "curves.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            if row["preset"] == setting.preset and row["arm"] in arms:
                last[row["arm"], row["seed"]] = float(row["seconds"])
    return list(last.values())


def _markdown(
    name: str, outcomes: Sequence[Outcome], setting: Setting, seconds: Sequence[float]
) -> str:
    verdict = of_all(outcome.verdict for outcome in outcomes)
    limit = f" {setting.limit}" if setting.limit else " all"
    lines = [
        f"# {ablation(name).finding}: {verdict} here",
        "",
        f"Preset {setting.preset}, {setting.steps} updates of {setting.batch} clips out of{limit} "
        f"of each training folder, seeds 0 to {setting.seeds - 1}; {len(seconds)} trainings of at "
        f"most {max(seconds) / 60:.1f} minutes on one thread, {sum(seconds) / 60:.0f} together.",
        "",
        "| arm | beside | task | metric | w | beside | arm | difference | 95 % interval "
        "| by seed | expected | verdict |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for outcome in outcomes:
        claim = outcome.claim
        margin = f" by more than {claim.margin:g}" if claim.expected == "not worse" else ""
        ends = ", ".join(f"{end:+.3g}" for end in outcome.interval or ())
        cells = [
            claim.arm,
            claim.against,
            claim.task,
            f"{claim.metric} {'↓' if outcome.lower_is_better else '↑'}",
            f"{claim.guidance:g}",
            *(f"{value:.4g}" for value in outcome.values),
            f"{outcome.difference:+.3g}",
            f"[{ends}]" if ends else "",
            " ".join(f"{value:+.3g}" for value in outcome.by_seed),
            claim.expected + margin,
            outcome.verdict,
        ]
        lines.append(f"| {' | '.join(cells)} |")
    lines += [
        "",
        "Difference: arm - beside, over the test clips under all seeds. The interval draws clips,",
        "whose seeds stay together, and so says nothing of other trainings: each seed, a training",
        "and a sampling, stands beside it. w: guidance. A finding holds if all its claims hold.",
        "",
    ]
    return "\n".join(lines)
