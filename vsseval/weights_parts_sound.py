"""Pretrained parts that hear any sound, and the vocabularies of their texts.

Two sources of one file are the same bytes:

- GPT-2's vocabulary: tiktoken publishes the same sha256 of OpenAI's ``encoder.json`` and
  ``vocab.bpe``; RoBERTa's ``merges.txt`` is that file too.

Digests that no publisher states:

- VGGish: torch.hub names a file by the start of its sha256; the whole of it is in the metadata of
  uncharted-distil/distil-primitives (audio_transfer.py).
- PANNs: several tools that fetch the record's files state the same digests and sizes, for 32 kHz
  among them dennech/reaper-audio-tag 0.3.8.
"""

from __future__ import annotations

from vsseval.weights_parts import HubFile, Part, Url, WeightFile, WheelFile

_TORCHVGGISH_URL = "https://github.com/harritaylor/torchvggish/releases/download/v0.1"
_PANNS_URL = "https://zenodo.org/records/3987831/files"
_LAION_HUB = ("lukewys/laion_clap", "b3708341862f581175dba5c356a4ebf74a9b6651")
_MSCLAP_HUB = ("microsoft/msclap", "c47d441165daa21986ead0850660917636a81775")
_ROBERTA_HUB = ("FacebookAI/roberta-base", "e2da8e2f811d1448a5b465c236feacd80ffbac7b")
_GPT2_HUB = ("openai-community/gpt2", "607a30d783dfa663caf39e06633721c8d4cfcd7e")
_GPT2_URL = "https://openaipublic.blob.core.windows.net/gpt-2/encodings/main"
_GPT2_MERGES = "1ce1664773c50f3e0cc8842619a93edc4624525b728b188a9e0be33b7726adc5"

