"""The student's function behind a guard: copies go in, clear findings come out."""

from __future__ import annotations

import math
import os
import re
import traceback
import types
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib.exercises._findings import (
    ADDED_UP,
    LOST_AXIS,
    MANY_ANSWERS,
    MORE_VALUES,
    NO_ANSWER,
    NO_NUMBERS,
    NOT_ADDED_UP,
    NOT_WRITTEN,
    RETURNS_NOTHING,
    SIGNATURE,
    TRANSPOSED_RESULT,
    UNDEFINED,
    BrokenCall,
    Finding,
    Mistake,
)
from reglib.exercises._python_errors import slip_of


class Student:
    """The student's function behind a guard: copies go in, clear findings come out.

    Parameters
    ----------
    function : callable
        What the student wrote; opaque.
    name : str
        What it is called in messages.
    signature : str
        What it should look like.
    """

    def __init__(self, function: Any, name: str, signature: str) -> None:
        self.function = function
        self.name = name
        self.signature = signature
        self.notes: list[str] = []
        self.changed = False
        self.explained: tuple[Mistake, ...] | None = None

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Return what the function returns for copies of the arguments.

        Raises
        ------
        BrokenCall
            If it raises instead.
        """
        given = [copied(argument) for argument in arguments]
        result = self.guard(self.function, *given, **named)
        if any(map(_differs, arguments, given)):
            self.changed = True
            self.note(
                f"{self.name} changes an array that it was given. Whoever calls it may still need "
                "that array: work on a copy."
            )
        return result

    def guard(self, function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        """Return ``function(*arguments)``; an error becomes a finding."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return function(*arguments, **named)
        except BrokenCall:
            raise
        except (Exception, SystemExit) as error:
            raise BrokenCall(self._explain(error), error) from None

    def note(self, text: str) -> None:
        """Keep an advice that costs no points."""
        if text not in self.notes:
            self.notes.append(text)

    def numbers(self, value: Any, what: str, shape: tuple[int, ...] | None = None) -> NDArray:
        """Return a result as an array of finite floats of the given shape.

        Raises
        ------
        BrokenCall
            If it is something else.
        """
        size = "a number" if shape == () else f"an array of shape {shape}" if shape else "numbers"
        if value is None:
            raise BrokenCall(Finding(f"{what} is None", f"{what} is {size}", RETURNS_NOTHING))
        try:
            array = np.array(value)
            if array.dtype.kind in "USc":  # NumPy would read a number out of a text
                raise TypeError
            array = array.astype(np.float64)
        except (TypeError, ValueError):
            came = f"{what} is {_described(value)}"
            mistake = MORE_VALUES if isinstance(value, tuple) else NO_NUMBERS
            raise BrokenCall(Finding(came, f"{what} is {size}", mistake)) from None
        if shape is not None and array.shape != shape:
            if shape == () and array.size == 1:
                return array.reshape(())
            came = f"{what} has shape {array.shape}"
            if isinstance(value, tuple):
                came = f"{what} is {_described(value)}"
            expected = f"{what} has shape {shape}" if shape else f"{what} is one number"
            raise BrokenCall(Finding(came, expected, _misshapen(value, array.shape, shape)))
        if not np.isfinite(array).all():
            raise BrokenCall(
                Finding(f"{what} holds NaN or infinity", f"{what} is finite", NO_NUMBERS)
            )
        return array

    def pair(self, value: Any, first: str, second: str) -> tuple[Any, Any]:
        """Return a result that must be a pair.

        Raises
        ------
        BrokenCall
            If it is no tuple or list of two.
        """
        expected = f"a pair ({first}, {second})"
        if value is None:
            raise BrokenCall(Finding(f"{self.name} returned None", expected, RETURNS_NOTHING))
        if not isinstance(value, (tuple, list)) or len(value) != 2:
            found = f"{len(value)} values" if isinstance(value, (tuple, list)) else _short(value)
            raise BrokenCall(Finding(f"{self.name} returned {found}", expected))
        return value[0], value[1]

    def answer(self, value: Any, what: str) -> bool:
        """Return a result that must be True or False; 1 and 0 will do.

        Raises
        ------
        BrokenCall
            If it is something else.
        """
        expected = f"{what} is True or False"
        if value is None:
            raise BrokenCall(Finding(f"{what} is None", expected, RETURNS_NOTHING))
        try:
            array = np.asarray(value)
        except ValueError:
            array = np.asarray(None)
        if array.size > 1 and array.dtype.kind in "bO" and not isinstance(value, tuple):
            came = f"{what} is {_described(value)}"
            raise BrokenCall(Finding(came, expected, MANY_ANSWERS))
        if array.size != 1 or array.dtype.kind not in "biuf" or not np.isin(array, (0, 1)).all():
            came = f"{what} is {_described(value)}"
            raise BrokenCall(Finding(came, expected, NO_ANSWER))
        return bool(array.all())

    def _names(self) -> set[str]:
        """Return the names that an error message may call the function by."""
        own = getattr(self.function, "__name__", self.name)
        return {self.name, str(own), "<lambda>", "<module>", "__init__", "update"}

    def _explain(self, error: BaseException) -> Finding:
        kind, text = type(error).__name__, re.sub(r"\w+\.<locals>\.", "", str(error))
        expected = f"a result from {self.signature}"
        if _is(error, NotImplementedError):
            inner = _raised_in(error)
            if inner is None or inner in self._names():
                return Finding(f"{self.name} is not written yet", expected, NOT_WRITTEN)
            came = f"{self.name} calls {inner}, which is not written yet"
            return Finding(came, expected, NOT_WRITTEN)
        came = f"{self.name} raised {kind}{f': {text}' if text else ''}{_line_of(error)}"
        if _is(error, NameError):
            return Finding(came, expected, UNDEFINED)
        called = re.match(r"(?:[\w.<>]*\.)?([\w<>]+)\(\) (?:takes|missing|got)\b", text)
        # The call itself failed, not one further in.
        outermost = called and (called[1] in self._names() or _raised_in(error) is None)
        slip = slip_of(kind, text)
        if slip is None and _is(error, TypeError) and outermost:
            return Finding(came, f"the arguments of {self.signature}", SIGNATURE)
        return Finding(came, expected, slip)


