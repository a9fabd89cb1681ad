"""Names that both sides have, each its own: what a notebook has only once.

A test in the judge finds there what the instructor has prepared, and Python's own functions. In a
notebook it would find what the answer has made of them: an array that was scaled, a helper that was
written anew, a number that is called `sum`. Both sides describe what they have, and where the
descriptions differ the test may say something else than in a notebook.
"""

from __future__ import annotations

import builtins
import dis
import functools
import types
import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from fastgrade.rpc.codec import Encoder, WireError

__all__ = ["difference", "own_pictures", "pictures", "reached", "read_by_functions"]

#: Larger values are not looked at.
_MOST_ITEMS, _MOST_BYTES = 2_000, 1 << 20
_BUILT_IN = "built in"
#: Names in which both sides differ, and which no answer has made.
_EVERYWHERE = {"get_ipython", "__builtins__", "__name__", "__doc__", "exit", "quit"}


def pictures(namespace: Mapping[str, Any], names: Iterable[str]) -> dict[str, str]:
    """Return a description of what each name stands for; empty where nothing can be said.

    >>> pictures({"a": [1, 2], "b": 0}, ["a", "c"]) == pictures({"a": [1, 2]}, ["a"])
    True
    """
    return {name: _picture(namespace[name]) for name in names if name in namespace}


def own_pictures(namespace: Mapping[str, Any], names: Iterable[str]) -> dict[str, str]:
    """Return the same for the judge, which finds Python's own functions under other names."""
    names = set(names) - _EVERYWHERE
    return dict.fromkeys(names & vars(builtins).keys(), _BUILT_IN) | pictures(namespace, names)


def difference(own: Mapping[str, str], others: Mapping[str, str]) -> list[str]:
    """Return the names of the judge that stand for something else on the student's side.

    >>> own = own_pictures({"a": 1, "b": 2}, ["a", "b", "sum", "len"])
    >>> difference(own, pictures({"a": 1, "b": 3, "sum": 4}, ["a", "b", "sum", "len"]))
    ['b', 'sum']
    """

    def is_other(name: str, picture: str) -> bool:
        if picture == _BUILT_IN:
            return name in others
        return picture != others.get(name) if picture else name not in others

    return sorted(name for name, picture in own.items() if is_other(name, picture))


def reached(names: Iterable[str], namespace: Mapping[str, Any]) -> set[str]:
    """Return names that a test reads, and those that its helpers read.

    >>> notebook = {"__name__": "__main__"}
    >>> exec("def f(): return x + max(y)", notebook)
    >>> sorted(reached(["f"], notebook))
    ['f', 'max', 'x', 'y']
    """
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            for code in _functions_in(namespace.get(name)):
                waiting += _read_by(code)
    return found


def read_by_functions(namespace: Mapping[str, Any]) -> set[str]:
    """Return the names that functions and methods of a notebook read when they are called.

    >>> notebook = {"__name__": "__main__", "m": 3}
    >>> exec("def f(x): return x + n", notebook)
    >>> read_by_functions(notebook)
    {'n'}
    """
    codes = (code for value in list(namespace.values()) for code in _functions_in(value))
    return set().union(*map(_read_by, codes))


def _functions_in(value: Any) -> Iterator[types.CodeType]:
    """Yield the code of a function, or of the methods of a class, that a notebook has defined."""
    for part in list(vars(value).values()) if isinstance(value, type) else [value]:
        inner = getattr(part, "__wrapped__", part)
        if isinstance(inner, types.FunctionType) and inner.__module__ == "__main__":
            yield inner.__code__


@functools.lru_cache(maxsize=1024)
def _read_by(code: types.CodeType) -> frozenset[str]:
    loads = {"LOAD_GLOBAL", "LOAD_NAME"}
    names = frozenset(i.argval for i in dis.get_instructions(code) if i.opname in loads)
    return names.union(*(_read_by(c) for c in code.co_consts if isinstance(c, types.CodeType)))


def _picture(value: Any) -> str:
    try:
        text = _described(value)
    except (WireError, TypeError, ValueError, AttributeError, RecursionError):
        text = b""
    return f"{len(text)} {zlib.crc32(text)}" if text else ""  # an answer could lie anyway


def _described(value: Any) -> bytes:
    if isinstance(value, types.ModuleType | types.BuiltinFunctionType):
        return f"{type(value).__name__} {value.__name__}".encode()
    if isinstance(value, types.FunctionType):
        return repr(_of_code(value.__code__)).encode()
    if isinstance(value, type):
        if value.__module__ != "__main__":
            return f"{value.__module__}.{value.__qualname__}".encode()
        return repr([value.__name__, *map(_of_code, _functions_in(value))]).encode()
    if isinstance(value, set | frozenset):
        value = sorted(map(repr, value))
    if type(value) is np.ndarray and value.dtype.kind in "biufc" and _is_small(value):
        return f"{value.dtype} {value.shape}".encode() + value.tobytes()
    return Encoder().encode(value) if _is_small(value) else b""


def _of_code(code: types.CodeType) -> tuple[Any, ...]:
    """Return what a function does, wherever it is written."""
    constants = [
        _of_code(part)
        if isinstance(part, types.CodeType)
        else repr(sorted(part, key=repr) if isinstance(part, frozenset) else part)
        for part in code.co_consts
    ]
    return code.co_code, code.co_names, code.co_varnames, constants


def _is_small(value: Any) -> bool:
    if isinstance(value, np.ndarray):
        return value.nbytes <= _MOST_BYTES
    most = _MOST_BYTES if isinstance(value, str | bytes) else _MOST_ITEMS
    return not hasattr(type(value), "__len__") or len(value) <= most
