"""What each argument must be, declared once beside the function or class that takes it.

    @arguments(rate=Number("[0, 1]"), seed=Seed())
    class Dropout(Layer): ...

Every call is looked at before it runs, and what is wrong is refused by name: ``rate must be in
[0, 1], got 1.5``. The function gets what the constraint makes of it: a float, an array, a
generator for a seed. None may stand where it is the default. A constraint also knows a good value
and bad ones, by what is wrong with them, so that the tests read the same declaration. What depends
on two arguments is left to the function.
"""

from __future__ import annotations

import functools
import math
import numbers
import os
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np

from reglib._typing import Lengths
from reglib._validation import check_array, naming, shown

Declared = TypeVar("Declared", bound=Callable[..., Any])
Bad = dict[str, tuple[Any, ...]]

NOT_FINITE = (float("nan"), float("inf"), float("-inf"))


def arguments(**constraints: Constraint) -> Callable[[Declared], Declared]:
    """Return a decorator of functions and classes that checks their arguments at each call.

    Examples
    --------
    >>> @arguments(rate=Number("[0, 1)"))
    ... def keep(rate=0.5):
    ...     return 1 - rate
    >>> keep(1.5)
    Traceback (most recent call last):
    ...
    ValueError: rate must be in [0, 1), got 1.5
    """

    def declare(target: Any) -> Any:
        if isinstance(target, type):
            target.__init__ = declare(vars(target)["__init__"])  # type: ignore[misc]
            return target
        positional, others, defaults = _parameters(getattr(target, "__wrapped__", target))
        assert constraints.keys() <= {*positional, *others}, "an argument that there is not"
        declared = {
            name: constraint | None if defaults.get(name, name) is None else constraint
            for name, constraint in constraints.items()
        }
        places = [(place, name) for place, name in enumerate(positional) if name in declared]
        first = places[0][0] if places else math.inf
        changing: list[tuple[float, str]] | None = None

        @functools.wraps(target)
        def checked(*given: Any, **named: Any) -> Any:
            __tracebackhide__ = True
            nonlocal changing
            if changing is None:
                order = {name: place for place, name in places}
                changing = [
                    (order.get(name, math.inf), name)
                    for name in declared
                    if name in defaults and _changes(declared[name], defaults[name])
                ]
            if len(given) <= first and not named and not changing:
                return target(*given)  # activations are called so in each step
            try:
                values = list(given)
                for place, name in places:
                    if place >= len(values):
                        break
                    values[place] = declared[name].check(name, values[place])
                for name, value in named.items():
                    if name in declared:
                        named[name] = declared[name].check(name, value)
                for at, name in changing:
                    if at >= len(values) and name not in named:
                        named[name] = declared[name].check(name, defaults[name])
            except Exception as error:
                # What lies between the caller's line and the message is of no interest.
                raise error.with_traceback(None) from error.__cause__
            return target(*values, **named)

        checked.constraints = declared  # type: ignore[attr-defined]
        return checked

    return declare


def _parameters(function: Any) -> tuple[list[str], list[str], dict[str, Any]]:
    """Return names by place, those by keyword alone, and the defaults.

    From the code itself: to make a signature takes fifty times as long, at every import.
    """
    code, number = function.__code__, function.__code__.co_argcount
    names = list(code.co_varnames[: number + code.co_kwonlyargcount])
    given = function.__defaults__ or ()
    defaults = dict(zip(names[number - len(given) : number], given, strict=True))
    return names[:number], names[number:], defaults | (function.__kwdefaults__ or {})


def _changes(constraint: Constraint, default: Any) -> bool:
    """Return whether a default is something else once it is checked: a seed, or a name."""
    made = constraint.check("default", default)
    return type(made) is not type(default) or (made is not default and made != default)


