"""The full-size codec against the authors' mel and diffusers' autoencoder, under fake weights.

Expected values: tests/reference/vssflow_codec_recipe.py.
"""

from __future__ import annotations

import json
from pathlib import Path

import fake_checkpoint
import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from transformers import SpeechT5HifiGan, SpeechT5HifiGanConfig

from vsseval.errors import InputError
from vssflow.audioldm2 import (
    AudioLdm2,
    flatten_latent,
    load_audioldm2,
    load_vae,
    load_vae_state,
    model_wave,
    unflatten_latent,
)
from vssflow.config import V3_M
from vssflow.mel import log_mel
from vssflow.vae_network import Vae, VaeSize

REFERENCE = Path(__file__).parents[1] / "reference"
EXPECTED = json.loads((REFERENCE / "vssflow_codec.json").read_text())["cases"]
SMALL = VaeSize((32, 64, 128), 2, 8)


def wave() -> torch.Tensor:
    """The recipe's two clips."""
    time = np.arange(24_000) / 16_000
    noise = np.random.RandomState(3).standard_normal(24_000)
    first = np.sin(2 * np.pi * (200 + 900 * time) * time) + 0.01 * noise
    second = 0.2 + (time > 0.7) * np.exp(-9 * np.clip(time - 0.7, 0, None)) * noise
    return torch.from_numpy(np.stack([first, second]).astype(np.float32))


def fake_state(vae: Vae) -> dict[str, torch.Tensor]:
    return {
        name: torch.from_numpy(fake_checkpoint.fill(name, tuple(value.shape)))
        for name, value in vae.state_dict().items()
    }


@pytest.fixture(scope="module")
def vae() -> Vae:
    made = Vae(SMALL)
    load_vae_state(made, fake_state(made))
    return made.eval()


def tiny_vocoder() -> SpeechT5HifiGan:
    """AudioLDM2's vocoder with few channels: the same strides."""
    torch.manual_seed(0)
    return SpeechT5HifiGan(
        SpeechT5HifiGanConfig(
            model_in_dim=64,
            sampling_rate=16000,
            upsample_initial_channel=32,
            upsample_rates=[5, 4, 2, 2, 2],
            upsample_kernel_sizes=[16, 16, 8, 4, 4],
            resblock_kernel_sizes=[3],
            resblock_dilation_sizes=[[1]],
            normalize_before=False,
        )
    )


def test_log_mel_equals_the_authors() -> None:
    mel = log_mel(model_wave(wave()), V3_M).transpose(1, 2)
    assert list(mel.shape) == EXPECTED["mel"]["shape"] == [2, 1000, 64]
    np.testing.assert_allclose(mel.flatten()[::331], EXPECTED["mel"]["every_331"], atol=2e-4)


def test_autoencoder_equals_diffusers(vae) -> None:
    expected = EXPECTED["reduced"]
    mel = log_mel(model_wave(wave()), V3_M).transpose(1, 2)[:, None, :160]
    with torch.inference_mode():
        found = vae.encode(mel)
        latent = flatten_latent(found.mean)
        decoded = vae.decode(unflatten_latent(latent))
    np.testing.assert_allclose(latent.flatten()[::17], expected["latent_every_17"], atol=1e-4)
    np.testing.assert_allclose(
        found.deviation.flatten()[::53], expected["deviation_every_53"], rtol=1e-4
    )
    np.testing.assert_allclose(decoded.flatten()[::97], expected["decoded_every_97"], atol=1e-4)


def test_full_size_has_the_keys_and_shapes_of_diffusers() -> None:
    with torch.device("meta"):
        shapes = {name: tuple(value.shape) for name, value in Vae().state_dict().items()}
    assert len(shapes) == EXPECTED["full"]["tensors"]
    assert fake_checkpoint.key_digest(shapes) == EXPECTED["full"]["keys"]


def test_flat_channel_is_eight_mel_groups_plus_the_vae_channel() -> None:
    latent = torch.zeros(1, 8, 5, 16)
    latent[0, 3, 2, 7] = 1.0
    flat = flatten_latent(latent)
    assert flat.shape == (1, 5, 128)
    assert flat.nonzero().tolist() == [[0, 2, 8 * 7 + 3]]
    assert torch.equal(unflatten_latent(flat), latent)


def test_wave_is_centred_after_padding_and_peaks_at_one_half() -> None:
    made = model_wave(torch.full((1, 80_000), 3.0))
    # Half of it 3, half 0: the mean is 1.5, and so both halves lie 1.5 off.
    torch.testing.assert_close(made[0, :80_000], torch.full((80_000,), 0.5))
    torch.testing.assert_close(made[0, 80_000:], torch.full((80_000,), -0.5))
    assert model_wave(torch.zeros(1, 5)).abs().max() == 0
    assert model_wave(torch.zeros(1, 200_000)).shape == (1, 160_000)


def test_codec_gives_250_frames_of_128_and_160_samples_a_mel_frame(vae) -> None:
    codec = AudioLdm2(vae, tiny_vocoder())
    mean, deviation = codec.posterior(wave()[:1])
    assert mean.shape == deviation.shape == (1, 250, 128)
    with torch.inference_mode():
        out = codec.decode(mean[:, :50])
    assert out.shape == (1, 50 * 640)
    assert not any(parameter.requires_grad for parameter in codec.parameters())


def write_folder(folder: Path) -> Path:
    made = Vae(SMALL)
    (folder / "vae").mkdir(parents=True)
    config = {
        "block_out_channels": [32, 64, 128],
        "layers_per_block": 2,
        "latent_channels": 8,
        "in_channels": 1,
        "norm_num_groups": 32,
        "scaling_factor": 0.4110932946205139,
    }
    (folder / "vae" / "config.json").write_text(json.dumps(config))
    save_file(fake_state(made), folder / "vae" / "diffusion_pytorch_model.safetensors")
    tiny_vocoder().save_pretrained(folder / "vocoder")
    return folder


def test_published_folders_are_read_without_a_scaling_factor(tmp_path, vae) -> None:
    codec = load_audioldm2(write_folder(tmp_path))
    torch.testing.assert_close(
        codec.posterior(wave())[0], AudioLdm2(vae, tiny_vocoder()).posterior(wave())[0]
    )
    for name, value in tiny_vocoder().state_dict().items():
        assert torch.equal(codec.vocoder.state_dict()[name], value)


def test_attention_names_of_older_files_are_understood(vae) -> None:
    old = {}
    for name, value in fake_state(vae).items():
        for ours, theirs in (
            (".to_q.", ".query."),
            (".to_k.", ".key."),
            (".to_v.", ".value."),
            (".to_out.0.", ".proj_attn."),
        ):
            name = name.replace(ours, theirs)
        old[name] = value
    assert set(old) != set(fake_state(vae))
    again = Vae(SMALL)
    load_vae_state(again, old)
    for name, value in vae.state_dict().items():
        assert torch.equal(again.state_dict()[name], value)


def test_folder_that_lacks_a_part_or_a_tensor_is_refused(tmp_path) -> None:
    with pytest.raises(InputError, match=r"no vae/config\.json"):
        load_audioldm2(tmp_path)
    folder = write_folder(tmp_path / "whole")
    state = fake_state(Vae(SMALL))
    del state["encoder.conv_in.weight"]
    save_file(state, folder / "vae" / "diffusion_pytorch_model.safetensors")
    with pytest.raises(InputError, match=r"1 tensors do not fit .*encoder\.conv_in\.weight"):
        load_vae(folder / "vae")
