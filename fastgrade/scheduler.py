"""Where submissions are graded: on this machine, or on a Dask cluster.

Both pools take tasks and hand back outcomes in whatever order they come, and both speak JSON:
a task goes out as the bytes of :meth:`Task.to_json`, a verdict comes back as those of
:meth:`Verdict.to_json`. Workers need no shared disk.

The local pool runs one worker process per CPU, each behind a thread that does nothing but write
a task to it and wait for the verdict, so a slow writer of grades never keeps a worker waiting.
A worker that dies takes its task with it once; the task is given to a new worker, and only when
that one dies too is the submission reported as not graded.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import queue
import struct
import subprocess
import sys
import threading
from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol

import fastgrade
from fastgrade.course import Settings
from fastgrade.verdict import Task, Verdict

LENGTH = struct.Struct("!Q")
# A worker that loses its parent must not hold the machine; it looks this often.
POLL_SECONDS = 0.2
CHUNK = 8
TRIES = 2


@dataclass(frozen=True)
class Outcome:
    """What became of a task: a verdict, or the reason why there is none.

    ``fatal`` says that no other task would fare better: the warm process cannot start.
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
        """Stop the workers; unfinished tasks are forgotten."""


# ---- this machine ----


class LocalPool:
    """Worker processes on this machine.

    Parameters
    ----------
    settings : how submissions are graded.
    workers : number of processes; None stands for one per available CPU.
    """

    def __init__(self, settings: Settings, workers: int | None = None) -> None:
        if workers is not None and workers < 1:
            raise ValueError(f"workers must be at least 1, got {workers}")
        self.workers = workers or available_cpus()
        self._settings = settings
        self._tasks: queue.Queue[tuple[int, Task] | None] = queue.Queue()
        self._outcomes: queue.Queue[Outcome] = queue.Queue()
        self._unfinished = 0
        self._closing = threading.Event()
        self._processes: dict[int, subprocess.Popen[bytes]] = {}
        self._threads = [
            threading.Thread(target=self._run, args=(index,), daemon=True)
            for index in range(self.workers)
        ]
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> LocalPool:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def submit(self, number: int, task: Task) -> None:
        """Take a task; its outcome will carry the number."""
        self._unfinished += 1
        self._tasks.put((number, task))

    def room(self) -> int:
        """Return how many more tasks are worth submitting now: two a worker are under way."""
        return 2 * self.workers - self._unfinished

    def wait(self, timeout: float) -> list[Outcome]:
        """Return the outcomes that are there, waiting at most some seconds for the first."""
        outcomes = _drain(self._outcomes, timeout)
        self._unfinished -= len(outcomes)
        return outcomes

    def close(self) -> None:
        """Stop the workers; unfinished tasks are forgotten."""
        self._closing.set()
        with contextlib.suppress(queue.Empty):
            while True:
                self._tasks.get_nowait()
        for _ in self._threads:
            self._tasks.put(None)
        for index, thread in enumerate(self._threads):
            thread.join(timeout=0.05)
            process = self._processes.get(index)
            if thread.is_alive() and process is not None:
                process.terminate()  # it is in the middle of a task that nobody wants any more
        for thread in self._threads:
            thread.join()

    def pids(self) -> list[int]:
        """Return the process ids of the workers that are running."""
        return [p.pid for p in list(self._processes.values()) if p.poll() is None]

    def _run(self, index: int) -> None:
        while (item := self._tasks.get()) is not None:
            number, task = item
            self._outcomes.put(self._grade(index, number, task))
        self._retire(index)

    def _grade(self, index: int, number: int, task: Task) -> Outcome:
        request = task.to_json().encode()
        for _ in range(TRIES):
            try:
                process = self._worker(index)
                _send(process.stdin, request)
                reply = _receive(process.stdout)
            except (OSError, EOFError) as error:
                if self._closing.is_set():
                    return Outcome(number, None, "the run was stopped")
                reason = f"its worker process ended unexpectedly ({_how(self._retire(index))})"
                if isinstance(error, FileNotFoundError):
                    return Outcome(number, None, f"no worker could be started: {error}")
            else:
                return _outcome(number, reply)
        return Outcome(number, None, f"{reason}, {TRIES} times")

    def _worker(self, index: int) -> subprocess.Popen[bytes]:
        process = self._processes.get(index)
        if process is None or process.poll() is not None:
            process = subprocess.Popen(
                [sys.executable, "-m", "fastgrade.scheduler"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=_environment(),
            )
            self._processes[index] = process
            _send(process.stdin, self._settings.to_json().encode())
        return process

    def _retire(self, index: int) -> int | None:
        process = self._processes.pop(index, None)
        return None if process is None else _stop(process)


def available_cpus() -> int:
    """Return the number of CPUs that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def serve(requests: BinaryIO, replies: BinaryIO) -> None:
    """Grade what comes in until the other end hangs up: the body of a worker process."""
    from fastgrade.worker import Grader

    with contextlib.suppress(EOFError, BrokenPipeError), contextlib.ExitStack() as stack:
        settings = Settings.from_json(_receive(requests))
        try:
            grader = stack.enter_context(Grader(settings))
        except Exception as error:
            _receive(requests)
            _send(replies, b"F" + _told(error))
            return
        while True:
            _send(replies, _grade(grader, _receive(requests)))


def _grade(grader: Any, request: bytes) -> bytes:
    """Grade one task; what goes wrong is told, not raised, so that the worker lives on."""
    try:
        return b"V" + grader.grade(Task.from_json(request)).to_json().encode()
    except Exception as error:
        return b"E" + _told(error)


def _told(error: Exception) -> bytes:
    return f"{type(error).__name__}: {error}".encode("utf-8", "replace")


def _outcome(number: int, reply: bytes) -> Outcome:
    if reply[:1] == b"V":
        try:
            return Outcome(number, Verdict.from_json(reply[1:]))
        except ValueError as error:
            return Outcome(number, None, f"the worker's answer cannot be read ({error})")
    fatal = reply[:1] == b"F"
    return Outcome(number, None, reply[1:].decode("utf-8", "replace"), fatal)


def _send(stream: BinaryIO | None, message: bytes) -> None:
    assert stream is not None
    stream.write(LENGTH.pack(len(message)) + message)
    stream.flush()


def _receive(stream: BinaryIO | None) -> bytes:
    assert stream is not None
    header = stream.read(LENGTH.size)
    if len(header) < LENGTH.size:
        raise EOFError
    (length,) = LENGTH.unpack(header)
    message = stream.read(length)
    if len(message) < length:
        raise EOFError
    return message


def _stop(process: subprocess.Popen[bytes]) -> int:
    """Hang up on a worker, and end it if it does not leave."""
    for stream in (process.stdin, process.stdout):
        with contextlib.suppress(OSError):
            if stream is not None:
                stream.close()
    try:
        return process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def _how(status: int | None) -> str:
    if status is None:
        return "no status"
    return f"signal {-status}" if status < 0 else f"status {status}"


def _environment() -> dict[str, str]:
    """Return a worker's environment: one thread a process, for every CPU has its own worker."""
    single = {
        f"{library}_NUM_THREADS": "1"
        for library in ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "VECLIB_MAXIMUM")
    }
    return {**os.environ, **single}


