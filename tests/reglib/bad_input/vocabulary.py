"""What can be wrong with an argument, by its kind: the words that the tables are written in.

A :class:`Kind` has one good value and the bad ones, each under what is wrong with it: its type,
its range, its shape, that it is not finite, that it is empty. ``FAMILIES`` says what must be
tried with each family of kinds; what is left out needs a reason of its own.
"""

from __future__ import annotations

import functools
import os
import re
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

TYPE, RANGE, SHAPE, NAN, EMPTY = WRONGS = ("type", "range", "shape", "nan", "empty")

FAMILIES: dict[str, tuple[str, ...]] = {
    "number": (TYPE, RANGE, NAN),
    "integer": (TYPE, RANGE, NAN),
    "numbers": (TYPE, RANGE, SHAPE, NAN, EMPTY),
    "shape": (TYPE, RANGE, NAN),
    "array": (TYPE, SHAPE, NAN, EMPTY),
    "list": (TYPE, EMPTY),
    "mapping": (TYPE, EMPTY),
    "choice": (TYPE, RANGE),
    "identifier": (TYPE, RANGE),
    "text": (TYPE, EMPTY),
    "path": (TYPE, EMPTY),
    "flag": (TYPE,),
    "function": (TYPE,),
    "object": (TYPE,),
    "seed": (TYPE, RANGE, NAN),
    "anything": (),
}


@dataclass(frozen=True)
class Made:
    """A value that is made afresh for each call: it may be changed, or costs something."""

    make: Callable[[], Any]


@dataclass(frozen=True)
class Kind:
    """A kind of argument.

    ``bad`` maps what is wrong to values; ``exempt`` maps what is not tried to the reason why.
    """

    family: str
    good: Any = None
    bad: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    exempt: Mapping[str, str] = field(default_factory=dict)

    def but(self, **changes: Any) -> Kind:
        """Return the kind with another good value, or other bad ones: ``range=(2,)``."""
        bad = {w: changes.pop(w) for w in WRONGS if w in changes}
        exempt = {w: reason for w, reason in self.exempt.items() if w not in bad}
        return replace(self, bad={**self.bad, **bad}, exempt=exempt, **changes)

    def without(self, *wrongs: str, because: str) -> Kind:
        """Return the kind with some wrongs left untried, for a reason."""
        bad = {w: values for w, values in self.bad.items() if w not in wrongs}
        return replace(self, bad=bad, exempt={**self.exempt, **dict.fromkeys(wrongs, because)})

    def or_none(self) -> Kind:
        """Return the kind with None among its good values."""
        bad = {w: tuple(v for v in vs if v is not None) for w, vs in self.bad.items()}
        return replace(self, bad=bad)


def free(reason: str) -> Kind:
    """Return the kind of an argument with which nothing can be wrong, or nothing is tried."""
    return Kind("anything", exempt=dict.fromkeys(WRONGS, reason))


NANS = (float("nan"), float("inf"), float("-inf"))
NO_NUMBER = ("a lot", [0.5], 1j, True, None)
EVERY_NUMBER = "every finite number has a meaning here"


def number(
    low: float | None = None,
    high: float | None = None,
    *,
    low_open: bool = False,
    high_open: bool = False,
    good: float = 0.5,
) -> Kind:
    """Return the kind of a real number between two bounds."""
    outside = []
    if low is not None:
        outside += [low, low - 1.0] if low_open else [low - 1e-3, low - 1.0]
    if high is not None:
        outside += [high, high + 1.0] if high_open else [high + 1e-3, high + 1.0]
    kind = Kind("number", good, {TYPE: NO_NUMBER, RANGE: tuple(outside), NAN: NANS})
    return kind if outside else kind.without(RANGE, because=EVERY_NUMBER)


def integer(low: int | None = None, *, good: int = 3) -> Kind:
    """Return the kind of a whole number of at least ``low``."""
    bad = {TYPE: ("three", 1.5, [3], True, None), NAN: NANS}
    if low is None:
        return Kind("integer", good, bad, {RANGE: "every whole number has a meaning here"})
    return Kind("integer", good, {**bad, RANGE: (low - 1, low - 10)})


def choice(*values: Any, wrong: tuple[Any, ...] = ("sideways", "")) -> Kind:
    """Return the kind of a choice from a few names; the first is the good one."""
    types = tuple(v for v in (3, ["a"], None) if v not in values)
    return Kind("choice", values[0], {TYPE: types, RANGE: wrong})


ANY_SHAPE = "arrays of every shape have a meaning here"
CHECKED_IN_FIT = (
    "inner functions pass NaN on: fit, evaluate and predict refuse it where data come in, and a "
    "diverging network must show its NaN to callbacks.TerminateOnNaN"
)


def array(good: Any, *, shape: tuple[Any, ...] = (), finite: bool = True) -> Kind:
    """Return the kind of an array of numbers; ``shape`` holds arrays of the wrong shape."""
    good = np.asarray(good)
    broken = []
    for value in (np.nan, np.inf):
        spoilt = np.array(good, dtype="float64")
        spoilt[(-1,) * spoilt.ndim] = value
        broken.append(spoilt)
    bad = {
        TYPE: ("text", [["a", "b"]], object(), None),
        SHAPE: shape,
        NAN: tuple(broken),
        EMPTY: (np.empty((0, *good.shape[1:])),),
    }
    kind = Kind("array", Made(good.copy), bad)
    if not shape:
        kind = kind.without(SHAPE, because=ANY_SHAPE)
    return kind if finite else kind.without(NAN, because=CHECKED_IN_FIT)


