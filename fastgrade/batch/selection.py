"""Which submissions of which assignments a command means."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from fastgrade.course.config import Course, CourseError
from fastgrade.course.submitted_folder import Submission, find_submissions

__all__ = ["select"]


def select(
    course: Course, assignments: Sequence[str], students: Sequence[str] = ()
) -> dict[str, list[Submission]]:
    """Return the submissions that are meant, by assignment.

    Parameters
    ----------
    course : Course
        Where.
    assignments : sequence of str
        Names, or patterns that stand for the assignments of the gradebook that somebody has
        handed in.
    students : sequence of str
        Names or patterns; none stands for everybody.

    Raises
    ------
    CourseError
        If nobody has handed in an assignment that is named, or a name or pattern matches nothing.
    GradebookError
        If the gradebook does not know an assignment that is named.
    """
    handed_in = {
        name: found
        for name, wanted in _names(course, assignments).items()
        if (found := find_submissions(course.coursedir, name)) or wanted
    }
    where = course.coursedir.submitted_directory
    if not handed_in:
        raise CourseError(
            f"nobody has handed in an assignment that matches {', '.join(assignments)} in {where}/"
        )
    if students:
        return _of_students(handed_in, students)
    for name, found in handed_in.items():
        if not found:
            raise CourseError(f"nobody has handed in {name!r} in {where}/")
    return handed_in


def _names(course: Course, assignments: Sequence[str]) -> dict[str, bool]:
    """Return the names of assignments, and whether each was named itself."""
    names: dict[str, bool] = {}
    with course.gradebook() as book:
        for pattern in assignments:
            if not _is_pattern(pattern):
                book.assignment(pattern)
                names[pattern] = True
                continue
            for name in book.assignments():
                if name == pattern or fnmatchcase(name, pattern):
                    names[name] = names.get(name, False) or name == pattern
    return names


def _is_pattern(name: str) -> bool:
    return any(character in name for character in "*?[")


def _of_students(
    handed_in: dict[str, list[Submission]], students: Sequence[str]
) -> dict[str, list[Submission]]:
    chosen = {
        name: [s for s in found if any(fnmatchcase(s.student, p) for p in students)]
        for name, found in handed_in.items()
    }
    matched = {s.student for some in chosen.values() for s in some}
    unknown = [p for p in students if not any(fnmatchcase(name, p) for name in matched)]
    if unknown:
        others = len({s.student for found in handed_in.values() for s in found})
        named = ", ".join(map(repr, handed_in))
        raise CourseError(
            f"no submission of {named} by {', '.join(unknown)} ({others} others are there)"
        )
    return {name: some for name, some in chosen.items() if some}
