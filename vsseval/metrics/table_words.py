"""Rows of the metrics of what is said: the same rates for each recogniser that listens."""

from __future__ import annotations

from typing import Literal, NamedTuple

from vsseval.types import Direction, Metric

_JIWER = "definition in metrics/transcription.py; counts as jiwer 4.0 process_words"
_GRID = "M. Cooke et al. (2006), JASA 120(5), table I; definition in metrics/grid.py"
_SUM = "100 * sum of word edits / sum of reference words over all clips, both texts "


class Recogniser(NamedTuple):
    """Who listens."""

    size: str
    """As ids of metrics have it."""
    title: str
    encoder: str
    source: str = "generated"
    """``heard`` where texts are given in place of a recogniser."""
    runtime: str = ""
    """Begins the profile in ids, so that metrics of another run time are only taken by name."""

    def metric_id(self, family: str, profile: str = "") -> str:
        """Such as ``wer.base@openai-styledubber``."""
        parts = "-".join(part for part in (self.runtime, profile) if part)
        return f"{family}.{self.size}{'@' if parts else ''}{parts}"


TINY_EN = Recogniser("tiny_en", "tiny.en", "whisper-tiny.en")
OTHERS = (
    Recogniser("base", "base", "whisper-base"),
    Recogniser("tiny_en", "OpenAI tiny.en", "openai-whisper-tiny.en", runtime="openai"),
    Recogniser("base", "OpenAI base", "openai-whisper-base", runtime="openai"),
    Recogniser("large-v3", "OpenAI large-v3", "openai-whisper-large-v3", runtime="openai"),
    Recogniser("given", "given transcriptions", "given-text", source="heard"),
)
"""Whisper base for GRID and large-v3 for V2C are those of StyleDubber's line of papers."""


def _row(
    listener: Recogniser,
    family: str,
    title: str,
    compute: str,
    definition: str,
    source: str = _JIWER,
    *,
    profile: str = "",
    better: Direction = "lower",
    pool: Literal["mean", "percent_ratio"] = "mean",
    **params: str,
) -> Metric:
    """One row; ``title`` holds ``{}`` for the recogniser."""
    return Metric(
        id=listener.metric_id(family, profile),
        title=title.format(listener.title),
        task="speech",
        scope="clip",
        inputs=("item:transcript", f"{listener.source}:{listener.encoder}.text"),
        compute=f"vsseval.metrics.{compute}",
        unit="%",
        better=better,
        definition=definition,
        source=source,
        version=1,
        pool=pool,
        params=params,
    )


def _rates(listener: Recogniser) -> tuple[Metric, ...]:
    """Error rates: pooled, per utterance, and in the profiles of other tools."""
    return (
        _row(
            listener,
            "wer",
            "WER ({})",
            "transcription:word_components",
            f"{_SUM}in the grid normal form; an empty transcription is all deletions. On clips "
            "with sound beside speech it is the rate of the mixture: nothing is separated first.",
            pool="percent_ratio",
            normaliser="grid",
        ),
        _row(
            listener,
            "cer",
            "CER ({})",
            "transcription:character_components",
            "100 * sum of character edits / sum of reference characters over all clips, both "
            "texts in the grid normal form, single spaces included.",
            "definition in metrics/transcription.py; counts as jiwer 4.0 process_characters",
            pool="percent_ratio",
            normaliser="grid",
        ),
        _row(
            listener,
            "wer_macro",
            "WER per utterance ({})",
            "transcription:word_rate_components",
            "Mean over clips of 100 * word edits / reference words, both texts in the grid normal "
            "form; short sentences weigh as much as long ones. Not the rate of the corpus.",
            normaliser="grid",
        ),
        _row(
            listener,
            "wer",
            "WER ({}, whisper-en)",
            "transcription:word_components",
            f"{_SUM}as Whisper's EnglishTextNormalizer leaves them. For sentences in free English; "
            "on GRID it punishes the letter O.",
            "openai-whisper 20250625, EnglishTextNormalizer; counts as jiwer 4.0",
            profile="whisper-en",
            pool="percent_ratio",
            normaliser="whisper-en",
        ),
        _row(
            listener,
            "wer",
            "WER ({}, whisper-basic)",
            "transcription:word_components",
            f"{_SUM}as Whisper's BasicTextNormalizer leaves them (VERSA's default). On GRID it "
            "punishes a perfect transcript: S9 is one word.",
            "openai-whisper 20250625, BasicTextNormalizer; wavlab-speech/versa at c398480",
            profile="whisper-basic",
            pool="percent_ratio",
            normaliser="whisper-basic",
        ),
        _row(
            listener,
            "wer",
            "WER ({}, seedtts, parity only)",
            "transcription:word_rate_components",
            "Mean over clips of 100 * word edits / reference words in the normal form of "
            "seed-tts-eval. Not comparable with a rate of the corpus.",
            "BytedanceSpeech/seed-tts-eval at 752f429, run_wer.py and average_wer.py",
            profile="seedtts",
            normaliser="seedtts",
        ),
        _row(
            listener,
            "wer",
            "WER ({}, StyleDubber, not comparable)",
            "transcription:styledubber_word_components",
            "The number of StyleDubber's script, for parity only: reference and hypothesis are "
            "exchanged, empty transcriptions are dropped, mean over clips. Not comparable with "
            "any word error rate.",
            "GalaxyCong/StyleDubber at bc431c8, Dub_Metric/WER_Whisper/Setting_test.py",
            profile="styledubber",
        ),
    )


