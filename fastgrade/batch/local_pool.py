"""Grade on this machine: a few threads around one grader.

The thread of a submission only conducts: what costs time runs in processes that the grader's warm
processes fork, so threads are enough, and one pair of warm processes serves them all. When a warm
process is killed (by a system that ran out of memory, say), a new pair is started and the
submissions that were under way are graded again.
"""

from __future__ import annotations

import contextlib
import os
import queue
import threading

from fastgrade.batch.pool import Graders, Outcome, PoolError, told
from fastgrade.sandbox import SandboxError
from fastgrade.settings import Settings
from fastgrade.verdict import Task
from warmfork.zygote import ZygoteError


class LocalPool:
    """Threads on this machine.

    Parameters
    ----------
    settings : Settings
        How submissions are graded.
    workers : int, optional
        How many submissions are graded at once; by default one for each available CPU.

    Raises
    ------
    ValueError
        If ``workers`` is below 1.
    PoolError
        On entry, if the warm processes cannot be started.
    """

    def __init__(self, settings: Settings, workers: int | None = None) -> None:
        if workers is not None and workers < 1:
            raise ValueError(f"workers must be at least 1, got {workers}")
        self.workers = workers or available_cpus()
        self._graders = Graders(settings)
        self._tasks: queue.Queue[tuple[int, Task] | None] = queue.Queue()
        self._outcomes: queue.Queue[Outcome] = queue.Queue()
        self._unfinished = 0
        self._threads = [threading.Thread(target=self._run) for _ in range(self.workers)]

    def __enter__(self) -> LocalPool:
        try:
            self._graders.get()
        except (ZygoteError, SandboxError, OSError) as error:
            advice = ""
            if "warming up failed" in str(error):
                advice = "; c.FastGrade.preload and c.FastGrade.judge_preload name what is imported"
            raise PoolError(f"no warm process can be started: {error}{advice}") from None
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def submit(self, number: int, task: Task) -> None:
        """Take a task; its outcome will carry the number."""
        self._unfinished += 1
        self._tasks.put((number, task))

    def room(self) -> int:
        """Return how many more tasks are worth submitting now: two a thread are under way."""
        return 2 * self.workers - self._unfinished

    def wait(self, timeout: float) -> list[Outcome]:
        """Return the outcomes that are there, waiting at most some seconds for the first."""
        outcomes = []
        with contextlib.suppress(queue.Empty):
            outcomes.append(self._outcomes.get(timeout=timeout))
            while True:
                outcomes.append(self._outcomes.get_nowait())
        self._unfinished -= len(outcomes)
        return outcomes

    def close(self) -> None:
        """Stop grading; unfinished tasks are forgotten."""
        with contextlib.suppress(queue.Empty):
            while True:
                self._tasks.get_nowait()
        for _ in self._threads:
            self._tasks.put(None)
        # Ends what is under way, too: its processes go with the warm ones.
        self._graders.close()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()

    def _run(self) -> None:
        while (item := self._tasks.get()) is not None:
            number, task = item
            try:
                outcome = Outcome(number, *self._graders.grade(task))
            except Exception as error:  # a grader that cannot be started again
                outcome = Outcome(number, None, told(error), fatal=True)
            self._outcomes.put(outcome)


def available_cpus() -> int:
    """Return the number of CPUs that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
