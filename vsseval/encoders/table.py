"""The table of encoders: the rate each hears, the weights it needs, what it says of a clip."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, cast

from vsseval import weights
from vsseval.errors import UnknownNameError
from vsseval.lazy import resolve


@dataclass(frozen=True, slots=True)
class EncoderRow:
    """A row of :data:`ENCODERS`."""

    id: str
    kind: Literal["audio", "video", "text", "pair"]
    sample_rate: int | None
    """Rate of the samples it is given [Hz]; None for what hears nothing."""
    load: str
    """``module:function`` that takes the device; so does the function of the same name with
    ``signature`` in place of ``load``, which gives the signature without loading."""
    weights: tuple[str, ...]
    """Parts of the weight store that it needs."""
    network: bool
    """Whether a call is a forward pass of a network."""
    outputs: Mapping[str, str]
    """Name of each array -> dtype, shape and meaning."""
    preparation: str = "soxr-mean"
    """Row of ``PREPARATIONS`` by which a file becomes the samples it is given; audio only."""
    uses_face_box: bool = False
    """Whether a video encoder is given the item's face box as ``face_box`` (None without one)."""
    """Whether it is called with the face box that the data set gives; video only."""
    joins: tuple[str, ...] = ()
    """What a pair encoder is called with, such as ``video:a.segments`` and ``own:b.segments``;
    ``own`` is the source that a metric asks it about."""

    def all_weights(self) -> tuple[str, ...]:
        """Parts that it and what it joins need."""
        joined = [join.rpartition(".")[0].partition(":")[2] for join in self.joins]
        parts = [*self.weights, *(part for one in joined for part in ENCODERS[one].weights)]
        return tuple(dict.fromkeys(parts))


_VGGISH = EncoderRow(
    id="vggish",
    kind="audio",
    sample_rate=16_000,
    load="vsseval.encoders.vggish:load",
    weights=("vggish",),
    network=True,
    outputs={"embedding": "float32 (patches, 128), before the last ReLU"},
    preparation="avbench",
)
_PANNS_16K = EncoderRow(
    id="panns-16k",
    kind="audio",
    sample_rate=16_000,
    load="vsseval.encoders.panns:load_16k",
    weights=("panns-16k",),
    network=True,
    outputs={
        "embedding": "float32 (1, 2048), >= 0",
        "logits": "float32 (1, 527), before the sigmoid",
    },
    preparation="avbench",
)
_PANNS_32K = replace(
    _PANNS_16K,
    id="panns-32k",
    sample_rate=32_000,
    load="vsseval.encoders.panns:load_32k",
    weights=("panns-32k",),
)

