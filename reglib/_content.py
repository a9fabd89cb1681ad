"""What a result depends on, as one hash: the function, all that it uses, and its arguments.

A function counts by its source, by the values that it reads from outside and by the functions that
it calls, and so on down to libraries. Of reglib, those modules count that it uses, with what they
import; comments and docstrings do not. Other libraries count by major and minor version. The
machine and the version of Python do not count, and numbers are compared to eleven digits, since
the last ones of a logarithm or a power differ between processors.
"""

from __future__ import annotations

import ast
import dis
import functools
import hashlib
import inspect
import linecache
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from reglib._sources import Library, bare, imports

LIBRARY = Path(__file__).parent
#: Bits of a number that count: about eleven digits.
BITS = 36


def digest(parts: Iterable[str]) -> str:
    """Return a hash of texts that other texts do not have."""
    hashed = hashlib.sha256()
    for part in parts:
        data = part.encode()
        hashed.update(f"{len(data)}:".encode() + data)
    return hashed.hexdigest()


def content(thing: Any) -> str:
    """Return a hash that changes when a value, or code with all that it uses, does.

    Raises
    ------
    TypeError, ValueError
        If it cannot be looked into.
    """
    return digest([f"numpy {_version('numpy')}", *_parts(thing, set())])


def _parts(thing: Any, seen: set[Any]) -> Iterator[str]:
    """Yield texts that change when ``thing`` does."""
    yield type(thing).__name__
    if isinstance(thing, (float, complex, np.inexact)):
        yield from _rounded(np.asarray(thing))
    elif thing is None or isinstance(thing, (bool, int, str, bytes, range, slice, np.generic)):
        yield repr(thing)
    elif isinstance(thing, np.ndarray) and thing.dtype != object:
        yield from _rounded(thing)
    elif isinstance(thing, Mapping):
        yield from _parts(list(thing.items()), seen)
    elif isinstance(thing, (list, tuple)):
        yield str(len(thing))
        for value in thing:
            yield from _parts(value, seen)
    elif isinstance(thing, (set, frozenset)):
        yield from sorted(digest(_parts(value, seen)) for value in thing)
    elif isinstance(thing, ModuleType):
        yield _library(thing.__name__)
    elif isinstance(thing, functools.partial):
        yield from _parts((thing.func, thing.args, thing.keywords), seen)
    elif isinstance(thing, MethodType):
        yield from _parts((thing.__func__, thing.__self__), seen)
    elif isinstance(thing, os.PathLike):
        yield os.fspath(thing)
    elif isinstance(thing, np.ufunc):  # SciPy's do not say where they come from
        yield f"{thing.__name__} {_version('scipy')}"
    elif _is_library(thing):
        yield f"{thing.__module__}.{thing.__name__} {_library(thing.__module__)}"
    elif isinstance(thing, (FunctionType, type)):
        if thing not in seen:
            seen.add(thing)
            yield from _parts_of_code(thing, seen)
    elif hasattr(thing, "__wrapped__"):  # functools.cache, say
        yield from _parts(thing.__wrapped__, seen)
    elif hasattr(thing, "get_config"):
        weights = thing.get_weights() if hasattr(thing, "get_weights") else []
        yield from _parts((type(thing), thing.get_config(), weights), seen)
    elif hasattr(thing, "__dataclass_fields__"):
        yield from _parts((type(thing), vars(thing)), seen)
    else:
        raise TypeError(
            f"the cache cannot look into a {type(thing).__name__}, which build_and_score uses; "
            "make it inside the function or run without a cache"
        )


def _rounded(array: np.ndarray) -> Iterator[str]:
    """Yield an array's kind, shape and entries, these without their last bits."""
    yield f"{array.dtype} {array.shape}"
    parts = [array.real, array.imag] if array.dtype.kind == "c" else [array]
    for part in parts:
        if part.dtype.kind != "f":
            yield hashlib.sha256(np.ascontiguousarray(part).tobytes()).hexdigest()
            continue
        finite = np.isfinite(part)
        mantissa, exponent = np.frexp(np.where(finite, part, 0.0))
        whole = np.round(mantissa * 2.0**BITS).astype("<i8")
        special = np.where(finite, 0.0, part).astype("<f8")
        for numbers in (whole, exponent.astype("<i8"), special):
            yield hashlib.sha256(np.ascontiguousarray(numbers).tobytes()).hexdigest()


def _parts_of_code(thing: FunctionType | type, seen: set[Any]) -> Iterator[str]:
    """Yield the source of a function, or of a class's functions, and the parts of all they read."""
    if isinstance(thing, type):
        yield thing.__qualname__
        yield from _parts(thing.__bases__, seen)
        for name, value in vars(thing).items():
            # What a class has beside its functions: not what Python adds, which varies.
            made = name == "_abc_impl" or (name.startswith("__") and name.endswith("__"))
            if not made and not _functions(value):
                yield name
                yield from _parts(value, seen)
        functions = _own_functions(thing)
    else:
        functions = [thing]
    for function in functions:
        source = _source(function)
        yield bare(source)
        yield from _parts((function.__defaults__, function.__kwdefaults__), seen)
        yield from _parts([cell.cell_contents for cell in function.__closure__ or ()], seen)
        for name in sorted(_names(function.__code__) & set(function.__globals__)):
            yield name
            yield from _parts(function.__globals__[name], seen)
        yield from map(_library, sorted(_imported(source)))


