"""What speech can be like: bad files and odd transcripts, through a run or a score.

The sentence is hill.flac, spoken by flite: "we never saw the other side of the hill".
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from click.testing import CliRunner

from vsseval.cli import main
from vsseval.records import RunRecord, read_clips
from vsseval.run import Request, Result, run

HILL = Path(__file__).parent / "encoders" / "hill.flac"
WORDS = "we never saw the other side of the hill"
RATE = 16000
CEPSTRAL = ("mcd", "mcd_dtw", "mcd_dtw_sl", "mcd_dtw@standard")
PITCH = ("f0_rmse@standard", "voicing_error@standard")
SIGNAL = (*CEPSTRAL, *PITCH, "duration_ratio")
NETWORKS = ("speaker_similarity.ge2e", "dnsmos.ovrl", "wer.tiny_en", "cer.tiny_en")


@pytest.fixture
def hill() -> np.ndarray:
    samples, rate = soundfile.read(HILL, dtype="float32")
    assert rate == RATE
    return samples


@pytest.fixture
def speak(tmp_path: Path, hill: np.ndarray) -> Callable[..., Result]:
    """``speak(samples)`` scores what a model says in place of hill.flac."""
    root = tmp_path / "said"
    root.mkdir()
    about = {"name": "said", "version": "1", "task": "speech", "clip_seconds": 2.63}
    (root / "benchmark.json").write_text(json.dumps(about | {"sample_rate": RATE, "metrics": []}))
    soundfile.write(root / "hill.flac", hill, RATE)
    runs: list[int] = []

    def score(
        samples: np.ndarray,
        rate: int = RATE,
        *,
        metrics: tuple[str, ...] = SIGNAL,
        transcript: str | None = WORDS,
        reference: np.ndarray | None = None,
        subtype: str = "PCM_16",
    ) -> Result:
        line = {"id": "hill", "duration": len(hill) / RATE, "audio": "hill.flac"}
        line |= {"speaker_audio": "hill.flac"}
        line |= {"transcript": transcript} if transcript is not None else {}
        (root / "manifest.jsonl").write_text(json.dumps(line))
        if reference is not None:
            soundfile.write(root / "hill.flac", reference, RATE)
        runs.append(1)
        folder = tmp_path / f"model{len(runs)}"
        folder.mkdir()
        soundfile.write(folder / "hill.wav", samples, rate, subtype=subtype)
        request = Request(f"folder:{folder}", "said", tmp_path / "cache", metrics, data=root)
        return run(request, tmp_path / "results")

    return score


def values(result: Result) -> dict[str, float | None]:
    return {score.metric: score.value for score in result.record.scores}


def reasons(record: RunRecord) -> dict[str, str]:
    return {score.metric: reason for score in record.scores for reason in score.excluded.values()}


def another(hill: np.ndarray) -> np.ndarray:
    """The sentence through a hiss, so that no value is the best one."""
    noise = 0.01 * np.random.RandomState(3).standard_normal(len(hill))
    return np.asarray(0.7 * hill + noise, dtype=np.float32)


BEHIND = {
    "zeros": lambda count: np.zeros(count),
    "noise": lambda count: 0.3 * np.random.RandomState(4).standard_normal(count),
}


def same_when_padded(speak, samples: np.ndarray, rate: int, metrics: tuple[str, ...]) -> None:
    plain = speak(samples, rate, metrics=metrics)
    assert None not in values(plain).values()
    for make in BEHIND.values():
        behind = np.clip(make(10 * rate - len(samples)), -1, 1).astype(np.float32)
        padded = speak(np.concatenate([samples, behind]), rate, metrics=metrics)
        assert values(padded) == values(plain)
        for name in metrics:
            assert read_clips(padded.folder)[name] == read_clips(plain.folder)[name]


@pytest.mark.parametrize("rate", [RATE, 24000])
def test_a_model_that_pads_to_10_s_has_the_same_numbers(speak, hill, rate: int) -> None:
    samples = another(hill)
    if rate != RATE:
        samples = soxr.resample(samples, RATE, rate)
    same_when_padded(speak, samples, rate, SIGNAL)


@pytest.mark.weights
def test_networks_hear_no_padding_either(speak, hill) -> None:
    same_when_padded(speak, another(hill), RATE, NETWORKS)


def test_silent_output_is_scored_badly_or_left_out_and_named(speak, hill) -> None:
    result = speak(np.zeros_like(hill))
    found = values(result)
    # The parity profile gives a number to silence, far above any speech's, and says why.
    for name in ("mcd", "mcd_dtw", "mcd_dtw_sl"):
        assert found[name] > 15.0
    notes = {score.metric: score.note for score in result.record.scores}
    assert "levels over 3 dB apart" in notes["mcd_dtw"]
    silent = "the generated audio is silent: its mel-cepstra do not move"
    assert reasons(result.record) == {
        "mcd_dtw@standard": silent,
        "f0_rmse@standard": silent,
        "voicing_error@standard": silent,
        "duration_ratio": "the generated audio is silent: its speech has no length",
    }
    assert list(result.record.sanity.findings["silent"]) == ["hill"]


def test_output_of_5_ms_is_padded_and_noted(speak, hill) -> None:
    result = speak(hill[8000:8080])
    assert result.record.warnings == {
        "hill": "0.01 s long, the item lasts 2.63 s: padded with zeros"
    }
    found = values(result)
    assert found["mcd_dtw"] > 15.0
    assert found["duration_ratio"] > 50.0
    # Nothing is voiced on both sides, and the silence of the rest is no voice.
    assert reasons(result.record) == {
        "f0_rmse@standard": "0 cells are voiced on both sides, 10 are needed"
    }
    assert "length" in result.record.sanity.findings


def test_silence_on_both_sides_has_no_value(speak, hill) -> None:
    result = speak(np.zeros_like(hill), reference=np.zeros_like(hill))
    assert set(values(result).values()) == {None}
    assert all("the reference is silent" in text for text in reasons(result.record).values())
    assert list(reasons(result.record)) == list(SIGNAL)


@pytest.mark.weights
def test_silence_is_heard_as_no_words(speak, hill) -> None:
    found = values(speak(np.zeros_like(hill), metrics=NETWORKS))
    assert (found["wer.tiny_en"], found["cer.tiny_en"]) == (100.0, 100.0)
    assert found["dnsmos.ovrl"] < 2.0
    assert found["speaker_similarity.ge2e"] < 60.0


def test_other_rates_are_resampled(speak, hill) -> None:
    found = values(speak(soxr.resample(hill, RATE, 44100), 44100, subtype="FLOAT"))
    assert found["mcd_dtw"] < 0.01
    assert found["mcd_dtw@standard"] < 0.5
    assert found["duration_ratio"] == 1.0


def test_a_header_with_the_wrong_rate_is_seen(speak, hill) -> None:
    # 16-kHz samples said to be at 22.05 kHz: faster, higher, and too short.
    result = speak(hill, 22050)
    assert "padded with zeros" in result.record.warnings["hill"]
    assert "length" in result.record.sanity.findings
    # 12 log2(22.05 / 16) semitones are 555 cents; the path is not exact.
    cents = values(speak(hill, 22050, metrics=("f0_rmse_cents@standard",)))
    assert cents["f0_rmse_cents@standard"] > 300


def test_nan_is_a_failure_with_its_reason(speak, hill) -> None:
    broken = hill.copy()
    broken[100] = np.nan
    record = speak(broken, subtype="FLOAT").record
    assert (record.counts.generated, record.counts.failed) == (0, 1)
    assert "not finite" in record.failures["hill"]
    assert all(score.value is None for score in record.scores)


@pytest.mark.weights
def test_without_a_transcript_words_are_not_scored_and_the_rest_is(speak, hill) -> None:
    result = speak(hill, metrics=("wer.tiny_en", "mcd_dtw"), transcript=None)
    assert reasons(result.record) == {"wer.tiny_en": "no transcript"}
    assert values(result) == {"wer.tiny_en": None, "mcd_dtw": 0.0}


# --- transcriptions that somebody gives, without any recogniser ---


@pytest.fixture
def words(tmp_path: Path, hill: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict]:
    """Scores of ``vsseval score --heard`` over texts (said, heard), without any weights."""
    monkeypatch.setenv("VSSEVAL_WEIGHTS", str(tmp_path / "no-weights"))

    def score(*pairs: tuple[str, str | None], metrics: str | None = None) -> dict:
        for side in ("ours", "theirs"):
            (tmp_path / side).mkdir(exist_ok=True)
            for at in range(len(pairs)):
                soundfile.write(tmp_path / side / f"{at}.flac", hill[:8000], RATE)
        lines: dict[str, list[str]] = {"said": [], "heard": []}
        for at, (said, heard) in enumerate(pairs):
            lines["said"].append(json.dumps({"id": str(at), "text": said}))
            if heard is not None:
                lines["heard"].append(json.dumps({"id": str(at), "text": heard}))
        for name, content in lines.items():
            (tmp_path / f"{name}.jsonl").write_text("\n".join(content))
        command = [
            *("score", "--generated", tmp_path / "ours", "--reference", tmp_path / "theirs"),
            *("--transcripts", tmp_path / "said.jsonl", "--heard", tmp_path / "heard.jsonl"),
            *(("--metrics", metrics) if metrics else ()),
            *("--cache", tmp_path / "cache", "--workers", 1, "--json"),
        ]
        result = CliRunner().invoke(main, [str(word) for word in command])
        assert result.exit_code == 0, result.output
        return {score["metric"]: score for score in json.loads(result.stdout)["scores"]}

    return score


LETTER_O = ("bin blue at o nine", "Bin blue at O9.")


def test_capitals_digits_and_the_letter_o_are_the_same_words(words) -> None:
    names = ("wer.given", "cer.given", "wer.given@whisper-en", "wer.given@whisper-basic")
    found = words(LETTER_O, metrics=",".join(names))
    # whisper-en: "bin blue at 09" against "bin blue at 0 9", 2 edits of 4 words; whisper-basic:
    # "o nine" against "o9", 2 of 5.
    assert [found[name]["value"] for name in names] == [0.0, 0.0, 50.0, 40.0]
    sentence = words(("bin blue at o nine now", "BIN BLUE AT O9, now!"))
    assert sentence["grid_slot_accuracy.given"]["value"] == 100.0


def test_another_language_is_all_errors(words) -> None:
    found = words(("bin blue at s nine now", "eins zwei drei vier fünf sechs sieben"))
    # Six substitutions and an insertion.
    assert found["wer.given"]["value"] == pytest.approx(700 / 6)
    assert found["grid_slot_accuracy.given"]["value"] == 0.0
    script = words(("bin blue", "配置 蓝色"), metrics="wer.given,cer.given")
    assert script["wer.given"]["value"] == 100.0


def test_nothing_heard_counts_and_what_is_not_given_does_not(words) -> None:
    found = words(("bin blue", ""), ("set red", "set red"), ("lay", None), metrics="wer.given")
    score = found["wer.given"]
    # Two deletions of four words: the empty transcription counts, the absent one has a reason.
    assert (score["value"], score["n_scored"], score["n_expected"]) == (50.0, 2, 3)
    assert "no transcription was given" in score["excluded"]["2"]
    assert "given-text" in score["signature"]


def test_given_texts_take_the_place_of_recognisers(words) -> None:
    found = words(("bin blue", "bin blue"))
    assert found["wer.given"]["value"] == 0.0
    assert not [name for name in found if "tiny_en" in name]
    assert "mcd_dtw" in found
