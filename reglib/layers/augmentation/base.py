"""What every augmentation layer shares: draw a transformation, then apply it.

Keras splits each layer in two: ``get_random_transformation`` draws, and
``transform_images`` applies what was drawn, without randomness of its own. Both are public
here too, so that a test or a figure can fix the transformation, and so that images, labels
and masks of one batch get the same one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib._arguments import (
    Array,
    Bad,
    Choice,
    Constraint,
    GeneratorOrSeed,
    Number,
    Range,
    Seed,
    arguments,
    is_number,
)
from reglib._typing import ArrayLike
from reglib._validation import (
    check_array,
)
from reglib.layers.base import Layer

DATA_FORMATS = ("channels_last", "channels_first")


@arguments(seed=Seed(), data_format=Choice(None, *DATA_FORMATS))
class AugmentationLayer(Layer):
    """Base of the layers that change images while training and leave them alone otherwise.

    Call it with images, (N, H, W, C) or a single (H, W, C), or with a dict of ``images``,
    ``labels`` and ``segmentation_masks``, which returns a dict. ``training`` is True unless
    you say otherwise, as in Keras, in ``model(x)`` too; ``predict`` and ``evaluate`` say so.
    Outputs are floats whatever came in.

    An augmentation layer stands in front of the weights, so training needs no gradient from
    it. Where the transformation is linear in the images, :meth:`backward` returns the exact
    gradient all the same; elsewhere it raises NotImplementedError.

    Parameters
    ----------
    seed : int, optional
        Where the layer's randomness starts.
    data_format : str, optional
        ``"channels_last"``, the default, or ``"channels_first"``.
    **kwargs
        ``name``, ``dtype``, ``trainable``, ``input_shape``, as for every layer.

    References
    ----------
    Keras 3, ``keras.layers.BaseImagePreprocessingLayer``. Bounding boxes are left out.
    """

    # Keys of the transformation that lose their batch axis for a single image.
    _unbatched_keys: tuple[str, ...] = ()
    # Whether transform_images returns a single image as a batch of one, as some of Keras's do.
    _single_becomes_batch = False

    def __init__(
        self, *, seed: int | None = None, data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.seed = seed
        self.data_format = data_format
        self.data_format = self.data_format or "channels_last"
        self._transformation: Any = None

    # What a layer defines: how to draw for (N, H, W, C), and how to apply what was drawn.

    def _draw(self, shape: tuple[int, ...], generator: np.random.Generator) -> Any:
        """Return a transformation for a batch of this shape."""
        raise NotImplementedError(f"{type(self).__name__} must define _draw")

    def _transform(self, images: NDArray, transformation: Any) -> NDArray:
        """Return the transformed batch, given floats with four axes."""
        raise NotImplementedError(f"{type(self).__name__} must define _transform")

    def _transform_masks(self, masks: NDArray, transformation: Any) -> NDArray:
        """Return the transformed masks, given four axes; colors leave masks alone."""
        return masks

    def _transpose(self, gradient: NDArray, transformation: Any) -> NDArray:
        """Return the gradient with respect to the images of ``_transform``."""
        raise NotImplementedError(
            f"{type(self).__name__} passes no gradient back: put it before the first layer "
            "with weights"
        )

    # Keras's two halves.

    @arguments(seed=GeneratorOrSeed())
    def get_random_transformation(
        self, data: Any, training: bool = True, seed: Any = None
    ) -> dict[str, Any] | None:
        """Draw a transformation for the images in ``data``; None when not training.

        Parameters
        ----------
        data : array_like or dict
            Images, or a dict that holds ``images``; only the shape matters.
        training : bool
            Whether there is anything to draw.
        seed : int or numpy.random.Generator, optional
            Where to draw from; by default the layer's own generator.
        """
        return self._random_transformation(data, seed) if training else None

    def _random_transformation(self, data: Any, seed: Any) -> Any:
        images = np.asarray(images_in(data))
        if images.dtype.kind not in "biuf":
            raise TypeError(f"images must hold numbers, got dtype {images.dtype}")
        shape = images.shape
        batched = (1, *shape) if len(shape) == 3 else shape
        if len(batched) != 4:
            raise ValueError(f"images must have 3 or 4 axes, got shape {shape}")
        generator = self.generator if seed is None else seed
        transformation = self._draw(batched, generator)
        if len(shape) == 3:
            for key in self._unbatched_keys:
                transformation[key] = transformation[key][0]
        return transformation

    def transform_images(
        self, images: ArrayLike, transformation: Any, training: bool = True
    ) -> NDArray:
        """Return the images under the given transformation.

        Raises
        ------
        TypeError
            If ``images`` holds no numbers.
        ValueError
            If it has other than 3 or 4 axes, is empty, or holds NaN or infinity.
        """
        images = self._checked(images)
        if not training or transformation is None:
            return images
        batch = images if images.ndim == 4 else images[None]
        outputs = self._transform(batch, transformation)
        return outputs if images.ndim == 4 or self._single_becomes_batch else outputs[0]

    @arguments(image=Array(3))
    def transform_single_image(
        self, image: ArrayLike, transformation: Any, training: bool = True
    ) -> NDArray:
        """Return one image, (H, W, C), under the given transformation."""
        return self.transform_images(image[None], transformation, training=training)[0]

    def _transform_any(self, images: NDArray, transformation: Any, training: bool) -> NDArray:
        one = images.ndim == 3
        transform = self.transform_single_image if one else self.transform_images
        return transform(images, transformation, training=training)

    @arguments(labels=Array(empty=True))
    def transform_labels(
        self, labels: ArrayLike, transformation: Any, training: bool = True
    ) -> NDArray:
        """Return the labels; only mixing images changes them."""
        return labels

    @arguments(segmentation_masks=Array())
    def transform_segmentation_masks(
        self, segmentation_masks: ArrayLike, transformation: Any, training: bool = True
    ) -> NDArray:
        """Return the masks under the given transformation, their classes unmixed."""
        masks = segmentation_masks
        if masks.ndim not in (3, 4):
            raise ValueError(f"segmentation_masks must have 3 or 4 axes, got shape {masks.shape}")
        if not training or transformation is None:
            return masks
        batch = masks if masks.ndim == 4 else masks[None]
        outputs = self._transform_masks(batch, transformation)
        return outputs if masks.ndim == 4 else outputs[0]

    def _checked(self, images: ArrayLike) -> NDArray:
        array = check_array("images", images)
        if array.ndim not in (3, 4):
            raise ValueError(f"images must have 3 or 4 axes, got shape {array.shape}")
        return array.astype(self.dtype, copy=False)

    # The layer protocol.

    def __call__(self, inputs: Any, training: bool | None = None, **options: Any) -> Any:
        """Return the augmented images, or a dict of them with their labels and masks."""
        if not isinstance(inputs, Mapping):
            return super().__call__(inputs, training=training, **options)
        if "images" not in inputs:
            raise ValueError(f"inputs must have a key 'images', got {sorted(inputs)}")
        if "bounding_boxes" in inputs:
            raise ValueError("inputs must have no key 'bounding_boxes': boxes are not supported")
        training = self._told(training)
        outputs = dict(inputs)
        images = self._checked(inputs["images"])
        self.ensure_built(images.shape)
        transformation = self.get_random_transformation(images, training=training)
        self._transformation = transformation if training else None
        outputs["images"] = self._transform_any(images, transformation, training)
        if "labels" in inputs:
            labels = np.asarray(inputs["labels"])
            single = images.ndim == 3
            labels = self.transform_labels(
                labels[None] if single else labels, transformation, training=training
            )
            outputs["labels"] = labels[0] if single else labels
        if "segmentation_masks" in inputs:
            outputs["segmentation_masks"] = self.transform_segmentation_masks(
                inputs["segmentation_masks"], transformation, training=training
            )
        return outputs

    def call(self, inputs: NDArray, training: bool = True) -> NDArray:
        """Return the images, augmented if training."""
        transformation = self.get_random_transformation(inputs, training=training)
        self._transformation = transformation if training else None
        return self._transform_any(inputs, transformation, training)

    def backward(self, gradient: NDArray) -> NDArray:
        """Return the gradient with respect to the images of the last call.

        Raises
        ------
        NotImplementedError
            If the layer's transformation is not linear in the images.
        """
        if self._transformation is None:
            return gradient
        batch = gradient if gradient.ndim == 4 else gradient[None]
        result = self._transpose(batch, self._transformation)
        return result if gradient.ndim == 4 else result[0]

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "seed": self.seed, "data_format": self.data_format}

    # Helpers.

    def _uniform(
        self,
        generator: np.random.Generator,
        shape: tuple[int, ...],
        low: float = 0.0,
        high: float = 1.0,
    ) -> NDArray:
        """Return uniform numbers between ``low`` and ``high`` in the layer's dtype."""
        return generator.uniform(low, high, shape).astype(self.dtype)

    def _last(self, images: NDArray) -> NDArray:
        """Return the images with their channels last."""
        return images if self.data_format == "channels_last" else images.transpose(0, 2, 3, 1)

    def _restored(self, images: NDArray) -> NDArray:
        """Return channels-last images in the layer's data format."""
        if self.data_format == "channels_last":
            return images
        return np.ascontiguousarray(images.transpose(0, 3, 1, 2))

    def _size(self, shape: tuple[int, ...]) -> tuple[int, int]:
        """Return height and width of a batch of this shape."""
        if self.data_format == "channels_last":
            return shape[-3], shape[-2]
        return shape[-2], shape[-1]

    @property
    def _channel_axis(self) -> int:
        """The axis of a batch that holds the channels."""
        return 3 if self.data_format == "channels_last" else 1

    @property
    def _side_axes(self) -> tuple[int, int]:
        """The axes of a batch along its height and its width."""
        return (1, 2) if self.data_format == "channels_last" else (2, 3)


