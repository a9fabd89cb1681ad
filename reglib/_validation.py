"""Checks at the door: each error names the argument, what came and what was expected."""

from __future__ import annotations

import functools
import inspect
import math
import numbers
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np


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


def check_number(
    name: str,
    value: Any,
    *,
    low: float = -np.inf,
    high: float = np.inf,
    low_open: bool = False,
    high_open: bool = False,
) -> float:
    """Return ``value`` as a float after checking that it is a finite real number in range.

    Raises
    ------
    TypeError
        If ``value`` is no real number (a bool, a string, an array).
    ValueError
        If it is NaN, infinite or outside the interval.

    Examples
    --------
    >>> check_number("rate", 0.5, low=0, high=1, high_open=True)
    0.5
    >>> check_number("rate", 1.5, low=0, high=1, high_open=True)
    Traceback (most recent call last):
    ...
    ValueError: rate must be in [0, 1), got 1.5
    """
    # Most are floats, and asking an abstract class takes longer than all the rest.
    if type(value) is not float and (
        isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Real)
    ):
        raise TypeError(f"{name} must be a number, got {shown(value)} ({type(value).__name__})")
    number = float(value)
    too_low = number <= low if low_open else number < low
    too_high = number >= high if high_open else number > high
    if not math.isfinite(number) or too_low or too_high:
        raise ValueError(f"{name} must be {_interval(low, high, low_open, high_open)}, got {value}")
    return number


def _interval(low: float, high: float, low_open: bool, high_open: bool) -> str:
    if np.isinf(low) and np.isinf(high):
        return "finite"
    if np.isinf(high):
        return f"a finite number {'>' if low_open else '>='} {low:g}"
    opening, closing = "(" if low_open else "[", ")" if high_open else "]"
    return f"in {opening}{low:g}, {high:g}{closing}"


def check_integer(name: str, value: Any, *, low: int | None = None) -> int:
    """Return ``value`` as an int after checking that it is a whole number of at least ``low``.

    Raises
    ------
    TypeError
        If ``value`` is no integer.
    ValueError
        If it is below ``low``.
    """
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Integral):
        raise TypeError(f"{name} must be an integer, got {shown(value)} ({type(value).__name__})")
    if low is not None and value < low:
        raise ValueError(f"{name} must be at least {low}, got {value}")
    return int(value)


def check_flag(name: str, value: Any) -> bool:
    """Return ``value`` as a bool after checking that it is one: the string "no" would be true.

    Raises
    ------
    TypeError
        If it is no bool.

    Examples
    --------
    >>> check_flag("shuffle", "no")
    Traceback (most recent call last):
    ...
    TypeError: shuffle must be True or False, got 'no' (str)
    """
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(
            f"{name} must be True or False, got {shown(value)} ({type(value).__name__})"
        )
    return bool(value)


def check_text(name: str, value: Any) -> str:
    """Return ``value`` after checking that it is a string with something in it.

    Raises
    ------
    TypeError
        If it is no string.
    ValueError
        If it is empty.
    """
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a string, got {shown(value)} ({type(value).__name__})")
    if not value:
        raise ValueError(f"{name} must not be empty, got ''")
    return value


def check_path(name: str, value: Any) -> str:
    """Return a path as a string after checking that it is one.

    Raises
    ------
    TypeError
        If it is neither a string nor a path object.
    ValueError
        If it is empty.
    """
    if not isinstance(value, (str, os.PathLike)):
        raise TypeError(f"{name} must be a path, got {shown(value)} ({type(value).__name__})")
    path = os.fspath(value)
    if not path:
        raise ValueError(f"{name} must not be empty, got ''")
    return path


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


def check_callable(name: str, value: Any) -> Callable[..., Any]:
    """Return ``value`` after checking that it can be called.

    Raises
    ------
    TypeError
        If it cannot.
    """
    if not callable(value):
        raise TypeError(f"{name} must be a function, got {shown(value)} ({type(value).__name__})")
    return value


def check_mapping(name: str, value: Any) -> Mapping[Any, Any]:
    """Return ``value`` after checking that it is a mapping.

    Raises
    ------
    TypeError
        If it is not.
    """
    if not isinstance(value, Mapping):
        raise TypeError(f"{name} must be a dict, got {shown(value)} ({type(value).__name__})")
    return value


