"""Measuring generated and restored images: networks whose features tell them apart."""

__all__ = ["FeatureNet", "feature_distance", "feature_net", "feature_nets"]

from ign.evaluate.features import FeatureNet, feature_distance, feature_net, feature_nets
