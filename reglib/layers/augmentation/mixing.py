"""Mixing two examples, images and labels alike: mixup and cutmix."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib._arguments import Array, Number, arguments
from reglib._typing import ArrayLike
from reglib.layers.augmentation._warp import chunked
from reglib.layers.augmentation.base import AugmentationLayer, Factor, images_in, interval
from reglib.layers.augmentation.erasing import _BoxLayer


class _MixingLayer(AugmentationLayer):
    """Base of the layers that mix each example with another of the batch."""

    @arguments(labels=Array())
    def transform_labels(
        self, labels: ArrayLike, transformation: Any, training: bool = True
    ) -> NDArray:
        r"""Return :math:`\lambda y_i + (1 - \lambda) y_j` for one-hot labels, (N, K).

        Raises
        ------
        TypeError
            If ``labels`` holds no numbers.
        ValueError
            If it has other than 2 axes: class numbers cannot be mixed.
        """
        if not training or transformation is None:
            return labels
        if labels.ndim != 2:
            raise ValueError(f"labels must be one-hot, of shape (N, K), got {labels.shape}")
        if labels.dtype.kind != "f":
            labels = labels.astype(self.dtype)
        weight = np.reshape(transformation["mix_weight"], (-1, 1)).astype(labels.dtype)
        return weight * labels + (1 - weight) * labels[transformation["permutation_order"]]


@arguments(alpha=Number("> 0"))
class MixUp(_MixingLayer):
    r"""Blend each image with another: :math:`\lambda x_i + (1-\lambda) x_j`, labels likewise.

    :math:`\lambda \sim \mathrm{Beta}(\alpha, \alpha)`, one an image; :math:`j` comes from a
    random permutation of the batch.

    Parameters
    ----------
    alpha : float
        Above 0: near 0 one image dominates, 1 is uniform, large numbers blend evenly.
    data_format, seed, **kwargs
        As for :class:`~reglib.layers.AugmentationLayer`.

    Raises
    ------
    TypeError, ValueError
        If ``alpha`` is no finite number above 0 (Keras notices when called, or returns NaN).

    Notes
    -----
    Masks are blended image by image; Keras flattens the batch of masks by mistake. As in
    Keras, ``transform_images`` returns a single image as a batch of one.

    References
    ----------
    ``keras.layers.MixUp``; Zhang et al. (2018), "mixup: Beyond empirical risk minimization".

    Examples
    --------
    >>> drawn = {"mix_weight": np.array([0.75, 0.75]), "permutation_order": np.array([1, 0])}
    >>> MixUp().transform_labels(np.eye(2), drawn)
    array([[0.75, 0.25],
           [0.25, 0.75]])
    """

    _single_becomes_batch = True

    def __init__(
        self,
        alpha: float = 0.2,
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, seed=seed, **kwargs)
        self.alpha = alpha

    def _draw(self, shape: tuple[int, ...], generator: np.random.Generator) -> dict[str, Any]:
        number = shape[0]
        return {
            "permutation_order": generator.permutation(number),
            "mix_weight": generator.beta(self.alpha, self.alpha, number).astype(self.dtype),
        }

    def _transform(self, images: NDArray, transformation: Any) -> NDArray:
        weight = np.reshape(transformation["mix_weight"], (-1, 1, 1, 1)).astype(images.dtype)
        weight = np.broadcast_to(weight, (len(images), 1, 1, 1))
        order = np.asarray(transformation["permutation_order"])
        outputs = np.empty_like(images)
        for chunk in chunked(images)[1]:
            np.multiply(images[chunk], weight[chunk], out=outputs[chunk])
            others = images[order[chunk]]
            others *= 1 - weight[chunk]
            outputs[chunk] += others
        return outputs

    def _transform_masks(self, masks: NDArray, transformation: Any) -> NDArray:
        return self._transform(masks.astype(self.dtype, copy=False), transformation)

    def _transpose(self, gradient: NDArray, transformation: Any) -> NDArray:
        weight = np.reshape(transformation["mix_weight"], (-1, 1, 1, 1)).astype(gradient.dtype)
        result = weight * gradient
        np.add.at(result, transformation["permutation_order"], (1 - weight) * gradient)
        return result

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "alpha": self.alpha}


@arguments(factor=Factor("[0, 1]", strict=False))
class CutMix(_MixingLayer, _BoxLayer):
    r"""Paste a box of another image into each: :math:`M x_j + (1-M) x_i`, labels by area.

    With :math:`\lambda \sim \mathrm{Beta}(\alpha, \alpha)` the box takes the share
    :math:`\sqrt{1-\lambda}` of each side.

    Parameters
    ----------
    factor : float or pair of floats in [0, 1]
        Range of :math:`\alpha`, drawn once a batch; a number b stands for (0, b).
    seed, data_format, **kwargs
        As for :class:`~reglib.layers.AugmentationLayer`.

    Raises
    ------
    ValueError
        If ``factor`` is no number or pair as described.

    Notes
    -----
    As in Keras, :math:`\alpha` is random unless you write a pair of equal numbers, the box
    lies fully inside the image (the paper draws its center and clips it), and a single image
    comes back unchanged.

    References
    ----------
    ``keras.layers.CutMix``; Yun et al. (2019), "CutMix: Regularization strategy to train
    strong classifiers with localizable features".

    Examples
    --------
    >>> x = np.array([0.0, 1.0]).reshape(2, 1, 1, 1) * np.ones((2, 2, 2, 1))
    >>> mixed = CutMix((1, 1), seed=3)({"images": x, "labels": np.eye(2)})
    >>> mixed["labels"].sum(axis=1)
    array([1., 1.])
    """

    def __init__(
        self,
        factor: Any = 1.0,
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.factor = interval(factor, 0)

    def get_random_transformation(
        self, data: Any, training: bool = True, seed: Any = None
    ) -> dict[str, Any] | None:
        """Draw boxes and partners; None for a single image, which has no partner."""
        if np.ndim(images_in(data)) == 3:
            return None
        return super().get_random_transformation(data, training=training, seed=seed)

    def _draw(self, shape: tuple[int, ...], generator: np.random.Generator) -> dict[str, Any]:
        number, (height, width) = shape[0], self._size(shape)
        # Beta(0, 0) does not exist.
        alpha = generator.uniform(*self.factor) + 1e-6
        shares = np.sqrt(1 - generator.beta(alpha, alpha, number)).astype(self.dtype)
        x0, x1 = self._box(generator, shares, width)
        y0, y1 = self._box(generator, shares, height)
        weight = 1 - (x1 - x0) * (y1 - y0) / (width * height)
        return {
            "permutation_order": generator.permutation(number),
            "batch_masks": self._masks(shape, x0, x1, y0, y1),
            "mix_weight": weight.reshape(-1, 1, 1, 1),
        }

    def _transform(self, images: NDArray, transformation: Any) -> NDArray:
        order = np.asarray(transformation["permutation_order"])
        masks = np.broadcast_to(transformation["batch_masks"], images.shape)
        outputs = images.copy()
        for chunk in chunked(images)[1]:
            np.copyto(outputs[chunk], images[order[chunk]], where=masks[chunk])
        return outputs

    def _transform_masks(self, masks: NDArray, transformation: Any) -> NDArray:
        return self._transform(masks.astype(self.dtype, copy=False), transformation)

    def _transpose(self, gradient: NDArray, transformation: Any) -> NDArray:
        masks = transformation["batch_masks"]
        result = np.where(masks, 0, gradient)
        np.add.at(result, transformation["permutation_order"], np.where(masks, gradient, 0))
        return result

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "factor": self.factor}
