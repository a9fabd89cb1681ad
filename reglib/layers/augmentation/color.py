"""Changing values, pixels in place: contrast, brightness, saturation, sharpness and the like.

None of these passes a gradient back: they clip, round or count. Masks and labels stay as
they are. What is computed image by image is computed a few images at a time, so that the
steps between stay in the processor's cache.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib._arguments import arguments
from reglib._typing import ArrayLike
from reglib.layers.augmentation._warp import by_chunk, chunked
from reglib.layers.augmentation.base import AugmentationLayer, Factor, ValueRange, interval


@arguments(value_range=ValueRange())
class ColorLayer(AugmentationLayer):
    """Base of the layers that know the range of the values."""

    # Some of Keras's layers keep the range as it came, others in order.
    _sorts_range = True

    def __init__(self, *, value_range: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.value_range = sorted(value_range) if self._sorts_range else value_range

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "value_range": self.value_range}

    def _scaled(self, images: NDArray, factor: NDArray | None, shift: NDArray) -> NDArray:
        """Return ``images * factor + shift``, clipped, a few images at a time."""
        outputs = np.empty_like(images)
        for chunk in chunked(images)[1]:
            out = outputs[chunk]
            if factor is None:
                np.add(images[chunk], shift[chunk], out=out)
            else:
                np.multiply(images[chunk], factor[chunk], out=out)
                out += shift[chunk]
            np.clip(out, *self.value_range, out=out)
        return outputs

    def _to_bytes(self, images: NDArray) -> NDArray:
        """Return the images on the scale 0 to 255."""
        return rescaled(images, self.value_range, (0, 255))

    def _from_bytes(self, images: NDArray) -> NDArray:
        """Return images on the scale 0 to 255 in the layer's own range."""
        return rescaled(images, (0, 255), self.value_range)


class FactorLayer(ColorLayer):
    """Base of the color layers that draw one number an image from an interval, ``factor``."""

    # How far down a number reaches.
    _lowest = 0

    def __init__(self, *, factor: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.factor = interval(factor, self._lowest)

    def _happens(self, generator: np.random.Generator, number: int) -> NDArray:
        """Return whether it happens to each image, at a probability drawn from ``factor``."""
        probability = self._uniform(generator, (number,), *self.factor)
        return self._uniform(generator, (number,)) < probability

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "factor": self.factor}


def rescaled(images: NDArray, source: Any, target: Any) -> NDArray:
    """Return images of the range ``source`` in the range ``target``."""
    (low, high), (new_low, new_high) = source, target
    if low == new_low and high == new_high:
        return images
    return (images - low) / (high - low) * (new_high - new_low) + new_low


