"""Every public name of the library, the arguments that it takes, and what is declared of them.

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
from reglib import layers, losses
from reglib._arguments import Constraint
from reglib.activations import Activation

# Functions that take the options of a class.
OF_CLASSES = losses._OF_FUNCTIONS | {
    layers.Input: layers.InputLayer,
    layers.concatenate: layers.Concatenate,
}


@dataclass(frozen=True)
class Public:
    """A function, class or method that anybody may call."""

    target: Callable[..., Any]
    parameters: dict[str, inspect.Parameter]
    constraints: dict[str, Constraint]


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
        and getattr(value, "__name__", name) == name  # no other name of the same
        and (inspect.isclass(value) or inspect.isroutine(value) or isinstance(value, Activation))
        and (value.__module__ == inside[0] or value.__module__.startswith(inside[1]))
    ]


def of_function(function: Callable[..., Any], owner: type | None = None) -> Public:
    """Return what a function, or a method of a class, takes."""
    parameters = dict(inspect.signature(function).parameters)
    if owner is not None:
        parameters.pop(next(iter(parameters), ""), None)
    declared = dict(getattr(function, "constraints", {}))
    for base in owner.__mro__ if owner else ():  # what a method overrides takes the same
        declared = getattr(vars(base).get(function.__name__), "constraints", {}) | declared
    if function in OF_CLASSES:
        declared = of_class(OF_CLASSES[function]).constraints | declared
    return Public(function, parameters, declared)


def of_class(cls: type) -> Public:
    """Return what a constructor takes; its ``**kwargs`` stand for its base's arguments."""
    parameters: dict[str, Any] = {}
    constraints: dict[str, Constraint] = {}
    catch_all: dict[str, Any] = {}
    closed = False
    for base in cls.__mro__:
        if "__init__" not in vars(base) or base.__module__ == "builtins":
            continue
        constraints = getattr(base.__init__, "constraints", {}) | constraints
        own = dict(inspect.signature(base.__init__).parameters)
        own.pop("self")
        closed = closed or not own  # nothing to hand on to: the names are free
        if not closed:
            catch_all = {n: p for n, p in own.items() if p.kind is p.VAR_KEYWORD}
            parameters |= {n: p for n, p in own.items() if n not in parameters | catch_all}
            closed = not catch_all
    return Public(cls, parameters | catch_all, constraints)


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
                plain = of_function(value.value if inspect.isfunction(value.value) else lambda z: z)
                found[path] = Public(value, plain.parameters, plain.constraints)
            elif inspect.isclass(value):
                found[path] = of_class(value)
                for method, function in methods(value):
                    found[f"{path}.{method}"] = of_function(function, value)
            else:
                found[path] = of_function(value)
    return found
