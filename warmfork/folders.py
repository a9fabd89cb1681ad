"""Temporary folders that are gone when their owner is, even if it was killed.

The owner holds a lock on its folder, which ends with it; whoever makes the next folder removes
those that nobody holds.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows, where nothing is swept
    fcntl = None  # type: ignore[assignment]

__all__ = ["PrivateFolder"]

#: Seconds for which a folder may be there before its owner holds it.
_YOUNG = 60.0


class PrivateFolder:
    """A new temporary folder that only its owner can list.

    Parameters
    ----------
    prefix : str
        How its name begins; folders of that name whose owners are gone are removed.
    mode : int
        Its mode.
    remove : callable
        Removes a folder with all that is in it.
    """

    def __init__(
        self, prefix: str, mode: int = 0o700, remove: Callable[[Path], None] = shutil.rmtree
    ):
        self._remove = remove
        self._sweep(prefix)
        self.path = Path(tempfile.mkdtemp(prefix=prefix))
        self._lock = os.open(self.path, os.O_RDONLY)
        if fcntl is not None:
            fcntl.flock(self._lock, fcntl.LOCK_EX)
        self.path.chmod(mode)

    def _sweep(self, prefix: str) -> None:
        for folder in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
            with contextlib.suppress(OSError):
                found = folder.lstat()
                if found.st_uid != os.getuid() or time.time() - found.st_mtime < _YOUNG:
                    continue
                lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    self._remove(folder)
                finally:
                    os.close(lock)

    def close(self) -> None:
        """Remove it."""
        if self._lock >= 0:
            with contextlib.suppress(OSError):
                self._remove(self.path)
            os.close(self._lock)
            self._lock = -1
