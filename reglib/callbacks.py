"""What happens beside training: Keras's callback protocol, and the callbacks that regularize."""

from __future__ import annotations

import contextlib
import inspect
import os
import warnings
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from reglib._absent import refuse
from reglib._arguments import (
    Choice,
    Flag,
    Function,
    Integer,
    List,
    Number,
    PathName,
    Text,
    arguments,
)
from reglib._validation import (
    check_folder_of,
)

if TYPE_CHECKING:
    import pandas as pd

Logs = dict[str, float] | None


# How much a callback prints: 0 nothing, above it each change.
_VERBOSE = Integer(">= 0") | Flag()


class Callback:
    """Base of all callbacks: override the moments that matter, leave the others.

    Epochs and batches count from 0; ``logs`` maps names to numbers.
    """

    def __init__(self) -> None:
        self.params: dict[str, Any] = {}
        self.model: Any = None

    def set_params(self, params: dict[str, Any]) -> None:
        """Take note of verbose, epochs and steps."""
        self.params = params

    def set_model(self, model: Any) -> None:
        """Take note of the model in training."""
        self.model = model

    def on_train_begin(self, logs: Logs = None) -> None:
        """Run when ``fit`` starts."""

    def on_train_end(self, logs: Logs = None) -> None:
        """Run when ``fit`` ends."""

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Run before each epoch."""

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Run after each epoch and its validation."""

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Run before each training batch."""

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Run after each training batch."""

    def on_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Another name for :meth:`on_train_batch_begin`."""

    def on_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Another name for :meth:`on_train_batch_end`."""

    def on_test_begin(self, logs: Logs = None) -> None:
        """Run when an evaluation starts."""

    def on_test_end(self, logs: Logs = None) -> None:
        """Run when an evaluation ends."""

    def on_test_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Run before each batch of an evaluation."""

    def on_test_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Run after each batch of an evaluation."""

    def on_predict_begin(self, logs: Logs = None) -> None:
        """Run when a prediction starts."""

    def on_predict_end(self, logs: Logs = None) -> None:
        """Run when a prediction ends."""

    def on_predict_batch_begin(self, batch: int, logs: Logs = None) -> None:
        """Run before each batch of a prediction."""

    def on_predict_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Run after each batch of a prediction."""


#: The moments as nobody has overridden them.
_NOTHING = frozenset(f for name, f in vars(Callback).items() if name.startswith("on_"))


class CallbackList:
    """Several callbacks called as one.

    Parameters
    ----------
    callbacks : object or iterable
        Anything with the protocol's methods, of either library; one, or several in a list, which
        may hold lists.
    model : Model, optional
        Handed to each.
    params : dict
        ``verbose``, ``epochs``, ``steps``, handed to each.

    Raises
    ------
    TypeError
        If one is no object with these methods.
    """

    def __init__(self, callbacks: Any = (), model: Any = None, **params: Any) -> None:
        self.callbacks = [_for_us(callback) for callback in _each(callbacks)]
        for callback in self.callbacks:
            callback.set_params(params)
            if model is not None:
                callback.set_model(model)
                _tell_direction(callback, model)

    def __getattr__(self, moment: str) -> Callable[..., None]:
        if not moment.startswith("on_"):
            raise AttributeError(moment)
        hooks = []
        for callback in self.callbacks:
            hooks.append(getattr(callback, moment))
            # Keras's callbacks pass a batch on to its other name themselves.
            if moment.startswith("on_train_batch") and isinstance(callback, Callback):
                hooks.append(getattr(callback, moment.replace("train_", "")))
        # A moment that nobody overrides costs nothing, even in the inner loop.
        hooks = [hook for hook in hooks if getattr(hook, "__func__", None) not in _NOTHING]
        counted = "epoch" in moment or "batch" in moment

        def call_all(*arguments: Any) -> None:
            if hooks:
                # A callable stands for logs that are worked out only when somebody listens.
                arguments = tuple(a() if callable(a) else a for a in arguments)
                if len(arguments) <= counted:
                    # Logs are always given, as a hook may ask for them.
                    arguments = (*arguments, {})
            for hook in hooks:
                hook(*arguments)

        # Kept, so that the hooks are looked up once and not in every epoch.
        setattr(self, moment, call_all)
        return call_all


def _each(callbacks: Any) -> Iterator[Any]:
    """Yield the callbacks in a list and the lists within it; one may stand alone."""
    if isinstance(callbacks, str) or not hasattr(callbacks, "__iter__"):
        if isinstance(callbacks, type) or not hasattr(callbacks, "set_params"):
            raise TypeError(
                f"callbacks must be objects with the protocol, or a list of them, got {callbacks!r}"
            )
        yield callbacks
    else:
        for part in callbacks:
            yield from _each(part)


class History(Callback):
    """What the logs said at the end of each epoch; ``fit`` returns one.

    Attributes
    ----------
    epoch : list of int
        The epochs, from 0.
    history : dict of str to list of float
        One list a name.
    """

    def __init__(self) -> None:
        super().__init__()
        self.epoch: list[int] = []
        self.history: dict[str, list[float]] = {}

    def on_train_begin(self, logs: Logs = None) -> None:
        """Start a new list of epochs; the recorded values stay."""
        self.epoch = []

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Record the logs."""
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)

    def to_frame(self) -> pd.DataFrame:
        """Return the history as a pandas table with one row an epoch."""
        import pandas as pd

        return pd.DataFrame(self.history, index=pd.Index(self.epoch, name="epoch"))


