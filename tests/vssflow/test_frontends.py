from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from vsseval.errors import InputError
from vssflow.durations import class_of_phone
from vssflow.features import Clip
from vssflow.frontends import LipFrontEnd, SemanticFrontEnd, SyncFrontEnd, with_motion
from vssflow.phonemes import CLASSES
from vssflow.train_flow import FlowMaterial, companions_of, draw_features
from vssflow.train_frontends import Material, labels_of, lip_job, sync_job
from vssflow.training import Draw


def pictures(*shape):
    generator = torch.Generator().manual_seed(0)
    return torch.randint(256, shape, dtype=torch.uint8, generator=generator)


def test_motion_planes_are_changes_and_zero_at_the_ends():
    # A picture that goes from 0 to 255 changes by 2 in [-1, 1], four times enlarged.
    frames = torch.tensor([0, 255], dtype=torch.uint8).reshape(1, 2, 1, 1, 1)
    expected = torch.tensor([[-1.0, 0.0, 8.0], [1.0, 8.0, 0.0]])
    torch.testing.assert_close(with_motion(frames)[0, :, :, 0, 0], expected)


def test_front_ends_give_one_feature_a_frame(config):
    sync = SyncFrontEnd(config)(pictures(2, 5, 2, 64, 64))
    lips = LipFrontEnd(config)(pictures(2, 5, 40, 40))
    semantic = SemanticFrontEnd(config)(pictures(2, 3, 48, 48, 3))
    assert sync.shape == (2, 5, config.sync_features)
    assert lips.shape == (2, 5, config.lip_features)
    assert semantic.shape == (2, 3, config.semantic_features)


def test_lip_posteriors_are_distributions_over_two_slots_a_frame(config):
    front_end = LipFrontEnd(config)
    posteriors = front_end.log_posteriors(front_end(pictures(1, 5, 40, 40))).exp()
    assert posteriors.shape == (1, 10, len(CLASSES))
    torch.testing.assert_close(posteriors.sum(-1), torch.ones(1, 10))


def test_sync_features_do_not_see_frames_far_away(config):
    # Reach of the temporal convolutions: 2 (1 + 2 + 4) = 14 frames, and one more for the change.
    front_end = SyncFrontEnd(config).eval()
    frames = pictures(1, 40, 2, 64, 64)
    other = frames.clone()
    other[:, 0] = 0
    with torch.inference_mode():
        before, after = front_end(frames), front_end(other)
    torch.testing.assert_close(before[:, 16:], after[:, 16:], atol=1e-6, rtol=0)
    assert (before[:, :15] - after[:, :15]).abs().max() > 1e-4


@pytest.mark.parametrize(
    ("phone", "name"),
    [
        pytest.param("pau", "SIL", id="pause"),
        pytest.param("ax", "AH", id="schwa"),
        pytest.param("iy", "IY", id="same name"),
        pytest.param("IH1", "IH", id="stress"),
        pytest.param("", "SIL", id="empty interval of the Montreal Forced Aligner"),
    ],
)
def test_phones_of_alignments_have_lip_classes(phone, name):
    assert CLASSES[class_of_phone(phone)] == name


def test_unknown_phone_is_refused():
    with pytest.raises(InputError, match="unknown phone 'qq'"):
        class_of_phone("qq")


def material(config, clips):
    rng = np.random.default_rng(0)
    count, frames = len(clips), config.clip_frames
    return Material(
        clips,
        rng.integers(0, 255, (count, frames, 2, 64, 64), dtype=np.uint8),
        rng.integers(0, 255, (count, frames, 40, 40), dtype=np.uint8),
        rng.integers(0, 255, (count, 3, 48, 48, 3), dtype=np.uint8),
        rng.normal(size=(count, frames, 64)).astype(np.float16),
    )


def test_lips_cannot_be_trained_without_alignments(config):
    clips = [Clip("a", "", "", transcript="bin")]
    with pytest.raises(InputError, match="no clip has an alignment"):
        lip_job(LipFrontEnd(config), material(config, clips), config)


@pytest.mark.parametrize("transcripts", [(None, None), ("bin", "bin"), (None, "bin")])
def test_sync_is_trained_on_any_mixture_of_sound_and_speech(config, transcripts):
    clips = [Clip(str(i), "", "", transcript=text) for i, text in enumerate(transcripts)]
    job = sync_job(SyncFrontEnd(config), material(config, clips), config)
    losses = job.losses(Draw(torch.Generator().manual_seed(0)))
    assert torch.isfinite(losses["loss"])


def test_speech_is_one_class_among_the_sounds():
    clips = [
        Clip("a", "", "", label="wood"),
        Clip("b", "", "", transcript="bin", label="grid"),
        Clip("c", "", "", label="rain"),
    ]
    assert labels_of(clips) == ["rain", "speech", "wood"]


def test_reference_voice_in_training_is_another_clip_of_the_speaker(config):
    clips = [
        Clip("a", "", "", transcript="x", speaker="s"),
        Clip("b", "", "", transcript="x", speaker="s"),
        Clip("c", "", "", transcript="x", speaker="t"),
        Clip("d", "", "", label="rain"),
    ]
    companions = companions_of(clips)
    assert companions == [[1], [0], [2], []]
    count, frames = 4, 10
    small = replace(config, clip_seconds=frames / 25)
    voices = np.arange(count, dtype=np.float32)[:, None] * np.ones(small.speaker_features)
    stored = FlowMaterial(
        np.zeros((count, frames, 64), np.float16),
        np.zeros((count, frames, small.lip_features), np.float16),
        np.zeros((count, 2 * frames), np.int16),
        np.zeros((count, frames, small.sync_features), np.float16),
        np.zeros((count, 1, small.semantic_features), np.float16),
        voices.astype(np.float32),
        companions,
    )
    features = draw_features(stored, [0, 1, 2, 3], torch.Generator().manual_seed(0))
    assert features.speaker[:, 0].tolist() == [1.0, 0.0, 2.0, 3.0]
