"""Every public name of the library, and every argument that it takes: what the tables must cover.

A name is public as the reference in the book has it: what a module's ``__all__`` lists, or else
what is defined in the module or, for a package, below it. A package that offers names, such as
``layers``, speaks for its modules: what it does not offer is their own affair.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import reglib
from reglib.activations import Activation


@dataclass(frozen=True)
class Public:
    """A function, class or method that anybody may call."""

    name: str
    target: Callable[..., Any]
    parameters: dict[str, inspect.Parameter]


def modules() -> list[Any]:
    """Return all public modules, packages before what they hold."""
    found = [
        module.name
        for module in pkgutil.walk_packages(reglib.__path__, "reglib.")
        if not any(part.startswith("_") for part in module.name.split("."))
    ]
    public: list[Any] = []
    for name in sorted(found, key=lambda name: (name.count("."), name)):
        if not any(name.startswith(f"{p.__name__}.") and public_names(p) for p in public):
            public.append(importlib.import_module(name))
    return public


def public_names(module: Any) -> list[str]:
    """Return what a module offers as its own."""
    if hasattr(module, "__all__"):
        return sorted(module.__all__)
    inside = (module.__name__, f"{module.__name__}.")
    return [
        name
        for name, value in sorted(vars(module).items())
        if not name.startswith("_")
        and (inspect.isclass(value) or inspect.isroutine(value) or isinstance(value, Activation))
        and (value.__module__ == inside[0] or value.__module__.startswith(inside[1]))
    ]


def parameters(function: Callable[..., Any], owner: type | None = None) -> dict[str, Any]:
    """Return the arguments; a constructor's ``**kwargs`` stand for its base's arguments."""
    if inspect.isclass(function):
        return _constructor_parameters(function)
    found = dict(inspect.signature(function).parameters)
    if owner is not None:
        found.pop(next(iter(found), None), None)
    return found


def _constructor_parameters(cls: type) -> dict[str, Any]:
    found: dict[str, Any] = {}
    catch_all: dict[str, Any] = {}
    for base in cls.__mro__:
        if "__init__" not in vars(base) or base.__module__ == "builtins":
            continue
        own = dict(inspect.signature(base.__init__).parameters)
        own.pop("self")
        if not own:  # nothing to hand on to: the names are free
            break
        catch_all = {n: p for n, p in own.items() if p.kind is p.VAR_KEYWORD}
        found = {**found, **{n: p for n, p in own.items() if n not in found | catch_all}}
        if not catch_all:
            break
    return found | catch_all


def methods(cls: type) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Yield the public methods that a class defines itself, and its call."""
    for name, value in vars(cls).items():
        if name.startswith("_") and name != "__call__":
            continue
        function = value.__func__ if isinstance(value, (classmethod, staticmethod)) else value
        if inspect.isfunction(function):
            yield name, function


def inventory() -> dict[str, Public]:
    """Return every public function, class and method by its name, such as ``layers.Dense``."""
    found: dict[str, Public] = {}
    seen: set[int] = set()
    for module in modules():
        prefix = module.__name__.removeprefix("reglib.")
        for name in public_names(module):
            value = getattr(module, name)
            if id(value) in seen or not callable(value):
                continue
            seen.add(id(value))
            path = f"{prefix}.{name}"
            if isinstance(value, Activation):  # a function, though a class makes it
                plain = value.value if inspect.isfunction(value.value) else lambda z: z
                found[path] = Public(path, value, parameters(plain))
                continue
            try:
                found[path] = Public(path, value, parameters(value))
            except ValueError:  # a class of exceptions without a constructor of its own
                found[path] = Public(path, value, {})
            if inspect.isclass(value):
                for method, function in methods(value):
                    inside = f"{path}.{method}"
                    found[inside] = Public(inside, function, parameters(function, value))
    return found
