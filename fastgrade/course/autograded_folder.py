"""What is written into ``autograded/``: all of a student's folder, or nothing.

The folder is built under a hidden name and then renamed, so nobody ever sees half of it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import tempfile
from pathlib import Path

from nbgrader.coursedir import CourseDirectory

HIDDEN = ".fastgrade-"


def locate(coursedir: CourseDirectory, assignment: str, student: str) -> Path:
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
