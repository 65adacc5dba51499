"""How other systems name the audio they publish: a literal table for ``NAME:PATH`` models.

Names are those that a system's own scripts write, or that its authors' archives hold, as read in
the repositories at the commits given. Where nobody outside has seen the archive, ``seen`` says so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Preset:
    """One system's files."""

    name: str
    stem: str
    """Regular expression for the whole path below the folder, without suffix: groups ``id`` and,
    where there are several samples of an item, ``take``."""
    rates: tuple[int, ...]
    """Rates its scripts write [Hz]."""
    seconds: float | None
    """Fixed length [s], None where it follows the video or is predicted."""
    source: str
    """Repository at a commit, and where the files are."""
    ignored: str = ""
    """Regular expression for files that are not the system's output."""
    with_reference: bool = False
    """``_<reference id>`` may follow the id."""
    seen: bool = True
    """Whether the naming was read in code; otherwise it is what the text says, unverified."""

    def example(self, item: str) -> str:
        """A file that is named so, for messages."""
        name = self.stem.replace(r"(?P<take>\d+)", "0")
        name = re.sub(r"\(\?P<id>.*?\)", lambda match: plain_id(item), name)
        # What may be left out is.
        return re.sub(r"\(\?:[^()]*\)\?", "", name) + ".wav"


PRESETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (
        Preset(
            "frieren-outputs",
            stem=r"(?:.*/)?Y(?P<id>.+)_(?P<take>\d+)",
            rates=(16000,),
            seconds=8.192,
            source="cyanbx/Frieren-V2A 0c39692; Hugging Face Cyanbox/Frieren-V2A-results",
        ),
        Preset(
            "mmaudio",
            stem=r"(?:.*/)?(?P<id>[^/]+)",
            rates=(16000, 44100),
            seconds=8.0,
            source="hkchengrex/MMAudio 974010a; Hugging Face data set MMAudio-precomputed-results",
        ),
        Preset(
            "diff-foley",
            # The notebook appends its settings to the folder's name.
            stem=r"(?:.*/)?(?P<id>[^/]+?)(?:_CFG[\d.]+_CG[^/]*)?/sample_(?P<take>\d+)_diff",
            rates=(16000,),
            # 130,816 samples: 512 frames through Griffin-Lim.
            seconds=8.176,
            source="luosiallen/Diff-Foley 0ba1e8a: one folder a video, from its notebook",
        ),
        Preset(
            "foleycrafter",
            stem=r"(?:.*/)?(?P<id>[^/]+)",
            rates=(16000,),
            seconds=None,
            source="open-mmlab/FoleyCrafter c2399fa: inference.py",
        ),
        Preset(
            "v2a-mapper",
            stem=r"(?:.*/)?(?P<id>[^/]+)",
            rates=(16000,),
            seconds=10.0,
            source="heng-hw/V2A-Mapper: VGGSound test samples linked in its README",
            seen=False,
        ),
        Preset(
            "styledubber",
            stem=r"(?:.*/)?wav_pred_(?P<id>[^/]+)",
            rates=(22050,),
            seconds=None,
            source="GalaxyCong/StyleDubber bc431c8",
            ignored=r"(?:.*/)?wav_rec_[^/]*",
            with_reference=True,
        ),
        Preset(
            "speaker2dubber",
            stem=r"(?:.*/)?wav_pred_(?P<id>[^/]+)",
            rates=(22050,),
            seconds=None,
            source="ZZDoog/Speaker2Dubber bfc4c24: generated test set linked in its README",
            ignored=r"(?:.*/)?wav_rec_[^/]*",
            with_reference=True,
        ),
        Preset(
            "emodubber",
            stem=r"(?:.*/)?(?P<id>[^/]+)",
            rates=(16000,),
            seconds=None,
            source="GalaxyCong/EmoDubber 553fa05: generated Chem and GRID sets linked there",
        ),
        Preset(
            "hpmdubbing",
            stem=r"(?:.*/)?wav_pred_(?P<id>[^/]+)",
            rates=(16000, 22050),
            seconds=None,
            source="GalaxyCong/HPMDubbing f50dfa7: 16 kHz on Chem, 22.05 kHz on V2C",
            ignored=r"(?:.*/)?wav_rec_[^/]*",
        ),
        Preset(
            "dsu-avo",
            stem=r"(?:.*/)?(?P<id>[^/]+?)(?:_sample(?P<take>\d+))?",
            rates=(16000,),
            seconds=None,
            source="RanaCM/DSU-AVO 37f616e; names of the VSSFlow authors' collection",
            seen=False,
        ),
    )
}

_SET = re.compile(r"(?:grid|chem|v2c|lrs2|mvlrs_v1|main)[/_]")
_GRID = re.compile(r"s0*(\d{1,2})[-_/]([bpls][bgrw][abiw][a-z][0-9z][anps])")
_CHEM = re.compile(r"chem_\d\d_(.+)")


def plain_id(name: str) -> str:
    """An id as all lineages write it.

    GRID's ``s6-bwba2a``, ``s06_bwba2a`` and ``grid/s6/bwba2a`` are one sentence; VSSFlow's
    ``chem_00_`` stands before the Chem id; prepared benchmarks put the data set's name in front; a
    ``/`` is ``_`` in a flat folder.
    """
    if chem := _CHEM.fullmatch(name):
        name = chem[1]
    while prefix := _SET.match(name):
        name = name[prefix.end() :]
    if grid := _GRID.fullmatch(name):
        return f"s{int(grid[1])}_{grid[2]}"
    return name.replace("/", "_")
