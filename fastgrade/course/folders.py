"""The folders of an nbgrader course: what was handed in, and what is written back.

Reading trusts nothing. A submission may hold symbolic links to the gradebook, named pipes that
never answer, or gigabytes; only regular files inside the submission's own folder are read, up to
nbgrader's ``CourseDirectory.max_file_size``.

Writing is all or nothing. The folder of a student in ``autograded/`` is built under a hidden
name and then renamed, so nobody ever sees half of it.
"""

from __future__ import annotations

import contextlib
import datetime
import errno
import fnmatch
import glob
import hashlib
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import parse_utc

HIDDEN = ".fastgrade-"

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

    Notes
    -----
    When exactly one notebook is missing and exactly one other was handed in, that one is taken
    for it, and flagged. Its cells count by their ids, so a wrong notebook earns nothing.
    """
    limit = coursedir.max_file_size * 1000
    left = coursedir.max_dir_size * 1000
    flags: dict[str, list[str]] = {}
    found: dict[str, bytes] = {}
    files: dict[str, bytes] = {}
    wanted = list(notebooks)
    taken = {f"{name}.ipynb" for name in wanted}
    for number, (relative, path) in enumerate(_walk(submission.path, coursedir.ignore)):
        if number >= _MOST_FILES:
            flags.setdefault("", []).append(f"of more than {number} files the others were not read")
            break
        is_notebook = path.suffix == ".ipynb" and path.parent == submission.path
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
        missing, others = [], []
    for name in missing:
        flags.setdefault(name, []).append(f"{name}.ipynb was not handed in")
    for name in others:
        flags.pop(name, None)
        flags.setdefault("", []).append(
            f"{name}.ipynb is not a notebook of this assignment and was ignored"
        )
    timestamp, complaint = _timestamp(files.get("timestamp.txt"))
    if complaint:
        flags.setdefault("", []).append(complaint)
    for sentences in flags.values():
        if len(sentences) > _MOST_FLAGS:
            sentences[_MOST_FLAGS:] = [f"and {len(sentences) - _MOST_FLAGS} more oddities"]
    return HandedIn(handed_in, files, timestamp, {k: tuple(v) for k, v in flags.items()})


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
        for relative, path in _walk(root, coursedir.ignore)
        if path.suffix != ".ipynb" and relative not in kept
    }


def source_notebook(coursedir: CourseDirectory, assignment: str, notebook: str) -> bytes:
    """Return the instructor's notebook.

    Raises
    ------
    FileNotFoundError
        If the source folder has no such notebook.
    """
    folder = Path(coursedir.format_path(coursedir.source_directory, ".", assignment))
    return (folder / f"{notebook}.ipynb").read_bytes()


def autograded_folder(coursedir: CourseDirectory, assignment: str, student: str) -> Path:
    """Return where the autograded submission of a student stands."""
    return Path(coursedir.format_path(coursedir.autograded_directory, student, assignment))


def install(
    coursedir: CourseDirectory,
    destination: Path,
    notebooks: dict[str, bytes],
    files: dict[str, bytes],
    permissions: int | None = None,
) -> None:
    """Replace a folder in ``autograded/`` by a new one.

    Parameters
    ----------
    coursedir : nbgrader.coursedir.CourseDirectory
        The course.
    destination : Path
        The folder.
    notebooks, files : dict of str to bytes
        What goes into it: notebooks by name without ``.ipynb``, files by relative path.
    permissions : int, optional
        Of the files, as nbgrader writes it: the decimal number 444 means octal 444. By default
        nbgrader's: 664 where the course is shared by a group, else 444.
    """
    if permissions is None:
        permissions = 664 if coursedir.groupshared else 444
    mode = int(str(permissions), 8)
    parent = destination.parent
    parent.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix=f"{HIDDEN}{destination.name}-", dir=parent))
    try:
        folders = {building}
        content = {**files, **{f"{name}.ipynb": data for name, data in notebooks.items()}}
        for relative, data in content.items():
            path = building / relative
            if path.parent not in folders:
                path.parent.mkdir(parents=True, exist_ok=True)
                folders.update(p for p in path.parents if building in p.parents)
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
                file.write(data)
            os.chmod(path, mode)
        for folder in folders:
            os.chmod(folder, 0o2775 if coursedir.groupshared else 0o755)
        _swap(building, destination)
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise
    if coursedir.groupshared:
        _share(parent)


def sweep(destination: Path) -> None:
    """Remove what a killed run left beside a folder of ``autograded/``.

    Where the run was killed between the two renames of a replacement, the old folder is put
    back.
    """
    ours = re.compile(re.escape(f"{HIDDEN}{destination.name}-") + r"[a-z0-9_]{8}(\.old)?")
    if not destination.parent.is_dir():
        return
    for name in sorted(os.listdir(destination.parent)):
        match = ours.fullmatch(name)
        if match is None:
            continue
        path = destination.parent / name
        if match[1] and not destination.exists():
            os.rename(path, destination)
        else:
            shutil.rmtree(path, ignore_errors=True)


def merge(theirs: dict[str, bytes], ours: dict[str, bytes]) -> dict[str, bytes]:
    """Return the student's files overlaid by the instructor's.

    A student's file that stands where the instructor has a folder, or the other way round, gives
    way, as one of the same name does.
    """
    folders = {str(parent) for name in ours for parent in PurePosixPath(name).parents}
    kept = {
        name: content
        for name, content in theirs.items()
        if name not in folders
        and not any(str(parent) in ours for parent in PurePosixPath(name).parents)
    }
    return {**kept, **ours}


def fingerprint(files: dict[str, bytes], *more: object) -> str:
    """Return one hash over named files and whatever else decides how they are recorded."""
    total = hashlib.sha256()
    for name in sorted(files):
        total.update(os.fsencode(f"{name}\0{len(files[name])}\0"))
        total.update(files[name])
    total.update(repr(more).encode())
    return total.hexdigest()


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


def _walk(root: Path, ignore: list[str]) -> Iterator[tuple[str, Path]]:
    """Yield the files below a folder, following no link, by their relative names.

    Notebooks come first. What no path reaches is passed over, however deep it is nested.
    """
    waiting = [root]
    while waiting:
        folder = waiting.pop()
        try:
            with os.scandir(folder) as listed:
                entries = [(e.name, e.is_dir(follow_symlinks=False)) for e in listed]
        except OSError:
            continue
        entries = [(name, is_dir) for name, is_dir in entries if not _is_ignored(name, ignore)]
        entries.sort(key=lambda entry: (not entry[0].endswith(".ipynb"), entry[0]))
        for name, is_dir in entries:
            if not is_dir:
                yield (folder / name).relative_to(root).as_posix(), folder / name
        waiting += [folder / name for name, is_dir in reversed(entries) if is_dir]


def _is_ignored(name: str, ignore: list[str]) -> bool:
    """Tell what nbgrader's `is_ignored` does, which lists a folder anew for each of its files."""
    return any(
        fnmatch.fnmatch(name, pattern) and (pattern[:1] == "." or name[:1] != ".")
        for pattern in ignore
    )


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


def _swap(building: Path, destination: Path) -> None:
    """Put one folder in the place of another, which nbgrader may write or remove meanwhile."""
    old = building.with_name(f"{building.name}.old")
    for more in reversed(range(10)):
        try:
            os.rename(building, destination)
            break
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR) or not more:
                raise
        shutil.rmtree(old, ignore_errors=True)
        with contextlib.suppress(FileNotFoundError):
            os.rename(destination, old)
    shutil.rmtree(old, ignore_errors=True)


def _share(folder: Path) -> None:
    mode = folder.stat().st_mode
    if mode & 0o2770 != 0o2770:
        # Somebody else's folder is shared as they wished.
        with contextlib.suppress(PermissionError):
            os.chmod(folder, (mode | 0o2770) & 0o2777)