@arguments(monitor=Text(), mode=Choice("auto", "min", "max"), metrics=List("metrics"))
def monitor_comparison(monitor: str, mode: str, metrics: Iterable[Any] = ()) -> Callable:
    """Return ``np.less`` or ``np.greater``: which of two monitored values is better.

    Parameters
    ----------
    monitor : str
        The key in the logs.
    mode : {"auto", "min", "max"}
        ``"auto"`` asks the metric of that name; a loss is minimized.
    metrics : iterable
        The model's metrics; those of a model of Keras hold others.

    Raises
    ------
    ValueError
        If ``mode`` is ``"auto"`` and nobody knows which way the monitored value is better.
    """
    name = monitor.removeprefix("val_")
    for metric in metrics:
        if not hasattr(metric, "name"):
            raise TypeError(f"metrics must have names, got {metric!r}")
    if mode == "min":
        return np.less
    if mode == "max":
        return np.greater
    if name in ("loss", "data_loss", "penalty"):
        return np.less
    for metric in [each for m in metrics for each in (m, *getattr(m, "metrics", ()))]:
        direction = getattr(metric, "_direction", None)
        if metric.name == name and direction in ("up", "down"):
            return np.greater if direction == "up" else np.less
    raise ValueError(
        f"mode must be 'min' or 'max' for monitor={monitor!r}: no metric of that name says "
        "which way is better, got 'auto'"
    )


@contextlib.contextmanager
def _naming_what_there_is(logs: Logs) -> Iterator[None]:
    """Add the names in the logs to an error that one of them is unknown."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{error}; the logs have {', '.join(logs or {}) or 'nothing'}") from error


def _for_us(callback: Any) -> Any:
    """Return ours for a callback of Keras that changes Keras's variables; others as they are."""
    if type(callback).__name__ == "SwapEMAWeights" and not isinstance(callback, Callback):
        return SwapEMAWeights(callback.swap_on_epoch)
    return callback


def _tell_direction(callback: Any, model: Any) -> None:
    """Tell a callback of Keras which way is better: it looks for Keras's metrics in the model."""
    watches = hasattr(callback, "monitor") and getattr(callback, "mode", None) == "auto"
    if isinstance(callback, Callback) or not watches:
        return
    # Where it cannot be known, Keras's callback says so itself.
    with contextlib.suppress(ValueError):
        better = monitor_comparison(callback.monitor, "auto", getattr(model, "metrics", ()))
        callback.mode = "min" if better is np.less else "max"


