"""The stages in a row on the toy benchmark: repeated, extended, broken and killed runs."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from vsseval.errors import InputError, UnknownNameError
from vsseval.records import (
    RunRecord,
    find_records,
    read_clips,
    read_record,
    record_json,
    run_id,
)
from vsseval.run import Request, Result, run
from vsseval.workers import Workers

METRICS = ("onset_f1", "mcd")


@pytest.fixture
def request_of(toy: Path, tmp_path: Path) -> Callable[..., Request]:
    def make(model: str = "reference", **changes: object) -> Request:
        base = Request(model, "toy", tmp_path / "cache", metrics=METRICS, data=toy)
        return replace(base, **changes)

    return make


@pytest.fixture
def go(request_of, tmp_path: Path) -> Callable[..., Result]:
    return lambda *args, **changes: run(request_of(*args, **changes), tmp_path / "results")


def values(record: RunRecord) -> dict[str, float | None]:
    return {score.metric: score.value for score in record.scores}


def test_reference_is_perfect(go) -> None:
    result = go()
    assert values(result.record) == {"onset_f1": 1.0, "mcd": 0.0}
    assert result.record.counts.generated == 4
    assert result.record.model.kind == "oracle"


def test_record_is_where_its_id_says(go, tmp_path: Path) -> None:
    result = go()
    record = result.record
    identity = run_id(record.model.signature, record.benchmark.digest, 0, 1, None)
    assert result.folder == tmp_path / "results" / "toy" / "reference" / identity
    assert sorted(path.name for path in result.folder.iterdir()) == ["clips.csv", "record.json"]


def test_processes_write_the_bytes_of_one(request_of, tmp_path: Path) -> None:
    one = run(request_of("noise", takes=3), tmp_path / "one")
    with Workers(2) as workers:
        request = request_of("noise", takes=3, cache=tmp_path / "other-cache")
        two = run(request, tmp_path / "two", workers=workers)
    assert two.generated_now == one.generated_now == 12
    assert _figures(two) == _figures(one)
    clips = [(result.folder / "clips.csv").read_bytes() for result in (one, two)]
    assert clips[0] == clips[1]


def _figures(result: Result) -> list[tuple]:
    return [(s.metric, s.value, s.interval, s.signature) for s in result.record.scores]


def test_repeated_run_writes_the_same_bytes(go) -> None:
    first = go("noise")
    files = {path.name: path.read_bytes() for path in first.folder.iterdir()}
    second = go("noise")
    assert {path.name: path.read_bytes() for path in second.folder.iterdir()} == files
    assert second.generated_now == 0


def test_record_survives_reading(go) -> None:
    result = go()
    assert read_record(result.folder / "record.json") == result.record


def test_other_metrics_join_the_record_and_the_table(go) -> None:
    go(metrics=("mcd",))
    result = go(metrics=("onset_f1",))
    assert values(result.record) == {"onset_f1": 1.0, "mcd": 0.0}
    together = go(metrics=("mcd", "onset_f1"))
    assert together.record == result.record
    assert set(read_clips(result.folder)["mcd"]) == {(name, 0) for name in "abcd"}
    assert len(read_clips(result.folder)["onset_f1"]) == 4


def test_clips_csv_keeps_every_digit(go) -> None:
    result = go("noise", metrics=("mcd",))
    with (result.folder / "clips.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["item"], row["take"]) for row in rows] == [(name, "0") for name in "abcd"]
    mean = float(np.mean([float(row["mcd[0]"]) for row in rows]))
    assert mean == values(result.record)["mcd"]


def test_limit_changes_the_id_but_not_the_audio(go, tmp_path: Path) -> None:
    whole, cut = go("noise"), go("noise", limit=2)
    assert cut.folder != whole.folder
    assert cut.generated_now == 0
    assert cut.record.counts.expected == 2
    assert cut.record.limit == 2
    components = read_clips(whole.folder)["mcd"]
    assert read_clips(cut.folder)["mcd"] == {key: components[key] for key in (("a", 0), ("b", 0))}


def test_limit_that_leaves_nothing_out_is_no_limit(go) -> None:
    assert go(limit=99).record == go().record


def test_shuffled_does_not_depend_on_the_limit(go) -> None:
    cut = go("shuffled", limit=2)
    whole = go("shuffled")
    assert whole.generated_now == 2
    cut_components = read_clips(cut.folder)["mcd"]
    assert cut_components.items() <= read_clips(whole.folder)["mcd"].items()


def test_takes_are_scored_one_by_one(go) -> None:
    result = go("noise", takes=2)
    assert result.record.counts.expected == 8
    components = read_clips(result.folder)["mcd"]
    assert set(components) == {(name, take) for name in "abcd" for take in range(2)}
    assert components["a", 0] != components["a", 1]


def test_oracles_fall_where_they_should(go) -> None:
    shifted, shuffled = values(go("shifted").record), values(go("shuffled").record)
    silence, noise = values(go("silence").record), values(go("noise").record)
    assert shifted["onset_f1"] < 0.5
    assert shuffled["onset_f1"] < 1.0
    assert silence["onset_f1"] == 0.0
    assert noise["mcd"] > 1.0


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model": "refrence"}, "unknown model 'refrence'; did you mean reference"),
        ({"bench": "demo-sond", "data": None}, "unknown benchmark 'demo-sond'"),
        ({"metrics": ("onsetf1",)}, "unknown metric 'onsetf1'; did you mean onset_f1"),
    ],
)
def test_unknown_names_stop_before_any_work(go, tmp_path: Path, changes: dict, words: str) -> None:
    with pytest.raises(UnknownNameError, match=words):
        go(**changes)
    assert not (tmp_path / "cache").exists()


def test_record_changed_by_hand_is_refused_with_a_remedy(go) -> None:
    path = go().folder / "record.json"
    path.write_text(path.read_text().replace('"value": 1.0', '"value": 2.0'))
    with pytest.raises(InputError, match=r"changed by hand; delete it and run"):
        go()


def test_record_of_another_schema_is_refused(go) -> None:
    path = go().folder / "record.json"
    path.write_text(path.read_text().replace('"schema": 2', '"schema": 99'))
    with pytest.raises(InputError, match="has schema 99"):
        read_record(path)


def test_file_that_is_no_record_is_refused(tmp_path: Path) -> None:
    (tmp_path / "record.json").write_text("{}")
    with pytest.raises(InputError, match="is no run record"):
        find_records(tmp_path)
    with pytest.raises(InputError, match="no results folder"):
        find_records(tmp_path / "nowhere")


def test_record_holds_no_machine_path(go, tmp_path: Path, toy: Path) -> None:
    (toy / "audio" / "b.flac").unlink()
    text = record_json(go().record)
    assert str(tmp_path) not in text
    assert json.loads(text)["failures"]["b"]


def test_default_metrics_are_the_benchmark_s(go) -> None:
    assert set(values(go(metrics=()).record)) == {"onset_f1", "mcd"}


def test_ids_with_slashes_become_folders(go, manifest) -> None:
    manifest(0, id="s1/a")
    result = go("noise")
    assert result.record.counts.generated == 4
    assert ("s1/a", 0) in read_clips(result.folder)["mcd"]
    assert go("noise").generated_now == 0


def test_two_processes_at_once_end_in_one_record(toy: Path, tmp_path: Path, go) -> None:
    command = [sys.executable, "-m", "vsseval", "run", "--model", "noise", "--bench", "toy"]
    command += ["--data", str(toy), "--cache", str(tmp_path / "cache"), "--workers", "1"]
    command += ["--out", str(tmp_path / "results"), "--metrics", ",".join(METRICS)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    runs = [
        subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        for _ in range(2)
    ]
    assert [process.wait(timeout=600) for process in runs] == [0, 0]
    again = go("noise")
    assert (again.generated_now, again.encoded.network_passes) == (0, 0)
    assert again.record.scores == go("noise", cache=tmp_path / "fresh").record.scores


@pytest.mark.weights
@pytest.mark.slow
@pytest.mark.parametrize("bench", ["demo-sound", "demo-speech"])
def test_reference_with_real_networks_is_perfect_and_then_cached(go, bench: str) -> None:
    first = go(bench=bench, data=None, metrics=(), limit=3)
    perfect = {
        "kl.aisfx": 0.0,
        "onset_f1": 1.0,
        "onset_f1.annotated": 1.0,
        "mcd": 0.0,
        "mcd_dtw": 0.0,
        "mcd_dtw_sl": 0.0,
    }
    found = values(first.record)
    assert {name: found[name] for name in perfect if name in found} == {
        name: pytest.approx(best, abs=1e-9) for name, best in perfect.items() if name in found
    }
    assert first.encoded.network_passes > 0
    second = go(bench=bench, data=None, metrics=(), limit=3)
    assert second.encoded.network_passes == 0
    assert second.record == first.record


# --- what somebody else's files can be like: folder:PATH over damaged audio ---


@pytest.fixture
def ours(toy: Path, tmp_path: Path) -> Path:
    shutil.copytree(toy / "audio", tmp_path / "ours")
    return tmp_path / "ours"


def test_folder_of_the_references_scores_like_the_reference(go, ours: Path) -> None:
    record = go(f"folder:{ours}").record
    assert values(record) == {"onset_f1": 1.0, "mcd": 0.0}
    assert record.notes[0].startswith("coverage: 4 of 4")
    assert record.model.name == "ours"


def replaced(ours: Path, samples: np.ndarray, rate: int = 16000, **how: object) -> None:
    (ours / "b.flac").unlink()
    soundfile.write(ours / "b.wav", samples, rate, **how)


BAD_AUDIO = [
    pytest.param(np.zeros(0, np.float32), {}, "holds no samples", id="empty"),
    pytest.param(np.full(99, np.nan), {"subtype": "FLOAT"}, "not finite", id="nan"),
]


@pytest.mark.parametrize(("samples", "how", "words"), BAD_AUDIO)
def test_bad_audio_is_a_failure_with_its_reason(
    go, ours: Path, samples: np.ndarray, how: dict, words: str
) -> None:
    replaced(ours, samples, **how)
    record = go(f"folder:{ours}").record
    assert (record.counts.generated, record.counts.failed) == (3, 1)
    assert words in record.failures["b"]
    for score in record.scores:
        assert (score.n_scored, score.n_expected) == (3, 4)
        assert words in score.excluded["b"]
        assert score.excluded["b"].startswith("generation failed: ")


def test_short_audio_is_noted_and_scored(go, ours: Path) -> None:
    samples, rate = soundfile.read(ours / "b.flac")
    replaced(ours, samples[:8000], rate)
    record = go(f"folder:{ours}").record
    assert record.warnings == {"b": "0.50 s long, the item lasts 1.00 s: padded with zeros"}
    assert record.scores[0].n_scored == 4


def test_long_audio_is_cut_to_the_item(go, ours: Path) -> None:
    samples, rate = soundfile.read(ours / "b.flac", dtype="int16")
    replaced(ours, np.concatenate([samples, samples]), rate)
    record = go(f"folder:{ours}").record
    assert values(record) == {"onset_f1": 1.0, "mcd": 0.0}
    assert record.warnings == {}


def test_stereo_is_averaged(go, ours: Path) -> None:
    samples, rate = soundfile.read(ours / "b.flac", dtype="int16")
    replaced(ours, np.stack([samples, samples], axis=1), rate)
    assert values(go(f"folder:{ours}").record) == {"onset_f1": 1.0, "mcd": 0.0}


def test_other_rate_is_resampled(go, ours: Path) -> None:
    import soxr

    samples, rate = soundfile.read(ours / "b.flac", dtype="float32")
    replaced(ours, soxr.resample(samples, rate, 48000, quality="VHQ"), 48000)
    # All but the band edge of one clip in four comes back.
    assert values(go(f"folder:{ours}").record)["onset_f1"] == 1.0
    assert values(go(f"folder:{ours}").record)["mcd"] < 0.5


def test_absent_reference_is_an_exclusion_of_the_metrics_that_need_it(
    go, ours: Path, toy: Path
) -> None:
    (toy / "audio" / "c.flac").unlink()
    record = go(f"folder:{ours}").record
    assert record.counts.generated == 4
    for score in record.scores:
        assert score.excluded == {"c": "reference: file missing: c.flac"}


def test_truncated_video_is_an_exclusion(go, toy: Path) -> None:
    video = toy / "video" / "c.mp4"
    video.write_bytes(video.read_bytes()[:400])
    (score,) = go(metrics=("av_align",)).record.scores
    assert list(score.excluded) == ["c"]
    assert "c.mp4" in score.excluded["c"]
    assert score.n_scored == 3


def test_model_that_always_fails_is_recorded(go, tmp_path: Path, toy: Path) -> None:
    for path in (toy / "audio").iterdir():
        path.unlink()
    record = go().record
    assert (record.counts.generated, record.counts.failed) == (0, 4)
    assert record.cost.real_time_factor is None
    assert all(score.value is None and score.note for score in record.scores)


# --- SIGKILL in each stage ---

HANGING_MODEL = """
import os, time
import numpy as np
from pathlib import Path
from vsseval.types import Audio, ModelOutput

