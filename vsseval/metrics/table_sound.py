"""Rows of the metrics of sound that compare distributions and classes: FD, KAD, KID, IS, KL.

One row a backbone and dialect. The profile after ``@`` is that of ``vsseval.metrics.profiles``; a
row without one is ours.
"""

from __future__ import annotations

from dataclasses import replace

from vsseval.types import Metric

_FRECHET_SOURCE = "Dowson and Landau (1982); K. Kilgour et al. (2019), arXiv 1812.08466"
_AVBENCH = "hkchengrex/av-benchmark at 050a5cd (profile avbench)"
_AUDIOLDM = "haoheliu/audioldm_eval at 8dc07ee"
_FADTK = "A. Gui et al. (2024), arXiv 2311.01616; microsoft/fadtk at ec74b1f (profile fadtk)"


def _embeddings(encoder: str) -> tuple[str, str]:
    return f"reference:{encoder}.embedding", f"generated:{encoder}.embedding"


def _logits(encoder: str) -> tuple[str, str]:
    return f"reference:{encoder}.logits", f"generated:{encoder}.logits"


def _frechet(encoder: str, title: str, what: str, suffix: str = "", source: str = "") -> Metric:
    """Fréchet distance on the rows of an encoder."""
    return Metric(
        id=f"fd.{encoder.partition('@')[0]}{suffix}",
        title=title,
        task="sound",
        scope="set",
        inputs=_embeddings(encoder),
        compute="vsseval.metrics.influence:frechet_set_value",
        unit="squared distance",
        better="lower",
        definition=(
            f"Fréchet distance between Gaussians fitted to the {what} of all clips: |mu1 - mu2|^2 "
            "+ tr S1 + tr S2 - 2 tr (S1^1/2 S2 S1^1/2)^1/2. Biased upwards when there are few "
            "rows for their dimensions; the interval is around the value less its bias, clips "
            "paired."
        ),
        source="; ".join(filter(None, (_FRECHET_SOURCE, source))),
        version=1,
        pool="set",
    )


def _outside_speech(row: Metric) -> Metric:
    """The same of both sides with the speech erased."""
    return replace(
        row,
        id=f"{row.id}-nonspeech",
        inputs=tuple(text.replace(":", "_nonspeech:", 1) for text in row.inputs),
        definition=f"As {row.id}, of both sides with the stated intervals of speech erased.",
        source=f"{row.source}; docs/joint.md",
    )


def _frechet_infinity(encoder: str, title: str, draw: str, suffix: str = "") -> Metric:
    """Fréchet distance extrapolated to endless generated data."""
    whole = "whole clips drawn" if draw == "clips" else "rows drawn as if those of a clip were free"
    return Metric(
        id=f"fd_inf.{encoder.partition('@')[0]}{suffix}",
        title=title,
        task="sound",
        scope="set",
        inputs=_embeddings(encoder),
        compute="vsseval.metrics.frechet_fadtk:frechet_infinity",
        unit="squared distance",
        better="lower",
        definition=(
            "Fréchet distance extrapolated to endless generated data: intercept of the line over "
            f"1 / n through 25 sizes from 500 rows on, {whole} with replacement and a stated seed. "
            "It tends to the plain distance of the same rows and keeps its bias: the interval of "
            "the plain distance says more."
        ),
        source=_FADTK if draw == "rows" else f"variant, whole clips, seeded, of: {_FADTK}",
        version=1,
        pool="set",
        params={"draw": draw, "draw_seed": 2020},
    )


def _frechet_of_a_clip(encoder: str, title: str, suffix: str) -> Metric:
    return Metric(
        id=f"fd_clip.{encoder.partition('@')[0]}{suffix}",
        title=title,
        task="sound",
        scope="set",
        inputs=_embeddings(encoder),
        compute="vsseval.metrics.frechet_fadtk:frechet_per_clip_set_value",
        unit="squared distance",
        better="lower",
        definition=(
            "Fréchet distance between the rows of one generated clip and the whole reference set, "
            "mean over clips. Mostly the spread that a single clip lacks."
        ),
        source=_FADTK,
        version=1,
        pool="set",
    )


