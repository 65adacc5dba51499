"""Records that cannot be trusted are refused with the reason; those that can come back whole."""

from __future__ import annotations

import json
import multiprocessing
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from vsseval import records
from vsseval.errors import InputError
from vsseval.records import (
    BenchmarkEntry,
    Cost,
    Counts,
    ModelEntry,
    RunRecord,
    check_clips,
    find_records,
    read_clips,
    read_record,
    write_record,
)
from vsseval.sanity import Sanity
from vsseval.score import Scored
from vsseval.types import Score

SCORE = Score("mcd", 2.0, "", "dB", "lower", "mcd|enc:e|n:2/2|v:1", 2, 2, None, {})
RECORD = RunRecord(
    run_id="0123456789ab",
    model=ModelEntry("ours", "system", {"name": "ours"}),
    benchmark=BenchmarkEntry("toy", "1", "speech", "ab" * 32),
    seed=0,
    takes=1,
    limit=None,
    counts=Counts(2, 2, 0),
    cost=Cost(1.0, 0.5, 0),
    failures={},
    warnings={},
    notes=(),
    scores=(SCORE,),
    environment={},
    sanity=Sanity(2, -20.0, None, {"silent": {"a": "level -90 dBFS"}}),
)


def scored(**rows: float) -> list[Scored]:
    return [Scored(SCORE, {(item, 0): np.array([value]) for item, value in rows.items()})]


def forged(path: Path, **changes: object) -> None:
    """Change fields and sign the record anew, as another version of this program would."""
    content = json.loads(path.read_text())
    del content["digest"]
    content |= changes
    text = json.dumps({**content, "digest": records._digest(content)})
    path.write_text(text)


def test_record_with_sanity_and_digest_of_clips_comes_back(tmp_path: Path) -> None:
    written = write_record(tmp_path, RECORD, scored(a=1.0, b=3.0))
    found = read_record(tmp_path / "record.json")
    assert found == written == replace(RECORD, clips=written.clips)
    assert found.sanity == RECORD.sanity
    check_clips(tmp_path, found)
    assert read_clips(tmp_path) == {"mcd": {("a", 0): (1.0,), ("b", 0): (3.0,)}}


def test_clips_changed_by_hand_are_refused(tmp_path: Path) -> None:
    written = write_record(tmp_path, RECORD, scored(a=1.0, b=3.0))
    path = tmp_path / "clips.csv"
    path.write_text(path.read_text().replace("3.0", "1.0"))
    with pytest.raises(InputError, match=r"clips\.csv .* changed by hand"):
        check_clips(tmp_path, written)
    path.unlink()
    with pytest.raises(InputError, match="or is gone"):
        check_clips(tmp_path, written)


def test_two_runs_that_end_at_once_lose_no_score(tmp_path: Path) -> None:
    """Each reads the record, adds its metric and writes: one of them in between would be lost."""

    names = ["mcd", "mcd_dtw", "utmos", "onset_f1", "onset_ap", "av_align", "wer.given"]
    with multiprocessing.get_context("fork").Pool(len(names)) as pool:
        waiting = [pool.apply_async(_add, (tmp_path, name)) for name in names]
        for one in waiting:
            one.get(timeout=60)
    found = read_record(tmp_path / "record.json")
    assert {score.metric for score in found.scores} == set(names)
    assert set(read_clips(tmp_path)) == set(names)
    check_clips(tmp_path, found)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clips.csv", "record.json"]


def _add(folder: Path, name: str) -> None:
    score = replace(SCORE, metric=name, signature=f"{name}|v:1")
    record = replace(RECORD, scores=(score,))
    write_record(folder, record, [Scored(score, {("a", 0): np.array([1.0])})])


def test_clips_changed_by_hand_are_refused_wherever_records_are_read(tmp_path: Path) -> None:
    folder = tmp_path / "toy" / "ours" / "0"
    write_record(folder, RECORD, scored(a=1.0, b=3.0))
    assert len(find_records(tmp_path)) == 1
    path = folder / "clips.csv"
    path.write_text(path.read_text().replace("3.0", "1.0"))
    with pytest.raises(InputError, match=r"clips\.csv .* changed by hand"):
        find_records(tmp_path)
    path.unlink()
    assert len(find_records(tmp_path)) == 1


@pytest.mark.parametrize("text", ["", "[]", "null", "5", "[" * 200_000, '{"digest": 1}'])
def test_what_is_no_record_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "record.json").write_text(text)
    with pytest.raises(InputError, match=r"record\.json is no run record"):
        read_record(tmp_path / "record.json")


