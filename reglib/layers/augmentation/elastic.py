"""Bending images as if they were printed on rubber: elastic deformation."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib._validation import check_choice, check_number
from reglib.layers.augmentation._warp import INTERPOLATIONS, by_chunk, sample_at
from reglib.layers.augmentation.base import check_factor
from reglib.layers.augmentation.blur import gaussian_weights
from reglib.layers.augmentation.color import FactorLayer

FILL_MODES = ("reflect", "wrap", "constant", "nearest", "mirror")


class RandomElasticTransform(FactorLayer):
    r"""Shift each pixel of some images by a smooth random field.

    Each pixel draws a shift, normal with standard deviation :math:`\sigma`; neighbors average
    theirs by Gaussian weights of the same width; and the result, times :math:`\alpha`, says
    where the output looks in the input. With strength :math:`s`,
    :math:`\alpha = 0.1\,s \max(H, W)` and :math:`\sigma = 0.05\,s \min(H, W)`.

    Parameters
    ----------
    factor : float or pair of floats in [0, 1]
        Range of the probability that an image is bent; a number b stands for (0, b).
    scale : float or pair of floats in [0, 1]
        Range of the strength :math:`s`, drawn once a batch; a number b stands for (0, b).
    interpolation : str
        ``"bilinear"`` or ``"nearest"``; masks take the nearest pixel.
    fill_mode : str
        What lies outside: ``"reflect"``, ``"wrap"``, ``"constant"``, ``"nearest"`` or
        ``"mirror"`` (d c b | a b c d | c b a).
    fill_value : float
        The value outside for ``"constant"``.
    value_range : pair of floats
        What the result is clipped to.
    seed, data_format, **kwargs
        As for :class:`~reglib.layers.AugmentationLayer`.

    Raises
    ------
    ValueError
        If an argument is not as described (Keras raises NotImplementedError for an unknown
        option).

    Notes
    -----
    As in Keras, the default ``factor`` of 1 bends about half of the images, write (1, 1) for
    all; images that stay are clipped too; and the transformation holds a seed from which the
    field is drawn, the same for images and masks.

    References
    ----------
    ``keras.layers.RandomElasticTransform``; Simard, Steinkraus and Platt (2003), "Best
    practices for convolutional neural networks applied to visual document analysis".

    Examples
    --------
    >>> x = np.arange(64.0).reshape(8, 8, 1)
    >>> bent = RandomElasticTransform((1, 1), seed=0)(x)
    >>> bent.shape, bool((bent == x).all())
    ((8, 8, 1), False)
    """

    _sorts_range = False

    def __init__(
        self,
        factor: Any = 1.0,
        scale: Any = 1.0,
        interpolation: str = "bilinear",
        fill_mode: str = "reflect",
        fill_value: float = 0.0,
        value_range: Any = (0, 255),
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            factor=factor, value_range=value_range, data_format=data_format, seed=seed, **kwargs
        )
        self.scale = check_factor("scale", scale, 0, 1, symmetric=False, strict=False)
        self.interpolation = check_choice("interpolation", interpolation, INTERPOLATIONS)
        self.fill_mode = check_choice("fill_mode", fill_mode, FILL_MODES)
        self.fill_value = check_number("fill_value", fill_value)

    def get_random_transformation(
        self, data: Any, training: bool = True, seed: Any = None
    ) -> dict[str, Any] | None:
        """Draw what the field will be drawn from; None if nothing can be bent."""
        if self.factor[1] == 0 or self.scale[1] == 0:
            return None
        return super().get_random_transformation(data, training=training, seed=seed)

    def _draw(self, shape: tuple[int, ...], generator: np.random.Generator) -> dict[str, Any]:
        return {
            "apply_transform": self._happens(generator, shape[0]),
            "distortion_factor": self._uniform(generator, (), *self.scale)[()],
            "seed": int(generator.integers(2**32)),
        }

    def _transform(self, images: NDArray, transformation: Any) -> NDArray:
        outputs = self._bent(images, transformation, self.interpolation)
        return np.clip(outputs, *self.value_range, out=outputs)

    def _transform_masks(self, masks: NDArray, transformation: Any) -> NDArray:
        return self._bent(masks, transformation, "nearest")

    def _bent(self, images: NDArray, transformation: Any, interpolation: str) -> NDArray:
        images = self._last(images)
        bent = np.asarray(transformation["apply_transform"], bool)
        outputs = images.copy()
        if bent.any():
            right, down = self._field(images.shape, transformation)
            height, width = images.shape[1:3]
            x = np.arange(width) + right
            y = np.arange(height)[:, None] + down

            def look(images: NDArray, x: NDArray, y: NDArray) -> NDArray:
                return sample_at(images, x, y, interpolation, self.fill_mode, self.fill_value)

            outputs[bent] = by_chunk(look, images[bent], x[bent], y[bent])
        return self._restored(outputs)

    def _field(self, shape: tuple[int, ...], transformation: Any) -> tuple[NDArray, NDArray]:
        """Return how far to the right and how far down each output looks, (N, H, W)."""
        number, height, width, _ = shape
        strength = float(transformation["distortion_factor"])
        reach, sigma = 0.1 * strength * max(height, width), 0.05 * strength * min(height, width)
        generator = np.random.default_rng(transformation["seed"])
        weights = gaussian_weights(int(6 * sigma) | 1, sigma, self.dtype)
        by_line, by_column = (_averaging_matrix(weights, size) for size in (height, width))
        right, down = (
            by_line @ generator.normal(size=(number, height, width)).astype(self.dtype) @ by_column
            for _ in range(2)
        )
        return reach * sigma * right, reach * sigma * down

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "scale": self.scale,
            "interpolation": self.interpolation,
            "fill_mode": self.fill_mode,
            "fill_value": self.fill_value,
        }


def _averaging_matrix(weights: NDArray, size: int) -> NDArray:
    """Return the matrix, (size, size), that weighs each pixel's neighbors along one axis."""
    half = len(weights) // 2
    distance = np.arange(size)[:, None] - np.arange(size)
    near = abs(distance) <= half
    return np.where(near, weights[np.where(near, distance + half, 0)], 0).astype(weights.dtype)
