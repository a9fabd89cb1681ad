"""What a pool is: it takes tasks and hands back outcomes, in whatever order they come.

`fastgrade.batch.local_pool` grades on this machine, `fastgrade.batch.dask_pool` on a Dask cluster.
Both keep their warm processes in `Graders`.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from fastgrade.engine.grader import Grader, MachineError
from fastgrade.sandbox import SandboxError
from fastgrade.settings import Settings
from fastgrade.verdict import Task, Verdict
from warmfork.zygote import RefusedError, ZygoteError

TRIES = 3
BREATH = 0.2


class PoolError(RuntimeError):
    """No submission can be graded in this pool; the message says why."""


@dataclass(frozen=True)
class Outcome:
    """What became of a task: a verdict, or the reason why there is none.

    ``fatal`` says that no other task would fare better.
    """

    number: int
    verdict: Verdict | None
    reason: str = ""
    fatal: bool = False


class Pool(Protocol):
    """Something that grades tasks."""

    def submit(self, number: int, task: Task) -> None:
        """Take a task; its outcome will carry the number."""

    def room(self) -> int:
        """Return how many more tasks are worth submitting now."""

    def wait(self, timeout: float) -> list[Outcome]:
        """Return the outcomes that are there, waiting at most some seconds for the first."""

    def close(self) -> None:
        """Stop grading; unfinished tasks are forgotten."""


class Graders:
    """One grader for all threads of a process, replaced when its warm processes have ended."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._grader: Grader | None = None
        self._closed = False

    def get(self) -> Grader:
        """Return the grader, started if need be."""
        with self._lock:
            if self._closed:
                raise PoolError("the run was stopped")
            if self._grader is None:
                self._grader = Grader(self._settings).open()
            return self._grader

    def drop(self, grader: Grader) -> None:
        """Give up a grader; whoever comes next starts a new one."""
        with self._lock:
            if self._grader is grader:
                self._grader = None
                with contextlib.suppress(Exception):
                    grader.close()

    def close(self) -> None:
        """End the grader, and give no other."""
        with self._lock:
            self._closed = True
            grader, self._grader = self._grader, None
        if grader is not None:
            grader.close()

    def grade(self, task: Task) -> tuple[Verdict | None, str]:
        """Return the verdict, or None and the reason why there is none."""
        reason = ""
        for attempt in range(TRIES):
            if attempt:
                time.sleep(BREATH * attempt)  # what the machine lacks may come back
            try:
                grader = self.get()
            except (ZygoteError, SandboxError, OSError):
                if attempt + 1 == TRIES:
                    raise
                continue
            try:
                return grader.grade(task), ""
            except (ZygoteError, SandboxError, MachineError, OSError) as error:
                reason = told(error)
                if isinstance(error, ZygoteError) and not isinstance(error, RefusedError):
                    self.drop(grader)
            except Exception as error:
                return None, told(error)
        return None, f"{reason} ({TRIES} times)"


class SharedPools:
    """One pool for each set of settings: assignments that have the same share warm processes.

    Parameters
    ----------
    make : callable
        Called with settings; returns a pool to be used as a context manager.
    """

    def __init__(self, make: Callable[[Settings], contextlib.AbstractContextManager[Pool]]) -> None:
        self._make = make
        self._stack = contextlib.ExitStack()
        self._pools: dict[str, Pool] = {}

    def __enter__(self) -> SharedPools:
        return self

    def __exit__(self, *exc: object) -> None:
        self._stack.close()

    def open(self, settings: Settings) -> Pool:
        """Return the pool for some settings; it stays open until all are closed."""
        key = settings.to_json()
        if key not in self._pools:
            self._pools[key] = self._stack.enter_context(self._make(settings))
        return self._pools[key]

    def get(self, settings: Settings) -> contextlib.AbstractContextManager[Pool]:
        """Return the same as a context, whose end is not the pool's."""
        return contextlib.nullcontext(self.open(settings))


def told(error: BaseException) -> str:
    """Return an error as the reason why there is no verdict."""
    return f"{type(error).__name__}: {error}"
