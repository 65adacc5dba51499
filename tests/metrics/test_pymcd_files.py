"""MCD of profile pymcd from files of real speech: the same numbers as pymcd 0.2.1, to 1e-6 dB."""

import json
from pathlib import Path

import numpy as np
import pytest

from vsseval.audio import fit_length, read_audio
from vsseval.benchmarks.table import EMBEDDED_MEDIA
from vsseval.encoders import world
from vsseval.metrics.cepstral import (
    mel_cepstral_distortion,
    mel_cepstral_distortion_dtw,
    mel_cepstral_distortion_dtw_sl,
)
from vsseval.preparations import prepare

REFERENCE = Path(__file__).parents[1] / "reference" / "metrics_pymcd_files.json"
CASES = json.loads(REFERENCE.read_text(encoding="utf-8"))["cases"]
RATE = 22050
SOURCES = {
    "demo-speech": EMBEDDED_MEDIA / "demo-speech" / "audio",
    "librivox": Path("/usr/share/pocketsphinx/test/data/librivox"),
}


@pytest.mark.parametrize("case", CASES, ids=lambda case: " ".join(case["files"]))
def test_equals_pymcd_on_files_of_speech(case):
    folder = SOURCES[case["source"]]
    if not folder.is_dir():
        pytest.skip("no recorded speech: Debian's pocketsphinx-testdata is not installed")
    sides = [prepare(read_audio(folder / name), RATE, None) for name in case["files"]]
    analyse = world.load()
    r, g = (analyse(side)["mcep"] for side in sides)
    assert mel_cepstral_distortion_dtw(r, g) == pytest.approx(case["dtw"], abs=1e-6)
    assert mel_cepstral_distortion_dtw_sl(r, g) == pytest.approx(case["dtw_sl"], abs=1e-6)
    # Without alignment pymcd pads the shorter wave with zeros.
    longer = max(map(len, sides))
    r, g = (analyse(np.asarray(fit_length(side, longer)))["mcep"] for side in sides)
    assert mel_cepstral_distortion(r, g) == pytest.approx(case["plain"], abs=1e-6)
