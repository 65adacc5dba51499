"""CNN14 of PANNs: the spectrogram as convolutions, six blocks, two linear layers.

Module names are the checkpoint's. Its file holds the windowed Fourier kernels and the mel matrix
too, and they are what is used.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, conv1d, pad, relu

from vsseval.encoders.checkpoints import build, read_state

WIDTHS = (64, 128, 256, 512, 1024, 2048)
CLASSES = 527
BANDS = 64
FLOOR = 1e-10
"""Least mel power before the logarithm."""


class _Stft(nn.Module):
    def __init__(self, fft: int) -> None:
        super().__init__()
        self.conv_real = nn.Conv1d(1, fft // 2 + 1, fft, bias=False)
        self.conv_imag = nn.Conv1d(1, fft // 2 + 1, fft, bias=False)


class _Spectrogram(nn.Module):
    def __init__(self, fft: int) -> None:
        super().__init__()
        self.stft = _Stft(fft)


class _LogMel(nn.Module):
    def __init__(self, fft: int) -> None:
        super().__init__()
        self.melW = nn.Parameter(torch.zeros(fft // 2 + 1, BANDS))


class ConvBlock(nn.Module):
    """Two convolutions with batch norm and ReLU; aiSFX has the same."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.bn2 = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(b, inputs, t, bands) -> (b, outputs, t, bands)."""
        x = relu(self.bn1(self.conv1(x)))
        return relu(self.bn2(self.conv2(x)))


class Cnn14(nn.Module):
    """Waveforms to embeddings and class logits."""

    def __init__(
        self, fft: int, hop: int, widths: Sequence[int] = WIDTHS, classes: int = CLASSES
    ) -> None:
        """A network with the STFT of ``fft`` and ``hop`` samples; smaller widths are for tests."""
        super().__init__()
        self.fft, self.hop = fft, hop
        self.spectrogram_extractor = _Spectrogram(fft)
        self.logmel_extractor = _LogMel(fft)
        self.bn0 = nn.BatchNorm2d(BANDS)
        self.conv_block1 = ConvBlock(1, widths[0])
        self.conv_block2 = ConvBlock(widths[0], widths[1])
        self.conv_block3 = ConvBlock(widths[1], widths[2])
        self.conv_block4 = ConvBlock(widths[2], widths[3])
        self.conv_block5 = ConvBlock(widths[3], widths[4])
        self.conv_block6 = ConvBlock(widths[4], widths[5])
        self.fc1 = nn.Linear(widths[5], widths[5])
        self.fc_audioset = nn.Linear(widths[5], classes)

    def log_mel(self, samples: Tensor) -> Tensor:
        """10 log10 of mel power (b, 1 + n // hop, 64) of waveforms (b, n); frames are centred."""
        x = pad(samples[:, None], (self.fft // 2, self.fft // 2), mode="reflect")
        stft = self.spectrogram_extractor.stft
        real = conv1d(x, stft.conv_real.weight, stride=self.hop)  # (b, fft // 2 + 1, t)
        imag = conv1d(x, stft.conv_imag.weight, stride=self.hop)
        power = (real**2 + imag**2).transpose(1, 2)  # (b, t, fft // 2 + 1)
        return 10.0 * torch.log10((power @ self.logmel_extractor.melW).clamp(min=FLOOR))

    def forward(self, samples: Tensor) -> tuple[Tensor, Tensor]:
        """Embedding (b, 2048) >= 0 and logits (b, 527) of waveforms (b, n)."""
        x = self.log_mel(samples)[:, None]  # (b, 1, t, 64)
        x = self.bn0(x.transpose(1, 3)).transpose(1, 3)  # each band is scaled on its own
        x = avg_pool2d(self.conv_block1(x), 2)  # (b, 64, t / 2, 32)
        x = avg_pool2d(self.conv_block2(x), 2)  # (b, 128, t / 4, 16)
        x = avg_pool2d(self.conv_block3(x), 2)  # (b, 256, t / 8, 8)
        x = avg_pool2d(self.conv_block4(x), 2)  # (b, 512, t / 16, 4)
        x = avg_pool2d(self.conv_block5(x), 2)  # (b, 1024, t / 32, 2)
        x = self.conv_block6(x).mean(dim=3)  # (b, 2048, t / 32)
        x = x.amax(dim=2) + x.mean(dim=2)
        embedding = relu(self.fc1(x))
        return embedding, self.fc_audioset(embedding)


def load_network(path: Path, fft: int, hop: int) -> Cnn14:
    """The network of a checkpoint, for inference on the CPU.

    Raises:
        InputError: the file is not a CNN14 of this window length.
    """
    return build(lambda: Cnn14(fft, hop), read_state(path, "model"), path)
