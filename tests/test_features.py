"""The feature cache: what is encoded, what is found again, and what a clip lacks."""

from __future__ import annotations

import errno
import shutil
import sys
import types
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import soundfile

from vsseval import clip_features, feature_cache
from vsseval.audio import audio_digest, mono_at, read_audio
from vsseval.encoders.table import ENCODERS, EncoderRow
from vsseval.errors import InputError
from vsseval.feature_cache import feature_key, load, store
from vsseval.features import encode
from vsseval.sources import Clip
from vsseval.types import Audio
from vsseval.workers import Workers


@dataclass
class Fake:
    """A network that returns the root mean square, and counts."""

    signature: str = "fake-1:abc"
    loads: int = 0
    calls: list[np.ndarray] = field(default_factory=list)
    error: Exception | None = None

    def load(self, device: str) -> Fake:
        self.loads += 1
        return self

    def __call__(self, samples: np.ndarray, fps: float = 0.0) -> dict[str, np.ndarray]:
        self.calls.append(samples)
        if self.error:
            raise self.error
        rms = np.sqrt(np.mean(np.asarray(samples, np.float64) ** 2))
        return {"rms": np.float32(rms)[None], "text": np.array("né"), "fps": np.float64(fps)}


def installed(
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    rate: int | None,
    name: str = "fake",
    **fields: object,
) -> Fake:
    fake = Fake()
    module = types.ModuleType(f"{name}_encoder")
    module.load = fake.load
    module.signature = lambda device: fake.signature
    row = EncoderRow(name, kind, rate, f"{name}_encoder:load", (), True, {}, **fields)
    monkeypatch.setitem(sys.modules, f"{name}_encoder", module)
    monkeypatch.setitem(ENCODERS, name, row)
    # Encoders stay loaded in a process; a test has its own.
    clip_features.loaded_encoder.cache_clear()
    return fake


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Fake:
    return installed(monkeypatch, "audio", 8000)


@pytest.fixture
def tone(tmp_path: Path) -> Path:
    wave = 0.5 * np.sin(2 * np.pi * 440 * np.arange(16000) / 16000)
    soundfile.write(tmp_path / "tone.wav", wave, 16000, subtype="PCM_16")
    return tmp_path / "tone.wav"


NEEDS = [("generated", "fake")]
KEY = ("a", 0)


def clip(path: Path | None, duration: float | None = 1.0, reason: str = "") -> dict:
    return {"generated": [Clip(KEY, path, duration, reason)]}


def test_features_come_back_as_they_were(fake: Fake, tone: Path, tmp_path: Path) -> None:
    for _ in range(2):
        table = encode(NEEDS, clip(tone), tmp_path / "c").tables["generated", "fake"]
        row = table.rows[KEY]
        assert row["rms"].dtype == np.float32
        assert row["rms"].shape == (1,)
        # A sine of amplitude 0.5 has a root mean square of 0.5 / sqrt(2).
        assert row["rms"][0] == pytest.approx(0.35355, rel=2e-3)
        assert row["text"].shape == ()
        assert str(row["text"]) == "né"
        assert (table.signature, table.hearing) == ("fake-1:abc", ("soxr-mean:8000",))
        assert dict(table.missing) == {}


def test_second_call_loads_no_network(fake: Fake, tone: Path, tmp_path: Path) -> None:
    first = encode(NEEDS, clip(tone), tmp_path / "c")
    second = encode(NEEDS, clip(tone), tmp_path / "c")
    assert (first.network_passes, second.network_passes) == (1, 0)
    assert (second.network_features, fake.loads, len(fake.calls)) == (1, 1, 1)


