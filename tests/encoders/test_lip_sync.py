"""SyncNet's front ends, networks, faces and encoders against the published implementations."""

from __future__ import annotations

import json
from pathlib import Path

import fake_checkpoint
import numpy as np
import pytest
import torch
from filled import fake_state, shapes, without_counters
from pictures import sightings

from vsseval.benchmarks.table import EMBEDDED_MEDIA
from vsseval.encoders import mtcnn, s3fd, s3fd_network, syncnet_network
from vsseval.encoders.checkpoints import build
from vsseval.encoders.face_track import (
    LEAST_FRAMES,
    Track,
    face_crops,
    frames_at_25,
    longest_track,
    overlap,
)
from vsseval.encoders.mfcc import mfcc, to_int16
from vsseval.encoders.syncnet_audio import SyncnetAudioEncoder, sound_windows
from vsseval.encoders.syncnet_network import Network, Size, load_network
from vsseval.encoders.syncnet_video import SyncnetVideoEncoder, lip_embeddings
from vsseval.encoders.syncnet_video_box import box_track
from vsseval.errors import InputError
from vsseval.metrics.lip_sync import lip_sync_error
from vsseval.video import read_video

REFERENCE = Path(__file__).parents[1] / "reference"
SMALL = Size(224, 3, (4, 4, 4, 4, 4, 8), (4, 4, 4, 4, 4, 8), 8, 16)
DEMO_VIDEO = EMBEDDED_MEDIA / "demo-speech" / "video"


def cases(name: str) -> dict:
    return json.loads((REFERENCE / f"lip_sync_{name}.json").read_text())["cases"]


def keys_of(make) -> str:
    return fake_checkpoint.key_digest(without_counters(shapes(make)))


# ---- Cepstra


@pytest.mark.parametrize("name", ["vowels", "noise", "hits", "silence", "one-frame"])
def test_cepstra_equal_python_speech_features(signals, name: str) -> None:
    case = cases("mfcc")[name]
    if case["signal"]:
        samples = signals.SIGNALS[case["signal"]](16000, case["seconds"])
    else:
        samples = np.zeros(round(16000 * case["seconds"]), np.float32)
    found = mfcc(to_int16(samples))
    assert list(found.shape) == case["shape"]
    np.testing.assert_allclose(found.ravel()[::7], case["every_7"], rtol=1e-7, atol=1e-6)


@pytest.mark.parametrize("frames", [1, 7, 75, 250])
def test_a_clip_of_n_frames_has_4n_minus_1_columns(frames: int) -> None:
    assert len(mfcc(np.zeros(640 * frames))) == 4 * frames - 1


def test_samples_that_are_no_integers_move_coefficient_0_alone(signals) -> None:
    samples = signals.vowels(16000, 0.5).astype(np.float64)
    large, small = mfcc(samples * 32768), mfcc(samples)
    # ln(32768^2) = 20.794; the orthonormal DCT of a constant touches coefficient 0 only, and that
    # one is replaced by the energy.
    np.testing.assert_allclose(large[:, 0] - small[:, 0], 20.794415, atol=1e-5)
    np.testing.assert_allclose(large[:, 1:], small[:, 1:], atol=1e-8)


@pytest.mark.parametrize(
    ("samples", "windows"), [(3840, 1), (4479, 1), (4480, 2), (48000, 70), (64000, 95)]
)
def test_sound_has_five_windows_fewer_than_frames(samples: int, windows: int) -> None:
    found = sound_windows(np.zeros(samples, np.float32))
    assert found.shape == (windows, 13, 20)
    assert found.dtype == np.float32


def test_window_v_starts_at_frame_v() -> None:
    wave = np.random.default_rng(0).standard_normal(16000).astype(np.float32) * 0.1
    late = sound_windows(np.concatenate([np.zeros(640, np.float32), wave]))
    # Column 0 of the later wave holds the first difference of the pre-emphasis; the others agree.
    np.testing.assert_allclose(late[1:, :, 1:], sound_windows(wave)[:, :, 1:], atol=1e-4)


def test_too_short_a_sound_is_refused() -> None:
    with pytest.raises(InputError, match=r"at least 6 frames of 40 ms of sound, got 0\.240 s"):
        sound_windows(np.zeros(3839, np.float32))


# ---- The network


