r"""Feature nets: small classifiers whose last hidden layer serves as features of an image.

Two nets come with the package. Both are trained by ``benchmarks/quality/features.py``: ``mnist``
classifies the ten digits, and ``faces`` the 40 attributes of CelebA, whose images are for
non-commercial research.
"""

__all__ = ["FeatureNet", "feature_distance", "feature_net", "feature_nets"]

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from ign.core.deprecated import renamed_method
from ign.core.files import atomic
from ign.model import BATCH, ModelError
from ign.project import evaluating

FORMAT = 1
KINDS = ("classes", "attributes")
PACKAGED = Path(__file__).parent / "nets"
WEIGHTS, CONFIG = ".safetensors", ".json"


class FeatureNet(nn.Module):
    r"""A convolutional classifier that also returns the activations of its last hidden layer.

    .. math:: \phi(x) = \operatorname{ReLU}(\mathrm{norm}(A \, \mathrm{maps}(x))), \qquad
        \mathrm{logits}(x) = C \, \phi(x) + c

    Each layer of ``maps`` consists of a 3x3 convolution, batch norm and ReLU. The norm before the
    features prevents features that are always zero. :meth:`features` and :meth:`logits` run in
    evaluation mode and in float32, so the result of an image does not depend on the other images
    in its batch (within 1e-5). Calling the net returns differentiable logits in its current mode.

    Args:
        names: The name of the class or attribute of each logit.
        kind: ``classes`` if an image has exactly one of them (softmax), or ``attributes`` if it
            can have any number of them (sigmoid).
        channels: The number of channels of the input, 1 or 3.
        size: The side of the input in pixels. :meth:`prepare` converts other images.
        layers: The number of feature maps and the stride of each layer, (maps, stride).
        dimensions: The number of features.
        about: Facts about the training, which are saved with the net.

    Raises:
        ValueError: An argument has an invalid value.
    """

    def __init__(
        self,
        names: Sequence[str],
        kind: str = "classes",
        channels: int = 1,
        size: int = 28,
        layers: Sequence[Sequence[int]] = ((32, 2), (64, 1), (64, 2), (128, 2)),
        dimensions: int = 128,
        about: dict[str, Any] | None = None,
    ):
        super().__init__()
        if kind not in KINDS:
            raise ValueError(f"kind {kind!r} is unknown; choose {' or '.join(KINDS)}")
        if channels not in (1, 3):
            raise ValueError(f"channels {channels} must be 1 or 3")
        if not names or not layers or size < 1 or dimensions < 1 or min(map(min, layers)) < 1:
            raise ValueError(
                "names and layers must not be empty, and all numbers must be at least 1"
            )
        self.names, self.kind, self.channels, self.size = list(names), kind, channels, size
        self.layers = [(maps, stride) for maps, stride in layers]
        self.dimensions, self.about = dimensions, dict(about or {})
        self.name, self.hash = "", ""
        body: list[nn.Module] = []
        before, side = channels, size
        for maps, stride in self.layers:
            body += [nn.Conv2d(before, maps, 3, stride, 1, bias=False), nn.BatchNorm2d(maps)]
            body += [nn.ReLU()]
            before, side = maps, -(-side // stride)
        body += [nn.Flatten(), nn.Linear(before * side**2, dimensions, bias=False)]
        self.body = nn.Sequential(*body, nn.BatchNorm1d(dimensions), nn.ReLU())
        self.head = nn.Linear(dimensions, len(self.names))

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.body(self.prepare(images)))

    def prepare(self, images: Tensor) -> Tensor:
        """Convert images to the channels and the size of the net.

        Colour images become gray by the mean over channels, and gray images get three equal
        channels. Images are resized bilinearly with antialiasing.

        Args:
            images: (B, C, H, W) in [-1, 1], C = 1 or 3.

        Returns:
            (B, channels, size, size).

        Raises:
            ValueError: The images are empty, not floating point, or not of 1 or 3 channels.
        """
        _check(images)
        if images.shape[1] > self.channels:
            images = images.mean(1, keepdim=True)
        if images.shape[-2:] != (self.size, self.size):
            side = (self.size, self.size)
            images = F.interpolate(images, side, mode="bilinear", antialias=True)
        return images.expand(-1, self.channels, -1, -1)

    def features(self, images: Tensor, batch_size: int = BATCH) -> Tensor:
        r"""The activations of the last hidden layer, :math:`\phi(x) \ge 0`.

        Args:
            images: (B, C, H, W) in [-1, 1], C = 1 or 3, of any size.
            batch_size: The number of images in one pass through the net.

        Returns:
            (B, dimensions) float32, on the net's device.

        Raises:
            ValueError: The images are empty, not floating point, or not of 1 or 3 channels.
        """
        return self._in_batches(lambda x: self.body(self.prepare(x)), images, batch_size)

    def logits(self, images: Tensor, batch_size: int = BATCH) -> Tensor:
        """The logits of :attr:`names`, (B, classes); arguments as for :meth:`features`."""
        return self._in_batches(self, images, batch_size)

    observe = renamed_method("FeatureNet.observe", "outputs")

    @torch.no_grad()
    def outputs(self, images: Tensor) -> tuple[Tensor, Tensor | None]:
        """The features and, for classes, the probabilities, in one pass."""
        features = self.features(images, len(images))
        return features, self.head(features).softmax(1) if self.kind == "classes" else None

    @torch.no_grad()
    def _in_batches(
        self, function: Callable[[Tensor], Tensor], images: Tensor, batch_size: int
    ) -> Tensor:
        _check(images)
        device = self.head.weight.device
        with evaluating(self):
            return torch.cat([function(x.to(device).float()) for x in images.split(batch_size)])

    def save(self, path: str | Path) -> Path:
        """Save as ``NAME.safetensors`` in half precision, and ``NAME.json`` in the same folder.

        Raises:
            ModelError: The path does not end in ``.safetensors``.
        """
        path = _weights_path(path)
        state = {
            k: v.detach().cpu().half().contiguous() if v.is_floating_point() else v.cpu()
            for k, v in self.state_dict().items()
        }
        content = save(state)
        self.name, self.hash = path.stem, hashlib.sha256(content).hexdigest()
        net = ("names", "kind", "channels", "size", "layers", "dimensions", "about")
        config = {"format": FORMAT, "sha256": self.hash} | {k: getattr(self, k) for k in net}
        with atomic(path) as file:
            file.write_bytes(content)
        with atomic(path.with_suffix(CONFIG)) as file:
            file.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
        return path


