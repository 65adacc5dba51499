"""Where the face is: demo clips, whose boxes their generator states, and prepared speech."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from vsseval.benchmarks import faces
from vsseval.benchmarks.clips import frames_at
from vsseval.benchmarks.manifest import read_benchmark
from vsseval.benchmarks.prepare import Options, prepare
from vsseval.benchmarks.table import EMBEDDED_MEDIA, find_data_set
from vsseval.types import Item
from vsseval.video import read_video

DEMO = read_benchmark(EMBEDDED_MEDIA / "demo-speech")


def overlap(first: faces.Box, second: faces.Box) -> float:
    """Intersection over union."""
    sides = [min(first[k + 2], second[k + 2]) - max(first[k], second[k]) for k in (0, 1)]
    common = max(0, sides[0]) * max(0, sides[1])
    area = [(box[2] - box[0]) * (box[3] - box[1]) for box in (first, second)]
    return common / (sum(area) - common)


def one_of_each_speaker() -> list[Item]:
    return list({item.speaker: item for item in reversed(DEMO.items)}.values())


@pytest.mark.weights
def test_box_is_the_face_that_the_demo_was_painted_with() -> None:
    items = one_of_each_speaker()
    assert len(items) == 4
    for item in items:
        found = faces.face_box(item.video, 100)
        # The detector's own boxes, which are not grown, overlap by 0.6.
        assert overlap(found, item.face_box) > 0.8


@pytest.mark.weights
def test_box_does_not_hang_on_the_processor() -> None:
    item = one_of_each_speaker()[0]
    program = (
        "import sys; from pathlib import Path; from vsseval.benchmarks import faces;"
        "print(*faces._whole_face(faces.frames_at(Path(sys.argv[1]), [0, 50, 99])))"
    )
    old = {
        "ATEN_CPU_CAPABILITY": "default",
        "ONEDNN_MAX_CPU_ISA": "SSE41",
        "MKL_ENABLE_INSTRUCTIONS": "SSE4_2",
    }
    found = []
    for processor in ({}, old):
        done = subprocess.run(
            [sys.executable, "-c", program, str(item.video)],
            env={**os.environ, "OMP_NUM_THREADS": "1", **processor},
            capture_output=True,
            text=True,
            check=True,
        )
        found.append(np.array(done.stdout.split(), np.float64))
    assert found[0].shape == (4,)
    # In float32 the edges differ by 1e-5 pixels and more, so some of them would round otherwise.
    assert np.abs(found[0] - found[1]).max() < 1e-9


@pytest.mark.weights
def test_struck_things_have_no_face() -> None:
    video = EMBEDDED_MEDIA / "demo-sound" / "video" / "sound-test-0000.mp4"
    assert faces.face_box(video, 100) is None


def test_frames_are_those_of_the_whole_video() -> None:
    video = DEMO.items[0].video
    whole = read_video(video).frames
    assert np.array_equal(frames_at(video, [0, 7, 99]), whole[[0, 7, 99]])


@pytest.mark.parametrize(
    ("boxes", "expected"),
    [
        # 50 x 100 pixels: 8 more on each side, 11 more above and below.
        ([[[60, 50, 110, 150]]], (52, 39, 118, 161)),
        # The larger of two; the frame of 192 x 192 pixels is its limit.
        ([[[60, 50, 70, 60], [0, 100, 100, 200]]], (0, 89, 116, 192)),
        # The median of three frames, and frames without a face.
        (
            [[[60, 50, 110, 150]], [], [[62, 52, 112, 152]], [[99, 99, 149, 199]]],
            (54, 41, 120, 163),
        ),
    ],
    ids=["grown", "largest", "median"],
)
def test_box_of_what_the_detector_says(
    boxes: list, expected: faces.Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = iter([*boxes, *[[]] * faces.FACE_FRAMES])
    monkeypatch.setattr(faces, "_cascade", lambda: None)
    monkeypatch.setattr(
        faces.mtcnn, "detect", lambda cascade, frame: np.array(next(said), np.float32)
    )
    assert faces.face_box(DEMO.items[0].video, 100) == expected


def test_prepared_speech_has_faces_once_the_detector_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write_media
) -> None:
    root, out = tmp_path / "raw", tmp_path / "out"
    names = [f"elevenchars-{number:03}" for number in range(2)]
    root.mkdir()
    for name, item in zip(names, DEMO.items, strict=False):
        wave = soundfile.read(item.audio, dtype="float32")[0]
        write_media(root / f"{name}.mp4", read_video(item.video).frames, 25, wave, 16000)
    (root / "test.txt").write_text(
        "".join(f"{name}|{text}\n" for name, text in zip(names, "ab", strict=True))
    )

    def make() -> list[str]:
        return prepare(find_data_set("chem"), Options(root, out)).lines()

    monkeypatch.setattr(faces, "status", lambda parts: [SimpleNamespace(state="missing")])
    assert (
        "faces: not looked for; vsseval weights pull mtcnn, then the same command again" in make()
    )
    assert "face_box" not in (out / "manifest.jsonl").read_text()

    boxes = iter([(1, 2, 30, 40), None])
    monkeypatch.setattr("vsseval.benchmarks.prepare.detector", lambda: "mtcnn:x")
    monkeypatch.setattr("vsseval.benchmarks.clip_job.face_box", lambda path, frames: next(boxes))
    assert "1 clips show no face that could be found" in make()
    lines = [json.loads(line) for line in (out / "manifest.jsonl").read_text().splitlines()]
    assert [line.get("face_box") for line in lines] == [[1, 2, 30, 40], None]
    # Found once: the next run would find the iterator empty if it asked the detector.
    assert "1 clips show no face that could be found" in make()
    assert read_benchmark(out).items[0].face_box == (1, 2, 30, 40)
