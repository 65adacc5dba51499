"""Rows of :data:`vsseval.encoders.table.ENCODERS` that hear any sound, and their texts."""

from __future__ import annotations

from dataclasses import replace

from vsseval.encoders.row import EncoderRow

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
    load="vsseval.encoders.panns:load",
    variant="panns-16k",
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
    variant="panns-32k",
    weights=("panns-32k",),
)
_LAION = (
    ("clap-laion", "avbench"),
    ("clap-laion-music", "avbench"),
    ("clap-laion-music@fadtk", "fadtk"),
    ("clap-laion-630k", "avbench"),
    ("clap-laion-630k@fadtk", "fadtk"),
    ("clap-laion-630k-fusion", "stable-audio"),
)
_MS = (("clap-ms", "sinc6-mean"), ("clap-ms@avbench", "sinc6-mean"), ("clap-ms@fadtk", "fadtk"))


def _laion(encoder: str, preparation: str) -> EncoderRow:
    return EncoderRow(
        id=encoder,
        kind="audio",
        sample_rate=48_000,
        load="vsseval.encoders.clap_laion:load",
        variant=encoder,
        weights=(encoder.partition("@")[0],),
        network=True,
        outputs={"embedding": "float32 (windows, 512), unit norm"},
        preparation=preparation,
    )


def _laion_text(part: str) -> EncoderRow:
    return EncoderRow(
        id=f"{part}-text",
        kind="text",
        sample_rate=None,
        load="vsseval.encoders.clap_laion:load_text",
        variant=part,
        weights=(part, "roberta-base"),
        network=True,
        outputs={"embedding": "float32 (512,), unit norm"},
    )


def _ms(encoder: str, preparation: str) -> EncoderRow:
    return EncoderRow(
        id=encoder,
        kind="audio",
        sample_rate=44_100,
        load="vsseval.encoders.clap_ms:load",
        variant=encoder,
        weights=("clap-ms",),
        network=True,
        outputs={"embedding": "float32 (windows, 1024)"},
        preparation=preparation,
    )


SOUND = (
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
    *(_laion(encoder, preparation) for encoder, preparation in _LAION),
    *(_laion_text(part) for part in ("clap-laion-630k-fusion", "clap-laion")),
    *(_ms(encoder, preparation) for encoder, preparation in _MS),
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
)
