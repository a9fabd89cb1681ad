"""A warm process that forks on request: imports once, then a new process in milliseconds.

The zygote is spawned, never forked, from a process that may have threads. It imports a list of
modules, runs a list of functions that warm things up, freezes the garbage collector and waits on
one socket. A request names an entry function, arguments as JSON and open files; the zygote forks
and the child calls ``entry(arguments, descriptors)``. The zygote knows nothing of grading: it also
serves kernels for the book.

`Zygote` is the client. Its methods may be called from several threads.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import io
import os
import select
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from warmfork import isolation, processes
from warmfork.channel import Channel, ChannelError
from warmfork.folders import PrivateFolder

__all__ = ["Ended", "RefusedError", "Use", "Zygote", "ZygoteError"]

#: Passed on to the zygote; everything else in the environment stays behind.
_INHERITED = (
    "PATH",
    "LANG",
    "LC_ALL",
    "TZ",
    "OPENBLAS_CORETYPE",
    "OPENBLAS_L2_SIZE",
    "LD_LIBRARY_PATH",
)
_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
    "CUDA_VISIBLE_DEVICES": "",
    "JAX_PLATFORMS": "cpu",
    # One heap in huge pages: a fork then copies few page tables, and costs a third.
    "PYTHONMALLOC": "malloc",
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
}


class ZygoteError(RuntimeError):
    """The warm process could not start or is gone."""


class RefusedError(ZygoteError):
    """The warm process lives, and could not do what it was asked to, such as fork."""


@dataclass(frozen=True)
class Ended:
    """How a process has ended.

    Parameters
    ----------
    status : int
        Its wait status.
    seconds : float
        Processor time that it and those of its children who ended before it have used.
    """

    status: int
    seconds: float


@dataclass(frozen=True)
class Use:
    """What a group of processes holds.

    Parameters
    ----------
    memory : int
        Bytes of memory.
    unlinked : int
        Bytes of files that are open and have no name.
    threads : int
        Threads of all processes.
    """

    memory: int
    unlinked: int
    threads: int


class Zygote:
    """Start and use a warm process.

    Parameters
    ----------
    preload : sequence of str
        Modules to import.
    warm : sequence of str
        Functions to call after that, each as ``"module:function"``; they get `options`.
    options : mapping
        Plain data for the functions in `warm`.
    environment : mapping of str to str
        Environment variables beside the few that are passed on.
    wrapper : sequence of str
        A command to start the process under, such as bubblewrap's.

    Raises
    ------
    ZygoteError
        If a module cannot be imported or a function in `warm` raises.
    """

    def __init__(
        self,
        preload: Sequence[str] = (),
        warm: Sequence[str] = (),
        options: Mapping[str, Any] | None = None,
        environment: Mapping[str, str] | None = None,
        wrapper: Sequence[str] = (),
    ):
        self._lock = threading.Lock()
        self._folder = PrivateFolder("warmfork-home-")
        ours, theirs = socket.socketpair()
        self._channel = Channel(ours)
        inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        home = str(self._folder.path)
        configuration = {"MPLCONFIGDIR": _matplotlib_folder(home), "HOME": home}
        code = "import sys; sys.path[:] = sys.argv[2:]; from warmfork.zygote import main; main()"
        paths = [path for path in sys.path if path] or [""]
        try:
            self._process = subprocess.Popen(
                [*wrapper, sys.executable, "-sP", "-c", code, str(theirs.fileno()), *paths],
                pass_fds=[theirs.fileno()],
                env={**inherited, **_ENVIRONMENT, **configuration, **(environment or {})},
                cwd=home,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            ours.close()
            raise ZygoteError(f"the warm process could not be started: {error}") from error
        finally:
            theirs.close()
        # Its complaints would fill the pipe and stop it if nobody read them.
        self._complaints = bytearray()
        threading.Thread(target=self._listen, daemon=True).start()
        try:
            self.ready = self._ask(
                {"preload": list(preload), "warm": list(warm), "options": dict(options or {})}
            )
        except BaseException:
            self.close()
            raise

    def _listen(self) -> None:
        stream = self._process.stderr
        assert isinstance(stream, io.BufferedReader)
        while chunk := stream.read1(65536):
            self._complaints += chunk
            del self._complaints[:-20_000]

    @property
    def pid(self) -> int:
        """Process id of the zygote, or of what it was started under."""
        return self._process.pid

    def fork(
        self,
        entry: str,
        arguments: Mapping[str, Any],
        descriptors: Sequence[int] = (),
        *,
        groups: Sequence[int] = (),
        isolated: bool = False,
    ) -> int:
        """Fork a process that calls ``entry(arguments, descriptors)``; return its id.

        Parameters
        ----------
        entry : str
            ``"module:function"``.
        arguments : mapping
            Plain data.
        descriptors : sequence of int
            Open files to pass; the caller keeps and closes its own.
        groups : sequence of int
            Control groups that it joins: their lists of processes, open for writing.
        isolated : bool
            Whether it gets a process namespace of its own, which the warm process must be allowed
            to make.
        """
        request = {
            "do": "fork",
            "entry": entry,
            "arguments": dict(arguments),
            "groups": len(groups),
            "isolated": isolated,
        }
        return self._ask(request, [*descriptors, *groups])["pid"]

    def end(self, pid: int, sweep: bool = False) -> Ended:
        """End a forked process with all of its process group; return how it has ended.

        Parameters
        ----------
        sweep : bool
            Whether to end daemons, too: processes that any fork has left to the warm process.
        """
        reply = self._ask({"do": "end", "pid": pid, "sweep": sweep})
        return Ended(reply["status"], reply["seconds"])

    def delay(self, pid: int) -> float:
        """Return the seconds that a process of the group of `pid` has waited for a processor."""
        return self._ask({"do": "delay", "pid": pid})["seconds"]

    def end_child(self, pid: int, child: int) -> bool:
        """End one process of the group of `pid`; return whether it was one."""
        return self._ask({"do": "end child", "pid": pid, "child": child})["ended"]

    def interrupt(self, pid: int) -> None:
        """Send SIGINT to a forked process."""
        self._ask({"do": "interrupt", "pid": pid})

    def use(self, pid: int, enough: int) -> Use:
        """Return what the process group of `pid` holds together.

        Memory that a fork has had from the warm process does not count; what the group shares
        counts once, if it comes to more than `enough`.
        """
        reply = self._ask({"do": "use", "pid": pid, "enough": enough})
        return Use(reply["bytes"], reply["unlinked"], reply["threads"])

    def has_hung_up(self) -> bool:
        """Tell whether the warm process is gone, at once: whoever talks to it does not matter."""
        watch = select.poll()
        try:
            watch.register(self._channel, 0)  # a hang-up is told unasked
        except ValueError:
            return True  # closed by us
        return bool(watch.poll(0))

    def _ask(self, request: dict[str, Any], descriptors: Sequence[int] = ()) -> dict[str, Any]:
        with self._lock:
            try:
                self._channel.send(request, descriptors)
                reply, _ = self._channel.receive()
            except (OSError, EOFError, ChannelError) as error:
                deadline = time.monotonic() + 1
                while not self._has_ended() and time.monotonic() < deadline:
                    time.sleep(0.01)
                text = self._complaints.decode(errors="replace").strip()
                raise ZygoteError(f"the warm process has ended: {text or error}") from error
        if "error" in reply:
            raise RefusedError(reply["error"])
        return reply

    def close(self) -> None:
        """End the zygote and all that it forked."""
        self._channel.close()
        deadline = time.monotonic() + 5
        while not self._has_ended() and time.monotonic() < deadline:
            time.sleep(0.002)
        # Not waited for yet, the process keeps its number, which is also that of its session. There
        # may be somebody left of it where the keeper was killed: who forks is clearing up then, and
        # knows what has left the session, as nobody else does.
        while processes.in_session(self._process.pid) and time.monotonic() < deadline:
            time.sleep(0.02)
        processes.end_session(self._process.pid)
        self._process.wait()
        self._folder.close()

    def _has_ended(self) -> bool:
        if self._process.returncode is not None or not hasattr(os, "waitid"):
            return self._process.poll() is not None
        options = os.WEXITED | os.WNOHANG | os.WNOWAIT
        with contextlib.suppress(ChildProcessError):
            return os.waitid(os.P_PID, self._process.pid, options) is not None
        return True

    def __enter__(self) -> Zygote:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def _matplotlib_folder(home: str) -> str:
    """Return a folder of ours where matplotlib's list of fonts outlives one run, else `home`.

    What lies in it is run: nobody else may have made it or be able to write there.
    """
    folder = Path(tempfile.gettempdir()) / f"warmfork-matplotlib-{os.getuid()}"
    with contextlib.suppress(OSError):
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
        if stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o77:
            return str(folder)
    return home


# --------------------------------------------------------------------------- in the warm process


def resolve(name: str) -> Callable[..., Any]:
    """Return the function that ``"module:function"`` names."""
    module, _, function = name.partition(":")
    return getattr(importlib.import_module(module), function)


class _Server:
    """The loop of the warm process."""

    def __init__(self, channel: Channel):
        self._channel = channel
        self._children: set[int] = set()
        self._first: dict[int, int] = {}  # of the namespace of an isolated fork

    def run(self) -> None:
        try:
            first, _ = self._channel.receive()
            self._channel.send(self._warm_up(first))
            while True:
                self._serve()
        except EOFError:
            pass
        finally:
            for pid in list(self._children):
                self._end({"pid": pid}, [])
            self._sweep()

    def _warm_up(self, request: dict[str, Any]) -> dict[str, Any]:
        try:
            options = request["options"]
            before, after = request["warm"], []
            # A function named "…:before_…" runs before the imports: it may set import hooks.
            for name in before:
                function = resolve(name)
                if name.rpartition(":")[2].startswith("before_"):
                    function(options)
                else:
                    after.append(function)
            for name in request["preload"]:
                importlib.import_module(name)
            for function in after:
                function(options)
        except Exception as error:
            return {"error": f"warming up failed: {type(error).__name__}: {error}"}
        gc.collect()
        gc.freeze()
        return {"pid": os.getpid(), "modules": len(sys.modules)}

    def _serve(self) -> None:
        request, descriptors = self._channel.receive()
        operations = {
            "fork": self._fork,
            "end": self._end,
            "end child": self._end_child,
            "interrupt": self._interrupt,
            "use": self._use,
            "delay": self._delay,
        }
        try:
            reply = operations[request["do"]](request, descriptors)
        except OSError as error:
            reply = {"error": f"{request['do']}: {error}"}
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
        self._channel.send(reply)

    def _fork(self, request: dict[str, Any], descriptors: list[int]) -> dict[str, Any]:
        passed = descriptors[: len(descriptors) - request["groups"]]
        groups = descriptors[len(passed) :]
        if not request["isolated"]:
            return {"pid": self._started(request, passed, groups, os.getpid())}
        first = 0
        try:
            with isolation.new_process_namespace(groups) as first:
                pid = self._started(request, passed, groups, 0)
        except OSError:
            if first:
                os.kill(first, signal.SIGKILL)
                os.waitpid(first, 0)
            raise
        self._first[pid] = first
        return {"pid": pid}

    def _started(
        self, request: dict[str, Any], passed: list[int], groups: list[int], parent: int
    ) -> int:
        """Fork a process that makes a request's call; return its id."""
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                processes.end_with_parent(parent)
                isolation.enter_groups(groups)
                self._channel.close()
                os.setpgid(0, 0)
                signal.signal(signal.SIGTERM, signal.SIG_DFL)
                signal.signal(signal.SIGINT, signal.default_int_handler)
                status = resolve(request["entry"])(request["arguments"], passed) or 0
            except SystemExit as leaving:
                status = leaving.code if isinstance(leaving.code, int) else 1
            except BaseException as error:
                with contextlib.suppress(Exception):
                    os.write(2, f"{type(error).__name__}: {error}\n".encode())
            finally:
                os._exit(status)
        with contextlib.suppress(OSError):
            os.setpgid(pid, pid)
        self._children.add(pid)
        return pid

    def _mine(self, request: dict[str, Any]) -> int:
        pid = request["pid"]
        if pid not in self._children:
            raise ProcessLookupError(f"no process {pid} was forked here")
        return pid

    def _end(self, request: dict[str, Any], descriptors: list[int]) -> dict[str, Any]:
        pid = self._mine(request)
        # Sessions and groups cannot be changed inside the sandbox, so the group is all there is.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        first = self._first.pop(pid, 0)
        if first:
            with contextlib.suppress(ProcessLookupError):
                os.kill(first, signal.SIGKILL)
        status, seconds = 0, 0.0
        # Orphans of the group come to us; when none is left to wait for, all are gone.
        with contextlib.suppress(ChildProcessError):
            while True:
                found, outcome, used = os.wait4(-pid, 0)
                if found == pid:
                    status, seconds = outcome, used.ru_utime + used.ru_stime
        if first:  # it stays until nobody of its namespace is left
            os.waitpid(first, 0)
        self._children.discard(pid)
        if request.get("sweep"):
            self._sweep()
        return {"status": status, "seconds": seconds}

    def _sweep(self) -> None:
        """End what has left its group and lost its parent, where no sandbox prevents that."""
        known = self._children.union(self._first.values())
        while stray := [pid for pid in processes.children() if pid not in known]:
            for pid in stray:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)

    def _end_child(self, request: dict[str, Any], descriptors: list[int]) -> dict[str, Any]:
        group, child = self._mine(request), request["child"]

        def is_its(pid: int) -> bool:
            # The number came from the submission: it counts only if it names one of its own.
            return pid != group and os.getpgid(pid) == group

        if group in self._first:  # it is a number of the namespace
            same = [pid for pid in processes.in_group(group) if processes.inner(pid) == child]
            child = same[0] if same else 0
        return {"ended": child > 0 and processes.kill(child, is_its)}

    def _interrupt(self, request: dict[str, Any], descriptors: list[int]) -> dict[str, Any]:
        os.kill(self._mine(request), signal.SIGINT)
        return {}

    def _use(self, request: dict[str, Any], descriptors: list[int]) -> dict[str, Any]:
        members = processes.in_group(self._mine(request))
        common = processes.memory("self")
        return {
            "bytes": processes.memory_of(members, common, request["enough"]),
            "unlinked": processes.unlinked(members),
            "threads": sum(map(processes.threads, members)),
        }

    def _delay(self, request: dict[str, Any], descriptors: list[int]) -> dict[str, Any]:
        members = processes.in_group(self._mine(request))
        return {"seconds": max(map(processes.delay, members), default=0.0)}


