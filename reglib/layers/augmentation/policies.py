"""Augmentations made of others: RandAugment, AugMix and a plain sequence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib._validation import (
    check_choice,
    check_flag,
    check_integer,
    check_mapping,
    check_number,
)
from reglib.layers.augmentation._warp import INTERPOLATIONS, chunked
from reglib.layers.augmentation.base import AugmentationLayer, check_factor, check_value_range
from reglib.layers.augmentation.color import (
    AutoContrast,
    Equalization,
    RandomBrightness,
    RandomColorDegeneration,
    RandomContrast,
    RandomPosterization,
    RandomSharpness,
    Solarization,
)
from reglib.layers.augmentation.geometric import RandomRotation, RandomShear, RandomTranslation
from reglib.layers.base import Layer, deserialize, serialize


class _Policy(AugmentationLayer):
    """Base of the layers that choose among the same eleven operations of one strength."""

    # The operations' names; their order is what RandAugment's numbers mean.
    _names: tuple[str, ...]

    def __init__(self, *, value_range: Any, factor: Any, interpolation: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        check_value_range(value_range)
        self.value_range = value_range
        self.factor = check_factor("factor", factor, 0, 1, symmetric=False)
        self.interpolation = check_choice("interpolation", interpolation, INTERPOLATIONS)
        operations = self._make_operations()
        self._operations = {name: operations[name] for name in self._names}

    def _make_operations(self) -> dict[str, AugmentationLayer]:
        factor, common = self.factor, {"data_format": self.data_format, "dtype": self.dtype}
        moved = {"interpolation": self.interpolation, **common}
        colored = {"value_range": self.value_range, **common}
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

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "value_range": self.value_range,
            "factor": self.factor,
            "interpolation": self.interpolation,
        }


class RandAugment(_Policy):
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

    _names = (
        "random_shear",
        "random_translation",
        "random_rotation",
        "random_brightness",
        "random_color_degeneration",
        "random_contrast",
        "random_sharpness",
        "random_posterization",
        "solarization",
        "auto_contrast",
        "equalization",
    )

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
        super().__init__(
            value_range=value_range,
            factor=factor,
            interpolation=interpolation,
            seed=seed,
            data_format=data_format,
            **kwargs,
        )
        self.num_ops = check_integer("num_ops", num_ops, low=0)

    def _draw(self, shape: tuple[int, ...], generator: np.random.Generator) -> dict[str, Any]:
        return {
            "layer_idxes": generator.integers(0, len(self._names), self.num_ops),
            "transforms": {
                name: self._operations[name]._draw(shape, generator) for name in self._names
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
        names = [self._names[int(index)] for index in transformation["layer_idxes"]]
        return [(self._operations[name], transformation["transforms"][name]) for name in names]

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "num_ops": self.num_ops}


class AugMix(_Policy):
    r"""Blend each image with a mixture of several chains of operations applied to it.

    :math:`x \to m\,x + (1-m)\sum_k w_k\,\mathrm{chain}_k(x)` with
    :math:`m \sim \mathrm{Beta}(\alpha, \alpha)` and :math:`w \sim \mathrm{Dirichlet}(\alpha)`.

    Parameters
    ----------
    value_range : pair of floats
        The lowest and the highest value of the images.
    num_chains : int
        How many chains are mixed.
    chain_depth : int
        How many operations a chain has at most: at each place one of them, or none, is
        equally likely.
    factor : float or pair of floats in [0, 1]
        The operations' strength; a number b stands for (0, b).
    alpha : float
        Above 0, the parameter of both distributions.
    all_ops : bool
        Whether brightness, color degeneration, contrast and sharpness may be chosen too.
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
    ``seed`` fixes everything that is drawn; Keras chooses the operations by Python's global
    generator, so its ``seed`` does not. As in Keras, the whole batch shares the chains and
    the weights.

    References
    ----------
    ``keras.layers.AugMix``; Hendrycks et al. (2020), "AugMix: A simple data processing method
    to improve robustness and uncertainty".

    Examples
    --------
    >>> AugMix(seed=0)(np.full((2, 8, 8, 3), 100.0)).shape
    (2, 8, 8, 3)
    """

    _names_without_color = (
        "random_shear",
        "random_translation",
        "random_rotation",
        "random_posterization",
        "solarization",
        "auto_contrast",
        "equalization",
    )
    _color_names = (
        "random_brightness",
        "random_color_degeneration",
        "random_contrast",
        "random_sharpness",
    )

    def __init__(
        self,
        value_range: Any = (0, 255),
        num_chains: int = 3,
        chain_depth: int = 3,
        factor: Any = 0.3,
        alpha: float = 1.0,
        all_ops: bool = True,
        interpolation: str = "bilinear",
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        self.all_ops = check_flag("all_ops", all_ops)
        self._names = self._names_without_color + (self._color_names if all_ops else ())
        super().__init__(
            value_range=value_range,
            factor=factor,
            interpolation=interpolation,
            seed=seed,
            data_format=data_format,
            **kwargs,
        )
        self.num_chains = check_integer("num_chains", num_chains, low=1)
        self.chain_depth = check_integer("chain_depth", chain_depth, low=0)
        self.alpha = check_number("alpha", alpha, low=0, low_open=True)

    def _draw(self, shape: tuple[int, ...], generator: np.random.Generator) -> dict[str, Any]:
        weights = generator.dirichlet(np.full(self.num_chains, self.alpha)).astype(self.dtype)
        return {
            "chain_mixing_weights": weights,
            "weight_sample": self._scalar(generator.beta(self.alpha, self.alpha)),
            "chain_transforms": [self._chain(shape, generator) for _ in range(self.num_chains)],
        }

    def _scalar(self, value: float) -> Any:
        return np.dtype(self.dtype).type(value)

    def _chain(
        self, shape: tuple[int, ...], generator: np.random.Generator
    ) -> list[dict[str, Any]]:
        """Return a chain's operations with what was drawn for each; any place may stay empty."""
        chosen = generator.integers(0, len(self._names) + 1, self.chain_depth)
        names = [self._names[index] for index in chosen if index < len(self._names)]
        return [
            {"layer_name": name, "transformation": self._operations[name]._draw(shape, generator)}
            for name in names
        ]

    def _transform(self, images: NDArray, transformation: Any) -> NDArray:
        mixture = self._mixture(images, transformation, "_transform")
        return np.clip(mixture, *self.value_range, out=mixture)

    def _transform_masks(self, masks: NDArray, transformation: Any) -> NDArray:
        return self._mixture(masks, transformation, "_transform_masks")

    def _mixture(self, images: NDArray, transformation: Any, method: str) -> NDArray:
        kept = self._scalar(transformation["weight_sample"])
        mixed = np.multiply(images, kept, dtype=self.dtype)
        for weight, chain in zip(
            transformation["chain_mixing_weights"], transformation["chain_transforms"], strict=True
        ):
            changed = images
            for step in chain:
                operation = self._operations[step["layer_name"]]
                changed = getattr(operation, method)(changed, step["transformation"])
            share = (1 - kept) * self._scalar(weight)
            for chunk in chunked(mixed)[1]:
                mixed[chunk] += share * changed[chunk]
        return mixed

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "num_chains": self.num_chains,
            "chain_depth": self.chain_depth,
            "alpha": self.alpha,
            "all_ops": self.all_ops,
        }


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
        if not isinstance(layers, (list, tuple)) or not all(
            isinstance(layer, Layer) for layer in layers
        ):
            raise TypeError(f"layers must be a list of layers, got {layers!r}")
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

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Build every layer for what the one before gives."""
        for layer in self._layers:
            layer.ensure_built(input_shape)
            input_shape = layer.compute_output_shape(input_shape)

    def __call__(self, inputs: Any, training: bool = True) -> Any:
        """Return the last layer's outputs, for images or for a dict that holds them."""
        if isinstance(inputs, Mapping):
            return self.call(inputs, training=training)
        return super().__call__(inputs, training=training)

    def call(self, inputs: Any, training: bool = True) -> Any:
        """Return the last layer's outputs."""
        for layer in self._layers:
            inputs = layer(inputs, training=training)
        return inputs

    def backward(self, gradient: NDArray) -> NDArray:
        """Return the gradient with respect to the inputs, through every layer."""
        for layer in reversed(self._layers):
            gradient = layer.propagate_back(gradient)
        return gradient

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the last layer's outputs."""
        for layer in self._layers:
            input_shape = layer.compute_output_shape(input_shape)
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return the layers' descriptions and the name."""
        return {"layers": [serialize(layer) for layer in self._layers], "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Pipeline:
        """Return a new pipeline from :meth:`get_config`'s result.

        Raises
        ------
        ValueError
            If ``config`` has no list of layers.
        """
        layers = check_mapping("config", config).get("layers")
        if not isinstance(layers, (list, tuple)):
            raise ValueError(f"config must have a list 'layers', got {layers!r}")
        return cls(**{**config, "layers": [deserialize(layer) for layer in layers]})
