"""The table of pretrained parts: what they hold, where the bytes come from, which licence.

A file may name several sources of the same bytes; they are tried in order, and the sha256 decides
whether a source is believed. A licence text is ``optional``: it is kept beside the weights where
the source brings it. Why two sources are the same bytes, and where a digest comes from that no
publisher states, is told where the rows stand: ``weights_parts_speech``, ``weights_parts_sound``,
``weights_parts_picture``.
"""

from __future__ import annotations

from vsseval.weights_parts import (
    HubFile,
    Joined,
    LocalPath,
    Part,
    Source,
    Url,
    WeightFile,
    WheelFile,
)
from vsseval.weights_parts_picture import PICTURE
from vsseval.weights_parts_sound import SOUND
from vsseval.weights_parts_speech import SPEECH

__all__ = [
    "GROUPS",
    "WEIGHTS",
    "HubFile",
    "Joined",
    "LocalPath",
    "Part",
    "Source",
    "Url",
    "WeightFile",
    "WheelFile",
]

FAMILIES = (SPEECH, SOUND, PICTURE)
WEIGHTS: dict[str, Part] = {name: part for rows in FAMILIES for name, part in rows.items()}
"""All parts by name."""
GROUPS: dict[str, tuple[str, ...]] = {
    "demo": ("aisfx", "whisper-tiny.en", "ge2e", "dnsmos", "cmudict", "mtcnn"),
}
"""Names that stand for several parts."""
