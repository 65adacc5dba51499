"""The two networks of ``relevance-demo``: pixels or mel bands to a sequence of 80-ms steps."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool1d, normalize, relu

from vsseval.encoders.checkpoints import build, read_shipped
from vsseval.encoders.relevance import CHECKPOINT, SHA256, STEPS, WHAT, WHEN
from vsseval.encoders.relevance_audio import FLOOR

HIDDEN = 96


class _Trunk(nn.Module):
    """Features of each step, from which its own values and those of a stretch of time are made."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.inward = nn.Sequential(
            nn.Conv1d(inputs, HIDDEN, 1, bias=False), nn.BatchNorm1d(HIDDEN), nn.ReLU()
        )
        # Edges repeat: zeros there would tell a step how far it is from the clip's end.
        self.mix = nn.ModuleList(
            nn.Sequential(
                nn.Conv1d(HIDDEN, HIDDEN, 5, padding=2, padding_mode="replicate", bias=False),
                nn.BatchNorm1d(HIDDEN),
            )
            for _ in range(2)
        )
        self.join = nn.Conv1d(2 * HIDDEN, HIDDEN, 1)
        self.when = nn.Conv1d(HIDDEN, WHEN, 1)
        self.what = nn.Sequential(nn.Linear(2 * HIDDEN, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, WHAT))

    def features(self, x: Tensor) -> Tensor:
        """Features (b, HIDDEN, steps)."""
        x = self.inward(x)
        for layer in self.mix:
            x = x + relu(layer(x))
        return x

    def steps(self, features: Tensor) -> Tensor:
        """Values (b, WHEN, steps), each step knowing the mean of the clip."""
        context = features.mean(dim=2, keepdim=True).expand_as(features)
        return self.when(relu(self.join(torch.cat([features, context], dim=1))))

    def whole(self, features: Tensor) -> Tensor:
        """Values (b, WHAT) of a stretch of time, whatever the order in it."""
        return self.what(torch.cat([features.mean(dim=2), features.amax(dim=2)], dim=1))


def _block(inputs: int, outputs: int, kernel: int, stride: int | tuple[int, int]) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=kernel % 2, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    )


class Tower(nn.Module):
    """A network over one side of a clip."""

    trunk: _Trunk

    def forward(self, x: Tensor) -> Tensor:
        """Features (b, HIDDEN, steps)."""
        raise NotImplementedError

    def embed(self, x: Tensor) -> Tensor:
        """Unit vectors (b, WHAT + STEPS * WHEN); both parts are of equal length."""
        features = self(x)
        what = normalize(self.trunk.whole(features), dim=1)
        steps = adaptive_avg_pool1d(self.trunk.steps(features), STEPS)
        when = normalize(steps.flatten(1), dim=1)
        return torch.cat([what, when], dim=1) / 2**0.5


class AudioTower(Tower):
    """Of the power of mel bands, float32 (b, 64, 4 steps), over the clip's level."""

    def __init__(self) -> None:
        super().__init__()
        self.image = nn.Sequential(
            _block(1, 32, 3, (2, 1)), _block(32, 64, 3, (2, 2)), _block(64, HIDDEN, 3, (2, 2))
        )
        self.trunk = _Trunk(HIDDEN * 8)

    def forward(self, x: Tensor) -> Tensor:
        """Features (b, HIDDEN, steps)."""
        x = (torch.log(x + FLOOR) + 7) / 4
        x = self.image(x[:, None])  # (b, 96, 8, steps)
        return self.trunk.features(x.flatten(1, 2))


class VideoTower(Tower):
    """Of small frames, uint8 (b, steps, 4, 48, 48)."""

    def __init__(self) -> None:
        super().__init__()
        self.image = nn.Sequential(_block(5, 32, 4, 4), _block(32, 64, 3, 2), _block(64, 96, 3, 2))
        self.trunk = _Trunk(96 * 3 * 3)

    def forward(self, x: Tensor) -> Tensor:
        """Features (b, HIDDEN, steps)."""
        batch, steps = x.shape[:2]
        x = self.image(_with_motion(x).flatten(0, 1))  # (b steps, 96, 3, 3)
        return self.trunk.features(x.reshape(batch, steps, -1).transpose(1, 2))


def _with_motion(x: Tensor) -> Tensor:
    """Colour, and the change of luma within each step and since the step before: (b, t, 5, ...)."""
    x = x.float() / 255
    colour, earlier = x[:, :, :3] - 0.5, x[:, :, 3:]
    later = (x[:, :, :3] * x.new_tensor([0.299, 0.587, 0.114])[:, None, None]).sum(2, keepdim=True)
    before = torch.cat([earlier[:, :1], later[:, :-1]], dim=1)
    return torch.cat([colour, 4 * (later - earlier), 4 * (earlier - before)], dim=2)


class Towers(nn.Module):
    """Both networks; the names of its state are those of the checkpoint."""

    def __init__(self) -> None:
        super().__init__()
        self.audio = AudioTower()
        self.video = VideoTower()


def load_towers() -> Towers:
    """The networks of the checkpoint that comes with the package, for inference on the CPU.

    Raises:
        InputError: the checkpoint is absent or damaged.
    """
    return build(Towers, read_shipped(CHECKPOINT, SHA256), CHECKPOINT)
