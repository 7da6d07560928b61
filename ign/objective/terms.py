r"""The terms of a loss, and which of them move the inner f and which the outer f.

In :math:`f(f(z))` with :math:`y = f(z)`, tightness moves the outer f with y held constant, and
idempotence moves the inner f with the outer f held constant. One pass of a constant copy of y
through the network serves both. Two gradients are taken of it: the gradient of the parameters for
the first kind of term, and the gradient of the copy for the second, which then flows on into y.
"""

__all__ = ["Term", "constant", "is_compiled", "through", "weigh"]

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.autograd import Function

from ign.objective.losses import Losses


class Term(NamedTuple):
    """A term of a loss.

    Attributes:
        name: Its name in :class:`Losses`.
        weight: Its weight.
        value: Its value, a scalar.
        inner: Whether it moves the inner f, and not the outer f.
    """

    name: str
    weight: float
    value: Tensor
    inner: bool = False


def constant(y: Tensor) -> Tensor:
    r""":math:`\bar y`, a copy of y whose own gradient :func:`through` sends on to y."""
    return y.detach().requires_grad_(y.requires_grad)


def through(y: Tensor, y_bar: Tensor, loss: Tensor) -> Tensor:
    r"""The loss as a function of y alone, with all parameters after y held constant.

    .. math:: \frac{\partial}{\partial y} L_{\bar\theta}(y)
        = \frac{\partial}{\partial \bar y} L_\theta(\bar y) \quad \text{at } \bar y = y

    The parameters that lead from :math:`\bar y` to the loss get no gradient from the result. They
    get one from any other term that is computed in the same pass.

    Args:
        y: The output of the inner f, (B, ...).
        y_bar: :func:`constant` of y, or y itself.
        loss: A scalar that was computed from ``y_bar``.

    Returns:
        A scalar with the value of the loss.
    """
    if y_bar is y:
        return loss
    if not (y.requires_grad and loss.requires_grad):
        return loss.detach()
    result: Tensor = _Through.apply(y, (y_bar, loss))
    return result


class _Through(Function):
    """The value of a loss forward, its gradient at the constant copy of y backward."""

    @staticmethod
    def forward(ctx: Any, y: Tensor, pair: tuple[Tensor, Tensor]) -> Tensor:
        ctx.y_bar, ctx.loss = pair
        return ctx.loss.detach()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        (found,) = torch.autograd.grad(ctx.loss, ctx.y_bar, grad, retain_graph=True)
        return found, None


def is_compiled(network: Any) -> bool:
    """Whether :func:`torch.compile` compiles this call, or has compiled a part of the network."""
    if torch.compiler.is_compiling():
        return True
    parts = network.modules() if isinstance(network, nn.Module) else ()
    return any(hasattr(m, "_orig_mod") or m._compiled_call_impl is not None for m in parts)


def weigh(terms: Sequence[Term], y: Tensor, y_bar: Tensor, samples: Tensor) -> Losses:
    """Weigh the terms; terms without a weight have no gradient.

    Args:
        terms: The terms, computed from ``y_bar`` if they are of the outer f.
        y: The output of the inner f.
        y_bar: The input of the outer f, :func:`constant` of y where a term moves the inner f.
        samples: :math:`f(z)`, (B, ...).
    """
    weighted = [term for term in terms if term.weight > 0] or terms[:1]
    outer = [term.weight * term.value for term in weighted if not term.inner]
    inner = [term.weight * term.value for term in weighted if term.inner]
    total = torch.stack(outer).sum() if outer else y.new_zeros(())
    if inner:
        total = total + through(y, y_bar, torch.stack(inner).sum())
    return Losses(total, {term.name: term.value.detach() for term in terms}, samples)
