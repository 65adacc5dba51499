"""Small clips with planted events, and folders that copy the layouts of the published sets."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from vsseval.cli import main

CODECS = {".mp4": ("libx264", "aac"), ".mpg": ("mpeg1video", "mp2"), ".avi": ("mpeg4", "mp2")}


def sound(seconds: float, rate: int, times: tuple[float, ...], level: float) -> np.ndarray:
    """Float32 (n,): a decaying 600-Hz tone at each time on faint noise; zeros at level 0."""
    time = np.arange(round(seconds * rate)) / rate
    wave = 1e-3 * np.random.default_rng(len(time)).standard_normal(len(time))
    for start in times:
        after = np.clip(time - start, 0, None)
        wave += (time >= start) * np.exp(-after * 20) * np.sin(2 * np.pi * 600 * after)
    return (level * wave).astype(np.float32)


def encode_clip(
    path: Path,
    seconds: float = 10.0,
    *,
    times: tuple[float, ...] = (1.0, 4.0, 7.5),
    fps: Fraction | int = 25,
    level: float | None = 0.5,
    still: bool = False,
    late: float = 0.0,
    rate: int = 44100,
    sound_seconds: float | None = None,
) -> None:
    """A video of a square that jumps at each time, which is heard too.

    Args:
        level: of the sound; None for no sound stream.
        still: the square stays.
        late: so much later begins the sound in the file [s]; what is heard is the same.
        sound_seconds: length of the sound if it is not that of the picture.
    """
    pictures = np.full((round(seconds * fps), 48, 64, 3), 40, np.uint8)
    for at, picture in enumerate(pictures):
        jumps = 0 if still else sum(at / fps >= start for start in times)
        phase = 0 if still else at % 8
        picture[8 + phase : 24 + phase, 4 + 8 * jumps : 20 + 8 * jumps] = 220
    wave = None if level is None else sound(sound_seconds or seconds, rate, times, level)
    encode(path, pictures, fps, wave, rate, late)


def encode(
    path: Path,
    pictures: np.ndarray,
    fps: Fraction | int,
    wave: np.ndarray | None,
    rate: int,
    late: float = 0.0,
    at: Sequence[float] | None = None,
) -> None:
    """A video of pictures (n, h, w, 3) and a waveform (m,), in the codecs of its suffix.

    Args:
        at: time of each picture, where they are uneven [s].
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    video_codec, audio_codec = CODECS[path.suffix]
    with av.open(str(path), "w") as out:
        video = out.add_stream(video_codec, rate=fps)
        video.height, video.width = pictures.shape[1:3]
        video.pix_fmt = "yuv420p"
        video.codec_context.thread_count = 1
        if at is not None:
            video.codec_context.time_base = Fraction(1, 90000)
        audio = out.add_stream(audio_codec, rate=rate, layout="mono") if wave is not None else None
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            if at is not None:
                frame.pts, frame.time_base = round(at[number] * 90000), Fraction(1, 90000)
            out.mux(video.encode(frame))
        out.mux(video.encode())
        if audio is not None:
            wave = wave[round(late * rate) :]
            step = audio.codec_context.frame_size or 1152
            form = audio.codec_context.format.name
            for begin in range(0, len(wave), step):
                block = np.clip(wave[begin : begin + step], -1, 1)
                if form.startswith("s16"):
                    block = np.rint(block * 32767).astype(np.int16)
                frame = av.AudioFrame.from_ndarray(block[None], format=form, layout="mono")
                frame.sample_rate = rate
                frame.pts, frame.time_base = begin + round(late * rate), Fraction(1, rate)
                out.mux(audio.encode(frame))
            out.mux(audio.encode())


@pytest.fixture(scope="session")
def write_clip(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """:func:`encode_clip`, which encodes the same clip once and copies it after that."""
    store = tmp_path_factory.mktemp("clips")
    made: dict[str, Path] = {}

    def write(path: Path, seconds: float = 10.0, **how: object) -> Path:
        key = f"{path.suffix} {seconds} {sorted(how.items())}"
        if key not in made:
            made[key] = store / f"{len(made)}{path.suffix}"
            encode_clip(made[key], seconds, **how)
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(made[key], path)
        return path

    return write


@pytest.fixture
def write_media() -> Callable[..., None]:
    return encode


@pytest.fixture(scope="session")
def write_sound() -> Callable[..., Path]:
    """A sound file of so many seconds."""

    def write(
        path: Path,
        seconds: float,
        rate: int,
        times: tuple[float, ...] = (0.5, 1.5),
        level: float = 0.5,
    ) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, sound(seconds, rate, times, level), rate, subtype="PCM_16")
        return path

    return write


@pytest.fixture
def vsseval(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The command line in an empty folder."""
    from click.testing import CliRunner

    monkeypatch.setenv("VSSEVAL_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("VSSEVAL_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    return lambda *words: CliRunner().invoke(main, [str(word) for word in words])


@pytest.fixture
def vggsound_root(tmp_path: Path, write_clip) -> Path:
    """VGGSound as people have it: eight clips listed, one missing, four broken in their ways."""
    root = tmp_path / "vggsound-raw"
    clips = root / "dataset" / "test" / "10"
    write_clip(clips / "aaaaaaaaaaa_000001.mp4")
    write_clip(clips / "-b_-bbbb_bb_000030.mp4", seconds=10.4)
    write_clip(clips / "ccccccccccc_000002.mp4", level=0.0)
    write_clip(clips / "ddddddddddd_000003.mp4", still=True)
    write_clip(clips / "eeeeeeeeeee_000004.mp4", seconds=4.0)
    (clips / "fffffffffff_000005.mp4").write_bytes(b"not a video")
    write_clip(root / "other" / "ggggggggggg_6000_16000.mp4")
    write_clip(root / "other" / "notlisted01_000009.mp4")
    names = ("aaaaaaaaaaa_000001", "-b_-bbbb_bb_000030", "ccccccccccc_000002", "ddddddddddd_000003")
    names += ("eeeeeeeeeee_000004", "fffffffffff_000005", "ggggggggggg_000006")
    lines = [f'{name}.mp4,"rain, heavy"' for name in (*names, "missing_one_000007")]
    (root / "test.csv").write_text("\n".join(lines) + "\n")
    return root
