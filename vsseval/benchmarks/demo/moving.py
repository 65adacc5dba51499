"""Discrete sounds of things that move by themselves: a ball, dripping water, a clock."""

from __future__ import annotations

import numpy as np

from vsseval.benchmarks.demo.clip import Clip, Frame
from vsseval.benchmarks.demo.scene import make_painter, paint_floor, shade, vary
from vsseval.benchmarks.demo.struck import event_times, frame_time, size_word
from vsseval.benchmarks.demo.synth import bubble, burst, finish, mix, modes, unit


def ball(rng: np.random.Generator) -> Clip:
    """A dropped ball: intervals shrink by its restitution, the level with the impact speed."""
    painter = make_painter(rng)
    floor = 0.7
    paint_floor(painter, floor, vary(rng, (140, 115, 90), 30))
    kind = str(rng.choice(["rubber", "plastic", "steel"]))
    low, high = {"rubber": (0.12, 0.2), "plastic": (0.06, 0.09), "steel": (0.07, 0.1)}[kind]
    radius = float(rng.uniform(low, high))
    restitution = rng.uniform(0.74, 0.86)
    drop = rng.uniform(0.8, 1.25)
    gravity = rng.uniform(5.0, 8.5)
    first = frame_time(rng, rng.uniform(0.6, 1.3))
    speed = float(np.sqrt(2 * gravity * drop))
    release = first - speed / gravity
    times, speeds = [first], [speed]
    while 2 * speeds[-1] * restitution / gravity > 0.2 and len(times) < 12:
        speeds.append(speeds[-1] * restitution)
        times.append(times[-1] + 2 * speeds[-1] / gravity)
    while times[-1] > 3.8:
        times.pop()
        speeds.pop()
    if kind == "rubber":
        base = 14.0 / radius
        body = modes([base, 2.1 * base, 9 * base], [0.05, 0.03, 0.012], [1, 0.5, 0.35], rng)
        click = burst(rng, 0.008, 200, 3000)
    elif kind == "plastic":
        base = 130.0 / radius
        body = modes([base, 1.5 * base, 2.7 * base], [0.012, 0.01, 0.006], [1, 0.7, 0.5], rng)
        click = burst(rng, 0.004, 1500, 7000)
    else:
        base = 210.0 / radius
        body = modes([base, 1.6 * base, 0.12 * base], [0.05, 0.03, 0.03], [0.8, 0.5, 0.8], rng)
        click = burst(rng, 0.004, 2500, 8000)
    body = unit(body)
    click = unit(click)
    gains = (np.array(speeds) / speed) ** 1.3
    events = [
        (t, float(g) * part, r)
        for t, g in zip(times, gains, strict=True)
        for part, r in ((1.0, body), (0.6, click))
    ]
    samples = finish(rng, mix(events), 0.35 + 0.5 * float(np.clip((speed - 2.8) / 2, 0, 1)))
    drift = rng.uniform(-0.16, 0.16)
    start = float(-np.sign(drift) * rng.uniform(0.1, 0.45))
    paint = {"rubber": (205, 100, 45), "plastic": (240, 240, 235), "steel": (150, 155, 165)}[kind]
    colour = vary(rng, (float(paint[0]), float(paint[1]), float(paint[2])), 12)
    when, fast = np.array(times), np.array(speeds)

    def height(t: float) -> float:
        i = int(np.searchsorted(when, t, "right"))
        if i == 0:
            return drop - 0.5 * gravity * max(0.0, t - release) ** 2
        since = t - when[i - 1]
        up = fast[i - 1] * restitution
        return float(max(0.0, up * since - 0.5 * gravity * since**2))

    def draw(t: float) -> Frame:
        painter.start()
        h = height(t)
        past = t - when[when <= t]
        squash = 0.16 * float(np.exp(-past[-1] / 0.03)) if len(past) and kind != "steel" else 0.0
        x = start + drift * max(0.0, min(t, times[-1] + 0.4) - release)
        painter.oval((x, floor + 0.02), (radius * (1.1 - 0.3 * h), 0.03), (60, 50, 42), 0.6)
        y = floor - h - radius * (1 - squash)
        painter.oval((x, y), (radius * (1 + squash), radius * (1 - squash)), colour)
        painter.disc((x - 0.35 * radius, y - 0.4 * radius), 0.3 * radius, shade(colour, 1.3))
        turn = 3 * (x - start) / radius
        painter.path(
            [
                (x - 0.9 * radius * np.cos(turn), y - 0.9 * radius * np.sin(turn)),
                (x + 0.9 * radius * np.cos(turn), y + 0.9 * radius * np.sin(turn)),
            ],
            0.02,
            shade(colour, 0.55),
        )
        return painter.done()

    caption = f"A {kind} ball drops and bounces on the floor."
    return Clip(samples, draw, "bouncing_ball", caption, tuple(float(t) for t in times))


