"""A row of the table of encoders (:mod:`vsseval.encoders.table`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class EncoderRow:
    """One encoder."""

    id: str
    kind: Literal["audio", "video", "text", "pair"]
    sample_rate: int | None
    """Rate of the samples it is given [Hz]; None for what hears nothing."""
    load: str
    """``module:function`` that takes the device; so does the function of the same name with
    ``signature`` in place of ``load``, which gives the signature without loading. Where there is a
    ``variant``, both take it before the device."""
    weights: tuple[str, ...]
    """Parts of the weight store that it needs."""
    network: bool
    """Whether a call is a forward pass of a network."""
    outputs: Mapping[str, str]
    """Name of each array -> dtype, shape and meaning."""
    preparation: str = "soxr-mean"
    """Row of ``PREPARATIONS`` by which a file becomes the samples it is given; audio only."""
    uses_face_box: bool = False
    """Whether a video encoder is called with the item's face box, ``face_box`` (None without)."""
    variant: str = ""
    """Which encoder of a module that has several of a kind."""
    joins: tuple[str, ...] = ()
    """What a pair encoder is called with, such as ``video:a.segments`` and ``own:b.segments``;
    ``own`` is the source that a metric asks it about."""

    def all_weights(self) -> tuple[str, ...]:
        """Parts that it and what it joins need."""
        from vsseval.encoders.table import ENCODERS  # which is made of rows

        joined = [join.rpartition(".")[0].partition(":")[2] for join in self.joins]
        parts = [*self.weights, *(part for one in joined for part in ENCODERS[one].weights)]
        return tuple(dict.fromkeys(parts))
