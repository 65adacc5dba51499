"""Names of clips, lists and their digests, transcripts from names, voices."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from vsseval.benchmarks import grid, vggsound
from vsseval.benchmarks.layout import ClipName, Entry, ids_digest, stem_of
from vsseval.benchmarks.scan import read_list
from vsseval.benchmarks.table import BENCHMARKS, find_data_set
from vsseval.benchmarks.voices import choose_voices
from vsseval.errors import InputError
from vsseval.metrics.grid import grid_slots
from vsseval.metrics.patterns import chosen
from vsseval.metrics.table import METRICS
from vsseval.reports.presets import preset

LISTS = json.loads(
    (Path(__file__).parents[1] / "reference" / "benchmark_lists.json").read_text(encoding="utf-8")
)["lists"]
DATA_SETS = [name for name, row in BENCHMARKS.items() if row.data_set]
NAMING = [find_data_set(name) for name in ("chem", "grid", "lrs2", "v2c", "vggsound")]
"""The sets whose clips other systems' outputs are named after."""

# The forms that data sets, lists and the outputs of published systems are seen with.
NAMES = [
    ("ruK8QzIWrSY_000080.mp4", "ruK8QzIWrSY_000080", 0),
    ("ruK8QzIWrSY_000080.flac", "ruK8QzIWrSY_000080", 0),
    ("ruK8QzIWrSY_000080", "ruK8QzIWrSY_000080", 0),
    ("audio_ruK8QzIWrSY_000080_00.wav", "ruK8QzIWrSY_000080", 0),
    ("Yzxpo56cpUBU_000007_3.npy", "zxpo56cpUBU_000007", 3),
    ("Yzxpo56cpUBU_000007_3.wav", "zxpo56cpUBU_000007", 3),
    ("---g-f_I2yQ_000001", "---g-f_I2yQ_000001", 0),
    ("Y---g-f_I2yQ_000001_0", "---g-f_I2yQ_000001", 0),
    ("-2HXm-Rj3lg_283000_293000", "-2HXm-Rj3lg_000283", 0),
    ("speech_chem_00_mgg27LTeNPo-030_00.wav", "chem/mgg27LTeNPo-030", 0),
    ("chem_00_mgg27LTeNPo-030.wav", "chem/mgg27LTeNPo-030", 0),
    ("visual_tts_chem_00_mgg27LTeNPo-030_sample0", "chem/mgg27LTeNPo-030", 0),
    ("wav_pred_s6-bwba2a.wav", "grid/s6/bwba2a", 0),
    ("s06_bwba2a.wav", "grid/s6/bwba2a", 0),
    ("s6/s6-bwba2a.wav", "grid/s6/bwba2a", 0),
    ("s06_bwba2a_sample0", "grid/s6/bwba2a", 0),
    ("audio_25k/s6/bwba2a.wav", "grid/s6/bwba2a", 0),
    ("s1_50kHz/s1/bbaf2n.wav", "grid/s1/bbaf2n", 0),
    ("6339758276407584924/00098", "lrs2/6339758276407584924/00098", 0),
    ("main_6339758276407584924_00098", "lrs2/6339758276407584924/00098", 0),
    ("mvlrs_v1/pretrain/6339758276407584924/00098.mp4", "lrs2/6339758276407584924/00098", 0),
    ("Toy_speeches/Buzz/00/Buzz-00-0315.normalized.txt", "v2c/Toy@Buzz_00_0315_00", 0),
    ("Toy_videos/Buzz/0315.mp4", "v2c/Toy@Buzz_00_0315_00", 0),
]


def said_by(text: str) -> list[ClipName]:
    """What each data set that knows a file's name says of it."""
    return [found for one in NAMING if (found := one.parse(stem_of(text)))]


@pytest.mark.parametrize(("text", "clip", "take"), NAMES, ids=[name for name, _, _ in NAMES])
def test_every_form_of_a_name_gives_the_normal_one(text: str, clip: str, take: int) -> None:
    assert said_by(text) == [ClipName(clip, take)]