def wait_readable(items: Iterable[Any], timeout: float | None) -> dict[Any, bool]:
    """Return those of `items` (with `fileno`) that can be read or whose other side is gone.

    Waits for at most `timeout` seconds, not at all where another side has gone before. Of each is
    told whether there is something to read.
    """
    waiting = select.poll()
    by_descriptor = {}
    for item in items:
        descriptor = item if isinstance(item, int) else item.fileno()
        by_descriptor[descriptor] = item
        waiting.register(descriptor, select.POLLIN | select.POLLHUP)
    events = waiting.poll(None if timeout is None else max(0, int(timeout * 1000) + 1))
    return {by_descriptor[number]: bool(event & select.POLLIN) for number, event in events}


def _keep() -> int:
    """Fork the process that goes on, with this one's number; stay behind to end what it leaves.

    The warm process may be killed with its forks asleep. They end with it, what they have started
    comes to this process, which does nothing but wait for that.
    """
    keeper = os.getpid()
    warm = os.fork()
    if warm == 0:
        return keeper
    os.closerange(0, max(256, int(sys.argv[1]) + 1))
    status, over = 0, False
    while True:
        try:
            pid, outcome = os.waitpid(-1, 0)
        except ChildProcessError:
            break
        if pid == warm:
            status, over = outcome, True
        if over:  # look again after each death: it may have brought more orphans
            for stray in processes.children():
                os.kill(stray, signal.SIGKILL)
    os._exit(os.waitstatus_to_exitcode(status) & 0xFF)


def main() -> None:
    """Run the warm process on the socket whose descriptor is the first argument."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN if number == signal.SIGINT else signal.SIG_DFL)
    processes.adopt_orphans()
    keeper = _keep()
    processes.adopt_orphans()
    channel = Channel(socket.socket(fileno=int(sys.argv[1])))
    del sys.argv[1:]

    def hang_up(*signal: object) -> None:
        with contextlib.suppress(OSError):
            channel.socket.shutdown(socket.SHUT_RDWR)

    # Not an exception, which could break off the clearing up that a hang-up leads to.
    signal.signal(signal.SIGTERM, hang_up)
    processes.end_with_parent(keeper, signal.SIGTERM)
    _Server(channel).run()
