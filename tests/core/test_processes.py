"""Several processes take the steps of one on the joined batch: gradients, statistics, average."""

from typing import NamedTuple

import pytest
import torch
from together import together
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from ign import IGNObjective
from ign.core import processes
from ign.nn import DCGANAutoencoder, RoleBatchNorm2d, synchronize
from ign.nn.ema import Average
from ign.nn.joint import joint_batch_norm
from ign.nn.sharding import shard, whole
from ign.objective import AdversarialObjective, CodeObjective, MatchObjective

STEPS = 2


class Case(NamedTuple):
    """A network and an objective."""

    norm: str
    one_pass: bool = True
    scale: str = "x"
    ratio: float = 0.3
    match: float = 0.0
    anchors: bool = True
    adversarial: float = 0.0
    reconstructions: float = 0.0
    count: int = 8
    tight: float = 2.5
    code: float = 0.0


CASES = [
    Case("group"),
    Case("group", one_pass=False),
    Case("none", scale="z"),
    Case("none", one_pass=False, scale="sample"),
    Case("role", ratio=0.002),  # saturated: the slope of the clamp is at its floor
    Case("role", match=20.0),
    Case("batch", match=20.0, anchors=False),
    Case("batch", one_pass=False, scale="sample"),
    Case("role", one_pass=False, adversarial=0.3),
    Case("role", one_pass=False, adversarial=0.3, reconstructions=0.3, count=32),
    Case("role", one_pass=False, adversarial=0.3, reconstructions=0.3, count=12),
    Case("role", one_pass=False, adversarial=0.3, reconstructions=0.3, count=32, tight=0.0),
    Case("role", one_pass=False, adversarial=0.3, scale="sample", match=20.0),
    Case("batch", one_pass=False, tight=0.0),
    Case("role", False, adversarial=0.3, count=32, tight=0.0, code=3.0),
    Case("role", False, adversarial=0.3, reconstructions=0.3, count=32, tight=0.0, code=3.0),
]
SHARDED = [
    *CASES[-8:],
    Case("group"),
    Case("role", match=20.0),
    Case("batch", one_pass=False, scale="sample"),
]


class Owner(nn.Module):
    """What DDP wraps: the module that owns network and objective."""

    def __init__(self, case: Case):
        super().__init__()
        torch.manual_seed(0)
        self.case = case
        norms = {"decoder_norm": "group", "code_norm": True} if case.code else {}
        self.network = DCGANAutoencoder(1, 8, 4, case.norm, **norms).double()
        with torch.no_grad():
            for p in self.network.parameters():
                p.mul_(5 if p.ndim > 1 else 1)
        self.objective: nn.Module = IGNObjective(
            tight_weight=case.tight, clamp_ratio=case.ratio, clamp_scale=case.scale,
            one_pass=case.one_pass,
        )  # fmt: skip
        if case.adversarial:
            self.objective = AdversarialObjective(
                self.objective, case.adversarial, case.reconstructions
            )
        if case.code:
            self.objective = CodeObjective(self.objective, case.code, 2.0)
        if case.match:
            self.objective = MatchObjective(self.objective, case.match, 0.3)

    def forward(self, x, z, first=0):
        given = {"noise": 0.5 * z if self.case.adversarial else None}
        if self.case.adversarial:
            given["first"] = first
        if self.case.match:
            given["anchors"] = batch()[0].flip(1) if self.case.anchors else None
        return self.objective(self.network, x, z, **given).total


def batch(count=8):
    g = torch.Generator().manual_seed(1)
    x, z = torch.randn(2, count, 1, 8, 8, generator=g, dtype=torch.float64)
    return x * torch.linspace(0.1, 2, count)[:, None, None, None], z


def full(tensors):
    parts = [t.detach().full_tensor() if hasattr(t, "to_local") else t.detach() for t in tensors]
    return torch.cat([t.double().flatten() for t in parts])


def train(call, network, average, x, z, first=0):
    """The result of some steps of Adam and the average, and the gradient of the first step."""
    adam, gradient = torch.optim.Adam(network.parameters(), 1e-3), None
    for step in range(STEPS):
        adam.zero_grad()
        total = call(x, z, first)
        total.backward()
        if gradient is None:
            gradient, loss = full(p.grad for p in network.parameters()), total.detach()
        adam.step()
        average.update(network, step)
    return {
        "gradient": gradient,
        "total": processes.mean(loss),
        "weights": full(network.parameters()),
        "statistics": full([*network.buffers(), torch.zeros(1)]),
        "average": full(whole(average.network).state_dict().values()),
    }


def ddp(case: Case, rank: int, world: int):
    owner = Owner(case)
    synchronize(owner.network)
    x, z = (t.chunk(world)[rank] for t in batch(case.count))
    average, first = Average(owner.network, 0.5), rank * len(x)
    return train(DistributedDataParallel(owner), owner.network, average, x, z, first)


