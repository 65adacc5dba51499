"""What is committed under results/ and shown in the README is what the records say."""

from pathlib import Path

import pytest

from vsseval.errors import InputError
from vsseval.metrics.table import METRICS
from vsseval.records import find_records
from vsseval.reports.compare import compare
from vsseval.reports.markdown import report
from vsseval.reports.pairs import find_results
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


def test_all_results_make_one_leaderboard() -> None:
    # A run that is committed in two folders would be refused, as by `vsseval leaderboard results`.
    assert len(find_results(ROOT / "results").records) > len(demo_records())


def test_readme_shows_the_leaderboard_of_the_records() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert readme == insert_summary(readme, demo_records())


def test_document_without_marks_is_refused() -> None:
    with pytest.raises(InputError, match="leaderboard"):
        insert_summary("no marks", demo_records())


def test_demo_records_lost_no_clip() -> None:
    for record in demo_records():
        assert (record.counts.expected, record.counts.failed) == (96, 0), record.model.name


# Metrics that compare a clip with its own reference, picture or transcript.
PAIRED = {
    "demo-sound": (
        "fd.aisfx",
        "kad.aisfx",
        "kl.aisfx",
        "label_accuracy.aisfx",
        "label_accuracy.demo",
        "onset_f1",
        "onset_f1.annotated",
        "onset_ap",
        "relevance.demo",
        "av_align",
    ),
    "demo-speech": (
        "mcd",
        "mcd_dtw",
        "mcd_dtw_sl",
        "wer.tiny_en",
        "cer.tiny_en",
        "grid_slot_accuracy.tiny_en",
        "speaker_similarity.ge2e",
        "lse_d.demo",
        "lse_c.demo",
        "lse_offset.demo",
        "lse_d0.demo",
    ),
}
SYSTEMS = {"vssflow-tiny", *ORACLES}


def lead(bench: str, metric: str, first: str, second: str) -> float:
    """How much better the first model is than the second."""
    sign = 1 if METRICS[metric].better == "higher" else -1
    return sign * (values(first, bench)[metric] - values(second, bench)[metric])


def folder(model: str, bench: str) -> Path:
    (path,) = (DEMO / bench / model).iterdir()
    return path


@pytest.mark.parametrize(("bench", "metric"), [(b, m) for b in PAIRED for m in PAIRED[b]])
def test_reference_is_best_or_tied_in_paired_metrics(bench: str, metric: str) -> None:
    # A model with a better value is tied if the paired test cannot tell the two apart.
    for other in SYSTEMS - {"reference"}:
        if lead(bench, metric, "reference", other) >= 0:
            continue
        (found,) = [
            one
            for one in compare(folder("reference", bench), folder(other, bench))
            if one.metric == metric
        ]
        assert found.p_value is not None
        assert found.p_value > 0.05, (other, found.p_value)


@pytest.mark.parametrize(
    ("bench", "oracle", "metric"),
    [
        *[("demo-sound", "shifted", metric) for metric in ("onset_f1", "onset_ap", "av_align")],
        ("demo-sound", "shifted", "relevance.demo"),
        *[
            ("demo-sound", "shuffled", metric)
            for metric in (
                "kl.aisfx",
                "label_accuracy.aisfx",
                "label_accuracy.demo",
                "onset_f1",
                "onset_ap",
                "relevance.demo",
            )
        ],
        *[
            ("demo-speech", "shifted", metric)
            for metric in ("lse_d.demo", "lse_offset.demo", "lse_d0.demo")
        ],
        *[
            ("demo-speech", "shuffled", metric)
            for metric in ("wer.tiny_en", "lse_d.demo", "lse_c.demo", "lse_d0.demo")
        ],
        *[
            ("demo-sound", oracle, metric)
            for oracle in ("noise", "silence")
            for metric in PAIRED["demo-sound"]
        ],
        *[
            ("demo-speech", oracle, metric)
            for oracle in ("noise", "silence")
            for metric in (
                "mcd_dtw_sl",
                "wer.tiny_en",
                "cer.tiny_en",
                "speaker_similarity.ge2e",
                "lse_d.demo",
                "lse_c.demo",
                "lse_d0.demo",
            )
        ],
    ],
)
def test_oracle_loses_to_vssflow_where_the_metric_is_meant_to_show_it(
    bench: str, oracle: str, metric: str
) -> None:
    assert lead(bench, metric, "vssflow-tiny", oracle) > 0


def test_relevance_ranks_reference_then_vssflow_then_another_clip() -> None:
    for better, worse in (("reference", "vssflow-tiny"), ("vssflow-tiny", "shuffled")):
        assert lead("demo-sound", "relevance.demo", better, worse) > 5


def test_codec_is_the_ceiling_of_vssflow_in_what_is_said() -> None:
    assert lead("demo-speech", "wer.tiny_en", "codec-tiny", "vssflow-tiny") > 0
    # What a small model is asked for: at most 20 points of word error above its codec.
    assert lead("demo-speech", "wer.tiny_en", "codec-tiny", "vssflow-tiny") < 20


def test_demo_speech_shows_every_kind_of_score() -> None:
    shown = set(values("codec-tiny", "demo-speech"))
    assert set(PAIRED["demo-speech"]) | {"dnsmos.ovrl", "dnsmos.p808"} <= shown
