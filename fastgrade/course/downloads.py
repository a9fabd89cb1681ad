"""What ``nbgrader zip_collect`` takes from the names of files in a zip from Canvas or Moodle.

In ``nbgrader_config.py``::

    c.ZipCollectApp.collector_plugin = "fastgrade.course.downloads.CanvasDownload"

Canvas calls a file ``name_LATE_1234_5678_ps1.ipynb``: the student's number and, growing, that of
the upload; ``ps1-1.ipynb`` if the name was uploaded before. Moodle puts it into a folder
``Name_12345_assignsubmission_file_`` with the participant's number, or makes that the beginning of
the file's name.
"""

from __future__ import annotations

import datetime
import os
import re
from functools import cached_property
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook, MissingEntry
from nbgrader.plugins import FileNameCollectorPlugin
from nbgrader.utils import find_all_notebooks
from traitlets import List, Unicode

__all__ = ["CanvasDownload", "MoodleDownload"]

#: What Canvas or a browser adds to a name that it has seen.
_SEEN_BEFORE = re.compile(r"-\d+$| ?\(\d+\)$")


class _Download(FileNameCollectorPlugin):
    """Take of each student the last upload of each file, under its released name."""

    valid_ext = List(
        [".ipynb", ".IPYNB", ".json", ".txt"],
        help="Endings to collect: of notebooks, and what mail programs make of them.",
    ).tag(config=True)

    def collect(self, submitted_file: str) -> dict[str, Any] | None:
        """Return whose file this is and what it is; None, and nbgrader says so, if it is not."""
        found = self._parse(submitted_file)
        if found is None:
            return None
        last = self._last[found["student_id"], found["file_id"]]
        if last != submitted_file:
            self.log.warning("There is a later upload of it: %s", last)
            return None
        info: dict[str, Any] = {name: found[name] for name in ("student_id", "file_id")}
        if found["late"]:
            info["timestamp"] = self._just_late(submitted_file)
        return info

    @cached_property
    def _last(self) -> dict[tuple[str, str], str]:
        """The last upload of each student and file; of equal ones, that with its own name."""
        root = self.parent._format_collect_path(self.parent.extracted_directory)
        uploads: dict[tuple[str, str], tuple[int, bool, str]] = {}
        for folder, _, names in os.walk(root):
            for path in (os.path.join(folder, name) for name in names):
                found = self._parse(path)
                if found is not None:
                    key = found["student_id"], found["file_id"]
                    rank = int(found["upload"]), path.endswith(key[1]), path
                    uploads[key] = max(rank, uploads.get(key, rank))
        return {key: path for key, (*_, path) in uploads.items()}

    def _parse(self, path: str) -> dict[str, str] | None:
        match = re.match(self.named_regexp, path)
        if match is None or Path(path).suffix not in self.valid_ext:
            return None
        found = {"late": "", "upload": "0", **match.groupdict(default="")}
        return {**found, "file_id": self._released_name(found["file_id"])}

    def _released_name(self, name: str) -> str:
        """Return the name that a notebook was released under, where one stands behind `name`."""
        stem, ending = os.path.splitext(name)
        if stem in self._released:
            return name
        before = _SEEN_BEFORE.sub("", stem)
        return before + ending if before in self._released else name

    @cached_property
    def _released(self) -> set[str]:
        course = self.parent.coursedir
        where = course.format_path(course.release_directory, ".", course.assignment_id)
        return {os.path.splitext(name)[0] for name in find_all_notebooks(where)}

    def _just_late(self, path: str) -> datetime.datetime | None:
        """Return a second after the due date: Canvas says that it was late, and not by how much."""
        if self._due is None:
            self.log.warning("Marked as late, but the gradebook has no due date: %s", path)
            return None
        return self._due + datetime.timedelta(seconds=1)

    @cached_property
    def _due(self) -> datetime.datetime | None:
        course = self.parent.coursedir
        with Gradebook(course.db_url, course.course_id) as book:
            try:
                return book.find_assignment(course.assignment_id).duedate
            except MissingEntry:
                return None


class CanvasDownload(_Download):
    """The names that Canvas gives."""

    named_regexp = Unicode(
        r".*/[^/]+?_(?P<late>LATE_)?(?P<student_id>\d+)_(?P<upload>\d+)_(?P<file_id>[^/]+)$",
        help="What is taken from a path: `student_id`, `file_id`, `upload` and `late`.",
    ).tag(config=True)


class MoodleDownload(_Download):
    """The names that Moodle gives, with a folder for each participant or without."""

    named_regexp = Unicode(
        r".*/[^/]+_(?P<student_id>\d+)_assignsubmission_file_(?:/|.*/)?(?P<file_id>[^/]+)$",
        help="What is taken from a path: `student_id` and `file_id`.",
    ).tag(config=True)
