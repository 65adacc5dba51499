"""Rows of the metrics of speech: one for each column a dubbing leaderboard can have."""

from __future__ import annotations

from vsseval.types import Metric

_PYMCD = "pymcd 0.2.1, chenqi008/pymcd at 9321b74 (profile pymcd)"
_DNSMOS = "microsoft/DNS-Challenge at 591184a; C. K. A. Reddy et al. (2022), arXiv 2110.01763"
_CEPSTRA = ("reference:mcep-pymcd.mcep", "generated:mcep-pymcd.mcep")
_STANDARD = ("reference:mcep-standard.mcep", "generated:mcep-standard.mcep")
_STANDARD_F0 = (*_STANDARD, "reference:mcep-standard.f0", "generated:mcep-standard.f0")
_WORDS = ("item:transcript", "generated:whisper-tiny.en.text")
_GRID = "M. Cooke et al. (2006), JASA 120(5), table I; definition in metrics/grid.py"


def _grid_row(metric_id: str, title: str, function: str, definition: str, **params: str) -> Metric:
    """A row of the accuracy of recognised GRID sentences."""
    return Metric(
        id=metric_id,
        title=title,
        task="speech",
        scope="clip",
        inputs=_WORDS,
        compute=f"vsseval.metrics.grid:{function}",
        unit="%",
        better="higher",
        definition=f"{definition} Clips whose transcript is not a GRID sentence are excluded.",
        source=_GRID,
        version=1,
        params=params,
    )


