"""Changing values, pixels in place: contrast, brightness, saturation, sharpness and the like.

None of these passes a gradient back: they clip, round or count. Masks and labels stay as
they are. What is computed image by image is computed a few images at a time, so that the
steps between stay in the processor's cache.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from reglib._arguments import Integer, arguments
from reglib._typing import ArrayLike
from reglib.layers.augmentation._warp import by_chunk, chunked
from reglib.layers.augmentation.base import AugmentationLayer, Factor, ValueRange, interval


@arguments(value_range=ValueRange())
class _ColorLayer(AugmentationLayer):
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


class FactorLayer(_ColorLayer):
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
        factor = _per_image(transformation["contrast_factor"], images)[:, 0]
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


def _per_image(numbers: ArrayLike, images: NDArray) -> NDArray:
    """Return one number an image, (N, 1, 1, 1)."""
    column = np.reshape(np.asarray(numbers, images.dtype), (-1, 1, 1, 1))
    return np.broadcast_to(column, (len(images), 1, 1, 1))


@arguments(factor=Factor("[-1, 1]", strict=False))
class RandomBrightness(FactorLayer):
    r"""Add one number to each image: :math:`x \to x + f(v_{max} - v_{min})`, clipped.

    Parameters
    ----------
    factor : float or pair of floats in [-1, 1]
        Range of f; a number b stands for (-b, b).
    value_range : pair of floats
        :math:`v_{min}, v_{max}`, what the result is clipped to.
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
        delta = _per_image(transformation["rgb_delta"], images)
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
        factor = _per_image(transformation["factor"], images)
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
        factor = _per_image(transformation["factor"], images)
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


@arguments(factor=Factor("[1, 8]"))
class RandomPosterization(FactorLayer):
    """Keep only the leading bits of each value's byte.

    Parameters
    ----------
    factor : int or pair of ints in [1, 8]
        How many bits stay; a number b stands for (1, b).
    value_range : pair of floats
        The values that stand for the bytes 0 and 255.
    data_format, seed, **kwargs
        As for :class:`~reglib.layers.AugmentationLayer`.

    Raises
    ------
    ValueError
        If ``factor`` or ``value_range`` is no number or pair as described.

    Notes
    -----
    As in Keras, the upper end is never drawn unless both ends are equal: 4 keeps 1, 2 or 3
    bits. Values outside ``value_range`` are clipped to it; Keras's NumPy backend wraps around.

    References
    ----------
    ``keras.layers.RandomPosterization``.

    Examples
    --------
    >>> RandomPosterization((1, 1))(np.array([[[100.0], [200.0]]])).ravel()
    array([  0., 128.], dtype=float32)
    """

    _lowest = 1

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
        lower, upper = (int(end) for end in self.factor)
        bits = generator.integers(lower, max(upper, lower + 1), shape[0])
        return {"shift_factor": (8 - bits).astype("uint8")}

    def _transform(self, images: NDArray, transformation: Any) -> NDArray:
        shift = _per_image(transformation["shift_factor"], images).astype("uint8")
        return by_chunk(self._posterized, images, shift)

    def _posterized(self, images: NDArray, shift: NDArray) -> NDArray:
        leading = np.clip(self._to_bytes(images), 0, 255).astype("uint8") >> shift << shift
        return self._from_bytes(leading.astype(images.dtype))


