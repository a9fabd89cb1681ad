r"""Losses of probabilities: how surprised a prediction is by the truth.

Where predictions are probabilities rather than logits, they are kept in [1e-7, 1 - 1e-7] before
the logarithm, as in Keras; beyond, the loss is flat.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib import activations
from reglib._arguments import Flag, Integer, Number, arguments
from reglib._timestep_masks import expanded
from reglib._typing import ArrayLike
from reglib.losses.base import EPSILON, Elementwise, Loss, as_predictions, as_targets


def _kept(p: NDArray) -> NDArray:
    """Return probabilities away from 0 and 1."""
    return np.minimum(np.maximum(p, EPSILON), 1 - EPSILON)


def _through_division(by_p: NDArray, p: NDArray, total: Any) -> NDArray:
    """Return the derivative by what was divided by its ``total`` to give ``p``."""
    return (by_p - (by_p * p).sum(axis=-1, keepdims=True)) / total


@arguments(from_logits=Flag(), label_smoothing=Number("[0, 1]"), axis=Integer())
class BinaryCrossentropy(Elementwise):
    r"""Cross-entropy of yes-no targets, :math:`-y\log\hat y - (1-y)\log(1-\hat y)`.

    Parameters
    ----------
    from_logits : bool
        Whether predictions are logits rather than probabilities.
    label_smoothing : float
        In [0, 1]: targets become y(1 - α) + α/2.
    axis : int
        The axis of the outputs, over which the mean is taken.
    reduction, name, dtype
        As for :class:`Loss`.

    Raises
    ------
    TypeError
        If an argument is of the wrong kind.
    ValueError
        If a number is out of range, or the reduction is another.

    References
    ----------
    ``keras.losses.BinaryCrossentropy``.

    Examples
    --------
    >>> float(BinaryCrossentropy()([[1.0]], [[0.5]]).round(4))
    0.6931
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "binary_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.axis = axis

    def align(self, y_true: ArrayLike, y_pred: ArrayLike) -> tuple[NDArray, NDArray]:
        """Return smoothed targets and predictions."""
        y_true, y_pred = super().align(y_true, y_pred)
        if self.label_smoothing:
            y_true = y_true * (1 - self.label_smoothing) + 0.5 * self.label_smoothing
        return y_true, y_pred

    def element(self, y_true: NDArray, y_pred: NDArray) -> NDArray:
        """Return the cross-entropy of every output."""
        if self.from_logits:
            # max(z, 0) - zy + log(1 + exp(-|z|)) never overflows.
            return np.maximum(y_pred, 0) - y_pred * y_true + np.log1p(np.exp(-np.abs(y_pred)))
        p = _kept(y_pred)
        return -(y_true * np.log(p) + (1 - y_true) * np.log(1 - p))

    def slope(self, y_true: NDArray, y_pred: NDArray) -> NDArray:
        """Return (p - y)/(p(1 - p)), or p - y for logits."""
        if self.from_logits:
            return activations.sigmoid.value(y_pred) - y_true
        p = _kept(y_pred)
        return (p == y_pred) * (p - y_true) / (p * (1 - p))

    @property
    def link(self) -> str | None:
        """Sigmoid, unless predictions are logits."""
        return None if self.from_logits or self.axis != -1 else "sigmoid"

    def both_linked(
        self, y_true: NDArray, y_pred: NDArray, scale: float = 1.0
    ) -> tuple[NDArray, NDArray]:
        """Return one loss an example, and p - y where p is not kept away from 0 and 1."""
        inside = _kept(y_pred) == y_pred
        derivative = inside * (y_pred - y_true) * (scale / y_pred.shape[-1])
        return self.call(y_true, y_pred), derivative

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "from_logits": self.from_logits,
            "label_smoothing": self.label_smoothing,
            "axis": self.axis,
        }


