"""Numerical tests of Theorem 1 of the paper. Run `python -m examples.theory` in a clone."""
