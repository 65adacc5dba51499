"""The ``BENCHMARKS`` table: what can be asked for by name, and where its media come from."""

from __future__ import annotations

import importlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vsseval.errors import InputError, UnknownNameError

if TYPE_CHECKING:
    from vsseval.benchmarks.layout import DataSet

EMBEDDED_MEDIA = Path(__file__).parent / "media"
"""Folder of the benchmarks that are packaged with the code."""


def default_data() -> Path:
    """``$VSSEVAL_DATA``, else ``data``: where a benchmark is looked for without ``--data``."""
    return Path(os.environ.get("VSSEVAL_DATA") or "data")


@dataclass(frozen=True, slots=True)
class BenchmarkRow:
    """A row of the table."""

    name: str
    title: str
    embedded: bool
    """Whether the media are packaged with the code."""
    origin: str
    """Where the media and the list of clips come from."""
    data_set: str = ""
    """Module with its layout and lists, for ``vsseval data prepare``."""

    @property
    def how_to_get(self) -> str:
        """What to do when the media are absent."""
        if not self.data_set:
            return self.origin
        return (
            f"{self.origin}; then run `vsseval data prepare {self.name} --root DIR --out "
            f"data/{self.name}`, or write benchmark.json and manifest.jsonl yourself "
            "(docs/benchmarks.md) and pass --data DIR"
        )


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
            "the list of clips is at https://www.robots.ox.ac.uk/~vgg/data/vggsound/ or "
            "data/test.csv of https://github.com/hche11/VGGSound, and the videos must be fetched "
            "from their sources",
            "vsseval.benchmarks.vggsound",
        ),
        BenchmarkRow(
            "chem",
            "Chem, sentences of one lecturer's chemistry videos",
            False,
            "lists of clips are at https://github.com/RanaCM/DSU-AVO and "
            "https://huggingface.co/datasets/ceaglex/VisualTTS_Chem, and the lectures must be "
            "fetched from YouTube",
            "vsseval.benchmarks.chem",
        ),
        BenchmarkRow(
            "grid",
            "GRID audiovisual sentence corpus, 33 speakers on video",
            False,
            "audio and video are at https://zenodo.org/records/3625687, the list of test clips at "
            "https://github.com/ZZDoog/ProDubber",
            "vsseval.benchmarks.grid",
        ),
        BenchmarkRow(
            "lrs2",
            "LRS2, sentences from British television",
            False,
            "by agreement with the BBC: https://www.robots.ox.ac.uk/~vgg/data/lip_reading/lrs2.html",
            "vsseval.benchmarks.lrs2",
        ),
        BenchmarkRow(
            "v2c",
            "V2C-Animation, lines of animated films",
            False,
            "built from films of one's own by https://github.com/chenqi008/V2C, the list of test "
            "clips is at https://github.com/ZZDoog/ProDubber",
            "vsseval.benchmarks.v2c",
        ),
        BenchmarkRow(
            "avsync15",
            "AVSync15, short clips of 15 kinds of sound that are seen to be made",
            False,
            "from its authors, https://github.com/lzhangbj/ASVA",
            "vsseval.benchmarks.avsync15",
        ),
        BenchmarkRow(
            "greatest-hits",
            "Greatest Hits, a drumstick on things, with annotated hits",
            False,
            "recordings are at https://andrewowens.com/vis/, the list of clips is "
            "AMT_test_set.json of https://github.com/XYPB/CondFoleyGen",
            "vsseval.benchmarks.greatest_hits",
        ),
        BenchmarkRow(
            "foleybench",
            "FoleyBench, sounds whose source is seen, with categories",
            False,
            "from its authors, https://arxiv.org/abs/2511.13219",
            "vsseval.benchmarks.foleybench",
        ),
    )
}


def find_data_set(name: str) -> DataSet:
    """Layout and lists of a published data set.

    Raises:
        UnknownNameError: no such benchmark.
        InputError: it is one that needs no preparation.
    """
    if name not in BENCHMARKS:
        raise UnknownNameError("benchmark", name, BENCHMARKS)
    module = BENCHMARKS[name].data_set
    if not module:
        raise InputError(f"{name} needs no preparation: {BENCHMARKS[name].how_to_get}")
    return importlib.import_module(module).DATA_SET  # type: ignore[no-any-return]
