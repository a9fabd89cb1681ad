"""The private folder of a submission: how to make it, how much lies in it, how to be rid of it.

Who fills it is hostile. Folders may be nested until no path reaches their bottom, closed to
their own owner, or come and go while they are looked at.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

__all__ = ["MOST_FILES", "make", "remove", "usage"]

#: Files and folders of a submission: each takes a kilobyte of memory, and time to look at.
MOST_FILES = 20_000


def make(folder: Path, files: Mapping[str, bytes], owner: int | None) -> None:
    """Make a folder with files in it.

    Parameters
    ----------
    folder : Path
        Where; nobody else can enter it.
    files : mapping of str to bytes
        By path relative to the folder.
    owner : int, optional
        User and group that it shall belong to; only root can say so.

    Raises
    ------
    ValueError
        If a path leads out of the folder.
    """
    folder.mkdir(mode=0o700)
    for name, data in files.items():
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or not path.parts:
            raise ValueError(f"files must have paths relative to the notebook, got {name!r}")
        target = folder.joinpath(*path.parts)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    if owner is not None:
        for root, folders, names in os.walk(folder):
            for name in ("", *folders, *names):
                os.chown(os.path.join(root, name), owner, owner, follow_symlinks=False)


def usage(folder: Path, enough: int) -> int:
    """Return the bytes below `folder`; stops counting once there are more than `enough`.

    Each entry counts for a page beside its blocks, and more than `MOST_FILES` for too much. Folders
    below the longest path that the system knows cannot be counted; they count as too much.
    """
    total, count, waiting = 0, 0, [str(folder)]
    while waiting and total <= enough:
        try:
            for entry in _entries(waiting.pop()):
                total, count = total + 4096, count + 1
                if count > MOST_FILES:
                    return enough + 1
                with contextlib.suppress(FileNotFoundError):
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    else:
                        total += entry.stat(follow_symlinks=False).st_blocks * 512
                if total > enough:
                    break
        except OSError as error:
            if error.errno == errno.ENAMETOOLONG:
                return enough + 1
    return total


def remove(folder: Path) -> None:
    """Remove a folder with all that is in it, once nobody uses it any more."""
    if not folder.exists():
        return
    with contextlib.suppress(OSError, RecursionError):
        shutil.rmtree(folder)
        return
    number = 0
    _open(str(folder))
    while entries := list(_entries(str(folder))):
        for entry in entries:
            if not entry.is_dir(follow_symlinks=False):
                os.unlink(entry.path)
                continue
            _open(entry.path)
            # What lies in it is brought up by one level, so that no path grows.
            for inner in list(_entries(entry.path)):
                if inner.is_dir(follow_symlinks=False):
                    _open(inner.path)
                    number += 1
                    os.rename(inner.path, folder / f".{number}.removing")
                else:
                    os.unlink(inner.path)
            os.rmdir(entry.path)
    os.rmdir(folder)


def _entries(path: str) -> Iterator[os.DirEntry[str]]:
    """Yield what is in a folder; one that was closed to its owner is opened."""
    try:
        listed = os.scandir(path)
    except PermissionError:
        _open(path)
        listed = os.scandir(path)
    with listed:
        yield from listed


def _open(path: str) -> None:
    """Give the owner all rights in a folder, and follow no link in its place."""
    descriptor = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode) and mode & 0o700 != 0o700:
            os.chmod(f"/proc/self/fd/{descriptor}", 0o700)
    finally:
        os.close(descriptor)