def test_every_key_of_the_published_checkpoint_is_known() -> None:
    assert keys_of(Network) == cases("syncnet")["fake"]["keys"]


def test_towers_equal_upstream_under_a_fake_checkpoint(tmp_path: Path) -> None:
    case = cases("syncnet")["fake"]
    state = fake_state(Network)
    torch.save(state, tmp_path / "syncnet_v2.model")  # as published: without counters of batches
    network = load_network(tmp_path / "syncnet_v2.model")
    draws = np.random.RandomState(5)
    pictures = draws.randint(0, 256, (1, 3, 7, 224, 224)).astype(np.uint8)
    columns = (8 * draws.standard_normal((3, 1, 13, 20))).astype(np.float32)
    lips = lip_embeddings(network, pictures[0].transpose(1, 2, 3, 0))
    sound = network.sound(torch.from_numpy(columns[:, 0])).numpy()
    for found, expected in ((lips, case["lips_every_32"]), (sound, case["sound_every_32"])):
        scale = np.abs(expected).max()
        np.testing.assert_allclose(found[:, ::32], expected, rtol=1e-4, atol=1e-4 * scale)


def test_lips_of_a_clip_equal_those_of_its_windows() -> None:
    torch.manual_seed(0)
    network = Network(SMALL).eval()
    crops = np.random.default_rng(0).integers(0, 256, (27, 224, 224, 3), dtype=np.uint8)
    whole = lip_embeddings(network, crops)
    alone = np.concatenate([lip_embeddings(network, crops[v : v + 5]) for v in range(23)])
    assert whole.shape == (23, 16)
    np.testing.assert_allclose(whole, alone, atol=1e-4 * np.abs(whole).max())


# ---- Faces by MTCNN


@pytest.fixture(scope="session")
def cascade():
    from vsseval import weights
    from vsseval.encoders.mtcnn_network import load_cascade

    return load_cascade(weights.require("mtcnn"))


@pytest.fixture(scope="session")
def clips(carphone):
    """Frames of a clip by name."""
    loaded: dict[str, np.ndarray] = {}

    def get(name: str) -> np.ndarray:
        if name not in loaded:
            path = carphone() if name == "carphone" else DEMO_VIDEO / f"{name}.mp4"
            loaded[name] = read_video(path).frames
        return loaded[name]

    return get


@pytest.mark.weights
@pytest.mark.parametrize("name", sorted(cases("mtcnn")))
def test_faces_equal_those_of_facenet_pytorch(cascade, clips, name: str) -> None:
    case = cases("mtcnn")[name]
    frame = clips(case["clip"])[case["frame"]]
    assert int(frame.sum(dtype=np.int64)) == case["sum"]
    found = mtcnn.detect(cascade, frame, least=case["least"])
    assert len(found) == len(case["boxes"])
    if case["boxes"]:
        np.testing.assert_allclose(found[:, :4], np.array(case["boxes"])[:, :4], atol=1e-2)
        np.testing.assert_allclose(found[:, 4], np.array(case["boxes"])[:, 4], atol=1e-4)


@pytest.mark.weights
def test_a_frame_without_a_face_has_no_box(cascade) -> None:
    for frame in (np.zeros((144, 176, 3), np.uint8), np.zeros((15, 400, 3), np.uint8)):
        assert mtcnn.detect(cascade, frame).shape == (0, 5)


@pytest.mark.weights
def test_two_faces_have_two_boxes(cascade, clips) -> None:
    frame = clips("speech-test-0000")[40]
    both = np.concatenate([frame, frame], axis=1)
    alone, found = mtcnn.detect(cascade, frame), mtcnn.detect(cascade, both)
    assert len(alone) == 1
    assert len(found) == 2
    left, right = found[np.argsort(found[:, 0])]
    for box, shift in ((left, 0), (right, frame.shape[1])):
        assert overlap(box[:4] - [shift, 0, shift, 0], alone[:, :4])[0] > 0.8


@pytest.mark.weights
def test_a_real_talking_head_is_followed_through_its_clip(cascade, clips) -> None:
    frames = clips("carphone")[::6]
    found = [mtcnn.detect(cascade, frame) for frame in frames]
    track = longest_track(found)
    assert (track.start, len(track.boxes)) == (0, len(frames))
    # The head fills a third of the picture's height in its middle, all the time.
    assert (track.boxes[:, 3] - track.boxes[:, 1] > 48).all()


