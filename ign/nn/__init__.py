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
    "role",
    "synchronize",
]

NETWORKS: dict[str, type[nn.Module]] = {
    kind.__name__: kind
    for kind in (
        DCGANAutoencoder, Generator, VariationalAutoencoder, GaussianAutoencoder, EnergyGenerator,
    )
}  # fmt: skip
"""The networks that a saved model may name: each has ``config``, its arguments, and ``shape``."""
