"""The table of edge cases that docs/metrics.md prints: each situation made, each outcome met."""

import numpy as np
import pytest

from vsseval.errors import InputError
from vsseval.metrics.edge_cases import EDGE_CASES
from vsseval.metrics.pooling import pool
from vsseval.metrics.table import metric, resolve
from vsseval.types import SetValue

NONE, SOME = np.zeros(0), np.array([0.5, 1.0, 1.5])
MOVING_CEPSTRA = np.cumsum(np.random.RandomState(3).standard_normal((20, 14)), axis=0)
LOUD = np.array(0.1), np.array(0.1)
STILL, MOVING = np.zeros(100), np.tile([0.0, 1.0], 50)
FPS = np.array(25.0)


def rows(clips, each=1, d=2, seed=0):
    """One array (each, d) for each clip."""
    return list(np.random.RandomState(seed).standard_normal((clips, each, d)))


MAKERS = {
    "one generated row": lambda: (rows(4), rows(1)),
    "10 clips of 1 row, 12 dimensions": lambda: (rows(10, d=12), rows(10, d=12, seed=1)),
    "9 clips": lambda: (rows(9, 4), rows(9, 4, seed=1)),
    "500 generated rows": lambda: (rows(20), rows(500)),
    "1 row a clip": lambda: (rows(20), rows(20)),
    "999 generated rows": lambda: (rows(1000), rows(999)),
    "a logit that is not finite": lambda: (np.zeros((1, 3)), np.array([[0.0, np.nan, 0.0]])),
    "one class": lambda: (["rain"] * 4, rows(4), rows(4, seed=1)),
    "a class of one item": lambda: (["rain", "rain", "bell", "bell", "drum"], rows(5), rows(5)),
    "20 clips": lambda: (rows(20),),
    "continuous sound": lambda: (NONE, SOME),
    "no onsets on either side": lambda: (NONE, NONE),
    "all onsets within speech": lambda: (np.array([[0.4, 1.6]]), SOME, SOME),
    "a track that begins when the sound is over": lambda: (
        np.ones((20, 8)),
        np.array(15),
        np.ones((15, 8)),
    ),
    "15 windows of lips and sound": lambda: (np.ones((16, 8)), np.array(0), np.ones((15, 8))),
    "one distance at all offsets": lambda: (np.zeros((40, 8)), np.array(0), np.zeros((39, 8))),
    "an embedding that is not finite": lambda: (
        np.ones((40, 8)),
        np.array(0),
        np.full((39, 8), np.nan),
    ),
    "silent reference": lambda: (np.zeros((20, 14)), MOVING_CEPSTRA, *LOUD),
    "one generated frame": lambda: (MOVING_CEPSTRA, MOVING_CEPSTRA[:1], *LOUD),
    "whisper": lambda: (MOVING_CEPSTRA, MOVING_CEPSTRA, np.full(20, 100.0), np.zeros(20)),
    "empty transcription": lambda: ("bin blue at s nine now", ""),
    "capitals, a digit and the letter O": lambda: ("bin blue at o nine", "BIN BLUE AT O9."),
    "another language": lambda: ("bin blue at s nine now", "eins zwei drei vier fünf sechs"),
    "no words to say": lambda: ("...", "thank you"),
    "an embedding of zeros": lambda: (np.ones(4), np.zeros(4)),
    "a score that is not finite": lambda: (np.array(np.nan),),
}
SILENT = {
    "onset_f1": (SOME, NONE),
    "onset_f1.nonspeech": (np.array([[0.4, 0.6]]), SOME, NONE),
    "onset_offset": (SOME, NONE),
    "onset_ap": (SOME, NONE, NONE),
    "onset_acc@onset-condfoley": (SOME, NONE, NONE, NONE),
    "onset_ap@onset-condfoley": (SOME, NONE, NONE, NONE),
    "onset_acc@onset-mmaudio": (SOME, NONE, NONE, NONE),
    "onset_ap@onset-mmaudio": (SOME, NONE, NONE, NONE),
    "onset_f1@onset-mmaudio": (SOME, NONE, NONE, NONE),
    "av_align": (MOVING, FPS, NONE),
}
SILENT_SPEECH = {
    "mcd_dtw@standard": (MOVING_CEPSTRA, np.zeros((20, 14)), *LOUD),
    "duration_ratio": (np.ones(20), np.zeros(20)),
}


def inputs(case):
    if case.situation == "silent prediction":
        return SILENT[case.metric]
    if case.situation == "silent speech":
        return SILENT_SPEECH[case.metric]
    if case.situation == "silent and still":
        return STILL, FPS, NONE
    made = MAKERS[case.situation]()
    if case.metric == "is.aisfx":
        return made[-1:]
    return (*made, NONE) if case.metric == "onset_ap" else made


def outcome(case):
    """The outcome in the words of the table."""
    row = metric(case.metric)
    try:
        found = resolve(row.compute)(*inputs(case), **row.params)
    except InputError as error:
        return f"{'no value' if row.scope == 'set' else 'excluded'}: {error}"
    if isinstance(found, SetValue):
        assert np.isfinite(found.value)
        assert found.interval is None
        return f"a value; {found.note}"
    return f"{pool(found[None], row.pool):g}"


@pytest.mark.parametrize("case", EDGE_CASES, ids=lambda c: f"{c.metric}, {c.situation}")
def test_outcome_is_as_the_table_says(case):
    assert outcome(case) == case.outcome


def test_no_situation_is_listed_twice():
    keys = [(case.metric, case.situation) for case in EDGE_CASES]
    assert len(set(keys)) == len(keys)


def test_no_situation_is_made_in_vain():
    assert set(MAKERS) <= {case.situation for case in EDGE_CASES}
    silent = {case.metric for case in EDGE_CASES if case.situation == "silent prediction"}
    assert set(SILENT) == silent
