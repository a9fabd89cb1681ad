"""What the instructor's notebook says, worked out once for all submissions.

A `Plan` knows which cells are the student's, which are tests, which names a test takes from the
student and which statements the judge needs.
"""

from __future__ import annotations

import ast
import functools
import re
import symtable
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from fastgrade.notebook.ipynb import UnreadableError, load, role_of, text_of

__all__ = ["Plan", "bound_names", "plan", "redact", "transformed"]

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@dataclass(frozen=True)
class Plan:
    """What the instructor's notebook says.

    Parameters
    ----------
    notebook : dict
        The notebook with lines joined.
    names : tuple of tuple of str
        For each cell, the names that a test in that place takes from the student.
    judge : tuple of str
        For each cell, the statements of it that the judge runs.
    hidden : tuple of bool
        For each cell, whether it holds hidden tests.
    uses : tuple of pairs of frozenset of str
        For each cell, if it is a test, the names that it binds and reads.
    imported : tuple of frozenset of str
        For each cell, the names that only solutions before it have imported.
    students, judges : tuple of str
        The modules that the notebook imports where answers run, and where tests run.
    """

    notebook: dict[str, Any]
    names: tuple[tuple[str, ...], ...]
    judge: tuple[str, ...]
    hidden: tuple[bool, ...]
    uses: tuple[tuple[frozenset[str], frozenset[str]], ...]
    imported: tuple[frozenset[str], ...]
    students: tuple[str, ...]
    judges: tuple[str, ...]

    @property
    def has_hidden_tests(self) -> bool:
        """Whether any test is hidden from students."""
        return any(self.hidden)


@functools.lru_cache(maxsize=64)
def plan(
    source: bytes, hidden_begin: str, solution: tuple[str, str], forbidden: tuple[str, ...]
) -> Plan:
    """Return what the instructor's notebook says.

    Parameters
    ----------
    source : bytes
        The notebook.
    hidden_begin : str
        What marks the beginning of hidden tests.
    solution : pair of str
        What marks the beginning and the end of what students are not given of an answer.
    forbidden : tuple of str
        Modules that student code cannot load: what a solution imports from them is an answer.

    Raises
    ------
    ValueError
        If it is no notebook, or one in another language.
    """
    try:
        notebook = load(source)
    except UnreadableError as error:
        raise ValueError(f"source must be a notebook: {error}") from None
    kernel = notebook.get("metadata", {}).get("kernelspec", {})
    language = kernel.get("language") or kernel.get("name") or "python"
    if not language.startswith("python"):
        raise ValueError(f"source must be a notebook in Python, got the kernel {language!r}")
    cells = notebook["cells"]
    for cell in cells:
        cell["source"] = text_of(cell.get("source"))
    reading = _Reading(solution, forbidden)
    for cell in cells:
        reading.take(role_of(cell) if cell["cell_type"] == "code" else "", cell["source"])
    hidden = tuple(role_of(cell) == "test" and hidden_begin in cell["source"] for cell in cells)
    names, judge = reading.finish()
    is_test = [role_of(cell) == "test" for cell in cells]
    code = [cell["source"] if cell["cell_type"] == "code" else "" for cell in cells]
    students = [text for text, test in zip(code, is_test, strict=True) if not test]
    judges = [*judge, *(text for text, test in zip(code, is_test, strict=True) if test)]
    return Plan(
        notebook,
        names,
        judge,
        hidden,
        tuple(reading.uses),
        tuple(reading.imported),
        _modules(students),
        _modules(judges),
    )