@arguments(addition_factor=Factor("[0, 1]"), threshold_factor=Factor("[0, 1]"))
class Solarization(_ColorLayer):
    r"""Invert values above a threshold: :math:`x \to 255 - x` where :math:`x + a \ge t`.

    First a random :math:`a` is added and the sum clipped; on the scale 0 to 255.

    Parameters
    ----------
    addition_factor : float or pair of floats in [0, 1]
        Range of :math:`a`; a number b stands for (0, b).
    threshold_factor : float or pair of floats in [0, 1]
        Range of :math:`t`; a number b stands for (0, b).
    value_range : pair of floats
        The values that stand for 0 and 255.
    seed, **kwargs
        As for :class:`~reglib.layers.AugmentationLayer`.

    Raises
    ------
    ValueError
        If a factor or ``value_range`` is no number or pair as described.

    Notes
    -----
    As in Keras, only the upper end of a factor counts in units of 255: (0.5, 0.5) draws from
    0.5 to 127.5.

    References
    ----------
    ``keras.layers.Solarization``.

    Examples
    --------
    >>> image = np.array([[[100.0], [200.0]]])
    >>> drawn = {"additions": np.array(0.0), "thresholds": np.array(128.0)}
    >>> Solarization().transform_images(image, drawn).ravel()
    array([100.,  55.], dtype=float32)
    """

    _unbatched_keys = ("additions", "thresholds")

    def __init__(
        self,
        addition_factor: Any = 0.0,
        threshold_factor: Any = 0.0,
        value_range: Any = (0, 255),
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(value_range=value_range, seed=seed, **kwargs)
        self.addition_factor = interval(addition_factor, 0)
        self.threshold_factor = interval(threshold_factor, 0)

    def _draw(self, shape: tuple[int, ...], generator: np.random.Generator) -> dict[str, Any]:
        drawn = {}
        for key, factor in (
            ("additions", self.addition_factor),
            ("thresholds", self.threshold_factor),
        ):
            drawn[key] = self._uniform(generator, (shape[0], 1, 1, 1), factor[0], factor[1] * 255)
        return drawn

    def _transform(self, images: NDArray, transformation: Any) -> NDArray:
        drawn = (_per_image(transformation[key], images) for key in ("additions", "thresholds"))
        return by_chunk(self._solarized, images, *drawn)

    def _solarized(self, images: NDArray, additions: NDArray, thresholds: NDArray) -> NDArray:
        values = np.clip(self._to_bytes(images) + additions, 0, 255)
        # A product chooses faster than where does, whose branches nobody can predict.
        values += (values >= thresholds) * (255 - 2 * values)
        return self._from_bytes(values)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "addition_factor": self.addition_factor,
            "threshold_factor": self.threshold_factor,
        }


class _FixedLayer(_ColorLayer):
    """Base of the layers that draw nothing."""

    def _draw(self, shape: tuple[int, ...], generator: np.random.Generator) -> None:
        return None

    def transform_images(
        self, images: ArrayLike, transformation: Any = None, training: bool = True
    ) -> NDArray:
        """Return the changed images; there is no transformation to give."""
        return super().transform_images(images, {}, training=training)

    def backward(self, gradient: NDArray) -> NDArray:
        """Raise NotImplementedError: values are counted or compared."""
        return self._transpose(gradient, None)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        config = super().get_config()
        del config["seed"]
        return config


class AutoContrast(_FixedLayer):
    r"""Stretch each channel to the whole range: :math:`x \to (x - \min x)/(\max x - \min x)`.

    Parameters
    ----------
    value_range : pair of floats
        The lowest and the highest value of the result.
    **kwargs
        As for :class:`~reglib.layers.AugmentationLayer`.

    Raises
    ------
    ValueError
        If ``value_range`` is no pair of numbers.

    Notes
    -----
    As in Keras, nothing is random, it works outside training too, and with channels first
    the extremes are taken over channels and rows.

    References
    ----------
    ``keras.layers.AutoContrast``.

    Examples
    --------
    >>> AutoContrast()(np.array([[[10.0], [20.0], [30.0]]])).ravel()
    array([  0. , 127.5, 255. ], dtype=float32)
    """

    def __init__(self, value_range: Any = (0, 255), **kwargs: Any) -> None:
        super().__init__(value_range=value_range, **kwargs)

    def transform_images(
        self, images: ArrayLike, transformation: Any = None, training: bool = True
    ) -> NDArray:
        """Return the images, stretched, in training or not."""
        return super().transform_images(images, training=True)

    def _transform(self, images: NDArray, transformation: Any) -> NDArray:
        return by_chunk(self._stretched, images)

    def _stretched(self, images: NDArray) -> NDArray:
        number, rows, columns, channels = images.shape
        values = self._to_bytes(images)
        # One axis after the other: over both at once NumPy is many times slower.
        low, high = values.min(axis=1).min(axis=1), values.max(axis=1).max(axis=1)
        # A constant channel divides by zero: what comes out as NaN stays as it was.
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            scale = 255 / (high - low)
            # In whole lines, because NumPy is slow where the last axis is short.
            lines = values.reshape(number, rows, columns * channels)
            scale, shift = (np.tile(each, columns)[:, None] for each in (scale, low * scale))
            stretched = self._from_bytes(np.clip(lines * scale - shift, 0, 255))
        stretched = stretched.reshape(images.shape)
        return np.where(np.isnan(stretched), images, stretched)


