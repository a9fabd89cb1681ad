"""Checks at the door: each error names the argument, what came and what was expected."""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from reglib._typing import Lengths


def shown(value: Any) -> str:
    """Return a short text for a value, so that an array does not fill the screen."""
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape} and dtype {value.dtype}"
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


@contextmanager
def naming(name: str) -> Iterator[None]:
    """Put an argument's name before the message of an error that a helper raises for it.

    A message that begins with the name already stays as it is.

    Examples
    --------
    >>> with naming("kernel_regularizer"):
    ...     raise ValueError("regularizer must be one of l1, l2, got 'l3'")
    Traceback (most recent call last):
    ...
    ValueError: kernel_regularizer: regularizer must be one of l1, l2, got 'l3'
    """
    try:
        yield
    except (TypeError, ValueError) as error:
        if str(error).startswith(f"{name} "):
            raise
        raise type(error)(f"{name}: {error}") from error


def check_folder_of(name: str, path: str | os.PathLike) -> None:
    """Refuse a path to write to whose folder is missing.

    Raises
    ------
    FileNotFoundError
        If it is; the message names the folder.
    """
    folder = os.path.dirname(path) or os.curdir
    if not os.path.isdir(folder):
        raise FileNotFoundError(
            f"{name} must lie in a folder that exists, got {os.fspath(path)}: no folder {folder}"
        )


def check_array(
    name: str,
    value: Any,
    *,
    ndim: int | None = None,
    shape: Lengths | None = None,
    dtype: Any = None,
    allow_empty: bool = False,
    allow_nan: bool = False,
) -> np.ndarray:
    """Return ``value`` as a numeric array after checking its shape and that it is finite.

    Parameters
    ----------
    name : str
        The argument's name in the message.
    value : array_like
        What the caller gave.
    ndim : int, optional
        The number of axes that it must have.
    shape : tuple, optional
        The shape that it must have; None stands for any length.
    dtype : optional
        What to convert to; by default the dtype follows the input.
    allow_empty : bool
        Whether an array without elements may pass.
    allow_nan : bool
        Whether NaN and infinity may pass.

    Raises
    ------
    TypeError
        If ``value`` holds no numbers (strings, objects).
    ValueError
        If the shape is wrong, the array is empty, or it holds NaN or infinity.

    Notes
    -----
    A table of pandas becomes an array of a dtype that holds the numbers of all its columns; the
    bools of ``get_dummies`` are 0 and 1.
    """
    if hasattr(value, "filled") and np.ma.is_masked(value):
        raise ValueError(f"{name} must have no masked entries, got {np.ma.count_masked(value)}")
    try:
        array = _of_pandas(name, value) if hasattr(value, "iloc") else np.asarray(value)
    except ValueError as error:
        raise ValueError(f"{name} must be a rectangular array of numbers: {error}") from error
    if array.dtype.kind in "OTU" and array.size and isinstance(array.flat[0], str):
        raise TypeError(f"{name} must hold numbers, got strings, {shown(str(array.flat[0]))} first")
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} must hold numbers, got {shown(value)} (dtype {array.dtype})")
    if dtype is not None:
        array = array.astype(dtype, copy=False)
    if ndim is not None and array.ndim != ndim:
        raise ValueError(f"{name} must have {ndim} axes, got shape {array.shape}")
    if shape is not None and not _fits(array.shape, shape):
        wanted = "(" + ", ".join("any" if n is None else str(n) for n in shape) + ")"
        raise ValueError(f"{name} must have shape {wanted}, got {array.shape}")
    if array.size == 0 and not allow_empty:
        raise ValueError(f"{name} must not be empty, got shape {array.shape}")
    if not allow_nan and array.dtype.kind == "f" and not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite, got NaN or infinity")
    return array


def _of_pandas(name: str, value: Any) -> np.ndarray:
    """Return a table of pandas, or a column of one, as an array of a dtype that holds it all."""
    is_table = hasattr(value, "columns")
    dtypes = []
    for column, dtype in value.dtypes.items() if is_table else [(value.name, value.dtypes)]:
        if getattr(dtype, "kind", "O") not in "biuf":
            if not is_table:
                return np.asarray(value)
            raise TypeError(f"{name} must hold numbers, got a column {column!r} of {dtype}")
        # A column of a dtype of pandas's own may lack entries, which become NaN.
        own, plain = not isinstance(dtype, np.dtype), getattr(dtype, "numpy_dtype", dtype)
        dtypes.append(np.dtype("float64") if own and plain.kind != "f" else plain)
    return value.to_numpy(dtype=np.result_type(*dtypes)) if dtypes else np.asarray(value)


def _fits(actual: tuple[int, ...], wanted: Lengths) -> bool:
    return len(actual) == len(wanted) and all(
        n is None or n == m for m, n in zip(actual, wanted, strict=True)
    )


def refusing_unknown(constructor: Callable[..., None]) -> Callable[..., None]:
    """Return a base's constructor that refuses keywords in the name of the class called.

    Python would name the base, which nobody called. The nearest keyword that the class has, if
    one is near, is suggested.
    """
    known = inspect.signature(constructor).parameters

    @functools.wraps(constructor)
    def checked(self: Any, *arguments: Any, **options: Any) -> None:
        for option in options:
            if option not in known:
                raise TypeError(_unknown(type(self), option))
        constructor(self, *arguments, **options)

    return checked


def _unknown(cls: type, option: str) -> str:
    import difflib  # here, so that importing the library takes little more than NumPy does

    message = f"{cls.__name__}() got an unexpected keyword argument {option!r}"
    near = difflib.get_close_matches(option, _keywords(cls), n=1)
    return f"{message}: did you mean {near[0]!r}?" if near else message


def _keywords(cls: type) -> list[str]:
    """Return the arguments of a constructor, and of those that it hands the rest on to."""
    found: list[str] = []
    for base in cls.__mro__:
        if "__init__" in vars(base):
            named = list(inspect.signature(vars(base)["__init__"]).parameters.values())[1:]
            found += [p.name for p in named if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
            if not any(p.kind is p.VAR_KEYWORD for p in named):
                break
    return found