class _Reading:
    """What is known of an instructor's notebook, cell by cell.

    Parameters
    ----------
    solution : pair of str
        What marks the beginning and the end of a solution.
    forbidden : tuple of str
        Modules that student code cannot load.
    """

    def __init__(self, solution: tuple[str, str], forbidden: tuple[str, ...]):
        self._solution = solution
        self._forbidden = forbidden
        self._students: set[str] = set()
        self._given: list[set[str]] = []
        self._pieces: list[list[ast.stmt]] = []
        self._wanted: set[str] = set()
        #: What functions and classes of tests read, whoever calls them later.
        self._left: set[str] = set()
        #: Functions of the instructor that read names of the student when they are called.
        self._helpers: set[str] = set()
        self.uses: list[tuple[frozenset[str], frozenset[str]]] = []
        self.imported: list[frozenset[str]] = []
        self._imported: set[str] = set()

    def take(self, role: str, source: str) -> None:
        """Take in a cell: who binds its names, and what of it the judge may need."""
        tree = _parse(source) if role else ast.Module([], [])
        given, statements, uses = None, [], (frozenset[str](), frozenset[str]())
        if role in ("solution", "manual"):
            statements = [node for node in tree.body if _is_import(node, self._forbidden)]
            kept = {name for node in statements for name in _bound(node)}
            self._students |= _bound(tree) - kept
            self._imported |= kept - _bound(_parse(_outside_of_solution(source, *self._solution)))
        elif role == "test":
            given = set(self._students)
            uses = (frozenset(_bound(tree)), frozenset(_loaded(tree)))
            self._wanted |= uses[1]
            for node in tree.body:
                if isinstance(node, _DEFINITIONS) or _has_lambda(node):
                    self._left |= _loaded(node)
            self._students -= uses[0]
            self._imported -= uses[0]
        else:
            for node in tree.body:
                theirs = self._students | self._helpers
                if isinstance(node, _DEFINITIONS) and _loaded(node) & theirs:
                    self._helpers |= _bound(node)
                if _loaded(node, nested=False) & theirs and not _is_import(node, ()):
                    self._students |= _bound(node)
                else:
                    self._students -= _bound(node)
                    self._imported -= _bound(node)
                    statements.append(node)
        self._given.append(set(self._students) if given is None else given)
        self._pieces.append(statements)
        self.uses.append(uses)
        self.imported.append(frozenset(self._imported))

    def finish(self) -> tuple[tuple[tuple[str, ...], ...], tuple[str, ...]]:
        """Return, for each cell, the names that it takes from the student, and what the judge runs.

        The judge runs the statements that a test depends on.
        """
        _keep_needed(self._pieces, self._wanted)
        nodes = [node for statements in self._pieces for node in statements]
        helpers = self._left.union(*map(_loaded, nodes))
        names = tuple(
            tuple(sorted(given & (helpers | reads)))
            for given, (_, reads) in zip(self._given, self.uses, strict=True)
        )
        return names, tuple(ast.unparse(ast.Module(some, [])) for some in self._pieces)


def _modules(code: Iterable[str]) -> tuple[str, ...]:
    """Return what cells import, in their order; what comes from a package may be a module of it.

    >>> _modules(["import os.path as p", "from json import tool"])
    ('os.path', 'json', 'json.tool')
    """

    def named(node: ast.AST) -> Iterator[str]:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names if alias.name != "*")

    nodes = (node for text in code for node in ast.walk(_parse(text)))
    return tuple(dict.fromkeys(name for node in nodes for name in named(node)))


def _outside_of_solution(code: str, begin: str, end: str) -> str:
    r"""Return the lines of a cell that students are given; none of one that is all solution.

    >>> _outside_of_solution("import math\n# (\nimport cmath\n# )\nimport re", "# (", "# )")
    'import math\nimport re'
    >>> _outside_of_solution("import math", "# (", "# )")
    ''
    """
    if begin not in code:
        return ""
    given = redact(code, begin, end).split("\n")
    return "\n".join(line for line in given if re.match(r"(from|import)\s", line))


def _parse(code: str) -> ast.Module:
    """Parse a cell of the instructor; magics become calls, as in a notebook.

    A cell that is wrong on purpose, for students to see or to mend, holds nothing for the judge.
    """
    try:
        return ast.parse(transformed(code))
    except SyntaxError:
        return ast.Module([], [])


