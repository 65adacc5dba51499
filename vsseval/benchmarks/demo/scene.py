"""A small painter: world coordinates through a camera onto antialiased shapes, with lighting.

World: x to the right and y downwards, both about -1..1 inside the picture. Colours are RGB, 0..255.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from vsseval.benchmarks.demo.clip import SIZE, FloatArray, Frame

OVER = 2
"""Frames are painted this many times larger and averaged down."""
SHIFT = 4
"""Fractional bits of the coordinates that OpenCV is given."""

Colour = tuple[float, float, float]
Points = Sequence[tuple[float, float]] | FloatArray


class Painter:
    """Paints one frame after another over a fixed background, through one camera and one light."""

    def __init__(
        self, background: Frame, zoom: float, offset: tuple[float, float], tilt: float, light: Frame
    ):
        """Take the camera.

        Args:
            background: uint8 (384, 384, 3), painted before the camera moved.
            zoom: 1 maps the world's -1..1 onto the picture.
            offset: world position that the picture's centre looks at, negated.
            tilt: rotation [rad].
            light: uint8 (256, 1, 3) table applied to each channel of the finished frame.
        """
        self.background = background
        self.scale = zoom * SIZE * OVER / 2
        self.offset = offset
        self.turn = (float(np.cos(tilt)), float(np.sin(tilt)))
        self.light = light
        self.image = background.copy()

    def start(self) -> None:
        """Begin a frame."""
        self.image = self.background.copy()

    def done(self) -> Frame:
        """The finished frame, uint8 (192, 192, 3)."""
        small = cv2.resize(self.image, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
        return np.asarray(cv2.LUT(small, self.light), dtype=np.uint8)

    def keep(self) -> None:
        """Make what is painted so far the background of all frames."""
        self.background = self.image.copy()

    def pixels(self, points: Points) -> NDArray[np.int32]:
        """World points as fixed-point pixel coordinates, int32 (n, 2)."""
        p = np.asarray(points, dtype=np.float64).reshape(-1, 2) + self.offset
        cos, sin = self.turn
        out = np.empty_like(p)
        out[:, 0] = (p[:, 0] * cos - p[:, 1] * sin) * self.scale + SIZE * OVER / 2
        out[:, 1] = (p[:, 0] * sin + p[:, 1] * cos) * self.scale + SIZE * OVER / 2
        return np.rint(out * (1 << SHIFT)).astype(np.int32)

    def fill(self, points: Points, colour: Colour, opacity: float = 1.0) -> None:
        """A filled polygon."""
        pixels = self.pixels(points)
        if opacity >= 1:
            cv2.fillPoly(self.image, [pixels], colour, cv2.LINE_AA, SHIFT)
            return
        layer = self.image.copy()
        cv2.fillPoly(layer, [pixels], colour, cv2.LINE_AA, SHIFT)
        self.image = cv2.addWeighted(layer, opacity, self.image, 1 - opacity, 0)

    def disc(
        self, centre: tuple[float, float], radius: float, colour: Colour, opacity: float = 1.0
    ) -> None:
        """A filled circle."""
        self.oval(centre, (radius, radius), colour, opacity)

    def oval(
        self,
        centre: tuple[float, float],
        radii: tuple[float, float],
        colour: Colour,
        opacity: float = 1.0,
        angle: float = 0.0,
    ) -> None:
        """A filled ellipse, turned by ``angle`` [rad]."""
        self.fill(oval_points(centre, radii, angle), colour, opacity)

    def ring(
        self, centre: tuple[float, float], radii: tuple[float, float], width: float, colour: Colour
    ) -> None:
        """The outline of an ellipse."""
        self.path(oval_points(centre, radii), width, colour, closed=True)

    def path(self, points: Points, width: float, colour: Colour, closed: bool = False) -> None:
        """A line through points, ``width`` in world units."""
        cv2.polylines(
            self.image,
            [self.pixels(points)],
            closed,
            colour,
            max(1, round(width * self.scale)),
            cv2.LINE_AA,
            SHIFT,
        )

    def strokes(self, segments: FloatArray, width: float, colour: Colour) -> None:
        """Many straight lines at once, float64 (n, 2, 2): segment, end, coordinate."""
        if len(segments):
            pixels = self.pixels(segments.reshape(-1, 2)).reshape(-1, 2, 2)
            thickness = max(1, round(width * self.scale))
            cv2.polylines(self.image, list(pixels), False, colour, thickness, cv2.LINE_AA, SHIFT)

    def limb(
        self,
        start: tuple[float, float],
        end: tuple[float, float],
        width: float,
        colour: Colour,
    ) -> None:
        """A thick straight line with round ends, placed to a fraction of a pixel."""
        a, b = np.asarray(start, dtype=np.float64), np.asarray(end, dtype=np.float64)
        along = b - a
        length = float(np.hypot(*along))
        side = np.array([-along[1], along[0]]) / max(length, 1e-9) * width / 2
        self.fill(np.stack([a + side, b + side, b - side, a - side]), colour)
        self.disc(start, width / 2, colour)
        self.disc(end, width / 2, colour)


def oval_points(
    centre: tuple[float, float], radii: tuple[float, float], angle: float = 0.0, count: int = 40
) -> FloatArray:
    """Points on an ellipse turned by ``angle`` [rad], float64 (count, 2)."""
    circle = unit_circle(count)
    x, y = radii[0] * circle[0], radii[1] * circle[1]
    cos, sin = math.cos(angle), math.sin(angle)
    out = np.empty((count, 2))
    out[:, 0] = centre[0] + x * cos - y * sin
    out[:, 1] = centre[1] + x * sin + y * cos
    return out


@cache
def unit_circle(count: int) -> FloatArray:
    """Cosines and sines of ``count`` even steps, float64 (2, count)."""
    a = np.linspace(0, 2 * np.pi, count, endpoint=False)
    return np.stack([np.cos(a), np.sin(a)])


def shade(colour: Colour, factor: float) -> Colour:
    """The colour lighter (factor > 1) or darker (< 1)."""
    red, green, blue = (float(min(255, max(0, c * factor))) for c in colour)
    return red, green, blue


def vary(rng: np.random.Generator, colour: Colour, amount: float = 14) -> Colour:
    """A colour near the given one."""
    red, green, blue = (float(np.clip(c + rng.uniform(-amount, amount), 0, 255)) for c in colour)
    return red, green, blue


def make_backdrop(rng: np.random.Generator) -> Frame:
    """A wall: two colours from top to bottom and a soft mottled texture, uint8 (384, 384, 3)."""
    n = SIZE * OVER
    base = rng.uniform(70, 215) + rng.uniform(-28, 28, 3)
    other = base * rng.uniform(0.72, 1.18)
    ramp = np.linspace(0, 1, n)[:, None, None]
    wall = base * (1 - ramp) + other * ramp
    coarse = rng.integers(0, 256, (12, 12), dtype=np.uint8)
    mottle = cv2.resize(coarse, (n, n), interpolation=cv2.INTER_LINEAR).astype(np.float64)
    wall = wall + (mottle[:, :, None] - 127.5) / 127.5 * rng.uniform(2, 11)
    return np.clip(wall, 0, 255).astype(np.uint8)


def make_painter(
    rng: np.random.Generator, zoom: tuple[float, float] = (0.86, 1.1), shift: float = 0.1
) -> Painter:
    """A painter with a random wall, camera (zoom, offset, tilt up to 4 degrees) and light."""
    strength = rng.uniform(0.85, 1.1) * (1 + rng.uniform(-0.07, 0.07, 3))
    table = np.clip(np.arange(256)[:, None, None] * strength, 0, 255).astype(np.uint8)
    return Painter(
        make_backdrop(rng),
        rng.uniform(*zoom),
        (rng.uniform(-shift, shift), rng.uniform(-shift, shift)),
        np.radians(rng.uniform(-4, 4)),
        table,
    )


def paint_floor(painter: Painter, top: float, colour: Colour) -> None:
    """A floor from ``top`` downwards, darker at its edge; becomes part of the background."""
    painter.fill([(-3, top), (3, top), (3, 3), (-3, 3)], colour)
    painter.fill([(-3, top), (3, top), (3, top + 0.03), (-3, top + 0.03)], shade(colour, 0.75))
    painter.keep()
