"""Moving pixels: flips, translation, zoom, rotation and shear."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib._arguments import Choice, Number, arguments
from reglib._typing import ArrayLike
from reglib.layers.augmentation._warp import (
    FILL_MODES,
    INTERPOLATIONS,
    affine_transform,
    affine_transpose,
    chunked,
)
from reglib.layers.augmentation.base import AugmentationLayer, Factor, interval


@arguments(mode=Choice("horizontal", "vertical", "horizontal_and_vertical"))
class RandomFlip(AugmentationLayer):
    r"""Mirror each image with probability 1/2: :math:`x_{ij} \to x_{i,W-1-j}`.

    Parameters
    ----------
    mode : str
        ``"horizontal"`` (left-right), ``"vertical"`` (top-bottom) or
        ``"horizontal_and_vertical"``.
    seed, data_format, **kwargs
        As for :class:`~reglib.layers.AugmentationLayer`.

    Raises
    ------
    ValueError
        If ``mode`` is another one.

    Notes
    -----
    As in Keras, one draw serves both axes of ``"horizontal_and_vertical"``: an image stays
    or is turned by 180 degrees. Put two layers in a row for four outcomes. Keras accepts a
    misspelled mode and then flips nothing.

    References
    ----------
    ``keras.layers.RandomFlip``; Krizhevsky, Sutskever and Hinton (2012), "ImageNet
    classification with deep convolutional neural networks".

    Examples
    --------
    >>> image = np.array([[[1.0], [2.0], [3.0]]])
    >>> RandomFlip("horizontal").transform_images(image, {"flips": True}).ravel()
    array([3., 2., 1.], dtype=float32)
    """

    _unbatched_keys = ("flips",)

    def __init__(
        self,
        mode: str = "horizontal_and_vertical",
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.mode = mode

    def _draw(self, shape: tuple[int, ...], generator: np.random.Generator) -> dict[str, Any]:
        flips = self._uniform(generator, (shape[0], 1, 1, 1)) <= 0.5
        return {"flips": flips, "input_shape": shape}

    def _transform(self, images: NDArray, transformation: Any) -> NDArray:
        flips = np.broadcast_to(np.ravel(transformation["flips"]), len(images)).astype(bool)
        numbers = np.flatnonzero(flips)
        # Where the mirrored image's floats stand in the image: NumPy gathers floats several
        # times faster than it reverses pixels of a few floats each.
        index = self._mirrored(np.arange(images[0].size).reshape(images.shape[1:])).ravel()
        outputs = images.copy()
        size, _ = chunked(images)
        for start in range(0, len(numbers), size):
            chunk = numbers[start : start + size]
            flat = images[chunk].reshape(len(chunk), -1)
            outputs[chunk] = flat.take(index, axis=1, mode="wrap").reshape(-1, *images.shape[1:])
        return outputs

    def _transform_masks(self, masks: NDArray, transformation: Any) -> NDArray:
        return self._transform(masks.astype(self.dtype, copy=False), transformation)

    # A mirror is its own transpose.
    _transpose = _transform  # type: ignore[assignment]

    def _mirrored(self, image: NDArray) -> NDArray:
        height, width = (axis - 1 for axis in self._side_axes)
        axes = {"horizontal": (width,), "vertical": (height,)}.get(self.mode, (height, width))
        return np.flip(image, axes)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "mode": self.mode}


@arguments(
    fill_mode=Choice(*FILL_MODES), interpolation=Choice(*INTERPOLATIONS), fill_value=Number()
)
class _AffineLayer(AugmentationLayer):
    """Base of the layers whose transformation is one affine map an image."""

    def __init__(
        self,
        *,
        fill_mode: str,
        interpolation: str,
        fill_value: float,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.fill_mode = fill_mode
        self.interpolation = interpolation
        self.fill_value = fill_value

    def _matrix(self, transformation: dict[str, Any], size: tuple[int, int]) -> NDArray:
        """Return one row of eight numbers an image."""
        raise NotImplementedError(f"{type(self).__name__} must define _matrix")

    def _transform(self, images: NDArray, transformation: Any) -> NDArray:
        return self._warp(images, transformation, self.interpolation)

    def _transform_masks(self, masks: NDArray, transformation: Any) -> NDArray:
        return self._warp(masks, transformation, "nearest")

    def _warp(self, images: NDArray, transformation: Any, interpolation: str) -> NDArray:
        matrix = self._matrix(transformation, self._size(images.shape))
        outputs = affine_transform(
            self._last(images), matrix, interpolation, self.fill_mode, self.fill_value
        )
        return self._restored(outputs)

    def _transpose(self, gradient: NDArray, transformation: Any) -> NDArray:
        matrix = self._matrix(transformation, self._size(gradient.shape))
        result = affine_transpose(self._last(gradient), matrix, self.interpolation, self.fill_mode)
        return self._restored(result)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "fill_mode": self.fill_mode,
            "interpolation": self.interpolation,
            "fill_value": self.fill_value,
        }


def _rows(*columns: ArrayLike, dtype: Any) -> NDArray:
    """Return the rows (a0, a1, a2, b0, b1, b2, 0, 0) from their columns or scalars."""
    rows = np.zeros((max(map(np.size, columns)), 8), dtype)
    for index, column in enumerate(columns):
        rows[:, index] = column
    return rows


@arguments(height_factor=Factor("[-1, 1]"), width_factor=Factor("[-1, 1]"))
class RandomTranslation(_AffineLayer):
    r"""Shift each image by a random fraction of its size, sub-pixel shifts included.

    An output pixel :math:`(x, y)` shows the input at :math:`(x - t_x, y - t_y)`, with
    :math:`t_x = u W`, :math:`t_y = v H` and :math:`u, v` uniform between the factors.

    Parameters
    ----------
    height_factor : float or pair of floats in [-1, 1]
        Range of the shift downward as a fraction of the height; a number f stands for
        (-f, f).
    width_factor : float or pair of floats in [-1, 1]
        Range of the shift to the right as a fraction of the width.
    fill_mode : str
        What moves in: ``"reflect"``, ``"wrap"``, ``"constant"`` or ``"nearest"``.
    interpolation : str
        ``"bilinear"`` or ``"nearest"``.
    seed, data_format, **kwargs
        As for :class:`~reglib.layers.AugmentationLayer`.
    fill_value : float
        The value that moves in for ``"constant"``.

    Raises
    ------
    ValueError
        If a factor is out of bounds or an option is unknown (Keras raises
        NotImplementedError for the latter).

    References
    ----------
    ``keras.layers.RandomTranslation``.

    Examples
    --------
    >>> image = np.array([[[1.0], [2.0], [3.0], [4.0]]])
    >>> layer = RandomTranslation(0.0, (0.25, 0.25), fill_mode="constant")
    >>> layer(image).ravel()
    array([0., 1., 2., 3.], dtype=float32)
    """

    def __init__(
        self,
        height_factor: Any,
        width_factor: Any,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            fill_mode=fill_mode,
            interpolation=interpolation,
            fill_value=fill_value,
            seed=seed,
            data_format=data_format,
            **kwargs,
        )
        self.height_factor, self.width_factor = height_factor, width_factor
        self.height_lower, self.height_upper = interval(height_factor)
        self.width_lower, self.width_upper = interval(width_factor)

    def _draw(self, shape: tuple[int, ...], generator: np.random.Generator) -> dict[str, Any]:
        height, width = self._size(shape)
        column = (shape[0], 1)
        down = height * self._uniform(generator, column, self.height_lower, self.height_upper)
        right = width * self._uniform(generator, column, self.width_lower, self.width_upper)
        return {"translations": np.concatenate([right, down], axis=1), "input_shape": shape}

    def _matrix(self, transformation: dict[str, Any], size: tuple[int, int]) -> NDArray:
        right, down = np.reshape(transformation["translations"], (-1, 2)).T
        return _rows(1, 0, -right, 0, 1, -down, dtype=self.dtype)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "height_factor": self.height_factor,
            "width_factor": self.width_factor,
        }


@arguments(height_factor=Factor("(-1, 1]"), width_factor=Factor("(-1, 1]"))
class RandomZoom(_AffineLayer):
    r"""Zoom each image about its center :math:`c`: output :math:`x` shows :math:`c + z(x - c)`.

    Parameters
    ----------
    height_factor : float or pair of floats in (-1, 1]
        Range of :math:`z_y - 1`: positive zooms **out**, negative in; a number f stands for
        (-f, f).
    width_factor : float or pair of floats in (-1, 1], optional
        The same for the width; by default one draw serves both, and the shape of things
        is kept.
    fill_mode, interpolation, fill_value
        As for :class:`RandomTranslation`.
    seed, data_format, **kwargs
        As for :class:`~reglib.layers.AugmentationLayer`.

    Raises
    ------
    ValueError
        If a factor is out of bounds or an option is unknown.

    References
    ----------
    ``keras.layers.RandomZoom``.

    Examples
    --------
    >>> image = np.array([[[1.0], [2.0], [3.0], [4.0]]])
    >>> RandomZoom((-0.5, -0.5))(image).ravel()
    array([1.75, 2.25, 2.75, 3.25], dtype=float32)
    """

    def __init__(
        self,
        height_factor: Any,
        width_factor: Any = None,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            fill_mode=fill_mode,
            interpolation=interpolation,
            fill_value=fill_value,
            seed=seed,
            data_format=data_format,
            **kwargs,
        )
        self.height_factor, self.width_factor = height_factor, width_factor
        self.height_lower, self.height_upper = interval(height_factor)
        if width_factor is not None:
            self.width_lower, self.width_upper = interval(width_factor)

    def _draw(self, shape: tuple[int, ...], generator: np.random.Generator) -> dict[str, Any]:
        column = (shape[0], 1)
        height_zoom = self._uniform(generator, column, 1 + self.height_lower, 1 + self.height_upper)
        width_zoom = height_zoom
        if self.width_factor is not None:
            width_zoom = self._uniform(
                generator, column, 1 + self.width_lower, 1 + self.width_upper
            )
        return {"height_zoom": height_zoom, "width_zoom": width_zoom, "input_shape": shape}

    def _matrix(self, transformation: dict[str, Any], size: tuple[int, int]) -> NDArray:
        height, width = size
        zoom_x = np.ravel(transformation["width_zoom"])
        zoom_y = np.ravel(transformation["height_zoom"])
        shift_x = (width - 1) / 2 * (1 - zoom_x)
        shift_y = (height - 1) / 2 * (1 - zoom_y)
        return _rows(zoom_x, 0, shift_x, 0, zoom_y, shift_y, dtype=self.dtype)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "height_factor": self.height_factor,
            "width_factor": self.width_factor,
        }


@arguments(factor=Factor("[-1, 1]", strict=False))
class RandomRotation(_AffineLayer):
    r"""Turn each image about its center by a random angle :math:`\theta`.

    Output :math:`p` shows the input at :math:`c + R(\theta)(p - c)`, where
    :math:`R = \begin{pmatrix}\cos\theta & -\sin\theta\\ \sin\theta & \cos\theta\end{pmatrix}`
    and :math:`c = ((W-1)/2, (H-1)/2)`. A positive angle turns the picture counter-clockwise
    on screen.

    Parameters
    ----------
    factor : float or pair of floats
        Range of the angle as a fraction of 360 degrees; a number f stands for (-f, f).
    fill_mode, interpolation, fill_value
        As for :class:`RandomTranslation`.
    seed, data_format, **kwargs
        As for :class:`~reglib.layers.AugmentationLayer`.

    Raises
    ------
    ValueError
        If ``factor`` does not meet [-1, 1] or an option is unknown.

    References
    ----------
    ``keras.layers.RandomRotation``.

    Examples
    --------
    >>> image = np.array([[[1.0], [2.0]], [[3.0], [4.0]]])
    >>> quarter = RandomRotation((0.25, 0.25))(image)
    >>> quarter[..., 0].round(4)
    array([[2., 4.],
           [1., 3.]], dtype=float32)
    """

    _unbatched_keys = ("rotation_matrix",)

    def __init__(
        self,
        factor: Any,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            fill_mode=fill_mode,
            interpolation=interpolation,
            fill_value=fill_value,
            seed=seed,
            data_format=data_format,
            **kwargs,
        )
        self.factor = interval(factor)

    def _draw(self, shape: tuple[int, ...], generator: np.random.Generator) -> dict[str, Any]:
        height, width = self._size(shape)
        lower, upper = self.factor
        angle = self._uniform(generator, (shape[0],), 360 * lower, 360 * upper)
        theta = np.deg2rad(angle.astype(np.float64))
        cos, sin = np.cos(theta), np.sin(theta)
        x, y = (width - 1) / 2, (height - 1) / 2
        matrix = _rows(
            cos, -sin, x - x * cos + y * sin, sin, cos, y - x * sin - y * cos, dtype=self.dtype
        )
        return {
            "angle": angle,
            "rotation_matrix": matrix,
            "image_height": height,
            "image_width": width,
            "batch_size": shape[0],
        }

    def _matrix(self, transformation: dict[str, Any], size: tuple[int, int]) -> NDArray:
        return np.reshape(transformation["rotation_matrix"], (-1, 8))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "factor": self.factor}


class _Shear(Factor):
    """A number or pair in [0, 1], or (-f, f), which Keras's get_config returns for a number f."""

    def check(self, name: str, value: Any) -> Any:
        """Return the number or the pair as it is."""
        Factor("[-1, 1]").check(name, value)
        mirrored = isinstance(value, (tuple, list)) and value[0] == -value[1]
        super().check(name, abs(value[0]) if mirrored else value)
        return value


