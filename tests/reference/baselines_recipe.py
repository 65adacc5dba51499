"""Interfaces of the baselines' programs: names of arguments and of files, extracted from upstream.

Run with any Python, on checkouts at the commits below::

    git clone https://github.com/cyanbx/Frieren-V2A && git -C Frieren-V2A checkout 0c39692
    git clone https://github.com/Ceaglex/LoVA && git -C LoVA checkout 0f32402
    python tests/reference/baselines_recipe.py Frieren-V2A LoVA

It parses the sources without running them, and writes baselines_interfaces.json beside itself.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

FRIEREN_SCRIPTS = (
    "script/data_preprocess/reencode_video.py",
    "script/data_preprocess/extract_cavp_feature.py",
    "script/generate_mel_cfm_cfg_scale.py",
    "script/mel2wav_vocoder.py",
)
LOVA_FUNCTIONS = {
    "stable_audio_tools/models/factory.py": ("create_model_from_config",),
    "stable_audio_tools/inference/generation.py": ("generate_diffusion_cond",),
    "stable_audio_tools/inference/utils.py": ("save_audio",),
}
LOVA_CONFIG = "stable_audio_tools/configs/model_config_vl30.json"


def flags(source: str) -> dict[str, dict[str, object]]:
    """First flag of every ``add_argument`` -> its other spellings, type and default."""
    found = {}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "add_argument":
            names = [arg.value for arg in node.args if isinstance(arg, ast.Constant)]
            keywords = {word.arg: word.value for word in node.keywords}
            kind, default = keywords.get("type"), keywords.get("default")
            found[names[0]] = {
                "also": names[1:],
                "type": kind.id if isinstance(kind, ast.Name) else None,
                "default": ast.literal_eval(default) if default is not None else None,
            }
    return found


def parameters(source: str, name: str) -> list[str]:
    """Parameter names of a function; ``**`` stands for further keywords."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef) and node.name == name:
            names = [arg.arg for arg in (*node.args.args, *node.args.kwonlyargs)]
            return [*names, *(["**"] if node.args.kwarg else [])]
    raise LookupError(name)


def commit(root: Path) -> str:
    done = subprocess.run(
        ["git", "-C", str(root), "rev-parse", "HEAD"], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def exported(source: str) -> list[str]:
    """Names that a module imports from its own package."""
    return sorted(
        alias.name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ImportFrom) and node.level
        for alias in node.names
    )


def main(frieren: Path, lova: Path) -> None:
    config = json.loads((lova / LOVA_CONFIG).read_text())
    conditioner = config["model"]["conditioning"]["configs"][0]
    conditioners = (lova / "stable_audio_tools/models/conditioners.py").read_text()
    imports = {
        alias.name
        for node in ast.walk(ast.parse(conditioners))
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    content = {
        "provenance": {
            "what": "names of arguments, parameters and files; facts only",
            "recipe": "tests/reference/baselines_recipe.py",
            "python": sys.version.split()[0],
        },
        "frieren": {
            "repository": "cyanbx/Frieren-V2A",
            "commit": commit(frieren),
            "flags": {name: flags((frieren / name).read_text()) for name in FRIEREN_SCRIPTS},
        },
        "lova": {
            "repository": "Ceaglex/LoVA",
            "commit": commit(lova),
            "exported": exported((lova / "stable_audio_tools/__init__.py").read_text()),
            "parameters": {
                name: parameters((lova / path).read_text(), name)
                for path, names in LOVA_FUNCTIONS.items()
                for name in names
            },
            "conditioners_import_clip": "clip" in imports,
            "config": {
                "path": LOVA_CONFIG,
                "sample_rate": config["sample_rate"],
                "sample_size": config["sample_size"],
                "audio_channels": config["audio_channels"],
                "downsampling_ratio": config["model"]["pretransform"]["config"][
                    "downsampling_ratio"
                ],
                "conditioner": {"id": conditioner["id"], **conditioner["config"]},
            },
        },
    }
    target = Path(__file__).with_name("baselines_interfaces.json")
    target.write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
