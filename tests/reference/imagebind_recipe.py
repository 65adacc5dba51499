"""Writes tests/reference/encoders_imagebind.json from ImageBind and av-benchmark as published.

Needs Python 3.11 with torch==2.9.1, torchvision==0.24.1, torchaudio==2.9.1, timm==0.9.16, einops,
ftfy, regex, iopath, scipy and, with ``pip install --no-deps``, av==18.1.0; checkouts of
facebookresearch/ImageBind at 53680b0, hkchengrex/av-benchmark at 050a5cd and
facebookresearch/pytorchvideo at ae9cfc6; the unpacked wheel or sdist of pytorchvideo 0.1.5.
Decoders are replaced by given arrays: torchaudio's by samples; decord's by frames;
torio's by FFmpeg's filter ``fps`` (through PyAV) over frames.
Nothing of them is kept but numbers.

    python tests/reference/imagebind_recipe.py IMAGEBIND AV_BENCHMARK PYTORCHVIDEO PYTORCHVIDEO_015
"""

from __future__ import annotations

import functools
import importlib
import importlib.metadata
import json
import math
import sys
import types
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import torch
import torchaudio

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "encoders")]

import pictures  # noqa: E402
from fake_checkpoint import filled, key_digest  # noqa: E402
from signals import SIGNALS  # noqa: E402

Case = dict[str, object]
IGNORED = ("depth", "thermal", "imu")
SMALL = {
    "out_embed_dim": 32,
    "vision_embed_dim": 64,
    "vision_num_blocks": 2,
    "vision_num_heads": 4,
    "audio_embed_dim": 48,
    "audio_num_blocks": 2,
    "audio_num_heads": 3,
    "text_embed_dim": 40,
    "text_num_blocks": 2,
    "text_num_heads": 4,
    "depth_embed_dim": 8,
    "depth_num_blocks": 1,
    "depth_num_heads": 2,
    "thermal_embed_dim": 8,
    "thermal_num_blocks": 1,
    "thermal_num_heads": 2,
    "imu_embed_dim": 8,
    "imu_num_blocks": 1,
    "imu_num_heads": 2,
}


def numbers(values: object, digits: int = 7) -> list[float]:
    return [float(f"{value:.{digits}g}") for value in np.asarray(values, np.float64).ravel()]


def package(name: str, path: Path) -> types.ModuleType:
    """A package whose own __init__ is not run."""
    module = types.ModuleType(name)
    module.__path__ = [str(path)]
    sys.modules[name] = module
    return module


def replaced(name: str, **members: object) -> types.ModuleType:
    module = types.ModuleType(name)
    vars(module).update(members)
    sys.modules[name] = module
    return module


