"""Benchmarks on disk: what is accepted, what is refused and how, what the digest covers."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from vsseval.benchmarks.manifest import first_items, load_benchmark, read_benchmark
from vsseval.benchmarks.table import BENCHMARKS
from vsseval.errors import InputError, MissingMediaError, UnknownNameError


def test_fields_arrive_with_absolute_paths(toy: Path) -> None:
    benchmark = load_benchmark("toy", toy)
    item = benchmark.items[2]
    assert (benchmark.name, benchmark.task, benchmark.sample_rate) == ("toy", "joint", 16000)
    assert [one.id for one in benchmark.items] == ["a", "b", "c", "d"]
    assert item.audio == toy / "audio" / "c.flac"
    assert item.audio.is_absolute()
    assert item.speaker_audio == toy / "audio" / "d.flac"
    assert item.onsets == (0.25, 0.5, 0.75)
    assert item.face_box is None
    assert item.caption is None


@pytest.mark.parametrize("name", [row.name for row in BENCHMARKS.values() if row.embedded])
def test_embedded_benchmark_is_whole(name: str) -> None:
    benchmark = load_benchmark(name)
    assert (benchmark.name, len(benchmark.items)) == (name, 96)
    for item in benchmark.items:
        assert item.duration == benchmark.clip_seconds == 4.0
        assert item.audio.is_file()
        assert item.video.is_file()


def test_limit_cuts_items_and_keeps_the_digest(toy: Path) -> None:
    whole = load_benchmark("toy", toy)
    assert load_benchmark("toy", toy, limit=2).items == whole.items[:2]
    assert load_benchmark("toy", toy, limit=2).digest == whole.digest
    with pytest.raises(InputError, match="at least 1 item, got 0"):
        first_items(whole, 0)


def test_unknown_name_lists_close_ones() -> None:
    with pytest.raises(UnknownNameError, match="did you mean demo-sound"):
        load_benchmark("demo-sund")


def test_absent_benchmark_says_where_it_looked_how_to_get_it_and_what_needs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MissingMediaError) as error:
        load_benchmark("vggsound")
    for part in ("data/vggsound/benchmark.json", "robots.ox.ac.uk", "--data", "demo-sound"):
        assert part in str(error.value)


@pytest.mark.parametrize("name", [row.name for row in BENCHMARKS.values() if not row.embedded])
def test_every_row_that_is_not_embedded_says_how_to_get_it(name: str, tmp_path: Path) -> None:
    with pytest.raises(MissingMediaError, match=r"https://.*manifest\.jsonl"):
        load_benchmark(name, tmp_path)


def test_folder_of_another_benchmark_is_refused(toy: Path) -> None:
    with pytest.raises(InputError, match="holds benchmark 'toy', asked for 'vggsound'"):
        load_benchmark("vggsound", toy)


def test_benchmark_without_any_media_is_refused(toy: Path) -> None:
    for path in [*(toy / "audio").iterdir(), *(toy / "video").iterdir()]:
        path.unlink()
    with pytest.raises(MissingMediaError, match="none of the media of 4 items"):
        load_benchmark("toy", toy)


def test_one_absent_medium_keeps_its_item(toy: Path) -> None:
    (toy / "audio" / "b.flac").unlink()
    assert len(load_benchmark("toy", toy).items) == 4


def test_duplicate_id_names_both_lines(manifest) -> None:
    with pytest.raises(InputError, match="line 3: id 'a' was used in line 1 already"):
        read_benchmark(manifest(2, id="a"))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        pytest.param({"id": None}, "line 2: missing field 'id'", id="no-id"),
        pytest.param({"duration": None}, "line 2: missing field 'duration'", id="no-duration"),
        pytest.param({"duration": 0}, r"item b\): expected a duration above 0", id="zero-duration"),
        pytest.param({"duration": "1"}, "expected a duration above 0", id="duration-is-text"),
        pytest.param({"id": "../b"}, "bad id", id="id-climbs"),
        pytest.param({"id": "a/../b"}, "bad id", id="id-climbs-inside"),
        pytest.param({"id": "/b"}, "bad id", id="id-absolute"),
        pytest.param({"id": "b.take1"}, "bad id", id="id-like-a-take"),
        pytest.param({"id": ".b"}, "bad id", id="id-hidden"),
        pytest.param({"transcript": " "}, "transcript is empty", id="empty-transcript"),
        pytest.param({"audio": "../x.flac"}, r"item b\): audio .* lies outside", id="climbs"),
        pytest.param({"video": "/etc/passwd"}, "video .* lies outside", id="absolute"),
        pytest.param({"audio": 3}, "audio must be a path", id="path-is-number"),
        pytest.param({"onsets": [0.5, 0.2]}, "onsets must ascend", id="onsets-descend"),
        pytest.param({"onsets": [1.5]}, r"lie in 0\.\.1\.0 s", id="onset-late"),
        pytest.param({"onsets": "0.5"}, "list of seconds", id="onsets-text"),
        pytest.param({"speech_spans": [[0.2, 0.1]]}, "speech_spans must ascend", id="span-back"),
        pytest.param({"speech_spans": [[0.2, 0.5], [0.4, 0.6]]}, "not overlap", id="spans-overlap"),
        pytest.param({"speech_spans": [[0.2, 1.1]]}, r"lie in 0\.\.1\.0 s", id="span-late"),
        pytest.param({"speech_spans": [0.2, 0.5]}, "a list of .start, end.", id="spans-flat"),
        pytest.param({"speech_spans": [[0.2, True]]}, "a list of .start, end.", id="span-bool"),
        pytest.param({"face_box": [5, 5, 5, 9]}, "face_box .* is empty", id="box-empty"),
        pytest.param({"face_box": [1, 2, 3]}, "face_box must be", id="box-short"),
        pytest.param({"onset": [0.1]}, "unknown field 'onset'; known: id, ", id="unknown-field"),
        pytest.param({"sha256": {"audio": "0" * 64}}, "damaged or was changed", id="digest"),
        pytest.param({"sha256": {"sound": "0" * 64}}, "'sound', which is no medium", id="medium"),
        pytest.param({"duration": 1e12}, "above 0 s and at most 86400 s", id="duration-endless"),
        pytest.param({"duration": 10**400}, "expected a duration", id="duration-beyond-floats"),
        pytest.param({"onsets": [10**400]}, "a list of seconds, got .1000", id="onset-big"),
        pytest.param({"speech_spans": [[0, 10**400]]}, "a list of .start, end.", id="span-big"),
        pytest.param({"label": ["a"]}, r"label must be a text, got \['a'\]", id="label-list"),
    ],
)
def test_bad_line_is_refused_with_its_place(manifest, fields: dict, words: str) -> None:
    with pytest.raises(InputError, match=words):
        read_benchmark(manifest(1, **fields))


@pytest.mark.parametrize("name", ["\0", "a" * 5000, "loop.flac"])
def test_path_that_is_none_is_refused_with_its_place(toy: Path, manifest, name: str) -> None:
    (toy / "loop.flac").symlink_to("loop.flac")
    with pytest.raises(InputError, match=r"(?s)line 1 \(item a\): audio .* is no path: "):
        read_benchmark(manifest(0, audio=name))


def test_separators_within_a_text_end_no_line(toy: Path) -> None:
    """JSON holds them unescaped; str.splitlines ends a line at each."""
    caption = "a\u2028b\u2029c\x85d"
    lines = (toy / "manifest.jsonl").read_text().splitlines()
    entry = json.dumps({**json.loads(lines[0]), "caption": caption}, ensure_ascii=False)
    # Also with the line ends of Windows.
    (toy / "manifest.jsonl").write_bytes("\r\n".join([entry, *lines[1:], ""]).encode())
    assert [item.caption for item in read_benchmark(toy).items][:1] == [caption]
    assert len(read_benchmark(toy).items) == len(lines)


def test_symlink_out_of_the_folder_is_refused(toy: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside.flac"
    (toy / "audio" / "b.flac").rename(outside)
    (toy / "audio" / "b.flac").symlink_to(outside)
    with pytest.raises(InputError, match=r"audio 'audio/b.flac' lies outside"):
        read_benchmark(toy)


def test_bad_json_names_its_line(toy: Path) -> None:
    with (toy / "manifest.jsonl").open("a") as stream:
        stream.write('{"id": "e"')
    with pytest.raises(InputError, match=r"manifest.jsonl, line 5: not JSON"):
        read_benchmark(toy)


@pytest.mark.parametrize("text", ["[" * 100_000, '{"id": "a", "duration": ' + "9" * 5000 + "}"])
def test_json_that_python_does_not_take_is_refused(toy: Path, text: str) -> None:
    (toy / "manifest.jsonl").write_text(text)
    with pytest.raises(InputError, match="line 1: not JSON"):
        read_benchmark(toy)


@pytest.mark.parametrize("field", ["caption", "audio", "label"])
def test_half_a_character_is_refused_with_its_line(manifest, field: str) -> None:
    """A text that was cut within an emoji; no file, digest or encoder takes it."""
    with pytest.raises(InputError, match="line 2: half a character"):
        read_benchmark(manifest(1, **{field: "a \ud83d"}))


def test_json_that_is_no_object_is_refused(toy: Path) -> None:
    (toy / "manifest.jsonl").write_text("[1]\n")
    with pytest.raises(InputError, match="expected a JSON object, got list"):
        read_benchmark(toy)


def test_manifest_without_items_is_refused(toy: Path) -> None:
    (toy / "manifest.jsonl").write_text("\n")
    with pytest.raises(InputError, match="holds no item"):
        read_benchmark(toy)


def test_manifest_in_another_encoding_is_refused(toy: Path) -> None:
    (toy / "manifest.jsonl").write_bytes(b'{"id": "\xff"}')
    with pytest.raises(InputError, match="cannot read"):
        read_benchmark(toy)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        pytest.param("task", "music", "expected task sound, speech or joint", id="task"),
        pytest.param("clip_seconds", -1, "must be positive", id="seconds"),
        pytest.param("clip_seconds", 10**400, "must be positive", id="seconds-beyond-floats"),
        pytest.param("sample_rate", True, "must be positive", id="rate"),
        pytest.param("metrics", "mcd", "list of metric ids", id="metrics"),
    ],
)
def test_bad_head_is_refused(toy: Path, field: str, value: object, words: str) -> None:
    head = json.loads((toy / "benchmark.json").read_text())
    (toy / "benchmark.json").write_text(json.dumps({**head, field: value}))
    with pytest.raises(InputError, match=words):
        read_benchmark(toy)


def test_digest_is_that_of_the_canonical_lines(toy: Path) -> None:
    # Written out again from the definition: sorted keys, no spaces, media digests from the files.
    def canonical(entry: dict) -> str:
        return json.dumps(entry, sort_keys=True, separators=(",", ":"))

    head = json.loads((toy / "benchmark.json").read_text())
    del head["metrics"]
    lines = [canonical(head)]
    for text in (toy / "manifest.jsonl").read_text().splitlines():
        entry = json.loads(text)
        media = {field: toy / entry[field] for field in ("video", "audio", "speaker_audio")}
        entry["sha256"] = {
            field: hashlib.sha256(path.read_bytes()).hexdigest() for field, path in media.items()
        }
        lines.append(canonical(entry))
    expected = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    assert read_benchmark(toy).digest == expected


def test_digest_does_not_move_with_the_default_metrics(toy: Path) -> None:
    before = read_benchmark(toy).digest
    head = json.loads((toy / "benchmark.json").read_text())
    (toy / "benchmark.json").write_text(json.dumps({**head, "metrics": ["onset_f1"]}))
    assert read_benchmark(toy).digest == before


def test_digest_ignores_place_and_key_order_and_sees_media_and_text(toy: Path, manifest) -> None:
    before = read_benchmark(toy).digest
    lines = [json.loads(text) for text in (toy / "manifest.jsonl").read_text().splitlines()]
    turned = [dict(reversed(line.items())) for line in lines]
    (toy / "manifest.jsonl").write_text("".join(json.dumps(line) + "\n" for line in turned))
    moved = toy.rename(toy.with_name("elsewhere"))
    assert read_benchmark(moved).digest == before
    back = moved.rename(toy)
    (back / "audio" / "a.flac").write_bytes((back / "audio" / "b.flac").read_bytes())
    with_media = read_benchmark(back).digest
    assert with_media != before
    assert read_benchmark(manifest(0, label="glass")).digest != with_media


def test_stated_digests_and_computed_ones_agree(toy: Path, manifest) -> None:
    before = read_benchmark(toy).digest
    stated = hashlib.sha256((toy / "audio" / "a.flac").read_bytes()).hexdigest()
    assert read_benchmark(manifest(0, sha256={"audio": stated})).digest == before
