"""Layers that augment images while training, under Keras's names."""

from reglib.layers.augmentation.base import AugmentationLayer
from reglib.layers.augmentation.blur import RandomGaussianBlur
from reglib.layers.augmentation.color import (
    AutoContrast,
    Equalization,
    RandomBrightness,
    RandomColorDegeneration,
    RandomContrast,
    RandomInvert,
    RandomPosterization,
    RandomSharpness,
    Solarization,
)
from reglib.layers.augmentation.color_space import (
    RandomColorJitter,
    RandomGrayscale,
    RandomHue,
    RandomSaturation,
)
from reglib.layers.augmentation.crop import RandomCrop
from reglib.layers.augmentation.elastic import RandomElasticTransform
from reglib.layers.augmentation.erasing import Cutout, RandomErasing, cutout
from reglib.layers.augmentation.geometric import (
    RandomFlip,
    RandomRotation,
    RandomShear,
    RandomTranslation,
    RandomZoom,
)
from reglib.layers.augmentation.mixing import CutMix, MixUp
from reglib.layers.augmentation.perspective import RandomPerspective
from reglib.layers.augmentation.policies import AugMix, Pipeline, RandAugment
from reglib.layers.augmentation.resizing import CenterCrop, Rescaling, Resizing

__all__ = [
    "AugMix",
    "AugmentationLayer",
    "AutoContrast",
    "CenterCrop",
    "CutMix",
    "Cutout",
    "Equalization",
    "MixUp",
    "Pipeline",
    "RandAugment",
    "RandomBrightness",
    "RandomColorDegeneration",
    "RandomColorJitter",
    "RandomContrast",
    "RandomCrop",
    "RandomElasticTransform",
    "RandomErasing",
    "RandomFlip",
    "RandomGaussianBlur",
    "RandomGrayscale",
    "RandomHue",
    "RandomInvert",
    "RandomPerspective",
    "RandomPosterization",
    "RandomRotation",
    "RandomSaturation",
    "RandomSharpness",
    "RandomShear",
    "RandomTranslation",
    "RandomZoom",
    "Rescaling",
    "Resizing",
    "Solarization",
    "cutout",
]