# ---- Faces by S3FD


def test_s3fd_equals_upstream_under_a_fake_checkpoint() -> None:
    case = cases("s3fd")["fake"]
    state = fake_state(s3fd_network.Network)
    network = build(s3fd_network.Network, state, Path("sfd_face.pth"))
    assert keys_of(s3fd_network.Network) == case["keys"]
    draws = np.random.RandomState(6)
    picture = (40 * draws.standard_normal((1, 3, 72, 90))).astype(np.float32)
    with torch.inference_mode():
        maps = network(torch.from_numpy(picture))
    corrections = np.concatenate([c.permute(1, 2, 0).numpy().ravel() for c, _ in maps])
    scores = np.concatenate([p.numpy().ravel() for _, p in maps])
    assert scores.size == case["cells"]
    np.testing.assert_allclose(corrections[::7], case["corrections_every_7"], atol=1e-4)
    np.testing.assert_allclose(scores[::5], case["scores_every_5"], atol=1e-4)


def test_boxes_of_s3fd_equal_upstream_on_planted_scores() -> None:
    case = cases("s3fd")["fake"]
    draws = np.random.RandomState(6)
    draws.standard_normal((1, 3, 72, 90))
    moves = torch.from_numpy(draws.standard_normal((case["cells"], 4)).astype(np.float32))
    planted = torch.full((case["cells"],), 0.5)
    for cell, score in ((120, 0.99), (121, 0.97), (200, 0.95), (223, 0.93), (390, 0.999)):
        planted[cell] = score
    planted[60] = 0.85
    boxes, first = [], 0
    for step, (h, w) in zip(
        s3fd.STEPS, [(18, 22), (9, 11), (4, 5), (2, 2), (1, 1), (1, 1)], strict=True
    ):
        part = slice(first, first + h * w)
        first += h * w
        maps = moves[part].T.reshape(4, h, w), planted[part].reshape(h, w)
        boxes.append(s3fd.decoded(*maps, step, (72, 90)))
    assert first == case["cells"]
    found = s3fd.best_boxes(torch.cat(boxes), (288, 360)).numpy()
    np.testing.assert_allclose(found, case["planted"], rtol=1e-4, atol=1e-3)


def test_s3fd_sees_the_frame_at_a_quarter() -> None:
    seen = []

    def network(picture: torch.Tensor) -> list[tuple[torch.Tensor, torch.Tensor]]:
        seen.append(picture)
        maps = [(18, 22), (9, 11), (4, 5), (2, 2), (1, 1), (1, 1)]
        return [(torch.zeros(4, h, w), torch.zeros(h, w)) for h, w in maps]

    frame = np.tile(np.array([200, 100, 50], np.uint8), (288, 360, 1))
    assert s3fd.detect(network, frame).shape == (0, 5)
    assert seen[0].shape == (1, 3, 72, 90)
    np.testing.assert_allclose(seen[0][0, :, 5, 5].numpy(), [200 - 123, 100 - 117, 50 - 104])


# ---- Tracks and crops


@pytest.mark.parametrize("name", ["sways", "leaves", "two", "gaps", "lost", "cut"])
def test_the_longest_track_equals_upstream(name: str) -> None:
    case = cases("tracks")[name]
    seen = [np.array(boxes).reshape(-1, 4) for boxes in sightings(name)]
    track = longest_track(seen)
    assert (track.start, len(track.boxes)) == (case["start"], case["frames"])
    np.testing.assert_allclose(track.boxes[::5], case["boxes_every_5"], rtol=1e-6)


def test_no_face_is_an_error() -> None:
    with pytest.raises(InputError, match="no face found in 75 frames"):
        longest_track([np.zeros((0, 5))] * 75)


def test_a_face_of_a_moment_is_an_error() -> None:
    seen = [np.array([[10.0, 10, 50, 50, 1]])] * (LEAST_FRAMES - 1) + [np.zeros((0, 5))] * 40
    with pytest.raises(InputError, match="no face is seen in 7 frames: the longest track has 6"):
        longest_track(seen)


