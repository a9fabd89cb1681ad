r"""Bringing images to one size and one range, in training and ever after.

Resizing along one axis is linear: output :math:`y_i = \sum_j K_{ij} x_j`, where row
:math:`i` of the matrix weighs the pixels around the place that it shows. So an image is
resized by one matrix for its rows and one for its columns.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from reglib._arguments import Array, Choice, Flag, Integer, Number, arguments
from reglib._typing import ArrayLike, Lengths
from reglib.layers.augmentation.base import AugmentationLayer
from reglib.layers.base import Layer

RESIZINGS = ("bilinear", "nearest", "bicubic", "lanczos3", "lanczos5")


def resizing_matrix(
    size: int, target: int, interpolation: str, antialias: bool, dtype: DTypeLike
) -> NDArray:
    """Return the matrix, (target, size), that resizes one axis.

    Parameters
    ----------
    size, target : int
        Number of pixels before and after.
    interpolation : str
        One of ``RESIZINGS``.
    antialias : bool
        Whether to average over all pixels that fall together when the axis shrinks.
    dtype : dtype_like
        Of the matrix.

    Examples
    --------
    >>> resizing_matrix(2, 4, "bilinear", False, "float64")
    array([[1.  , 0.  ],
           [0.75, 0.25],
           [0.25, 0.75],
           [0.  , 1.  ]])
    """
    place = (np.arange(target) + 0.5) * size / target
    if interpolation == "nearest":
        return np.eye(size, dtype=dtype)[place.astype(int)]
    reach = max(size / target, 1) if antialias else 1
    distance = abs(place[:, None] - 0.5 - np.arange(size)) / reach
    weights = _KERNELS[interpolation](distance)
    return (weights / weights.sum(axis=1, keepdims=True)).astype(dtype)


def _cubic(x: NDArray) -> NDArray:
    """Return Keys's piecewise cubic, which is smooth and goes through the pixels."""
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x < 1, (1.5 * x - 2.5) * x * x + 1, np.where(x < 2, far, 0))


def _lanczos(x: NDArray, radius: int) -> NDArray:
    """Return the sinc function under a wider one, 0 from the radius on."""
    return np.where(x <= radius, np.sinc(x) * np.sinc(x / radius), 0)


_KERNELS = {
    "bilinear": lambda x: np.maximum(0, 1 - x),
    "bicubic": _cubic,
    "lanczos3": lambda x: _lanczos(x, 3),
    "lanczos5": lambda x: _lanczos(x, 5),
}


def resizing_matrices(
    frame: tuple[int, int],
    target: tuple[int, int],
    dtype: DTypeLike,
    interpolation: str = "bilinear",
    antialias: bool = False,
) -> tuple[NDArray | None, NDArray | None]:
    """Return what resizes rows and columns from one size to another; None for no change."""
    by_row, by_column = (
        None if size == wanted else resizing_matrix(size, wanted, interpolation, antialias, dtype)
        for size, wanted in zip(frame, target, strict=True)
    )
    return by_row, by_column


def resized(images: NDArray, by_row: NDArray | None, by_column: NDArray | None) -> NDArray:
    """Return images, (N, H, W, C), with a matrix applied to the rows and one to the columns.

    Examples
    --------
    >>> image = np.arange(4.0).reshape(1, 2, 2, 1)
    >>> resized(image, np.ones((1, 2)), None).ravel()
    array([2., 4.])
    """
    if by_row is not None:
        number, height, width, channels = images.shape
        lines = by_row @ images.reshape(number, height, width * channels)
        images = lines.reshape(number, len(by_row), width, channels)
    return images if by_column is None else by_column @ images


def inner_frame(shape: tuple[int, int], height: int, width: int) -> tuple[int, int]:
    """Return the size of the largest frame of given proportions within an image's shape.

    Examples
    --------
    >>> inner_frame((4, 10), height=1, width=2)
    (4, 8)
    """
    rows, columns = int(shape[1] * height / width), int(shape[0] * width / height)
    return max(1, min(shape[0], rows)), max(1, min(shape[1], columns))


