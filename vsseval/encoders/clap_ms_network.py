"""The two towers of MS-CLAP 2023, from its checkpoint.

Audio: HTSAT of the tiny size. Text: the state of GPT-2 at one token. Each goes through a projection
with one residual and a layer norm to 1024 values, which are not scaled to unit norm.

Source: microsoft/CLAP at e8a6467, msclap/models/clap.py (package msclap 1.3.3).
"""

from __future__ import annotations

from pathlib import Path

from torch import Tensor, nn
from torch.nn.functional import gelu

from vsseval.encoders import gpt2_network, htsat_network
from vsseval.encoders.checkpoints import build, read_state, renamed
from vsseval.encoders.gpt2_network import Gpt2
from vsseval.encoders.htsat_network import Htsat

WIDTH = 1024
"""Length of an embedding."""
HOP = 320
"""Of the spectrogram; see :mod:`vsseval.encoders.clap_ms` for the rate it was meant for."""
AUDIO_NAMES = {
    "branch": "audio_encoder.base.htsat",
    "projection": "audio_encoder.projection",
}
TEXT_NAMES = {"branch": "caption_encoder.base", "projection": "caption_encoder.projection"}
"""Parts of a tower here -> in the checkpoint."""
AUDIO_UNUSED = (
    rf"logit_scale|caption_encoder\..*|audio_encoder\.base\.htsat\.{htsat_network.UNUSED}"
)
# causal masks that transformers stored with a GPT-2 until 4.31
TEXT_UNUSED = (
    r"logit_scale|audio_encoder\..*|caption_encoder\.base\.h\.\d+\.attn\.(bias|masked_bias)"
)


class AudioTower(nn.Module):
    """Embeddings (b, 1024) of samples (b, n), n at most 1023 hops."""

    def __init__(self, size: htsat_network.Size) -> None:
        super().__init__()
        self.branch = Htsat(size, HOP)
        self.projection = _Projection(size.embedding)

    def forward(self, samples: Tensor) -> Tensor:
        """Embedding of each row."""
        return self.projection(self.branch(samples))


class TextTower(nn.Module):
    """Embedding (1, 1024) of the token ids of one text, int64 (1, t)."""

    def __init__(self, size: gpt2_network.Size) -> None:
        super().__init__()
        self.branch = Gpt2(size)
        self.projection = _Projection(size.width)

    def forward(self, tokens: Tensor) -> Tensor:
        """Projected state at index (number of ids above 0) - 1.

        Id 0 pads a batch upstream and is not counted; it is also the exclamation mark, so that each
        of those moves the index one token forward from the closing one.
        """
        last = int((tokens != 0).sum()) - 1
        return self.projection(self.branch(tokens)[:, last])


class _Projection(nn.Module):
    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.linear1 = nn.Linear(inputs, WIDTH, bias=False)
        self.linear2 = nn.Linear(WIDTH, WIDTH, bias=False)
        self.layer_norm = nn.LayerNorm(WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        first = self.linear1(x)
        return self.layer_norm(first + self.linear2(gelu(first)))


def load_audio_tower(path: Path, size: htsat_network.Size) -> AudioTower:
    """The audio tower of a checkpoint, for inference on the CPU.

    Raises:
        InputError: the file is no checkpoint of an MS-CLAP of this size.
    """
    state = read_state(path, "model")
    naming = renamed(AUDIO_NAMES)
    return build(lambda: AudioTower(size), state, path, naming=naming, unused=AUDIO_UNUSED)


def load_text_tower(path: Path, size: gpt2_network.Size) -> TextTower:
    """The text tower of a checkpoint, for inference on the CPU.

    Raises:
        InputError: the file is no checkpoint of an MS-CLAP of this size.
    """
    state = read_state(path, "model")
    naming = renamed(TEXT_NAMES)
    return build(lambda: TextTower(size), state, path, naming=naming, unused=TEXT_UNUSED)