FLAG = Kind("flag", True, {TYPE: ("no", 2, [True], None)})
TEXT = Kind("text", "something", {TYPE: (3, ["a"], None), EMPTY: ("",)})
PATH = Kind("path", "somewhere", {TYPE: (3, ["a"], None), EMPTY: ("",)})
FUNCTION = Kind("function", Made(lambda: lambda *_: 0.0), {TYPE: (3, "text", None)})
SEED = Kind("seed", 0, {TYPE: ("seven", 1.5, [3], True), RANGE: (-1, -10), NAN: NANS})
RNG = Kind(
    "object",
    Made(lambda: np.random.default_rng(0)),
    {TYPE: (0, None, "seven", np.random.RandomState)},
)
RNG_OR_SEED = SEED.but(type=("seven", 1.5, [3], True, None))
RATE = number(0, 1)
OPEN_RATE = number(0, 1, high_open=True)
COUNT = integer(1)
COUNT_OR_0 = integer(0)
POSITIVE = number(0, low_open=True)
NOT_NEGATIVE = number(0)
FINITE = number()
CONFIG = Kind("mapping", None, {TYPE: (3, ["a"], None), EMPTY: ({},)})


@functools.cache
def _folder() -> tempfile.TemporaryDirectory:
    return tempfile.TemporaryDirectory(prefix="bad-input-")


def scratch(name: str) -> str:
    """Return a path to write to, in a folder that goes when the tests end."""
    return os.path.join(_folder().name, name)


def thing(good: Any, *wrong: Any) -> Kind:
    """Return the kind of an object of a certain class."""
    return Kind("object", good, {TYPE: (3, "text", None, *wrong)})


def identifier(good: Any, wrong_type: tuple[Any, ...] = (3, [1])) -> Kind:
    """Return the kind of what a ``get`` takes: a name, a config, a class, an object."""
    return Kind(
        "identifier", good, {TYPE: wrong_type, RANGE: ("no such thing", {"class_name": "NoSuch"})}
    )


def lengths(good: Any, *, low: int = 1) -> Kind:
    """Return the kind of a shape: lengths of axes."""
    return Kind(
        "shape",
        good,
        {
            TYPE: ("ab", 3.5, ("a",), (1.5,)),
            RANGE: ((low - 1,), (3, low - 2)),
            NAN: tuple((value,) for value in NANS),
        },
    )


@dataclass(frozen=True)
class Entry:
    """A public name: how to call it, and the kind of each of its arguments.

    ``given`` are arguments of the good call besides those that the kinds' good values give.
    """

    name: str
    kinds: Mapping[str, Kind]
    call: Callable[..., Any] | None = None
    given: Mapping[str, Any] = field(default_factory=dict)
    says: Mapping[str, str] = field(default_factory=dict)


def names(argument: str, message: str) -> bool:
    """Return whether a message names an argument, as a word; ``a|b``: one of the two."""
    words = (re.escape(word) for word in argument.split("|"))
    return any(re.search(rf"(?<!\w){word}(?!\w)", message) for word in words)


def shows(value: Any, message: str) -> bool:
    """Return whether a message shows what came: the value, or what tells arrays apart."""
    signs = [repr(value), repr(value)[:60], str(value) or "''", type(value).__name__]
    if hasattr(value, "columns"):
        signs.append(f"got {', '.join(value.columns)}")
    if isinstance(value, np.ndarray):
        signs.append(f"got {value.tolist()}")
    if isinstance(value, type):
        signs.append(value.__name__)
    if isinstance(value, dict):
        signs += [repr(part) for part in (*value, *value.values())]
        if any(shows(part, message) for part in value.values()):
            return True
        keys = list(map(str, value))
        signs += [f"got {', '.join(names)}" for names in (keys, sorted(keys)) if keys]
        signs += [] if keys else ["[]"]
    else:
        try:
            as_array = np.asarray(value)
        except ValueError:  # arrays of several shapes
            as_array = np.asarray(None)
        signs.append(f"dtype {as_array.dtype}")
        # Of predictions a message may give the shape that the targets of classes must have.
        signs += [str(as_array.shape), f"have shape {as_array.shape[:-1]}"]
        if as_array.dtype.kind in "iuf" and as_array.size and np.isfinite(as_array).all():
            signs += [f"got {as_array.min():g}", f"got {as_array.max():g}"]
            signs.append(f"values from {as_array.min():g} to {as_array.max():g}")
        if as_array.dtype.kind == "f" and not np.isfinite(as_array).all():
            signs.append("NaN or infinity")
    if isinstance(value, (list, tuple)):
        signs += [f"got {len(value)}", *(f"got {part!r}" for part in value)]
        if any(shows(part, message) for part in value):
            return True
    if isinstance(value, (str, list, tuple, dict)) and not value:
        signs += ["empty", "none", "nothing", "missing", "None"]
    return any(sign in message for sign in signs)
