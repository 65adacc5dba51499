"""Pages: template, style, scripts and data in one HTML file that asks the network for nothing.

The content security policy of a page forbids every request and every script but its own, whose
digest it states. All text reaches the document as JSON and from there as text nodes.
"""

from __future__ import annotations

import base64
import hashlib
import html
import importlib.metadata
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from string import Template

from vsseval.errors import InputError
from vsseval.files import write_atomic
from vsseval.reports.html.board import board_of
from vsseval.reports.html.content import Board, Media, Page
from vsseval.reports.html.media import Sources
from vsseval.reports.leaderboard import leaderboards
from vsseval.reports.pairs import Results

ASSETS = Path(__file__).with_name("assets")
SCRIPTS = (
    "dom.js",
    "numbers.js",
    "slices.js",
    "table.js",
    "intervals.js",
    "sound.js",
    "player.js",
    "clips.js",
    "sections.js",
    "main.js",
)
"""Joined in this order into the one script of a page."""
MEDIA_FOLDER = "media"


def write_report(
    results: Results, path: Path, sources: Sources, patterns: Sequence[str] = ()
) -> None:
    """One self-contained file of all benchmarks, media included.

    Args:
        results: the records and their clips; with parts, a board for each benchmark and slice.
        path: the file.
        sources: where media are, and how many clips get theirs.
        patterns: metrics to show, all if empty.

    Raises:
        InputError: no record, or as :func:`vsseval.reports.html.board.board_of`.
    """
    boards, media = boards_of(results, sources, patterns)
    title = ", ".join(dict.fromkeys(board.name for board in boards))
    slices = list(dict.fromkeys(board.slice for board in boards if board.slice))
    if slices:
        title += f", slice {slices[0]}" if len(slices) == 1 else f" by slice ({len(slices)})"
    page = Page(f"{title}: vsseval report", "", "", _version(), tuple(boards))
    write_atomic(path, page_html(page, media).encode())


def write_site(results: Results, folder: Path, sources: Sources) -> list[Path]:
    """An index and a page a benchmark, with the media of each clip in a file of its own.

    Links are relative, so the folder can be put anywhere, or opened from disk.

    Returns:
        The pages, the index first.

    Raises:
        InputError: as :func:`write_report`.
    """
    return write_pages(*boards_of(results, sources), folder)


def write_pages(boards: Sequence[Board], media: Sequence[Media], folder: Path) -> list[Path]:
    """The files of a site; the index comes first."""
    from vsseval.reports.html.index import index_html

    for one in media:
        # A script and not JSON, because a page that was opened from disk may load that.
        text = f"vssevalMedia({_script_json(asdict(one))});\n"
        write_atomic(folder / MEDIA_FOLDER / f"{one.name}.js", text.encode())
    pages = [folder / "index.html"]
    write_atomic(pages[0], index_html(boards).encode())
    for board in boards:
        page = Page(f"{board.name}: vsseval", "index.html", MEDIA_FOLDER, _version(), (board,))
        pages.append(folder / f"{board.id}.html")
        write_atomic(pages[-1], page_html(page, []).encode())
    return pages


def boards_of(
    results: Results, sources: Sources, patterns: Sequence[str] = ()
) -> tuple[list[Board], list[Media]]:
    """The board of every benchmark, or of its slices, and the media of all that can be heard.

    Raises:
        InputError: no record, or as :func:`vsseval.reports.html.board.board_of`.
    """
    if not results.records:
        raise InputError("no record to report on; `vsseval run ... --out DIR` makes one")
    parts = {part.slice: part for part in results.parts or (results,)}
    pairs = [
        board_of(board, parts[board.slice], sources) for board in leaderboards(results, patterns)
    ]
    return [board for board, _ in pairs], [one for _, media in pairs for one in media]


def page_html(page: Page, media: Sequence[Media]) -> str:
    """The document.

    Args:
        page: what it shows.
        media: blocks to put into it; those that are not here are loaded from ``page.media``.
    """
    script = "".join(["'use strict';\n", *(asset(name) for name in SCRIPTS)])
    script = f"(() => {{\n{script}}})();\n"
    blocks = "\n".join(
        f'<script type="application/json" id="media-{html.escape(one.name)}">'
        f"{_script_json(asdict(one))}</script>"
        for one in media
    )
    return document(
        "page.html",
        title=html.escape(page.title),
        script=script,
        own_scripts=bool(page.media),
        data=_script_json(asdict(page)),
        media=blocks,
    )


def document(template: str, *, script: str, own_scripts: bool = False, **parts: str) -> str:
    """A template of ``assets`` filled in, with its policy.

    Args:
        template: name of the file.
        script: the script of the page, empty for none.
        own_scripts: whether it loads scripts from beside it.
        **parts: what else the template names, escaped where needed.
    """
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    beside = " 'self'" if own_scripts else ""
    policy = (
        f"default-src 'none'; script-src 'sha256-{digest}'{beside}; style-src 'unsafe-inline'; "
        "img-src data:; media-src data: blob:; base-uri 'none'; form-action 'none'"
    )
    return Template(asset(template)).substitute(
        parts, policy=policy, style=asset("style.css"), script=script
    )


def asset(name: str) -> str:
    """Text of a file of ``assets``."""
    return (ASSETS / name).read_text(encoding="utf-8")


def _script_json(content: object) -> str:
    """JSON that no parser of HTML or JavaScript takes for the end of a script."""
    text = json.dumps(content, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _version() -> str:
    return importlib.metadata.version("vsseval")
