"""How the outputs are spread over the data, by kernel density estimates of both."""

__all__ = ["kernel_divergence"]

import torch
from torch import Tensor


def kernel_divergence(
    y: Tensor, x: Tensor, bandwidth: float = 0.05, outputs: Tensor | None = None, first: int = 0
) -> Tensor:
    r"""The divergence of outputs from data, both as kernel density estimates.

    .. math::
        h \, \mathbb{E}_i \left[ \log \tfrac{1}{n-1} \sum_{j \ne i} k(y_i, \bar y_j)
        - \log \tfrac{1}{m} \sum_j k(y_i, x_j) \right], \qquad
        k(a, b) = e^{-|a - b| / h \sqrt{d}}

    It estimates h times the Kullback-Leibler divergence of the outputs' density from the data's.
    Its gradient draws each output to the data near it and away from the other outputs near it,
    which are held constant (the bar), and so counters blur and collapse.

    Args:
        y: Outputs, (n, ...), at least 2.
        x: Data, (m, ...).
        bandwidth: h, the kernel's reach as a root mean square difference of pixels.
        outputs: All outputs of a batch of which y is a part, (N, ...), taken in the place of the
            constant ones; the mean over the parts is then the divergence of the whole.
        first: Where among them y begins.

    Returns:
        A scalar, in at least single precision; gradient in y alone.

    Raises:
        ValueError: Fewer than two outputs, or a bandwidth not above 0.
    """
    outputs = y.detach() if outputs is None else outputs.detach()
    n, m = len(outputs), len(x)
    if n < 2 or not bandwidth > 0:
        raise ValueError(f"need 2 outputs and a bandwidth above 0, not {n} and {bandwidth}")
    y, x, outputs = (
        t.flatten(1).to(torch.promote_types(t.dtype, torch.float32)) for t in (y, x, outputs)
    )
    unit = bandwidth * y.shape[1] ** 0.5
    own = torch.arange(n, device=y.device) == torch.arange(len(y), device=y.device)[:, None] + first
    to_outputs = (-_distances(y, outputs) / unit).masked_fill(own, -torch.inf).logsumexp(1)
    to_data = (-_distances(y, x.detach()) / unit).logsumexp(1)
    bias = torch.tensor(m / (n - 1)).log().item()
    return bandwidth * ((to_outputs - to_data).mean() + bias)


def _distances(a: Tensor, b: Tensor) -> Tensor:
    """Euclidean distances of all pairs by one matrix product, smooth at zero."""
    with torch.autocast(a.device.type, enabled=False):
        square = a.square().sum(1)[:, None] + b.square().sum(1) - 2 * a @ b.T
    return (square.clamp(min=0) + 1e-8).sqrt()