def _drain(outcomes: queue.Queue[Outcome], timeout: float) -> list[Outcome]:
    found = []
    with contextlib.suppress(queue.Empty):
        found.append(outcomes.get(timeout=timeout))
        while True:
            found.append(outcomes.get_nowait())
    return found


# ---- a cluster ----


class DaskPool:
    """The workers of a Dask cluster, each with fastgrade installed.

    Parameters
    ----------
    settings : how submissions are graded.
    address : of the Dask scheduler, such as ``tcp://10.0.0.1:8786``.
    chunk : how many submissions travel together.

    Raises
    ------
    ConnectionError
        Nobody answers at the address, or the cluster has no worker.
    RuntimeError
        The workers have other versions of the grading software than this machine.
    """

    def __init__(self, settings: Settings, address: str, chunk: int = CHUNK) -> None:
        from distributed import Client

        self._settings = settings.to_json()
        self._chunk = chunk
        try:
            self._client = Client(address, timeout="20s", set_as_default=False)
            self._client.wait_for_workers(1, timeout=20)
        except (OSError, TimeoutError) as error:
            raise ConnectionError(f"no Dask cluster with workers at {address}: {error}") from None
        self._check_versions()
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

    def _check_versions(self) -> None:
        here = versions()
        for worker, there in self._client.run(versions).items():
            different = {name for name in here if here[name] != there.get(name)}
            if different:
                told = ", ".join(
                    f"{name} {there.get(name)} instead of {here[name]}"
                    for name in sorted(different)
                )
                self._client.close()
                raise RuntimeError(f"Dask worker {worker} has {told}: grades could differ")

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
        """Stop listening; unfinished chunks are cancelled."""
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


_graders = threading.local()


def grade_chunk(requests: list[bytes], settings: str) -> list[bytes]:
    """Grade some tasks on a Dask worker, which keeps its warm processes from chunk to chunk."""
    try:
        grader = _grader(settings)
    except Exception as error:
        return [b"F" + _told(error)] * len(requests)
    return [_grade(grader, request) for request in requests]


def _grader(settings: str) -> Any:
    from fastgrade.worker import Grader

    kept = getattr(_graders, "kept", None)
    if kept is None or kept[0] != settings:
        if kept is not None:
            kept[1].__exit__(None, None, None)
        grader = Grader(Settings.from_json(settings))
        grader.__enter__()
        _graders.kept = settings, grader
    return _graders.kept[1]


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


def _main() -> None:
    """Serve as a worker process, keeping standard output for answers alone."""
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    requests = os.fdopen(os.dup(0), "rb")
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    serve(requests, replies)


if __name__ == "__main__":
    _main()