@arguments(monitor=Text(), mode=Choice("auto", "min", "max"), min_delta=Number())
class Monitor(Callback):
    """What callbacks share that watch one value in the logs.

    Parameters
    ----------
    monitor : str
        The key in the logs.
    mode : {"auto", "min", "max"}
        Which way is better.
    min_delta : float
        What an improvement must exceed; its sign does not matter.

    Raises
    ------
    TypeError
        If an argument has the wrong type.
    ValueError
        If ``mode`` is unknown, ``monitor`` is empty, or ``min_delta`` is NaN or infinite.
    """

    def __init__(self, monitor: str, mode: str, min_delta: float) -> None:
        super().__init__()
        self.monitor = monitor
        self.mode = mode
        self.min_delta = abs(min_delta)
        self.monitor_op: Callable | None = None

    def monitored(self, logs: Logs) -> float | None:
        """Return the value in the logs; warn and return None when it is not there."""
        if self.monitor_op is None:
            metrics = getattr(self.model, "metrics", ())
            with _naming_what_there_is(logs):
                self.monitor_op = monitor_comparison(self.monitor, self.mode, metrics)
        value = (logs or {}).get(self.monitor)
        if value is None:
            warnings.warn(
                f"{type(self).__name__} monitors {self.monitor!r}, which is not in the logs; "
                f"they have {', '.join(logs or {}) or 'nothing'}",
                stacklevel=3,
            )
        return value

    def improves(self, value: float, reference: float | None) -> bool:
        """Return whether a value beats the reference by more than ``min_delta``."""
        if reference is None:
            return not np.isnan(value)
        margin = self.min_delta if self.monitor_op is np.less else -self.min_delta
        return bool(self.monitor_op(value + margin, reference))


