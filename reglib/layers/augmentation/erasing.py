"""Hiding a rectangle of each image: random erasing and cutout."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib import _seeding
from reglib._arguments import Array, Bad, Constraint, GeneratorOrSeed, Number, arguments
from reglib._typing import ArrayLike
from reglib.layers.augmentation.base import AugmentationLayer, Factor, ValueRange, interval
from reglib.layers.windows import Sizes, sizes


def box_masks(
    shape: tuple[int, int], x0: ArrayLike, x1: ArrayLike, y0: ArrayLike, y1: ArrayLike
) -> NDArray:
    """Return one mask an image, (N, H, W), True where x0 <= x < x1 and y0 <= y < y1.

    Examples
    --------
    >>> box_masks((2, 3), [1], [3], [0], [1]).astype(int)
    array([[[0, 1, 1],
            [0, 0, 0]]])
    """
    height, width = shape
    return _boxes(np.arange(width), np.arange(height), x0, x1, y0, y1)


def _boxes(x: NDArray, y: NDArray, *edges: ArrayLike) -> NDArray:
    x0, x1, y0, y1 = (np.asarray(edge)[:, None] for edge in edges)
    columns, rows = (x >= x0) & (x < x1), (y >= y0) & (y < y1)
    return rows[:, :, None] & columns[:, None, :]


class Fill(Constraint):
    """A number, or one for each of three channels."""

    good = 0.0

    def check(self, name: str, value: Any) -> Any:
        """Return the number or numbers as they are."""
        if not isinstance(value, (tuple, list)):
            return Number().check(name, value)
        if len(value) != 3:
            raise ValueError(f"{name} must be None, a number or three numbers, got {value!r}")
        for number in value:
            Number().check(name, number)
        return value

    def bad(self) -> Bad:
        """Return no numbers, and too many or too few."""
        nan = float("nan")
        types = ("a lot", 1j, ("a", "b", "c"), None)
        return {"type": types, "shape": ((1, 2),), "nan": (nan, (0, nan, 0))}


class _BoxLayer(AugmentationLayer):
    """Base of the layers that cut a box out of each image."""

    def _box(
        self, generator: np.random.Generator, shares: NDArray, length: int
    ) -> tuple[NDArray, NDArray]:
        """Return start and end of a stretch that takes a share of a length and lies within it."""
        size = (shares * length).astype(self.dtype)
        start = self._uniform(generator, shares.shape) * (length - size)
        return start, start + size

    def _masks(self, shape: tuple[int, ...], *edges: NDArray) -> NDArray:
        """Return the boxes' masks with the shape of the batch."""
        height, width = self._size(shape)
        if self.data_format == "channels_first":
            return np.repeat(box_masks((height, width), *edges)[:, None], shape[1], axis=1)
        # A line at a time: the floats of a pixel are columns that lie equally far to the right.
        x0, x1, y0, y1 = edges
        channels = shape[3]
        x = np.arange(width).repeat(channels)
        return _boxes(x, np.arange(height), x0, x1, y0, y1).reshape(shape)


