"""Frieren's scripts: which files they are, what each is given, and where it writes.

As read in ``cyanbx/Frieren-V2A`` at 0c39692; ``tests/reference/baselines_interfaces.json`` holds
the argument lists, and a test compares.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from baselines.installation import Layout, Weights
from vsseval.errors import InputError

SAMPLE_RATE = 16000
WINDOW_FRAMES = 32
"""Feature frames a window, 4 a second."""
SECONDS = 8.192
"""Length of what comes out: one window of 512 mel frames of 256 samples."""

EVALUATIONS = {"euler": 1, "rk4": 4}
"""Network evaluations a step; dopri5 chooses its own."""

REENCODE = "script/data_preprocess/reencode_video.py"
FEATURES = "script/data_preprocess/extract_cavp_feature.py"
MELS = "script/generate_mel_cfm_cfg_scale.py"
VOCODER = "script/mel2wav_vocoder.py"
CAVP_CONFIG = "Frieren/configs/cavp.yaml"
CONFIG = "Frieren/configs/ldm_training/v2a_cfm_cfg_infer.yaml"

_DRIVE = "folder {} of the Google Drive links in its README"

LAYOUT = Layout(
    name="frieren",
    repository="https://github.com/cyanbx/Frieren-V2A",
    commit="0c3969258012152ec3ca75b5ced2734863bbf89e",
    scripts=(REENCODE, FEATURES, MELS, VOCODER, CAVP_CONFIG, CONFIG),
    packages=(
        "torch",
        "torchvision",
        "omegaconf",
        "cv2",
        "librosa",
        "soundfile",
        "mmcv",
        "torchdyn",
    ),
    weights=(
        Weights("cfm", "the flow model (.ckpt)", _DRIVE.format("Frieren (no reflow)")),
        Weights("vae", "the mel VAE (.ckpt)", _DRIVE.format("VAE")),
        Weights(
            "vocoder",
            "the folder of the BigVGAN vocoder",
            _DRIVE.format("vocoder"),
            inside=("best_netG.pt", "args.yml"),
        ),
        Weights("cavp", "the CAVP checkpoint of Diff-Foley", "Hugging Face SimianLuo/Diff-Foley"),
    ),
    options={
        "gpu": "0",
        "solver": "euler",
        "steps": 25,
        "scale": 4.5,
        "samples": 1,
        "group": 64,
        "timeout": 900.0,
    },
    python_path="Frieren",
)


def used_flags() -> dict[str, tuple[str, ...]]:
    """The flags that each script is given here."""
    one = Path("x")
    commands = {
        REENCODE: reencode_arguments(one, one, one),
        FEATURES: features_arguments(one, one, one, one, one),
        MELS: mels_arguments(one, one, one, one, LAYOUT.options),
        VOCODER: vocoder_arguments(one, one),
    }
    return {
        script: tuple(word for word in words if word.startswith("-"))
        for script, words in commands.items()
    }


def reencode_arguments(videos: Path, out: Path, names: Path) -> tuple[str, ...]:
    """Arguments of the script that writes the first 10 s at 4 frames a second."""
    return _words("--input-dir", videos, "--output-dir", out, "--item-list-path", names)


def features_arguments(
    config: Path, checkpoint: Path, videos: Path, out: Path, names: Path
) -> tuple[str, ...]:
    """Arguments of the script that writes ``NAME.npz`` with ``feat`` (frames, 512)."""
    return _words(
        *("--item-list-path", names),
        *("--cavp-config-path", config),
        *("--cavp-ckpt-path", checkpoint),
        *("--video-path", videos),
        *("--output-dir", out),
    )


def mels_arguments(
    checkpoint: Path, config: Path, features: Path, out: Path, options: Mapping[str, object]
) -> tuple[str, ...]:
    """Arguments of the script that writes ``out/CFGx_solver_t/YNAME_K.npy``.

    Its ``-t`` counts the points in time, one more than the steps.
    """
    return _words(
        *("-m", checkpoint, "-c", config, "-g", options["gpu"]),
        *("--cavp_feature", features, "--out-dir", out),
        *("-s", options["solver"], "-t", int(str(options["steps"])) + 1),
        *("--scale", options["scale"], "--sample-num", options["samples"]),
    )


def vocoder_arguments(mels: Path, vocoder: Path) -> tuple[str, ...]:
    """Arguments of the script that writes 16 kHz WAV beside ``mels``."""
    return _words("--root", mels, "--vocoder-path", vocoder)


def num_evaluations(options: Mapping[str, object]) -> int:
    """Network evaluations of a clip, a guided one counted as two; 0 for an adaptive solver."""
    return 2 * EVALUATIONS.get(str(options["solver"]), 0) * int(str(options["steps"]))


def mel_folder(out: Path, options: Mapping[str, object]) -> Path:
    """Where the mel script writes below its ``--out-dir``."""
    scale, points = float(str(options["scale"])), int(str(options["steps"])) + 1
    return out / f"CFG{scale}_{options['solver']}_{points}"


def sound_folder(mels: Path) -> Path:
    """Where the vocoder script writes."""
    return mels.with_name(f"{mels.name}gen_wav_16k_80")


def with_vae(config: str, vae: Path) -> str:
    """Upstream's inference configuration with the checkpoint of its first stage replaced.

    Raises:
        InputError: there is not exactly one line ``ckpt_path: ...``.
    """
    lines = config.splitlines()
    at = [index for index, line in enumerate(lines) if line.strip().startswith("ckpt_path:")]
    if len(at) != 1:
        raise InputError(f"frieren: expected one ckpt_path in {CONFIG}, found {len(at)}")
    indent = lines[at[0]].partition("ckpt_path")[0]
    # A JSON text is a YAML text.
    lines[at[0]] = f"{indent}ckpt_path: {json.dumps(str(vae))}"
    return "\n".join(lines) + "\n"


def too_short(path: Path) -> str:
    """What is wrong with a file of features: unreadable, or less than one window of frames."""
    try:
        with np.load(path) as arrays:
            frames = int(arrays["feat"].shape[0])
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        return f"frieren features: {path.name} cannot be read: {error}"
    if frames < WINDOW_FRAMES:
        return f"the video gives {frames} frames at 4 fps; frieren needs {WINDOW_FRAMES} (8 s)"
    return ""


def _words(*values: object) -> tuple[str, ...]:
    return tuple(str(value) for value in values)
