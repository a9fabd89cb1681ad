r"""Losses: how wrong predictions are, with the gradient that training starts from.

Every loss is the mean over the batch of a per-example loss :math:`\ell(y, \hat y)`. An object
has ``loss(y_true, y_pred)`` for the value and ``loss.gradient(y_true, y_pred)`` for the
derivative with respect to the predictions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reglib import _serialization, activations
from reglib._validation import check_choice, check_number

# Keras's epsilon: probabilities are kept in [1e-7, 1 - 1e-7] before the logarithm.
EPSILON = 1e-7


def align(y_true: ArrayLike, y_pred: ArrayLike) -> tuple[NDArray, NDArray]:
    """Return both as arrays of one dtype and shape; a last axis of length 1 may be missing.

    Raises
    ------
    TypeError
        If the targets hold no numbers.
    ValueError
        If the shapes differ otherwise.
    """
    y_pred = np.asarray(y_pred)
    if y_pred.dtype.kind != "f":
        y_pred = y_pred.astype("float64")
    y_true = np.asarray(y_true)
    if y_true.dtype.kind not in "biuf":
        raise TypeError(f"y_true must hold numbers, got dtype {y_true.dtype}")
    y_true = y_true.astype(y_pred.dtype, copy=False)
    if y_true.ndim == y_pred.ndim - 1 and y_pred.shape[-1] == 1:
        y_true = y_true[..., np.newaxis]
    elif y_true.ndim == y_pred.ndim + 1 and y_true.shape[-1] == 1:
        y_true = y_true[..., 0]
    if y_true.shape != y_pred.shape:
        raise ValueError(
            f"y_true must have the shape of y_pred, {y_pred.shape}, got {y_true.shape}"
        )
    return y_true, y_pred


class Loss:
    """Base of all losses: the mean over the batch of a per-example loss.

    Parameters
    ----------
    reduction : str or None
        ``"sum_over_batch_size"`` (the mean), ``"sum"``, or None for one loss an example.
    name : str, optional
        What the loss is called.
    """

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = None
    ) -> None:
        self.reduction = check_choice(
            "reduction", reduction, ("sum_over_batch_size", "mean", "sum", "none", None)
        )
        self.name = name or type(self).__name__

    def per_example(self, y_true: NDArray, y_pred: NDArray) -> NDArray:
        """Return one loss an example, the last axis reduced."""
        raise NotImplementedError(f"{type(self).__name__} must define per_example")

    def derivative(self, y_true: NDArray, y_pred: NDArray) -> NDArray:
        """Return the derivative of each example's loss with respect to its predictions."""
        raise NotImplementedError(f"{type(self).__name__} must define derivative")

    def align(self, y_true: ArrayLike, y_pred: ArrayLike) -> tuple[NDArray, NDArray]:
        """Return targets and predictions as :meth:`per_example` wants them."""
        return align(y_true, y_pred)

    def both(self, y_true: NDArray, y_pred: NDArray) -> tuple[NDArray, NDArray]:
        """Return :meth:`per_example` and :meth:`derivative`; a loss may share work between them."""
        return self.per_example(y_true, y_pred), self.derivative(y_true, y_pred)

    def __call__(
        self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> Any:
        """Return the reduced loss of a batch, each example's loss times its weight."""
        return self._reduce(self.per_example(*self.align(y_true, y_pred)), sample_weight)

    def gradient(
        self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> NDArray:
        """Return the derivative of the reduced loss with respect to ``y_pred``."""
        return self._scale(self.derivative(*self.align(y_true, y_pred)), sample_weight)

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
        y_true, y_pred = self.align(y_true, y_pred)
        losses, derivative = (self.both_linked if linked else self.both)(y_true, y_pred)
        return self._reduce(losses, sample_weight), self._scale(derivative, sample_weight)

    @property
    def link(self) -> str | None:
        """The activation whose derivative cancels against the loss's; None if there is none."""
        return None

    def both_linked(self, y_true: NDArray, y_pred: NDArray) -> tuple[NDArray, NDArray]:
        """Return one loss an example, and the derivative by the inputs of :attr:`link`."""
        raise NotImplementedError(f"{type(self).__name__} has no link")

    def _reduce(self, losses: NDArray, sample_weight: ArrayLike | None) -> Any:
        if sample_weight is not None:
            losses = losses * _weights_for(losses, sample_weight)
        if self.reduction in ("none", None):
            return losses
        total = np.add.reduce(losses, axis=None)
        return total if self.reduction == "sum" else total / losses.size

    def _scale(self, derivative: NDArray, sample_weight: ArrayLike | None) -> NDArray:
        if self.reduction in ("sum_over_batch_size", "mean"):
            number = derivative.size // derivative.shape[-1] if derivative.ndim > 1 else 1
            derivative = derivative * (1 / number)
        if sample_weight is not None:
            weights = _weights_for(derivative[..., 0], sample_weight)
            derivative = derivative * weights[..., np.newaxis].astype(derivative.dtype)
        return derivative

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {"reduction": self.reduction, "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Loss:
        """Return a new loss from :meth:`get_config`'s result."""
        return cls(**config)


def _weights_for(losses: NDArray, sample_weight: ArrayLike) -> NDArray:
    """Return the weights in a shape that broadcasts over one loss an example."""
    weights = np.asarray(sample_weight, dtype=losses.dtype)
    if weights.ndim == losses.ndim + 1 and weights.shape[-1] == 1:
        weights = weights[..., 0]
    if weights.shape != losses.shape[: weights.ndim]:
        raise ValueError(
            f"sample_weight must have shape {losses.shape[: max(weights.ndim, 1)]}, "
            f"got {weights.shape}"
        )
    return weights.reshape(weights.shape + (1,) * (losses.ndim - weights.ndim))


class MeanSquaredError(Loss):
    r"""Mean squared error, :math:`\frac1K\sum_k(y_k - \hat y_k)^2` an example.

    References
    ----------
    ``keras.losses.MeanSquaredError``.

    Examples
    --------
    >>> float(MeanSquaredError()([[0.0, 1.0]], [[1.0, 1.0]]))
    0.5
    """

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str = "mean_squared_error"
    ) -> None:
        super().__init__(reduction, name)

    def per_example(self, y_true: NDArray, y_pred: NDArray) -> NDArray:
        """Return one loss an example."""
        return np.square(y_true - y_pred).mean(axis=-1)

    def derivative(self, y_true: NDArray, y_pred: NDArray) -> NDArray:
        """Return 2(ŷ - y)/K."""
        return (y_pred - y_true) * (2 / y_pred.shape[-1])


class MeanAbsoluteError(Loss):
    r"""Mean absolute error, :math:`\frac1K\sum_k|y_k - \hat y_k|` an example.

    References
    ----------
    ``keras.losses.MeanAbsoluteError``.

    Examples
    --------
    >>> float(MeanAbsoluteError()([[0.0, 1.0]], [[1.0, 1.0]]))
    0.5
    """

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str = "mean_absolute_error"
    ) -> None:
        super().__init__(reduction, name)

    def per_example(self, y_true: NDArray, y_pred: NDArray) -> NDArray:
        """Return one loss an example."""
        return np.abs(y_true - y_pred).mean(axis=-1)

    def derivative(self, y_true: NDArray, y_pred: NDArray) -> NDArray:
        """Return sign(ŷ - y)/K."""
        return np.sign(y_pred - y_true) / y_pred.shape[-1]


class Huber(Loss):
    r"""Squared for small errors, absolute for large: half :math:`e^2` up to :math:`\delta`.

    .. math:: \tfrac12 e^2 \text{ if } |e| \le \delta,
        \quad \delta|e| - \tfrac12\delta^2 \text{ else}

    Parameters
    ----------
    delta : float
        Where the change is, above 0.

    References
    ----------
    Huber (1964), "Robust estimation of a location parameter"; ``keras.losses.Huber``.

    Examples
    --------
    >>> float(Huber()([[0.0]], [[3.0]]))
    2.5
    """

    def __init__(
        self,
        delta: float = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str = "huber_loss",
    ) -> None:
        super().__init__(reduction, name)
        self.delta = check_number("delta", delta, low=0, low_open=True)

    def per_example(self, y_true: NDArray, y_pred: NDArray) -> NDArray:
        """Return one loss an example."""
        error = np.abs(y_pred - y_true)
        small = np.minimum(error, self.delta)
        return (small * (error - 0.5 * small)).mean(axis=-1)

    def derivative(self, y_true: NDArray, y_pred: NDArray) -> NDArray:
        """Return the error, cut at ±δ, over K."""
        return np.clip(y_pred - y_true, -self.delta, self.delta) / y_pred.shape[-1]

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "delta": self.delta}


