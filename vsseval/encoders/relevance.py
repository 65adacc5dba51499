"""What the two halves of ``relevance-demo`` share: its time grid and its checkpoint.

Two small networks, trained together on the train split of ``demo-sound``, give the sound and the
picture of a clip one unit vector each; their cosine says how well they belong together.

    what     64 values of the whole clip, whatever its order in time
    when     16 values for each of 50 steps of 80 ms (a clip of another length than 4 s is averaged
             to 50), compared step by step
    vector   both parts at unit norm, one after the other, over the square root of two: the cosine
             is the mean of the cosines of the parts
    trained  symmetric InfoNCE. What: against other clips, either side hearing or seeing another
             stretch of time. When: against other clips and the same clip moved in time
    for      the drawn clips of the demo benchmarks alone; it knows nothing of filmed scenes

Training, data, figures and limits: docs/relevance-demo.md, ``relevance_train.py``. Licence MIT.
"""

from __future__ import annotations

from pathlib import Path

STEPS_PER_SECOND = 12.5
STEPS, WHEN, WHAT = 50, 16, 64
"""Steps of an embedding, values of a step, values of the whole clip."""
SIZE = WHAT + STEPS * WHEN
CHECKPOINT = Path(__file__).parent / "checkpoints" / "relevance-demo.safetensors"
SHA256 = "034d8f65cf244d6f5e243996961dc080ad5708921410c303bba7edc8b85cd44c"
"""Digest of the shipped checkpoint; another file is refused."""
SIGNATURE = f"{SHA256[:8]}|what:{WHAT}|when:{STEPS}x{WHEN}"
