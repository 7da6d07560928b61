r"""Inception, as the TorchScript file of StyleGAN and clean-fid, and the Inception Score."""

__all__ = ["Inception", "Net", "inception_score", "load_net"]

import hashlib
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from ign.core.deprecated import renamed_method
from ign.data import DataError, to_uint8
from ign.data.download import Unavailable, fetch
from ign.data.storage import cache_folder
from ign.evaluate.features import FeatureNet, feature_net
from ign.evaluate.frechet import features64
from ign.model import ModelError

FILE = "inception-2015-12-05.pt"
URL = f"https://nvlabs-fi-cdn.nvidia.com/stylegan2-ada-pytorch/pretrained/metrics/{FILE}"
SHA256 = "f58cb9b6ec323ed63459aa4fb441fe750cfe39fafad6da5cb504a16f19e958f4"
SUFFIX = ".pt"


class Inception:
    r"""A TorchScript net that accepts RGB bytes and resizes them, like the one of StyleGAN.

    The net is called with (B, 3, H, W) uint8. With ``return_features=True`` it returns features,
    and with ``no_output_bias=True`` the probabilities of its classes. A TorchScript file is a
    program, so load it only from a source that you trust.

    Args:
        path: The file.
        device: The device to load the net to.

    Raises:
        ModelError: The file is missing or is not a TorchScript file.

    References:
        Szegedy et al., Rethinking the Inception architecture, 2015 (arXiv 1512.00567); Karras et
        al., Training generative adversarial networks with limited data, 2020 (arXiv 2006.06676),
        for the file.
    """

    def __init__(self, path: str | Path, device: str | torch.device = "cpu"):
        path = Path(path)
        try:
            with path.open("rb") as file:
                self.hash = hashlib.file_digest(file, "sha256").hexdigest()
            self.net = torch.jit.load(str(path), map_location=device).eval()
        except OSError as error:
            raise ModelError(f"{path}: {error.strerror}; give the path of {FILE}") from None
        except RuntimeError as error:
            reason = str(error).strip().splitlines()[-1]
            raise ModelError(f"{path}: is not a TorchScript file ({reason})") from None
        self.device = torch.device(device)
        self.name = "inception" if self.hash == SHA256 else path.stem

    observe = renamed_method("Inception.observe", "outputs")

    @torch.no_grad()
    def outputs(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Compute the features, (B, D), and the probabilities of the classes, (B, K).

        Args:
            images: (B, C, H, W) in [-1, 1], C = 1 or 3. They are rounded to bytes, and gray images
                get three equal channels.

        Raises:
            ValueError: The images do not have 1 or 3 channels.
            ModelError: The net does not accept these images and keywords.
        """
        if images.ndim != 4 or images.shape[1] not in (1, 3):
            raise ValueError(f"images are {tuple(images.shape)}; give (B, 1 or 3, H, W)")
        pixels = to_uint8(images).expand(-1, 3, -1, -1).to(self.device)
        cudnn = torch.backends.cudnn
        try:
            with (
                cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False),
                torch.autocast(self.device.type, enabled=False),
            ):
                features = self.net(pixels, return_features=True)
                return features, self.net(pixels, no_output_bias=True)
        except RuntimeError as error:
            reason = str(error).strip().splitlines()[0]
            raise ModelError(
                f"feature net {self.name!r} cannot be called like {FILE} ({reason})"
            ) from None


Net = FeatureNet | Inception


def load_net(name: str | Path, device: str | torch.device = "cpu", progress: bool = False) -> Net:
    """Load a net for features.

    Args:
        name: ``mnist``, ``faces``, or the path of your own net, ``NAME.safetensors``. Or
            ``inception``, which is downloaded once to the cache folder (96 MB, its SHA-256 is
            checked), or the path of a TorchScript file ``NAME.pt`` that is called in the same way.
        device: The device to load the net to.
        progress: Whether to show a progress bar for a download.

    Raises:
        ModelError: The net is not found, cannot be downloaded, or is damaged.
    """
    if Path(name).suffix == SUFFIX:
        return Inception(name, device)
    if str(name) != "inception":
        return feature_net(name, device)
    path = cache_folder() / FILE
    if not path.exists():
        try:
            fetch(URL, SHA256, path, progress)
        except Unavailable as error:
            url, reason = error.problems[0]
            raise ModelError(
                f"{url} {error.args[0].splitlines()[0]} ({reason}); put {FILE} into"
                f" {path.parent}, or give its path"
            ) from None
        except DataError as error:
            raise ModelError(str(error)) from None
    net = Inception(path, device)
    if net.hash != SHA256:
        raise ModelError(
            f"{path}: the SHA-256 is not the published one; delete the file to fetch it again"
        )
    return net


def inception_score(probabilities: Tensor, splits: int = 10) -> tuple[float, float]:
    r"""Compute the Inception Score, which is high for confident predictions of diverse classes.

    .. math:: \exp \mathbb{E}_x \, \mathrm{KL}(p(y | x) \,\|\, p(y)),
        \quad p(y) = \mathbb{E}_x \, p(y | x)

    The score does not depend on real images.

    Args:
        probabilities: p(y | x) of each image, (N, K). Each row sums to 1.
        splits: The number of consecutive parts into which the images are divided.

    Returns:
        The mean and the standard deviation over the parts. The score lies between 1 and K.

    Raises:
        ValueError: The array is not (N, K), contains NaN or infinity, or has rows that are not
            probabilities, or there are fewer images than parts.

    References:
        Salimans et al., Improved techniques for training GANs, 2016 (arXiv 1606.03498).
    """
    (p,) = features64(probabilities, least=max(splits, 1))
    if splits < 1 or p.min() < 0 or (p.sum(1) - 1).abs().max() > 1e-3:
        raise ValueError("splits must be at least 1, and rows must be non-negative and sum to 1")
    parts: Sequence[Tensor] = p.tensor_split(splits)
    scores = []
    for part in parts:
        mixed = part.mean(0)
        scores.append((torch.xlogy(part, part) - torch.xlogy(part, mixed)).sum(1).mean().exp())
    values = torch.stack(scores)
    return values.mean().item(), values.std(correction=0).item()
