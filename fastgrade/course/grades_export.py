"""``nbgrader export`` for spreadsheets: a name that a student chose is one cell, and no formula."""

from __future__ import annotations

import csv
import itertools
import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from nbgrader.api import Assignment, Gradebook, SubmittedAssignment
from nbgrader.plugins.export import ExportPlugin

__all__ = ["GradesExport", "as_text", "write_table"]

COLUMNS = (
    *("assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email"),
    *("raw_score", "late_submission_penalty", "score", "max_score"),
)


def as_text(value: Any) -> str:
    """Return a cell that no spreadsheet takes for a formula, in one line.

    >>> as_text("=1+1"), as_text(2.5), as_text(None)
    ("'=1+1", '2.5', '')
    """
    if not isinstance(value, str):
        return "" if value is None else str(value)
    line = " ".join(value.splitlines())
    return f"'{line}" if line.lstrip()[:1] in tuple("=+-@") else line


def write_table(target: Path, rows: Iterable[Iterable[Any]], delimiter: str = ",") -> None:
    """Write rows of cells as CSV, whole or not at all; only its owner can read the file.

    Raises
    ------
    NotADirectoryError
        If there is no place for the file.
    """
    if target.is_dir() or not target.absolute().parent.is_dir():
        raise NotADirectoryError(
            f"--to must name a file in a folder that exists, got {str(target)!r}"
        )
    descriptor, temporary = tempfile.mkstemp(dir=target.absolute().parent, prefix=target.name)
    try:
        with open(descriptor, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, delimiter=delimiter, lineterminator="\n")
            writer.writerows(map(as_text, row) for row in rows)
        os.replace(temporary, target)
    except BaseException:
        os.unlink(temporary)
        raise


class GradesExport(ExportPlugin):
    """The columns of nbgrader's ``CsvExportPlugin``: a row for each assignment and student.

    Who has not handed in has 0 points.
    """

    def export(self, gradebook: Gradebook) -> None:
        """Write the file ``--to``, ``grades.csv`` if none is named, whole or not at all."""
        target = Path(self.to or "grades.csv")
        write_table(target, itertools.chain([COLUMNS], self._rows(gradebook)))
        self.log.info("Exported grades to %s", target)

    def _rows(self, gradebook: Gradebook) -> Iterator[tuple[Any, ...]]:
        wanted = set(map(str, self.student))
        students = [one for one in gradebook.students if not wanted or one.id in wanted]
        for assignment in gradebook.assignments:
            if self.assignment and assignment.name not in self.assignment:
                continue
            handed_in = {
                submission.student_id: submission
                for submission in gradebook.assignment_submissions(assignment.name)
            }
            for student in students:
                yield _row(assignment, student, handed_in.get(student.id))


def _row(
    assignment: Assignment, student: Any, submission: SubmittedAssignment | None
) -> tuple[Any, ...]:
    timestamp, score, penalty = None, 0.0, 0.0
    if submission is not None:
        timestamp, score = submission.timestamp, submission.score
        penalty = submission.late_submission_penalty
    return (
        *(assignment.name, assignment.duedate, timestamp),
        *(student.id, student.last_name, student.first_name, student.email),
        *(score, penalty, max(0.0, score - penalty), assignment.max_score),
    )
