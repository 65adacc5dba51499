"""Pages to look at: one made by hand with planted sounds, and a browser to look at them with."""

from __future__ import annotations

import importlib.util
import io
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import av
import numpy as np
import pytest

from vsseval.reports.html.content import (
    Board,
    Cell,
    Clip,
    Column,
    Media,
    Page,
    Reported,
    Row,
    Track,
)
from vsseval.reports.html.media import data_uri, flac
from vsseval.reports.html.page import page_html

RATE = 16000
SECONDS = 6.0
ONSETS = (1.5, 3.0)
N = 24
HOSTILE = '</script><img src=x onerror="window.hacked=1">\'&\u2028'


def _module(name: str) -> ModuleType:
    path = Path(__file__).with_name(f"{name}.py")
    spec = importlib.util.spec_from_file_location(f"html_{name}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def chromium() -> ModuleType:
    return _module("chromium")


def tone(pitch: float) -> np.ndarray:
    """Six seconds of a sine at -6 dBFS."""
    time = np.arange(round(SECONDS * RATE)) / RATE
    return (0.5 * np.sin(2 * np.pi * pitch * time)).astype(np.float32)


def video() -> bytes:
    """Six seconds at ten frames a second, brighter and brighter."""
    encoded = io.BytesIO()
    with av.open(encoded, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        for at in range(60):
            picture = np.full((64, 64, 3), 4 * at, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return encoded.getvalue()


PITCHES = {"Ground truth": 1000.0, "alpha": 500.0, "beta": 4000.0, "gamma": 2000.0}


def media(name: str) -> Media:
    """A track for each pitch, and one that is missing."""
    tracks = [
        Track(
            (label,),
            "truth" if label == "Ground truth" else "system",
            data_uri("audio/flac", flac(tone(pitch), RATE)),
            RATE,
            "",
            (0.6, 4.8) if label == "alpha" else (),
        )
        for label, pitch in PITCHES.items()
    ]
    tracks.append(Track(("silence",), "oracle", None, 0, "its sound is not in the cache", None))
    return Media(name, data_uri("video/mp4", video()), "", tuple(tracks))


def scores() -> dict[str, list[list[tuple[float, ...] | None]]]:
    """By row and column: a mean, a rate with unequal denominators, a set."""
    random = np.random.default_rng(7)
    found = {}
    for place, label in enumerate(("alpha", "beta", "gamma", "silence")):
        values = random.normal(3 + place, 1, N).round(4)
        words = random.integers(4, 9, N)
        wrong = random.binomial(words, 0.1 + 0.2 * place)
        found[label] = [
            [(float(value),) for value in values],
            [(float(one), float(of)) for one, of in zip(wrong, words, strict=True)],
            [None] * N,
        ]
    # A clip that nobody scored, as a failure leaves it.
    found["gamma"][0][5] = None
    return found


def cell(value: float, place: int = 0, **changes: object) -> Cell:
    fields = {
        "value": value,
        "interval": (value - 0.5, value + 0.5),
        "deviation": None,
        "rank": None,
        "place": place,
        "scored": N,
        "expected": N,
        "short": False,
        "note": "",
    }
    return Cell(**{**fields, **changes})


def board() -> Board:
    """Three systems and an oracle on clips of two labels, half of them with onsets."""
    known = scores()
    columns = (
        Column("mcd", "MCD", "dB", "lower", "mean", "Distance.", "mcd|v:1"),
        Column("wer.x", "WER", "%", "lower", "percent_ratio", "Words.", "wer.x|v:1"),
        Column("is.x", "IS", "classes", "higher", "set", HOSTILE, f"is.x|{HOSTILE}"),
    )
    rows = []
    for place, (label, of_row) in enumerate(known.items()):
        mean = float(np.mean([one[0] for one in of_row[0] if one]))
        rate = 100 * sum(one[0] for one in of_row[1]) / sum(one[1] for one in of_row[1])
        oracle = label == "silence"
        cells = (
            cell(mean, 0 if oracle else place + 1, rank=None if oracle else 1 + place // 2),
            cell(rate, scored=N - 1, short=label == "beta"),
            cell(9.0 - (place + 1) % 3) if not oracle else None,
        )
        rows.append(
            Row(
                label=label,
                group="oracle" if oracle else "system",
                kind="zeros" if oracle else HOSTILE,
                run=f"run{place}",
                seeds=(0,),
                signature=f"steps {place}",
                mean_rank=None if oracle else 1.0 + place,
                seconds=0.5 * (3 - place),
                cells=cells,
                scores=tuple(tuple(column) for column in of_row),
                badness=tuple(np.linspace(0, 1, N).round(4).tolist()),
                findings={"3": (f"silent: {HOSTILE}",)} if label == "beta" else {},
            )
        )
    clips = tuple(
        Clip(
            id=f"part/clip-{at:02d}",
            label=HOSTILE if at % 3 else "wood",
            speaker=None,
            caption=f"A sound {HOSTILE}",
            transcript=None,
            duration=SECONDS,
            onsets=ONSETS if at % 2 else None,
            item=at,
            disagreement=round(1 - at / N, 4),
            media={3: "toy-3", 20: "toy-20"}.get(at),
        )
        for at in range(N)
    )
    return Board(
        id="toy-1-abcdef01",
        name="toy",
        version="1",
        digest="abcdef0123456789",
        task="joint",
        about=HOSTILE,
        columns=columns,
        rows=tuple(rows),
        clips=clips,
        contestants=(0, 1, 2),
        ranked=True,
        notes=(f"alpha: {HOSTILE}",),
        warnings=(HOSTILE,),
        checks=(("audio checks", "clips"), ("alpha", "24")),
        checks_said=HOSTILE,
        reported=(Reported("Table 2", HOSTILE, ("method", "WER"), (("theirs", "7.5"),)),),
        media_note="2 of 24 clips can be heard.",
    )


@pytest.fixture(scope="session")
def toy_board() -> Board:
    return board()


@pytest.fixture(scope="session")
def toy_media() -> list[Media]:
    return [media("toy-3"), media("toy-20")]


@pytest.fixture(scope="session")
def toy_page(
    toy_board: Board, toy_media: list[Media], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A report on disk."""
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(page_html(Page("toy", "", "", "0", (toy_board,)), toy_media), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def tab(chromium: ModuleType) -> Iterator[object]:
    """A tab of headless Chromium for all tests."""
    program = chromium.find_chromium()
    if program is None:
        pytest.skip("no chromium on PATH")
    with chromium.browser(program) as opened:
        yield opened


@pytest.fixture
def ran(vsseval, toy: Path, tmp_path: Path) -> Path:
    """Results of three oracles on the toy benchmark."""
    models = [word for name in ("reference", "noise", "silence") for word in ("--model", name)]
    words = ("--bench", "toy", "--data", toy, "--workers", 1, "--out", tmp_path / "results")
    result = vsseval("run", *models, *words, "--metrics", "onset_f1,mcd")
    assert result.exit_code == 0, result.output
    return tmp_path / "results"
