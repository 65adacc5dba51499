"""The ``BENCHMARKS`` table: what can be asked for by name, and where its media come from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

EMBEDDED_MEDIA = Path(__file__).parent / "media"
"""Folder of the benchmarks that are packaged with the code."""

DEFAULT_DATA = Path("data")
"""Where a benchmark that is not embedded is looked for without ``--data``: ``data/<name>``."""


@dataclass(frozen=True, slots=True)
class BenchmarkRow:
    """A row of the table."""

    name: str
    title: str
    embedded: bool
    """Whether the media are packaged with the code."""
    how_to_get: str
    """What to do when the media are absent."""


_FORM = "put benchmark.json and manifest.jsonl (docs/benchmarks.md) beside them and pass --data DIR"

BENCHMARKS: dict[str, BenchmarkRow] = {
    row.name: row
    for row in (
        BenchmarkRow(
            "demo-sound",
            "96 synthesised clips of 4 s in which what is seen makes the sound",
            True,
            "it is packaged with vsseval: install vsseval again, or write it anew with "
            "`vsseval data demo --split test --out DIR` and pass --data DIR/demo-sound",
        ),
        BenchmarkRow(
            "demo-speech",
            "96 synthesised clips of 4 s of speaking faces, GRID grammar and plain English",
            True,
            "it is packaged with vsseval: install vsseval again, or write it anew with "
            "`vsseval data demo --split test --out DIR` and pass --data DIR/demo-speech",
        ),
        BenchmarkRow(
            "vggsound",
            "VGGSound test set, sound of videos from the web",
            False,
            "the list of clips is at https://www.robots.ox.ac.uk/~vgg/data/vggsound/ and the "
            f"videos must be fetched from their sources; {_FORM}",
        ),
        BenchmarkRow(
            "chem",
            "Chem, sentences of one lecturer's chemistry videos",
            False,
            "VSSFlow's list of clips is at https://huggingface.co/datasets/ceaglex/VisualTTS_Chem "
            f"and the lectures must be fetched from YouTube; {_FORM}",
        ),
        BenchmarkRow(
            "grid",
            "GRID audiovisual sentence corpus, 33 speakers on video",
            False,
            f"audio and video are at https://zenodo.org/records/3625687; {_FORM}",
        ),
    )
}
