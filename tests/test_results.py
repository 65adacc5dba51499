"""What is committed under results/ and shown in the README is what the records say."""

from pathlib import Path

import pytest

from vsseval.errors import InputError
from vsseval.records import find_records
from vsseval.reports.markdown import report
from vsseval.reports.terminal import insert_summary

ROOT = Path(__file__).parents[1]
DEMO = ROOT / "results" / "demo"
ORACLES = {"reference", "codec-tiny", "shuffled", "shifted", "noise", "silence"}


def demo_records():
    return [record for _, record in find_records(DEMO)]


def values(model: str, bench: str) -> dict[str, float | None]:
    (record,) = [r for r in demo_records() if (r.model.name, r.benchmark.name) == (model, bench)]
    return {score.metric: score.value for score in record.scores}


def test_every_model_ran_on_both_demo_benchmarks() -> None:
    ran = {(record.model.name, record.benchmark.name) for record in demo_records()}
    models = {"vssflow-tiny", *ORACLES}
    assert ran == {(model, f"demo-{task}") for model in models for task in ("sound", "speech")}


def test_committed_report_is_what_the_records_give() -> None:
    assert (DEMO / "report.md").read_text(encoding="utf-8") == report(demo_records())


def test_readme_shows_the_leaderboard_of_the_records() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert readme == insert_summary(readme, demo_records())


def test_document_without_marks_is_refused() -> None:
    with pytest.raises(InputError, match="leaderboard"):
        insert_summary("no marks", demo_records())


def test_demo_records_lost_no_clip() -> None:
    for record in demo_records():
        assert (record.counts.expected, record.counts.failed) == (96, 0), record.model.name


@pytest.mark.parametrize(
    ("bench", "metric"),
    [
        ("demo-sound", "fd.aisfx"),
        ("demo-sound", "kad.aisfx"),
        ("demo-sound", "kl.aisfx"),
        ("demo-sound", "onset_f1"),
        ("demo-sound", "onset_f1.annotated"),
        ("demo-sound", "onset_acc"),
        ("demo-speech", "mcd"),
        ("demo-speech", "mcd_dtw"),
        ("demo-speech", "mcd_dtw_sl"),
        ("demo-speech", "wer.tiny_en"),
        ("demo-speech", "cer.tiny_en"),
        ("demo-speech", "speaker_similarity.ge2e"),
    ],
)
def test_reference_is_best_in_paired_metrics(bench: str, metric: str) -> None:
    sign = -1 if metric.startswith(("fd", "kad", "kl", "mcd", "wer", "cer")) else 1
    best = sign * values("reference", bench)[metric]
    others = {name: sign * values(name, bench)[metric] for name in ("vssflow-tiny", *ORACLES)}
    assert {name for name, value in others.items() if value > best} == set()


@pytest.mark.parametrize(
    ("bench", "oracle", "metric"),
    [
        ("demo-sound", "shifted", "onset_f1"),
        ("demo-sound", "shifted", "av_align"),
        ("demo-sound", "shuffled", "kl.aisfx"),
        ("demo-sound", "shuffled", "onset_f1"),
        ("demo-speech", "shuffled", "wer.tiny_en"),
        *[
            ("demo-sound", oracle, metric)
            for oracle in ("noise", "silence")
            for metric in ("fd.aisfx", "kad.aisfx", "kl.aisfx", "onset_f1", "onset_acc", "av_align")
        ],
        *[
            ("demo-speech", oracle, metric)
            for oracle in ("noise", "silence")
            for metric in ("mcd_dtw_sl", "wer.tiny_en", "cer.tiny_en", "speaker_similarity.ge2e")
        ],
    ],
)
def test_oracle_loses_to_vssflow_where_the_metric_is_meant_to_show_it(
    bench: str, oracle: str, metric: str
) -> None:
    sign = -1 if metric.startswith(("fd", "kad", "kl", "mcd", "wer", "cer")) else 1
    assert sign * values("vssflow-tiny", bench)[metric] > sign * values(oracle, bench)[metric]
