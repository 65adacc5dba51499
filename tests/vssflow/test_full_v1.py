"""v1 from clips to audio at reduced size: rows of shards, both trainings, one clip."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from vsseval.errors import InputError
from vsseval.weights import load_torch
from vssflow.checkpoint import load_checkpoint, save_checkpoint
from vssflow.cli import commands
from vssflow.config import PRESETS
from vssflow.distributed import Share
from vssflow.duration_predictor import (
    DurationPredictor,
    Prediction,
    load_prediction,
    spoken_lips,
    upstream_state,
)
from vssflow.durations import duration_matrix
from vssflow.features import read_clips
from vssflow.full_durations import TIMINGS
from vssflow.full_features import FullFrontEnds, clip_row, store_features
from vssflow.full_system import FullModel, Given, generate_full
from vssflow.joint import Overlay, Source, mix
from vssflow.network import Networks
from vssflow.phonemes import BLANK, IDS
from vssflow.shards import open_shards
from vssflow.system import Settings
from vssflow.train_durations import DurationMaterial, durations_job
from vssflow.train_flow import FlowMaterial, FlowTraining, draw_features, flow_job
from vssflow.training import Draw

V1 = replace(
    PRESETS["v1"],
    width=64,
    heads=1,
    cross_heads=1,
    depth=1,
    feed_forward=32,
    semantic_channels=16,
)
BIN = [IDS["B"], IDS["IH1"], IDS["N"]]


class Levels(torch.nn.Module):
    """In place of AudioLDM2: a latent of zeros, and a level for each latent frame."""

    def __init__(self):
        super().__init__()
        self.place = torch.nn.Parameter(torch.zeros(1))

    def posterior(self, wave):
        return torch.zeros(1, 250, 128), torch.ones(1, 250, 128)

    def decode(self, latent):
        return latent.mean(-1).repeat_interleave(640, dim=-1) / 10


class Colours(Levels):
    """In place of CLIP: the mean colour of a picture in every third channel."""

    config = SimpleNamespace(image_size=16)

    def forward(self, pixel_values):
        token = pixel_values.mean((2, 3)).repeat(1, 256)
        return SimpleNamespace(last_hidden_state=token[:, None])


@pytest.fixture(scope="module")
def ends(data, tmp_path_factory) -> FullFrontEnds:
    """Stubs, and given lips and speakers; Synchformer's features are not needed."""
    root = tmp_path_factory.mktemp("given")
    rng = np.random.default_rng(0)
    for clip in read_clips(data):
        for kind, shape in (("lips", (25, 1024)), ("speaker", (256,))):
            path = root / kind / f"{clip.id}.npy"
            path.parent.mkdir(parents=True, exist_ok=True)
            np.save(path, rng.standard_normal(shape).astype(np.float32))
    dictionary = {"bin": ("B", "IH1", "N")}
    return FullFrontEnds(Levels(), Colours(), None, root / "lips", root / "speaker", dictionary)


class Pointing(torch.nn.Module):
    """In place of the predictor: the first channels of the lips say the phoneme."""

    def forward(self, ids, lips):
        return lips[..., : ids.shape[1]].softmax(-1)


@pytest.fixture(scope="module")
def prediction() -> Prediction:
    return Prediction(Pointing(), V1.clip_frames)


def speech(data):
    return read_clips(data)[-1]


def timing(row) -> str:
    return TIMINGS[int(row["timing"])]


def test_row_of_aligned_speech_has_its_phonemes_at_their_frames(data, ends) -> None:
    row = clip_row(speech(data), ends, V1)
    assert timing(row) == "aligned"
    assert row["sync"].shape == (1, 0)
    assert row["phonemes"][:6].tolist() == [BLANK, *BIN, BLANK, 0]
    # B from 0.4 s, IH from 0.5, N from 0.6 to 0.7; frame i is read at 40 i + 25 ms.
    said = [row["phonemes"][first] for first, _ in row["spans"][:25]]
    expected = [BLANK] * 10 + [BIN[0]] * 2 + [BIN[1]] * 3 + [BIN[2]] * 2 + [BLANK] * 8
    assert said == expected
    assert not row["spans"][25:].any()


