"""A full-size model on one clip and on a film, at reduced size."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from stand_ins import brightness, silent

from vsseval.errors import InputError
from vssflow.config import PRESETS
from vssflow.features import read_clips
from vssflow.full_system import FullModel, Given, generate_full
from vssflow.network import Networks
from vssflow.system import Settings

V3 = PRESETS["v3-m"]


def full_model(ends) -> FullModel:
    torch.manual_seed(0)
    config = replace(V3, width=64, heads=1, cross_heads=1, depth=1, feed_forward=32)
    networks = Networks(config).eval()
    torch.nn.init.normal_(networks.flow.proj_out.weight, std=0.05)
    return FullModel(networks, ends.codec, ends.clip, Settings(2, 3.0))


def test_one_clip_from_a_full_size_model_is_as_long_as_its_video(data, ends) -> None:
    speech = read_clips(data)[-1]
    given = Given(*(folder / f"{speech.id}.npy" for folder in (ends.sync, ends.lips, ends.speaker)))
    model, made = full_model(ends), {}
    with torch.inference_mode():
        for name, words, features in (
            ("speech", [[1, 2, 3]], given),
            ("other words", [[4, 5, 6]], given),
            ("sound", None, Given(given.sync)),
        ):
            output = generate_full(
                model, Path(speech.video), features, words=words, seed=0, report=silent
            )
            assert output.audio.samples.shape == (1, 16000)
            assert output.nfe == 4
            made[name] = output.audio.samples
    assert not np.array_equal(made["speech"], made["other words"])
    assert not np.array_equal(made["speech"], made["sound"])


def film(model, video: Path, given: Given | None = None, **options):
    asked = {"words": None, "seed": 0, "report": silent, **options}
    return generate_full(model, video, given or Given(), **asked)


def test_film_is_made_in_windows_of_one_noise(ends, tmp_path, make_clip) -> None:
    told: list[str] = []
    # In the place of the codec: the first channel of each latent frame as 640 equal samples.
    plain = SimpleNamespace(
        decode=lambda latent: latent[:, :, 0].repeat_interleave(640, dim=1) / 99
    )
    model = full_model(ends)._replace(sync=brightness, codec=plain)
    path = make_clip(tmp_path / "a.mp4", frames=300)
    output = film(model, path, report=told.append)
    assert told == ["12.0 s in 2 windows of 10 s"]
    assert output.audio.samples.shape == (1, 192_000)
    assert output.nfe == 8
    # What lies before the second window (2 s) is that of the first 10 s alone.
    alone = film(model, make_clip(tmp_path / "b.mp4", frames=250))
    ours, theirs = (o.audio.samples[0, : 2 * 16_000] for o in (output, alone))
    # H.264 looks ahead, so the pictures of the two files are not quite the same.
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=0.02 * np.abs(theirs).max())


def test_latents_of_a_film_are_decoded_in_windows_of_ten_seconds(ends) -> None:
    latent = torch.randn(1, 300, 128, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        whole = ends.codec.decode(latent)
        parts = ends.codec.decode(latent[:, :250]), ends.codec.decode(latent[:, 50:])
    assert whole.shape == (1, 192_000)
    # Outside the shared 8 s, less what the vocoder sees of it, each window is heard alone.
    clear = 50 * 640 - 10 * 160
    scale = float(whole.abs().max())
    torch.testing.assert_close(whole[:, :clear], parts[0][:, :clear], atol=1e-4 * scale, rtol=0)
    torch.testing.assert_close(whole[:, -clear:], parts[1][:, -clear:], atol=1e-4 * scale, rtol=0)


def test_span_of_speech_stands_in_the_windows_it_falls_into(ends, tmp_path, make_clip) -> None:
    seen = []
    model = full_model(ends)._replace(sync=brightness)
    conditions = model.networks.flow.conditions
    model.networks.flow.conditions = lambda features: (seen.append(features), conditions(features))[
        1
    ]
    lips = tmp_path / "lips.npy"
    np.save(lips, np.ones((300, 1024), np.float32))
    path = make_clip(tmp_path / "a.mp4", frames=300)
    film(model, path, Given(lips=lips), words=[[1, 2, 3]], span=(8.0, 11.0))
    # Windows begin with frames 0 and 50; the speech lies from 200 to 275.
    spans = [features.phonemes[0] != 0 for features in seen]
    for found, start in zip(spans, (0, 50), strict=True):
        expected = (torch.arange(start, start + 250) >= 200) & (
            torch.arange(start, start + 250) < 275
        )
        assert torch.equal(found, expected)
    assert all(torch.equal(f.lips[0, :, 0] != 0, s) for f, s in zip(seen, spans, strict=True))
    assert torch.equal(seen[0].phonemes[0, 200:], seen[1].phonemes[0, 150:200])
    for span in ((5.0, 4.0), (8.0, 12.2)):
        with pytest.raises(InputError, match=r"is not within 0 to 12\.00 s"):
            film(model, path, words=[[1]], span=span)
    with pytest.raises(InputError, match="needs a text"):
        film(model, path, span=(8.0, 11.0))


@pytest.mark.parametrize(("frames", "size"), [(7, 64), (12, 50), (13, 34)])
def test_short_and_small_videos_are_accepted(ends, tmp_path, make_clip, frames, size) -> None:
    path = make_clip(tmp_path / "a.mp4", frames=frames, size=size)
    model = full_model(ends)._replace(sync=brightness)
    assert film(model, path).audio.samples.shape == (1, 640 * frames)


def test_what_a_full_size_model_cannot_make_is_refused(data, ends, make_clip, tmp_path) -> None:
    clip = read_clips(data)[0]
    given, model = Given(ends.sync / f"{clip.id}.npy"), full_model(ends)
    long = make_clip(tmp_path / "long.mp4", frames=260)
    with pytest.raises(InputError, match="longer than its given sync features; give --synchformer"):
        film(model, long, given)
    with pytest.raises(InputError, match="give --synchformer or --sync"):
        film(model, Path(clip.video))
    with pytest.raises(InputError, match="cannot read sync features"):
        film(model, Path(clip.video), Given(tmp_path / "no.npy"))
    short = make_clip(tmp_path / "short.mp4", frames=4)
    with pytest.raises(InputError, match=r"lasts 0\.16 s \(4 frames\); vssflow needs 0\.2 s"):
        film(model, short, given)
    with pytest.raises(InputError, match="no video file"):
        film(model, tmp_path / "none.mp4", given)
