"""The listing of the paper's appendix, as published."""

__all__ = ["Listing"]

import copy
from collections.abc import Iterator
from typing import Any, ClassVar

import torch
from torch import nn

from ign.objective.distance import find_distance
from ign.objective.paper import SCALE_FLOOR
from ign.training.config import Config
from ign.training.methods.method import Batch, Method, Turn


class Listing(Method):
    r"""Four passes through plain batch norm, one of them through a frozen copy.

    .. math::
        L = w_r D(f(x), x) + w_i D(\bar f(f(z)), f(z)) - w_t D(f(\bar y), \bar y),
        \qquad \bar y = f(z) \text{ held constant}

    The copy takes over the weights at every step. With a ``clamp_ratio`` tightness is clamped as
    in equation 14, on the batch's reconstruction loss, as the paper does on CelebA.

    References:
        Shocher et al., 2024, appendix (arXiv 2311.01462).
    """

    defaults: ClassVar = {
        "network.norm": "batch", "network.rounding": 0.0,
        "learning_rate": 1e-4, "betas": [0.5, 0.999],
        "objective.distance": "l2", "objective.rec_weight": 1.0, "objective.idem_weight": 1.0,
        "objective.tight_weight": 0.1, "objective.clamp_ratio": None,
        "objective.match_weight": 0.0, "objective.adversarial_weight": 0.0,
        "objective.sharp_weight": 0.0,
    }  # fmt: skip
    terms = ("total", "rec", "idem", "tight")

    def __init__(self, network: nn.Module, config: Config):
        super().__init__(network, config)
        self.options = config.objective
        o = self.options
        if any((o.match_weight, o.adversarial_weight, o.sharp_weight)) or o.clamp_scale != "x":
            raise ValueError(
                "method listing has no match or adversarial term, and no clamp_scale but x: set"
                " match_weight, adversarial_weight and sharp_weight to 0"
            )
        self.distance = find_distance(self.options.distance)
        self.copy = copy.deepcopy(network).requires_grad_(False)

    def turns(self, network: Any, batch: Batch) -> Iterator[Turn]:
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
        yield Turn(total, {"total": total, "rec": rec, "idem": idem, "tight": tight})
