r"""The objective: reconstruction, idempotence, tightness.

With a distance :math:`D` and the drift :math:`\delta_\theta(y) = D(f_\theta(y), y)`,

.. math::
    L_{rec}   &= \delta_\theta(x) \\
    L_{idem}  &= D(f_{\bar\theta}(f_\theta(z)), f_\theta(z)) \\
    L_{tight} &= -\delta_\theta(\bar y), \quad \bar y = f_{\bar\theta}(z)

where a bar marks what is held constant: idempotence moves only the inner f, tightness only the
outer one (Shocher et al., 2024, Section 2.2, arXiv 2311.01462).
"""

__all__ = [
    "IGNObjective",
    "Losses",
    "clamp",
    "drift",
    "frozen",
    "idempotence",
    "reconstruction",
    "tightness",
]

from ign.objective.paper import (
    IGNObjective,
    Losses,
    clamp,
    drift,
    frozen,
    idempotence,
    reconstruction,
    tightness,
)
