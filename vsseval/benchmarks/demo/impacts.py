"""Impacts of a stick on wood, metal and glass."""

from __future__ import annotations

import numpy as np

from vsseval.benchmarks.demo.clip import Clip, FloatArray, Frame
from vsseval.benchmarks.demo.scene import Colour, Painter, make_painter, paint_floor, shade, vary
from vsseval.benchmarks.demo.struck import (
    excite,
    how_often,
    make_stick,
    make_swing,
    size_word,
    struck_audio,
)
from vsseval.benchmarks.demo.synth import burst, modes


def impact(rng: np.random.Generator, material: str) -> Clip:
    """A stick strikes a body: material decides modes and decay, size the pitch, speed the level."""
    painter = make_painter(rng)
    paint_floor(painter, 0.55, vary(rng, (105, 95, 90), 25))
    size = float(rng.uniform(0.62, 1.4))
    swing = make_swing(rng)
    width, height = {"wood": (0.5, 0.3), "metal": (0.62, 0.12), "glass": (0.26, 0.5)}[material]
    width, height = width * size * rng.uniform(0.92, 1.08), height * (0.5 + 0.5 * size)
    top = 0.55 - height - (0.1 if material == "metal" else 0.0)
    stick = make_stick(rng, (rng.uniform(-0.2, 0.2) * width, top))
    if material == "wood":
        ratios = np.array([1, 2.76, 5.40, 8.93, 1.9, 4.1])
        frequencies = 430 / size * ratios * rng.uniform(0.97, 1.03, 6)
        decays = 0.055 * (0.6 + 0.4 * size) * (frequencies[0] / frequencies) ** 0.7
        click = burst(rng, 0.006, 300, 4500)
        colour = vary(rng, (165, 112, 62), 22)
    elif material == "metal":
        ratios = np.array([1, 2.76, 5.40, 8.93, 1.51, 3.46, 4.29, 6.7])
        frequencies = 720 / size * ratios * rng.uniform(0.98, 1.02, 8)
        decays = 0.55 * (0.5 + 0.5 * size) * (frequencies[0] / frequencies) ** 0.55
        click = burst(rng, 0.005, 2200, 8000)
        colour = vary(rng, (176, 180, 188), 14)
    else:
        ratios = np.array([1, 2.32, 4.25, 6.63, 1.72, 3.1])
        frequencies = 1750 / size * ratios * rng.uniform(0.98, 1.02, 6)
        decays = 0.16 * (0.5 + 0.5 * size) * (frequencies[0] / frequencies) ** 0.5
        click = burst(rng, 0.003, 3500, 8000)
        colour = vary(rng, (170, 215, 225), 14)
    strength = excite(frequencies, stick.soft) * rng.uniform(0.6, 1, len(ratios))
    samples = struck_audio(rng, swing, modes(frequencies, decays, strength, rng), click, size)
    grain = rng.uniform(-1, 1, (6, 2))

    def draw(t: float) -> Frame:
        painter.start()
        paint_body(painter, grain, material, colour, (width, top), swing.jolt(t))
        stick.paint(painter, swing.height(t))
        return painter.done()

    thing = {"wood": "wooden block", "metal": "metal bar", "glass": "glass jar"}[material]
    tool = "soft mallet" if stick.soft else "stick"
    times = swing.times
    caption = f"A {tool} strikes a {size_word(size)} {thing} {how_often(len(times))}."
    return Clip(samples, draw, f"{material}_impact", caption, tuple(times.tolist()))


def paint_body(
    painter: Painter,
    grain: FloatArray,
    material: str,
    colour: Colour,
    shape: tuple[float, float],
    jolt: float,
) -> None:
    """The struck body on the table, of a half width and top edge, pushed down by ``jolt``."""
    w, top = shape[0], shape[1] + jolt
    low = 0.55 + jolt
    if material == "wood":
        painter.fill([(-w, top), (w, top), (w, low), (-w, low)], colour)
        for y, bend in grain:
            y = top + (low - top) * (0.55 + 0.4 * y)
            painter.path([(-w, y), (0, y + 0.02 * bend), (w, y)], 0.012, shade(colour, 0.78))
        painter.fill([(-w, top), (w, top), (w, top + 0.035), (-w, top + 0.035)], shade(colour, 1.2))
        painter.oval((0.6 * w, (top + low) / 2), (0.05, 0.03), shade(colour, 0.65))
    elif material == "metal":
        for x in (-0.7 * w, 0.7 * w):
            foot = [(x - 0.04, 0.43), (x + 0.04, 0.43), (x + 0.07, 0.55), (x - 0.07, 0.55)]
            painter.fill(foot, (60, 50, 45))
        low -= 0.1
        painter.fill([(-w, top), (w, top), (w, low), (-w, low)], colour)
        stripe = [(-w, top + 0.02), (w, top + 0.02), (w, top + 0.045), (-w, top + 0.045)]
        painter.fill(stripe, (238, 242, 248))
        painter.fill([(-w, low - 0.02), (w, low - 0.02), (w, low), (-w, low)], shade(colour, 0.6))
    else:
        outline = [(-w, top), (w, top), (0.92 * w, low), (-0.92 * w, low)]
        painter.fill(outline, colour, 0.42)
        painter.path(outline, 0.02, shade(colour, 1.15), closed=True)
        light = [(-0.7 * w, top + 0.06), (-0.5 * w, top + 0.06), (-0.5 * w, low - 0.05)]
        painter.fill([*light, (-0.66 * w, low - 0.05)], (250, 252, 255), 0.6)
        painter.oval((0, top), (w, 0.03), (235, 248, 252), 0.8)


def wood(rng: np.random.Generator) -> Clip:
    """Stick on wood."""
    return impact(rng, "wood")


def metal(rng: np.random.Generator) -> Clip:
    """Stick on metal."""
    return impact(rng, "metal")


def glass(rng: np.random.Generator) -> Clip:
    """Stick on glass."""
    return impact(rng, "glass")
