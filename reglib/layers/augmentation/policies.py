"""Augmentations made of others: RandAugment and a plain sequence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib._arguments import Choice, Dict, Instance, Integer, List, arguments
from reglib._typing import Lengths
from reglib.layers.augmentation._warp import INTERPOLATIONS
from reglib.layers.augmentation.base import AugmentationLayer, Factor, ValueRange, interval
from reglib.layers.augmentation.color import (
    RandomBrightness,
    RandomColorDegeneration,
    RandomContrast,
    RandomSharpness,
)
from reglib.layers.augmentation.geometric import RandomRotation, RandomShear, RandomTranslation
from reglib.layers.augmentation.levels import (
    AutoContrast,
    Equalization,
    RandomPosterization,
    Solarization,
)
from reglib.layers.base import Layer, deserialize, serialize


@arguments(
    value_range=ValueRange(),
    num_ops=Integer(">= 0"),
    factor=Factor("[0, 1]"),
    interpolation=Choice(*INTERPOLATIONS),
)
class RandAugment(AugmentationLayer):
    """Apply a few operations, chosen at random, one after another, all of one strength.

    The operations: shear, translation, rotation, brightness, color degeneration, contrast,
    sharpness, posterization, solarization, auto contrast and equalization.

    Parameters
    ----------
    value_range : pair of floats
        The lowest and the highest value of the images.
    num_ops : int
        How many operations are applied.
    factor : float or pair of floats in [0, 1]
        Their strength; a number b stands for (0, b).
    interpolation : str
        ``"bilinear"`` or ``"nearest"``.
    seed, data_format, **kwargs
        As for :class:`~reglib.layers.AugmentationLayer`.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.

    Notes
    -----
    As in Keras, the whole batch gets the same operations, each image with its own numbers,
    and a factor of 0.5 means rotations from 0 to 180 degrees in one direction. Where Keras
    evaluates all eleven operations and keeps one, only the chosen one is evaluated here.

    References
    ----------
    ``keras.layers.RandAugment``; Cubuk et al. (2020), "RandAugment: Practical automated data
    augmentation with a reduced search space".

    Examples
    --------
    >>> RandAugment(seed=0)(np.full((2, 8, 8, 3), 100.0)).shape
    (2, 8, 8, 3)
    """

    def __init__(
        self,
        value_range: Any = (0, 255),
        num_ops: int = 2,
        factor: Any = 0.5,
        interpolation: str = "bilinear",
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.value_range = value_range
        self.num_ops = num_ops
        self.factor = interval(factor, 0)
        self.interpolation = interpolation
        self._operations = self._make_operations()

    def _make_operations(self) -> dict[str, AugmentationLayer]:
        """Return the operations; their order is what the drawn numbers mean."""
        factor = self.factor
        common: dict[str, Any] = {"data_format": self.data_format, "dtype": self.dtype}
        moved: dict[str, Any] = {"interpolation": self.interpolation, **common}
        colored: dict[str, Any] = {"value_range": self.value_range, **common}
        return {
            "random_shear": RandomShear(factor, factor, **moved),
            "random_translation": RandomTranslation(factor, factor, **moved),
            "random_rotation": RandomRotation(factor, **moved),
            "random_brightness": RandomBrightness(factor, **colored),
            "random_color_degeneration": RandomColorDegeneration(factor, **colored),
            "random_contrast": RandomContrast(factor, **colored),
            "random_sharpness": RandomSharpness(factor, **colored),
            "random_posterization": RandomPosterization(max(1, int(8 * factor[1])), **colored),
            "solarization": Solarization(factor, factor, **colored),
            "auto_contrast": AutoContrast(**colored),
            "equalization": Equalization(**colored),
        }

    def sublayers(self) -> tuple[Layer, ...]:
        """Return the operations."""
        return tuple(self._operations.values())

    def _draw(self, shape: tuple[int, ...], generator: np.random.Generator) -> dict[str, Any]:
        return {
            "layer_idxes": generator.integers(0, len(self._operations), self.num_ops),
            "transforms": {
                name: operation._draw(shape, generator)
                for name, operation in self._operations.items()
            },
        }

    def _transform(self, images: NDArray, transformation: Any) -> NDArray:
        for operation, drawn in self._chosen(transformation):
            images = operation._transform(images, drawn)
        return images

    def _transform_masks(self, masks: NDArray, transformation: Any) -> NDArray:
        for operation, drawn in self._chosen(transformation):
            masks = operation._transform_masks(masks, drawn)
        return masks

    def _chosen(self, transformation: Any) -> list[tuple[AugmentationLayer, Any]]:
        order = list(self._operations)
        names = [order[int(index)] for index in transformation["layer_idxes"]]
        return [(self._operations[name], transformation["transforms"][name]) for name in names]

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "value_range": self.value_range,
            "num_ops": self.num_ops,
            "factor": self.factor,
            "interpolation": self.interpolation,
        }


@arguments(layers=List("layers", Instance(Layer, "a layer")))
class Pipeline(Layer):
    """Apply layers one after another, as one layer.

    Parameters
    ----------
    layers : sequence of Layer
        The layers in order.
    name : str, optional
        By default ``pipeline``, numbered.

    Raises
    ------
    TypeError
        If ``layers`` holds anything but layers.
    ValueError
        If it is empty.

    Notes
    -----
    Keras accepts an empty list and fails when called.

    References
    ----------
    ``keras.layers.Pipeline``.

    Examples
    --------
    >>> from reglib.layers.augmentation import RandomFlip, RandomZoom
    >>> Pipeline([RandomFlip(), RandomZoom(0.2)])(np.zeros((2, 4, 4, 1))).shape
    (2, 4, 4, 1)
    """

    def __init__(self, layers: Sequence[Layer], name: str | None = None) -> None:
        super().__init__(name=name)
        if not layers:
            raise ValueError("layers must not be empty, got []")
        self._layers = list(layers)

    @property
    def layers(self) -> list[Layer]:
        """The layers in order."""
        return self._layers

    def sublayers(self) -> tuple[Layer, ...]:
        """Return the layers in order."""
        return tuple(self._layers)

    def build(self, input_shape: Lengths) -> None:
        """Build every layer for what the one before gives."""
        for layer in self._layers:
            layer.ensure_built(input_shape)
            input_shape = layer.compute_output_shape(input_shape)

    def __call__(self, inputs: Any, training: bool | None = None, **options: Any) -> Any:
        """Return the last layer's outputs, for images or for a dict that holds them."""
        if isinstance(inputs, Mapping):
            return self.call(inputs, training=training)
        return super().__call__(inputs, training=training, **options)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Return the last layer's outputs."""
        for layer in self._layers:
            inputs = layer(inputs, training=training)
        return inputs

    def backward(self, gradient: NDArray) -> NDArray:
        """Return the gradient with respect to the inputs, through every layer."""
        for layer in reversed(self._layers):
            gradient = layer.propagate_back(gradient)
        return gradient

    def compute_output_shape(self, input_shape: Lengths) -> Lengths:
        """Return the shape of the last layer's outputs."""
        for layer in self._layers:
            input_shape = layer.compute_output_shape(input_shape)
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return the layers' descriptions and the name."""
        return {"layers": [serialize(layer) for layer in self._layers], "name": self.name}

    @classmethod
    @arguments(config=Dict())
    def from_config(cls, config: Mapping[str, Any]) -> Pipeline:
        """Return a new pipeline from :meth:`get_config`'s result.

        Raises
        ------
        ValueError
            If ``config`` has no list of layers.
        """
        layers = config.get("layers")
        if not isinstance(layers, (list, tuple)):
            raise ValueError(f"config must have a list 'layers', got {layers!r}")
        return cls(**{**config, "layers": [deserialize(layer) for layer in layers]})
