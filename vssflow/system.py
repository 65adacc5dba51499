"""VSSFlow as a model of the benchmark: ``load`` and ``load_codec`` for the ``MODELS`` table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from vsseval.audio import mono_at, read_audio
from vsseval.devices import require_device
from vsseval.errors import InputError
from vsseval.files import file_digest
from vsseval.resampling import resample
from vsseval.types import Audio, Item, ModelContext, ModelOutput, mono
from vsseval.video import read_video
from vsseval.weights import require
from vssflow.checkpoint import load_checkpoint, shipped_checkpoint
from vssflow.config import PRESETS, Config
from vssflow.frames import clip_frames
from vssflow.network import Networks, clip_features
from vssflow.phonemes import read_dictionary, text_to_phonemes
from vssflow.sampler import sample, seeded_noise
from vssflow.shown import MIN_SECONDS
from vssflow.speaker import speaker_vector

DEFAULT_PRESET = next(iter(PRESETS))
FULL_SCALE = 32767 / 32768
"""Largest sample that 16 bits hold."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How the flow is integrated."""

    num_steps: int
    """Solver updates."""
    guidance_scale: float
    """w in v_u + w (v_c - v_u)."""
    solver: str = "euler"
    """Name in ``vssflow.solvers.SOLVERS``."""
    grid: str = "uniform"
    """Name in ``vssflow.solvers.GRIDS``."""
    drift: bool = False
    """Condition channels are integrated too, as in the authors' v1."""


@dataclass(frozen=True, slots=True)
class FlowModel:
    """Silent video, and a transcript for speech, to audio at 16 kHz, one clip at a time."""

    networks: Networks
    """Codec, front ends and transformer."""
    settings: Settings
    """Integration."""
    signature: Mapping[str, str]
    """All that decides the output besides item and seed."""

    def require_front_ends(self) -> None:
        """Check that the checkpoint turns pictures into features by itself.

        Raises:
            InputError: it holds the transformer alone.
        """
        config = self.networks.config
        if not config.trained_front_ends:
            raise InputError(
                f"the checkpoint of preset {config.preset} holds the transformer alone; give its "
                "features and codec to `vssflow sample-full`"
            )

    def generate(self, item: Item, seed: int) -> ModelOutput:
        """Audio of an item: speech if it has a transcript, else sound.

        Raises:
            InputError: no video; a clip shorter than 0.2 s or longer than 10 s; a transcript
                without words or too long for the clip.
        """
        config = self.networks.config
        self.require_front_ends()
        if item.video is None:
            raise InputError(f"item {item.id} has no video; vssflow needs one")
        frames_needed = num_frames(item.duration, config, item.id)
        frames = clip_frames(read_video(item.video), item.face_box, frames_needed, config)
        words = None if item.transcript is None else words_of_transcript(item.transcript)
        voice = None
        if item.transcript is not None and item.speaker_audio is not None:
            voice = reference_voice(item.speaker_audio, config)
        with torch.inference_mode():
            features = clip_features(self.networks, frames, words, voice)
            drawn = sample(
                self.networks.flow,
                self.networks.flow.conditions(features),
                seeded_noise(frames_needed, config.latent_channels, seed, self.networks.device),
                num_steps=self.settings.num_steps,
                guidance_scale=self.settings.guidance_scale,
                solver=self.settings.solver,
                grid=self.settings.grid,
                drift=self.settings.drift,
            )
            wave = self.networks.codec.decode(drawn.latent).cpu().numpy()
        return ModelOutput(fitted(wave, item.duration, config), drawn.nfe)


@dataclass(frozen=True, slots=True)
class CodecModel:
    """Oracle: reference audio through codec and vocoder, the ceiling of what the flow can reach."""

    networks: Networks
    """Only the codec is used."""
    signature: Mapping[str, str]
    """Checkpoint digest and vocoder settings."""

    def generate(self, item: Item, seed: int) -> ModelOutput:
        """Decoded latents of the item's reference audio; the seed has no effect.

        Raises:
            InputError: no reference audio, or a clip shorter than 0.2 s or longer than 10 s.
        """
        config = self.networks.config
        if item.audio is None:
            raise InputError(f"item {item.id} has no reference audio; the codec oracle needs it")
        length = num_frames(item.duration, config, item.id) * config.samples_per_frame
        reference = mono_at(read_audio(item.audio), config.sample_rate, item.duration)
        wave = np.pad(reference, (0, max(0, length - reference.size)))[:length]
        with torch.inference_mode():
            codec = self.networks.codec
            latent = codec.encode(torch.from_numpy(wave)[None].to(self.networks.device))
            decoded = codec.decode(latent).cpu().numpy()
        return ModelOutput(fitted(decoded, item.duration, config))


