"""One frozen configuration for codec, front ends and transformer, and the named presets."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from vsseval.errors import UnknownNameError

PhonemeTiming = Literal["lips", "uniform"]
Stream = Literal["semantic", "lips", "phonemes", "sync", "temporal", "speech"]
"""A projected condition: ``semantic`` is CLIP, ``temporal`` the one video channel of v1, ``speech``
phonemes that are projected to the width of a token, and the speaker with them (v1)."""


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that decides the shape of the networks and how a clip becomes their input."""

    preset: str
    """Name in ``PRESETS``."""
    trained_front_ends: bool = True
    """Codec and front ends are trained with the flow and lie in its checkpoint (preset tiny);
    otherwise latents and features come from the published networks."""

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

    speaker_features: int = 160
    """Width of a speaker vector; preset tiny: mean and deviation of each mel band."""

    concatenated: tuple[Stream, ...] = ("lips", "phonemes", "sync")
    """Conditions beside the latent, channel by channel, in this order."""
    crossed: tuple[Stream, ...] = ("semantic",)
    """Conditions inside a cross-attention token, in this order. With none there is no
    cross-attention: a second self-attention stands there, and the speaker is added to the time."""
    lip_channels: int = 64
    """Width of projected lips."""
    sync_channels: int = 96
    """Width of projected sync features."""
    semantic_channels: int = 192
    """Width of projected semantic tokens."""
    projection_factor: int = 2
    """Hidden width of a condition projection over its output width; 0: hidden layers are as wide
    as a cross-attention token, as in v1."""
    phoneme_positions: int = 0
    """Rows of the two position tables of v1, whose phonemes come with durations; 0: none."""

    width: int = 256
    """Inner width of the transformer."""
    depth: int = 8
    """Blocks."""
    heads: int = 4
    """Query heads."""
    cross_heads: int = 2
    """Key/value heads of the second attention; each serves heads / cross_heads query heads."""
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
    speech_guidance_scale: float | None = None
    """Default w of a clip with speech, where it is another."""

    def default_guidance(self, *, speech: bool) -> float:
        """Default w of a clip with or without speech."""
        if speech and self.speech_guidance_scale is not None:
            return self.speech_guidance_scale
        return self.guidance_scale

    @property
    def head_width(self) -> int:
        """Dimensions of one attention head."""
        return self.width // self.heads

    @property
    def phoneme_channels(self) -> int:
        """Width of the phonemes of one latent frame."""
        return self.phonemes_per_frame * self.phoneme_width

    @property
    def streams(self) -> frozenset[Stream]:
        """Conditions that are used."""
        return frozenset({*self.concatenated, *self.crossed})

    @property
    def channels(self) -> int:
        """Input channels of the transformer: the latent, then the concatenated conditions."""
        return self.latent_channels + self.condition_channels

    @property
    def condition_channels(self) -> int:
        """Channels concatenated with the latent."""
        return sum(self.stream_width(stream) for stream in self.concatenated)

    @property
    def cross_width(self) -> int:
        """Width of a cross-attention token; 0 without cross-attention."""
        return sum(self.stream_width(stream) for stream in self.crossed)

    @property
    def token_width(self) -> int:
        """Width of a cross-attention token, or of the speaker that is added to the time."""
        return self.cross_width or self.semantic_channels

    @property
    def speaker_channels(self) -> int:
        """Width of the projected speaker: that of the first crossed condition."""
        if "speech" in self.crossed:
            return self.phoneme_channels  # and then projected as the phonemes are
        return self.stream_width(self.crossed[0]) if self.crossed else self.semantic_channels

    def hidden_width(self, width_out: int) -> int:
        """Hidden width of a condition projection."""
        return self.projection_factor * width_out or self.token_width

    def stream_width(self, stream: Stream) -> int:
        """Width of a projected condition."""
        widths: dict[Stream, int] = {
            "semantic": self.semantic_channels,
            "lips": self.lip_channels,
            "phonemes": self.phoneme_channels,
            "sync": self.sync_channels,
            "temporal": 1,
            "speech": self.semantic_channels,
        }
        return widths[stream]

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


