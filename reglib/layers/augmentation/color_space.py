"""Colors as people name them: gray, and hue, saturation and brightness apart.

Red, green and blue say how much light of each kind there is. Hue (which color, as a place on
a circle), saturation (how far from gray) and value (how bright) say what is seen, so that each
can be changed alone. Masks and labels stay as they are, and no gradient is passed back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib._validation import check_number
from reglib.layers.augmentation._warp import by_chunk
from reglib.layers.augmentation.base import AugmentationLayer, check_factor, check_value_range
from reglib.layers.augmentation.color import (
    FactorLayer,
    RandomBrightness,
    RandomContrast,
    rescaled,
    toward_gray,
)
from reglib.layers.base import Layer


def rgb_to_hsv(red: NDArray, green: NDArray, blue: NDArray) -> tuple[NDArray, NDArray, NDArray]:
    """Return hue in [0, 1), saturation in [0, 1] and value of colors of equal shape.

    Examples
    --------
    >>> hue, saturation, value = rgb_to_hsv(*np.array([[1.0, 0.0], [0.5, 0.0], [0.5, 1.0]]))
    >>> hue.round(2), saturation, value
    (array([0.  , 0.67]), array([0.5, 1. ]), array([1., 1.]))
    """
    value = np.maximum(np.maximum(red, green), blue)
    spread = value - np.minimum(np.minimum(red, green), blue)
    # What is black, or darker, has no saturation.
    saturation = spread / np.where(value > 0, value, np.inf)
    # Gray has no hue: 0 by any number stays 0, red's.
    sixth = 1 / (6 * np.maximum(spread, np.finfo(spread.dtype).tiny))
    hue = (red - green) * sixth + 4 / 6
    # Products choose faster than where does, whose branches nobody can predict.
    hue += (value == green) * ((blue - red) * sixth + 2 / 6 - hue)
    hue += (value == red) * ((green - blue) * sixth - hue)
    return hue - np.floor(hue), saturation, value


def hsv_to_rgb(hue: NDArray, saturation: NDArray, value: NDArray) -> tuple[NDArray, ...]:
    """Return red, green and blue of colors of equal shape; any whole number added to the hue.

    Examples
    --------
    >>> hsv_to_rgb(np.array([0.0]), np.array([0.5]), np.array([1.0]))
    (array([1.]), array([0.5]), array([0.5]))
    """
    # NumPy takes the remainder of a division many times more slowly.
    place = (hue - np.floor(hue)) * 6
    chroma = value * saturation
    # How far each channel lies below the brightest one.
    below = (2 - abs(place - 3), abs(place - 2) - 1, abs(place - 4) - 1)
    return tuple(value - chroma * np.clip(each, 0, 1) for each in below)


class RandomGrayscale(AugmentationLayer):
    r"""Take the colors out of some images: each channel becomes 0.2989 R + 0.587 G + 0.114 B.

    Parameters
    ----------
    factor : float in [0, 1]
        The probability that an image turns gray.
    data_format, seed, **kwargs
        As for :class:`~reglib.layers.AugmentationLayer`.

    Raises
    ------
    TypeError, ValueError
        If ``factor`` is no number in [0, 1], or images have other than 1 or 3 channels.

    Notes
    -----
    The config holds the seed, which Keras leaves out.

    References
    ----------
    ``keras.layers.RandomGrayscale``.

    Examples
    --------
    >>> RandomGrayscale(1.0)(np.array([[[100.0, 0.0, 0.0]]])).round(2)
    array([[[29.89, 29.89, 29.89]]], dtype=float32)
    """

    def __init__(
        self,
        factor: float = 0.5,
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, seed=seed, **kwargs)
        self.factor = check_number("factor", factor, low=0, high=1)

    def _draw(self, shape: tuple[int, ...], generator: np.random.Generator) -> NDArray:
        return self._uniform(generator, (shape[0], 1, 1, 1)) < self.factor

    def _transform(self, images: NDArray, transformation: Any) -> NDArray:
        factor = np.reshape(transformation, (-1, 1, 1, 1)).astype(images.dtype)
        return toward_gray(images, factor, self._channel_axis)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "factor": self.factor}


class _HSVLayer(FactorLayer):
    """Base of the layers that change hue or saturation."""

    def _change(
        self, images: NDArray, numbers: Any, change: Callable[..., tuple[NDArray, ...]]
    ) -> NDArray:
        """Return the images with ``change(hue, saturation, value, number)`` of their colors."""
        axis = self._channel_axis
        if images.shape[axis] != 3:
            raise ValueError(f"images must have 3 channels, got {images.shape[axis]}")

        def changed(images: NDArray, numbers: NDArray) -> NDArray:
            colors = rgb_to_hsv(*np.ascontiguousarray(np.moveaxis(images, axis, 0)))
            outputs = np.empty_like(images)
            planes = hsv_to_rgb(*change(*colors, numbers))
            for place, plane in zip(np.moveaxis(outputs, axis, 0), planes, strict=True):
                place[...] = plane
            return outputs

        numbers = np.reshape(numbers, (-1, 1, 1)).astype(images.dtype)
        return by_chunk(changed, images, np.broadcast_to(numbers, (len(images), 1, 1)))


class RandomHue(_HSVLayer):
    r"""Turn the colors of each image around the circle of hues: :math:`h \to h + f/2`.

    Parameters
    ----------
    factor : float or pair of floats in [0, 1]
        Range of the size of f; a number b stands for (0, b), and 1 turns red into cyan. Half
        of the images are turned the other way.
    value_range : pair of floats
        The lowest and the highest value of the images.
    data_format, seed, **kwargs
        As for :class:`~reglib.layers.AugmentationLayer`.

    Raises
    ------
    ValueError
        If ``factor`` or ``value_range`` is no number or pair as described, or images have
        other than 3 channels.

    References
    ----------
    ``keras.layers.RandomHue``.

    Examples
    --------
    >>> RandomHue((1, 1))(np.array([[[255.0, 0.0, 0.0]]])).ravel()
    array([  0., 255., 255.], dtype=float32)
    """

    _sorts_range = False

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
        sign = np.where(self._uniform(generator, shape[:1]) > 0.5, -1, 1).astype(self.dtype)
        return {"factor": sign * self._uniform(generator, shape[:1], *self.factor) * 0.5}

    def _transform(self, images: NDArray, transformation: Any) -> NDArray:
        images = rescaled(images, self.value_range, (0, 1))
        turned = self._change(images, transformation["factor"], _turned)
        return rescaled(np.clip(turned, 0, 1, out=turned), (0, 1), self.value_range)


def _turned(hue: NDArray, saturation: NDArray, value: NDArray, turn: NDArray) -> tuple:
    return hue + turn, saturation, value


class RandomSaturation(_HSVLayer):
    r"""Make the colors of each image paler or stronger: :math:`s \to s\,f/(1 - f)`, clipped.

    Parameters
    ----------
    factor : float or pair of floats in [-1, 1]
        Range of f: 0 and less leave gray, 1/2 the image itself, 1 pure colors; a number b
        stands for (-b, b).
    value_range : pair of floats
        What the saturation is clipped to.
    data_format, seed, **kwargs
        As for :class:`~reglib.layers.AugmentationLayer`.

    Raises
    ------
    ValueError
        If ``factor`` or ``value_range`` is no number or pair as described, or images have
        other than 3 channels.

    Notes
    -----
    As in Keras, whatever its documentation says, a number b stands for (-b, b), so that half
    of the images turn gray; write (0, b) to spare them. Saturation is a share between 0 and 1
    whatever the images' range, but is clipped to ``value_range``: with the default, factors
    above 1/2 can drive colors out of the images' range. Write (0, 1) to keep them inside.

    References
    ----------
    ``keras.layers.RandomSaturation``.

    Examples
    --------
    >>> RandomSaturation((0, 0))(np.array([[[0.8, 0.4, 0.2]]])).ravel()
    array([0.8, 0.8, 0.8], dtype=float32)
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
        factor = self._uniform(generator, shape[:1], *self.factor)
        # Keras's smallest number keeps f = 1 finite.
        return {"factor": factor / (1 - factor + factor.dtype.type(1e-7))}

    def _transform(self, images: NDArray, transformation: Any) -> NDArray:
        return self._change(images, transformation["factor"], self._saturated)

    def _saturated(
        self, hue: NDArray, saturation: NDArray, value: NDArray, factor: NDArray
    ) -> tuple:
        return hue, np.clip(saturation * factor, *self.value_range), value


