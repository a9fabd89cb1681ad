"""What the judge sees of an object that lives in the student's process.

A proxy forwards calls, attributes, items, length, iteration and text, whose results are plain data
again. It never forwards comparisons, arithmetic or truth: those would let the student's code decide
what a test concludes. Where such a question has the same answer for all objects of its kind, the
proxy gives it; where the object's own class decides, it raises `UnansweredError`. Methods, and what
an object says that it contains, count only where the solution's test asks for such, too.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

import numpy as np

from fastgrade.rpc import WireError

__all__ = ["ASKED", "StudentCallable", "StudentIterator", "StudentObject", "UnansweredError"]

_REFLECTED = (
    *("add", "sub", "mul", "matmul", "truediv", "floordiv", "mod", "divmod", "pow"),
    *("lshift", "rshift", "and", "xor", "or"),
)
_ARITHMETIC = (
    *(f"__{name}__" for name in _REFLECTED),
    *(f"__r{name}__" for name in _REFLECTED),
    *("__lt__", "__le__", "__gt__", "__ge__"),
    *("__neg__", "__pos__", "__abs__", "__invert__", "__round__"),
    *("__float__", "__int__", "__complex__", "__index__", "__enter__", "__exit__"),
)
#: What a portrait says of an object's class: which of these it, or a base but `object`, defines.
ASKED = (
    *_ARITHMETIC,
    *("__eq__", "__hash__", "__repr__", "__str__", "__bool__", "__len__", "__iter__", "__next__"),
    *("__contains__", "__getitem__", "__call__"),
)
#: Classes that mean the same in both processes.
_KINDS = {"function": types.FunctionType, "builtin_function_or_method": types.BuiltinFunctionType}
_KINDS |= {"method": types.MethodType, "type": type}


class UnansweredError(TypeError):
    """Raised where only the student's own code could say what a test asks of its object."""


class Asking(Protocol):
    """What a proxy needs of the judge's end of the conversation."""

    def perform(self, operation: str, *operands: Any) -> Any:
        """Have the student's process perform an operation."""

    def call(self, number: int, args: tuple, kwargs: dict) -> Any:
        """Call a function of the student."""

    def unable(self, what: str) -> UnansweredError:
        """Return an error, and keep in mind that there was one."""

    def may_look(self, in_doubt: bool) -> bool:
        """Whether the test asks objects of the solution for what only they can say.

        Parameters
        ----------
        in_doubt : bool
            What to return where that is not known.
        """


class StudentObject:
    """In the judge: an object that lives in the student's process."""

    #: For the codec, which must not ask it for its class.
    stays_behind = True
    #: NumPy leaves operators to the other side then.
    __array_ufunc__ = None

    def __init__(self, peer: Asking, number: int, portrait: Mapping[str, Any]):
        put = object.__setattr__
        put(self, "_peer", peer)
        put(self, "_number", number)
        kind, has, bases = (portrait.get(name) for name in ("type", "has", "bases"))
        put(self, "_kind", kind if type(kind) is str else "object")
        put(self, "_has", frozenset(has) if type(has) is list else frozenset(ASKED))
        put(self, "_bases", bases if type(bases) is list else ["?"])
        put(self, "_record", _record(portrait))
        name = portrait.get("name")
        if type(name) is str:
            put(self, "__name__", name)

    def _do(self, operation: str, *operands: Any) -> Any:
        return self._peer.perform(operation, self._number, *operands)

    def _told(self) -> str:
        return f"<{self._kind} of the student>"

    def _unable(self, what: str) -> UnansweredError:
        return self._peer.unable(f"{what} {self._told()}, which is no plain data")

    @property  # type: ignore[misc]  # what isinstance asks for where the type itself says no
    def __class__(self) -> type:
        """Stand for a class of the student's own; what is derived from others cannot be told."""
        bases = object.__getattribute__(self, "_bases")
        if not bases:
            return _stand_in(self._kind, self._has)
        if len(bases) == 1 and bases[0] in _KINDS:
            return _KINDS[bases[0]]
        raise self._unable("a test asks for the class of")

    def __getattr__(self, name: str) -> Any:
        # NumPy and others ask for names such as __array_interface__ and trust what they get.
        if name.startswith("__"):
            raise AttributeError(name)
        value = self._do("attr", name)
        if issubclass(type(value), StudentObject) and not self._peer.may_look(in_doubt=True):
            raise self._unable(f"a test asks for .{name} of")
        return value

    def __setattr__(self, name: str, value: Any) -> None:
        self._do("set attr", name, value)

    def __getitem__(self, key: Any) -> Any:
        return self._do("item", key)

    def __setitem__(self, key: Any, value: Any) -> None:
        self._do("set item", key, value)

    def __len__(self) -> int:
        value = self._do("length")
        if type(value) is not int or not 0 <= value < 2**62:
            raise WireError("malformed reply: not a length")
        return value

    def __contains__(self, key: Any) -> bool:
        if self._peer.may_look(in_doubt=False):
            return self._do("contains", key) is True
        if "__iter__" in self._has:
            return any(item is key or item == key for item in self)
        raise self._unable("a test looks for something in")

    def __iter__(self) -> Iterator[Any]:
        iterator = self._do("iterate")
        if type(iterator) not in (StudentObject, StudentIterator):
            raise WireError("malformed reply: not an iterator")
        while True:
            there, value = _item(iterator._do("next"))
            if not there:
                return
            yield value

    def __bool__(self) -> bool:
        raise self._unable("a test asks for the truth of")

    def __eq__(self, other: object) -> bool:
        if self._record is not None and (self is other or _has_no_say(other)):
            return self is other
        if self._record is not None and self._record == getattr(other, "_record", None):
            # A dataclass of the student: its values are compared here, by the judge.
            return all(self._do("attr", name) == getattr(other, name) for name in self._record[1])
        if "__eq__" in self._has or "__eq__" in getattr(other, "_has", ()):
            raise self._unable("a test compares")
        return self is other

    def __hash__(self) -> int:
        if self._record is not None and self._record[2]:
            return hash((self._record, *(self._do("attr", name) for name in self._record[1])))
        if "__hash__" in self._has:
            raise self._unable("a test hashes")
        return object.__hash__(self)

    def __repr__(self) -> str:
        return self._text("repr") if "__repr__" in self._has else self._told()

    def __str__(self) -> str:
        return self._text("str") if "__str__" in self._has else repr(self)

    def _text(self, kind: str) -> str:
        text = self._do(kind)
        if type(text) is not str:
            raise WireError("malformed reply: not a text")
        return text

    # Defined, so that conversion does not try to walk the object as a sequence.
    def __array__(self, *args: Any, **kwargs: Any) -> np.ndarray:
        raise self._unable("a test makes an array of")


