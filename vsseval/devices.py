"""Whether a device that was asked for is there."""

from __future__ import annotations

import os

from vsseval.errors import InputError


def require_device(device: str) -> None:
    """Check that work can be put on a device; nothing but ``cuda`` can be missing.

    Args:
        device: ``cpu`` or ``cuda``.

    Raises:
        InputError: PyTorch sees no GPU.
    """
    if device != "cuda":
        return
    import torch

    if torch.cuda.is_available():
        return
    built = f"for CUDA {torch.version.cuda}" if torch.version.cuda else "without CUDA"
    listed = os.environ.get("CUDA_VISIBLE_DEVICES")
    shown = "" if listed is None else f", CUDA_VISIBLE_DEVICES={listed}"
    raise InputError(
        f"--device cuda: no GPU here (PyTorch {torch.__version__}, built {built}{shown}); "
        "give --device cpu"
    )
