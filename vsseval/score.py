"""Third stage: features to numbers, each with its interval, its exclusions and its signature."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
from numpy.typing import NDArray

from vsseval.encoders.table import ENCODERS
from vsseval.errors import InputError, UnknownNameError
from vsseval.features import FeatureTable
from vsseval.generate import ClipKey, clip_label
from vsseval.metrics import table as metric_table
from vsseval.metrics.pooling import Rule, pool
from vsseval.metrics.profiles import PROFILES
from vsseval.metrics.statistics import bootstrap_interval, too_few
from vsseval.progress import Progress, silent
from vsseval.slices import clusters_of, group_by_item, groups_of, numbered
from vsseval.sources import NO_FIELD, NONSPEECH
from vsseval.types import Benchmark, Item, Metric, Score, SetValue
from vsseval.weights import command, status

INTERVAL_SEED = 20240601
"""Seed of the bootstrap resamples, the same for every interval."""

NOT_GENERATED = "generation failed"
"""Begins the reason of a clip that there is not."""

Arrays = NDArray[np.generic]
_Interval = tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Scored:
    """A score with the components it was pooled from."""

    score: Score
    components: Mapping[ClipKey, NDArray[np.float64]]
    """float64 (k,) by clip; of set scope (1,), what each item adds to the value, under its first
    take, and empty where that is undefined."""


@dataclass(frozen=True, slots=True)
class Input:
    """One input of a metric."""

    source: str
    """A source of ``vsseval.sources``, or ``item``."""
    encoder: str
    """Empty for ``item``."""
    output: str
    """Output of the encoder, or field of the item."""

    @property
    def by_take(self) -> bool:
        """Whether each take has its own."""
        return NONSPEECH.get(self.source, self.source) in ("generated", "heard")


def parse_input(text: str) -> Input:
    """``source:encoder.output`` or ``item:field``.

    Raises:
        InputError: another form.
    """
    source, _, rest = text.partition(":")
    if source == "item" and rest:
        return Input(source, "", rest)
    encoder, dot, output = rest.rpartition(".")
    if not (source and encoder and dot and output):
        raise InputError(f"expected source:encoder.output or item:field, got {text!r}")
    return Input(source, encoder, output)


def find_metrics(names: Iterable[str]) -> list[Metric]:
    """Rows of ``METRICS`` by id, without repeats, in the order given.

    ``@profile`` stands for all metrics of a profile.

    Raises:
        UnknownNameError: no such metric or profile.
    """
    ids: dict[str, None] = {}
    for name in names:
        if not name.startswith("@"):
            ids[name] = None
        elif name[1:] in PROFILES:
            ids.update(dict.fromkeys(PROFILES[name[1:]].metrics))
        else:
            raise UnknownNameError("profile", name[1:], PROFILES)
    return [metric_table.metric(name) for name in ids]


def needs(metrics: Iterable[Metric]) -> set[tuple[str, str]]:
    """(source, encoder) pairs that the metrics read."""
    inputs = [parse_input(text) for metric in metrics for text in metric.inputs]
    return {(one.source, one.encoder) for one in inputs if one.source != "item"}


def lacking_weights(metric: Metric) -> tuple[str, ...]:
    """What to type for each part that the metric needs and the weight store has not."""
    encoders = [encoder for _, encoder in needs([metric])]
    parts = [part for encoder in encoders for part in ENCODERS[encoder].all_weights()]
    states = {part: status([part])[0].state for part in dict.fromkeys(parts)}
    return tuple(command(part) for part, state in states.items() if state != "ok")


def with_shared_encoders(scored: Scored, metric: Metric, model: Mapping[str, str]) -> Scored:
    """The score, with a note where the metric's encoder is one that the model conditions on.

    A model says so under ``conditions_on`` of its signature: encoders or parts of the weight store,
    with commas between them.
    """
    encoders = {encoder for _, encoder in needs([metric])}
    parts = {part for encoder in encoders for part in ENCODERS[encoder].all_weights()}
    stated = {name.strip() for name in model.get("conditions_on", "").split(",")}
    shared = sorted(stated & (encoders | parts))
    if not shared:
        return scored
    note = f"{', '.join(shared)}: encoder shared with the model's input, which favours it"
    whole = f"{scored.score.note}; {note}" if scored.score.note else note
    return replace(scored, score=replace(scored.score, note=whole))


def score_metrics(
    metrics: Sequence[Metric],
    benchmark: Benchmark,
    tables: Mapping[tuple[str, str], FeatureTable],
    failures: Mapping[ClipKey, str],
    *,
    takes: int,
    items_note: str = "",
    progress: Progress = silent,
) -> list[Scored]:
    """Metrics over all items and takes of a benchmark.

    Memory holds what one metric of set scope needs of all clips, or what the metrics of clip scope
    together need of one: those go through the clips side by side, so that a row is read once.

    A clip is excluded, with its reason, if its generation failed, an input is missing, or the
    metric is undefined for it. Clips of set scope go in in the order of (id, take); the rows of the
    reference, the video and the speaker go in once an item, however many takes there are.

    Args:
        metrics: What to compute.
        benchmark: The items that are expected.
        tables: Features by (source, encoder).
        failures: Why a clip was not generated.
        takes: Clips an item.
        items_note: Marks a benchmark that was cut, such as ``first10``; part of the signature.
        progress: Where steps are shown.
    """
    expected = sorted((item.id, take) for item in benchmark.items for take in range(takes))
    items = {item.id: item for item in benchmark.items}
    groups = group_by_item(groups_of(benchmark.items))
    clipwise = [_Work(metric) for metric in metrics if metric.scope == "clip"]
    setwise = [_Work(metric) for metric in metrics if metric.scope == "set"]

    def arrays(work: _Work, key: ClipKey) -> list[Arrays]:
        if key in failures:
            raise InputError(f"{NOT_GENERATED}: {failures[key]}")
        return [_value(one, items[key[0]], key, tables) for one in work.inputs]

    scored: dict[str, Scored] = {}

    def finish(work: _Work, value: float | None, interval: _Interval, note: str) -> None:
        signature = _signature(work.metric, benchmark, work.inputs, tables, takes, items_note)
        scored[work.metric.id] = _scored(work, expected, value, interval, note, signature)

    with progress("score", bool(clipwise) * len(expected) + len(setwise)) as advance:
        for key in expected if clipwise else ():
            for work in clipwise:
                try:
                    work.components[key] = _component(work, arrays(work, key))
                except InputError as error:
                    work.excluded[key] = str(error)
            advance()
        for work in clipwise:
            finish(work, *pooled_value(work.metric, work.components, groups))
        for work in setwise:
            rows: dict[ClipKey, list[Arrays]] = {}
            for key in expected:
                try:
                    rows[key] = arrays(work, key)
                except InputError as error:
                    work.excluded[key] = str(error)
            value, interval, note, parts = _set_value(work.metric, work.inputs, rows, groups)
            work.components.update(parts)
            finish(work, value, interval, note)
            advance()
    return [scored[metric.id] for metric in metrics]


class _Work:
    """A metric on its way through the clips."""

    def __init__(self, metric: Metric) -> None:
        self.metric = metric
        self.inputs = [parse_input(text) for text in metric.inputs]
        self.compute = metric_table.resolve(metric.compute)
        self.components: dict[ClipKey, NDArray[np.float64]] = {}
        self.excluded: dict[ClipKey, str] = {}


def _scored(
    work: _Work,
    expected: Sequence[ClipKey],
    value: float | None,
    interval: _Interval,
    note: str,
    signature: str,
) -> Scored:
    metric, excluded = work.metric, work.excluded
    num_scored = len(expected) - len(excluded)
    if value is None and not num_scored and excluded:
        note = common_reason(excluded)
    score = Score(
        metric=metric.id,
        value=value,
        note=note,
        unit=metric.unit,
        better=metric.better,
        signature=signature.replace("|n:|", f"|n:{num_scored}/{len(expected)}|"),
        n_expected=len(expected),
        n_scored=num_scored,
        interval=interval,
        excluded={clip_label(*key): excluded[key] for key in expected if key in excluded},
    )
    return Scored(score, work.components)


def whole_signature(signature: str) -> str:
    """The signature without its ``slice:`` field: that of the whole benchmark."""
    return "|".join(part for part in signature.split("|") if not part.startswith("slice:"))


def column_of(signature: str) -> str:
    """The signature without its ``n:scored/expected`` field: what must agree within a column."""
    return "|".join(part for part in signature.split("|") if not part.startswith("n:"))


def _value(
    one: Input, item: Item, key: ClipKey, tables: Mapping[tuple[str, str], FeatureTable]
) -> Arrays:
    """The array of one input for one clip; InputError with the reason if there is none."""
    if one.source == "item":
        field = getattr(item, one.output)
        if field is None:
            raise InputError(NO_FIELD.get(one.output, f"no {one.output}"))
        return np.asarray(field)
    table = tables[one.source, one.encoder]
    at = key if one.by_take else (key[0], 0)
    try:
        features = table.rows.get(at)
    except InputError as error:
        raise InputError(f"{one.source}: {error}") from error
    if features is None:
        reason = table.missing.get(at, "not encoded")
        raise InputError(reason if reason.startswith("weights") else f"{one.source}: {reason}")
    if one.output not in features:
        raise InputError(f"encoder {one.encoder} gave no {one.output}")
    return features[one.output]


def _component(work: _Work, arrays: Sequence[Arrays]) -> NDArray[np.float64]:
    """Components of one clip; InputError with the reason where the metric is undefined for it."""
    row = np.atleast_1d(np.asarray(work.compute(*arrays, **work.metric.params), dtype=np.float64))
    if not np.isfinite(row).all():
        raise InputError("the metric gave a value that is not finite")
    return row


def _set_value(
    metric: Metric,
    inputs: Sequence[Input],
    rows: Mapping[ClipKey, list[Arrays]],
    groups: Mapping[str, str],
) -> tuple[float | None, _Interval, str, dict[ClipKey, NDArray[np.float64]]]:
    """Value, interval, note and contributions; no value where undefined for these clips.

    A function that takes ``items`` is told which item each generated clip is a take of, and one
    that takes ``groups`` which items belong together.
    """
    if not rows:
        return None, None, "no clip could be scored", {}
    compute = cast(Callable[..., float | SetValue], metric_table.resolve(metric.compute))
    first_take: dict[str, ClipKey] = {}
    for key in rows:
        first_take.setdefault(key[0], key)
    columns = [
        [rows[key][at] for key in (rows if one.by_take else first_take.values())]
        for at, one in enumerate(inputs)
    ]
    together: dict[str, list[int]] = {}
    asked = inspect.signature(compute).parameters
    if len(first_take) < len(rows) and "items" in asked:
        together["items"] = numbered([key[0] for key in rows])
    clusters = clusters_of(list(first_take), groups)
    if clusters is not None and "groups" in asked:
        together["groups"] = numbered(clusters)
    try:
        found = compute(*columns, **together, **metric.params)
    except InputError as error:
        return None, None, f"undefined: {error}", {}
    if not isinstance(found, SetValue):
        found = SetValue(float(found))
    if not math.isfinite(found.value):
        return None, None, "undefined: the value is not finite", {}
    parts: dict[ClipKey, NDArray[np.float64]] = {}
    if found.contributions is not None:
        pairs = zip(first_take.values(), found.contributions, strict=True)
        parts = {key: np.array([part]) for key, part in pairs}
    return found.value, found.interval, found.note, parts


def pooled_value(
    metric: Metric,
    components: Mapping[ClipKey, NDArray[np.float64]],
    groups: Mapping[str, str],
) -> tuple[float | None, _Interval, str]:
    """Value, interval and note; no value where the pooling rule is undefined for these clips.

    The interval draws whole groups: takes of an item, and items cut from one recording.

    Args:
        metric: of clip scope.
        components: float64 (k,) by clip, of one width.
        groups: the group of each item that shares one.
    """
    if not components:
        return None, None, "no clip could be scored"
    rule = cast(Rule, metric.pool)
    matrix = _matrix(components)
    clusters = clusters_of([key[0] for key in components], groups)
    try:
        value = pool(matrix, rule)
    except InputError as error:
        return None, None, f"undefined: {error}"
    interval = bootstrap_interval(matrix, rule, seed=INTERVAL_SEED, clusters=clusters)
    return value, interval, "; ".join(remarks(metric, components, groups))


def remarks(
    metric: Metric,
    components: Mapping[ClipKey, NDArray[np.float64]],
    groups: Mapping[str, str],
) -> list[str]:
    """What there is to say of a pooled value: the metric's own remark, why it has no interval.

    Args:
        metric: of clip scope.
        components: as :func:`pooled_value`.
        groups: as :func:`pooled_value`.
    """
    own = str(metric_table.resolve(metric.remark)(_matrix(components))) if metric.remark else ""
    few = too_few(
        len({item for item, _ in components}), clusters_of([key[0] for key in components], groups)
    )
    return [text for text in (own, few) if text]


def _matrix(components: Mapping[ClipKey, NDArray[np.float64]]) -> NDArray[np.float64]:
    return np.stack(list(components.values()))


def common_reason(excluded: Mapping[ClipKey, str] | Mapping[str, str]) -> str:
    """Why no clip could be scored, from the reason of each.

    What every generated clip lacks is said, if some were not generated too.
    """
    known = [why for why in excluded.values() if not why.startswith(NOT_GENERATED)]
    reasons = set(known or excluded.values())
    first = (known or list(excluded.values()))[0]
    return first if len(reasons) == 1 else f"no clip could be scored; the first: {first}"


def _signature(
    metric: Metric,
    benchmark: Benchmark,
    inputs: Sequence[Input],
    tables: Mapping[tuple[str, str], FeatureTable],
    takes: int,
    items_note: str,
) -> str:
    used = {(i.source, i.encoder): tables[i.source, i.encoder] for i in inputs if i.encoder}
    # Bars part the fields of the whole signature, so those of an encoder become semicolons.
    signatures = [table.signature.replace("|", ";") for table in used.values()]
    encoders = list(dict.fromkeys(signatures))
    hearing = sorted({heard for table in used.values() for heard in table.hearing})
    bench = f"{benchmark.name}@{benchmark.version}:{benchmark.digest[:8]}"
    params = ",".join(f"{name}={value}" for name, value in sorted(metric.params.items()))
    fields = [
        metric.id,
        f"enc:{'+'.join(encoders)}",
        *([f"prep:{'+'.join(hearing)}"] if hearing else []),
        f"len:{benchmark.clip_seconds:g}",
        "n:",
        f"takes:{takes}",
        f"bench:{bench}{':' + items_note if items_note else ''}",
        *([params] if params else []),
        f"v:{metric.version}",
    ]
    return "|".join(fields)
