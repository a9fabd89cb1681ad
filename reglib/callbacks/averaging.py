"""Averages of the weights along the way: moving, or stochastic weight averaging."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from reglib._arguments import (
    Flag,
    Integer,
    arguments,
)
from reglib.callbacks.base import Callback, Logs

if TYPE_CHECKING:
    pass


@arguments(swap_on_epoch=Flag())
class SwapEMAWeights(Callback):
    """Evaluate and predict with the optimizer's averaged weights: swap them in, and back out.

    Parameters
    ----------
    swap_on_epoch : bool
        Whether to swap at an epoch's end too, until the next begins, so that a checkpoint after
        this one saves the average.

    Raises
    ------
    ValueError
        In training, if the optimizer keeps no average (``use_ema=True``).

    References
    ----------
    Polyak and Juditsky (1992), "Acceleration of stochastic approximation by averaging";
    ``keras.callbacks.SwapEMAWeights``.
    """

    def __init__(self, swap_on_epoch: bool = False) -> None:
        super().__init__()
        self.swap_on_epoch = swap_on_epoch
        # The trained weights, while the average is in their place.
        self._trained: list[np.ndarray] | None = None

    def _places_and_averages(self) -> list[tuple[Any, Any]]:
        """Return the arrays of weights with their averages; in a model of Keras, its variables."""
        optimizer = self.model.optimizer
        if not optimizer.use_ema:
            raise ValueError("SwapEMAWeights needs an optimizer with use_ema=True, got without")
        if not hasattr(optimizer, "block"):
            averages = optimizer._model_variables_moving_average
            return list(zip(optimizer._trainable_variables, averages, strict=True))
        return [] if optimizer.average is None else [(optimizer.block.value, optimizer.average)]

    def _swap_in(self) -> None:
        pairs = self._places_and_averages()
        if self._trained is None and pairs:
            self._trained = [np.asarray(place).copy() for place, _ in pairs]
            for place, average in pairs:
                _overwrite(place, average)

    def _swap_out(self) -> None:
        if self._trained is not None:
            pairs = self._places_and_averages()
            for (place, _), trained in zip(pairs, self._trained, strict=True):
                _overwrite(place, trained)
            self._trained = None

    def on_train_begin(self, logs: Logs = None) -> None:
        """Start afresh."""
        self._trained = None

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Put the trained weights back."""
        if self.swap_on_epoch:
            self._swap_out()

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Put the average in."""
        if self.swap_on_epoch:
            self._swap_in()

    def on_test_begin(self, logs: Logs = None) -> None:
        """Put the average in."""
        self._swap_in()

    def on_test_end(self, logs: Logs = None) -> None:
        """Put the trained weights back."""
        self._swap_out()

    def on_predict_begin(self, logs: Logs = None) -> None:
        """Put the average in."""
        self._swap_in()

    def on_predict_end(self, logs: Logs = None) -> None:
        """Put the trained weights back."""
        self._swap_out()

    def on_train_end(self, logs: Logs = None) -> None:
        """Forget the trained weights: a model ends with the average."""
        self._trained = None


def _overwrite(place: Any, value: Any) -> None:
    """Write a value into an array, or into a variable of Keras."""
    if isinstance(place, np.ndarray):
        place[...] = value
    else:
        place.assign(np.asarray(value).copy())  # as JAX gives away the memory of each variable


@arguments(start_epoch=Integer(">= 0"), frequency=Integer(">= 1"))
class SWA(Callback):
    r"""Average the weights of the last epochs: :math:`\bar w \leftarrow \bar w + (w - \bar w)/n`.

    Parameters
    ----------
    start_epoch : int
        The first epoch, from 0, whose weights count.
    frequency : int
        Every how many epochs they are taken.

    Raises
    ------
    TypeError
        If an argument has the wrong type.
    ValueError
        If a number is out of range.

    References
    ----------
    Izmailov et al. (2018), "Averaging weights leads to wider optima and better
    generalization". Keras has none.

    Notes
    -----
    Running means of batch normalization belong to the weights before the average: renew them
    with :func:`reglib.models.renew_batch_statistics` on the training data afterwards.
    """

    def __init__(self, start_epoch: int = 0, frequency: int = 1) -> None:
        super().__init__()
        self.start_epoch = start_epoch
        self.frequency = frequency

    def on_train_begin(self, logs: Logs = None) -> None:
        """Start afresh."""
        self.number = 0
        self.average: list[np.ndarray] = []

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Take the weights into the average."""
        since = epoch - self.start_epoch
        if since < 0 or since % self.frequency:
            return
        self.number += 1
        weights = self.model.get_weights()
        if not self.average:
            self.average = [w.astype("float64") for w in weights]
        for mean, w in zip(self.average, weights, strict=True):
            mean += (w - mean) / self.number

    def on_train_end(self, logs: Logs = None) -> None:
        """Give the model the average."""
        if self.average:
            self.model.set_weights(self.average)
