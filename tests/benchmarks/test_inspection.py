"""Planted duplicates, muted and still clips are found, and nothing else is."""

from __future__ import annotations

import json
import shutil
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from vsseval.audio import read_audio, write_audio
from vsseval.benchmarks import inspection
from vsseval.benchmarks.clips import read_sound
from vsseval.benchmarks.contact_sheet import cell, middle_frame
from vsseval.benchmarks.fingerprint import fingerprint, same_recordings
from vsseval.benchmarks.manifest import load_benchmark
from vsseval.benchmarks.table import EMBEDDED_MEDIA
from vsseval.errors import InputError
from vsseval.resampling import resample
from vsseval.types import Audio

CLIPS = [
    item for name in ("demo-sound", "demo-speech") for item in load_benchmark(name).items[::12]
]


def coded(audio: Audio, path: Path) -> Audio:
    """The sound after AAC at 32 kbit/s."""
    with av.open(str(path), "w") as out:
        stream = out.add_stream("aac", rate=audio.sample_rate, layout="mono")
        stream.bit_rate = 32000
        frame = av.AudioFrame.from_ndarray(audio.samples, format="fltp", layout="mono")
        frame.sample_rate, frame.pts = audio.sample_rate, 0
        frame.time_base = Fraction(1, audio.sample_rate)
        splitter = av.AudioResampler("fltp", "mono", audio.sample_rate, frame_size=1024)
        for part in [*splitter.resample(frame), *splitter.resample(None)]:
            out.mux(stream.encode(part))
        out.mux(stream.encode())
    return read_sound(path)


def changed(audio: Audio, how: str, folder: Path) -> Audio:
    samples, rate = audio.samples, audio.sample_rate
    if how == "gain":
        return Audio(0.1 * samples, rate)
    if how == "coded":
        return coded(audio, folder / "coded.mp4")
    if how == "other rate":
        return Audio(resample(samples[0], rate, 44100)[None], 44100)
    if how == "later":
        return Audio(np.ascontiguousarray(samples[:, 5000:]), rate)
    noise = np.random.default_rng(1).standard_normal(samples.shape) * samples.std()
    return Audio((samples + 0.1 * noise).astype(np.float32), rate)


@pytest.mark.parametrize("how", ["gain", "coded", "other rate", "later", "noise"])
def test_a_changed_copy_is_the_same_recording_and_no_other_is(how: str, tmp_path: Path) -> None:
    prints = {item.id: fingerprint(read_audio(item.audio)) for item in CLIPS}
    copies = {
        f"copy of {item.id}": fingerprint(changed(read_audio(item.audio), how, tmp_path))
        for item in CLIPS
    }
    found = same_recordings(copies, prints)
    assert {(match.first, match.second) for match in found} == {
        (f"copy of {item.id}", item.id) for item in CLIPS
    }
    if how == "later":
        # 5,000 samples of 16 kHz were taken off: 0.3125 s later in the original.
        assert [match.shift for match in found] == pytest.approx([0.3125] * len(found), abs=0.02)


def test_pairs_within_a_set_are_found_once() -> None:
    prints = {item.id: fingerprint(read_audio(item.audio)) for item in CLIPS[:4]}
    assert same_recordings(prints) == []
    prints["twin"] = prints[CLIPS[0].id]
    (match,) = same_recordings(prints)
    assert {match.first, match.second} == {CLIPS[0].id, "twin"}
    assert (match.score, match.shift) == (1.0, 0.0)


def test_silence_has_no_fingerprint() -> None:
    nothing = fingerprint(Audio(np.full((1, 16000), 0.3, np.float32), 16000))
    assert len(nothing.numbers) == 0
    assert same_recordings({"a": nothing, "b": nothing}) == []


