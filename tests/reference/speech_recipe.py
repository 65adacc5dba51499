"""Writes the reference values of the speech metrics from independent implementations.

Needs Python 3.11 with: numpy==2.4.6, scipy==1.17.1, soundfile, jiwer==4.0.0, zhon==2.1.1,
pyworld==0.3.5, pysptk==1.0.1, fastdtw==0.3.4, setuptools<81; and checkouts below one folder, each
at the commit named in COMMITS, as folders StyleDubber and seed-tts-eval. Nothing of them is kept
but numbers.

    python tests/reference/speech_recipe.py CHECKOUTS
"""

from __future__ import annotations

import ast
import importlib.metadata
import json
import math
import os
import re
import string
import sys
import tempfile
import types
from pathlib import Path

import numpy as np

COMMITS = {
    "StyleDubber": "GalaxyCong/StyleDubber bc431c8, Dub_Metric/WER_Whisper/Setting_test.py",
    "seed-tts-eval": "BytedanceSpeech/seed-tts-eval 752f429, run_wer.py",
}
HERE = Path(__file__).parent


def main():
    checkouts = Path(sys.argv[1])
    write(
        "metrics_transcription",
        transcription(checkouts),
        ["jiwer", "zhon"],
        ["StyleDubber", "seed-tts-eval"],
        "texts as recorded",
    )
    write(
        "metrics_standard",
        standard(),
        ["numpy", "pyworld", "pysptk", "fastdtw", "scipy"],
        [],
        "tests/encoders/hill.flac from 0.4 s to 1.2 s, and the same read at another pace and gain "
        "with np.interp; pyworld.harvest and cheaptrick, pysptk.mcep (order 24, alpha 0.41, no "
        "iteration, itype 4, etype 1), fastdtw.dtw",
    )


def write(name, cases, packages, checkouts, inputs):
    provenance = {
        "command": "python tests/reference/speech_recipe.py CHECKOUTS",
        "packages": {p: importlib.metadata.version(p) for p in packages},
        "code": [COMMITS[c] for c in checkouts],
        "inputs": inputs,
    }
    text = json.dumps({"provenance": provenance, **cases}, indent=1)
    (HERE / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def functions(path, names, scope):
    """Compile only the named functions of a script that does work on import."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    kept = [n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name in names]
    exec(compile(ast.Module(kept, []), str(path), "exec"), scope)
    return [scope[name] for name in names]


PAIRS = [
    ("bin blue at s nine now", "Bin blue at S9 now."),
    ("bin blue at o nine now", "Bin blue at O9, now."),
    ("place green by a two again", "Place green by A-2 again"),
    ("lay white in z zero soon", "Thank you."),
    ("set red with q four please", ""),
    ("set red with q four please", "Set red with Q four please set red with queue for please."),
    ("the 25 mL flask holds C2H4", "the twenty five ml flask holds see two h four"),
    ("it's the 23rd well-known case", "It\u2019s the 23rd, well known \u2014 case!"),
    ("one two three", "three"),
    ("three", "one two three"),
]


def transcription(checkouts):
    import jiwer
    from zhon.hanzi import punctuation

    def measures(reference, hypothesis):
        """The dictionary that jiwer before 4.0 returned."""
        output = jiwer.process_words(reference, hypothesis)
        names = ("wer", "substitutions", "deletions", "insertions")
        return {name: getattr(output, name) for name in names}

    scope = {"os": os, "re": re, "wer": jiwer.wer}
    script = checkouts / "StyleDubber/Dub_Metric/WER_Whisper/Setting_test.py"
    _, read = functions(script, ["replace_numbers", "read"], scope)
    scope = {
        "punctuation_all": punctuation + string.punctuation,
        "lang": "en",
        "compute_measures": measures,
    }
    (process_one,) = functions(checkouts / "seed-tts-eval/run_wer.py", ["process_one"], scope)
    cases = []
    for reference, hypothesis in PAIRS:
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "a").mkdir()
            (Path(folder) / "a/a-1.lab").write_text(reference, encoding="utf-8")
            said = {"text": hypothesis}
            recogniser = types.SimpleNamespace(transcribe=lambda _, said=said: said)
            found = read("", folder, "a-1.wav", recogniser)
        _, _, rate, *shares = process_one(hypothesis, reference)
        cases.append(
            {
                "reference": reference,
                "hypothesis": hypothesis,
                "styledubber": None if found is None else found[0],
                "seedtts": [rate, *shares],
            }
        )
    deleted = sorted(set(punctuation + string.punctuation) - {"'"})
    return {"seedtts_deleted": "".join(deleted), "cases": cases}


PACES = [(1.0, 0.5), (1.15, 0.7), (0.8, 1.2)]


def standard():
    import pysptk
    import pyworld
    import soundfile
    from fastdtw import dtw
    from scipy.spatial.distance import euclidean

    def analyse(wave):
        f0, times = pyworld.harvest(wave, 16000, frame_period=5.0)
        power = pyworld.cheaptrick(wave, f0, times, 16000, fft_size=1024)
        floor = 1e-8 * power.max()
        cepstra = pysptk.mcep(
            power, order=24, alpha=0.41, maxiter=0, etype=1, eps=floor, min_det=0.0, itype=4
        )
        return cepstra, f0

    recording, _ = soundfile.read(HERE.parent / "encoders/hill.flac")
    reference = recording[6400:19200].astype(np.float32).astype(np.float64)
    r, r_f0 = analyse(reference)
    cases = []
    for pace, gain in PACES:
        positions = np.arange(0, len(reference) - 1, pace)
        other = gain * np.interp(positions, np.arange(len(reference)), reference)
        g, g_f0 = analyse(other.astype(np.float32).astype(np.float64))
        path = dtw(r[:, 1:], g[:, 1:], dist=euclidean)[1]
        costs = [math.dist(r[i, 1:], g[j, 1:]) for i, j in path]
        voiced = [(r_f0[i], g_f0[j]) for i, j in path if r_f0[i] > 0 and g_f0[j] > 0]
        switched = sum((r_f0[i] > 0) != (g_f0[j] > 0) for i, j in path)
        squares = [(b - a) ** 2 for a, b in voiced]
        cents = [(1200 * math.log2(b / a)) ** 2 for a, b in voiced]
        cases.append(
            {
                "pace": pace,
                "gain": gain,
                "frames": len(g),
                "mcep_every_37": [[float(f"{x:.11g}") for x in row] for row in g[::37]],
                "f0_every_37": [float(f"{x:.11g}") for x in g_f0[::37]],
                "path_length": len(path),
                "mcd_dtw": 10 * math.sqrt(2) / math.log(10) * sum(costs) / len(path),
                "f0_rmse": math.sqrt(sum(squares) / len(squares)),
                "f0_rmse_cents": math.sqrt(sum(cents) / len(cents)),
                "voicing_error": 100 * switched / len(path),
                "voiced_cells": len(voiced),
            }
        )
    return {"cases": cases}


if __name__ == "__main__":
    main()
