"""Synchformer against its own code with weights filled by key name, and its front ends."""

from __future__ import annotations

import functools
import sys
import types
from fractions import Fraction
from types import ModuleType

import av
import fake_checkpoint
import numpy as np
import pytest
import soundfile
import torch

from vsseval import clip_features, weights
from vsseval.encoders import synchformer
from vsseval.encoders.table import ENCODERS, load_encoder, signature
from vsseval.errors import InputError
from vsseval.features import encode
from vsseval.sources import Clip
from vsseval.synchformer import checkpoint
from vsseval.synchformer.checkpoint import load_network, upstream_name
from vsseval.synchformer.network import Size, Synchformer


@pytest.fixture(scope="session")
def recipe() -> ModuleType:
    """tests/reference/synchformer_recipe.py: sizes, inputs and the fake weights."""
    path = list(sys.path)
    import synchformer_recipe

    sys.path[:] = path
    return synchformer_recipe


def upstream_shapes(size: Size | None = None) -> dict[str, tuple[int, ...]]:
    """Every tensor of a checkpoint, the one that takes part in nothing among them."""
    with torch.device("meta"):
        network = Synchformer(size)
    shapes = {upstream_name(key): tuple(t.shape) for key, t in network.state_dict().items()}
    width = (size or Size()).width
    shapes["vfeat_extractor.patch_embed.proj.weight"] = (width, 3, 16, 16)
    shapes["vfeat_extractor.patch_embed.proj.bias"] = (width,)
    return shapes


@pytest.fixture(scope="session")
def size(recipe) -> Size:
    return Size(recipe.WIDTH, recipe.HEADS, recipe.DEPTH, recipe.HEAD_HEADS, recipe.HEAD_DEPTH)


@pytest.fixture(scope="session")
def state(recipe, size) -> dict[str, torch.Tensor]:
    filled = recipe.weights(upstream_shapes(size))
    return {key: torch.from_numpy(values) for key, values in filled.items()}


@pytest.fixture(scope="session")
def network(state, size, tmp_path_factory) -> Synchformer:
    path = tmp_path_factory.mktemp("synchformer") / "state.pth"
    torch.save(state, path)
    return load_network(path, size)


@pytest.fixture(scope="session")
def seen(recipe, network) -> np.ndarray:
    encoder = synchformer.VideoSegments(network.video, "cpu", "")
    return encoder(recipe.video(), 25.0)["features"]


@pytest.fixture(scope="session")
def heard(recipe, network) -> np.ndarray:
    encoder = synchformer.AudioSegments(network.audio, "cpu", "")
    return encoder(recipe.audio())["features"]


@pytest.fixture
def expected(reference):
    """Stored values of one case beside ours, cut in the same way."""

    def pair(name: str, ours: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        case = reference("synchformer", name)
        cut = ours[tuple(slice(None, None, step) for step in case["step"])]
        return cut, np.reshape(case["values"], cut.shape)

    return pair


def test_checkpoint_has_upstreams_keys_and_shapes(reference) -> None:
    shapes = upstream_shapes()
    case = reference("synchformer", "keys")
    assert len(shapes) == case["count"] == 513
    assert fake_checkpoint.key_digest(shapes) == case["digest"]


def test_mel_equals_upstream(recipe, expected) -> None:
    found = synchformer.mel_segments(recipe.audio())
    assert found.shape == (15, 128, 66)
    assert found.dtype == np.float32
    np.testing.assert_allclose(*expected("mel", found), rtol=0, atol=1e-5)


def test_visual_tokens_equal_upstream(expected, seen) -> None:
    assert seen.shape == (15, 8, 48)
    assert seen.dtype == np.float32
    np.testing.assert_allclose(*expected("video", seen), rtol=0, atol=1e-4)


def test_audio_tokens_equal_upstream(expected, heard) -> None:
    assert heard.shape == (15, 6, 48)
    assert heard.dtype == np.float32
    np.testing.assert_allclose(*expected("audio", heard), rtol=0, atol=1e-4)


def test_offset_logits_equal_upstream(reference, network, seen, heard) -> None:
    head = synchformer.OffsetHead(network.head, synchformer.first_and_last, "cpu", "")
    found = head(seen, heard)["logits"]
    case = [reference("synchformer", name)["logits"] for name in ("first", "last")]
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, case, rtol=0, atol=1e-4)
    # both windows differ by far more than the tolerance
    assert np.abs(np.subtract(*case)).max() > 1e-2


