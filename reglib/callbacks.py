"""What happens beside training: Keras's callback protocol, History and EarlyStopping."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from reglib._validation import check_choice, check_integer, check_number

if TYPE_CHECKING:
    import pandas as pd

Logs = dict[str, float] | None


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


class CallbackList:
    """Several callbacks called as one.

    Parameters
    ----------
    callbacks : iterable
        Anything with the protocol's methods, of either library.
    model : Model, optional
        Handed to each.
    params : dict
        ``verbose``, ``epochs``, ``steps``, handed to each.
    """

    def __init__(self, callbacks: Iterable[Any] = (), model: Any = None, **params: Any) -> None:
        self.callbacks = list(callbacks)
        for callback in self.callbacks:
            callback.set_params(params)
            if model is not None:
                callback.set_model(model)

    def __getattr__(self, moment: str) -> Callable[..., None]:
        if not moment.startswith("on_"):
            raise AttributeError(moment)
        hooks = [getattr(callback, moment) for callback in self.callbacks]
        # A moment that nobody overrides costs nothing, even in the inner loop.
        hooks = [h for h in hooks if getattr(h, "__func__", h) is not getattr(Callback, moment)]

        def call_all(*arguments: Any) -> None:
            if hooks:
                # A callable stands for logs that are worked out only when somebody listens.
                arguments = tuple(a() if callable(a) else a for a in arguments)
            for hook in hooks:
                hook(*arguments)

        return call_all


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


def monitor_comparison(monitor: str, mode: str, metrics: Iterable[Any] = ()) -> Callable:
    """Return ``np.less`` or ``np.greater``: which of two monitored values is better.

    Parameters
    ----------
    monitor : str
        The key in the logs.
    mode : {"auto", "min", "max"}
        ``"auto"`` asks the metric of that name; a loss is minimized.
    metrics : iterable
        The model's metrics.

    Raises
    ------
    ValueError
        If ``mode`` is ``"auto"`` and nobody knows which way the monitored value is better.
    """
    if mode == "min":
        return np.less
    if mode == "max":
        return np.greater
    name = monitor.removeprefix("val_")
    if name in ("loss", "data_loss", "penalty"):
        return np.less
    for metric in metrics:
        direction = getattr(metric, "_direction", None)
        if metric.name == name and direction in ("up", "down"):
            return np.greater if direction == "up" else np.less
    raise ValueError(
        f"mode must be 'min' or 'max' for monitor={monitor!r}: no metric of that name says "
        "which way is better, got 'auto'"
    )


class EarlyStopping(Callback):
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
        super().__init__()
        self.monitor = monitor
        self.min_delta = abs(check_number("min_delta", min_delta))
        self.patience = check_integer("patience", patience, low=0)
        self.verbose = verbose
        self.mode = check_choice("mode", mode, ("auto", "min", "max"))
        self.baseline = baseline
        self.restore_best_weights = bool(restore_best_weights)
        self.start_from_epoch = check_integer("start_from_epoch", start_from_epoch, low=0)
        self.monitor_op: Callable | None = None
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
        if self.monitor_op is None:
            metrics = getattr(self.model, "metrics", ())
            self.monitor_op = monitor_comparison(self.monitor, self.mode, metrics)
        value = (logs or {}).get(self.monitor)
        if value is None:
            warnings.warn(
                f"EarlyStopping monitors {self.monitor!r}, which is not in the logs; "
                f"they have {', '.join(logs or {}) or 'nothing'}",
                stacklevel=2,
            )
            return
        if epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self.best_weights is None:
            # Something to go back to, even if nothing ever improves.
            self.best_weights = self.model.get_weights()
            self.best_epoch = epoch
        self.wait += 1
        if self._improves(value, self.best):
            self.best, self.best_epoch = value, epoch
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
            if self.baseline is None or self._improves(value, self.baseline):
                self.wait = 0
            return
        if self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def _improves(self, value: float, reference: float | None) -> bool:
        if reference is None:
            return not np.isnan(value)
        margin = self.min_delta if self.monitor_op is np.less else -self.min_delta
        return bool(self.monitor_op(value + margin, reference))

    def on_train_end(self, logs: Logs = None) -> None:
        """Say so, and put back the best weights."""
        if self.verbose and self.stopped_epoch:
            print(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.restore_best_weights and self.best_weights is not None:
            if self.verbose:
                print(f"Restoring the weights of the best epoch, {self.best_epoch + 1}")
            self.model.set_weights(self.best_weights)
