"""Pages as text: one file, one script that its policy names, data that cannot break out."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from vsseval.records import BenchmarkEntry, find_records, read_components
from vsseval.reports.html.content import Board, Media, Page
from vsseval.reports.html.index import index_html
from vsseval.reports.html.page import page_html, write_pages


class Document(HTMLParser):
    """Elements with their attributes, and the text of every script."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.open: str | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.open = tag
        if tag == "script":
            self.scripts.append((dict(attrs), ""))

    def handle_endtag(self, tag: str) -> None:
        self.open = None

    def handle_data(self, data: str) -> None:
        if self.open == "script":
            attributes, text = self.scripts[-1]
            self.scripts[-1] = attributes, text + data

    def json(self, identity: str) -> dict:
        (text,) = [text for attributes, text in self.scripts if attributes.get("id") == identity]
        return json.loads(text)

    @property
    def policy(self) -> str:
        (found,) = [a["content"] for _, a in self.elements if a.get("http-equiv")]
        return found


@pytest.fixture(scope="module")
def document(toy_page: Path) -> Document:
    return Document(toy_page.read_text(encoding="utf-8"))


def test_data_come_back_as_they_went_in(document: Document, toy_board: Board) -> None:
    (board,) = document.json("data")["boards"]
    assert board["about"] == toy_board.about
    assert board["clips"][1]["label"] == toy_board.clips[1].label
    assert board["rows"][0]["scores"][1][0] == list(toy_board.rows[0].scores[1][0])


def test_media_stand_in_blocks_of_their_own(document: Document, toy_media: list[Media]) -> None:
    for media in toy_media:
        block = document.json(f"media-{media.name}")
        assert block["video"] == media.video
        assert block["tracks"][1]["audio"] == media.tracks[1].audio


def test_no_text_of_a_record_ends_a_script(toy_page: Path, document: Document) -> None:
    # The data, two media and the script; the hostile end tag in the labels closed none of them.
    assert len(document.scripts) == 4
    assert toy_page.read_text(encoding="utf-8").lower().count("</script") == 4
    assert not [tag for tag, _ in document.elements if tag == "img"]


def test_policy_names_the_one_script(document: Document) -> None:
    (script,) = [text for attributes, text in document.scripts if not attributes]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}';" in document.policy
    assert "default-src 'none'" in document.policy


def test_nothing_is_loaded_from_elsewhere(toy_page: Path, document: Document) -> None:
    sources = [a.get("src") or a.get("href") for _, a in document.elements]
    assert {s.split(":")[0] for s in sources if s} == {"data", "#board"}
    text = re.sub(r"<script type=.*?</script>", "", toy_page.read_text(encoding="utf-8"))
    # Names of XML, which nobody fetches.
    assert set(re.findall(r"https?://[\w./]+", text)) == {"http://www.w3.org/2000/svg"}


def test_title_is_escaped(toy_board: Board) -> None:
    text = page_html(Page("<b>&", "", "", "0", (toy_board,)), [])
    assert "<title>&lt;b&gt;&amp;</title>" in text


def test_index_escapes_and_links_relatively(toy_board: Board) -> None:
    document = Document(index_html([toy_board]))
    links = [a["href"] for tag, a in document.elements if tag == "a"]
    assert links == ["toy-1-abcdef01.html"]
    assert not [tag for tag, _ in document.elements if tag == "img"]


def test_site_is_the_same_bytes_each_time(
    toy_board: Board, toy_media: list[Media], tmp_path: Path
) -> None:
    for name in ("one", "two"):
        write_pages([toy_board], toy_media, tmp_path / name)
    files = [
        sorted(p.relative_to(tmp_path / n) for p in (tmp_path / n).rglob("*") if p.is_file())
        for n in ("one", "two")
    ]
    assert files[0] == files[1]
    assert [str(path) for path in files[0]] == [
        "index.html",
        "media/toy-20.js",
        "media/toy-3.js",
        "toy-1-abcdef01.html",
    ]
    for path in files[0]:
        assert (tmp_path / "one" / path).read_bytes() == (tmp_path / "two" / path).read_bytes()


