"""``vsseval models doctor``: every thing that is missing, with what to do about it."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from vsseval.cli import main


def doctor(name: str, toml: Path | None) -> tuple[int, str]:
    words = ["models", "doctor", name, *(["--checkpoint", str(toml)] if toml else [])]
    done = CliRunner().invoke(main, words)
    return done.exit_code, done.output


def test_whole_installation_is_listed(frieren) -> None:
    # No mmcv in the environment of the tests, so that the fake installation lacks it.
    _, text = doctor("frieren", frieren.toml)
    assert f"ok       table [frieren] of {frieren.toml}" in text
    assert f"ok       checkout {frieren.checkout} at {frieren.commit[:7]}" in text
    assert "(its interface was read at 0c39692)" in text
    assert "ok       cfm" in text
    assert "0.0 MB, sha256 " in text
    assert "missing  package mmcv: ModuleNotFoundError: No module named 'mmcv'" in text
    for script in ("reencode_video.py", "extract_cavp_feature.py", "mel2wav_vocoder.py"):
        assert f"{script} --help: knows --" in text
    assert "generate_mel_cfm_cfg_scale.py --help: knows -m -c -g --cavp_feature --out-dir" in text


def test_missing_weights_come_with_their_source(frieren, tmp_path: Path) -> None:
    (tmp_path / "w" / "vocoder" / "args.yml").unlink()
    status, text = doctor("frieren", frieren.toml)
    assert status == 2
    assert "missing  vocoder, the folder of the BigVGAN vocoder: no " in text
    assert "-> folder vocoder of the Google Drive links in its README" in text


def test_missing_checkout_says_what_to_clone(frieren) -> None:
    frieren.write(checkout="/no/such")
    _, text = doctor("frieren", frieren.toml)
    assert "-> git clone https://github.com/cyanbx/Frieren-V2A /no/such" in text


def test_missing_interpreter_is_named(frieren) -> None:
    frieren.write(python="/no/such/python")
    _, text = doctor("frieren", frieren.toml)
    assert "missing  interpreter /no/such/python: cannot run /no/such/python" in text


def test_flag_that_upstream_dropped_is_named(frieren) -> None:
    script = frieren.checkout / "script" / "mel2wav_vocoder.py"
    script.write_text("import argparse\nargparse.ArgumentParser().parse_args()\n")
    _, text = doctor("frieren", frieren.toml)
    assert "missing  script/mel2wav_vocoder.py knows no --root, --vocoder-path" in text
    assert "checkout 0c3969258012152ec3ca75b5ced2734863bbf89e" in text


def test_without_a_file_its_lines_are_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VSSEVAL_MODELS", str(tmp_path / "models.toml"))
    status, text = doctor("lova", None)
    assert status == 2
    assert f"no file {tmp_path}/models.toml with a table [lova]" in text
    assert 'checkout = "/path/to/checkout"  # git clone https://github.com/Ceaglex/LoVA' in text
    assert "Google Drive 1cpm6g5ldQmhGABqW692MBYfykZ5agfti" in text


def test_lova_weights_are_looked_for_where_upstream_looks(lova) -> None:
    del lova.table["weights"]
    lova.write()
    _, text = doctor("lova", lova.toml)
    assert "weight/epoch=60-step=2818.safetensors" in text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"solvr": "rk4"}, "'solvr'; did you mean solver"),
        ({"steps": "many"}, "expected steps = a whole number, got 'many'"),
        ({"steps": 0}, "expected steps above 0, got 0"),
        ({"python": ""}, 'expected python = "a path"'),
    ],
)
def test_wrong_table_is_one_message(frieren, changes: dict, words: str) -> None:
    frieren.write(**changes)
    assert words in doctor("frieren", frieren.toml)[1]


def test_all_keys_that_a_table_lacks_are_named_at_once(frieren) -> None:
    for key in ("vae", "cavp"):
        del frieren.table[key]
    frieren.write()
    text = doctor("frieren", frieren.toml)[1]
    assert f"[frieren] in {frieren.toml} lacks vae, cavp; " in text
    assert f"what is to stand in {frieren.toml}:" in text


def test_model_without_a_doctor_is_unknown_to_it() -> None:
    status, text = doctor("silence", None)
    assert status == 2
    assert "nothing to examine for silence; models with a doctor: frieren, lova" in text
