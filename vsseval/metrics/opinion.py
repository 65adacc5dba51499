"""Opinion scores that a network predicts from the generated audio alone.

Goal: carry the number of a non-intrusive predictor (DNSMOS, UTMOS, Audiobox) into the table. The
network, its windows and its polynomials belong to the encoder; only the check is done here.

Conventions:
    A score is a 0-d or one-element float on the scale that the row's unit names. There is no
    reference side, so a score says nothing about fidelity to the video or the text.

Functions:
    opinion_components      the score as a component vector for the METRICS table

Edge cases:
    a score that is not finite      InputError
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vsseval.errors import InputError
from vsseval.metrics._arrays import Floats


def opinion_components(score: Floats) -> NDArray[np.float64]:
    """The predicted score as float64 (1,).

    Raises:
        InputError: more than one number, or one that is not finite.
    """
    values = np.asarray(score, dtype=np.float64).reshape(-1)
    if values.size != 1 or not np.isfinite(values[0]):
        raise InputError(f"expected one finite opinion score, got {np.asarray(score)!r}")
    return values
