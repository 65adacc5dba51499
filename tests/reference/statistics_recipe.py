"""Writes tests/reference/statistics_sacrebleu.json, in an environment apart.

Needs Python 3.11 with sacrebleu==2.6.0 and numpy. Nothing of it is kept but numbers: the edits and
words that its TER counts in each sentence of two synthetic systems, and what its paired tests say.

    python tests/reference/statistics_recipe.py
"""

from __future__ import annotations

import importlib.metadata
import json
from pathlib import Path

import numpy as np
from sacrebleu.metrics import TER
from sacrebleu.significance import PairedTest

HERE = Path(__file__).parent
WORDS = [f"w{at}" for at in range(40)]
SENTENCES = 120


def spoilt(random, sentence, rate):
    """The sentence with some of its words replaced."""
    return [WORDS[random.randint(40)] if random.rand() < rate else word for word in sentence]


def case(seed, rates):
    random = np.random.RandomState(seed)
    lengths = random.randint(3, 12, SENTENCES)
    reference = [[WORDS[k] for k in random.randint(0, 40, length)] for length in lengths]
    systems = [[" ".join(spoilt(random, line, rate)) for line in reference] for rate in rates]
    references = [[" ".join(line) for line in reference]]
    named = [("first", systems[0]), ("second", systems[1])]
    ter = TER()
    stats = [np.array(ter._extract_corpus_statistics(s, references)).tolist() for s in systems]
    found = {"stats": stats}
    for kind, draws in (("bs", 1000), ("ar", 10000)):
        _, results = PairedTest(named, {"TER": TER()}, references, kind, draws)()
        first, second = results["TER"]
        found[kind] = {"first": first.score, "second": second.score, "p": second.p_value}
        if kind == "bs":
            found[kind] |= {"mean": second.mean, "half_width": second.ci}
    return found


def main():
    cases = {"close": case(1, (0.30, 0.33)), "apart": case(2, (0.25, 0.33))}
    provenance = {
        "command": "python tests/reference/statistics_recipe.py",
        "packages": {p: importlib.metadata.version(p) for p in ("sacrebleu", "numpy")},
        "seed": "SACREBLEU_SEED at its default, 12345",
    }
    text = json.dumps({"provenance": provenance, "cases": cases}, default=float)
    (HERE / "statistics_sacrebleu.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