def drip(rng: np.random.Generator) -> Clip:
    """Drops fall into water: pitch by the drop's size (Minnaert), level by size and fall."""
    painter = make_painter(rng)
    water = rng.uniform(0.38, 0.62)
    mouth = rng.uniform(-0.6, -0.35)
    times = event_times(rng, 6, (0.36, 1.1))
    gravity = rng.uniform(11, 17)
    fall = float(np.sqrt(2 * (water - mouth - 0.12) / gravity))
    radius = rng.uniform(0.035, 0.075)
    radii = radius * rng.uniform(0.85, 1.15, len(times))
    events = []
    for t, r in zip(times, radii, strict=True):
        gain = float((r / 0.075) ** 0.8)
        events.append((t, 0.5 * gain, burst(rng, 0.004, 1500, 7000)))
        events.append((t + 0.008, gain, bubble(1.1 + (r - 0.03) * 50)))
    drop_size = float(np.clip((radius - 0.035) / 0.04, 0, 1))
    samples = finish(
        rng, mix(events), 0.34 + 0.3 * drop_size + 0.22 * (water - mouth - 0.73) / 0.49
    )
    x = rng.uniform(-0.3, 0.3)
    blue = vary(rng, (70, 120, 165), 25)
    tap = vary(rng, (150, 152, 158), 12)
    painter.fill([(-3, water - 0.02), (3, water - 0.02), (3, 3), (-3, 3)], blue)
    painter.fill(
        [(-3, water - 0.04), (3, water - 0.04), (3, water - 0.01), (-3, water - 0.01)],
        shade(blue, 1.25),
    )
    side = float(rng.choice([-1.0, 1.0]))
    painter.limb((x + side * 1.5, mouth - 0.2), (x, mouth - 0.2), 0.16, tap)
    painter.limb((x, mouth - 0.2), (x, mouth - 0.04), 0.16, tap)
    painter.limb(
        (x + side * 0.3, mouth - 0.28), (x + side * 0.3, mouth - 0.4), 0.07, shade(tap, 0.8)
    )
    painter.keep()

    def draw(t: float) -> Frame:
        painter.start()
        for when, r in zip(times, radii, strict=True):
            since = t - when
            if -0.35 - fall < since < -fall:
                grow = 1 + (since + fall) / 0.35
                painter.oval(
                    (x, mouth + 0.04 + r * grow), (r * grow, 1.2 * r * grow), (150, 200, 235)
                )
            elif -fall <= since < 0:
                y = mouth + 0.12 + 0.5 * gravity * (since + fall) ** 2
                painter.oval((x, y - r), (0.85 * r, 1.35 * r), (150, 200, 235))
                painter.disc((x - 0.25 * r, y - 1.3 * r), 0.25 * r, (240, 250, 255))
            elif 0 <= since < 0.9:
                fade = float(np.exp(-since / 0.3))
                for lag in (0.0, 0.1):
                    wide = 3 * r + 0.6 * (since - lag) / (1 + since)
                    if since >= lag:
                        colour = shade(blue, 1 + 0.4 * fade)
                        painter.ring((x, water + 0.05), (wide, 0.2 * wide), 0.02, colour)
                jump = since / 0.2
                if jump < 1:
                    up = (1 - (1 - jump) ** 2) * 2.6 * r
                    for lean in (-2.2, -1, 1, 2.2):
                        spot = (x + lean * r * (0.8 + jump), water - up * (1.3 - 0.2 * abs(lean)))
                        painter.disc(spot, 0.34 * r * (1 - jump), (190, 225, 245))
        return painter.done()

    word = "Small drops" if drop_size < 0.35 else "Large drops" if drop_size > 0.65 else "Drops"
    if len(times) == 1:
        word = word.replace("rops", "rop")
        word = f"A {word.lower()}" if word[0] != "D" else "A drop"
    verb = "falls" if len(times) == 1 else "drip"
    caption = f"{word} of water {verb} from a tap into still water."
    return Clip(samples, draw, "dripping_water", caption, tuple(times.tolist()))