def images_in(data: Any) -> Any:
    """Return the images of a dict that holds them, or what was given instead of one.

    Examples
    --------
    >>> images_in({"images": [1.0], "labels": [0]}), images_in([2.0])
    ([1.0], [2.0])
    """
    return data["images"] if isinstance(data, Mapping) else data


class Factor(Constraint):
    """A number, or a pair of them, in an interval.

    Where it is not ``strict``, both ends of a pair need not lie in the interval: it is enough that
    the pair meets it, as some of Keras's layers have it. Keras raises ValueError for wrong types
    too, and so do we.
    """

    def __init__(self, interval: str, *, strict: bool = True) -> None:
        self.range, self.strict, self.good = Range(interval), strict, float(Range(interval).high)

    def check(self, name: str, value: Any) -> Any:
        """Return the number or the pair as it is."""
        pair = isinstance(value, (tuple, list)) and len(value) == 2
        entries = value if pair else [value]
        if not all(map(is_number, entries)):
            wanted = f"a number or a pair of numbers {self.range}"
            raise ValueError(f"{name} must be {wanted}, got {value!r}")
        inside = Number() if pair and not self.strict else Number(self.range.text)
        ends = [inside.check(name, entry) for entry in entries]
        if min(ends) > self.range.high or max(ends) < self.range.low:
            raise ValueError(f"{name} must meet {self.range.text}, got {value!r}")
        return value

    def bad(self) -> Bad:
        """Return no numbers and no pairs, and those that lie outside."""
        high, nan = self.range.high, float("nan")
        shapes: tuple[Any, ...] = (
            (),
            [],
            (0.1,),
            [0.1, 0.2, 0.3],
            ("a", "b"),
            {},
            "a lot",
            True,
            None,
        )
        outside = (high + 1, self.range.low - 0.5, (high + 1, high + 2))
        nans = (nan, float("inf"), (nan, high), (high, nan))
        return {"shape": shapes, "range": outside, "nan": nans}