def test_folder_of_records_names_one_of_them(tmp_path: Path) -> None:
    folder = tmp_path / "toy" / "ours" / "0"
    write_record(folder, RECORD, scored(a=1.0, b=3.0))
    with pytest.raises(InputError, match=f"name one of them, such as {folder}"):
        read_record(tmp_path / "record.json")


def test_scores_beside_changed_clips_do_not_join_a_new_record(tmp_path: Path) -> None:
    write_record(tmp_path, RECORD, scored(a=1.0, b=3.0))
    path = tmp_path / "clips.csv"
    path.write_text(path.read_text().replace("3.0", "1.0"))
    other = replace(SCORE, metric="onset_f1")
    rows = {("a", 0): np.array([1.0])}
    written = write_record(tmp_path, replace(RECORD, scores=(other,)), [Scored(other, rows)])
    assert [score.metric for score in written.scores] == ["onset_f1"]
    assert list(read_clips(tmp_path)) == ["onset_f1"]
    check_clips(tmp_path, written)


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity"])
def test_value_that_is_not_finite_is_refused(tmp_path: Path, value: str) -> None:
    write_record(tmp_path, RECORD, scored(a=1.0, b=3.0))
    path = tmp_path / "record.json"
    path.write_text(path.read_text().replace('"value": 2.0', f'"value": {value}'))
    with pytest.raises(InputError, match=f"no run record: ValueError: it holds {value}"):
        read_record(path)


def test_component_that_is_not_finite_is_refused(tmp_path: Path) -> None:
    (tmp_path / "clips.csv").write_text("item,take,mcd\na,0,1.0\nb,0,inf\n")
    with pytest.raises(InputError, match="mcd has a value that is not finite"):
        read_clips(tmp_path)


def test_empty_cells_are_clips_that_were_not_scored(tmp_path: Path) -> None:
    (tmp_path / "clips.csv").write_text("item,take,wer[0],wer[1],mcd\na,0,1.0,4.0,\n007,1,,,2.5\n")
    assert read_clips(tmp_path) == {"wer": {("a", 0): (1.0, 4.0)}, "mcd": {("007", 1): (2.5,)}}


def test_numbers_come_back_bit_for_bit_and_names_as_they_are(tmp_path: Path) -> None:
    random = np.random.RandomState(0)
    values = random.standard_normal(200) * 10.0 ** random.randint(-300, 300, 200)
    values = [*values, 0.1 + 0.2, 5e-324, 1.7976931348623157e308, -0.0]
    names = ["NA", "nan", "007", "1e3", *(f"i{at}" for at in range(200))]
    rows = {(name, 0): np.array([value]) for name, value in zip(names, values, strict=True)}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        write_record(tmp_path, RECORD, [Scored(SCORE, rows)])
        found = read_clips(tmp_path)["mcd"]
    assert {key: row[0].hex() for key, row in found.items()} == {
        key: float(row[0]).hex() for key, row in rows.items()
    }


@pytest.mark.parametrize(
    "text", ["", "item,take\na\n", "clip,take,mcd\na,0,1.0\n", "item,take,mcd\na,0,much\n"]
)
def test_clips_that_are_no_table_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "clips.csv").write_text(text)
    with pytest.raises(InputError, match=r"cannot read .*clips\.csv"):
        read_clips(tmp_path)


def test_record_keeps_slices_and_groups_and_states_none_it_has_not(tmp_path: Path) -> None:
    parts = replace(RECORD, slices={"speaker=s1": ("a", "b")}, groups={"film": ("a", "b")})
    for name, record in (("with", parts), ("without", RECORD)):
        written = write_record(tmp_path / name, record, scored(a=1.0, b=3.0))
        assert read_record(tmp_path / name / "record.json") == written
        assert (written.slices, written.groups) == (record.slices, record.groups)
    content = json.loads((tmp_path / "without" / "record.json").read_text())
    assert not {"slices", "groups"} & set(content)


def test_record_with_a_field_too_few_or_too_many_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    write_record(tmp_path, RECORD, scored(a=1.0))
    forged(path, mood="good")
    with pytest.raises(InputError, match=r"lacks a field or has one too many: .*mood"):
        read_record(path)
    content = json.loads(path.read_text())
    del content["digest"], content["mood"], content["sanity"]
    path.write_text(json.dumps({**content, "digest": records._digest(content)}))
    with pytest.raises(InputError, match="lacks a field or has one too many: 'sanity'"):
        read_record(path)


def test_record_of_the_first_schema_is_refused(tmp_path: Path) -> None:
    write_record(tmp_path, RECORD, scored(a=1.0))
    forged(tmp_path / "record.json", schema=1)
    with pytest.raises(InputError, match="has schema 1, this version reads 2; run again"):
        read_record(tmp_path / "record.json")