def _kernel(encoder: str, title: str, suffix: str = "") -> Metric:
    """Kernel audio distance; profile kadtk-1.1 takes the bandwidth of the generated set."""
    of_generated = suffix == "@kadtk-1.1"
    rule = (
        "with the bandwidth of the generated set, so that each system is measured with a kernel "
        "of its own"
        if of_generated
        else "whose bandwidth is the median pairwise distance of the reference set"
    )
    return Metric(
        id=f"kad.{encoder}{suffix}",
        title=title,
        task="sound",
        scope="set",
        inputs=_embeddings(encoder),
        compute="vsseval.metrics.kernel:kernel_set_value",
        unit="100 x MMD²",
        better="lower",
        definition=(
            "100 times the unbiased squared maximum mean discrepancy with a Gaussian kernel "
            f"{rule}. May be slightly negative. Interval by the jackknife over clips."
        ),
        source=(
            "YoonjinXD/kadtk at 8bda71d (profile kadtk-1.1)"
            if of_generated
            else "Y. Chung et al. (2025), arXiv 2502.15602 (profile kad-paper)"
        ),
        version=1,
        pool="set",
        params={"bandwidth": "generated" if of_generated else "reference"},
    )


def _kernel_inception(encoder: str, title: str) -> Metric:
    return Metric(
        id=f"kid.{encoder}",
        title=title,
        task="sound",
        scope="set",
        inputs=_embeddings(encoder),
        compute="vsseval.metrics.kid:kernel_inception_distance",
        unit="MMD²",
        better="lower",
        definition=(
            "Unbiased squared maximum mean discrepancy with the kernel (x'y / d + 1)^3, mean over "
            "100 random subsets of 1,000 rows. Undefined for fewer rows."
        ),
        source="M. Binkowski et al. (2018), arXiv 1801.01401; toshas/torch-fidelity at 5e211a9",
        version=1,
        pool="set",
        params={"subsets": 100, "subset_size": 1000, "shuffle_seed": 2020},
    )


def _inception(encoder: str, title: str, suffix: str = "", source: str = _AVBENCH) -> Metric:
    return Metric(
        id=f"is.{encoder.partition('@')[0]}{suffix}",
        title=title,
        task="sound",
        scope="set",
        inputs=(f"generated:{encoder}.logits",),
        compute="vsseval.metrics.divergence:inception_set_value",
        unit="classes",
        better="higher",
        definition=(
            "Inception score exp(mean KL(p_i || mean p)) over class posteriors of the generated "
            "clips, mean over 10 splits. It reads no reference, so it says nothing about fidelity, "
            "and it falls with the number of clips."
        ),
        source=f"T. Salimans et al. (2016), arXiv 1606.03498; {source}",
        version=1,
        pool="set",
        params={"splits": 10, "shuffle_seed": 2020},
    )


_KL_FORMS = {
    "": (
        "kl_components",
        "KL(reference || generated) of the class posteriors of a clip, softmax of the logits "
        "averaged over its rows, no epsilon; mean over clips.",
        {},
    ),
    "epsilon": (
        "kl_epsilon_components",
        "KL(reference || generated) of the class posteriors of a clip, 1e-6 added to that of the "
        "generated sound; mean over clips.",
        {"epsilon": 1e-6},
    ),
    "reversed": (
        "kl_reversed_components",
        "KL(generated || reference) of the class posteriors of a clip, 1e-6 added to that of the "
        "reference; mean over clips. The other direction than avbench's.",
        {"epsilon": 1e-6},
    ),
    "pieces": (
        "kl_pieces_components",
        "KL(reference || generated) of the class posteriors of each piece of a clip, mean over its "
        "pieces, then over clips (published: over all pieces; the same where clips are no longer "
        "than 10 s).",
        {},
    ),
    "sigmoid": (
        "kl_sigmoid_components",
        "Sum over classes of p ln(p / q) with p, q the sigmoids of the logits: one side of a "
        "divergence only, can be negative; mean over clips.",
        {},
    ),
    "sigmoid-epsilon": (
        "kl_sigmoid_components",
        "Sum over classes of p ln(p / (q + 1e-6)) with p, q the sigmoids of the logits: one side "
        "of a divergence only, can be negative; mean over clips.",
        {"epsilon": 1e-6},
    ),
}


