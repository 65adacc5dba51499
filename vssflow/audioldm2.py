"""The published codec of the full-size model: AudioLDM2's mel, autoencoder and HiFi-GAN.

16 kHz, 10 s: 160,000 samples <-> log-mel (1000, 64) <-> latents (250, 128). The waveform's mean is
taken off and its peak brought to 0.5 over the padded 10 s, so level is not kept. The autoencoder's
own scaling factor is not applied. Channel index of a latent frame: 8 x mel group + VAE channel.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from vsseval.errors import InputError
from vssflow.config import V3_M
from vssflow.devices import device_of
from vssflow.mel import log_mel
from vssflow.vae_network import Vae, VaeSize
from vssflow.windows import Window, cross_fade, windows

if TYPE_CHECKING:
    from transformers import SpeechT5HifiGan

SAMPLES = 160_000
PEAK = 0.5
OLD_KEYS = {"query": "to_q", "key": "to_k", "value": "to_v", "proj_attn": "to_out.0"}
"""Names of attention layers in files written before diffusers 0.18."""


def model_wave(wave: Tensor) -> Tensor:
    """Waveforms (B, n) cut or zero-padded to 10 s, without their mean, with peak 0.5."""
    fitted = torch.nn.functional.pad(wave, (0, max(0, SAMPLES - wave.shape[1])))[:, :SAMPLES]
    centred = fitted - fitted.mean(1, keepdim=True)
    return PEAK * (centred / (centred.abs().amax(1, keepdim=True) + 1e-8))


def flatten_latent(latent: Tensor) -> Tensor:
    """(B, 8, T, 16) of the autoencoder -> (B, T, 128) of the flow, mel group outermost."""
    return latent.permute(0, 2, 3, 1).flatten(2)


def unflatten_latent(latent: Tensor, channels: int = 8) -> Tensor:
    """(B, T, 128) -> (B, 8, T, 16), the inverse of :func:`flatten_latent`."""
    return latent.reshape(*latent.shape[:2], -1, channels).permute(0, 3, 1, 2)


class AudioLdm2(nn.Module):
    """Autoencoder and vocoder, frozen."""

    def __init__(self, vae: Vae, vocoder: SpeechT5HifiGan) -> None:
        super().__init__()
        self.vae, self.vocoder = vae, vocoder
        self.train(False)
        self.requires_grad_(False)

    def posterior(self, wave: Tensor) -> tuple[Tensor, Tensor]:
        """As :func:`posterior`."""
        return posterior(self.vae, wave)

    def decode(self, latent: Tensor) -> Tensor:
        """Waveforms (B, 640 T) of latents (B, T, 128).

        The autoencoder knows 10 s: a longer mel is decoded in windows and cross-faded. The vocoder
        returns a few samples more than 160 a mel frame; they are cut.
        """
        places = windows(latent.shape[1], V3_M.clip_frames, V3_M.frame_rate)
        parts = [
            self.vae.decode(unflatten_latent(latent[:, start:stop]))[:, 0] for start, stop in places
        ]
        in_mel = [Window(*(V3_M.mel_per_latent * frame for frame in place)) for place in places]
        mel = parts[0] if len(parts) == 1 else cross_fade(parts, in_mel)  # (B, 4 T, 64)
        wave = self.vocoder(mel)
        return wave[:, : mel.shape[1] * V3_M.hop]


def posterior(vae: Vae, wave: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and deviation, each (B, 250, 128), of the latents of waveforms (B, n).

    Training draws from it afresh at each step.
    """
    mel = log_mel(model_wave(wave), V3_M).transpose(1, 2)[:, None]  # (B, 1, 1000, 64)
    found = vae.encode(mel)
    return flatten_latent(found.mean), flatten_latent(found.deviation)


def latent_sampler(vae: Vae) -> Callable[[Tensor, torch.Generator], Tensor]:
    """Waveforms (B, n) to latents (B, 250, 128) drawn from their posteriors."""

    def draw(wave: Tensor, generator: torch.Generator) -> Tensor:
        mean, deviation = (part.cpu() for part in posterior(vae, wave.to(device_of(vae))))
        return mean + deviation * torch.randn(mean.shape, generator=generator)

    return draw


def load_audioldm2(folder: Path) -> AudioLdm2:
    """The codec from a folder with ``vae/`` and ``vocoder/`` of ``cvssp/audioldm2``.

    Raises:
        InputError: a file is missing, or its configuration or tensors are not AudioLDM2's.
    """
    from transformers import SpeechT5HifiGan

    for part in ("vae", "vocoder"):
        if not (folder / part / "config.json").is_file():
            raise InputError(
                f"no {part}/config.json in {folder}; give the folder of cvssp/audioldm2"
            )
    vae = load_vae(folder / "vae")
    vocoder = SpeechT5HifiGan.from_pretrained(str(folder / "vocoder"), local_files_only=True)
    return AudioLdm2(vae, vocoder)


def load_vae(folder: Path) -> Vae:
    """The autoencoder from a diffusers folder.

    Raises:
        InputError: the weights are missing, or configuration or tensors do not fit.
    """
    from safetensors.torch import load_file

    config = json.loads((folder / "config.json").read_text())
    weights = folder / "diffusion_pytorch_model.safetensors"
    if not weights.is_file():
        raise InputError(f"no {weights.name} in {folder}")
    size = VaeSize(
        tuple(config["block_out_channels"]), config["layers_per_block"], config["latent_channels"]
    )
    if (config["in_channels"], config.get("norm_num_groups", 32)) != (1, 32):
        raise InputError(f"{folder}: expected 1 input channel and 32 norm groups")
    vae = Vae(size)
    load_vae_state(vae, load_file(weights))
    return vae


def load_vae_state(vae: Vae, state: Mapping[str, Tensor]) -> None:
    """Give an autoencoder the tensors of diffusers, old attention names included.

    Raises:
        InputError: a key is missing, unknown or of another shape.
    """
    renamed = {}
    for key, value in state.items():
        for old, new in OLD_KEYS.items():
            key = key.replace(f".attentions.0.{old}.", f".attentions.0.{new}.")
        renamed[key] = value.float()
    wanted = {name: value.shape for name, value in vae.state_dict().items()}
    wrong = sorted(
        name
        for name in wanted.keys() | renamed.keys()
        if name not in wanted or name not in renamed or renamed[name].shape != wanted[name]
    )
    if wrong:
        raise InputError(
            f"{len(wrong)} tensors do not fit the autoencoder: {', '.join(wrong[:4])}"
            f"{' and more' if len(wrong) > 4 else ''}"
        )
    vae.load_state_dict(renamed)