def test_short_clip_is_repeated_under_chunks(reference, network, seen, heard) -> None:
    head = synchformer.OffsetHead(network.head, synchformer.chunks, "cpu", "")
    found = head(seen[:5], heard[:5])["logits"]
    case = [reference("synchformer", "repeated")["logits"]]
    np.testing.assert_allclose(found, case, rtol=0, atol=1e-4)


def test_windows_of_both_rules() -> None:
    def starts(windows: np.ndarray) -> list[int]:
        assert windows.shape[1] == 14
        return windows[:, 0].tolist()

    # 8 s has 24 segments, 10 s has 30; 4.8 s has exactly 14
    assert starts(synchformer.first_and_last(24)) == [0, 10]
    assert starts(synchformer.first_and_last(30)) == [0, 16]
    assert starts(synchformer.first_and_last(14)) == [0, 0]
    assert starts(synchformer.chunks(24)) == [0, 10]
    assert starts(synchformer.chunks(30)) == [0, 14, 16]
    assert starts(synchformer.chunks(28)) == [0, 14]
    assert synchformer.chunks(6).tolist() == [[0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5, 0, 1]]


def test_a_clip_below_4_8_seconds_is_refused_by_the_head_alone(network, seen, heard) -> None:
    head = synchformer.OffsetHead(network.head, synchformer.first_and_last, "cpu", "")
    with pytest.raises(InputError, match=r"4\.8 s .*the clip has 13 segments"):
        head(seen[:13], heard[:13])
    samples = np.zeros(10_240, np.float32)
    assert synchformer.mel_segments(samples).shape == (1, 128, 66)


def test_a_segment_that_only_one_side_has_is_left_out(network, seen, heard) -> None:
    head = synchformer.OffsetHead(network.head, synchformer.first_and_last, "cpu", "")
    found = head(seen, heard[:14])["logits"]
    np.testing.assert_array_equal(found, head(seen[:14], heard[:14])["logits"])
    with pytest.raises(InputError, match="15 and 13 segments"):
        head(seen, heard[:13])
    with pytest.raises(InputError, match="0 and 0 segments"):
        head(seen[:0], heard[:0])


@pytest.mark.parametrize(
    ("count", "segments"), [(16, 1), (23, 1), (24, 2), (119, 13), (120, 14), (200, 24)]
)
def test_segments_of_frames(recipe, count: int, segments: int) -> None:
    heads: list[np.ndarray] = []

    def first_pixels(x: torch.Tensor) -> torch.Tensor:
        assert x.shape[1:] == (3, 16, 224, 224)
        heads.append((x[:, 0, :, 0, 0].numpy() + 1) * 127.5)
        return torch.zeros(len(x), 8, 4)

    frames = np.zeros((count, 224, 224, 3), np.uint8)
    frames[:, 0, 0, 0] = np.arange(count)
    encoder = synchformer.VideoSegments(first_pixels, "cpu", "")
    assert encoder(frames, 25.0)["features"].shape == (segments, 8, 4)
    found = np.concatenate(heads)
    np.testing.assert_allclose(
        found, 8 * np.arange(segments)[:, None] + np.arange(16), rtol=0, atol=1e-4
    )


@pytest.mark.parametrize(
    ("samples", "segments"), [(10_240, 1), (15_359, 1), (15_360, 2), (76_800, 14), (128_000, 24)]
)
def test_segments_of_samples(samples: int, segments: int) -> None:
    wave = np.random.default_rng(1).standard_normal(samples).astype(np.float32)
    found = synchformer.mel_segments(wave)
    assert len(found) == segments
    alone = synchformer.mel_segments(wave[5120 * (segments - 1) :][:10_240])
    np.testing.assert_array_equal(found[-1:], alone)


def test_last_mel_frame_is_zero_before_scaling() -> None:
    found = synchformer.mel_segments(np.zeros(10_240, np.float32))
    np.testing.assert_allclose(found[..., 65], 4.2677393 / 9.1379948, rtol=1e-6)
    silence = (np.log(1e-6) + 4.2677393) / 9.1379948
    np.testing.assert_allclose(found[..., :65], silence, rtol=1e-6)


@pytest.mark.parametrize("shape", ["120x161", "361x250"])
def test_frames_are_resized_as_by_torchvision(recipe, reference, shape: str) -> None:
    case = reference("synchformer", f"frame-{shape}")
    found = synchformer.square(recipe.picture(*map(int, shape.split("x"))))
    assert found.shape == (2, 3, 224, 224)
    assert found.dtype == np.uint8
    cut = found[:, :, :: case["step"], :: case["step"]].astype(int).ravel()
    assert np.abs(cut - case["values"]).max() <= 1


