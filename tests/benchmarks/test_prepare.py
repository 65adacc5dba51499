"""Published data sets made into benchmarks: layouts, cuts, coverage, resuming, bad input."""

from __future__ import annotations

import errno
import json
import os
import shutil
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from vsseval.audio import read_audio
from vsseval.benchmarks import clip_job, clips, cutting, vggsound
from vsseval.benchmarks.manifest import load_benchmark, read_benchmark
from vsseval.benchmarks.prepare import Options, prepare
from vsseval.benchmarks.table import find_data_set
from vsseval.errors import InputError, MissingMediaError
from vsseval.files import file_digest
from vsseval.video import read_video
from vsseval.workers import Workers


def tree(root: Path) -> dict[str, tuple[str, int]]:
    """Digest and time of every file."""
    return {
        path.relative_to(root).as_posix(): (file_digest(path), path.stat().st_mtime_ns)
        for path in root.rglob("*")
        if path.is_file()
    }


def make(name: str, root: Path, out: Path, **how: object):
    return prepare(find_data_set(name), Options(root, out, **how))


def first_loud(path: Path) -> float:
    audio = read_audio(path)
    return float(np.argmax(np.abs(audio.samples[0]) > 0.1)) / audio.sample_rate


# VGGSound


def test_vggsound_layout_becomes_a_benchmark_and_the_source_stays(
    vggsound_root: Path, tmp_path: Path
) -> None:
    before = tree(vggsound_root)
    coverage = make("vggsound", vggsound_root, tmp_path / "out")
    assert tree(vggsound_root) == before

    benchmark = load_benchmark("vggsound", tmp_path / "out")
    assert [item.id for item in benchmark.items] == [
        "aaaaaaaaaaa_000001",
        "-b_-bbbb_bb_000030",
        "ggggggggggg_000006",
    ]
    for item in benchmark.items:
        assert item.label == item.caption == "rain, heavy"
        assert item.duration == 10.0
        assert read_audio(item.audio).samples.shape == (1, 441000)
        # The first click is planted at 1 s; AAC smears by less than 10 ms.
        assert first_loud(item.audio) == pytest.approx(1.0, abs=0.01)
        assert len(read_video(item.video).frames) >= 250
    assert (benchmark.task, benchmark.clip_seconds) == ("sound", 10.0)

    # Of 8 listed, 7 have a file; 4 of those are broken, each in the way it was planted.
    assert (coverage.found, coverage.taken, coverage.unlisted) == (7, 3, 1)
    assert coverage.missing == ("missing_one_000007",)
    assert {clip: list(why) for clip, why in coverage.broken.items()} == {
        "ccccccccccc_000002": ["silent"],
        "ddddddddddd_000003": ["still"],
        "eeeeeeeeeee_000004": ["short"],
        "fffffffffff_000005": ["undecodable"],
    }
    assert (tmp_path / "out" / "missing.txt").read_text() == "missing_one_000007\n"
    rows = (tmp_path / "out" / "broken.tsv").read_text().splitlines()
    assert rows[3] == "eeeeeeeeeee_000004\tshort\tpicture 4.00 s, sound 4.00 s, 10 s expected"


