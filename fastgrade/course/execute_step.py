"""The step that runs notebooks in ``nbgrader autograde``, done by fastgrade.

In ``nbgrader_config.py``::

    from fastgrade.course.execute_step import use_fastgrade

    use_fastgrade(c)

After that, plain ``nbgrader autograde`` and the button of formgrader run submissions in the
sandbox, and all their other steps are nbgrader's own. For whole classes the command ``fastgrade``
is faster still: it runs in parallel and writes grades in batches.
"""

from __future__ import annotations

import atexit
import json
import os
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.exporters.exporter import ResourcesDict
from nbformat.notebooknode import NotebookNode
from nbgrader.preprocessors import Execute as StockExecute
from traitlets.config import Config

from fastgrade.course.config import instructor_source
from fastgrade.course.gradebook import Gradebook
from fastgrade.course.source_folder import source_notebook
from fastgrade.engine.grader import Grader, fingerprint
from fastgrade.settings import Settings, settings_from_config
from fastgrade.verdict import Task, Verdict
from warmfork.zygote import RefusedError, ZygoteError

__all__ = ["Execute", "use_fastgrade"]

_STEPS = (
    "fastgrade.course.execute_step.Execute",
    "nbgrader.preprocessors.IgnorePattern",
    "nbconvert.preprocessors.ClearMetadataPreprocessor",
    "nbgrader.preprocessors.LimitOutput",
    "nbgrader.preprocessors.SaveAutoGrades",
    "nbgrader.preprocessors.AssignLatePenalties",
    "nbgrader.preprocessors.CheckCellMetadata",
)
_MAX_FILES_BYTES = 256 << 20

_graders: dict[str, tuple[str, Grader]] = {}
_lock = threading.Lock()


def use_fastgrade(config: Config) -> None:
    """Make ``nbgrader autograde`` run notebooks through fastgrade.

    Parameters
    ----------
    config : traitlets.config.Config
        The ``c`` of ``nbgrader_config.py``.
    """
    config.Autograde.autograde_preprocessors = list(_STEPS)


