"""Rows of the metrics of sound that compare distributions and classes: FD, KAD, KID, IS, KL."""

from __future__ import annotations

from vsseval.types import Metric

_AISFX = ("reference:aisfx.embedding", "generated:aisfx.embedding")
_AISFX_LOGITS = ("reference:aisfx.logits", "generated:aisfx.logits")

SOUND_ROWS = (
    Metric(
        id="fd.aisfx",
        title="FD (aiSFX)",
        task="sound",
        scope="set",
        inputs=_AISFX,
        compute="vsseval.metrics.influence:frechet_set_value",
        unit="squared distance",
        better="lower",
        definition=(
            "Fréchet distance between Gaussians fitted to the aiSFX embeddings of all analysis "
            "blocks: |mu1 - mu2|^2 + tr S1 + tr S2 - 2 tr (S1^1/2 S2 S1^1/2)^1/2. Biased upwards "
            "when there are few blocks for 512 dimensions; the interval is around the value "
            "less its bias, clips paired."
        ),
        source="Dowson and Landau (1982); K. Kilgour et al. (2019), arXiv 1812.08466",
        version=1,
        pool="set",
    ),
    Metric(
        id="kad.aisfx",
        title="KAD (aiSFX)",
        task="sound",
        scope="set",
        inputs=_AISFX,
        compute="vsseval.metrics.kernel:kernel_set_value",
        unit="100 x MMD²",
        better="lower",
        definition=(
            "100 times the unbiased squared maximum mean discrepancy with a Gaussian kernel whose "
            "bandwidth is the median pairwise distance of the reference set (profile kad-paper). "
            "May be slightly negative. Interval by the jackknife over clips."
        ),
        source="Y. Chung et al. (2025), arXiv 2502.15602; YoonjinXD/kadtk at 8bda71d",
        version=1,
        pool="set",
        params={"bandwidth": "reference"},
    ),
    Metric(
        id="is.aisfx",
        title="IS (aiSFX)",
        task="sound",
        scope="set",
        inputs=("generated:aisfx.logits",),
        compute="vsseval.metrics.divergence:inception_set_value",
        unit="classes",
        better="higher",
        definition=(
            "Inception score exp(mean KL(p_i || mean p)) over class posteriors of the generated "
            "clips, mean over 10 splits. It reads no reference, so it says nothing about "
            "fidelity, and it falls with the number of clips."
        ),
        source="T. Salimans et al. (2016), arXiv 1606.03498; hkchengrex/av-benchmark at 050a5cd",
        version=1,
        pool="set",
        params={"splits": 10, "shuffle_seed": 2020},
    ),
    Metric(
        id="kl.aisfx",
        title="KL (aiSFX)",
        task="sound",
        scope="clip",
        inputs=_AISFX_LOGITS,
        compute="vsseval.metrics.divergence:kl_components",
        unit="nat",
        better="lower",
        definition=(
            "KL(reference || generated) of the class posteriors of a clip, softmax of the logits "
            "averaged over its blocks, no epsilon; mean over clips."
        ),
        source="hkchengrex/av-benchmark at 050a5cd, av_bench/metrics/kl.py (profile avbench)",
        version=1,
    ),
    Metric(
        id="fd_inf.aisfx",
        title="FD-inf (aiSFX)",
        task="sound",
        scope="set",
        inputs=_AISFX,
        compute="vsseval.metrics.frechet_fadtk:frechet_infinity",
        unit="squared distance",
        better="lower",
        definition=(
            "Fréchet distance extrapolated to endless generated data: intercept of the line over "
            "1 / n through 25 sizes from 500 rows on, whole clips drawn with replacement and a "
            "stated seed. It tends to the plain distance of the same rows and keeps its bias: the "
            "interval of fd.aisfx says more."
        ),
        source="variant of profile fadtk: whole clips, seeded; microsoft/fadtk at ec74b1f",
        version=1,
        pool="set",
        params={"draw": "clips", "draw_seed": 2020},
    ),
    Metric(
        id="fd_inf.aisfx@fadtk",
        title="FD-inf (aiSFX, fadtk)",
        task="sound",
        scope="set",
        inputs=_AISFX,
        compute="vsseval.metrics.frechet_fadtk:frechet_infinity",
        unit="squared distance",
        better="lower",
        definition=(
            "As fd_inf.aisfx, but rows are drawn as if those of a clip were independent, as "
            "published; the seed is ours."
        ),
        source="A. Gui et al. (2024), arXiv 2311.01616; microsoft/fadtk at ec74b1f (profile fadtk)",
        version=1,
        pool="set",
        params={"draw": "rows", "draw_seed": 2020},
    ),
    Metric(
        id="fd_clip.aisfx@fadtk",
        title="FD per clip (aiSFX)",
        task="sound",
        scope="set",
        inputs=_AISFX,
        compute="vsseval.metrics.frechet_fadtk:frechet_per_clip_set_value",
        unit="squared distance",
        better="lower",
        definition=(
            "Fréchet distance between the rows of one generated clip and the whole reference "
            "set, mean over clips. Mostly the spread that a single clip lacks."
        ),
        source="A. Gui et al. (2024), arXiv 2311.01616; microsoft/fadtk at ec74b1f (profile fadtk)",
        version=1,
        pool="set",
    ),
    Metric(
        id="kad.aisfx@kadtk-1.1",
        title="KAD (aiSFX, kadtk 1.1)",
        task="sound",
        scope="set",
        inputs=_AISFX,
        compute="vsseval.metrics.kernel:kernel_set_value",
        unit="100 x MMD²",
        better="lower",
        definition=(
            "As kad.aisfx, with the bandwidth of the generated set, so that each system is "
            "measured with a kernel of its own. Interval by the jackknife over clips."
        ),
        source="YoonjinXD/kadtk at 8bda71d (profile kadtk-1.1)",
        version=1,
        pool="set",
        params={"bandwidth": "generated"},
    ),
    Metric(
        id="kid.aisfx",
        title="KID (aiSFX)",
        task="sound",
        scope="set",
        inputs=_AISFX,
        compute="vsseval.metrics.kid:kernel_inception_distance",
        unit="MMD²",
        better="lower",
        definition=(
            "Unbiased squared maximum mean discrepancy with the kernel (x'y / d + 1)^3, mean "
            "over 100 random subsets of 1,000 rows. Undefined for fewer rows."
        ),
        source="M. Binkowski et al. (2018), arXiv 1801.01401; toshas/torch-fidelity at 5e211a9",
        version=1,
        pool="set",
        params={"subsets": 100, "subset_size": 1000, "shuffle_seed": 2020},
    ),
    Metric(
        id="kl.aisfx@stable-audio",
        title="KL reversed (aiSFX)",
        task="sound",
        scope="clip",
        inputs=_AISFX_LOGITS,
        compute="vsseval.metrics.divergence:kl_reversed_components",
        unit="nat",
        better="lower",
        definition=(
            "KL(generated || reference) of the class posteriors of a clip, 1e-6 added to that "
            "of the reference; mean over clips. The other direction than kl.aisfx."
        ),
        source="Stability-AI/stable-audio-metrics at fd55536, passt_kld.py (profile stable-audio)",
        version=1,
        params={"epsilon": 1e-6},
    ),
    Metric(
        id="kl.aisfx@audioldm",
        title="KL with eps (aiSFX)",
        task="sound",
        scope="clip",
        inputs=_AISFX_LOGITS,
        compute="vsseval.metrics.divergence:kl_epsilon_components",
        unit="nat",
        better="lower",
        definition=(
            "KL(reference || generated) of the class posteriors of a clip, 1e-6 added to that "
            "of the generated sound; mean over clips."
        ),
        source="haoheliu/audioldm_eval at 8dc07ee, audioldm_eval/metrics/kl.py (profile audioldm)",
        version=1,
        params={"epsilon": 1e-6},
    ),
    Metric(
        id="kl_sigmoid.aisfx@avbench",
        title="KL sigmoid (aiSFX, avbench)",
        task="sound",
        scope="clip",
        inputs=_AISFX_LOGITS,
        compute="vsseval.metrics.divergence:kl_sigmoid_components",
        unit="nat",
        better="lower",
        definition=(
            "Sum over classes of p ln(p / q) with p, q the sigmoids of the logits: one side of "
            "a divergence only, can be negative; mean over clips."
        ),
        source="hkchengrex/av-benchmark at 050a5cd, av_bench/metrics/kl.py (profile avbench)",
        version=1,
    ),
    Metric(
        id="kl_sigmoid.aisfx@audioldm",
        title="KL sigmoid (aiSFX, audioldm)",
        task="sound",
        scope="clip",
        inputs=_AISFX_LOGITS,
        compute="vsseval.metrics.divergence:kl_sigmoid_components",
        unit="nat",
        better="lower",
        definition=("As kl_sigmoid.aisfx@avbench, with 1e-6 added to q; mean over clips."),
        source="haoheliu/audioldm_eval at 8dc07ee, audioldm_eval/metrics/kl.py (profile audioldm)",
        version=1,
        params={"epsilon": 1e-6},
    ),
)
