"""The classes of demo-sound."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from vsseval.benchmarks.demo import impacts, moving, steady, struck, walking
from vsseval.benchmarks.demo.clip import Clip, Split, clip_rng

CLASSES: Mapping[str, Callable[[np.random.Generator], Clip]] = {
    "wood_impact": impacts.wood,
    "metal_impact": impacts.metal,
    "glass_impact": impacts.glass,
    "drum": struck.drum,
    "hand_bell": struck.bell,
    "bouncing_ball": moving.ball,
    "footsteps": walking.footsteps,
    "dripping_water": moving.drip,
    "ticking_clock": moving.clock,
    "fan_motor": steady.motor,
    "rain": steady.rain,
    "sawing": steady.saw,
}


def sound_clip(split: Split, index: int) -> Clip:
    """Clip ``index`` of a split; the classes take turns."""
    make = list(CLASSES.values())[index % len(CLASSES)]
    return make(clip_rng(f"demo-sound/{split}/{index}"))
