"""What a clip costs: processor time of every encoder and of the audio checks, on one thread.

The clip is ten seconds of the demo benchmark's speech, said over and over, with its video. Time and
memory of a network do not depend on what its weights are: one whose weights are not in the store is
timed with random ones, where its sizes are ours to know.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from vsseval.audio import read_audio
from vsseval.bench.measure import BenchRow
from vsseval.benchmarks.manifest import load_benchmark
from vsseval.encoders.table import ENCODERS, EncoderRow, load_encoder
from vsseval.errors import MissingWeightsError
from vsseval.preparations import prepare
from vsseval.sanity import Output, examine
from vsseval.types import (
    Audio,
    AudioEncoder,
    Features,
    PairEncoder,
    TextEncoder,
    VideoEncoder,
)
from vsseval.video import read_video
from vsseval.workers import one_thread

if TYPE_CHECKING:
    from torch import nn

SECONDS = 10.0
CLIPS = 15_446
"""Of VGGSound's test split, whose clips last as long."""
_LONG = 5.0
"""A call that takes longer is not repeated [s]."""


def per_clip(*, quick: bool = False) -> list[BenchRow]:
    """Seconds that a clip takes in each encoder, preparation included, and in the other steps."""
    seconds = 1.0 if quick else SECONDS
    audio, (frames, fps), face_box = _clip(seconds)
    rows = [_row("audio checks", seconds, partial(_checked, audio, seconds))]
    made: dict[str, Features] = {}
    order = sorted(ENCODERS.values(), key=lambda row: row.kind == "pair")
    for row in order:
        if quick and row.network:
            continue
        encoder, how = _encoder(row.id)
        if encoder is None:
            continue
        call: Callable[[], Features]
        if row.kind == "audio":
            call = partial(_heard, cast(AudioEncoder, encoder), audio, seconds, row)
        elif row.kind == "video":
            face = {"face_box": face_box} if row.uses_face_box else {}
            call = partial(cast(VideoEncoder, encoder), frames, fps, **face)
        elif row.kind == "text":
            call = partial(cast(TextEncoder, encoder), "a dog barks while a car passes by")
        else:
            parts = [join.partition(":")[2].rpartition(".") for join in row.joins]
            if not all(part in made for part, _, _ in parts):
                continue
            arrays = [made[part][output] for part, _, output in parts]
            call = partial(cast(PairEncoder, encoder), *arrays)
        rows.append(_row(f"{row.id}{how}", seconds, call, keep=partial(made.__setitem__, row.id)))
    return rows


def _row(
    what: str,
    seconds: float,
    call: Callable[[], Features],
    keep: Callable[[Features], None] = lambda found: None,
) -> BenchRow:
    times: list[float] = []
    with one_thread():
        # The first call loads and compiles.
        while len(times) < 3 and sum(times) < _LONG:
            start = time.process_time()
            keep(call())
            times.append(time.process_time() - start)
    took = min(times)
    hours = took * CLIPS / 3600
    return BenchRow(f"{what}: a clip of {seconds:g} s; {CLIPS:,} take {hours:.3g} h", took)


def _clip(
    seconds: float,
) -> tuple[Audio, tuple[NDArray[np.uint8], float], tuple[int, int, int, int] | None]:
    """Sound, frames with their rate, and the face in them."""
    item = load_benchmark("demo-speech").items[0]
    assert item.audio is not None
    assert item.video is not None
    sound, video = read_audio(item.audio), read_video(item.video)
    samples = np.resize(sound.samples[0], (1, round(seconds * sound.sample_rate)))
    turns = np.arange(round(seconds * video.fps)) % len(video.frames)
    return Audio(samples, sound.sample_rate), (video.frames[turns], video.fps), item.face_box


def _heard(encoder: AudioEncoder, audio: Audio, seconds: float, row: EncoderRow) -> Features:
    return encoder(prepare(audio, row.sample_rate or 0, seconds, row.preparation))


def _checked(audio: Audio, seconds: float) -> Features:
    examine(Output("a", "a", audio, audio, seconds))
    return {}


def _encoder(name: str) -> tuple[object | None, str]:
    """The encoder and a remark on its weights; None if it can be had neither way."""
    try:
        return load_encoder(name), ""
    except MissingWeightsError:
        make = _RANDOM.get(name)
        return (make(), " (random weights)") if make else (None, "")


