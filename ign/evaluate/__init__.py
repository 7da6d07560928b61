"""Evaluation of models and images: measures on features, and the networks that compute them."""

__all__ = [
    "Evaluation",
    "FeatureNet",
    "Inception",
    "Manifold",
    "Reference",
    "default_net",
    "evaluate",
    "feature_distance",
    "feature_net",
    "feature_nets",
    "frechet_distance",
    "inception_score",
    "kernel_distance",
    "load_net",
    "manifold",
    "nearest",
]

from ign.evaluate.features import FeatureNet, feature_distance, feature_net, feature_nets
from ign.evaluate.frechet import frechet_distance
from ign.evaluate.inception import Inception, inception_score, load_net
from ign.evaluate.kernel import kernel_distance
from ign.evaluate.neighbours import Manifold, manifold, nearest
from ign.evaluate.protocol import Evaluation, evaluate
from ign.evaluate.reference import Reference, default_net
