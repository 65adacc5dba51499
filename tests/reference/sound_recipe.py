"""Writes tests/reference/metrics_profiles.json from the published scripts, in an environment apart.

Needs Python 3.11 with: torch, scipy==1.17.1, scikit-learn==1.9.1, tqdm, torch-fidelity==0.4.0; and
checkouts below one folder, each at the commit named in COMMITS: the named file of each, in a folder
of the name given there. Nothing of them is kept but numbers.

    python tests/reference/sound_recipe.py CHECKOUTS
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import importlib.metadata
import json
import os
import pickle
import sys
import tempfile
import types
import typing
import warnings
from pathlib import Path

import numpy as np
from metrics_recipe import functions, gaussian_rows, load

COMMITS = {
    "av-benchmark/av_bench/metrics/kl.py": "hkchengrex/av-benchmark 050a5cd",
    "audioldm_eval/kl.py": "haoheliu/audioldm_eval 8dc07ee audioldm_eval/metrics/kl.py",
    "stable-audio-metrics/passt_kld.py": "Stability-AI/stable-audio-metrics fd55536 src",
    "MMAudio/eval_onsets.py": "hkchengrex/MMAudio 974010a",
    "TempoTokens-2023/av_align.py": "guyyariv/TempoTokens 34d9502",
    "SVG_baseline/av_align.py": "SonyResearch/SVG_baseline e8ebd06 py_scripts/evaluation",
    "fadtk/fad.py": "microsoft/fadtk ec74b1f fadtk/fad.py",
}
PACKAGES = ["numpy", "scipy", "scikit-learn", "torch", "torch-fidelity"]
HERE = Path(__file__).parent


def main():
    checkouts = Path(sys.argv[1])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cases = {
            "divergence": divergence(checkouts),
            "kid": kid(),
            "onset_mmaudio": onset_mmaudio(checkouts),
            "av_align": av_align(checkouts),
            "frechet_fadtk": frechet_fadtk(checkouts),
        }
    provenance = {
        "command": "python tests/reference/sound_recipe.py CHECKOUTS",
        "packages": {name: importlib.metadata.version(name) for name in PACKAGES},
        "code": list(COMMITS.values()),
        "inputs": "numpy.random.RandomState streams, rebuilt in tests/metrics",
    }
    text = json.dumps({"provenance": provenance, **cases}, indent=1)
    (HERE / "metrics_profiles.json").write_text(text + "\n", encoding="utf-8")


DIVERGENCE = [(21, 40, 20, 1.0), (22, 60, 69, 4.0), (23, 10, 5, 12.0)]


def divergence(checkouts):
    import torch

    kl = load(checkouts / "av-benchmark/av_bench/metrics/kl.py")
    audioldm = load(checkouts / "audioldm_eval/kl.py")
    cases = []
    for case in DIVERGENCE:
        seed, n, classes, scale = case
        random = np.random.RandomState(seed)
        p = torch.tensor(random.standard_normal((n, classes)) * scale)
        q = torch.tensor(random.standard_normal((n, classes)) * scale)
        paths = [f"{i:03d}.wav" for i in range(n)]
        sides = ({"logits": side, "file_path_": paths} for side in (q, p))
        values, _, _ = audioldm.calculate_kl(*sides, "logits")
        cases.append(
            {
                "case": case,
                "audioldm_softmax": values["kullback_leibler_divergence_softmax"],
                "audioldm_sigmoid": values["kullback_leibler_divergence_sigmoid"],
                "avbench_sigmoid": kl.compute_kl([q], p)["kl_sigmoid"],
                "stable_audio": stable_audio_kl(checkouts, p, q),
            }
        )
    return cases


def stable_audio_kl(checkouts, p, q):
    """The published loop over given logits in place of the network's."""
    import torch

    network = types.SimpleNamespace(eval=lambda: None, cuda=lambda: None)
    scope = {
        "contextlib": contextlib,
        "os": os,
        "pickle": pickle,
        "tqdm": lambda items: items,
        "torch": torch,
        "F": torch.nn.functional,
        "get_basic_model": lambda **_: network,
        "return_probabilities": lambda model, path, collect: q[int(Path(path).stem)].softmax(0),
    }
    script = checkouts / "stable-audio-metrics/passt_kld.py"
    (loop,) = functions(script, ["passt_kld"], scope)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "reference.pkl"
        path.write_bytes(pickle.dumps({i: row.softmax(0) for i, row in enumerate(p)}))
        return float(loop(range(len(p)), folder, load_ref_probabilities=str(path)))


KID = [(41, 300, 250, 8, 0.5, 10, 100), (42, 120, 130, 32, 0.0, 5, 120)]


def kid():
    import torch
    from torch_fidelity.metric_kid import kid_features_to_metric

    cases = []
    for case in KID:
        x, y = (torch.tensor(side) for side in gaussian_rows(*case[:5]))
        found = kid_features_to_metric(
            x, y, kid_subsets=case[5], kid_subset_size=case[6], verbose=False
        )
        cases.append({"case": case, "kid": found["kernel_inception_distance_mean"]})
    return cases