def fsdp(case: Case, rank: int, world: int):
    from torch.distributed.device_mesh import init_device_mesh

    owner = Owner(case)
    synchronize(owner.network)
    average = Average(owner.network, 0.5)
    mesh = init_device_mesh("cpu", (world,))
    for network in (owner.network, average.network):
        shard(network, mesh)
        held = sum(p.to_local().numel() for p in network.parameters())
        assert held < 0.75 * sum(p.numel() for p in network.parameters())
    x, z = (t.chunk(world)[rank] for t in batch(case.count))
    return train(owner, owner.network, average, x, z, rank * len(x))


def uneven(rank: int, world: int):
    """Joint batch norm where the first process holds more."""
    x = batch()[0].expand(-1, 3, -1, -1) * torch.tensor([1.0, 2.0, 3.0])[:, None, None]
    parts = [8 - world + 1] + [1] * (world - 1)
    x = x.split(parts)[rank].detach().requires_grad_()
    weight, bias = torch.ones(3).double() * 1.5, torch.ones(3).double()
    mean, var = torch.zeros(3).double(), torch.ones(3).double()
    y = joint_batch_norm(x, mean, var, weight, bias, 0.1, 1e-5)
    (y**3).sum().backward()
    return {"y": y.detach(), "gradient": x.grad, "mean": mean, "var": var}


def work(rank: int, world: int, folder: str) -> None:
    found = {
        "ddp": [ddp(case, rank, world) for case in CASES],
        "fsdp": [fsdp(case, rank, world) for case in SHARDED],
        "uneven": uneven(rank, world),
    }
    torch.save(found, f"{folder}/{world}-{rank}.pt")


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """What each process found, by the number of processes."""
    folder = tmp_path_factory.mktemp("processes")
    for world in (2, 4):
        together(work, world, str(folder))
    return {
        world: [torch.load(folder / f"{world}-{rank}.pt") for rank in range(world)]
        for world in (2, 4)
    }


def alone(case: Case):
    owner = Owner(case)
    return train(owner, owner.network, Average(owner.network, 0.5), *batch(case.count))


def near(a, b, tolerance: float = 1e-11) -> bool:
    return ((a - b).norm() <= tolerance * b.norm()).item()


def takes_the_steps_of_one(case: Case, parts: list[dict]):
    """What each process found of the case is what one finds alone."""
    wanted = alone(case)
    for rank, part in enumerate(parts):
        for name, value in part.items():
            assert near(value, wanted[name]), (rank, name)


@pytest.mark.parametrize("world", [2, 4])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_processes_take_the_steps_of_one_on_the_joined_batch(case, world, found):
    parts = [found[world][rank]["ddp"][CASES.index(case)] for rank in range(world)]
    takes_the_steps_of_one(case, parts)


@pytest.mark.parametrize("world", [2, 4])
@pytest.mark.parametrize("case", SHARDED, ids=str)
def test_shards_take_the_steps_of_one_on_the_joined_batch(case, world, found):
    parts = [found[world][rank]["fsdp"][SHARDED.index(case)] for rank in range(world)]
    takes_the_steps_of_one(case, parts)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_parts_on_their_own_would_differ(case):
    both = batch(case.count)
    whole, *parts = (
        train(owner := Owner(case), owner.network, Average(owner.network, 0.5), x, z)["gradient"]
        for x, z in (both, *zip(*(t.chunk(2) for t in both), strict=True))
    )
    same = case.norm in ("group", "none") and case.scale == "sample" and not case.match
    assert near(sum(parts) / 2, whole, 1e-6) == same


def test_the_saturated_case_is_saturated():
    owner = Owner(CASES[4])
    losses = owner.objective(owner.network, *batch())
    assert losses.idem / (0.002 * losses.rec) > 20


@pytest.mark.parametrize("world", [2, 4])
def test_joint_batch_norm_is_that_of_the_joined_batch(world, found):
    x = batch()[0].expand(-1, 3, -1, -1) * torch.tensor([1.0, 2.0, 3.0])[:, None, None]
    x = x.detach().requires_grad_()
    norm = nn.BatchNorm2d(3).double()
    nn.init.constant_(norm.weight, 1.5)
    nn.init.ones_(norm.bias)
    y = norm(x)
    (y**3).sum().backward()
    parts = [found[world][rank]["uneven"] for rank in range(world)]
    assert near(torch.cat([p["y"] for p in parts]), y.detach())
    assert near(torch.cat([p["gradient"] for p in parts]), x.grad, 1e-9)
    for part in parts:
        assert near(part["mean"], norm.running_mean)
        assert near(part["var"], norm.running_var)


def test_one_process_needs_no_others():
    x = torch.arange(6.0).view(3, 2)
    assert (processes.number(), processes.rank()) == (1, 0)
    assert torch.equal(processes.gather(x), x)
    assert torch.equal(processes.mean(x), x)
    network = DCGANAutoencoder(1, 8, 4, "role")
    plain = network(torch.ones(2, 1, 8, 8))
    synchronize(network)
    assert all(m.joint for m in network.modules() if isinstance(m, RoleBatchNorm2d))
    assert torch.equal(network(torch.ones(2, 1, 8, 8)), plain)