@pytest.mark.parametrize(
    "box", [(60, 50, 120, 130), (0, 0, 60, 70), (140, 100, 176, 144)], ids=["inside", "top", "end"]
)
def test_crop_is_cut_from_the_padded_frame(box: tuple[int, ...]) -> None:
    # The published rule in its own terms: pad the whole frame with 110, then cut.
    frames = np.random.default_rng(1).integers(0, 256, (9, 144, 176, 3), dtype=np.uint8)
    left, top, right, bottom = box
    half, x, y = max(bottom - top, right - left) / 2, (left + right) / 2, (top + bottom) / 2
    pad = int(half * 1.8)
    around = np.pad(frames, ((0, 0), (pad, pad), (pad, pad), (0, 0)), constant_values=110)
    cut = around[
        :,
        int(y + pad - half) : int(y + pad + half * 1.8),
        int(x + pad - half * 1.4) : int(x + pad + half * 1.4),
    ]
    import cv2

    expected = np.stack([cv2.resize(each, (224, 224)) for each in cut])
    np.testing.assert_array_equal(face_crops(frames, box_track(frames, box)), expected)


def test_the_crop_follows_the_face() -> None:
    frames = np.zeros((30, 120, 160, 3), np.uint8)
    boxes = np.array([[20 + 2 * i, 30, 60 + 2 * i, 80] for i in range(30)], np.float64)
    for frame, (left, top, right, bottom) in zip(frames, boxes.astype(int), strict=True):
        frame[top:bottom, left:right] = 255
    crops = face_crops(frames, Track(0, boxes))
    # Away from the ends the median of 13 steady steps is the middle one: every crop is the same.
    np.testing.assert_array_equal(crops[6], crops[20])


@pytest.mark.parametrize(
    ("fps", "count", "expected"),
    [
        (25.0, 5, [0, 1, 2, 3, 4]),
        (50.0, 8, [0, 2, 4, 6]),
        (12.5, 4, [0, 1, 1, 2, 2, 3, 3, 3]),
        (30.0, 7, [0, 1, 2, 4, 5, 6]),
        (30.0, 1, [0]),
    ],
    ids=["25", "50", "12.5", "30", "one"],
)
def test_other_rates_take_the_nearest_frame(fps: float, count: int, expected: list[int]) -> None:
    # 12.5 fps: times 0, 40, 80 ms are frames 0, 0.5, 1; a half goes to the later frame.
    assert frames_at_25(count, fps).tolist() == expected


# ---- Encoders


@pytest.fixture(scope="session")
def small() -> Network:
    torch.manual_seed(0)
    return Network(SMALL).eval()


def test_a_clip_of_grid_is_scored(small: Network) -> None:
    frames = np.random.default_rng(2).integers(0, 256, (75, 72, 90, 3), dtype=np.uint8)
    sound = np.random.default_rng(3).standard_normal(48000).astype(np.float32) * 0.1
    lips = SyncnetVideoEncoder(small, box_track, "cpu", "small")
    seen = lips(frames, 25.0, face_box=(20, 10, 60, 60))
    heard = SyncnetAudioEncoder(small, "cpu", "small")(sound)
    assert seen["embedding"].shape == (71, 16)
    assert heard["embedding"].shape == (70, 16)
    assert lip_sync_error(seen["embedding"], heard["embedding"]).num_windows == 70


def test_a_track_that_begins_later_says_so(small: Network) -> None:
    box = np.array([[20.0, 10, 60, 60, 1]])
    seen = [np.zeros((0, 5))] * 12 + [box] * 20 + [np.zeros((0, 5))] * 8
    encoder = SyncnetVideoEncoder(small, lambda frames, face_box: longest_track(seen), "cpu", "x")
    found = encoder(np.zeros((40, 72, 90, 3), np.uint8), 25.0, face_box=None)
    assert int(found["start"]) == 12
    assert found["start"].dtype == np.int64
    assert found["embedding"].shape == (16, 16)


def test_a_clip_at_50_fps_is_that_at_25(small: Network) -> None:
    frames = np.random.default_rng(4).integers(0, 256, (10, 72, 90, 3), dtype=np.uint8)
    encoder = SyncnetVideoEncoder(small, box_track, "cpu", "small")
    box = (20, 10, 60, 60)
    slow = encoder(frames, 25.0, face_box=box)["embedding"]
    fast = encoder(np.repeat(frames, 2, axis=0), 50.0, face_box=box)["embedding"]
    np.testing.assert_array_equal(slow, fast)


