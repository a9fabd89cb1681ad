"""Arrays in a file: NumPy archives, written whole or not at all, and read without pickle."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from reglib._validation import check_folder_of


def write(filepath: str | os.PathLike, overwrite: bool = True, **arrays: NDArray) -> None:
    """Write arrays under their names.

    Raises
    ------
    FileExistsError
        If there is such a file, and it must not be overwritten.
    FileNotFoundError
        If its folder is missing.
    """
    # Here, so that importing the library takes little more than NumPy does.
    from pathlib import Path

    path = Path(filepath)
    if not overwrite and path.exists():
        raise FileExistsError(f"filepath must be free unless overwrite=True, got {path}")
    check_folder_of("filepath", path)
    # Written beside its place and moved there: a reader sees the old file or the new one.
    unfinished = path.with_name(path.name + ".part")
    with unfinished.open("wb") as file:
        np.savez(file, **arrays)
    unfinished.replace(path)


def read(filepath: str | os.PathLike, what: str) -> dict[str, NDArray]:
    """Return the arrays of a file by their names.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no archive, and so not ``what`` it must be.
    """
    with refusing(filepath, what), np.load(filepath, allow_pickle=False) as archive:
        return dict(archive)


@contextlib.contextmanager
def refusing(filepath: str | os.PathLike, what: str) -> Iterator[None]:
    """Name the file where something within turns out not to be ``what`` it must be."""
    try:
        yield
    except FileNotFoundError:
        raise
    except Exception as error:
        # A damaged file fails in as many ways as there are bytes to damage.
        reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        raise ValueError(
            f"filepath must be {what} that reglib saved, got {os.fspath(filepath)} ({reason})"
        ) from error


def numbered(arrays: list[NDArray]) -> dict[str, NDArray]:
    """Return weights under names that say their order."""
    return {f"weight_{number}": array for number, array in enumerate(arrays)}


def in_order(arrays: dict[str, NDArray]) -> list[NDArray]:
    """Return the weights among named arrays, in their order."""
    count = sum(name.startswith("weight_") for name in arrays)
    return [arrays[f"weight_{number}"] for number in range(count)]