def onset_mmaudio(checkouts):
    from sklearn.metrics import average_precision_score, f1_score

    # As in metrics_recipe.onset: ties of the confidence are ordered stably.
    shim = types.SimpleNamespace(max=np.max, array=np.array, ndarray=np.ndarray)
    shim.argsort = lambda values: np.argsort(values, kind="stable")
    seen = {}

    def kept(name, function):
        def call(*arguments):
            seen[name] = float(function(*arguments))
            return seen[name]

        return call

    scope = {
        "argparse": argparse,
        "copy": copy,
        "os": os,
        "np": shim,
        "Path": Path,
        "tqdm": lambda items: items,
        "sample_rate": 22050,
        "conf_interval": int(0.05 * 22050),
        "duration": 8,
        "predict_audio": lambda path, delta: seen["input"],
        "average_precision_score": kept("average_precision", average_precision_score),
        "f1_score": kept("f1", f1_score),
    }
    names = ["onset_nms", "read_gt", "main"]
    run = functions(checkouts / "MMAudio/eval_onsets.py", names, scope)[-1]
    cases = []
    for seed in range(60):
        random = np.random.RandomState(seed)
        wave = random.standard_normal(44100)
        wave = (wave - wave.min()) / (wave.max() - wave.min() + 1e-6)
        times = np.sort(random.uniform(0.05, 1.95, random.randint(0, 12)))
        onsets = np.sort(random.choice(np.arange(3, 84), random.randint(0, 14), False)) * 512
        if not len(times) and not len(onsets):
            continue
        seen["input"] = (onsets, wave)
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "a_denoised.wav").touch()
            lines = "".join(f"{time!r} hit\n" for time in times.tolist())
            (Path(folder) / "a_times.txt").write_text(lines)
            sys.argv = ["eval_onsets.py", "--input_dir", folder, "--gt_dir", folder]
            run()
            accuracy = (Path(folder) / "eval_results.txt").read_text().split()[2]
        cases.append(
            {
                "seed": seed,
                "accuracy_4_digits": accuracy,
                "average_precision": seen["average_precision"],
                "f1": seen["f1"],
            }
        )
    return cases


def av_align(checkouts):
    cases = []
    names = ["find_local_max_indexes", "calc_intersection_over_union"]
    for seed in range(30):
        random = np.random.RandomState(seed)
        fps = float([8, 25, 30, 24][seed % 4])
        motion = random.gamma(0.5, 0.5, int(4 * fps))
        onsets = np.sort(random.choice(172, random.randint(0, 20), replace=False)) * 512 / 22050
        # The script of 2023 leaves n undefined; it can only have meant the length of the list.
        scope = {"n": len(motion)}
        values = []
        for folder in ("TempoTokens-2023", "SVG_baseline"):
            peaks, overlap = functions(checkouts / folder / "av_align.py", names, scope)
            values.append(float(overlap(list(onsets), peaks(list(motion), fps), fps)))
        cases.append({"seed": seed, "fps": fps, "avalign_2023": values[0], "svg": values[1]})
    return cases


FADTK = [(51, 400, 700, 6, 0.5), (52, 300, 600, 12, 0.1)]


def frechet_fadtk(checkouts):
    import ast

    import scipy.linalg

    path = checkouts / "fadtk/fad.py"
    quiet = types.SimpleNamespace(info=lambda *_: None, warning=lambda *_: None)
    # SciPy 1.18 has dropped the argument; fadtk only compares with this root.
    linalg = types.SimpleNamespace(eig=scipy.linalg.eig, inv=scipy.linalg.inv)
    linalg.sqrtm = lambda matrix, disp: (scipy.linalg.sqrtm(matrix), None)
    scope = {
        "np": np,
        "linalg": linalg,
        "scisqrt": np.emath.sqrt,
        "log": quiet,
        "tq": lambda items, desc: items,
        "Path": Path,
        "PathLike": typing.Any,
        "FADInfResults": typing.NamedTuple(
            "FADInfResults", [(n, typing.Any) for n in ("score", "slope", "r2", "points")]
        ),
    }
    functions(path, ["calc_embd_statistics", "calc_frechet_distance"], scope)
    methods = [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.FunctionDef)]
    method = next(n for n in methods if n.name == "score_inf")
    exec(compile(ast.Module([method], []), str(path), "exec"), scope)
    cases = []
    for case in FADTK:
        x, y = gaussian_rows(*case)
        statistics = (x.mean(axis=0), np.cov(x, rowvar=False))
        stub = types.SimpleNamespace(
            load_stats=lambda _, found=statistics: found, ml=types.SimpleNamespace(name="rows")
        )
        with tempfile.TemporaryDirectory() as folder:
            rows = Path(folder) / "rows.npy"
            np.save(rows, y)
            np.random.seed(7)  # noqa: NPY002 - what the script draws from
            found = scope["score_inf"](stub, None, [rows])
        part = scope["calc_embd_statistics"](y[:40])
        cases.append(
            {
                "case": case,
                "fad_inf_seed_7": float(np.real(found.score)),
                "r2": float(np.real(found.r2)),
                "first_40_rows": float(np.real(scope["calc_frechet_distance"](*statistics, *part))),
            }
        )
    return cases


if __name__ == "__main__":
    main()
