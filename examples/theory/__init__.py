"""Theorem 1 of the paper made executable: `python -m examples.theory` from the root of a clone."""
