"""One question: a test in the judge against the fork of the student's process that waits for it."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from fastgrade.engine.judge_session import JudgeSession
from fastgrade.engine.outcomes import MachineError, Reply, TestOutcome
from fastgrade.engine.participants import JudgeProcess, Question, StudentProcess
from fastgrade.engine.scoring import Marks
from fastgrade.engine.student_session import GRACE, StudentSession
from fastgrade.engine.turns import Patience
from fastgrade.engine.usage import UsageWatch
from fastgrade.notebook.assignment import transformed
from fastgrade.notebook.outputs import Outputs
from fastgrade.notebook.submission import Cell, Rebuilt
from fastgrade.settings import Settings
from fastgrade.verdict import QuestionVerdict, Task
from warmfork.channel import Channel, ChannelError

__all__ = ["Examination"]


@dataclass
class _Asked:
    """A question that is being asked."""

    question: Question
    student: StudentProcess
    judge: JudgeProcess
    channel: Channel
    child: int
    outputs: Outputs
    is_heard_out: bool = False


class Examination:
    """Asks the questions of a submission, one at a time.

    Parameters
    ----------
    student : StudentSession
        Has the forks that answer.
    judge : JudgeSession
        Runs the tests.
    watch : UsageWatch
        Looks at what the answers use.
    marks : Marks
        Writes down what comes of it.
    rebuilt : Rebuilt
        The notebook.
    settings : Settings
        Those that hold for the assignment.
    deadline : float
        When the time of the whole submission is up.
    doubt : callable
        Is told of what may be no fault of the submission.
    task : Task
        What was handed in.
    """

    def __init__(
        self,
        student: StudentSession,
        judge: JudgeSession,
        watch: UsageWatch,
        marks: Marks,
        rebuilt: Rebuilt,
        settings: Settings,
        deadline: float,
        doubt: Callable[[str], None],
        task: Task,
    ):
        self._student = student
        self._judge = judge
        self._watch = watch
        self._marks = marks
        self._settings = settings
        self._deadline = deadline
        self._doubt = doubt
        self._task = task
        #: What tests have asked that no proxy can answer truthfully, by their names.
        self.unanswered: dict[str, str] = {}
        self._answers = "\n".join(c.code for c in rebuilt.cells if c.kind == "solution")

    def ask(self, question: Question) -> QuestionVerdict:
        """Return what comes of a test."""
        cell = question.cell
        self._judge.left_by_tests |= cell.binds
        judge = self._judge.ready()  # where none can be started, no answer is at fault
        student = self._student.for_tests()
        question.asked = True
        if student is None:
            return self._marks.unreached(cell)
        asked = self._connect(question, student, judge)
        if asked is None:
            if not student.was_refused:
                self._doubt("a process that was to answer a test is missing")
            return self._marks.student_failed(cell, "left no process to answer the test")
        deadline = min(time.monotonic() + self._settings.limits.cell_seconds, self._deadline)
        self._send(asked)
        patience = Patience(deadline)
        reply, message = self._await_verdict(asked, patience)
        if reply is Reply.TIMEOUT:
            more = self._student.doubt_of_time(patience.lateness, judge.waited())
            if more:
                reply, message = self._await_verdict(asked, Patience(time.monotonic() + more))
        if question.silent:
            asked.outputs.silence()
        if reply is Reply.TIMEOUT:
            return self._stopped(asked)
        if reply is Reply.OVER_LIMIT:
            self._judge.end()
            return self._marks.student_failed(cell, student.end().why)
        self._hear_out(asked)
        if question.silent:
            asked.outputs.silence()
        if reply is Reply.JUDGE_ENDED:
            return self._unjudged(asked)
        assert message is not None
        self._blame(cell, message)
        if message.get("unanswered"):
            return self._unanswered(cell, str(message["unanswered"]), asked.outputs)
        if TestOutcome(message["status"]) is TestOutcome.LOST:
            if not student.has_used_too_much:
                self._doubt("a process that answered a test has ended")
            why = "ended while the test called it: it crashed, left, or reached a limit"
            return self._marks.student_failed(cell, why)
        verdict = self._marks.judged(cell, message, asked.outputs)
        if message.get("shared") and not verdict.passed:
            self._share(cell, message["shared"])
        aliased = tuple(message.get("aliased") or ())
        return replace(verdict, aliased=aliased, looked=message["looked"] is True)

    def _blame(self, cell: Cell, message: dict[str, Any]) -> None:
        """Tell what no answer is to blame for.

        A test that errs for an answer and not for the solution is the answer's, unless the machine
        has run out of something; where it errs for the solution, that is what is to be told.

        Raises
        ------
        MachineError
            If that keeps the test from running.
        """
        fault, missing = message.get("fault"), message.get("missing")
        if missing in self._judge.unbound:
            fault = f"a setup cell failed in the judge: {self._judge.unbound[missing]}"
            message["message"] = f"{message['message']} ({fault})"
            message["exhausted"] = True
        if not fault or self._task.solution == "itself":
            return
        if self._task.solution == "unknown" or message.get("exhausted"):
            raise MachineError(f"the test {cell.grade_id!r} cannot run here: {fault}")

    def _unanswered(self, cell: Cell, why: str, outputs: Outputs) -> QuestionVerdict:
        """Fail a test that cannot look at what an answer has returned, for now."""
        self.unanswered[cell.grade_id] = why
        if cell.hidden or self._settings.mode == "judge":
            self._marks.flag_test(cell, f"A test could not look at what it got: {why}")
        told = "the test could not look at what your code returned: return plain data"
        return self._marks.failed(cell, "UnansweredError", told if cell.hidden else why, outputs)

    def _share(self, cell: Cell, names: list[str]) -> None:
        """Note that in a notebook the answer would read what the test binds."""
        why = f"the answer reads {names[0]}, which a test binds"
        self.unanswered[cell.grade_id] = why
        if cell.hidden or self._settings.mode == "judge":
            self._marks.flag_test(cell, f"A test has failed and might not in a notebook: {why}")

    def _connect(
        self, question: Question, student: StudentProcess, judge: JudgeProcess
    ) -> _Asked | None:
        """Find the fork that waits for a question, None if there is none."""
        channel, deadline = question.channel, time.monotonic() + 5.0
        while channel is not None and (now := time.monotonic()) < deadline:
            try:
                messages = channel.feed() if student.attend([channel], deadline - now) else []
            except (EOFError, ChannelError):
                return None
            student.drain(Outputs(0, 0))
            for message in messages:
                child = message.get("pid")
                if message.get("say") == "forked" and type(child) is int:
                    outputs = self._student.outputs(question.count, of_test=True)
                    return _Asked(question, student, judge, channel, child, outputs)
        return None

    def _send(self, asked: _Asked) -> None:
        cell, link = asked.question.cell, asked.question.link
        assert link is not None
        request = {
            "do": "test",
            "code": transformed(cell.code),
            "hidden": self._first_hidden_line(cell),
            "names": list(cell.names),
            "perhaps": sorted(cell.reads - cell.binds - set(cell.names)),
            "scores": cell.grade_id in self._task.scoring,
            "looks": self._looks(cell),
            "imported": sorted(cell.imported),
            "instructors": sorted(self._judge.left_by_tests | self._judge.unbound.keys()),
            "answers": self._answers if cell.hidden else None,
        }
        asked.judge.has_tested = True
        asked.judge.channel.send(request, [link.fileno()])
        link.close()

    def _looks(self, cell: Cell) -> bool | None:
        """Whether a test looks into objects of the solution; None where that is not known."""
        known = {"itself": True, "passes": cell.grade_id in self._task.looking}
        return known.get(self._task.solution)

    def _first_hidden_line(self, cell: Cell) -> int | None:
        for number, line in enumerate(cell.code.split("\n"), 1):
            if cell.hidden and self._settings.hidden_begin in line:
                return number
        return None

    def _await_verdict(
        self, asked: _Asked, patience: Patience
    ) -> tuple[Reply, dict[str, Any] | None]:
        """Wait for the judge, and take in what the answer prints meanwhile."""
        student, judge, channel = asked.student, asked.judge, asked.channel
        channels = [judge.channel] if asked.is_heard_out else [judge.channel, channel]
        for seconds in patience:
            spoken = student.attend(channels, seconds)
            excess = self._watch.excess(student) if student.is_alive else None
            if excess is not None:
                student.end(excess)
                return Reply.OVER_LIMIT, None
            if channel in spoken and not _hear(channel, asked.outputs):
                asked.is_heard_out = True
                channels.remove(channel)
            student.drain(asked.outputs)
            if judge.channel in spoken:
                try:
                    return Reply.VERDICT, judge.channel.receive()[0]
                except (EOFError, ChannelError, OSError):
                    return Reply.JUDGE_ENDED, None
        return Reply.TIMEOUT, None

    def _stopped(self, asked: _Asked) -> QuestionVerdict:
        """End an answer that takes too long."""
        student, cell = asked.student, asked.question.cell
        if not student.zygote.end_child(student.pid, asked.child):
            student.end()
        reply, _ = self._await_verdict(asked, Patience(time.monotonic() + GRACE))
        if asked.question.silent:
            asked.outputs.silence()
        if reply is not Reply.VERDICT:
            self._judge.end()
        why = f"took longer than {self._settings.limits.cell_seconds:g} s"
        self._marks.flag(f"The answer to {cell.grade_id!r} {why}.")
        return self._marks.failed(cell, "TimeoutError", f"your code {why}", asked.outputs)

    def _unjudged(self, asked: _Asked) -> QuestionVerdict:
        """Fail a question whose answer the judge has not survived."""
        cell = asked.question.cell
        if self._judge.end() & 0x7F == signal.SIGKILL:  # nothing in the sandbox can send it
            raise MachineError("the judge was killed from outside, perhaps for want of memory")
        self._marks.flag(f"The judge of the question {cell.grade_id!r} ended unexpectedly.")
        why = "the test could not cope with what your code returned"
        return self._marks.failed(cell, "RuntimeError", why, asked.outputs)

    def _hear_out(self, asked: _Asked) -> None:
        """Take in the last words of a question's process, which knows that the judge hung up."""
        student, channel = asked.student, asked.channel
        deadline = time.monotonic() + (0.0 if asked.is_heard_out else 0.5)
        while (now := time.monotonic()) < deadline:
            spoken = student.attend([channel], deadline - now)
            student.drain(asked.outputs)
            if spoken and not _hear(channel, asked.outputs):
                asked.is_heard_out = True
                break
        if student.is_alive and not asked.is_heard_out:
            student.zygote.end_child(student.pid, asked.child)
        student.drain(asked.outputs)


def _hear(channel: Channel, outputs: Outputs) -> bool:
    """Take in outputs of a question; return whether there may be more."""
    try:
        for message in channel.feed():
            if message.get("say") == "bye":
                return False
            outputs.take(message)
    except (EOFError, ChannelError):
        return False
    return True
