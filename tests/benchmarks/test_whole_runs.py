"""VGGSound, Chem and GRID from a folder as people have it to the leaderboard, by the real commands.

Each set is a few demo clips under the names, folders, codecs and rates of the set, with one clip of
its list missing and one broken. What VSSFlow makes of them is scored twice: under the names of the
set, and by another route under those of the demo benchmark or by the folder command.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from vsseval.benchmarks.manifest import read_benchmark, read_items
from vsseval.benchmarks.table import EMBEDDED_MEDIA
from vsseval.metrics.table import METRICS
from vsseval.records import read_clips
from vsseval.types import Item
from vsseval.video import read_video
from vsseval.weights import expand, store_root

pytestmark = [pytest.mark.slow, pytest.mark.weights]

SPEECH = {
    "mcd_dtw": None,
    "mcd_dtw_sl": None,
    "lse_c.syncnet": "vsseval weights add syncnet syncnet_v2.model",
    "lse_d.syncnet": "vsseval weights add syncnet syncnet_v2.model",
    "speaker_similarity.ge2e": None,
    "speaker_similarity.wavlm-ecapa": "vsseval weights pull wavlm-ecapa",
    "utmos": "vsseval weights pull utmos22-strong",
    "dnsmos.ovrl": None,
    "dnsmos.sig": None,
    "dnsmos.bak": None,
    "dnsmos.p808": None,
}
"""Default metrics; what brings the weights of those that ``vsseval weights pull demo`` has not."""
GRID = SPEECH | {
    "wer.tiny_en": None,
    "wer.base": "vsseval weights pull whisper-base",
    "wer.large-v3@openai": "vsseval weights pull openai-whisper-large-v3",
}
CHEM = SPEECH | {
    "wer.tiny_en@whisper-en": None,
    "wer.base@whisper-en": "vsseval weights pull whisper-base",
    "wer.large-v3@openai-whisper-en": "vsseval weights pull openai-whisper-large-v3",
}
SOUND = {
    "fd.vggish@avbench": "vsseval weights pull vggish",
    "fd.panns-16k@avbench": "vsseval weights pull panns-16k",
    "fd.passt@avbench": "vsseval weights pull passt",
    "kl.panns-16k@avbench": "vsseval weights pull panns-16k",
    "kl.passt@avbench": "vsseval weights pull passt",
    "is.panns-16k@avbench": "vsseval weights pull panns-16k",
    "imagebind@ib-avbench": "vsseval weights pull imagebind",
    "clap.laion@avbench": "vsseval weights pull clap-laion; vsseval weights pull roberta-base",
    "desync@desync-avbench": "vsseval weights pull synchformer",
    "onset_acc@onset-condfoley": None,
    "onset_ap@onset-condfoley": None,
}


@pytest.fixture(autouse=True)
def demo_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store with the parts of the demo alone, whatever else this machine has."""
    store = tmp_path / "weights"
    store.mkdir()
    for part in expand(["demo"]):
        (store / part).symlink_to(store_root().absolute() / part, target_is_directory=True)
    monkeypatch.setenv("VSSEVAL_WEIGHTS", str(store))


@pytest.fixture
def command(vsseval) -> Callable[..., str]:
    """Standard output of a command that ends well."""

    def run(*words: object) -> str:
        done = vsseval(*words)
        assert done.exit_code == 0, done.output
        return done.stdout

    return run


def demo(name: str, which: Callable[[Item], bool]) -> list[Item]:
    return [item for item in read_benchmark(EMBEDDED_MEDIA / name).items if which(item)]


def wave_of(item: Item) -> np.ndarray:
    return soundfile.read(item.audio, dtype="float32")[0]


def put_wav(path: Path, wave: np.ndarray, rate: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, wave, rate, subtype="PCM_16")