def _kinds(listener: Recogniser) -> tuple[Metric, ...]:
    """The three kinds of edits, which add up to the word error rate."""
    return tuple(
        _row(
            listener,
            f"wer_{kind}",
            f"{kind.capitalize()} ({{}})",
            "transcription:word_kind_components",
            f"100 * sum of word {kind} / sum of reference words over all clips, both texts in the "
            f"grid normal form; substitutions, deletions and insertions add up to the rate.",
            pool="percent_ratio",
            kind=kind,
            normaliser="grid",
        )
        for kind in ("substitutions", "deletions", "insertions")
    )


def _grid(
    listener: Recogniser,
    family: str,
    title: str,
    compute: str,
    definition: str,
    *,
    profile: str = "",
    lexicon: str = "exact",
    **params: str,
) -> Metric:
    """A row of the accuracy of recognised GRID sentences."""
    return _row(
        listener,
        family,
        title,
        f"grid:{compute}",
        f"{definition} Clips whose transcript is not a GRID sentence are excluded.",
        _GRID,
        profile=profile,
        better="higher",
        pool="mean",
        lexicon=lexicon,
        **params,
    )


def _slots(listener: Recogniser) -> Metric:
    """The mean accuracy over slots."""
    return _grid(
        listener,
        "grid_slot_accuracy",
        "GRID slots ({})",
        "slot_components",
        "Share of the six words of a GRID sentence (command, colour, preposition, letter, digit, "
        "adverb) that are hits in the transcription; mean over clips.",
    )


def _slots_in_detail(listener: Recogniser) -> tuple[Metric, ...]:
    """Other spellings, whole sentences, each slot by itself."""
    return (
        _grid(
            listener,
            "grid_slot_accuracy",
            "GRID slots ({}, homophones)",
            "slot_components",
            f"As {listener.metric_id('grid_slot_accuracy')}, where another spelling of the same "
            "sound counts: see is c, for is four, bye is by.",
            profile="homophones",
            lexicon="grid-homophones",
        ),
        _grid(
            listener,
            "grid_sentence_accuracy",
            "GRID sentences ({})",
            "sentence_components",
            "Share of clips of which all six words are hits in the transcription.",
        ),
        *(
            _grid(
                listener,
                f"grid_{slot}_accuracy",
                f"GRID {slot} ({{}})",
                "one_slot_components",
                f"Share of clips whose {slot} is a hit in the transcription.",
                slot=slot,
            )
            for slot in ("command", "colour", "preposition", "letter", "digit", "adverb")
        ),
    )


WORD_ROWS = (
    *_rates(TINY_EN),
    *_kinds(TINY_EN),
    _slots(TINY_EN),
    *_slots_in_detail(TINY_EN),
    *(row for listener in OTHERS for row in (*_rates(listener), _slots(listener))),
)
