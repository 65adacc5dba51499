"""Bringing parts into the store: fetched with their digests checked, or added by the user."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from toy_parts import CONTENT, DIGEST, UNPUBLISHED, part, weight_file

from vsseval import weights
from vsseval.errors import InputError, MissingWeightsError, VssevalError
from vsseval.weights_table import LocalPath, Part


def test_pull_publishes_a_file_that_require_finds(tmp_path: Path, good: LocalPath) -> None:
    seen: list[tuple[str, int, int]] = []
    table = part(weight_file(good))
    states = weights.pull(
        ["toy"], root=tmp_path / "s", table=table, progress=lambda *step: seen.append(step)
    )
    folder = weights.require("toy", root=tmp_path / "s", table=table)
    assert (folder / "model.bin").read_bytes() == CONTENT
    assert [state.state for state in states] == ["ok"]
    assert seen[-1] == ("toy/model.bin", len(CONTENT), len(CONTENT))


def test_pull_leaves_a_right_file_alone(tmp_path: Path, good: LocalPath) -> None:
    table = part(weight_file(good))
    weights.pull(["toy"], root=tmp_path / "s", table=table)
    Path(good.path).unlink()  # a second fetch would now fail
    assert weights.pull(["toy"], root=tmp_path / "s", table=table)[0].state == "ok"


def test_wrong_hash_is_deleted_and_reported(tmp_path: Path, bad: LocalPath) -> None:
    table = part(weight_file(bad))
    with pytest.raises(MissingWeightsError) as caught:
        weights.pull(["toy"], root=tmp_path / "s", table=table)
    message = str(caught.value)
    got = hashlib.sha256(Path(bad.path).read_bytes()).hexdigest()
    for piece in (DIGEST, got, bad.path, "deleted", "vsseval weights pull toy"):
        assert piece in message
    left = [path for path in (tmp_path / "s").rglob("*") if path.is_file() and path.stat().st_size]
    assert left == []


def test_a_source_that_is_longer_than_the_file_is_refused(tmp_path: Path) -> None:
    long = tmp_path / "long.bin"
    long.write_bytes(CONTENT + b"more")
    with pytest.raises(MissingWeightsError, match=f"got {len(CONTENT) + 1} bytes"):
        weights.pull(["toy"], root=tmp_path / "s", table=part(weight_file(LocalPath(str(long)))))


def test_the_next_source_is_tried(tmp_path: Path, bad: LocalPath, good: LocalPath) -> None:
    table = part(weight_file(LocalPath(str(tmp_path / "absent")), bad, good))
    assert weights.pull(["toy"], root=tmp_path / "s", table=table)[0].state == "ok"


def test_a_licence_text_may_be_missing(tmp_path: Path, good: LocalPath) -> None:
    absent = weight_file(LocalPath("/nowhere"), path="LICENSE", content=b"MIT", optional=True)
    table = part(weight_file(good), absent)
    assert weights.pull(["toy"], root=tmp_path / "s", table=table)[0].state == "ok"


def test_the_mirror_is_tried_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mirror = tmp_path / "mirror" / "toy"
    mirror.mkdir(parents=True)
    (mirror / "model.bin").write_bytes(CONTENT)
    monkeypatch.setenv("VSSEVAL_WEIGHTS_FROM", str(tmp_path / "mirror"))
    table = part(weight_file(LocalPath("/nowhere")))
    assert weights.pull(["toy"], root=tmp_path / "s", table=table)[0].state == "ok"


def test_a_store_that_cannot_be_written_is_one_clear_error(tmp_path: Path, good: LocalPath) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(VssevalError, match=r"cannot write weights 'toy'.*VSSEVAL_WEIGHTS"):
        weights.pull(["toy"], root=tmp_path / "file" / "s", table=part(weight_file(good)))


def test_part_without_published_digest_is_what_was_added(tmp_path: Path, good: LocalPath) -> None:
    given = tmp_path / "model.bin"
    given.write_bytes(CONTENT)
    root = tmp_path / "store"
    state = weights.add("toy", [given], root=root, table=UNPUBLISHED)
    assert (state.state, state.size) == ("ok", None)
    assert (
        weights.require("toy", root=root, table=UNPUBLISHED) / "model.bin"
    ).read_bytes() == CONTENT
    first = weights.fingerprint("toy", root=root, table=UNPUBLISHED)
    (root / "toy" / "model.bin").write_bytes(CONTENT[:-1] + b"!")
    with pytest.raises(MissingWeightsError, match=f"instead of {DIGEST}"):
        weights.require("toy", root=root, table=UNPUBLISHED)
    # Other bytes are another part: added on purpose, they move the fingerprint.
    given.write_bytes(CONTENT[:-1] + b"!")
    weights.add("toy", [given], root=root, table=UNPUBLISHED)
    assert weights.fingerprint("toy", root=root, table=UNPUBLISHED) != first


def test_part_without_published_digest_is_never_fetched(tmp_path: Path) -> None:
    with pytest.raises(MissingWeightsError, match=r"vsseval weights add toy model\.bin"):
        weights.pull(["toy"], root=tmp_path, table=UNPUBLISHED)
    with pytest.raises(MissingWeightsError, match=r"vsseval weights add toy model\.bin"):
        weights.require("toy", root=tmp_path, table=UNPUBLISHED)
    assert weights.expand(["all"], table=UNPUBLISHED) == ()


@pytest.mark.parametrize(
    ("table", "names", "words"),
    [
        pytest.param(UNPUBLISHED, ["other.bin"], "consist of model.bin; got other.bin", id="name"),
        pytest.param(UNPUBLISHED, [], "consist of model.bin; got no file", id="none"),
        pytest.param(UNPUBLISHED, ["absent/model.bin"], "cannot copy", id="absent"),
        pytest.param(part(weight_file()), ["model.bin"], "weights pull toy", id="published"),
    ],
)
def test_what_cannot_be_added_is_said(
    tmp_path: Path, table: dict[str, Part], names: list[str], words: str
) -> None:
    (tmp_path / "other.bin").write_bytes(CONTENT)
    files = [tmp_path / name for name in names]
    with pytest.raises(InputError, match=words):
        weights.add("toy", files, root=tmp_path / "store", table=table)