def interval(factor: Any, lowest: float = -np.inf) -> tuple[float, float]:
    """Return what a factor is drawn from: for a number f from -f, but not below ``lowest``, to f.

    Examples
    --------
    >>> interval(0.2), interval(0.2, lowest=0), interval([0.3, 0.1])
    ((-0.2, 0.2), (0, 0.2), (0.1, 0.3))
    """
    if isinstance(factor, (tuple, list)):
        return min(factor), max(factor)
    return max(-abs(factor), lowest), abs(factor)


class ValueRange(Constraint):
    """The lowest and the highest value that a pixel may take: a pair of different numbers."""

    good = (0, 255)

    def check(self, name: str, value: Any) -> Any:
        """Return the pair as it is."""
        if not isinstance(value, (tuple, list)) or len(value) != 2:
            raise ValueError(f"{name} must be a pair of numbers, got {value!r}")
        first, second = (Number().check(name, end) for end in value)
        if first == second:
            raise ValueError(f"{name} must hold two different numbers, got {value!r}")
        return value

    def bad(self) -> Bad:
        """Return no pairs, and pairs of what is no range."""
        shapes = ("all", 255, None, (), (1,), (0, 1, 2))
        return {"type": (("a", "b"),), "range": ((1, 1),), "shape": shapes, "nan": ((0, np.nan),)}
