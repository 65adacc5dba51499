from __future__ import annotations

import numpy as np
import torch

from vssflow.codec import Codec
from vssflow.train_codec import codec_losses, decoder_job, encode_clip, set_latent_statistics
from vssflow.training import Draw


def test_latents_come_at_25_frames_a_second(config):
    latent = Codec(config).encode(torch.randn(2, 32000))
    assert latent.shape == (2, 50, config.latent_channels)


def test_decoded_waveform_has_640_samples_a_latent_frame(config):
    wave = Codec(config).decode(torch.randn(1, 50, config.latent_channels))
    assert wave.shape == (1, 32000)
    assert torch.isfinite(wave).all()


def test_statistics_bring_each_latent_channel_to_mean_0_deviation_1(config):
    torch.manual_seed(0)
    codec = Codec(config)
    wave = np.random.default_rng(0).normal(0, 3000, (4, 16000)).astype(np.int16)
    set_latent_statistics(codec, wave)
    latents = torch.cat([encode_clip(codec, row) for row in wave])
    torch.testing.assert_close(latents.mean(0), torch.zeros(64), atol=1e-4, rtol=0)
    torch.testing.assert_close(latents.std(0), torch.ones(64), atol=1e-4, rtol=0)


def test_codec_training_lowers_the_mel_error(config):
    torch.manual_seed(0)
    codec = Codec(config)
    generator = torch.Generator().manual_seed(0)
    time = torch.arange(16000) / 16000
    pitches = torch.tensor([[200.0], [300.0], [500.0], [800.0]])
    wave = 0.3 * torch.sin(2 * torch.pi * pitches * time)
    optimiser = torch.optim.AdamW(codec.parameters(), lr=3e-3)
    history = []
    for _ in range(60):
        losses = codec_losses(codec, wave, generator)
        optimiser.zero_grad()
        losses["loss"].backward()
        optimiser.step()
        history.append(losses["mel"].item())
    assert history[-1] < 0.3 * history[0]


def test_decoder_training_lowers_its_loss_and_leaves_latents_bit_equal(config):
    torch.manual_seed(0)
    codec = Codec(config)
    wave = np.random.default_rng(0).normal(0, 3000, (3, 16000)).astype(np.int16)
    set_latent_statistics(codec, wave)
    before = encode_clip(codec, wave[0])
    job, generator = decoder_job(codec, wave), torch.Generator().manual_seed(0)
    trained = [p for p in codec.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(trained, lr=3e-3)
    history = []
    for _ in range(15):
        losses = job.losses(Draw(generator))
        optimiser.zero_grad()
        losses["loss"].backward()
        optimiser.step()
        history.append(losses["loss"].item())
    assert history[-1] < 0.8 * history[0]
    assert torch.equal(encode_clip(codec, wave[0]), before)