def prepared(command, name: str, root: Path, list_name: str, good: int) -> None:
    """Prepare and verify the set in ``data/<name>``: one clip is missing and one undecodable."""
    printed = command(
        "data", "prepare", name, "--root", root, "--out", f"data/{name}", "--workers", 1
    )
    lines = printed.splitlines()
    assert lines[0].startswith(f"{name}: list {list_name}, {good + 2} clips, sha256 ")
    assert lines[1:6] == [
        f"found    {good + 1:6} of {good + 2}",
        "missing       1 -> missing.txt",
        "broken        1 -> broken.tsv",
        "       1 undecodable",
        f"taken    {good:6} -> manifest.jsonl",
    ]
    right = command("data", "verify", f"data/{name}", "--workers", 1)
    assert right == f"{good} clips right: digests, durations, decoding\n"


def whole_run(
    command, name: str, good: int, expected: Mapping[str, str | None]
) -> dict[str, float]:
    """Run VSSFlow with the default metrics; values of those that can be scored here.

    Every other one is listed with what brings its weights, in the record and in the report.
    """
    words = ("run", "--model", "vssflow", "--bench", name, "--workers", 1)
    record = json.loads(command(*words, "--json"))
    assert record["counts"] == {"expected": good, "generated": good, "failed": 0}
    assert record["benchmark"]["name"] == name
    scores = {score["metric"]: score for score in record["scores"]}
    assert set(scores) == set(expected)
    report = command("report", "results")
    assert "vssflow-tiny" in report
    for metric, brings in expected.items():
        score = scores[metric]
        if brings is None:
            assert (score["n_scored"], score["excluded"]) == (good, {}), metric
        else:
            assert (score["value"], score["n_scored"], score["n_expected"]) == (None, 0, good)
            assert score["note"].startswith(f"weights missing: {brings}")
            said = re.search(
                rf"^- (.*): weights missing: {re.escape(brings)}", report, re.MULTILINE
            )
            assert METRICS[metric].title in said[1]
    return {metric: scores[metric]["value"] for metric in expected if expected[metric] is None}


def generated(cache: Path, name: str) -> dict[str, Path]:
    """What VSSFlow made, by item."""
    (folder,) = (cache / "generated" / name / "vssflow-tiny").iterdir()
    return {
        path.relative_to(folder).with_suffix("").as_posix(): path for path in folder.rglob("*.wav")
    }


def by_demo_names(
    command, tmp_path: Path, made: Mapping[str, Path], pairs: Mapping[str, Item], seconds: float
) -> Path:
    """The same sounds as outputs for the demo items they belong to; folder of that record."""
    sounds, bench = tmp_path / "renamed", tmp_path / "demo"
    sounds.mkdir()
    for clip, item in pairs.items():
        shutil.copy(made[clip], sounds / f"{item.id}.wav")
    shutil.copytree(EMBEDDED_MEDIA / "demo-speech" / "audio", bench / "audio")
    shutil.copy(EMBEDDED_MEDIA / "demo-speech" / "benchmark.json", bench)
    lines = [
        {
            "id": item.id,
            "duration": seconds,
            "audio": f"audio/{item.audio.name}",
            "transcript": item.transcript,
        }
        for item in pairs.values()
    ]
    (bench / "manifest.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    command(
        *("run", "--model", f"folder:{sounds}", "--bench", "demo-speech", "--data", bench),
        *(
            "--metrics",
            "mcd_dtw_sl,wer.tiny_en,wer.tiny_en@whisper-en,dnsmos.ovrl",
            "--out",
            "renamed-results",
        ),
        *("--workers", 1),
    )
    (record,) = Path("renamed-results").rglob("record.json")
    return record.parent


def components(folder: Path, metric: str) -> dict[str, list[float]]:
    return {item: list(row) for (item, _), row in read_clips(folder)[metric].items()}


def run_folder(name: str) -> Path:
    (record,) = Path("results", name).rglob("record.json")
    return record.parent


# The sets