class Hinge(Loss):
    r"""The margin loss, :math:`\max(1 - y\hat y, 0)` with :math:`y = \pm 1`.

    Targets of 0 and 1 are turned into -1 and 1, as in Keras.

    References
    ----------
    ``keras.losses.Hinge``.

    Examples
    --------
    >>> float(Hinge()([[1.0]], [[0.25]]))
    0.75
    """

    def __init__(self, reduction: str | None = "sum_over_batch_size", name: str = "hinge") -> None:
        super().__init__(reduction, name)

    def align(self, y_true: ArrayLike, y_pred: ArrayLike) -> tuple[NDArray, NDArray]:
        """Return targets of -1 and 1, and predictions."""
        y_true, y_pred = align(y_true, y_pred)
        if np.isin(y_true, (0, 1)).all():
            y_true = 2 * y_true - 1
        return y_true, y_pred

    def per_example(self, y_true: NDArray, y_pred: NDArray) -> NDArray:
        """Return one loss an example."""
        return np.maximum(1 - y_true * y_pred, 0).mean(axis=-1)

    def derivative(self, y_true: NDArray, y_pred: NDArray) -> NDArray:
        """Return -y/K inside the margin."""
        return -y_true * (y_true * y_pred < 1) / y_pred.shape[-1]


class BinaryCrossentropy(Loss):
    r"""Cross-entropy of yes-no targets, :math:`-y\log\hat y - (1-y)\log(1-\hat y)`.

    Parameters
    ----------
    from_logits : bool
        Whether predictions are logits rather than probabilities.
    label_smoothing : float
        In [0, 1]: targets become y(1 - α) + α/2.

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
        reduction: str | None = "sum_over_batch_size",
        name: str = "binary_crossentropy",
    ) -> None:
        super().__init__(reduction, name)
        self.from_logits = bool(from_logits)
        self.label_smoothing = check_number("label_smoothing", label_smoothing, low=0, high=1)

    def align(self, y_true: ArrayLike, y_pred: ArrayLike) -> tuple[NDArray, NDArray]:
        """Return smoothed targets and predictions."""
        y_true, y_pred = align(y_true, y_pred)
        if self.label_smoothing:
            y_true = y_true * (1 - self.label_smoothing) + 0.5 * self.label_smoothing
        return y_true, y_pred

    def per_example(self, y_true: NDArray, y_pred: NDArray) -> NDArray:
        """Return one loss an example."""
        if self.from_logits:
            # max(z, 0) - zy + log(1 + exp(-|z|)) never overflows.
            losses = np.maximum(y_pred, 0) - y_pred * y_true + np.log1p(np.exp(-np.abs(y_pred)))
        else:
            p = np.clip(y_pred, EPSILON, 1 - EPSILON)
            losses = -(y_true * np.log(p) + (1 - y_true) * np.log(1 - p))
        return losses.mean(axis=-1)

    def derivative(self, y_true: NDArray, y_pred: NDArray) -> NDArray:
        """Return (p - y)/(p(1 - p)), or p - y for logits, over the number of outputs."""
        if self.from_logits:
            return (activations.sigmoid(y_pred) - y_true) / y_pred.shape[-1]
        p = np.clip(y_pred, EPSILON, 1 - EPSILON)
        inside = p == y_pred
        return inside * (p - y_true) / (p * (1 - p) * y_pred.shape[-1])

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "from_logits": self.from_logits,
            "label_smoothing": self.label_smoothing,
        }


class CategoricalCrossentropy(Loss):
    r"""Cross-entropy of one-hot targets, :math:`-\sum_k y_k\log\hat y_k`.

    Parameters
    ----------
    from_logits : bool
        Whether predictions are logits rather than probabilities. Probabilities are
        divided by their sum and kept in [1e-7, 1 - 1e-7], as in Keras.
    label_smoothing : float
        In [0, 1]: targets become y(1 - α) + α/K.

    References
    ----------
    Szegedy et al. (2016), "Rethinking the Inception architecture for computer vision", for
    label smoothing; ``keras.losses.CategoricalCrossentropy``.

    Examples
    --------
    >>> float(CategoricalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]]).round(4))
    0.6931
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        reduction: str | None = "sum_over_batch_size",
        name: str = "categorical_crossentropy",
    ) -> None:
        super().__init__(reduction, name)
        self.from_logits = bool(from_logits)
        self.label_smoothing = check_number("label_smoothing", label_smoothing, low=0, high=1)

    def align(self, y_true: ArrayLike, y_pred: ArrayLike) -> tuple[NDArray, NDArray]:
        """Return smoothed targets and predictions."""
        y_true, y_pred = align(y_true, y_pred)
        if self.label_smoothing:
            spread = self.label_smoothing / y_pred.shape[-1]
            y_true = y_true * (1 - self.label_smoothing) + spread
        return y_true, y_pred

    def per_example(self, y_true: NDArray, y_pred: NDArray) -> NDArray:
        """Return one loss an example."""
        if self.from_logits:
            return -(y_true * _log_softmax(y_pred)).sum(axis=-1)
        p = y_pred / y_pred.sum(axis=-1, keepdims=True)
        return -(y_true * np.log(np.clip(p, EPSILON, 1 - EPSILON))).sum(axis=-1)

    def derivative(self, y_true: NDArray, y_pred: NDArray) -> NDArray:
        """Return the derivative; for one-hot targets and logits it is softmax(z) - y."""
        if self.from_logits:
            p = activations.softmax(y_pred)
            return p * y_true.sum(axis=-1, keepdims=True) - y_true
        total = y_pred.sum(axis=-1, keepdims=True)
        p = y_pred / total
        kept = np.clip(p, EPSILON, 1 - EPSILON)
        by_p = -(y_true / kept) * (kept == p)
        # Through the division by the sum.
        return (by_p - (by_p * p).sum(axis=-1, keepdims=True)) / total

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "from_logits": self.from_logits,
            "label_smoothing": self.label_smoothing,
        }


