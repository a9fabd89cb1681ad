"""What is done at a moment of training: another learning rate, a stop, a function."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from reglib._arguments import (
    Flag,
    Function,
    Number,
    arguments,
)
from reglib.callbacks.base import VERBOSE, Callback, Logs

if TYPE_CHECKING:
    pass


@arguments(schedule=Function(), verbose=VERBOSE)
class LearningRateScheduler(Callback):
    """Set the learning rate at the start of each epoch.

    Parameters
    ----------
    schedule : callable
        ``schedule(epoch, learning_rate)`` or ``schedule(epoch)`` returns the new rate.
    verbose : int
        1 prints each change.

    Raises
    ------
    TypeError
        If ``schedule`` is no function or ``verbose`` no integer.
    ValueError
        If ``verbose`` is negative.

    References
    ----------
    ``keras.callbacks.LearningRateScheduler``.
    """

    def __init__(self, schedule: Callable[..., float], verbose: int = 0) -> None:
        super().__init__()
        self.schedule = schedule
        self._takes_rate = takes(schedule, 2)
        self.verbose = verbose

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Ask the schedule, and set the rate."""
        rate = float(self.model.optimizer.learning_rate)
        rate = self.schedule(epoch, rate) if self._takes_rate else self.schedule(epoch)
        rate = Number(">= 0").check("learning_rate from the schedule", rate)
        self.model.optimizer.learning_rate = rate
        if self.verbose:
            print(f"Epoch {epoch + 1}: the learning rate is {rate:g}")

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Write the rate into the logs."""
        if logs is not None:
            logs["learning_rate"] = float(self.model.optimizer.learning_rate)


def takes(function: Callable, number: int) -> bool:
    """Return whether a function can be called with that many arguments."""
    try:
        inspect.signature(function).bind(*[None] * number)
    except TypeError:
        return False
    except ValueError:  # some functions of C have no signature
        return True
    return True


@arguments(raise_error=Flag())
class TerminateOnNaN(Callback):
    """Stop as soon as a batch's loss is NaN or infinite.

    Parameters
    ----------
    raise_error : bool
        Whether to raise instead of stopping.

    Raises
    ------
    RuntimeError
        In training, if ``raise_error`` and the loss is NaN or infinite.

    References
    ----------
    ``keras.callbacks.TerminateOnNaN``.
    """

    def __init__(self, raise_error: bool = False) -> None:
        super().__init__()
        self.raise_error = raise_error

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Look at the loss."""
        loss = (logs or {}).get("loss")
        if loss is None or np.isfinite(loss):
            return
        if self.raise_error:
            raise RuntimeError(f"the loss is {loss} at batch {batch}")
        self.model.stop_training = True


class LambdaCallback(Callback):
    """Functions called at the moments of the protocol.

    Parameters
    ----------
    **moments
        Functions by the name of their moment, such as ``on_epoch_end``.

    Raises
    ------
    TypeError
        If a name is no moment or a value is no function.

    References
    ----------
    ``keras.callbacks.LambdaCallback``.
    """

    def __init__(self, **moments: Callable[..., Any] | None) -> None:
        super().__init__()
        for moment, function in moments.items():
            if not (moment.startswith("on_") and hasattr(Callback, moment)):
                raise TypeError(f"moments must be names of the protocol, got {moment!r}")
            if function is not None and not callable(function):
                raise TypeError(f"{moment} must be a function, got {function!r}")
            if function is not None:
                setattr(self, moment, function)
