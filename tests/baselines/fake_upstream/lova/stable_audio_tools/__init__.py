"""Fake of the names that the driver uses, with upstream's parameters."""

from .inference.utils import save_audio as save_audio
from .models.factory import create_model_from_config as create_model_from_config
