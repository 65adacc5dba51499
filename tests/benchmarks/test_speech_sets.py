"""Chem, GRID, LRS2, V2C, and the small adapters, on folders that copy their layouts."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from vsseval.audio import read_audio
from vsseval.benchmarks.manifest import load_benchmark
from vsseval.benchmarks.prepare import Options, prepare
from vsseval.benchmarks.table import EMBEDDED_MEDIA, find_data_set
from vsseval.errors import InputError

DEMO = EMBEDDED_MEDIA / "demo-speech"


def make(name: str, root: Path, out: Path, **how: object):
    coverage = prepare(find_data_set(name), Options(root, out, **how))
    return load_benchmark(name, out), coverage


def put(source: Path, target: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    return target


def put_wav(source: Path, target: Path, rate: int = 16000) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    samples, _ = soundfile.read(source, dtype="int16")
    soundfile.write(target, samples, rate, subtype="PCM_16")
    return target


@pytest.fixture
def grid_root(tmp_path: Path, write_clip, write_sound) -> Path:
    """Two speakers, each in other forms of names; one clip is 5 s long."""
    root = tmp_path / "grid-raw"
    for sentence in ("bwba2a", "sgiq9n"):
        # As the corpus is published: mpg by speaker, 25-kHz sound apart, some of it at 50 kHz too.
        write_clip(root / "s6" / f"{sentence}.mpg", 3.0, times=(0.5, 1.5))
        write_sound(root / "audio_25k" / "s6" / f"{sentence}.wav", 2.95, 25000)
    write_sound(root / "a_50kHz" / "s6" / "bwba2a.wav", 2.95, 50000)
    for sentence in ("lrwzzp", "pbao1s"):
        # As VSSFlow's copy has it.
        write_clip(
            root / "videos_25fps_mp4" / "s08" / f"s08_{sentence}.mp4",
            3.0,
            times=(0.5, 1.5),
            level=None,
        )
        write_sound(root / "speakers" / "s08" / f"s08_{sentence}.wav", 3.0, 16000)
        (root / "speakers" / "s08" / f"s08_{sentence}.lab").write_text("WRONG WORDS")
    write_clip(root / "s6" / "bbaf2n.mpg", 5.0)
    # What a system made, in a folder that sorts first, is no reference.
    write_sound(root / "a_results" / "wav_pred_s6-sgiq9n.wav", 1.0, 16000)
    write_sound(root / "a_results" / "s08_lrwzzp_sample0.wav", 1.0, 16000)
    (root / "alignments" / "s6").mkdir(parents=True)
    (root / "alignments" / "s6" / "bwba2a.align").write_text("0 23750 sil\n")
    names = ("s6/s6-bwba2a", "s6/s6-sgiq9n", "s8/s8-lrwzzp", "s8/s8-pbao1s", "s6/s6-bbaf2n")
    (root / "Grid_val.txt").write_text("".join(f"{name}.wav|fonimz|23\n" for name in names))
    return root


def test_grid_forms_all_become_one(grid_root: Path, tmp_path: Path) -> None:
    benchmark, coverage = make("grid", grid_root, tmp_path / "out")
    items = {item.id: item for item in benchmark.items}
    assert {name: item.transcript for name, item in items.items()} == {
        "grid/s6/bwba2a": "bin white by a two again",
        "grid/s6/sgiq9n": "set green in q nine now",
        "grid/s8/lrwzzp": "lay red with z zero please",
        "grid/s8/pbao1s": "place blue at o one soon",
    }
    assert [item.speaker for item in benchmark.items] == ["s6", "s6", "s8", "s8"]
    assert [item.group for item in benchmark.items] == ["s6", "s6", "s8", "s8"]
    assert {item.duration for item in benchmark.items} == {3.0}
    # 25 kHz and not 50; 16 kHz where that is what there is.
    assert soundfile.info(items["grid/s6/bwba2a"].audio).samplerate == 25000
    assert soundfile.info(items["grid/s8/lrwzzp"].audio).samplerate == 16000
    assert items["grid/s6/bwba2a"].video.suffix == ".mpg"
    assert (coverage.doubled, coverage.generated) == (1, 2)
    assert {clip: list(why) for clip, why in coverage.broken.items()} == {
        "grid/s6/bbaf2n": ["wrong duration"]
    }


def test_settings_are_a_field_and_part_of_the_version(grid_root: Path, tmp_path: Path) -> None:
    second, _ = make("grid", grid_root, tmp_path / "two")
    assert second.version.endswith("-setting2")
    for item in second.items:
        assert item.setting == 2
        # Two clips a speaker: the voice is the other one.
        others = [one.audio for one in second.items if one.speaker == item.speaker and one != item]
        assert [item.speaker_audio] == others
    first, _ = make("grid", grid_root, tmp_path / "one", setting=1)
    assert all(item.speaker_audio == item.audio for item in first.items)
    assert {item.setting for item in first.items} == {1}
    third, coverage = make(
        "grid", grid_root, tmp_path / "three", setting=3, voices=tmp_path / "two"
    )
    assert {item.speaker_audio.parent.parent.parent.name for item in third.items} == {"voices"}
    assert len({second.digest, first.digest, third.digest}) == 3
    assert "setting 3: 4 clips have a voice to imitate" in "\n".join(coverage.lines())
    with pytest.raises(InputError, match="setting 3 needs voices"):
        make("grid", grid_root, tmp_path / "four", setting=3)
    with pytest.raises(InputError, match=r"no benchmark in .*not prepared"):
        make("grid", grid_root, tmp_path / "four", setting=3, voices=tmp_path / "not prepared")
    # Said before any clip is decoded.
    assert not (tmp_path / "four").exists()


def test_default_metrics_run_and_say_which_weights_they_lack(
    vsseval, grid_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VSSEVAL_WEIGHTS", str(tmp_path / "no weights"))
    make("grid", grid_root, tmp_path / "data" / "grid")
    done = vsseval("run", "--model", "noise", "--bench", "grid", "--workers", 1)
    assert done.exit_code == 0, done.output
    rows = {line.split()[0]: line for line in done.stdout.splitlines() if " " in line}
    assert " 4/4" in rows["mcd_dtw_sl"]
    for metric, part in {
        "wer.base": "whisper-base",
        "speaker_similarity.ge2e": "ge2e",
        "utmos": "utmos",
        "dnsmos.ovrl": "dnsmos",
    }.items():
        assert f"weights missing: vsseval weights pull {part}" in rows[metric]


def test_chem_as_vssflow_has_it(tmp_path: Path) -> None:
    root = tmp_path / "chem-raw"
    for number in range(3):
        clip = f"-gg27-TeNPo-03{number}"
        put(
            DEMO / "video" / f"speech-test-000{number}.mp4",
            root / "sentence_video_25fps" / f"{clip}.mp4",
        )
        wav = root / "speakers" / "chem_00" / f"chem_00_{clip}.wav"
        put_wav(DEMO / "audio" / f"speech-test-000{number}.flac", wav)
        wav.with_suffix(".lab").write_text(f"sentence {number} from the lab file\n")
    lines = [
        "-gg27-TeNPo-030|C2H4 has a double bond.",
        "-gg27-TeNPo-031|Yes.",
        "gone7LTeNPo-000|No.",
    ]
    (root / "test.txt").write_text("\n".join(lines))
    benchmark, coverage = make("chem", root, tmp_path / "out")
    assert [item.id for item in benchmark.items] == [
        "chem/-gg27-TeNPo-030",
        "chem/-gg27-TeNPo-031",
    ]
    assert benchmark.items[0].transcript == "C2H4 has a double bond."
    assert coverage.missing == ("chem/gone7LTeNPo-000",)
    assert coverage.unlisted == 1
    # The sound is that of the file, bit for bit.
    assert np.array_equal(
        read_audio(benchmark.items[0].audio).samples,
        read_audio(DEMO / "audio" / "speech-test-0000.flac").samples,
    )
    ids = tmp_path / "ids.txt"
    ids.write_text("chem_00_-gg27-TeNPo-032\n")
    benchmark, coverage = make("chem", root, tmp_path / "other", list_file=ids)
    assert benchmark.items[0].transcript == "sentence 2 from the lab file"
    assert coverage.difference == (
        "test.txt below the root has 3 clips: 3 are not in the list in use, 1 of that are not in it"
    )


def test_lrs2_words_stand_beside_the_video(tmp_path: Path, write_clip) -> None:
    root = tmp_path / "lrs2-raw"
    folder = root / "mvlrs_v1" / "main" / "6339758276407584924"
    write_clip(folder / "00098.mp4", 1.6, times=(0.5,))
    (folder / "00098.txt").write_text("Text:  WHEN I GOT HERE\nConf:  4\n")
    write_clip(
        root / "mvlrs_v1" / "pretrain" / "6339758276407584924" / "00098.mp4", 4.0, times=(1.0,)
    )
    write_clip(
        root / "video_25fps" / "main_5535415699068794046" / "main_5535415699068794046_00007.mp4",
        1.5,
        times=(0.5,),
    )
    (root / "test.txt").write_text("6339758276407584924/00098 NF\n5535415699068794046/00007 MV\n")
    benchmark, coverage = make("lrs2", root, tmp_path / "out")
    first, second = benchmark.items
    assert (first.id, first.transcript) == ("lrs2/6339758276407584924/00098", "WHEN I GOT HERE")
    # The clip of main and not the longer one of pretrain: 40 frames.
    assert first.duration == 1.6
    assert second.transcript is None
    assert (coverage.no_words, coverage.doubled) == (1, 1)
    assert [item.speaker_audio for item in benchmark.items] == [None, None]

    # Another clip, of pretrain, is no second copy.
    (folder / "00098.mp4").write_bytes(b"<html>")
    benchmark, coverage = make("lrs2", root, tmp_path / "out")
    assert list(coverage.broken) == ["lrs2/6339758276407584924/00098"]


def test_v2c_in_its_original_folders_and_in_dubbing_names(
    tmp_path: Path, write_clip, write_sound
) -> None:
    root = tmp_path / "v2c-raw"
    write_clip(root / "Toy_videos" / "Buzz" / "0315.mp4", 2.0, times=(0.5, 1.5), level=None)
    speech = root / "Toy_speeches" / "Buzz" / "00"
    write_sound(speech / "Buzz-00-0315.wav", 2.0, 22050)
    (speech / "Buzz-00-0315.normalized.txt").write_text("THE FIRST LINE\n")
    write_clip(root / "Toy@Buzz" / "Toy@Buzz_00_0400_00.mp4", 2.0, times=(0.5, 1.5), level=None)
    write_sound(root / "Toy@Buzz" / "Toy@Buzz_00_0400_00.wav", 2.0, 22050)
    (root / "Toy@Buzz" / "Toy@Buzz_00_0400_00.lab").write_text("the second line")
    names = ("Toy@Buzz_00_0315_00", "Toy@Buzz_00_0400_00")
    (root / "V2C_val.txt").write_text("".join(f"Toy@Buzz/{name}.wav|fonimz|5\n" for name in names))
    benchmark, _ = make("v2c", root, tmp_path / "out")
    first, second = benchmark.items
    assert (first.id, first.speaker) == ("v2c/Toy@Buzz_00_0315_00", "Toy@Buzz")
    assert (first.transcript, second.transcript) == ("THE FIRST LINE", "the second line")
    assert (first.speaker_audio, second.speaker_audio) == (second.audio, first.audio)


def test_greatest_hits_are_cut_from_recordings_with_their_annotations(
    tmp_path: Path, write_clip, write_sound
) -> None:
    root = tmp_path / "gh-raw"
    times = (1.2, 2.4, 3.0, 4.1)
    base = root / "vis-data" / "2015-02-16-16-49-06"
    write_clip(Path(f"{base}_denoised.mp4"), 5.0, times=times, level=None)
    write_sound(Path(f"{base}_denoised.wav"), 5.0, 48000, times)
    write_sound(Path(f"{base}_mic.wav"), 5.0, 48000, (0.1,))
    write_clip(Path(f"{base}_denoised_thumb.mp4"), 4.0, times=times)
    Path(f"{base}_times.txt").write_text("".join(f"{time} wood hit static\n" for time in times))
    (root / "AMT_test_set.json").write_text('{"2015-02-16-16-49-06_2.0000": ["a", "b"]}')
    benchmark, coverage = make("greatest-hits", root, tmp_path / "out")
    (item,) = benchmark.items
    # Two seconds from 2.0 s: the hits at 2.4 and 3.0 remain, 0.4 and 1.0 s into the clip.
    assert item.id == "2015-02-16-16-49-06_2.0000"
    assert item.onsets == (0.4, 1.0)
    assert item.duration == 2.0
    audio = read_audio(item.audio)
    assert audio.samples.shape == (1, 96000)
    loud = np.argmax(np.abs(audio.samples[0][9600:]) > 0.1) / 48000 + 0.2
    assert loud == pytest.approx(0.4, abs=0.005)
    assert coverage.doubled == 1
    Path(f"{base}_times.txt").write_text("soon wood hit static\n")
    with pytest.raises(InputError, match="line 1: no time of a hit in 'soon wood hit static'"):
        make("greatest-hits", root, tmp_path / "out")


def test_avsync15_and_foleybench(tmp_path: Path, write_clip) -> None:
    root = tmp_path / "av-raw"
    write_clip(root / "videos" / "dog_barking" / "a_000001.mp4", 2.0, times=(0.5,))
    (root / "test.txt").write_text("dog_barking/a_000001.mp4\n")
    benchmark, _ = make("avsync15", root, tmp_path / "av")
    assert (benchmark.items[0].id, benchmark.items[0].label) == (
        "dog_barking/a_000001",
        "dog barking",
    )

    root = tmp_path / "fb-raw"
    write_clip(root / "clips" / "2322.mp4", 2.0, times=(0.5,))
    (root / "metadata.csv").write_text(
        'key,caption,ucs_category,discrete_or_continuous\n2322,"a door, closing",DOORS,Discrete\n'
    )
    benchmark, _ = make("foleybench", root, tmp_path / "fb")
    (item,) = benchmark.items
    assert (item.caption, item.label) == ("a door, closing", "DOORS")
    assert item.slices == ("ucs_category/doors", "discrete_or_continuous/discrete")
    (root / "metadata.csv").write_text("name,caption\n1,x\n")
    with pytest.raises(InputError, match="expected a column key or id"):
        make("foleybench", root, tmp_path / "fb")


def test_verify_finds_what_was_planted(vsseval, grid_root: Path, tmp_path: Path) -> None:
    benchmark, _ = make("grid", grid_root, tmp_path / "out")
    good = vsseval("data", "verify", tmp_path / "out", "--workers", 1)
    assert good.exit_code == 0
    assert "4 clips right: digests, durations, decoding" in good.output
    first, second, third, _ = benchmark.items
    first.video.write_bytes(b"broken")
    second.video.unlink()
    samples, rate = soundfile.read(third.audio)
    soundfile.write(third.audio, samples[: rate * 2], rate)
    bad = vsseval("data", "verify", tmp_path / "out", "--workers", 1)
    assert bad.exit_code == 2
    for line in (
        "grid/s6/bwba2a: video: bwba2a.mpg is not the file of the manifest (sha256); video: cannot",
        "grid/s6/sgiq9n: video: sgiq9n.mpg is not there",
        "audio: lrwzzp.flac lasts 2.00 s, the item 3.00 s",
        # The fourth clip's voice is the third.
        "4 of 4 clips are not right",
    ):
        assert line in bad.output