def _record(portrait: Mapping[str, Any]) -> tuple[int, tuple[str, ...], bool] | None:
    """Return a dataclass, the fields by which its objects are equal, and if it hashes by them."""
    kind, fields = portrait.get("class"), portrait.get("fields")
    if type(kind) is not int or type(fields) is not list:
        return None
    return kind, tuple(map(str, fields)), portrait.get("hashes") is True


def _has_no_say(other: object) -> bool:
    """Whether a value leaves it to others what it equals."""
    return other is None or type(other) in (
        bool,
        int,
        float,
        complex,
        str,
        bytes,
        list,
        tuple,
        dict,
    )


def _item(value: Any) -> tuple[bool, Any]:
    if type(value) is not tuple or len(value) != 2:
        raise WireError("malformed reply: not an item")
    return value[0] is True, value[1]


def _operator(name: str) -> Callable[..., Any]:
    def operator(self: StudentObject, *others: Any) -> Any:
        if name in self._has:
            raise self._unable(f"a test uses {name} of")
        if others:
            return NotImplemented
        raise TypeError(f"{self._told()} has no {name}")

    operator.__name__ = name
    return operator


for _name in _ARITHMETIC:
    setattr(StudentObject, _name, _operator(_name))


def _stand_in(kind: str, has: frozenset[str]) -> type:
    """Return a class that has what another one has, for those who ask for no more."""
    members: dict[str, Any] = {name: None for name in has if name != "__hash__"}
    return type(kind if kind.isidentifier() else "object", (), members | {"__hash__": None})


class StudentIterator(StudentObject):
    """In the judge: an iterator of the student."""

    def __next__(self) -> Any:
        """Return its next item."""
        there, value = _item(self._do("advance"))
        if not there:
            raise StopIteration
        return value


class StudentCallable(StudentObject):
    """In the judge: a function or class of the student."""

    @property
    def __doc__(self) -> str | None:  # type: ignore[override]
        """The text that the student wrote into the function."""
        text = self._do("documentation")
        return text if type(text) is str else None

    @property
    def __signature__(self) -> inspect.Signature:
        """The arguments of the function, for `inspect.signature`."""
        signature = _signature(self._do("signature"))
        if signature is None:
            raise AttributeError("__signature__")
        return signature

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it where it lives."""
        return self._peer.call(self._number, args, kwargs)

    def __instancecheck__(self, value: Any) -> bool:
        return issubclass(type(value), StudentObject) and self._do("instance", value) is True


def _signature(items: Any) -> inspect.Signature | None:
    if type(items) is not list:
        return None
    try:
        return inspect.Signature(
            [
                inspect.Parameter(
                    name,
                    inspect._ParameterKind(kind),
                    default=default if given else inspect.Parameter.empty,
                )
                for name, kind, given, default in items
            ]
        )
    except (TypeError, ValueError):
        return None