@pytest.fixture
def splits(tmp_path: Path, write_clip) -> tuple[Path, Path]:
    """Two sets of six clips: in ``test`` a louder twin, a muted and a still clip; ``train`` holds a
    clip of ``test`` too."""
    roots = []
    for name, numbers in (("test", range(6)), ("train", range(6, 12))):
        root = tmp_path / name
        lines = []
        for number in numbers:
            stem = f"sound-test-00{8 * number:02}"
            lines.append({"id": f"c{number}", "duration": 4.0})
            for kind, suffix in (("video", ".mp4"), ("audio", ".flac")):
                source = EMBEDDED_MEDIA / "demo-sound" / kind / f"{stem}{suffix}"
                target = root / kind / f"c{number}{suffix}"
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target)
                lines[-1][kind] = target.relative_to(root).as_posix()
        (root / "manifest.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        head = json.loads((EMBEDDED_MEDIA / "demo-sound" / "benchmark.json").read_text())
        (root / "benchmark.json").write_text(json.dumps({**head, "name": "planted"}))
        roots.append(root)
    test, train = roots
    twin = read_audio(test / "audio" / "c0.flac")
    write_audio(test / "audio" / "c1.flac", Audio(0.25 * twin.samples, twin.sample_rate))
    leak = read_audio(test / "audio" / "c5.flac")
    write_audio(train / "audio" / "c9.flac", Audio(0.5 * leak.samples, leak.sample_rate))
    write_audio(test / "audio" / "c2.flac", Audio(np.zeros((1, 64000), np.float32), 16000))
    write_clip(test / "video" / "c3.mp4", 4.0, still=True)
    (test / "video" / "c4.mp4").write_bytes(b"broken")
    return test, train


def test_what_was_planted_is_shown(
    splits: tuple[Path, Path], vsseval, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VSSEVAL_WEIGHTS", str(tmp_path / "no-weights"))
    sheet = tmp_path / "sheet.png"
    words = ("data", "inspect", *splits, "--workers", 1)
    done = vsseval(*words, "--sheet", sheet)
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines() == [
        "test: 6 clips",
        "  the same recording: c0 and c1 (100 %)",
        "  muted: c2",
        "  still: c3",
        "  unreadable: c4: cannot decode c4.mp4: Invalid data found when processing input",
        "train: 6 clips",
        "  nothing to mind",
        "test & train: 1 recordings in both",
        "  the same recording: c5 and c9 (100 %)",
        "faces: not looked for; vsseval weights pull mtcnn",
    ]
    found = json.loads(vsseval(*words, "--json").stdout)
    assert found["within"]["test"][0]["score"] == 1.0
    # Six cells of 192 x 184 in a row; the broken video is grey.
    picture = cv2.imread(str(sheet))
    assert picture.shape == (184, 6 * 192, 3)
    grey = (picture[:144] == 90).all(axis=(0, 2)).reshape(6, 192).all(axis=1)
    assert grey.sum() == 1


def test_faces_are_looked_for_where_a_detector_is(
    splits: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = splits[0] / "manifest.jsonl"
    lines = [json.loads(line) for line in manifest.read_text().splitlines()]
    # Clip c1 says nothing, so no face is missed in it.
    spoken = [{**line, "transcript": "ok"} if line["id"] != "c1" else line for line in lines]
    manifest.write_text("".join(json.dumps(line) + "\n" for line in spoken))
    hidden = ("c0", "c1")

    def find(path: Path, frames: int) -> tuple[int, int, int, int] | None:
        return None if path.stem in hidden else (0, 0, 1, 1)

    monkeypatch.setattr(inspection, "face_finder", lambda: find)
    found = inspection.inspect(splits[:1])
    assert found.faceless == {"test": ("c0",)}
    assert "no face" in found.flags("test")["c0"]


def test_the_same_folder_twice_is_refused(splits: tuple[Path, Path]) -> None:
    with pytest.raises(InputError, match="the same folder is given twice"):
        inspection.inspect([splits[0], splits[0]])


def test_middle_frame_and_cell() -> None:
    frame = middle_frame(EMBEDDED_MEDIA / "demo-sound" / "video" / "sound-test-0000.mp4")
    assert frame.shape == (192, 192, 3)
    picture = cell(np.full((10, 40, 3), 200, np.uint8), "a name", ["muted"])
    # 4:1 in 4:3: 192 x 48 in the middle of 144 rows.
    assert (picture[48:96, :, 0] == 200).all()
    assert (picture[:48] == 0).all()
    assert (picture[96:144] == 0).all()
    assert middle_frame(None) is None
