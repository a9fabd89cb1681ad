"""The one writer of the gradebook.

The rules are nbgrader's:

- An automatic score is replaced; a manual score, extra credit and a grader's comment never are.
- A grade needs a human when it has no automatic score, or had a manual one before.
- A solution cell that still is the stub gets the comment ``No response.``
- A notebook that was not handed in scores zero and needs nobody.
- A late penalty is what the course's plugin says, at least zero and at most the score.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from nbgrader import api
from sqlalchemy import Connection, Engine, bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError, OperationalError

from fastgrade.course.gradebook.database import GradebookError
from fastgrade.course.gradebook.records import (
    AssignmentCells,
    NotebookCells,
    NotebookScores,
    SubmissionScores,
    seconds_late,
)
from fastgrade.course.gradebook.tables import (
    COMMENT,
    GRADE,
    STUDENT,
    SUBMISSION,
    SUBMITTED,
    slices,
)

ATTEMPTS = 5

#: Called with a student, a score and the seconds late; returns a penalty or None.
LatePenalty = Callable[[str, float, float], float | None]


def write(
    engine: Engine,
    assignment: AssignmentCells,
    batch: Sequence[SubmissionScores],
    *,
    create_students: bool = True,
    late_penalty: LatePenalty | None = None,
) -> None:
    """Write the scores of a batch of submissions in one transaction.

    All of the batch is in the gradebook afterwards, or none of it. A lock that somebody else
    holds, or a row that the formgrader added at the same moment, is tried again.

    Raises
    ------
    GradebookError
        If a student is not in the gradebook and may not be added.
    """
    if not batch:
        return
    for attempt in range(ATTEMPTS):
        try:
            with engine.begin() as connection:
                _add_students(connection, [entry.student for entry in batch], create_students)
                targets = _targets(connection, assignment, batch)
                totals = _write_grades(connection, targets)
                _write_comments(connection, targets)
                _write_penalties(connection, assignment, targets, totals, late_penalty)
        except (IntegrityError, OperationalError):
            if attempt == ATTEMPTS - 1:
                raise
        else:
            return


class _Target(NamedTuple):
    """One notebook of one student: what is to be written, and where."""

    entry: SubmissionScores
    submission: dict[str, Any]
    cells: NotebookCells
    row: str

    @property
    def scores(self) -> NotebookScores | None:
        return self.entry.notebooks.get(self.cells.name)


def _targets(
    connection: Connection, assignment: AssignmentCells, batch: Sequence[SubmissionScores]
) -> list[_Target]:
    submissions = _submissions(connection, assignment, batch)
    notebooks = _submitted_notebooks(connection, assignment, submissions)
    targets = []
    for entry in batch:
        submission = submissions[entry.student]
        for name, cells in assignment.notebooks.items():
            targets.append(_Target(entry, submission, cells, notebooks[submission["id"], name]))
    return targets


def _write_grades(connection: Connection, targets: Sequence[_Target]) -> dict[str, float]:
    """Write the grades; return the score of each notebook, by its row."""
    names = ("auto_score", "manual_score", "extra_credit", "needs_manual_grade")
    found = _rows_by_cell(connection, GRADE, targets, [GRADE.c[name] for name in names])
    totals: dict[str, float] = {}
    new, changed = [], []
    for target in targets:
        totals[target.row] = 0.0
        for cell, cell_id in target.cells.grades.items():
            row = found.get((target.row, cell_id))
            values = _grade_values(target.scores, cell, row, target.entry.regraded)
            totals[target.row] += _score(values["auto_score"], row)
            if row is None:
                new.append(_new_row(target.row, cell_id, values))
            else:
                changed.append(_changed_row(row.id, values))
    _execute(connection, insert(GRADE), new)
    _execute(connection, _set(GRADE, "auto_score", "needs_manual_grade"), changed)
    return totals


def _write_comments(connection: Connection, targets: Sequence[_Target]) -> None:
    found = _rows_by_cell(connection, COMMENT, targets, [])
    new, changed = [], []
    for target in targets:
        comments = target.scores.comments if target.scores is not None else {}
        for cell, cell_id in target.cells.comments.items():
            row = found.get((target.row, cell_id))
            values = {"auto_comment": comments.get(cell)}
            if row is None:
                new.append(_new_row(target.row, cell_id, values))
            elif target.scores is not None:
                changed.append(_changed_row(row.id, values))
    _execute(connection, insert(COMMENT), new)
    _execute(connection, _set(COMMENT, "auto_comment"), changed)


def _write_penalties(
    connection: Connection,
    assignment: AssignmentCells,
    targets: Sequence[_Target],
    totals: dict[str, float],
    late_penalty: LatePenalty | None,
) -> None:
    rows = []
    for target in targets:
        if target.scores is None:
            continue
        late = seconds_late(target.submission, assignment.duedate)
        penalty = None
        if late > 0 and late_penalty is not None:
            penalty = late_penalty(target.entry.student, totals[target.row], late)
        if penalty is not None:
            penalty = min(max(penalty, 0.0), totals[target.row])
        rows.append(_changed_row(target.row, {"late_submission_penalty": penalty}))
    _execute(connection, _set(SUBMITTED, "late_submission_penalty"), rows)


def _add_students(connection: Connection, names: Sequence[str], create: bool) -> None:
    known = set()
    for some in slices(names):
        known |= set(
            connection.execute(select(STUDENT.c.id).where(STUDENT.c.id.in_(some))).scalars()
        )
    new = [{"id": name} for name in dict.fromkeys(names) if name not in known]
    if new and not create:
        raise GradebookError(
            f"no student {new[0]['id']!r} in the gradebook, and Autograde.create_student "
            "is False: add the student with `nbgrader db student add`"
        )
    _execute(connection, insert(STUDENT), new)


def _submissions(
    connection: Connection,
    assignment: AssignmentCells,
    batch: Sequence[SubmissionScores],
) -> dict[str, Any]:
    """Return the rows of submissions by student, adding and updating them."""
    found: dict[str, Any] = {}
    columns = select(
        SUBMISSION.c.id,
        SUBMISSION.c.student_id,
        SUBMISSION.c.timestamp,
        SUBMISSION.c.extension,
    ).where(SUBMISSION.c.assignment_id == assignment.id)
    for some in slices([entry.student for entry in batch]):
        rows = connection.execute(columns.where(SUBMISSION.c.student_id.in_(some)))
        found |= {row.student_id: row._asdict() for row in rows}
    new, changed = [], []
    for entry in batch:
        row = found.get(entry.student)
        if row is None:
            row = {
                "id": api.new_uuid(),
                "assignment_id": assignment.id,
                "student_id": entry.student,
                "timestamp": entry.timestamp,
                "extension": None,
            }
            new.append(row)
            found[entry.student] = row
        elif entry.timestamp is not None and row["timestamp"] != entry.timestamp:
            row["timestamp"] = entry.timestamp
            changed.append(_changed_row(row["id"], {"timestamp": entry.timestamp}))
    _execute(connection, insert(SUBMISSION), new)
    _execute(connection, _set(SUBMISSION, "timestamp"), changed)
    return found


def _submitted_notebooks(
    connection: Connection, assignment: AssignmentCells, submissions: dict[str, Any]
) -> dict[tuple[str, str], str]:
    """Return the rows of submitted notebooks, adding those that are missing."""
    names = {notebook.id: name for name, notebook in assignment.notebooks.items()}
    found: dict[tuple[str, str], str] = {}
    for some in slices([row["id"] for row in submissions.values()]):
        for row in connection.execute(
            select(SUBMITTED.c.id, SUBMITTED.c.assignment_id, SUBMITTED.c.notebook_id).where(
                SUBMITTED.c.assignment_id.in_(some)
            )
        ):
            if row.notebook_id in names:
                found[row.assignment_id, names[row.notebook_id]] = row.id
    new = []
    for submission in submissions.values():
        for name, notebook in assignment.notebooks.items():
            if (submission["id"], name) not in found:
                added = {
                    "id": api.new_uuid(),
                    "assignment_id": submission["id"],
                    "notebook_id": notebook.id,
                    "flagged": False,
                    "late_submission_penalty": None,
                }
                new.append(added)
                found[submission["id"], name] = added["id"]
    _execute(connection, insert(SUBMITTED), new)
    return found


def _rows_by_cell(
    connection: Connection, table: Any, targets: Sequence[_Target], columns: Iterable[Any]
) -> dict[tuple[str, str], Any]:
    rows = {}
    for some in slices([target.row for target in targets]):
        for row in connection.execute(
            select(table.c.id, table.c.notebook_id, table.c.cell_id, *columns).where(
                table.c.notebook_id.in_(some)
            )
        ):
            rows[row.notebook_id, row.cell_id] = row
    return rows


def _grade_values(
    scores: NotebookScores | None, cell: str, row: Any, regraded: bool
) -> dict[str, Any]:
    if scores is None:
        return {"auto_score": 0.0, "needs_manual_grade": False}
    automatic = scores.scores.get(cell)
    if row is not None and not regraded and row.auto_score == automatic:
        return {"auto_score": automatic, "needs_manual_grade": row.needs_manual_grade}
    graded_by_hand = row is not None and row.manual_score is not None
    return {
        "auto_score": automatic,
        "needs_manual_grade": graded_by_hand or automatic is None,
    }


def _score(automatic: float | None, row: Any) -> float:
    manual = row.manual_score if row is not None else None
    score = automatic if manual is None else manual
    if score is None:
        return 0.0
    extra = (row.extra_credit if row is not None else None) or 0.0
    return score + extra


def _new_row(notebook: str, cell: str, values: dict[str, Any]) -> dict[str, Any]:
    return {"id": api.new_uuid(), "notebook_id": notebook, "cell_id": cell, **values}


def _changed_row(row: str, values: dict[str, Any]) -> dict[str, Any]:
    """Return what `_set` takes."""
    return {"row": row, **{f"to_{name}": value for name, value in values.items()}}


def _set(table: Any, *columns: str) -> Any:
    """Return the statement that sets columns of the rows whose ids stand under ``row``."""
    values: dict[str, Any] = {name: bindparam(f"to_{name}") for name in columns}
    return update(table).where(table.c.id == bindparam("row")).values(values)


def _execute(connection: Connection, statement: Any, rows: list[dict[str, Any]]) -> None:
    if rows:
        connection.execute(statement, rows)
