"""How processes, cells and tests end: what happens next is decided by one of these.

A reason belongs to what it is the reason of. It is found out where that ends, and kept there.
"""

from __future__ import annotations

import contextlib
import signal
from dataclasses import dataclass
from enum import Enum

from fastgrade.notebook.outputs import Outputs
from fastgrade.settings import Limits

__all__ = [
    *("CellOutcome", "CellRun", "DisturbedError", "Ending", "MachineError", "ProcessEnd", "Reply"),
    "TestOutcome",
]


class MachineError(RuntimeError):
    """A submission could not be graded for a reason that it has no part in.

    A test that cannot be loaded, a full disk, a judge that the system ended: that is no verdict,
    and no zero.
    """


class DisturbedError(RuntimeError):
    """A submission may have failed for what else was going on: it is to be graded again, alone."""


class Ending(Enum):
    """What has ended a student's process."""

    DISK = "it used too much disk"
    MEMORY = "it used too much memory"
    THREADS = "it started too many threads"
    PROCESSOR_TIME = "it used too much processor time"
    FILE_SIZE = "it wrote too large a file"
    KILLED = "it was killed, by the grader or at a limit"
    CRASHED = "a signal"
    LEFT = "itself"


@dataclass(frozen=True)
class ProcessEnd:
    """The end of a student's process.

    Parameters
    ----------
    ending : Ending
        What has ended it.
    why : str
        The same for the student, as it follows "your code".
    """

    ending: Ending
    why: str

    @property
    def may_be_innocent(self) -> bool:
        """Whether something else on the machine may have ended it."""
        return self.ending is Ending.KILLED

    @classmethod
    def by_use(cls, ending: Ending, limits: Limits) -> ProcessEnd:
        """Return the end of a process that has used too much disk, memory or threads."""
        if ending is Ending.THREADS:
            return cls(ending, "started too many threads")
        amount, what = {
            Ending.DISK: (limits.disk_mb, "disk"),
            Ending.MEMORY: (limits.memory_mb, "memory"),
        }[ending]
        return cls(ending, f"used more than {amount} MB of {what}")

    @classmethod
    def by_status(cls, status: int, limits: Limits, seconds: float = 0.0) -> ProcessEnd:
        """Return the end that a wait status and the processor time used tell of.

        >>> ProcessEnd.by_status(6, Limits()).why
        'crashed (SIGABRT)'
        """
        number = status & 0x7F
        if number == signal.SIGXCPU or (number == signal.SIGKILL and seconds >= limits.cpu_seconds):
            why = f"used more than {limits.cpu_seconds} s of processor time"
            return cls(Ending.PROCESSOR_TIME, why)
        if number == signal.SIGXFSZ:
            return cls(Ending.FILE_SIZE, "wrote a file that is too large")
        if number == signal.SIGKILL:
            return cls(Ending.KILLED, "was ended: it stopped answering or reached a limit")
        if number:
            with contextlib.suppress(ValueError):
                return cls(Ending.CRASHED, f"crashed ({signal.Signals(number).name})")
        return cls(Ending.LEFT, "ended by itself")


class CellOutcome(Enum):
    """What has become of a cell that runs in the student's process."""

    DONE = "it ran to its end, or to an error"
    INTERRUPTED = "it was stopped at its limit of time"
    ENDED = "its process has ended"
    UNREACHED = "there was no time for it"


@dataclass(frozen=True)
class CellRun:
    """A cell that has run, or not.

    Parameters
    ----------
    outcome : CellOutcome
        What has become of it.
    outputs : Outputs
        What it has printed and displayed.
    why : str
        For the student, as it follows "the cell"; empty of one that is done.
    """

    outcome: CellOutcome
    outputs: Outputs
    why: str = ""


class Reply(Enum):
    """What a wait for the judge's verdict has come to."""

    VERDICT = "there is one"
    JUDGE_ENDED = "the judge has ended"
    TIMEOUT = "there was none in time"
    OVER_LIMIT = "the student's processes used too much"


class TestOutcome(Enum):
    """What a test, or a setup cell in the judge, has come to; its value is what the judge sends."""

    __test__ = False  # not a test, whatever pytest thinks of its name

    OK = "ok"
    ERROR = "error"
    LOST = "lost"
