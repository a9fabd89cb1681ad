"""What is asked of the gradebook."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, Engine, case, func, select, true

from fastgrade.course.gradebook.database import GradebookError, demand
from fastgrade.course.gradebook.records import (
    AssignmentCells,
    Held,
    NotebookCells,
    QuestionResult,
    Result,
    SourceCell,
    seconds_late,
)
from fastgrade.course.gradebook.tables import (
    ASSIGNMENT,
    BASE_CELL,
    GRADE,
    GRADE_CELL,
    NOTEBOOK,
    SCORE,
    SOURCE_CELL,
    SUBMISSION,
    SUBMITTED,
    TASK_CELL,
    UNGRADED,
    slices,
)

MOST_SLICES = 20


def assignments(engine: Engine) -> list[str]:
    """Return the names of all assignments.

    Raises
    ------
    GradebookError
        If the database holds no gradebook.
    """
    demand(engine)
    with engine.connect() as connection:
        return sorted(connection.execute(select(ASSIGNMENT.c.name)).scalars())


def assignment(engine: Engine, name: str) -> AssignmentCells:
    """Return an assignment with its notebooks and cells.

    Raises
    ------
    GradebookError
        If the assignment is not in the gradebook, or has no notebook.
    """
    demand(engine, name)
    with engine.connect() as connection:
        row = connection.execute(select(ASSIGNMENT).where(ASSIGNMENT.c.name == name)).first()
        if row is None:
            known = assignments(engine)
            raise GradebookError(
                f"no assignment {name!r} in the gradebook (it knows {known}): run "
                f"`nbgrader generate_assignment {name}`"
            )
        notebooks = {
            notebook.name: _cells_of(connection, notebook.id, notebook.name)
            for notebook in connection.execute(
                select(NOTEBOOK.c.id, NOTEBOOK.c.name)
                .where(NOTEBOOK.c.assignment_id == row.id)
                .order_by(NOTEBOOK.c.name)
            )
        }
    if not notebooks:
        raise GradebookError(
            f"assignment {name!r} has no notebook: run `nbgrader generate_assignment {name}`"
        )
    return AssignmentCells(row.id, row.name, row.duedate, notebooks)


def _cells_of(connection: Connection, notebook: str, name: str) -> NotebookCells:
    rows = connection.execute(
        select(BASE_CELL.c.id, BASE_CELL.c.name, BASE_CELL.c.type).where(
            BASE_CELL.c.notebook_id == notebook
        )
    ).all()
    grades = {row.name: row.id for row in rows if row.type in ("GradeCell", "TaskCell")}
    comments = {row.name: row.id for row in rows if row.type in ("SolutionCell", "TaskCell")}
    points: dict[str, float] = {}
    for table in (GRADE_CELL, TASK_CELL):
        for row in connection.execute(
            select(BASE_CELL.c.name, table.c.max_score)
            .join(table, table.c.id == BASE_CELL.c.id)
            .where(BASE_CELL.c.notebook_id == notebook)
        ):
            points[row.name] = float(row.max_score)
    sources = {
        row.name: SourceCell(row.name, row.cell_type, row.locked, row.source or "", row.checksum)
        for row in connection.execute(
            select(
                SOURCE_CELL.c.name,
                SOURCE_CELL.c.cell_type,
                SOURCE_CELL.c.locked,
                SOURCE_CELL.c.source,
                SOURCE_CELL.c.checksum,
            ).where(SOURCE_CELL.c.notebook_id == notebook)
        )
    }
    return NotebookCells(notebook, name, grades, comments, points, sources)


def held(
    engine: Engine, assignment: AssignmentCells, students: Collection[str] | None = None
) -> dict[str, Held]:
    """Return what is recorded for an assignment, by student.

    Parameters
    ----------
    assignment : AssignmentCells
        From `assignment`.
    students : collection of str, optional
        Limits the answer; None stands for all.
    """
    submissions = select(
        SUBMISSION.c.student_id, SUBMISSION.c.timestamp, SUBMISSION.c.extension
    ).where(SUBMISSION.c.assignment_id == assignment.id)
    scores = (
        select(
            SUBMISSION.c.student_id,
            NOTEBOOK.c.name,
            func.count(GRADE.c.auto_score).label("number"),
            func.coalesce(func.sum(GRADE.c.auto_score), 0.0).label("total"),
        )
        .select_from(SUBMISSION)
        .join(SUBMITTED, SUBMITTED.c.assignment_id == SUBMISSION.c.id)
        .join(NOTEBOOK, NOTEBOOK.c.id == SUBMITTED.c.notebook_id)
        .join(GRADE, GRADE.c.notebook_id == SUBMITTED.c.id)
        .where(SUBMISSION.c.assignment_id == assignment.id)
        .group_by(SUBMISSION.c.student_id, NOTEBOOK.c.name)
    )
    # A few thousand are looked up by name; for more, one pass over all is faster.
    some = list(slices(sorted(students or ())))
    if students is None or len(some) > MOST_SLICES:
        conditions = [true()]
    else:
        conditions = [SUBMISSION.c.student_id.in_(names) for names in some]
    held: dict[str, Held] = {}
    with engine.connect() as connection:
        for condition in conditions:
            for row in connection.execute(submissions.where(condition)):
                held[row.student_id] = Held(row.timestamp, row.extension, {})
            for row in connection.execute(scores.where(condition)):
                held[row.student_id].scores[row.name] = (row.number, float(row.total))
    return held


def results(engine: Engine, assignment: AssignmentCells) -> list[Result]:
    """Return the results of all students who handed in an assignment, by student."""
    per_notebook = (
        select(
            SUBMITTED.c.id,
            SUBMITTED.c.assignment_id,
            func.coalesce(func.sum(SCORE), 0.0).label("score"),
            func.max(case((GRADE.c.needs_manual_grade, 1), else_=0)).label("needs"),
            func.coalesce(SUBMITTED.c.late_submission_penalty, 0.0).label("penalty"),
        )
        .select_from(SUBMITTED)
        .join(GRADE, GRADE.c.notebook_id == SUBMITTED.c.id, isouter=True)
        .group_by(SUBMITTED.c.id, SUBMITTED.c.assignment_id)
        .subquery()
    )
    query = (
        select(
            SUBMISSION.c.student_id,
            SUBMISSION.c.timestamp,
            SUBMISSION.c.extension,
            func.coalesce(func.sum(per_notebook.c.score), 0.0).label("score"),
            func.coalesce(func.sum(per_notebook.c.penalty), 0.0).label("penalty"),
            func.coalesce(func.max(per_notebook.c.needs), 0).label("needs"),
        )
        .select_from(SUBMISSION)
        .join(per_notebook, per_notebook.c.assignment_id == SUBMISSION.c.id, isouter=True)
        .where(SUBMISSION.c.assignment_id == assignment.id)
        .group_by(
            SUBMISSION.c.id,
            SUBMISSION.c.student_id,
            SUBMISSION.c.timestamp,
            SUBMISSION.c.extension,
        )
        .order_by(SUBMISSION.c.student_id)
    )
    with engine.connect() as connection:
        return [
            Result(
                row.student_id,
                row.score - row.penalty,
                assignment.max_score,
                row.penalty,
                bool(row.needs),
                seconds_late(row._asdict(), assignment.duedate),
            )
            for row in connection.execute(query)
        ]


def questions(engine: Engine, assignment: AssignmentCells) -> list[QuestionResult]:
    """Return how the class did at each question, in the order of the notebooks."""
    found = []
    with engine.connect() as connection:
        for notebook in assignment.notebooks.values():
            ids = {cell_id: name for name, cell_id in notebook.grades.items()}
            most = case(
                *((GRADE.c.cell_id == i, notebook.max_scores[n]) for i, n in ids.items()),
                else_=0.0,
            )
            rows = connection.execute(
                select(
                    GRADE.c.cell_id,
                    func.count().label("number"),
                    func.avg(SCORE).label("mean"),
                    func.sum(case((most <= SCORE, 1), else_=0)).label("full"),
                    func.sum(case((SCORE <= 0.0, 1), else_=0)).label("zero"),
                    func.sum(case((UNGRADED, 1), else_=0)).label("ungraded"),
                )
                .join(SUBMITTED, SUBMITTED.c.id == GRADE.c.notebook_id)
                .where(SUBMITTED.c.notebook_id == notebook.id)
                .group_by(GRADE.c.cell_id)
            ).all()
            by_name = {ids[row.cell_id]: row for row in rows if row.cell_id in ids}
            for name in notebook.order():
                if name in by_name:
                    row = by_name[name]
                    found.append(
                        QuestionResult(
                            notebook.name,
                            name,
                            notebook.max_scores[name],
                            row.number,
                            float(row.mean),
                            int(row.full),
                            int(row.zero),
                            int(row.ungraded),
                        )
                    )
    return found
