"""Discrete sounds of a swung stick or bell: impacts on wood, metal and glass, a drum, a hand bell.

A swing is timed so that the frame after the onset (at most 10 ms later) shows the contact.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vsseval.benchmarks.demo.clip import FPS, Clip, FloatArray, Frame
from vsseval.benchmarks.demo.scene import (
    Colour,
    Painter,
    make_painter,
    paint_floor,
    shade,
    vary,
)
from vsseval.benchmarks.demo.synth import burst, finish, mix, modes, unit

DWELL = 0.01
"""Time for which the stick rests on what it hit [s]."""
PLURAL = {1: "once", 2: "twice"}


@dataclass(frozen=True, slots=True)
class Swing:
    """Strikes of one stick."""

    times: FloatArray
    """Contacts [s]."""
    heights: FloatArray
    """From which each blow falls, world units."""
    falls: FloatArray
    """Duration of each fall [s]."""

    @property
    def loudness(self) -> FloatArray:
        """0..1 for each blow, from its speed at contact, 2 height / fall."""
        return np.clip((2 * self.heights / self.falls - 1.8) / 4.2, 0, 1)

    def jolt(self, t: float) -> float:
        """How far the last blow has pushed what it hit: at once, then creeping back."""
        i = int(np.searchsorted(self.times, t, "right")) - 1
        if i < 0:
            return 0.0
        return float((0.012 + 0.025 * self.loudness[i]) * np.exp((self.times[i] - t) / 0.06))

    def height(self, t: float) -> float:
        """Distance of the tip above the contact point.

        It hovers, falls ever faster, rests for a moment, and bounces back ever slower.
        """
        i = int(np.searchsorted(self.times, t, "right"))
        last = len(self.times)
        to = self.heights[i] if i < last else 0.5 * self.heights[-1]
        fall = self.falls[i] if i < last else 0.0
        before = self.times[i] - t if i < last else np.inf
        if before < fall:
            return float(to * (1 - (1 - before / fall) ** 2))
        if i == 0:
            return float(to)
        after = t - self.times[i - 1] - DWELL
        rise = min(0.6, self.times[i] - self.times[i - 1] - fall - DWELL) if i < last else 0.6
        u = float(np.clip(after / rise, 0, 1))
        return float(to * (1 - (1 - u) ** 2))


def frame_time(rng: np.random.Generator, t: float) -> float:
    """The time of the frame nearest to ``t``, less up to 10 ms."""
    return float(round(t * FPS) / FPS - rng.uniform(0.0, 0.01))


def event_times(
    rng: np.random.Generator, most: int, gap: tuple[float, float], last: float = 3.7
) -> FloatArray:
    """1..``most`` irregular times, the first in 0.28..1.5 s, none after ``last``."""
    times = [frame_time(rng, rng.uniform(0.28, 1.5))]
    for _ in range(int(rng.integers(1, most + 1)) - 1):
        t = frame_time(rng, times[-1] + rng.uniform(*gap))
        if t > last:
            break
        times.append(t)
    return np.array(times)


def make_swing(
    rng: np.random.Generator, most: int = 6, gap: tuple[float, float] = (0.42, 1.1)
) -> Swing:
    """Random blows."""
    times = event_times(rng, most, gap)
    gaps = np.diff(times, prepend=times[0] - 1)
    falls = np.minimum(rng.uniform(0.18, 0.3, len(times)), 0.45 * gaps)
    heights = np.minimum(rng.uniform(1.8, 6.0, len(times)) * falls / 2, 0.66)
    return Swing(times, heights, falls)


def how_often(count: int) -> str:
    """``once``, ``twice``, or ``several times``."""
    return PLURAL.get(count, "several times")


def size_word(size: float) -> str:
    """An adjective for a relative size around 1."""
    return "small" if size < 0.82 else "large" if size > 1.15 else "medium-sized"


def struck_audio(
    rng: np.random.Generator, swing: Swing, body: FloatArray, click: FloatArray, size: float
) -> FloatArray:
    """Each blow excites the body and a click; harder blows are louder and have more click."""
    loud = swing.loudness
    body, click = unit(body), unit(click)
    events = [
        (t, g, r)
        for t, v in zip(swing.times, loud, strict=True)
        for g, r in ((0.4 + 0.6 * v, body), (0.18 + 0.5 * v, click))
    ]
    level = 0.34 + 0.34 * float(loud.max()) + 0.2 * float(np.clip((size - 0.6) / 0.8, 0, 1))
    return finish(rng, mix(events), level)


@dataclass(frozen=True, slots=True)
class Stick:
    """A stick held on one side."""

    contact: tuple[float, float]
    side: float
    """-1: hand on the left, 1: on the right."""
    angle: float
    """Of the stick above the horizontal at contact [rad]."""
    length: float
    soft: bool
    """A felt head instead of a bare tip."""
    colour: Colour

    def paint(self, painter: Painter, height: float) -> None:
        """Paint it with its tip ``height`` above the contact point."""
        turn = self.angle - height / self.length
        hand = (
            self.contact[0] + self.side * self.length * np.cos(self.angle),
            self.contact[1] - self.length * np.sin(self.angle),
        )
        tip = (
            hand[0] - self.side * self.length * np.cos(turn),
            hand[1] + self.length * np.sin(turn),
        )
        out = (hand[0] + (hand[0] - tip[0]) * 0.2, hand[1] + (hand[1] - tip[1]) * 0.2)
        painter.limb(out, tip, 0.055, self.colour)
        if self.soft:
            painter.disc((tip[0], tip[1] - 0.06), 0.1, (190, 40, 45))
            painter.disc((tip[0] - 0.02, tip[1] - 0.09), 0.04, (225, 90, 90))
        else:
            painter.disc((tip[0], tip[1] - 0.02), 0.045, shade(self.colour, 0.7))
        painter.disc(hand, 0.12, (222, 176, 145))
        painter.limb(hand, (hand[0] + self.side * 0.6, hand[1] - 0.1), 0.17, (70, 90, 130))


def make_stick(rng: np.random.Generator, contact: tuple[float, float]) -> Stick:
    """A stick that hits the given point."""
    return Stick(
        contact,
        float(rng.choice([-1.0, 1.0])),
        np.radians(rng.uniform(8, 24)),
        rng.uniform(0.85, 1.05),
        bool(rng.random() < 0.4),
        vary(rng, (120, 78, 40), 25),
    )


def excite(frequencies: FloatArray, soft: bool) -> FloatArray:
    """Mode amplitudes: a soft head reaches the low modes only."""
    return np.exp(-frequencies / (1500.0 if soft else 5000.0))


def drum(rng: np.random.Generator) -> Clip:
    """A mallet on a drum: modes of a circular membrane, pitch by diameter; the skin gives way."""
    painter = make_painter(rng)
    paint_floor(painter, 0.62, vary(rng, (110, 100, 95), 25))
    size = float(rng.uniform(0.62, 1.4))
    swing = make_swing(rng, 8, (0.38, 0.8))
    w, top = 0.46 * size, 0.62 - 0.36 * (0.5 + 0.5 * size)
    stick = make_stick(rng, (rng.uniform(-0.3, 0.3) * w, top + 0.02))
    frequencies = 105 / size * np.array([1, 1.59, 2.14, 2.3, 2.65, 2.92, 3.5])
    decays = 0.16 * (0.6 + 0.4 * size) * (frequencies[0] / frequencies) ** 0.6
    strength = np.exp(-frequencies / (260.0 if stick.soft else 600.0)) * rng.uniform(0.7, 1, 7)
    click = burst(rng, 0.012, 400, 1800 if stick.soft else 5000)
    samples = struck_audio(rng, swing, modes(frequencies, decays, strength, rng), click, size)
    colour = vary(rng, (float(rng.choice([170, 40, 60])), float(rng.choice([40, 60, 110])), 60), 20)
    painter.fill([(-w, top), (w, top), (0.95 * w, 0.62), (-0.95 * w, 0.62)], colour)
    for x in np.linspace(-0.85, 0.85, 7):
        painter.path([(x * w, top + 0.05), (0.93 * x * w, 0.6)], 0.014, (225, 215, 190))
    painter.keep()

    def draw(t: float) -> Frame:
        painter.start()
        dent = swing.jolt(t)
        painter.oval((0, top), (w, 0.075 + dent), (236, 228, 208))
        painter.ring((0, top), (w, 0.075 + dent), 0.025, (150, 150, 155))
        stick.paint(painter, swing.height(t))
        return painter.done()

    times = swing.times
    tool = "soft mallet" if stick.soft else "drumstick"
    caption = f"A {tool} beats a {size_word(size)} drum {how_often(len(times))}."
    return Clip(samples, draw, "drum", caption, tuple(times.tolist()))


def bell(rng: np.random.Generator) -> Clip:
    """A hand bell swings and rings where it stops short; partials of a cast bell, pitch by size."""
    painter = make_painter(rng)
    size = float(rng.uniform(0.65, 1.35))
    times = event_times(rng, 6, (0.38, 0.95))
    spans = rng.uniform(0.45, 0.95, len(times))
    gaps = np.diff(times, prepend=times[0] - 1)
    falls = np.minimum(rng.uniform(0.14, 0.24, len(times)), 0.55 * gaps)
    swing = Swing(times, spans, falls)
    start = float(rng.choice([-1.0, 1.0]))
    ratios = np.array([0.5, 1, 1.19, 1.5, 2, 2.51, 2.66, 3.01, 4.1])
    frequencies = 1050 / size * ratios * rng.uniform(0.996, 1.004, 9)
    decays = 0.65 * (0.5 + 0.5 * size) * (frequencies[1] / frequencies) ** 0.7
    strength = np.array([0.25, 0.7, 0.6, 0.3, 1, 0.5, 0.35, 0.5, 0.4]) * rng.uniform(0.7, 1, 9)
    samples = struck_audio(
        rng, swing, modes(frequencies, decays, strength, rng), burst(rng, 0.004, 3000, 8000), size
    )
    colour = vary(rng, (212, 170, 60), 18)
    handle = vary(rng, (90, 55, 35), 18)

    def angle(t: float) -> float:
        """Of the bell [rad]: alternating stops, reached ever faster and held."""
        i = int(np.searchsorted(times, t, "right"))
        sides = start * (-1.0) ** np.arange(len(times) + 1)
        held = sides[i] * (spans[i - 1] if i else 0.3)
        if i == len(times) or t < times[i] - falls[i]:
            return float(held)
        u = 1 - (times[i] - t) / falls[i]
        goal = sides[i + 1] * spans[i] if i + 1 < len(sides) else held
        return float(held + (goal - held) * u**2)

    profile = np.array([(0.05, 0.02), (0.15, 0.06), (0.2, 0.22), (0.24, 0.38), (0.34, 0.5)]) * size
    outline = np.concatenate([profile, profile[::-1] * (-1, 1)])
    pivot = (0.0, -0.35)

    def draw(t: float) -> Frame:
        painter.start()
        a = angle(t)
        cos, sin = float(np.cos(a)), float(np.sin(a))
        turn = np.array([[cos, sin], [-sin, cos]])

        def place(points: FloatArray) -> FloatArray:
            return np.asarray(points @ turn + pivot)

        tongue = place(np.array([[np.sign(a) * 0.16 * size, 0.52 * size]]))[0]
        painter.disc((tongue[0], tongue[1]), 0.07 * size, (70, 60, 55))
        painter.fill(place(outline), colour)
        painter.fill(
            place(np.array([(0.02, 0.08), (0.09, 0.12), (0.12, 0.36), (0.03, 0.36)]) * size),
            shade(colour, 1.25),
        )
        painter.path(
            place(np.array([(-0.33, 0.48), (0.33, 0.48)]) * size), 0.04, shade(colour, 0.7)
        )
        ends = place(np.array([(0.0, 0.05), (0.0, -0.34)]))
        painter.limb((ends[0, 0], ends[0, 1]), (ends[1, 0], ends[1, 1]), 0.08, handle)
        painter.disc((ends[1, 0], ends[1, 1] + 0.12), 0.12, (222, 176, 145))
        return painter.done()

    caption = f"A {size_word(size)} hand bell rings {how_often(len(times))}."
    return Clip(samples, draw, "hand_bell", caption, tuple(times.tolist()))
