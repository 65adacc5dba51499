"""Writes tests/reference/resampling.json from the published resamplers, in another environment.

Needs torchaudio==2.9.1, resampy==0.4.3, julius==0.2.8, librosa and numba. Nothing of
them is kept but numbers.

    python tests/reference/resampling_recipe.py
"""

from __future__ import annotations

import importlib.metadata
import json
from pathlib import Path

import julius
import numpy as np
import resampy
import torch
import torchaudio

HERE = Path(__file__).parent
RATES = ((44100, 16000), (48000, 32000), (16000, 44100), (22050, 48000), (16000, 32000))
KAISER64 = {
    "lowpass_filter_width": 64,
    "rolloff": 0.9475937167399596,
    "resampling_method": "sinc_interp_kaiser",
    "beta": 14.769656459379492,
}


def main() -> None:
    cases = {}
    for source, target in RATES:
        # The test draws the same: noise of a thirtieth of a second.
        noise = 0.3 * np.random.RandomState(source).standard_normal(source // 30)
        samples = noise.astype(np.float32)
        tensor = torch.from_numpy(samples)
        outputs = {
            "sinc6": torchaudio.functional.resample(tensor, source, target).numpy(),
            "kaiser64": torchaudio.functional.resample(tensor, source, target, **KAISER64).numpy(),
            "resampy-best": resampy.resample(samples, source, target, filter="kaiser_best"),
            "julius24": julius.resample_frac(tensor, source, target).numpy(),
        }
        for name, output in outputs.items():
            cases[f"{name}:{source}:{target}"] = {
                "length": len(output),
                "every_7": [float(f"{value:.7g}") for value in output[::7]],
            }
    versions = {
        name: importlib.metadata.version(name) for name in ("torchaudio", "resampy", "julius")
    }
    provenance = {
        "command": "python tests/reference/resampling_recipe.py",
        "packages": versions,
        "calls": "torchaudio.functional.resample; resampy.resample(filter='kaiser_best'); "
        "julius.resample_frac",
    }
    text = json.dumps({"provenance": provenance, "cases": cases}, indent=None)
    (HERE / "resampling.json").write_text(text.replace('"cases"', '\n"cases"') + "\n")


if __name__ == "__main__":
    main()
