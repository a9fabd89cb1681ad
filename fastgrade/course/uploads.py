"""``nbgrader export`` into the tables that Canvas and Moodle take grades from.

Both give out a table of the class, and take it back with grades in it::

    nbgrader export --exporter=fastgrade.course.uploads.CanvasExport --to=for-canvas.csv
    nbgrader export --exporter=fastgrade.course.uploads.MoodleExport --assignment=ps1

Canvas (*Grades*, *Export*) has a column for each assignment, headed by its title and a number in
brackets, and a row "Points Possible" above the students. Moodle (*Download grading worksheet*) has
a table for each assignment, in which students are "Participant 12345". A cell for which the
gradebook holds no submission is left as it is.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nbgrader.api import Assignment, Gradebook, Student
from nbgrader.apps import NbGrader
from nbgrader.plugins.export import ExportPlugin
from traitlets import Bool, Dict, Unicode

from fastgrade.course.grades_export import write_table

__all__ = ["CanvasExport", "MoodleExport", "UploadError"]

#: What of a student in the gradebook may stand in the table.
_KNOWN_AS = ("id", "lms_user_id", "email")
Row = dict[str, str]


class UploadError(ValueError):
    """Table and gradebook do not fit together; the message says what to do."""


class _TableExport(ExportPlugin):
    """Fill the grades into a table that a learning platform gave out."""

    table = Unicode(help="The table as the platform gave it out.").tag(config=True)
    student_column = Unicode(
        help="The column by which students are found; by default that in which most are."
    ).tag(config=True)
    scale = Bool(
        False, help="Whether to scale points where an assignment has other ones on the platform."
    ).tag(config=True)

    #: The columns in which students may be found.
    identities: tuple[str, ...] = ()

    def export(self, gradebook: Gradebook) -> None:
        """Write the table with the grades in it to the file ``--to``.

        Raises
        ------
        UploadError
            If table and gradebook do not fit together; as nbgrader's command, say so and stop.
        """
        try:
            self._export(gradebook)
        except UploadError as error:
            if not isinstance(self.parent, NbGrader):
                raise
            self.parent.fail(str(error))

    def _export(self, gradebook: Gradebook) -> None:
        header, rows, delimiter = self._read()
        named = set(map(str, self.student))
        students = [one for one in gradebook.students if not named or one.id in named]
        found = self._find(header, rows, students)
        columns = {
            assignment: self._column(header, assignment)
            for assignment in self._assignments(gradebook, header)
        }
        for assignment, column in columns.items():
            self._fill(gradebook, assignment, column, rows, found)
        kept = self._kept(header, set(columns.values()))
        target = Path(self.to or f"graded-{Path(self.table).name}")
        cells = (
            [_number(row[name]) if name in columns.values() else row[name] for name in kept]
            for row in rows
        )
        write_table(target, [kept, *cells], delimiter)
        self.log.info("Wrote %s, to be uploaded", target)

    def _read(self) -> tuple[list[str], list[Row], str]:
        try:
            text = Path(self.table).read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise UploadError(
                f"c.{type(self).__name__}.table must name the table that the platform gave out, "
                f"got {self.table!r}: {error}"
            ) from None
        first = text.partition("\n")[0]
        delimiter = max(",;\t", key=first.count)
        header, *rows = csv.reader(text.splitlines(keepends=True), delimiter=delimiter)
        return header, [dict(zip(header, row, strict=False)) for row in rows if row], delimiter

    def _find(self, header: list[str], rows: list[Row], students: list[Student]) -> dict[str, Row]:
        """Return the rows by the students' names in the gradebook."""
        columns = [self.student_column] if self.student_column else self.identities
        best: dict[str, Row] = {}
        for column in columns:
            by_cell: dict[str, list[Row]] = {}
            for row in rows:
                by_cell.setdefault(self._identity(row.get(column, "")), []).append(row)
            for known_as in _KNOWN_AS:
                found = {
                    student.id: by_cell[cell][0]
                    for student in students
                    if len(by_cell.get(cell := str(getattr(student, known_as) or ""), ())) == 1
                    and cell
                }
                best = max(best, found, key=len)
        if not best:
            raise UploadError(
                f"no student of the gradebook stands in a column {' or '.join(columns)} of "
                f"{self.table}; c.{type(self).__name__}.student_column names another"
            )
        return best

    def _identity(self, cell: str) -> str:
        return cell.strip()

    def _fill(
        self,
        gradebook: Gradebook,
        assignment: Assignment,
        column: str,
        rows: list[Row],
        found: dict[str, Row],
    ) -> None:
        waiting, absent = 0, []
        for submission in gradebook.assignment_submissions(assignment.name):
            row = found.get(submission.student_id)
            if row is None:
                absent.append(submission.student_id)
                continue
            waiting += submission.needs_manual_grade
            points = max(0.0, submission.score - submission.late_submission_penalty)
            factor = self._factor(assignment, self._maximum(rows, row, column))
            row[column] = f"{round(points * factor, 4):.12g}"
        if waiting:
            self.log.warning("%s: %d wait for a human grader", assignment.name, waiting)
        if absent and not self.student:
            self.log.warning("%s: not in the table: %s", assignment.name, ", ".join(sorted(absent)))

    def _factor(self, assignment: Assignment, maximum: float | None) -> float:
        if maximum is None or maximum == assignment.max_score or not assignment.max_score:
            return 1.0
        if not self.scale:
            raise UploadError(
                f"{assignment.name} has {assignment.max_score:g} points here and {maximum:g} in "
                f"{self.table}: change it there, or set c.{type(self).__name__}.scale = True"
            )
        return maximum / assignment.max_score

    def _assignments(self, gradebook: Gradebook, header: list[str]) -> Iterator[Assignment]:
        raise NotImplementedError

    def _column(self, header: list[str], assignment: Assignment) -> str:
        raise NotImplementedError

    def _kept(self, header: list[str], columns: set[str]) -> list[str]:
        raise NotImplementedError

    def _maximum(self, rows: list[Row], row: Row, column: str) -> float | None:
        raise NotImplementedError


