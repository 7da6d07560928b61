"""The listing of the paper's appendix, as published."""

__all__ = ["Listing"]

import copy
from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from ign.objective.distance import find_distance
from ign.objective.paper import SCALE_FLOOR
from ign.training.configs import ListingConfig
from ign.training.methods.method import Batch, Method, Update


class Listing(Method):
    r"""Four passes through plain batch norm, one of them through a frozen copy.

    .. math::
        L = w_r D(f(x), x) + w_i D(\bar f(f(z)), f(z)) - w_t D(f(\bar y), \bar y),
        \qquad \bar y = f(z) \text{ held constant}

    The copy gets the weights of f at every step. With a ``clamp_ratio``, tightness is clamped as in
    equation 14, by the reconstruction loss of the batch, as the paper does for CelebA.

    References:
        Shocher et al., 2024, appendix (arXiv 2311.01462).
    """

    config = ListingConfig
    terms = ("total", "rec", "idem", "tight")

    def __init__(self, network: nn.Module, config: ListingConfig):
        super().__init__(network, config)
        self.options = config.objective
        self.distance = find_distance(self.options.distance)
        self.copy = copy.deepcopy(network).requires_grad_(False)

    def losses(self, network: Any, batch: Batch) -> Iterator[Update]:
        x, z = batch.x, batch.z
        self.copy.load_state_dict(network.state_dict())
        fx, fz = network(x), network(z)
        y = fz.detach()
        rec = self.distance(fx, x).mean()
        tight = -self.distance(network(y), y).mean()
        idem = self.distance(self.copy(fz), fz).mean()
        if self.options.clamp_ratio is not None:
            bound = self.options.clamp_ratio * rec.detach().clamp(min=SCALE_FLOOR)
            tight = bound * torch.tanh(tight / bound)
        o = self.options
        total = o.rec_weight * rec + o.idem_weight * idem + o.tight_weight * tight
        yield Update(total, {"total": total, "rec": rec, "idem": idem, "tight": tight})