def _ready(network: nn.Module) -> nn.Module:
    return network.requires_grad_(False).eval()


def _vggish() -> object:
    from vsseval.encoders.vggish import VggishEncoder
    from vsseval.encoders.vggish_network import Vggish

    return VggishEncoder(cast(Vggish, _ready(Vggish())), "cpu", "random")


def _panns(name: str) -> object:
    from vsseval.encoders.panns import CNN14_16K, CNN14_32K, PannsEncoder
    from vsseval.encoders.panns_network import Cnn14

    variant = CNN14_16K if name == "16k" else CNN14_32K
    network = _ready(Cnn14(variant.fft, variant.hop))
    return PannsEncoder(cast(Cnn14, network), variant, "cpu", "random")


def _passt() -> object:
    from vsseval.encoders.passt import PasstEncoder
    from vsseval.encoders.passt_network import DEPTH, Network

    return PasstEncoder(cast(Network, _ready(Network(DEPTH))), "cpu", "random")


def _clap_laion() -> object:
    from vsseval.encoders.clap import ClapAudio
    from vsseval.encoders.clap_laion import one_window
    from vsseval.encoders.clap_laion_network import AudioTower
    from vsseval.encoders.htsat_network import BASE

    return ClapAudio(_ready(AudioTower(BASE)), one_window, "cpu", "random")


def _clap_ms() -> object:
    from vsseval.encoders.clap import ClapAudio
    from vsseval.encoders.clap_ms import covering_windows
    from vsseval.encoders.clap_ms_network import AudioTower
    from vsseval.encoders.htsat_network import TINY

    return ClapAudio(_ready(AudioTower(TINY)), covering_windows, "cpu", "random")


def _imagebind_audio() -> object:
    from vsseval.encoders.imagebind_audio import ImagebindAudioEncoder
    from vsseval.encoders.imagebind_network import AudioTower

    return ImagebindAudioEncoder(cast(AudioTower, _ready(AudioTower())), "cpu", "random")


def _imagebind_video() -> object:
    from vsseval.encoders.imagebind_network import VisionTower
    from vsseval.encoders.imagebind_video import ImagebindVideoEncoder

    return ImagebindVideoEncoder(cast(VisionTower, _ready(VisionTower())), "cpu", "random")


def _synchformer(half: str) -> object:
    from vsseval.encoders import synchformer
    from vsseval.synchformer.network import Synchformer

    network = cast(Synchformer, _ready(Synchformer(None)))
    if half == "video":
        return synchformer.VideoSegments(network.video, "cpu", "random")
    if half == "audio":
        return synchformer.AudioSegments(network.audio, "cpu", "random")
    return synchformer.OffsetHead(network.head, synchformer.first_and_last, "cpu", "random")


def _wavlm_ecapa() -> object:
    from vsseval.encoders.wavlm_ecapa import WavlmEcapaEncoder
    from vsseval.encoders.wavlm_ecapa_network import Network

    return WavlmEcapaEncoder(cast(Network, _ready(Network())), "cpu", "random")


def _utmos() -> object:
    from vsseval.encoders.utmos22 import UtmosEncoder
    from vsseval.encoders.utmos22_network import Network

    return UtmosEncoder(cast(Network, _ready(Network())), "cpu", "random")


def _audiobox() -> object:
    from vsseval.encoders.audiobox import AudioboxEncoder
    from vsseval.encoders.audiobox_network import AXES, Aesthetics, Network, Scale

    network = cast(Network, _ready(Network()))
    scales = dict.fromkeys(AXES, Scale(0.0, 1.0))
    return AudioboxEncoder(Aesthetics(network, scales), "cpu", "random")


_RANDOM: Mapping[str, Callable[[], object]] = {
    "vggish": _vggish,
    "panns-16k": partial(_panns, "16k"),
    "panns-32k": partial(_panns, "32k"),
    "passt": _passt,
    "clap-laion": _clap_laion,
    "clap-ms": _clap_ms,
    "imagebind-audio": _imagebind_audio,
    "imagebind-video": _imagebind_video,
    "synchformer-video": partial(_synchformer, "video"),
    "synchformer-audio": partial(_synchformer, "audio"),
    "synchformer": partial(_synchformer, "head"),
    "wavlm-ecapa": _wavlm_ecapa,
    "utmos22-strong": _utmos,
    "audiobox-aesthetics": _audiobox,
}
"""Encoders whose weights a person must bring, with random ones."""
