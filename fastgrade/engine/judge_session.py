"""The judge's side of a submission: a process that has run the instructor's statements so far."""

from __future__ import annotations

from collections.abc import Callable

from fastgrade.engine.outcomes import MachineError, TestOutcome
from fastgrade.engine.participants import JudgeProcess
from fastgrade.notebook.assignment import bound_names

__all__ = ["JudgeSession"]


class JudgeSession:
    """Keeps a judge ready, and starts another one where it has ended.

    Parameters
    ----------
    start : callable
        Starts a judge's process.
    cell_seconds : float
        Wall time of a setup cell.
    is_known : bool
        Whether the instructor's solution says which tests can do without a setup cell that fails.
    """

    def __init__(
        self, start: Callable[[], JudgeProcess], cell_seconds: float, is_known: bool = False
    ):
        self._start = start
        self._cell_seconds = cell_seconds
        self._is_known = is_known
        self._prepared: list[str] = []
        self.process: JudgeProcess | None = None
        #: Names that tests were to bind, and setup cells that such names were missing in.
        self.left_by_tests: set[str] = set()
        #: Names that setup cells could not bind here, each with the reason.
        self.unbound: dict[str, str] = {}

    def warm_up(self) -> None:
        """Start a process, which gets ready while nobody needs it."""
        self.process = self._start()

    def ready(self) -> JudgeProcess:
        """Return a process that has run all statements so far."""
        if self.process is None:
            self.process = self._start()
        if not self.process.is_ready:
            self.process.await_ready()
            for code in self._prepared:
                self._run(self.process, code)
        return self.process

    def prepare(self, code: str) -> None:
        """Run statements of a setup cell, now and in every process to come."""
        self._prepared.append(code)
        if self.process is not None and self.process.is_ready:
            self._run(self.process, code)

    def _run(self, process: JudgeProcess, code: str) -> None:
        """Run a setup cell's statements, whatever answers have made of the judge before."""
        reply = process.ask({"do": "prepare", "code": code}, self._cell_seconds)
        if reply is None:
            self.end()
        elif TestOutcome(reply["status"]) is TestOutcome.OK:
            return
        elif reply["missing"] in self.left_by_tests:
            # A test before has failed. In a notebook this cell fails too, and whoever needs it.
            self.left_by_tests |= bound_names(code)
            return
        if process.has_tested:
            # What answers have returned may be to blame: a judge that has seen none decides.
            self.end()
            self.ready()
        elif self._is_known:
            why = "it did not finish" if reply is None else reply["why"]
            self.unbound |= dict.fromkeys(bound_names(code), why)
        elif reply is None:
            raise MachineError("a setup cell of the instructor did not finish in the judge")
        else:
            raise MachineError(
                f"a setup cell of the instructor failed in the judge: {reply['why']}"
            )

    def end(self) -> int:
        """End the process; return its wait status."""
        process, self.process = self.process, None
        return 0 if process is None else process.end()
