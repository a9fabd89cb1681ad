"""An nbgrader course: what its ``nbgrader_config.py`` says, and what its records mean.

What nbgrader has recorded of an assignment is what counts, not the file that lies in ``source/``:
`instructor_source` brings the two together. `scores_of` turns a verdict into what the gradebook is
to hold, by nbgrader's own rules.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbgrader import utils
from nbgrader.apps import NbGrader
from nbgrader.converters import Autograde
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import (
    AssignLatePenalties,
    CheckCellMetadata,
    Execute,
    SaveAutoGrades,
)

from fastgrade.course import compatibility
from fastgrade.course.gradebook import Gradebook, NotebookCells, NotebookScores
from fastgrade.settings import Settings, settings_from_config
from fastgrade.verdict import Verdict

__all__ = ["Course", "CourseError", "instructor_source", "load_course", "scores_of"]


class CourseError(RuntimeError):
    """The course cannot be graded as it is; the message says what to do."""


@dataclass(frozen=True)
class Course:
    """An nbgrader course, as its ``nbgrader_config.py`` describes it."""

    coursedir: CourseDirectory
    settings: Settings
    autograde: Autograde

    @property
    def root(self) -> Path:
        """The folder of the course."""
        return Path(self.coursedir.root)

    def gradebook(self) -> Gradebook:
        """Return a connection to the course's gradebook."""
        penalty = None
        if compatibility.penalizes_late(self.autograde):
            late = AssignLatePenalties(parent=self.autograde)
            late.init_plugin()
            penalty = late.plugin_inst.late_submission_penalty
        return Gradebook(
            self.coursedir.db_url,
            create_students=self.autograde.create_student,
            late_penalty=penalty,
        )

    def finishers(self) -> list[Any]:
        """Return the course's preprocessors that come after execution and touch the notebook."""
        elsewhere = (Execute, SaveAutoGrades, AssignLatePenalties, CheckCellMetadata)
        steps = compatibility.steps(self.autograde.autograde_preprocessors)
        return [kind(parent=self.autograde) for kind in steps if not issubclass(kind, elsewhere)]


def load_course(root: str | os.PathLike[str] = ".") -> Course:
    """Read the configuration of the course in a folder.

    Raises
    ------
    CourseError
        If there is no such folder, or the configuration cannot be read.
    """
    root = Path(root).resolve()
    if not root.is_dir():
        raise CourseError(f"no folder {root}")
    app = NbGrader()
    app.raise_config_file_errors = True
    app.log_level = "ERROR"
    try:
        with utils.chdir(str(root)):
            app.initialize([], root=str(root))
            settings = settings_from_config(app.config)
    except Exception as error:
        raise CourseError(f"nbgrader_config.py cannot be read: {error}") from error
    return Course(app.coursedir, settings, Autograde(coursedir=app.coursedir, parent=app))


def instructor_source(source: bytes, cells: NotebookCells) -> tuple[bytes, list[str]]:
    """Return the instructor's notebook with what the gradebook has recorded of it.

    nbgrader records every cell when an assignment is generated, and that record is what counts:
    the tests (made from templates, perhaps), the points, and the checksums of the stubs by which
    an answer that nobody wrote is known. The answers stay as they are.

    Returns
    -------
    notebook : bytes
        With what was recorded.
    edited : list of str
        The tests that were edited since they were recorded.
    """
    edited = []
    notebook = nbformat.reads(source.decode("utf-8"), as_version=4)
    for cell in notebook.cells:
        metadata = cell.metadata.get("nbgrader", {})
        recorded = cells.sources.get(metadata.get("grade_id", ""))
        if recorded is None:
            continue
        metadata["checksum"] = recorded.checksum
        if recorded.locked:
            if cell.source != recorded.source and "AUTOTEST" not in cell.source:
                edited.append(recorded.name)
            cell.source = recorded.source
        if recorded.name in cells.max_scores:
            metadata["points"] = cells.max_scores[recorded.name]
    return nbformat.writes(notebook).encode(), edited


def scores_of(verdict: Verdict, cells: NotebookCells) -> NotebookScores:
    """Return what the gradebook shall hold of a verdict, by nbgrader's own rules.

    Test cells score what the judge gave. A cell that a human grades scores zero while it is
    still the stub, and nothing otherwise.
    """
    if verdict.autograded is None:
        return NotebookScores(dict.fromkeys(cells.max_scores, 0.0))
    points = {question.grade_id: question for question in verdict.questions}
    scores: dict[str, float | None] = {}
    comments: dict[str, str | None] = {}
    notebook = nbformat.v4.reads(verdict.autograded.decode())
    for cell in notebook.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        if name is None:
            continue
        if utils.is_grade(cell) and name in cells.max_scores:
            question = points.get(name)
            if utils.is_solution(cell) or cell.cell_type != "code":
                scores[name] = utils.determine_grade(cell)[0]
            elif question is not None and question.passed is not None:
                scores[name] = min(max(question.points, 0.0), cells.max_scores[name])
        if utils.is_solution(cell) or utils.is_task(cell):
            untouched = cell.metadata.nbgrader.get("checksum") == utils.compute_checksum(cell)
            comments[name] = "No response." if untouched and not utils.is_task(cell) else None
    return NotebookScores(scores, comments)
