"""What ``fit`` shows while it trains: a line of text for each epoch, and the epoch under way."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np

from reglib._arguments import Choice, arguments

VERBOSE = ("auto", 0, 1, 2)

# An epoch under way is shown once it takes longer than this, in seconds, and so often.
PATIENCE, INTERVAL = 0.5, 0.2


def line_of(logs: Mapping[str, float]) -> str:
    """Return logs as a line of text.

    Examples
    --------
    >>> line_of({"loss": 0.25, "accuracy": 0.9})
    'loss: 0.2500 - accuracy: 0.9000'
    """
    return " - ".join(f"{name}: {_number(value)}" for name, value in logs.items())


def _number(value: Any) -> str:
    """Return a number that can be read: four digits; a metric may have a number for each class."""
    if np.ndim(value):
        return np.array2string(np.asarray(value), precision=4)
    return f"{value:.4f}" if not value or abs(value) >= 1e-3 else f"{value:.4e}"


class Place(Protocol):
    """Where a line can be written over."""

    def show(self, text: str) -> None:
        """Write the line over the last one."""

    def clear(self, ended: str = "") -> None:
        """Take the line away; what is to stay when all has ended may take its place."""


class Terminal:
    """The last line of a terminal."""

    written = False

    def show(self, text: str) -> None:
        """Write the line over the last one."""
        self.written = True
        columns = shutil.get_terminal_size().columns - 1
        print("\r" + text[:columns].ljust(columns), end="", flush=True)

    def clear(self, ended: str = "") -> None:
        """Take the line away."""
        if self.written:
            self.show("")
            print("\r", end="", flush=True)
            self.written = False


class Notebook:
    """An output of a notebook's cell, plain text, so that it can be read when it is opened again.

    Widgets are dead then, and text with carriage returns is not the same in every viewer.
    """

    def __init__(self) -> None:
        self.handle: Any = None

    def show(self, text: str) -> None:
        """Write the line over the last one."""
        from IPython.display import DisplayHandle

        data = {"text/plain": text}
        if self.handle is None:
            self.handle = DisplayHandle()
            self.handle.display(data, raw=True)
        else:
            self.handle.update(data, raw=True)

    def clear(self, ended: str = "") -> None:
        """Leave the line until the next, or what is to stay."""
        if self.handle is not None and ended:
            self.show(ended)


def place_to_show() -> Place | None:
    """Return where this program can show a line that changes: a terminal, a notebook, or none."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if getattr(shell, "kernel", None) is not None:
        return Notebook()
    return Terminal() if sys.stdout is not None and sys.stdout.isatty() else None


@arguments(verbose=Choice(*VERBOSE))
class Progress:
    """Shows how far training has come.

    Parameters
    ----------
    verbose : "auto", 0, 1 or 2
        0: nothing. 2: a line for each epoch when it ends. 1: the epoch under way as well, where
        there is a terminal or a notebook to show it in. ``"auto"``: 1 there, 0 elsewhere.
    epochs : int
        The number that counting ends at.
    steps : int, optional
        Of an epoch, where it is known.
    """

    def __init__(self, verbose: str | int, epochs: int, steps: int | None = None) -> None:
        self.place = place_to_show() if verbose in ("auto", 1) else None
        self.prints = verbose in (1, 2) or self.place is not None
        self.epochs, self.steps, self.done = epochs, steps, 0

    @property
    def on_batch(self) -> Callable[[int, Callable[[], Mapping[str, float]]], None] | None:
        """What to call after each batch, with its number and a function that returns the logs."""
        return None if self.place is None else self._batch_ends

    def epoch_begins(self, epoch: int) -> None:
        """Take note of the epoch."""
        self.title = f"Epoch {epoch + 1:{len(str(self.epochs))}}/{self.epochs}"
        self.due = time.monotonic() + PATIENCE

    def _batch_ends(self, step: int, logs: Callable[[], Mapping[str, float]]) -> None:
        if time.monotonic() >= self.due:
            self.due = time.monotonic() + INTERVAL
            assert self.place is not None  # without one, on_batch is None
            of_all = "" if self.steps is None else f"/{self.steps}"
            self.place.show(f"{self.title} - batch {step + 1}{of_all} - {line_of(logs())}")

    def epoch_ends(self, logs: Mapping[str, float]) -> None:
        """Print the line of the epoch."""
        self.done += 1
        if self.place is not None:
            self.place.clear()
        if self.prints:
            print(f"{self.title} - {line_of(logs)}")

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: Any) -> None:
        """Leave nothing that looks as if it went on."""
        if self.place is not None:
            self.place.clear(f"Trained for {self.done} of {self.epochs} epochs.")
