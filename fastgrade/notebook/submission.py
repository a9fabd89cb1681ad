"""Rebuild a notebook from the instructor's and the source of the student's solution cells.

Nothing else of a submission is used: no tags, no metadata, no outputs, no order, no test cells.
Cells that the student added or edited beside the solution cells run too, as the student's code, so
that an honest helper counts; they can be left out by a setting. What does not fit is flagged.
"""

from __future__ import annotations

import copy
import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from fastgrade.notebook.assignment import Plan
from fastgrade.notebook.ipynb import UnreadableError, load, role_of, tag_of, text_of
from fastgrade.verdict import Submitted

try:
    import resource
except ImportError:  # Windows, where nothing is graded
    resource = None  # type: ignore[assignment]

__all__ = ["Cell", "Rebuilt", "main", "parse", "read", "rebuild"]

#: Cells that a student may add, and sentences about a submission.
_MOST_EXTRA = 1000
_MOST_FLAGS = 100
#: What is said of a cell of the instructor that was not handed in; which of the two, no file tells.
_MISSING = (
    "is missing from the submission: it was deleted there, or added to the assignment after that "
    "copy was released"
)
#: Cells of a submission that are looked at.
_MOST_CELLS = 10_000
#: Bytes from which a notebook is parsed in a process of its own, and what that one may use.
_LARGE = 2 << 20
_SECONDS, _PATIENCE, _BYTES = 10, 120, 3 << 30
#: What runs in a cell of the instructor, by its role; in the others the instructor's own code.
_KINDS = {"solution": "solution", "manual": "solution", "test": "test"}


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
        Names that a test binds and reads. What it reads and nobody binds comes from the student.
    imported : frozenset of str
        Names that it reads and that the solution imports: the judge has them, if the student has.
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
    imported: frozenset[str] = frozenset()


@dataclass
class Rebuilt:
    """A notebook that is ready to run."""

    notebook: dict[str, Any]
    cells: list[Cell]
    flags: list[str]
    manual: dict[str, bool]


def read(data: bytes, limit_mb: int = 100) -> Submitted:
    """Return what is used of a submitted notebook; never raises for what a student sent.

    Parameters
    ----------
    data : bytes
        What was handed in.
    limit_mb : int
        Size from which it is not read, in MiB.
    """
    if not data.strip():
        return _unreadable("it is empty")
    if len(data) > limit_mb << 20:
        return _unreadable(f"it has {len(data) / (1 << 20):.0f} MB, the limit is {limit_mb} MB")
    return parse(data) if len(data) <= _LARGE else _parsed_elsewhere(data)


def parse(data: bytes) -> Submitted:
    """Return what is used of a submitted notebook, whatever it costs to find out."""
    try:
        notebook = load(data)
    except UnreadableError as error:
        return _unreadable(str(error))
    cells = [_submitted_cell(cell) for cell in notebook["cells"][:_MOST_CELLS] if _is_cell(cell)]
    flags = _of_another_kernel(notebook)
    if len(notebook["cells"]) > _MOST_CELLS:
        flags.append(f"The submission has more than {_MOST_CELLS} cells; the rest was left out.")
    elif len(cells) < len(notebook["cells"]):
        flags.append("A cell of the submission is malformed and was left out.")
    return Submitted(tuple(cells), tuple(flags))


def _unreadable(why: str) -> Submitted:
    return Submitted(flags=(f"The submission cannot be read: {why}.",), unreadable=why)


def _parsed_elsewhere(data: bytes) -> Submitted:
    """Return the same from a process of its own: a large notebook holds up nobody else."""
    code = "import sys; sys.path[:] = sys.argv[1:];"
    code += "from fastgrade.notebook.submission import main; main()"
    try:
        done = subprocess.run(
            [sys.executable, "-sP", "-c", code, *filter(None, sys.path)],
            input=data,
            capture_output=True,
            timeout=_PATIENCE,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return _unreadable("it takes too much time or memory")
    found = json.loads(done.stdout)
    return Submitted(tuple(found["cells"]), tuple(found["flags"]), found["unreadable"])


def main() -> None:
    """Parse the notebook on stdin within bounds of time and memory, and print what is used."""
    data = sys.stdin.buffer.read()
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (_BYTES, _BYTES))
    found = parse(data)
    print(json.dumps(asdict(found)))