def test_report_holds_the_values_of_the_records(
    vsseval, ran: Path, toy: Path, tmp_path: Path
) -> None:
    result = vsseval("report", ran, "--html", "page.html", "--data", toy, "--clips", 2)
    assert result.exit_code == 0, result.output
    assert "page: page.html" in result.output
    document = Document((tmp_path / "page.html").read_text(encoding="utf-8"))
    (board,) = document.json("data")["boards"]
    assert [row["label"] for row in board["rows"]] == ["reference", "noise", "silence"]
    for path, record in find_records(ran):
        (row,) = [row for row in board["rows"] if row["label"] == record.model.name]
        for at, column in enumerate(board["columns"]):
            (score,) = [one for one in record.scores if one.metric == column["metric"]]
            assert row["cells"][at]["value"] == score.value
            components = read_components(path.parent, column["metric"])
            shown = {
                clip["id"]: value
                for clip, value in zip(board["clips"], row["scores"][at], strict=True)
                if value is not None
            }
            assert shown == {
                item: [pytest.approx(one[0], rel=1e-5)] for (item, _), one in components.items()
            }
    heard = [clip["media"] for clip in board["clips"] if clip["media"]]
    assert len(heard) == 2
    assert board["media_note"].startswith("2 of 4 clips can be heard")
    media = document.json(f"media-{heard[0]}")
    names = [track["names"] for track in media["tracks"]]
    assert names == [["Ground truth", "reference"], ["noise"], ["silence"]]
    assert [clip["label"] for clip in board["clips"]] == ["wood", "wood", "metal", "metal"]


def test_page_of_a_slice_says_so_and_holds_media_of_its_clips(
    vsseval, ran: Path, toy: Path, tmp_path: Path
) -> None:
    words = ("report", ran, "--html", "page.html", "--data", toy, "--slice", "label=wood")
    result = vsseval(*words)
    assert result.exit_code == 0, result.output
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<title>toy, slice label=wood: vsseval report</title>" in text
    document = Document(text)
    (board,) = document.json("data")["boards"]
    assert (board["slice"], board["media_note"]) == ("label=wood", "Every clip can be heard.")
    assert board["id"].endswith("-label=wood")
    assert [clip["id"] for clip in board["clips"]] == ["a", "b"]
    assert {row["seconds"] for row in board["rows"]} == {None}
    for clip in board["clips"]:
        tracks = document.json(f"media-{clip['media']}")["tracks"]
        assert tracks[0]["names"] == ["Ground truth", "reference"]
        assert all(track["audio"] for track in tracks)
    for path, record in find_records(ran):
        (row,) = [row for row in board["rows"] if row["label"] == record.model.name]
        for at, column in enumerate(board["columns"]):
            components = read_components(path.parent, column["metric"])
            mean = (components["a", 0][0] + components["b", 0][0]) / 2
            assert row["cells"][at]["value"] == pytest.approx(mean, rel=1e-12)


def test_report_without_media_says_what_is_missing(vsseval, ran: Path, tmp_path: Path) -> None:
    result = vsseval("report", ran, "--html", "page.html")
    assert result.exit_code == 0, result.output
    document = Document((tmp_path / "page.html").read_text(encoding="utf-8"))
    (board,) = document.json("data")["boards"]
    assert board["media_note"] == (
        "No clip can be heard: the files of toy are not here; --data DIR says where they are."
    )
    assert len(document.scripts) == 2


def test_leaderboard_command_writes_an_index_and_pages(
    vsseval, ran: Path, toy: Path, tmp_path: Path
) -> None:
    result = vsseval("leaderboard", ran, "--out", "site", "--data", toy, "--clips", 1)
    assert result.exit_code == 0, result.output
    pages = sorted(path.name for path in (tmp_path / "site").glob("*.html"))
    assert len(pages) == 2
    assert pages[0] == "index.html"
    assert pages[1].startswith("toy-1-")
    (media,) = (tmp_path / "site" / "media").iterdir()
    assert media.read_text().startswith("vssevalMedia({")
    assert f'href="{pages[1]}"' in (tmp_path / "site" / "index.html").read_text()


def test_name_of_a_benchmark_never_leads_out_of_the_site(boards, vsseval, tmp_path: Path) -> None:
    bench = BenchmarkEntry("../up & <b>", "1/2", "sound", "f" * 64)
    boards.run(tmp_path / "results", "ours", boards.scored("mcd", [[1.0]]), benchmark=bench)
    result = vsseval("leaderboard", "results", "--out", "site/inner")
    assert result.exit_code == 0, result.output
    assert [path.name for path in (tmp_path / "site").iterdir()] == ["inner"]
    document = Document((tmp_path / "site" / "inner" / "index.html").read_text())
    (link,) = [a["href"] for tag, a in document.elements if tag == "a"]
    assert (tmp_path / "site" / "inner" / link).is_file()
    assert not [tag for tag, _ in document.elements if tag == "b"]


def test_leaderboard_without_records_is_an_error(vsseval, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    result = vsseval("leaderboard", tmp_path / "empty", "--out", "site")
    assert result.exit_code == 2
    assert "no record to report on" in result.output