@functools.lru_cache(maxsize=256)
def transformed(code: str) -> str:
    """Return a cell as plain Python.

    >>> transformed("%matplotlib inline").strip()
    "get_ipython().run_line_magic('matplotlib', 'inline')"
    """
    if not re.search(r"^\s*[%!?]|[%!]|\?\s*$", code, re.MULTILINE):
        return code
    from IPython.core.inputtransformer2 import TransformerManager

    return TransformerManager().transform_cell(code)


def bound_names(code: str) -> set[str]:
    r"""Return the names that statements of the instructor bind.

    >>> sorted(bound_names("a = b\nimport c"))
    ['a', 'c']
    """
    return _bound(_parse(code))


def _has_lambda(node: ast.AST) -> bool:
    return any(isinstance(part, ast.Lambda) for part in ast.walk(node))


def _is_import(node: ast.AST, forbidden: tuple[str, ...]) -> bool:
    def refused(module: str | None) -> bool:
        return any(module == name or str(module).startswith(name + ".") for name in forbidden)

    if isinstance(node, ast.Import):
        return not any(refused(alias.name) for alias in node.names)
    return isinstance(node, ast.ImportFrom) and not refused(node.module)


def _bound(node: ast.AST) -> set[str]:
    """Return the module-level names that a statement binds or changes."""
    body = node.body if isinstance(node, ast.Module) else [node]
    text = ast.unparse(ast.Module(body, []))  # type: ignore[arg-type]
    table = symtable.symtable(text, "cell", "exec")
    names = {
        symbol.get_name()
        for symbol in table.get_symbols()
        if symbol.is_assigned() or symbol.is_imported()
    }
    waiting = list(table.get_children())
    while waiting:
        child = waiting.pop()
        waiting += child.get_children()
        names |= {
            symbol.get_name()
            for symbol in child.get_symbols()
            if symbol.is_declared_global() and symbol.is_assigned()
        }
    for part in ast.walk(node):
        if isinstance(part, ast.Subscript | ast.Attribute) and isinstance(part.ctx, ast.Store):
            root = part.value
            while isinstance(root, ast.Subscript | ast.Attribute):
                root = root.value
            if isinstance(root, ast.Name):
                names.add(root.id)
    return names


def _loaded(node: ast.AST, nested: bool = True) -> set[str]:
    """Return the names that a statement reads, inside of functions too if `nested`."""
    if not nested and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        parts: Iterable[ast.AST] = [*node.decorator_list, *node.args.defaults]
        return set().union(*(_loaded(part) for part in parts))
    if not nested and isinstance(node, ast.ClassDef):
        return set().union(*(_loaded(part) for part in (*node.decorator_list, *node.bases)), set())
    return {
        part.id
        for part in ast.walk(node)
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load)
    }


def _keep_needed(pieces: list[list[ast.stmt]], wanted: set[str]) -> None:
    """Drop statements that no test depends on: plots and demonstrations cost the judge nothing.

    A statement stays if it binds a needed name, or is a call on one; what it reads is needed too.
    """
    while True:
        before = len(wanted)
        for statements in pieces:
            for node in statements:
                if _is_needed(node, wanted):
                    wanted |= _loaded(node)
        if len(wanted) == before:
            break
    for statements in pieces:
        statements[:] = [node for node in statements if _is_needed(node, wanted)]


def _is_needed(node: ast.stmt, wanted: set[str]) -> bool:
    if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
        return True
    if _bound(node) & wanted:
        return True
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        root = node.value.func
        while isinstance(root, ast.Attribute | ast.Subscript | ast.Call):
            root = root.func if isinstance(root, ast.Call) else root.value
        return isinstance(root, ast.Name) and root.id in wanted
    return False


def redact(code: str, begin: str, end: str) -> str:
    r"""Return a test cell without its hidden lines.

    >>> redact("a\n# BEGIN\nsecret\n# END\nb", "BEGIN", "END")
    'a\n# (hidden tests)\nb'
    """
    lines, hidden = [], False
    for line in code.split("\n"):
        if not hidden and begin in line:
            hidden = True
            lines.append(line[: len(line) - len(line.lstrip())] + "# (hidden tests)")
        elif hidden and end in line:
            hidden = False
        elif not hidden:
            lines.append(line)
    return "\n".join(lines)
