"""Footsteps of a figure that walks across the picture."""

from __future__ import annotations

import numpy as np

from vsseval.benchmarks.demo.clip import Clip, FloatArray, Frame
from vsseval.benchmarks.demo.scene import Painter, make_painter, paint_floor, shade, vary
from vsseval.benchmarks.demo.struck import frame_time
from vsseval.benchmarks.demo.synth import burst, finish, grains, mix, modes, unit


def step_sound(rng: np.random.Generator, surface: str) -> FloatArray:
    """One footfall on a surface; peak 1."""
    if surface == "wood":
        thump = modes([95, 170, 310, 520], [0.05, 0.04, 0.03, 0.02], [1, 0.8, 0.6, 0.4], rng)
        tap = burst(rng, 0.008, 300, 3500)
    elif surface == "stone":
        thump = modes([160, 900, 2100], [0.02, 0.012, 0.008], [0.6, 0.5, 0.4], rng)
        tap = burst(rng, 0.006, 1200, 7000)
    elif surface == "gravel":
        thump = 0.5 * burst(rng, 0.02, 80, 500)
        tap = grains(rng, 26, 0.11, 1200, 7500)
    else:
        thump = 0.7 * burst(rng, 0.03, 60, 300)
        tap = burst(rng, 0.035, 1500, 6000, 0.004)
    n = max(len(thump), len(tap))
    return unit(np.pad(unit(thump), (0, n - len(thump))) + np.pad(unit(tap), (0, n - len(tap))))


def knee(
    hip: tuple[float, float], foot: tuple[float, float], length: float, way: float
) -> tuple[float, float]:
    """Where the knee of a leg with two equal bones is, bent in the direction of walking."""
    dx, dy = foot[0] - hip[0], foot[1] - hip[1]
    reach = min(float(np.hypot(dx, dy)), 2 * length * 0.999)
    bend = float(np.sqrt(max(length**2 - (reach / 2) ** 2, 0)))
    norm = max(float(np.hypot(dx, dy)), 1e-6)
    return (
        (hip[0] + foot[0]) / 2 + way * bend * abs(dy) / norm,
        (hip[1] + foot[1]) / 2 - way * bend * dx / norm * 0.3,
    )