class Constraint:
    """What an argument must be.

    A subclass has :meth:`check`, a value that it accepts and values that it refuses, by what is
    wrong with them: their ``type`` (a TypeError) or ``range``, ``shape``, ``nan``, ``empty`` (a
    ValueError); ``unknown`` is either.
    """

    good: Any = None

    def check(self, name: str, value: Any) -> Any:
        """Return the value, converted, or raise an error that begins with the name."""
        raise NotImplementedError

    def bad(self) -> Bad:
        """Return values that :meth:`check` refuses, by what is wrong with them."""
        raise NotImplementedError

    def __or__(self, other: Constraint | None) -> Constraint:
        return _Either(self, other)


class _Either(Constraint):
    """One constraint, or the other where the type is none that the first can use."""

    def __init__(self, first: Constraint, second: Constraint | None) -> None:
        self.first, self.second, self.good = first, second, first.good

    def check(self, name: str, value: Any) -> Any:
        """Return what the first constraint that accepts it makes of the value."""
        if self.second is None:
            return None if value is None else self.first.check(name, value)
        try:
            return self.first.check(name, value)
        except TypeError as error:
            try:
                return self.second.check(name, value)
            except (TypeError, ValueError) as other:
                of_first = isinstance(other, TypeError) or isinstance(value, numbers.Number)
                raise (error if of_first else other) from None

    def bad(self) -> Bad:
        """Return what the first constraint refuses and the second does not accept."""
        bad = self.first.bad()
        if self.second is not None:  # which of the two errors it is depends on the value
            bad = {"unknown": tuple(value for values in bad.values() for value in values)}
        return {
            wrong: tuple(value for value in values if not _accepts(self.second, value))
            for wrong, values in bad.items()
        }


def _accepts(constraint: Constraint | None, value: Any) -> bool:
    if constraint is None:
        return value is None
    try:
        constraint.check("value", value)
    except (TypeError, ValueError):
        return False
    return True


def _wrong_type(name: str, wanted: str, value: Any) -> TypeError:
    return TypeError(f"{name} must be {wanted}, got {shown(value)} ({type(value).__name__})")


def is_number(value: Any, kind: Any = numbers.Real) -> bool:
    """Return whether a value is a number; True and False are none."""
    return isinstance(value, kind) and not isinstance(value, (bool, np.bool_))


class Range:
    """An interval as it is written: ``"[0, 1)"``, ``">= 0"``, ``"> 0"``; ``""`` is all numbers."""

    def __init__(self, text: str) -> None:
        self.text, self.low, self.high = text, -math.inf, math.inf
        if text:
            found = re.fullmatch(r"([\[(])(\S+), (\S+)([\])])|(>=?) (\S+)", text)
            assert found, f"{text!r} is no interval"
            _, low, high, closing, sign, least = found.groups()
            self.low, self.high = float(low or least), float(high or "inf")
            self.without_low, self.without_high = "(" in text or sign == ">", closing == ")"

    def __str__(self) -> str:
        if "," in self.text:
            return f"in {self.text}"
        return f"{'above' if self.without_low else 'at least'} {self.low:g}"

    def __contains__(self, number: float) -> bool:
        if not self.text:
            return True
        return (self.low < number or (number == self.low and not self.without_low)) and (
            number < self.high or (number == self.high and not self.without_high)
        )

    def outside(self, step: float) -> tuple[float, ...]:
        """Return numbers that lie outside: at the ends, or ``step`` beyond, and far off."""
        found: list[float] = []
        if self.low > -math.inf:
            found += [self.low if self.without_low else self.low - step, self.low - 10]
        if self.high < math.inf:
            found += [self.high if self.without_high else self.high + step, self.high + 10]
        return tuple(found)


