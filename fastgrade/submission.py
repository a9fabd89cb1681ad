"""Rebuild a notebook from the instructor's and the source of the student's solution cells.

Nothing else of a submission is used: no tags, no metadata, no outputs, no order, no test cells.
Cells that the student added or edited beside the solution cells run too, as the student's code, so
that an honest helper counts; they can be left out by a setting.  What does not fit is flagged.

A `Plan` is what the instructor's notebook says, worked out once: which cells are the student's,
which are tests, which names a test takes from the student and which statements the judge needs.
"""

from __future__ import annotations

import ast
import copy
import functools
import hashlib
import json
import re
import symtable
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

__all__ = [
    *("Cell", "Plan", "Rebuilt", "Submitted"),
    *("dump_notebook", "plan", "read", "rebuild", "slim"),
]

_FORMAT = 4
#: Lists and objects in a notebook, cells that a student may add, sentences about a submission.
_MAX_PARTS = 2_000_000
_MOST_EXTRA = 1000
_MOST_FLAGS = 100


class UnreadableError(ValueError):
    """The bytes are no notebook."""


@dataclass
class Submitted:
    """What is used of a submission.

    Parameters
    ----------
    cells : list of dict
        Each with ``type``, ``source``, ``grade_id`` (or None), ``id`` and ``attachments``.
    flags : list of str
        What was odd about it.
    """

    cells: list[dict[str, Any]] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Cell:
    """One code cell to run.

    Parameters
    ----------
    index : int
        Place in the rebuilt notebook.
    kind : {"solution", "setup", "test"}
        Student code, instructor code, or a test.
    code : str
        Its source.
    grade_id : str
        nbgrader's name, of tests.
    points : float
        Points to be had, of tests.
    hidden : bool
        Whether a test holds hidden tests.
    names : tuple of str
        Names that a test takes from the student.
    judge : str
        Statements that the judge runs instead of a setup or solution cell.
    binds, reads : frozenset of str
        Names that a test binds and reads.  What it reads and nobody binds comes from the student.
    """

    index: int
    kind: str
    code: str
    grade_id: str = ""
    points: float = 0.0
    hidden: bool = False
    names: tuple[str, ...] = ()
    judge: str = ""
    binds: frozenset[str] = frozenset()
    reads: frozenset[str] = frozenset()


