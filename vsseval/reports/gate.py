"""Is a candidate worse than a baseline? For continuous integration.

A metric fails only if the candidate is worse by more than its margin in a paired one-sided test, at
5 % after Holm's correction over the metrics that are judged, or if it lost coverage: clips, a value
or a whole metric that the baseline had. A difference below 0.01 % of the baseline's value counts as
rounding. What cannot be tested is said and does not fail.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from vsseval.errors import InputError, UnknownNameError
from vsseval.metrics.paired import margin_p_value
from vsseval.metrics.patterns import chosen
from vsseval.metrics.statistics import holm
from vsseval.reports.compare import ALPHA, Runs, Tested, open_runs, p_text, tested_metrics
from vsseval.reports.markdown import ARROW, EMPTY, number, table
from vsseval.score import INTERVAL_SEED, column_of
from vsseval.types import Score

PASS, FAIL, UNTESTED = "pass", "fail", "untested"
ROUNDING = 1e-4
"""Share of the baseline's value below which a difference is not judged."""


@dataclass(frozen=True, slots=True)
class Check:
    """One metric of the gate."""

    metric: str
    better: str
    status: str
    """``pass``, ``fail`` or ``untested``."""
    baseline: float | None
    candidate: float | None
    worse: float | None
    """How much worse the candidate is on the clips of both; negative if it is better."""
    margin: float
    """How much worse it may be."""
    p_holm: float | None
    """One-sided, of being worse by more than the margin."""
    reason: str
    """One sentence."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """All checks of a gate."""

    benchmark: str
    baseline: str
    """Model and run id."""
    candidate: str
    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Whether no check failed."""
        return all(check.status != FAIL for check in self.checks)


def gate(baseline: Path, candidate: Path, asked: Sequence[str] = ()) -> Verdict:
    """Judge a candidate run against a baseline.

    Args:
        baseline: A record.json, or the folder that holds one.
        candidate: Likewise.
        asked: ``metric`` or ``metric:margin``; the margin is written as the change that is still
            allowed, so with a plus where lower is better and with a minus where higher is. A name
            fits as in :func:`vsseval.metrics.patterns.chosen`. Without any, all metrics of the
            baseline are judged with a margin of 0.

    Raises:
        InputError: records that cannot be trusted or were made on other benchmarks or under other
            signatures, or a margin that is no number or points the wrong way.
        UnknownNameError: a metric that the baseline does not have.
    """
    runs = open_runs(baseline, candidate)
    ours = {score.metric: score for score in runs.first.scores if score.value is not None}
    theirs = {score.metric: score for score in runs.second.scores}
    margins = _margins(asked, ours) if asked else dict.fromkeys(ours, 0.0)
    if not margins:
        raise InputError(f"{baseline} has no metric with a value, so there is nothing to hold")
    for metric in margins:
        _refuse_other_signatures(ours[metric], theirs.get(metric))
    tested = tested_metrics(runs, [metric for metric in margins if metric in theirs])
    p_values = {
        metric: margin_p_value(
            found.parts * _sign(ours[metric]),
            margins[metric],
            seed=INTERVAL_SEED,
            clusters=found.clusters,
        )
        for metric, found in tested.items()
        if metric in margins
    }
    adjusted = dict(zip(p_values, holm(list(p_values.values())), strict=True))
    checks = [_generated(runs)]
    for metric, margin in margins.items():
        score, other = ours[metric], theirs.get(metric)
        lost = _lost(runs, score, other)
        if other is None or lost:
            new = None if other is None else other.value
            checks.append(
                Check(metric, score.better, FAIL, score.value, new, None, margin, None, lost)
            )
        else:
            found = tested.get(metric)
            checks.append(_check(score, other, found, margin, adjusted.get(metric)))
    first, second = runs.first, runs.second
    return Verdict(
        f"{first.benchmark.name} {first.benchmark.version} ({first.benchmark.digest[:8]})",
        f"{first.model.name} {first.run_id[:6]}",
        f"{second.model.name} {second.run_id[:6]}",
        tuple(checks),
    )


def _margins(asked: Sequence[str], ours: Mapping[str, Score]) -> dict[str, float]:
    margins: dict[str, float] = {}
    for text in asked:
        name, colon, amount = text.partition(":")
        fitting = chosen([name], ours)
        if not fitting:
            raise UnknownNameError("metric of the baseline", name, ours)
        try:
            change = float(amount) if colon else 0.0
        except ValueError as error:
            raise InputError(f"expected metric:margin such as wer:+1.0, got {text!r}") from error
        for metric in fitting:
            margin = change * _sign(ours[metric])
            if not margin >= 0 or margin == float("inf"):
                example = "+1.0" if ours[metric].better == "lower" else "-1.0"
                raise InputError(
                    f"{metric} is better when {ours[metric].better}: the change that is allowed is "
                    f"written {name}:{example}, got {text!r}"
                )
            margins[metric] = margin
    return margins


def _sign(score: Score) -> float:
    """1 where a rise is worse, -1 where a fall is."""
    return 1.0 if score.better == "lower" else -1.0


