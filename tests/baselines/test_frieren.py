"""Frieren's four scripts, by fakes of the same interface: the whole path and what may go wrong.

The fakes parse the argument lists of the real scripts (tests/reference/baselines_interfaces.json),
write files of the real names, rates and lengths, and have the real traps: one seed a process,
nothing for clips below 8 s, skipping what is missing or there.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from baselines.frieren_scripts import mels_arguments, with_vae
from vsseval.benchmarks.manifest import read_benchmark
from vsseval.errors import InputError
from vsseval.models import load_model

NAMES = {"s1/a": "000000", "-b@x": "000001", "c": "000002", "d": "000003", "short": "000004"}
GOOD = ["s1/a", "-b@x", "c", "d"]
ALL_STEPS = ["reencode", "features", "mels", "vocoder"]
TOO_SHORT = "the video gives 8 frames at 4 fps; frieren needs 32 (8 s)"


def pitch(content: bytes) -> float:
    """Frequency of the strongest bin [Hz]."""
    sound, rate = soundfile.read(io.BytesIO(content))
    return float(np.argmax(np.abs(np.fft.rfft(sound))) * rate / len(sound))


def test_run_records_what_the_scripts_made(frieren, vsseval, generated, tmp_path: Path) -> None:
    words = ("--json", "--out", tmp_path / "results", "--workers", 1)
    start = time.monotonic()
    record = json.loads(vsseval("run", "frieren", *words, toml=frieren.toml))
    assert 0 < record["cost"]["seconds"] < time.monotonic() - start
    assert record["counts"] == {"expected": 5, "generated": 4, "failed": 1}
    assert record["failures"] == {"short": TOO_SHORT}
    assert record["model"]["signature"]["upstream"].endswith(frieren.commit[:7])
    assert record["warnings"]["-b@x"].startswith("8.19 s long, the item lasts 10.00 s")
    (score,) = record["scores"]
    assert (score["metric"], score["n_scored"], score["n_expected"]) == ("onset_f1", 4, 5)
    assert score["excluded"] == {"short": f"generation failed: {TOO_SHORT}"}
    assert frieren.called() == ALL_STEPS
    # 25 Euler steps, each with a guided evaluation of two passes, for each of four clips.
    assert record["cost"]["nfe"] == 4 * 50
    # A finished run starts no program.
    again = json.loads(vsseval("run", "frieren", *words, toml=frieren.toml))
    assert again["scores"] == record["scores"]
    assert frieren.called() == ALL_STEPS


def test_noise_is_that_of_one_process_over_the_clips_in_order(frieren, failures, generated) -> None:
    failures("frieren", toml=frieren.toml)
    # The fake draws 80 numbers a clip from one seed; its pitch is 200 + 1000 x the first [Hz].
    draws = np.random.default_rng(21).uniform(size=(4, 80))[:, 0]
    for name, draw in zip(GOOD, draws, strict=True):
        assert pitch(generated()[f"{name}.wav"]) == pytest.approx(200 + 1000 * draw, abs=0.2)


def signature_of(frieren, clips: Path) -> dict[str, str]:
    benchmark = read_benchmark(clips)
    return dict(load_model("frieren", benchmark, checkpoint=frieren.toml).signature)


def test_signature_names_commit_weights_and_settings(frieren, clips: Path) -> None:
    signature = signature_of(frieren, clips)
    assert signature["upstream"] == f"cyanbx/Frieren-V2A@{frieren.commit[:7]}"
    # sha256("weights w/cfm.ckpt"), by sha256sum.
    assert signature["cfm"] == "53ce2a3bcc27"
    settings = {"solver": "euler", "steps": "25", "scale": "4.5", "samples": "1", "group": "64"}
    assert {key: signature[key] for key in settings} == settings
    assert signature["output"] == "16000 Hz mono, 8.192 s"


def test_changed_script_is_another_model(frieren, clips: Path) -> None:
    before = signature_of(frieren, clips)
    with (frieren.checkout / "script" / "mel2wav_vocoder.py").open("a") as script:
        script.write("# changed\n")
    after = signature_of(frieren, clips)
    assert after["upstream"].startswith(f"{before['upstream']}-dirty-")
    assert {key for key in after if after[key] != before[key]} == {"upstream"}


def test_table_of_names_and_logs_are_kept(frieren, failures, tmp_path: Path) -> None:
    failures("frieren", toml=frieren.toml)
    (upstream,) = (tmp_path / "cache" / "generated" / "clips" / "frieren").glob("*/upstream")
    rows = (upstream / "clips.jsonl").read_text().splitlines()
    assert len(rows) == 5
    assert rows[1].startswith('{"name": "000001", "id": "-b@x"')
    logs = sorted(path.name for path in (upstream / "logs").iterdir())
    assert logs == sorted(f"group-00000.{step}.log" for step in ALL_STEPS)


def test_limit_gives_the_clips_of_the_whole(frieren, failures, generated) -> None:
    failures("frieren", "--limit", 2, toml=frieren.toml)
    two = generated()
    failures("frieren", toml=frieren.toml)
    whole = generated()
    assert {name: whole[name] for name in two} == two
    assert len(whole) == 4
    # Had the second call begun at the third clip, it would have the first clip's noise.
    assert len({pitch(sound) for sound in whole.values()}) == 4


def test_group_begins_with_its_own_noise(frieren, failures, generated) -> None:
    frieren.write(group=2)
    failures("frieren", toml=frieren.toml)
    assert frieren.called().count("mels") == 2
    pitches = [pitch(generated()[f"{name}.wav"]) for name in GOOD]
    assert pitches[:2] == pitches[2:]


def test_takes_are_samples_of_one_call(frieren, failures, generated) -> None:
    frieren.write(samples=2)
    failures("frieren", "--takes", 2, toml=frieren.toml)
    draws = np.random.default_rng(21).uniform(size=(2, 80))[:, 0]
    for name, draw in zip(("s1/a.wav", "s1/a.take1.wav"), draws, strict=True):
        assert pitch(generated()[name]) == pytest.approx(200 + 1000 * draw, abs=0.2)


def test_more_takes_than_samples_are_refused(frieren, vsseval) -> None:
    error = vsseval("generate", "frieren", "--takes", 3, toml=frieren.toml, status=2)
    assert "asked for are 3 takes; set samples = 3 under [frieren]" in error


@pytest.mark.parametrize("step", ["reencode", "features", "mels", "vocoder"])
def test_clip_at_which_a_script_breaks_fails_alone(frieren, failures, generated, step) -> None:
    frieren.write({step: {"crash_at": NAMES["-b@x"]}})
    failed = failures("frieren", toml=frieren.toml)
    assert set(failed) == {"-b@x", "short"}
    assert failed["-b@x"] == (
        f"frieren {step}: exit status 3 (log group-00000.{step}.log): "
        "CUDA error: device-side assert triggered"
    )
    assert set(generated()) == {"s1/a.wav", "c.wav", "d.wav"}


def test_script_that_breaks_at_the_first_clip_goes_on_without_it(frieren, failures) -> None:
    frieren.write({"mels": {"crash_at": NAMES["s1/a"]}})
    assert set(failures("frieren", toml=frieren.toml)) == {"s1/a", "short"}


def test_script_that_never_works_stops_the_run(frieren, vsseval, failures) -> None:
    frieren.write({"mels": {"broken": True}})
    error = vsseval("generate", "frieren", toml=frieren.toml, status=2)
    assert "frieren mels: exit status 1" in error
    assert "ModuleNotFoundError: No module named 'torchdyn'" in error
    assert "0 of 5 clips are kept" not in error
    # Two tries, not one for each clip; and the steps before are not run again.
    assert frieren.called() == ["reencode", "features", "mels", "mels"]
    frieren.write()
    assert set(failures("frieren", toml=frieren.toml)) == {"short"}
    assert frieren.called()[4:] == ["mels", "vocoder"]


def test_stuck_script_is_stopped_and_the_clip_named(frieren, failures, leaping_clock) -> None:
    frieren.write({"features": {"hang_at": NAMES["c"]}})
    leaping_clock(frieren.hanging)
    failed = failures("frieren", toml=frieren.toml)
    assert failed["c"].startswith(
        "frieren features: stopped, no new file for 300 s (log group-00000.features.log)"
    )
    assert set(failed) == {"c", "short"}


def test_missing_output_is_a_failure_with_its_step(frieren, failures) -> None:
    frieren.write({"vocoder": {"skip": NAMES["d"]}})
    failed = failures("frieren", toml=frieren.toml)
    assert failed["d"] == "vocoder: the program wrote nothing for this clip"
    frieren.write()
    assert set(failures("frieren", toml=frieren.toml)) == {"short"}


def test_other_rate_than_declared_is_a_failure(frieren, vsseval) -> None:
    frieren.write({"vocoder": {"rate": 22050}})
    error = vsseval("generate", "frieren", toml=frieren.toml, status=2)
    assert "frieren vocoder: wrote 22050 Hz, declared are 16000 Hz" in error


def test_item_without_video_fails_before_any_program(frieren, failures, clips: Path) -> None:
    (clips / "2.mp4").unlink()
    failed = failures("frieren", toml=frieren.toml)
    assert failed["c"] == "no video at some clips/2.mp4"


def processes() -> list[tuple[str, str]]:
    """Id and command line of what runs now."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            found.append((path.parent.name, path.read_bytes().replace(b"\0", b" ").decode()))
    return found


