"""Clips with sound and speech together: a benchmark of four, made here, through the command line.

Each clip has clicks in the first and last quarter, where its video moves, and a loud buzz in
between that stands for speech. The "speech" of a model is buzz of another pitch.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

from vsseval.audio import SPEECH_MARGIN, without_speech
from vsseval.cli import main
from vsseval.errors import InputError
from vsseval.metrics.onset import onset_f1, onset_f1_outside
from vsseval.types import Audio

RATE = 16000
SPAN = (0.4, 0.6)
TIMES = {"a": (0.15, 0.8), "b": (0.2, 0.75), "c": (0.12, 0.85), "d": (0.22, 0.78)}


def buzz(seed: int) -> np.ndarray:
    """Noise in the middle fifth of a second, zero outside."""
    time = np.arange(RATE) / RATE
    noise = 0.3 * np.random.default_rng(seed).standard_normal(RATE)
    return (noise * ((time >= SPAN[0]) & (time < SPAN[1]))).astype(np.float32)


@pytest.fixture
def joint(tmp_path: Path, make_clicks, make_video) -> Path:
    root = tmp_path / "joint"
    root.mkdir()
    metrics = ["onset_f1", "onset_f1.nonspeech", "relevance.demo", "relevance.demo-nonspeech"]
    about = {"name": "joint-toy", "version": "1", "task": "joint", "clip_seconds": 1.0}
    about |= {"sample_rate": RATE, "metrics": metrics}
    (root / "benchmark.json").write_text(json.dumps(about))
    lines = []
    for number, (name, times) in enumerate(TIMES.items()):
        soundfile.write(root / f"{name}.flac", make_clicks(times, 500) + buzz(number), RATE)
        make_video(root / f"{name}.mp4", times)
        line = {"id": name, "duration": 1.0, "audio": f"{name}.flac", "video": f"{name}.mp4"}
        lines.append(line | {"transcript": "bin blue", "speech_spans": [SPAN]})
    (root / "manifest.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return root


@pytest.fixture
def outputs(tmp_path: Path, make_clicks) -> Callable[..., str]:
    """A folder model of other "speech", and with ``late`` the clicks so much later."""

    def make(late: float = 0.0) -> str:
        folder = tmp_path / f"late{late}"
        folder.mkdir()
        for number, (name, times) in enumerate(TIMES.items()):
            moved = tuple(time + late for time in times)
            samples = make_clicks(moved, 500) + buzz(100 + number)
            soundfile.write(folder / f"{name}.flac", samples, RATE)
        return f"folder:{folder}"

    return make


@pytest.fixture
def scores(joint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict]:
    monkeypatch.setenv("VSSEVAL_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)

    def run(model: str, *words: str) -> dict:
        command = ["run", "--model", model, "--bench", "joint-toy", "--data", str(joint)]
        found = CliRunner().invoke(main, [*command, "--workers", "1", "--json", *words])
        assert found.exit_code == 0, found.output
        return {score["metric"]: score for score in json.loads(found.stdout)["scores"]}

    return run


def test_a_joint_benchmark_needs_no_code(scores, outputs) -> None:
    same_sound = scores(outputs())
    assert same_sound["onset_f1.nonspeech"]["value"] == 1.0
    assert "prep:without-speech:0.1;" in same_sound["relevance.demo-nonspeech"]["signature"]
    assert "without-speech" not in same_sound["relevance.demo"]["signature"]
    late = scores(outputs(0.15))
    assert late["onset_f1.nonspeech"]["value"] == 0.0


def test_speech_moves_no_relevance_outside_speech(scores, outputs) -> None:
    ours, reference = scores(outputs()), scores("reference")
    name = "relevance.demo-nonspeech"
    # The clicks are the same; 16 bits of FLAC round their sum with the buzz alike but for half a
    # step.
    assert ours[name]["value"] == pytest.approx(reference[name]["value"], abs=0.05)
    assert abs(ours["relevance.demo"]["value"] - reference["relevance.demo"]["value"]) > 0.05


def test_items_without_spans_and_of_nothing_but_speech_are_left_out(scores, joint: Path) -> None:
    path = joint / "manifest.jsonl"
    lines = [json.loads(text) for text in path.read_text().splitlines()]
    del lines[0]["speech_spans"]
    lines[1]["speech_spans"] = [[0.0, 1.0]]
    lines[2]["speech_spans"] = []
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    found = scores("reference")
    assert found["onset_f1.nonspeech"]["excluded"] == {
        "a": "no intervals of speech",
        "b": "no onsets on either side outside speech",
    }
    assert found["relevance.demo-nonspeech"]["excluded"] == {
        "a": "generated_nonspeech: no intervals of speech",
        "b": "generated_nonspeech: nothing is left outside speech",
    }
    assert found["onset_f1"]["excluded"] == {}


@pytest.mark.weights
def test_both_sides_of_a_set_are_heard_outside_speech(scores, outputs) -> None:
    chosen = ("--metrics", "fd.aisfx,fd.aisfx-nonspeech")
    found = scores(outputs(), *chosen)
    whole, outside = (found[name]["value"] for name in ("fd.aisfx", "fd.aisfx-nonspeech"))
    assert abs(outside) < 0.02 * whole


@pytest.mark.weights
def test_the_error_rate_is_that_of_the_mixture(scores, joint: Path, tmp_path: Path) -> None:
    # "We never saw the other side of the hill" is understood; under noise as loud as 20 times the
    # speech, nothing separates the two.
    hill, rate = soundfile.read(Path(__file__).parent / "encoders" / "hill.flac", dtype="float32")
    words = "we never saw the other side of the hill"
    line = {"id": "hill", "duration": len(hill) / rate, "transcript": words}
    line |= {"speech_spans": [[0.0, 2.5]], "audio": "hill.flac"}
    (joint / "manifest.jsonl").write_text(json.dumps(line))
    soundfile.write(joint / "hill.flac", hill, rate)
    loud = np.random.default_rng(5).standard_normal(len(hill)) * 0.3
    (tmp_path / "mixed").mkdir()
    soundfile.write(tmp_path / "mixed" / "hill.flac", np.clip(0.05 * hill + loud, -1, 1), rate)
    chosen = ("--metrics", "wer.tiny_en")
    assert scores("reference", *chosen)["wer.tiny_en"]["value"] == 0.0
    assert scores(f"folder:{tmp_path / 'mixed'}", *chosen)["wer.tiny_en"]["value"] > 80.0


def test_erasing_leaves_the_rest_as_it_was() -> None:
    ones = Audio(np.ones((2, 1000), np.float32), 1000)
    left = without_speech(ones, [(0.4, 0.5)]).samples
    assert (left[:, :301] == 1).all()
    assert (left[:, 601:] == 1).all()
    assert (left[:, 351:550] == 0).all()
    # Half way through the fade.
    assert left[0, 325] == pytest.approx(0.5, abs=1e-6)
    assert without_speech(ones, []) is ones
    with pytest.raises(InputError, match="nothing is left outside speech"):
        without_speech(ones, [(0.4 * SPEECH_MARGIN, 1.0 - 0.4 * SPEECH_MARGIN)])


def test_onsets_near_an_interval_find_their_partner_across_the_edge() -> None:
    spans = np.array([[1.0, 2.0]])
    # 0.88 counts, 0.93 does not, and yet they belong together; 1.5 is speech.
    value = onset_f1_outside(spans, np.array([0.5, 0.88, 1.5]), np.array([0.5, 0.93]))
    assert value.tolist() == [1.0, 2.0, 2.0, 1.0, 1.0]
    # One false alarm of four that count, one miss of three: P 1/2, R 2/3.
    generated = np.array([0.1, 0.5, 1.4, 2.5, 3.0])
    found = onset_f1_outside(spans, np.array([0.5, 2.5, 2.7]), generated)
    assert found[1:].tolist() == [2.0, 3.0, 2.0, 4.0]
    assert found[0] == pytest.approx(2 * (1 / 2) * (2 / 3) / (1 / 2 + 2 / 3), rel=1e-12)


def test_without_intervals_it_is_the_f1_of_all_onsets() -> None:
    draws = np.random.RandomState(7)
    for _ in range(20):
        r, g = draws.uniform(0, 3, 8), draws.uniform(0, 3, 5)
        assert onset_f1_outside(np.zeros(0), r, g)[0] == pytest.approx(onset_f1(r, g), rel=1e-12)


def test_a_margin_below_the_window_is_refused() -> None:
    with pytest.raises(InputError, match="margin must be at least the window"):
        onset_f1_outside(np.zeros(0), np.ones(1), np.ones(1), margin=0.05)
