"""Features in shards: what comes back, what an interruption leaves, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from stand_ins import silent

from vsseval.errors import InputError
from vssflow import shards
from vssflow.shards import open_shards, shard_path, write_shards


def numbers(index: int) -> dict[str, np.ndarray]:
    return {"a": np.full((3, 2), index, np.float16), "b": np.array(10 * index, np.int32)}


def test_rows_come_back_from_shards_by_number(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(shards, "CLIPS_PER_SHARD", 4)
    ids = [f"c{i}" for i in range(10)]
    assert write_shards(ids, tmp_path, numbers, "x", silent) == {}
    kept, arrays = open_shards(tmp_path, ids)
    assert kept == ids
    assert arrays["a"].shape == (10, 3, 2)
    assert arrays["a"][[9, 0, 4]][:, 0, 0].tolist() == [9.0, 0.0, 4.0]
    assert int(arrays["b"][7]) == 70


def test_interrupted_run_makes_the_missing_shards_alone(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(shards, "CLIPS_PER_SHARD", 4)
    ids, made = [f"c{i}" for i in range(10)], []

    def broken(index: int):
        made.append(index)
        if index == 6:
            raise KeyboardInterrupt
        return numbers(index)

    with pytest.raises(KeyboardInterrupt):
        write_shards(ids, tmp_path, broken, "x", silent)
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["shard-00000.safetensors"]
    made.clear()
    write_shards(ids, tmp_path, lambda i: made.append(i) or numbers(i), "x", silent)
    assert made == [4, 5, 6, 7, 8, 9]


def test_clip_that_fails_is_left_out_and_named_again_by_the_next_run(tmp_path) -> None:
    def one_fails(index: int):
        if index == 1:
            raise InputError("no audio file at x.wav")
        return numbers(index)

    ids = ["a", "b", "c"]
    for make in (one_fails, numbers):
        assert write_shards(ids, tmp_path, make, "x", silent) == {"b": "no audio file at x.wav"}
    kept, arrays = open_shards(tmp_path, ids)
    assert kept == ["a", "c"]
    assert int(arrays["b"][1]) == 20
    # A retry makes the failed clip alone and puts it in its place.
    made = []
    assert write_shards(
        ids, tmp_path, lambda i: made.append(i) or numbers(i), "x", silent, retry=True
    ) == {}  # fmt: skip
    assert made == [1]
    kept, arrays = open_shards(tmp_path, ids)
    assert kept == ids
    assert [int(arrays["b"][row]) for row in range(3)] == [0, 10, 20]


def test_shard_without_a_usable_clip_does_not_stop_the_others(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(shards, "CLIPS_PER_SHARD", 2)

    def first_fail(index: int):
        if index < 2:
            raise InputError("broken")
        return numbers(index)

    ids = ["a", "b", "c", "d"]
    assert write_shards(ids, tmp_path, first_fail, "x", silent) == {"a": "broken", "b": "broken"}
    kept, arrays = open_shards(tmp_path, ids)
    assert kept == ["c", "d"]
    assert arrays["a"].shape == (2, 3, 2)
    assert int(arrays["b"][0]) == 20
    with pytest.raises(InputError, match="no clip could be used; first a: broken"):
        write_shards(ids[:2], tmp_path / "none", first_fail, "x", silent)
    with pytest.raises(InputError, match="holds no clip that could be used"):
        open_shards(tmp_path / "none", ids[:2])


def test_other_errors_stop_the_run_and_name_the_clip(tmp_path) -> None:
    def broken(index: int):
        raise ValueError("of shapes")

    with pytest.raises(ValueError, match="of shapes") as caught:
        write_shards(["a"], tmp_path, broken, "x", silent)
    assert caught.value.__notes__ == ["while features of clip a were computed"]


def test_training_on_an_unfinished_preprocess_is_refused(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(shards, "CLIPS_PER_SHARD", 2)
    ids = ["a", "b", "c", "d"]
    write_shards(ids[:2], tmp_path, numbers, "x", silent)
    with pytest.raises(InputError, match="features of 2 clips, --data has 4, or others"):
        open_shards(tmp_path, ids)


def test_shards_of_other_clips_or_settings_are_not_mixed(tmp_path) -> None:
    write_shards(["a", "b"], tmp_path, numbers, "x", silent)
    for ids, settings in ((["a", "c"], "x"), (["a", "b"], "y")):
        with pytest.raises(InputError, match="other clips or with other settings"):
            write_shards(ids, tmp_path, numbers, settings, silent)
    shard_path(tmp_path, 0).write_bytes(b"no")
    with pytest.raises(InputError, match="no shard of features"):
        open_shards(tmp_path, ["a", "b"])
    with pytest.raises(InputError, match="run `vssflow preprocess` first"):
        open_shards(tmp_path / "none", ["a"])


def test_shards_can_be_read_by_everybody(tmp_path) -> None:
    write_shards(["a"], tmp_path, numbers, "x", silent)
    assert shard_path(tmp_path, 0).stat().st_mode & 0o777 == 0o644
