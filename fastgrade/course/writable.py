"""Where a run writes, tried before anybody is graded."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from nbgrader.coursedir import CourseDirectory
from sqlalchemy import make_url

__all__ = ["unwritable"]


def unwritable(coursedir: CourseDirectory) -> str | None:
    """Return what keeps a run from writing, and the setting that says where; None if nothing."""
    for setting, place in _places(coursedir):
        try:
            _try(place)
        except OSError as error:
            return f"{place} cannot be written ({error.strerror}); {setting} says where it lies"
    try:
        tempfile.gettempdir()
    except OSError:
        return "no temporary folder can be written; the environment variable TMPDIR names one"
    return None


def _places(coursedir: CourseDirectory) -> Iterator[tuple[str, Path]]:
    root = Path(coursedir.root)
    yield "c.CourseDirectory.root", root
    yield "c.CourseDirectory.autograded_directory", root / coursedir.autograded_directory
    address = make_url(coursedir.db_url)
    if address.get_backend_name() == "sqlite" and address.database:
        yield "c.CourseDirectory.db_url", Path(address.database)


def _try(place: Path) -> None:
    """Open a place for writing, or the nearest folder above it that is there.

    Raises
    ------
    OSError
        If that is refused.
    """
    if place.is_file():
        os.close(os.open(place, os.O_WRONLY))
        place = place.parent  # a database writes beside itself, too
    while not place.exists():
        place = place.parent
    with tempfile.TemporaryFile(dir=place):
        pass
