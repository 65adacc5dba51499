"""The demo SyncNet's sound tower; windows as for SyncNet v2 (vsseval.encoders.syncnet_audio)."""

from __future__ import annotations

from vsseval.encoders.syncnet_audio import SyncnetAudioEncoder
from vsseval.encoders.syncnet_demo import SHA256, load_demo_network


def signature(device: str = "cpu") -> str:
    """Weights; the device moves nothing above rounding."""
    del device
    return f"syncnet-demo-audio:{SHA256[:8]}"


def load(device: str = "cpu") -> SyncnetAudioEncoder:
    """The tower with the weights that come with the package."""
    return SyncnetAudioEncoder(load_demo_network().to(device), device, signature(device))
