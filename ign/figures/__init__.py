"""The paper's figures, drawn from a model, and its diagrams."""

from ign.figures.make import count, make

__all__ = ["count", "make"]