def chem_layout(root: Path, items: Sequence[Item]) -> dict[str, Item]:
    """Chem as VSSFlow's copy has it; the demo item of each id."""
    pairs, lines = {}, []
    videos, sounds = root / "sentence_video_25fps", root / "speakers" / "chem_00"
    videos.mkdir(parents=True)
    for number, item in enumerate(items):
        clip = f"a-lecture-{number // 4}-{number:03}"
        shutil.copy(item.video, videos / f"{clip}.mp4")
        put_wav(sounds / f"chem_00_{clip}.wav", wave_of(item), 16000)
        (sounds / f"chem_00_{clip}.lab").write_text("what the list says counts")
        lines.append(f"{clip}|{item.transcript.capitalize()}.")
        pairs[f"chem/{clip}"] = item
    lines += ["gone-lectur-000|It is not there.", "a-lecture-0-099|It breaks off."]
    cut = items[0].video.read_bytes()
    (videos / "a-lecture-0-099.mp4").write_bytes(cut[: len(cut) // 2])
    (root / "test.txt").write_text("\n".join(lines))
    return pairs


def test_chem_runs_whole(command, tmp_path: Path) -> None:
    items = demo("demo-speech", lambda item: item.speaker == "slt")[:6]
    pairs = chem_layout(tmp_path / "chem-raw", items)
    prepared(command, "chem", tmp_path / "chem-raw", "test.txt", 6)
    values = whole_run(command, "chem", 6, CHEM)
    # Lips are found: without face boxes WER is above 100 % here, and with them near 9 %.
    assert values["wer.tiny_en@whisper-en"] < 40
    assert 0 < values["mcd_dtw_sl"] < 5
    folder = by_demo_names(command, tmp_path, generated(tmp_path / "cache", "chem"), pairs, 4.0)
    for metric in ("mcd_dtw_sl", "wer.tiny_en@whisper-en", "dnsmos.ovrl"):
        renamed = components(folder, metric)
        found = components(run_folder("chem"), metric)
        assert found == {clip: renamed[item.id] for clip, item in pairs.items()}


DIGITS = {
    **{"zero": "z", "one": "1", "two": "2", "three": "3", "four": "4"},
    **{"five": "5", "six": "6", "seven": "7", "eight": "8", "nine": "9"},
}
SPOKEN = ("slt", "awb")
SPEAKERS = {"slt": 4, "awb": 6, "rms": 12, "kal16": 30}


def grid_layout(root: Path, items: Sequence[Item], write_media) -> tuple[dict[str, Item], set[str]]:
    """GRID, in turn as it is published and as VSSFlow's copy has it; three seconds.

    Returns:
        The demo item of each id, and the ids whose sound is the demo's to the bit.
    """
    pairs, exact, lines = {}, set(), []
    for number, item in enumerate(items):
        speaker = SPEAKERS[item.speaker]
        code = "".join(DIGITS.get(word, word[0]) for word in item.transcript.split())
        pictures, wave = read_video(item.video).frames[:75], wave_of(item)[:48000]
        if number % 2:
            video = root / f"s{speaker}" / f"{code}.mpg"
            write_media(video, pictures, 25, soxr.resample(wave, 16000, 44100), 44100)
            # The separate sound is a little shorter than the picture.
            sound = soxr.resample(wave[:47360], 16000, 25000)
            put_wav(root / "audio_25k" / f"s{speaker}" / f"{code}.wav", sound, 25000)
        else:
            name = f"s{speaker:02}_{code}"
            write_media(root / "videos" / f"s{speaker:02}" / f"{name}.mp4", pictures, 25, None, 0)
            put_wav(root / "speakers" / f"s{speaker:02}" / f"{name}.wav", wave, 16000)
            exact.add(f"grid/s{speaker}/{code}")
        lines.append(f"s{speaker}/s{speaker}-{code}.wav|fonimz|{speaker}")
        pairs[f"grid/s{speaker}/{code}"] = item
    lines += ["s4/s4-bbaf1n.wav|fonimz|4", "s4/s4-bbaf2n.wav|fonimz|4"]
    (root / "s4").mkdir(exist_ok=True)
    (root / "s4" / "bbaf2n.mpg").write_bytes(b"")
    (root / "Grid_val.txt").write_text("\n".join(lines) + "\n")
    return pairs, exact


def ends_by_three_seconds(item: Item) -> bool:
    return item.label == "grid" and float(np.abs(wave_of(item)[48000:]).max()) < 1e-3


def of_two_speakers(items: Sequence[Item]) -> list[Item]:
    """Three of each: a voice is compared with another clip of its speaker."""
    return [[one for one in items if one.speaker == who][k] for k in range(3) for who in SPOKEN]


def test_grid_runs_whole(command, tmp_path: Path, write_media) -> None:
    items = of_two_speakers(demo("demo-speech", ends_by_three_seconds))
    pairs, exact = grid_layout(tmp_path / "grid-raw", items, write_media)
    prepared(command, "grid", tmp_path / "grid-raw", "Grid_val.txt", 6)
    spoken = {item.id: item.transcript for item, _ in read_items(Path("data/grid"))}
    assert spoken == {clip: item.transcript for clip, item in pairs.items()}
    values = whole_run(command, "grid", 6, GRID)
    assert values["wer.tiny_en"] < 50
    folder = by_demo_names(command, tmp_path, generated(tmp_path / "cache", "grid"), pairs, 3.0)
    for metric in ("wer.tiny_en", "dnsmos.ovrl", "mcd_dtw_sl"):
        renamed = components(folder, metric)
        for clip, row in components(run_folder("grid"), metric).items():
            if metric != "mcd_dtw_sl" or clip in exact:
                assert row == renamed[pairs[clip].id]
            else:
                # A reference at 25 kHz, the last 40 ms of which are missing [dB].
                assert row[0] == pytest.approx(renamed[pairs[clip].id][0], abs=0.5)


def vggsound_layout(root: Path, items: Sequence[Item], count: int, write_media) -> None:
    """Clips of ten seconds, each of three demo clips in a row, H.264 and AAC."""
    folder, lines = root / "dataset" / "test" / "10", []
    for number in range(count):
        parts = items[number :: len(items) // 3][:3]
        pictures = np.concatenate([read_video(item.video).frames for item in parts])[:250]
        wave = np.concatenate([wave_of(item) for item in parts])[:160000]
        name = f"-demo_clip{number}_{10 * number:06}"
        write_media(folder / f"{name}.mp4", pictures, 25, soxr.resample(wave, 16000, 44100), 44100)
        lines.append(f'{name}.mp4,"{parts[0].label}, then more"')
    lines += ["gone_away_1_000007.mp4,rain", "unavailable_000008.mp4,rain"]
    (folder / "unavailable_000008.mp4").write_bytes(b"<html>Video unavailable</html>")
    (root / "test.csv").write_text("\n".join(lines) + "\n")


def test_vggsound_runs_whole(command, tmp_path: Path, write_media) -> None:
    items = demo("demo-sound", lambda item: True)[:24]
    vggsound_layout(tmp_path / "vggsound-raw", items, 4, write_media)
    prepared(command, "vggsound", tmp_path / "vggsound-raw", "test.csv", 4)
    values = whole_run(command, "vggsound", 4, SOUND)
    metrics = [metric for metric in SOUND if SOUND[metric] is None]
    chosen = ("--metrics", ",".join(metrics), "--workers", 1)
    # The folder command, which knows neither manifest nor data set, on what was written.
    (folder,) = (tmp_path / "cache" / "generated" / "vggsound" / "vssflow-tiny").iterdir()
    again = json.loads(
        command(
            "score", "--generated", folder, "--reference", "data/vggsound/audio", *chosen, "--json"
        )
    )
    assert {score["metric"]: score["value"] for score in again["scores"]} == values
    perfect = json.loads(
        command("run", "--model", "reference", "--bench", "vggsound", *chosen, "--json")
    )
    # Close onsets of a clip may be thinned, so that the reference need not reach 1.
    (reference,) = [score for score in perfect["scores"] if score["metric"].startswith("onset_acc")]
    assert 0 < values[reference["metric"]] < reference["value"] <= 1
    assert reference["value"] > 0.9