@pytest.mark.parametrize(
    ("count", "fps"),
    [
        (100, Fraction(30)),
        (97, Fraction(30)),
        (70, Fraction(24)),
        (64, Fraction(16)),
        (151, Fraction(50)),
        (201, Fraction(60)),
        (120, Fraction(30000, 1001)),
        (10, Fraction(3)),
        (40, Fraction(25)),
    ],
    ids=str,
)
def test_frame_rate_follows_ffmpeg(count: int, fps: Fraction) -> None:
    graph = av.filter.Graph()
    source = graph.add_buffer(width=16, height=16, format="gray", time_base=1 / fps)
    rate, sink = graph.add("fps", "fps=25"), graph.add("buffersink")
    source.link_to(rate)
    rate.link_to(sink)
    graph.configure()
    shown: list[int] = []
    for index in [*range(count), None]:
        frame = None
        if index is not None:
            frame = av.VideoFrame.from_ndarray(np.full((16, 16), index, np.uint8), format="gray")
            frame.pts, frame.time_base, frame.duration = index, 1 / fps, 1
        source.push(frame)
        while True:
            try:
                shown.append(int(sink.pull().to_ndarray()[0, 0]))
            except (av.BlockingIOError, av.EOFError):
                break
    assert synchformer.frames_at_25(count, float(fps)).tolist() == shown


def test_a_source_of_50_fps_shows_every_second_frame(recipe, network, seen) -> None:
    doubled = recipe.video(32).repeat(2, axis=0)
    encoder = synchformer.VideoSegments(network.video, "cpu", "")
    found = encoder(doubled, 50.0)["features"]
    np.testing.assert_allclose(found, seen[:3], rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("frames", "fps", "message"),
    [
        (np.zeros((15, 8, 8, 3), np.uint8), 25.0, "16 frames at 25 fps, got 15"),
        (np.zeros((0, 8, 8, 3), np.uint8), 25.0, "got 0 frames"),
        (np.zeros((31, 8, 8, 3), np.uint8), 60.0, "got 13 frames"),
        (np.zeros((16, 8, 8), np.uint8), 25.0, "RGB frames"),
        (np.zeros((16, 8, 8, 3), np.uint8), 0.0, "rate must be positive, got 0"),
    ],
    ids=["short", "none", "short-at-25", "gray", "no-rate"],
)
def test_unusable_frames_are_refused(network, frames, fps: float, message: str) -> None:
    with pytest.raises(InputError, match=message):
        synchformer.VideoSegments(network.video, "cpu", "")(frames, fps)


@pytest.mark.parametrize("count", [0, 10_239])
def test_unusable_samples_are_refused(network, count: int) -> None:
    with pytest.raises(InputError, match=r"at least one sample segment of 0\.64 s"):
        synchformer.AudioSegments(network.audio, "cpu", "")(np.zeros(count, np.float32))


def test_training_checkpoint_is_read_without_its_packages(
    state, size, network, tmp_path, monkeypatch
) -> None:
    # Upstream's .pt keeps its configuration as omegaconf objects, which need not be installed.
    module = types.ModuleType("omegaconf.dictconfig")
    module.DictConfig = type("DictConfig", (), {"__module__": "omegaconf.dictconfig"})
    args = module.DictConfig()
    args.seed = 1337
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "omegaconf", types.ModuleType("omegaconf"))
        patch.setitem(sys.modules, "omegaconf.dictconfig", module)
        stored = {"args": args, "epoch": 3, "metrics": {"a": np.float64(0.5)}, "model": state}
        torch.save(stored, tmp_path / "24-01-04T16-39-21.pt")
    found = load_network(tmp_path / "24-01-04T16-39-21.pt", size)
    for key, values in network.state_dict().items():
        torch.testing.assert_close(found.state_dict()[key], values, rtol=0, atol=0)


def test_other_types_in_a_checkpoint_are_refused(state, size, tmp_path) -> None:
    torch.save({"args": Fraction(1, 2), "model": state}, tmp_path / "other.pt")
    with pytest.raises(InputError, match="refused checkpoint"):
        load_network(tmp_path / "other.pt", size)


