"""Layers that only move numbers: to other axes, nearer to the middle, or to several places."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib._validation import check_choice, check_integer, check_sequence
from reglib.layers.augmentation.resizing import RESIZINGS, resizing_matrix
from reglib.layers.base import Layer
from reglib.layers.windows import Spatial, sizes

Pairs = tuple[tuple[int, int], ...]


class Identity(Layer):
    """The inputs as they are: a place with a name, or a layer where one is asked for.

    References
    ----------
    ``keras.layers.Identity``.

    Examples
    --------
    >>> Identity()(np.array([[1.0, 2.0]]))
    array([[1., 2.]], dtype=float32)
    """

    supports_masking = True

    def call(self, inputs: NDArray, training: bool = False) -> NDArray:
        """Return the inputs."""
        return inputs

    def backward(self, gradient: NDArray) -> NDArray:
        """Return the gradient."""
        return gradient


class Permute(Layer):
    """The axes but the batch in another order.

    Parameters
    ----------
    dims : sequence of int
        The axes, from 1, in their new order: ``(2, 1)`` transposes each example.

    Raises
    ------
    ValueError
        If ``dims`` is no order of the axes 1, 2, ...; in use, if inputs have another number.

    References
    ----------
    ``keras.layers.Permute``.

    Examples
    --------
    >>> Permute((2, 1))(np.zeros((5, 10, 64))).shape
    (5, 64, 10)
    """

    def __init__(self, dims: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dims = tuple(
            check_integer("dims", axis) for axis in check_sequence("dims", dims, "axes")
        )
        if not self.dims or sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise ValueError(f"dims must be the axes from 1 in some order, got {self.dims}")

    def call(self, inputs: NDArray, training: bool = False) -> NDArray:
        """Return the inputs with their axes in the new order."""
        self._check_axes(inputs.shape)
        return inputs.transpose(0, *self.dims)

    def backward(self, gradient: NDArray) -> NDArray:
        """Return the gradient with its axes in the old order."""
        return gradient.transpose(np.argsort((0, *self.dims)))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the outputs."""
        self._check_axes(input_shape)
        return (input_shape[0], *(input_shape[axis] for axis in self.dims))

    def _check_axes(self, shape: tuple[int | None, ...]) -> None:
        if len(shape) != len(self.dims) + 1:
            raise ValueError(
                f"inputs of layer {self.name} must have {len(self.dims)} axes beside the batch, "
                f"got shape {tuple(shape)}"
            )

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "dims": self.dims}


