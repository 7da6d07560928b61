"""Networks and layers."""

from torch import nn

from ign.nn.dcgan import DCGANAutoencoder
from ign.nn.norm import NORMS, ROLES, RoleBatchNorm2d, role

__all__ = ["NETWORKS", "NORMS", "ROLES", "DCGANAutoencoder", "RoleBatchNorm2d", "role"]

NETWORKS: dict[str, type[nn.Module]] = {"DCGANAutoencoder": DCGANAutoencoder}
"""The networks that a saved model may name: each has ``config``, its arguments, and ``shape``."""
