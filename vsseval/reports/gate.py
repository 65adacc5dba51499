"""Is a candidate worse than a baseline? For continuous integration.

A metric fails only if the candidate is worse by more than its margin in a paired one-sided test, at
5 % after Holm's correction over the metrics that are judged, or if it lost coverage: clips, a value
or a whole metric that the baseline had. A difference below 0.01 % of the baseline's value counts as
rounding. What cannot be tested is said and does not fail.

On slices each is judged by its own clips, and Holm's correction is over the metrics of all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from vsseval.errors import InputError, UnknownNameError
from vsseval.metrics.paired import N_RESAMPLES, margin_p_value
from vsseval.metrics.patterns import chosen
from vsseval.metrics.statistics import holm
from vsseval.reports.compare import (
    ALPHA,
    Runs,
    Tested,
    open_runs,
    p_text,
    slices_of_runs,
    tested_metrics,
)
from vsseval.reports.markdown import number
from vsseval.score import INTERVAL_SEED, column_of
from vsseval.types import Score

PASS, FAIL, UNTESTED = "pass", "fail", "untested"
GENERATED = "generated"
"""Stands in the place of a metric where clips are counted."""
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
    slice: str = ""
    """The part of the benchmark that was judged; empty for the whole."""


@dataclass(frozen=True, slots=True)
class _Trial:
    """A metric that was tested, and what the tests say of it together."""

    tested: Tested
    p_holm: float
    of: int
    """Tests of the gate."""

    @property
    def least(self) -> float:
        """p-value of this metric if every item were worse and no other metric."""
        return self.of * 0.5**self.tested.comparison.n


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


def gate(
    baseline: Path,
    candidate: Path,
    asked: Sequence[str] = (),
    slices: Sequence[str] = (),
    data: Sequence[Path] = (),
) -> Verdict:
    """Judge a candidate run against a baseline.

    Args:
        baseline: A record.json, or the folder that holds one.
        candidate: Likewise.
        asked: ``metric`` or ``metric:margin``; the margin is written as the change that is still
            allowed, so with a plus where lower is better and with a minus where higher is. A name
            fits as in :func:`vsseval.metrics.patterns.chosen`. Without any, all metrics of the
            baseline are judged with a margin of 0.
        slices: patterns of slices that are judged in place of the whole benchmark, as
            :func:`vsseval.reports.slices.on_slices`.
        data: as :func:`vsseval.reports.slices.membership`.

    Raises:
        InputError: records that cannot be trusted or were made on other benchmarks or under other
            signatures, a margin that is no number or points the wrong way, a slice that one of the
            runs has no clip of, or slices on which no metric has a value.
        UnknownNameError: a metric that the baseline does not have, or a slice that nothing states.
    """
    runs = open_runs(baseline, candidate)
    ours = {score.metric: score for score in runs.first.scores if score.value is not None}
    theirs = {score.metric: score for score in runs.second.scores}
    margins = _margins(asked, ours) if asked else dict.fromkeys(ours, 0.0)
    if not margins:
        raise InputError(f"{baseline} has no metric with a value, so there is nothing to hold")
    for metric in margins:
        _refuse_other_signatures(ours[metric], theirs.get(metric))
    parts = _on_slices(runs, margins, slices, data) if slices else {"": runs}
    tested = {
        name: tested_metrics(
            part, [metric for metric in _valued(part, margins) if metric in theirs]
        )
        for name, part in parts.items()
    }
    count = sum(map(len, tested.values()))
    p_values = {
        (name, metric): margin_p_value(
            found.parts * _sign(ours[metric]),
            margins[metric],
            seed=INTERVAL_SEED,
            # Enough draws that a p-value can pass Holm's least level.
            n_resamples=max(N_RESAMPLES, 100 * count),
            clusters=found.clusters,
        )
        for name, of_slice in tested.items()
        for metric, found in of_slice.items()
    }
    adjusted = dict(zip(p_values, holm(list(p_values.values())), strict=True))
    checks = []
    for name, part in parts.items():
        trials = {
            metric: _Trial(found, adjusted[name, metric], count)
            for metric, found in tested[name].items()
        }
        checks += [replace(check, slice=name) for check in _checks(part, margins, trials)]
    first, second = runs.first, runs.second
    return Verdict(
        f"{first.benchmark.name} {first.benchmark.version} ({first.benchmark.digest[:8]})",
        f"{first.model.name} {first.run_id[:6]}",
        f"{second.model.name} {second.run_id[:6]}",
        tuple(checks),
    )


def _on_slices(
    runs: Runs, margins: Mapping[str, float], patterns: Sequence[str], data: Sequence[Path]
) -> dict[str, Runs]:
    """The runs by slice; refused where there is nothing to judge."""
    parts, alone = slices_of_runs(runs, patterns, data)
    if alone:
        raise InputError(
            f"only one of the runs has clips of {', '.join(alone)}; make both with the same --limit"
        )
    if not any(_valued(part, margins) for part in parts.values()):
        of_slice = {score.metric: score for score in next(iter(parts.values())).first.scores}
        why = "; ".join(f"{metric}: {of_slice[metric].note}" for metric in margins)
        raise InputError(f"no metric has a value on {', '.join(parts)}: {why}")
    return parts


def _valued(runs: Runs, margins: Mapping[str, float]) -> list[str]:
    """The metrics that are judged of which the baseline has a value."""
    values = {score.metric: score.value for score in runs.first.scores}
    return [metric for metric in margins if values[metric] is not None]


def _checks(
    runs: Runs, margins: Mapping[str, float], trials: Mapping[str, _Trial]
) -> Iterator[Check]:
    """The checks of a whole benchmark or of a slice."""
    ours = {score.metric: score for score in runs.first.scores}
    theirs = {score.metric: score for score in runs.second.scores}
    yield _generated(runs)
    for metric, margin in margins.items():
        score, other = ours[metric], theirs.get(metric)
        new = None if other is None else other.value
        if score.value is None:
            # The whole has a value, the slice has none: of a set, or nothing of it was scored.
            status, reason = UNTESTED, score.note
        elif lost := _lost(runs, score, other):
            status, reason = FAIL, lost
        elif other is not None:
            yield _check(score, other, trials.get(metric), margin)
            continue
        yield Check(metric, score.better, status, score.value, new, None, margin, None, reason)


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
        GENERATED,
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


def _check(ours: Score, theirs: Score, trial: _Trial | None, margin: float) -> Check:
    def check(status: str, worse: float | None, reason: str) -> Check:
        p_value = trial.p_holm if trial else None
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

    if trial is None:
        if ours.value == theirs.value:
            return check(PASS, 0.0, "the same value")
        return check(UNTESTED, None, "no contributions of clips, so nothing can be tested")
    found = trial.tested.comparison
    worse = found.difference * _sign(ours)
    over = number(margin)
    if abs(worse) <= ROUNDING * abs(found.first):
        return check(PASS, worse, "no difference beyond rounding")
    if worse <= margin:
        return check(PASS, worse, "better" if worse < 0 else f"worse by no more than {over}")
    said = f"(p {p_text(trial.p_holm)}, {trial.tested.over})"
    if trial.p_holm < ALPHA:
        beyond = f" beyond the margin of {over}" if margin else ""
        return check(FAIL, worse, f"worse by {number(worse)}{beyond} {said}")
    if trial.least >= ALPHA:
        among = f" among {trial.of} tests" if trial.of > 1 else ""
        few = f"too few items for any regression to show{among}"
        return check(UNTESTED, worse, f"worse by {number(worse)}, {few} {said}")
    return check(PASS, worse, f"worse by {number(worse)}, as chance allows {said}")