class RepeatVector(Layer):
    """Each vector ``n`` times, as a sequence of equal steps.

    Parameters
    ----------
    n : int
        How often, at least 1.

    Raises
    ------
    ValueError
        If ``n`` is out of range; in use, if inputs are not of shape (batch, features).

    References
    ----------
    ``keras.layers.RepeatVector``.

    Examples
    --------
    >>> RepeatVector(3)(np.zeros((5, 32))).shape
    (5, 3, 32)
    """

    def __init__(self, n: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.n = check_integer("n", n, low=1)

    def call(self, inputs: NDArray, training: bool = False) -> NDArray:
        """Return the inputs with a new second axis."""
        self.compute_output_shape(inputs.shape)
        return np.repeat(inputs[:, np.newaxis], self.n, axis=1)

    def backward(self, gradient: NDArray) -> NDArray:
        """Return the sum over the copies."""
        return gradient.sum(axis=1)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the outputs."""
        if len(input_shape) != 2:
            raise ValueError(
                f"inputs of layer {self.name} must have shape (batch, features), "
                f"got {tuple(input_shape)}"
            )
        return (input_shape[0], self.n, input_shape[1])

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "n": self.n}


def _pairs(name: str, value: Any, rank: int) -> Pairs:
    """Return how much at either end of each axis: one number, one an axis, or two an axis."""
    values = list(check_sequence(name, value)) if _is_several(value) else [value] * rank
    if rank == 1 and _is_several(value) and not any(map(_is_several, values)):
        values = [values]
    if len(values) != rank:
        raise ValueError(f"{name} must have one entry for each of {rank} axes, got {value}")
    pairs = [tuple(entry) if _is_several(entry) else (entry, entry) for entry in values]
    if any(len(pair) != 2 for pair in pairs):
        raise ValueError(f"{name} must have two numbers for each of {rank} axes, got {value}")
    return tuple((check_integer(name, a, low=0), check_integer(name, b, low=0)) for a, b in pairs)


def _is_several(value: Any) -> bool:
    return isinstance(value, (list, tuple)) or (isinstance(value, np.ndarray) and value.ndim > 0)


def _cut(array: NDArray, pairs: Pairs) -> NDArray:
    """Return what is left without the ends of the axes in the middle."""
    inside = [slice(a, n - b) for n, (a, b) in zip(array.shape[1:-1], pairs, strict=True)]
    return array[(slice(None), *inside)]


def _surround(array: NDArray, pairs: Pairs) -> NDArray:
    """Return the array with zeros around it."""
    return np.pad(array, ((0, 0), *pairs, (0, 0)))


class _Cropping(Spatial):
    """What the croppings share."""

    def __init__(self, cropping: Any, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.set_data_format(data_format)
        self._amounts = _pairs("cropping", cropping, self.rank)
        self.cropping = self._amounts[0] if self.rank == 1 else self._amounts

    def forward(self, inputs: NDArray) -> NDArray:
        """Return the middle."""
        self.shape_after(inputs.shape)
        return _cut(inputs, self._amounts)

    def back(self, gradient: NDArray) -> NDArray:
        """Return the gradient, zero where nothing was kept."""
        return _surround(gradient, self._amounts)

    def shape_after(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the outputs."""
        lengths = [
            None if n is None else n - a - b
            for n, (a, b) in zip(shape[1:-1], self._amounts, strict=True)
        ]
        if any(n is not None and n < 1 for n in lengths):
            raise ValueError(
                f"cropping of layer {self.name} must leave something of inputs of shape "
                f"{tuple(shape)}, got {self.cropping}"
            )
        return (shape[0], *lengths, shape[-1])

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        config = {**super().get_config(), "cropping": self.cropping}
        return config if self.rank == 1 else {**config, "data_format": self.data_format}


class Cropping1D(_Cropping):
    """Sequences without their ends.

    Parameters
    ----------
    cropping : int or sequence of int
        How many steps to leave out at either end, or at the beginning and at the end.

    Raises
    ------
    ValueError
        If there are not two numbers or one is below 0; in use, if nothing is left.

    References
    ----------
    ``keras.layers.Cropping1D``.

    Examples
    --------
    >>> Cropping1D((1, 2))(np.zeros((5, 10, 3))).shape
    (5, 7, 3)
    """

    rank = 1

    def __init__(self, cropping: int | Sequence[int] = (1, 1), **kwargs: Any) -> None:
        super().__init__(cropping, **kwargs)


class Cropping2D(_Cropping):
    """Images without their edges.

    Parameters
    ----------
    cropping : int or sequence
        How many pixels to leave out at every edge; one number for height and one for width; or
        ``((top, bottom), (left, right))``.
    data_format : {None, "channels_last", "channels_first"}
        Where the channels are; last by default.

    Raises
    ------
    ValueError
        If the numbers are not of this form or one is below 0; in use, if nothing is left.

    References
    ----------
    ``keras.layers.Cropping2D``.

    Examples
    --------
    >>> Cropping2D(((1, 2), (3, 4)))(np.zeros((5, 10, 10, 3))).shape
    (5, 7, 3, 3)
    """

    rank = 2

    def __init__(
        self, cropping: Any = ((0, 0), (0, 0)), data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(cropping, data_format, **kwargs)


class Cropping3D(_Cropping):
    """Volumes without their edges.

    Parameters
    ----------
    cropping : int or sequence
        As for :class:`Cropping2D`, for three axes.
    data_format : {None, "channels_last", "channels_first"}
        Where the channels are; last by default.

    Raises
    ------
    ValueError
        As for :class:`Cropping2D`.

    References
    ----------
    ``keras.layers.Cropping3D``.

    Examples
    --------
    >>> Cropping3D((1, 2, 3))(np.zeros((5, 10, 10, 10, 3))).shape
    (5, 8, 6, 4, 3)
    """

    rank = 3

    def __init__(
        self,
        cropping: Any = ((1, 1), (1, 1), (1, 1)),
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(cropping, data_format, **kwargs)


class _ZeroPadding(Spatial):
    """What the paddings share."""

    def __init__(self, padding: Any, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.set_data_format(data_format)
        self._amounts = _pairs("padding", padding, self.rank)
        self.padding = self._amounts[0] if self.rank == 1 else self._amounts

    def forward(self, inputs: NDArray) -> NDArray:
        """Return the inputs with zeros around them."""
        return _surround(inputs, self._amounts)

    def back(self, gradient: NDArray) -> NDArray:
        """Return the gradient without what belongs to the zeros."""
        return _cut(gradient, self._amounts)

    def shape_after(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the outputs."""
        lengths = [
            None if n is None else n + a + b
            for n, (a, b) in zip(shape[1:-1], self._amounts, strict=True)
        ]
        return (shape[0], *lengths, shape[-1])

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        config = {"padding": self.padding, "data_format": self.data_format}
        return {**super().get_config(), **config}


class ZeroPadding1D(_ZeroPadding):
    """Sequences with zeros before and after.

    Parameters
    ----------
    padding : int or sequence of int
        How many zeros at either end, or at the beginning and at the end.
    data_format : {None, "channels_last", "channels_first"}
        Where the channels are; last by default.

    Raises
    ------
    ValueError
        If there are not two numbers or one is below 0.

    References
    ----------
    ``keras.layers.ZeroPadding1D``.

    Examples
    --------
    >>> ZeroPadding1D((1, 2))(np.zeros((5, 10, 3))).shape
    (5, 13, 3)
    """

    rank = 1

    def __init__(
        self, padding: int | Sequence[int] = 1, data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(padding, data_format, **kwargs)


class ZeroPadding2D(_ZeroPadding):
    """Images with zeros around them.

    Parameters
    ----------
    padding : int or sequence
        How many zeros at every edge; one number for height and one for width; or
        ``((top, bottom), (left, right))``.
    data_format : {None, "channels_last", "channels_first"}
        Where the channels are; last by default.

    Raises
    ------
    ValueError
        If the numbers are not of this form or one is below 0.

    References
    ----------
    ``keras.layers.ZeroPadding2D``.

    Examples
    --------
    >>> ZeroPadding2D((1, 2))(np.zeros((5, 10, 10, 3))).shape
    (5, 12, 14, 3)
    """

    rank = 2

    def __init__(
        self, padding: Any = (1, 1), data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(padding, data_format, **kwargs)


class ZeroPadding3D(_ZeroPadding):
    """Volumes with zeros around them.

    Parameters
    ----------
    padding : int or sequence
        As for :class:`ZeroPadding2D`, for three axes.
    data_format : {None, "channels_last", "channels_first"}
        Where the channels are; last by default.

    Raises
    ------
    ValueError
        As for :class:`ZeroPadding2D`.

    References
    ----------
    ``keras.layers.ZeroPadding3D``.

    Examples
    --------
    >>> ZeroPadding3D(1)(np.zeros((5, 4, 4, 4, 3))).shape
    (5, 6, 6, 6, 3)
    """

    rank = 3

    def __init__(
        self,
        padding: Any = ((1, 1), (1, 1), (1, 1)),
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(padding, data_format, **kwargs)


class _UpSampling(Spatial):
    """What the enlargements share: each entry several times."""

    def __init__(
        self, size: int | Sequence[int], data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.set_data_format(data_format)
        self._factors = sizes("size", size, self.rank)
        self.size = self._factors[0] if self.rank == 1 else self._factors

    def forward(self, inputs: NDArray) -> NDArray:
        """Return each entry several times along each axis."""
        for axis, factor in enumerate(self._factors, start=1):
            inputs = np.repeat(inputs, factor, axis=axis)
        return inputs

    def back(self, gradient: NDArray) -> NDArray:
        """Return the sum over the copies of each entry."""
        for axis, factor in enumerate(self._factors, start=1):
            before, length, after = np.split(gradient.shape, (axis, axis + 1))
            shape = (*before, length[0] // factor, factor, *after)
            gradient = gradient.reshape(shape).sum(axis=axis + 1)
        return gradient

    def shape_after(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the outputs."""
        lengths = [
            None if n is None else n * factor
            for n, factor in zip(shape[1:-1], self._factors, strict=True)
        ]
        return (shape[0], *lengths, shape[-1])

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        config = {**super().get_config(), "size": self.size}
        return config if self.rank == 1 else {**config, "data_format": self.data_format}


class UpSampling1D(_UpSampling):
    """Each step of a sequence several times.

    Parameters
    ----------
    size : int
        How often, at least 1.

    Raises
    ------
    ValueError
        If ``size`` is out of range.

    References
    ----------
    ``keras.layers.UpSampling1D``.

    Examples
    --------
    >>> UpSampling1D(2)(np.array([[[1.0], [2.0]]])).ravel()
    array([1., 1., 2., 2.], dtype=float32)
    """

    rank = 1

    def __init__(self, size: int = 2, **kwargs: Any) -> None:
        super().__init__(check_integer("size", size, low=1), **kwargs)


class UpSampling2D(_UpSampling):
    """Images enlarged by whole numbers: each pixel several times, or what lies in between.

    Parameters
    ----------
    size : int or sequence of int
        How often, at least 1, or how often in height and in width.
    data_format : {None, "channels_last", "channels_first"}
        Where the channels are; last by default.
    interpolation : {"nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"}
        What the new pixels are made of; ``"nearest"`` repeats pixels.

    Raises
    ------
    ValueError
        If ``size`` is out of range or ``interpolation`` another.

    References
    ----------
    ``keras.layers.UpSampling2D``.

    Examples
    --------
    >>> UpSampling2D((2, 3))(np.zeros((5, 4, 4, 3))).shape
    (5, 8, 12, 3)
    """

    rank = 2

    def __init__(
        self,
        size: int | Sequence[int] = (2, 2),
        data_format: str | None = None,
        interpolation: str = "nearest",
        **kwargs: Any,
    ) -> None:
        super().__init__(size, data_format, **kwargs)
        self.interpolation = check_choice("interpolation", interpolation, RESIZINGS)

    def forward(self, inputs: NDArray) -> NDArray:
        """Return the enlarged images."""
        if self.interpolation == "nearest":
            return super().forward(inputs)
        self._matrices = [
            resizing_matrix(length, length * factor, self.interpolation, False, inputs.dtype)
            for length, factor in zip(inputs.shape[1:-1], self._factors, strict=True)
        ]
        rows, columns = self._matrices
        return np.einsum("ih,jw,nhwc->nijc", rows, columns, inputs, optimize=True)

    def back(self, gradient: NDArray) -> NDArray:
        """Return the gradient with respect to the images."""
        if self.interpolation == "nearest":
            return super().back(gradient)
        rows, columns = self._matrices
        return np.einsum("ih,jw,nijc->nhwc", rows, columns, gradient, optimize=True)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "interpolation": self.interpolation}


class UpSampling3D(_UpSampling):
    """Each entry of a volume several times along each axis.

    Parameters
    ----------
    size : int or sequence of int
        How often, at least 1, or how often along each axis.
    data_format : {None, "channels_last", "channels_first"}
        Where the channels are; last by default.

    Raises
    ------
    ValueError
        If ``size`` is out of range.

    References
    ----------
    ``keras.layers.UpSampling3D``.

    Examples
    --------
    >>> UpSampling3D((1, 2, 3))(np.zeros((5, 4, 4, 4, 3))).shape
    (5, 4, 8, 12, 3)
    """

    rank = 3

    def __init__(
        self,
        size: int | Sequence[int] = (2, 2, 2),
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(size, data_format, **kwargs)
