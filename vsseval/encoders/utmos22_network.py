"""UTMOS22 strong: wav2vec 2.0, a recurrent layer in both directions, a score for each frame.

Names are those of SpeechMOS's state dict. Source: tarepan/SpeechMOS at ed25eac (v1.2.0); T. Saeki
et al. (2022), arXiv 2204.02152 (without its phoneme encoder).
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from vsseval.encoders.checkpoints import build, read_state
from vsseval.encoders.wav2vec_network import BASE, Size
from vsseval.encoders.wav2vec_network import Network as Wav2vec

LISTENER = 128
"""Size of the vector of the domain, and of the judge: one of each, fixed in the checkpoint."""


class Network(nn.Module):
    """Samples to an opinion score."""

    def __init__(self, size: Size = BASE, recurrent: int = 512, projected: int = 2048) -> None:
        super().__init__()
        self.wav2vec2 = Wav2vec(size)
        self.domain_emb = nn.Parameter(torch.zeros(1, LISTENER))
        self.judge_emb = nn.Parameter(torch.zeros(1, LISTENER))
        self.blstm = nn.LSTM(
            size.width + 2 * LISTENER, recurrent, batch_first=True, bidirectional=True
        )
        self.projection = nn.Sequential(
            nn.Linear(2 * recurrent, projected), nn.ReLU(), nn.Linear(projected, 1)
        )

    def forward(self, samples: Tensor) -> Tensor:
        """Score () of one clip of samples (n,), n >= 400."""
        frames = self.wav2vec2(samples[None])[-1]
        listener = torch.cat([self.domain_emb, self.judge_emb], dim=1)[:, None]
        both = torch.cat([frames, listener.expand(-1, frames.shape[1], -1)], dim=2)
        scores: Tensor = self.projection(self.blstm(both)[0])
        return scores.mean() * 2 + 3


def load_network(path: Path) -> Network:
    """The network of ``utmos22_strong_step7459_v1.pt``, for inference on the CPU.

    Raises:
        InputError: keys are missing or too many, or a shape differs.
    """
    return build(Network, read_state(path), path)