def test_a_name_that_joins_two_gives_the_reference() -> None:
    found = said_by("wav_pred_Bossbaby@BossBaby_00_0559_00_s3-pwax5a.wav")
    assert found == [ClipName("v2c/Bossbaby@BossBaby_00_0559_00", 0, "s3-pwax5a")]


@pytest.mark.parametrize(
    "text", ["clip 1.mp4", "s35_bwba2a.wav", "s6_bwbw2a.wav", "bwba2a.wav", "../aaaaaaaaaaa_1/x"]
)
def test_other_names_are_of_no_clip(text: str) -> None:
    assert said_by(text) == []


# Lists


def test_digest_is_of_sorted_lines() -> None:
    assert ids_digest(["b", "a"]) == hashlib.sha256(b"a\nb").hexdigest()


@pytest.mark.parametrize("stored", LISTS, ids=[f"{x['data_set']}-{x['name']}" for x in LISTS])
def test_known_lists_are_those_that_were_published(stored: dict, tmp_path: Path) -> None:
    data_set = find_data_set(stored["data_set"])
    known = {one.name: one for one in data_set.known}
    if stored["name"].startswith("vggsounder-0.1.6"):
        assert vggsound.VGGSOUNDER_VERSIONS[stored["digest"]] == "0.1.6"
    else:
        row = known[stored["name"]]
        assert (row.count, row.digest) == (stored["count"], stored["digest"])
    if stored["name"].startswith("vggsounder-1.0"):
        assert vggsound.VGGSOUNDER_VERSIONS[stored["digest"]] == "1.0"
    # The first two lines of the published file are read as the ids that the recipe reads.
    path = tmp_path / stored["source"].rpartition("/")[2].replace(".json", ".txt")
    path.write_text("\n".join(stored["head"]) + "\n", encoding="utf-8")
    assert data_set.read_list(path)


def test_counts_of_the_specification() -> None:
    counts = {
        (name, known.name): known.count for name in DATA_SETS for known in find_data_set(name).known
    }
    for key, count in {
        ("vggsound", "test"): 15446,
        ("vggsound", "frieren-test"): 15337,
        ("vggsound", "vggsounder-1.0"): 15069,
        ("chem", "test"): 200,
        ("chem", "hpm-test"): 196,
        ("grid", "test"): 3300,
        ("grid", "vssflow-test"): 3291,
        ("lrs2", "test"): 1243,
        ("lrs2", "vssflow-test"): 697,
        ("v2c", "test"): 2779,
        ("v2c", "vssflow-test"): 1319,
        ("greatest-hits", "condfoley"): 194,
        ("avsync15", "test"): 150,
        ("foleybench", "all"): 5000,
    }.items():
        assert counts[key] == count


def test_a_list_is_called_by_its_ids_and_else_by_its_count(tmp_path: Path) -> None:
    path = tmp_path / "test.txt"
    lines = [f"aaaaaaaaaaa-{number:03}|some words" for number in range(200)]
    path.write_text("\n".join(lines))
    found = read_list(find_data_set("chem"), path, ())
    assert found.name == f"list-{found.digest[:8]}"
    assert found.remark == (
        "as many as the test set of Neural Dubber and DSU-AVO, whose ids are not the same"
    )
    path.write_text("\n".join(lines[:196]))
    found = read_list(find_data_set("chem"), path, ())
    assert found.remark == (
        "as many as the test set of HPMDubbing and EmoDubber, by its size (checked by count alone)"
    )
    path.write_text("\n".join(lines[:3]))
    assert read_list(find_data_set("chem"), path, ()).remark == "not a list that vsseval knows"
    with pytest.raises(InputError, match="no list at"):
        read_list(find_data_set("chem"), tmp_path / "absent.txt", ())


