"""Grade on a Dask cluster, whose workers need fastgrade but no disk in common.

A worker gets chunks of submissions as the bytes of :meth:`Task.to_json` and sends back those of
:meth:`Verdict.to_json`.
"""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING, Any

from fastgrade.batch.pool import Graders, Outcome, PoolError
from fastgrade.batch.versions import difference, versions
from fastgrade.sandbox.protection import probe
from fastgrade.settings import LEVELS, Settings
from fastgrade.verdict import Task, Verdict

if TYPE_CHECKING:
    from distributed import Client

CHUNK = 8


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
        If Dask is not installed, nobody answers at the address, the cluster has no worker, or its
        workers have other versions of the grading software than this machine, or protect less
        than is demanded.
    """

    def __init__(self, settings: Settings, address: str, chunk: int = CHUNK) -> None:
        connect = _client()
        self._settings = settings.to_json()
        self._versions = versions()
        self._chunk = chunk
        try:
            self._client = connect(address, timeout="20s", set_as_default=False)
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
                told = difference(self._versions, there["versions"])
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


def _client() -> type[Client]:
    """Return Dask's client, which only a cluster needs.

    Raises
    ------
    PoolError
        If Dask is not installed.
    """
    try:
        from distributed import Client
    except ModuleNotFoundError as error:
        raise PoolError(
            f"a Dask cluster needs the Python package {error.name}: pip install 'fastgrade[dask]'"
        ) from None
    return Client


_kept: dict[str, Graders] = {}
_keeping = threading.Lock()


def grade_chunk(requests: list[bytes], settings: str, expected: dict[str, str]) -> list[bytes]:
    """Grade some tasks on a Dask worker, which keeps its warm processes from chunk to chunk.

    A worker that joined later, with other versions than ``expected``, grades nothing.
    """
    if versions() != expected:
        return [f"E{difference(expected, versions())}".encode()] * len(requests)
    with _keeping:
        if settings not in _kept:
            while _kept:
                _kept.popitem()[1].close()
            _kept[settings] = Graders(Settings.from_json(settings))
        graders = _kept[settings]
    replies = []
    for request in requests:
        verdict, reason = graders.grade(Task.from_json(request))
        replies.append(b"E" + reason.encode() if verdict is None else b"V" + _bytes(verdict))
    return replies


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
