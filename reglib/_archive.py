"""Arrays in a file: NumPy archives, written whole or not at all, and read without pickle."""

from __future__ import annotations

import contextlib
import os
import warnings
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from reglib._validation import check_folder_of

_FORMATS_OF_KERAS = (".keras", ".h5", ".hdf5")


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
    if path.suffix in _FORMATS_OF_KERAS:
        warnings.warn(
            f"{path.name} will be a NumPy archive of reglib, whatever its ending says, and Keras "
            f"cannot read it: call it {path.name.split('.')[0]}.npz, or save "
            "interop.to_keras(model)",
            stacklevel=4,
        )
    if not overwrite and path.exists():
        raise FileExistsError(f"filepath must be free unless overwrite=True, got {path}")
    check_folder_of("filepath", path)
    # Written beside its place and moved there: a reader sees the old file or the new one.
    unfinished = path.with_name(path.name + ".part")
    with unfinished.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]  # the names could be allow_pickle
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
    with refusing(filepath, what):
        with open(filepath, "rb") as file:
            is_hdf5 = file.read(8) == b"\x89HDF\r\n\x1a\n"
        if not is_hdf5:
            with np.load(filepath, allow_pickle=False) as archive:
                arrays = dict(archive)
        if is_hdf5 or "model.weights.h5" in arrays:
            raise ValueError("Keras wrote it: let Keras load it, then use interop.from_keras")
        return arrays


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
