"""The processes that take part in grading one submission, seen from the grader."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastgrade.notebook.outputs import Outputs
from fastgrade.notebook.submission import Cell
from fastgrade.sandbox import SandboxError
from fastgrade.sandbox.seccomp import Forks
from warmfork.channel import Channel, ChannelError
from warmfork.zygote import Zygote, wait_readable

__all__ = ["MESSAGE_LIMIT", "JudgeProcess", "Place", "Question", "StudentProcess"]

#: Bytes of the longest message from a student's process.
MESSAGE_LIMIT = 64 << 20


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

    Raises
    ------
    SandboxError
        If it cannot confine itself.
    """

    def __init__(self, zygote: Zygote, arguments: Mapping[str, Any], allowance: int):
        self.zygote = zygote
        # Where no sandbox keeps it in its group, a process may leave it.
        self._is_weak = arguments["level"] in ("none", "rlimits")
        self.forks: Forks | None = None
        self.pipes: dict[int, str] = {}
        self.dead = False
        ours, theirs = socket.socketpair()
        ours.settimeout(10.0)
        self.channel = Channel(ours, MESSAGE_LIMIT)
        pipes = [os.pipe(), os.pipe()]
        self.pipes = {pipes[0][0]: "stdout", pipes[1][0]: "stderr"}
        for descriptor in self.pipes:
            os.set_blocking(descriptor, False)
        try:
            self.pid = self.zygote.fork(
                "fastgrade.engine.student_process:main",
                arguments,
                [theirs.fileno(), pipes[0][1], pipes[1][1]],
            )
        except BaseException:
            ours.close()
            for descriptor in self.pipes:
                os.close(descriptor)
            raise
        finally:
            theirs.close()
            for _, writer in pipes:
                os.close(writer)
        try:
            message, descriptors = self.channel.receive()
        except (EOFError, OSError, ChannelError) as error:
            message, descriptors = {"say": "failed", "why": str(error)}, []
        if message.get("say") != "ready":
            self.end()
            raise SandboxError(str(message.get("why")))
        if descriptors:
            self.forks = Forks(descriptors[0], allowance)

    def dismiss(self) -> None:
        """Hang up: no more cells; the forks that wait where tests stand live on."""
        self.channel.close()

    def attend(self, channels: Sequence[Channel], seconds: float) -> list[Channel]:
        """Wait for something to be said, and allow processes meanwhile; return who has spoken.

        What C code prints ends the wait, too, and is there for `drain`.
        """
        waiting: list[Any] = [*channels]
        if not self.dead:
            waiting += self.pipes
            if self.forks is not None:
                waiting.append(self.forks)
        ready = wait_readable(waiting, seconds)
        if self.forks is not None and self.forks in ready:
            self.forks.answer()
        return [channel for channel in channels if channel in ready]

    def drain(self, outputs: Outputs) -> None:
        """Take in what C code has printed."""
        for descriptor, name in self.pipes.items() if not self.dead else ():
            with contextlib.suppress(BlockingIOError):
                for _ in range(64):  # it may print faster than anybody reads
                    chunk = os.read(descriptor, 65536)
                    if not chunk:
                        break
                    text = chunk.decode("utf-8", "replace")
                    outputs.take({"say": "stream", "content": {"name": name, "text": text}})

    def end(self) -> int:
        """End the process with all that it started; return its wait status."""
        if self.dead:
            return 0
        self.dead = True
        if self.forks is not None:
            self.forks.close()
        ended = self.zygote.end(self.pid, sweep=self._is_weak)
        self.channel.close()
        for descriptor in self.pipes:
            os.close(descriptor)
        return ended["status"]


@dataclass
class Question:
    """A test and the fork of the student's process that waits for it."""

    cell: Cell
    count: int
    last: bool
    channel: Channel | None = None
    link: socket.socket | None = None
    silent: bool = False

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
    """

    def __init__(self, zygote: Zygote, arguments: Mapping[str, Any]):
        self.zygote = zygote
        ours, theirs = socket.socketpair()
        self.channel = Channel(ours)
        try:
            self.pid = zygote.fork(
                "fastgrade.engine.judge_process:main", arguments, [theirs.fileno()]
            )
        finally:
            theirs.close()
        self.is_ready = self.has_tested = False

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

    def end(self) -> int:
        """End the process; return its wait status."""
        self.channel.close()
        return self.zygote.end(self.pid)["status"]
