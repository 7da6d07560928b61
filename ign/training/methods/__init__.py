"""The training methods: the IGN, and the baselines that it is compared with."""

from ign.training.methods.autoencoder import Autoencoder
from ign.training.methods.dcgan import DCGAN
from ign.training.methods.ebgan import EBGAN
from ign.training.methods.idempotent import Idempotent
from ign.training.methods.listing import Listing
from ign.training.methods.method import Batch, Method, Update
from ign.training.methods.vae import VAE

__all__ = ["METHODS", "Batch", "Method", "Update"]

METHODS: dict[str, type[Method]] = {
    "ign": Idempotent,
    "dcgan": DCGAN,
    "listing": Listing,
    "vae": VAE,
    "autoencoder": Autoencoder,
    "ebgan": EBGAN,
}
"""The methods by name."""
