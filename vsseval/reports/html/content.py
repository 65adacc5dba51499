"""What a page holds: frozen records that become its one JSON block, read by ``assets/*.js``."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Column:
    """A metric under one signature."""

    metric: str
    title: str
    unit: str
    better: str
    """``higher`` or ``lower``."""
    pool: str
    """How the clips of a slice are pooled: ``mean`` or ``percent_ratio``; ``set`` and ``unknown``
    have no slices."""
    definition: str
    signature: str


@dataclass(frozen=True, slots=True)
class Cell:
    """A value of the leaderboard."""

    value: float | None
    """None if undefined; ``note`` says why."""
    interval: tuple[float, float] | None
    deviation: float | None
    """Standard deviation over seeds, None for a single one."""
    rank: int | None
    """1 + the number of systems that are better in a paired test; None if not ranked."""
    place: int
    """1 for the best value of its column, 2 for the second, else 0."""
    scored: int
    expected: int
    short: bool
    """Scored on fewer clips than another system, so it is not ranked."""
    note: str


@dataclass(frozen=True, slots=True)
class Row:
    """A model, with what its clips scored."""

    label: str
    group: str
    """``system`` (ranked), ``incomplete`` (clips failed) or ``oracle``."""
    kind: str
    """What it is, in words; empty where nothing is known."""
    run: str
    seeds: tuple[int, ...]
    signature: str
    """Settings of the model."""
    mean_rank: float | None
    seconds: float | None
    """Wall time of generating a clip [s]; None on a slice, as records hold that of the whole."""
    cells: tuple[Cell | None, ...]
    """By column."""
    scores: tuple[tuple[tuple[float, ...] | None, ...], ...]
    """By column and clip: (value,), or (numerator, denominator) of a rate, or None."""
    badness: tuple[float | None, ...]
    """By clip: mean percentile of its scores, 0 the best and 1 the worst."""
    findings: dict[str, tuple[str, ...]]
    """What is odd about a clip, by its number."""


@dataclass(frozen=True, slots=True)
class Clip:
    """An item and take."""

    id: str
    label: str | None
    speaker: str | None
    caption: str | None
    transcript: str | None
    duration: float | None
    onsets: tuple[float, ...] | None
    """Annotated onset times [s]; None for a sound without events, or if nobody annotated it."""
    item: int
    """Takes of one item share it, and items of one group: they are drawn together."""
    disagreement: float | None
    """How far apart the models are on it, 0 to 1."""
    media: str | None
    """Name of its media block, None if it has none."""


@dataclass(frozen=True, slots=True)
class Track:
    """Sound of one or more rows on one clip."""

    names: tuple[str, ...]
    """Several if their samples are the same."""
    group: str
    """``truth``, or as in :class:`Row`."""
    audio: str | None
    """Data URI, None if it is missing."""
    rate: int
    """Of the file [Hz]."""
    missing: str
    """Why there is none."""
    onsets: tuple[float, ...] | None
    """Detected in it as the onset metrics do [s]; None on a board without such a metric."""


@dataclass(frozen=True, slots=True)
class Media:
    """A clip's video and sounds."""

    name: str
    video: str | None
    """Data URI, None if it is missing."""
    missing: str
    """Why there is no video."""
    tracks: tuple[Track, ...]


@dataclass(frozen=True, slots=True)
class Reported:
    """A published table: shown apart, never ranked beside what was measured."""

    title: str
    source: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Board:
    """A benchmark with all that ran on it."""

    id: str
    """Fragment and file name."""
    name: str
    version: str
    digest: str
    task: str
    about: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    clips: tuple[Clip, ...]
    contestants: tuple[int, ...]
    """Rows whose disagreement is looked at."""
    ranked: bool
    """Whether paired tests gave ranks."""
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    checks: tuple[tuple[str, ...], ...]
    """Checks of the audio: head and rows; empty if there were none."""
    checks_said: str
    """What the columns of the checks mean."""
    reported: tuple[Reported, ...]
    media_note: str
    """How many clips can be heard, and why not all."""
    slice: str = ""
    """The part of the benchmark that all of it is of; empty for the whole."""


@dataclass(frozen=True, slots=True)
class Page:
    """One HTML file."""

    title: str
    home: str
    """Relative link to the list of benchmarks; empty in a single file."""
    media: str
    """Relative folder of the media files; empty if they are in the page."""
    version: str
    boards: tuple[Board, ...]