@dataclass
class Rebuilt:
    """A notebook that is ready to run."""

    notebook: dict[str, Any]
    cells: list[Cell]
    flags: list[str]
    manual: dict[str, bool]


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
    """

    notebook: dict[str, Any]
    names: tuple[tuple[str, ...], ...]
    judge: tuple[str, ...]
    hidden: tuple[bool, ...]
    uses: tuple[tuple[frozenset[str], frozenset[str]], ...]

    @property
    def has_hidden_tests(self) -> bool:
        """Whether any test is hidden from students."""
        return any(self.hidden)


# --------------------------------------------------------------------------- reading


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "".join(item for item in value if isinstance(item, str))
    return ""


def _tag(cell: dict[str, Any]) -> dict[str, Any]:
    metadata = cell.get("metadata")
    tag = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    return tag if isinstance(tag, dict) else {}


def _role(cell: dict[str, Any]) -> str:
    """Return what nbgrader sees in a cell of the instructor."""
    tag = _tag(cell)
    if tag.get("grade_id") is None:
        return "plain"
    if tag.get("task"):
        return "task"
    if tag.get("grade") and tag.get("solution"):
        return "manual"
    if tag.get("grade"):
        return "test"
    return "solution" if tag.get("solution") else "locked"


def _load(data: bytes) -> dict[str, Any]:
    if data.count(b"[") + data.count(b"{") > _MAX_PARTS:
        raise UnreadableError("it has millions of parts")
    try:
        notebook = json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise UnreadableError("it is not text in UTF-8") from None
    except (ValueError, RecursionError):
        raise UnreadableError("it is not JSON, perhaps cut off") from None
    if not isinstance(notebook, dict):
        raise UnreadableError("it is JSON but no notebook")
    if notebook.get("nbformat") != _FORMAT:
        notebook = _upgrade(notebook)
    if not isinstance(notebook.get("cells"), list):
        raise UnreadableError("it is JSON but has no list of cells")
    return notebook


def _upgrade(notebook: dict[str, Any]) -> dict[str, Any]:
    import nbformat

    try:
        old = nbformat.reads(json.dumps(notebook), as_version=_FORMAT)
    except Exception as error:
        raise UnreadableError(f"it has a notebook format that cannot be read: {error}") from None
    return json.loads(json.dumps(old))


def slim(data: bytes) -> bytes:
    """Return a submitted notebook without its outputs and widgets, none of which is used.

    Parameters
    ----------
    data : bytes
        What was handed in; returned as it is if it is small or no notebook.
    """
    if len(data) < 1 << 20:
        return data
    try:
        notebook = _load(data)
    except UnreadableError:
        return data
    for cell in notebook["cells"]:
        if isinstance(cell, dict):
            cell.pop("outputs", None)
    if isinstance(notebook.get("metadata"), dict):
        notebook["metadata"].pop("widgets", None)
    return json.dumps(notebook).encode()


def read(data: bytes, limit_mb: int = 100) -> Submitted:
    """Return what is used of a submitted notebook; never raises for what a student sent.

    Parameters
    ----------
    data : bytes
        What was handed in.
    limit_mb : int
        Size from which it is not read, in MiB.
    """
    submitted = Submitted()
    if not data.strip():
        submitted.flags.append("The submission is empty.")
        return submitted
    if len(data) > limit_mb << 20:
        size = len(data) / (1 << 20)
        submitted.flags.append(
            f"The submission was not read: it has {size:.0f} MB, the limit is {limit_mb} MB."
        )
        return submitted
    try:
        notebook = _load(data)
    except UnreadableError as error:
        submitted.flags.append(f"The submission cannot be read: {error}.")
        return submitted
    metadata = notebook.get("metadata")
    kernel = metadata.get("kernelspec") if isinstance(metadata, dict) else None
    language = kernel.get("language") if isinstance(kernel, dict) else None
    name = kernel.get("name") if isinstance(kernel, dict) else None
    if (language and language != "python") or (name and not str(name).startswith("python")):
        submitted.flags.append(
            f"The submission names the kernel {str(name or language)[:50]!r}; "
            "the course's was used."
        )
    malformed = False
    for cell in notebook["cells"]:
        if not isinstance(cell, dict) or cell.get("cell_type") not in ("code", "markdown", "raw"):
            malformed = True
            continue
        grade_id = _tag(cell).get("grade_id")
        identity = cell.get("id")
        submitted.cells.append(
            {
                "type": cell["cell_type"],
                "source": _text(cell.get("source")),
                "grade_id": grade_id if isinstance(grade_id, str) else None,
                "id": identity if isinstance(identity, str) else None,
                "attachments": _attachments(cell),
            }
        )
    if malformed:
        submitted.flags.append("A cell of the submission is malformed and was left out.")
    return submitted


# --------------------------------------------------------------------------- planning


def plan(source: bytes, hidden_begin: str, hidden_end: str, forbidden: tuple[str, ...]) -> Plan:
    """Return what the instructor's notebook says.

    Parameters
    ----------
    source : bytes
        The notebook.
    hidden_begin, hidden_end : str
        Delimiters of hidden tests.
    forbidden : tuple of str
        Modules that student code cannot load: what a solution imports from them is an answer.

    Raises
    ------
    ValueError
        If it is no notebook, or one in another language.
    """
    return _plan(source, hidden_begin, hidden_end, forbidden)


@functools.lru_cache(maxsize=64)
def _plan(source: bytes, hidden_begin: str, hidden_end: str, forbidden: tuple[str, ...]) -> Plan:
    try:
        notebook = _load(source)
    except UnreadableError as error:
        raise ValueError(f"source must be a notebook: {error}") from None
    kernel = notebook.get("metadata", {}).get("kernelspec", {})
    language = kernel.get("language") or kernel.get("name") or "python"
    if not language.startswith("python"):
        raise ValueError(f"source must be a notebook in Python, got the kernel {language!r}")
    cells = notebook["cells"]
    for cell in cells:
        cell["source"] = _text(cell.get("source"))
    students: set[str] = set()
    names: list[tuple[str, ...]] = []
    pieces: list[list[ast.stmt]] = []
    wanted: set[str] = set()
    uses = []
    for cell in cells:
        role, statements = _role(cell), []
        uses.append((frozenset[str](), frozenset[str]()))
        if cell["cell_type"] == "code" and role in ("solution", "manual"):
            tree = _parse(cell["source"])
            imports = [node for node in tree.body if _is_import(node, forbidden)]
            kept = {name for node in imports for name in _bound(node)}
            students |= _bound(tree) - kept
            statements = imports
        elif cell["cell_type"] == "code" and role == "test":
            tree = _parse(cell["source"])
            names.append(tuple(sorted(students)))
            wanted |= _loaded(tree)
            students -= _bound(tree)
            uses[-1] = (frozenset(_bound(tree)), frozenset(_loaded(tree)))
            pieces.append([])
            continue
        elif cell["cell_type"] == "code":
            for node in _parse(cell["source"]).body:
                if _loaded(node, nested=False) & students and not _is_import(node, ()):
                    students |= _bound(node)
                else:
                    students -= _bound(node)
                    statements.append(node)
        names.append(tuple(sorted(students)))
        pieces.append(statements)
    _keep_needed(pieces, wanted)
    helpers = set().union(*(_loaded(node) for statements in pieces for node in statements))
    names = [
        tuple(sorted({*given} & (helpers | reads)))
        for given, (_, reads) in zip(names, uses, strict=True)
    ]
    judge = tuple(
        ast.unparse(ast.Module(statements, [])) if statements else "" for statements in pieces
    )
    hidden = tuple(_role(cell) == "test" and hidden_begin in cell["source"] for cell in cells)
    return Plan(notebook, tuple(names), judge, hidden, tuple(uses))


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


# --------------------------------------------------------------------------- rebuilding


def rebuild(
    instructor: Plan,
    submitted: Submitted,
    *,
    extra_cells: str = "run",
) -> Rebuilt:
    """Return the notebook to run: the instructor's, with the student's solutions in it.

    Parameters
    ----------
    instructor : Plan
        What the instructor's notebook says.
    submitted : Submitted
        What is used of the submission.
    extra_cells : {"run", "drop"}
        What becomes of cells beside the solution cells.
    """
    flags = list(submitted.flags)
    source = instructor.notebook["cells"]
    known = {_tag(cell)["grade_id"] for cell in source if _role(cell) != "plain"}
    # Of copies nbgrader grades the last.
    last: dict[str, int] = {}
    for place, cell in enumerate(submitted.cells):
        name = cell["grade_id"]
        if name in known:
            if name in last:
                flags.append(f"The cell {name!r} occurs more than once; the last one was graded.")
            last[name] = place
        elif name is not None:
            flags.append(f"The cell {name[:100]!r} is not one of this assignment's.")
    # Under each anchor, the plain cells that follow it in the submission, in order.
    follow: dict[str | None, list[dict[str, Any]]] = {}
    anchor: str | None = None
    for place, cell in enumerate(submitted.cells):
        name = cell["grade_id"]
        if name in known and last[name] == place:
            anchor = name
        elif extra_cells == "run" and not (name in known and _role_of(source, name) == "test"):
            follow.setdefault(anchor, []).append(cell)
    notebook = {key: value for key, value in instructor.notebook.items() if key != "cells"}
    notebook = copy.deepcopy(notebook)
    surplus = sum(map(len, follow.values())) - len(source) - _MOST_EXTRA
    if surplus > 0:
        flags.append(f"The submission has {surplus} cells too many; they were left out.")
        room = len(source) + _MOST_EXTRA
        for name, cells_there in follow.items():
            follow[name] = cells_there[:room]
            room -= len(follow[name])
    built: list[dict[str, Any]] = []
    cells: list[Cell] = []
    manual: dict[str, bool] = {}

    def add(cell: dict[str, Any], kind: str | None, place: int | None) -> None:
        index = len(built)
        built.append(cell)
        if cell["cell_type"] != "code" or kind is None:
            return
        tag = _tag(cell)
        cells.append(
            Cell(
                index=index,
                kind=kind,
                code=cell["source"],
                grade_id=str(tag.get("grade_id", "")),
                points=float(tag.get("points") or 0) if kind == "test" else 0.0,
                hidden=place is not None and instructor.hidden[place],
                names=instructor.names[place] if place is not None else (),
                judge=instructor.judge[place] if place is not None else "",
                binds=instructor.uses[place][0] if place is not None else frozenset(),
                reads=instructor.uses[place][1] if place is not None else frozenset(),
            )
        )

    pending = follow.pop(None, [])
    for place, original in enumerate(source):
        role = _role(original)
        if role == "plain":
            theirs = _take_matching(pending, original, source)
            for extra in theirs[:-1]:
                add(_plain(extra, built), "solution", None)
            mine = _fresh(original)
            if theirs and theirs[-1]["source"] != original["source"]:
                mine["source"] = theirs[-1]["source"]
                add(mine, "solution", place)
            else:
                add(mine, "setup", place)
            continue
        for extra in pending:
            add(_plain(extra, built), "solution", None)
        name = _tag(original)["grade_id"]
        cell = _fresh(original)
        if role in ("solution", "manual"):
            if name in last:
                handed_in = submitted.cells[last[name]]
                cell["source"] = handed_in["source"]
                if handed_in["attachments"] and cell["cell_type"] != "code":
                    cell["attachments"] = handed_in["attachments"]
            else:
                cell["source"] = ""
                flags.append(f"The cell {name!r} is missing from the submission.")
            if submitted.cells and name in last:
                given = submitted.cells[last[name]]["type"]
                if given != cell["cell_type"]:
                    flags.append(
                        f"The cell {name!r} was changed from {cell['cell_type']} to {given}."
                    )
            if role == "manual":
                manual[name] = name not in last or cell["source"] == _stub(original)
            add(cell, "solution", place)
        elif role == "test":
            if submitted.cells and name not in last:
                flags.append(f"The test cell {name!r} is missing from the submission.")
            if cell["cell_type"] != "code":
                manual[name] = False
            add(cell, "test", place)
        else:
            if role == "task":
                manual[name] = False
            add(cell, "setup", place)
        pending = follow.pop(name, [])
    for extra in [*pending, *(cell for group in follow.values() for cell in group)]:
        add(_plain(extra, built), "solution", None)
    notebook["cells"] = built
    flags = list(dict.fromkeys(flags))
    if len(flags) > _MOST_FLAGS:
        flags[_MOST_FLAGS:] = [f"And {len(flags) - _MOST_FLAGS} more oddities."]
    return Rebuilt(notebook, cells, flags, manual)


def _role_of(source: list[dict[str, Any]], name: str) -> str:
    return next(_role(cell) for cell in source if _tag(cell).get("grade_id") == name)


def _fresh(cell: dict[str, Any]) -> dict[str, Any]:
    fresh = {key: copy.deepcopy(cell[key]) for key in cell if key not in ("outputs", "attachments")}
    if fresh["cell_type"] == "code":
        fresh["outputs"] = []
        fresh["execution_count"] = None
    return fresh


def _plain(cell: dict[str, Any], built: list[dict[str, Any]]) -> dict[str, Any]:
    plain: dict[str, Any] = {"cell_type": cell["type"], "metadata": {}, "source": cell["source"]}
    taken = {other.get("id") for other in built}
    identity = cell["id"]
    if identity is None or identity in taken or not re.fullmatch(r"[a-zA-Z0-9-_]{1,64}", identity):
        identity = hashlib.sha256(f"{len(built)}".encode()).hexdigest()[:8]
        while identity in taken:
            identity = hashlib.sha256(identity.encode()).hexdigest()[:8]
    plain["id"] = identity
    if cell["type"] == "code":
        plain.update(outputs=[], execution_count=None)
    elif cell["attachments"]:
        plain["attachments"] = cell["attachments"]
    return plain


def _attachments(cell: dict[str, Any]) -> dict[str, dict[str, str]]:
    """Return the pictures that belong to a text, as far as they are well formed."""
    found = cell.get("attachments")
    if cell["cell_type"] == "code" or not isinstance(found, dict):
        return {}
    return {
        name: {mime: data for mime, data in pictures.items() if isinstance(data, str)}
        for name, pictures in found.items()
        if isinstance(pictures, dict)
    }


def _take_matching(
    pending: list[dict[str, Any]], original: dict[str, Any], source: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Take from `pending` all up to the student's copy of a plain cell; nothing if there is none.

    The copy is known by its id, or by having the same text.
    """
    for place, cell in enumerate(pending):
        same_id = cell["id"] is not None and cell["id"] == original.get("id")
        if cell["type"] == original["cell_type"] and (
            same_id or cell["source"] == original["source"]
        ):
            taken = pending[: place + 1]
            del pending[: place + 1]
            return taken
    return []