@arguments(bins=Integer(">= 2"))
class Equalization(_FixedLayer):
    """Spread each channel's values so that all are about equally frequent.

    Each value is replaced by its rank: the share of pixels below it, times 255.

    Parameters
    ----------
    value_range : pair of floats
        The lowest and the highest value.
    bins : int
        How many values the histogram tells apart.
    data_format, **kwargs
        As for :class:`~reglib.layers.AugmentationLayer`.

    Raises
    ------
    TypeError, ValueError
        If ``bins`` is no whole number of at least 2, or ``value_range`` no pair.

    Notes
    -----
    As in Keras, one histogram serves the whole batch, and nothing is random.

    References
    ----------
    ``keras.layers.Equalization``.

    Examples
    --------
    >>> Equalization()(np.array([[[10.0], [11.0], [12.0]]])).ravel()
    array([  0., 128., 255.], dtype=float32)
    """

    def __init__(
        self,
        value_range: Any = (0, 255),
        bins: int = 256,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(value_range=value_range, data_format=data_format, **kwargs)
        self.bins = bins

    def _transform(self, images: NDArray, transformation: Any) -> NDArray:
        axis = self._channel_axis
        outputs = np.empty_like(images)
        for channel, out in zip(
            np.moveaxis(images, axis, 0), np.moveaxis(outputs, axis, 0), strict=True
        ):
            self._equalize(channel, out)
        return outputs

    def _equalize(self, channel: NDArray, out: NDArray) -> None:
        """Write to ``out`` the values of one channel, (N, H, W), spread by their frequency."""
        low, high = self.value_range
        to_bytes, from_bytes = 255 / (high - low), (high - low) / 255
        top = self.bins - 1
        _, chunks = chunked(channel)
        counts = np.zeros(self.bins, int)
        for chunk in chunks:
            values = channel[chunk] * to_bytes - low * to_bytes
            bin_ = np.clip(values * top / 255, 0, top).astype(np.intp)
            counts += np.bincount(bin_.ravel(), minlength=self.bins)
        table = _rank_table(counts, channel.dtype)
        for chunk in chunks:
            values = channel[chunk] * to_bytes - low * to_bytes
            if table is not None:
                # Keras looks up by a second formula that rounds a few values differently.
                bin_ = np.clip(values / 255 * top, 0, top).astype(np.intp)
                values = table.take(bin_, mode="wrap")
            out[chunk] = values * from_bytes + low

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "bins": self.bins}


def _rank_table(counts: NDArray, dtype: DTypeLike) -> NDArray | None:
    """Return what each bin becomes, from 0 to 255; None where all values share a bin."""
    if np.count_nonzero(counts) <= 1:
        return None
    below = np.cumsum(counts)
    lowest = below[below > 0][0]
    return np.round((below - lowest) * 255 / (below[-1] - lowest)).clip(0, 255).astype(dtype)