def _log_softmax(z: NDArray) -> NDArray:
    shifted = z - z.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


class SparseCategoricalCrossentropy(Loss):
    r"""Cross-entropy of integer targets, :math:`-\log\hat y_{k}` for class :math:`k`.

    Parameters
    ----------
    from_logits : bool
        Whether predictions are logits rather than probabilities.

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
        reduction: str | None = "sum_over_batch_size",
        name: str = "sparse_categorical_crossentropy",
    ) -> None:
        super().__init__(reduction, name)
        self.from_logits = bool(from_logits)

    def align(self, y_true: ArrayLike, y_pred: ArrayLike) -> tuple[NDArray, NDArray]:
        """Return class numbers, one an example, and predictions.

        Raises
        ------
        TypeError
            If the targets hold no numbers.
        ValueError
            If a target is no class number or the shapes differ.
        """
        y_pred = np.asarray(y_pred)
        if y_pred.dtype.kind != "f":
            y_pred = y_pred.astype("float64")
        labels = np.asarray(y_true)
        if labels.dtype.kind not in "biuf":
            raise TypeError(f"y_true must hold class numbers, got dtype {labels.dtype}")
        if labels.ndim == y_pred.ndim and labels.shape[-1] == 1:
            labels = labels[..., 0]
        if labels.shape != y_pred.shape[:-1]:
            raise ValueError(f"y_true must have shape {y_pred.shape[:-1]}, got {labels.shape}")
        classes = y_pred.shape[-1]
        indices = labels.astype(np.intp, copy=False)
        whole = labels.dtype.kind != "f" or (indices == labels).all()
        # Seen as unsigned, a negative number is too large as well.
        largest = np.maximum.reduce(indices.view(np.uintp), axis=None, initial=0)
        if not whole or largest >= classes:
            raise ValueError(f"y_true must hold class numbers from 0 to {classes - 1}, got others")
        return indices, y_pred

    def per_example(self, y_true: NDArray, y_pred: NDArray) -> NDArray:
        """Return one loss an example."""
        return self.both(y_true, y_pred)[0]

    def derivative(self, y_true: NDArray, y_pred: NDArray) -> NDArray:
        """Return the derivative; for logits it is softmax(z) - y."""
        return self.both(y_true, y_pred)[1]

    def both(self, y_true: NDArray, y_pred: NDArray) -> tuple[NDArray, NDArray]:
        """Return one loss an example, and the derivative."""
        rows = y_pred.reshape(-1, y_pred.shape[-1])
        right = np.arange(len(rows)), y_true.ravel()
        if self.from_logits:
            log_p = _log_softmax(rows)
            losses, derivative = -log_p[right], np.exp(log_p)
            derivative[right] -= 1
        else:
            total = np.add.reduce(rows, axis=-1)
            p = rows[right] / total
            kept = np.minimum(np.maximum(p, EPSILON), 1 - EPSILON)
            losses = -np.log(kept)
            # Every output stands in the sum that it is divided by, the right one above it too.
            by_p = (kept == p) / (kept * -total)
            derivative = np.empty_like(rows)
            derivative[...] = (-by_p * p)[:, np.newaxis]
            derivative[right] += by_p
        return losses.reshape(y_true.shape), derivative.reshape(y_pred.shape)

    @property
    def link(self) -> str | None:
        """Softmax, unless predictions are logits."""
        return None if self.from_logits else "softmax"

    def both_linked(self, y_true: NDArray, y_pred: NDArray) -> tuple[NDArray, NDArray]:
        """Return one loss an example, and softmax(z) less 1 for the right class."""
        rows = y_pred.reshape(-1, y_pred.shape[-1])
        right = np.arange(len(rows)), y_true.ravel()
        p = rows[right]
        kept = np.minimum(np.maximum(p, EPSILON), 1 - EPSILON)
        derivative = rows.copy()
        derivative[right] = p - 1
        if np.minimum.reduce(p) < EPSILON:  # there the clipped loss is flat, as in Keras
            derivative *= (p >= EPSILON)[:, np.newaxis]
        return -np.log(kept).reshape(y_true.shape), derivative.reshape(y_pred.shape)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "from_logits": self.from_logits}


_REGISTRY: dict[str, type[Loss]] = {
    name: cls
    for cls, *names in (
        (MeanSquaredError, "mean_squared_error", "mse", "MSE"),
        (MeanAbsoluteError, "mean_absolute_error", "mae", "MAE"),
        (Huber, "huber", "huber_loss"),
        (Hinge, "hinge"),
        (BinaryCrossentropy, "binary_crossentropy"),
        (CategoricalCrossentropy, "categorical_crossentropy"),
        (SparseCategoricalCrossentropy, "sparse_categorical_crossentropy"),
    )
    for name in (cls.__name__, *names)
}


def get(identifier: Any) -> Loss | None:
    """Return the loss that ``identifier`` means.

    Raises
    ------
    ValueError
        If the name is unknown or the identifier is of no use.

    Examples
    --------
    >>> get("mse").name
    'mean_squared_error'
    """
    return _serialization.get(identifier, _REGISTRY, "loss")


def serialize(loss: Loss) -> dict[str, Any] | None:
    """Return Keras's description of a loss, as plain data."""
    return _serialization.serialize(loss, "losses")


def deserialize(config: Mapping[str, Any]) -> Loss:
    """Return the loss that Keras's description means."""
    return _serialization.deserialize(config, _REGISTRY, "loss")