def test_new_encoder_leaves_the_others_alone(
    fake: Fake, tone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encode(NEEDS, clip(tone), tmp_path / "c")
    other = installed(monkeypatch, "audio", 8000, "other")
    warm = encode([*NEEDS, ("generated", "other")], clip(tone), tmp_path / "c")
    assert (warm.network_passes, len(other.calls), len(fake.calls)) == (1, 1, 1)


def test_encoder_hears_prepared_samples(fake: Fake, tone: Path, tmp_path: Path) -> None:
    encode(NEEDS, clip(tone, 1.25), tmp_path / "c")
    assert fake.calls[0].shape == (10000,)
    assert fake.calls[0].dtype == np.float32
    assert not fake.calls[0][8000:].any()
    assert np.array_equal(fake.calls[0], mono_at(read_audio(tone), 8000, 1.25))


def test_no_duration_keeps_the_clip_whole(fake: Fake, tone: Path, tmp_path: Path) -> None:
    encode(NEEDS, clip(tone, None), tmp_path / "c")
    assert fake.calls[0].shape == (8000,)


def test_file_is_where_the_definition_says(fake: Fake, tone: Path, tmp_path: Path) -> None:
    encode(NEEDS, clip(tone), tmp_path / "c")
    samples = mono_at(read_audio(tone), 8000, 1.0)
    digest = audio_digest(Audio(samples[None], 8000))
    key = feature_key("fake-1:abc", digest, "soxr-mean:8000")
    assert (tmp_path / "c" / "features" / "fake" / key[:2] / f"{key}.npz").is_file()


def test_same_sound_in_another_file_is_encoded_once(fake: Fake, tone: Path, tmp_path: Path) -> None:
    samples, rate = soundfile.read(tone, dtype="int16")
    stereo = tmp_path / "stereo.flac"
    soundfile.write(stereo, np.stack([samples, samples], axis=1), rate)
    clips = {"generated": [Clip(("a", 0), tone, 1.0), Clip(("b", 0), stereo, 1.0)]}
    table = encode(NEEDS, clips, tmp_path / "c").tables["generated", "fake"]
    assert len(fake.calls) == 1
    assert table.rows["a", 0]["rms"] == table.rows["b", 0]["rms"]


@pytest.mark.parametrize("change", ["signature", "duration", "sound"])
def test_whatever_moves_the_features_moves_the_key(
    fake: Fake, tone: Path, tmp_path: Path, change: str
) -> None:
    encode(NEEDS, clip(tone), tmp_path / "c")
    if change == "signature":
        fake.signature = "fake-2:abc"
    if change == "sound":
        samples, rate = soundfile.read(tone)
        soundfile.write(tone, samples * 0.5, rate, subtype="PCM_16")
    encode(NEEDS, clip(tone, 0.9 if change == "duration" else 1.0), tmp_path / "c")
    assert len(fake.calls) == 2


def test_damaged_cache_file_is_made_again(fake: Fake, tone: Path, tmp_path: Path) -> None:
    encode(NEEDS, clip(tone), tmp_path / "c")
    (file,) = (tmp_path / "c").rglob("*.npz")
    good = encode(NEEDS, clip(tone), tmp_path / "c").tables["generated", "fake"].rows[KEY]["rms"]
    for content in (b"", b"PK\x03\x04 half", file.read_bytes()[:100]):
        file.write_bytes(content)
        again = encode(NEEDS, clip(tone), tmp_path / "c")
        assert again.network_passes == 1
        assert again.tables["generated", "fake"].rows[KEY]["rms"] == good


def test_no_flipped_bit_of_a_cache_file_gives_other_features(tmp_path: Path) -> None:
    file = tmp_path / "a.npz"
    features = {"rms": np.arange(3.0), "text": np.array("so"), "n": np.array(3)}
    store(file, features)
    whole = file.read_bytes()
    unlike = set()
    for at in range(len(whole)):
        for bit in (1, 8, 32, 128):
            file.write_bytes(whole[:at] + bytes([whole[at] ^ bit]) + whole[at + 1 :])
            found = load(file)
            if found is not None and not (
                found.keys() == features.keys()
                and all(np.array_equal(found[name], features[name]) for name in features)
            ):
                unlike.add((at, bit))
    assert unlike == set()
    # An end of the archive that names no members.
    file.write_bytes(whole[:-18] + bytes(18))
    assert load(file) is None


def test_cache_that_may_only_be_read_is_enough_where_all_is_there(
    fake: Fake, tone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "c"
    encode(NEEDS, clip(tone), cache)
    for folder in ("prepared", "digests"):
        shutil.rmtree(cache / folder, ignore_errors=True)

    def refuse(*_: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr("vsseval.feature_cache.write_atomic", refuse)
    monkeypatch.setattr("vsseval.digests.append_line", refuse)
    monkeypatch.setattr("vsseval.digests.SETTLED_SECONDS", -1.0)
    assert encode(NEEDS, clip(tone), cache).network_passes == 0
    with pytest.raises(OSError, match="Read-only"):
        encode(NEEDS, clip(tone, 0.5), cache)


def test_nothing_but_whole_files_is_in_the_cache(fake: Fake, tone: Path, tmp_path: Path) -> None:
    encode(NEEDS, clip(tone), tmp_path / "c")
    files = [path for path in (tmp_path / "c").rglob("*") if path.is_file()]
    assert sorted(path.suffix for path in files) == ["", ".npz"]
    assert not [path for path in files if path.name.startswith(".")]


def test_refusal_of_an_encoder_is_remembered(fake: Fake, tone: Path, tmp_path: Path) -> None:
    fake.error = InputError("no voice in it")
    for _ in range(2):
        table = encode(NEEDS, clip(tone), tmp_path / "c").tables["generated", "fake"]
        assert table.missing == {KEY: "no voice in it"}
        assert table.rows == {}
    assert len(fake.calls) == 1


def test_failure_for_now_is_tried_again(fake: Fake, tone: Path, tmp_path: Path) -> None:
    fake.error = RuntimeError("out of memory")
    table = encode(NEEDS, clip(tone), tmp_path / "c").tables["generated", "fake"]
    assert table.missing == {KEY: "RuntimeError: out of memory"}
    fake.error = None
    assert encode(NEEDS, clip(tone), tmp_path / "c").tables["generated", "fake"].rows[KEY]


def test_missing_weights_are_a_reason_with_the_command(
    fake: Fake, tone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = EncoderRow("fake", "audio", 8000, "fake_encoder:load", ("aisfx",), True, {})
    monkeypatch.setitem(ENCODERS, "fake", row)
    monkeypatch.setenv("VSSEVAL_WEIGHTS", str(tmp_path / "empty"))
    result = encode(NEEDS, clip(tone), tmp_path / "c")
    table = result.tables["generated", "fake"]
    assert table.missing == {KEY: "weights missing: vsseval weights pull aisfx"}
    (message,) = result.lacking
    assert str(tmp_path / "empty") in message
    assert fake.loads == 0


def test_clip_without_path_keeps_its_reason(fake: Fake, tmp_path: Path) -> None:
    table = encode(NEEDS, clip(None, reason="not generated"), tmp_path / "c").tables[
        "generated", "fake"
    ]
    assert table.missing == {KEY: "not generated"}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(None, "file missing: bad.wav", id="absent"),
        pytest.param(b"RIFFnonsense", "cannot decode audio bad.wav", id="no-audio"),
        pytest.param("empty", "audio bad.wav holds no samples", id="empty"),
        pytest.param("nan", "audio bad.wav holds values that are not finite", id="nan"),
    ],
)
def test_unreadable_audio_is_a_reason_without_machine_paths(
    fake: Fake, tmp_path: Path, content: object, words: str
) -> None:
    path = tmp_path / "bad.wav"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content == "empty":
        soundfile.write(path, np.zeros(0, np.float32), 8000)
    elif content == "nan":
        soundfile.write(path, np.array([0, np.nan], np.float32), 8000, subtype="FLOAT")
    table = encode(NEEDS, clip(path), tmp_path / "c").tables["generated", "fake"]
    assert words in table.missing[KEY]
    assert str(tmp_path) not in table.missing[KEY]
    assert fake.calls == []


def test_video_goes_by_its_bytes(
    toy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = installed(monkeypatch, "video", None)
    clips = {"video": [Clip(KEY, toy / "video" / "a.mp4", 1.0)]}
    for _ in range(2):
        table = encode([("video", "fake")], clips, tmp_path / "c").tables["video", "fake"]
    assert table.hearing == ()
    assert table.rows[KEY]["fps"] == 25.0
    assert [frames.shape for frames in fake.calls] == [(25, 64, 64, 3)]


def test_truncated_video_is_a_reason(
    toy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(monkeypatch, "video", None)
    video = toy / "video" / "a.mp4"
    video.write_bytes(video.read_bytes()[: video.stat().st_size // 2])
    clips = {"video": [Clip(KEY, video, 1.0)]}
    table = encode([("video", "fake")], clips, tmp_path / "c").tables["video", "fake"]
    assert "a.mp4" in table.missing[KEY]
    assert str(tmp_path) not in table.missing[KEY]


def test_clip_is_decoded_once_and_each_preparation_made_once(
    fake: Fake, tone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(monkeypatch, "audio", 8000, "same")
    installed(monkeypatch, "audio", 4000, "other")
    counts = {"read_audio": 0, "prepare": 0}
    for name in counts:
        real = getattr(clip_features, name)

        def counted(*args: object, name: str = name, real=real) -> object:
            counts[name] += 1
            return real(*args)

        monkeypatch.setattr(clip_features, name, counted)
    needs = [("generated", name) for name in ("fake", "same", "other")]
    for _ in range(2):
        encode(needs, clip(tone), tmp_path / "c")
    assert counts == {"read_audio": 1, "prepare": 2}


def test_preparation_of_the_row_is_what_it_hears(
    tone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples, rate = soundfile.read(tone)
    soundfile.write(tone, np.stack([samples + 0.25, 0 * samples], axis=1), rate)
    fake = installed(monkeypatch, "audio", rate, preparation="audioldm")
    table = encode(NEEDS, clip(tone), tmp_path / "c").tables["generated", "fake"]
    # The first channel without its mean, and at least 32,000 samples.
    assert fake.calls[0].shape == (32000,)
    np.testing.assert_allclose(fake.calls[0][:16000], samples, atol=1e-4)
    assert table.hearing == ("audioldm:16000",)


def test_text_is_encoded_once_a_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = installed(monkeypatch, "text", None)
    monkeypatch.setattr(Fake, "__call__", lambda self, text: self.calls.append(text) or {"x": 1.0})
    captions = [Clip((name, 0), None, None, text="a dog") for name in "ab"]
    captions.append(Clip(("c", 0), None, None, "the item has no caption"))
    table = encode([("caption", "fake")], {"caption": captions}, tmp_path / "c")
    assert fake.calls == ["a dog"]
    assert dict(table.tables["caption", "fake"].missing) == {("c", 0): "the item has no caption"}


def test_pair_encoder_joins_features_of_both_sources(
    toy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(monkeypatch, "audio", 8000, "sound")
    installed(monkeypatch, "video", None, "sight")
    joins = ("video:sight.fps", "own:sound.rms")
    pair = installed(monkeypatch, "pair", None, "pair", joins=joins)
    pair.signature = "pair-1"
    monkeypatch.setattr(Fake, "__call__", _pair_or_fake(Fake.__call__))
    seen = toy / "video" / "a.mp4"
    video = [Clip(("a", 0), seen, 1.0), Clip(("b", 0), None, None, "no video")]
    sounds = {name: toy / "audio" / f"{name}.flac" for name in "ab"}
    takes = [Clip((name, take), sounds[name], 1.0) for name in "ab" for take in (0, 1)]
    takes.append(Clip(("a", 2), None, 1.0, "not generated"))
    clips = {"video": video, "generated": takes}
    for passes in (4, 0):
        result = encode([("generated", "pair")], clips, tmp_path / "c")
        table = result.tables["generated", "pair"]
        assert result.network_passes == passes
        assert set(result.tables) == {("generated", "pair")}
        # Passes: video a, sounds a and b (both takes of a clip are one sound here), pair a.
        assert set(table.rows) == {("a", 0), ("a", 1)}
        assert table.rows["a", 0]["sum"] == pytest.approx(25.0 + 0.0, abs=0.5)
        assert table.missing == {
            ("b", 0): "video: no video",
            ("b", 1): "video: no video",
            ("a", 2): "not generated",
        }
        assert table.signature == "pair-1+fake-1:abc+fake-1:abc"
        assert table.hearing == ("soxr-mean:8000",)


def _pair_or_fake(call):
    def either(self, first, second=None):
        if self.signature == "pair-1":
            return {"sum": np.float64(first + second[0])}
        return call(self, first, second)

    return either


def test_face_box_goes_to_the_encoders_that_use_it(
    toy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(monkeypatch, "video", None, uses_face_box=True)
    boxes: list = []

    def call(self, frames, fps, *, face_box):
        boxes.append(face_box)
        return {"x": np.float64(0)}

    monkeypatch.setattr(Fake, "__call__", call)
    for box in ((1, 2, 30, 40), None, (1, 2, 30, 40)):
        clips = {"video": [Clip(KEY, toy / "video" / "a.mp4", 1.0, face_box=box)]}
        encode([("video", "fake")], clips, tmp_path / "c")
    assert boxes == [(1, 2, 30, 40), None]


def test_video_is_cut_to_the_clip(
    toy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = installed(monkeypatch, "video", None)
    clips = {"video": [Clip(KEY, toy / "video" / "a.mp4", 0.4)]}
    encode([("video", "fake")], clips, tmp_path / "c")
    assert [frames.shape for frames in fake.calls] == [(10, 64, 64, 3)]


@pytest.mark.slow
def test_processes_give_the_bytes_of_one_process(toy: Path, tmp_path: Path) -> None:
    clips = {
        "generated": [
            Clip((f"{name}{seconds}", 0), toy / "audio" / f"{name}.flac", seconds)
            for name in "abcd"
            for seconds in (0.8, 1.0)
        ]
    }
    needs = [("generated", "onsets")]
    one = encode(needs, clips, tmp_path / "one").tables["generated", "onsets"]
    with Workers(2) as workers:
        two = encode(needs, clips, tmp_path / "two", workers=workers).tables["generated", "onsets"]
    assert len(one.rows) == 8
    for key, row in one.rows.items():
        for name, value in row.items():
            assert np.array_equal(value, two.rows[key][name])
    assert sorted(p.name for p in (tmp_path / "one").rglob("*.npz")) == sorted(
        p.name for p in (tmp_path / "two").rglob("*.npz")
    )


def test_table_reads_a_row_when_it_is_asked_for_and_keeps_the_last(
    fake: Fake, tone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clips = {"generated": [Clip((name, 0), tone, 1.0) for name in "ab"]}
    rows = encode(NEEDS, clips, tmp_path / "c").tables["generated", "fake"].rows
    read: list[Path] = []
    plain = feature_cache.load

    def counted(file: Path) -> object:
        read.append(file)
        return plain(file)

    monkeypatch.setattr(feature_cache, "load", counted)
    assert set(rows) == {("a", 0), ("b", 0)}
    assert ("c", 0) not in rows
    assert read == []
    for name in "aab":
        assert rows[name, 0]["rms"] == pytest.approx(0.35355, rel=2e-3)
    assert len(read) == 2


def test_row_that_is_gone_before_it_is_scored_says_so(
    fake: Fake, tone: Path, tmp_path: Path
) -> None:
    rows = encode(NEEDS, clip(tone), tmp_path / "c").tables["generated", "fake"].rows
    for file in (tmp_path / "c").rglob("*.npz"):
        file.unlink()
    with pytest.raises(InputError, match="removed from the cache"):
        rows[KEY]
