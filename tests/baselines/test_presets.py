"""``NAME:PATH``: outputs as their authors name them (repositories and commits: PRESETS)."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from baselines.presets import PRESETS, plain_id
from vsseval.benchmarks.manifest import read_benchmark
from vsseval.benchmarks.table import find_data_set
from vsseval.errors import InputError
from vsseval.generate import generate
from vsseval.models import MODELS, load_model
from vsseval.types import Benchmark

VGG = "ruK8QzIWrSY_000080"
DASHES = "-_x_-QzIWrS_000001"
CHEM = "mgg27LTeNPo-030"
GRID = "s06_bwba2a"


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    (tmp_path / "ours").mkdir()
    return tmp_path / "ours"


def benchmark(toy: Path, *ids: str) -> Benchmark:
    found = read_benchmark(toy)
    return replace(found, items=tuple(replace(found.items[0], id=name) for name in ids))


def write(root: Path, name: str, rate: int, seconds: float, value: float = 0.1) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(root / name, np.full(round(rate * seconds), value), rate)


# One file of each system, and what it must be matched to.
CASES = [
    ("frieren-outputs", f"Y{VGG}_3.wav", 16000, 8.192, VGG, 3),
    ("frieren-outputs", f"CFG4.5_euler_26gen_wav_16k_80/Y{DASHES}_0.wav", 16000, 8.192, DASHES, 0),
    ("mmaudio", f"{VGG}.flac", 16000, 8.0, VGG, 0),
    ("mmaudio", f"vggsound/{DASHES}.flac", 44100, 8.0, DASHES, 0),
    ("diff-foley", f"{VGG}/sample_2_diff.wav", 16000, 8.176, VGG, 2),
    (
        *("diff-foley", f"{VGG}_CFG4.5_CG50_DPM_Solver_25_useDG_True/sample_0_diff.wav"),
        *(16000, 8.176, VGG, 0),
    ),
    ("foleycrafter", f"{VGG}.wav", 16000, 10.0, VGG, 0),
    ("v2a-mapper", f"{VGG}.wav", 16000, 10.0, VGG, 0),
    ("styledubber", "wav_pred_s6-bwba2a.wav", 22050, 1.7, GRID, 0),
    ("styledubber", f"wav_pred_{CHEM}_other_ref.wav", 22050, 1.7, CHEM, 0),
    ("speaker2dubber", f"wav_pred_{CHEM}.wav", 22050, 1.7, f"chem_00_{CHEM}", 0),
    ("emodubber", "s6-bwba2a.wav", 16000, 1.7, GRID, 0),
    ("hpmdubbing", f"wav_pred_{CHEM}.wav", 16000, 1.7, CHEM, 0),
    ("dsu-avo", f"{CHEM}_sample0.wav", 16000, 1.7, f"chem_00_{CHEM}", 0),
    ("dsu-avo", f"{CHEM}.wav", 16000, 1.7, CHEM, 0),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]} {case[1]}")
def test_file_is_found_under_its_authors_name(toy: Path, ours: Path, case: tuple) -> None:
    preset, name, rate, seconds, item, take = case
    write(ours, name, rate, seconds)
    loaded = load_model(f"{preset}:{ours}", benchmark(toy, item, "other"))
    assert loaded.name == preset
    assert loaded.model.files == {(item, take): ours / name}
    assert loaded.notes[0] == (
        "coverage: 1 of 2 items have a file, 1 have none, 0 files fit no item"
    )
    assert not [note for note in loaded.notes if note.startswith(("rate", "length"))]


def test_every_preset_has_a_case_and_a_row() -> None:
    assert {case[0] for case in CASES} == set(PRESETS)
    rows = {row.name for row in MODELS.values() if row.load == "baselines.folder:load_preset"}
    assert rows == set(PRESETS)


def test_samples_are_takes(toy: Path, ours: Path, tmp_path: Path) -> None:
    for take in range(3):
        write(ours, f"Y{VGG}_{take}.wav", 16000, 8.192, (take + 1) / 10)
    bench = benchmark(toy, VGG)
    model = load_model(f"frieren-outputs:{ours}", bench).model
    assert "takes: up to 3 files an item, 0 items have fewer" in model.notes
    rows = generate(model, bench, tmp_path / "g", takes=4)
    levels = [float(soundfile.read(row.path)[0].mean()) for row in rows[:3]]
    assert levels == pytest.approx([0.1, 0.2, 0.3], abs=1e-4)
    expected = f"no file named as frieren-outputs names {VGG} for take 3 in the folder"
    assert rows[3].error == expected


def test_vocoded_references_are_left_out(toy: Path, ours: Path) -> None:
    write(ours, f"wav_pred_{CHEM}.wav", 16000, 1.7)
    write(ours, f"wav_rec_{CHEM}.wav", 16000, 1.7)
    loaded = load_model(f"hpmdubbing:{ours}", benchmark(toy, CHEM))
    assert loaded.notes == ("coverage: 1 of 1 items have a file, 0 have none, 0 files fit no item",)


def test_other_rate_and_length_than_published_are_noted(toy: Path, ours: Path) -> None:
    write(ours, f"{VGG}.flac", 48000, 5.0)
    notes = load_model(f"mmaudio:{ours}", benchmark(toy, VGG)).notes
    assert f"rate: {VGG}.flac has 48000 Hz, mmaudio writes 16000 or 44100" in notes
    assert f"length: {VGG}.flac lasts 5.00 s, mmaudio makes 8.0 s" in notes


def test_two_references_for_one_item_are_refused(toy: Path, ours: Path) -> None:
    for reference in ("x_y", "z"):
        write(ours, f"wav_pred_{CHEM}_{reference}.wav", 22050, 1.7)
    with pytest.raises(InputError, match=f"item {CHEM}: .* both fit"):
        load_model(f"styledubber:{ours}", benchmark(toy, CHEM))


def test_nothing_that_fits_is_refused_with_the_pattern(toy: Path, ours: Path) -> None:
    write(ours, f"{VGG}.wav", 16000, 8.0)
    with pytest.raises(InputError, match=r"named as diff-foley names .*/sample_"):
        load_model(f"diff-foley:{ours}", benchmark(toy, VGG))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("s6-bwba2a", "s06_bwba2a"),
        ("s06/bwba2a", "s6_bwba2a"),
        ("grid/s6/bwba2a", "s06_bwba2a"),
        (f"chem_00_{CHEM}", CHEM),
        (f"chem/{CHEM}", f"chem_00_{CHEM}"),
        ("v2c/Bossbaby@BossBaby_00_0001_00", "Bossbaby@BossBaby_00_0001_00"),
        ("lrs2/5535415699068794046/00001", "main_5535415699068794046_00001"),
    ],
)
def test_ids_of_two_lineages_are_one(one: str, other: str) -> None:
    assert plain_id(one) == plain_id(other)


LINEAGES = [
    *(("grid", "s6-bwba2a"), ("grid", "s06_bwba2a"), ("chem", f"chem_00_{CHEM}"), ("chem", CHEM)),
    *(("v2c", "Bossbaby@BossBaby_00_0001_00"), ("vggsound", VGG), ("vggsound", DASHES)),
    *(("lrs2", f"{folder}5535415699068794046/00001") for folder in ("mvlrs_v1/main/", "")),
]


@pytest.mark.parametrize(("data_set", "name"), LINEAGES)
def test_names_agree_with_those_of_the_prepared_benchmarks(data_set: str, name: str) -> None:
    prepared = find_data_set(data_set).parse(name)
    assert prepared is not None
    assert plain_id(name) == plain_id(prepared.id)


def test_folder_finds_ids_of_a_prepared_benchmark(toy: Path, ours: Path) -> None:
    write(ours, "s06_bwba2a.wav", 16000, 1.7)
    bench = benchmark(toy, "grid/s6/bwba2a", "grid/s6/bwba2n")
    assert load_model(f"folder:{ours}", bench).model.files == {
        ("grid/s6/bwba2a", 0): ours / "s06_bwba2a.wav"
    }


def test_ids_that_only_look_alike_stay_apart() -> None:
    assert plain_id("s06_bwba2a") != plain_id("s16_bwba2a")
    assert plain_id("s6-hello1") == "s6-hello1"
    assert plain_id(VGG) == VGG


def test_notes_reach_the_record(toy: Path, ours: Path, tmp_path: Path) -> None:
    from vsseval.run import Request, run

    write(ours, "a.flac", 16000, 8.0)
    request = Request(f"mmaudio:{ours}", "toy", tmp_path / "c", ("onset_f1",), data=toy)
    record = json.loads((run(request, tmp_path / "r").folder / "record.json").read_text())
    assert record["notes"][0].startswith("coverage: 1 of 4 items have a file")
    assert record["counts"]["failed"] == 3


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("item", [VGG, DASHES, f"chem/{CHEM}", "grid/s6/bwba2a"])
def test_example_of_a_name_fits_the_preset(name: str, item: str) -> None:
    preset = PRESETS[name]
    match = re.fullmatch(preset.stem, preset.example(item).removesuffix(".wav"))
    assert plain_id(match["id"]) == plain_id(item)


def test_example_is_what_a_person_types() -> None:
    examples = {name: preset.example(VGG) for name, preset in PRESETS.items()}
    assert examples["diff-foley"] == f"{VGG}/sample_0_diff.wav"
    assert examples["frieren-outputs"] == f"Y{VGG}_0.wav"
    assert examples["dsu-avo"] == f"{VGG}.wav"
    assert examples["styledubber"] == f"wav_pred_{VGG}.wav"
