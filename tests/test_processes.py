"""The objective in several processes: the gradient is that of the joined batch, clamp on."""

import os

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from ign import IGNObjective
from ign.nn import DCGANAutoencoder

WORLD = 2


class Owner(nn.Module):
    """What DDP wraps: the module that owns network and objective."""

    def __init__(self, norm: str, one_pass: bool, scale: str):
        super().__init__()
        torch.manual_seed(0)
        self.network = DCGANAutoencoder(1, 8, 4, norm).double()
        with torch.no_grad():
            for p in self.network.parameters():
                p.mul_(5 if p.ndim > 1 else 1)
        self.objective = IGNObjective(clamp_ratio=0.3, clamp_scale=scale, one_pass=one_pass)

    def forward(self, x, z):
        return self.objective(self.network, x, z).total


def batch():
    g = torch.Generator().manual_seed(1)
    x, z = torch.randn(2, 8, 1, 8, 8, generator=g, dtype=torch.float64)
    return x * torch.linspace(0.1, 2, 8)[:, None, None, None], z


CASES = [
    ("group", True, "x"),
    ("group", False, "x"),
    ("none", True, "z"),
    ("none", False, "sample"),
]


def work(rank: int, folder: str) -> None:
    store = dist.FileStore(f"{folder}/store", WORLD)
    dist.init_process_group("gloo", store=store, rank=rank, world_size=WORLD)
    x, z = (t.chunk(WORLD)[rank] for t in batch())
    found = []
    for norm, one_pass, scale in CASES:
        owner = DistributedDataParallel(Owner(norm, one_pass, scale))
        total = owner(x, z)
        total.backward()
        gradient = torch.cat([p.grad.flatten() for p in owner.module.network.parameters()])
        found.append((total.detach(), gradient))
    torch.save(found, f"{folder}/{rank}.pt")
    dist.barrier()
    dist.destroy_process_group()


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    folder = tmp_path_factory.mktemp("processes")
    os.environ["OMP_NUM_THREADS"] = "1"
    mp.start_processes(work, (str(folder),), WORLD, start_method="spawn")
    return [torch.load(folder / f"{rank}.pt") for rank in range(WORLD)]


@pytest.mark.parametrize("case", range(len(CASES)))
def test_gradient_is_that_of_the_joined_batch(case, found):
    owner = Owner(*CASES[case])
    total = owner(*batch())
    total.backward()
    wanted = torch.cat([p.grad.flatten() for p in owner.network.parameters()])
    for rank in range(WORLD):
        _, gradient = found[rank][case]
        assert ((gradient - wanted).norm() / wanted.norm()).item() < 1e-12


def test_clamp_of_each_part_alone_would_differ():
    gradients = []
    for x, z in (batch(), *zip(*(t.chunk(WORLD) for t in batch()), strict=True)):
        owner = Owner("group", True, "x")
        owner(x, z).backward()
        gradients.append(torch.cat([p.grad.flatten() for p in owner.network.parameters()]))
    whole, *parts = gradients
    assert ((sum(parts) / WORLD - whole).norm() / whole.norm()).item() > 1e-3
