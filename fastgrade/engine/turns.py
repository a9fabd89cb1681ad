"""Who is graded with others and who alone, and for how long somebody is waited for."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator

__all__ = ["PERIOD", "Patience", "Turns"]

#: Seconds between looks.
PERIOD = 0.1
#: Seconds by which a look may be late and nobody has held it up.
_NORMAL = 0.05


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


class Patience:
    """A wait in short looks until a deadline, with a last look after it.

    Whoever waits shares a process with those who wait for others: what has come meanwhile would be
    overlooked, and counted as too late, if nobody looked once more.

    Parameters
    ----------
    deadline : float
        On the monotonic clock.

    Attributes
    ----------
    lateness : float
        Seconds by which looks came late.
    """

    def __init__(self, deadline: float):
        self._deadline = deadline
        self._due: float | None = None
        self._is_over = False
        self.lateness = 0.0

    def __iter__(self) -> Iterator[float]:
        """Yield how many seconds to look for at a time."""
        while not self._is_over:
            now = time.monotonic()
            if self._due is not None and now > self._due + _NORMAL:
                self.lateness += now - self._due
            self._is_over = now >= self._deadline
            seconds = min(max(0.0, self._deadline - now), PERIOD)
            self._due = now + seconds
            yield seconds
