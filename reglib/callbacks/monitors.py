"""What watches a number of the logs: to stop, to slow down, or to save the best."""

from __future__ import annotations

import contextlib
import os
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from reglib._arguments import (
    Choice,
    Flag,
    Integer,
    List,
    Number,
    PathName,
    Text,
    arguments,
)
from reglib.callbacks.base import VERBOSE, Callback, Logs

if TYPE_CHECKING:
    pass


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
        assert self.monitor_op is not None  # as the value came from monitored
        margin = self.min_delta if self.monitor_op is np.less else -self.min_delta
        return bool(self.monitor_op(value + margin, reference))


@arguments(
    patience=Integer(">= 0"),
    verbose=VERBOSE,
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
    verbose=VERBOSE,
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


@arguments(
    filepath=PathName(),
    verbose=VERBOSE,
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
        self.save_freq: Any = save_freq
        if save_freq != "epoch":
            self.batches = 0
            # Only now: where a callback listens to batches, fit works out the logs of each.
            self.on_train_batch_end = self._count_batch  # type: ignore[method-assign]  # see above
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
            path = os.fspath(self.filepath).format(**{**logs, **counted})
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