def check_sequence(name: str, value: Any, what: str = "values") -> Sequence[Any]:
    """Return ``value`` as a list after checking that it is a collection and no string.

    Raises
    ------
    TypeError
        If it is something else.
    """
    if isinstance(value, (str, bytes, Mapping)) or not hasattr(value, "__iter__"):
        raise TypeError(
            f"{name} must be a list of {what}, got {shown(value)} ({type(value).__name__})"
        )
    return list(value)


def check_instance(name: str, value: Any, kind: type | tuple[type, ...], what: str) -> Any:
    """Return ``value`` after checking that it is an instance of ``kind``, called ``what``.

    Raises
    ------
    TypeError
        If it is not.
    """
    if not isinstance(value, kind):
        raise TypeError(f"{name} must be {what}, got {shown(value)} ({type(value).__name__})")
    return value


def check_seed(name: str, value: Any) -> int | None:
    """Return a seed after checking that it is None or a whole number of at least 0.

    Raises
    ------
    TypeError
        If it is something else.
    ValueError
        If it is negative.
    """
    return None if value is None else check_integer(name, value, low=0)


def check_generator_or_seed(name: str, value: Any) -> np.random.Generator:
    """Return a generator: the one that came, or one from a seed.

    Raises
    ------
    TypeError
        If it is something else.
    ValueError
        If a seed is negative.

    Examples
    --------
    >>> check_generator_or_seed("rng", None)
    Traceback (most recent call last):
    ...
    TypeError: rng must be a numpy.random.Generator or a seed, got None (NoneType)
    """
    if isinstance(value, np.random.Generator):
        return value
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Integral):
        raise TypeError(
            f"{name} must be a numpy.random.Generator or a seed, got {shown(value)} "
            f"({type(value).__name__})"
        )
    return np.random.default_rng(check_integer(name, value, low=0))


def check_shape(name: str, value: Any, *, low: int = 1) -> tuple[int | None, ...]:
    """Return a shape as a tuple after checking that each length is None or at least ``low``.

    Raises
    ------
    TypeError
        If it is no sequence, or holds something else than whole numbers and None.
    ValueError
        If a length is below ``low``.

    Examples
    --------
    >>> check_shape("input_shape", [8, -8])
    Traceback (most recent call last):
    ...
    ValueError: input_shape must be lengths of at least 1, got [8, -8]
    """
    lengths = check_sequence(name, value, "lengths")
    for length in lengths:
        if length is None:
            continue
        if isinstance(length, (bool, np.bool_)) or not isinstance(length, numbers.Integral):
            raise TypeError(f"{name} must be whole numbers or None, got {shown(value)}")
        if length < low:
            raise ValueError(f"{name} must be lengths of at least {low}, got {shown(value)}")
    return tuple(None if length is None else int(length) for length in lengths)


def check_axis(name: str, value: Any) -> int | tuple[int, ...]:
    """Return an axis, or several as a tuple, after checking that they are whole numbers.

    Raises
    ------
    TypeError
        If they are not.
    ValueError
        If there is none.
    """
    if not isinstance(value, (tuple, list)):
        return check_integer(name, value)
    if not value:
        raise ValueError(f"{name} must not be empty, got {value!r}")
    return tuple(check_integer(name, axis) for axis in value)


def check_choice(name: str, value: Any, choices: Collection[Any]) -> Any:
    """Return ``value`` after checking that it is one of ``choices``.

    Raises
    ------
    ValueError
        If it is not; the message lists the choices.
    """
    if not any(value is choice or value == choice for choice in choices):
        listed = ", ".join(repr(choice) for choice in choices)
        raise ValueError(f"{name} must be one of {listed}, got {shown(value)}")
    return value


def check_array(
    name: str,
    value: Any,
    *,
    ndim: int | None = None,
    shape: tuple[int | None, ...] | None = None,
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


def _fits(actual: tuple[int, ...], wanted: tuple[int | None, ...]) -> bool:
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
            named = list(inspect.signature(base.__init__).parameters.values())[1:]
            found += [p.name for p in named if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
            if not any(p.kind is p.VAR_KEYWORD for p in named):
                break
    return found