def test_command_prints_coverage_and_the_prepared_set_runs(
    vsseval, vggsound_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("data", "prepare", "vggsound", "--root", vggsound_root, "--workers", 1)
    done = vsseval(*words, "--out", tmp_path / "sets" / "vggsound")
    assert done.exit_code == 0, done.output
    for line in (
        "list test.csv, 8 clips",
        "found         7 of 8",
        "missing       1 -> missing.txt",
        "broken        4 -> broken.tsv",
        "       1 silent",
        "       1 undecodable",
        "taken         3 -> manifest.jsonl",
        "1 clips are found and not in the list",
        "7 clips decoded, 0 were ready before",
    ):
        assert line in done.output
    guide = Path(__file__).parents[2] / "docs" / "benchmarks.md"
    assert done.stdout in guide.read_text(encoding="utf-8")
    monkeypatch.setenv("VSSEVAL_DATA", str(tmp_path / "sets"))
    run = vsseval(
        *("run", "--model", "reference", "--bench", "vggsound", "--workers", 1),
        *("--metrics", "onset_f1"),
    )
    assert run.exit_code == 0, run.output
    assert "3/3" in run.output


def test_nothing_to_cut_is_copied_byte_for_byte(vggsound_root: Path, tmp_path: Path) -> None:
    make("vggsound", vggsound_root, tmp_path / "out")
    name = "aaaaaaaaaaa_000001.mp4"
    assert file_digest(tmp_path / "out" / "video" / name) == file_digest(
        vggsound_root / "dataset" / "test" / "10" / name
    )


def test_kept_reasons_stay_in_the_set_without_new_work(vggsound_root: Path, tmp_path: Path) -> None:
    make("vggsound", vggsound_root, tmp_path / "out")
    kept = make("vggsound", vggsound_root, tmp_path / "out", keep=("silent", "still"))
    assert (kept.taken, kept.fresh, kept.kept) == (5, 0, {"silent": 1, "still": 1})
    assert len(read_benchmark(tmp_path / "out").items) == 5


def test_a_second_run_does_only_what_is_missing(
    vggsound_root: Path, tmp_path: Path, write_clip
) -> None:
    out = tmp_path / "out"
    assert make("vggsound", vggsound_root, out).fresh == 7
    digest = read_benchmark(out).digest
    assert make("vggsound", vggsound_root, out).fresh == 0
    assert read_benchmark(out).digest == digest

    # A clip that turned up, a file that was deleted, a source that changed, a log that broke off.
    write_clip(vggsound_root / "late" / "missing_one_000007.mp4")
    (out / "audio" / "aaaaaaaaaaa_000001.flac").unlink()
    write_clip(vggsound_root / "dataset" / "test" / "10" / "fffffffffff_000005.mp4")
    log = out / "prepared.jsonl"
    log.write_text(log.read_text() + '{"key": "half a li')
    again = make("vggsound", vggsound_root, out)
    assert (again.fresh, again.taken, again.missing) == (3, 5, ())
    assert make("vggsound", vggsound_root, out).fresh == 0


def test_processes_give_the_same_set_as_one(vggsound_root: Path, tmp_path: Path) -> None:
    make("vggsound", vggsound_root, tmp_path / "one")
    with Workers(2) as workers:
        prepare(
            find_data_set("vggsound"), Options(vggsound_root, tmp_path / "two"), workers=workers
        )
    digests = [read_benchmark(tmp_path / name).digest for name in ("one", "two")]
    assert digests[0] == digests[1]


# Cuts


@pytest.mark.parametrize(
    ("suffix", "fps"), [(".mp4", 25), (".mp4", Fraction(30000, 1001)), (".mpg", 25), (".avi", 25)]
)
def test_a_cut_at_the_end_keeps_every_frame_before_it(
    tmp_path: Path, write_clip, suffix: str, fps: Fraction | int
) -> None:
    source = write_clip(tmp_path / f"in{suffix}", seconds=4.0, fps=fps)
    whole = read_video(source)
    cut = read_video(cutting.cut_picture(source, tmp_path / "cut", 0.0, 2.5))
    wanted = round(2.5 * whole.fps)
    # x264 looks ahead by few frames only: what is predicted from later frames brings them along.
    assert wanted <= len(cut.frames) <= wanted + 4
    assert cut.fps == pytest.approx(float(fps), rel=1e-3)
    assert np.array_equal(cut.frames[:wanted], whole.frames[:wanted])


def test_a_cut_from_within_loses_nothing(tmp_path: Path, write_clip) -> None:
    source = write_clip(tmp_path / "in.mp4", seconds=4.0)
    whole = read_video(source)
    written = cutting.cut_picture(source, tmp_path / "cut", 1.2, 2.0)
    cut = read_video(written)
    assert written.suffix == ".mkv"
    assert (cut.frames.shape[0], cut.fps) == (50, 25.0)
    assert np.array_equal(cut.frames, whole.frames[30:80])


def grey_at(times: list[float]) -> np.ndarray:
    """A picture for each time whose grey level, 40 to 235 in 13 seconds, says when it is seen."""
    levels = [40 + round(15 * time) for time in times]
    return np.array([np.full((48, 64, 3), level, np.uint8) for level in levels])


@pytest.mark.parametrize("seconds", [10, 13])
def test_uneven_frames_are_stored_where_they_are_seen(
    tmp_path: Path, vsseval, write_media, seconds: int
) -> None:
    # 30 frames a second for five seconds, then ten: 20 a second on the whole.
    times = [at / 30 for at in range(150)] + [5 + at / 10 for at in range(10 * (seconds - 5))]
    wave = np.random.default_rng(0).standard_normal(44100 * seconds).astype(np.float32) * 0.1
    root, out = tmp_path / "raw", tmp_path / "out"
    video = root / "aaaaaaaaaaa_000001.mp4"
    write_media(video, grey_at(times), 30, wave, 44100, at=times)
    (root / "test.csv").write_text("aaaaaaaaaaa_000001.mp4,rain\n")
    make("vggsound", root, out)
    (item,) = read_benchmark(out).items
    assert item.duration == 10.0
    stored = read_video(item.video)
    assert (len(stored.frames), stored.fps) == (300, 30.0)
    seen = [max(time for time in times if time <= at / 30 + 1e-6) for at in range(300)]
    # H.264 keeps a grey area to a level or two; a picture of a second too early is 15 away.
    error = stored.frames.mean(axis=(1, 2, 3)) - grey_at(seen).mean(axis=(1, 2, 3))
    assert np.abs(error).max() < 3
    checked = vsseval("data", "verify", out, "--workers", 1)
    assert checked.exit_code == 0, checked.output


def test_a_cut_from_within_uneven_frames_is_by_their_times(tmp_path: Path, write_media) -> None:
    times = [at / 30 for at in range(60)] + [2 + at / 10 for at in range(40)]
    write_media(tmp_path / "a.mp4", grey_at(times), 30, None, 0, at=times)
    written = cutting.cut_picture(tmp_path / "a.mp4", tmp_path / "cut", 1.5, 2.0, even_rate=30)
    cut = read_video(written)
    assert (len(cut.frames), cut.fps) == (60, 30.0)
    seen = [max(time for time in times if time <= 1.5 + at / 30 + 1e-6) for at in range(60)]
    error = cut.frames.mean(axis=(1, 2, 3)) - grey_at(seen).mean(axis=(1, 2, 3))
    assert np.abs(error).max() < 3


def test_uneven_frames_of_a_benchmark_of_ones_own_are_told_of(
    tmp_path: Path, vsseval, write_media
) -> None:
    times = [at / 30 for at in range(30)] + [1 + at / 10 for at in range(20)]
    write_media(tmp_path / "own" / "a.mp4", grey_at(times), 30, None, 0, at=times)
    head = {"name": "own", "version": "1", "task": "sound", "clip_seconds": 3, "metrics": []}
    (tmp_path / "own" / "benchmark.json").write_text(json.dumps({**head, "sample_rate": 16000}))
    line = {"id": "a", "duration": 3, "video": "a.mp4"}
    (tmp_path / "own" / "manifest.jsonl").write_text(json.dumps(line) + "\n")
    done = vsseval("data", "verify", tmp_path / "own", "--workers", 1)
    assert done.exit_code == 2
    assert "a: video: a.mp4 has a variable frame rate" in done.stderr
    assert "ffmpeg -i a.mp4 -vf fps=30 -an -c:v ffv1 a.mkv" in done.stderr


def test_frames_that_jitter_are_copied(tmp_path: Path, write_media) -> None:
    times = [at / 25 + 0.01 * (at % 3) for at in range(250)]
    video = tmp_path / "a.mp4"
    write_media(video, grey_at([at / 25 for at in range(250)]), 25, None, 0, at=times)
    assert not clips.look_at(video).uneven


@pytest.mark.parametrize("late", [0.0, 0.5])
def test_sound_that_begins_late_in_the_file_stays_at_its_time(
    tmp_path: Path, write_clip, late: float
) -> None:
    source = write_clip(tmp_path / "in.mp4", seconds=4.0, times=(1.0,), late=late)
    audio = clips.read_sound(source, clips.look_at(source).first)
    loud = float(np.argmax(np.abs(audio.samples[0]) > 0.1)) / audio.sample_rate
    assert loud == pytest.approx(1.0, abs=0.01)


def test_sixteen_bits_come_back_bit_for_bit(tmp_path: Path, write_sound) -> None:
    source = write_sound(tmp_path / "in.wav", 1.0, 25000)
    clips.write_sound(tmp_path / "out.flac", clips.read_sound(source))
    for path in (source, tmp_path / "out.flac"):
        assert soundfile.info(path).samplerate == 25000
    assert np.array_equal(
        soundfile.read(source, dtype="int16")[0],
        soundfile.read(tmp_path / "out.flac", dtype="int16")[0],
    )


def test_stillness_counts_neighbours_that_are_the_same() -> None:
    dark, light = np.zeros((2, 2), np.int16), np.full((2, 2), 9, np.int16)
    # dark-dark, dark-light, light-light, light-light: three of four.
    assert clips.stillness([dark, dark, light, light, light]) == 0.75
    assert clips.stillness([dark]) == 1.0


def test_truncated_video_is_undecodable_and_says_so(tmp_path: Path, write_clip) -> None:
    source = write_clip(tmp_path / "in.avi", seconds=4.0)
    source.write_bytes(source.read_bytes()[: source.stat().st_size // 2])
    with pytest.raises(InputError, match=r"in\.avi breaks off: \d+ frames decoded of 100 stated"):
        clips.look_at(source)


@pytest.mark.parametrize(
    ("length", "picture_frames", "heard", "reasons"),
    [
        ("own", 50, 2.0, []),
        ("own", 50, 2.6, ["wrong duration"]),
        ("exact", 75, 2.9, []),
        ("exact", 90, 3.6, ["wrong duration"]),
        ("exact", 60, 3.0, ["short"]),
        ("cut", 90, 3.6, []),
        ("cut", 75, 2.4, ["short"]),
    ],
)
def test_lengths_are_judged_by_the_rule_of_the_set(
    tmp_path: Path, length: str, picture_frames: int, heard: float, reasons: list[str]
) -> None:
    job = clip_job.ClipJob(
        "a", tmp_path, tmp_path, tmp_path / "a", None, 0.0, 3.0, length, 0.5, "file"
    )
    wave = np.random.default_rng(0).standard_normal((1, round(heard * 1000)))
    sound = clips.cut_sound(
        clips.Audio(wave.astype(np.float32), 1000), 0.0, 3.0 if length == "cut" else None
    )
    picture = clips.Picture(picture_frames, 25.0, 0.0, 0.0)
    assert list(clip_job._problems(job, picture, sound)) == reasons


# Bad input


def test_absent_set_names_the_next_command(vsseval) -> None:
    done = vsseval("run", "--model", "reference", "--bench", "vggsound")
    assert done.exit_code == 2
    assert "looked for data/vggsound/benchmark.json" in done.output
    assert "vsseval data prepare vggsound --root DIR --out data/vggsound" in done.output


def test_default_root_is_that_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VSSEVAL_DATA", str(tmp_path / "sets"))
    with pytest.raises(MissingMediaError, match=r"sets/grid/benchmark\.json"):
        load_benchmark("grid")


def test_empty_root_and_unknown_layout_say_what_was_looked_for(
    vggsound_root: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"holds no video \(0 sounds\); looked for <youtube id>"):
        make("vggsound", tmp_path / "empty", tmp_path / "out")
    with pytest.raises(
        InputError, match=r"no folder at .*: --root is the folder of vggsound as you"
    ):
        make("vggsound", tmp_path / "absent", tmp_path / "out")
    strange = tmp_path / "strange"
    strange.mkdir()
    shutil.copy(vggsound_root / "dataset/test/10/aaaaaaaaaaa_000001.mp4", strange / "clip 1.mp4")
    with pytest.raises(
        InputError, match=r"no list of vggsound .* test\.csv.* --list FILE .*hche11/VGGSound"
    ):
        make("vggsound", strange, tmp_path / "out")
    shutil.copy(vggsound_root / "test.csv", strange)
    with pytest.raises(InputError, match=r"none of the 8 clips .* 1 videos .* such as clip 1\.mp4"):
        make("vggsound", strange, tmp_path / "out")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("a,b\n", r"line 1: no VGGSound clip is called 'a'"),
        ("aaaaaaaaaaa_000001.mp4,x\naaaaaaaaaaa_1000_11000.mp4,y\n", "line 2: .* stands in line 1"),
        ("\n", "lists no clip; another list is taken by --list FILE"),
        ("../../aaaaaaaaaaa_0000.mp4/x\n", "line 1: no VGGSound clip"),
    ],
    ids=["no clip", "twice", "empty", "outside"],
)
def test_list_that_does_not_fit(
    vggsound_root: Path, tmp_path: Path, lines: str, message: str
) -> None:
    path = tmp_path / "list.csv"
    path.write_text(lines)
    with pytest.raises(InputError, match=message):
        make("vggsound", vggsound_root, tmp_path / "out", list_file=path)


def test_out_within_root_and_root_within_out_are_refused(
    vggsound_root: Path, tmp_path: Path
) -> None:
    for out in (vggsound_root, vggsound_root / "sub", tmp_path):
        with pytest.raises(InputError, match="must not lie in each other"):
            make("vggsound", vggsound_root, out)


def test_link_that_leads_nowhere_is_one_undecodable_clip(
    vggsound_root: Path, tmp_path: Path
) -> None:
    clip = vggsound_root / "dataset" / "test" / "10" / "fffffffffff_000005.mp4"
    clip.unlink()
    clip.symlink_to(tmp_path / "gone.mp4")
    coverage = make("vggsound", vggsound_root, tmp_path / "out")
    assert (coverage.found, coverage.taken) == (7, 3)
    assert "No such file" in coverage.broken["fffffffffff_000005"]["undecodable"]


def test_folders_that_are_linked_are_looked_into_once(vggsound_root: Path, tmp_path: Path) -> None:
    clip = vggsound_root / "dataset" / "test" / "10" / "aaaaaaaaaaa_000001.mp4"
    elsewhere = tmp_path / "big disk"
    elsewhere.mkdir()
    shutil.move(clip, elsewhere / clip.name)
    (vggsound_root / "linked").symlink_to(elsewhere, target_is_directory=True)
    (vggsound_root / "other" / "above").symlink_to(vggsound_root, target_is_directory=True)
    coverage = make("vggsound", vggsound_root, tmp_path / "out")
    assert (coverage.found, coverage.taken, coverage.doubled) == (7, 3, 0)


def test_prepared_sets_that_a_link_leads_to_are_no_source(
    vggsound_root: Path, tmp_path: Path
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    (vggsound_root / "a link").symlink_to(disk, target_is_directory=True)
    first = make("vggsound", vggsound_root, disk / "prepared")
    again = make("vggsound", vggsound_root, disk / "prepared")
    assert (first.doubled, again.doubled, again.fresh) == (0, 0, 0)


def test_out_that_is_a_file_is_refused(vggsound_root: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("x")
    with pytest.raises(InputError, match=r"--out .*out is a file; pass a folder"):
        make("vggsound", vggsound_root, tmp_path / "out")


def test_a_second_copy_is_taken_where_the_first_cannot_be_decoded(
    vggsound_root: Path, tmp_path: Path
) -> None:
    clip = "aaaaaaaaaaa_000001.mp4"
    (vggsound_root / "a first try").mkdir()
    (vggsound_root / "a first try" / clip).write_bytes(b"<html>not found</html>")
    (vggsound_root / "zero").mkdir()
    (vggsound_root / "zero" / clip).touch()
    coverage = make("vggsound", vggsound_root, tmp_path / "out")
    assert (coverage.taken, coverage.doubled) == (3, 1)
    good = vggsound_root / "dataset" / "test" / "10" / clip
    assert file_digest(read_benchmark(tmp_path / "out").items[0].video) == file_digest(good)
    # The one reason of several is that of the first.
    good.write_bytes(b"<html>")
    coverage = make("vggsound", vggsound_root, tmp_path / "out")
    assert list(coverage.broken["aaaaaaaaaaa_000001"]) == ["undecodable"]


def test_files_that_are_no_clip_are_told_of(vsseval, vggsound_root: Path, tmp_path: Path) -> None:
    folder = vggsound_root / "other"
    for name in ("missing_one_000007.mp4.part", "missing_one_000007.f137.mp4", "my clip.MOV"):
        (folder / name).write_bytes(b"x")
    (folder / "._aaaaaaaaaaa_000001.mp4").write_bytes(b"x")
    for number in range(4):
        (folder / f"vggsound_0{number}.tar.gz").write_bytes(b"x")
    words = ("data", "prepare", "vggsound", "--root", vggsound_root, "--workers", 1)
    done = vsseval(*words, "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert (
        "3 files are called like no clip and left alone: other/missing_one_000007.f137.mp4, "
        "other/missing_one_000007.mp4.part, other/my clip.MOV\n"
        "4 archives are not looked into; unpack what belongs to the set: "
        "other/vggsound_00.tar.gz, other/vggsound_01.tar.gz, other/vggsound_02.tar.gz ...\n"
    ) in done.stdout
    packed = tmp_path / "packed"
    packed.mkdir()
    (packed / "s1.ZIP").write_bytes(b"x")
    with pytest.raises(InputError, match=r"holds no video .*; unpack first: s1\.ZIP$"):
        make("vggsound", packed, tmp_path / "out")


def test_folders_that_cannot_be_read_are_told_of(
    vggsound_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # By a scandir that refuses, since no mode of a folder stops who runs the tests as root.
    scandir = os.scandir

    def refusing(path: str) -> object:
        if Path(path).name == "other":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    lines = make("vggsound", vggsound_root, tmp_path / "out").lines()
    assert f"1 folders cannot be read: {vggsound_root / 'other'}: Permission denied" in lines
    assert lines[1] == "found         6 of 8"


def test_stopped_preparation_is_named_by_whoever_reads_the_set(vsseval, tmp_path: Path) -> None:
    folder = tmp_path / "data" / "vggsound"
    folder.mkdir(parents=True)
    (folder / "prepared.jsonl").write_text("")
    for words in (
        ("run", "--model", "reference", "--bench", "vggsound"),
        ("data", "verify", "data/vggsound", "--workers", 1),
    ):
        done = vsseval(*words)
        assert done.exit_code == 2
        assert "data/vggsound was stopped; the same `vsseval data prepare` again" in done.output
    (folder / "prepared.jsonl").unlink()
    done = vsseval("data", "verify", "data/vggsound", "--workers", 1)
    assert "data/vggsound (no benchmark.json); `vsseval data prepare NAME" in done.output


def test_options_that_do_not_fit(vggsound_root: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(InputError, match="expected --keep with one of short"):
        make("vggsound", vggsound_root, out, keep=("undecodable",))
    with pytest.raises(InputError, match="VGGSounder's, for vggsound and not for grid"):
        make("grid", vggsound_root, out, labels=tmp_path / "x.csv")
    with pytest.raises(InputError, match="--voices are for setting 3"):
        make("vggsound", vggsound_root, out, voices=tmp_path)
    with pytest.raises(InputError, match="needs no preparation"):
        find_data_set("demo-sound")
    make("vggsound", vggsound_root, out)
    with pytest.raises(InputError, match="holds another benchmark"):
        make("grid", vggsound_root, out)


def test_a_full_disk_is_no_broken_clip(
    tmp_path: Path, write_clip, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write_clip(tmp_path / "in.mp4", seconds=4.0)
    real = av.open

    def full(name: str, mode: str = "r"):
        if mode == "w":
            raise av.error.FFmpegError(errno.ENOSPC, "No space left on device", name)
        return real(name)

    monkeypatch.setattr(av, "open", full)
    with pytest.raises(OSError, match="No space left"):
        cutting.cut_picture(source, tmp_path / "out" / "cut", 0.0, 2.0)
    assert list((tmp_path / "out").iterdir()) == []


def test_all_broken_names_the_first(tmp_path: Path, write_clip) -> None:
    write_clip(tmp_path / "in" / "ddddddddddd_000003.mp4", still=True)
    (tmp_path / "in" / "test.csv").write_text("ddddddddddd_000003.mp4,wind\n")
    with pytest.raises(InputError, match="all 1 clips found are broken; ddddddddddd_000003: still"):
        make("vggsound", tmp_path / "in", tmp_path / "out")


# VGGSounder


def test_vggsounder_labels_are_slices(vggsound_root: Path, tmp_path: Path) -> None:
    labels = tmp_path / "labels.csv"
    labels.write_text(
        "video_id,label,modality,background_music,static_image,voice_over\n"
        'aaaaaaaaaaa_000001,"rain, heavy",AV,False,False,True\n'
        "aaaaaaaaaaa_000001,wind,A,False,False,True\n"
        'ggggggggggg_000006,"rain, heavy",A,True,False,False\n'
    )
    coverage = make("vggsound", vggsound_root, tmp_path / "out", labels=labels)
    assert "6 clips of the list have no labels and are in no slice" in coverage.lines()
    of = {item.id: item.slices for item in read_benchmark(tmp_path / "out").items}
    version = "vggsounder-" + vggsound.ids_digest(["aaaaaaaaaaa_000001", "ggggggggggg_000006"])[:8]
    assert of == {
        "aaaaaaaaaaa_000001": (
            f"{version}/no-background-music",
            f"{version}/no-static-image",
            f"{version}/voice-over",
            f"{version}/label-visible",
        ),
        "-b_-bbbb_bb_000030": (),
        "ggggggggggg_000006": (
            f"{version}/background-music",
            f"{version}/no-static-image",
            f"{version}/no-voice-over",
            f"{version}/label-audible-only",
        ),
    }
    labels.write_text("video_id,label\naaaaaaaaaaa_000001,x\n")
    with pytest.raises(InputError, match="need a column 'background_music'"):
        make("vggsound", vggsound_root, tmp_path / "out", labels=labels)
    # A file of other clips, or of one line, which is taken for the heading.
    labels.write_text("chem_00_mgg27LTeNPo-030|Hello\n")
    with pytest.raises(InputError, match=r"no clip of the list has a label .*Bizilizi"):
        make("vggsound", vggsound_root, tmp_path / "out", labels=labels)


def test_manifest_lines_are_json_with_digests(vggsound_root: Path, tmp_path: Path) -> None:
    make("vggsound", vggsound_root, tmp_path / "out")
    lines = (tmp_path / "out" / "manifest.jsonl").read_text().splitlines()
    first = json.loads(lines[0])
    assert first["sha256"]["audio"] == file_digest(tmp_path / "out" / first["audio"])
    with av.open(str(tmp_path / "out" / json.loads(lines[1])["video"])) as cut:
        assert len(cut.streams.video) == 1
