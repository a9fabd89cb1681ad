"""The one writer of nbgrader's gradebook.

The tables, the columns and what they mean are nbgrader's: this module inserts and updates rows
of :mod:`nbgrader.api` and adds none of its own. What differs from ``nbgrader autograde`` is the
number of statements: one transaction for a batch of submissions where nbgrader opens nine
database engines for each, and indexes on the foreign keys, without which every look-up reads
whole tables.

The rules are nbgrader's too:

- An automatic score is replaced; a manual score, extra credit and a grader's comment never are.
- A grade needs a human when it has no automatic score, or had a manual one before.
- A solution cell that still is the stub gets the comment ``No response.``
- A notebook that was not handed in scores zero and needs nobody.
- A late penalty is what the course's plugin says, at least zero and at most the score.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from nbgrader import api
from sqlalchemy import (
    Column,
    Connection,
    Engine,
    MetaData,
    String,
    Table,
    bindparam,
    case,
    create_engine,
    event,
    func,
    insert,
    inspect,
    select,
    text,
    true,
    update,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import IntegrityError, OperationalError

# A reader such as the formgrader may hold SQLite's lock for a moment.
LOCK_PATIENCE_SECONDS = 60
# SQLite refuses statements with more than 32,766 parameters; older builds, more than 999.
IN_CLAUSE = 500
MOST_SLICES = 20
ATTEMPTS = 5
COPY_ROWS = 5000

COURSE = api.Course.__table__
ASSIGNMENT = api.Assignment.__table__
NOTEBOOK = api.Notebook.__table__
BASE_CELL = api.BaseCell.__table__
GRADE_CELL = api.GradeCell.__table__
TASK_CELL = api.TaskCell.__table__
SOURCE_CELL = api.SourceCell.__table__
STUDENT = api.Student.__table__
SUBMISSION = api.SubmittedAssignment.__table__
SUBMITTED = api.SubmittedNotebook.__table__
GRADE = api.Grade.__table__
COMMENT = api.Comment.__table__

# A grade's score as nbgrader computes it: the human's word first, extra credit on top.
_EXTRA = func.coalesce(GRADE.c.extra_credit, 0.0)
SCORE = case(
    (GRADE.c.manual_score.is_not(None), GRADE.c.manual_score + _EXTRA),
    (GRADE.c.auto_score.is_not(None), GRADE.c.auto_score + _EXTRA),
    else_=0.0,
)
UNGRADED = GRADE.c.manual_score.is_(None) & GRADE.c.auto_score.is_(None)

# The foreign keys that no unique constraint already leads with.
INDEXES = {
    "ix_fastgrade_assignment_course": ("assignment", "course_id"),
    "ix_fastgrade_notebook_assignment": ("notebook", "assignment_id"),
    "ix_fastgrade_base_cell_notebook": ("base_cell", "notebook_id"),
    "ix_fastgrade_source_cell_notebook": ("source_cell", "notebook_id"),
    "ix_fastgrade_submitted_assignment_student": ("submitted_assignment", "student_id"),
    "ix_fastgrade_submitted_notebook_assignment": ("submitted_notebook", "assignment_id"),
    "ix_fastgrade_grade_notebook": ("grade", "notebook_id"),
    "ix_fastgrade_comment_notebook": ("comment", "notebook_id"),
}


class GradebookError(RuntimeError):
    """The gradebook cannot be used as it is; the message says what to do."""


@dataclass(frozen=True)
class SourceCell:
    """A cell as ``nbgrader generate_assignment`` recorded it."""

    name: str
    cell_type: str
    locked: bool
    source: str
    checksum: str | None


@dataclass(frozen=True)
class NotebookCells:
    """The cells of one notebook that carry a grade or a comment, by name."""

    id: str
    name: str
    grades: dict[str, str]
    comments: dict[str, str]
    max_scores: dict[str, float]
    sources: dict[str, SourceCell]

    def order(self) -> list[str]:
        """Return the names of the graded cells in the order of the notebook."""
        place = {name: index for index, name in enumerate(self.sources)}
        return sorted(self.grades, key=lambda name: (place.get(name, len(place)), name))


@dataclass(frozen=True)
class AssignmentCells:
    """An assignment as the gradebook knows it."""

    id: str
    name: str
    duedate: datetime.datetime | None
    notebooks: dict[str, NotebookCells]

    @property
    def max_score(self) -> float:
        """The points that the assignment is worth."""
        return sum(sum(n.max_scores.values()) for n in self.notebooks.values())


@dataclass(frozen=True, slots=True)
class NotebookScores:
    """What the autograder says about one notebook of one student.

    ``scores`` maps a grade cell to its automatic score, None where a human must grade.
    ``comments`` maps a solution cell to its automatic comment.
    """

    scores: dict[str, float | None]
    comments: dict[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SubmissionScores:
    """What is to be written for one student.

    A notebook that maps to None was not handed in. ``timestamp`` None keeps what is recorded.
    ``regraded`` False says that only the surroundings changed (a timestamp, a data file): what a
    human has settled then stays settled wherever the automatic score is the same.
    """

    student: str
    timestamp: datetime.datetime | None
    notebooks: dict[str, NotebookScores | None]
    regraded: bool = True


@dataclass(frozen=True, slots=True)
class Held:
    """What the gradebook holds of one student's submission."""

    timestamp: datetime.datetime | None
    extension: datetime.timedelta | None
    # notebook -> (number of automatic scores, their sum)
    scores: dict[str, tuple[int, float]]


