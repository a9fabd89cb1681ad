"""Keep named modules away from student code.

The sandbox hides their files; what is here adds the message that a student can act on, and lets
the instructor's own import cells pass: a name imported from a forbidden module by one of those is
an inert stand-in in the student's process, because only the judge uses it.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import os
import sys
import types
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = ["Guard", "module_paths", "modules_outside"]


def module_paths(names: Sequence[str]) -> list[str]:
    """Return the files and folders of modules, without importing any.

    Parameters
    ----------
    names : sequence of str
        Dotted names. Those that are not installed are left out.
    """
    paths = []
    for name in names:
        top, *rest = name.split(".")
        spec = importlib.machinery.PathFinder.find_spec(top)
        if spec is None:
            spec = importlib.util.find_spec(top)  # editable installs with finders of their own
        if spec is None:
            continue
        if not rest:
            paths += list(spec.submodule_search_locations or [spec.origin or ""])
            continue
        for folder in spec.submodule_search_locations or ():
            base = os.path.join(folder, *rest)
            endings = ("", ".py", *importlib.machinery.EXTENSION_SUFFIXES)
            paths += [base + ending for ending in endings if os.path.exists(base + ending)]
    return [path for path in paths if path]


def modules_outside(allowed: Sequence[str]) -> list[str]:
    """Return the modules of the packages that are allowed in part, but for those allowed.

    Parameters
    ----------
    allowed : sequence of str
        Dotted names; all that lies below them is allowed, and to pass through what lies above.

    Examples
    --------
    >>> "json.tool" in modules_outside(["json.decoder", "json.encoder", "json.scanner"])
    True
    """
    refused: list[str] = []

    def visit(name: str, folder: Path) -> None:
        for path in sorted(folder.iterdir()):
            inner = f"{name}.{path.name.partition('.')[0]}"
            if path.name.startswith(("__", ".")) or not _is_module(path):
                continue
            if any(inner == other or inner.startswith(other + ".") for other in allowed):
                continue
            if path.is_dir() and any(other.startswith(inner + ".") for other in allowed):
                visit(inner, path)
            else:
                refused.append(inner)

    for top in sorted({name.partition(".")[0] for name in allowed} - set(allowed)):
        for folder in module_paths([top]):
            visit(top, Path(folder))
    return refused


def _is_module(path: Path) -> bool:
    if path.is_dir():
        return any(path.glob("*.py"))
    return path.name.endswith(tuple(importlib.machinery.all_suffixes()))


class _StandIn:
    """What the instructor imported for the judge, as seen by student code: nothing."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def __repr__(self) -> str:
        return "<only for tests>"

    def _ipython_display_(self) -> None:
        """Show nothing."""


class _Loader(importlib.abc.Loader):
    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        module = types.ModuleType(spec.name)
        module.__path__ = []
        module.__getattr__ = _stand_in  # type: ignore[method-assign]
        return module

    def exec_module(self, module: types.ModuleType) -> None:
        pass


def _stand_in(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    return _StandIn()


class Guard:
    """An import hook that refuses modules by name.

    Parameters
    ----------
    names : sequence of str
        Dotted names; all that lies below them is refused too.
    """

    def __init__(self, names: Sequence[str]):
        self.names = tuple(names)
        self._lenient = False

    def install(self) -> None:
        """Put the hook before all others."""
        sys.meta_path.insert(0, self)

    def matches(self, name: str) -> bool:
        """Whether `name` is one of the modules or lies below one."""
        return any(name == other or name.startswith(other + ".") for other in self.names)

    def find_spec(
        self, name: str, path: Any = None, target: Any = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Refuse a module, stand in for it, or leave it to others."""
        if not self.matches(name):
            return None
        if self._lenient:
            return importlib.machinery.ModuleSpec(name, _Loader(), is_package=True)
        raise ImportError(
            f"{name} cannot be imported by an answer in this assignment: it holds what you are "
            "asked to write yourself, or is not among the modules that answers may use",
            name=name,
        )

    @contextmanager
    def instructor(self) -> Iterator[None]:
        """Give stand-ins instead of refusing while a cell of the instructor runs."""
        self._lenient = True
        try:
            yield
        finally:
            self._lenient = False
            for name in [name for name in sys.modules if self.matches(name)]:
                del sys.modules[name]
                parent, _, child = name.rpartition(".")
                if parent in sys.modules:
                    sys.modules[parent].__dict__.pop(child, None)
