"""The demo generator against its closed forms, against itself, and against the embedded media."""

from __future__ import annotations

import hashlib
import itertools
import json
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile

from vsseval.benchmarks.demo import face, generate_demo
from vsseval.benchmarks.demo.clip import FRAMES, SIZE, Clip, clip_rng, render
from vsseval.benchmarks.demo.encode import pcm, write_video
from vsseval.benchmarks.demo.face import SPEAKERS, make_face
from vsseval.benchmarks.demo.generate import make_clip, next_of_speaker
from vsseval.benchmarks.demo.head import JAW, face_outline
from vsseval.benchmarks.demo.moving import ball
from vsseval.benchmarks.demo.sentences import GRID, draw_sentence, split_of
from vsseval.benchmarks.demo.sounds import CLASSES, sound_clip
from vsseval.benchmarks.demo.speech import require_flite
from vsseval.benchmarks.demo.struck import Swing
from vsseval.benchmarks.demo.synth import bubble, modes
from vsseval.benchmarks.demo.visemes import mouth_at, mouth_track
from vsseval.benchmarks.manifest import read_benchmark
from vsseval.benchmarks.table import EMBEDDED_MEDIA
from vsseval.errors import ExternalToolError, InputError
from vsseval.types import Benchmark
from vsseval.video import read_video

RATE = 16000
CONTINUOUS = {"fan_motor", "rain", "sawing"}
needs_flite = pytest.mark.skipif(
    shutil.which("flite") is None, reason="demo-speech is spoken by flite (Debian package flite)"
)


@pytest.fixture(scope="module")
def sound() -> Benchmark:
    return read_benchmark(EMBEDDED_MEDIA / "demo-sound")


@pytest.fixture(scope="module")
def speech() -> Benchmark:
    return read_benchmark(EMBEDDED_MEDIA / "demo-speech")


def read_pcm(path: Path) -> np.ndarray:
    samples, rate = soundfile.read(path, dtype="int16")
    assert rate == RATE
    return samples


def same_frames(clip: Clip, video: Path) -> None:
    """Frames drawn now are those that were encoded, up to what x264 loses (2 to 3 levels)."""
    drawn = render(clip).astype(np.int16)
    decoded = read_video(video)
    assert decoded.fps == 25
    assert decoded.frames.shape == drawn.shape == (FRAMES, SIZE, SIZE, 3)
    error = np.abs(decoded.frames - drawn).mean(axis=(1, 2, 3))
    assert error.max() < 5
    # One frame off must be seen wherever something moves.
    moving = np.abs(np.diff(drawn, axis=0)).mean(axis=(1, 2, 3)) > 6
    late = np.abs(decoded.frames[1:] - drawn[:-1]).mean(axis=(1, 2, 3))
    assert (late[moving] > error[1:][moving]).all()


def test_embedded_sound_is_balanced_and_annotated(sound: Benchmark) -> None:
    assert Counter(item.label for item in sound.items) == dict.fromkeys(CLASSES, 8)
    for item in sound.items:
        assert (item.onsets is None) == (item.label in CONTINUOUS)
        assert item.caption is not None
        assert item.caption.endswith(".")
        samples = read_pcm(item.audio)
        assert samples.shape == (64000,)
        assert 0.29 < np.abs(samples / 32768).max() < 0.91


def test_embedded_onsets_are_apart_and_heard(sound: Benchmark) -> None:
    for item in sound.items:
        if item.onsets is None:
            continue
        onsets = np.array(item.onsets)
        assert onsets[0] > 0.1
        assert onsets[-1] < 3.9
        assert (np.diff(onsets) >= 0.12).all()
        # The attack is in the slope: rings that last are outdone by the click of the next blow.
        slope = np.abs(np.diff(read_pcm(item.audio).astype(float)))
        for onset in onsets:
            i = round(onset * RATE)
            assert slope[i : i + 320].max() > 1.5 * slope[i - 320 : i - 2].max(), item.id


def test_embedded_speech_is_balanced(speech: Benchmark) -> None:
    assert Counter(item.label for item in speech.items) == {"grid": 64, "plain": 32}
    assert Counter(item.speaker for item in speech.items) == dict.fromkeys(SPEAKERS, 24)
    by_audio = {item.audio: item for item in speech.items}
    for item in speech.items:
        voice = by_audio[item.speaker_audio]
        assert voice.speaker == item.speaker
        assert voice.id != item.id
        assert split_of(item.transcript) == "test"
        words = item.transcript.split()
        fits = len(words) == 6 and all(w in s for w, s in zip(words, GRID, strict=True))
        assert fits == (item.label == "grid")
        assert 5 <= len(words) <= 9
        left, top, right, bottom = item.face_box
        assert 0 <= left < right <= SIZE
        assert 0 <= top < bottom <= SIZE
        assert read_pcm(item.audio).shape == (64000,)