@arguments(
    factor=Factor("[0, 1]", strict=False),
    scale=Factor("[0, 1]"),
    fill_value=Fill(),
    value_range=ValueRange(),
)
class RandomErasing(_BoxLayer):
    """Replace a random rectangle of an image by noise or by a constant.

    Parameters
    ----------
    factor : float or pair of floats in [0, 1]
        Range of the probability that an image is erased at all; a number b stands for (0, b).
    scale : float or pair of floats in [0, 1]
        Range of the squared share of each side that the rectangle takes; a number b stands
        for (0, b).
    fill_value : None, float or three floats
        What the rectangle is filled with: None for noise, a number, or one a channel.
    value_range : pair of floats
        What the fill is clipped to; noise has the upper end as its standard deviation.
    seed, data_format, **kwargs
        As for :class:`~reglib.layers.AugmentationLayer`.

    Raises
    ------
    ValueError
        If an argument is not as described.

    Notes
    -----
    As in Keras, the default ``factor`` of 1 draws each image's probability from [0, 1], so
    that about half of the images are erased; write (1, 1) for all. Its ``transform_images``
    returns a single image as a batch of one.

    References
    ----------
    ``keras.layers.RandomErasing``; Zhong et al. (2020), "Random erasing data augmentation".

    Examples
    --------
    >>> layer = RandomErasing((1, 1), scale=(0.25, 0.25), fill_value=9, seed=0)
    >>> int((layer(np.zeros((4, 4, 1))) == 9).sum())
    4
    """

    _unbatched_keys = ("fill_value",)
    _single_becomes_batch = True

    def __init__(
        self,
        factor: Any = 1.0,
        scale: Any = (0.02, 0.33),
        fill_value: Any = None,
        value_range: Any = (0, 255),
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.factor, self.scale = interval(factor, 0), interval(scale, 0)
        self.fill_value = fill_value
        self.value_range = value_range

    def _draw(self, shape: tuple[int, ...], generator: np.random.Generator) -> dict[str, Any]:
        number, (height, width) = shape[0], self._size(shape)
        shares = np.sqrt(self._uniform(generator, (number, 2), *self.scale))
        x0, x1 = self._box(generator, shares[:, 0], width)
        y0, y1 = self._box(generator, shares[:, 1], height)
        probability = self._uniform(generator, (number,), *self.factor)
        apply = self._uniform(generator, (number,)) < probability
        return {
            "apply_erasing": apply,
            "batch_masks": self._masks(shape, x0, x1, y0, y1),
            "fill_value": (
                self._constant(shape)
                if self.fill_value is not None
                else self._noise(shape, apply, (x0, x1, y0, y1), generator)
            ),
        }

    def _constant(self, shape: tuple[int, ...]) -> NDArray:
        fill = np.clip(np.asarray(self.fill_value, self.dtype), *self.value_range)
        if fill.ndim == 1 and self.data_format == "channels_first":
            fill = fill[:, None, None]
        return np.broadcast_to(fill, shape)

    def _noise(
        self,
        shape: tuple[int, ...],
        apply: NDArray,
        edges: tuple[NDArray, ...],
        generator: np.random.Generator,
    ) -> NDArray:
        """Return noise where it will be seen and zeros elsewhere: drawing it is what costs."""
        fill = np.zeros(shape, self.dtype)
        images = self._last(fill)
        channels = images.shape[-1]
        # A mask's first pixel is the first whole number from its edge on.
        x0, x1, y0, y1 = (np.ceil(edge).astype(int) for edge in edges)
        sizes = apply * (x1 - x0) * (y1 - y0) * channels
        noise = generator.standard_normal(sizes.sum(), dtype=self.numpy_dtype)
        noise *= self.value_range[1]
        np.clip(noise, *self.value_range, out=noise)
        parts = np.split(noise, np.cumsum(sizes)[:-1])
        for number in np.flatnonzero(sizes):
            box = images[number, y0[number] : y1[number], x0[number] : x1[number]]
            box[...] = parts[number].reshape(box.shape)
        return fill

    def _transform(self, images: NDArray, transformation: Any) -> NDArray:
        return _filled(images, self._erased(transformation), transformation["fill_value"])

    def _transpose(self, gradient: NDArray, transformation: Any) -> NDArray:
        return _filled(gradient, self._erased(transformation), 0)

    def _erased(self, transformation: Any) -> NDArray:
        masks = np.array(transformation["batch_masks"])
        masks[~np.asarray(transformation["apply_erasing"], bool)] = False
        return masks

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "factor": self.factor,
            "scale": self.scale,
            "fill_value": self.fill_value,
            "value_range": self.value_range,
        }


def _filled(images: NDArray, masks: NDArray, fill: ArrayLike) -> NDArray:
    """Return a copy of the images with the fill where the masks say."""
    outputs = images.copy()
    np.copyto(outputs, fill, where=masks, casting="unsafe")
    return outputs


