"""Layers that augment images while training, under Keras's names."""

from reglib.layers.augmentation.base import AugmentationLayer
from reglib.layers.augmentation.color import (
    RandomBrightness,
    RandomColorDegeneration,
    RandomContrast,
    RandomSharpness,
)
from reglib.layers.augmentation.crop import RandomCrop
from reglib.layers.augmentation.erasing import Cutout, RandomErasing, cutout
from reglib.layers.augmentation.geometric import (
    RandomFlip,
    RandomRotation,
    RandomShear,
    RandomTranslation,
    RandomZoom,
)
from reglib.layers.augmentation.levels import (
    AutoContrast,
    Equalization,
    RandomPosterization,
    Solarization,
)
from reglib.layers.augmentation.mixing import CutMix, MixUp
from reglib.layers.augmentation.policies import Pipeline, RandAugment
from reglib.layers.augmentation.resizing import Rescaling, Resizing

__all__ = [
    "AugmentationLayer",
    "AutoContrast",
    "CutMix",
    "Cutout",
    "Equalization",
    "MixUp",
    "Pipeline",
    "RandAugment",
    "RandomBrightness",
    "RandomColorDegeneration",
    "RandomContrast",
    "RandomCrop",
    "RandomErasing",
    "RandomFlip",
    "RandomPosterization",
    "RandomRotation",
    "RandomSharpness",
    "RandomShear",
    "RandomTranslation",
    "RandomZoom",
    "Rescaling",
    "Resizing",
    "Solarization",
    "cutout",
]