V3_M = Config(
    preset="v3-m",
    trained_front_ends=False,
    num_mels=64,
    latent_channels=128,
    clip_seconds=10.0,
    sync_features=768,
    lip_features=1024,
    semantic_features=768,
    speaker_features=256,
    phoneme_timing="uniform",
    phonemes_per_frame=1,
    lip_channels=1024,
    sync_channels=768,
    semantic_channels=768,
    width=1536,
    depth=10,
    heads=24,
    cross_heads=12,
    feed_forward=6144,
    guidance_scale=3.0,
)
"""The paper's final layout ("LipSyncText"), M."""

V1 = replace(
    V3_M,
    preset="v1",
    concatenated=("phonemes", "temporal"),
    projection_factor=0,
    phoneme_positions=2000,
    speech_guidance_scale=1.5,
)
"""The first generation: phonemes with durations, one temporal video channel, no lips or sync."""


class Layout(NamedTuple):
    """Where the conditions go."""

    concatenated: tuple[Stream, ...]
    crossed: tuple[Stream, ...]


V1_LAYOUTS: dict[str, Layout] = {
    "all-cross": Layout((), ("semantic", "phonemes")),
    "video": Layout(("semantic",), ("speech",)),
    "all-concat": Layout(("phonemes", "semantic"), ()),
}
"""The ablated layouts of the first generation."""

LAYOUTS: dict[str, Layout] = {
    "all-cross": Layout((), ("semantic", "phonemes", "lips", "sync")),
    "lipsync": Layout(("lips", "sync"), ("semantic", "phonemes")),
    "videotext": Layout(("semantic", "phonemes"), ("sync", "lips")),
    "all-concat": Layout(("semantic", "phonemes", "lips", "sync"), ()),
}
"""The paper's ablated condition layouts; a preset's own is LipSyncText, ``all-concat`` is
LipSyncVideoText."""


def with_layout(base: Config, layout: str) -> Config:
    """A configuration under an ablated layout, named ``<preset>-<layout>``.

    Without cross-attention every head of the second self-attention has its own keys: the authors'
    configuration was not published, and its sibling of v1 has it so.
    """
    return _laid_out(base, layout, LAYOUTS[layout])


def _laid_out(base: Config, name: str, layout: Layout) -> Config:
    return replace(
        base,
        preset=f"{base.preset.removesuffix('-m')}-{name}",
        concatenated=layout.concatenated,
        crossed=layout.crossed,
        cross_heads=base.cross_heads if layout.crossed else base.heads,
    )


def v1_with_layout(layout: str) -> Config:
    """An ablated layout of v1.

    The authors guide these by v_c + 3 (v_c - v_u), which is w = 4 in the one formula used here, for
    sound and speech alike.
    """
    laid_out = _laid_out(V1, layout, V1_LAYOUTS[layout])
    return replace(laid_out, guidance_scale=4.0, speech_guidance_scale=None)


TINY = Config(preset="tiny")
"""Trained from nothing on a CPU; its front ends are its own."""

SMALL = replace(TINY, preset="small", width=128, depth=6, feed_forward=320)
"""``tiny`` with a narrower transformer, for the ablations on a CPU."""

MEDIUM = replace(
    TINY, preset="medium", width=512, depth=12, heads=8, cross_heads=4, feed_forward=1536
)
"""``tiny`` with a wider transformer, for the ablations on a GPU."""

PRESETS: dict[str, Config] = {
    config.preset: config
    for config in (
        *(
            config
            for base in (TINY, SMALL, MEDIUM)
            for config in (base, *(with_layout(base, layout) for layout in LAYOUTS))
        ),
        V3_M,
        replace(V3_M, preset="v3-s", depth=5),
        replace(V3_M, preset="v3-l", depth=15),
        *(with_layout(V3_M, layout) for layout in LAYOUTS),
        V1,
        *(v1_with_layout(layout) for layout in V1_LAYOUTS),
    )
}
"""Sizes and condition layouts."""


def preset(name: str) -> Config:
    """The configuration of that name.

    Raises:
        UnknownNameError: there is no such preset.
    """
    if name not in PRESETS:
        raise UnknownNameError("preset", name, PRESETS)
    return PRESETS[name]
