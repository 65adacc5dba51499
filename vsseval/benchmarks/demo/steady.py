"""Continuous sounds, without annotated onsets: a fan, rain in gusts, a hand saw."""

from __future__ import annotations

import numpy as np

from vsseval.benchmarks.demo.clip import FPS, RATE, SAMPLES, SECONDS, Clip, Frame
from vsseval.benchmarks.demo.scene import make_painter, paint_floor, shade, vary
from vsseval.benchmarks.demo.synth import band, burst, finish, mix, smooth_noise, unit

TIME = np.arange(SAMPLES) / RATE


def motor(rng: np.random.Generator) -> Clip:
    """A fan: harmonics locked to the rotation, level and wind grow with it, blades modulate it."""
    painter = make_painter(rng)
    profile = str(rng.choice(["up", "down", "wave", "hump"]))
    low, high = sorted(rng.uniform(0.3, 4.2, 2))
    high = max(high, low + 1.2)
    u = TIME / SECONDS
    curve = {
        "up": u**1.3,
        "down": (1 - u) ** 1.3,
        "wave": smooth_noise(rng, 6, SAMPLES),
        "hump": np.sin(np.pi * u) ** 1.5,
    }[profile]
    speed = low + (high - low) * curve
    turns = np.cumsum(speed) / RATE + rng.uniform(0, 1)
    blades = int(rng.integers(2, 5))
    size = float(rng.uniform(0.65, 1.1))
    gear = 44 / size
    x = np.zeros(SAMPLES)
    tilt = rng.uniform(0.75, 1.15)
    for k in range(1, 25):
        strength = k**-tilt * rng.uniform(0.5, 1) * (1.6 if k in (2, 5) else 1)
        audible = np.clip((7400 - k * gear * speed) / 400, 0, 1)
        x += strength * audible * np.sin(2 * np.pi * (k * gear * turns + rng.uniform(0, 1)))
    pulse = 1 + 0.35 * np.cos(2 * np.pi * blades * turns)
    wind = band(rng.standard_normal(SAMPLES), 150, 2200)
    relative = speed / 5.0
    x = unit(x) * relative**1.2 * pulse + 0.3 * unit(wind) * relative**2 * pulse
    samples = finish(rng, x, 0.3 + 0.5 * float(np.clip(speed.max() / 5.4, 0, 1)))
    radius = 0.62 * size
    body, blade = vary(rng, (80, 95, 110), 35), vary(rng, (225, 225, 215), 20)
    marked = vary(rng, (215, 60, 50), 20)
    painter.limb((0, 0), (0, 1.2), 0.12, shade(body, 0.8))
    painter.disc((0, 0), radius * 1.12, shade(body, 0.7))
    painter.disc((0, 0), radius * 1.04, shade(body, 1.1))
    painter.keep()
    shape = (
        np.array([(0.1, -0.06), (0.55, -0.2), (0.96, -0.12), (1.0, 0.1), (0.6, 0.16), (0.1, 0.06)])
        * radius
    )

    def draw(t: float) -> Frame:
        painter.start()
        i = min(int(t * RATE), SAMPLES - 1)
        still = painter.image
        total = np.zeros(still.shape, dtype=np.uint16)
        for step in range(4):
            painter.image = still.copy()
            j = max(0, i - step * RATE // 200)
            for b in range(blades):
                a = 2 * np.pi * (turns[j] + b / blades)
                cos, sin = float(np.cos(a)), float(np.sin(a))
                painter.fill(shape @ np.array([[cos, sin], [-sin, cos]]), blade if b else marked)
            total += painter.image
        painter.image = ((total + 2) // 4).astype(np.uint8)
        painter.disc((0, 0), 0.16 * radius, shade(body, 0.55))
        return painter.done()

    manner = {
        "up": "speeds up",
        "down": "slows down",
        "wave": "changes its speed",
        "hump": "speeds up and slows down",
    }[profile]
    return Clip(samples, draw, "fan_motor", f"The motor of a fan hums and {manner}.")


def rain(rng: np.random.Generator) -> Clip:
    """Rain in gusts: level and rate of drops follow the seen density, timbre the ground."""
    painter = make_painter(rng)
    ground = str(rng.choice(["a tin roof", "pavement", "a pond"]))
    density = np.clip(0.12 + 0.88 * smooth_noise(rng, 7, SAMPLES) * rng.uniform(0.4, 1.0), 0.1, 1)
    low, high = {"a tin roof": (700, 5500), "pavement": (1500, 7900), "a pond": (400, 3200)}[ground]
    hiss = unit(band(rng.standard_normal(SAMPLES), low, high, 1))
    drops = [
        burst(rng, rng.uniform(0.002, 0.006), 0.7 * centre, min(1.5 * centre, 7800))
        for centre in rng.uniform(low, min(high, 6000), 24)
    ]
    hits = np.flatnonzero(rng.random(int(SECONDS * 1000)) < 0.16 * density[::16]) / 1000
    chosen, gains = rng.integers(0, len(drops), len(hits)), rng.uniform(0.1, 0.55, len(hits))
    events = [(float(t), float(g), drops[i]) for t, g, i in zip(hits, gains, chosen, strict=True)]
    x = hiss * density**1.3 * 0.8 + mix(events) * 0.5
    samples = finish(rng, x, 0.3 + 0.55 * float(density.max()))
    floor = 0.45
    base = {"a tin roof": (130, 135, 145), "pavement": (95, 95, 98), "a pond": (75, 105, 125)}[
        ground
    ]
    tint = vary(rng, (float(base[0]), float(base[1]), float(base[2])), 12)
    painter.background = (painter.background * 0.6).astype(np.uint8)
    painter.start()
    paint_floor(painter, floor, tint)
    if ground == "a tin roof":
        for x0 in np.arange(-2, 2, 0.16):
            painter.path([(x0, floor), (1.8 * x0, 1.6)], 0.03, shade(tint, 0.75))
    elif ground == "pavement":
        for y in (0.6, 0.8, 1.1):
            painter.path([(-3, y), (3, y)], 0.015, shade(tint, 0.7))
    painter.keep()
    slant = rng.uniform(-0.35, 0.35)
    count = 230
    where, phase, depth = (
        rng.uniform(-1.5, 1.5, count),
        rng.uniform(0, 1, count),
        rng.uniform(0.5, 1, count),
    )
    splash_at = rng.uniform((-1.3, floor + 0.03), (1.3, 1.2), (11, 70, 2))

    def draw(t: float) -> Frame:
        painter.start()
        now = float(density[min(int(t * RATE), SAMPLES - 1)])
        n = int(count * now)
        y = -1.3 + 2.6 * ((phase[:n] + t * 2.4 * depth[:n]) % 1.0)
        x0, tail = where[:n] + slant * y, 0.16 * depth[:n]
        ends = np.stack([np.stack([x0, y], 1), np.stack([x0 - slant * tail, y - tail], 1)], 1)
        painter.strokes(ends, 0.012, (205, 215, 228))
        spots = splash_at[int(t * FPS + 0.5) % len(splash_at)][: int(70 * now)]
        aside = np.array([0.035, 0.0])
        painter.strokes(np.stack([spots - aside, spots + aside], 1), 0.02, (215, 225, 235))
        painter.strokes(np.stack([spots, spots - (0.0, 0.05)], 1), 0.01, (215, 225, 235))
        return painter.done()

    mean = float(density.mean())
    word = "Heavy" if mean > 0.5 else "Light" if mean < 0.3 else "Steady"
    return Clip(samples, draw, "rain", f"{word} rain falls on {ground} in gusts.")


def saw(rng: np.random.Generator) -> Clip:
    """A hand saw: level and tooth rate follow the blade's speed; the push is the louder stroke."""
    painter = make_painter(rng)
    paint_floor(painter, 0.55, vary(rng, (120, 105, 90), 25))
    size = float(rng.uniform(0.75, 1.2))
    begin, stop = rng.uniform(0.1, 0.8), rng.uniform(3.0, 3.9)
    stroke = rng.uniform(0.6, 1.3) * (0.75 + 0.5 * smooth_noise(rng, 5, SAMPLES))
    running = np.clip((TIME - begin) / 0.15, 0, 1) * np.clip((stop - TIME) / 0.15, 0, 1)
    reach = rng.uniform(0.22, 0.34)
    place = reach * np.sin(2 * np.pi * np.cumsum(stroke * running) / RATE)
    speed = np.gradient(place) * RATE
    teeth = 130 / size
    pitch = np.sin(2 * np.pi * teeth * place)
    noise = band(rng.standard_normal(SAMPLES), 900 / size, 6500)
    ring = band(rng.standard_normal(SAMPLES), 320 / size, 620 / size)
    force = np.where(speed > 0, 1.0, 0.6) * np.abs(speed) ** 1.3
    x = force * (unit(noise) * (1 + 0.7 * pitch) + 0.5 * unit(ring))
    fastest = float(np.abs(speed).max())
    samples = finish(rng, x, 0.3 + 0.5 * float(np.clip((fastest - 0.6) / 2.2, 0, 1)))
    lumber = vary(rng, (185, 135, 80), 20)
    steel, grip = vary(rng, (190, 195, 200), 12), vary(rng, (150, 60, 40), 35)
    side = float(rng.choice([-1.0, 1.0]))
    top = 0.2
    painter.fill([(-0.7, top), (0.7, top), (0.7, 0.55), (-0.7, 0.55)], lumber)
    for y in (0.27, 0.35, 0.44, 0.5):
        painter.path([(-0.7, y), (0.7, y + 0.01)], 0.01, shade(lumber, 0.8))
    painter.keep()

    def draw(t: float) -> Frame:
        painter.start()
        i = min(int(t * RATE), SAMPLES - 1)
        depth = 0.04 + 0.16 * i / SAMPLES
        x0, y0 = float(place[i]) * side, top + depth
        blade = [(-0.62, -0.04), (0.55, -0.2), (0.55, 0.0), (-0.62, 0.0)]
        painter.fill([(side * bx * size + x0, by * size + y0) for bx, by in blade], steel)
        for bx in np.arange(-0.6, 0.55, 0.07):
            painter.path(
                [(side * bx * size + x0, y0), (side * (bx + 0.035) * size + x0, y0 - 0.035)],
                0.012,
                shade(steel, 0.5),
            )
        painter.limb(
            (side * 0.6 * size + x0, y0 - 0.16 * size),
            (side * 0.68 * size + x0, y0),
            0.13 * size,
            grip,
        )
        painter.disc((side * 0.7 * size + x0, y0 - 0.08 * size), 0.1, (222, 176, 145))
        painter.limb(
            (side * 0.75 * size + x0, y0 - 0.1 * size), (side * 1.7, -0.3), 0.15, (70, 90, 130)
        )
        painter.fill([(-0.7, y0 + 0.015), (0.7, y0 + 0.015), (0.7, 0.55), (-0.7, 0.55)], lumber)
        for y in np.arange(y0 + 0.05, 0.55, 0.08):
            painter.path([(-0.7, y), (0.7, y + 0.01)], 0.01, shade(lumber, 0.8))
        return painter.done()

    manner = "fast" if fastest > 1.7 else "slowly" if fastest < 1.0 else "steadily"
    return Clip(samples, draw, "sawing", f"A hand saw cuts {manner} through a wooden beam.")
