"""Take one submission through: its cells, its questions, its limits.

`Conductor` forks a student's process and a judge, has the cells run in their order, connects the
two for each question, enforces the limits and writes down what came of it. It trusts the judge
and nothing that comes from the student's process.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path, PurePosixPath
from typing import Any

from fastgrade.engine.participants import (
    MESSAGE_LIMIT,
    JudgeProcess,
    Place,
    Question,
    StudentProcess,
)
from fastgrade.engine.scoring import Marks
from fastgrade.notebook.assignment import bound_names, transformed
from fastgrade.notebook.outputs import Outputs
from fastgrade.notebook.submission import Cell, Rebuilt
from fastgrade.sandbox import workdir
from fastgrade.sandbox.confine import unprivileged_identity
from fastgrade.settings import Settings
from fastgrade.verdict import QuestionVerdict, Task
from warmfork.channel import Channel, ChannelError
from warmfork.zygote import Zygote, ZygoteError, wait_readable

__all__ = ["Conductor", "MachineError"]

#: Seconds that a process gets to react before it is ended.
GRACE = 2.0
#: Seconds between looks at the disk and memory that a submission uses.
WATCH = 0.1
_numbers = itertools.count(os.getpid())


class MachineError(RuntimeError):
    """A submission could not be graded for a reason that it has no part in.

    A test that cannot be loaded, a full disk, a judge that the system ended: that is no verdict,
    and no zero.
    """


class Conductor:
    """One submission on its way through.

    Parameters
    ----------
    task : Task
        What was handed in.
    settings : Settings
        Those that hold for the assignment.
    rebuilt : Rebuilt
        The notebook to run; its cells receive their outputs.
    place : Path
        Where the folders of the processes are made.
    zygote : callable
        Returns the warm process ``"student"`` or ``"judge"`` for some settings.
    level : str
        The level of protection.
    """

    def __init__(
        self,
        task: Task,
        settings: Settings,
        rebuilt: Rebuilt,
        place: Path,
        zygote: Callable[[str, Settings], Zygote],
        level: str,
    ):
        self.zygote = zygote
        self.level = level
        self.task = task
        self.settings = settings
        self.rebuilt = rebuilt
        self.limits = settings.limits
        self.deadline = time.monotonic() + self.limits.total_seconds
        self.cells = [c for c in rebuilt.cells if c.kind == "test" or c.code.strip()]
        self.question_count = sum(cell.kind == "test" for cell in self.cells)
        number = next(_numbers)
        self.identity = unprivileged_identity(number)
        self.folder = place / f"student-{number}"
        self.judge_folder = place / f"judge-{number}"
        self._is_root = os.geteuid() == 0
        self._marks = Marks(rebuilt, settings)
        self._student: StudentProcess | None = None
        self._judge: JudgeProcess | None = None
        self._prepared: list[str] = []
        self._left_by_tests: set[str] = set()
        self._answers = "\n".join(c.code for c in rebuilt.cells if c.kind == "solution")
        self._log: list[tuple[Cell, int] | Place] = []
        self._out_of_time = False
        self._watched = 0.0
        self._why = ""
        self._folders: list[Path] = []

    def _arguments(self, folder: Path, identity: int) -> dict[str, Any]:
        """Return what a forked process has to know; makes its folder if there is none."""
        if folder not in self._folders:
            self._folders.append(folder)
            _write_files(folder, self.task.files, identity if self._is_root else None)
        return {
            "folder": str(folder),
            "limits": asdict(self.limits),
            "level": self.level,
            "identity": identity if self._is_root else None,
        }

    # ------------------------------------------------------------------ the walk

    def run(self) -> list[QuestionVerdict]:
        """Run all cells, then all questions; return the verdicts in the instructor's order.

        A question's process is forked in its place and waits until all cells have run: what an
        answer learns from a test can then no longer reach the output of any cell.
        """
        if self.question_count and self.settings.mode == "judge":
            self._judge = self._new_judge()  # it gets ready while the cells run
        verdicts: dict[str, QuestionVerdict] = {}
        questions: list[Question | str] = []
        following = itertools.zip_longest(self.cells, self.cells[1:])
        for count, (cell, next_cell) in enumerate(following, 1):
            target = self.rebuilt.notebook["cells"][cell.index]
            target["execution_count"] = count
            if time.monotonic() > self.deadline:
                self._give_up()
            if self._out_of_time:
                if cell.kind == "test":
                    verdicts[cell.grade_id] = self._marks.unreached(cell)
            elif cell.kind != "test":
                if cell.judge:
                    questions.append(cell.judge)
                target["outputs"] = self._cell(cell, count)
            elif self.settings.mode == "kernel":
                verdicts[cell.grade_id] = self._kernel_question(cell, count)
            else:
                last = next_cell is None or next_cell.kind != "test"
                question = Question(cell, count, last)
                questions.append(question)
                self._hold(question)
        if any(isinstance(entry, Place) for entry in self._log):
            self._student_ready()  # the last cell may have ended it, and all that waited
        if self._student is not None:
            self._student.dismiss()
        self._ask_all(questions, verdicts)
        return self._marks.in_order(verdicts)

    def _ask_all(
        self, events: Sequence[Question | str], verdicts: dict[str, QuestionVerdict]
    ) -> None:
        """Have the judge run visible tests, then hidden ones, each after what prepares it."""
        asked = [event for event in events if isinstance(event, Question)]
        in_order = any(
            earlier.cell.hidden and not later.cell.hidden and earlier.cell.binds & later.cell.reads
            for earlier, later in itertools.combinations(asked, 2)
        )
        rounds = [events]
        if not in_order:
            rounds = [
                [event for event in events if isinstance(event, str) or not event.cell.hidden],
                [event for event in asked if event.cell.hidden],
            ]
        seen_hidden = False
        for event in itertools.chain.from_iterable(rounds):
            if isinstance(event, str):
                self._prepare(event)
                continue
            if time.monotonic() > self.deadline:
                self._give_up()
            self._left_by_tests |= event.cell.binds
            seen_hidden = seen_hidden or event.cell.hidden
            event.silent = seen_hidden
            if self._out_of_time:
                verdict = self._marks.unreached(event.cell)
            else:
                verdict = self._question(event)
            verdicts[event.cell.grade_id] = verdict

    def skip(self) -> list[QuestionVerdict]:
        """Return verdicts on a submission in which there is nothing to run."""
        why = self.rebuilt.flags[0] if self.rebuilt.flags else "The submission has no cells."
        verdicts = {}
        for cell in self.rebuilt.cells:
            if cell.kind == "test":
                verdicts[cell.grade_id] = self._marks.failed(cell, "NothingToGrade", why)
        return self._marks.in_order(verdicts)

    def close(self) -> None:
        """End what still runs, and remove the folders."""
        try:
            for entry in self._log:
                if isinstance(entry, Place):
                    entry.close()
            for process in (self._student, self._judge):
                if process is not None:
                    process.end()
        finally:
            self._student = self._judge = None
            for folder in self._folders:
                with contextlib.suppress(OSError):
                    workdir.remove(folder)

    def _give_up(self) -> None:
        if not self._out_of_time:
            self._out_of_time = True
            self._marks.flag(
                f"The submission was stopped after {self.limits.total_seconds:g} s in all."
            )

    # ------------------------------------------------------------------ student cells

    def _student_ready(self) -> StudentProcess | None:
        """Return a student's process in which all cells so far have run."""
        if self._student is not None and not self._student.dead:
            return self._student
        if self.folder in self._folders:  # a new process starts in a new folder
            self._folders.remove(self.folder)
            workdir.remove(self.folder)
        arguments = self._arguments(self.folder, self.identity)
        allowance = self.limits.processes + self.question_count
        self._student = StudentProcess(self.zygote("student", self.settings), arguments, allowance)
        for entry in list(self._log):
            if isinstance(entry, Place):
                self._stay(entry)
            elif self._execute(*entry, Outputs(0, entry[1])) == "dead":
                self._log.remove(entry)  # it ran before, and does not now
                return self._student_ready() if time.monotonic() < self.deadline else None
        return self._student

    def _cell(self, cell: Cell, count: int) -> list[dict[str, Any]]:
        """Run a cell of the student or a setup cell; return its outputs."""
        outputs = Outputs(self.limits.output_bytes, count)
        if self._student_ready() is None:
            return []
        outcome = self._execute(cell, count, outputs)
        name = f"The cell {cell.grade_id!r}" if cell.grade_id else f"Code cell {count}"
        if outcome == "done":
            self._log.append((cell, count))
        else:
            self._marks.flag(f"{name} {self._why}.")
            if outcome == "interrupted":
                self._log.append((cell, count))
        if outputs.cut:
            self._marks.flag(f"{name} printed too much; its output was cut.")
        return outputs.finish()

    def _execute(self, cell: Cell, count: int, outputs: Outputs) -> str:
        """Run a cell; return ``"done"``, ``"interrupted"`` or ``"dead"``."""
        student = self._student
        assert student is not None
        request = {
            "do": "run",
            "code": cell.code,
            "count": count,
            "instructor": cell.kind == "setup",
        }
        try:
            student.channel.send(request)
        except OSError:
            return self._bury(outputs)
        deadline = min(time.monotonic() + self.limits.cell_seconds, self.deadline)
        outcome = self._listen(student, outputs, deadline)
        if outcome == "done":
            return "done"
        if outcome == "timeout":
            self._why = f"was stopped after {self.limits.cell_seconds:g} s"
            student.zygote.interrupt(student.pid)
            outcome = self._listen(student, outputs, time.monotonic() + GRACE)
            outputs.error(
                "CellTimeoutError",
                "",
                ["\x1b[0;31mCellTimeoutError\x1b[0m: No reply from kernel before timeout"],
            )
            if outcome == "done":
                return "interrupted"
            student.end()
            return "dead"
        return self._bury(outputs)

    def _bury(self, outputs: Outputs) -> str:
        """Find out why the student's process has ended, and say so."""
        assert self._student is not None
        given = self._why if self._why.startswith("used") else ""
        status = self._student.end()
        self._why = given or _cause(status, self.limits.cpu_seconds)
        text = f"The process of this notebook {self._why}."
        outputs.error("ProcessEnded", text, [f"\x1b[0;31mProcessEnded\x1b[0m: {text}"])
        return "dead"

    def _listen(self, student: StudentProcess, outputs: Outputs, deadline: float) -> str:
        """Take in what the student's process sends until its cell is done."""
        while (now := time.monotonic()) < deadline:
            spoken = student.attend([student.channel], min(deadline - now, WATCH))
            if not self._within_bounds(student):
                return "dead"
            try:
                messages = student.channel.feed() if spoken else []
            except (EOFError, ChannelError):
                return "dead"
            for message in messages:
                if message.get("say") == "done":
                    student.drain(outputs)
                    return "done"
                outputs.take(message)
            student.drain(outputs)
        return "timeout"

    def _within_bounds(self, student: StudentProcess) -> bool:
        """Look now and then at what the submission uses of disk and memory.

        Raises
        ------
        ZygoteError
            If the warm process is gone: what the submission has started may live on, and hold its
            channels open until its time is up.
        """
        now = time.monotonic()
        if now - self._watched < WATCH:
            return True
        self._watched = now
        if student.zygote.has_hung_up():
            raise ZygoteError("the warm process has ended")
        used = workdir.usage(self.folder, self.limits.disk_mb << 20)
        if used > self.limits.disk_mb << 20:
            self._why = f"used more than {self.limits.disk_mb} MB of disk"
            return False
        if student.forks is not None and student.forks.granted > self.question_count:
            memory = student.zygote.usage(student.pid)["rss"]
            if memory > self.limits.memory_mb << 20:
                self._why = f"used more than {self.limits.memory_mb} MB of memory"
                return False
        return True

    # ------------------------------------------------------------------ questions

    def _prepare(self, code: str) -> None:
        if self.settings.mode == "kernel":
            return
        self._prepared.append(code)
        if self._judge is not None and self._judge.is_ready:
            self._run_in_judge(code)

    def _run_in_judge(self, code: str) -> None:
        """Run a setup cell's statements in the judge, whatever answers have made of it before."""
        judge = self._judge
        assert judge is not None
        reply = self._ask_judge({"do": "prepare", "code": code}, (), self.limits.cell_seconds)
        if reply is not None and reply["status"] == "ok":
            return
        if reply is not None and reply["missing"] in self._left_by_tests:
            # A test before has failed. In a notebook this cell fails too, and whoever needs it.
            self._left_by_tests |= bound_names(code)
        elif judge.has_tested:
            # What answers have returned may be to blame: a judge that has seen none decides.
            self._end_judge()
            self._judge_ready()
        elif reply is None:
            raise MachineError("a setup cell of the instructor did not finish in the judge")
        else:
            raise MachineError(
                f"a setup cell of the instructor failed in the judge: {reply['why']}"
            )

    def _new_judge(self) -> JudgeProcess:
        arguments = self._arguments(self.judge_folder, self.identity + 1_000)
        return JudgeProcess(self.zygote("judge", self.settings), arguments)

    def _judge_ready(self) -> JudgeProcess:
        judge = self._judge
        if judge is None:
            judge = self._judge = self._new_judge()
        if not judge.is_ready:
            judge.await_ready()
            for code in self._prepared:
                self._run_in_judge(code)
        return judge

    def _ask_judge(
        self, request: Mapping[str, Any], descriptors: Sequence[int], seconds: float
    ) -> dict[str, Any] | None:
        """Send a request that involves no student; return the reply or None."""
        judge = self._judge
        assert judge is not None
        try:
            judge.channel.send(request, descriptors)
            if wait_readable([judge.channel], seconds):
                return judge.channel.receive()[0]
        except (OSError, EOFError, ChannelError):
            pass
        self._end_judge()
        return None

    def _end_judge(self) -> int:
        """End the judge; return its wait status."""
        judge, self._judge = self._judge, None
        return 0 if judge is None else judge.end()

    def _hold(self, question: Question) -> None:
        """Have a fork of the student's process wait for a question, in the state of this place."""
        if self._student_ready() is None:
            return
        last = self._log[-1] if self._log else None
        if isinstance(last, Place):
            last.questions.append(question)
            self._wait_in(last, question)
        else:
            self._log.append(Place([question]))
            self._stay(self._log[-1])

    def _stay(self, place: Place) -> None:
        """Fork the student's process for a place. Nobody waits for that: cells may go on."""
        student = self._student
        assert student is not None
        place.close()
        ours, theirs = socket.socketpair()
        place.channel = Channel(ours)
        with theirs, contextlib.suppress(OSError):  # a process that has ended is found out later
            student.channel.send({"do": "hold"}, [theirs.fileno()])
        for question in place.questions:
            self._wait_in(place, question)

    def _wait_in(self, place: Place, question: Question) -> None:
        """Have the fork in a place fork for a question; its fork waits for the judge."""
        assert place.channel is not None
        tested, question.link = socket.socketpair()
        said, saying = socket.socketpair()
        said.settimeout(10.0)
        question.channel = Channel(said, MESSAGE_LIMIT)
        with tested, saying, contextlib.suppress(OSError):
            request = {"do": "question", "last": question.last}
            place.channel.send(request, [tested.fileno(), saying.fileno()])

    def _question(self, question: Question) -> QuestionVerdict:
        """Have the judge run a test against the fork that waits for it."""
        cell = question.cell
        judge = self._judge_ready()  # where none can be started, no answer is at fault
        student, channel, link = self._student, question.channel, question.link
        if student is None or student.dead or channel is None or link is None:
            return self._unanswered(cell)
        pid = self._await_fork(student, channel, time.monotonic() + 5.0)
        if pid is None:
            return self._unanswered(cell)
        deadline = min(time.monotonic() + self.limits.cell_seconds, self.deadline)
        outputs = Outputs(self.limits.output_bytes, question.count, of_test=True)
        request = {
            "do": "test",
            "code": transformed(cell.code),
            "hidden": self._first_hidden_line(cell),
            "names": list(cell.names),
            "perhaps": sorted(cell.reads - cell.binds - set(cell.names)),
            "instructors": sorted(self._left_by_tests),
            "answers": self._answers if cell.hidden else None,
        }
        judge.has_tested = True
        judge.channel.send(request, [link.fileno()])
        link.close()
        outcome, reply = self._await_verdict(student, channel, outputs, deadline)
        if question.silent:
            outputs.silence()
        if outcome == "timeout":
            if not student.zygote.end_child(student.pid, pid):
                student.end()
            later, _ = self._await_verdict(student, channel, outputs, time.monotonic() + GRACE)
            if later != "verdict":
                self._end_judge()
            why = f"took longer than {self.limits.cell_seconds:g} s"
            self._marks.flag(f"The answer to {cell.grade_id!r} {why}.")
            return self._marks.failed(cell, "TimeoutError", f"your code {why}", outputs)
        if outcome == "bounds":
            student.end()
            self._end_judge()
            return self._marks.student_failed(cell, self._why)
        self._finish_question(student, channel, outputs, pid)
        if question.silent:
            outputs.silence()
        if outcome == "lost":
            ended = self._end_judge()
            if ended & 0x7F == signal.SIGKILL:  # nothing in the sandbox can send it
                raise MachineError("the judge was killed from outside, perhaps for want of memory")
            self._marks.flag(f"The judge of the question {cell.grade_id!r} ended unexpectedly.")
            why = "the test could not cope with what your code returned"
            return self._marks.failed(cell, "RuntimeError", why, outputs)
        assert reply is not None
        if reply.get("fault"):
            raise MachineError(f"the test {cell.grade_id!r} cannot run here: {reply['fault']}")
        if reply["status"] == "lost":
            why = "ended while the test called it: it crashed, left, or reached a limit"
            return self._marks.student_failed(cell, why)
        return self._marks.judged(cell, reply, outputs)

    def _first_hidden_line(self, cell: Cell) -> int | None:
        for number, line in enumerate(cell.code.split("\n"), 1):
            if self.settings.hidden_begin in line:
                return number
        return None

    def _await_fork(self, student: StudentProcess, channel: Channel, deadline: float) -> int | None:
        while (now := time.monotonic()) < deadline:
            try:
                messages = channel.feed() if student.attend([channel], deadline - now) else []
            except (EOFError, ChannelError):
                return None
            student.drain(Outputs(0, 0))
            for message in messages:
                if message.get("say") == "forked":
                    pid = message.get("pid")
                    return pid if type(pid) is int else None
        return None

    def _await_verdict(
        self, student: StudentProcess, channel: Channel, outputs: Outputs, deadline: float
    ) -> tuple[str, dict[str, Any] | None]:
        """Wait for the judge, and take in what the answer prints meanwhile."""
        judge = self._judge
        assert judge is not None
        channels = [judge.channel, channel]
        while (now := time.monotonic()) < deadline:
            spoken = student.attend(channels, min(deadline - now, WATCH))
            if not student.dead and not self._within_bounds(student):
                return "bounds", None
            if channel in spoken and not self._hear(channel, outputs):
                channels.remove(channel)
            student.drain(outputs)
            if judge.channel in spoken:
                try:
                    return "verdict", judge.channel.receive()[0]
                except (EOFError, ChannelError, OSError):
                    return "lost", None
        return "timeout", None

    def _hear(self, channel: Channel, outputs: Outputs) -> bool:
        """Take in outputs of a question; return whether there may be more."""
        try:
            for message in channel.feed():
                if message.get("say") == "bye":
                    return False
                outputs.take(message)
        except (EOFError, ChannelError):
            return False
        return True

    def _finish_question(
        self, student: StudentProcess, channel: Channel, outputs: Outputs, child: int
    ) -> None:
        """Take in the last words of a question's process, which knows that the judge hung up."""
        deadline = time.monotonic() + 0.5
        while (now := time.monotonic()) < deadline:
            spoken = student.attend([channel], deadline - now)
            student.drain(outputs)
            if spoken and not self._hear(channel, outputs):
                break
        else:
            if not student.dead:
                student.zygote.end_child(student.pid, child)
        student.drain(outputs)

    def _unanswered(self, cell: Cell) -> QuestionVerdict:
        why = self._why if self._why.startswith("used") else "left no process to answer the test"
        return self._marks.student_failed(cell, why)

    def _kernel_question(self, cell: Cell, count: int) -> QuestionVerdict:
        """Run a test in the student's own process, for cells that need live objects."""
        outputs = Outputs(self.limits.output_bytes, count)
        if self._student_ready() is None:
            return self._marks.unreached(cell)
        outcome = self._execute(cell, count, outputs)
        if outcome != "dead":
            self._log.append((cell, count))
        if outcome != "done":
            self._marks.flag(f"The question {cell.grade_id!r} {self._why}.")
        failure = outputs.first_error()
        if failure is not None:
            self._marks.store(cell, outputs)
            ename, evalue = failure
            message = f"{ename}: {evalue}" if evalue else ename
            return QuestionVerdict(cell.grade_id, 0.0, cell.points, False, message)
        text = outputs.take_result()
        number = None
        with contextlib.suppress(TypeError, ValueError):
            number = float(text)  # type: ignore[arg-type]
        return self._marks.scored(cell, number, text, outputs)


def _cause(status: int, cpu_seconds: int) -> str:
    number = status & 0x7F
    if number == signal.SIGXCPU:
        return f"used more than {cpu_seconds} s of processor time"
    if number == signal.SIGXFSZ:
        return "wrote a file that is too large"
    if number == signal.SIGKILL:
        return "was ended: it stopped answering or reached a limit"
    if number:
        with contextlib.suppress(ValueError):
            return f"crashed ({signal.Signals(number).name})"
    return "ended by itself"


def _write_files(folder: Path, files: Mapping[str, bytes], identity: int | None) -> None:
    folder.mkdir(mode=0o700)
    for name, data in files.items():
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or not path.parts:
            raise ValueError(f"files must have paths relative to the notebook, got {name!r}")
        target = folder.joinpath(*path.parts)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    if identity is not None:
        for root, folders, names in os.walk(folder):
            for name in ("", *folders, *names):
                os.chown(os.path.join(root, name), identity, identity, follow_symlinks=False)