def test_speech_without_alignment_is_predicted_or_stretched(data, ends, prediction) -> None:
    clip = replace(speech(data), phones=())
    even = clip_row(clip, ends, V1)
    assert timing(even) == "even"
    assert even["spans"][:25, 0].tolist() == [i // 5 for i in range(25)]
    found = clip_row(clip, replace(ends, prediction=prediction), V1)
    assert timing(found) == "predicted"
    lips = np.load(ends.lips / f"{clip.id}.npy")
    by_hand = prediction.durations(np.array([BLANK, *BIN, BLANK]), lips)
    assert found["spans"][:25].tolist() == by_hand.spans.tolist()
    # Without lips the predictor sees ones, and so do the rows that train it.
    blind = clip_row(clip, replace(ends, prediction=prediction, lips=None), V1)
    by_hand = prediction.durations(np.array([BLANK, *BIN, BLANK]), spoken_lips(None, 25))
    assert blind["spans"][:25].tolist() == by_hand.spans.tolist()
    assert blind["lips"].sum() == 25 * 1024


def test_row_of_a_sound_says_nothing(data, ends) -> None:
    row = clip_row(read_clips(data)[0], ends, V1)
    assert timing(row) == "none"
    assert not row["phonemes"].any()
    assert not row["spans"].any()


def test_shards_of_other_durations_are_not_mixed(data, ends, prediction, tmp_path) -> None:
    clips = [speech(data)]
    store_features(clips, tmp_path, ends, V1, print)
    with pytest.raises(InputError, match="other settings"):
        store_features(clips, tmp_path, replace(ends, prediction=prediction), V1, print)


def flow_material() -> FlowMaterial:
    """Six clips of ten frames; the last three are speech of three phonemes."""
    rng = np.random.default_rng(0)

    def normal(*shape, dtype=np.float16):
        return rng.standard_normal((6, *shape)).astype(dtype)

    phonemes, spans = np.zeros((6, 10), np.int16), np.zeros((6, 10, 2), np.int16)
    phonemes[3:, :3] = rng.integers(1, 71, (3, 3))
    spans[3:, :9, 0] = np.arange(9) // 3
    spans[3:, :9, 1] = spans[3:, :9, 0] + 1
    return FlowMaterial(
        latent=normal(10, 128),
        lips=np.zeros((6, 10, 0), np.float32),
        phonemes=phonemes,
        sync=np.zeros((6, 10, 0), np.float16),
        semantic=normal(10, 768),
        speaker=normal(256, dtype=np.float32),
        companions=[[], [], [], [4, 5], [3, 5], [3, 4]],
        spans=spans,
    )


@pytest.mark.parametrize("name", ["v1", "v1-all-cross", "v1-video", "v1-all-concat"])
def test_shares_of_a_batch_of_v1_add_up_and_durations_matter(name) -> None:
    torch.manual_seed(0)
    small = {"width": 64, "heads": 1, "cross_heads": 1, "depth": 1, "feed_forward": 32}
    config = replace(PRESETS[name], semantic_channels=16, clip_seconds=0.4, **small)
    flow = Networks(config).flow
    torch.nn.init.normal_(flow.proj_out.weight, std=0.1)

    def loss(material: FlowMaterial, share: Share) -> float:
        job = flow_job(flow, material, FlowTraining(batch=4, bfloat16=False))
        with torch.no_grad():
            return float(job.losses(Draw(torch.Generator().manual_seed(5), 3, share))["loss"])

    given = flow_material()
    whole = loss(given, Share())
    assert sum(loss(given, Share(i, 4)) for i in range(4)) / 4 == pytest.approx(whole, rel=1e-5)
    assert loss(replace(given, spans=given.spans[:, ::-1]), Share()) != pytest.approx(whole)


def test_joint_clip_says_its_phonemes_later(data) -> None:
    given, generator = flow_material(), torch.Generator().manual_seed(0)
    sound, spoken = (draw_features(given, [row], generator) for row in (0, 3))
    wave = torch.zeros(1, 10 * 640)
    mixed = mix(Source(wave, sound, 10), Source(wave, spoken, 4), Overlay(3, "add", 0.5), V1)
    ids = torch.from_numpy(given.phonemes[3].astype(np.int64))
    heard = mixed.features.durations[0] @ mixed.features.phonemes[0].float()
    expected = torch.cat([torch.zeros(3), ids[:3].repeat_interleave(3)[:7]])
    assert torch.equal(heard, expected)
    assert mixed.features.durations[0, :3, 0].tolist() == [1, 1, 1]
    assert mixed.features.phonemes.shape == spoken.phonemes.shape


def duration_material() -> DurationMaterial:
    """Lips that are one-hot in the phoneme's number: the durations can be read off them."""
    rng = np.random.default_rng(0)
    count, frames, phones = 8, 12, 4
    spans = np.zeros((count, frames, 2), np.int16)
    lips = np.zeros((count, frames, 1024), np.float16)
    for row in range(count):
        borders = np.sort(rng.choice(np.arange(1, frames), phones - 1, replace=False))
        spans[row, :, 0] = np.searchsorted(borders, np.arange(frames), side="right")
        lips[row, np.arange(frames), spans[row, :, 0]] = 10.0
    spans[..., 1] = spans[..., 0] + 1
    phonemes = np.zeros((count, frames), np.int16)
    phonemes[:, :phones] = np.arange(1, phones + 1)
    length = np.full(count, frames, np.int32)
    return DurationMaterial(lips, phonemes, spans, length, range(count))


def test_predictor_learns_durations_that_lips_show() -> None:
    torch.manual_seed(0)
    network = DurationPredictor()
    given = duration_material()
    names = [str(row) for row in range(8)]
    job = durations_job(network, given, FlowTraining(batch=8), names)
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-4)
    generator, losses = torch.Generator().manual_seed(0), []
    for step in range(45):
        loss = job.losses(Draw(generator, step))["loss"]
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        losses.append(float(loss.detach()))
    assert np.mean(losses[-5:]) < 0.5 * np.mean(losses[:5])
    with torch.no_grad():
        look = network(
            torch.from_numpy(given.phonemes[:, :4]).long(), torch.tensor(given.lips).float()
        )
    wanted = duration_matrix(torch.from_numpy(given.spans).long(), 4)
    assert float((look.argmax(-1) == wanted.argmax(-1)).float().mean()) > 0.9
    with pytest.raises(InputError, match="no clips of aligned speech"):
        durations_job(network, replace(given, aligned=[]), FlowTraining(batch=8), names)


