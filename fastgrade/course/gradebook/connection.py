"""A connection to a gradebook: the one door to what is asked of it and written into it."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from fastgrade.course.gradebook import database, reading, writing
from fastgrade.course.gradebook.records import (
    AssignmentCells,
    Held,
    QuestionResult,
    Result,
    SubmissionScores,
)
from fastgrade.course.gradebook.writing import LatePenalty


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

    Raises
    ------
    GradebookError
        If the Python package for such a database is missing.
    """

    def __init__(
        self,
        db_url: str,
        create_students: bool = True,
        late_penalty: LatePenalty | None = None,
    ) -> None:
        self.db_url = db_url
        self.create_students = create_students
        self.late_penalty = late_penalty
        self.engine = database.open_engine(db_url)

    def __enter__(self) -> Gradebook:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()

    def prepare(self) -> list[str]:
        """Do `database.prepare`."""
        return database.prepare(self.engine)

    def is_set_up(self) -> bool:
        """Do `database.is_set_up`."""
        return database.is_set_up(self.engine)

    def missing_indexes(self) -> list[str]:
        """Do `database.missing_indexes`."""
        return database.missing_indexes(self.engine)

    def journal_mode(self) -> str | None:
        """Do `database.journal_mode`."""
        return database.journal_mode(self.engine)

    def assignments(self) -> list[str]:
        """Do `reading.assignments`."""
        return reading.assignments(self.engine)

    def assignment(self, name: str) -> AssignmentCells:
        """Do `reading.assignment`."""
        return reading.assignment(self.engine, name)

    def held(
        self, assignment: AssignmentCells, students: Collection[str] | None = None
    ) -> dict[str, Held]:
        """Do `reading.held`."""
        return reading.held(self.engine, assignment, students)

    def results(self, assignment: AssignmentCells) -> list[Result]:
        """Do `reading.results`."""
        return reading.results(self.engine, assignment)

    def questions(self, assignment: AssignmentCells) -> list[QuestionResult]:
        """Do `reading.questions`."""
        return reading.questions(self.engine, assignment)

    def write(self, assignment: AssignmentCells, batch: Sequence[SubmissionScores]) -> None:
        """Do `writing.write`, by the course's rules for new students and late submissions."""
        writing.write(
            self.engine,
            assignment,
            batch,
            create_students=self.create_students,
            late_penalty=self.late_penalty,
        )
