"""Rows of :data:`vsseval.encoders.table.ENCODERS` that hear speech: words, voices, opinions."""

from __future__ import annotations

from vsseval.encoders.row import EncoderRow

SPEECH = (
    EncoderRow(
        id="whisper-tiny.en",
        kind="audio",
        sample_rate=16_000,
        load="vsseval.encoders.whisper_ct2:load",
        variant="whisper-tiny.en",
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
        id="whisper-base",
        kind="audio",
        sample_rate=16_000,
        load="vsseval.encoders.whisper_ct2:load",
        variant="whisper-base",
        weights=("whisper-base",),
        network=True,
        outputs={"text": "string (), may be empty"},
    ),
    *(
        EncoderRow(
            id=f"openai-whisper-{size}",
            kind="audio",
            sample_rate=16_000,
            load="vsseval.encoders.whisper_openai:load",
            variant=size,
            weights=(part,),
            network=True,
            outputs={"text": "string (), may be empty"},
        )
        for size, part in (
            ("tiny.en", "whisper-tiny.en"),
            ("base", "whisper-base"),
            ("large-v3", "openai-whisper-large-v3"),
        )
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
