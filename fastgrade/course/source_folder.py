"""What the instructor has in ``source/``: the notebooks, and the files that lie beside them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from nbgrader.coursedir import CourseDirectory

from fastgrade.course.files import walk


def source_notebook(coursedir: CourseDirectory, assignment: str, notebook: str) -> bytes:
    """Return the instructor's notebook.

    Raises
    ------
    FileNotFoundError
        If the source folder has no such notebook.
    """
    folder = Path(coursedir.format_path(coursedir.source_directory, ".", assignment))
    return (folder / f"{notebook}.ipynb").read_bytes()


def instructor_files(
    coursedir: CourseDirectory, assignment: str, keep_students: Iterable[str] = ()
) -> dict[str, bytes]:
    """Return the files that lie beside the instructor's notebook.

    Parameters
    ----------
    coursedir : nbgrader.coursedir.CourseDirectory
        The course.
    assignment : str
        Its name.
    keep_students : iterable of str
        Files which the student's own version overrides, nbgrader's
        ``Autograde.exclude_overwriting`` for this assignment.
    """
    root = Path(coursedir.format_path(coursedir.source_directory, ".", assignment))
    kept = set(keep_students)
    return {
        relative: path.read_bytes()
        for relative, path in walk(root, coursedir.ignore)
        if path.suffix != ".ipynb" and relative not in kept
    }