def _is_cell(cell: Any) -> bool:
    return isinstance(cell, dict) and cell.get("cell_type") in ("code", "markdown", "raw")


def _submitted_cell(cell: dict[str, Any]) -> dict[str, Any]:
    grade_id, identity = tag_of(cell).get("grade_id"), cell.get("id")
    return {
        "type": cell["cell_type"],
        "source": text_of(cell.get("source")),
        "grade_id": grade_id if isinstance(grade_id, str) else None,
        "id": identity if isinstance(identity, str) else None,
        "attachments": _attachments(cell),
    }


def _of_another_kernel(notebook: dict[str, Any]) -> list[str]:
    metadata = notebook.get("metadata")
    kernel = metadata.get("kernelspec") if isinstance(metadata, dict) else None
    language = kernel.get("language") if isinstance(kernel, dict) else None
    name = kernel.get("name") if isinstance(kernel, dict) else None
    if (language and language != "python") or (name and not str(name).startswith("python")):
        shown = str(name or language)[:50]
        return [f"The submission names the kernel {shown!r}; the course's was used."]
    return []


# --------------------------------------------------------------------------- rebuilding


def rebuild(instructor: Plan, submitted: Submitted, *, extra_cells: str = "run") -> Rebuilt:
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
    source = instructor.notebook["cells"]
    roles = {tag_of(cell)["grade_id"]: role_of(cell) for cell in source if role_of(cell) != "plain"}
    flags = list(submitted.flags)
    copies = _last_copies(submitted.cells, roles, flags)
    extra: dict[str | None, list[dict[str, Any]]] = {}
    if extra_cells == "run":
        extra = _extra_cells(submitted.cells, roles, copies)
        _leave_out(extra, len(source) + _MOST_EXTRA, flags)
    building = _Building(instructor)
    manual: dict[str, bool] = {}
    pending = extra.pop(None, [])
    for place, original in enumerate(source):
        role, cell = role_of(original), _fresh(original)
        if role == "plain":
            theirs = _take_matching(pending, original)
            building.add_extra(theirs[:-1])
            edited = bool(theirs) and theirs[-1]["source"] != original["source"]
            if edited:
                cell["source"] = theirs[-1]["source"]
            building.add(cell, "solution" if edited else "setup", place)
            continue
        building.add_extra(pending)
        name = tag_of(original)["grade_id"]
        handed_in = copies.get(name)
        if role in ("solution", "manual"):
            # Where nothing could be read, that is said already, and once is enough.
            _answer(cell, name, handed_in, flags if submitted.cells else [])
        elif role == "test" and submitted.cells and handed_in is None:
            flags.append(f"The test cell {name!r} {_MISSING}.")
        if role == "manual":
            manual[name] = _is_untouched(cell)
        elif role == "task" or (role == "test" and cell["cell_type"] != "code"):
            manual[name] = False
        building.add(cell, _KINDS.get(role, "setup"), place)
        pending = extra.pop(name, [])
    building.add_extra([*pending, *(cell for cells in extra.values() for cell in cells)])
    notebook = {key: value for key, value in instructor.notebook.items() if key != "cells"}
    notebook = {**copy.deepcopy(notebook), "cells": building.notebook_cells}
    return Rebuilt(notebook, building.cells, _not_too_many(flags), manual)


def _not_too_many(flags: Sequence[str]) -> list[str]:
    once = list(dict.fromkeys(flags))
    if len(once) > _MOST_FLAGS:
        once[_MOST_FLAGS:] = [f"And {len(once) - _MOST_FLAGS} more oddities."]
    return once


