"""What all submissions of an assignment are graded by: notebooks, files, settings, points."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import nbformat

from fastgrade.course import autograded_folder, compatibility, source_folder
from fastgrade.course.config import Course, CourseError, instructor_source
from fastgrade.course.gradebook import AssignmentCells, Gradebook
from fastgrade.settings import Settings
from fastgrade.verdict import Verdict

__all__ = ["Rules", "read_rules"]


@dataclass(frozen=True)
class Rules:
    """What all submissions of an assignment are graded by.

    Parameters
    ----------
    course : Course
        Where.
    settings : Settings
        Those that hold for the assignment.
    cells : AssignmentCells
        What the gradebook knows of it.
    sources : dict of str to bytes
        The instructor's notebooks, as nbgrader has recorded them.
    files : dict of str to bytes
        Files that lie beside them.
    late : list of str
        What decides late penalties.
    finishers : list
        The course's preprocessors that come after execution.
    solution : str
        Whether the instructor's solution is known to pass: see `Task`.
    beside, scoring, warned : dict of str to tuple of str
        For each notebook, tests that run beside the answer, tests that give points as a number, and
        tests in which the solution prints a warning.
    aliased : dict of str to tuple of pairs
        For each notebook, tests, and in what way copies may not stand for the solution's objects.
    looking : dict of str to tuple of str
        For each notebook, tests that look into objects of the solution's own.
    """

    course: Course
    settings: Settings
    cells: AssignmentCells
    sources: dict[str, bytes]
    files: dict[str, bytes]
    late: list[str]
    finishers: list[Any]
    solution: str = "unknown"
    beside: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    scoring: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    aliased: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    warned: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    looking: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def has_hidden_tests(self) -> bool:
        """Whether the assignment has tests that students must not see."""
        mark = self.settings.hidden_begin.encode()
        return any(mark in source for source in self.sources.values())

    def autograded(self, student: str) -> Path:
        """Return where the autograded submission of a student stands."""
        return autograded_folder.locate(self.course.coursedir, self.cells.name, student)

    def finish(self, verdict: Verdict) -> Verdict:
        """Apply the course's own preprocessors to an autograded notebook."""
        if verdict.autograded is None:
            return verdict
        notebook = nbformat.v4.reads(verdict.autograded.decode())
        resources = {
            "unique_key": verdict.notebook,
            "nbgrader": {
                "student": verdict.student,
                "assignment": verdict.assignment,
                "notebook": verdict.notebook,
                "db_url": self.course.coursedir.db_url,
            },
        }
        for finisher in self.finishers:
            notebook, resources = finisher(notebook, resources)
        return replace(verdict, autograded=(nbformat.v4.writes(notebook) + "\n").encode())


def read_rules(
    course: Course, assignment: str, book: Gradebook, tell: Callable[[str], None]
) -> Rules:
    """Read what an assignment is graded by.

    Parameters
    ----------
    course : Course
        Where.
    assignment : str
        Its name.
    book : Gradebook
        Of the course.
    tell : callable
        Takes a sentence for the instructor.

    Raises
    ------
    CourseError
        If a setting of the course cannot be honored, or a notebook cannot be read.
    GradebookError
        If the gradebook does not know the assignment.
    """
    refusal = compatibility.refusal(course.autograde)
    if refusal is not None:
        raise CourseError(refusal)
    unused = compatibility.without_effect(course.autograde)
    if unused:
        tell(f"Without effect here: {', '.join(unused)}.")
    cells = book.assignment(assignment)
    unknown = sorted(course.settings.assignments.keys() - set(book.assignments()))
    if unknown:
        tell(f"c.FastGrade.assignments names no assignment of this course: {', '.join(unknown)}.")
    config = course.autograde.config
    late = [repr(config.get(name)) for name in ("AssignLatePenalties", "LateSubmissionPlugin")]
    if not compatibility.penalizes_late(course.autograde):
        late.append("none")
    kept = course.autograde.exclude_overwriting.get(assignment, [])
    return Rules(
        course=course,
        settings=course.settings.for_assignment(assignment),
        cells=cells,
        sources={name: _source(course, cells, name, tell) for name in cells.notebooks},
        files=source_folder.instructor_files(course.coursedir, assignment, kept),
        late=late,
        finishers=course.finishers(),
    )


def _source(
    course: Course, cells: AssignmentCells, notebook: str, tell: Callable[[str], None]
) -> bytes:
    try:
        source = source_folder.source_notebook(course.coursedir, cells.name, notebook)
    except OSError as error:
        raise CourseError(f"the instructor's notebook cannot be read: {error}") from None
    recorded, edited = instructor_source(source, cells.notebooks[notebook])
    if edited:
        tell(
            f"Edited since they were recorded: {', '.join(edited)}. What counts is the "
            f"record, until you run `nbgrader generate_assignment {cells.name} --force`."
        )
    return recorded
