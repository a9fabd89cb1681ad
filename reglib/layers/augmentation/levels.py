"""Levels of color: fewer of them, turned around above one, stretched, or made equally frequent."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from reglib._arguments import Integer, arguments
from reglib._typing import ArrayLike
from reglib.layers.augmentation._warp import by_chunk, chunked
from reglib.layers.augmentation.base import Factor, interval
from reglib.layers.augmentation.color import ColorLayer, FactorLayer, per_image


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
        shift = per_image(transformation["shift_factor"], images).astype("uint8")
        return by_chunk(self._posterized, images, shift)

    def _posterized(self, images: NDArray, shift: NDArray) -> NDArray:
        leading = np.clip(self._to_bytes(images), 0, 255).astype("uint8") >> shift << shift
        return self._from_bytes(leading.astype(images.dtype))


@arguments(addition_factor=Factor("[0, 1]"), threshold_factor=Factor("[0, 1]"))
class Solarization(ColorLayer):
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
        drawn = (per_image(transformation[key], images) for key in ("additions", "thresholds"))
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


class _FixedLayer(ColorLayer):
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
