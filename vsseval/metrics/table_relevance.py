"""Rows of the metrics of relevance: does the sound fit the text, picture, reference or label?"""

from __future__ import annotations

from vsseval.types import Metric


def _cosine(
    metric_id: str,
    title: str,
    inputs: tuple[str, str],
    definition: str,
    source: str,
    *,
    percent: bool = True,
) -> Metric:
    return Metric(
        id=metric_id,
        title=title,
        task="sound",
        scope="clip",
        inputs=inputs,
        compute="vsseval.metrics.similarity:mean_cosine_components",
        unit="100 x cosine" if percent else "cosine",
        better="higher",
        definition=definition,
        source=source,
        version=1,
        params={"factor": 100.0} if percent else {},
    )


def _label_accuracy(suffix: str, title: str, encoder: str, what: str) -> Metric:
    return Metric(
        id=f"label_accuracy.{suffix}",
        title=title,
        task="sound",
        scope="set",
        inputs=("item:label", f"reference:{encoder}.embedding", f"generated:{encoder}.embedding"),
        compute="vsseval.metrics.labels:label_accuracy_set_value",
        unit="%",
        better="higher",
        definition=(
            f"Share of generated clips whose {what} is nearest, by cosine, to the mean of those of "
            "the references with the same label, the clip's own reference left out; of clips with "
            "a label that another clip has too."
        ),
        source="nearest class mean, T. Mensink et al. (2013), IEEE TPAMI 35(11); definition in "
        "metrics/labels.py",
        version=1,
        pool="set",
    )


RELEVANCE_ROWS = (
    _label_accuracy("aisfx", "Label acc. (aiSFX)", "aisfx", "aiSFX embedding, mean over blocks,"),
    _label_accuracy(
        "demo",
        "Label acc. (demo)",
        "relevance-demo-audio",
        "embedding by the small network of relevance.demo",
    ),
    _cosine(
        "relevance.demo",
        "Relevance (demo)",
        ("video:relevance-demo-video.embedding", "generated:relevance-demo-audio.embedding"),
        "100 times the cosine of video and generated sound, half of it what is heard, half when; "
        "from two small networks that know the drawn clips of the demo benchmarks alone; mean over "
        "clips.",
        "docs/relevance-demo.md",
    ),
    _cosine(
        "relevance.demo-nonspeech",
        "Relevance (demo, outside speech)",
        (
            "video:relevance-demo-video.embedding",
            "generated_nonspeech:relevance-demo-audio.embedding",
        ),
        "As relevance.demo, of the generated sound with the stated intervals of speech erased; "
        "mean over clips that state them.",
        "docs/relevance-demo.md, docs/joint.md",
    ),
    _cosine(
        "imagebind.nonspeech",
        "ImageBind (outside speech)",
        ("video:imagebind-video.embedding", "generated_nonspeech:imagebind-audio.embedding"),
        "As imagebind@ib-avbench, of the generated sound with the stated intervals of speech "
        "erased; mean over clips that state them.",
        "R. Girdhar et al. (2023), arXiv 2305.05665; hkchengrex/av-benchmark at 050a5cd; "
        "docs/joint.md",
    ),
    _cosine(
        "imagebind@ib-avbench",
        "ImageBind (avbench)",
        ("video:imagebind-video.embedding", "generated:imagebind-audio.embedding"),
        "100 times the cosine of video and generated sound, frames at 0.5 a second, overlapping "
        "pairs and three crops; mean over clips.",
        "R. Girdhar et al. (2023), arXiv 2305.05665; hkchengrex/av-benchmark at 050a5cd "
        "(profile ib-avbench)",
    ),
    _cosine(
        "imagebind@ib-native",
        "ImageBind (native)",
        ("video:imagebind-video@ib-native.embedding", "generated:imagebind-audio.embedding"),
        "100 times the cosine of video and generated sound, five clips of two seconds and three "
        "crops; mean over clips.",
        "R. Girdhar et al. (2023), arXiv 2305.05665; facebookresearch/ImageBind at 53680b0 "
        "(profile ib-native)",
    ),
    _cosine(
        "imagebind_text",
        "ImageBind (text)",
        ("caption:imagebind-text.embedding", "generated:imagebind-audio.embedding"),
        "100 times the cosine of caption and generated sound; mean over clips that have a caption.",
        "R. Girdhar et al. (2023), arXiv 2305.05665; facebookresearch/ImageBind at 53680b0",
    ),
    _cosine(
        "clap.laion@avbench",
        "CLAP (LAION, avbench)",
        ("caption:clap-laion-text.embedding", "generated:clap-laion.embedding"),
        "Cosine of caption and generated sound in the space of LAION-CLAP; mean over clips that "
        "have a caption.",
        "Y. Wu et al. (2023), arXiv 2211.06687; hkchengrex/av-benchmark at 050a5cd (profile "
        "avbench)",
        percent=False,
    ),
    _cosine(
        "clap_audio.laion",
        "CLAP audio (LAION)",
        ("reference:clap-laion.embedding", "generated:clap-laion.embedding"),
        "Cosine of reference and generated sound in the space of LAION-CLAP; mean over clips.",
        "Y. Wu et al. (2023), arXiv 2211.06687",
        percent=False,
    ),
    _cosine(
        "clap.ms",
        "CLAP (MS)",
        ("caption:clap-ms-text.embedding", "generated:clap-ms.embedding"),
        "Cosine of caption and generated sound in the space of MS-CLAP 2023, mean over windows of "
        "7 s every second; mean over clips that have a caption (ms-clap-windows).",
        "B. Elizalde et al. (2024), arXiv 2309.05767; microsoft/CLAP at e8a6467",
        percent=False,
    ),
    _cosine(
        "clap.ms@avbench",
        "CLAP (MS, avbench)",
        ("caption:clap-ms-text.embedding", "generated:clap-ms@avbench.embedding"),
        "Cosine of caption and one crop of 7 s of the generated sound, whose place is seeded "
        "(published: unseeded); mean over clips that have a caption.",
        "B. Elizalde et al. (2024), arXiv 2309.05767; hkchengrex/av-benchmark at 050a5cd (profile "
        "avbench)",
        percent=False,
    ),
    _cosine(
        "clap.laion@stable-audio",
        "CLAP (LAION, stable-audio)",
        (
            "caption:clap-laion-630k-fusion-text.embedding",
            "generated:clap-laion-630k-fusion.embedding",
        ),
        "Cosine of caption and generated sound in the space of LAION-CLAP 630k with fusion; mean "
        "over clips that have a caption.",
        "Y. Wu et al. (2023), arXiv 2211.06687; Stability-AI/stable-audio-metrics at fd55536 "
        "(profile stable-audio)",
        percent=False,
    ),
)
