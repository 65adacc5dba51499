"""Writes tests/reference/vssflow_features.json: sync features and joint clips of the authors' code.

Sync features: their extractor reads a video of a variable frame rate; the published weights are not
used, a network of width 48 and depth 2 is filled by key name. Its reader (torio, gone from newer
torchaudio) is replaced by FFmpeg's ``fps`` filter, which is what it asks for.

Joint clips: their data set mixes a sound and a speech clip of noise; start, mode and level of each
are kept with the result.

Needs numpy, torch, torchvision, einops, timm, omegaconf, scipy, soundfile and PyAV, and a checkout
of vasflow1/vssflow at c172450b. Nothing of it is kept but numbers.

    python tests/reference/vssflow_features_recipe.py CHECKOUT
"""

from __future__ import annotations

import importlib.metadata
import json
import random
import sys
import tempfile
from fractions import Fraction
from pathlib import Path
from types import ModuleType, SimpleNamespace
from unittest import mock

import numpy as np
from numpy.typing import NDArray

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import synchformer_recipe  # noqa: E402

WIDTH, HEADS, DEPTH = synchformer_recipe.WIDTH, synchformer_recipe.HEADS, synchformer_recipe.DEPTH
SYNC_STEP = (5, 3)
WAVE_STEP = 397
SOUND_SECONDS, SPEECH_SECONDS = 9.5, 3.21
PHONES = [59, 12, 30, 7, 66, 59]
SEEDS = (1, 2, 3, 4)


def times() -> list[int]:
    """When each frame appears [ms]: a variable rate, ends at 2.9 s."""
    state = np.random.RandomState(11)
    return [0, *np.cumsum(state.randint(11, 120, 43)).tolist()]


def write_film(path: Path) -> None:
    """Random blocks of 90 x 150 pixels, FFV1, so that every decoder gives the same."""
    import av

    state = np.random.RandomState(12)
    with av.open(str(path), "w", format="matroska") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 150, 90, "bgr0"
        stream.codec_context.time_base = Fraction(1, 1000)
        for time in times():
            blocks = state.randint(0, 256, (9, 15, 3)).astype(np.uint8)
            picture = blocks.repeat(10, axis=0).repeat(10, axis=1)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = time, Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def clip(kind: str) -> dict[str, NDArray[np.float32]]:
    """Features of a clip of 10 s, narrow: CLIP (100, 3), sync (30, 8, 2), lips, wave."""
    state = np.random.RandomState({"sound": 21, "speech": 22}[kind])
    seconds = {"sound": SOUND_SECONDS, "speech": SPEECH_SECONDS}[kind]
    return {
        "clip": state.standard_normal((100, 3)).astype(np.float32),
        "sync": state.standard_normal((30, 8, 2)).astype(np.float32),
        "lips": state.standard_normal((int(25 * seconds), 2)).astype(np.float32),
        "speaker": state.standard_normal(4).astype(np.float32),
        "wave": (state.randint(-9000, 9000, int(16_000 * seconds)) / 32768).astype(np.float32),
    }


def numbers(values: object) -> list[float]:
    return [float(f"{value:.7g}") for value in np.asarray(values, np.float64).ravel()]


