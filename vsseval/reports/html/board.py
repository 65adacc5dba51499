"""From a leaderboard to the board of a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from vsseval.benchmarks.table import BENCHMARKS
from vsseval.generate import ClipKey, clip_label, folder_name
from vsseval.metrics.table import METRICS
from vsseval.models import MODELS
from vsseval.reports.html import clips as clips_of_board
from vsseval.reports.html.clips import runs_of
from vsseval.reports.html.content import Board, Cell, Clip, Column, Media, Reported, Row
from vsseval.reports.html.media import Library, Sources
from vsseval.reports.leaderboard import Leaderboard
from vsseval.reports.leaderboard import Row as LeaderboardRow
from vsseval.reports.manifests import find_benchmark
from vsseval.reports.pairs import Results
from vsseval.reports.remarks import checks_said, notes, sanity_table, warnings
from vsseval.reports.reported import ReportedTable
from vsseval.slices import clusters_of, numbered
from vsseval.types import Benchmark, Item


def board_of(board: Leaderboard, results: Results, sources: Sources) -> tuple[Board, list[Media]]:
    """A board and the media of the clips that can be heard on it.

    Args:
        board: the leaderboard.
        results: that it was made of; for one of a slice the part of that slice.
        sources: where media are.

    Raises:
        InputError: ``clips.csv`` of a run cannot be trusted, or a benchmark's folder cannot be
            read.
    """
    entry = board.rows[0].record.benchmark
    identity = folder_name(f"{entry.name}-{entry.version}-{entry.digest[:8]}")
    if board.slice:
        identity += f"-{quote(board.slice, safe='=')}"
    components = clips_of_board.clip_rows(board, results)
    keys = clips_of_board.clip_keys(board, components)
    scores = [
        [
            clips_of_board.scores_of(column, rows, keys)
            for column, rows in zip(board.columns, of_row, strict=True)
        ]
        for of_row in components
    ]
    found = clips_of_board.percentiles(board.columns, scores)
    badness = clips_of_board.badness_of(found)
    rivals = clips_of_board.contestants(board.rows)
    apart = clips_of_board.disagreement_of(found[rivals])
    benchmark, why = find_benchmark(entry, sources.data)
    heard = _chosen(board, badness, apart, keys, benchmark, sources.clips)
    media = _media(identity, benchmark, board, keys, heard, sources)
    numbers = {clip_label(*key): at for at, key in enumerate(keys)}
    rows = tuple(
        _row(board, row, scores[at], badness[at], numbers) for at, row in enumerate(board.rows)
    )
    row = BENCHMARKS.get(entry.name)
    checks = sanity_table(board.rows)
    return Board(
        id=identity,
        name=entry.name,
        version=entry.version,
        digest=entry.digest,
        task=entry.task,
        about=row.title if row else "",
        columns=tuple(_column(board, at) for at in range(len(board.columns))),
        rows=rows,
        clips=_clips(
            keys,
            apart,
            benchmark,
            {at: one.name for at, one in media.items()},
            results.groups(entry.digest),
        ),
        contestants=tuple(rivals),
        ranked=bool(board.ranks),
        notes=tuple(notes(board)),
        warnings=tuple(warnings(board)),
        checks=tuple(tuple(line) for line in checks),
        checks_said=checks_said(checks),
        reported=tuple(_reported(table) for table in board.reported),
        media_note=_media_note(why, len(media), len(keys), sources.clips),
        slice=board.slice,
    ), list(media.values())


def _column(board: Leaderboard, at: int) -> Column:
    column = board.columns[at]
    row = METRICS.get(column.metric)
    return Column(
        metric=column.metric,
        title=column.title,
        unit=column.unit,
        better=column.better,
        pool=clips_of_board.pool_of(column),
        definition=row.definition if row else "",
        signature=column.signature,
    )


def _row(
    board: Leaderboard,
    row: LeaderboardRow,
    scores: Sequence[clips_of_board.Scores],
    badness: NDArray[np.float64],
    numbers: Mapping[str, int],
) -> Row:
    record = row.record
    # A checkpoint may follow the name of the table: vssflow-tiny.
    name = record.model.name
    known = MODELS.get(name) or MODELS.get(name.partition("-")[0])
    runs = runs_of(row)
    # Of single clips no record holds the time.
    generated = 0 if board.slice else sum(run.counts.generated for run in runs)
    settings = [f"{name} {value}" for name, value in record.model.signature.items()]
    return Row(
        label=row.label,
        group="oracle" if row.oracle else "system" if row.ranked else "incomplete",
        kind=known.title if known else "",
        run=record.run_id,
        seeds=tuple(run.seed for run in runs),
        signature=", ".join(text for text in settings if not text.startswith("name ")),
        mean_rank=board.mean_ranks.get(record.run_id),
        seconds=sum(run.cost.seconds for run in runs) / generated if generated else None,
        cells=tuple(_cell(board, row, column.signature) for column in board.columns),
        scores=tuple(scores),
        badness=tuple(_number(value) for value in badness),
        findings=clips_of_board.findings_of(row, numbers, board.columns),
    )


def _cell(board: Leaderboard, row: LeaderboardRow, signature: str) -> Cell | None:
    score = row.cells.get(signature)
    if score is None:
        return None
    cell = (row.record.run_id, signature)
    return Cell(
        value=score.value,
        interval=score.interval,
        deviation=row.deviations.get(signature),
        rank=board.ranks.get(cell),
        place=1 if cell in board.best else 2 if cell in board.second else 0,
        scored=score.n_scored,
        expected=score.n_expected,
        short=cell in board.short,
        note=score.note,
    )


def _clips(
    keys: Sequence[ClipKey],
    apart: NDArray[np.float64],
    benchmark: Benchmark | None,
    media: Mapping[int, str],
    groups: Mapping[str, str],
) -> tuple[Clip, ...]:
    items: dict[str, Item] = {item.id: item for item in benchmark.items} if benchmark else {}
    names = [item for item, _ in keys]
    drawn = numbered(clusters_of(names, groups) or names)
    found = []
    for at, key in enumerate(keys):
        item = items.get(key[0])
        found.append(
            Clip(
                id=clip_label(*key),
                label=item.label if item else None,
                speaker=item.speaker if item else None,
                caption=item.caption if item else None,
                transcript=item.transcript if item else None,
                duration=item.duration if item else None,
                onsets=item.onsets if item else None,
                item=drawn[at],
                disagreement=_number(apart[at]),
                media=media.get(at),
            )
        )
    return tuple(found)


def _chosen(
    board: Leaderboard,
    badness: NDArray[np.float64],
    apart: NDArray[np.float64],
    keys: Sequence[ClipKey],
    benchmark: Benchmark | None,
    count: int,
) -> list[int]:
    """Numbers of the clips to embed, ascending."""
    if benchmark is None:
        return []
    systems = [at for at, row in enumerate(board.rows) if not row.oracle]
    of_systems = badness[systems or slice(None)]
    worst = clips_of_board.mean_of(of_systems, axis=0)
    return sorted(clips_of_board.first_to_hear(worst.tolist(), apart.tolist(), count))


def _media(
    identity: str,
    benchmark: Benchmark | None,
    board: Leaderboard,
    keys: Sequence[ClipKey],
    heard: Sequence[int],
    sources: Sources,
) -> dict[int, Media]:
    if benchmark is None or not heard:
        return {}
    onsets = any("|enc:onsets:" in column.signature for column in board.columns)
    library = Library(benchmark, board.rows, sources, onsets=onsets)
    return {at: library.media(keys[at], f"{identity}-{at}") for at in heard}


def _media_note(why: str, heard: int, clips: int, wanted: int) -> str:
    if why:
        return f"No clip can be heard: {why}."
    if heard == clips:
        return "Every clip can be heard."
    if not wanted:
        return "No clip can be heard: the page was made with --clips 0."
    return (
        f"{heard} of {clips} clips can be heard, the worst and the most disputed; "
        "the others show their scores. --clips N puts in more."
    )


def _reported(table: ReportedTable) -> Reported:
    arrows = {"higher": " ↑", "lower": " ↓"}
    heads = [f"{one.name}{arrows.get(one.better, '')}" for one in table.metrics]
    return Reported(
        title=f"{table.table}, setting {table.setting}",
        source=f"{table.source}; protocol {table.protocol}; {table.quality}",
        columns=("method", *heads),
        rows=tuple(
            (method, *(values.get(one.name, "") for one in table.metrics))
            for method, values in table.rows.items()
        ),
    )


def _number(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 4)