class Number(Constraint):
    """A finite real number, which becomes a float.

    Examples
    --------
    >>> Number("> 0").check("lr", 1)
    1.0
    >>> Number("> 0").check("lr", 0)
    Traceback (most recent call last):
    ...
    ValueError: lr must be a finite number > 0, got 0
    """

    def __init__(self, interval: str = "") -> None:
        self.range = Range(interval)
        low, high = self.range.low, self.range.high
        self.good = (low + high) / 2 if math.isfinite(low + high) else max(low, 0) + 0.5

    def __str__(self) -> str:
        text = self.range.text
        return "finite" if not text else f"in {text}" if "," in text else f"a finite number {text}"

    def check(self, name: str, value: Any) -> float:
        """Return the number as a float."""
        # Most are floats, and asking an abstract class takes longer than all the rest.
        if type(value) is not float and not is_number(value):
            raise _wrong_type(name, "a number", value)
        number = float(value)
        if not math.isfinite(number) or number not in self.range:
            raise ValueError(f"{name} must be {self}, got {value}")
        return number

    def bad(self) -> Bad:
        """Return no numbers, numbers outside the interval, and those that are not finite."""
        types = ("a lot", [0.5], 1j, True, None)
        return {"type": types, "range": self.range.outside(1e-3), "nan": NOT_FINITE}


class Integer(Constraint):
    """A whole number, of at least what ``">= 1"`` says, which becomes an int."""

    def __init__(self, least: str = "") -> None:
        self.range = Range(least)
        self.good = 3 if not least else int(self.range.low) + 1

    def check(self, name: str, value: Any) -> int:
        """Return the number as an int."""
        if not is_number(value, numbers.Integral):
            raise _wrong_type(name, "an integer", value)
        if value not in self.range:
            raise ValueError(f"{name} must be {self.range}, got {value}")
        return int(value)

    def bad(self) -> Bad:
        """Return no whole numbers, and those that are too low."""
        types = ("three", 1.5, 3.0, [3], True, None, *NOT_FINITE)
        return {"type": types, "range": tuple(map(int, self.range.outside(1)))}


class Flag(Constraint):
    """True or False: the string "no" would be true."""

    good = True

    def check(self, name: str, value: Any) -> bool:
        """Return the flag as a bool."""
        if not isinstance(value, (bool, np.bool_)):
            raise _wrong_type(name, "True or False", value)
        return bool(value)

    def bad(self) -> Bad:
        """Return what is only like a flag."""
        return {"type": ("no", 0, 2, [True], None)}


class Text(Constraint):
    """A string with something in it."""

    good = "something"

    def check(self, name: str, value: Any) -> str:
        """Return the string."""
        if not isinstance(value, str):
            raise _wrong_type(name, "a string", value)
        if not value:
            raise ValueError(f"{name} must not be empty, got ''")
        return value

    def bad(self) -> Bad:
        """Return no strings, and one with nothing in it."""
        return {"type": (3, ["a"], None), "empty": ("",)}


class PathName(Constraint):
    """A path, which becomes a string."""

    good = "somewhere"

    def check(self, name: str, value: Any) -> str:
        """Return the path as a string."""
        if not isinstance(value, (str, os.PathLike)):
            raise _wrong_type(name, "a path", value)
        path = os.fspath(value)
        if not path:
            raise ValueError(f"{name} must not be empty, got ''")
        return path

    def bad(self) -> Bad:
        """Return no paths, and one with nothing in it."""
        return {"type": (3, ["a"], None), "empty": ("",)}


class Choice(Constraint):
    """One of a few values."""

    def __init__(self, *choices: Any) -> None:
        self.choices = choices
        self.good = choices[0]

    def check(self, name: str, value: Any) -> Any:
        """Return the value."""
        if not any(value is choice or value == choice for choice in self.choices):
            listed = ", ".join(map(repr, self.choices))
            raise ValueError(f"{name} must be one of {listed}, got {shown(value)}")
        return value

    def bad(self) -> Bad:
        """Return values that are none of the choices."""
        return {
            "range": tuple(v for v in ("sideways", "", 3, ["a"], None) if v not in self.choices)
        }


class Instance(Constraint):
    """An object of a class, or of one of several, which the message calls ``what``."""

    def __init__(self, kind: type | tuple[type, ...], what: str) -> None:
        self.kind, self.what = kind, what

    def check(self, name: str, value: Any) -> Any:
        """Return the object."""
        if not isinstance(value, self.kind):
            raise _wrong_type(name, self.what, value)
        return value

    def bad(self) -> Bad:
        """Return objects of other classes, and the class itself."""
        kinds = self.kind if isinstance(self.kind, tuple) else (self.kind,)
        return {"type": (3, "text", None, kinds[0])}