_LIPS = {
    "embedding": "float32 (windows, 1024), one each 40 ms of the face track",
    "start": "int64 (), first frame of the track at 25 fps",
}
_ROWS = (
    EncoderRow(
        id="aisfx",
        kind="audio",
        sample_rate=44_100,
        load="vsseval.encoders.aisfx:load",
        weights=("aisfx",),
        network=True,
        outputs={
            "embedding": "float32 (blocks, 512), >= 0",
            "logits": "float32 (blocks, 69), before the softmax",
        },
    ),
    EncoderRow(
        id="whisper-tiny.en",
        kind="audio",
        sample_rate=16_000,
        load="vsseval.encoders.whisper_ct2:load",
        weights=("whisper-tiny.en",),
        network=True,
        outputs={"text": "string (), may be empty"},
    ),
    EncoderRow(
        id="given-text",
        kind="text",
        sample_rate=None,
        load="vsseval.encoders.given_text:load",
        weights=(),
        network=False,
        outputs={"text": "string (), may be empty"},
    ),
    EncoderRow(
        id="ge2e",
        kind="audio",
        sample_rate=16_000,
        load="vsseval.encoders.ge2e:load",
        weights=("ge2e",),
        network=True,
        outputs={"embedding": "float32 (256,), unit norm"},
    ),
    EncoderRow(
        id="dnsmos",
        kind="audio",
        sample_rate=16_000,
        load="vsseval.encoders.dnsmos:load",
        weights=("dnsmos",),
        network=True,
        outputs={
            "ovrl": "float64 (), overall, about 1 to 5",
            "sig": "float64 (), speech, about 1 to 5",
            "bak": "float64 (), background, about 1 to 5",
            "p808": "float64 (), P.808 overall, about 1 to 5",
        },
    ),
    EncoderRow(
        id="synchformer-video",
        kind="video",
        sample_rate=None,
        load="vsseval.encoders.synchformer:load_video",
        weights=("synchformer",),
        network=True,
        outputs={"features": "float32 (segments, 8, 768), a segment of 0.64 s every 0.32 s"},
    ),
    EncoderRow(
        id="synchformer-audio",
        kind="audio",
        sample_rate=16_000,
        load="vsseval.encoders.synchformer:load_audio",
        weights=("synchformer",),
        network=True,
        outputs={"features": "float32 (segments, 6, 768), a segment of 0.64 s every 0.32 s"},
        preparation="sinc6-mean",
    ),
    EncoderRow(
        id="synchformer",
        kind="pair",
        sample_rate=None,
        load="vsseval.encoders.synchformer:load_head",
        weights=("synchformer",),
        network=True,
        outputs={"logits": "float32 (2, 21), offsets in the first and the last 4.8 s"},
        joins=("video:synchformer-video.features", "own:synchformer-audio.features"),
    ),
    EncoderRow(
        id="synchformer-chunks",
        kind="pair",
        sample_rate=None,
        load="vsseval.encoders.synchformer:load_head_chunks",
        weights=("synchformer",),
        network=True,
        outputs={"logits": "float32 (chunks, 21), offsets in 4.8 s after 4.8 s"},
        joins=("video:synchformer-video.features", "own:synchformer-audio.features"),
    ),
    EncoderRow(
        id="onsets",
        kind="audio",
        sample_rate=22_050,
        load="vsseval.encoders.onsets:load",
        weights=(),
        network=False,
        outputs={
            "times_030": "float64 (k,), onsets at delta 0.3 [s]",
            "confidence_030": "float64 (k,), largest |x| within 50 ms, in [0, 1]",
            "amplitude_030": "float64 (k,), |x| at the onset, in [0, 1]",
            "times_007": "float64 (m,), onsets at delta 0.07 [s]",
        },
    ),
    EncoderRow(
        id="onsets-signed",
        kind="audio",
        sample_rate=22_050,
        load="vsseval.encoders.onsets_signed:load",
        weights=(),
        network=False,
        outputs={
            "times": "float64 (k,), onsets at delta 0.3 [s]",
            "confidence": "float64 (k,), largest scaled x within 50 ms, in [0, 1)",
            "amplitude": "float64 (k,), scaled x at the onset, in [0, 1)",
        },
    ),
    EncoderRow(
        id="mcep-pymcd",
        kind="audio",
        sample_rate=22_050,
        load="vsseval.encoders.world:load",
        weights=(),
        network=False,
        outputs={"mcep": "float64 (frames of 5 ms, 14), c0 to c13"},
    ),
    EncoderRow(
        id="mcep-standard",
        kind="audio",
        sample_rate=16_000,
        load="vsseval.encoders.world_standard:load",
        weights=(),
        network=False,
        outputs={
            "mcep": "float64 (frames of 5 ms, 25), c0 to c24; all zero for silence",
            "f0": "float64 (frames of 5 ms,), 0 where unvoiced [Hz]",
            "rms": "float64 (), root mean square of the samples",
        },
    ),
    EncoderRow(
        id="motion",
        kind="video",
        sample_rate=None,
        load="vsseval.encoders.motion:load",
        weights=(),
        network=False,
        outputs={
            "magnitude": "float64 (frames,), mean optical flow [pixels a frame]",
            "fps": "float64 (), frames a second",
        },
    ),
    EncoderRow(
        id="syncnet-audio",
        kind="audio",
        sample_rate=16_000,
        load="vsseval.encoders.syncnet_audio:load",
        weights=("syncnet",),
        network=True,
        outputs={"embedding": "float32 (windows, 1024), one each 40 ms"},
    ),
    EncoderRow(
        id="syncnet-video",
        kind="video",
        sample_rate=None,
        load="vsseval.encoders.syncnet_video:load",
        weights=("syncnet", "mtcnn"),
        network=True,
        outputs=_LIPS,
    ),
    EncoderRow(
        id="syncnet-video@s3fd",
        kind="video",
        sample_rate=None,
        load="vsseval.encoders.syncnet_video_s3fd:load",
        weights=("syncnet", "s3fd"),
        network=True,
        outputs=_LIPS,
    ),
    EncoderRow(
        id="syncnet-video@box",
        kind="video",
        sample_rate=None,
        load="vsseval.encoders.syncnet_video_box:load",
        weights=("syncnet",),
        network=True,
        outputs=_LIPS,
        uses_face_box=True,
    ),
    EncoderRow(
        id="syncnet-demo-audio",
        kind="audio",
        sample_rate=16_000,
        load="vsseval.encoders.syncnet_demo_audio:load",
        weights=(),
        network=True,
        outputs={"embedding": "float32 (windows, 256), one each 40 ms"},
    ),
    EncoderRow(
        id="syncnet-demo-video",
        kind="video",
        sample_rate=None,
        load="vsseval.encoders.syncnet_demo_video:load",
        weights=(),
        network=True,
        outputs={
            "embedding": "float32 (windows, 256), one each 40 ms",
            "start": "int64 (), first frame at 25 fps, always 0",
        },
        uses_face_box=True,
    ),
    EncoderRow(
        id="imagebind-audio",
        kind="audio",
        sample_rate=16_000,
        load="vsseval.encoders.imagebind_audio:load",
        weights=("imagebind",),
        network=True,
        outputs={"embedding": "float32 (1024,), mean over 3 views of vectors of length 20"},
        preparation="imagebind",
    ),
    EncoderRow(
        id="imagebind-video",
        kind="video",
        sample_rate=None,
        load="vsseval.encoders.imagebind_video:load",
        weights=("imagebind",),
        network=True,
        outputs={"embedding": "float32 (1024,), mean of unit vectors over views ib-avbench"},
    ),
    EncoderRow(
        id="imagebind-video@ib-native",
        kind="video",
        sample_rate=None,
        load="vsseval.encoders.imagebind_video_native:load",
        weights=("imagebind",),
        network=True,
        outputs={"embedding": "float32 (1024,), mean of unit vectors over views ib-native"},
    ),
    EncoderRow(
        id="imagebind-text",
        kind="text",
        sample_rate=None,
        load="vsseval.encoders.imagebind_text:load",
        weights=("imagebind", "clip-bpe"),
        network=True,
        outputs={"embedding": "float32 (1024,), of length up to 100"},
    ),
    EncoderRow(
        id="clap-laion",
        kind="audio",
        sample_rate=48_000,
        load="vsseval.encoders.clap_laion:load",
        weights=("clap-laion",),
        network=True,
        outputs={"embedding": "float32 (windows, 512), unit norm"},
        preparation="avbench",
    ),
    EncoderRow(
        id="clap-laion-music",
        kind="audio",
        sample_rate=48_000,
        load="vsseval.encoders.clap_laion:load_music",
        weights=("clap-laion-music",),
        network=True,
        outputs={"embedding": "float32 (windows, 512), unit norm"},
        preparation="avbench",
    ),
    EncoderRow(
        id="clap-laion-music@fadtk",
        kind="audio",
        sample_rate=48_000,
        load="vsseval.encoders.clap_laion:load_music_fadtk",
        weights=("clap-laion-music",),
        network=True,
        outputs={"embedding": "float32 (windows, 512), unit norm"},
        preparation="fadtk",
    ),
    EncoderRow(
        id="clap-laion-630k",
        kind="audio",
        sample_rate=48_000,
        load="vsseval.encoders.clap_laion:load_630k",
        weights=("clap-laion-630k",),
        network=True,
        outputs={"embedding": "float32 (windows, 512), unit norm"},
        preparation="avbench",
    ),
    EncoderRow(
        id="clap-laion-630k@fadtk",
        kind="audio",
        sample_rate=48_000,
        load="vsseval.encoders.clap_laion:load_630k_fadtk",
        weights=("clap-laion-630k",),
        network=True,
        outputs={"embedding": "float32 (windows, 512), unit norm"},
        preparation="fadtk",
    ),
    EncoderRow(
        id="clap-laion-630k-fusion",
        kind="audio",
        sample_rate=48_000,
        load="vsseval.encoders.clap_laion:load_630k_fusion",
        weights=("clap-laion-630k-fusion",),
        network=True,
        outputs={"embedding": "float32 (windows, 512), unit norm"},
        preparation="stable-audio",
    ),
    EncoderRow(
        id="clap-laion-630k-fusion-text",
        kind="text",
        sample_rate=None,
        load="vsseval.encoders.clap_laion:load_630k_fusion_text",
        weights=("clap-laion-630k-fusion", "roberta-base"),
        network=True,
        outputs={"embedding": "float32 (512,), unit norm"},
    ),
    EncoderRow(
        id="clap-laion-text",
        kind="text",
        sample_rate=None,
        load="vsseval.encoders.clap_laion:load_text",
        weights=("clap-laion", "roberta-base"),
        network=True,
        outputs={"embedding": "float32 (512,), unit norm"},
    ),
    EncoderRow(
        id="clap-ms",
        kind="audio",
        sample_rate=44_100,
        load="vsseval.encoders.clap_ms:load",
        weights=("clap-ms",),
        network=True,
        outputs={"embedding": "float32 (windows, 1024)"},
        preparation="sinc6-mean",
    ),
    EncoderRow(
        id="clap-ms@avbench",
        kind="audio",
        sample_rate=44_100,
        load="vsseval.encoders.clap_ms:load_avbench",
        weights=("clap-ms",),
        network=True,
        outputs={"embedding": "float32 (windows, 1024)"},
        preparation="sinc6-mean",
    ),
    EncoderRow(
        id="clap-ms@fadtk",
        kind="audio",
        sample_rate=44_100,
        load="vsseval.encoders.clap_ms:load_fadtk",
        weights=("clap-ms",),
        network=True,
        outputs={"embedding": "float32 (windows, 1024)"},
        preparation="fadtk",
    ),
    EncoderRow(
        id="clap-ms-text",
        kind="text",
        sample_rate=None,
        load="vsseval.encoders.clap_ms:load_text",
        weights=("clap-ms", "gpt2"),
        network=True,
        outputs={"embedding": "float32 (1024,)"},
    ),
    _VGGISH,
    replace(_VGGISH, id="vggish@audioldm", preparation="audioldm"),
    replace(_VGGISH, id="vggish@fadtk", preparation="fadtk"),
    replace(_VGGISH, id="vggish@gudgud96", preparation="gudgud96"),
    _PANNS_16K,
    replace(_PANNS_16K, id="panns-16k@audioldm", preparation="audioldm"),
    _PANNS_32K,
    replace(_PANNS_32K, id="panns-32k@audioldm", preparation="audioldm"),
    EncoderRow(
        id="passt",
        kind="audio",
        sample_rate=32_000,
        load="vsseval.encoders.passt:load",
        weights=("passt",),
        network=True,
        outputs={
            "logits": "float32 (1, 527), AudioSet classes, before the softmax",
            "embedding": "float32 (1, 768)",
        },
        preparation="avbench",
    ),
    EncoderRow(
        id="passt@stable-audio",
        kind="audio",
        sample_rate=32_000,
        load="vsseval.encoders.passt_stable_audio:load",
        weights=("passt",),
        network=True,
        outputs={"logits": "float32 (1, 527), mean over windows, before the softmax"},
        preparation="stable-audio",
    ),
    EncoderRow(
        id="passt@audiocraft",
        kind="audio",
        sample_rate=32_000,
        load="vsseval.encoders.passt_audiocraft:load",
        weights=("passt",),
        network=True,
        outputs={"logits": "float32 (pieces, 527), before the softmax"},
        preparation="audiocraft",
    ),
    EncoderRow(
        id="relevance-demo-audio",
        kind="audio",
        sample_rate=16_000,
        load="vsseval.encoders.relevance_audio:load",
        weights=(),
        network=True,
        outputs={"embedding": "float32 (864,), unit norm"},
    ),
    EncoderRow(
        id="relevance-demo-video",
        kind="video",
        sample_rate=None,
        load="vsseval.encoders.relevance_video:load",
        weights=(),
        network=True,
        outputs={"embedding": "float32 (864,), unit norm"},
    ),
    EncoderRow(
        id="whisper-base",
        kind="audio",
        sample_rate=16_000,
        load="vsseval.encoders.whisper_ct2:load_base",
        weights=("whisper-base",),
        network=True,
        outputs={"text": "string (), may be empty"},
    ),
    *(
        EncoderRow(
            id=f"openai-whisper-{size}",
            kind="audio",
            sample_rate=16_000,
            load=f"vsseval.encoders.whisper_openai:load_{function}",
            weights=(part,),
            network=True,
            outputs={"text": "string (), may be empty"},
        )
        for size, function, part in (
            ("tiny.en", "tiny_en", "whisper-tiny.en"),
            ("base", "base", "whisper-base"),
            ("large-v3", "large_v3", "openai-whisper-large-v3"),
        )
    ),
    EncoderRow(
        id="levels",
        kind="audio",
        sample_rate=16_000,
        load="vsseval.encoders.levels:load",
        weights=(),
        network=False,
        outputs={
            "rms": "float64 (), root mean square of the samples",
            "frames": "float64 (frames of 10 ms,), root mean square of 20 ms around each",
        },
    ),
    EncoderRow(
        id="wavlm-ecapa",
        kind="audio",
        sample_rate=16_000,
        load="vsseval.encoders.wavlm_ecapa:load",
        weights=("wavlm-ecapa",),
        network=True,
        outputs={"embedding": "float32 (256,)"},
    ),
    EncoderRow(
        id="utmos22-strong",
        kind="audio",
        sample_rate=16_000,
        load="vsseval.encoders.utmos22:load",
        weights=("utmos22-strong",),
        network=True,
        outputs={"mos": "float64 (), naturalness, about 1 to 5"},
        preparation="sinc6-mean",
    ),
    EncoderRow(
        id="audiobox-aesthetics",
        kind="audio",
        sample_rate=16_000,
        load="vsseval.encoders.audiobox:load",
        weights=("audiobox-aesthetics",),
        network=True,
        outputs={
            "pq": "float64 (), production quality, about 1 to 10",
            "pc": "float64 (), production complexity, about 1 to 10",
            "ce": "float64 (), content enjoyment, about 1 to 10",
            "cu": "float64 (), content usefulness, about 1 to 10",
        },
        preparation="sinc6-mean",
    ),
)

ENCODERS: dict[str, EncoderRow] = {row.id: row for row in _ROWS}
"""All encoders by id."""


def load_encoder(encoder: str, device: str = "cpu") -> object:
    """The encoder, ready to be called as the protocol of its kind in ``vsseval.types`` says.

    Raises:
        UnknownNameError: no row has this id.
        MissingWeightsError: its weights are not in the store.
    """
    return resolve(_row(encoder).load)(device)


def signature(encoder: str, device: str = "cpu") -> str:
    """The signature that the loaded encoder has, without loading its network.

    Raises:
        UnknownNameError: no row has this id.
        MissingWeightsError: its weights are not in the store.
    """
    row = _row(encoder)
    for part in row.weights:
        weights.require(part)
    module, _, function = row.load.partition(":")
    return cast(str, resolve(f"{module}:{function.replace('load', 'signature', 1)}")(device))


def _row(encoder: str) -> EncoderRow:
    if encoder not in ENCODERS:
        raise UnknownNameError("encoder", encoder, ENCODERS)
    return ENCODERS[encoder]
