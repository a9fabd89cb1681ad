"""What is kept of a training: the history of its logs, or a file of them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from reglib._arguments import (
    Flag,
    PathName,
    Text,
    arguments,
)
from reglib._validation import (
    check_folder_of,
)
from reglib.callbacks.base import Callback, Logs

if TYPE_CHECKING:
    import pandas as pd


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
