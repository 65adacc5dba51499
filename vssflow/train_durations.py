"""Training of v1's duration predictor on the speech whose phonemes an alignment times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from vssflow.devices import device_of
from vssflow.duration_predictor import DurationPredictor, duration_loss
from vssflow.durations import duration_matrix
from vssflow.mixture import mixture
from vssflow.train_flow import FlowTraining, Rows
from vssflow.training import Draw, Job

BLIND = 0.3
"""Share of clips whose lips are all ones, so that a text without a face can be timed."""


@dataclass(frozen=True, slots=True)
class DurationMaterial:
    """Row i of each array belongs to clip i."""

    lips: Rows
    """(N, T, 1024)."""
    phonemes: Rows
    """Ids padded with zeros, (N, P)."""
    spans: Rows
    """(N, T, 2), see :class:`vssflow.durations.Spoken`."""
    frames: Rows
    """Latent frames that each clip lasts, (N,)."""
    aligned: Sequence[int]
    """Rows of the clips to train on."""


def durations_job(
    network: DurationPredictor,
    material: DurationMaterial,
    training: FlowTraining,
    ids: Sequence[str],
) -> Job:
    """Regression of the predictor's map on the durations of aligned clips.

    Args:
        network: what is trained.
        material: features of all clips.
        training: batch, seed and learning rate.
        ids: names of all clips.

    Raises:
        InputError: no clip has an alignment.
    """
    mixed = mixture({"aligned speech": material.aligned}, {"aligned speech": 1.0},
                    training.batch, training.seed)  # fmt: skip

    def losses(draw: Draw) -> Mapping[str, Tensor]:
        picked = [row for _, row in mixed.rows(draw.step)]
        # Padding is attended to, so every share is as wide as the whole batch.
        whole = np.asarray(material.phonemes[picked], np.int64)
        width = int((whole != 0).sum(1).max())
        blind = torch.rand(len(picked), generator=draw.generator) < BLIND
        rows = list(draw.share.of(picked))
        phonemes = draw.share.of_tensor(torch.from_numpy(whole[:, :width]))
        frames = torch.from_numpy(np.asarray(material.frames[rows], np.int64))
        lips = torch.from_numpy(material.lips[rows]).float()
        inside = (torch.arange(lips.shape[1]) < frames[:, None])[..., None]
        lips = torch.where(draw.share.of_tensor(blind)[:, None, None] & inside, 1.0, lips)
        spans = torch.from_numpy(np.asarray(material.spans[rows], np.int64))
        device = device_of(network)
        look = network(phonemes.to(device), lips.to(device))
        wanted = duration_matrix(spans, width).to(device)
        return {"loss": duration_loss(look, wanted, frames.to(device))}

    return Job(
        "durations",
        network,
        losses,
        learning_rate=training.learning_rate,
        batch=training.batch,
        batch_ids=lambda step: [ids[row] for _, row in mixed.rows(step)],
        settings=mixed.describe(),
    )
