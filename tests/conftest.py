"""One thread for a test process and those it starts: quick side by side, and bit-equal."""

import os

import torch

os.environ["OMP_NUM_THREADS"] = "1"
torch.set_num_threads(1)
