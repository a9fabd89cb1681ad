"""What stands in ``submitted/``: who handed in, and what.

Reading trusts nothing. A submission may hold symbolic links to the gradebook, named pipes that
never answer, or gigabytes; only regular files inside the submission's own folder are read, up to
nbgrader's ``CourseDirectory.max_file_size``.
"""

from __future__ import annotations

import datetime
import errno
import glob
import os
import re
import stat
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import parse_utc

from fastgrade.course.files import walk
from fastgrade.course.misplaced import find

#: What is read of a folder that was handed in, and said about it.
_MOST_FILES = 5000
_LONGEST_PATH = 1000
_DEEPEST = 50
_MOST_FLAGS = 100


@dataclass(frozen=True)
class Submission:
    """The folder that one student handed in for an assignment."""

    student: str
    path: Path


@dataclass(frozen=True)
class HandedIn:
    """What stands in a submission's folder.

    ``notebooks`` maps the assignment's notebooks to their bytes; one that is missing is not in
    it. ``flags`` holds, by notebook, plain sentences about what was odd; those under ``""``
    concern the whole folder.
    """

    notebooks: dict[str, bytes]
    files: dict[str, bytes]
    timestamp: datetime.datetime | None
    flags: dict[str, tuple[str, ...]] = field(default_factory=dict)


class LinkedFolderError(ValueError):
    """A folder that was handed in is a link to another one."""


def find_submissions(coursedir: CourseDirectory, assignment: str) -> list[Submission]:
    """Return the submissions of an assignment, ordered by student.

    nbgrader's ``directory_structure``, ``student_id`` (a glob) and ``student_id_exclude`` hold.
    """
    pattern = coursedir.format_path(
        coursedir.submitted_directory, coursedir.student_id or "*", assignment
    )
    expression = re.compile(
        coursedir.format_path(
            coursedir.submitted_directory,
            "(?P<student>[^/]+)",
            re.escape(assignment),
            escape=True,
        )
    )
    excluded = {name.strip() for name in coursedir.student_id_exclude.split(",")}
    found = []
    for path in map(Path, glob.glob(pattern)):
        match = expression.fullmatch(str(path))
        if match and match["student"] not in excluded and path.is_dir():
            found.append(Submission(match["student"], path))
    return sorted(found, key=lambda submission: submission.student)


def read_submission(
    coursedir: CourseDirectory,
    submission: Submission,
    notebooks: Iterable[str],
    notebook_bytes: int,
) -> HandedIn:
    """Read a submission's folder.

    Parameters
    ----------
    coursedir : nbgrader.coursedir.CourseDirectory
        The course.
    submission : Submission
        Whose folder.
    notebooks : iterable of str
        Names of the assignment's notebooks, without ``.ipynb``.
    notebook_bytes : int
        Size of the largest notebook that is read.

    Raises
    ------
    LinkedFolderError
        If the folder, or the student's, is a link: to a classmate's, perhaps.

    Notes
    -----
    When exactly one notebook is missing and exactly one other was handed in, that one is taken
    for it, and flagged. Its cells count by their ids, so a wrong notebook earns nothing.
    """
    path = submission.path
    for folder in [path, *([path.parent] if path.parent.name == submission.student else [])]:
        if folder.is_symlink():
            raise LinkedFolderError(f"{folder} is a symbolic link, which is not followed")
    wanted = list(notebooks)
    flags: dict[str, list[str]] = {}
    found, files, deeper = _read_files(coursedir, submission.path, wanted, notebook_bytes, flags)
    for name in wanted:
        elsewhere = None if name in found else find(name, {**files, **deeper}, notebook_bytes)
        if elsewhere is not None:
            place, found[name] = elsewhere
            flags.setdefault(name, []).append(f"{name}.ipynb was handed in as {place}")
            files.pop(place, None)
    handed_in = _match(wanted, found, flags)
    timestamp, complaint = _timestamp(files.get("timestamp.txt"))
    if complaint:
        flags.setdefault("", []).append(complaint)
    for sentences in flags.values():
        if len(sentences) > _MOST_FLAGS:
            sentences[_MOST_FLAGS:] = [f"and {len(sentences) - _MOST_FLAGS} more oddities"]
    return HandedIn(handed_in, files, timestamp, {k: tuple(v) for k, v in flags.items()})


