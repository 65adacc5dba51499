"""A part of one made-up file, as the table of weights would have it."""

from __future__ import annotations

import hashlib

from vsseval.weights_table import Part, Source, Url, WeightFile

CONTENT = bytes(range(256)) * 4096  # 1 MiB
DIGEST = hashlib.sha256(CONTENT).hexdigest()


def weight_file(
    *sources: Source, path: str = "model.bin", content: bytes = CONTENT, optional: bool = False
) -> WeightFile:
    digest = hashlib.sha256(content).hexdigest()
    return WeightFile(path, digest, len(content), sources, optional)


def part(*files: WeightFile) -> dict[str, Part]:
    return {"toy": Part("a toy", "MIT", (), files)}


UNPUBLISHED = {
    "toy": Part(
        "a toy", "MIT", (), (WeightFile("model.bin", None, None, (Url("https://x.invalid/m"),)),)
    )
}
