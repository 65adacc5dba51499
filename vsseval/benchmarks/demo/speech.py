"""Clips of demo-speech: a sentence spoken by Flite, and a face whose mouth follows the phones."""

from __future__ import annotations

import io
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import soundfile
import soxr

from vsseval.benchmarks.demo.clip import RATE, SAMPLES, SECONDS, Clip, FloatArray, Split, clip_rng
from vsseval.benchmarks.demo.face import SPEAKERS, make_face
from vsseval.benchmarks.demo.sentences import Kind, draw_sentence
from vsseval.benchmarks.demo.visemes import mouth_track
from vsseval.errors import ExternalToolError

PAUSE = "pau"
LEAD = 0.08
"""Silence kept before the first phone and after the last [s]."""
LATEST_START = 1.4
STRETCH = {"slt": (1.2, 1.45), "awb": (1.2, 1.4), "rms": (1.05, 1.2), "kal16": (1.25, 1.5)}
"""Range of Flite's duration_stretch by voice."""

Phones = tuple[tuple[str, float, float], ...]


def require_flite() -> None:
    """Check that Flite is installed and has the four voices; it speaks an unknown one as kal.

    Raises:
        ExternalToolError: it is not, or has not.
    """
    listed = run_flite(["-lv"]).partition(":")[2].split()
    missing = [voice for voice in SPEAKERS if voice not in listed]
    if missing:
        raise ExternalToolError(
            f"this `flite` has no voice {', '.join(missing)} (it has {', '.join(listed)}); "
            "install the Debian package `flite` (apt-get install flite)"
        )


def run_flite(arguments: list[str]) -> str:
    """What Flite prints.

    Raises:
        ExternalToolError: it is missing or fails.
    """
    if shutil.which("flite") is None:
        raise ExternalToolError(
            "demo-speech is spoken by the program `flite`, which is not on the PATH; "
            "install the Debian package `flite` (apt-get install flite)"
        )
    command = ["flite", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = (done.stderr.strip() or done.stdout.strip())[-300:]
        raise ExternalToolError(f"{' '.join(command)} ended with status {done.returncode}: {last}")
    return done.stdout


def speak(voice: str, text: str, stretch: float) -> tuple[FloatArray, Phones]:
    """Flite's waveform, float64 (n,) at 16 kHz, and its phones with start and end [s].

    Raises:
        ExternalToolError: Flite is missing, fails, or prints something else than phones.
    """
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "speech.wav"
        setting = f"duration_stretch={stretch:.3f}"
        printed = run_flite(
            ["-voice", voice, "--setf", setting, "-psdur", "-t", text, "-o", str(out)]
        )
        if not out.is_file():
            raise ExternalToolError(f"flite wrote no audio for {text!r}")
        samples, rate = soundfile.read(io.BytesIO(out.read_bytes()), dtype="float64")
    phones = []
    start = 0.0
    for pair in printed.split():
        name, _, end = pair.partition(":")
        if not end:
            raise ExternalToolError(
                f"flite printed {pair!r} where PHONE:END was expected for {text!r}"
            )
        phones.append((name, start, float(end)))
        start = float(end)
    if rate != RATE:
        samples = soxr.resample(samples, rate, RATE, quality="HQ")
    return samples, tuple(phones)


def place(
    samples: FloatArray, phones: Phones, rng: np.random.Generator
) -> tuple[FloatArray, Phones]:
    """The speech without its outer silence, at a random start; pauses fill the rest of the clip."""
    spoken = [p for p in phones if p[0] != PAUSE]
    begin, end = max(0.0, spoken[0][1] - LEAD), min(len(samples) / RATE, spoken[-1][2] + LEAD)
    start = rng.uniform(0.1, max(0.1, min(LATEST_START, SECONDS - 0.1 - (end - begin))))
    first = round(start * RATE)
    piece = samples[round(begin * RATE) : round(end * RATE)][: SAMPLES - first].copy()
    ramp = np.linspace(0, 1, 160)
    piece[:160] *= ramp
    piece[-160:] *= ramp[::-1]
    out = np.zeros(SAMPLES)
    out[first : first + len(piece)] = piece
    shift = first / RATE - begin
    inner = [(n, a + shift, b + shift) for n, a, b in phones if spoken[0][1] <= a < spoken[-1][2]]
    return out, ((PAUSE, 0.0, inner[0][1]), *inner, (PAUSE, inner[-1][2], SECONDS))


def speech_clip(split: Split, index: int) -> Clip:
    """Clip ``index`` of a split: the speakers take turns, two of three sentences are GRID's.

    Flite reads ``a`` as the article, so it is given ``ay`` where GRID means the letter.
    """
    rng = clip_rng(f"demo-speech/{split}/{index}")
    speaker = list(SPEAKERS)[index % len(SPEAKERS)]
    kind: Kind = "plain" if index // len(SPEAKERS) % 3 == 2 else "grid"
    stretch = rng.uniform(*STRETCH[speaker])
    while True:
        sentence = draw_sentence(rng, kind, split)
        said = sentence.replace(" a ", " ay ") if kind == "grid" else sentence
        samples, phones = speak(speaker, said, stretch)
        spoken = [p for p in phones if p[0] != PAUSE]
        if spoken[-1][2] - spoken[0][1] <= SECONDS - 2 * LEAD - 0.25:
            break
    samples, phones = place(samples, phones, rng)
    level = rng.uniform(0.5, 0.85) / float(np.abs(samples).max())
    noise = rng.standard_normal(SAMPLES) * 10 ** (-84 / 20)
    draw, face_box = make_face(speaker, rng, mouth_track(phones))
    return Clip(
        np.clip(samples * level + noise, -0.99, 0.99),
        draw,
        kind,
        transcript=sentence,
        speaker=speaker,
        face_box=face_box,
        phones=phones,
    )
