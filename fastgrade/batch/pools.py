"""Where submissions are graded: on this machine, or on a Dask cluster.

Both pools take tasks and hand back outcomes in whatever order they come.

The local pool is a few threads around one :class:`fastgrade.engine.grader.Grader`. The thread of a
submission only conducts: what costs time runs in processes that the grader's warm processes fork,
so threads are enough, and one pair of warm processes serves them all. When a warm process is
killed (by a system that ran out of memory, say), a new pair is started and the submissions that
were under way are graded again.

The cluster gets chunks of submissions as the bytes of :meth:`Task.to_json` and sends back those of
:meth:`Verdict.to_json`. Its workers need fastgrade, but no disk in common.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.metadata
import os
import queue
import sys
import threading
import time
from dataclasses import dataclass
from typing import Any, Protocol

import fastgrade
from fastgrade.engine.grader import Grader, MachineError
from fastgrade.sandbox import SandboxError
from fastgrade.sandbox.protection import probe
from fastgrade.settings import LEVELS, Settings
from fastgrade.verdict import Task, Verdict
from warmfork.zygote import RefusedError, ZygoteError

CHUNK = 8
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


class _Graders:
    """One grader for all threads of a process, replaced when its warm processes have ended."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._grader: Grader | None = None
        self._closed = False

    def get(self) -> Grader:
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
                reason = _told(error)
                if isinstance(error, ZygoteError) and not isinstance(error, RefusedError):
                    self.drop(grader)
            except Exception as error:
                return None, _told(error)
        return None, f"{reason} ({TRIES} times)"