@arguments(size=Sizes(), fill_value=Number())
class Cutout(_BoxLayer):
    """Hide one square of a fixed size in every image: random erasing's simpler sibling.

    The square's center is uniform over the image, so near an edge part of it falls outside
    and less is hidden, as in the paper.

    Parameters
    ----------
    size : int or pair of ints
        Side of the square in pixels, or height and width.
    fill_value : float
        What the square is filled with.
    seed, data_format, **kwargs
        As for :class:`~reglib.layers.AugmentationLayer`.

    Raises
    ------
    TypeError, ValueError
        If ``size`` is not one or two whole numbers of at least 1, or ``fill_value`` no
        finite number.

    Notes
    -----
    Keras has no such layer.

    References
    ----------
    DeVries and Taylor (2017), "Improved regularization of convolutional neural networks with
    cutout".

    Examples
    --------
    >>> hidden = Cutout(2, seed=0)(np.ones((5, 5, 1))) == 0
    >>> int(hidden.sum())
    4
    """

    def __init__(
        self,
        size: int | tuple[int, int],
        fill_value: float = 0.0,
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.size = size
        self._sides = sizes("size", size, 2)
        self.fill_value = fill_value

    def _draw(self, shape: tuple[int, ...], generator: np.random.Generator) -> dict[str, Any]:
        edges = _square(generator, shape[0], self._size(shape), self._sides)
        return {"batch_masks": self._masks(shape, *edges)}

    def _transform(self, images: NDArray, transformation: Any) -> NDArray:
        return _filled(images, transformation["batch_masks"], self.fill_value)

    def _transpose(self, gradient: NDArray, transformation: Any) -> NDArray:
        return _filled(gradient, transformation["batch_masks"], 0)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "size": self.size, "fill_value": self.fill_value}


def _square(
    generator: np.random.Generator, number: int, shape: tuple[int, ...], sides: tuple[int, ...]
) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """Return the edges x0, x1, y0, y1 of boxes whose centers are uniform over the image."""
    (height, width), (box_height, box_width) = shape, sides
    y0 = generator.integers(0, height, number) - box_height // 2
    x0 = generator.integers(0, width, number) - box_width // 2
    return x0, x0 + box_width, y0, y0 + box_height


@arguments(images=Array(), size=Sizes(), generator=GeneratorOrSeed(), fill_value=Number())
def cutout(
    images: ArrayLike,
    size: int | tuple[int, int],
    generator: np.random.Generator | int | None = None,
    fill_value: float = 0.0,
) -> NDArray:
    """Return the images with one square each hidden, as :class:`Cutout` does.

    Parameters
    ----------
    images : array_like
        (N, H, W, C) or (H, W, C); the dtype is kept.
    size : int or pair of ints
        Side of the square in pixels, or height and width.
    generator : numpy.random.Generator or int, optional
        Where the squares come from.
    fill_value : float
        What the squares are filled with.

    Returns
    -------
    ndarray
        A new array of the shape of ``images``.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.

    References
    ----------
    DeVries and Taylor (2017), "Improved regularization of convolutional neural networks with
    cutout".

    Examples
    --------
    >>> cutout(np.ones((2, 2, 1)), size=4, generator=0)[..., 0]
    array([[0., 0.],
           [0., 0.]])
    """
    if images.ndim not in (3, 4):
        raise ValueError(f"images must have 3 or 4 axes, got shape {images.shape}")
    sides = sizes("size", size, 2)
    generator = _seeding.shared() if generator is None else np.random.default_rng(generator)
    batch = images if images.ndim == 4 else images[None]
    edges = _square(generator, len(batch), batch.shape[1:3], sides)
    outputs = batch.copy()
    outputs[box_masks(batch.shape[1:3], *edges)] = fill_value
    return outputs if images.ndim == 4 else outputs[0]