def num_frames(duration: float, config: Config, item_id: str) -> int:
    """Latent frames that cover a clip.

    Raises:
        InputError: the duration [s] is outside 0.2 to 10.
    """
    if not MIN_SECONDS <= duration <= config.max_seconds:
        raise InputError(
            f"item {item_id} lasts {duration:.2f} s; "
            f"vssflow takes {MIN_SECONDS} to {config.max_seconds:g} s, cut the clip"
        )
    return int(np.ceil(round(duration * config.frame_rate, 6)))


def fitted(wave: NDArray[np.float32], duration: float, config: Config) -> Audio:
    """Audio of exactly round(duration * rate) samples of waveforms (1, n).

    A clip whose peak does not fit into 16 bits is turned down until it does, not clipped.

    Raises:
        InputError: a sample is not finite.
    """
    length = round(duration * config.sample_rate)
    short = max(0, length - wave.shape[1])
    samples = np.pad(wave, ((0, 0), (0, short)))[:, :length]
    if not np.isfinite(samples).all():
        raise InputError(
            "what was decoded is not finite: the latents are far from those of any audio; give a "
            "guidance nearer to 1, or another checkpoint"
        )
    gain = min(1.0, FULL_SCALE / max(float(np.abs(samples).max()), 1e-9))
    return Audio(samples * np.float32(gain), config.sample_rate)


def reference_voice(path: Path, config: Config) -> NDArray[np.float32]:
    """Speaker vector of a recording of any rate and length; zeros if it is silent.

    Raises:
        InputError: it cannot be read.
    """
    try:
        audio = read_audio(path)
    except InputError as error:
        error.add_note("a reference voice is a WAV or FLAC file")
        raise
    return speaker_vector(resample(mono(audio), audio.sample_rate, config.sample_rate), config)


def words_of_transcript(transcript: str) -> list[list[int]]:
    """Phoneme ids of each word, by the dictionary in the weight store."""
    return text_to_phonemes(transcript, read_dictionary(require("cmudict") / "cmudict.dict"))


def load_flow_model(
    checkpoint: Path | None, settings: Settings | None = None, device: str = "cpu"
) -> FlowModel:
    """The model of a checkpoint, by default of the one that comes with the package.

    Raises:
        InputError: as :func:`vssflow.checkpoint.load_checkpoint`, or the device is not there.
    """
    require_device(device)
    path = checkpoint or shipped_checkpoint(DEFAULT_PRESET)
    networks = load_checkpoint(path).to(device)
    chosen = settings or Settings(networks.config.num_steps, networks.config.guidance_scale)
    signature = {
        "name": f"vssflow-{networks.config.preset}",
        "checkpoint": file_digest(path)[:16],
        "solver": chosen.solver,
        "steps": str(chosen.num_steps),
        "guidance": f"{chosen.guidance_scale:g}",
        "phoneme_timing": networks.config.phoneme_timing,
    }
    if chosen.grid != "uniform":
        signature["grid"] = chosen.grid
    return FlowModel(networks, chosen, signature | _device_part(device))


def _device_part(device: str) -> dict[str, str]:
    """What a signature says of the device: the last digits of the audio depend on it."""
    return {} if device == "cpu" else {"device": device}


def load(context: ModelContext) -> FlowModel:
    """Entry of the ``MODELS`` table for ``vssflow``."""
    return load_flow_model(context.checkpoint, device=context.device)


def load_codec(context: ModelContext) -> CodecModel:
    """Entry of the ``MODELS`` table for the oracle ``codec``."""
    require_device(context.device)
    path = context.checkpoint or shipped_checkpoint(DEFAULT_PRESET)
    networks = load_checkpoint(path).to(context.device)
    signature = {
        "name": f"codec-{networks.config.preset}",
        "checkpoint": file_digest(path)[:16],
        "griffin_lim": str(networks.config.griffin_lim_steps),
    }
    return CodecModel(networks, signature | _device_part(context.device))