def feature_nets() -> list[str]:
    """The names of the nets that come with the package."""
    return sorted(path.stem for path in PACKAGED.glob(f"*{WEIGHTS}"))


def feature_net(name: str | Path, device: str | torch.device = "cpu") -> FeatureNet:
    """Load a feature net. Its ``name`` and ``hash`` are the name and SHA-256 of its weights file.

    Nothing in the files is executed: the weights are safetensors, and the rest is JSON.

    Args:
        name: One of :func:`feature_nets`, or the path of your own net, ``NAME.safetensors`` with
            ``NAME.json`` in the same folder.
        device: The device to load the net to.

    Raises:
        ModelError: The net is not found, its files are damaged, or they belong to different nets.
    """
    if str(name) in feature_nets():
        name = PACKAGED / f"{name}{WEIGHTS}"
    path = _weights_path(name)
    config = _read_config(path.with_suffix(CONFIG))
    wanted = config.pop("sha256", None)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}; fetch or save it again") from None
    found = hashlib.sha256(content).hexdigest()
    if found != wanted:
        raise ModelError(
            f"{path}: the SHA-256 differs from the one in {path.stem}{CONFIG}; "
            "the file is damaged or belongs to another net, so download or save both files again"
        )
    try:
        with torch.device("meta"):
            net = FeatureNet(**config)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ModelError(f"{path.with_suffix(CONFIG)}: not a feature net ({error})") from None
    net.load_state_dict(_read_weights(path, content, net), assign=True)
    net.name, net.hash = path.stem, found
    return net.eval().requires_grad_(False).to(device)


def feature_distance(
    net: FeatureNet, images: Tensor, reference: Tensor, batch_size: int = BATCH
) -> Tensor:
    r"""Compute the cosine distance between the features of images and of their references.

    .. math:: d(x, y) = \frac12 \left\| \frac{\phi(x)}{\|\phi(x)\|}
        - \frac{\phi(y)}{\|\phi(y)\|} \right\|^2 = 1 - \cos(\phi(x), \phi(y))

    Args:
        net: The net :math:`\phi`.
        images: (B, C, H, W) in [-1, 1].
        reference: The same number of images, of any channels and size that the net accepts.
        batch_size: The number of images in one pass through the net.

    Returns:
        (B,) in [0, 1], 0 for equal images.

    Raises:
        ValueError: The numbers of images differ, or the net does not accept the images.

    References:
        Zhang et al., The unreasonable effectiveness of deep features as a perceptual metric,
        2018 (arXiv 1801.03924). There, the squared distances of normalized features are summed over
        all layers.
    """
    if len(images) != len(reference):
        raise ValueError(
            f"{len(images)} images cannot be compared with {len(reference)} references"
        )
    x, y = (F.normalize(net.features(part, batch_size)) for part in (images, reference))
    return (x - y).square().sum(1) / 2


def _check(images: Tensor) -> None:
    if images.ndim != 4 or images.shape[1] not in (1, 3) or not images.numel():
        raise ValueError(f"images are {tuple(images.shape)}; give (B, 1 or 3, H, W)")
    if not images.is_floating_point():
        raise ValueError(f"images are {images.dtype}; give floating point in [-1, 1]")


def _weights_path(path: str | Path) -> Path:
    if Path(path).suffix != WEIGHTS:
        raise ModelError(
            f"feature net {str(path)!r} does not exist; choose "
            f"{', '.join(feature_nets())} or give the path of a file *{WEIGHTS}"
        )
    return Path(path)


def _read_config(path: Path) -> dict[str, Any]:
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelError(
            f"{path}: {error.strerror}; this file is needed with the weights"
        ) from None
    except ValueError as error:
        raise ModelError(f"{path}: cannot be read as JSON ({error}); fetch it again") from None
    if not isinstance(config, dict) or config.pop("format", None) != FORMAT:
        raise ModelError(f"{path}: is not a feature net of format {FORMAT}")
    return config


def _read_weights(path: Path, content: bytes, net: FeatureNet) -> dict[str, Tensor]:
    expected = net.state_dict()
    try:
        state = load(content)
    except SafetensorError as error:
        raise ModelError(f"{path}: not a safetensors file ({error}); fetch it again") from None
    if {k: v.shape for k, v in state.items()} != {k: v.shape for k, v in expected.items()}:
        raise ModelError(f"{path}: does not hold the weights of the net in {path.stem}{CONFIG}")
    return {k: v.to(expected[k].dtype) for k, v in state.items()}