class Reader:
    """What torio's StreamingMediaDecoder gives for one basic video stream."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def add_basic_video_stream(self, frames_per_chunk: int, frame_rate: float, format: str) -> None:
        assert format == "rgb24"
        self.count, self.rate = frames_per_chunk, frame_rate

    def fill_buffer(self) -> None:
        import av

        shown: list[NDArray[np.uint8]] = []
        with av.open(str(self.path)) as container:
            stream = container.streams.video[0]
            graph = av.filter.Graph()
            source = graph.add_buffer(template=stream)
            rate, sink = graph.add("fps", f"fps={self.rate:g}"), graph.add("buffersink")
            source.link_to(rate)
            rate.link_to(sink)
            graph.configure()
            for frame in [*container.decode(stream), None]:
                source.push(frame)
                while True:
                    try:
                        shown.append(sink.pull().to_ndarray(format="rgb24"))
                    except (av.BlockingIOError, av.EOFError):
                        break
        self.shown = shown

    def pop_chunks(self) -> list[object]:
        import torch

        return [torch.from_numpy(np.stack(self.shown[: self.count])).permute(0, 3, 1, 2)]


def sync_case(checkout: Path) -> dict[str, object]:
    import torch

    torio = ModuleType("torio.io")
    torio.StreamingMediaDecoder = Reader
    sys.modules.update({"torio": ModuleType("torio"), "torio.io": torio})
    sys.path.insert(0, str(checkout / "feature"))
    import extract_synchformer
    from omegaconf import OmegaConf
    from synchformer import Synchformer, motionformer

    class Reduced:
        @staticmethod
        def load(path: object) -> object:
            loaded = OmegaConf.load(path)
            loaded.VIT.update(EMBED_DIM=WIDTH, DEPTH=DEPTH, NUM_HEADS=HEADS)
            return loaded

    motionformer.OmegaConf = Reduced
    network = Synchformer().eval()
    shapes = {key: tuple(t.shape) for key, t in network.state_dict().items()}
    filled = synchformer_recipe.weights(shapes)
    network.load_state_dict({k: torch.from_numpy(v) for k, v in filled.items()})
    with tempfile.TemporaryDirectory() as folder, torch.inference_mode():
        path = Path(folder) / "film.mkv"
        write_film(path)
        seen = extract_synchformer.VideoDataset([path], duration_sec=10.0).sample(0)["sync_video"]
        found = extract_synchformer.encode_video_with_sync(network, seen[None])[0]
    assert found.shape == (30, 8, WIDTH)
    cut = found.reshape(240, WIDTH)[:: SYNC_STEP[0], :: SYNC_STEP[1]]
    return {"step": SYNC_STEP, "values": numbers(cut)}


def joint_case(checkout: Path, seed: int) -> dict[str, object]:
    import soundfile
    import torch
    import torchaudio

    for name in ("librosa", "librosa.filters", "decord", "util", "util.mel_filter"):
        sys.modules[name] = mock.MagicMock()
    sys.path.insert(0, str(checkout))
    from dataset.video_mix import VideoDataset

    def load(path: str) -> tuple[torch.Tensor, int]:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
        return torch.from_numpy(samples.T.copy()), rate

    rows = {}
    with tempfile.TemporaryDirectory() as folder, mock.patch.object(torchaudio, "load", load):
        for kind in ("sound", "speech"):
            values = clip(kind)
            names = {key: f"{folder}/{kind}-{key}.npy" for key in values if key != "wave"}
            for key, name in names.items():
                np.save(name, values[key])
            soundfile.write(f"{folder}/{kind}.wav", values["wave"], 16_000, subtype="PCM_16")
            paths = [names[key] for key in ("clip", "speaker", "lips", "sync")]
            phones = " ".join(map(str, PHONES))
            rows[kind] = "|".join([f"{folder}/{kind}.wav", *paths, phones, "x"])
            (Path(folder) / f"{kind}.csv").write_text(rows[kind] + "\n")
        data = VideoDataset(
            folder, "sound", "speech", None, 1.0, dilimeter="|",
            load_mode_item="video_feat_ref_lip_synch_text_with_waveform",
            audio_process_config=SimpleNamespace(
                duration=10, audio_latent_fps=25, channel_num=1, sample_rate=16_000
            ),
            feat_process_config=SimpleNamespace(
                video_feat_fps=10, synch_feat_fps=24, lip_feat_fps=25
            ),
        )  # fmt: skip
        random.seed(seed)
        drawn: list[float] = []
        uniform = random.uniform
        with mock.patch.object(
            random, "uniform", lambda a, b: drawn.append(uniform(a, b)) or drawn[-1]
        ):
            item = data.getitem_video_feat_ref_lip_synch_text_with_waveform(0)
    return {
        "start": drawn[0],
        "mode": item["mix_mode"],
        "background": drawn[1] if item["mix_mode"] == "add" else 0.5,
        "wave": numbers(item["audio_waveform"][0, ::WAVE_STEP]),
        "clip": numbers(item["video_feat"][:, 0]),
        "sync": numbers(item["synch_feat"].reshape(240, 2)[:, 0]),
        "lips": numbers(item["lip_feat"][:, 0]),
        "phones": item["phone_id"].tolist(),
        "duration": item["audio_duration"],
    }


def main(checkout: Path) -> None:
    cases: dict[str, object] = {f"joint-{seed}": joint_case(checkout, seed) for seed in SEEDS}
    cases["sync"] = sync_case(checkout)
    names = "numpy torch torchvision torchaudio timm einops omegaconf av soundfile"
    source = {
        "command": "python tests/reference/vssflow_features_recipe.py CHECKOUT",
        "packages": {name: importlib.metadata.version(name) for name in names.split()},
        "calls": "vasflow1/vssflow c172450b: feature/extract_synchformer.py VideoDataset and "
        f"encode_video_with_sync, its network made smaller (width {WIDTH}, depth {DEPTH}); "
        "dataset/video_mix.py VideoDataset",
        "inputs": "this file, synchformer_recipe.py, fake_checkpoint.py",
    }
    text = json.dumps({"provenance": source, "cases": cases})
    (HERE / "vssflow_features.json").write_text(text.replace('}, "', '},\n"') + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
