"""Media of clips: encoded so that they play, found by digest, missing with a reason."""

from __future__ import annotations

import base64
import io
import json
from dataclasses import dataclass, replace
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from vsseval.benchmarks.manifest import load_benchmark
from vsseval.generate import generate, generation_folder
from vsseval.records import BenchmarkEntry
from vsseval.reports.html.media import (
    Library,
    Sources,
    flac,
    opus,
    pcm16,
    small_video,
)
from vsseval.reports.leaderboard import Row
from vsseval.reports.manifests import find_benchmark
from vsseval.types import Audio, Item, ModelOutput

RATE = 16000


def noise(seconds: float = 1.0) -> np.ndarray:
    samples = np.random.default_rng(3).uniform(-0.4, 0.4, round(RATE * seconds))
    return samples.astype(np.float32)


def decoded(uri: str) -> tuple[np.ndarray, int]:
    kind, content = uri.split(",", 1)
    assert kind == "data:audio/flac;base64"
    return soundfile.read(io.BytesIO(base64.b64decode(content)), dtype="int16")


@dataclass(frozen=True)
class Late:
    """The reference, some samples late; the clip ``d`` fails."""

    samples: int = 0

    @property
    def signature(self) -> dict[str, str]:
        return {"name": "late", "samples": str(self.samples)}

    def generate(self, item: Item, seed: int) -> ModelOutput:
        if item.id == "d":
            raise ValueError("no more")
        samples, rate = soundfile.read(item.audio, dtype="float32")
        return ModelOutput(Audio(np.roll(samples, self.samples)[None], rate))


@pytest.fixture
def library(boards, toy: Path, tmp_path: Path):
    """``library(0, 100)``: rows of models that are so many samples late, with their audio."""

    def make(*lags: int, **changes: object) -> Library:
        benchmark = load_benchmark("toy", toy)
        sources = Sources(tmp_path / "cache", **changes)
        rows = []
        for lag in lags:
            model = Late(lag)
            folder = generation_folder(sources.cache, benchmark, model.signature, 0)
            generate(model, benchmark, folder)
            rows.append(row(boards, tmp_path, f"late {lag}", model.signature))
        return Library(benchmark, rows, sources)

    return make


def row(boards, tmp_path: Path, label: str, signature: dict[str, str]) -> Row:
    from vsseval.records import ModelEntry, read_record

    where = boards.run(
        tmp_path / "results",
        label,
        boards.scored("mcd", [[1.0]]),
        model=ModelEntry("late", "system", signature),
        failures={"d": "ValueError: no more"},
    )
    record = read_record(where / "record.json")
    return Row(label, False, record, {}, (record,))


def test_flac_keeps_every_sample() -> None:
    samples = noise()
    pcm, rate = soundfile.read(io.BytesIO(flac(samples, RATE)), dtype="int16")
    assert rate == RATE
    np.testing.assert_array_equal(pcm, pcm16(samples))


def test_opus_is_as_long_and_sounds_alike_and_is_smaller() -> None:
    time = np.arange(2 * RATE) / RATE
    tone = (0.4 * np.sin(2 * np.pi * 440 * time)).astype(np.float32)
    content = opus(tone, RATE)
    with av.open(io.BytesIO(content)) as container:
        heard = np.concatenate([f.to_ndarray()[0] for f in container.decode(audio=0)])
    assert len(heard) == 2 * 48000
    spectrum = np.abs(np.fft.rfft(heard))
    assert np.argmax(spectrum) == pytest.approx(880, abs=1)
    hiss = noise(6.0)
    assert len(opus(hiss, 44100)) < len(flac(hiss, 44100)) / 3


def test_opus_of_one_sound_is_the_same_bytes() -> None:
    assert opus(noise(), RATE) == opus(noise(), RATE)