def test_shares_of_a_batch_of_the_predictor_add_up() -> None:
    torch.manual_seed(0)
    given = duration_material()
    given.phonemes[0, 4:7] = 9  # one sequence is longer, so its neighbours are padded
    job = durations_job(DurationPredictor(), given, FlowTraining(batch=8), ["x"] * 8)

    def loss(share: Share) -> float:
        with torch.no_grad():
            return float(job.losses(Draw(torch.Generator().manual_seed(1), 2, share))["loss"])

    assert sum(loss(Share(i, 4)) for i in range(4)) / 4 == pytest.approx(loss(Share()), rel=1e-5)


@pytest.mark.weights
def test_v1_and_its_predictor_train_on_their_shards(data, ends, tmp_path, monkeypatch) -> None:
    monkeypatch.setitem(PRESETS, "v1", V1)
    assert store_features(read_clips(data), tmp_path / "features", ends, V1, print) == {}
    kept, arrays = open_shards(tmp_path / "features", [clip.id for clip in read_clips(data)])
    assert np.asarray(arrays["timing"][range(len(kept))]).tolist() == [0, 0, 0, 1, 1, 1]

    def train(stage: str, *more: str) -> str:
        arguments = ["train", "--preset", "v1", "--data", str(data), "--out", str(tmp_path)]
        arguments += ["--stage", stage, "--steps", "2", *more]
        done = CliRunner().invoke(commands, arguments, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output.splitlines()[-1]

    predictor = Path(train("durations", "--batch", "3"))
    state = load_torch(predictor)["state_dict"]
    assert set(state) == set(upstream_state(DurationPredictor()))
    assert load_prediction(predictor, V1).clip_frames == 250
    trained = load_checkpoint(Path(train("flow", "--batch", "4", "--accumulate", "2")))
    assert trained.config == V1
    assert trained.flow.positional_embedding.weight.isfinite().all()


def full_model(ends, **settings) -> FullModel:
    torch.manual_seed(0)
    networks = Networks(V1).eval()
    torch.nn.init.normal_(networks.flow.proj_out.weight, std=0.05)
    return FullModel(networks, ends.codec, ends.clip, Settings(2, 3.0, **settings))


def test_one_clip_of_v1_depends_on_words_durations_and_drift(data, ends, prediction) -> None:
    clip, made = speech(data), {}
    lips = ends.lips / f"{clip.id}.npy"
    model = full_model(ends)
    for name, chosen, given, words in (
        ("sound", model, Given(None), None),
        ("even", model, Given(None), [BIN]),
        ("predicted", model._replace(prediction=prediction), Given(None), [BIN]),
        ("lips", model._replace(prediction=prediction), Given(None, lips), [BIN]),
        ("drift", full_model(ends, drift=True), Given(None), [BIN]),
    ):
        output = generate_full(chosen, Path(clip.video), given, words=words, seed=0, report=print)
        assert output.audio.samples.shape == (1, 16000)
        made[name] = output.audio.samples.tobytes()
    assert len(set(made.values())) == len(made)


def test_what_v1_or_another_preset_lacks_is_said(data, ends, tmp_path) -> None:
    clip = speech(data)
    other = full_model(ends)._replace(networks=Networks(replace(V1, concatenated=("sync",))))
    with pytest.raises(InputError, match="needs sync features; give --synchformer"):
        generate_full(other, Path(clip.video), Given(None), words=None, seed=0, report=print)
    with pytest.raises(InputError, match="preset v3-m has no durations to predict"):
        load_prediction(tmp_path / "a.ckpt", PRESETS["v3-m"])


def test_guidance_of_v1_is_weaker_for_speech() -> None:
    v1 = PRESETS["v1"]
    assert (v1.default_guidance(speech=False), v1.default_guidance(speech=True)) == (3.0, 1.5)
    # c + 3 (c - u) of the authors' ablations is u + 4 (c - u).
    assert PRESETS["v1-video"].default_guidance(speech=True) == 4.0
    assert PRESETS["v3-m"].default_guidance(speech=True) == 3.0


@pytest.mark.parametrize(
    ("streams", "message"),
    [
        pytest.param(("phonemes", "temporal"), "nowhere", id="v1 has no sync features"),
        pytest.param(("phonemes", "sync"), "give one of --synchformer and --sync", id="seen"),
    ],
)
def test_sample_full_asks_for_sync_features_where_they_are_seen(clip, tmp_path, streams, message):
    path = tmp_path / "small.safetensors"
    save_checkpoint(Networks(replace(V1, concatenated=streams)), path)
    arguments = ["sample-full", "--video", clip, "--checkpoint", path, "--out", tmp_path / "a.wav"]
    arguments += ["--clip", tmp_path / "nowhere", "--audioldm2", tmp_path / "nowhere"]
    with pytest.raises(InputError, match=message):
        CliRunner().invoke(commands, [str(a) for a in arguments], catch_exceptions=False)
