"""Networks and layers."""

from torch import nn

from ign.nn.dcgan import DCGANAutoencoder
from ign.nn.latent import EnergyGenerator, GaussianAutoencoder, Generator, VariationalAutoencoder
from ign.nn.norm import NORMS, ROLES, RoleBatchNorm2d, batch_statistics, role, synchronize

__all__ = [
    "NETWORKS",
    "NORMS",
    "ROLES",
    "DCGANAutoencoder",
    "EnergyGenerator",
    "GaussianAutoencoder",
    "Generator",
    "RoleBatchNorm2d",
    "VariationalAutoencoder",
    "batch_statistics",
    "find_network",
    "role",
    "synchronize",
]

NETWORKS: dict[str, type[nn.Module]] = {
    kind.__name__: kind
    for kind in (
        DCGANAutoencoder, Generator, VariationalAutoencoder, GaussianAutoencoder, EnergyGenerator,
    )
}  # fmt: skip
"""The networks that can be saved and loaded. Each has the attributes ``config`` and ``shape``.

To save and load models with your own network, add its class here under its own name.
"""


def find_network(name: str) -> type[nn.Module]:
    """The class of that name in :data:`NETWORKS`.

    Raises:
        ValueError: There is no network of that name.
    """
    if name not in NETWORKS:
        raise ValueError(f"network {name!r} is unknown; put its class into ign.nn.NETWORKS first")
    return NETWORKS[name]
