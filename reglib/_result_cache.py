"""Results of experiments on disk, found again as long as nothing that they depend on has changed.

What a function's result depends on is its source, the values that it reads from outside, the
functions that it calls, and so on down to installed libraries, which count by their versions;
reglib counts by its own source. All of it goes into one hash.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np


class ResultCache:
    """Results on disk: one file of JSON lines for each version of a function and of reglib.

    A line is written whole after each run, so that an interrupted experiment resumes.

    Parameters
    ----------
    folder : Path
        Where the files lie.
    function : callable
        What is run.

    Raises
    ------
    TypeError, ValueError
        If the function uses something that cannot be looked into.
    """

    def __init__(self, folder: Path, function: Callable[..., Any]) -> None:
        digest = _digest(
            ["function", *_parts(function, set()), "reglib", _reglib_digest(), np.__version__]
        )
        name = "".join(c if c.isalnum() else "_" for c in getattr(function, "__name__", "function"))
        self._path = folder / f"{name}-{digest[:16]}.jsonl"
        self._known: dict[str, list[dict[str, float]]] = {}
        if self._path.exists():
            for line in self._path.read_text(encoding="utf-8").splitlines():
                try:
                    entry = json.loads(line)
                    self._known[entry["key"]] = entry["rows"]
                except (ValueError, KeyError, TypeError):
                    continue  # a line cut short by an interruption; its run is repeated

    @staticmethod
    def key(setting: Mapping[str, Any], seed: int) -> str:
        """Return a name for a run that other arguments do not have."""
        return _digest([*_parts(setting, set()), str(seed)])

    def get(self, setting: Mapping[str, Any], seed: int) -> list[dict[str, float]] | None:
        """Return what a run gave, None if it is not there."""
        return self._known.get(self.key(setting, seed))

    def put(self, setting: Mapping[str, Any], seed: int, rows: list[dict[str, float]]) -> None:
        """Write what a run gave."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        # The leading newline ends a line that an interruption may have cut short.
        line = "\n" + json.dumps({"key": self.key(setting, seed), "rows": rows}) + "\n"
        with self._path.open("a", encoding="utf-8") as file:
            file.write(line)


def _digest(parts: Iterable[str]) -> str:
    hashed = hashlib.sha256()
    for part in parts:
        data = part.encode()
        hashed.update(f"{len(data)}:".encode() + data)
    return hashed.hexdigest()


@functools.cache
def _reglib_digest() -> str:
    root = Path(__file__).parent
    return _digest(
        text
        for path in sorted(root.rglob("*.py"))
        for text in (path.relative_to(root).as_posix(), path.read_text(encoding="utf-8"))
    )


def _parts(thing: Any, seen: set[Any]) -> Iterator[str]:
    """Yield texts that change when ``thing`` does: data, or code with all that it uses."""
    yield type(thing).__name__
    if thing is None or isinstance(thing, (bool, int, float, complex, str, bytes, np.generic)):
        yield repr(thing)
    elif isinstance(thing, np.ndarray) and thing.dtype != object:
        yield f"{thing.dtype} {thing.shape}"
        yield hashlib.sha256(np.ascontiguousarray(thing).tobytes()).hexdigest()
    elif isinstance(thing, Mapping):
        yield from _parts(list(thing.items()), seen)
    elif isinstance(thing, (list, tuple)):
        yield str(len(thing))
        for value in thing:
            yield from _parts(value, seen)
    elif isinstance(thing, (set, frozenset)):
        yield from sorted(_digest(_parts(value, seen)) for value in thing)
    elif isinstance(thing, ModuleType):
        yield _library(thing.__name__)
    elif isinstance(thing, functools.partial):
        yield from _parts((thing.func, thing.args, thing.keywords), seen)
    elif isinstance(thing, os.PathLike):
        yield os.fspath(thing)
    elif _is_library(thing):
        yield f"{thing.__module__}.{thing.__name__} {_library(thing.__module__)}"
    elif isinstance(thing, (FunctionType, type)):
        if thing not in seen:
            seen.add(thing)
            yield from _parts_of_code(thing, seen)
    elif hasattr(thing, "get_config"):
        yield from _parts((type(thing), thing.get_config()), seen)
    elif hasattr(thing, "__dataclass_fields__"):
        yield from _parts((type(thing), vars(thing)), seen)
    else:
        raise TypeError(
            f"the cache cannot look into a {type(thing).__name__}, which build_and_score uses; "
            "make it inside the function or run without a cache"
        )


def _parts_of_code(thing: FunctionType | type, seen: set[Any]) -> Iterator[str]:
    """Yield the source of a function or class, and the parts of all that it reads."""
    functions = _own_methods(thing) if isinstance(thing, type) else [thing]
    try:
        yield _source(thing)
    except ValueError:
        # Python before 3.13 does not find the source of a class from a notebook.
        if not functions or functions == [thing]:
            raise
        yield from map(_source, functions)
    for function in functions:
        yield from _parts((function.__defaults__, function.__kwdefaults__), seen)
        yield from _parts([cell.cell_contents for cell in function.__closure__ or ()], seen)
        for name in sorted(_names(function.__code__) & set(function.__globals__)):
            yield name
            yield from _parts(function.__globals__[name], seen)


def _own_methods(cls: type) -> list[FunctionType]:
    """Return the functions written in a class, without those that a decorator made for it."""
    library = os.path.dirname(os.__file__)
    written = [function for value in vars(cls).values() for function in _wrapped(value)]
    files = [(function, function.__code__.co_filename) for function in written]
    return [function for function, file in files if not file.startswith(("<string>", library))]


def _wrapped(attribute: Any) -> list[FunctionType]:
    """Return the functions that an attribute of a class consists of: a property has up to three."""
    found = [attribute]
    if isinstance(attribute, property):
        found = [attribute.fget, attribute.fset, attribute.fdel]
    elif isinstance(attribute, staticmethod | classmethod):
        found = [attribute.__func__]
    elif isinstance(attribute, functools.cached_property):
        found = [attribute.func]
    return [function for function in found if isinstance(function, FunctionType)]


def _is_library(thing: Any) -> bool:
    """Return whether a function or class comes from an installed package or from reglib."""
    if not (callable(thing) and hasattr(thing, "__module__") and hasattr(thing, "__name__")):
        return False
    top = str(thing.__module__).partition(".")[0]
    module = sys.modules.get(top)
    path = getattr(module, "__file__", None)
    if top == "reglib" or (top in sys.stdlib_module_names and top != "__main__"):
        return True
    return path is not None and "site-packages" in Path(path).parts


def _library(name: str) -> str:
    """Return a module's name and version; its source for a module of the user's own."""
    top = name.partition(".")[0]
    version = getattr(sys.modules.get(top), "__version__", None)
    if version is not None or top in sys.stdlib_module_names:
        return f"{name} {version}"
    path = getattr(sys.modules.get(name), "__file__", None)
    return f"{name} {Path(path).read_text(encoding='utf-8') if path else ''}"


def _source(thing: Any) -> str:
    try:
        return inspect.getsource(thing)
    except (OSError, TypeError) as error:
        raise ValueError(
            f"the cache needs the source of {thing.__qualname__}, which cannot be found; define it "
            "in a file or a notebook, or run without a cache"
        ) from error


def _names(code: CodeType) -> set[str]:
    """Return the names that a function reads, attributes and inner functions' names included."""
    inner = (constant for constant in code.co_consts if isinstance(constant, CodeType))
    return set(code.co_names).union(*map(_names, inner))
