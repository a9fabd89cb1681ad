"""Take one submission through: all its cells in their order, then all its questions.

Tests that need live objects run after that, in another process, in which the notebook runs once
more as in a kernel, tests in their places.

`Session` knows the order. `student_session` runs the cells, `judge_session` what the instructor
has prepared, `questions` connects the two for a test, `usage` looks at what is used meanwhile, and
`scoring` writes down what comes of it. The judge is trusted, and nothing that comes from the
student's process.
"""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from fastgrade.engine.judge_session import JudgeSession
from fastgrade.engine.outcomes import CellOutcome, DisturbedError
from fastgrade.engine.participants import Question, StudentProcess
from fastgrade.engine.questions import Examination
from fastgrade.engine.scoring import Marks
from fastgrade.engine.start import Starter
from fastgrade.engine.student_session import StudentSession
from fastgrade.engine.usage import UsageWatch
from fastgrade.notebook.submission import Cell, Rebuilt
from fastgrade.sandbox.cgroups import Hierarchy
from fastgrade.settings import Settings
from fastgrade.verdict import QuestionVerdict, Task
from warmfork.zygote import Zygote

__all__ = ["Session"]


class Session:
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
    groups : Hierarchy, optional
        Where control groups can be made.
    alone : bool
        Whether nothing else is graded meanwhile: whatever comes of it is its own doing.

    Raises
    ------
    DisturbedError
        By `run`, unless it is alone.
    """

    def __init__(
        self,
        task: Task,
        settings: Settings,
        rebuilt: Rebuilt,
        place: Path,
        zygote: Callable[[str, Settings], Zygote],
        level: str,
        groups: Hierarchy | None = None,
        alone: bool = False,
    ):
        limits = settings.limits
        self._settings = settings
        self._is_solution = task.solution == "itself"
        self._exempt = task.aliased
        self._limits = limits
        self._alone = alone
        self._rebuilt = rebuilt
        self._deadline = time.monotonic() + limits.total_seconds
        self._cells = [c for c in rebuilt.cells if c.kind == "test" or c.code.strip()]
        if self._is_solution:  # the instructor is told everything
            self._cells = [replace(cell, hidden=False) for cell in self._cells]
        tests = [cell for cell in self._cells if cell.kind == "test"]
        self._tests = len(tests)
        self._beside = {test.grade_id for test in tests if _is_beside(test, task, settings)}
        self._is_hiding = any(test.hidden for test in tests)
        self._marks = Marks(rebuilt, settings, task.scoring, task.warned)
        self._starter = Starter(task, settings, place, zygote, level, groups)
        watch = UsageWatch(limits, self._starter.student_folder)
        self._student = StudentSession(
            self._start_student, watch, limits, self._deadline, self._doubt
        )
        is_known = task.solution != "unknown"
        self._judge = JudgeSession(self._starter.judge, limits.cell_seconds, is_known)
        self._examination = Examination(
            self._student,
            self._judge,
            watch,
            self._marks,
            rebuilt,
            settings,
            self._deadline,
            self._doubt,
            task,
        )

    def _doubt(self, why: str) -> None:
        if not self._alone:
            raise DisturbedError(why)

    def _start_student(self) -> StudentProcess:
        return self._starter.student(self._limits.processes + self._tests)

    def run(self) -> list[QuestionVerdict]:
        """Run all cells, then all tests; return the verdicts in the instructor's order."""
        if self._tests and len(self._beside) == self._tests and not self._is_hiding:
            verdicts, moved = self._run_in_place(self._beside, is_shown=True), set[str]()
        else:
            verdicts = self._run_judged()
            moved = self._moved()
            doubted = self._doubted(verdicts)
            if self._beside or moved or doubted:
                in_place = self._run_in_place(self._beside | moved | doubted)
                judged = {name: verdicts[name] for name in doubted}
                by_hand = {name: self._by_hand(in_place[name], verdicts[name]) for name in moved}
                verdicts |= in_place | by_hand
                # Both places have to be content: copies have passed, and so must the objects.
                verdicts |= {n: v for n, v in judged.items() if v.points <= in_place[n].points}
        self._tell_places(self._beside | moved)
        return self._marks.in_order(verdicts)

    def _tell_places(self, beside: set[str]) -> None:
        """Write into the notebook where each test ran."""
        for cell in self._cells:
            if cell.kind == "test":
                target = self._rebuilt.notebook["cells"][cell.index]
                ran = "beside the answer" if cell.grade_id in beside else "in the judge"
                target["metadata"]["fastgrade"] = {"ran": ran}

    def _moved(self) -> set[str]:
        """Return the tests that asked what no proxy can answer, if their text is no secret.

        The solution says itself where they run, and hidden ones stay where nobody reads them.
        """
        if self._settings.mode != "auto" or self._is_solution:
            return set()
        hidden = {cell.grade_id for cell in self._cells if cell.hidden}
        return self._examination.unanswered.keys() - hidden

    def _doubted(self, verdicts: Mapping[str, QuestionVerdict]) -> set[str]:
        """Return the tests that have passed on copies, where objects may tell another story.

        Those are objects that the answer hands out or keeps, and the solution does not.
        """
        found = {
            name
            for name, verdict in verdicts.items()
            if verdict.points and any((name, kind) not in self._exempt for kind in verdict.aliased)
        }
        if self._is_solution or not found:
            return set()
        unseen = [
            cell
            for cell in self._cells
            if cell.grade_id in found and (cell.hidden or self._settings.mode != "auto")
        ]
        for cell in unseen:
            self._marks.flag_test(
                cell,
                "A test has passed on a copy of an object that the answer keeps or hands out "
                "twice, or with what the instructor has prepared and the answer has changed, which "
                "the solution does not do",
            )
        return found - {cell.grade_id for cell in unseen}

    def _by_hand(self, verdict: QuestionVerdict, judged: QuestionVerdict) -> QuestionVerdict:
        """Leave points to a person that an answer has earned in its own process only."""
        if verdict.points <= judged.points:
            return verdict
        why = self._examination.unanswered[verdict.grade_id]
        self._marks.flag(
            f"The test {verdict.grade_id!r} passes beside the answer only, so a person has to "
            f"grade it: {why}."
        )
        cell = next(cell for cell in self._cells if cell.grade_id == verdict.grade_id)
        # nbgrader reads points from the outputs, which show none of what made the test pass.
        return replace(self._marks.failed(cell, "UnansweredError", why), passed=None)

    def _run_judged(self) -> dict[str, QuestionVerdict]:
        """Run all cells, then all questions that the judge asks.

        A question's process is forked in its place and waits until all cells have run: what an
        answer learns from a test can then no longer reach the output of any cell.
        """
        if len(self._beside) < self._tests:
            self._judge.warm_up()  # while the cells run
        verdicts: dict[str, QuestionVerdict] = {}
        events: list[Question | str] = []
        following = itertools.zip_longest(self._cells, self._cells[1:])
        for count, (cell, next_cell) in enumerate(following, 1):
            target = self._rebuilt.notebook["cells"][cell.index]
            target["execution_count"] = count
            if self._is_late():
                if cell.kind == "test":
                    verdicts[cell.grade_id] = self._marks.unreached(cell)
            elif cell.kind != "test":
                if cell.judge:
                    events.append(cell.judge)
                target["outputs"] = self._run_cell(cell, count)
            elif cell.grade_id not in self._beside:
                last = next_cell is None or next_cell.kind != "test"
                question = Question(cell, count, last)
                events.append(question)
                self._student.hold(question)
        if any(isinstance(event, Question) for event in events):
            self._student.for_tests()
        seen_hidden = False
        for question in self._in_turn(events):
            cell = question.cell
            seen_hidden = question.silent = seen_hidden or cell.hidden
            if self._is_late():
                verdicts[cell.grade_id] = self._marks.unreached(cell)
            else:
                verdicts[cell.grade_id] = self._examination.ask(question)
        return verdicts

    def _run_in_place(self, tests: set[str], is_shown: bool = False) -> dict[str, QuestionVerdict]:
        """Run the notebook as a kernel does, with tests in their places; return their verdicts.

        Parameters
        ----------
        tests : set of str
            Whose verdicts are wanted. Others that hide nothing run for what they leave behind.
        is_shown : bool
            Whether the outputs of the other cells are wanted.
        """
        self._student.restart()
        verdicts: dict[str, QuestionVerdict] = {}
        has_hidden = False
        for count, cell in enumerate(self._cells, 1):
            target = self._rebuilt.notebook["cells"][cell.index]
            target["execution_count"] = count
            if not is_shown and len(verdicts) == len(tests):
                break
            if self._is_late():
                if cell.grade_id in tests:
                    verdicts[cell.grade_id] = self._marks.unreached(cell)
            elif cell.kind != "test":
                outputs = self._run_cell(cell, count)
                if is_shown:
                    target["outputs"] = outputs
            elif cell.grade_id in tests:
                verdicts[cell.grade_id] = self._test_in_place(cell, count, has_hidden)
                has_hidden = has_hidden or cell.hidden
            elif not cell.hidden:
                self._student.run(cell, count)
        return verdicts

    def _is_late(self) -> bool:
        if time.monotonic() <= self._deadline:
            return False
        self._student.doubt_of_time()
        self._marks.flag(
            f"The submission was stopped after {self._limits.total_seconds:g} s in all."
        )
        return True

    def _run_cell(self, cell: Cell, count: int) -> list[dict[str, Any]]:
        """Run a cell of the student or a setup cell; return its outputs."""
        run = self._student.run(cell, count)
        name = f"The cell {cell.grade_id!r}" if cell.grade_id else f"Code cell {count}"
        if run.why:
            self._marks.flag(f"{name} {run.why}.")
        if run.outputs.cut:
            self._marks.flag(f"{name} printed too much; its output was cut.")
        return run.outputs.finish()

    def _in_turn(self, events: Sequence[Question | str]) -> Iterator[Question]:
        """Yield visible tests, then hidden ones, each after what prepares it in the judge."""
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
        for event in itertools.chain.from_iterable(rounds):
            if isinstance(event, str):
                self._judge.prepare(event)
            else:
                yield event

    def _test_in_place(self, cell: Cell, count: int, is_silent: bool) -> QuestionVerdict:
        """Run a test in the student's own process, for cells that need live objects."""
        run = self._student.run(cell, count)
        if is_silent:
            run.outputs.silence()
        if run.outcome is CellOutcome.UNREACHED:
            return self._marks.unreached(cell)
        if run.why:
            self._marks.flag(f"The question {cell.grade_id!r} {run.why}.")
        return self._marks.run_in_place(cell, run.outputs)

    def skip(self) -> list[QuestionVerdict]:
        """Return verdicts on a submission in which there is nothing to run."""
        why = self._rebuilt.flags[0] if self._rebuilt.flags else "The submission has no cells."
        verdicts = {}
        for cell in self._rebuilt.cells:
            if cell.kind == "test":
                verdicts[cell.grade_id] = self._marks.failed(cell, "NothingToGrade", why)
        return self._marks.in_order(verdicts)

    def close(self) -> None:
        """End what still runs, and remove the folders."""
        with contextlib.ExitStack() as stack:
            stack.callback(self._starter.close)
            stack.callback(self._judge.end)
            stack.callback(self._student.close)


def _is_beside(test: Cell, task: Task, settings: Settings) -> bool:
    """Whether a test runs in the answer's process."""
    return settings.mode == "kernel" or (settings.mode == "auto" and test.grade_id in task.beside)