class Execute(StockExecute):
    """Run a notebook in the sandbox; put its outputs and the tests' verdicts into it.

    ``Execute.timeout`` in ``nbgrader_config.py`` is the wall time of a cell, as for nbgrader,
    unless ``FastGrade.limits`` says otherwise.
    """

    def preprocess(
        self, nb: NotebookNode, resources: ResourcesDict | None = None, km: Any = None
    ) -> tuple[NotebookNode, ResourcesDict | None]:
        """Return the notebook as it stands after grading."""
        if not self.enabled or resources is None:
            return nb, resources
        names = resources["nbgrader"]
        settings = settings_from_config(self.config)
        source = self._source(names["assignment"], names["notebook"])
        submission = nbformat.writes(nb).encode("utf-8", "replace")
        if self._handed_in_as_link(names, f"{names['notebook']}.ipynb"):
            self.log.warning("%s: the notebook is a symbolic link", names["student"])
            submission = b""
        if source is None:
            # Without the instructor's notebook nobody knows which cells to trust.
            self.log.warning(
                "No source notebook of %s: the tests run in the student's own process, so hidden "
                "tests can be read by the submission",
                names["notebook"],
            )
            source = submission
            settings = replace(settings, mode="kernel", minimum_protection="none", assignments={})
        files = self._files(resources)
        task = Task(
            assignment=names["assignment"],
            student=names["student"],
            notebook=names["notebook"],
            source=source,
            submission=submission,
            files=files,
            instructors=self._instructors(names["assignment"], files),
        )
        verdict = _grade(settings, task)
        for flag in verdict.flags:
            self.log.warning("%s: %s", names["student"], flag)
        assert verdict.autograded is not None
        graded = nbformat.reads(verdict.autograded.decode("utf-8"), as_version=4)
        return _merged(nb, graded), resources

    def _coursedir(self) -> Any:
        parent = self.parent
        while parent is not None and not hasattr(parent, "coursedir"):
            parent = parent.parent
        return None if parent is None else parent.coursedir

    def _source(self, assignment: str, notebook: str) -> bytes | None:
        """Return the instructor's notebook as nbgrader has recorded it, None if there is none."""
        coursedir = self._coursedir()
        if coursedir is None:
            return None
        try:
            source = source_notebook(coursedir, assignment, notebook)
        except FileNotFoundError:
            return None
        with Gradebook(coursedir.db_url) as book:
            cells = book.assignment(assignment).notebooks[notebook]
        return instructor_source(source, cells)[0]

    def _handed_in_as_link(self, names: dict[str, Any], relative: str) -> bool:
        """Tell whether a file is what a submission pointed to, and not the instructor's."""
        coursedir = self._coursedir()
        if coursedir is None:
            return False
        theirs, ours = (
            Path(coursedir.format_path(step, student, names["assignment"])) / relative
            for step, student in (
                (coursedir.submitted_directory, names["student"]),
                (coursedir.source_directory, "."),
            )
        )
        return theirs.is_symlink() and (relative.endswith(".ipynb") or not ours.exists())

    def _files(self, resources: ResourcesDict) -> dict[str, bytes]:
        folder = resources.get("metadata", {}).get("path")
        files: dict[str, bytes] = {}
        if not folder:
            return files
        total = 0
        for root, _, entries in os.walk(folder):
            for entry in entries:
                path = Path(root) / entry
                if path.is_symlink() or not path.is_file() or path.suffix == ".ipynb":
                    continue
                if self._handed_in_as_link(resources["nbgrader"], str(path.relative_to(folder))):
                    # nbgrader has copied what it points to, and would hand it out with feedback.
                    self.log.warning("%s was handed in as a symbolic link: removed", path)
                    path.unlink()
                    continue
                total += path.stat().st_size
                if total > _MAX_FILES_BYTES:
                    self.log.warning("Files beside the notebook are left out: they are too large")
                    return files
                files[path.relative_to(folder).as_posix()] = path.read_bytes()
        return files

    def _instructors(self, assignment: str, files: dict[str, bytes]) -> tuple[str, ...]:
        """Return the names of the files that are the same in the instructor's folder."""
        coursedir = self._coursedir()
        if coursedir is None:
            return ()
        folder = Path(coursedir.format_path(coursedir.source_directory, ".", assignment))
        return tuple(
            name
            for name, content in files.items()
            if (folder / name).is_file() and (folder / name).read_bytes() == content
        )


def _grader(settings: Settings) -> Grader:
    """Return a grader for these settings; it lives as long as this process.

    A server, such as formgrader's, outlives edits of the course's modules: then warm processes
    that have loaded them are replaced.
    """
    identity = settings.to_json()
    state = fingerprint((*settings.preload, *settings.judge_preload))
    with _lock:
        known, grader = _graders.get(identity, ("", None))
        if grader is None or known != state:
            if grader is not None:
                grader.close()
            grader = Grader(settings).open()
            _graders[identity] = (state, grader)
        return grader


def _grade(settings: Settings, task: Task) -> Verdict:
    """Return the verdict; warm processes that have ended meanwhile are replaced once."""
    try:
        return _grader(settings).grade(task)
    except RefusedError:
        raise
    except ZygoteError:
        with _lock:
            _, grader = _graders.pop(settings.to_json(), ("", None))
        if grader is not None:
            grader.close()
        return _grader(settings).grade(task)


@atexit.register
def _close() -> None:
    for _, grader in _graders.values():
        grader.close()
    _graders.clear()


def _merged(sanitized: NotebookNode, graded: NotebookNode) -> NotebookNode:
    """Return the graded notebook with what nbgrader's steps before have written into metadata."""
    known = {
        cell.metadata.nbgrader["grade_id"]: cell.metadata
        for cell in sanitized.cells
        if cell.metadata.get("nbgrader", {}).get("grade_id")
    }
    for cell in graded.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        if name in known:
            ours = cell.metadata.nbgrader
            cell.metadata = known[name]
            # The roles are the instructor's, whatever the submission claims.
            for role in ("grade", "solution", "locked", "task", "points"):
                if role in ours:
                    cell.metadata.nbgrader[role] = ours[role]
    sanitized.cells = graded.cells
    sanitized.metadata["language_info"] = json.loads(json.dumps(graded.metadata["language_info"]))
    return sanitized