@pytest.mark.parametrize("size", [(1280, 720), (853, 481)], ids=["720p", "odd"])
def test_large_video_becomes_small_and_mute(size: tuple[int, int], tmp_path: Path) -> None:
    path = tmp_path / "large.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        for at in range(10):
            picture = np.full((size[1], size[0], 3), 20 * at, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    with av.open(io.BytesIO(small_video(path))) as container:
        (stream,) = container.streams
        frames = list(container.decode(stream))
        assert stream.codec_context.name == "h264"
        assert (stream.height, len(frames), stream.average_rate) == (360, 10, 25)
        assert stream.width == pytest.approx(360 * size[0] / size[1], abs=2)


def test_tracks_are_the_sounds_that_were_scored(library, toy: Path) -> None:
    media = library(100).media(("a", 0), "m")
    assert [track.names for track in media.tracks] == [("Ground truth",), ("late 100",)]
    truth, late = (decoded(track.audio)[0] for track in media.tracks)
    np.testing.assert_array_equal(truth, soundfile.read(toy / "audio/a.flac", dtype="int16")[0])
    np.testing.assert_array_equal(late, np.roll(truth, 100))
    assert [track.rate for track in media.tracks] == [RATE, RATE]


def test_same_samples_share_a_track(library) -> None:
    media = library(0, 50).media(("b", 0), "m")
    assert [track.names for track in media.tracks] == [("Ground truth", "late 0"), ("late 50",)]


def test_small_video_goes_in_as_it_is(library, toy: Path) -> None:
    media = library(0).media(("c", 0), "m")
    kind, content = media.video.split(",", 1)
    assert kind == "data:video/mp4;base64"
    assert base64.b64decode(content) == (toy / "video/c.mp4").read_bytes()


def test_onsets_of_a_late_sound_are_late(boards, toy: Path, tmp_path: Path) -> None:
    benchmark = load_benchmark("toy", toy)
    sources = Sources(tmp_path / "cache")
    model = Late(1600)
    generate(model, benchmark, generation_folder(sources.cache, benchmark, model.signature, 0))
    rows = [row(boards, tmp_path, "late", model.signature)]
    truth, late = Library(benchmark, rows, sources, onsets=True).media(("c", 0), "m").tracks
    # Planted in clip c at 0.25, 0.5 and 0.75 s; a frame of the detector is 23 ms.
    assert truth.onsets == pytest.approx((0.25, 0.5, 0.75), abs=0.03)
    assert late.onsets == pytest.approx((0.35, 0.6, 0.85), abs=0.03)
    assert Library(benchmark, rows, sources).media(("c", 0), "m").tracks[0].onsets is None


def test_stereo_becomes_the_mean_of_its_channels(library, toy: Path) -> None:
    pair = np.stack([noise(), np.zeros(RATE, np.float32)], axis=1)
    made = library(0)
    soundfile.write(toy / "audio" / "a.flac", pair, RATE)
    track = made.media(("a", 0), "m").tracks[0]
    samples = soundfile.read(toy / "audio" / "a.flac", dtype="float32")[0].mean(axis=1)
    np.testing.assert_array_equal(decoded(track.audio)[0], pcm16(samples))


def test_what_is_missing_says_why(library, toy: Path, tmp_path: Path) -> None:
    made = library(10, 20)
    reasons = [track.missing for track in made.media(("d", 0), "m").tracks[1:]]
    assert reasons == ["not generated: ValueError: no more"] * 2
    first = min((tmp_path / "cache").rglob("a.wav"))
    first.write_bytes(b"RIFF")
    (toy / "video" / "a.mp4").unlink()
    media = made.media(("a", 0), "m")
    missing = [track.missing for track in media.tracks if track.missing]
    assert missing == ["the file in the cache is not the one that was generated"]
    assert (media.video, media.missing) == (None, "a.mp4 is not here")
    first.unlink()
    missing = [track.missing for track in made.media(("a", 0), "m").tracks if track.missing]
    assert missing == ["its sound is not in the cache"]


def test_benchmark_is_found_beside_others_by_digest(toy: Path, tmp_path: Path) -> None:
    digest = load_benchmark("toy", toy).digest
    entry = BenchmarkEntry("toy", "1", "joint", digest)
    for data in (toy, toy.parent):
        found, why = find_benchmark(entry, (data,))
        assert (found.digest, why) == (digest, "")
    found, why = find_benchmark(replace(entry, digest="0" * 64), (toy,))
    assert found is None
    assert f"another version ({digest[:8]}) than the one of the records (00000000)" in why
    found, why = find_benchmark(entry, ())
    assert found is None
    assert why == "the files of toy are not here; --data DIR says where they are"


def test_manifest_line_that_moved_is_another_benchmark(toy: Path, manifest, tmp_path: Path) -> None:
    entry = BenchmarkEntry("toy", "1", "joint", load_benchmark("toy", toy).digest)
    manifest(0, label="glass")
    assert json.loads((toy / "manifest.jsonl").read_text().splitlines()[0])["label"] == "glass"
    assert find_benchmark(entry, (toy,))[0] is None
