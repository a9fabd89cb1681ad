"""``{reglib} reglib.layers.Dropout``: code shown from the library's own source.

A chapter never retypes the library: what it prints is what runs.
"""

from __future__ import annotations

import ast
import importlib
import inspect
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from regbook.markup import Markup

ROOT = Path(__file__).resolve().parents[3]


def find_object(dotted: str) -> Any:
    """Return what a dotted name stands for, importing as much of it as is a module.

    Raises
    ------
    LookupError
        If some part of the name does not exist.
    """
    parts = dotted.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found: Any = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for name in parts[length:]:
            if not hasattr(found, name):
                raise LookupError(f"{dotted} does not exist: no {name!r}")
            found = getattr(found, name)
        return found
    raise LookupError(f"{dotted} does not exist")


def show(dotted: str, members: list[str] | None = None, docstring: bool = True) -> Source:
    """Return the source of a function, class or method.

    Parameters
    ----------
    dotted : str
        Its name: ``reglib.regularizers.L2``.
    members : list of str, optional
        Of a class, only the first line and these methods.
    docstring : bool
        Whether docstrings are shown.

    Raises
    ------
    LookupError
        If the object, or one of the members, does not exist.
    """
    found = inspect.unwrap(find_object(dotted))
    try:
        lines, first = inspect.getsourcelines(found)
        path = Path(inspect.getsourcefile(found) or "")
    except (TypeError, OSError) as error:
        raise LookupError(f"{dotted} has no source of its own") from error
    if inspect.ismodule(found):
        first = 1
    tree = ast.parse(inspect.cleandoc("") + _dedent(lines))
    last = first + len(lines) - 1
    code = _dedent(lines).splitlines()
    keep = set(range(1, len(code) + 1))
    if members is not None:
        keep &= _member_lines(tree.body[0], members, dotted)
    if not docstring:
        keep -= _docstring_lines(tree)
    text = _join(code, keep)
    return Source(text=text, path=path, first=first, last=last)


class Source:
    """Code with the place it was taken from."""

    def __init__(self, text: str, path: Path, first: int, last: int) -> None:
        self.text, self.path, self.first, self.last = text, path, first, last

    @property
    def place(self) -> str:
        """Path from the root of the project, and lines."""
        try:
            path = self.path.relative_to(ROOT)
        except ValueError:
            path = Path(self.path.name)
        return f"{path.as_posix()}, lines {self.first}–{self.last}"


def _dedent(lines: list[str]) -> str:
    margin = len(lines[0]) - len(lines[0].lstrip())
    return "".join(line[margin:] if line[:margin].isspace() else line for line in lines)


def _docstring_lines(tree: ast.AST) -> set[int]:
    lines: set[int] = set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if ast.get_docstring(node) is not None and len(node.body) > 1:
            doc = node.body[0]
            following = node.body[1]
            end = min(
                [following.lineno, *(d.lineno for d in getattr(following, "decorator_list", []))]
            )
            lines |= set(range(doc.lineno, end))
    return lines


def _member_lines(node: ast.stmt, members: list[str], dotted: str) -> set[int]:
    if not isinstance(node, ast.ClassDef):
        raise LookupError(f"{dotted} is no class, so it has no members to pick")
    head = min([node.lineno, *(d.lineno for d in node.decorator_list)])
    body_start = node.body[0].lineno
    keep = set(range(head, body_start))
    if ast.get_docstring(node) is not None:
        keep |= set(range(body_start, (node.body[0].end_lineno or body_start) + 1))
    found: dict[str, set[int]] = {}
    for child in node.body:
        if isinstance(child, ast.FunctionDef):
            start = min([child.lineno, *(d.lineno for d in child.decorator_list)])
            found[child.name] = set(range(start, (child.end_lineno or start) + 1))
    if missing := [name for name in members if name not in found]:
        raise LookupError(f"{dotted} defines no {missing}; it defines {sorted(found)}")
    for name in members:
        keep |= found[name]
    return keep


def _join(code: list[str], keep: set[int]) -> str:
    """Join the kept lines; where methods were left out, one blank line stands between."""
    out: list[str] = []
    previous = 0
    for number, line in enumerate(code, start=1):
        if number not in keep:
            continue
        gap = number != previous + 1
        if gap and out and out[-1].strip() and line.lstrip().startswith(("def ", "@")):
            out.append("")
        out.append(line)
        previous = number
    return "\n".join(out).strip("\n") + "\n"


class Reglib(SphinxDirective):
    """``{reglib} dotted.name``, with ``:members:`` and ``:no-docstring:``."""

    required_arguments = 1
    has_content = False
    option_spec: ClassVar[dict[str, Any]] = {
        "members": directives.unchanged_required,
        "no-docstring": directives.flag,
    }

    def run(self) -> list[nodes.Node]:
        """Return the code under a caption that says where it stands."""
        dotted = self.arguments[0]
        members = self.options.get("members")
        try:
            source = show(
                dotted,
                members=None if members is None else [m.strip() for m in members.split(",")],
                docstring="no-docstring" not in self.options,
            )
        except LookupError as error:
            raise self.error(f"reglib: {error}") from error
        self.env.note_dependency(str(source.path))
        caption = Markup(
            "figcaption", [nodes.literal("", dotted), nodes.Text(f" · {source.place}")]
        )
        code = nodes.literal_block(source.text, source.text, language="python")
        self.set_source_info(code)
        return [Markup("figure", [caption, code], class_="from-source")]


def setup(app: Sphinx) -> None:
    """Register the directive."""
    app.add_directive("reglib", Reglib)
