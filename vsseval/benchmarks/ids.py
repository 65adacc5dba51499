"""One normal form for the names that data sets, lists and published outputs give a clip."""

from __future__ import annotations

from vsseval.benchmarks import chem, grid, lrs2, v2c, vggsound
from vsseval.benchmarks.layout import ClipName, stem_of
from vsseval.errors import InputError

_PARSERS = (lrs2.parse, grid.parse, v2c.parse, chem.parse, vggsound.parse)
"""The strictest first."""


def clip_name(text: str) -> ClipName:
    """What a file name or path says: id in its normal form, take, reference.

    Args:
        text: With or without suffix: ``audio_ruK8QzIWrSY_000080_00.wav``, ``s06_bwba2a.wav``.

    Raises:
        InputError: it is the name of no clip of VGGSound, Chem, GRID, LRS2 or V2C.
    """
    for parse in _PARSERS:
        for name in (text, stem_of(text)):
            if found := parse(name):
                return found
    raise InputError(f"{text!r} is the name of no clip of VGGSound, Chem, GRID, LRS2 or V2C")