def test_colours_reach_the_network_as_blue_green_red(small: Network) -> None:
    frames = np.zeros((7, 300, 300, 3), np.uint8)
    frames[..., 0] = 255  # red
    seen = []

    class Ear(torch.nn.Module):
        def lips(self, pictures: torch.Tensor) -> torch.Tensor:
            seen.append(pictures)
            return torch.zeros(1, pictures.shape[2] - 4, 16)

    SyncnetVideoEncoder(Ear(), box_track, "cpu", "x")(frames, 25.0, face_box=(100, 100, 180, 180))
    assert seen[0][0, :, 0, 100, 100].tolist() == [0.0, 0.0, 255.0]


def test_without_a_box_the_item_is_refused(small: Network) -> None:
    encoder = SyncnetVideoEncoder(small, box_track, "cpu", "small")
    with pytest.raises(InputError, match="has no face_box"):
        encoder(np.zeros((75, 72, 90, 3), np.uint8), 25.0, face_box=None)
    with pytest.raises(InputError, match="needs 7 frames at 25 fps, got 6"):
        encoder(np.zeros((6, 72, 90, 3), np.uint8), 25.0, face_box=(20, 10, 60, 60))


def test_the_full_width_has_a_last_kernel_of_6() -> None:
    assert syncnet_network.FULL.side == 6


def test_weights_that_the_user_adds_serve_every_encoder(tmp_path: Path, monkeypatch) -> None:
    from vsseval import weights
    from vsseval.encoders.table import load_encoder, signature

    states = {
        "syncnet_v2.model": fake_state(Network),
        "sfd_face.pth": fake_state(s3fd_network.Network),
    }
    monkeypatch.setenv("VSSEVAL_WEIGHTS", str(tmp_path / "store"))
    for part, name in (("syncnet", "syncnet_v2.model"), ("s3fd", "sfd_face.pth")):
        torch.save(states[name], tmp_path / name)
        weights.add(part, [tmp_path / name])
    frames = np.random.default_rng(5).integers(0, 256, (8, 112, 120, 3), dtype=np.uint8)
    boxed = load_encoder("syncnet-video@box")
    assert boxed(frames, 25.0, face_box=(20, 10, 90, 80))["embedding"].shape == (4, 1024)
    heard = load_encoder("syncnet-audio")(np.zeros(8 * 640, np.float32))
    assert heard["embedding"].shape == (3, 1024)
    found = load_encoder("syncnet-video@s3fd")
    # Under these weights no cell is a face with probability 0.9.
    with pytest.raises(InputError, match="no face found in 8 frames"):
        found(frames, 25.0)
    with pytest.raises(InputError, match=r"28 pixels at scale 0\.25, got frames of 120 x 108"):
        found(frames[:, :108], 25.0)
    known = weights.fingerprint("syncnet")
    for name in ("syncnet-audio", "syncnet-video@box", "syncnet-video@s3fd"):
        assert known in signature(name)
        assert load_encoder(name).signature == signature(name)
    assert weights.fingerprint("s3fd") in signature("syncnet-video@s3fd")


@pytest.mark.weights
def test_a_face_is_found_cut_out_and_embedded(tmp_path: Path, monkeypatch, clips) -> None:
    from vsseval import weights
    from vsseval.encoders.table import load_encoder

    store = tmp_path / "store"
    store.mkdir()
    (store / "mtcnn").symlink_to(weights.require("mtcnn"))
    monkeypatch.setenv("VSSEVAL_WEIGHTS", str(store))
    state = fake_state(Network)
    torch.save(state, tmp_path / "syncnet_v2.model")
    weights.add("syncnet", [tmp_path / "syncnet_v2.model"])
    encoder = load_encoder("syncnet-video")
    frames = clips("speech-test-0000")[:9]
    nothing = np.zeros_like(frames[:3])
    found = encoder(np.concatenate([nothing, frames]), 25.0)
    assert int(found["start"]) == 3
    assert found["embedding"].shape == (5, 1024)
    # The same frames without the dark ones before them.
    alone = encoder(frames, 25.0)
    np.testing.assert_allclose(alone["embedding"], found["embedding"], rtol=1e-4, atol=1e-5)
    with pytest.raises(InputError, match="no face found in 12 frames"):
        encoder(np.zeros((12, 192, 192, 3), np.uint8), 25.0)