def _stub(original: dict[str, Any]) -> str:
    """Return a manually graded cell as students get it, to tell an answer from none."""
    from nbformat import from_dict
    from nbgrader.preprocessors import ClearSolutions

    cell = from_dict(_fresh(original))
    clear = ClearSolutions()
    try:
        replaced = clear._replace_solution_region(cell, "python")
    except RuntimeError:
        return cell.source
    if not replaced:
        cell.source = clear.code_stub["python"] if cell.cell_type == "code" else clear.text_stub
    return cell.source


# --------------------------------------------------------------------------- writing


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


def dump_notebook(notebook: dict[str, Any]) -> bytes:
    """Return a notebook as nbformat writes it."""
    cells = []
    for cell in notebook["cells"]:
        cell = {**cell, "source": _split(cell["source"])}
        if cell["cell_type"] == "code":
            cell["outputs"] = [_split_output(output) for output in cell["outputs"]]
        cells.append(cell)
    text = json.dumps(
        {**notebook, "cells": cells},
        ensure_ascii=False,
        indent=1,
        sort_keys=True,
        separators=(",", ": "),
    )
    return (text + "\n").encode("utf-8", "replace")


def _split(text: str) -> list[str]:
    return text.splitlines(True)


def _split_output(output: dict[str, Any]) -> dict[str, Any]:
    if output["output_type"] == "stream":
        return {**output, "text": _split(output["text"])}
    if "data" in output:
        return {**output, "data": dict(_split_data(output["data"]))}
    return output


def _split_data(data: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for mime, value in data.items():
        lines = mime.startswith("text/") or mime in ("application/javascript", "image/svg+xml")
        yield mime, _split(value) if isinstance(value, str) and lines else value
