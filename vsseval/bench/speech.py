"""Mel-cepstral distortion beside pymcd, and faster-whisper beside openai-whisper.

Both on the clips of demo-speech. pymcd is not restated: its own package is called where it is
installed (``pip install vsseval[bench]``), and else ours stands alone with a word on it.
"""

from __future__ import annotations

import importlib.util
import tempfile
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vsseval.audio import fit_length, read_audio
from vsseval.bench.measure import REPEATS, BenchRow, Comparison, alone, side_by_side
from vsseval.benchmarks.manifest import load_benchmark
from vsseval.encoders import whisper_ct2, whisper_openai, world
from vsseval.metrics.cepstral import mel_cepstral_distortion_dtw, mel_cepstral_distortion_dtw_sl
from vsseval.metrics.transcription import word_error_rate
from vsseval.preparations import prepare
from vsseval.types import AudioEncoder, Item

Samples = NDArray[np.float32]
Pair = tuple[Path, Path]
ABSENT = "pymcd is not installed: pip install vsseval[bench]"


def mel_cepstral_distortions(*, quick: bool = False) -> list[BenchRow]:
    """MCD-DTW and its SL form of 50 pairs of 3 s, from files; and with the references analysed.

    Each clip is paired with the next. The files are at pymcd's own rate, so that both routes hear
    the same samples; pymcd analyses both sides again for each of its two modes.
    """
    count, seconds, repeats = (2, 1.0, 1) if quick else (50, 3.0, REPEATS)
    analyse = world.load()
    what = f"MCD-DTW and SL, {count} pairs of {seconds:g} s"
    with tempfile.TemporaryDirectory() as folder:
        pairs = _pairs(Path(folder), count, seconds)
        known = [_cepstra(analyse, reference) for reference, _ in pairs]

        def cold() -> list[float]:
            return [
                value
                for reference, generated in pairs
                for value in _values(_cepstra(analyse, reference), _cepstra(analyse, generated))
            ]

        def warm() -> list[float]:
            return [
                value
                for cepstra, (_, generated) in zip(known, pairs, strict=True)
                for value in _values(cepstra, _cepstra(analyse, generated))
            ]

        cold()  # numba compiles on the first call
        if importlib.util.find_spec("pymcd") is None:
            return [
                BenchRow(name, alone(route, repeats=repeats)[0], agreement=ABSENT)
                for name, route in ((what, cold), (f"{what}, references known", warm))
            ]
        timed = side_by_side(cold, _pymcd(pairs), repeats=repeats)
        seconds, values = alone(warm, repeats=repeats)
    return [
        _beside_pymcd(what, timed.ours, timed.result, timed, 5.0),
        _beside_pymcd(f"{what}, references known", seconds, values, timed, 20.0),
    ]


def word_error_rates(*, quick: bool = False) -> list[BenchRow]:
    """Transcripts of demo-speech by tiny.en: faster-whisper in int8 beside openai-whisper."""
    items = load_benchmark("demo-speech").items
    spoken = [item for item in items if item.transcript is not None][: 2 if quick else None]
    clips = [_samples(item) for item in spoken]
    said = [str(item.transcript) for item in spoken]
    ours, theirs = whisper_ct2.load(whisper_ct2.TINY_EN), whisper_openai.load("tiny.en")
    for listener in (ours, theirs):
        listener(clips[0])  # the first call imports and compiles
    timed = side_by_side(
        lambda: [str(ours(clip)["text"]) for clip in clips],
        lambda: [str(theirs(clip)["text"]) for clip in clips],
        repeats=1,
    )
    rates = [word_error_rate(said, heard) for heard in (timed.result, timed.reference_result)]
    between = word_error_rate(timed.reference_result, timed.result)
    return [
        BenchRow(
            f"WER, {len(clips)} clips of demo-speech, once, Whisper tiny.en, faster-whisper int8",
            timed.ours,
            "openai-whisper, float32, the same weights and decoding",
            timed.reference,
            agreement=(
                f"WER {rates[0]:.2f} % against {rates[1]:.2f} %; "
                f"{between:.2f} % of words heard differently"
            ),
        )
    ]


def _samples(item: Item) -> Samples:
    assert item.audio is not None
    return prepare(read_audio(item.audio), 16_000, item.duration)


def _pairs(folder: Path, count: int, seconds: float) -> list[Pair]:
    """Files of the first ``count`` clips and of those that follow each, cut, at pymcd's rate."""
    import soundfile

    items = load_benchmark("demo-speech").items[: count + 1]
    paths = []
    for index, item in enumerate(items):
        assert item.audio is not None
        samples = prepare(read_audio(item.audio), world.SAMPLE_RATE, None)
        samples = fit_length(samples, round(seconds * world.SAMPLE_RATE))
        paths.append(folder / f"{index}.wav")
        soundfile.write(paths[-1], samples, world.SAMPLE_RATE, subtype="FLOAT")
    return list(pairwise(paths))


def _cepstra(analyse: AudioEncoder, path: Path) -> NDArray[np.float64]:
    cepstra = analyse(prepare(read_audio(path), world.SAMPLE_RATE, None))["mcep"]
    return np.asarray(cepstra, dtype=np.float64)


def _values(reference: NDArray[np.float64], generated: NDArray[np.float64]) -> tuple[float, float]:
    return (
        mel_cepstral_distortion_dtw(reference, generated),
        mel_cepstral_distortion_dtw_sl(reference, generated),
    )


def _pymcd(pairs: Sequence[Pair]) -> Callable[[], list[float]]:
    from pymcd.mcd import Calculate_MCD

    modes = [Calculate_MCD(MCD_mode=mode) for mode in ("dtw", "dtw_sl")]

    def route() -> list[float]:
        return [
            float(mode.calculate_mcd(str(reference), str(generated)))
            for reference, generated in pairs
            for mode in modes
        ]

    return route


def _beside_pymcd(
    what: str, ours: float, values: list[float], timed: Comparison[list[float]], target: float
) -> BenchRow:
    difference = np.abs(np.array(values) - np.array(timed.reference_result)).max()
    return BenchRow(
        what,
        ours,
        "pymcd 0.2.1, modes dtw and dtw_sl",
        timed.reference,
        target=target,
        agreement=f"largest difference {difference:.0e} dB",
    )
