"""Sound for many videos with LoVA, whose repository has no command line.

Run by the Python of LoVA's own environment, with its checkout as working directory and on
PYTHONPATH. Names and constants were read in ``Ceaglex/LoVA`` at 0f32402: the model is built from
``model_config_vl30.json``, loaded strictly, and sampled as ``sample.py`` does.

CLIP is loaded once, by letting the repository's own conditioner keep what ``clip.load`` gives.

The table has one JSON object a line: ``name``, ``video``, ``seconds`` (whole) and ``seed``. For
each line one line goes to ``--results``: ``name`` and either ``frames`` or ``error``; the audio is
``OUT/NAME.wav``, renamed into place. Nothing is written for a name that is there already.
"""

from __future__ import annotations

import argparse
import functools
import importlib
import json
import traceback
from pathlib import Path
from typing import Any

CONFIG = "stable_audio_tools/configs/model_config_vl30.json"


def main() -> None:
    """Work through the table."""
    options = parser().parse_args()
    rows = [json.loads(line) for line in Path(options.table).read_text().splitlines()]
    out = Path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    rows = [row for row in rows if not (out / (row["name"] + ".wav")).is_file()]
    if not rows:
        return
    rate, model = load_model(options)
    draw = Drawing(model, rate, options)
    for row in rows:
        try:
            entry = {"name": row["name"], "frames": draw(row, out)}
        except Exception as error:  # one clip must not cost the others
            traceback.print_exc()
            entry = {"name": row["name"], "error": f"{type(error).__name__}: {error}"}
        with Path(options.results).open("a") as results:
            results.write(json.dumps(entry) + "\n")


def parser() -> argparse.ArgumentParser:
    """The command line."""
    found = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    found.add_argument("--table", required=True)
    found.add_argument("--out", required=True)
    found.add_argument("--results", required=True)
    found.add_argument("--weights", required=True)
    found.add_argument("--clip", required=True, help="folder that holds CLIP's ViT-L-14.pt")
    found.add_argument("--config", default=CONFIG)
    found.add_argument("--device", default="cuda")
    found.add_argument("--steps", type=int, default=150)
    found.add_argument("--scale", type=float, default=7.0)
    found.add_argument("--sigma-min", type=float, default=0.3)
    found.add_argument("--sigma-max", type=float, default=500.0)
    found.add_argument("--sampler", default="dpmpp-3m-sde")
    return found


def load_model(options: argparse.Namespace) -> tuple[int, Any]:
    """Sample rate and model, with every key of the weights used."""
    config = json.loads(Path(options.config).read_text())
    for conditioner in config["model"]["conditioning"]["configs"]:
        if "download_root" in conditioner["config"]:
            conditioner["config"]["download_root"] = options.clip
    tools = importlib.import_module("stable_audio_tools")
    model = tools.create_model_from_config(config)
    state = importlib.import_module("safetensors.torch").load_file(options.weights)
    model.load_state_dict(state, strict=True)
    conditioners = importlib.import_module("stable_audio_tools.models.conditioners")
    conditioners.clip.load = functools.lru_cache(maxsize=1)(conditioners.clip.load)
    return config["sample_rate"], model.to(options.device).eval()


class Drawing:
    """One clip at a time; the features of the last video are kept for its other takes."""

    def __init__(self, model: Any, rate: int, options: argparse.Namespace) -> None:
        self.model = model
        self.rate = rate
        self.options = options
        self.video = ""
        self.features: Any = None
        self.tools = importlib.import_module("stable_audio_tools")
        self.torch = importlib.import_module("torch")
        self.generation = importlib.import_module("stable_audio_tools.inference.generation")

    def __call__(self, row: dict[str, Any], out: Path) -> int:
        """Write the clip's audio; number of video frames that conditioned it."""
        options = self.options
        with self.torch.no_grad():
            if row["video"] != self.video:
                self.features = self.model.conditioner({"feature": [row["video"]]}, options.device)
                self.video = row["video"]
            length = self.rate * row["seconds"]
            sound = self.generation.generate_diffusion_cond(
                model=self.model,
                steps=options.steps,
                cfg_scale=options.scale,
                conditioning_tensors=self.features,
                batch_size=1,
                sample_size=length,
                sample_rate=self.rate,
                seed=row["seed"],
                device=options.device,
                sigma_min=options.sigma_min,
                sigma_max=options.sigma_max,
                sampler_type=options.sampler,
            )
        peak = float(sound.abs().max())
        if not 0 < peak < float("inf"):
            raise ValueError("the model gave {}".format("silence" if peak == 0 else "no numbers"))
        partial = out / (".partial-{}.wav".format(row["name"]))
        # Upstream's way of saving: divided by the peak.
        self.tools.save_audio(sound[0:1, ..., :length], str(partial), self.rate)
        partial.replace(out / (row["name"] + ".wav"))
        return int(self.features["feature"][0].shape[1])


if __name__ == "__main__":
    main()