class CanvasExport(_TableExport):
    """The columns of the assignments that the gradebook knows, beside those that name students."""

    table = Unicode("canvas.csv", help="The exported gradebook of Canvas.").tag(config=True)
    columns = Dict(
        help="The headings of assignments that have another title in Canvas, by their name here."
    ).tag(config=True)

    identities = ("SIS Login ID", "SIS User ID", "Integration ID", "ID")
    _others = ("Student", "Section")

    def _assignments(self, gradebook: Gradebook, header: list[str]) -> Iterator[Assignment]:
        titles = {re.sub(r" \(\d+\)$", "", name) for name in header}
        wanted = [name.strip() for name in self.assignment]
        chosen = [
            one
            for one in gradebook.assignments
            if one.name in (wanted or titles.union(self.columns))
        ]
        if not chosen:
            raise UploadError(
                f"no assignment of the gradebook stands in {self.table}; c.CanvasExport.columns "
                "gives the headings that they have there, by their names here"
            )
        yield from chosen

    def _column(self, header: list[str], assignment: Assignment) -> str:
        named = self.columns.get(assignment.name)
        heading = re.compile(re.escape(named or assignment.name) + r"( \(\d+\))?")
        found = [name for name in header if heading.fullmatch(name)]
        if len(found) != 1:
            raise UploadError(
                f"{assignment.name} must have one column in {self.table}, got {len(found)}; "
                f'set c.CanvasExport.columns = {{"{assignment.name}": "its heading there (123)"}}'
            )
        return found[0]

    def _kept(self, header: list[str], columns: set[str]) -> list[str]:
        return [n for n in header if n in columns or n in self.identities or n in self._others]

    def _maximum(self, rows: list[Row], row: Row, column: str) -> float | None:
        (above,) = [one for one in rows if one["Student"].strip() == "Points Possible"][:1] or [{}]
        maximum = _number(above.get(column, ""))
        return maximum if isinstance(maximum, float) else None


class MoodleExport(_TableExport):
    """A grading worksheet, whole, with the grades of one assignment."""

    table = Unicode("moodle.csv", help="The grading worksheet of Moodle.").tag(config=True)
    grade_column = Unicode("Grade", help="The heading of grades, in Moodle's language.").tag(
        config=True
    )
    maximum_column = Unicode("Maximum Grade", help="The same of what can be had.").tag(config=True)

    identities = ("Identifier", "ID number", "Email address", "Username")

    def _identity(self, cell: str) -> str:
        return re.sub(r"^\D+ ?(?=\d+$)", "", cell.strip())  # Participant 12345

    def _assignments(self, gradebook: Gradebook, header: list[str]) -> Iterator[Assignment]:
        known = {one.name: one for one in gradebook.assignments}
        if len(self.assignment) != 1 or self.assignment[0] not in known:
            raise UploadError(
                f"--assignment must name one of {', '.join(known)}, as a worksheet of Moodle is "
                f"about one, got {', '.join(map(str, self.assignment)) or 'none'}"
            )
        yield known[self.assignment[0]]

    def _column(self, header: list[str], assignment: Assignment) -> str:
        if self.grade_column not in header:
            raise UploadError(
                f"c.MoodleExport.grade_column must name a column of {self.table}, "
                f"got {self.grade_column!r}"
            )
        return self.grade_column

    def _kept(self, header: list[str], columns: set[str]) -> list[str]:
        return header

    def _maximum(self, rows: list[Row], row: Row, column: str) -> float | None:
        maximum = _number(row.get(self.maximum_column, ""))
        return maximum if isinstance(maximum, float) else None


def _number(cell: str) -> Any:
    """Return a number where a cell holds one, with a decimal comma too, and the cell if not."""
    text = cell.strip().replace(",", ".")
    return float(text) if re.fullmatch(r"[-+]?\d+(\.\d+)?", text) else cell