def test_embedded_media_are_small() -> None:
    size = sum(path.stat().st_size for path in EMBEDDED_MEDIA.rglob("*") if path.is_file())
    assert size < 16e6


@pytest.mark.parametrize("index", range(len(CLASSES)), ids=list(CLASSES))
def test_sound_regenerates(sound: Benchmark, index: int) -> None:
    item = sound.items[index]
    clip = sound_clip("test", index)
    assert np.array_equal(pcm(clip.samples), read_pcm(item.audio))
    assert clip.label == item.label
    same_frames(clip, item.video)


@needs_flite
@pytest.mark.parametrize("index", [0, 1, 2, 11])
def test_speech_regenerates(speech: Benchmark, index: int) -> None:
    item = speech.items[index]
    clip = make_clip("speech", "test", index)
    assert clip.transcript == item.transcript
    assert clip.face_box == item.face_box
    assert np.array_equal(pcm(clip.samples), read_pcm(item.audio))
    same_frames(clip, item.video)


@pytest.mark.parametrize("index", [0, 5, 9, 10])
def test_frames_are_the_same_twice(index: int) -> None:
    digests = {
        hashlib.sha256(render(sound_clip("val", index)).tobytes()).hexdigest() for _ in range(2)
    }
    assert len(digests) == 1


def test_video_bytes_are_the_same_every_time(tmp_path: Path) -> None:
    # Rain: with x264's macroblock-tree rate control it came out differently from run to run.
    frames = render(sound_clip("test", 10))
    for name in "abc":
        write_video(tmp_path / name, frames)
    assert len({(tmp_path / name).read_bytes() for name in "abc"}) == 1


def test_workers_change_nothing(tmp_path: Path) -> None:
    for workers in (1, 2):
        out = tmp_path / str(workers)
        generate_demo("val", out, tasks=("sound",), count=3, workers=workers)
    one, two = (
        {p.relative_to(tmp_path / w): p.read_bytes() for p in (tmp_path / w).rglob("*.*")}
        for w in "12"
    )
    assert len(one) == 8
    assert one == two
    assert len(read_benchmark(tmp_path / "1" / "demo-sound").items) == 3


@needs_flite
def test_alignment_covers_the_clip(tmp_path: Path) -> None:
    generate_demo("val", tmp_path, tasks=("speech",), count=5)
    root = tmp_path / "demo-speech"
    items = read_benchmark(root).items
    assert items[0].speaker_audio == items[4].audio
    assert items[4].speaker_audio == items[0].audio
    assert items[1].speaker_audio is None
    lines = [json.loads(line) for line in (root / "alignments.jsonl").read_text().splitlines()]
    assert [line["id"] for line in lines] == [item.id for item in items]
    for line, item in zip(lines, items, strict=True):
        phones = line["phones"]
        assert phones[0][:2] == ["pau", 0.0]
        assert phones[-1][0] == "pau"
        assert phones[-1][2] == 4.0
        for (_, _, end), (_, start, _) in itertools.pairwise(phones):
            assert start == end
        samples = read_pcm(item.audio).astype(float)
        spoken = samples[round(phones[1][1] * RATE) : round(phones[-1][1] * RATE)]
        silence = samples[: round((phones[1][1] - 0.09) * RATE)]
        assert np.sqrt(np.mean(spoken**2)) > 100 * np.sqrt(np.mean(silence**2))


def test_splits_share_no_sentence() -> None:
    drawn = {}
    for split in ("train", "val", "test"):
        rng = clip_rng(f"sentences/{split}")
        drawn[split] = {
            draw_sentence(rng, kind, split) for kind in ("grid", "plain") for _ in range(1500)
        }
        assert len(drawn[split]) > 1500
    assert not drawn["train"] & drawn["val"]
    assert not drawn["train"] & drawn["test"]
    assert not drawn["val"] & drawn["test"]


def test_swing_hits_at_its_times() -> None:
    swing = Swing(np.array([1.0, 2.0]), np.array([0.4, 0.6]), np.array([0.2, 0.2]))
    assert swing.height(0.5) == 0.4
    assert swing.height(0.9) == pytest.approx(0.4 * (1 - 0.5**2))
    assert swing.height(1.0) == 0
    # Speed at contact is 2 height / fall.
    assert swing.height(2.0 - 1e-4) == pytest.approx(1e-4 * 2 * 0.6 / 0.2, rel=1e-3)
    assert swing.loudness[1] > swing.loudness[0]


