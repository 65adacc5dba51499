"""Rows of the metrics of speech: one for each column a dubbing leaderboard can have."""

from __future__ import annotations

from vsseval.metrics.table_words import WORD_ROWS
from vsseval.types import Direction, Metric

_PYMCD = "pymcd 0.2.1, chenqi008/pymcd at 9321b74 (profile pymcd)"
_DNSMOS = "microsoft/DNS-Challenge at 591184a; C. K. A. Reddy et al. (2022), arXiv 2110.01763"
_CEPSTRA = ("reference:mcep-pymcd.mcep", "generated:mcep-pymcd.mcep")
_STANDARD = ("reference:mcep-standard.mcep", "generated:mcep-standard.mcep")
_STANDARD_F0 = (*_STANDARD, "reference:mcep-standard.f0", "generated:mcep-standard.f0")
_LEVELS = ("reference:levels.rms", "generated:levels.rms")
_GE2E = "L. Wan et al. (2018), arXiv 1710.10467; resemble-ai/Resemblyzer at 15d828e"
_ANOTHER, _TARGET = "another clip of the wanted speaker", "the recording itself (dubbing setting 1)"
_ECAPA = "S. Chen et al. (2022), arXiv 2110.13900; BytedanceSpeech/seed-tts-eval at 752f429"
_AUDIOBOX = "A. Tjandra et al. (2025), arXiv 2502.05139; audiobox-aesthetics at 2618e9d"


def _speaker_row(profile: str, encoder: str, title: str, whose: str, source: str) -> Metric:
    """A row of the similarity of two voices."""
    output = f"{encoder}.embedding"
    return Metric(
        id=f"speaker_similarity.{encoder}{profile}",
        title=title,
        task="speech",
        scope="clip",
        inputs=(f"{'reference' if profile else 'speaker'}:{output}", f"generated:{output}"),
        compute="vsseval.metrics.similarity:speaker_similarity_components",
        unit="100 x cosine",
        better="higher",
        definition=(
            f"100 times the cosine between the {title.partition('(')[2].partition(')')[0]} "
            f"embeddings of {whose} and of the generated speech; mean over clips."
        ),
        source=source,
        version=1,
    )


def _audiobox_row(axis: str, what: str, better: Direction = "higher") -> Metric:
    """A row of Audiobox aesthetics."""
    return Metric(
        id=f"audiobox.{axis}",
        title=f"Audiobox {axis.upper()}",
        task="any",
        scope="clip",
        inputs=(f"generated:audiobox-aesthetics.{axis}",),
        compute="vsseval.metrics.opinion:opinion_components",
        unit="points of 10",
        better=better,
        definition=f"Predicted {what} on a scale of 1 to 10; mean over clips.",
        source=_AUDIOBOX,
        version=1,
    )


SPEECH_ROWS = (
    Metric(
        id="mcd",
        title="MCD (pymcd)",
        task="speech",
        scope="clip",
        inputs=(*_CEPSTRA, *_LEVELS),
        compute="vsseval.metrics.cepstral:mcd_components",
        unit="dB",
        better="lower",
        definition=(
            "Mel-cepstral distortion frame by frame, c0 included; mean over clips. Silence has a "
            "finite value."
        ),
        source=_PYMCD,
        version=1,
        remark="vsseval.metrics.cepstral:flagged_clips",
    ),
    Metric(
        id="mcd_dtw",
        title="MCD-DTW (pymcd)",
        task="speech",
        scope="clip",
        inputs=(*_CEPSTRA, *_LEVELS),
        compute="vsseval.metrics.cepstral:mcd_dtw_components",
        unit="dB",
        better="lower",
        definition=(
            "Mel-cepstral distortion averaged over the path of FastDTW (radius 1), c0 in the cost "
            "and not in the alignment; mean over clips."
        ),
        source=_PYMCD,
        version=1,
        remark="vsseval.metrics.cepstral:flagged_clips",
    ),
    Metric(
        id="mcd_dtw_sl",
        title="MCD-DTW-SL (pymcd)",
        task="speech",
        scope="clip",
        inputs=(*_CEPSTRA, *_LEVELS),
        compute="vsseval.metrics.cepstral:mcd_dtw_sl_components",
        unit="dB",
        better="lower",
        definition=(
            "MCD-DTW times the ratio of the longer to the shorter number of frames; mean over "
            "clips. Equal to MCD-DTW when all systems keep the length of the video."
        ),
        source=f"{_PYMCD}; Q. Chen et al. (2022), arXiv 2111.12890",
        version=1,
        remark="vsseval.metrics.cepstral:flagged_clips",
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
        remark="vsseval.metrics.cepstral_standard:flagged_clips_standard",
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
        id="duration_ratio",
        title="Duration ratio",
        task="speech",
        scope="clip",
        inputs=("reference:levels.frames", "generated:levels.frames"),
        compute="vsseval.metrics.duration:duration_ratio_components",
        unit="ratio",
        better="lower",
        definition=(
            "Length of the speech of the longer side by that of the shorter, by an energy rule "
            "that bridges pauses of up to 200 ms; mean over clips. 1 is equal. Silent clips are "
            "excluded."
        ),
        source="definition in metrics/duration.py",
        version=1,
    ),
    *WORD_ROWS,
    _speaker_row("", "ge2e", "Speaker sim. (GE2E)", _ANOTHER, _GE2E),
    _speaker_row("@setting1", "ge2e", "Speaker sim. (GE2E) to the target", _TARGET, _GE2E),
    _speaker_row("", "wavlm-ecapa", "Speaker sim. (WavLM-ECAPA)", _ANOTHER, _ECAPA),
    _speaker_row(
        "@setting1", "wavlm-ecapa", "Speaker sim. (WavLM-ECAPA) to the target", _TARGET, _ECAPA
    ),
    Metric(
        id="utmos",
        title="UTMOS",
        task="speech",
        scope="clip",
        inputs=("generated:utmos22-strong.mos",),
        compute="vsseval.metrics.opinion:opinion_components",
        unit="MOS",
        better="higher",
        definition=(
            "Predicted naturalness of speech (scale 1 to 5), each clip by itself and without "
            "padding; mean over clips. It rates the vocoder above all."
        ),
        source="T. Saeki et al. (2022), arXiv 2204.02152; tarepan/SpeechMOS at ed25eac (v1.2.0)",
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
    _audiobox_row("pq", "production quality: free of noise, distortion and artefacts"),
    _audiobox_row(
        "pc",
        "production complexity: number of sources; papers on sound effects prefer few",
        "lower",
    ),
    _audiobox_row("ce", "content enjoyment: how much listeners like it"),
    _audiobox_row("cu", "content usefulness: as source material for further work"),
)