def test_the_whole_csv_of_vggsound_gives_its_test_clips(tmp_path: Path) -> None:
    path = tmp_path / "vggsound.csv"
    path.write_text(
        '---g-f_I2yQ,1,"people marching",test\n--0PQM4-hqg,30,"waterfall burbling",train\n'
        'ruK8QzIWrSY,80,"a, b",test\n'
    )
    assert vggsound.read_list(path) == [
        Entry("---g-f_I2yQ_000001", label="people marching", caption="people marching"),
        Entry("ruK8QzIWrSY_000080", label="a, b", caption="a, b"),
    ]


def test_vggsounders_file_is_a_list_of_its_clips(tmp_path: Path) -> None:
    path = tmp_path / "vggsounder.csv"
    path.write_text(
        "video_id,label,modality,background_music,static_image,voice_over\n"
        "---g-f_I2yQ_000001,a,A,True,False,False\n---g-f_I2yQ_000001,b,A,True,False,False\n"
    )
    assert [entry.id for entry in vggsound.read_list(path)] == ["---g-f_I2yQ_000001"]


def test_references_of_lists_are_read(tmp_path: Path) -> None:
    path = tmp_path / "grid.txt"
    path.write_text("s6-bwba2a|bin white by a two again|s6|s6-sgbq9n|set green by q nine now\n")
    assert find_data_set("grid").read_list(path)[0].reference == "grid/s6/sgbq9n"
    path.write_text("Toy@Buzz_00_0315_00|f|s3-pwax5a|place white at x five again\n")
    assert find_data_set("v2c").read_list(path)[0].reference == "grid/s3/pwax5a"


# GRID


@pytest.mark.parametrize(
    ("sentence", "words"),
    [
        ("bwba2a", "bin white by a two again"),
        ("lrwzzp", "lay red with z zero please"),
        ("sgiq9n", "set green in q nine now"),
        ("pbao1s", "place blue at o one soon"),
    ],
)
def test_the_sentence_is_in_the_name(sentence: str, words: str) -> None:
    assert grid.transcript(sentence) == words


def test_every_name_decodes_to_the_grammar_of_the_metric() -> None:
    # One character of each slot at a time: every word occurs.
    for slot, letters in enumerate(grid.CODE):
        for letter in letters:
            name = "bwba2a"[:slot] + letter + "bwba2a"[slot + 1 :]
            assert grid_slots(grid.transcript(name)) == tuple(grid.transcript(name).split())
    with pytest.raises(InputError, match="not the name of a GRID sentence: 'bwbw2a'"):
        grid.transcript("bwbw2a")


# Voices

HEARD = {"a": "x", "b": "x", "c": "x", "d": "y"}
ENTRIES = [Entry(clip, speaker=speaker) for clip, speaker in HEARD.items()]


def test_setting_1_is_the_clip_itself() -> None:
    assert choose_voices(ENTRIES, HEARD, 1, ()).of == {clip: clip for clip in HEARD}


def test_setting_2_is_the_same_speaker_in_another_clip() -> None:
    voices = choose_voices(ENTRIES, HEARD, 2, ())
    assert voices.without == ("d",)
    for clip, other in voices.of.items():
        assert clip != other
        assert HEARD[clip] == HEARD[other]


def test_a_missing_clip_changes_only_the_voices_it_was() -> None:
    many = {f"{number}": "x" for number in range(40)}
    entries = [Entry(clip, speaker="x") for clip in many]
    before = choose_voices(entries, many, 2, ()).of
    without = {clip: speaker for clip, speaker in many.items() if clip != "7"}
    after = choose_voices(entries, without, 2, ()).of
    changed = {clip for clip in before if before[clip] != after[clip]}
    assert changed == {clip for clip, other in before.items() if other == "7"}


def test_the_choice_is_that_of_the_documented_hash() -> None:
    chosen = choose_voices([Entry("a", speaker="x")], HEARD, 2, ()).of["a"]
    order = {other: hashlib.sha256(f"a\n{other}".encode()).hexdigest() for other in "bc"}
    assert chosen == min(order, key=order.__getitem__)


