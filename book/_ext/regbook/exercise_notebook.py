"""What a released notebook is to a page on which it can be done: texts, code, answers, tests.

Nothing of it is written twice: a test's promise comes from the contract that its cell calls, and
the code behind a page's buttons from the test cell.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

Cell = Mapping[str, Any]
SCOPES = ast.FunctionDef | ast.ClassDef | ast.Lambda
DEFINITIONS = ast.Import | ast.ImportFrom | ast.FunctionDef | ast.ClassDef | ast.Assign


@dataclass(frozen=True)
class Test:
    """A test cell that students see: what it promises to test, and the points for it."""

    id: str
    promise: str
    points: float


@dataclass(frozen=True)
class Part:
    """One piece of the page.

    Parameters
    ----------
    kind : str
        ``text``; ``code``, which is given; ``open``, code that students change as they like;
        ``answer``, code that is tested; ``written``, an answer in words.
    id, source : str
        Of the cell.
    shows : bool
        Whether the cell is run for what it shows.
    tests : list of Test
        Those of an answer.
    hidden, points : float
        The points of an answer's hidden tests, and of a written answer.
    hint, show : str
        Code that gives a hint, and that shows the failing input.
    """

    kind: str
    id: str
    source: str
    shows: bool = False
    tests: list[Test] = field(default_factory=list)
    hidden: float = 0
    points: float = 0
    hint: str = ""
    show: str = ""


def read_parts(cells: list[Cell]) -> list[Part]:
    """Return the parts of a notebook in their order; tests stand with the answer above them.

    The cell that installs the library is none: a page has it.
    """
    parts: list[Part] = []
    for place, cell in enumerate(cells):
        grader = cell["metadata"].get("nbgrader", {})
        name, source = cell["id"], "".join(cell["source"])
        if name == "install":
            continue
        answer = next((p for p in reversed(parts) if p.kind == "answer"), None)
        if cell["cell_type"] == "markdown":
            written = grader.get("solution", False)
            points = grader.get("points", 0)
            parts.append(Part("written" if written else "text", name, source, points=points))
        elif grader.get("solution"):
            parts.append(Part("answer", name, source))
        elif grader.get("grade") and grader["points"] and answer:
            add_test(parts, answer, name, source, grader["points"])
        elif grader.get("locked"):
            last = place + 1 == len(cells) or cells[place + 1]["cell_type"] == "markdown"
            parts.append(Part("code", name, source, shows=last and does_something(source)))
        else:
            parts.append(Part("open", name, source))
    return parts


def add_test(parts: list[Part], answer: Part, name: str, source: str, points: float) -> None:
    """Put a test cell into the part that it tests; one without code is hidden until grading."""
    place = parts.index(answer)
    if not ast.parse(source).body:
        parts[place] = _with(answer, hidden=answer.hidden + points)
        return
    call = read_check(source)
    promise = call.promise if call else name
    tests = [*answer.tests, Test(name, promise, points)]
    hint, show = (call.hint, call.show) if call else ("", "")
    parts[place] = _with(answer, tests=tests, hint=hint, show=show)


def _with(part: Part, **changes: Any) -> Part:
    return Part(**{**vars(part), **changes})


@dataclass(frozen=True)
class Check:
    """A test cell that calls ``check`` of one of the course's contracts."""

    module: str
    function: str
    aspect: str | None

    @property
    def promise(self) -> str:
        """What the contract says that it tests."""
        contract = import_module(self.module).check.__self__.exercises[self.function]
        aspect = contract.aspect(self.aspect) if self.aspect else contract.aspects[0]
        return str(aspect.promise)

    @property
    def hint(self) -> str:
        """Code that gives a hint."""
        return f"from {self.module} import hint\n\nhint({self.function})"

    @property
    def show(self) -> str:
        """Code that shows the failing input."""
        return f"from {self.module} import check\n\ncheck({self.function}, show=True)"


def read_check(source: str) -> Check | None:
    r"""Return the check that a test cell makes, if it is one of the course's.

    Examples
    --------
    >>> read_check('from reglib.exercises.l2 import check\n\ncheck(ridge, "tall")')
    Check(module='reglib.exercises.l2', function='ridge', aspect='tall')
    >>> read_check("assert f(1) == 1")
    """
    match ast.parse(source).body:
        case [
            ast.ImportFrom(module=str(module), names=[ast.alias(name="check")]),
            ast.Expr(ast.Call(ast.Name("check"), [ast.Name(function), *rest])),
        ]:
            aspect = rest[0].value if rest and isinstance(rest[0], ast.Constant) else None
            return Check(module, function, aspect if isinstance(aspect, str) else None)
    return None


def does_something(source: str) -> bool:
    r"""Return whether code does something beside defining names.

    Examples
    --------
    >>> does_something("import numpy as np\nx = np.ones(3)"), does_something("draw()")
    (False, True)
    """
    return any(not isinstance(line, DEFINITIONS) for line in ast.parse(source).body)


def cells_needed(sources: Mapping[str, str], answers: Collection[str]) -> dict[str, list[str]]:
    """Return for each cell of code those above that must have run before it.

    These are the cells that define what it uses, and what they need in turn. An answer may use
    anything above it, for nobody knows how it will be written.

    Examples
    --------
    >>> cells = {"a": "x = 1", "b": "import os", "f": "def f(): ...", "end": "print(f(), x)"}
    >>> cells_needed(cells, answers={"f"})["end"], cells_needed(cells, answers=())["end"]
    (['a', 'b', 'f'], ['a', 'f'])
    """
    needed: dict[str, list[str]] = {}
    defined_by: dict[str, str] = {}
    for name, source in sources.items():
        tree = ast.parse(source)
        direct = set(needed) if name in answers else set(_definers(tree, defined_by))
        wanted = direct.union(*(needed[other] for other in direct))
        needed[name] = [other for other in needed if other in wanted]
        defined_by |= dict.fromkeys(_defined(tree), name)
    return needed


def _definers(tree: ast.Module, defined_by: Mapping[str, str]) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not hasattr(builtins, node.id) and node.id in defined_by:
            yield defined_by[node.id]


def _defined(tree: ast.AST) -> Iterator[str]:
    for node in ast.iter_child_nodes(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.Name(id=name, ctx=ast.Store()):
                yield name
            case ast.alias(name=name, asname=other):
                yield other or name.partition(".")[0]
        if not isinstance(node, SCOPES):
            yield from _defined(node)