def _last_copies(
    cells: Sequence[dict[str, Any]], roles: Mapping[str, str], flags: list[str]
) -> dict[str, dict[str, Any]]:
    """Return the submission's cells by nbgrader's names; of copies nbgrader grades the last."""
    last: dict[str, dict[str, Any]] = {}
    for cell in cells:
        name = cell["grade_id"]
        if name in roles:
            if name in last:
                flags.append(f"The cell {name!r} occurs more than once; the last one was graded.")
            last[name] = cell
        elif name is not None:
            flags.append(f"The cell {name[:100]!r} is not one of this assignment's.")
    return last


def _extra_cells(
    cells: Sequence[dict[str, Any]],
    roles: Mapping[str, str],
    copies: Mapping[str, dict[str, Any]],
) -> dict[str | None, list[dict[str, Any]]]:
    """Return, for each named cell and for the beginning (None), what follows it that has no name.

    Copies that are not graded count as such; copies of tests do not count at all.
    """
    follow: dict[str | None, list[dict[str, Any]]] = {}
    anchor: str | None = None
    for cell in cells:
        name = cell["grade_id"]
        if name in roles and copies[name] is cell:
            anchor = name
        elif roles.get(name) != "test":
            follow.setdefault(anchor, []).append(cell)
    return follow


def _leave_out(extra: dict[str | None, list[dict[str, Any]]], room: int, flags: list[str]) -> None:
    """Leave out what there is no room for."""
    surplus = sum(map(len, extra.values())) - room
    if surplus <= 0:
        return
    flags.append(f"The submission has {surplus} cells too many; they were left out.")
    for name, cells in extra.items():
        extra[name] = cells[:room]
        room -= len(extra[name])


def _answer(
    cell: dict[str, Any], name: str, handed_in: dict[str, Any] | None, flags: list[str]
) -> None:
    """Write what was handed in into a cell of the instructor."""
    if handed_in is None:
        cell["source"] = ""
        flags.append(f"The cell {name!r} {_MISSING}.")
        return
    cell["source"] = handed_in["source"]
    if handed_in["attachments"] and cell["cell_type"] != "code":
        cell["attachments"] = handed_in["attachments"]
    if handed_in["type"] != cell["cell_type"]:
        flags.append(
            f"The cell {name!r} was changed from {cell['cell_type']} to {handed_in['type']}."
        )


class _Building:
    """The rebuilt notebook as it grows, cell by cell."""

    def __init__(self, instructor: Plan):
        self._instructor = instructor
        self.notebook_cells: list[dict[str, Any]] = []
        self.cells: list[Cell] = []

    def add(self, cell: dict[str, Any], kind: str, place: int) -> None:
        """Add the instructor's cell of a place, with whatever has been written into it."""
        plan, tag = self._instructor, tag_of(cell)
        binds, reads = plan.uses[place]
        self._append(
            cell,
            kind,
            grade_id=str(tag.get("grade_id", "")),
            points=float(tag.get("points") or 0) if kind == "test" else 0.0,
            hidden=plan.hidden[place],
            names=plan.names[place],
            judge=plan.judge[place],
            binds=binds,
            reads=reads,
            imported=plan.imported[place] & reads,
        )

    def add_extra(self, cells: Sequence[dict[str, Any]]) -> None:
        """Add cells of the student."""
        for cell in cells:
            self._append(_plain(cell, self.notebook_cells), "solution")

    def _append(self, cell: dict[str, Any], kind: str, **about: Any) -> None:
        if cell["cell_type"] == "code":
            place = len(self.notebook_cells)
            self.cells.append(Cell(index=place, kind=kind, code=cell["source"], **about))
        self.notebook_cells.append(cell)


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


def _take_matching(pending: list[dict[str, Any]], original: dict[str, Any]) -> list[dict[str, Any]]:
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


def _is_untouched(cell: dict[str, Any]) -> bool:
    """Say whether a cell is as nbgrader released it, by the checksum of that."""
    from nbformat import from_dict
    from nbgrader.utils import compute_checksum

    return tag_of(cell).get("checksum") == compute_checksum(from_dict(cell))