@dataclass(frozen=True, slots=True)
class Result:
    """A student's result for an assignment; ``score`` has the late penalty taken off."""

    student: str
    score: float
    max_score: float
    penalty: float
    needs_manual_grade: bool
    seconds_late: float


@dataclass(frozen=True)
class QuestionResult:
    """How a class did at one question."""

    notebook: str
    name: str
    max_score: float
    number: int
    mean: float
    full: int
    zero: int
    ungraded: int


class Gradebook:
    """A connection to a gradebook, for one process at a time to write through.

    Parameters
    ----------
    db_url : str
        SQLAlchemy's address of the database, as nbgrader's ``CourseDirectory.db_url``.
    create_students : bool
        Whether a student who is not in the gradebook is added.
    late_penalty : callable, optional
        Called with a student, a score and the seconds late; returns a penalty or None.
    """

    def __init__(
        self,
        db_url: str,
        create_students: bool = True,
        late_penalty: Callable[[str, float, float], float | None] | None = None,
    ) -> None:
        self.db_url = db_url
        self.create_students = create_students
        self.late_penalty = late_penalty
        self.engine = _engine(db_url)

    def __enter__(self) -> Gradebook:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()

    # ---- before the first grade ----

    def prepare(self) -> list[str]:
        """Set SQLite's journal to WAL and add the missing indexes.

        Returns
        -------
        list of str
            One sentence for each change that was made.

        Raises
        ------
        GradebookError
            If the database holds no gradebook.
        """
        if not self.is_set_up():
            raise GradebookError(
                f"gradebook {safe_url(self.db_url)} is empty: run `nbgrader generate_assignment`"
            )
        done = []
        if self.engine.dialect.name == "sqlite":
            with self.engine.connect() as connection:
                before = connection.execute(text("PRAGMA journal_mode")).scalar()
                if before != "wal":
                    after = connection.execute(text("PRAGMA journal_mode=WAL")).scalar()
                    if after == "wal":
                        done.append("The gradebook now uses SQLite's write-ahead log (WAL).")
        missing = self.missing_indexes()
        if missing:
            with self.engine.begin() as connection:
                for name in missing:
                    table, column = INDEXES[name]
                    connection.execute(
                        text(f"CREATE INDEX IF NOT EXISTS {name} ON {table} ({column})")
                    )
            done.append(f"Added {len(missing)} indexes on the gradebook's foreign keys.")
        return done

    def is_set_up(self) -> bool:
        """Tell whether the database holds a gradebook."""
        return inspect(self.engine).has_table("assignment")

    def missing_indexes(self) -> list[str]:
        """Return the names of the indexes that the gradebook lacks."""
        inspector = inspect(self.engine)
        present: set[str | None] = set()
        for table in {table for table, _ in INDEXES.values()}:
            present |= {index["name"] for index in inspector.get_indexes(table)}
        return [name for name in INDEXES if name not in present]

    def journal_mode(self) -> str | None:
        """Return SQLite's journal mode, or None for another database."""
        if self.engine.dialect.name != "sqlite":
            return None
        with self.engine.connect() as connection:
            return connection.execute(text("PRAGMA journal_mode")).scalar()

    # ---- reading ----

    def assignment(self, name: str) -> AssignmentCells:
        """Return an assignment with its notebooks and cells.

        Raises
        ------
        GradebookError
            If the assignment is not in the gradebook, or has no notebook.
        """
        if not self.is_set_up():
            raise GradebookError(
                f"gradebook {safe_url(self.db_url)} is empty: run "
                f"`nbgrader generate_assignment {name}`"
            )
        with self.engine.connect() as connection:
            row = connection.execute(select(ASSIGNMENT).where(ASSIGNMENT.c.name == name)).first()
            if row is None:
                known = connection.execute(select(ASSIGNMENT.c.name).order_by("name")).scalars()
                raise GradebookError(
                    f"no assignment {name!r} in the gradebook (it knows {sorted(known)}): run "
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

    def held(
        self, assignment: AssignmentCells, students: Collection[str] | None = None
    ) -> dict[str, Held]:
        """Return what is recorded for an assignment, by student.

        Parameters
        ----------
        assignment : AssignmentCells
            From :meth:`assignment`.
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
        some = list(_slices(sorted(students or ())))
        if students is None or len(some) > MOST_SLICES:
            conditions = [true()]
        else:
            conditions = [SUBMISSION.c.student_id.in_(names) for names in some]
        held: dict[str, Held] = {}
        with self.engine.connect() as connection:
            for condition in conditions:
                for row in connection.execute(submissions.where(condition)):
                    held[row.student_id] = Held(row.timestamp, row.extension, {})
                for row in connection.execute(scores.where(condition)):
                    held[row.student_id].scores[row.name] = (row.number, float(row.total))
        return held

    def students(self) -> set[str]:
        """Return the names of all students in the gradebook."""
        with self.engine.connect() as connection:
            return set(connection.execute(select(STUDENT.c.id)).scalars())

    def results(self, assignment: AssignmentCells) -> list[Result]:
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
        with self.engine.connect() as connection:
            return [
                Result(
                    row.student_id,
                    row.score - row.penalty,
                    assignment.max_score,
                    row.penalty,
                    bool(row.needs),
                    _seconds_late(row._asdict(), assignment.duedate),
                )
                for row in connection.execute(query)
            ]

    def questions(self, assignment: AssignmentCells) -> list[QuestionResult]:
        """Return how the class did at each question, in the order of the notebooks."""
        found = []
        with self.engine.connect() as connection:
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

    # ---- writing ----

    def write(self, assignment: AssignmentCells, batch: Sequence[SubmissionScores]) -> None:
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
                with self.engine.begin() as connection:
                    self._write(connection, assignment, batch)
            except (IntegrityError, OperationalError):
                if attempt == ATTEMPTS - 1:
                    raise
            else:
                return

    def _write(
        self,
        connection: Connection,
        assignment: AssignmentCells,
        batch: Sequence[SubmissionScores],
    ) -> None:
        self._add_students(connection, [entry.student for entry in batch])
        submissions = self._submissions(connection, assignment, batch)
        notebooks = _submitted_notebooks(connection, assignment, submissions)
        self._write_notebooks(connection, assignment, batch, submissions, notebooks)

    def _add_students(self, connection: Connection, names: Sequence[str]) -> None:
        known = set()
        for some in _slices(names):
            known |= set(
                connection.execute(select(STUDENT.c.id).where(STUDENT.c.id.in_(some))).scalars()
            )
        new = [{"id": name} for name in dict.fromkeys(names) if name not in known]
        if new and not self.create_students:
            raise GradebookError(
                f"no student {new[0]['id']!r} in the gradebook, and Autograde.create_student "
                "is False: add the student with `nbgrader db student add`"
            )
        if new:
            connection.execute(insert(STUDENT), new)

    def _submissions(
        self,
        connection: Connection,
        assignment: AssignmentCells,
        batch: Sequence[SubmissionScores],
    ) -> dict[str, Any]:
        found: dict[str, Any] = {}
        columns = select(
            SUBMISSION.c.id,
            SUBMISSION.c.student_id,
            SUBMISSION.c.timestamp,
            SUBMISSION.c.extension,
        ).where(SUBMISSION.c.assignment_id == assignment.id)
        for some in _slices([entry.student for entry in batch]):
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
                changed.append({"row": row["id"], "to": entry.timestamp})
        if new:
            connection.execute(insert(SUBMISSION), new)
        if changed:
            connection.execute(
                update(SUBMISSION)
                .where(SUBMISSION.c.id == bindparam("row"))
                .values(timestamp=bindparam("to")),
                changed,
            )
        return found

    def _write_notebooks(
        self,
        connection: Connection,
        assignment: AssignmentCells,
        batch: Sequence[SubmissionScores],
        submissions: dict[str, Any],
        notebooks: dict[tuple[str, str], str],
    ) -> None:
        ids = list(notebooks.values())
        grades = _rows_by_cell(
            connection,
            GRADE,
            ids,
            [
                GRADE.c.auto_score,
                GRADE.c.manual_score,
                GRADE.c.extra_credit,
                GRADE.c.needs_manual_grade,
            ],
        )
        comments = _rows_by_cell(connection, COMMENT, ids, [])
        new_grades, set_grades, new_comments, set_comments, penalties = [], [], [], [], []
        for entry in batch:
            submission = submissions[entry.student]
            late = _seconds_late(submission, assignment.duedate)
            for name, cells in assignment.notebooks.items():
                notebook = notebooks[submission["id"], name]
                scores = entry.notebooks.get(name)
                total = 0.0
                for cell, cell_id in cells.grades.items():
                    row = grades.get((notebook, cell_id))
                    values = _grade_values(scores, cell, row, entry.regraded)
                    total += _score(values["auto_score"], row)
                    if row is None:
                        new_grades.append(
                            {
                                "id": api.new_uuid(),
                                "notebook_id": notebook,
                                "cell_id": cell_id,
                                **values,
                            }
                        )
                    else:
                        set_grades.append(
                            {
                                "row": row.id,
                                "score": values["auto_score"],
                                "needs": values["needs_manual_grade"],
                            }
                        )
                for cell, cell_id in cells.comments.items():
                    row = comments.get((notebook, cell_id))
                    if row is None:
                        new_comments.append(
                            {
                                "id": api.new_uuid(),
                                "notebook_id": notebook,
                                "cell_id": cell_id,
                                "auto_comment": scores.comments.get(cell) if scores else None,
                            }
                        )
                    elif scores is not None:
                        set_comments.append({"row": row.id, "to": scores.comments.get(cell)})
                if scores is not None:
                    penalty = self._penalty(entry.student, total, late)
                    penalties.append({"row": notebook, "to": penalty})
        _execute(connection, insert(GRADE), new_grades)
        _execute(
            connection,
            update(GRADE)
            .where(GRADE.c.id == bindparam("row"))
            .values(auto_score=bindparam("score"), needs_manual_grade=bindparam("needs")),
            set_grades,
        )
        _execute(connection, insert(COMMENT), new_comments)
        _execute(
            connection,
            update(COMMENT)
            .where(COMMENT.c.id == bindparam("row"))
            .values(auto_comment=bindparam("to")),
            set_comments,
        )
        _execute(
            connection,
            update(SUBMITTED)
            .where(SUBMITTED.c.id == bindparam("row"))
            .values(late_submission_penalty=bindparam("to")),
            penalties,
        )

    def _penalty(self, student: str, score: float, seconds_late: float) -> float | None:
        if seconds_late <= 0 or self.late_penalty is None:
            return None
        penalty = self.late_penalty(student, score, seconds_late)
        return None if penalty is None else min(max(penalty, 0.0), score)


def copy_gradebook(source: str, target: str) -> dict[str, int]:
    """Copy a whole gradebook to another, empty database: from SQLite to PostgreSQL, say.

    Parameters
    ----------
    source, target : str
        Addresses of the two databases.

    Returns
    -------
    dict of str to int
        The number of rows copied, by table.

    Raises
    ------
    GradebookError
        If the source is no gradebook, or the target already holds one.
    """
    reading, writing = _engine(source), _engine(target)
    version = Table("alembic_version", MetaData(), Column("version_num", String(32)))
    try:
        if not inspect(reading).has_table("assignment"):
            raise GradebookError(f"no gradebook at {safe_url(source)}")
        if inspect(writing).get_table_names():
            raise GradebookError(f"database {safe_url(target)} is not empty")
        copied = {}
        with reading.connect() as old, writing.begin() as new:
            for table in (*api.Base.metadata.sorted_tables, version):
                table.create(new)
                copied[table.name] = 0
                for some in old.execute(select(table)).mappings().partitions(COPY_ROWS):
                    new.execute(insert(table), [dict(row) for row in some])
                    copied[table.name] += len(some)
        return copied
    finally:
        reading.dispose()
        writing.dispose()


def safe_url(db_url: str) -> str:
    """Return a database address that can be shown: without the password."""
    return make_url(db_url).render_as_string(hide_password=True)


def _engine(db_url: str) -> Engine:
    if make_url(db_url).get_backend_name() != "sqlite":
        try:
            return create_engine(db_url, pool_pre_ping=True)
        except ModuleNotFoundError as error:
            needs = f"gradebook {safe_url(db_url)} needs the Python package {error.name}"
            install = "pip install 'fastgrade[postgres]'"
            if error.name == "psycopg2":
                raise GradebookError(f"{needs}: {install}") from None
            raise GradebookError(
                f"{needs}; after {install} you may write postgresql+psycopg2:// in its address"
            ) from None
    engine = create_engine(db_url, connect_args={"timeout": LOCK_PATIENCE_SECONDS})

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _: Any) -> None:
        # With WAL, NORMAL survives a killed process; only a power cut may lose the last
        # transactions, and the journal, which is forced to disk, brings those back.
        connection.execute("PRAGMA synchronous=NORMAL")

    return engine


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


def _submitted_notebooks(
    connection: Connection, assignment: AssignmentCells, submissions: dict[str, Any]
) -> dict[tuple[str, str], str]:
    """Return the rows of submitted notebooks, adding those that are missing."""
    names = {notebook.id: name for name, notebook in assignment.notebooks.items()}
    found: dict[tuple[str, str], str] = {}
    for some in _slices([row["id"] for row in submissions.values()]):
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
                row = {
                    "id": api.new_uuid(),
                    "assignment_id": submission["id"],
                    "notebook_id": notebook.id,
                    "flagged": False,
                    "late_submission_penalty": None,
                }
                new.append(row)
                found[submission["id"], name] = row["id"]
    _execute(connection, insert(SUBMITTED), new)
    return found


def _rows_by_cell(
    connection: Connection, table: Any, notebooks: Sequence[str], columns: Iterable[Any]
) -> dict[tuple[str, str], Any]:
    rows = {}
    for some in _slices(notebooks):
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
    if manual is None and automatic is None:
        return 0.0
    extra = (row.extra_credit if row is not None else None) or 0.0
    return (manual if manual is not None else automatic) + extra


def _seconds_late(submission: dict[str, Any], duedate: datetime.datetime | None) -> float:
    if submission["timestamp"] is None or duedate is None:
        return 0.0
    due = duedate + (submission["extension"] or datetime.timedelta(0))
    return max(0.0, (submission["timestamp"] - due).total_seconds())


def _execute(connection: Connection, statement: Any, rows: list[dict[str, Any]]) -> None:
    if rows:
        connection.execute(statement, rows)


def _slices(items: Sequence[str]) -> Iterable[Sequence[str]]:
    for start in range(0, len(items), IN_CLAUSE):
        yield items[start : start + IN_CLAUSE]
