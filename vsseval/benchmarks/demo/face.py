"""Talking faces: four people whose looks name the speaker and whose mouth follows a track."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from vsseval.benchmarks.demo.clip import SIZE, FloatArray, Frame
from vsseval.benchmarks.demo.head import JAW, Head, Looks, paint_head
from vsseval.benchmarks.demo.mouth import paint_mouth
from vsseval.benchmarks.demo.scene import make_painter, vary
from vsseval.benchmarks.demo.visemes import mouth_at

SPEAKERS: Mapping[str, Looks] = {
    "slt": Looks(
        (240, 200, 175),
        (200, 75, 85),
        (110, 65, 35),
        (70, 110, 80),
        (170, 60, 110),
        1.28,
        "long",
        False,
        False,
    ),
    "awb": Looks(
        (238, 190, 168),
        (190, 95, 88),
        (185, 85, 35),
        (70, 120, 170),
        (45, 90, 65),
        1.3,
        "short",
        True,
        False,
    ),
    "rms": Looks(
        (205, 155, 118),
        (165, 85, 75),
        (35, 28, 25),
        (70, 45, 30),
        (60, 85, 140),
        1.34,
        "curly",
        False,
        True,
    ),
    "kal16": Looks(
        (128, 85, 60),
        (188, 100, 104),
        (30, 24, 22),
        (45, 30, 22),
        (190, 170, 70),
        1.24,
        "bald",
        False,
        False,
    ),
}
"""Flite voice -> looks."""

SWAY = 0.028
"""Largest move of the head to any side, world units."""


def make_face(
    speaker: str, rng: np.random.Generator, track: FloatArray
) -> tuple[Callable[[float], Frame], tuple[int, int, int, int]]:
    """A face with random place, size, sway and blinks.

    Args:
        speaker: one of :data:`SPEAKERS`.
        rng: everything that varies from clip to clip.
        track: mouth shapes, see :func:`vsseval.benchmarks.demo.visemes.mouth_track`.

    Returns:
        The drawing function and the face box (left, top, right, bottom) [px] that holds the face
        throughout, from hairline to open jaw.
    """
    looks = SPEAKERS[speaker]
    painter = make_painter(rng, (1.0, 1.0), 0.0)
    painter.turn = (1.0, 0.0)
    half = float(rng.uniform(0.56, 0.64))
    tall = half * looks.long
    room = 1.0 - 1.03 * tall - SWAY - 0.02
    centre = (rng.uniform(-0.2, 0.2), rng.uniform(-room, room - JAW * half))
    rates = rng.uniform(0.12, 0.45, 3)
    phases = rng.uniform(0, 2 * np.pi, 3)
    reach = rng.uniform(0.3, 1.0, 2) * SWAY
    lean = np.radians(rng.uniform(0.5, 2.5))
    blinks = np.cumsum(rng.uniform(0.7, 2.6, 6))
    tints = [vary(rng, c, 6) for c in (looks.skin, looks.lips)]

    def draw(t: float) -> Frame:
        painter.start()
        move = reach * np.sin(2 * np.pi * rates[:2] * t + phases[:2])
        angle = lean * float(np.sin(2 * np.pi * rates[2] * t + phases[2]))
        head = Head(
            painter, looks, tints[0], (centre[0] + move[0], centre[1] + move[1]), half, angle
        )
        mouth = mouth_at(track, t)
        shut = float(np.exp(-0.5 * ((t - blinks) / 0.045) ** 2).max())
        paint_head(head, mouth.opening, shut)
        paint_mouth(head, mouth, tints[1])
        return painter.done()

    corner = np.array([1.12 * half, 1.03 * tall]) + SWAY + 0.02
    low = np.array(centre) - corner
    high = np.array(centre) + corner + (0, JAW * half)
    box = np.concatenate([np.floor((low + 1) * SIZE / 2), np.ceil((high + 1) * SIZE / 2)])
    left, top, right, bottom = (int(v) for v in np.clip(box, 0, SIZE))
    return draw, (left, top, right, bottom)
