"""What every loss shares: targets and predictions side by side, weights, and the reduction."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib import _serialization
from reglib._arguments import Choice, Identifier, Text, arguments
from reglib._timestep_masks import mask_of
from reglib._typing import ArrayLike

# Keras's epsilon: probabilities are kept in [1e-7, 1 - 1e-7] before the logarithm.
EPSILON = 1e-7

REDUCTIONS = ("sum_over_batch_size", "mean", "mean_with_sample_weight", "sum", "none", None)


def checked_dtype(dtype: Any) -> np.dtype | None:
    """Return a dtype that holds fractions; None stays None.

    Raises
    ------
    TypeError
        If it holds whole numbers or none at all, or is no dtype.

    Examples
    --------
    >>> checked_dtype("float16").name
    'float16'
    """
    if dtype is None:
        return None
    try:
        found = np.dtype(dtype)
        # bfloat16 counts as of kind "V": NumPy knows it once the package ml_dtypes is imported.
        floats = found.kind in "fV" and found.type(0.5) == 0.5
    except (TypeError, ValueError):
        floats = False
    if not floats:
        raise TypeError(f"dtype must be a dtype of floats or None, got {dtype!r}")
    return found


def as_predictions(y_pred: ArrayLike, dtype: np.dtype | None = None) -> NDArray:
    """Return predictions as an array of floats, of their own dtype unless another is given.

    Raises
    ------
    TypeError
        If they are no numbers.
    ValueError
        If there are none, or no axis.
    """
    array = np.asarray(y_pred)
    if array.dtype.kind != "f" and array.dtype != dtype:
        if array.dtype.kind not in "biu":
            raise TypeError(f"y_pred must hold numbers, got dtype {array.dtype}")
        array = array.astype(dtype or "float64")
    elif dtype is not None:
        array = array.astype(dtype, copy=False)
    if not array.size or not array.shape:
        raise ValueError(f"y_pred must have at least one entry on an axis, got shape {array.shape}")
    return array


def as_targets(y_true: ArrayLike) -> NDArray:
    """Return targets as an array.

    Raises
    ------
    TypeError
        If they are no numbers.
    """
    array = np.asarray(y_true)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"y_true must hold numbers, got dtype {array.dtype}")
    return array


def same_rank(first: NDArray, second: NDArray) -> tuple[NDArray, NDArray]:
    """Return both with as many axes: a last axis of length 1 may be missing in one, as in Keras.

    Examples
    --------
    >>> [a.shape for a in same_rank(np.ones(3), np.ones((3, 1)))]
    [(3, 1), (3, 1)]
    >>> [a.shape for a in same_rank(np.ones((3, 2, 1)), np.ones((3, 2)))]
    [(3, 2), (3, 2)]
    """
    if first.ndim == second.ndim + 1 and first.shape[-1] == 1:
        if second.ndim == 1:
            return first, second[:, np.newaxis]
        return first[..., 0], second
    if second.ndim == first.ndim + 1 and second.shape[-1] == 1:
        return same_rank(second, first)[::-1]
    return first, second


def align(
    y_true: ArrayLike, y_pred: ArrayLike, dtype: np.dtype | None = None
) -> tuple[NDArray, NDArray]:
    """Return both as arrays of one dtype and shape; a last axis of length 1 may be missing.

    Raises
    ------
    TypeError
        If one of them holds no numbers.
    ValueError
        If the shapes differ otherwise, or there is nothing in them.
    """
    y_pred = as_predictions(y_pred, dtype)
    y_true = as_targets(y_true).astype(y_pred.dtype, copy=False)
    if y_true.ndim != y_pred.ndim:
        y_true, y_pred = same_rank(y_true, y_pred)
    if y_true.shape != y_pred.shape:
        raise ValueError(
            f"y_true must have the shape of y_pred, {y_pred.shape}, got {y_true.shape}"
        )
    return y_true, y_pred


@arguments(name=Text(), reduction=Choice(*REDUCTIONS), dtype=Identifier(checked_dtype))
class Loss(_serialization.Described):
    r"""Base of all losses: a loss of each example, reduced over the batch.

    A subclass gives ``call``, the losses with the axis of the outputs reduced, and
    ``derivative``, that of each loss with respect to its own predictions.

    Parameters
    ----------
    name : str, optional
        What the loss is called.
    reduction : str or None
        ``"sum_over_batch_size"`` or ``"mean"``: the losses' sum over their number.
        ``"mean_with_sample_weight"``: over the sum of the weights, as they are given.
        ``"sum"``. ``"none"`` or None: one loss an example.
    dtype : optional
        What predictions are converted to; by default the dtype follows them.

    Raises
    ------
    ValueError
        If the reduction is another.
    TypeError
        If ``dtype`` holds no fractions.

    Notes
    -----
    Keras's losses compute in ``floatx`` by default, ours in the dtype of the predictions. A
    vector of weights weighs the examples, whatever the shape of the losses is; Keras
    broadcasts it along their last axis.

    Where predictions have a mask, as those of a model that begins with ``Masking`` may, the
    losses of what is masked count for nothing, and a mean is over the others.
    """

    # Where the outputs of an example are; some losses let you choose.
    axis: int = -1

    def __init__(
        self,
        name: str | None = None,
        reduction: str | None = "sum_over_batch_size",
        dtype: Any = None,
    ) -> None:
        self.name = type(self).__name__ if name is None else name
        self.reduction = reduction
        self._dtype = checked_dtype(dtype)
        self._averages = self.reduction in ("sum_over_batch_size", "mean")

    @property
    def dtype(self) -> str | None:
        """The name of the dtype in which the loss computes; None: that of the predictions."""
        return None if self._dtype is None else self._dtype.name

    # What a subclass gives.

    def call(self, y_true: NDArray, y_pred: NDArray) -> NDArray:
        """Return one loss an example, the last axis reduced."""
        raise NotImplementedError(f"{type(self).__name__} must define call")

    def derivative(self, y_true: NDArray, y_pred: NDArray) -> NDArray:
        """Return the derivative of each example's loss with respect to its predictions."""
        raise NotImplementedError(f"{type(self).__name__} must define derivative")

    def both(self, y_true: NDArray, y_pred: NDArray, scale: float = 1.0) -> tuple[NDArray, NDArray]:
        """Return :meth:`call` and :meth:`derivative` times ``scale``; a loss may share work."""
        return self.call(y_true, y_pred), self.derivative(y_true, y_pred) * scale

    @property
    def link(self) -> str | None:
        """The activation whose derivative cancels against the loss's; None if there is none."""
        return None

    def both_linked(
        self, y_true: NDArray, y_pred: NDArray, scale: float = 1.0
    ) -> tuple[NDArray, NDArray]:
        """Return the losses, and the derivative by the inputs of :attr:`link` times ``scale``."""
        raise NotImplementedError(f"{type(self).__name__} has no link")

    def align(self, y_true: ArrayLike, y_pred: ArrayLike) -> tuple[NDArray, NDArray]:
        """Return targets and predictions as :meth:`call` wants them, the outputs last."""
        y_true, y_pred = align(y_true, y_pred, self._dtype)
        if self.axis == -1:
            return y_true, y_pred
        return self._outputs_last(y_true), self._outputs_last(y_pred)

    # What it is for.

    def __call__(
        self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> Any:
        """Return the reduced loss of a batch, each example's loss times its weight."""
        aligned, predicted = self.align(y_true, y_pred)
        losses = self.call(aligned, predicted)
        weights = self._weights(aligned, losses, sample_weight, mask_of(y_pred))
        return self._reduce(losses, weights)

    def gradient(
        self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> NDArray:
        """Return the derivative of the reduced loss with respect to ``y_pred``."""
        return self.value_and_gradient(y_true, y_pred, sample_weight)[1]

    def value_and_gradient(
        self,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        linked: bool = False,
    ) -> tuple[Any, NDArray]:
        r"""Return the reduced loss and its gradient: what a training step needs.

        Where ``y_pred`` came out of the activation that is the loss's :attr:`link`, ``linked``
        asks for the gradient with respect to that activation's inputs: :math:`\hat y - y`,
        without a division and a product that cancel each other.
        """
        aligned, predicted = self.align(y_true, y_pred)
        number = predicted.size // predicted.shape[-1]
        scale = 1 / number if self._averages else 1.0
        both = self.both_linked if linked else self.both
        losses, derivative = both(aligned, predicted, scale)
        weights = self._weights(aligned, losses, sample_weight, mask_of(y_pred))
        if weights is not None:
            divisor = 1 if self._averages else self._divisor(number, weights)
            derivative = derivative * (weights / divisor)[..., np.newaxis]
        elif self.reduction == "mean_with_sample_weight":
            derivative = derivative * (1 / number)
        if self.axis != -1:
            derivative = np.moveaxis(derivative, -1, self.axis)
        if derivative.ndim != np.ndim(y_pred):  # one of the two lacked the last axis
            derivative = derivative.reshape(np.shape(y_pred))
        if self._dtype is not None:
            derivative = derivative.astype(self._dtype, copy=False)
        return self._reduce(losses, weights), derivative

    # How losses become one number.

    def _reduce(self, losses: NDArray, weights: NDArray | None) -> Any:
        if weights is not None:
            losses = losses * weights
        if self.reduction not in ("none", None):
            losses = np.add.reduce(losses, axis=None) / self._divisor(losses.size, weights)
        return losses if self._dtype is None else losses.astype(self._dtype, copy=False)

    def _divisor(self, number: int, weights: NDArray | None) -> Any:
        """Return what the sum of the losses is divided by."""
        if self._averages:
            return number
        if self.reduction != "mean_with_sample_weight":
            return 1
        if weights is None:
            return number
        # Nothing weighs anything: the mean is 0, as in Keras.
        return np.add.reduce(weights, axis=None) or math.inf

    def _weights(
        self,
        y_true: NDArray,
        losses: NDArray,
        sample_weight: ArrayLike | None,
        mask: NDArray | None,
    ) -> NDArray | None:
        """Return the weights of losses; None: all weigh 1."""
        weights = None
        if sample_weight is not None:
            weights = weights_for(losses.shape, losses.dtype, sample_weight)
        mask = self._counted(y_true, mask)
        if mask is None:
            return weights
        counts = weights_for(losses.shape, losses.dtype, mask, name="mask")
        if self._averages:  # over the number of those that count
            counts = counts * (counts.size / (float(counts.sum()) or math.inf))
        return counts if weights is None else counts * weights

    def _counted(self, y_true: NDArray, mask: NDArray | None) -> NDArray | None:
        """Return which losses count: those that the mask of the predictions says."""
        return mask

    def _outputs_last(self, array: NDArray) -> NDArray:
        if not -array.ndim <= self.axis < array.ndim:
            raise ValueError(
                f"axis must be one of the {array.ndim} of shape {array.shape}, got {self.axis}"
            )
        return np.moveaxis(array, self.axis, -1)

    # Its configuration.

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data; ``dtype`` where one was given."""
        config = {"name": self.name, "reduction": self.reduction}
        return config if self._dtype is None else {**config, "dtype": self.dtype}


def weights_for(
    shape: tuple[int, ...], dtype: Any, sample_weight: ArrayLike, *, name: str = "sample_weight"
) -> NDArray:
    """Return weights in a shape that broadcasts over losses of ``shape``.

    Raises
    ------
    TypeError
        If they are no numbers.
    ValueError
        If they do not fit.

    Examples
    --------
    >>> weights_for((2, 3), "float32", [1, 2]).tolist()
    [[1.0], [2.0]]
    """
    weights = np.asarray(sample_weight)
    if weights.dtype.kind not in "biuf":
        raise TypeError(f"{name} must hold numbers, got dtype {weights.dtype}")
    weights = weights.astype(dtype, copy=False)
    if weights.ndim == len(shape) + 1 and weights.shape[-1] == 1:
        weights = weights[..., 0]
    if weights.ndim:
        weights = weights.reshape(weights.shape + (1,) * (len(shape) - weights.ndim))
    fits = weights.ndim <= len(shape) and all(
        length in (1, wanted) for length, wanted in zip(weights.shape, shape, strict=False)
    )
    if not fits:
        wanted = shape[: max(np.ndim(sample_weight), 1)]
        raise ValueError(f"{name} must have shape {wanted}, got {np.shape(sample_weight)}")
    return weights


class Elementwise(Loss):
    """Base of losses that are the mean over the outputs of an element-wise function."""

    def element(self, y_true: NDArray, y_pred: NDArray) -> NDArray:
        """Return the loss of every output."""
        raise NotImplementedError(f"{type(self).__name__} must define element")

    def slope(self, y_true: NDArray, y_pred: NDArray) -> NDArray:
        """Return the derivative of :meth:`element` with respect to the predictions."""
        raise NotImplementedError(f"{type(self).__name__} must define slope")

    def call(self, y_true: NDArray, y_pred: NDArray) -> NDArray:
        """Return one loss an example."""
        return np.add.reduce(self.element(y_true, y_pred), axis=-1) / y_pred.shape[-1]

    def derivative(self, y_true: NDArray, y_pred: NDArray) -> NDArray:
        """Return the derivative of each example's loss with respect to its predictions."""
        return self.slope(y_true, y_pred) / y_pred.shape[-1]

    def both(self, y_true: NDArray, y_pred: NDArray, scale: float = 1.0) -> tuple[NDArray, NDArray]:
        """Return :meth:`call`, and :meth:`derivative` times ``scale``."""
        slope = self.slope(y_true, y_pred) * (scale / y_pred.shape[-1])
        return self.call(y_true, y_pred), slope
