"""The arrays of a run: media decoded, latents, and features from the frozen front ends."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from vssflow.config import Config
from vssflow.features import Array, decode_media, media_arrays, open_array, renew, store_clips
from vssflow.frames import ClipFrames
from vssflow.network import Networks, clip_features
from vssflow.phonemes import text_to_phonemes
from vssflow.run import Run
from vssflow.speaker import speaker_vector
from vssflow.train_codec import encode_clip


def decode(run: Run, *, waves_only: bool) -> None:
    """Decode the media of every clip that is not done yet into the run's arrays."""
    store_clips(run.clips, run.features)
    done = 0
    for count in decode_media(
        run.clips, run.features, run.config, workers=run.workers, waves_only=waves_only
    ):
        done += count
        if done % 500 < count:
            run.report(f"decoded {done} clips")


def latents_of(run: Run, networks: Networks) -> NDArray[np.float16]:
    """Latents of every clip, float16 (N, T, C), from the codec; those that are there are kept."""
    config, count = run.config, len(run.clips)
    shape = (count, config.clip_frames, config.latent_channels)
    latent = open_array(run.features, "latent", shape, np.float16)
    done = open_array(run.features, "latent_done", (count,), np.bool_)
    wave = media_arrays(count, run.features, config)["wave"]
    networks.codec.eval()
    weights = networks.codec.state_dict().items()
    makers = {key: value for key, value in weights if key.startswith(("encoder.", "latent_"))}
    if renew(run.features, "latent", done, makers):
        run.report("latents are made anew: the codec is another")
    for row in np.flatnonzero(~done):
        latent[row] = encode_clip(networks.codec, wave[row]).numpy()
        done[row] = True
    return np.asarray(latent)


def compute_features(run: Run, networks: Networks) -> None:
    """Features of every clip that has none yet, from the frozen codec and front ends."""
    config, count = run.config, len(run.clips)
    media = media_arrays(count, run.features, config)
    arrays = feature_arrays(count, run.features, config)
    latents_of(run, networks)
    networks.eval()
    spoken = any(clip.transcript is not None for clip in run.clips)
    makers = {
        f"{name}.{key}": value
        for name in ("sync", "semantic", *(["lips"] if spoken else []))
        for key, value in networks.get_submodule(name).state_dict().items()
    }
    if renew(run.features, "features", arrays["features_done"], makers):
        run.report("features are made anew: the front ends are others")
    for number, row in enumerate(np.flatnonzero(~arrays["features_done"])):
        clip = run.clips[row]
        frames = ClipFrames(media["scene"][row], media["mouth"][row], media["colour"][row])
        words, voice = None, None
        if clip.transcript is not None:
            words = text_to_phonemes(clip.transcript, run.dictionary)
            voice = speaker_vector(media["wave"][row].astype(np.float32) / 32768, config)
        with torch.inference_mode():
            features = clip_features(networks, frames, words, voice)
        for name, value in features._asdict().items():
            if value is not None:
                arrays[name][row] = value[0].cpu().numpy()
        arrays["features_done"][row] = True
        if number % 500 == 499:
            run.report(f"features of {number + 1} clips")


def feature_arrays(num_clips: int, folder: Path, config: Config) -> dict[str, Array]:
    """Feature arrays by field of :class:`vssflow.dit.Features`, and which rows are done."""
    frames = config.clip_frames
    tokens = -(-frames // config.semantic_stride)
    shapes: dict[str, tuple[tuple[int, ...], type[np.generic]]] = {
        "lips": ((num_clips, frames, config.lip_features), np.float16),
        "phonemes": ((num_clips, frames * config.phonemes_per_frame), np.int16),
        "sync": ((num_clips, frames, config.sync_features), np.float16),
        "semantic": ((num_clips, tokens, config.semantic_features), np.float16),
        "speaker": ((num_clips, config.speaker_features), np.float32),
        "features_done": ((num_clips,), np.bool_),
    }
    return {name: open_array(folder, name, *spec) for name, spec in shapes.items()}
