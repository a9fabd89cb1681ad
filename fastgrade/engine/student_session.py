"""The student's side of a submission: its cells run in their order, and stay where tests stand.

A process that ends costs the cell that has ended it. The next one starts anew, runs the cells
before without it, and goes on.
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable
from enum import Enum, auto

from fastgrade.engine.outcomes import CellOutcome, CellRun
from fastgrade.engine.participants import (
    STARVED,
    Place,
    Question,
    StudentProcess,
    message_limit,
)
from fastgrade.engine.turns import Patience
from fastgrade.engine.usage import UsageWatch
from fastgrade.notebook.outputs import Outputs
from fastgrade.notebook.submission import Cell
from fastgrade.settings import Limits
from warmfork.channel import Channel, ChannelError

__all__ = ["GRACE", "StudentSession"]

#: Seconds that a process gets to react before it is ended.
GRACE = 2.0
#: Cells that may print as much as one may; all of a notebook together print no more than these.
_LOUD_CELLS = 4


#: Times of a cell that one gets on top, at most, where others have had its time.
_MOST_ON_TOP = 4


class _Heard(Enum):
    DONE = auto()
    PROCESS_ENDED = auto()
    TIMEOUT = auto()


class StudentSession:
    """Runs the cells of a submission, and has forks wait for its tests.

    Parameters
    ----------
    start : callable
        Starts a student's process in a new folder.
    watch : UsageWatch
        Looks at what it uses.
    limits : Limits
        What it may use.
    deadline : float
        When the time of the whole submission is up.
    doubt : callable
        Is told of what may be no fault of the submission.
    """

    def __init__(
        self,
        start: Callable[[], StudentProcess],
        watch: UsageWatch,
        limits: Limits,
        deadline: float,
        doubt: Callable[[str], None],
    ):
        self._start = start
        self._watch = watch
        self._limits = limits
        self._deadline = deadline
        self._doubt = doubt
        self._process: StudentProcess | None = None
        self._log: list[tuple[Cell, int] | Place] = []
        self._outputs: list[Outputs] = []

    def outputs(self, count: int, of_test: bool = False) -> Outputs:
        """Return what takes in the outputs of a cell, as far as the notebook has room for them."""
        used = sum(outputs.used for outputs in self._outputs)
        cap = min(self._limits.output_bytes, _LOUD_CELLS * self._limits.output_bytes - used)
        outputs = Outputs(max(0, cap), count, of_test=of_test)
        self._outputs.append(outputs)
        return outputs

    def restart(self) -> None:
        """Forget all cells so far: the next one runs in a new process."""
        self.close()
        self._process, self._log, self._outputs = None, [], []

    def ready(self) -> StudentProcess | None:
        """Return a process in which all cells so far have run, None if there is no time for it."""
        if self._process is not None and self._process.is_alive:
            return self._process
        while True:
            self._process = self._start()
            if self._repeat(self._process):
                return self._process
            if time.monotonic() >= self._deadline:
                return None

    def _repeat(self, process: StudentProcess) -> bool:
        """Run the cells so far in a new process; return whether it has survived that."""
        for entry in list(self._log):
            if isinstance(entry, Place):
                self._stay(process, entry)
            elif self._execute(process, *entry).outcome is CellOutcome.ENDED:
                self._log.remove(entry)  # it ran before, and does not now
                return False
        return True

    def doubt_of_time(self, lateness: float = 0.0, waited: float = 0.0) -> float:
        """Doubt that the submission itself has used the time that has passed.

        Parameters
        ----------
        lateness : float
            Seconds by which the grader has looked too late.
        waited : float
            Seconds for which its judge has waited for a processor.

        Returns
        -------
        float
            Seconds that it gets on top if it is alone already, and others have had its time.
        """
        if self._process is not None:
            waited = max(waited, self._process.waited())
        lost, seconds = max(lateness, waited), self._limits.cell_seconds
        if lost <= STARVED * seconds:
            return 0.0
        self._doubt("it had to wait for a processor, or the grader did")
        return min(lost, _MOST_ON_TOP * seconds)

    def run(self, cell: Cell, count: int) -> CellRun:
        """Run a cell."""
        process = self.ready()
        if process is None:
            return CellRun(CellOutcome.UNREACHED, self.outputs(count))
        run = self._execute(process, cell, count)
        if run.outcome is not CellOutcome.ENDED:
            self._log.append((cell, count))
        return run

    def hold(self, question: Question) -> None:
        """Have a fork of the process wait for a question, in the state of this place."""
        process = self.ready()
        if process is None:
            return
        last = self._log[-1] if self._log else None
        if isinstance(last, Place):
            last.questions.append(question)
            self._wait_in(last, question)
        else:
            place = Place([question])
            self._log.append(place)
            self._stay(process, place)

    def for_tests(self) -> StudentProcess | None:
        """Return a process that runs no more cells, and whose forks wait for their tests.

        The last cell, or a test, may have ended it, and all that waited.
        """
        process = self.ready()
        if process is not None:
            process.dismiss()
        return process

    def _stay(self, process: StudentProcess, place: Place) -> None:
        """Fork the process for a place. Nobody waits for that: cells may go on."""
        place.close()
        waiting = [question for question in place.questions if not question.asked]
        if not waiting:
            return
        ours, theirs = socket.socketpair()
        place.channel = Channel(ours)
        with theirs, contextlib.suppress(OSError):  # a process that has ended is found out later
            process.channel.send({"do": "hold"}, [theirs.fileno()])
        for question in waiting:
            self._wait_in(place, question)

    def _wait_in(self, place: Place, question: Question) -> None:
        """Have the fork in a place fork for a question; its fork waits for the judge."""
        assert place.channel is not None
        tested, question.link = socket.socketpair()
        said, saying = socket.socketpair()
        said.settimeout(10.0)
        question.channel = Channel(said, message_limit(self._limits))
        with tested, saying, contextlib.suppress(OSError):
            request = {"do": "question", "last": question.last}
            place.channel.send(request, [tested.fileno(), saying.fileno()])

    def _execute(self, process: StudentProcess, cell: Cell, count: int) -> CellRun:
        outputs = self.outputs(count)
        request = {
            "do": "run",
            "code": cell.code,
            "count": count,
            "instructor": cell.kind == "setup",
        }
        try:
            process.channel.send(request)
        except OSError:
            return self._ended(process, outputs)
        deadline = min(time.monotonic() + self._limits.cell_seconds, self._deadline)
        patience = Patience(deadline)
        heard = self._listen(process, outputs, patience)
        if heard is _Heard.TIMEOUT and (more := self.doubt_of_time(patience.lateness)):
            heard = self._listen(process, outputs, Patience(time.monotonic() + more))
        if heard is _Heard.DONE:
            return CellRun(CellOutcome.DONE, outputs)
        if heard is _Heard.PROCESS_ENDED:
            return self._ended(process, outputs)
        process.zygote.interrupt(process.pid)
        heard = self._listen(process, outputs, Patience(time.monotonic() + GRACE))
        outputs.error(
            "CellTimeoutError",
            "",
            ["\x1b[0;31mCellTimeoutError\x1b[0m: No reply from kernel before timeout"],
        )
        why = f"was stopped after {self._limits.cell_seconds:g} s"
        if heard is _Heard.DONE:
            return CellRun(CellOutcome.INTERRUPTED, outputs, why)
        process.end()
        return CellRun(CellOutcome.ENDED, outputs, why)

    def _ended(self, process: StudentProcess, outputs: Outputs) -> CellRun:
        end = process.end()
        if end.may_be_innocent:
            self._doubt("its process was killed")
        why = end.why
        text = f"The process of this notebook {why}."
        outputs.error("ProcessEnded", text, [f"\x1b[0;31mProcessEnded\x1b[0m: {text}"])
        return CellRun(CellOutcome.ENDED, outputs, why)

    def _listen(self, process: StudentProcess, outputs: Outputs, patience: Patience) -> _Heard:
        """Take in what the process sends until its cell is done."""
        for seconds in patience:
            spoken = process.attend([process.channel], seconds)
            excess = self._watch.excess(process)
            if excess is not None:
                process.end(excess)
                return _Heard.PROCESS_ENDED
            try:
                messages = process.channel.feed() if spoken else []
            except (EOFError, ChannelError):
                return _Heard.PROCESS_ENDED
            for message in messages:
                if message.get("say") == "done":
                    process.drain(outputs)
                    return _Heard.DONE
                outputs.take(message)
            process.drain(outputs)
        return _Heard.TIMEOUT

    def close(self) -> None:
        """End what still runs."""
        for entry in self._log:
            if isinstance(entry, Place):
                entry.close()
        if self._process is not None:
            self._process.end()
