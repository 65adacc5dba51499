"""The mouth: lips, teeth and tongue from a :class:`Mouth`, in head coordinates."""

from __future__ import annotations

import cv2
import numpy as np

from vsseval.benchmarks.demo.clip import FloatArray
from vsseval.benchmarks.demo.head import JAW, Head
from vsseval.benchmarks.demo.scene import SHIFT, Colour, Points, oval_points, shade
from vsseval.benchmarks.demo.visemes import Mouth

MIDDLE = 0.66
"""Height of the closed lips, half widths of the face below its centre."""
TEETH: Colour = (250, 248, 240)
TONGUE: Colour = (215, 105, 110)
CAVITY: Colour = (58, 14, 18)


def arc(half: float, height: float, dip: float = 0.0, count: int = 15) -> FloatArray:
    """A bow from (-half, 0) to (half, 0), bulging down by ``height``, with a dip in its centre."""
    u = np.linspace(-1, 1, count)
    return np.stack(
        [u * half, height * (1 - np.abs(u) ** 2.2) - dip * np.exp(-((u / 0.16) ** 2))], axis=1
    )


def paint_mouth(head: Head, mouth: Mouth, lips: Colour) -> None:
    """Paint the mouth.

    The half width runs from 0.2 (fully rounded) to 0.5, the gap up to 0.5; lips thicken when
    rounded and thin to a line when pressed; teeth and tongue are seen only through the gap.
    """
    half = (0.33 + 0.17 * mouth.width) * (1 - 0.4 * mouth.rounding)
    gap = 0.5 * mouth.opening * (1 - mouth.press)
    thick = (0.1 + 0.06 * mouth.rounding) * (1 - 0.72 * mouth.press)
    top = -0.36 * gap
    bottom = 0.64 * gap * (1 - 0.45 * mouth.tuck)
    centre = np.array([0.0, MIDDLE + 0.25 * JAW * mouth.opening])
    upper = arc(half, top - thick, -0.35 * thick)
    lower = arc(half, bottom + thick * (1.25 - 0.85 * mouth.tuck))
    head.fill(np.concatenate([upper, lower[::-1]]) + centre, shade(lips, 0.95))
    shadow = arc(0.7 * half, 0.05) + centre + (0, bottom + 1.5 * thick + 0.04)
    head.path(shadow, 0.03, shade(head.skin, 0.78))
    if mouth.press > 0.3:
        for side in (-1.0, 1.0):
            crease = np.array(
                [
                    (side * half * 1.02, -0.05),
                    (side * (half * 1.02 + 0.05), 0.0),
                    (side * half * 1.02, 0.05),
                ]
            )
            head.path(crease + centre, 0.03, shade(head.skin, 0.65))
    inside = 0.88 * half
    opening = np.concatenate([arc(inside, top), arc(inside, bottom)[::-1]]) + centre
    if gap < 0.035:
        head.path(arc(0.95 * half, 0.012) + centre, 0.035, shade(lips, 0.45))
        return
    stencil = Stencil(head, opening)
    height = bottom - top
    stencil.fill(
        oval_points((0, bottom + 0.4 - 0.4 * height), (0.75 * inside, 0.4)) + centre,
        shade(CAVITY, 1.3),
        1.0,
    )
    if mouth.tongue > 0.08:
        rise = bottom - mouth.tongue_height * 0.8 * height - 0.1 * height
        body = oval_points(
            (0, max(rise, top) + 0.3 * height + 0.05), (0.62 * inside, 0.3 * height + 0.06)
        )
        if mouth.tongue_height <= 0.85:
            stencil.fill(body + centre, TONGUE, mouth.tongue)
    if mouth.upper_teeth > 0.05:
        edge = top + min(0.16, 0.62 * height) * mouth.upper_teeth
        stencil.fill(
            np.array(
                [
                    (-0.85 * inside, edge - 0.3),
                    (0.85 * inside, edge - 0.3),
                    (0.8 * inside, edge),
                    (-0.8 * inside, edge),
                ]
            )
            + centre,
            TEETH,
            1.0,
        )
    if mouth.lower_teeth > 0.05:
        edge = bottom - min(0.11, 0.34 * height) * mouth.lower_teeth
        stencil.fill(
            np.array(
                [
                    (-0.75 * inside, edge),
                    (0.75 * inside, edge),
                    (0.7 * inside, edge + 0.3),
                    (-0.7 * inside, edge + 0.3),
                ]
            )
            + centre,
            shade(TEETH, 0.9),
            1.0,
        )
    if mouth.tongue > 0.08 and mouth.tongue_height > 0.85:
        tip = oval_points((0, top + 0.6 * height), (0.5 * inside, 0.36 * height))
        stencil.fill(tip + centre, TONGUE, mouth.tongue)
    stencil.apply()


class Stencil:
    """Paints in head coordinates, seen only through a polygon."""

    def __init__(self, head: Head, hole: Points):
        """Start with the dark of the mouth."""
        self.head = head
        pixels = head.painter.pixels(head.place(hole))
        low = np.maximum(pixels.min(axis=0) // (1 << SHIFT) - 2, 0)
        high = pixels.max(axis=0) // (1 << SHIFT) + 3
        self.window = (slice(int(low[1]), int(high[1])), slice(int(low[0]), int(high[0])))
        self.corner = low << SHIFT
        self.below = head.painter.image[self.window]
        self.layer = np.empty_like(self.below)
        self.layer[:] = np.array(CAVITY, dtype=np.uint8)
        self.mask = np.zeros(self.below.shape[:2], dtype=np.uint8)
        cv2.fillPoly(self.mask, [pixels - self.corner], 255, cv2.LINE_AA, SHIFT)

    def fill(self, points: Points, colour: Colour, opacity: float) -> None:
        """A polygon behind the hole."""
        pixels = self.head.painter.pixels(self.head.place(points)) - self.corner
        over = self.layer.copy()
        cv2.fillPoly(over, [pixels.astype(np.int32)], colour, cv2.LINE_AA, SHIFT)
        self.layer = cv2.addWeighted(over, opacity, self.layer, 1 - opacity, 0)

    def apply(self) -> None:
        """Show it."""
        mask = self.mask[:, :, None].astype(np.uint16)
        mixed = self.layer * mask + self.below * (255 - mask)
        self.below[:] = ((mixed + 127) // 255).astype(np.uint8)