def _own_functions(cls: type) -> list[FunctionType]:
    """Return the functions written in a class, without those that a decorator made for it."""
    library = os.path.dirname(os.__file__)
    written = [function for value in vars(cls).values() for function in _functions(value)]
    files = [(function, function.__code__.co_filename) for function in written]
    return [function for function, file in files if not file.startswith(("<string>", library))]


def _functions(attribute: Any) -> list[FunctionType]:
    """Return the functions that an attribute of a class consists of: a property has up to three."""
    found = [attribute]
    if isinstance(attribute, property):
        found = [attribute.fget, attribute.fset, attribute.fdel]
    elif isinstance(attribute, staticmethod | classmethod):
        found = [attribute.__func__]
    elif isinstance(attribute, functools.cached_property):
        found = [attribute.func]
    return [function for function in found if isinstance(function, FunctionType)]


def _imported(source: str) -> set[str]:
    """Return the modules that are imported inside a function."""
    try:
        found = list(imports(ast.parse(bare(source)), ""))
    except (SyntaxError, ImportError):  # a part of an expression; a relative import
        return set()
    others = {module for module, _ in found if module.partition(".")[0] != "reglib"}
    return others | _library_of_files().named(found)


def _is_library(thing: Any) -> bool:
    """Return whether a function or class comes from an installed package or from reglib."""
    if not (callable(thing) and hasattr(thing, "__module__") and hasattr(thing, "__name__")):
        return False
    top = str(thing.__module__).partition(".")[0]
    if top == "__main__":
        return False
    if top == "reglib" or top in sys.stdlib_module_names:
        return True
    path = getattr(sys.modules.get(top), "__file__", None)
    return path is not None and "site-packages" in Path(path).parts


def _library(name: str) -> str:
    """Return a module's name with its version, or its source where it is reglib's or the user's."""
    top = name.partition(".")[0]
    if top == "reglib":
        return f"{name} {_used(name)}"
    version = _version(top)
    if version or top in sys.stdlib_module_names:
        return f"{name} {version}"
    path = getattr(sys.modules.get(name), "__file__", None)
    return f"{name} {bare(Path(path).read_text(encoding='utf-8')) if path else ''}"


def _version(package: str) -> str:
    """Return major and minor version of what has been imported, or nothing."""
    version = str(getattr(sys.modules.get(package), "__version__", ""))
    return ".".join(version.split(".")[:2])


@functools.cache
def _used(module: str) -> str:
    """Return a hash of the code, without comments and docstrings, that a module of reglib uses."""
    return digest(
        text
        for path in sorted(_library_of_files().files_used(module))
        for text in (path.relative_to(LIBRARY).as_posix(), _bare_text(path))
    )


@functools.cache
def _library_of_files() -> Library:
    return Library(LIBRARY)


@functools.cache
def _bare_text(path: Path) -> str:
    if path.suffix == ".py":
        return bare(path.read_text(encoding="utf-8"))
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _source(function: FunctionType) -> str:
    """Return a function's source; of a lambda just its own, which may be one of several in a line.

    Raises
    ------
    ValueError
        If there is none.
    """
    try:
        if function.__name__ == "<lambda>":
            return _lambda_source(function.__code__)
        return inspect.getsource(function)
    except (OSError, TypeError, LookupError) as error:
        raise ValueError(
            f"the cache needs the source of {function.__qualname__}, which cannot be found; define "
            "it in a file or a notebook, or run without a cache"
        ) from error


def _lambda_source(code: CodeType) -> str:
    """Return the text of the lambda that was compiled to this code."""
    text = "".join(linecache.getlines(code.co_filename))
    lambdas = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Lambda)]
    around = [node for node in lambdas if _is_around(node.body, code)]
    innermost = max(around, key=lambda node: (node.lineno, node.col_offset), default=None)
    segment = None if innermost is None else ast.get_source_segment(text, innermost)
    if segment is None:
        raise LookupError("no lambda where it is said to be")
    return segment


def _is_around(body: ast.expr, code: CodeType) -> bool:
    """Return whether all the instructions of some code come from an expression."""
    places = [place for place in code.co_positions() if None not in place]
    spans = [(place[::2], place[1::2]) for place in places if place[::2] < place[1::2]]
    if not spans:  # Python 3.12 does not say where a constant comes from
        constants = {repr(constant) for constant in code.co_consts}
        is_constant = isinstance(body, ast.Constant) and repr(body.value) in constants
        return is_constant and body.lineno == code.co_firstlineno
    first, last = min(start for start, _ in spans), max(end for _, end in spans)
    end = (body.end_lineno, body.end_col_offset)
    return (body.lineno, body.col_offset) <= first and last <= end


def _names(code: CodeType) -> set[str]:
    """Return the names that a function reads from outside, those of inner functions included."""
    own = {
        step.argval
        for step in dis.get_instructions(code)
        if "GLOBAL" in step.opname or step.opname == "LOAD_NAME"
    }
    inner = (constant for constant in code.co_consts if isinstance(constant, CodeType))
    return own.union(*map(_names, inner))
