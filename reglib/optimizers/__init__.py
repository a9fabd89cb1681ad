r"""Optimizers: how a gradient becomes a step.

All parameters of a model lie end to end in one vector (:class:`Block`), and so do their
gradients: an optimizer sees two flat arrays and knows nothing of layers. In the formulas
:math:`w` are the weights, :math:`g` the gradient, :math:`\eta` the learning rate and
:math:`t` the number of the step, from 1.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from reglib import _serialization
from reglib import schedules as schedules
from reglib._absent import refuse
from reglib.optimizers.adam import Adam as Adam
from reglib.optimizers.adam import AdamW as AdamW
from reglib.optimizers.base import Optimizer as Optimizer
from reglib.optimizers.base import Rate as Rate
from reglib.optimizers.base import clip_by_norm as clip_by_norm
from reglib.optimizers.block import Block as Block
from reglib.optimizers.lion import Lion as Lion
from reglib.optimizers.rmsprop import RMSprop as RMSprop
from reglib.optimizers.sgd import SGD as SGD

_REGISTRY: dict[str, type[Optimizer]] = {
    name: cls
    for cls in (SGD, RMSprop, Adam, AdamW, Lion)
    for name in (cls.__name__, cls.__name__.lower())
}


def get(identifier: Any) -> Optimizer:
    """Return the optimizer that ``identifier`` means.

    Raises
    ------
    ValueError
        If the name is unknown or the identifier is of no use.
    TypeError
        If it is an optimizer of another library.

    Examples
    --------
    >>> get("adam").learning_rate
    0.001
    """
    optimizer = _serialization.get(identifier, _REGISTRY, "optimizer")
    if optimizer is not None and not hasattr(optimizer, "step"):
        raise TypeError(f"optimizer must be a name or an Optimizer of reglib, got {optimizer!r}")
    return optimizer


def serialize(optimizer: Optimizer) -> dict[str, Any] | None:
    """Return Keras's description of an optimizer, as plain data."""
    return _serialization.serialize(optimizer, "optimizers")


def deserialize(config: dict[str, Any]) -> Optimizer:
    """Return the optimizer that Keras's description means."""
    return _serialization.deserialize(config, _REGISTRY, "optimizer")


__getattr__ = partial(refuse, __name__)
