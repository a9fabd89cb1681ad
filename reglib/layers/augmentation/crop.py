"""Cutting a window of a fixed size out of the images of a batch: a random one or the middle."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reglib._validation import check_integer
from reglib.layers.augmentation.base import AugmentationLayer


class RandomCrop(AugmentationLayer):
    """Cut the same random window out of every image of a batch.

    Parameters
    ----------
    height, width : int
        Size of the window in pixels.
    seed, data_format, name, **kwargs
        As for :class:`~reglib.layers.AugmentationLayer`.

    Raises
    ------
    TypeError, ValueError
        If ``height`` or ``width`` is no whole number of at least 1.

    Notes
    -----
    As in Keras: one window serves the whole batch; it is central unless the images are larger
    than it in **both** directions; smaller images are enlarged to its size; and outside
    training nothing is cut, whatever Keras's documentation says, so a model for the cropped
    size cannot predict from larger images.

    References
    ----------
    ``keras.layers.RandomCrop``.

    Examples
    --------
    >>> image = np.arange(16.0).reshape(4, 4, 1)
    >>> RandomCrop(2, 2).transform_images(image, (1, 2))[..., 0]
    array([[ 6.,  7.],
           [10., 11.]], dtype=float32)
    """

    def __init__(
        self,
        height: int,
        width: int,
        seed: int | None = None,
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, data_format=data_format, name=name, **kwargs)
        self.height = check_integer("height", height, low=1)
        self.width = check_integer("width", width, low=1)

    def get_random_transformation(
        self, data: Any, training: bool = True, seed: Any = None
    ) -> tuple[int, int]:
        """Draw the window's upper left corner, (row, column); the central one if not training."""
        if training:
            return self._random_transformation(data, seed)
        images = data["images"] if isinstance(data, dict) else data
        return self._center(*self._size(np.shape(images)))

    def _draw(self, shape: tuple[int, ...], generator: np.random.Generator) -> tuple[int, int]:
        height, width = self._size(shape)
        if height > self.height and width > self.width:
            row = generator.integers(0, height - self.height + 1)
            return int(row), int(generator.integers(0, width - self.width + 1))
        return self._center(height, width)

    def _center(self, height: int, width: int) -> tuple[int, int]:
        """Return the corner of the largest central window with the layer's proportions."""
        window_height = max(1, min(height, int(width * self.height / self.width)))
        window_width = max(1, min(width, int(height * self.width / self.height)))
        return (height - window_height) // 2, (width - window_width) // 2

    def _transform(self, images: NDArray, transformation: Any) -> NDArray:
        row, column = transformation
        images = self._last(images)
        window = images[:, row : row + self.height, column : column + self.width]
        # What the transpose needs to know of the images that it goes back to.
        self._full_shape = images.shape
        by_row = _enlarging(window.shape[1], self.height, images.dtype)
        by_column = _enlarging(window.shape[2], self.width, images.dtype)
        return self._restored(np.ascontiguousarray(_resized(window, by_row, by_column)))

    def _transform_masks(self, masks: NDArray, transformation: Any) -> NDArray:
        return self._transform(masks.astype(self.dtype, copy=False), transformation)

    def _transpose(self, gradient: NDArray, transformation: Any) -> NDArray:
        row, column = transformation
        gradient = self._last(gradient)
        result = np.zeros((len(gradient), *self._full_shape[1:]), gradient.dtype)
        window = result[:, row : row + self.height, column : column + self.width]
        by_row = _enlarging(window.shape[1], self.height, gradient.dtype)
        by_column = _enlarging(window.shape[2], self.width, gradient.dtype)
        window[...] = _resized(gradient, _transposed(by_row), _transposed(by_column))
        return self._restored(result)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the outputs in training."""
        shape = list(input_shape)
        first = -3 if self.data_format == "channels_last" else -2
        shape[first], shape[first + 1] = self.height, self.width
        return tuple(shape)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "height": self.height, "width": self.width}


class CenterCrop(AugmentationLayer):
    """Cut the middle out of every image, in training or not.

    Parameters
    ----------
    height, width : int
        Size of the window in pixels.
    data_format, **kwargs
        As for :class:`~reglib.layers.AugmentationLayer`.

    Raises
    ------
    TypeError, ValueError
        If ``height`` or ``width`` is no whole number of at least 1.

    Notes
    -----
    As in Keras, of images that are smaller than the window in either direction, the largest
    central part of its proportions is enlarged to its size.

    References
    ----------
    ``keras.layers.CenterCrop``.

    Examples
    --------
    >>> CenterCrop(2, 2)(np.arange(16.0).reshape(4, 4, 1))[..., 0]
    array([[ 5.,  6.],
           [ 9., 10.]], dtype=float32)
    """

    def __init__(
        self, height: int, width: int, data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.height = check_integer("height", height, low=1)
        self.width = check_integer("width", width, low=1)

    def get_random_transformation(
        self, data: Any, training: bool = True, seed: Any = None
    ) -> dict[str, Any]:
        """Return the shape of the images; nothing is random."""
        return {"input_shape": np.shape(data["images"] if isinstance(data, dict) else data)}

    def transform_images(
        self, images: ArrayLike, transformation: Any = None, training: bool = True
    ) -> NDArray:
        """Return the middle of the images, in training or not."""
        return super().transform_images(images, {}, training=True)

    def _transform(self, images: NDArray, transformation: Any) -> NDArray:
        images = self._last(images)
        rows, columns, by_row, by_column = self._window(*images.shape[1:3], images.dtype)
        window = _resized(images[:, rows, columns], by_row, by_column)
        return self._restored(np.ascontiguousarray(window))

    def transform_segmentation_masks(
        self, segmentation_masks: ArrayLike, transformation: Any = None, training: bool = True
    ) -> NDArray:
        """Return the middle of the masks, as floats."""
        return self.transform_images(segmentation_masks)

    def call(self, inputs: NDArray, training: bool = True) -> NDArray:
        """Return the middle of the images."""
        return super().call(inputs, training=True)

    def _transpose(self, gradient: NDArray, transformation: Any) -> NDArray:
        gradient = self._last(gradient)
        height, width = self._size(transformation["input_shape"])
        result = np.zeros((len(gradient), height, width, gradient.shape[3]), gradient.dtype)
        rows, columns, by_row, by_column = self._window(height, width, gradient.dtype)
        result[:, rows, columns] = _resized(gradient, _transposed(by_row), _transposed(by_column))
        return self._restored(result)

    def _window(
        self, height: int, width: int, dtype: Any
    ) -> tuple[slice, slice, NDArray | None, NDArray | None]:
        """Return the rows and columns to keep, and what enlarges them, for images of a size."""
        rows, columns = self.height, self.width
        if height < rows or width < columns:
            rows = max(1, min(height, int(width * self.height / self.width)))
            columns = max(1, min(width, int(height * self.width / self.height)))
        top, left = (height - rows) // 2, (width - columns) // 2
        return (
            slice(top, top + rows),
            slice(left, left + columns),
            _enlarging(rows, self.height, dtype),
            _enlarging(columns, self.width, dtype),
        )

    compute_output_shape = RandomCrop.compute_output_shape

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        config = {**super().get_config(), "height": self.height, "width": self.width}
        del config["seed"]
        return config


def _enlarging(size: int, target: int, dtype: Any) -> NDArray | None:
    """Return the matrix (target, size) that stretches one axis bilinearly; None for no change."""
    if size == target:
        return None
    position = np.clip((np.arange(target) + 0.5) * size / target - 0.5, 0, size - 1)
    return np.maximum(0, 1 - abs(position[:, None] - np.arange(size))).astype(dtype)


def _transposed(matrix: NDArray | None) -> NDArray | None:
    return None if matrix is None else matrix.T


def _resized(images: NDArray, by_row: NDArray | None, by_column: NDArray | None) -> NDArray:
    if by_row is not None:
        images = np.einsum("ij,njkc->nikc", by_row, images)
    if by_column is not None:
        images = np.einsum("ij,nkjc->nkic", by_column, images)
    return images