@arguments(from_logits=Flag(), label_smoothing=Number("[0, 1]"), axis=Integer())
class CategoricalCrossentropy(Loss):
    r"""Cross-entropy of one-hot targets, :math:`-\sum_k y_k\log\hat y_k`.

    Parameters
    ----------
    from_logits : bool
        Whether predictions are logits rather than probabilities. Probabilities are
        divided by their sum and kept in [1e-7, 1 - 1e-7], as in Keras.
    label_smoothing : float
        In [0, 1]: targets become y(1 - α) + α/K.
    axis : int
        The axis of the classes.
    reduction, name, dtype
        As for :class:`Loss`.

    Raises
    ------
    TypeError
        If an argument is of the wrong kind.
    ValueError
        If a number is out of range, or the reduction is another.

    References
    ----------
    Szegedy et al. (2016), "Rethinking the Inception architecture for computer vision", for
    label smoothing; ``keras.losses.CategoricalCrossentropy``.

    Notes
    -----
    K is the number of classes. Keras takes the length of the last axis, whatever ``axis`` is.

    Examples
    --------
    >>> float(CategoricalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]]).round(4))
    0.6931
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "categorical_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.axis = axis

    def align(self, y_true: ArrayLike, y_pred: ArrayLike) -> tuple[NDArray, NDArray]:
        """Return smoothed targets and predictions, the classes last."""
        y_true, y_pred = super().align(y_true, y_pred)
        if self.label_smoothing:
            spread = self.label_smoothing / y_pred.shape[-1]
            y_true = y_true * (1 - self.label_smoothing) + spread
        return y_true, y_pred

    def call(self, y_true: NDArray, y_pred: NDArray) -> NDArray:
        """Return one loss an example."""
        if self.from_logits:
            return -(y_true * activations.log_softmax.value(y_pred)).sum(axis=-1)
        p = y_pred / y_pred.sum(axis=-1, keepdims=True)
        return -(y_true * np.log(_kept(p))).sum(axis=-1)

    def derivative(self, y_true: NDArray, y_pred: NDArray) -> NDArray:
        """Return the derivative; for one-hot targets and logits it is softmax(z) - y."""
        if self.from_logits:
            p = activations.softmax.value(y_pred)
            return p * y_true.sum(axis=-1, keepdims=True) - y_true
        total = y_pred.sum(axis=-1, keepdims=True)
        p = y_pred / total
        kept = _kept(p)
        return _through_division(-(y_true / kept) * (kept == p), p, total)

    @property
    def link(self) -> str | None:
        """Softmax, unless predictions are logits."""
        return None if self.from_logits or self.axis != -1 else "softmax"

    def both_linked(
        self, y_true: NDArray, y_pred: NDArray, scale: float = 1.0
    ) -> tuple[NDArray, NDArray]:
        """Return one loss an example, and softmax(z) - y for one-hot targets."""
        kept = _kept(y_pred)
        losses = -np.add.reduce(y_true * np.log(kept), axis=-1)
        # Where a probability is kept away from 0 and 1 the loss is flat.
        counted = y_true * (kept == y_pred)
        total = np.add.reduce(counted, axis=-1, keepdims=True)
        return losses, (y_pred * total - counted) * scale

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "from_logits": self.from_logits,
            "label_smoothing": self.label_smoothing,
            "axis": self.axis,
        }


@arguments(from_logits=Flag(), ignore_class=Integer(), axis=Integer())
class SparseCategoricalCrossentropy(Loss):
    r"""Cross-entropy of integer targets, :math:`-\log\hat y_{k}` for class :math:`k`.

    Parameters
    ----------
    from_logits : bool
        Whether predictions are logits rather than probabilities.
    ignore_class : int, optional
        Examples of this class, which may be none of the classes, count for nothing: neither
        in the sum nor in the number that it is divided by.
    axis : int
        The axis of the classes.
    reduction, name, dtype
        As for :class:`Loss`.

    Raises
    ------
    TypeError
        If an argument is of the wrong kind.
    ValueError
        If the reduction is another; in use, if a target is no class number.

    References
    ----------
    ``keras.losses.SparseCategoricalCrossentropy``.

    Examples
    --------
    >>> float(SparseCategoricalCrossentropy()([1], [[0.5, 0.5]]).round(4))
    0.6931
    """

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: str | None = "sum_over_batch_size",
        axis: int = -1,
        name: str = "sparse_categorical_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.from_logits = from_logits
        self.ignore_class = ignore_class
        self.axis = axis

    def align(self, y_true: ArrayLike, y_pred: ArrayLike) -> tuple[NDArray, NDArray]:
        """Return class numbers, -1 for one that is left out, and predictions, the classes last.

        Raises
        ------
        TypeError
            If the targets hold no numbers.
        ValueError
            If a target is no class number or the shapes differ.
        """
        y_pred, labels = as_predictions(y_pred, self._dtype), as_targets(y_true)
        if self.axis != -1:
            if labels.ndim == y_pred.ndim:
                labels = self._outputs_last(labels)
            y_pred = self._outputs_last(y_pred)
        if labels.ndim == y_pred.ndim and labels.shape[-1] == 1:
            labels = labels[..., 0]
        if labels.shape != y_pred.shape[:-1]:
            raise ValueError(
                f"y_true must have shape {y_pred.shape[:-1]}, a class number each, "
                f"got {labels.shape}"
            )
        classes = y_pred.shape[-1]
        if self.ignore_class is not None:
            valid = labels != self.ignore_class
            labels = np.where(valid, labels, 0)
        indices = labels.astype(np.intp, copy=False)
        whole = labels.dtype.kind != "f" or (indices == labels).all()
        # Seen as unsigned, a negative number is too large as well.
        if not whole or np.maximum.reduce(indices.view(np.uintp), axis=None) >= classes:
            raise ValueError(
                f"y_true must hold class numbers from 0 to {classes - 1}, "
                f"got values from {labels.min():g} to {labels.max():g}"
            )
        if self.ignore_class is not None:
            indices = np.where(valid, indices, -1)
        return indices, y_pred

    def call(self, y_true: NDArray, y_pred: NDArray) -> NDArray:
        """Return one loss an example."""
        return self.both(y_true, y_pred)[0]

    def derivative(self, y_true: NDArray, y_pred: NDArray) -> NDArray:
        """Return the derivative; for logits it is softmax(z) - y."""
        return self.both(y_true, y_pred)[1]

    def both(self, y_true: NDArray, y_pred: NDArray, scale: float = 1.0) -> tuple[NDArray, NDArray]:
        """Return one loss an example, and the derivative times ``scale``."""
        rows = y_pred.reshape(-1, y_pred.shape[-1])
        right = np.arange(len(rows)), y_true.ravel()
        if self.from_logits:
            log_p = activations.log_softmax.value(rows)
            losses, derivative = -log_p[right], np.exp(log_p)
            derivative[right] -= 1
        else:
            total = np.add.reduce(rows, axis=-1)
            p = rows[right] / total
            kept = _kept(p)
            losses = -np.log(kept)
            # Every output stands in the sum that it is divided by, the right one above it too.
            by_p = (kept == p) / (kept * -total)
            derivative = np.empty_like(rows)
            derivative[...] = (-by_p * p)[:, np.newaxis]
            derivative[right] += by_p
        return self._without_ignored(y_true, losses, (derivative * scale).reshape(y_pred.shape))

    @property
    def link(self) -> str | None:
        """Softmax, unless predictions are logits."""
        return None if self.from_logits or self.axis != -1 else "softmax"

    def both_linked(
        self, y_true: NDArray, y_pred: NDArray, scale: float = 1.0
    ) -> tuple[NDArray, NDArray]:
        """Return one loss an example, and softmax(z) less 1 for the right class."""
        labels = y_true if self.ignore_class is None else np.maximum(y_true, 0)
        # Where the right classes are when the rows lie one after the other.
        right = labels.ravel() + np.arange(0, y_pred.size, y_pred.shape[-1])
        p = y_pred.ravel().take(right)
        derivative = np.multiply(y_pred, scale, order="C")  # so that ravel is a view
        derivative.ravel()[right] = (p - 1) * scale
        kept = np.minimum(p, 1 - EPSILON)
        if np.minimum.reduce(p) < EPSILON:  # there the clipped loss is flat, as in Keras
            kept = np.maximum(kept, EPSILON)
            derivative *= (p >= EPSILON).reshape(*y_true.shape, 1)
        return self._without_ignored(y_true, -np.log(kept), derivative)

    def _without_ignored(
        self, y_true: NDArray, losses: NDArray, derivative: NDArray
    ) -> tuple[NDArray, NDArray]:
        losses = losses.reshape(y_true.shape)
        if self.ignore_class is not None:
            valid = y_true >= 0
            losses = losses * valid
            derivative = derivative * valid[..., np.newaxis]
        return losses, derivative

    def _counted(self, y_true: NDArray, mask: NDArray | None) -> NDArray | None:
        """Return which losses count: not those of the ignored class."""
        if self.ignore_class is None:
            return mask
        known = y_true >= 0
        return known if mask is None else expanded(mask, y_true.ndim) & known

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "from_logits": self.from_logits,
            "ignore_class": self.ignore_class,
            "axis": self.axis,
        }


class KLDivergence(Loss):
    r"""How far a distribution is from the true one, :math:`\sum_k y_k\log(y_k/\hat y_k)`.

    What a student pays that learns a teacher's probabilities. Both are kept in [1e-7, 1].

    Parameters
    ----------
    reduction, name, dtype
        As for :class:`Loss`.

    References
    ----------
    Kullback and Leibler (1951), "On information and sufficiency"; Hinton, Vinyals and Dean
    (2015), "Distilling the knowledge in a neural network"; ``keras.losses.KLDivergence``.

    Examples
    --------
    >>> float(KLDivergence()([[0.5, 0.5]], [[0.5, 0.5]]))
    0.0
    >>> float(KLDivergence()([[1.0, 0.0]], [[0.5, 0.5]]).round(4))
    0.6931
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "kl_divergence",
        dtype: Any = None,
    ) -> None:
        super().__init__(name, reduction, dtype)

    def call(self, y_true: NDArray, y_pred: NDArray) -> NDArray:
        """Return one loss an example."""
        y, p = np.clip(y_true, EPSILON, 1), np.clip(y_pred, EPSILON, 1)
        return (y * np.log(y / p)).sum(axis=-1)

    def derivative(self, y_true: NDArray, y_pred: NDArray) -> NDArray:
        """Return -y/ŷ."""
        y, p = np.clip(y_true, EPSILON, 1), np.clip(y_pred, EPSILON, 1)
        return -(y / p) * (p == y_pred)