def test_the_list_decides_where_it_names_a_voice_that_is_there() -> None:
    entries = [
        Entry("a", speaker="x", reference="c"),
        Entry("b", speaker="x", reference="gone"),
        Entry("c", speaker="x", reference="d"),
    ]
    voices = choose_voices(entries, HEARD, 2, ())
    assert (voices.of["a"], voices.stated) == ("c", 1)
    # A reference of another speaker is not setting 2.
    assert voices.of["c"] in ("a", "b")


def test_setting_3_draws_from_another_set_and_needs_one() -> None:
    voices = choose_voices(ENTRIES, HEARD, 3, ("p", "q"))
    assert set(voices.of) == set(HEARD)
    assert set(voices.of.values()) <= {"p", "q"}
    with pytest.raises(InputError, match="setting 3 needs voices"):
        choose_voices(ENTRIES, HEARD, 3, ())
    with pytest.raises(InputError, match="expected dubbing setting 1, 2 or 3, got 4"):
        choose_voices(ENTRIES, HEARD, 4, ())


@pytest.mark.parametrize(
    ("name", "clip", "group"),
    [
        ("vggsound", "-a_b-c_d-e__000030", "-a_b-c_d-e_"),
        ("chem", "chem/-gg27-TeNPo-030", "-gg27-TeNPo"),
        ("grid", "grid/s6/bwba2a", "s6"),
        ("lrs2", "lrs2/6339758276407584924/00098", "6339758276407584924"),
        ("v2c", "v2c/Bossbaby@BossBaby_00_0559_00", "Bossbaby"),
        ("greatest-hits", "2015-02-16-16-49-06_2.0000", "2015-02-16-16-49-06"),
    ],
)
def test_groups_are_what_clips_share(name: str, clip: str, group: str) -> None:
    assert find_data_set(name).group(clip) == group


# Default metrics


@pytest.mark.parametrize("name", DATA_SETS)
def test_default_metrics_exist(name: str) -> None:
    patterns = find_data_set(name).metrics
    assert all(chosen((pattern,), METRICS) for pattern in patterns)


def test_vggsound_has_the_columns_of_the_paper() -> None:
    assert find_data_set("vggsound").metrics == preset("vssflow-v2s")


@pytest.mark.parametrize("name", ["chem", "lrs2", "v2c"])
def test_words_of_free_english_are_compared_as_whisper_leaves_them(name: str) -> None:
    rates = [metric for metric in find_data_set(name).metrics if metric.startswith("wer")]
    assert [METRICS[rate].params["normaliser"] for rate in rates] == ["whisper-en"] * 3


def test_words_of_grid_are_compared_as_spelt() -> None:
    rates = [metric for metric in find_data_set("grid").metrics if metric.startswith("wer")]
    assert [METRICS[rate].params["normaliser"] for rate in rates] == ["grid"] * 3


@pytest.mark.parametrize("name", ["chem", "grid", "lrs2", "v2c"])
def test_speech_has_its_columns_in_the_paper_s_table(name: str) -> None:
    columns = chosen(preset("vssflow-vtts"), METRICS)
    assert set(chosen(find_data_set(name).metrics, METRICS)) <= set(columns)


def test_a_pattern_chooses_dialects_only_if_it_names_one() -> None:
    known = ["wer.a", "wer.a@x", "mcd", "wer.b"]
    assert chosen(("mcd", "wer.*"), known) == ["mcd", "wer.a", "wer.b"]
    assert chosen(("wer.*@x",), known) == ["wer.a@x"]


@pytest.mark.parametrize("name", DATA_SETS)
def test_a_data_set_is_called_as_its_row(name: str) -> None:
    data_set = find_data_set(name)
    assert (data_set.name, data_set.title) == (name, BENCHMARKS[name].title)
