r"""Feature nets: small classifiers whose last hidden layer says what an image shows.

Two come with the package, trained by ``benchmarks/features.py``: ``mnist`` tells ten digits,
``faces`` the 40 attributes of CelebA (whose images are for non-commercial research).
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

from ign.core.files import atomic
from ign.model import BATCH, ModelError
from ign.project import evaluating

FORMAT = 1
KINDS = ("classes", "attributes")
PACKAGED = Path(__file__).parent / "nets"
WEIGHTS, CONFIG = ".safetensors", ".json"


class FeatureNet(nn.Module):
    r"""A classifier of convolutions, and the activations of its last hidden layer.

    .. math:: \phi(x) = \operatorname{ReLU}(\mathrm{norm}(A \, \mathrm{maps}(x))), \qquad
        \mathrm{logits}(x) = C \, \phi(x) + c

    Each layer of maps is a convolution of 3x3, batch norm and ReLU; the norm before the features
    keeps each of them alive. :meth:`features` and :meth:`logits` are in evaluation mode and in
    float32: an image does not depend on what else is in its batch (within 1e-5). Calling the net
    gives differentiable logits in its present mode.

    Args:
        names: What each logit stands for.
        kind: ``classes``, of which an image has one (softmax), or ``attributes``, of which it
            has any number (sigmoid).
        channels: The channels of the images that it looks at, 1 or 3.
        size: Their side. Images of another form are brought to it by :meth:`prepare`.
        layers: (maps, stride) of each layer.
        dimensions: How many features.
        about: What is worth knowing of the training; saved with the net.

    Raises:
        ValueError: A form that the construction does not allow.
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
            raise ValueError("names and layers must not be empty, and numbers be at least 1")
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
        """Bring images to the net's form: colours to their mean, or gray to three equal channels.

        They are resized bilinearly, averaging over what a smaller pixel covers.

        Args:
            images: (B, C, H, W) in [-1, 1], C = 1 or 3.

        Returns:
            (B, channels, size, size).

        Raises:
            ValueError: Other channels, no image, or not floating point.
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
            batch_size: How many pass through the net at a time.

        Returns:
            (B, dimensions) float32, on the net's device.

        Raises:
            ValueError: Other channels, no image, or not floating point.
        """
        return self._in_batches(lambda x: self.body(self.prepare(x)), images, batch_size)

    def logits(self, images: Tensor, batch_size: int = BATCH) -> Tensor:
        """The logit of each of :attr:`names`, (B, classes), as :meth:`features` otherwise."""
        return self._in_batches(self, images, batch_size)

    @torch.no_grad()
    def outputs(self, images: Tensor) -> tuple[Tensor, Tensor | None]:
        """The features, and for classes the probability of each, (B, classes), in one pass."""
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
        """Save as ``NAME.safetensors``, in half precision, and ``NAME.json`` beside it.

        Raises:
            ModelError: The path does not end so.
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
    """Load a feature net; ``name`` and ``hash`` are name and SHA-256 of the file of its weights.

    Nothing in the files is executed: weights are safetensors, the rest is JSON.

    Args:
        name: One of :func:`feature_nets`, or the path of one's own, ``NAME.safetensors`` with
            ``NAME.json`` beside it.
        device: Where it shall live.

    Raises:
        ModelError: It is not found, or its files are damaged or not of one net.
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
            f"{path}: its SHA-256 is not the one in {path.stem}{CONFIG}; "
            "the file is damaged or of another net, fetch or save both again"
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
    r"""How different a net finds each image from its reference: the cosine distance of features.

    .. math:: d(x, y) = \frac12 \left\| \frac{\phi(x)}{\|\phi(x)\|}
        - \frac{\phi(y)}{\|\phi(y)\|} \right\|^2 = 1 - \cos(\phi(x), \phi(y))

    Args:
        net: The net :math:`\phi`.
        images: (B, C, H, W) in [-1, 1].
        reference: As many images, in any form that the net takes.
        batch_size: How many pass through the net at a time.

    Returns:
        (B,) in [0, 1], 0 for equal images.

    Raises:
        ValueError: The numbers of images differ, or the net does not take them.

    References:
        Zhang et al., The unreasonable effectiveness of deep features as a perceptual metric,
        2018 (arXiv 1801.03924): squared distances of features of unit length, there of all layers.
    """
    if len(images) != len(reference):
        raise ValueError(f"{len(images)} images cannot be compared with {len(reference)}")
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
            f"feature net {str(path)!r}: there is none of that name; choose "
            f"{', '.join(feature_nets())} or give the path of a file *{WEIGHTS}"
        )
    return Path(path)


def _read_config(path: Path) -> dict[str, Any]:
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}; it belongs to the weights") from None
    except ValueError as error:
        raise ModelError(f"{path}: cannot be read as JSON ({error}); fetch it again") from None
    if not isinstance(config, dict) or config.pop("format", None) != FORMAT:
        raise ModelError(f"{path}: not a feature net of format {FORMAT}")
    return config


def _read_weights(path: Path, content: bytes, net: FeatureNet) -> dict[str, Tensor]:
    expected = net.state_dict()
    try:
        state = load(content)
    except SafetensorError as error:
        raise ModelError(f"{path}: not a safetensors file ({error}); fetch it again") from None
    if {k: v.shape for k, v in state.items()} != {k: v.shape for k, v in expected.items()}:
        raise ModelError(f"{path}: not the weights of the net in {path.stem}{CONFIG}")
    return {k: v.to(expected[k].dtype) for k, v in state.items()}
