r"""How far an image is from the data: scores, maps of where, and what is usual among clean images.

The network moves an image towards the data; how far it moves it is a score that needs no
anomalies to train on.
"""

__all__ = [
    "COLUMNS",
    "SCORES",
    "Calibration",
    "Seen",
    "look",
    "score",
    "score_map",
    "scores",
    "words",
]

from ign.anomaly.scores import (
    COLUMNS,
    SCORES,
    Calibration,
    Seen,
    look,
    score,
    score_map,
    scores,
    words,
)