STAGE = os.environ.get("HANGS_IN", "")
MARK = Path(os.environ["HANGS_MARK"])
calls = 0

def perhaps_hang():
    global calls
    calls += 1
    if calls == int(os.environ["HANGS_AT"]):
        MARK.touch()
        time.sleep(3600)

class Hanging:
    signature = {"name": "hanging"}
    def generate(self, item, seed):
        if STAGE == "generate":
            perhaps_hang()
        draws = np.random.default_rng(seed).uniform(-0.5, 0.5, (1, 16000))
        return ModelOutput(Audio(draws.astype(np.float32), 16000), nfe=2)

def replaced(module, name):
    plain = getattr(module, name)
    def hanging(*args, **kwargs):
        perhaps_hang()
        return plain(*args, **kwargs)
    setattr(module, name, hanging)

def load(context):
    import vsseval.clip_features, vsseval.run, vsseval.records
    if STAGE == "encode":
        replaced(vsseval.clip_features, "store")
    if STAGE == "score":
        replaced(vsseval.run, "score_metrics")
    if STAGE == "record":
        replaced(vsseval.records, "write_atomic")
    return Hanging()
"""


@pytest.mark.parametrize(
    ("stage", "call"), [("generate", 3), ("encode", 3), ("score", 1), ("record", 2)]
)
def test_run_killed_in_any_stage_ends_in_the_same_record(
    request_of, toy: Path, tmp_path: Path, stage: str, call: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hanging_model.py").write_text(HANGING_MODEL)
    mark = tmp_path / "mark"
    path = os.pathsep.join([str(tmp_path), str(Path(__file__).parents[1])])
    environment = {
        **os.environ,
        "PYTHONPATH": path,
        "HANGS_IN": stage,
        "HANGS_AT": str(call),
        "HANGS_MARK": str(mark),
    }
    command = [sys.executable, "-m", "vsseval", "run", "--model", "hanging_model:load"]
    command += ["--bench", "toy", "--data", str(toy), "--metrics", ",".join(METRICS)]
    command += ["--cache", str(tmp_path / "cache"), "--out", str(tmp_path / "results")]
    with subprocess.Popen(
        [*command, "--workers", "1"],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        deadline = time.monotonic() + 300
        while not mark.exists():
            assert process.poll() is None, "the run ended before it could be killed"
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    assert not list((tmp_path / "results").rglob("record.json"))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("HANGS_MARK", str(mark))
    monkeypatch.setenv("HANGS_IN", "")
    resumed = run(request_of("hanging_model:load"), tmp_path / "results")
    fresh = run(
        request_of("hanging_model:load", cache=tmp_path / "fresh"), tmp_path / "fresh-results"
    )
    assert resumed.generated_now == (2 if stage == "generate" else 0)
    # Wall time is the one thing that two runs need not share.
    still = replace(fresh.record.cost, seconds=0.0, real_time_factor=0.0)
    assert replace(resumed.record, cost=still) == replace(fresh.record, cost=still)
    assert resumed.record.cost.nfe == 8
    assert (resumed.folder / "clips.csv").read_bytes() == (fresh.folder / "clips.csv").read_bytes()


def test_a_shared_encoder_is_noted_in_the_record(
    go, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hearing.py").write_text(
        "from vsseval.audio import read_audio\n"
        "from vsseval.types import ModelOutput\n"
        "class Hearing:\n"
        "    signature = {'name': 'hearing', 'conditions_on': 'onsets'}\n"
        "    def generate(self, item, seed):\n"
        "        return ModelOutput(read_audio(item.audio))\n"
        "def load(context):\n"
        "    return Hearing()\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    result = go("hearing:load")
    notes = {score.metric: score.note for score in result.record.scores}
    few = "fewer than 10 clips: no interval"
    shared = "onsets: encoder shared with the model's input, which favours it"
    assert notes["onset_f1"] == f"{few}; {shared}"
    assert notes["mcd"] == few
    assert read_record(result.folder / "record.json") == result.record
