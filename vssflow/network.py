"""All networks of one checkpoint, and the way from pictures and words to features."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from vssflow.codec import Codec
from vssflow.config import Config
from vssflow.devices import device_of
from vssflow.dit import Features, VSSFlow
from vssflow.frames import ClipFrames
from vssflow.frontends import LipFrontEnd, SemanticFrontEnd, SyncFrontEnd
from vssflow.phonemes import NO_SPEECH, lip_timing, uniform_timing


class Networks(nn.Module):
    """Codec, front ends and transformer; what a checkpoint file holds.

    A full-size checkpoint holds the transformer alone: ``Config.trained_front_ends``.
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        if config.trained_front_ends:
            self.codec = Codec(config)
            self.sync = SyncFrontEnd(config)
            self.lips = LipFrontEnd(config)
            self.semantic = SemanticFrontEnd(config)
        self.flow = VSSFlow(config)

    @property
    def device(self) -> torch.device:
        """Where all of them are."""
        return device_of(self.flow)


def clip_features(
    networks: Networks,
    frames: ClipFrames,
    words: Sequence[Sequence[int]] | None,
    speaker: NDArray[np.float32] | None,
    span: tuple[int, int] | None = None,
) -> Features:
    """Features of one clip, as a batch of one, on the device of the networks.

    Args:
        networks: the front ends.
        frames: pictures of the clip.
        words: phoneme ids of each word, or None for a sound: then lips are zero and every phoneme
            is "no speech".
        speaker: reference voice float32 (speaker_features,), or None for zeros.
        span: first frame of the speech and the one after its last; outside it the clip is a sound.
            None: the whole clip.

    Raises:
        InputError: the words do not fit into the clip or span.
    """
    config, device = networks.config, networks.device
    sync = networks.sync(torch.from_numpy(frames.scene)[None].to(device))
    semantic = networks.semantic(torch.from_numpy(frames.colour)[None].to(device))
    lips, phonemes = _speech_features(networks, frames.mouth, words, span)
    voice = np.zeros(config.speaker_features, np.float32) if speaker is None else speaker
    return Features(lips, phonemes, sync, semantic, torch.from_numpy(voice)[None].to(device))


def _speech_features(
    networks: Networks,
    mouth: NDArray[np.uint8],
    words: Sequence[Sequence[int]] | None,
    span: tuple[int, int] | None,
) -> tuple[Tensor, Tensor]:
    config, device = networks.config, networks.device
    num_frames = mouth.shape[0]
    num_slots = num_frames * config.phonemes_per_frame
    if words is None:
        lips = torch.zeros(1, num_frames, config.lip_features, device=device)
        return lips, torch.full((1, num_slots), NO_SPEECH, device=device)
    start, stop = span or (0, num_frames)
    lips = networks.lips(torch.from_numpy(mouth)[None].to(device))
    slots = config.phonemes_per_frame
    ids = np.full(num_slots, NO_SPEECH, np.int64)
    if config.phoneme_timing == "uniform":
        ids[slots * start : slots * stop] = uniform_timing(words, slots * (stop - start))
    else:
        posteriors = networks.lips.log_posteriors(lips[:, start:stop])[0].cpu().numpy()
        ids[slots * start : slots * stop] = lip_timing(words, posteriors)
    spoken = torch.zeros(1, num_frames, 1, device=device)
    spoken[:, start:stop] = 1.0
    return lips * spoken, torch.from_numpy(ids)[None].to(device)