def kept_by_filter(count: int, fps: Fraction, rate: str) -> list[int]:
    """Numbers of the frames that FFmpeg's filter ``fps=rate`` passes on, of ``count`` frames."""
    graph = av.filter.Graph()
    source = graph.add_buffer(width=16, height=16, format="gray", time_base=1 / fps)
    filter_ = graph.add("fps", rate)
    sink = graph.add("buffersink")
    source.link_to(filter_)
    filter_.link_to(sink)
    graph.configure()
    kept: list[int] = []

    def drain() -> None:
        while True:
            try:
                frame = sink.pull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return
            digits = frame.to_ndarray()[0, :3].astype(int)
            kept.append(int(digits[0] * 10_000 + digits[1] * 100 + digits[2]))

    for index in range(count):
        picture = np.zeros((16, 16), np.uint8)
        picture[:, :3] = (index // 10_000, index // 100 % 100, index % 100)
        frame = av.VideoFrame.from_ndarray(picture, format="gray")
        frame.pts, frame.time_base, frame.duration = index, 1 / fps, 1
        source.push(frame)
        drain()
    source.push(None)
    drain()
    return kept


class FilteredFrames:
    """In place of torio's decoder: streams of the frames set in ``frames`` and ``fps``."""

    frames: np.ndarray
    fps: Fraction

    def __init__(self, path: object) -> None:
        self.streams: list[torch.Tensor] = []

    def add_basic_video_stream(self, frames_per_chunk: int, frame_rate: float, format: str) -> None:
        kept = kept_by_filter(len(self.frames), self.fps, str(frame_rate))[:frames_per_chunk]
        self.streams.append(torch.from_numpy(self.frames[kept]).permute(0, 3, 1, 2))

    def fill_buffer(self) -> None:
        pass

    def pop_chunks(self) -> list[torch.Tensor]:
        return self.streams


class GivenFrames:
    """In place of decord's reader."""

    frames: np.ndarray
    fps: float

    def __init__(self, **settings: object) -> None:
        pass

    def get_avg_fps(self) -> float:
        return self.fps

    def __len__(self) -> int:
        return len(self.frames)

    def get_batch(self, indices: list[int]) -> torch.Tensor:
        return torch.from_numpy(self.frames[indices])


def every(values: torch.Tensor, step: int) -> Case:
    flat = values.reshape(-1)
    return {"shape": list(values.shape), "step": step, "values": numbers(flat[::step])}


def towers(models: types.ModuleType) -> Case:
    linspace = torch.linspace
    torch.linspace = functools.partial(linspace, device="cpu")  # its values are read
    with torch.device("meta"):
        full = models.imagebind_huge()
    torch.linspace = linspace
    shapes = {key: list(value.shape) for key, value in full.state_dict().items()}
    kept = {key: shape for key, shape in shapes.items() if key.split(".")[1] not in IGNORED}
    small = models.ImageBindModel(**SMALL).eval()
    state = small.state_dict()
    small_shapes = {key: tuple(value.shape) for key, value in state.items()}
    fill = {key: torch.from_numpy(value) for key, value in filled(small_shapes).items()}
    fill["modality_preprocessors.text.mask"] = state["modality_preprocessors.text.mask"]
    fill["modality_postprocessors.audio.1.log_logit_scale"] = torch.tensor(math.log(20.0))
    fill["modality_postprocessors.text.1.log_logit_scale"] = torch.tensor(5.0)  # beyond the clamp
    small.load_state_dict(fill, strict=True)
    draw = np.random.RandomState(0).standard_normal
    clips = torch.from_numpy(draw((1, 3, 3, 2, 224, 224)).astype(np.float32))
    mels = torch.from_numpy(draw((1, 3, 1, 128, 204)).astype(np.float32))
    text = torch.zeros(2, 77, dtype=torch.long)
    text[0, :5] = torch.tensor([49_406, 320, 1929, 4, 49_407])
    text[1] = torch.arange(1, 78)
    text[1, -1] = 49_407
    with torch.no_grad():
        outputs = small({"vision": clips, "audio": mels, "text": text})
    return {
        "full_keys": len(shapes),
        "full_kept_keys": len(kept),
        "full_kept_digest": key_digest(kept),
        "small": SMALL,
        "small_shapes": {key: list(shape) for key, shape in small_shapes.items()},
        **{name: [numbers(row) for row in values] for name, values in outputs.items()},
    }


def sound(loader: object, fixed: object, released: object) -> dict[str, Case]:
    cases: dict[str, Case] = {}
    for name, signal, seconds in (
        ("chirp", "chirp", 10.0),
        ("vowels", "vowels", 8.0),
        ("hits-overlap", "hits", 4.0),
        ("step-overlap", "noise", 3.1),
        ("noise-short", "noise", 1.2),
    ):
        samples = SIGNALS[signal](16000, seconds)
        if name.startswith("step"):
            samples[17_000:] += np.float32(0.5)
        case: Case = {"signal": signal, "seconds": seconds}
        for digits, dtype in (("float64", torch.float64), ("float32", torch.float32)):
            wave = torch.from_numpy(samples.copy())[None].to(dtype)
            torchaudio.load = lambda path, wave=wave: (wave.clone(), 16000)
            # torchaudio computes its filter bank in the default type
            torch.set_default_dtype(dtype)
            case[digits] = every(loader.load_and_transform_audio_data(name)[0], 487)
            torch.set_default_dtype(torch.float32)
        cases[name] = case
    starts = {
        rule: {
            f"{count}|{duration}": numbers(
                [float(start) for start, _ in timepoints(sampler(2, count), duration)], 12
            )
            for count in (3, 5)
            for duration in (1.5, 2.0, 4.0, 5.9, 8.0, 8.008, 10.0, 12.3)
        }
        for rule, sampler in (("pytorchvideo-9368f30", fixed), ("pytorchvideo-0.1.5", released))
    }
    return {"views": cases, "starts": starts}


def timepoints(sampler: object, duration: float) -> list[tuple[Fraction, Fraction]]:
    found, last, end = [], False, 0.0
    while not last:
        start, end, _, _, last = sampler(end, duration, annotation=None)
        found.append((start, end))
    return found


CLIPS = {
    "wide-25fps": (200, 60, 80, Fraction(25)),
    "tall-shrunk": (40, 300, 241, Fraction(5)),
    "wide-shrunk-10s": (50, 256, 341, Fraction(5)),
    "square": (32, 224, 224, Fraction(4)),
}


def sight(dataset_module: types.ModuleType, native: types.ModuleType) -> Case:
    cases: dict[str, Case] = {}
    for name, (count, height, width, fps) in CLIPS.items():
        frames = pictures.noise(count, height, width)
        FilteredFrames.frames, FilteredFrames.fps = frames, fps
        GivenFrames.frames, GivenFrames.fps = frames, float(fps)
        dataset = dataset_module.VideoDataset([Path(name)], duration_sec=count / float(fps))
        crops = dataset.sample(0)["ib_video"]  # (3, frames, 3, 224, 224)
        pairs = [crops[:, first : first + 2] for first in range(crops.shape[1] - 1)]
        views = torch.cat(pairs).permute(0, 2, 1, 3, 4)
        own = native.load_and_transform_video_data([name], "cpu")[0]
        cases[name] = {
            "count": count,
            "height": height,
            "width": width,
            "fps": float(fps),
            "avbench": every(views, 20_011),
            "native": every(own, 30_011),
        }
    rates = {"25": Fraction(25), "30": Fraction(30), "29.97": Fraction(30_000, 1001)}
    filter_ = {
        f"{name}|{count}": kept_by_filter(count, rate, "0.5")
        for name, rate in rates.items()
        for count in (100, 199, 200, 240, 250, 300)
    }
    return {"views": cases, "filter": filter_}


TEXTS = (
    "A dog barks twice, then a car passes by.",
    "  it's   raining &amp;amp; the WIND howls!!  ",
    "café naïve — 2½ kg, 100%",
    "schÃ¶n 東京の雨 😀",
    "",
    "word " * 100,
    "<|endoftext|> odd",
    "don't we'll they'd",
)


def main(imagebind: str, av_benchmark: str, pytorchvideo: str, released: str) -> None:
    package("pytorchvideo", Path(released) / "pytorchvideo")
    package("pytorchvideo.data", Path(released) / "pytorchvideo" / "data")
    released_rule = importlib.import_module("pytorchvideo.data.clip_sampling")
    for name in [name for name in sys.modules if name.startswith("pytorchvideo")]:
        del sys.modules[name]
    root = Path(pytorchvideo) / "pytorchvideo"
    package("pytorchvideo", root)
    data = package("pytorchvideo.data", root / "data")
    transforms = package("pytorchvideo.transforms", root / "transforms")
    functional = importlib.import_module("pytorchvideo.transforms.functional")
    sys.modules["pytorchvideo"].transforms = transforms
    transforms.functional = functional
    steps = importlib.import_module("pytorchvideo.transforms.transforms")
    transforms.ShortSideScale = steps.ShortSideScale
    transforms.UniformTemporalSubsample = steps.UniformTemporalSubsample
    rule = importlib.import_module("pytorchvideo.data.clip_sampling")
    data.clip_sampling = rule
    bridge = types.SimpleNamespace(set_bridge=lambda name: None)
    replaced("decord", bridge=bridge, cpu=lambda index: None, VideoReader=GivenFrames)
    reader = importlib.import_module("pytorchvideo.data.encoded_video_decord").EncodedVideoDecord

    class EncodedVideo:
        @staticmethod
        def from_path(path: str, decoder: str, decode_audio: bool, sample_rate: int) -> object:
            return reader(None, path, True, decode_audio, sample_rate=sample_rate)

    replaced("pytorchvideo.data.encoded_video", EncodedVideo=EncodedVideo)
    replaced("torio")
    replaced("torio.io", StreamingMediaDecoder=FilteredFrames)
    package("imagebind", Path(imagebind) / "imagebind")
    package("av_bench", Path(av_benchmark) / "av_bench")
    sys.path.insert(0, imagebind)
    models = importlib.import_module("imagebind.models.imagebind_model")
    native = importlib.import_module("imagebind.data")
    preprocessors = importlib.import_module("imagebind.models.multimodal_preprocessors")
    loader = importlib.import_module("av_bench.data.audio_dataset").ImageBindAudioDataset([])
    dataset = importlib.import_module("av_bench.data.video_dataset")

    bpe = Path(imagebind) / "imagebind" / "bpe" / "bpe_simple_vocab_16e6.txt.gz"
    tokenizer = preprocessors.SimpleTokenizer(str(bpe))
    fixed, old = rule.ConstantClipsPerVideoSampler, released_rule.ConstantClipsPerVideoSampler
    cases = {
        "towers": towers(models),
        "sound": sound(loader, fixed, old),
        "sight": sight(dataset, native),
        "text": {
            "texts": TEXTS,
            "numbers": [[n for n in tokenizer(text).tolist() if n] for text in TEXTS],
        },
    }
    names = "torch torchvision torchaudio timm einops ftfy regex av numpy"
    provenance = {
        "command": "python tests/reference/imagebind_recipe.py"
        " IMAGEBIND AV_BENCHMARK PYTORCHVIDEO PYTORCHVIDEO_015",
        "packages": {name: importlib.metadata.version(name) for name in names.split()},
        "commits": {
            "facebookresearch/ImageBind": "53680b0",
            "hkchengrex/av-benchmark": "050a5cd",
            "facebookresearch/pytorchvideo": "ae9cfc6, and release 0.1.5 for its rule of starts",
        },
        "calls": "ImageBindModel.forward, imagebind_huge (keys), SimpleTokenizer, "
        "load_and_transform_video_data; ImageBindAudioDataset.load_and_transform_audio_data, "
        "VideoDataset.sample; ConstantClipsPerVideoSampler; FFmpeg's filter fps=0.5",
        "inputs": "tests/encoders/signals.py, tests/encoders/pictures.py, "
        "tests/reference/fake_checkpoint.py",
    }
    lines = [f'"provenance": {json.dumps(provenance, indent=1)}', '"cases": {']
    lines += [f' "{name}": {json.dumps(case)},' for name, case in cases.items()]
    text = "{" + lines[0] + ",\n" + "\n".join(lines[1:]).rstrip(",") + "\n}}\n"
    (HERE / "encoders_imagebind.json").write_text(text)


if __name__ == "__main__":
    main(*sys.argv[1:])
