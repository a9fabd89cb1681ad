r"""Losses: how wrong predictions are, with the gradient that training starts from.

Every loss is the mean over the batch of a per-example loss :math:`\ell(y, \hat y)`. An object
has ``loss(y_true, y_pred)`` for the value and ``loss.gradient(y_true, y_pred)`` for the
derivative with respect to the predictions.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from reglib import _serialization
from reglib._absent import refuse
from reglib.losses import functions
from reglib.losses.base import EPSILON as EPSILON
from reglib.losses.base import Loss as Loss
from reglib.losses.crossentropy import BinaryCrossentropy as BinaryCrossentropy
from reglib.losses.crossentropy import CategoricalCrossentropy as CategoricalCrossentropy
from reglib.losses.crossentropy import KLDivergence as KLDivergence
from reglib.losses.crossentropy import (
    SparseCategoricalCrossentropy as SparseCategoricalCrossentropy,
)
from reglib.losses.functions import *  # noqa: F403
from reglib.losses.regression import Huber as Huber
from reglib.losses.regression import MeanAbsoluteError as MeanAbsoluteError
from reglib.losses.regression import MeanAbsolutePercentageError as MeanAbsolutePercentageError
from reglib.losses.regression import MeanSquaredError as MeanSquaredError

# Each class with the function of the same loss, and its further names.
_LOSSES = (
    (MeanSquaredError, functions.mean_squared_error, "mse", "MSE"),
    (MeanAbsoluteError, functions.mean_absolute_error, "mae", "MAE"),
    (MeanAbsolutePercentageError, functions.mean_absolute_percentage_error, "mape", "MAPE"),
    (Huber, functions.huber, "huber_loss"),
    (KLDivergence, functions.kl_divergence, "kld", "KLD"),
    (BinaryCrossentropy, functions.binary_crossentropy, "bce", "BCE"),
    (CategoricalCrossentropy, functions.categorical_crossentropy),
    (SparseCategoricalCrossentropy, functions.sparse_categorical_crossentropy),
)
_REGISTRY: dict[str, type[Loss]] = {
    name: cls
    for cls, function, *names in _LOSSES
    for name in (cls.__name__, function.__name__, *names)
}
_OF_FUNCTIONS = {function: cls for cls, function, *_ in _LOSSES}


def get(identifier: Any) -> Loss | None:
    """Return the loss that ``identifier`` means; a function of this module means its class.

    Raises
    ------
    ValueError
        If the name is unknown or the identifier is of no use.
    TypeError
        If it is a function of your own: a loss is an object that knows its derivative.

    Examples
    --------
    >>> get("mse").name
    'mean_squared_error'
    """
    if callable(identifier) and not isinstance(identifier, Loss):
        identifier = _OF_FUNCTIONS.get(identifier, identifier)
    loss = _serialization.get(identifier, _REGISTRY, "loss")
    if loss is not None and not hasattr(loss, "value_and_gradient"):
        raise TypeError(
            f"loss must be a name or a Loss, which knows its derivative, got {identifier!r}"
        )
    return loss


def serialize(loss: Loss | None) -> dict[str, Any] | None:
    """Return Keras's description of a loss, as plain data."""
    return _serialization.serialize(loss, "losses")


def deserialize(config: Mapping[str, Any]) -> Loss:
    """Return the loss that Keras's description means."""
    return _serialization.deserialize(config, _REGISTRY, "loss")


__getattr__ = partial(refuse, __name__)