SOUND: dict[str, Part] = {
    "aisfx": Part(
        title="aiSFX sound-effects network (Ma and Lerch, ISMIR 2022)",
        licence="CC BY 4.0",
        needed_by=("aisfx",),
        files=(
            WeightFile(
                path="checkpoint.pth",
                sha256="499ea75909c932a2f94c35fa722fa4fabc5bcb7e84917209cc5f7402627b7eb5",
                size=24_900_277,
                sources=(WheelFile("aisfx", "0.1.2", "aisfx/models/checkpoint.pth"),),
            ),
            WeightFile(
                path="LICENSE",
                sha256="ffbd577c84eafbeec600d7b8f9a4f16f47d017b28cdf6b07efa1716f8ced5b82",
                size=18_699,
                sources=(WheelFile("aisfx", "0.1.2", "aisfx-0.1.2.dist-info/licenses/LICENSE"),),
                optional=True,
            ),
        ),
    ),
    "vggish": Part(
        title="VGGish (Hershey et al., 2017), PyTorch port by torchvggish",
        licence="Apache-2.0",
        needed_by=("vggish",),
        files=(
            WeightFile(
                path="vggish-10086976.pth",
                sha256="10086976245803799d9194e9a73d9b6c1549c71d1b80106f5cade5608a561f4b",
                size=None,
                sources=(Url(f"{_TORCHVGGISH_URL}/vggish-10086976.pth"),),
            ),
        ),
    ),
    "panns-16k": Part(
        title="PANNs CNN14 at 16 kHz (Kong et al., 2020)",
        licence="CC BY 4.0",
        needed_by=("panns-16k",),
        files=(
            WeightFile(
                path="Cnn14_16k_mAP=0.438.pth",
                sha256="e2ee543a27919542c2ea03eabaa70b24dcd4e6c8e05621de6b67a94e4c5058e6",
                size=358_668_570,
                sources=(Url(f"{_PANNS_URL}/Cnn14_16k_mAP%3D0.438.pth"),),
            ),
        ),
    ),
    "panns-32k": Part(
        title="PANNs CNN14 at 32 kHz (Kong et al., 2020)",
        licence="CC BY 4.0",
        needed_by=("panns-32k",),
        files=(
            WeightFile(
                path="Cnn14_mAP=0.431.pth",
                sha256="0dc499e40e9761ef5ea061ffc77697697f277f6a960894903df3ada000e34b31",
                size=327_428_481,
                sources=(Url(f"{_PANNS_URL}/Cnn14_mAP%3D0.431.pth"),),
            ),
        ),
    ),
    "clap-laion": Part(
        title="LAION-CLAP, music, speech and AudioSet (Wu et al., 2023)",
        licence="CC0-1.0",
        needed_by=("clap-laion", "clap-laion-text"),
        files=(
            WeightFile(
                path="music_speech_audioset_epoch_15_esc_89.98.pt",
                sha256="51c68f12f9d7ea25fdaaccf741ec7f81e93ee594455410f3bca4f47f88d8e006",
                size=2_352_471_003,
                sources=(HubFile(*_LAION_HUB, "music_speech_audioset_epoch_15_esc_89.98.pt"),),
            ),
        ),
    ),
    "clap-laion-music": Part(
        title="LAION-CLAP, music and AudioSet (Wu et al., 2023)",
        licence="CC0-1.0",
        needed_by=("clap-laion-music", "clap-laion-music@fadtk"),
        files=(
            WeightFile(
                path="music_audioset_epoch_15_esc_90.14.pt",
                sha256="fae3e9c087f2909c28a09dc31c8dfcdacbc42ba44c70e972b58c1bd1caf6dedd",
                size=2_352_471_003,
                sources=(HubFile(*_LAION_HUB, "music_audioset_epoch_15_esc_90.14.pt"),),
            ),
        ),
    ),
    "clap-laion-630k": Part(
        title="LAION-CLAP, LAION-Audio-630K and AudioSet (Wu et al., 2023)",
        licence="CC0-1.0",
        needed_by=("clap-laion-630k", "clap-laion-630k@fadtk"),
        files=(
            WeightFile(
                path="630k-audioset-best.pt",
                sha256="8053c9775516af2f4902e1e8281e356cc1bf7a85e8b761908170767b77c3f037",
                size=1_863_587_645,
                sources=(HubFile(*_LAION_HUB, "630k-audioset-best.pt"),),
            ),
        ),
    ),
    "clap-laion-630k-fusion": Part(
        title="LAION-CLAP with fusion, LAION-Audio-630K and AudioSet (Wu et al., 2023)",
        licence="CC0-1.0",
        needed_by=("clap-laion-630k-fusion", "clap-laion-630k-fusion-text"),
        files=(
            WeightFile(
                path="630k-audioset-fusion-best.pt",
                sha256=None,
                size=None,
                sources=(HubFile(*_LAION_HUB, "630k-audioset-fusion-best.pt"),),
            ),
        ),
    ),
    "clap-ms": Part(
        title="MS-CLAP 2023 (Elizalde et al., 2023)",
        licence="MS-PL (hub), CC BY 3.0 US (Zenodo)",
        needed_by=("clap-ms", "clap-ms@avbench", "clap-ms@fadtk", "clap-ms-text"),
        files=(
            WeightFile(
                path="CLAP_weights_2023.pth",
                sha256="2cef4016d47d00eb28d153d522f397222057f95000e9bad6b9583c631284a1e6",
                size=689_950_036,
                sources=(
                    HubFile(*_MSCLAP_HUB, "CLAP_weights_2023.pth"),
                    Url("https://zenodo.org/records/8378278/files/CLAP_weights_2023.pth"),
                ),
            ),
        ),
    ),
    "passt": Part(
        title="PaSST-S, patch 16, stride 10, SWA, mAP 0.476 (Koutini et al., 2022)",
        licence="Apache-2.0",
        needed_by=("passt", "passt@stable-audio", "passt@audiocraft"),
        files=(
            # Digest: model card of SAID (Runbang Wang) and code of MeowAgeNet (idea049), which also
            # states the size; three public repositories agree on it.
            WeightFile(
                path="passt-s-f128-p16-s10-ap.476-swa.pt",
                sha256="302903fa8c4aee817b11dc982da0b29aaf8d11a3e722420476d0a12c9db70c2c",
                size=344_665_734,
                sources=(
                    Url(
                        "https://github.com/kkoutini/PaSST/releases/download/v0.0.1-audioset/"
                        "passt-s-f128-p16-s10-ap.476-swa.pt"
                    ),
                ),
            ),
        ),
    ),
    "roberta-base": Part(
        title="Byte-pair vocabulary of RoBERTa (Liu et al., 2019); no network",
        licence="MIT",
        needed_by=("clap-laion-text", "clap-laion-630k-fusion-text"),
        files=(
            WeightFile(
                path="vocab.json",
                sha256="9e7f63c2d15d666b52e21d250d2e513b87c9b713cfa6987a82ed89e5e6e50655",
                size=898_823,
                sources=(HubFile(*_ROBERTA_HUB, "vocab.json"),),
            ),
            WeightFile(
                path="merges.txt",
                sha256=_GPT2_MERGES,
                size=456_318,
                sources=(HubFile(*_ROBERTA_HUB, "merges.txt"), Url(f"{_GPT2_URL}/vocab.bpe")),
            ),
        ),
    ),
    "gpt2": Part(
        title="Byte-pair vocabulary of GPT-2 (Radford et al., 2019); no network",
        licence="MIT",
        needed_by=("clap-ms-text",),
        files=(
            WeightFile(
                path="vocab.json",
                sha256="196139668be63f3b5d6574427317ae82f612a97c5d1cdaf36ed2256dbf636783",
                size=1_042_301,
                sources=(HubFile(*_GPT2_HUB, "vocab.json"), Url(f"{_GPT2_URL}/encoder.json")),
            ),
            WeightFile(
                path="merges.txt",
                sha256=_GPT2_MERGES,
                size=456_318,
                sources=(HubFile(*_GPT2_HUB, "merges.txt"), Url(f"{_GPT2_URL}/vocab.bpe")),
            ),
        ),
    ),
}