@pytest.mark.parametrize("step", ["features", "mels", "vocoder"])
def test_kill_at_any_step_resumes_to_the_same_bytes(
    frieren, failures, generated, clips: Path, tmp_path: Path, step: str
) -> None:
    failures("frieren", toml=frieren.toml)
    whole = generated()
    shutil.rmtree(tmp_path / "cache")
    calls = len(frieren.called())
    frieren.write({step: {"hang_at": NAMES["-b@x"]}})
    command = [sys.executable, "-m", "vsseval", "generate", "--model", "frieren"]
    command += ["--bench", "clips", "--data", str(clips), "--checkpoint", str(frieren.toml)]
    command += ["--cache", str(tmp_path / "cache"), "--workers", "1"]
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 300
    while not frieren.hanging():
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert frieren.called()[calls:][-1] == step
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stderr.close()
    while [pid for pid, words in processes() if str(frieren.checkout) in words]:
        assert time.monotonic() < deadline, "the script has not ended with its parent"
        time.sleep(0.02)
    before = len(frieren.called())
    frieren.write()
    failures("frieren", toml=frieren.toml)
    assert generated() == whole
    assert frieren.called()[before:] == ALL_STEPS[ALL_STEPS.index(step) :]


def test_steps_become_points_in_time() -> None:
    # -t is "sampling step + 1" (README of Frieren): 25 steps are -t 26.
    options = {"gpu": "0", "solver": "euler", "steps": 25, "scale": 4.5, "samples": 10}
    words = mels_arguments(Path("m"), Path("c"), Path("f"), Path("o"), options)
    assert words[words.index("-t") + 1] == "26"


def test_configuration_gets_the_checkpoint_of_the_vae() -> None:
    text = "a:\n  params:\n    ckpt_path: old  # x\n    b: 1\n"
    new = 'a:\n  params:\n    ckpt_path: "/my vae.ckpt"\n    b: 1\n'
    assert with_vae(text, Path("/my vae.ckpt")) == new
    with pytest.raises(InputError, match=r"expected one ckpt_path .* found 0"):
        with_vae("a: 1\n", Path("x"))


def test_cache_whose_path_is_a_pattern_is_refused(frieren, vsseval, tmp_path: Path) -> None:
    words = ("--cache", tmp_path / "cache [1]")
    error = vsseval("generate", "frieren", *words, toml=frieren.toml, status=2)
    assert "pass another --cache DIR" in error


def test_absent_weights_name_their_source(frieren, vsseval, tmp_path: Path) -> None:
    (tmp_path / "w" / "vae.ckpt").unlink()
    error = vsseval("generate", "frieren", toml=frieren.toml, status=2)
    assert "the mel VAE (.ckpt) is missing" in error
    assert "folder VAE of the Google Drive links" in error
    assert "`vsseval models doctor frieren`" in error