SPEECH_ROWS = (
    Metric(
        id="mcd",
        title="MCD (pymcd)",
        task="speech",
        scope="clip",
        inputs=_CEPSTRA,
        compute="vsseval.metrics.cepstral:mcd_components",
        unit="dB",
        better="lower",
        definition=(
            "Mel-cepstral distortion frame by frame, c0 included; mean over clips. Silence has a "
            "finite value."
        ),
        source=_PYMCD,
        version=1,
    ),
    Metric(
        id="mcd_dtw",
        title="MCD-DTW (pymcd)",
        task="speech",
        scope="clip",
        inputs=_CEPSTRA,
        compute="vsseval.metrics.cepstral:mcd_dtw_components",
        unit="dB",
        better="lower",
        definition=(
            "Mel-cepstral distortion averaged over the path of FastDTW (radius 1), c0 in the cost "
            "and not in the alignment; mean over clips."
        ),
        source=_PYMCD,
        version=1,
    ),
    Metric(
        id="mcd_dtw_sl",
        title="MCD-DTW-SL (pymcd)",
        task="speech",
        scope="clip",
        inputs=_CEPSTRA,
        compute="vsseval.metrics.cepstral:mcd_dtw_sl_components",
        unit="dB",
        better="lower",
        definition=(
            "MCD-DTW times the ratio of the longer to the shorter number of frames; mean over "
            "clips. Equal to MCD-DTW when all systems keep the length of the video."
        ),
        source=f"{_PYMCD}; Q. Chen et al. (2022), arXiv 2111.12890",
        version=1,
    ),
    Metric(
        id="mcd_dtw@standard",
        title="MCD-DTW (standard)",
        task="speech",
        scope="clip",
        inputs=(*_STANDARD, "reference:mcep-standard.rms", "generated:mcep-standard.rms"),
        compute="vsseval.metrics.cepstral_standard:mcd_dtw_standard_components",
        unit="dB",
        better="lower",
        definition=(
            "Mel-cepstral distortion over c1 to c24 averaged over the exact DTW path; independent "
            "of loudness; mean over clips. Silent clips are excluded."
        ),
        source="R. F. Kubichek (1993); definition in metrics/cepstral_standard.py",
        version=1,
    ),
    Metric(
        id="f0_rmse@standard",
        title="F0 RMSE (standard)",
        task="speech",
        scope="clip",
        inputs=_STANDARD_F0,
        compute="vsseval.metrics.pitch:f0_rmse_components",
        unit="Hz",
        better="lower",
        definition=(
            "Root mean square error of F0 over the cells of the exact DTW path that are voiced on "
            "both sides; mean over clips with at least 10 of them."
        ),
        source="definition in metrics/pitch.py; F0 by Harvest, M. Morise (2017)",
        version=1,
    ),
    Metric(
        id="f0_rmse_cents@standard",
        title="F0 RMSE in cents (standard)",
        task="speech",
        scope="clip",
        inputs=_STANDARD_F0,
        compute="vsseval.metrics.pitch:f0_rmse_cents_components",
        unit="cents",
        better="lower",
        definition=(
            "Root mean square of 1200 log2 of the ratio of F0 over the cells of the exact DTW path "
            "that are voiced on both sides; mean over clips with at least 10 of them."
        ),
        source="definition in metrics/pitch.py; F0 by Harvest, M. Morise (2017)",
        version=1,
    ),
    Metric(
        id="voicing_error@standard",
        title="Voicing error (standard)",
        task="speech",
        scope="clip",
        inputs=_STANDARD_F0,
        compute="vsseval.metrics.pitch:voicing_error_components",
        unit="%",
        better="lower",
        definition=(
            "Share of the cells of the exact DTW path that are voiced on one side only; mean over "
            "clips."
        ),
        source="T. Nakatani et al. (2008); definition in metrics/pitch.py",
        version=1,
    ),
    Metric(
        id="wer.tiny_en",
        title="WER (tiny.en)",
        task="speech",
        scope="clip",
        inputs=_WORDS,
        compute="vsseval.metrics.transcription:word_components",
        unit="%",
        better="lower",
        definition=(
            "100 * sum of word edits / sum of reference words over all clips, both texts in the "
            "grid normal form; an empty transcription is all deletions."
        ),
        source="definition in metrics/transcription.py; counts as jiwer 4.0 process_words",
        version=1,
        pool="percent_ratio",
        params={"normaliser": "grid"},
    ),
    Metric(
        id="cer.tiny_en",
        title="CER (tiny.en)",
        task="speech",
        scope="clip",
        inputs=_WORDS,
        compute="vsseval.metrics.transcription:character_components",
        unit="%",
        better="lower",
        definition=(
            "100 * sum of character edits / sum of reference characters over all clips, both "
            "texts in the grid normal form, single spaces included."
        ),
        source="definition in metrics/transcription.py; counts as jiwer 4.0 process_characters",
        version=1,
        pool="percent_ratio",
        params={"normaliser": "grid"},
    ),
    Metric(
        id="wer_macro.tiny_en",
        title="WER per utterance (tiny.en)",
        task="speech",
        scope="clip",
        inputs=_WORDS,
        compute="vsseval.metrics.transcription:word_rate_components",
        unit="%",
        better="lower",
        definition=(
            "Mean over clips of 100 * word edits / reference words, both texts in the grid normal "
            "form; short sentences weigh as much as long ones. Not the rate of the corpus."
        ),
        source="definition in metrics/transcription.py; counts as jiwer 4.0 process_words",
        version=1,
        params={"normaliser": "grid"},
    ),
    Metric(
        id="wer.tiny_en@whisper-en",
        title="WER (tiny.en, whisper-en)",
        task="speech",
        scope="clip",
        inputs=_WORDS,
        compute="vsseval.metrics.transcription:word_components",
        unit="%",
        better="lower",
        definition=(
            "100 * sum of word edits / sum of reference words over all clips, both texts as "
            "Whisper's EnglishTextNormalizer leaves them. For sentences in free English; on GRID "
            "it punishes the letter O."
        ),
        source="openai-whisper 20250625, EnglishTextNormalizer; counts as jiwer 4.0",
        version=1,
        pool="percent_ratio",
        params={"normaliser": "whisper-en"},
    ),
    Metric(
        id="wer.tiny_en@whisper-basic",
        title="WER (tiny.en, whisper-basic)",
        task="speech",
        scope="clip",
        inputs=_WORDS,
        compute="vsseval.metrics.transcription:word_components",
        unit="%",
        better="lower",
        definition=(
            "100 * sum of word edits / sum of reference words over all clips, both texts as "
            "Whisper's BasicTextNormalizer leaves them (VERSA's default). On GRID it punishes a "
            "perfect transcript: S9 is one word."
        ),
        source="openai-whisper 20250625, BasicTextNormalizer; wavlab-speech/versa at c398480",
        version=1,
        pool="percent_ratio",
        params={"normaliser": "whisper-basic"},
    ),
    Metric(
        id="wer.tiny_en@seedtts",
        title="WER (tiny.en, seedtts, parity only)",
        task="speech",
        scope="clip",
        inputs=_WORDS,
        compute="vsseval.metrics.transcription:word_rate_components",
        unit="%",
        better="lower",
        definition=(
            "Mean over clips of 100 * word edits / reference words in the normal form of "
            "seed-tts-eval. Not comparable with a rate of the corpus."
        ),
        source="BytedanceSpeech/seed-tts-eval at 752f429, run_wer.py and average_wer.py",
        version=1,
        params={"normaliser": "seedtts"},
    ),
    Metric(
        id="wer.tiny_en@styledubber",
        title="WER (tiny.en, StyleDubber, not comparable)",
        task="speech",
        scope="clip",
        inputs=_WORDS,
        compute="vsseval.metrics.transcription:styledubber_word_components",
        unit="%",
        better="lower",
        definition=(
            "The number of StyleDubber's script, for parity only: reference and hypothesis are "
            "exchanged, empty transcriptions are dropped, mean over clips. Not comparable with "
            "any word error rate."
        ),
        source="GalaxyCong/StyleDubber at bc431c8, Dub_Metric/WER_Whisper/Setting_test.py",
        version=1,
    ),
    _grid_row(
        "grid_slot_accuracy.tiny_en",
        "GRID slots (tiny.en)",
        "slot_components",
        "Share of the six words of a GRID sentence (command, colour, preposition, letter, digit, "
        "adverb) that are hits in the transcription; mean over clips.",
        lexicon="exact",
    ),
    _grid_row(
        "grid_slot_accuracy.tiny_en@homophones",
        "GRID slots (tiny.en, homophones)",
        "slot_components",
        "As grid_slot_accuracy.tiny_en, where another spelling of the same sound counts: see is "
        "c, for is four, bye is by.",
        lexicon="grid-homophones",
    ),
    _grid_row(
        "grid_sentence_accuracy.tiny_en",
        "GRID sentences (tiny.en)",
        "sentence_components",
        "Share of clips of which all six words are hits in the transcription.",
        lexicon="exact",
    ),
    *(
        _grid_row(
            f"grid_{slot}_accuracy.tiny_en",
            f"GRID {slot} (tiny.en)",
            "one_slot_components",
            f"Share of clips whose {slot} is a hit in the transcription.",
            slot=slot,
            lexicon="exact",
        )
        for slot in ("command", "colour", "preposition", "letter", "digit", "adverb")
    ),
    Metric(
        id="speaker_similarity.ge2e",
        title="Speaker sim. (GE2E)",
        task="speech",
        scope="clip",
        inputs=("speaker:ge2e.embedding", "generated:ge2e.embedding"),
        compute="vsseval.metrics.similarity:speaker_similarity_components",
        unit="100 x cosine",
        better="higher",
        definition=(
            "100 times the cosine between the GE2E embeddings of another clip of the wanted "
            "speaker and of the generated speech; mean over clips."
        ),
        source="L. Wan et al. (2018), arXiv 1710.10467; resemble-ai/Resemblyzer at 15d828e",
        version=1,
    ),
    Metric(
        id="dnsmos.ovrl",
        title="DNSMOS OVRL",
        task="speech",
        scope="clip",
        inputs=("generated:dnsmos.ovrl",),
        compute="vsseval.metrics.opinion:opinion_components",
        unit="MOS",
        better="higher",
        definition="Predicted overall quality (ITU-T P.835 scale 1 to 5); mean over clips.",
        source=_DNSMOS,
        version=1,
    ),
    Metric(
        id="dnsmos.sig",
        title="DNSMOS SIG",
        task="speech",
        scope="clip",
        inputs=("generated:dnsmos.sig",),
        compute="vsseval.metrics.opinion:opinion_components",
        unit="MOS",
        better="higher",
        definition="Predicted quality of the speech signal (P.835, 1 to 5); mean over clips.",
        source=_DNSMOS,
        version=1,
    ),
    Metric(
        id="dnsmos.bak",
        title="DNSMOS BAK",
        task="speech",
        scope="clip",
        inputs=("generated:dnsmos.bak",),
        compute="vsseval.metrics.opinion:opinion_components",
        unit="MOS",
        better="higher",
        definition="Predicted absence of background noise (P.835, 1 to 5); mean over clips.",
        source=_DNSMOS,
        version=1,
    ),
    Metric(
        id="dnsmos.p808",
        title="DNSMOS P.808",
        task="speech",
        scope="clip",
        inputs=("generated:dnsmos.p808",),
        compute="vsseval.metrics.opinion:opinion_components",
        unit="MOS",
        better="higher",
        definition="Predicted overall quality (ITU-T P.808 scale 1 to 5); mean over clips.",
        source=_DNSMOS,
        version=1,
    ),
)
