"""From a file to what every network of sound hears, beside one decode and resampling a network."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vsseval.audio import read_audio, write_audio
from vsseval.bench.measure import REPEATS, BenchRow, side_by_side
from vsseval.encoders.table import ENCODERS, EncoderRow
from vsseval.preparations import prepare
from vsseval.types import Audio

SECONDS, RATE = 10, 44_100


def fan_out(*, quick: bool = False) -> list[BenchRow]:
    """200 clips of 10 s, stereo FLAC at 44.1 kHz, for all networks that hear sound."""
    clips, repeats = (2, 1) if quick else (200, REPEATS)
    rows = networks_of_sound()
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{at}.flac" for at in range(clips)]
        for at, path in enumerate(paths):
            noise = np.random.default_rng(at).standard_normal((2, SECONDS * RATE)) * 0.1
            write_audio(path, Audio(noise.astype(np.float32), RATE))
        timed = side_by_side(
            partial(_each_once, paths, rows), partial(_each_network, paths, rows), repeats=repeats
        )
    hearing = {(row.preparation, row.sample_rate) for row in rows}
    apart = abs(sum(timed.result) - sum(timed.reference_result)) / sum(timed.reference_result)
    return [
        BenchRow(
            f"decode and prepare {clips} clips of {SECONDS} s for {len(rows)} networks",
            timed.ours,
            "librosa.load(path, sr=rate), soxr HQ, once a network",
            timed.reference,
            target=4.0,
            agreement=f"{len(hearing)} preparations of one decode; relative difference {apart:.0e} "
            "in the number of samples",
        )
    ]


def networks_of_sound() -> list[EncoderRow]:
    """Rows of the networks that metrics of sound use on generated audio, without dialects."""
    from vsseval.metrics.table import METRICS
    from vsseval.score import needs

    wanted = {encoder for _, encoder in needs(m for m in METRICS.values() if m.task != "speech")}
    joins = [join for encoder in wanted for join in ENCODERS[encoder].joins]
    parts = {join.rpartition(".")[0].partition(":")[2] for join in joins}
    return [
        ENCODERS[name]
        for name in sorted(wanted | parts)
        if ENCODERS[name].network and ENCODERS[name].kind == "audio" and "@" not in name
    ]


def _each_once(paths: Sequence[Path], rows: Sequence[EncoderRow]) -> list[int]:
    lengths = []
    for path in paths:
        audio = read_audio(path)
        made: dict[tuple[str, int], NDArray[np.float32]] = {}
        for row in rows:
            at = (row.preparation, row.sample_rate or 0)
            if at not in made:
                made[at] = prepare(audio, at[1], SECONDS, at[0])
            lengths.append(made[at].size)
    return lengths


def _each_network(paths: Sequence[Path], rows: Sequence[EncoderRow]) -> list[int]:
    import librosa

    return [
        librosa.load(path, sr=row.sample_rate, mono=True)[0].size for path in paths for row in rows
    ]
