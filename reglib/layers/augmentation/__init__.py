"""Layers that augment images while training, under Keras's names."""

from reglib.layers.augmentation.base import AugmentationLayer
from reglib.layers.augmentation.geometric import (
    RandomFlip,
    RandomRotation,
    RandomShear,
    RandomTranslation,
    RandomZoom,
)

__all__ = [
    "AugmentationLayer",
    "RandomFlip",
    "RandomRotation",
    "RandomShear",
    "RandomTranslation",
    "RandomZoom",
]
