"""The network of GE2E: three recurrent layers and a projection."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor, nn
from torch.nn.functional import normalize, relu

from vsseval.encoders.checkpoints import build, read_state

TRAINING_ONLY = "similarity_weight|similarity_bias"
"""Scale and offset of the training loss; the checkpoint holds them, inference does not use them."""


class Network(nn.Module):
    """Mel frames to a unit vector; names are the checkpoint's."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(40, 256, num_layers=3, batch_first=True)
        self.linear = nn.Linear(256, 256)

    def forward(self, mel: Tensor) -> Tensor:
        """Embeddings (b, 256) of mel spectrograms (b, frames, 40)."""
        _, (hidden, _) = self.lstm(mel)  # (3, b, 256)
        return normalize(relu(self.linear(hidden[-1])), dim=1)


def load_network(path: Path) -> Network:
    """The network of a checkpoint, for inference on the CPU.

    Raises:
        InputError: the file is no checkpoint of this network.
    """
    return build(Network, read_state(path, "model_state"), path, unused=TRAINING_ONLY)
