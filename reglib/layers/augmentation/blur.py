"""Taking details out of images: Gaussian blur."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib._validation import check_integer
from reglib.layers.augmentation._warp import by_chunk
from reglib.layers.augmentation.base import check_factor
from reglib.layers.augmentation.color import FactorLayer


class RandomGaussianBlur(FactorLayer):
    r"""Average each pixel of some images with its neighbors, the nearer the more.

    The weights are :math:`e^{-d^2/2\sigma^2}` at distance :math:`d`, divided by their sum,
    first along the rows, then along the columns; zeros lie outside the image.

    Parameters
    ----------
    factor : float or pair of floats in [0, 1]
        Range of the probability that an image is blurred; a number b stands for (0, b).
    kernel_size : int or pair of ints
        How many pixels are averaged, an odd number; horizontally and vertically for a pair.
    sigma : float or pair of floats in [0, 1]
        Range of :math:`\sigma`, drawn for each direction once a batch; a number b stands for
        (0, b).
    value_range : pair of floats
        What the result is clipped to.
    data_format, seed, **kwargs
        As for :class:`~reglib.layers.AugmentationLayer`.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.

    Notes
    -----
    As in Keras, the default ``factor`` of 1 blurs about half of the images, write (1, 1) for
    all; and images that are not blurred are clipped too.

    References
    ----------
    ``keras.layers.RandomGaussianBlur``.

    Examples
    --------
    >>> image = np.zeros((3, 3, 1))
    >>> image[1, 1] = 1
    >>> RandomGaussianBlur((1, 1), sigma=(1, 1))(image)[..., 0].round(3)
    array([[0.075, 0.124, 0.075],
           [0.124, 0.204, 0.124],
           [0.075, 0.124, 0.075]], dtype=float32)
    """

    _sorts_range = False

    def __init__(
        self,
        factor: Any = 1.0,
        kernel_size: int | tuple[int, int] = 3,
        sigma: Any = 1.0,
        value_range: Any = (0, 255),
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            factor=factor, value_range=value_range, data_format=data_format, seed=seed, **kwargs
        )
        self.kernel_size = _checked_size(kernel_size)
        self.sigma = check_factor("sigma", sigma, 0, 1, symmetric=False, strict=False)

    def _draw(self, shape: tuple[int, ...], generator: np.random.Generator) -> dict[str, Any]:
        return {
            "should_apply_blur": self._happens(generator, shape[0]),
            # Never 0, by which distances are divided.
            "blur_factor": self._uniform(generator, (2,), *self.sigma)
            + np.dtype(self.dtype).type(1e-6),
        }

    def _transform(self, images: NDArray, transformation: Any) -> NDArray:
        blurred = np.asarray(transformation["should_apply_blur"], bool)
        kernels = [
            gaussian_weights(size, sigma, images.dtype)
            for size, sigma in zip(
                self.kernel_size, np.asarray(transformation["blur_factor"]), strict=True
            )
        ]
        height, width = self._side_axes

        def smooth(images: NDArray) -> NDArray:
            return averaged(averaged(images, kernels[0], width), kernels[1], height)

        outputs = images.copy()
        if blurred.any():
            outputs[blurred] = by_chunk(smooth, images[blurred])
        return np.clip(outputs, *self.value_range, out=outputs)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "kernel_size": self.kernel_size,
            "sigma": self.sigma,
        }


def _checked_size(size: Any) -> tuple[int, int]:
    sizes = size if isinstance(size, (tuple, list)) else (size, size)
    if len(sizes) != 2:
        raise ValueError(f"kernel_size must be one or two odd whole numbers, got {size!r}")
    first, second = (check_integer("kernel_size", each, low=1) for each in sizes)
    if first % 2 == 0 or second % 2 == 0:
        raise ValueError(f"kernel_size must be odd, got {size!r}")
    return first, second


def gaussian_weights(size: int, sigma: float, dtype: Any) -> NDArray:
    """Return the weights of ``size`` neighbors in a row, the middle one the largest.

    Examples
    --------
    >>> gaussian_weights(3, 1.0, "float64").round(3)
    array([0.274, 0.452, 0.274])
    """
    distance = np.arange(size) - (size - 1) / 2
    # A width of nothing leaves the middle alone.
    weights = np.exp(-0.5 * (distance / max(float(sigma), 1e-12)) ** 2)
    return (weights / weights.sum()).astype(dtype)


def averaged(images: NDArray, weights: NDArray, axis: int) -> NDArray:
    """Return each pixel's mean with its neighbors along an axis, zeros outside.

    Examples
    --------
    >>> averaged(np.array([0.0, 0.0, 4.0]), np.array([0.25, 0.5, 0.25]), 0)
    array([0., 1., 2.])
    """
    half = len(weights) // 2
    outputs = images * weights[half]
    source, target = np.moveaxis(images, axis, 0), np.moveaxis(outputs, axis, 0)
    for distance in range(1, min(half, len(source) - 1) + 1):
        weight = weights[half + distance]
        target[distance:] += weight * source[:-distance]
        target[:-distance] += weight * source[distance:]
    return outputs