class RandomColorJitter(AugmentationLayer):
    """Change brightness, contrast, saturation and hue of each image, one after another.

    Parameters
    ----------
    value_range : pair of floats
        The lowest and the highest value of the images.
    brightness_factor, contrast_factor, saturation_factor, hue_factor : float or pair, optional
        As for :class:`RandomBrightness`, :class:`RandomContrast`, :class:`RandomSaturation`
        and :class:`RandomHue`; None leaves that out.
    seed, data_format, **kwargs
        As for :class:`~reglib.layers.AugmentationLayer`.

    Raises
    ------
    ValueError
        If an argument is not as described.

    Notes
    -----
    Everything random is drawn by ``get_random_transformation``; Keras draws in
    ``transform_images``, and with channels first takes rows for colors.

    References
    ----------
    ``keras.layers.RandomColorJitter``.

    Examples
    --------
    >>> gray = np.full((1, 1, 3), 100.0)
    >>> RandomColorJitter(brightness_factor=(0.1, 0.1), hue_factor=0.5)(gray).ravel()
    array([125.5, 125.5, 125.5], dtype=float32)
    """

    def __init__(
        self,
        value_range: Any = (0, 255),
        brightness_factor: Any = None,
        contrast_factor: Any = None,
        saturation_factor: Any = None,
        hue_factor: Any = None,
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        check_value_range(value_range)
        self.value_range = value_range
        self._factors = {
            "brightness_factor": brightness_factor,
            "contrast_factor": contrast_factor,
            "saturation_factor": saturation_factor,
            "hue_factor": hue_factor,
        }
        kinds = (RandomBrightness, RandomContrast, RandomSaturation, RandomHue)
        self._operations = {}
        for (name, factor), kind, low in zip(
            self._factors.items(), kinds, (-1, 0, -1, 0), strict=True
        ):
            if factor is not None:
                check_factor(name, factor, low, 1, strict=False)
                self._operations[name] = kind(
                    factor, value_range, data_format=self.data_format, dtype=self.dtype
                )

    def sublayers(self) -> tuple[Layer, ...]:
        """Return the operations."""
        return tuple(self._operations.values())

    def _draw(self, shape: tuple[int, ...], generator: np.random.Generator) -> dict[str, Any]:
        return {name: each._draw(shape, generator) for name, each in self._operations.items()}

    def _transform(self, images: NDArray, transformation: Any) -> NDArray:
        for name, operation in self._operations.items():
            images = operation._transform(images, transformation[name])
        return images

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "value_range": self.value_range, **self._factors}