def footsteps(rng: np.random.Generator) -> Clip:
    """A walking figure: feet land at onsets; surface gives the timbre, pace and size the level."""
    painter = make_painter(rng, (0.86, 1.02), 0.06)
    surface = str(rng.choice(["wood", "stone", "gravel", "grass"]))
    floor = 0.72
    colours = {
        "wood": (150, 105, 65),
        "stone": (150, 150, 155),
        "gravel": (140, 130, 118),
        "grass": (85, 140, 60),
    }
    base = colours[surface]
    paint_floor(painter, floor, vary(rng, (float(base[0]), float(base[1]), float(base[2])), 14))
    paint_surface(painter, rng, surface, floor, (float(base[0]), float(base[1]), float(base[2])))
    size = float(rng.uniform(0.78, 1.1))
    pace = rng.uniform(0.36, 0.62)
    begin = rng.uniform(0.0, 0.9)
    landings = [frame_time(rng, max(0.3, begin + pace))]
    count = int(rng.integers(3, 9))
    while len(landings) < count and landings[-1] + pace * 1.1 < 3.8:
        landings.append(frame_time(rng, landings[-1] + pace * rng.uniform(0.9, 1.1)))
    times = np.array(landings)
    stride = 0.21 * size * rng.uniform(0.9, 1.1)
    way = float(rng.choice([-1.0, 1.0]))
    origin = -stride * len(times) / 2
    strength = rng.uniform(0.75, 1, len(times))
    events = [(t, s, step_sound(rng, surface)) for t, s in zip(times, strength, strict=True)]
    quick = float(np.clip((0.62 - pace) / 0.26, 0, 1))
    samples = finish(rng, mix(events), 0.34 + 0.3 * quick + 0.25 * (size - 0.78) / 0.32)
    shirt, trousers = vary(rng, (150, 80, 80), 70), vary(rng, (60, 60, 95), 30)
    skin = vary(rng, (205, 160, 125), 35)
    swing_time = 0.72 * pace

    def feet(t: float) -> list[tuple[float, float]]:
        """Position of both feet: x along the path and height above the floor."""
        i = int(np.searchsorted(times, t, "right"))
        places = []
        for foot in (0, 1):
            landed = [j for j in range(i) if j % 2 == foot]
            x = origin + stride * (landed[-1] + 1) if landed else origin
            lift = 0.0
            if i < len(times) and i % 2 == foot and t > times[i] - swing_time:
                u = 1 - (times[i] - t) / swing_time
                x += (origin + stride * (i + 1) - x) * (0.4 * u + 0.6 * u**2)
                lift = 0.13 * size * float(np.sin(np.pi * u**1.6)) if u < 1 else 0.0
            places.append((x, lift))
        return places

    def draw(t: float) -> Frame:
        painter.start()
        (xa, la), (xb, lb) = feet(t)
        middle = (xa + xb) / 2
        hip = (way * middle, floor - 0.56 * size + 0.05 * abs(xa - xb))
        neck = (hip[0] + way * 0.02, hip[1] - 0.42 * size)
        for x, lift, dark in ((xb, lb, 0.75), (xa, la, 1.0)):
            foot = (way * x, floor - 0.03 - lift)
            joint = knee(hip, foot, 0.29 * size, way)
            painter.limb(hip, joint, 0.11 * size, shade(trousers, dark))
            painter.limb(joint, foot, 0.09 * size, shade(trousers, dark))
            painter.limb(
                foot, (foot[0] + way * 0.09 * size, foot[1] + 0.01), 0.06 * size, (35, 30, 30)
            )
        sway = (xa - xb) * 0.7
        for side, dark in ((1, 0.75), (-1, 1.0)):
            hand = (neck[0] + way * side * sway, hip[1] - 0.02)
            painter.limb((neck[0], neck[1] + 0.05), hand, 0.075 * size, shade(shirt, dark))
            painter.disc(hand, 0.045 * size, skin)
        painter.limb(hip, (neck[0], neck[1] + 0.05), 0.17 * size, shirt)
        painter.disc((neck[0] + way * 0.02, neck[1] - 0.1 * size), 0.115 * size, skin)
        painter.oval((neck[0], neck[1] - 0.16 * size), (0.115 * size, 0.075 * size), (60, 42, 30))
        return painter.done()

    speed = "quickly" if quick > 0.6 else "slowly" if quick < 0.3 else "steadily"
    ground = {
        "wood": "a wooden floor",
        "stone": "stone tiles",
        "gravel": "gravel",
        "grass": "grass",
    }[surface]
    caption = f"Footsteps of a person walking {speed} on {ground}."
    return Clip(samples, draw, "footsteps", caption, tuple(times.tolist()))


def paint_surface(
    painter: Painter,
    rng: np.random.Generator,
    surface: str,
    floor: float,
    base: tuple[float, float, float],
) -> None:
    """Boards, tiles, stones or blades of grass on the floor."""
    if surface in ("wood", "stone"):
        for x in np.arange(-2, 2.1, 0.28 if surface == "stone" else 0.5):
            painter.path([(x, floor), (1.5 * x, 1.5)], 0.012, shade(base, 0.7))
        for y in (floor + 0.12, floor + 0.28, floor + 0.5):
            painter.path([(-3, y), (3, y)], 0.012, shade(base, 0.75))
    elif surface == "gravel":
        for x, y in zip(rng.uniform(-1.4, 1.4, 420), rng.uniform(floor, 1.3, 420), strict=True):
            painter.disc((x, y), rng.uniform(0.008, 0.02), shade(base, rng.uniform(0.6, 1.3)))
    else:
        for x, y in zip(rng.uniform(-1.4, 1.4, 420), rng.uniform(floor, 1.3, 420), strict=True):
            tip = (x + rng.uniform(-0.02, 0.02), y - rng.uniform(0.03, 0.07))
            painter.path([(x, y), tip], 0.01, shade(base, rng.uniform(0.65, 1.35)))
    painter.keep()
