"""The processes that take part in grading one submission, seen from the grader."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastgrade.engine.outcomes import Ending, ProcessEnd
from fastgrade.notebook.outputs import Outputs
from fastgrade.notebook.submission import Cell
from fastgrade.sandbox import SandboxError
from fastgrade.sandbox.cgroups import ControlGroup
from fastgrade.sandbox.seccomp import Forks
from fastgrade.settings import Limits
from warmfork.channel import Channel, ChannelError
from warmfork.zygote import Zygote, wait_readable

__all__ = [
    "STARVED",
    "THREADS",
    "JudgeProcess",
    "Place",
    "Question",
    "StudentProcess",
    "message_limit",
]

#: Threads that a submission may have beside one for each process.
THREADS = 64
#: Megabytes that a fork may copy of what it has from others, whatever it does.
FORK_MB = 4
#: The part of a cell's time from which on waiting for a processor may have made the difference.
STARVED = 0.1


def message_limit(limits: Limits) -> int:
    """Return the bytes of the longest message from a student's process: outputs, escaped."""
    return 6 * limits.output_bytes + (1 << 20)


class StudentProcess:
    """A fork of the student's warm process, seen from the grader.

    Parameters
    ----------
    zygote : Zygote
        The warm process.
    arguments : mapping
        What the fork has to know of its folder, its limits and its level of protection.
    allowance : int
        How many processes it may start, where they are counted.
    group : ControlGroup, optional
        Bounds it with all that it starts.

    Raises
    ------
    SandboxError
        If it cannot confine itself.
    """

    def __init__(
        self,
        zygote: Zygote,
        arguments: Mapping[str, Any],
        allowance: int,
        group: ControlGroup | None = None,
    ):
        self.zygote = zygote
        self.has_own_folder = arguments["level"] == "namespaces"
        self.most_tasks = allowance + THREADS
        self.most_memory = (arguments["limits"]["memory_mb"] + FORK_MB * allowance) << 20
        self.group = group
        self._kills_before = group.memory_kills() if group else 0
        self.end_of_it: ProcessEnd | None = None
        self._limits = Limits(**arguments["limits"])
        # Where no sandbox keeps it in its group, a process may leave it.
        self._is_weak = arguments["level"] in ("none", "rlimits")
        self._forks: Forks | None = None
        self._pipes: dict[int, str] = {}
        ours, theirs = socket.socketpair()
        ours.settimeout(10.0)
        self.channel = Channel(ours, message_limit(self._limits))
        with theirs:
            self.pid = self._fork(arguments, theirs)
        try:
            message, descriptors = self.channel.receive()
        except (EOFError, OSError, ChannelError) as error:
            message, descriptors = {"say": "failed", "why": str(error)}, []
        if message.get("say") != "ready":
            self.end()
            raise SandboxError(str(message.get("why")))
        #: What is heard beside the channels: pipes, and who asks for processes.
        self._attended: list[Any] = [*self._pipes]
        if descriptors:
            self._forks = Forks(descriptors[0], allowance)
            self._attended.append(self._forks)

    def _fork(self, arguments: Mapping[str, Any], theirs: socket.socket) -> int:
        pipes = [os.pipe(), os.pipe()]
        self._pipes = {pipes[0][0]: "stdout", pipes[1][0]: "stderr"}
        for descriptor in self._pipes:
            os.set_blocking(descriptor, False)
        try:
            return self.zygote.fork(
                "fastgrade.engine.student_process:main",
                arguments,
                [theirs.fileno(), pipes[0][1], pipes[1][1]],
                groups=self.group.descriptors if self.group else (),
                isolated=self.has_own_folder,
            )
        except BaseException:
            self._close()
            raise
        finally:
            for _, writer in pipes:
                os.close(writer)

    @property
    def is_alive(self) -> bool:
        """Whether nobody has ended it; of one that has ended itself this is found out later."""
        return self.end_of_it is None

    @property
    def has_used_too_much(self) -> bool:
        """Whether the kernel has ended a process of it for want of memory that it may use."""
        return self.group is not None and self.group.memory_kills() > self._kills_before

    @property
    def was_refused(self) -> bool:
        """Whether it has asked for more processes or threads than it may have."""
        if self._forks is not None and self._forks.refused:
            return True
        return self.group is not None and self.group.refused_tasks() > 0

    def waited(self) -> float:
        """Return the seconds for which it has waited for a processor that others had."""
        if not self.is_alive:
            return 0.0
        own = self.group.throttled() if self.group else 0.0
        return self.zygote.delay(self.pid) - own

    def dismiss(self) -> None:
        """Hang up: no more cells; the forks that wait where tests stand live on."""
        self.channel.close()

    def attend(self, channels: Sequence[Channel], seconds: float) -> list[Channel]:
        """Wait for something to be said, and allow processes meanwhile; return who has spoken.

        What C code prints ends the wait, too, and is there for `drain`.
        """
        ready = wait_readable([*channels, *(self._attended if self.is_alive else ())], seconds)
        for one in [one for one in self._attended if one in ready and not ready[one]]:
            self._attended.remove(one)  # nobody is left there, which would end every wait at once
        if self._forks is not None and ready.get(self._forks):
            self._forks.answer()
        return [channel for channel in channels if channel in ready]

    def drain(self, outputs: Outputs) -> None:
        """Take in what C code has printed."""
        for descriptor, name in self._pipes.items() if self.is_alive else ():
            with contextlib.suppress(BlockingIOError):
                for _ in range(64):  # it may print faster than anybody reads
                    chunk = os.read(descriptor, 65536)
                    if not chunk:
                        break
                    text = chunk.decode("utf-8", "replace")
                    outputs.take({"say": "stream", "content": {"name": name, "text": text}})

    def end(self, reason: ProcessEnd | None = None) -> ProcessEnd:
        """End the process with all that it started, for a reason or to learn how it has ended."""
        if self.end_of_it is not None:
            return self.end_of_it
        self.end_of_it = reason or ProcessEnd(Ending.KILLED, "was ended")
        if self._forks is not None:
            self._forks.close()
        ended = self.zygote.end(self.pid, sweep=self._is_weak)
        self._close()
        if reason is None and self.has_used_too_much:
            reason = ProcessEnd.by_use(Ending.MEMORY, self._limits)
        self.end_of_it = reason or ProcessEnd.by_status(ended.status, self._limits, ended.seconds)
        return self.end_of_it

    def _close(self) -> None:
        self.channel.close()
        for descriptor in self._pipes:
            os.close(descriptor)


