"""Every measurement that needs a GPU, in one program: ``python -m benchmarks.gpu``."""