def _refuse_other_signatures(ours: Score, theirs: Score | None) -> None:
    if theirs is None:
        return
    one, other = column_of(ours.signature), column_of(theirs.signature)
    if one != other:
        raise InputError(
            f"{ours.metric} was measured in two ways, {one} and {other}; make the baseline anew"
        )


def _generated(runs: Runs) -> Check:
    """Whether as many clips were generated as before."""
    before, after = (record.counts.failed for record in (runs.first, runs.second))
    failed = after > before
    reason = f"{before} clips failed before, {after} now"
    if failed:
        reason = f"lost coverage: {reason}; the first: {next(iter(runs.second.failures.values()))}"
    return Check(
        "generated",
        "higher",
        FAIL if failed else PASS,
        float(runs.first.counts.generated),
        float(runs.second.counts.generated),
        None,
        0.0,
        None,
        reason,
    )


def _lost(runs: Runs, ours: Score, theirs: Score | None) -> str:
    """What the candidate lacks that the baseline had; empty if nothing."""
    if theirs is None:
        return "lost coverage: the candidate does not have this metric"
    if theirs.value is None:
        return f"lost coverage: no value any more: {theirs.note}"
    new = sorted(set(theirs.excluded) - set(ours.excluded))
    first, second = runs.rows(ours.metric)
    gone = sorted({key[0] for key in first} - {key[0] for key in second})
    if second and gone and not new:
        return f"lost coverage: {len(gone)} items are gone, the first is {gone[0]}"
    if theirs.n_scored < ours.n_scored or new:
        why = f"; the first: {new[0]}: {theirs.excluded[new[0]]}" if new else ""
        return (
            f"lost coverage: {theirs.n_scored} of {theirs.n_expected} clips scored, "
            f"{ours.n_scored} of {ours.n_expected} before{why}"
        )
    return ""


def _check(
    ours: Score, theirs: Score, tested: Tested | None, margin: float, p_holm: float | None
) -> Check:
    def check(status: str, worse: float | None, reason: str) -> Check:
        p_value = p_holm if tested else None
        return Check(
            ours.metric,
            ours.better,
            status,
            ours.value,
            theirs.value,
            worse,
            margin,
            p_value,
            reason,
        )

    if tested is None or p_holm is None:
        if ours.value == theirs.value:
            return check(PASS, 0.0, "the same value")
        return check(UNTESTED, None, "no contributions of clips, so nothing can be tested")
    found = tested.comparison
    worse = found.difference * _sign(ours)
    over = number(margin)
    if abs(worse) <= ROUNDING * abs(found.first):
        return check(PASS, worse, "no difference beyond rounding")
    if worse <= margin:
        return check(PASS, worse, "better" if worse < 0 else f"worse by no more than {over}")
    if p_holm >= ALPHA:
        return check(
            PASS,
            worse,
            f"worse by {number(worse)}, as chance allows (p {p_text(p_holm)}, {tested.over})",
        )
    beyond = f" beyond the margin of {over}" if margin else ""
    return check(
        FAIL,
        worse,
        f"worse by {number(worse)}{beyond} (p {p_text(p_holm)}, {tested.over})",
    )


def markdown(verdict: Verdict) -> str:
    """A verdict, a table of the checks, and why each failed one did."""
    failed = [check for check in verdict.checks if check.status == FAIL]
    words = "passed" if verdict.passed else f"failed: {', '.join(c.metric for c in failed)}"
    rows = [["metric", "baseline", "candidate", "worse by", "allowed", "p (Holm)", "", "why"]]
    rows += [
        [
            f"{check.metric} {ARROW[check.better]}",
            _shown(check.baseline),
            _shown(check.candidate),
            _shown(check.worse),
            number(check.margin),
            "" if check.p_holm is None else p_text(check.p_holm),
            check.status,
            check.reason.replace("|", "\\|"),
        ]
        for check in verdict.checks
    ]
    lines = [f"## Gate {words}", "", f"{verdict.benchmark}: {verdict.candidate} against "]
    lines[-1] += f"the baseline {verdict.baseline}."
    return "\n".join([*lines, "", *table(rows), ""])


def junit(verdict: Verdict) -> str:
    """The checks as JUnit XML, a test case a metric."""
    suite = ET.Element(
        "testsuite",
        name=f"vsseval gate {verdict.benchmark}",
        tests=str(len(verdict.checks)),
        failures=str(sum(check.status == FAIL for check in verdict.checks)),
        skipped=str(sum(check.status == UNTESTED for check in verdict.checks)),
        errors="0",
    )
    for check in verdict.checks:
        case = ET.SubElement(suite, "testcase", classname=verdict.benchmark, name=check.metric)
        if check.status == FAIL:
            ET.SubElement(case, "failure", message=_printable(check.reason))
        elif check.status == UNTESTED:
            ET.SubElement(case, "skipped", message=_printable(check.reason))
        else:
            ET.SubElement(case, "system-out").text = _printable(check.reason)
    root = ET.Element("testsuites")
    root.append(suite)
    ET.indent(root)
    return ET.tostring(root, encoding="utf-8", xml_declaration=True).decode() + "\n"


def _printable(text: str) -> str:
    """The text without control characters, which XML cannot hold."""
    return "".join(character for character in text if character.isprintable())


def _shown(value: float | None) -> str:
    return EMPTY if value is None else number(value)
