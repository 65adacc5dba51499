"""Writes what pymcd says of pairs of speech files: tests/reference/metrics_pymcd_files.json.

Needs Python 3.11 with pymcd==0.2.1, pysptk==1.0.1, fastdtw==0.3.4, pyworld, librosa, soundfile,
setuptools<81, and Debian's pocketsphinx-testdata for the recorded speech. Only numbers are kept.

    python tests/reference/pymcd_recipe.py
"""

from __future__ import annotations

import importlib.metadata
import json
import tempfile
from pathlib import Path

import soundfile
from pymcd.mcd import Calculate_MCD

HERE = Path(__file__).parent
DEMO = HERE.parents[1] / "vsseval" / "benchmarks" / "media" / "demo-speech" / "audio"
RECORDED = Path("/usr/share/pocketsphinx/test/data/librivox")
BOOK = "sense_and_sensibility_01_austen_64kb-{}.wav"
PAIRS = (
    *(
        ("demo-speech", f"speech-test-{first:04}.flac", f"speech-test-{second:04}.flac")
        for first, second in ((0, 1), (7, 40), (12, 90), (33, 34))
    ),
    ("librivox", BOOK.format("0870"), BOOK.format("0880")),
    ("librivox", BOOK.format("0930"), BOOK.format("0890")),
)
MODES = ("plain", "dtw", "dtw_sl")
PACKAGES = ("pymcd", "pysptk", "fastdtw", "pyworld", "librosa", "soxr", "numpy", "scipy")


def main() -> None:
    cases = []
    with tempfile.TemporaryDirectory() as folder:
        for source, first, second in PAIRS:
            root = {"demo-speech": DEMO, "librivox": RECORDED}[source]
            paths = []
            for side, name in (("a", first), ("b", second)):
                samples, rate = soundfile.read(root / name, dtype="int16")
                paths.append(f"{folder}/{side}.wav")
                soundfile.write(paths[-1], samples, rate)
            values = {mode: float(Calculate_MCD(mode).calculate_mcd(*paths)) for mode in MODES}
            cases.append({"source": source, "files": [first, second], **values})
    provenance = {
        "command": "python tests/reference/pymcd_recipe.py",
        "packages": {name: importlib.metadata.version(name) for name in PACKAGES},
        "inputs": "flite in vsseval/benchmarks/media/demo-speech; recorded readings in Debian's "
        "pocketsphinx-testdata 0.8+5prealpha+1-15",
    }
    text = json.dumps({"provenance": provenance, "cases": cases}, indent=1)
    (HERE / "metrics_pymcd_files.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
