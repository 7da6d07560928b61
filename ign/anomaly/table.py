"""Scores as rows of a table."""

__all__ = ["COLUMNS", "table_rows"]

from torch import Tensor

from ign.anomaly.calibration import Calibration

COLUMNS = ("file", "score", "percentile", "flag")
"""The columns of a table of scores; :func:`table_rows` gives the last three."""


def table_rows(
    scores: Tensor, kind: str = "displacement", calibration: Calibration | None = None
) -> list[tuple[str, str, str]]:
    """The score, percentile and flag of each image as text.

    Args:
        scores: (B,).
        kind: The kind of score, as in :func:`ign.anomaly.score`.
        calibration: The calibration; without one, percentile and flag are empty.
    """
    texts = [f"{score:.6g}" for score in scores.tolist()]
    if calibration is None:
        return [(text, "", "") for text in texts]
    percentiles, flags = calibration.percentile(scores, kind), calibration.flag(scores, kind)
    return [
        (text, f"{percentile:.1f}", str(int(flag)))
        for text, percentile, flag in zip(texts, percentiles.tolist(), flags.tolist(), strict=True)
    ]
