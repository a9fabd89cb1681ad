"""Who grades: tasks go to a pool, and of identical ones only the first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from fastgrade.batch.pool import Outcome, Pool, PoolError
from fastgrade.batch.work import Work
from fastgrade.verdict import Verdict

__all__ = ["Dispatch"]

# How many submissions are held in memory while an identical one is being graded.
WAITING = 200


class Dispatch:
    """Sends the tasks of submissions to a pool and gives their verdicts to all who wait for them.

    Parameters
    ----------
    open_pool : callable
        Called when there is the first task; returns the pool.
    finish : callable
        What is done to every verdict that comes back.
    """

    def __init__(self, open_pool: Callable[[], Pool], finish: Callable[[Verdict], Verdict]) -> None:
        self._open_pool = open_pool
        self._finish = finish
        self._pool: Pool | None = None
        self._sent: dict[int, tuple[str, list[tuple[Work, str]]]] = {}
        self._by_key: dict[str, int] = {}
        self._last = 0
        self._waiting = 0

    @property
    def is_busy(self) -> bool:
        """Whether a verdict is awaited."""
        return bool(self._sent)

    def has_room(self) -> bool:
        """Tell whether another submission may be sent now."""
        return (self._pool is None or self._pool.room() > 0) and self._waiting < WAITING

    def send(self, work: Work) -> None:
        """Have the tasks of a submission graded."""
        if self._pool is None:
            self._pool = self._open_pool()
        for name, task in work.tasks.items():
            key = work.keys[name]
            self._waiting += 1
            if key in self._by_key:
                self._sent[self._by_key[key]][1].append((work, name))
                continue
            self._last += 1
            self._sent[self._last] = key, [(work, name)]
            self._by_key[key] = self._last
            self._pool.submit(self._last, task)
        work.tasks.clear()  # sent, and not needed here any more

    def receive(self, seconds: float) -> Iterator[tuple[str, Verdict | None, list[Work]]]:
        """Yield, for each verdict that is there, its key, itself, and who is complete with it.

        Parameters
        ----------
        seconds : float
            How long to wait for the first one.

        Raises
        ------
        PoolError
            If no submission can be graded.
        """
        if self._pool is not None and self._sent:
            for outcome in self._pool.wait(seconds):
                yield self._land(outcome)

    def _land(self, outcome: Outcome) -> tuple[str, Verdict | None, list[Work]]:
        if outcome.fatal:
            raise PoolError(outcome.reason)
        key, waiting = self._sent.pop(outcome.number)
        self._by_key.pop(key, None)
        self._waiting -= len(waiting)
        verdict, reason = outcome.verdict, outcome.reason
        if verdict is not None:
            try:
                verdict = self._finish(verdict)
            except Exception as error:
                verdict, reason = None, f"cannot be finished: {type(error).__name__}: {error}"
        complete = []
        for position, (work, name) in enumerate(waiting):
            was_complete = work.complete
            if verdict is None:
                work.failure = reason
            else:
                work.verdicts[name] = replace(verdict, student=work.student)
                work.fresh.add(name)
                work.copied = work.copied or position > 0
            if work.complete and not was_complete:
                complete.append(work)
        return key, verdict, complete
