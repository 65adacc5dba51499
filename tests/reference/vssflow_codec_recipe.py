"""Writes tests/reference/vssflow_codec.json: the authors' log-mel, and diffusers' AutoencoderKL.

The autoencoder has AudioLDM2's layers at a quarter of their width and weights filled by key name
(:mod:`fake_checkpoint`); the digest is that of the keys at full width. The chain is the authors':
waveform, ``extract_batch_mel``, encoder, flattening, inverse, decoder.

Needs Python 3.11 with torch 2.9.1, diffusers 0.35.2 (no dependencies), librosa 0.10.2, and a
checkout of vasflow1/vssflow at c172450. Nothing of it is kept but numbers.

    python tests/reference/vssflow_codec_recipe.py CHECKOUT
"""

from __future__ import annotations

import importlib.metadata
import json
import sys
from pathlib import Path

import numpy as np
import torch

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from fake_checkpoint import fill, key_digest  # noqa: E402


def wave() -> torch.Tensor:
    """Two clips of 1.5 s at 16 kHz: a rising tone with noise, and an offset burst."""
    time = np.arange(24_000) / 16_000
    noise = np.random.RandomState(3).standard_normal(24_000)
    first = np.sin(2 * np.pi * (200 + 900 * time) * time) + 0.01 * noise
    second = 0.2 + (time > 0.7) * np.exp(-9 * np.clip(time - 0.7, 0, None)) * noise
    return torch.from_numpy(np.stack([first, second]).astype(np.float32))


def autoencoder(channels: tuple[int, ...]):
    """AudioLDM2's layers."""
    from diffusers import AutoencoderKL

    return AutoencoderKL(
        in_channels=1,
        out_channels=1,
        down_block_types=("DownEncoderBlock2D",) * len(channels),
        up_block_types=("UpDecoderBlock2D",) * len(channels),
        block_out_channels=channels,
        layers_per_block=2,
        latent_channels=8,
        norm_num_groups=32,
    ).eval()


def every(values: torch.Tensor, step: int) -> list[float]:
    """Every ``step``-th value, 7 digits."""
    return [float(f"{v:.7g}") for v in values.flatten().double().numpy()[::step]]


def main() -> None:
    """Compute and write."""
    sys.path.insert(0, sys.argv[1])
    from util.mel_filter import extract_batch_mel

    padded = torch.nn.functional.pad(wave(), (0, 160_000 - 24_000))
    _, mel = extract_batch_mel(
        padded, cut_audio_duration=10, sampling_rate=16000, hop_length=160, maximum_amplitude=0.5,
        filter_length=1024, n_mel=64, mel_fmin=0, mel_fmax=8000, win_length=1024,
    )  # fmt: skip
    with torch.device("meta"):
        full = {k: tuple(v.shape) for k, v in autoencoder((128, 256, 512)).state_dict().items()}
    vae = autoencoder((32, 64, 128))
    with torch.no_grad():
        for name, value in vae.state_dict().items():
            value.copy_(torch.from_numpy(fill(name, tuple(value.shape))))
        picture = mel[:, None, :160]  # (2, 1, 160, 64)
        posterior = vae.encode(picture).latent_dist
        latent = posterior.mean.transpose(-2, -1).transpose(-2, -3)
        flat = latent.reshape(2, -1, latent.shape[-1])  # (2, 128, 40)
        back = flat.reshape(2, -1, 8, flat.shape[-1]).transpose(-2, -3).transpose(-2, -1)
        decoded = vae.decode(back).sample
    packages = ("torch", "diffusers", "librosa", "numpy")
    found = {
        "provenance": {
            "versions": {name: importlib.metadata.version(name) for name in packages},
            "code": "vasflow1/vssflow at c172450; fake weights by key name",
            "command": "python tests/reference/vssflow_codec_recipe.py CHECKOUT",
        },
        "cases": {
            "mel": {"shape": list(mel.shape), "every_331": every(mel, 331)},
            "full": {"keys": key_digest(full), "tensors": len(full)},
            "reduced": {
                "latent_every_17": every(flat.transpose(1, 2), 17),
                "deviation_every_53": every(posterior.std, 53),
                "decoded_every_97": every(decoded, 97),
            },
        },
    }
    (HERE / "vssflow_codec.json").write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
