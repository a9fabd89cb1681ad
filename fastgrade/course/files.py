"""The files of a folder, by the names that they have in it."""

from __future__ import annotations

import fnmatch
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath


def walk(root: Path, ignore: list[str]) -> Iterator[tuple[str, Path]]:
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
