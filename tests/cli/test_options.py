"""What the commands print in common."""

from __future__ import annotations

from dataclasses import replace

from vsseval.cli.options import passes, score_table
from vsseval.features import Encoded
from vsseval.types import Score


def test_note_on_a_value_does_not_hide_what_was_left_out() -> None:
    score = Score("fd.aisfx", 1.0, "biased", "", "lower", "s", 2, 1, None, {"b": "cannot decode"})
    assert score_table([score]).endswith("1/2    biased; excluded 1: b: cannot decode")
    none = replace(score, value=None, note="cannot decode", n_scored=0)
    assert score_table([none]).endswith("0/2    cannot decode")


def test_remark_on_passes_says_why_there_are_none() -> None:
    tables = {("generated", "aisfx"): None, ("generated", "onsets"): None}

    def said(passes_made: int, rows: int, *lacking: str, of: str = "aisfx") -> str:
        some = {key: table for key, table in tables.items() if key[1] == of}
        return passes(Encoded(some, passes_made, rows, lacking))  # type: ignore[arg-type]

    assert said(0, 0, of="onsets").endswith("(no metric asked for a network)")
    assert said(0, 0, "weights 'aisfx' are missing").endswith("(weights are missing)")
    assert said(0, 0).endswith("(no clip could be encoded)")
    assert said(2, 0).startswith("2 network forward passes")
    assert said(0, 4).endswith("(all 4 features cached)")
