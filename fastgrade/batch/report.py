"""One self-contained page about how a class did, for the instructor.

The scores come from the gradebook, so manual grades and late penalties count. What only the
autograder knows (named mistakes, flags, times, identical submissions) comes from the journal.

The page loads nothing: pictures are SVG inside it, and a Content-Security-Policy says so to the
browser. Everything that a student wrote is escaped.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from fastgrade.batch.report_data import MOST, Report, collect
from fastgrade.batch.report_pictures import draw
from fastgrade.course.config import Course


def write_report(course: Course, assignment: str, output: Path | None = None) -> Path:
    """Write the page about an assignment and return where it stands.

    Parameters
    ----------
    course : Course
        Where.
    assignment : str
        About what.
    output : Path, optional
        The file; by default ``report-ASSIGNMENT.html`` in the course.

    Raises
    ------
    GradebookError
        If the gradebook does not know the assignment.
    """
    report = collect(course, assignment)
    output = output or course.root / f"report-{assignment}.html"
    _write(output, render(report))
    return output


def render(report: Report) -> str:
    """Return the page as HTML."""
    environment = Environment(
        loader=PackageLoader("fastgrade.batch"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["percent"] = lambda value: f"{100 * value:.0f} %"
    return environment.get_template("report.html.j2").render(
        report=report, pictures=draw(report) if report.results else {}, most=MOST
    )


def _write(path: Path, page: str) -> None:
    """Replace a file as a whole; only its owner can read it, for it names students."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, building = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with open(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(page)
        os.replace(building, path)
    except BaseException:
        os.unlink(building)
        raise
