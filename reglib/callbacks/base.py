"""What a callback is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reglib._arguments import (
    Flag,
    Integer,
)

if TYPE_CHECKING:
    pass

Logs = dict[str, float] | None


# How much a callback prints: 0 nothing, above it each change.
VERBOSE = Integer(">= 0") | Flag()


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
NOTHING = frozenset(f for name, f in vars(Callback).items() if name.startswith("on_"))
