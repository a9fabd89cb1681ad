"""Cutting a window of a fixed size out of the images of a batch."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib._arguments import Integer, arguments
from reglib._typing import Lengths
from reglib.layers.augmentation.base import AugmentationLayer, images_in
from reglib.layers.augmentation.resizing import inner_frame, resized, resizing_matrices


@arguments(height=Integer(">= 1"), width=Integer(">= 1"))
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
        self.height = height
        self.width = width

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """Draw the window's upper left corner, (row, column); the central one if not training."""
        if training:
            return self._random_transformation(data, seed)
        return self._center(*self._size(np.shape(images_in(data))))

    def _draw(self, shape: tuple[int, ...], generator: np.random.Generator) -> tuple[int, int]:
        height, width = self._size(shape)
        if height > self.height and width > self.width:
            row = generator.integers(0, height - self.height + 1)
            return int(row), int(generator.integers(0, width - self.width + 1))
        return self._center(height, width)

    def _center(self, height: int, width: int) -> tuple[int, int]:
        """Return the corner of the largest central window with the layer's proportions."""
        rows, columns = inner_frame((height, width), self.height, self.width)
        return (height - rows) // 2, (width - columns) // 2

    def _transform(self, images: NDArray, transformation: Any) -> NDArray:
        row, column = transformation
        images = self._last(images)
        window = images[:, row : row + self.height, column : column + self.width]
        # What the transpose needs to know of the images that it goes back to.
        self._full_shape = images.shape
        matrices = self._matrices(window)
        return self._restored(np.ascontiguousarray(resized(window, *matrices)))

    def _matrices(self, window: NDArray) -> tuple[NDArray | None, NDArray | None]:
        """Return what enlarges the rows and the columns of a window that is too small."""
        return resizing_matrices(window.shape[1:3], (self.height, self.width), window.dtype)

    def _transform_masks(self, masks: NDArray, transformation: Any) -> NDArray:
        return self._transform(masks.astype(self.dtype, copy=False), transformation)

    def _transpose(self, gradient: NDArray, transformation: Any) -> NDArray:
        row, column = transformation
        gradient = self._last(gradient)
        result = np.zeros((len(gradient), *self._full_shape[1:]), gradient.dtype)
        window = result[:, row : row + self.height, column : column + self.width]
        matrices = self._matrices(window)
        window[...] = resized(gradient, *(None if m is None else m.T for m in matrices))
        return self._restored(result)

    def compute_output_shape(self, input_shape: Lengths) -> Lengths:
        """Return the shape of the outputs in training."""
        shape = list(input_shape)
        first = -3 if self.data_format == "channels_last" else -2
        shape[first], shape[first + 1] = self.height, self.width
        return tuple(shape)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "height": self.height, "width": self.width}
