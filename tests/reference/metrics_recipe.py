"""Writes tests/reference/metrics_*.json from independent implementations, in an environment apart.

Needs Python 3.11 with: torch, scipy==1.17.1, mir_eval==0.8.2, pymcd==0.2.1, pysptk==1.0.1,
fastdtw==0.3.4, pyworld==0.3.5, setuptools<81, torch-fidelity==0.4.0; and checkouts below one
folder, each at the commit named in COMMITS, as folders kadtk, av-benchmark, CondFoleyGen and
TempoTokens. Nothing of them is kept but numbers.

    python tests/reference/metrics_recipe.py CHECKOUTS
"""

from __future__ import annotations

import ast
import importlib.metadata
import importlib.util
import json
import sys
import types
import warnings
from pathlib import Path

import numpy as np

COMMITS = {
    "kadtk": "YoonjinXD/kadtk 8bda71d",
    "av-benchmark": "hkchengrex/av-benchmark 050a5cd",
    "CondFoleyGen": "XYPB/CondFoleyGen c565db7",
    "TempoTokens": "guyyariv/TempoTokens bf0b1e3",
}
HERE = Path(__file__).parent


def main():
    checkouts = Path(sys.argv[1])
    write("frechet", frechet(checkouts), ["numpy", "scipy", "torch-fidelity"], ["av-benchmark"])
    write("kernel", kernel(checkouts), ["numpy", "torch"], ["kadtk"])
    write(
        "divergence",
        divergence(checkouts),
        ["numpy", "torch", "torch-fidelity"],
        ["av-benchmark"],
    )
    write("onset", onset(checkouts), ["numpy", "mir_eval", "scikit-learn"], ["CondFoleyGen"])
    write("av_align", av_align(checkouts), ["numpy"], ["TempoTokens"])
    write("cepstral", cepstral(), ["numpy", "pymcd", "fastdtw", "scipy"], [])


def write(name, cases, packages, checkouts):
    provenance = {
        "command": "python tests/reference/metrics_recipe.py CHECKOUTS",
        "packages": {p: importlib.metadata.version(p) for p in packages},
        "code": [COMMITS[c] for c in checkouts],
        "inputs": "numpy.random.RandomState streams, rebuilt in tests/metrics",
    }
    text = json.dumps({"provenance": provenance, "cases": cases}, indent=1)
    (HERE / f"metrics_{name}.json").write_text(text + "\n", encoding="utf-8")


def load(path):
    """Import one file of a checkout by its path."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def functions(path, names, scope):
    """Compile only the named functions of a script that does work on import."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    kept = [n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name in names]
    exec(compile(ast.Module(kept, []), str(path), "exec"), scope)
    return [scope[name] for name in names]


def gaussian_rows(seed, n1, n2, d, gap):
    random = np.random.RandomState(seed)
    x = random.standard_normal((n1, d)) @ random.standard_normal((d, d))
    y = random.standard_normal((n2, d)) @ random.standard_normal((d, d)) + gap
    return x, y


FRECHET = [(1, 400, 300, 16, 0.5), (2, 900, 900, 128, 0.0), (3, 30, 500, 64, 0.2)]
FRECHET += [(4, 500, 30, 64, 0.2), (5, 30, 40, 64, 0.2), (6, 2, 3, 8, 1.0)]


def frechet(checkouts):
    from torch_fidelity.metric_fid import fid_statistics_to_metric

    fad = load(checkouts / "av-benchmark/av_bench/metrics/fad.py")
    cases = []
    for case in FRECHET:
        x, y = gaussian_rows(*case)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            value = float(np.real(fad.compute_fd(x, y)))
        stats = [{"mu": s.mean(0), "sigma": np.cov(s, rowvar=False)} for s in (x, y)]
        fid = fid_statistics_to_metric(*stats, verbose=False)["frechet_inception_distance"]
        cases.append({"case": case, "av_benchmark_sqrtm": value, "torch_fidelity": fid})
    return cases


KERNEL = [(11, 200, 150, 8, 0.5), (12, 60, 61, 32, 0.0), (13, 40, 300, 4, 2.0)]


def kernel(checkouts):
    import torch

    stubs = {
        "hypy_utils": {"write": None},
        "hypy_utils.tqdm_utils": {"tmap": None, "tq": None},
        "kadtk": {},
        "kadtk.emb_loader": {"EmbeddingLoader": None},
        "kadtk.model_loader": {"ModelLoader": None},
    }
    for name, attributes in stubs.items():
        sys.modules[name] = types.ModuleType(name)
        vars(sys.modules[name]).update(attributes)
    kad = load(checkouts / "kadtk/kadtk/kad.py")
    cases = []
    for case in KERNEL:
        x, y = (torch.tensor(s) for s in gaussian_rows(*case))
        median = kad.median_pairwise_distance(x)
        arguments = {"cache_dirs": (None, None), "device": "cpu", "precision": torch.float64}
        cases.append(
            {
                "case": case,
                "median_distance": median,
                "kadtk_1_1": kad.calc_kernel_audio_distance(x, y, **arguments).item(),
                "kad_paper": kad.calc_kernel_audio_distance(
                    x, y, bandwidth=median, **arguments
                ).item(),
            }
        )
    return cases


DIVERGENCE = [(21, 100, 20, 1.0), (22, 1003, 69, 4.0), (23, 10, 5, 2.0)]