@arguments(
    height=Integer(">= 1"),
    width=Integer(">= 1"),
    interpolation=Choice(*RESIZINGS),
    crop_to_aspect_ratio=Flag(),
    pad_to_aspect_ratio=Flag(),
    fill_mode=Choice("constant"),
    fill_value=Number(),
    antialias=Flag(),
)
class Resizing(AugmentationLayer):
    """Bring every image to one size, in training or not.

    Parameters
    ----------
    height, width : int
        Size of the outputs in pixels.
    interpolation : str
        ``"bilinear"``, ``"nearest"``, ``"bicubic"``, ``"lanczos3"`` or ``"lanczos5"``; masks
        are resized by the nearest pixel.
    crop_to_aspect_ratio : bool
        Whether to resize the largest central part of the outputs' proportions only.
    pad_to_aspect_ratio : bool
        Whether to widen the image to the outputs' proportions first.
    fill_mode : str
        ``"constant"``.
    fill_value : float
        What the image is widened by.
    antialias : bool
        Whether to average over all pixels that fall together when images shrink.
    data_format, **kwargs
        As for :class:`~reglib.layers.AugmentationLayer`.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described, or both proportions are to be kept by cropping and
        by widening (Keras notices when called).

    Notes
    -----
    Whole numbers come out as floats; Keras rounds them back.

    References
    ----------
    ``keras.layers.Resizing``; Keys (1981), "Cubic convolution interpolation for digital image
    processing".

    Examples
    --------
    >>> Resizing(1, 2)(np.arange(8.0).reshape(2, 4, 1))[..., 0]
    array([[2.5, 4.5]], dtype=float32)
    """

    def __init__(
        self,
        height: int,
        width: int,
        interpolation: str = "bilinear",
        crop_to_aspect_ratio: bool = False,
        pad_to_aspect_ratio: bool = False,
        fill_mode: str = "constant",
        fill_value: float = 0.0,
        antialias: bool = False,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.height = height
        self.width = width
        self.interpolation = interpolation
        self.crop_to_aspect_ratio = crop_to_aspect_ratio
        self.pad_to_aspect_ratio = pad_to_aspect_ratio
        if self.crop_to_aspect_ratio and self.pad_to_aspect_ratio:
            raise ValueError("pad_to_aspect_ratio must be False if crop_to_aspect_ratio is True")
        self.fill_mode = fill_mode
        self.fill_value = fill_value
        self.antialias = antialias

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """Return height and width of the images; nothing is random."""
        return super().get_random_transformation(data, training=True, seed=seed)

    def _draw(self, shape: tuple[int, ...], generator: np.random.Generator) -> tuple[int, int]:
        return self._size(shape)

    def transform_images(
        self, images: ArrayLike, transformation: Any = None, training: bool = True
    ) -> NDArray:
        """Return the images in their new size, in training or not."""
        return super().transform_images(images, {}, training=True)

    def transform_segmentation_masks(
        self, segmentation_masks: ArrayLike, transformation: Any = None, training: bool = True
    ) -> NDArray:
        """Return the masks in their new size, in training or not."""
        return super().transform_segmentation_masks(segmentation_masks, {}, training=True)

    def call(self, inputs: NDArray, training: bool = True) -> NDArray:
        """Return the images in their new size, in training or not."""
        return super().call(inputs, training=True)

    def _transform(self, images: NDArray, transformation: Any) -> NDArray:
        return self._resize(images, self.interpolation)

    def _transform_masks(self, masks: NDArray, transformation: Any) -> NDArray:
        return self._resize(masks.astype(self.dtype, copy=False), "nearest")

    def _resize(self, images: NDArray, interpolation: str) -> NDArray:
        images = self._last(images)
        number, height, width, channels = images.shape
        frame = self._frame(height, width)
        from_row, to_row = _overlap(height, frame[0])
        from_column, to_column = _overlap(width, frame[1])
        framed = images[:, from_row, from_column]
        if framed.shape[1:3] != frame:
            inner = framed
            framed = np.full((number, *frame, channels), self.fill_value, images.dtype)
            framed[:, to_row, to_column] = inner
        matrices = self._matrices(frame, interpolation, images.dtype)
        return self._restored(np.ascontiguousarray(resized(framed, *matrices)))

    def _transpose(self, gradient: NDArray, transformation: Any) -> NDArray:
        gradient = self._last(gradient)
        height, width = transformation
        frame = self._frame(height, width)
        matrices = self._matrices(frame, self.interpolation, gradient.dtype)
        framed = resized(gradient, *(None if m is None else m.T for m in matrices))
        result = np.zeros((len(gradient), height, width, gradient.shape[3]), gradient.dtype)
        from_row, to_row = _overlap(height, frame[0])
        from_column, to_column = _overlap(width, frame[1])
        result[:, from_row, from_column] = framed[:, to_row, to_column]
        return self._restored(result)

    def _matrices(
        self, frame: tuple[int, int], interpolation: str, dtype: DTypeLike
    ) -> tuple[NDArray | None, NDArray | None]:
        target = (self.height, self.width)
        return resizing_matrices(frame, target, dtype, interpolation, self.antialias)

    def compute_output_shape(self, input_shape: Lengths) -> Lengths:
        """Return the shape of the outputs."""
        shape = list(input_shape)
        first = -3 if self.data_format == "channels_last" else -2
        shape[first], shape[first + 1] = self.height, self.width
        return tuple(shape)

    def _frame(self, height: int, width: int) -> tuple[int, int]:
        """Return the height and width of the central frame of images of a size."""
        if self.crop_to_aspect_ratio:
            return inner_frame((height, width), self.height, self.width)
        if self.pad_to_aspect_ratio:
            rows = int(width * self.height / self.width)
            columns = int(height * self.width / self.height)
            # The same on both sides, as in Keras, though the proportions then miss by a pixel.
            return (
                height + max(0, rows - height) // 2 * 2,
                width + max(0, columns - width) // 2 * 2,
            )
        return height, width

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        config = super().get_config()
        del config["seed"]
        return {
            **config,
            "height": self.height,
            "width": self.width,
            "interpolation": self.interpolation,
            "crop_to_aspect_ratio": self.crop_to_aspect_ratio,
            "pad_to_aspect_ratio": self.pad_to_aspect_ratio,
            "fill_mode": self.fill_mode,
            "fill_value": self.fill_value,
            "antialias": self.antialias,
        }


def _overlap(size: int, frame: int) -> tuple[slice, slice]:
    """Return where an image lies within a central frame of another size: in it, in the frame."""
    common, start = min(size, frame), max(0, (size - frame) // 2)
    inset = max(0, (frame - size) // 2)
    return slice(start, start + common), slice(inset, inset + common)


@arguments(scale=Array(), offset=Array())
class Rescaling(Layer):
    r"""Multiply and add: :math:`x \to s\,x + b`, in training or not.

    Parameters
    ----------
    scale : float or array_like
        :math:`s`, one number or one a channel.
    offset : float or array_like
        :math:`b`.
    **kwargs
        ``name``, ``dtype``, ``trainable``, ``input_shape``, as for every layer.

    Raises
    ------
    TypeError, ValueError
        If ``scale`` or ``offset`` is no finite number, or array of such.

    References
    ----------
    ``keras.layers.Rescaling``.

    Examples
    --------
    >>> Rescaling(1 / 128, offset=-1)(np.array([[0.0, 64.0, 255.0]]))
    array([[-1.       , -0.5      ,  0.9921875]], dtype=float32)
    """

    supports_masking = True

    def __init__(self, scale: ArrayLike, offset: ArrayLike = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale, self.offset = scale, offset

    def call(self, inputs: NDArray, training: bool = False) -> NDArray:
        """Return the rescaled inputs as floats."""
        scale, offset = self.scale.astype(self.dtype), self.offset.astype(self.dtype)
        return inputs * scale + offset

    def backward(self, gradient: NDArray) -> NDArray:
        """Return the gradient with respect to the inputs."""
        return gradient * self.scale.astype(gradient.dtype)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "scale": self.scale.tolist(),
            "offset": self.offset.tolist(),
        }