def _is(error: BaseException, kind: type[BaseException]) -> bool:
    """Say whether an error is of a kind; one from another process has only its name."""
    return isinstance(error, kind) or type(error).__name__ in {
        kind.__name__,
        *(sub.__name__ for sub in kind.__subclasses__()),
    }


def _raised_in(error: BaseException) -> str | None:
    """Return the name of the function that raised an error, if that can be seen."""
    frames = traceback.extract_tb(error.__traceback__)
    return frames[-1].name if frames and not _ours(frames[-1]) else None


def _ours(frame: traceback.FrameSummary) -> bool:
    here = os.path.dirname(os.path.abspath(__file__))
    return frame.filename.startswith(here) or "site-packages" in frame.filename


def _line_of(error: BaseException) -> str:
    """Return where in the student's own code an error arose, if that can be seen."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if not _ours(frame):
            return f"\n     in the line: {frame.line}" if frame.line else ""
    return ""


def undefined_name(broken: BrokenCall) -> str | None:
    """Return the name that a NameError complains about, if that is what broke the call."""
    found = re.search(r"name '(\w+)' is not defined|variable '(\w+)'", str(broken.error))
    return (found[1] or found[2]) if found and broken.finding.mistake is UNDEFINED else None


def lend(function: Any, over: Mapping[str, Any], under: Mapping[str, Any]) -> Any:
    """Return the function with names lent to it, to see what else is wrong; or None.

    Only a plain function of this process can be lent names. That decides what a message says,
    never whether an answer passes.

    Parameters
    ----------
    function : callable
        The student's function.
    over, under : mapping
        Names that replace its globals, and names that stand in where a global is missing.
    """
    if type(function) is not types.FunctionType:
        return None
    scope = {**under, **function.__globals__, **over}
    copy = types.FunctionType(
        function.__code__, scope, function.__name__, function.__defaults__, function.__closure__
    )
    copy.__kwdefaults__ = function.__kwdefaults__
    return copy


def copied(value: Any) -> Any:
    """Return plain data with copies of its arrays."""
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, dict):
        return {key: copied(item) for key, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)(copied(item) for item in value)
    return value


def _differs(before: Any, after: Any) -> bool:
    if isinstance(before, np.ndarray):
        return before.shape != np.shape(after) or not np.array_equal(before, after)
    if isinstance(before, dict):
        return set(before) != set(after) or any(_differs(before[k], after[k]) for k in before)
    if type(before) in (list, tuple):
        return len(before) != len(after) or any(map(_differs, before, after))
    return False


def shape_of(value: Any) -> tuple[int, ...] | None:
    """Return the shape of a result, or None if it is no array of one shape."""
    try:
        return np.shape(value)
    except ValueError:
        return None


def _misshapen(value: Any, came: tuple[int, ...], wanted: tuple[int, ...]) -> Mistake | None:
    """Return what a wrong shape looks like, if it looks like anything."""
    if isinstance(value, tuple):
        return MORE_VALUES
    if wanted == ():
        return NOT_ADDED_UP
    if math.prod(came) == 1 != math.prod(wanted):
        return ADDED_UP
    if len(came) == 2 and came == wanted[::-1]:
        return TRANSPOSED_RESULT
    longer = [[n for n in shape if n != 1] for shape in (came, wanted)]
    return LOST_AXIS if longer[0] == longer[1] else None


_KINDS = {"str": "a text", "ndarray": "an array", "int": "a number", "float": "a number"}


def _kind(value: Any) -> str:
    """Return what a value is, in words."""
    if isinstance(value, (tuple, list)):
        return f"a {type(value).__name__} of {len(value)}"
    return _KINDS.get(type(value).__name__, f"a {type(value).__name__}")


def _described(value: Any) -> str:
    """Return what a value is and, if that is short, how it looks."""
    text = _short(value)
    return text if isinstance(value, np.ndarray) and value.size > 12 else f"{_kind(value)}: {text}"


def _short(value: Any) -> str:
    if isinstance(value, np.ndarray) and value.size > 12:
        return f"an array of shape {value.shape}"
    if isinstance(value, tuple) and any(isinstance(item, np.ndarray) for item in value):
        return "(" + ", ".join(map(_short, value)) + ")"
    text = " ".join(repr(value).split())
    return text if len(text) <= 120 else text[:117] + "..."