def clock(rng: np.random.Generator) -> Clip:
    """A clock ticks where its second hand jumps, or where its pendulum passes the middle.

    The pendulum's half period is pi sqrt(length / g).
    """
    painter = make_painter(rng)
    pendulum = bool(rng.random() < 0.5)
    size = float(rng.uniform(0.7, 1.15))
    period = rng.uniform(0.42, 1.0)
    first = rng.uniform(0.25, 0.25 + min(period, 0.9))
    times = np.arange(first, 3.8, period)
    if not pendulum:
        times = np.array([frame_time(rng, t) for t in times])
    case = 650 / size
    high = modes(
        [case, 3.1 * case, 2900 / size, 4700 / size],
        [0.02, 0.012, 0.008, 0.006],
        [0.5, 0.5, 1, 0.7],
        rng,
    )
    low = modes(
        [0.8 * case, 2.6 * case, 2300 / size, 3900 / size],
        [0.022, 0.013, 0.009, 0.006],
        [0.6, 0.5, 1, 0.6],
        rng,
    )
    click = burst(rng, 0.002, 2000, 8000)
    events = [
        (t, g, r)
        for i, t in enumerate(times)
        for g, r in ((1.0 - 0.15 * (i % 2), unit(low if i % 2 else high)), (0.6, click))
    ]
    samples = finish(rng, mix(events), 0.33 + 0.4 * (size - 0.7) / 0.45)
    rim, face = vary(rng, (95, 60, 40), 30), vary(rng, (240, 235, 220), 12)
    centre = (0.0, -0.42 if pendulum else 0.0)
    radius = (0.34 if pendulum else 0.72) * size
    if pendulum:
        painter.fill(
            [(-0.42 * size, -0.9), (0.42 * size, -0.9), (0.5 * size, 0.95), (-0.5 * size, 0.95)],
            shade(rim, 1.25),
        )
        painter.fill(
            [(-0.36 * size, -0.03), (0.36 * size, -0.03), (0.42 * size, 0.9), (-0.42 * size, 0.9)],
            shade(rim, 0.6),
        )
    painter.disc(centre, radius * 1.1, rim)
    painter.disc(centre, radius, face)
    for i in range(12):
        a = i * np.pi / 6
        inner = 0.82 if i % 3 else 0.74
        ends = [
            (centre[0] + radius * f * np.sin(a), centre[1] - radius * f * np.cos(a))
            for f in (inner, 0.92)
        ]
        painter.path(ends, 0.03 * size, (50, 45, 45))
    hour, minute, second = rng.uniform(0, 2 * np.pi, 3)
    for a, f, w in ((hour, 0.5, 0.06), (minute, 0.75, 0.04)):
        painter.limb(
            centre,
            (centre[0] + radius * f * np.sin(a), centre[1] - radius * f * np.cos(a)),
            w * size,
            (40, 36, 36),
        )
    painter.keep()
    arm = 0.18 + 0.62 * period**2
    jump = np.radians(18.0)

    def draw(t: float) -> Frame:
        painter.start()
        if pendulum:
            a = 0.42 * np.sin(np.pi * (t - first) / period) * (0.55 / arm) ** 0.5
            bob = (arm * 1.0 * np.sin(a), -0.02 + arm * np.cos(a))
            painter.limb((0.0, -0.05), bob, 0.03, (205, 180, 110))
            painter.disc(bob, 0.13 * size, (222, 190, 90))
            painter.disc((bob[0] - 0.03, bob[1] - 0.03), 0.06 * size, (248, 228, 150))
        else:
            a = second + jump * int(np.searchsorted(times, t, "right"))
            tip = (centre[0] + 0.88 * radius * np.sin(a), centre[1] - 0.88 * radius * np.cos(a))
            tail = (centre[0] - 0.2 * radius * np.sin(a), centre[1] + 0.2 * radius * np.cos(a))
            painter.limb(tail, tip, 0.045 * size, (200, 40, 35))
            painter.disc(centre, 0.06 * size, (200, 40, 35))
        return painter.done()

    what = "pendulum clock" if pendulum else "wall clock"
    rate = "fast" if period < 0.6 else "slowly" if period > 0.85 else "steadily"
    caption = f"A {size_word(size)} {what} ticks {rate}."
    return Clip(samples, draw, "ticking_clock", caption, tuple(times.tolist()))
