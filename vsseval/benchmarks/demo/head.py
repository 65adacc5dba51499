"""The head without its mouth: shape, hair, eyes, brows, nose, beard, glasses, shoulders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from vsseval.benchmarks.demo.clip import FloatArray
from vsseval.benchmarks.demo.scene import Colour, Painter, Points, oval_points, shade

JAW = 0.15
"""How far a fully open mouth lowers the chin, in half widths of the face."""


@dataclass(frozen=True, slots=True)
class Looks:
    """What stays the same in all clips of a speaker."""

    skin: Colour
    lips: Colour
    hair: Colour
    eyes: Colour
    shirt: Colour
    long: float
    """Height of the face over its width."""
    hair_style: Literal["long", "short", "curly", "bald"]
    beard: bool
    glasses: bool


@dataclass(frozen=True, slots=True)
class Head:
    """A head in the picture.

    Its own coordinates: origin in the middle of the face, unit half its width, y downwards.
    """

    painter: Painter
    looks: Looks
    skin: Colour
    centre: tuple[float, float]
    half: float
    """World units."""
    angle: float
    """Lean [rad]."""

    def fill(self, points: Points, colour: Colour, opacity: float = 1.0) -> None:
        """A polygon in head coordinates."""
        self.painter.fill(self.place(points), colour, opacity)

    def path(self, points: Points, width: float, colour: Colour, closed: bool = False) -> None:
        """A line in head coordinates."""
        self.painter.path(self.place(points), width * self.half, colour, closed)

    def oval(self, centre: tuple[float, float], radii: tuple[float, float], colour: Colour) -> None:
        """An ellipse in head coordinates."""
        self.fill(oval_points(centre, radii), colour)

    def place(self, points: Points) -> FloatArray:
        """Head coordinates to world coordinates."""
        cos, sin = float(np.cos(self.angle)), float(np.sin(self.angle))
        p = np.asarray(points, dtype=np.float64) * self.half
        return np.asarray(p @ np.array([[cos, sin], [-sin, cos]]) + self.centre)


def face_outline(long: float, drop: float, wide: float = 1.0) -> FloatArray:
    """The face from the hairline to a chin lowered by ``drop``."""
    points = oval_points((0, 0), (1, long), count=60)
    low = np.clip(points[:, 1] / long, 0, 1)
    points[:, 0] *= wide * (1 - 0.16 * low)
    points[:, 1] += drop * low
    return points


def paint_head(head: Head, opening: float, shut: float) -> None:
    """Paint it.

    Args:
        head: where and whose.
        opening: of the mouth, lowers the jaw; 0..1.
        shut: closing of the lids, 0..1.
    """
    looks, long, drop = head.looks, head.looks.long, JAW * opening
    skin, hair = head.skin, looks.hair
    if looks.hair_style == "long":
        head.fill(oval_points((0, -0.1), (1.17, long + 0.02)), hair)
        head.fill([(-1.17, -0.1), (1.17, -0.1), (1.12, 1.6), (-1.12, 1.6)], hair)
    elif looks.hair_style == "curly":
        for a in np.linspace(np.pi * 1.02, np.pi * 1.98, 13):
            head.oval((1.0 * float(np.cos(a)), long * float(np.sin(a))), (0.2, 0.2), hair)
    head.fill([(-0.38, 0.8), (0.38, 0.8), (0.45, 2.2), (-0.45, 2.2)], shade(skin, 0.82))
    head.fill(
        [(-1.9, 2.4), (-1.35, 1.62), (-0.4, 1.42), (0.4, 1.42), (1.35, 1.62), (1.9, 2.4)],
        looks.shirt,
    )
    for side in (-1.0, 1.0):
        head.oval((side * 1.0, -0.05), (0.12, 0.22), shade(skin, 0.88))
    head.fill(face_outline(long, drop), skin)
    if looks.beard:
        jaw = face_outline(long, drop)
        head.fill(jaw[(jaw[:, 1] > 0.2)], hair)
        head.oval((0, 0.3), (0.78, 0.42), skin)
        head.oval((0, 0.66 + drop / 3), (0.56, 0.3 + drop / 2), skin)
    if looks.hair_style == "short":
        cap = face_outline(long, 0.0, 1.03)
        head.fill(cap[cap[:, 1] < -0.62 * long], hair)
    elif looks.hair_style == "long":
        cap = face_outline(long, 0.0, 1.0)
        head.fill([*cap[cap[:, 1] < -0.5 * long], (0.1, -0.85 * long)], hair)
    elif looks.hair_style == "curly":
        cap = face_outline(long, 0.0, 1.0)
        head.fill(cap[cap[:, 1] < -0.72 * long], hair)
    for side in (-1.0, 1.0):
        eye = (side * 0.42, -0.22)
        head.oval(eye, (0.2, 0.115 * (1 - shut) + 0.012), (246, 246, 242))
        if shut < 0.6:
            head.oval(eye, (0.095, 0.1 * (1 - shut)), looks.eyes)
            head.oval(eye, (0.045, 0.05 * (1 - shut)), (20, 18, 18))
        lid = [(side * 0.62, -0.22), (side * 0.42, -0.22 - 0.13 * (1 - shut)), (side * 0.22, -0.22)]
        head.path(lid, 0.035, shade(skin, 0.55))
        brow = [(side * 0.64, -0.44), (side * 0.44, -0.51), (side * 0.22, -0.46)]
        head.path(brow, 0.07, shade(hair, 0.8))
        if looks.glasses:
            head.path(
                oval_points((side * 0.42, -0.2), (0.29, 0.24)), 0.05, (30, 30, 35), closed=True
            )
    if looks.glasses:
        head.path([(-0.13, -0.22), (0.13, -0.22)], 0.05, (30, 30, 35))
    head.path([(0.05, -0.1), (0.11, 0.2), (-0.02, 0.25)], 0.04, shade(skin, 0.72))
