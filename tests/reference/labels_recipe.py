"""Writes tests/reference/metrics_labels.json, in an environment apart.

Needs Python 3.11 with scikit-learn==1.9.1 and numpy. Which of some made-up clips are nearest to the
mean of their own class, by its normalisation and its nearest neighbour in cosine, each clip's own
reference left out.

    python tests/reference/labels_recipe.py
"""

from __future__ import annotations

import importlib.metadata
import json
from pathlib import Path

import numpy as np
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import normalize

HERE = Path(__file__).parent
SEED, WIDTH = 11, 24
COUNTS = {"bell": 5, "drum": 17, "glass": 9, "rain": 2, "saw": 12}


def hit(at, labels, reference, clip):
    """Whether the nearest of the class means, without reference ``at``, is of the clip's class."""
    kept = np.arange(len(labels)) != at
    names = sorted(set(labels))
    means = [reference[kept & (labels == name)].mean(axis=0) for name in names]
    nearest = KNeighborsClassifier(n_neighbors=1, metric="cosine").fit(means, names)
    return int(nearest.predict(clip[None])[0] == labels[at])


def main():
    random = np.random.RandomState(SEED)
    labels = random.permutation([name for name, count in COUNTS.items() for _ in range(count)])
    sides = made_up(labels)
    reference, generated = (normalize(np.array([c.mean(axis=0) for c in side])) for side in sides)
    hits = [hit(at, labels, reference, clip) for at, clip in enumerate(generated)]
    provenance = {
        "command": "python tests/reference/labels_recipe.py",
        "packages": {p: importlib.metadata.version(p) for p in ("scikit-learn", "numpy")},
    }
    stored = {
        "provenance": provenance,
        "seed": SEED,
        "width": WIDTH,
        "labels": labels.tolist(),
        "hits": hits,
    }
    text = json.dumps(stored)
    (HERE / "metrics_labels.json").write_text(text + "\n", encoding="utf-8")


def made_up(labels):
    """Three blocks of each reference and two of each generated clip, around centres of classes."""
    random = np.random.RandomState(SEED)
    centres = dict(zip(sorted(COUNTS), random.standard_normal((len(COUNTS), WIDTH)), strict=True))
    around = [centres[label] for label in labels]
    return [[c + 3.0 * random.standard_normal((k, WIDTH)) for c in around] for k in (3, 2)]


if __name__ == "__main__":
    main()
