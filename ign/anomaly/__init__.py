r"""How far an image is from the data: scores, maps, and thresholds from clean images."""

__all__ = [
    "COLUMNS",
    "SCORES",
    "Analysis",
    "Calibration",
    "analyze",
    "score",
    "score_map",
    "scores",
    "table_rows",
]

from typing import Any

from ign.anomaly.calibration import Calibration
from ign.anomaly.scores import SCORES, Analysis, analyze, score, score_map, scores
from ign.anomaly.table import COLUMNS, table_rows
from ign.core.deprecated import renamed


def __getattr__(name: str) -> Any:
    return renamed(__name__, name, {"Seen": "Analysis", "look": "analyze", "words": "table_rows"})