def divergence(checkouts):
    import torch
    from torch_fidelity.metric_isc import isc_features_to_metric

    metrics = checkouts / "av-benchmark/av_bench/metrics"
    kl, isc = load(metrics / "kl.py"), load(metrics / "isc.py")
    cases = []
    for case in DIVERGENCE:
        seed, n, classes, scale = case
        random = np.random.RandomState(seed)
        p = torch.tensor(random.standard_normal((n, classes)) * scale)
        q = torch.tensor(random.standard_normal((n, classes)) * scale)
        score = isc.compute_isc(q, None, 2020, True, 10)["inception_score_mean"]
        again = isc_features_to_metric(q)["inception_score_mean"]
        cases.append(
            {
                "case": case,
                "kl_softmax": kl.compute_kl([q], p)["kl_softmax"],
                "is_av_benchmark": score,
                "is_torch_fidelity": again,
            }
        )
    return cases


def onset(checkouts):
    from sklearn.metrics import average_precision_score, precision_recall_curve

    # Confidences tie when windows overlap, and NumPy's default argsort orders ties by the CPU's
    # vector unit (since 1.25). Up to 16 onsets the older one was stable, so that is fixed here.
    shim = types.SimpleNamespace(abs=np.abs, min=np.min, max=np.max, array=np.array)
    shim.argsort = lambda values: np.argsort(values, kind="stable")
    scope = {
        "np": shim,
        "copy": __import__("copy"),
        "average_precision_score": average_precision_score,
        "precision_recall_curve": precision_recall_curve,
    }
    _, evaluate = functions(
        checkouts / "CondFoleyGen/predict_onset.py", ["onset_nms", "eval_osnets"], scope
    )
    import mir_eval

    cases = []
    for seed in range(40):
        random = np.random.RandomState(seed)
        wave = random.standard_normal(44100)
        counts = random.randint(0, 14, 2)
        lists = [np.sort(random.choice(np.arange(3, 84), k, replace=False)) * 512 for k in counts]
        if not len(lists[0]) and not len(lists[1]):
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            accuracy, precision, _ = evaluate(lists[0], lists[1], wave)
            times = [onsets / 22050 for onsets in lists]
            f1 = {str(w): mir_eval.onset.f_measure(*times, window=w)[0] for w in (0.05, 0.1, 0.2)}
        cases.append(
            {
                "seed": seed,
                "accuracy": float(accuracy),
                "average_precision": float(precision),
                "mir_eval_f1": {w: float(value) for w, value in f1.items()},
            }
        )
    return cases


def av_align(checkouts):
    scope = {}
    peaks, overlap = functions(
        checkouts / "TempoTokens/av_align.py",
        ["find_local_max_indexes", "calc_intersection_over_union"],
        scope,
    )
    cases = []
    for seed in range(30):
        random = np.random.RandomState(seed)
        fps = float([8, 25, 30, 24][seed % 4])
        motion = random.gamma(0.5, 0.5, int(4 * fps))
        frames = np.sort(random.choice(172, random.randint(0, 20), replace=False))
        value = overlap(list(frames * 512 / 22050), peaks(list(motion), fps), fps)
        cases.append({"seed": seed, "fps": fps, "value": value})
    return cases


CEPSTRAL = [(31, 50, 60, 0.3), (32, 61, 61, 0.5), (33, 200, 131, 2.0), (34, 2, 9, 0.3)]
CEPSTRAL += [(35, 3, 3, 0.3), (36, 120, 121, 2.0), (37, 17, 240, 1.0), (38, 333, 300, 2.0)]


def cepstra(seed, n, m, noise):
    """Mel-cepstra of n frames that hold for 30 ms, and m noisy frames of them at another pace."""
    random = np.random.RandomState(seed)
    held = np.repeat(random.standard_normal((n // 6 + 1, 14)), 6, axis=0)[:n]
    r = held + random.standard_normal((n, 14)) * 0.1
    pace = np.sort((n * random.uniform(0, 1, m) ** 2).astype(int))
    return r, r[pace] + random.standard_normal((m, 14)) * noise


def cepstral():
    from fastdtw import dtw, fastdtw
    from pymcd.mcd import Calculate_MCD
    from scipy.spatial.distance import euclidean

    cases = []
    for case in CEPSTRAL:
        r, g = cepstra(*case)
        values = {}
        for mode in ("plain", "dtw", "dtw_sl") if len(r) == len(g) else ("dtw", "dtw_sl"):
            toolbox = Calculate_MCD(mode)
            # The arrays take the place of the files, so the package's own arithmetic runs on them.
            toolbox.load_wav = lambda array, sample_rate: array
            toolbox.wav2mcep_numpy = lambda array: array
            values[mode] = float(toolbox.calculate_mcd(r, g))
        path = fastdtw(r[:, 1:], g[:, 1:], dist=euclidean)[1]
        exact = dtw(r[:, 1:], g[:, 1:], dist=euclidean)
        cases.append(
            {
                "case": case,
                "pymcd": values,
                "fastdtw_path": moves(path),
                "dtw_path": moves(exact[1]),
                "dtw_distance": float(exact[0]),
            }
        )
    return cases


def moves(path):
    """Spell a path from (0, 0) as r, g or b: a step in the reference, the generated or both."""
    steps = np.diff(np.array(path), axis=0)
    return "".join({(1, 0): "r", (0, 1): "g", (1, 1): "b"}[tuple(step)] for step in steps.tolist())


if __name__ == "__main__":
    main()