@arguments(factor=Factor("[0, 1]", strict=False))
class RandomContrast(FactorLayer):
    r"""Stretch each channel about its mean: :math:`x \to \bar x + f(x - \bar x)`, clipped.

    Parameters
    ----------
    factor : float or pair of floats in [0, 1]
        For a pair (a, b), f is uniform in [1 - a, 1 + b]; one f an image.
    value_range : pair of floats
        What the result is clipped to.
    seed, **kwargs
        As for :class:`~reglib.layers.AugmentationLayer`.

    Raises
    ------
    ValueError
        If ``factor`` or ``value_range`` is no number or pair as described.

    Notes
    -----
    As in Keras, a single number b stands for the pair (0, b): contrast only grows, to at most
    1 + b. Keras's documentation says [1 - b, 1 + b]; write (b, b) for that.

    References
    ----------
    ``keras.layers.RandomContrast``.

    Examples
    --------
    >>> image = np.array([[[10.0], [30.0]]])
    >>> layer = RandomContrast(0.5)
    >>> layer.transform_images(image, {"contrast_factor": np.array(1.5)}).ravel()
    array([ 5., 35.], dtype=float32)
    """

    _unbatched_keys = ("contrast_factor",)
    _sorts_range = False

    def __init__(
        self, factor: Any, value_range: Any = (0, 255), seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(factor=factor, value_range=value_range, seed=seed, **kwargs)

    def _draw(self, shape: tuple[int, ...], generator: np.random.Generator) -> dict[str, Any]:
        lower, upper = self.factor
        factor = self._uniform(generator, (shape[0], 1, 1, 1), 1 - lower, 1 + upper)
        return {"contrast_factor": factor}

    def _transform(self, images: NDArray, transformation: Any) -> NDArray:
        number, height, width, channels = self._last(images).shape
        factor = per_image(transformation["contrast_factor"], images)[:, 0]
        if self.data_format == "channels_last":
            # A matrix product sums over every third float faster than mean does.
            weights = np.full((1, height * width), 1 / (height * width), images.dtype)
            mean = np.tile(weights @ images.reshape(number, -1, channels), (1, 1, width))
            lines = images.reshape(number, height, width * channels)
        else:
            lines = images.reshape(number, channels, height * width)
            mean = lines.mean(axis=2, keepdims=True)
        # f (x - mean) + mean, in one product and one sum.
        return self._scaled(lines, factor, mean * (1 - factor)).reshape(images.shape)


def per_image(numbers: ArrayLike, images: NDArray) -> NDArray:
    """Return one number an image, (N, 1, 1, 1)."""
    column = np.reshape(np.asarray(numbers, images.dtype), (-1, 1, 1, 1))
    return np.broadcast_to(column, (len(images), 1, 1, 1))


@arguments(factor=Factor("[-1, 1]", strict=False))
class RandomBrightness(FactorLayer):
    r"""Add one number to each image: :math:`x \to x + f(v_{\max} - v_{\min})`, clipped.

    Parameters
    ----------
    factor : float or pair of floats in [-1, 1]
        Range of f; a number b stands for (-b, b).
    value_range : pair of floats
        :math:`v_{\min}, v_{\max}`, what the result is clipped to.
    seed, **kwargs
        As for :class:`~reglib.layers.AugmentationLayer`.

    Raises
    ------
    ValueError
        If ``factor`` or ``value_range`` is no number or pair as described.

    Notes
    -----
    Whole numbers become floats before anything is added; Keras rounds down what it adds to
    them, and on its NumPy backend changes the array that it was given.

    References
    ----------
    ``keras.layers.RandomBrightness``.

    Examples
    --------
    >>> RandomBrightness((0.1, 0.1))(np.full((1, 1, 1), 250.0)).ravel()
    array([255.], dtype=float32)
    """

    _unbatched_keys = ("rgb_delta",)
    _lowest = -1

    def __init__(
        self, factor: Any, value_range: Any = (0, 255), seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(factor=factor, value_range=value_range, seed=seed, **kwargs)

    def _draw(self, shape: tuple[int, ...], generator: np.random.Generator) -> dict[str, Any]:
        low, high = self.value_range
        delta = self._uniform(generator, (shape[0], 1, 1, 1), *self.factor)
        return {"rgb_delta": delta * (high - low)}

    def _transform(self, images: NDArray, transformation: Any) -> NDArray:
        delta = per_image(transformation["rgb_delta"], images)
        return self._scaled(images, None, delta)


@arguments(factor=Factor("[-1, 1]", strict=False))
class RandomColorDegeneration(FactorLayer):
    r"""Move each image toward its gray version: :math:`x \to x + f(\mathrm{gray}(x) - x)`.

    Parameters
    ----------
    factor : float or pair of floats in [-1, 1]
        Range of f: 0 keeps the colors, 1 leaves gray, negative numbers add color; a number
        b stands for (-b, b).
    value_range : pair of floats
        What the result is clipped to.
    data_format, seed, **kwargs
        As for :class:`~reglib.layers.AugmentationLayer`.

    Raises
    ------
    ValueError
        If ``factor`` or ``value_range`` is no number or pair as described, or the images
        have other than 1 or 3 channels.

    References
    ----------
    ``keras.layers.RandomColorDegeneration``.

    Examples
    --------
    >>> RandomColorDegeneration((1.0, 1.0))(np.array([[[100.0, 0.0, 0.0]]])).round(2)
    array([[[29.89, 29.89, 29.89]]], dtype=float32)
    """

    _lowest = -1

    def __init__(
        self,
        factor: Any,
        value_range: Any = (0, 255),
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            factor=factor, value_range=value_range, data_format=data_format, seed=seed, **kwargs
        )

    def _draw(self, shape: tuple[int, ...], generator: np.random.Generator) -> dict[str, Any]:
        return {"factor": self._uniform(generator, (shape[0], 1, 1, 1), *self.factor)}

    def _transform(self, images: NDArray, transformation: Any) -> NDArray:
        factor = per_image(transformation["factor"], images)
        outputs = toward_gray(images, factor, self._channel_axis)
        return np.clip(outputs, *self.value_range, out=outputs)


# How bright red, green and blue look.
_LUMINANCE = (0.2989, 0.5870, 0.1140)


def toward_gray(images: NDArray, factor: NDArray, axis: int) -> NDArray:
    """Return the images moved toward their gray versions, each by its own factor.

    Parameters
    ----------
    images : ndarray
        Four axes, ``axis`` with 1 or 3 channels.
    factor : ndarray
        (N, 1, 1, 1): 0 keeps the colors, 1 leaves gray.
    axis : int
        3 if channels are last, 1 if they are first.

    Raises
    ------
    ValueError
        If there are other than 1 or 3 channels.

    Examples
    --------
    >>> red = np.array([1.0, 0.0, 0.0]).reshape(1, 1, 1, 3)
    >>> toward_gray(red, np.full((1, 1, 1, 1), 0.5), 3).ravel().round(2)
    array([0.65, 0.15, 0.15])
    """
    channels = images.shape[axis]
    if channels not in (1, 3):
        raise ValueError(f"images must have 1 or 3 channels, got {channels}")
    if channels == 1:
        return images.copy()
    # One matrix an image: what each channel gets of red, green and blue.
    matrix = (1 - factor[:, 0]) * np.eye(3, dtype=images.dtype)
    matrix += factor[:, 0] * np.array(_LUMINANCE, images.dtype)
    outputs = np.empty(images.shape, images.dtype)
    if axis == 3:
        flat = (len(images), -1, 3)
        matrix = matrix.transpose(0, 2, 1)
        np.matmul(images.reshape(flat), matrix, out=outputs.reshape(flat))
    else:
        flat = (len(images), 3, -1)
        np.matmul(matrix, images.reshape(flat), out=outputs.reshape(flat))
    return outputs


@arguments(factor=Factor("[0, 1]", strict=False))
class RandomSharpness(FactorLayer):
    r"""Blur or sharpen each image: :math:`x \to x + (1 - 2f)(\mathrm{smooth}(x) - x)`.

    The smooth version is a 3 by 3 mean that counts the center five times, with zeros around
    the image.

    Parameters
    ----------
    factor : float or pair of floats in [0, 1]
        Range of f: 0 gives the smooth version, 1/2 the image itself, 1 a sharpened one; a
        number b stands for (0, b).
    value_range : pair of floats
        What the result is clipped to.
    data_format, seed, **kwargs
        As for :class:`~reglib.layers.AugmentationLayer`.

    Raises
    ------
    ValueError
        If ``factor`` or ``value_range`` is no number or pair as described.

    References
    ----------
    ``keras.layers.RandomSharpness``.

    Examples
    --------
    >>> image = np.zeros((3, 3, 1))
    >>> image[1, 1] = 13
    >>> RandomSharpness((0.0, 0.0))(image)[..., 0].round(4)
    array([[1., 1., 1.],
           [1., 5., 1.],
           [1., 1., 1.]], dtype=float32)
    """

    def __init__(
        self,
        factor: Any,
        value_range: Any = (0, 255),
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            factor=factor, value_range=value_range, data_format=data_format, seed=seed, **kwargs
        )

    def _draw(self, shape: tuple[int, ...], generator: np.random.Generator) -> dict[str, Any]:
        return {"factor": self._uniform(generator, (shape[0],), *self.factor)}

    def _transform(self, images: NDArray, transformation: Any) -> NDArray:
        factor = per_image(transformation["factor"], images)
        return by_chunk(self._sharpened, images, 1 - 2 * factor)

    def _sharpened(self, images: NDArray, weight: NDArray) -> NDArray:
        height, width = self._side_axes
        around = _with_neighbors(_with_neighbors(images, height), width)
        smooth = (around + 4 * images) / 13
        return np.clip(images + weight * (smooth - images), *self.value_range)


def _with_neighbors(images: NDArray, axis: int) -> NDArray:
    """Return each pixel plus the two beside it along an axis, zeros outside."""
    sums = images.copy()
    images, view = np.moveaxis(images, axis, 0), np.moveaxis(sums, axis, 0)
    view[1:] += images[:-1]
    view[:-1] += images[1:]
    return sums
