"""What the store says of a part: where it is, and whether its bytes are right."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from toy_parts import CONTENT, DIGEST, part, weight_file

from vsseval import weights
from vsseval.errors import InputError, MissingWeightsError
from vsseval.weights_table import (
    GROUPS,
    LocalPath,
)


def test_missing_weights_say_where_and_what_to_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VSSEVAL_WEIGHTS", str(tmp_path / "nothing"))
    with pytest.raises(MissingWeightsError) as caught:
        weights.require("ge2e")
    message = str(caught.value)
    for piece in (str(tmp_path / "nothing" / "ge2e"), "pretrained.pt", "vsseval weights pull ge2e"):
        assert piece in message


def test_require_notices_a_cut_file(tmp_path: Path, good: LocalPath) -> None:
    table = part(weight_file(good))
    weights.pull(["toy"], root=tmp_path, table=table)
    with (tmp_path / "toy" / "model.bin").open("r+b") as stream:
        stream.truncate(1000)
    with pytest.raises(MissingWeightsError, match=f"1000 bytes instead of {len(CONTENT)}"):
        weights.require("toy", root=tmp_path, table=table)
    assert weights.pull(["toy"], root=tmp_path, table=table)[0].state == "ok"


def test_require_notices_changed_bytes_and_verify_even_hidden_ones(
    tmp_path: Path, good: LocalPath, bad: LocalPath
) -> None:
    table = part(weight_file(good))
    weights.pull(["toy"], root=tmp_path, table=table)
    path = tmp_path / "toy" / "model.bin"
    path.write_bytes(Path(bad.path).read_bytes())
    os.utime(path, ns=(0, 1))  # a clock may be too coarse to tell the two writes apart
    with pytest.raises(MissingWeightsError, match="instead of " + DIGEST):
        weights.require("toy", root=tmp_path, table=table)
    path.write_bytes(CONTENT)
    weights.verify(["toy"], root=tmp_path, table=table)
    times = path.stat()
    path.write_bytes(Path(bad.path).read_bytes())
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))  # the stamp still fits
    assert weights.status(["toy"], root=tmp_path, table=table)[0].state == "ok"
    assert weights.verify(["toy"], root=tmp_path, table=table)[0].state == "damaged"
    with pytest.raises(MissingWeightsError, match="damaged"):
        weights.require("toy", root=tmp_path, table=table)


def test_a_file_put_there_by_hand_is_hashed_once(tmp_path: Path, good: LocalPath) -> None:
    table = part(weight_file(LocalPath("/nowhere")))
    (tmp_path / "toy").mkdir()
    (tmp_path / "toy" / "model.bin").write_bytes(Path(good.path).read_bytes())
    weights.require("toy", root=tmp_path, table=table)
    stamps = json.loads((tmp_path / "toy" / ".verified.json").read_text())
    assert stamps["model.bin"][0] == len(CONTENT)
    assert stamps["model.bin"][2] == DIGEST


@pytest.mark.parametrize("path", ["../model.bin", "/model.bin", "a/../../b", "", "a\\b"])
def test_a_path_outside_of_the_part_is_refused(tmp_path: Path, good: LocalPath, path: str) -> None:
    table = part(weight_file(good, path=path))
    with pytest.raises(InputError, match="outside of its part"):
        weights.pull(["toy"], root=tmp_path / "s", table=table)


@pytest.mark.parametrize(
    ("named", "cache", "expected"),
    [
        pytest.param("/store", "/cache", "/store", id="named"),
        pytest.param(None, "/cache", "/cache/vsseval/weights", id="cache"),
        pytest.param(None, None, str(Path.home() / ".cache/vsseval/weights"), id="home"),
    ],
)
def test_the_store_follows_the_environment(
    monkeypatch: pytest.MonkeyPatch, named: str | None, cache: str | None, expected: str
) -> None:
    for name, value in (("VSSEVAL_WEIGHTS", named), ("XDG_CACHE_HOME", cache)):
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)
    assert str(weights.store_root()) == expected


def test_a_fingerprint_moves_with_the_bytes_and_not_with_the_licence(good: LocalPath) -> None:
    one = part(weight_file(good))
    with_licence = part(weight_file(good), weight_file(good, path="LICENSE", optional=True))
    other = part(weight_file(good, content=b"other"))
    assert weights.fingerprint("toy", table=one) == weights.fingerprint("toy", table=with_licence)
    assert weights.fingerprint("toy", table=one) != weights.fingerprint("toy", table=other)


@pytest.mark.weights
def test_the_demo_weights_verify() -> None:
    problems = {state.name: state.problems for state in weights.verify(["demo"])}
    assert problems == dict.fromkeys(GROUPS["demo"], ())
