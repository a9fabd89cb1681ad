"""Who is graded with others, and who alone."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

__all__ = ["Turns"]


class Turns:
    """Lets many in together, or one alone; who wants to be alone waits for those who are in."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._together = 0
        self._wish_to_be_alone = 0
        self._is_alone = False

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """Be in with others; new ones wait while somebody wishes to be alone."""
        with self._changed:
            self._changed.wait_for(lambda: not (self._is_alone or self._wish_to_be_alone))
            self._together += 1
        try:
            yield
        finally:
            with self._changed:
                self._together -= 1
                self._changed.notify_all()

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Be in with nobody else."""
        with self._changed:
            self._wish_to_be_alone += 1
            self._changed.wait_for(lambda: not (self._is_alone or self._together))
            self._wish_to_be_alone -= 1
            self._is_alone = True
        try:
            yield
        finally:
            with self._changed:
                self._is_alone = False
                self._changed.notify_all()
