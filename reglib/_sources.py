"""Which files of the library some code uses, directly and through what it imports.

The source is read, not run. Where it does not tell, every file of the library counts: a cell that
is no plain Python. A name that a package looks up when it is asked for comes from those of its
modules that define it, or from all of them.
"""

from __future__ import annotations

import ast
import io
import textwrap
import tokenize
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from importlib.util import resolve_name
from pathlib import Path

WITH_DOCSTRING = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


class Library:
    """A package of modules, each parsed once.

    Parameters
    ----------
    folder : Path
        The package's folder; its name is the package's.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._parsed: dict[str, tuple[set[tuple[str, str]], set[str]]] = {}

    @cached_property
    def modules(self) -> dict[str, Path]:
        """Every module by its name."""
        found = {}
        for path in self.folder.rglob("*.py"):
            parts = path.relative_to(self.folder.parent).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
        return found

    @cached_property
    def data(self) -> set[Path]:
        """What is no module; whichever module of the package around it may read it."""
        return {
            p for p in self.folder.rglob("*") if p.is_file() and p.suffix not in (".py", ".pyc")
        }

    def _package_around(self, path: Path) -> Path:
        """Return the file that makes the nearest folder above another file a package."""
        starts = (folder / "__init__.py" for folder in path.parents)
        return next(start for start in starts if start.exists())

    def files(self, code: str) -> set[Path]:
        """Return the files that some code depends on."""
        try:
            waiting = self._loaded(imports(ast.parse(code), ""))
        except SyntaxError:
            waiting = set(self.modules)
        files = {self.modules[name] for name in self._followed(waiting, self._loaded)}
        return files | {path for path in self.data if self._package_around(path) in files}

    def files_used(self, module: str) -> set[Path]:
        """Return the files that a module's own code depends on.

        A package on the way to a module counts, and what it imports for others' sake does not; data
        count where they are named.
        """
        found = self._followed(self.named([(module, "")]), self.named)
        used = {self.modules[name] for name in found | _packages(found)}
        text = "".join(path.read_text(encoding="utf-8") for path in used)
        return used | {path for path in self.data if f'"{path.stem}"' in text}

    def _followed(
        self, waiting: set[str], follow: Callable[[Iterable[tuple[str, str]]], set[str]]
    ) -> set[str]:
        """Return modules with all that their import statements lead to."""
        found: set[str] = set()
        while waiting:
            name = waiting.pop()
            found.add(name)
            waiting |= follow(self._parse(name)[0]) - found
        return found

    def _parse(self, name: str) -> tuple[set[tuple[str, str]], set[str]]:
        """Return what a module imports, and which functions and classes it defines."""
        if name not in self._parsed:
            path = self.modules[name]
            tree = ast.parse(path.read_bytes())
            package = name if path.name == "__init__.py" else name.rpartition(".")[0]
            defined = {
                node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)
            }
            self._parsed[name] = set(imports(tree, package)), defined
        return self._parsed[name]

    def _loaded(self, imported: Iterable[tuple[str, str]]) -> set[str]:
        """Return the modules that import statements load, with the packages they are in."""
        named = self.named(imported)
        return named | _packages(named)

    def named(self, imported: Iterable[tuple[str, str]]) -> set[str]:
        """Return the modules that import statements name."""
        loaded = set()
        for module, name in imported:
            if f"{module}.{name}" in self.modules:
                module, name = f"{module}.{name}", ""
            if module not in self.modules:
                continue
            loaded.add(module)
            defined = self._parse(module)[1]
            if "__getattr__" in defined and name not in defined:
                within = {other for other in self.modules if other.startswith(f"{module}.")}
                loaded |= {other for other in within if name in self._parse(other)[1]} or within
        return loaded


def _packages(names: Iterable[str]) -> set[str]:
    return {name[:end] for name in names for end, sign in enumerate(name) if sign == "."}


def imports(tree: ast.AST, package: str) -> Iterator[tuple[str, str]]:
    """Yield module and name of each import statement, wherever it stands; no name for a module.

    Examples
    --------
    >>> list(imports(ast.parse("from a.b import c"), ""))
    [('a.b', 'c')]
    >>> list(imports(ast.parse("import a.b"), ""))  # gives the name a
    [('a.b', ''), ('a', '')]
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            module = resolve_name("." * node.level + (node.module or ""), package)
            yield from ((module, alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, ""
                if not alias.asname:
                    yield alias.name.partition(".")[0], ""


def bare(source: str) -> str:
    r"""Return code without its comments, docstrings and blank lines, which change no result.

    Examples
    --------
    >>> bare("def f(x):\n    'Double.'\n\n    return 2 * x  # twice")
    'def f(x):\n    return 2 * x'
    """
    source = textwrap.dedent(source)
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return source
    lines = source.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column]
    for node in ast.walk(tree):
        if isinstance(node, WITH_DOCSTRING) and ast.get_docstring(node, clean=False) is not None:
            first, last = node.body[0].lineno, node.body[0].end_lineno or node.body[0].lineno
            if not lines[first - 1][: node.body[0].col_offset].strip():
                lines[first - 1 : last] = [""] * (last - first + 1)
    return "\n".join(line.rstrip() for line in lines if line.strip())
