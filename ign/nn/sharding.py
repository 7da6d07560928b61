"""Shard the parameters of a network over several processes (FSDP2), and gather them again."""

__all__ = ["local", "shard", "whole"]

import copy
from functools import partial
from typing import Any

from torch import Tensor, nn


def shard(network: nn.Module, mesh: Any) -> None:
    """Shard a network, so that each process keeps its shard of every parameter.

    The parameters of a convolution are gathered when it is used and freed afterwards. The small
    parameters of the norms are gathered together. Gradients are averaged over the processes.

    Args:
        network: The network, equal on all processes, its parameters contiguous.
        mesh: The :class:`torch.distributed.device_mesh.DeviceMesh` of one dimension.
    """
    from torch.distributed.fsdp import fully_shard

    vars(network)["unsharded"] = copy.deepcopy(network).to("meta")
    for layer in [m for m in network.modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d)]:
        fully_shard(layer, mesh=mesh)
    fully_shard(network, mesh=mesh)
    if hasattr(network, "with_code"):
        vars(network)["with_code"] = partial(_with_code, network)


def _with_code(network: Any, x: Tensor) -> tuple[Tensor, Tensor]:
    """Compute the code and f(x) with a call of the network itself, whose hooks FSDP2 relies on.

    If a forward method of a sharded network returned both tensors, gradients between the code and
    f(x) would be lost, because f(x) depends on the code (torch 2.13).
    """
    codes: list[Tensor] = []
    hook = network.encoder.register_forward_hook(lambda module, x, code: codes.append(code))
    try:
        y = network(x)
    finally:
        hook.remove()
    return codes[0].flatten(1), y


def whole(network: nn.Module) -> nn.Module:
    """Return the whole network: a copy without gradients if it is sharded, otherwise itself.

    All processes must call this function together.
    """
    if "unsharded" not in vars(network):
        return network
    made: nn.Module = copy.deepcopy(vars(network)["unsharded"])
    state = {k: v.full_tensor() if _sharded(v) else v for k, v in network.state_dict().items()}
    made.load_state_dict(state, assign=True)
    return made.requires_grad_(False).train(network.training)


def local(x: Tensor) -> Tensor:
    """Return this process's shard of a tensor, which shares its memory, or the whole tensor."""
    shard: Tensor = x.to_local() if _sharded(x) else x  # type: ignore[attr-defined]
    return shard


def _sharded(x: Tensor) -> bool:
    return hasattr(x, "to_local")