@arguments(
    patience=Integer(">= 0"),
    verbose=_VERBOSE,
    baseline=Number(),
    restore_best_weights=Flag(),
    start_from_epoch=Integer(">= 0"),
)
class EarlyStopping(Monitor):
    """Stop when the monitored value has not improved for ``patience`` epochs.

    A value improves when it beats the best so far by more than ``min_delta``.

    Parameters
    ----------
    monitor : str
        The key in the logs.
    min_delta : float
        What an improvement must exceed; its sign does not matter.
    patience : int
        Epochs without improvement after which training stops; 0 acts like 1.
    verbose : int
        1 prints when it stops.
    mode : {"auto", "min", "max"}
        Which way is better.
    baseline : float, optional
        Patience is only restored by an improvement that also beats this value.
    restore_best_weights : bool
        Whether to put back the weights of the best epoch when training ends, for whatever
        reason it ends.
    start_from_epoch : int
        How many epochs to wait before watching.

    Attributes
    ----------
    stopped_epoch : int
        The epoch, from 0, in which training was stopped; 0 when it was not.
    best : float
        The best value.
    best_epoch : int
        Its epoch.

    Raises
    ------
    TypeError
        If an argument has the wrong type.
    ValueError
        If a number is out of range, ``mode`` is unknown or ``monitor`` is empty.

    References
    ----------
    Prechelt (1998), "Early stopping - but when?"; ``keras.callbacks.EarlyStopping``.

    Notes
    -----
    A NaN never counts as the best: Keras 3.15 keeps a NaN that comes first as the best for
    ever, and then stops although the loss improves.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        self.patience = patience
        self.verbose = verbose
        self.baseline = baseline
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = start_from_epoch
        self._forget()

    def _forget(self) -> None:
        self.wait = 0
        self.stopped_epoch = 0
        self.best: float | None = None
        self.best_epoch = 0
        self.best_weights: list | None = None

    def on_train_begin(self, logs: Logs = None) -> None:
        """Start afresh, so that one object can watch several fits."""
        self._forget()

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Compare, remember, and stop when patience is out."""
        value = self.monitored(logs)
        if value is None or epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self.best_weights is None:
            # Something to go back to, even if nothing ever improves.
            self.best_weights = self.model.get_weights()
            self.best_epoch = epoch
        self.wait += 1
        if self.improves(value, self.best):
            self.best, self.best_epoch = value, epoch
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
            if self.baseline is None or self.improves(value, self.baseline):
                self.wait = 0
            return
        if self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: Logs = None) -> None:
        """Say so, and put back the best weights."""
        if self.verbose and self.stopped_epoch:
            print(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.restore_best_weights and self.best_weights is not None:
            if self.verbose:
                print(f"Restoring the weights of the best epoch, {self.best_epoch + 1}")
            self.model.set_weights(self.best_weights)


@arguments(
    factor=Number("[0, 1)"),
    patience=Integer(">= 0"),
    verbose=_VERBOSE,
    cooldown=Integer(">= 0"),
    min_lr=Number(">= 0"),
)
class ReduceLROnPlateau(Monitor):
    """Lower the learning rate when the monitored value has stopped improving.

    Parameters
    ----------
    monitor : str
        The key in the logs.
    factor : float
        What the rate is multiplied by, below 1.
    patience : int
        Epochs without improvement after which it is lowered.
    verbose : int
        1 prints each change.
    mode : {"auto", "min", "max"}
        Which way is better.
    min_delta : float
        What an improvement must exceed.
    cooldown : int
        Epochs to wait after a change before counting again.
    min_lr : float
        The lowest rate.

    Raises
    ------
    TypeError
        If an argument has the wrong type.
    ValueError
        If a number is out of range, ``mode`` is unknown or ``monitor`` is empty.

    References
    ----------
    ``keras.callbacks.ReduceLROnPlateau``.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        self.factor = factor
        self.patience = patience
        self.verbose = verbose
        self.cooldown = cooldown
        self.min_lr = min_lr
        self._forget()

    def _forget(self) -> None:
        self.wait = 0
        self.cooldown_counter = 0
        self.best: float | None = None

    def on_train_begin(self, logs: Logs = None) -> None:
        """Start afresh."""
        self._forget()

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Compare, count, and lower the rate when patience is out."""
        if logs is not None:
            logs["learning_rate"] = float(self.model.optimizer.learning_rate)
        value = self.monitored(logs)
        if value is None:
            return
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.wait = 0
        if self.improves(value, self.best):
            self.best, self.wait = value, 0
        elif self.cooldown_counter == 0:
            self.wait += 1
            if self.wait >= self.patience:
                self._lower(epoch)

    def _lower(self, epoch: int) -> None:
        old = float(self.model.optimizer.learning_rate)
        if old <= self.min_lr:
            return
        new = max(old * self.factor, self.min_lr)
        self.model.optimizer.learning_rate = new
        if self.verbose:
            print(f"Epoch {epoch + 1}: the learning rate is lowered to {new:g}")
        self.cooldown_counter = self.cooldown
        self.wait = 0


@arguments(schedule=Function(), verbose=_VERBOSE)
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
        self._takes_rate = _takes(schedule, 2)
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


def _takes(function: Callable, number: int) -> bool:
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


@arguments(filename=PathName(), separator=Text(), append=Flag())
class CSVLogger(Callback):
    """Write the logs of each epoch to a CSV file as they come.

    The first epoch decides on the columns. Where it has no validation, every name gets a
    ``val_`` column besides, for validation that comes later; what an epoch lacks is ``NA``.

    Parameters
    ----------
    filename : path
        Where to.
    separator : str
        Between the columns.
    append : bool
        Whether to go on in a file that exists.

    Raises
    ------
    TypeError
        If an argument has the wrong type.
    ValueError
        If ``separator`` is not one character or ``filename`` is empty.
    FileNotFoundError
        In training, if the folder is missing.

    References
    ----------
    ``keras.callbacks.CSVLogger``.
    """

    def __init__(
        self, filename: str | os.PathLike, separator: str = ",", append: bool = False
    ) -> None:
        # Here, so that importing the library takes little more than NumPy does.
        from pathlib import Path

        super().__init__()
        self.filename = Path(filename)
        self.separator = separator
        if len(separator) > 1:
            raise ValueError(f"separator must be one character, got {separator!r}")
        self.append = append
        self.file: Any = None
        self.writer: Any = None

    def on_train_begin(self, logs: Logs = None) -> None:
        """Open the file."""
        check_folder_of("filename", self.filename)
        continued = self.append and self.filename.exists() and self.filename.stat().st_size > 0
        self.file = self.filename.open("a" if self.append else "w", newline="", encoding="utf-8")
        self.writer, self._header_is_there = None, continued

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Write a row and flush it, so that an interrupted run leaves whole rows."""
        import csv  # here, so that importing the library takes little more than NumPy does

        row = {"epoch": epoch, **(logs or {})}
        if self.writer is None:
            columns = list(row)
            if not any(name.startswith("val_") for name in columns):
                columns += [f"val_{name}" for name in columns[1:]]
            self.writer = csv.DictWriter(
                self.file, columns, "NA", "ignore", delimiter=self.separator
            )
            if not self._header_is_there:
                self.writer.writeheader()
        self.writer.writerow(row)
        self.file.flush()

    def on_train_end(self, logs: Logs = None) -> None:
        """Close the file."""
        self.file.close()


@arguments(
    filepath=PathName(),
    verbose=_VERBOSE,
    save_best_only=Flag(),
    save_weights_only=Flag(),
    save_freq=Integer(">= 1") | Choice("epoch"),
    initial_value_threshold=Number(),
)
class ModelCheckpoint(Monitor):
    """Save the model after each epoch, or only when it is the best so far.

    Parameters
    ----------
    filepath : path
        Where to; may hold ``{epoch}``, counted from 1, and names from the logs, such as
        ``{val_loss:.2f}``, and ``{batch}`` if it is saved within epochs. Folders are made.
    monitor : str
        The key in the logs that says what is best.
    verbose : int
        1 prints each save.
    save_best_only : bool
        Whether to save only what is better than all before; where the monitored value is not in
        the logs, the model is saved, with a warning.
    save_weights_only : bool
        Whether to leave out how the model is made: ``load_weights`` reads the file.
    mode : {"auto", "min", "max"}
        Which way is better.
    save_freq : "epoch" or int
        When to save: after each epoch, or after so many batches.
    initial_value_threshold : float, optional
        What the first save must beat.

    Raises
    ------
    TypeError
        If an argument has the wrong type.
    ValueError
        If a number is out of range, ``mode`` or ``save_freq`` is unknown, or a text is empty.

    References
    ----------
    ``keras.callbacks.ModelCheckpoint``.
    """

    def __init__(
        self,
        filepath: str | os.PathLike,
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: str | int = "epoch",
        initial_value_threshold: float | None = None,
    ) -> None:
        super().__init__(monitor, mode, 0.0)
        self.filepath = filepath
        self.verbose = verbose
        self.save_best_only = save_best_only
        self.save_weights_only = save_weights_only
        self.save_freq = save_freq
        if save_freq != "epoch":
            self.batches = 0
            # Only now: where a callback listens to batches, fit works out the logs of each.
            self.on_train_batch_end = self._count_batch
        self.best = initial_value_threshold

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Note the epoch."""
        self._epoch = epoch

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Save, if it is to be saved."""
        if self.save_freq == "epoch":
            self._save(logs or {}, {"epoch": epoch + 1})

    def _count_batch(self, batch: int, logs: Logs = None) -> None:
        self.batches += 1
        if self.batches % self.save_freq == 0:
            self._save(logs or {}, {"epoch": self._epoch + 1, "batch": batch + 1})

    def _save(self, logs: dict[str, float], counted: dict[str, int]) -> None:
        from pathlib import Path  # here, as above

        if self.save_best_only:
            value = self.monitored(logs)
            # Better one model too many than none: where the value is not there, save.
            if value is not None and not self.improves(value, self.best):
                return
            self.best = value if value is not None else self.best
        try:
            path = self.filepath.format(**{**logs, **counted})
        except (KeyError, IndexError) as error:
            raise ValueError(
                f"filepath must name what there is, {', '.join([*counted, *logs])}, "
                f"got {self.filepath!r}"
            ) from error
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        if self.save_weights_only:
            self.model.save_weights(path)
        else:
            self.model.save(path)
        if self.verbose:
            print(f"Epoch {counted['epoch']}: saved to {path}")


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


__getattr__ = partial(refuse, __name__)
