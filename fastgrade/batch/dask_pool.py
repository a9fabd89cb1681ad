"""Grade on a Dask cluster, whose workers need fastgrade but no disk in common.

A worker gets chunks of submissions as the bytes of :meth:`Task.to_json` and sends back those of
:meth:`Verdict.to_json`. Everybody shows a certificate (`fastgrade.batch.certificates`). What a
worker sends is read as JSON and never unpickled, and counts only if it fits what was asked.
"""

from __future__ import annotations

import json
import queue
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastgrade.batch.certificates import CertificateError, flags
from fastgrade.batch.pool import Graders, Outcome, PoolError
from fastgrade.batch.versions import difference, versions
from fastgrade.notebook.ipynb import load, tag_of
from fastgrade.sandbox.protection import probe
from fastgrade.settings import LEVELS, Settings
from fastgrade.verdict import Task, Verdict

if TYPE_CHECKING:
    from distributed import Client, Security

CHUNK = 8
#: Ways to read what comes over the network: none of them runs anything.
_PLAIN = ["dask", "msgpack", "error"]


class DaskPool:
    """The workers of a Dask cluster, each with fastgrade installed.

    Parameters
    ----------
    settings : Settings
        How submissions are graded.
    address : str
        Of the Dask scheduler, such as ``tls://10.0.0.1:8786``.
    certificates : Path
        The folder of the key and the certificate that all machines share.
    chunk : int
        How many submissions travel together.

    Raises
    ------
    PoolError
        If Dask is not installed, the address is not one of TLS, nobody answers there who has the
        certificate, the cluster has no worker, or its workers have other versions of the grading
        software than this machine, or protect less than is demanded.
    """

    def __init__(
        self, settings: Settings, address: str, certificates: Path, chunk: int = CHUNK
    ) -> None:
        connect = _client()
        if not address.startswith("tls://"):
            raise PoolError(
                f"the scheduler's address must begin with tls://, got {address}: whoever reaches "
                "another one could run code on the workers, and give grades"
            )
        self._settings = settings.to_json()
        self._versions = versions()
        self._chunk = chunk
        try:
            self._client = connect(
                address,
                timeout="20s",
                set_as_default=False,
                security=_security(certificates),
                deserializers=_PLAIN,
            )
            self._client.wait_for_workers(1, timeout=20)
        except CertificateError as error:
            raise PoolError(str(error)) from None
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
        for worker, told_as in self._client.run(describe_worker).items():
            there = _description(told_as)
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
            replies = _replies(future.result(), len(items))
        except Exception as error:
            if len(items) > 1:
                # One of these ends its workers: find out which, and spare the others.
                for item in items:
                    self._send_chunk([item])
                return []
            return [Outcome(items[0][0], None, f"{type(error).__name__}: {error}")]
        return [
            _outcome(number, task, reply)
            for (number, task), reply in zip(items, replies, strict=True)
        ]


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


def _security(certificates: Path) -> Security:
    from distributed import Security

    files = flags(certificates)
    return Security(
        require_encryption=True,
        tls_ca_file=files["tls-ca-file"],
        tls_client_cert=files["tls-cert"],
        tls_client_key=files["tls-key"],
    )


_kept: dict[str, Graders] = {}
_keeping = threading.Lock()


def grade_chunk(requests: list[bytes], settings: str, expected: dict[str, str]) -> bytes:
    """Grade some tasks on a Dask worker, which keeps its warm processes from chunk to chunk.

    Returns a JSON list: for each task its verdict, or an object with the ``error``. A worker that
    joined later, with other versions than ``expected``, grades nothing.
    """
    if versions() != expected:
        return _json([{"error": difference(expected, versions())}] * len(requests))
    with _keeping:
        if settings not in _kept:
            while _kept:
                _kept.popitem()[1].close()
            _kept[settings] = Graders(Settings.from_json(settings))
        graders = _kept[settings]
    replies: list[Any] = []
    for request in requests:
        verdict, reason = graders.grade(Task.from_json(request))
        replies.append({"error": reason} if verdict is None else json.loads(verdict.to_json()))
    return _json(replies)


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


def _replies(data: Any, number: int) -> list[Any]:
    replies = json.loads(data) if isinstance(data, bytes) else None
    if not isinstance(replies, list) or len(replies) != number:
        raise ValueError(f"a worker must answer with a list of {number} verdicts")
    return replies


def _outcome(number: int, task: Task, reply: Any) -> Outcome:
    if not isinstance(reply, dict) or "error" in reply:
        told = reply.get("error") if isinstance(reply, dict) else reply
        return Outcome(number, None, str(told)[:10_000])
    try:
        verdict = Verdict.from_json(json.dumps(reply))
        _check(task, verdict)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        return Outcome(number, None, f"the worker's answer cannot be used ({error})")
    return Outcome(number, verdict)


def _check(task: Task, verdict: Verdict) -> None:
    """Make sure that a verdict is one on this task.

    Raises
    ------
    ValueError
        If it is about another submission or other questions, or gives points that nobody can get.
    """
    for name in ("student", "assignment", "notebook"):
        asked, got = getattr(task, name), getattr(verdict, name)
        if asked != got:
            raise ValueError(f"{name} must be {asked!r}, got {got!r}")
    tags = [tag_of(cell) for cell in load(task.source)["cells"]]
    points = {
        tag["grade_id"]: float(tag.get("points") or 0)
        for tag in tags
        if tag.get("grade") or tag.get("task")
    }
    found = {question.grade_id: question.max_points for question in verdict.questions}
    if found != points or len(found) != len(verdict.questions):
        raise ValueError("its questions are not those of the assignment")
    for question in verdict.questions:
        if not 0 <= question.points <= question.max_points:
            raise ValueError(f"{question.grade_id!r} has {question.points} points")


def _description(data: Any) -> dict[str, Any]:
    """Return what `describe_worker` tells, whoever has sent it."""
    try:
        told = json.loads(data)
        return {"versions": dict(told["versions"]), "level": LEVELS[LEVELS.index(told["level"])]}
    except (ValueError, TypeError, KeyError):
        return {"versions": {}, "level": LEVELS[0]}


def describe_worker() -> bytes:
    """Return what a Dask worker must tell before it may grade, as JSON."""
    return _json({"versions": versions(), "level": probe().level})
