"""What a run leaves behind, and all that reports read: ``record.json`` and ``clips.csv``."""

from __future__ import annotations

import csv
import hashlib
import importlib.metadata
import io
import json
import platform
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vsseval.errors import InputError
from vsseval.files import file_digest, locked, write_atomic
from vsseval.generate import ClipKey
from vsseval.sanity import Sanity
from vsseval.score import Scored
from vsseval.types import Score

if TYPE_CHECKING:
    import pandas as pd

SCHEMA = 2
RECORD = "record.json"
CLIPS = "clips.csv"

PACKAGES = (
    "vsseval",
    "numpy",
    "scipy",
    "torch",
    "librosa",
    "soundfile",
    "soxr",
    "av",
    "opencv-python-headless",
    "pyworld",
    "onnxruntime",
    "faster-whisper",
    "ctranslate2",
    "jiwer",
)
"""Packages whose versions are recorded, because one of them can move a number."""


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """Who generated."""

    name: str
    kind: str
    """``system`` or ``oracle``."""
    signature: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class BenchmarkEntry:
    """On what."""

    name: str
    version: str
    task: str
    digest: str


@dataclass(frozen=True, slots=True)
class Counts:
    """Clips, an item counted once a take."""

    expected: int
    generated: int
    failed: int


@dataclass(frozen=True, slots=True)
class Cost:
    """What generating took, from the generation log, so that a repeated run states the same."""

    seconds: float
    """Wall time of all clips that were generated [s]."""
    real_time_factor: float | None
    """Wall time over length of the audio; None if there is no audio."""
    nfe: int
    """Network function evaluations."""


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run."""

    run_id: str
    model: ModelEntry
    benchmark: BenchmarkEntry
    seed: int
    takes: int
    limit: int | None
    """Only the first so many items; None for all."""
    counts: Counts
    cost: Cost
    failures: Mapping[str, str]
    """Clip -> why it was not generated."""
    warnings: Mapping[str, str]
    """Clip -> what is odd about its audio: too short, clipped."""
    notes: tuple[str, ...]
    """What the model said of itself, such as the coverage of a folder."""
    scores: tuple[Score, ...]
    environment: Mapping[str, str]
    """Versions, device, revision: all that may differ when a run is repeated elsewhere."""
    sanity: Sanity | None = None
    """What the checks of the generated audio found; None if they were not made."""
    clips: str = ""
    """sha256 of the ``clips.csv`` beside the record; empty before it is written."""
    slices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Items of each slice, as :func:`vsseval.slices.slices_of`."""
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Items that are not independent of each other, as :func:`vsseval.slices.groups_of`."""


_LEFT_OUT_IF_EMPTY = ("slices", "groups")
"""Fields that records without them, and those of 0.2.0, do not have."""


def run_id(
    signature: Mapping[str, str], benchmark_digest: str, seed: int, takes: int, limit: int | None
) -> str:
    """12 hex digits of all that decides which clips are scored."""
    content = json.dumps([dict(signature), benchmark_digest, seed, takes, limit], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:12]


def record_json(record: RunRecord) -> str:
    """The record as JSON with its schema number and the sha256 of its own content."""
    held = {
        name: value
        for name, value in asdict(record).items()
        if value or name not in _LEFT_OUT_IF_EMPTY
    }
    content = {"schema": SCHEMA, **held}
    return json.dumps({**content, "digest": _digest(content)}, indent=1, allow_nan=False) + "\n"


def write_record(folder: Path, record: RunRecord, scored: Sequence[Scored]) -> RunRecord:
    """Write both files into ``folder``; scores of other metrics that are there already are kept.

    They are not kept if the ``clips.csv`` that is there is not theirs: it was changed by hand, or
    a run was killed between the two files.

    Returns:
        The record as written, old and new scores in the order of the ``METRICS`` table.

    Raises:
        InputError: a record is there and was changed by hand.
    """
    # Of two runs that end at once, the second must see what the first added.
    with locked(folder):
        return _write_record(folder, record, scored)


def _write_record(folder: Path, record: RunRecord, scored: Sequence[Scored]) -> RunRecord:
    from dataclasses import replace

    from vsseval.metrics.table import METRICS

    path = folder / RECORD
    scores = {score.metric: score for score in record.scores}
    clips = _frame(scored)
    old = read_record(path) if path.is_file() else None
    if old is not None and _clips_digest(folder) == old.clips:
        for score in old.scores:
            scores.setdefault(score.metric, score)
        clips = _merged(clips, folder / CLIPS)
    order = [*METRICS, *scores]
    ordered = sorted(scores.values(), key=lambda score: order.index(score.metric))
    text = _csv(clips).encode()
    digest = hashlib.sha256(text).hexdigest()
    merged = replace(record, scores=tuple(ordered), clips=digest)
    write_atomic(folder / CLIPS, text)
    write_atomic(path, record_json(merged).encode())
    return merged


def read_record(path: Path) -> RunRecord:
    """Read a record and check its digest.

    Raises:
        InputError: no such file, not a record of this schema, changed by hand, or with a value
            that is not finite.
    """
    try:
        text = path.read_text(encoding="utf-8")
        content = json.loads(text, parse_constant=_not_finite)
        stated = content.pop("digest")
        schema = content.pop("schema")
    except FileNotFoundError as error:
        raise InputError(_no_record(path)) from error
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(f"{path} is no run record: {type(error).__name__}: {error}") from error
    if schema != SCHEMA:
        raise InputError(f"{path} has schema {schema}, this version reads {SCHEMA}; run again")
    if stated != _digest({"schema": schema, **content}):
        raise InputError(
            f"{path} does not match its own digest: it was changed by hand; "
            "delete it and run the same command again (nothing is generated or encoded anew)"
        )
    try:
        return _record(content)
    except (TypeError, KeyError) as error:
        raise InputError(f"{path} lacks a field or has one too many: {error}") from error


def _no_record(path: Path) -> str:
    below = sorted(path.parent.rglob(RECORD)) if path.parent.is_dir() else []
    if not below:
        return f"no {path.name} in {path.parent}; `vsseval run` writes one"
    return (
        f"no {path.name} in {path.parent}, but in folders below it; name one of them, such as "
        f"{below[0].parent}"
    )


def check_clips(folder: Path, record: RunRecord) -> None:
    """Compare ``clips.csv`` with the digest that the record holds of it.

    Raises:
        InputError: it is not there, or was changed by hand.
    """
    if _clips_digest(folder) != record.clips:
        raise InputError(
            f"{folder / CLIPS} is not what {RECORD} was written with: it was changed by hand or is "
            "gone; run the same command again (nothing is generated or encoded anew)"
        )


def find_records(results: Path) -> list[tuple[Path, RunRecord]]:
    """Every record below ``results`` with its path, in the order of paths.

    Raises:
        InputError: no such folder, a record that cannot be read, or a ``clips.csv`` that was
            changed by hand. One that is not there is missed by whoever needs it.
    """
    if not results.is_dir():
        raise InputError(
            f"no results folder at {results}; `vsseval run ... --out {results}` fills one"
        )
    found = [(path, read_record(path)) for path in sorted(results.rglob(RECORD))]
    for path, record in found:
        if (path.parent / CLIPS).is_file():
            check_clips(path.parent, record)
    return found


Components = Mapping[str, Mapping[ClipKey, tuple[float, ...]]]
"""Components by metric and clip; of metrics of set scope, what each item adds to the value."""


def read_clips(folder: Path) -> dict[str, dict[ClipKey, tuple[float, ...]]]:
    """Components of every metric by clip, from ``clips.csv``.

    Raises:
        InputError: the file cannot be read, or a value is not finite.
    """
    import numpy as np

    frame = _read_csv(folder / CLIPS)
    keys = [(str(item), int(take)) for item, take in frame.index]
    names: dict[str, list[str]] = {}
    for name in frame.columns:
        names.setdefault(name.rsplit("[", 1)[0], []).append(name)
    found: dict[str, dict[ClipKey, tuple[float, ...]]] = {}
    for metric, columns in names.items():
        values = frame[columns].to_numpy(dtype=np.float64)
        if np.isinf(values).any():
            raise InputError(f"{folder / CLIPS}: {metric} has a value that is not finite")
        # An empty cell is a clip that was not scored.
        rows = np.flatnonzero(~np.isnan(values).any(axis=1))
        found[metric] = {keys[at]: tuple(values[at].tolist()) for at in rows}
    return found


def environment(device: str) -> dict[str, str]:
    """Python, package versions, device, and the revision of the source if it is a git checkout."""
    versions = {"python": platform.python_version(), "machine": platform.machine()}
    for package in PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            versions[package] = "absent"
    return {**versions, "device": device, **_revision()}


def _revision() -> dict[str, str]:
    root = Path(__file__).parents[1]
    if not (root / ".git").exists():
        return {"revision": "unknown", "dirty": "unknown"}
    command = ["git", "-C", str(root)]
    try:
        head = subprocess.run(
            [*command, "rev-parse", "HEAD"], capture_output=True, text=True, check=True
        )
        changes = subprocess.run(
            [*command, "status", "--porcelain", "--", "vsseval", "vssflow", "baselines"],
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return {"revision": "unknown", "dirty": "unknown"}
    return {"revision": head.stdout.strip(), "dirty": "yes" if changes.stdout.strip() else "no"}


def _clips_digest(folder: Path) -> str | None:
    path = folder / CLIPS
    return file_digest(path) if path.is_file() else None


def _not_finite(constant: str) -> float:
    raise ValueError(f"it holds {constant}")


def _digest(content: Mapping[str, Any]) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _record(content: Mapping[str, Any]) -> RunRecord:
    needed = {one.name for one in fields(RunRecord)} - set(_LEFT_OUT_IF_EMPTY)
    missing = needed - set(content)
    if missing:
        raise KeyError(", ".join(sorted(missing)))
    scores = tuple(
        Score(**{**entry, "interval": tuple(entry["interval"]) if entry["interval"] else None})
        for entry in content["scores"]
    )
    return RunRecord(
        **{
            **content,
            "model": ModelEntry(**content["model"]),
            "benchmark": BenchmarkEntry(**content["benchmark"]),
            "counts": Counts(**content["counts"]),
            "cost": Cost(**content["cost"]),
            "notes": tuple(content["notes"]),
            "scores": scores,
            "sanity": Sanity(**content["sanity"]) if content["sanity"] else None,
            **{
                name: {part: tuple(items) for part, items in content.get(name, {}).items()}
                for name in _LEFT_OUT_IF_EMPTY
            },
        }
    )


def _frame(scored: Sequence[Scored]) -> pd.DataFrame:
    """Components, a row a clip; several of one metric as ``metric[0]``, ``[1]``."""
    import pandas as pd

    columns: dict[str, pd.Series] = {}
    for one in scored:
        width = max((len(row) for row in one.components.values()), default=0)
        for at in range(width):
            name = one.score.metric if width == 1 else f"{one.score.metric}[{at}]"
            values = {key: float(row[at]) for key, row in one.components.items()}
            columns[name] = pd.Series(values, dtype="float64")
    frame = pd.DataFrame(columns)
    if not columns:
        frame.index = pd.MultiIndex.from_arrays([[], []])
    frame.index.names = ["item", "take"]
    return frame.sort_index()


def _merged(new: pd.DataFrame, path: Path) -> pd.DataFrame:
    if not path.is_file():
        return new
    old = _read_csv(path)
    metrics = {name.rsplit("[", 1)[0] for name in new.columns}
    kept = old[[name for name in old.columns if name.rsplit("[", 1)[0] not in metrics]]
    joined = kept.join(new, how="outer") if len(kept.columns) else new
    return joined.sort_index()


def _read_csv(path: Path) -> pd.DataFrame:
    import pandas as pd

    try:
        with path.open(encoding="utf-8", newline="") as stream:
            head, *lines = csv.reader(stream)
        if head[:2] != ["item", "take"]:
            raise ValueError("the first two columns are not item and take")
        items, takes, *columns = list(zip(*lines, strict=True)) or [()] * len(head)
        index = pd.MultiIndex.from_arrays([items, list(map(int, takes))], names=head[:2])
        # Python's own float gives back each number as it was written.
        numbers = [[float(cell) if cell else float("nan") for cell in one] for one in columns]
        return pd.DataFrame(dict(zip(head[2:], numbers, strict=True)), index, dtype="float64")
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {path}: {error}") from error


def _csv(frame: pd.DataFrame) -> str:
    from vsseval.metrics.table import METRICS

    order = [*METRICS, *frame.columns]
    columns = sorted(frame.columns, key=lambda name: (order.index(name.rsplit("[", 1)[0]), name))
    text = io.StringIO()
    frame[columns].to_csv(text, lineterminator="\n")
    return text.getvalue()
