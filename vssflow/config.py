"""One frozen configuration for codec, front ends and transformer, and the named presets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from vsseval.errors import UnknownNameError

PhonemeTiming = Literal["lips", "uniform"]


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that decides the shape of the networks and how a clip becomes their input."""

    preset: str
    """Name in ``PRESETS``."""

    sample_rate: int = 16000
    """Of all audio inside the model [Hz]."""
    n_fft: int = 1024
    """STFT size and window length [samples]."""
    hop: int = 160
    """STFT hop [samples]."""
    num_mels: int = 80
    """Slaney mel bands from 0 Hz to half the sample rate."""
    mel_floor: float = 1e-5
    """Smallest mel value before the natural logarithm."""

    latent_channels: int = 64
    """Width of a latent frame."""
    mel_per_latent: int = 4
    """Mel frames in a latent frame: 100 / 4 = 25 latent frames a second."""
    codec_width: int = 224
    """Channels of the codec at mel rate; 1.25 times as many at latent rate."""
    vocoder_width: int = 224
    """Channels of the network from log-mel to log-magnitude."""
    griffin_lim_steps: int = 60
    """Phase iterations of the vocoder."""

    clip_seconds: float = 4.0
    """Length of a training clip [s]."""
    max_seconds: float = 10.0
    """Longest clip that is accepted [s]."""
    frame_rate: int = 25
    """Video frames a second, equal to the latent rate."""
    frame_size: int = 64
    """Side of the whole frame that the sync front end sees [pixels]."""
    mouth_size: int = 40
    """Side of the mouth crop, gray, that the lip front end sees [pixels]."""
    colour_size: int = 48
    """Side of the colour frame that the semantic front end sees [pixels]."""
    semantic_stride: int = 10
    """Video frames per semantic token: 2.5 tokens a second."""

    sync_features: int = 128
    """Width of a sync feature frame."""
    lip_features: int = 64
    """Width of a lip feature frame."""
    semantic_features: int = 96
    """Width of a semantic token."""
    max_labels: int = 32
    """Sound classes the semantic front end can be trained to name."""

    phoneme_timing: PhonemeTiming = "lips"
    """``lips``: monotone path through lip posteriors; ``uniform``: the paper's equal stretch."""
    phonemes_per_frame: int = 2
    """Phoneme slots in a latent frame (2: every 20 ms)."""
    phoneme_width: int = 32
    """Embedding width of one phoneme slot."""
    phoneme_rows: int = 200
    """Rows of the embedding table, as in the paper; row 0 is "no speech" and learned."""

    lip_channels: int = 64
    """Lip channels concatenated with the latent."""
    sync_channels: int = 96
    """Sync channels concatenated with the latent."""
    cross_width: int = 192
    """Width of the cross-attention tokens."""

    width: int = 256
    """Inner width of the transformer."""
    depth: int = 8
    """Blocks."""
    heads: int = 4
    """Query heads."""
    cross_heads: int = 2
    """Key/value heads of the cross-attention; each serves heads / cross_heads query heads."""
    feed_forward: int = 640
    """Hidden width of the SwiGLU."""
    time_frequencies: int = 128
    """Frozen Gaussian frequencies of the time features."""
    rotary_width: int = 32
    """Rotated dimensions of a head."""

    num_steps: int = 25
    """Default number of solver updates."""
    guidance_scale: float = 2.0
    """Default w in v_u + w (v_c - v_u)."""

    @property
    def head_width(self) -> int:
        """Dimensions of one attention head."""
        return self.width // self.heads

    @property
    def phoneme_channels(self) -> int:
        """Phoneme channels concatenated with the latent."""
        return self.phonemes_per_frame * self.phoneme_width

    @property
    def channels(self) -> int:
        """Input channels of the transformer, in this order: latent, lips, phonemes, sync."""
        return self.latent_channels + self.condition_channels

    @property
    def condition_channels(self) -> int:
        """Channels concatenated with the latent."""
        return self.lip_channels + self.phoneme_channels + self.sync_channels

    @property
    def speaker_features(self) -> int:
        """Width of a speaker vector: mean and deviation of each mel band."""
        return 2 * self.num_mels

    @property
    def samples_per_frame(self) -> int:
        """Audio samples in a latent frame."""
        return self.hop * self.mel_per_latent

    @property
    def clip_frames(self) -> int:
        """Latent frames of a training clip."""
        return round(self.clip_seconds * self.frame_rate)

    @property
    def clip_samples(self) -> int:
        """Audio samples of a training clip."""
        return self.clip_frames * self.samples_per_frame


PRESETS: dict[str, Config] = {
    "tiny": Config(preset="tiny"),
}


def preset(name: str) -> Config:
    """The configuration of that name.

    Raises:
        UnknownNameError: there is no such preset.
    """
    if name not in PRESETS:
        raise UnknownNameError("preset", name, PRESETS)
    return PRESETS[name]