@dataclass
class Question:
    """A test and the fork of the student's process that waits for it.

    Parameters
    ----------
    cell : Cell
        The test.
    count : int
        Its execution count.
    last : bool
        Whether it is the last one in its place.
    silent : bool
        Whether what the answer prints may tell of a hidden test.
    asked : bool
        Whether its time has come.
    """

    cell: Cell
    count: int
    last: bool
    channel: Channel | None = None
    link: socket.socket | None = None
    silent: bool = False
    asked: bool = False

    def close(self) -> None:
        """Hang up on the fork."""
        for end in (self.channel, self.link):
            if end is not None:
                end.close()
        self.channel = self.link = None


@dataclass
class Place:
    """A fork of the student's process that stays where tests stand.

    It forks for each of them, and serves the last one itself.
    """

    questions: list[Question]
    channel: Channel | None = None

    def close(self) -> None:
        """Hang up on the fork and on its own."""
        if self.channel is not None:
            self.channel.close()
            self.channel = None
        for question in self.questions:
            question.close()


class JudgeProcess:
    """A fork of the judge's warm process.

    Parameters
    ----------
    zygote : Zygote
        The warm process.
    arguments : mapping
        As for a `StudentProcess`.
    group : ControlGroup, optional
        Bounds it.
    """

    def __init__(
        self, zygote: Zygote, arguments: Mapping[str, Any], group: ControlGroup | None = None
    ):
        self.zygote = zygote
        ours, theirs = socket.socketpair()
        self.channel = Channel(ours)
        try:
            self.pid = zygote.fork(
                "fastgrade.engine.judge_process:main",
                arguments,
                [theirs.fileno()],
                groups=group.descriptors if group else (),
            )
        finally:
            theirs.close()
        self.is_ready = self.has_tested = False

    def ask(self, request: Mapping[str, Any], seconds: float) -> dict[str, Any] | None:
        """Send a request that involves no student; return the reply, None if none has come."""
        try:
            self.channel.send(request)
            if wait_readable([self.channel], seconds):
                return self.channel.receive()[0]
        except (OSError, EOFError, ChannelError):
            pass
        return None

    def await_ready(self) -> None:
        """Wait until the process has confined itself.

        Raises
        ------
        SandboxError
            If it could not.
        """
        try:
            message, _ = self.channel.receive()
        except (EOFError, ChannelError) as error:
            message = {"say": "failed", "why": str(error)}
        if message.get("say") != "ready":
            raise SandboxError(str(message.get("why")))
        self.is_ready = True

    def waited(self) -> float:
        """Return the seconds for which it has waited for a processor."""
        return self.zygote.delay(self.pid)

    def end(self) -> int:
        """End the process; return its wait status."""
        self.channel.close()
        return self.zygote.end(self.pid).status
