"""The dialects of the field by name: what each stands for, and which metrics follow it.

A metric id ends in ``@profile`` where a name of the field is computed in more than one way; several
rows may hold all of a tool's numbers. A profile without metrics says why there are none.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Profile:
    """A row of :data:`PROFILES`."""

    stands_for: str
    """Tool or paper, at a commit where there is one."""
    metrics: tuple[str, ...] = ()
    """Ids of ``METRICS``."""
    reason: str = ""
    """Why there are no metrics."""


PROFILES: dict[str, Profile] = {
    "avbench": Profile(
        "hkchengrex/av-benchmark at 050a5cd: the tables of MMAudio and after",
        (
            "fd.passt@avbench",
            "fd.panns-16k@avbench",
            "fd.vggish@avbench",
            "kl.passt@avbench",
            "kl.panns-16k@avbench",
            "is.panns-16k@avbench",
            "is.passt@avbench",
            "imagebind@ib-avbench",
            "desync@desync-avbench",
            "clap.laion@avbench",
            "clap.ms@avbench",
            "kl_sigmoid.panns-16k@avbench",
            "kl_sigmoid.passt@avbench",
            "kl_sigmoid.aisfx@avbench",
        ),
    ),
    "audioldm-16k": Profile(
        "haoheliu/audioldm_eval at 8dc07ee, backbone CNN14 at 16 kHz",
        (
            "fd.vggish@audioldm-16k",
            "fd.panns-16k@audioldm-16k",
            "kl.panns-16k@audioldm-16k",
            "kl_sigmoid.panns-16k@audioldm-16k",
            "is.panns-16k@audioldm-16k",
        ),
    ),
    "audioldm-32k": Profile(
        "haoheliu/audioldm_eval at 8dc07ee, backbone CNN14 at 32 kHz",
        (
            "fd.panns-32k@audioldm-32k",
            "kl.panns-32k@audioldm-32k",
            "kl_sigmoid.panns-32k@audioldm-32k",
            "is.panns-32k@audioldm-32k",
        ),
    ),
    "audioldm": Profile(
        "the formulas of haoheliu/audioldm_eval at 8dc07ee on another network",
        ("kl.aisfx@audioldm", "kl_sigmoid.aisfx@audioldm"),
    ),
    "fadtk": Profile(
        "microsoft/fadtk at ec74b1f",
        (
            "fd.vggish@fadtk",
            "fd_inf.vggish@fadtk",
            "fd_clip.vggish@fadtk",
            "fd.clap-laion-music@fadtk",
            "fd_inf.clap-laion-music@fadtk",
            "fd.clap-laion-630k@fadtk",
            "fd_inf.aisfx@fadtk",
            "fd_clip.aisfx@fadtk",
        ),
    ),
    "gudgud96": Profile("gudgud96/frechet-audio-distance at 55971f6", ("fd.vggish@gudgud96",)),
    "kadtk-1.1": Profile(
        "YoonjinXD/kadtk at 8bda71d: bandwidth of the generated set",
        ("kad.aisfx@kadtk-1.1", "kad.panns-32k@kadtk-1.1", "kad.clap-laion@kadtk-1.1"),
    ),
    "kad-paper": Profile(
        "Y. Chung et al. (2025), arXiv 2502.15602: bandwidth of the reference set",
        ("kad.aisfx", "kad.vggish", "kad.panns-32k", "kad.passt", "kad.clap-laion"),
    ),
    "stable-audio": Profile(
        "Stability-AI/stable-audio-metrics at fd55536",
        ("kl.passt@stable-audio", "kl.aisfx@stable-audio", "clap.laion@stable-audio"),
    ),
    "audiocraft": Profile("facebookresearch/audiocraft at 896ec7c", ("kl.passt@audiocraft",)),
    "specvqgan": Profile(
        "v-iashin/SpecVQGAN at 33c601d",
        reason="Melception, a classifier of VGGSound spectrograms, is not part of the project",
    ),
    "soundreactor": Profile(
        "SonyResearch/soundreactor_v2a_eval at 6a9ee44",
        reason="its stereo encoders and fixed-bandwidth MMD are not part of the project",
    ),
    "fastvideo": Profile(
        "hao-ai-lab/FastVideo at 2f3d407",
        reason="variants that no published table uses",
    ),
    "ib-avbench": Profile("ImageBind as av-benchmark samples it", ("imagebind@ib-avbench",)),
    "ib-native": Profile("ImageBind as its own loader samples it", ("imagebind@ib-native",)),
    "desync-avbench": Profile(
        "Synchformer on the first and last 4.8 s", ("desync@desync-avbench",)
    ),
    "desync-javis": Profile(
        "JavisVerse/JavisDiT at b505b37: Synchformer on all of the clip",
        ("desync@desync-javis",),
    ),
    "desync-fastvideo": Profile(
        "hao-ai-lab/FastVideo at 2f3d407", reason="variants that no published table uses"
    ),
    "synchformer-native": Profile(
        "v-iashin/Synchformer at b66668a: accuracy of the offset class",
        ("sync_accuracy@synchformer-native", "sync_accuracy_1@synchformer-native"),
    ),
    "onset-condfoley": Profile(
        "XYPB/CondFoleyGen at c565db7",
        ("onset_acc@onset-condfoley", "onset_ap@onset-condfoley"),
    ),
    "onset-mmaudio": Profile(
        "hkchengrex/MMAudio at 974010a, eval_onsets.py",
        ("onset_acc@onset-mmaudio", "onset_ap@onset-mmaudio", "onset_f1@onset-mmaudio"),
    ),
    "onset-f1": Profile(
        "one-to-one matching, ours",
        (
            "onset_f1",
            "onset_f1.annotated",
            "onset_f1.50ms",
            "onset_f1.200ms",
            "onset_ap",
            "onset_offset",
        ),
    ),
    "avalign-2023": Profile("guyyariv/TempoTokens at 34d9502", ("av_align@avalign-2023",)),
    "avalign-2025": Profile("guyyariv/TempoTokens at bf0b1e3", ("av_align",)),
    "avalign-javis": Profile("JavisVerse/JavisDiT at b505b37", ("av_align@avalign-javis",)),
    "avalign-svg": Profile("SonyResearch/SVG_baseline at e8ebd06", ("av_align@avalign-svg",)),
    "alignacc-difffoley": Profile(
        "luosiallen/Diff-Foley at 0ba1e8a",
        reason="its classifier needs Diff-Foley's own autoencoder and CAVP, which are not part of "
        "the project",
    ),
}
"""All profiles of sound metrics by name."""