@arguments(x_factor=_Shear("[0, 1]"), y_factor=_Shear("[0, 1]"))
class RandomShear(_AffineLayer):
    r"""Slant each image: output :math:`(x, y)` shows :math:`(x + s_x y,\; s_y x + y)`.

    Parameters
    ----------
    x_factor : float or pair of floats in [0, 1]
        Range of :math:`s_x`; a number f stands for (-f, f).
    y_factor : float or pair of floats in [0, 1]
        Range of :math:`s_y`. Half of the images get both with the opposite sign.
    interpolation, fill_mode, fill_value
        As for :class:`RandomTranslation`.
    data_format, seed, **kwargs
        As for :class:`~reglib.layers.AugmentationLayer`.

    Raises
    ------
    ValueError
        If a factor is out of bounds or an option is unknown.

    Notes
    -----
    As in Keras, the image is slanted about its upper left corner, not its center. The config
    holds the factors as given: Keras turns a number f into the pair (-f, f) there and then
    rejects it. That pair is accepted here, so a config of Keras works.

    References
    ----------
    ``keras.layers.RandomShear``.

    Examples
    --------
    >>> image = np.array([[[1.0], [2.0]], [[3.0], [4.0]]])
    >>> layer = RandomShear(x_factor=1.0, fill_mode="constant")
    >>> layer.transform_images(image, {"shear_factor": np.array([[1.0, 0.0]])})[..., 0]
    array([[1., 2.],
           [4., 0.]], dtype=float32)
    """

    def __init__(
        self,
        x_factor: Any = 0.0,
        y_factor: Any = 0.0,
        interpolation: str = "bilinear",
        fill_mode: str = "reflect",
        fill_value: float = 0.0,
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            fill_mode=fill_mode,
            interpolation=interpolation,
            fill_value=fill_value,
            seed=seed,
            data_format=data_format,
            **kwargs,
        )
        self._given = {"x_factor": x_factor, "y_factor": y_factor}
        self.x_factor = interval(x_factor)
        self.y_factor = interval(y_factor)

    def _draw(self, shape: tuple[int, ...], generator: np.random.Generator) -> dict[str, Any]:
        column = (shape[0], 1)
        sign = np.where(self._uniform(generator, column) > 0.5, -1, 1).astype(self.dtype)
        shear_y = self._uniform(generator, column, *self.y_factor)
        shear_x = self._uniform(generator, column, *self.x_factor)
        shear = np.concatenate([shear_x, shear_y], axis=1) * sign
        return {"shear_factor": shear, "input_shape": shape}

    def _matrix(self, transformation: dict[str, Any], size: tuple[int, int]) -> NDArray:
        shear_x, shear_y = np.reshape(transformation["shear_factor"], (-1, 2)).T
        return _rows(1, shear_x, 0, shear_y, 1, 0, dtype=self.dtype)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), **self._given}