class Function(Constraint):
    """Something that can be called."""

    good = staticmethod(lambda *_: 0.0)

    def check(self, name: str, value: Any) -> Callable[..., Any]:
        """Return the function."""
        if not callable(value):
            raise _wrong_type(name, "a function", value)
        return value

    def bad(self) -> Bad:
        """Return what cannot be called."""
        return {"type": (3, "text", None)}


class Dict(Constraint):
    """A mapping."""

    def __init__(self, good: Mapping[Any, Any] | None = None) -> None:
        self.good = {} if good is None else good

    def check(self, name: str, value: Any) -> Mapping[Any, Any]:
        """Return the mapping."""
        if not isinstance(value, Mapping):
            raise _wrong_type(name, "a dict", value)
        return value

    def bad(self) -> Bad:
        """Return no mappings."""
        return {"type": (3, "text", ["a"], None)}


class List(Constraint):
    """A collection and no string, which becomes a list; each entry by a constraint of its own."""

    def __init__(self, what: str = "values", of: Constraint | None = None) -> None:
        self.what, self.of = what, of

    @property
    def good(self) -> list[Any]:
        """A list of one good entry."""
        return [] if self.of is None or self.of.good is None else [self.of.good]

    def check(self, name: str, value: Any) -> list[Any]:
        """Return the entries in a list."""
        if isinstance(value, (str, bytes, Mapping)) or not hasattr(value, "__iter__"):
            raise _wrong_type(name, f"a list of {self.what}", value)
        return list(value) if self.of is None else [self.of.check(name, entry) for entry in value]

    def bad(self) -> Bad:
        """Return no lists, and lists of bad entries."""
        inside = {} if self.of is None else self.of.bad()
        found = {wrong: tuple([entry] for entry in bad) for wrong, bad in inside.items()}
        return found | {"type": (3, "ab", None, *found.get("type", ()))}


class Seed(Integer):
    """A whole number of at least 0 that makes randomness repeatable."""

    def __init__(self) -> None:
        super().__init__(">= 0")


class Generator(Constraint):
    """A ``numpy.random.Generator``."""

    @property
    def good(self) -> np.random.Generator:
        """A generator."""
        return np.random.default_rng(0)

    def check(self, name: str, value: Any) -> np.random.Generator:
        """Return the generator."""
        if not isinstance(value, np.random.Generator):
            raise _wrong_type(
                name, "a numpy.random.Generator such as np.random.default_rng(0)", value
            )
        return value

    def bad(self) -> Bad:
        """Return seeds, and what is no generator."""
        return {"type": (0, "seven", None, np.random.RandomState, np.random.Generator)}


class GeneratorOrSeed(Generator):
    """A generator, or the seed of one."""

    def check(self, name: str, value: Any) -> Any:
        """Return the generator, or one from the seed."""
        if isinstance(value, np.random.Generator):
            return value
        if not is_number(value, numbers.Integral):
            raise _wrong_type(name, "a numpy.random.Generator or a seed", value)
        return np.random.default_rng(Integer(">= 0").check(name, value))

    def bad(self) -> Bad:
        """Return what is neither."""
        return {"type": ("seven", 1.5, [3], True, None, *NOT_FINITE), "range": (-1, -10)}


class Shape(Constraint):
    """The lengths of axes, at least ``low`` or None, which become a tuple."""

    def __init__(self, low: int = 1) -> None:
        self.low, self.good = low, (3, 2)

    def check(self, name: str, value: Any) -> Lengths:
        """Return the lengths in a tuple.

        Examples
        --------
        >>> Shape().check("input_shape", [8, -8])
        Traceback (most recent call last):
        ...
        ValueError: input_shape must be lengths of at least 1, got [8, -8]
        """
        lengths = List("lengths").check(name, value)
        for length in lengths:
            if length is not None and not is_number(length, numbers.Integral):
                raise TypeError(f"{name} must be whole numbers or None, got {shown(value)}")
            if length is not None and length < self.low:
                raise ValueError(
                    f"{name} must be lengths of at least {self.low}, got {shown(value)}"
                )
        return tuple(None if length is None else int(length) for length in lengths)

    def bad(self) -> Bad:
        """Return no lengths, and lengths that are too small."""
        types = ("ab", 3.5, None, ("a",), (1.5,), *((n,) for n in NOT_FINITE))
        return {"type": types, "range": ((self.low - 1,), (3, self.low - 2))}


