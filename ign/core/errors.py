"""Errors that several packages raise."""

__all__ = ["ModelError"]


class ModelError(ValueError):
    """A model cannot be found, read, saved or used; the message says what to do in one line."""