def test_bounces_shrink_by_one_ratio() -> None:
    for seed in range(20):
        intervals = np.diff(ball(np.random.default_rng(seed)).onsets)
        ratios = intervals[1:] / intervals[:-1]
        assert np.ptp(ratios) < 1e-9
        assert ((ratios > 0.73) & (ratios < 0.87)).all()


def test_bubble_begins_with_minnaert_frequency() -> None:
    # 3.26 m/s over 3.26 mm is 1 kHz: the first full period takes 1 ms, less 0.4 % of rising pitch.
    samples = bubble(3.26)
    up = np.flatnonzero((samples[1:-1] < 0) & (samples[2:] >= 0))[0] + 1
    period = (up + samples[up] / (samples[up] - samples[up + 1])) / RATE
    assert period == pytest.approx(0.996e-3, rel=5e-3)
    assert np.abs(samples[160:]).max() < 0.5 * np.abs(samples[:160]).max()


def test_mode_decays_to_one_over_e() -> None:
    samples = modes([1000.0], [0.05], [1.0], np.random.default_rng(0))
    first, later = (np.abs(samples[i : i + 160]).max() for i in (160, 160 + 800))
    assert later / first == pytest.approx(np.exp(-1), rel=0.02)
    assert np.argmax(np.abs(np.fft.rfft(samples, RATE))) == 1000


def test_mouth_closes_opens_and_moves_smoothly() -> None:
    ends = (("pau", 1.0), ("m", 1.1), ("aa", 1.3), ("p", 1.4), ("uw", 1.6), ("pau", 4.0))
    starts = (0.0, *(end for _, end in ends))
    phones = [(phone, start, end) for (phone, end), start in zip(ends, starts, strict=False)]
    track = mouth_track(phones)
    for closed in (1.05, 1.35):
        assert mouth_at(track, closed).press > 0.95
        assert mouth_at(track, closed).opening < 0.05
    assert mouth_at(track, 1.2).opening > 0.99
    assert mouth_at(track, 1.5).rounding > 0.99
    assert mouth_at(track, 3.0).opening == pytest.approx(0.03)
    # A step smoothed with sigma = 18 ms rises by at most step / (sigma sqrt(2 pi)) a second.
    assert np.abs(np.diff(track, axis=0)).max() / 0.005 < 1.02 / (0.018 * np.sqrt(2 * np.pi))


@pytest.mark.parametrize("speaker", list(SPEAKERS))
def test_face_stays_in_its_box(speaker: str, monkeypatch: pytest.MonkeyPatch) -> None:
    outlines = []

    def record(head: face.Head, opening: float, shut: float) -> None:
        outlines.append(head.place(face_outline(head.looks.long, JAW)))

    monkeypatch.setattr(face, "paint_head", record)
    track = mouth_track((("aa", 0.0, 4.0),))
    for seed in range(40):
        outlines.clear()
        draw, box = make_face(speaker, np.random.default_rng(seed), track)
        for t in np.arange(0, 4, 0.2):
            draw(float(t))
        pixels = (np.concatenate(outlines) + 1) * SIZE / 2
        left, top, right, bottom = box
        assert left <= pixels[:, 0].min()
        assert pixels[:, 0].max() <= right
        assert top <= pixels[:, 1].min()
        assert pixels[:, 1].max() <= bottom


@pytest.mark.parametrize(
    ("index", "count", "other"), [(0, 96, 4), (95, 96, 3), (92, 96, 0), (1, 5, None), (0, 5, 4)]
)
def test_next_clip_of_the_speaker(index: int, count: int, other: int | None) -> None:
    assert next_of_speaker(index, count) == other


def test_missing_flite_names_the_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ExternalToolError, match="Debian package `flite`"):
        generate_demo("test", tmp_path)
    with pytest.raises(ExternalToolError, match="Debian package `flite`"):
        require_flite()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("echo Voices available: kal slt", "no voice awb, rms, kal16"),
        ("echo no memory; exit 3", "flite -lv ended with status 3: no memory"),
    ],
)
def test_broken_flite(
    script: str, message: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "flite").write_text(f"#!/bin/sh\n{script}\n")
    (tmp_path / "flite").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ExternalToolError, match=message):
        require_flite()


@pytest.mark.parametrize(
    ("split", "tasks", "count", "message"),
    [
        ("dev", ("sound",), 1, "unknown split 'dev'"),
        ("val", ("noise",), 1, "unknown task 'noise'"),
        ("val", ("sound",), 0, "count is 0"),
    ],
)
def test_bad_arguments(
    split: str, tasks: tuple[str, ...], count: int, message: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=message):
        generate_demo(split, tmp_path, tasks=tasks, count=count)