def test_a_wrong_checkpoint_names_its_keys(state, size, tmp_path) -> None:
    wrong = dict(state)
    wrong["transformer.sync_head.weight"] = wrong.pop("transformer.off_head.weight")
    wrong["aproj.bias"] = torch.zeros(7)
    torch.save(wrong, tmp_path / "wrong.pth")
    with pytest.raises(InputError) as caught:
        load_network(tmp_path / "wrong.pth", size)
    for part in (
        "missing: transformer.off_head.weight",
        "unknown: transformer.sync_head.weight",
        "aproj.bias is (7,) instead of (48,)",
    ):
        assert part in str(caught.value)
    torch.save([1, 2], tmp_path / "list.pth")
    with pytest.raises(InputError, match="holds no state dict"):
        load_network(tmp_path / "list.pth", size)


def test_a_segment_says_the_same_alone_and_among_others(recipe, network, seen, heard) -> None:
    video = synchformer.VideoSegments(network.video, "cpu", "")(recipe.video()[24:40], 25.0)
    np.testing.assert_allclose(video["features"][0], seen[3], rtol=0, atol=1e-5)
    samples = recipe.audio()[3 * 5120 :][:10_240]
    audio = synchformer.AudioSegments(network.audio, "cpu", "")(samples)
    np.testing.assert_allclose(audio["features"][0], heard[3], rtol=0, atol=1e-5)


@pytest.fixture
def installed(state, size, tmp_path, monkeypatch) -> None:
    """The small network in the place of the published weights, behind the table of encoders."""
    torch.save(state, tmp_path / "synchformer_state_dict.pth")
    monkeypatch.setattr(weights, "require", lambda name: tmp_path)
    small = functools.partial(load_network, size=size)
    monkeypatch.setattr(checkpoint, "load_network", small)
    clip_features.loaded_encoder.cache_clear()


@pytest.mark.usefixtures("installed")
def test_rows_load_what_they_name(seen, heard, recipe) -> None:
    rows = [name for name, row in ENCODERS.items() if row.weights == ("synchformer",)]
    assert len({signature(name) for name in rows}) == len(rows) == 4
    loaded = {name: load_encoder(name) for name in rows}
    assert all(loaded[name].signature == signature(name) for name in rows)
    found = loaded["synchformer-audio"](recipe.audio())["features"]
    np.testing.assert_array_equal(found, heard)
    found = loaded["synchformer-video"](recipe.video(16), 25.0)["features"]
    np.testing.assert_allclose(found, seen[:1], rtol=0, atol=1e-5)
    assert loaded["synchformer"](seen, heard)["logits"].shape == (2, 21)
    assert loaded["synchformer-chunks"](seen[:6], heard[:6])["logits"].shape == (1, 21)


@pytest.mark.usefixtures("installed")
def test_a_run_joins_picture_and_sound(recipe, heard, tmp_path) -> None:
    with av.open(str(tmp_path / "seen.mp4"), "w") as file:
        stream = file.add_stream("mpeg4", rate=25)
        stream.width, stream.height = 64, 48
        for index in range(130):
            picture = np.full((48, 64, 3), index, np.uint8)
            file.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        file.mux(stream.encode())
    # 15 segments are 5.12 s; the silence of the second clip lies apart from the first's
    for name, samples in (("a", recipe.audio()), ("b", np.zeros(83_200, np.float32))):
        soundfile.write(tmp_path / f"{name}.wav", samples, 16_000, subtype="FLOAT")
    clips = {
        "video": [Clip((name, 0), tmp_path / "seen.mp4", 5.2) for name in "ab"],
        "generated": [Clip((name, 0), tmp_path / f"{name}.wav", 5.2) for name in "ab"],
    }
    needs = [("generated", "synchformer"), ("generated", "synchformer-audio")]
    tables = encode(needs, clips, tmp_path / "cache").tables
    rows = tables["generated", "synchformer"].rows
    assert {key: row["logits"].shape for key, row in rows.items()} == {
        ("a", 0): (2, 21),
        ("b", 0): (2, 21),
    }
    assert np.abs(rows["a", 0]["logits"] - rows["b", 0]["logits"]).max() > 0.01
    kept = tables["generated", "synchformer-audio"].rows["a", 0]["features"]
    np.testing.assert_allclose(kept, heard, rtol=0, atol=1e-5)
    short = {of: [Clip(c.key, c.path, 4.7) for c in clips[of]] for of in clips}
    table = encode(needs[:1], short, tmp_path / "cache").tables["generated", "synchformer"]
    assert not table.rows
    assert all("needs 4.8 s" in reason for reason in table.missing.values())