def _read_files(
    coursedir: CourseDirectory,
    folder: Path,
    wanted: list[str],
    notebook_bytes: int,
    flags: dict[str, list[str]],
) -> tuple[dict[str, bytes], dict[str, bytes], dict[str, bytes]]:
    """Return a folder's notebooks by name, its other files, and notebooks in folders below it.

    What is not read is flagged.
    """
    limit = coursedir.max_file_size * 1000
    left = coursedir.max_dir_size * 1000
    found: dict[str, bytes] = {}
    files: dict[str, bytes] = {}
    deeper: dict[str, bytes] = {}
    taken = {f"{name}.ipynb" for name in wanted}
    for number, (relative, path) in enumerate(walk(folder, coursedir.ignore)):
        if number >= _MOST_FILES:
            flags.setdefault("", []).append(f"of more than {number} files the others were not read")
            break
        is_notebook = path.suffix == ".ipynb" and path.parent == folder
        about = path.stem if is_notebook else ""
        try:
            _demand_place(relative, taken)
            content = _read(path, min(notebook_bytes if is_notebook else limit, left))
            left -= len(content)
        except _RefusedError as refused:
            flags.setdefault(about, []).append(f"{relative} {refused}, so it was not read")
            if not is_notebook:
                continue
            content = b""
        if is_notebook:
            found[path.stem] = content
        elif path.suffix != ".ipynb":
            files[relative] = content
        else:
            deeper[relative] = content
    return found, files, deeper


def _match(
    wanted: list[str], found: dict[str, bytes], flags: dict[str, list[str]]
) -> dict[str, bytes]:
    """Return the assignment's notebooks; flag what is missing or of no assignment."""
    missing = [name for name in wanted if name not in found]
    others = sorted(name for name in found if name not in wanted)
    handed_in = {name: found[name] for name in wanted if name in found}
    if len(missing) == 1 and len(others) == 1:
        handed_in[missing[0]] = found[others[0]]
        flags.setdefault(missing[0], []).extend(
            [
                f"{missing[0]}.ipynb is missing; {others[0]}.ipynb was graded in its place",
                *flags.pop(others[0], []),
            ]
        )
        return handed_in
    for name in missing:
        flags.setdefault(name, []).append(f"{name}.ipynb was not handed in")
    for name in others:
        flags.pop(name, None)
        flags.setdefault("", []).append(
            f"{name}.ipynb is not a notebook of this assignment and was ignored"
        )
    return handed_in


class _RefusedError(Exception):
    """A file that is not read; the message completes a sentence that its name begins."""


def _demand_place(relative: str, notebooks: set[str]) -> None:
    """Refuse what could be read and not be written where it has to go."""
    if len(os.fsencode(relative)) > _LONGEST_PATH or relative.count("/") > _DEEPEST:
        raise _RefusedError("lies too deep")
    if relative.partition("/")[0] in notebooks and "/" in relative:
        raise _RefusedError("lies where the notebook should be")


def _read(path: Path, limit: int) -> bytes:
    # O_NONBLOCK: opening a named pipe must not wait for a writer.
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        descriptor = os.open(path, flags)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise _RefusedError("is a symbolic link") from None
        raise _RefusedError(f"cannot be opened ({error.strerror})") from None
    with open(descriptor, "rb", buffering=0) as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise _RefusedError("is not a regular file")
        if status.st_size > limit:
            raise _RefusedError(
                f"has {status.st_size / 1e6:.0f} MB, more than the limit of {limit / 1e6:.0f} MB"
            )
        try:
            return file.read(limit)
        except OSError as error:
            raise _RefusedError(f"cannot be read ({error.strerror})") from None


def _timestamp(content: bytes | None) -> tuple[datetime.datetime | None, str | None]:
    if content is None:
        return None, None
    written = content[:200].decode("utf-8", "replace").strip()
    if not written:
        return None, "timestamp.txt is empty, so the time of submission is unknown"
    try:
        # The name of a time zone may be the path of any file, which would be opened.
        if not re.search(r"(^|\s)[:/]|\.\.", written):
            return parse_utc(written), None
    except Exception:  # whatever the text of a student makes of a parser
        pass
    return None, f"timestamp.txt does not hold a time but {written[:40]!r}"