def _kl(encoder: str, title: str, form: str = "", suffix: str = "", source: str = "") -> Metric:
    function, definition, params = _KL_FORMS[form]
    family = "kl_sigmoid" if form.startswith("sigmoid") else "kl"
    return Metric(
        id=f"{family}.{encoder.partition('@')[0]}{suffix}",
        title=title,
        task="sound",
        scope="clip",
        inputs=_logits(encoder),
        compute=f"vsseval.metrics.divergence:{function}",
        unit="nat",
        better="lower",
        definition=definition,
        source=source or _AVBENCH,
        version=1,
        params=params,
    )


_LDM16 = f"{_AUDIOLDM} (profile audioldm-16k)"
_LDM32 = f"{_AUDIOLDM} (profile audioldm-32k)"
_GUDGUD = "gudgud96/frechet-audio-distance at 55971f6 (profile gudgud96)"
_STABLE = "Stability-AI/stable-audio-metrics at fd55536 (profile stable-audio)"
_AUDIOCRAFT = "facebookresearch/audiocraft at 896ec7c (profile audiocraft)"

_PATCHES = "VGGish patches (0.96 s, before the last ReLU, no PCA)"

SOUND_ROWS = (
    _frechet("aisfx", "FD (aiSFX)", "aiSFX embeddings of all analysis blocks"),
    _outside_speech(
        _frechet("aisfx", "FD (aiSFX, outside speech)", "aiSFX embeddings of all analysis blocks")
    ),
    _kernel("aisfx", "KAD (aiSFX)"),
    _inception("aisfx", "IS (aiSFX)"),
    _kl("aisfx", "KL (aiSFX)"),
    _frechet("vggish", "FAD (VGGish, avbench)", _PATCHES, "@avbench", _AVBENCH),
    _frechet("panns-16k", "FD (PANNs, avbench)", "PANNs embeddings", "@avbench", _AVBENCH),
    _frechet("passt", "FD (PaSST, avbench)", "PaSST embeddings", "@avbench", _AVBENCH),
    _kl("panns-16k", "KL (PANNs, avbench)", suffix="@avbench"),
    _kl("passt", "KL (PaSST, avbench)", suffix="@avbench"),
    _inception("panns-16k", "IS (PANNs, avbench)", "@avbench"),
    _inception("passt", "IS (PaSST, avbench)", "@avbench"),
    _kl("panns-16k", "KL sigmoid (PANNs, avbench)", "sigmoid", "@avbench"),
    _kl("passt", "KL sigmoid (PaSST, avbench)", "sigmoid", "@avbench"),
    _frechet("panns-32k", "FD (PANNs 32k)", "PANNs embeddings at 32 kHz"),
    _frechet("clap-laion", "FD (LAION-CLAP)", "LAION-CLAP embeddings"),
    _frechet("clap-ms", "FD (MS-CLAP)", "MS-CLAP embeddings of all windows"),
    _frechet("vggish@audioldm", "FAD (VGGish, audioldm 16k)", _PATCHES, "@audioldm-16k", _LDM16),
    _frechet(
        "panns-16k@audioldm",
        "FD (PANNs, audioldm 16k)",
        "PANNs embeddings",
        "@audioldm-16k",
        _LDM16,
    ),
    _kl("panns-16k@audioldm", "KL (PANNs, audioldm 16k)", "epsilon", "@audioldm-16k", _LDM16),
    _kl(
        "panns-16k@audioldm",
        "KL sigmoid (PANNs, audioldm 16k)",
        "sigmoid-epsilon",
        "@audioldm-16k",
        _LDM16,
    ),
    _inception("panns-16k@audioldm", "IS (PANNs, audioldm 16k)", "@audioldm-16k", _LDM16),
    _frechet(
        "panns-32k@audioldm",
        "FD (PANNs, audioldm 32k)",
        "PANNs embeddings at 32 kHz",
        "@audioldm-32k",
        _LDM32,
    ),
    _kl("panns-32k@audioldm", "KL (PANNs, audioldm 32k)", "epsilon", "@audioldm-32k", _LDM32),
    _kl(
        "panns-32k@audioldm",
        "KL sigmoid (PANNs, audioldm 32k)",
        "sigmoid-epsilon",
        "@audioldm-32k",
        _LDM32,
    ),
    _inception("panns-32k@audioldm", "IS (PANNs, audioldm 32k)", "@audioldm-32k", _LDM32),
    _frechet("vggish@fadtk", "FAD (VGGish, fadtk)", _PATCHES, "@fadtk", _FADTK),
    _frechet_infinity("vggish@fadtk", "FAD-inf (VGGish, fadtk)", "rows", "@fadtk"),
    _frechet_of_a_clip("vggish@fadtk", "FAD per clip (VGGish, fadtk)", "@fadtk"),
    _frechet(
        "clap-laion-music@fadtk",
        "FD (LAION-CLAP music, fadtk)",
        "LAION-CLAP embeddings of all windows",
        "@fadtk",
        _FADTK,
    ),
    _frechet(
        "clap-laion-630k@fadtk",
        "FD (LAION-CLAP audio, fadtk)",
        "LAION-CLAP embeddings of all windows",
        "@fadtk",
        _FADTK,
    ),
    _frechet_infinity("clap-laion-music@fadtk", "FD-inf (CLAP music, fadtk)", "rows", "@fadtk"),
    _frechet("vggish@gudgud96", "FAD (VGGish, gudgud96)", _PATCHES, "@gudgud96", _GUDGUD),
    _kl("passt@stable-audio", "KL reversed (PaSST)", "reversed", "@stable-audio", _STABLE),
    _kl("passt@audiocraft", "KL (PaSST, audiocraft)", "pieces", "@audiocraft", _AUDIOCRAFT),
    _kernel("vggish", "KAD (VGGish)"),
    _kernel("panns-32k", "KAD (PANNs 32k)"),
    _kernel("passt", "KAD (PaSST)"),
    _kernel("clap-laion", "KAD (LAION-CLAP)"),
    _kernel("panns-32k", "KAD (PANNs 32k, kadtk 1.1)", "@kadtk-1.1"),
    _kernel("clap-laion", "KAD (LAION-CLAP, kadtk 1.1)", "@kadtk-1.1"),
    _kernel_inception("panns-32k", "KID (PANNs 32k)"),
    _kernel_inception("passt", "KID (PaSST)"),
    _frechet_infinity("aisfx", "FD-inf (aiSFX)", "clips"),
    _frechet_infinity("aisfx", "FD-inf (aiSFX, fadtk)", "rows", "@fadtk"),
    _frechet_of_a_clip("aisfx", "FD per clip (aiSFX)", "@fadtk"),
    _kernel("aisfx", "KAD (aiSFX, kadtk 1.1)", "@kadtk-1.1"),
    _kernel_inception("aisfx", "KID (aiSFX)"),
    _kl("aisfx", "KL reversed (aiSFX)", "reversed", "@stable-audio", _STABLE),
    _kl("aisfx", "KL with eps (aiSFX)", "epsilon", "@audioldm", f"{_AUDIOLDM} (form audioldm)"),
    _kl("aisfx", "KL sigmoid (aiSFX, avbench)", "sigmoid", "@avbench"),
    _kl(
        "aisfx",
        "KL sigmoid (aiSFX, audioldm)",
        "sigmoid-epsilon",
        "@audioldm",
        f"{_AUDIOLDM} (form audioldm)",
    ),
)