class Axis(Constraint):
    """The number of an axis, or of several, which become a tuple; of none, if that is said."""

    good = -1

    def __init__(self, *, empty: bool = False) -> None:
        self.empty = empty

    def check(self, name: str, value: Any) -> int | tuple[int, ...]:
        """Return the axis as an int, or several as a tuple."""
        if not isinstance(value, (tuple, list)):
            return Integer().check(name, value)
        if not value and not self.empty:
            raise ValueError(f"{name} must not be empty, got {value!r}")
        return tuple(Integer().check(name, axis) for axis in value)

    def bad(self) -> Bad:
        """Return what numbers no axis; which axes there are is known once there is an array."""
        types = ("last", 1.5, None, ("a",), (1.5,), *NOT_FINITE)
        return {"type": types, "empty": () if self.empty else ((), [])}


class Array(Constraint):
    """An array of numbers, or what becomes one.

    ``shape`` may have None for any length; ``within`` is the interval of the entries. Entries
    have to be finite and there has to be one, unless ``nan`` or ``empty`` says otherwise.
    """

    def __init__(
        self,
        ndim: int | None = None,
        *,
        shape: Lengths | None = None,
        dtype: Any = None,
        within: str = "",
        empty: bool = False,
        nan: bool = False,
    ) -> None:
        self.range = Range(within)
        self.ndim = len(shape) if shape is not None else ndim
        self.shape = shape
        self.options = {"ndim": ndim, "shape": shape, "dtype": dtype}
        self.options |= {"allow_empty": empty, "allow_nan": nan}

    @property
    def good(self) -> np.ndarray:
        """An array of ones."""
        lengths = self.shape or (None,) * (1 if self.ndim is None else self.ndim)
        return np.ones([2 if length is None else length for length in lengths])

    def check(self, name: str, value: Any) -> np.ndarray:
        """Return the array."""
        array = check_array(name, value, **self.options)
        if self.range.text and array.size:
            least, most = array.min(), array.max()
            if least not in self.range or most not in self.range:
                raise ValueError(
                    f"{name} must be {self.range}, got values from {least:g} to {most:g}"
                )
        return array

    def bad(self) -> Bad:
        """Return no numbers, and arrays of other shapes, outside, not finite, or empty."""
        good = self.good
        found: Bad = {"type": ("text", [["a", "b"]], object(), None)}
        if self.ndim is not None:
            found["shape"] = (np.ones((2,) * (self.ndim + 1)), 1.0 if self.ndim else [1.0])
        if self.shape is not None:
            found["shape"] += tuple(
                np.ones([*good.shape[:axis], length + 1, *good.shape[axis + 1 :]])
                for axis, length in enumerate(self.shape)
                if length is not None
            )
        found["range"] = tuple(good * 0 + number for number in self.range.outside(1e-3))
        if not self.options["allow_nan"]:
            found["nan"] = (good * np.nan, good * np.inf)
        if not self.options["allow_empty"] and good.ndim:
            found["empty"] = (good[:0],)
        return found


class Identifier(Constraint):
    """What a ``get`` takes: a name, a config, a class or an object, which becomes the object."""

    def __init__(self, get: Callable[[Any], Any]) -> None:
        self.get = get

    def check(self, name: str, value: Any) -> Any:
        """Return the object."""
        with naming(name):
            return self.get(value)

    def bad(self) -> Bad:
        """Return what no ``get`` knows."""
        return {"unknown": ("no such thing", {"class_name": "NoSuch"}, 3, [1])}