def _told(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


# ---- this machine ----


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
        self._graders = _Graders(settings)
        self._tasks: queue.Queue[tuple[int, Task] | None] = queue.Queue()
        self._outcomes: queue.Queue[Outcome] = queue.Queue()
        self._unfinished = 0
        self._threads = [threading.Thread(target=self._run) for _ in range(self.workers)]

    def __enter__(self) -> LocalPool:
        try:
            self._graders.get()
        except (ZygoteError, SandboxError, OSError) as error:
            raise PoolError(f"no warm process can be started: {error}") from None
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
                outcome = Outcome(number, None, _told(error), fatal=True)
            self._outcomes.put(outcome)


def available_cpus() -> int:
    """Return the number of CPUs that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


# ---- a cluster ----


class DaskPool:
    """The workers of a Dask cluster, each with fastgrade installed.

    Parameters
    ----------
    settings : Settings
        How submissions are graded.
    address : str
        Of the Dask scheduler, such as ``tcp://10.0.0.1:8786``.
    chunk : int
        How many submissions travel together.

    Raises
    ------
    PoolError
        If nobody answers at the address, the cluster has no worker, or its workers have other
        versions of the grading software than this machine, or protect less than is demanded.
    """

    def __init__(self, settings: Settings, address: str, chunk: int = CHUNK) -> None:
        from distributed import Client

        self._settings = settings.to_json()
        self._versions = versions()
        self._chunk = chunk
        try:
            self._client = Client(address, timeout="20s", set_as_default=False)
            self._client.wait_for_workers(1, timeout=20)
        except (OSError, TimeoutError, ValueError) as error:
            raise PoolError(f"no Dask cluster with workers at {address}: {error}") from None
        self._check_workers(settings.minimum_protection)
        self._waiting: list[tuple[int, Task]] = []
        self._futures: dict[Any, list[tuple[int, Task]]] = {}
        self._done: queue.Queue[Any] = queue.Queue()
        self._unfinished = 0

    def __enter__(self) -> DaskPool:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @property
    def workers(self) -> int:
        """The number of threads that the cluster grades with."""
        return max(1, sum(self._client.nthreads().values()))

    def _check_workers(self, demanded: str) -> None:
        complaint = ""
        for worker, there in self._client.run(describe_worker).items():
            if there["versions"] != self._versions:
                told = _difference(self._versions, there["versions"])
                complaint = f"Dask worker {worker}: {told}"
            elif LEVELS.index(there["level"]) < LEVELS.index(demanded):
                complaint = (
                    f"Dask worker {worker} reaches the protection {there['level']!r}, the course "
                    f"demands {demanded!r}"
                )
        if complaint:
            self._client.close()
            raise PoolError(complaint)

    def submit(self, number: int, task: Task) -> None:
        """Take a task; its outcome will carry the number."""
        self._unfinished += 1
        self._waiting.append((number, task))
        if len(self._waiting) >= self._chunk:
            self._send()

    def room(self) -> int:
        """Return how many more tasks are worth submitting now: two chunks a thread are out."""
        return 2 * self.workers * self._chunk - self._unfinished

    def wait(self, timeout: float) -> list[Outcome]:
        """Return the outcomes that are there, waiting at most some seconds for the first."""
        if self._waiting:
            self._send()
        outcomes: list[Outcome] = []
        try:
            outcomes += self._take(self._done.get(timeout=timeout))
            while True:
                outcomes += self._take(self._done.get_nowait())
        except queue.Empty:
            pass
        self._unfinished -= len(outcomes)
        return outcomes

    def close(self) -> None:
        """Stop listening; unfinished chunks are canceled."""
        futures, self._futures = list(self._futures), {}
        if futures:
            self._client.cancel(futures)
        self._client.close()

    def _send(self) -> None:
        items, self._waiting = self._waiting, []
        self._send_chunk(items)

    def _send_chunk(self, items: list[tuple[int, Task]]) -> None:
        future = self._client.submit(
            grade_chunk,
            [task.to_json().encode() for _, task in items],
            self._settings,
            self._versions,
            pure=False,
        )
        self._futures[future] = items
        future.add_done_callback(self._done.put)

    def _take(self, future: Any) -> list[Outcome]:
        items = self._futures.pop(future, None)
        if items is None:
            return []
        try:
            replies = future.result()
        except Exception as error:
            if len(items) > 1:
                # One of these ends its workers: find out which, and spare the others.
                for item in items:
                    self._send_chunk([item])
                return []
            return [Outcome(items[0][0], None, f"{type(error).__name__}: {error}")]
        return [_outcome(number, reply) for (number, _), reply in zip(items, replies, strict=True)]


_kept: dict[str, _Graders] = {}
_keeping = threading.Lock()


def grade_chunk(requests: list[bytes], settings: str, expected: dict[str, str]) -> list[bytes]:
    """Grade some tasks on a Dask worker, which keeps its warm processes from chunk to chunk.

    A worker that joined later, with other versions than ``expected``, grades nothing.
    """
    if versions() != expected:
        return [f"E{_difference(expected, versions())}".encode()] * len(requests)
    with _keeping:
        if settings not in _kept:
            while _kept:
                _kept.popitem()[1].close()
            _kept[settings] = _Graders(Settings.from_json(settings))
        graders = _kept[settings]
    replies = []
    for request in requests:
        verdict, reason = graders.grade(Task.from_json(request))
        replies.append(b"E" + reason.encode() if verdict is None else b"V" + _bytes(verdict))
    return replies


def _difference(here: dict[str, str], there: dict[str, str]) -> str:
    different = ", ".join(
        f"{name} {there.get(name)} instead of {here[name]}"
        for name in sorted(here)
        if here[name] != there.get(name)
    )
    return f"it has {different}, so grades could differ"


def _bytes(verdict: Verdict) -> bytes:
    return verdict.to_json().encode()


def _outcome(number: int, reply: bytes) -> Outcome:
    if reply[:1] != b"V":
        return Outcome(number, None, reply[1:].decode())
    try:
        return Outcome(number, Verdict.from_json(reply[1:]))
    except ValueError as error:
        return Outcome(number, None, f"the worker's answer cannot be read ({error})")


def describe_worker() -> dict[str, Any]:
    """Return what a Dask worker must tell before it may grade."""
    return {"versions": versions(), "level": probe().level}


@functools.cache
def versions() -> dict[str, str]:
    """Return the versions that all who grade one class must share."""
    packages = ("nbgrader", "nbformat", "ipython", "numpy")
    return {
        "python": ".".join(map(str, sys.version_info[:2])),
        "fastgrade": fastgrade.__version__,
        "engine": str(fastgrade.ENGINE),
        **{name: _version(name) for name in packages},
    }


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "missing"
