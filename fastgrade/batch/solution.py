"""The instructor's own solution is graded before anybody else.

A test that even the solution fails says nothing about a student, so it grades nobody. A test that
the solution passes only beside live objects decides where the tests of its assignment run. What
came of it is kept until the notebook, its files, the settings or the software change.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fastgrade.batch.journal import path_of
from fastgrade.batch.pool import Pool
from fastgrade.batch.rules import Rules
from fastgrade.course.config import CourseError
from fastgrade.engine import grader
from fastgrade.notebook.ipynb import load, role_of, tag_of
from fastgrade.notebook.submission import read
from fastgrade.settings import Settings
from fastgrade.verdict import Task, Verdict

__all__ = ["SolutionCheck", "check_solution", "recorded_check"]

#: Whose submission the solution is, in what the engine says of it.
STUDENT = "the instructor's solution"
WHERE = {"judge": "In the judge", "kernel": "Beside the answer"}


@dataclass(frozen=True)
class SolutionCheck:
    """Where the tests of an assignment run, and why.

    Parameters
    ----------
    key : str
        Hash of all that this depends on.
    mode : {"judge", "kernel"}
        Where its tests run.
    beside : tuple of str
        Tests that do not pass in the judge, each with the reason.
    """

    key: str
    mode: str
    beside: tuple[str, ...] = ()

    def applied(self, rules: Rules) -> Rules:
        """Return the rules with the mode in which the solution passes."""
        return replace(rules, settings=replace(rules.settings, mode=self.mode))

    @property
    def note(self) -> str:
        """What the instructor is told; empty where there is nothing to tell."""
        if not self.beside:
            return ""
        return (
            "Tests run beside the answers, in their sandbox, where an answer can read hidden ones, "
            f"because the solution does not pass them in the judge: {'; '.join(self.beside)}."
        )


def recorded_check(rules: Rules) -> SolutionCheck | None:
    """Return what an earlier run has found, if nothing has changed since."""
    return _recorded(rules, _key(_tasks(rules), rules.settings))


def _recorded(rules: Rules, key: str) -> SolutionCheck | None:
    with contextlib.suppress(OSError, ValueError, TypeError):
        data = json.loads(_place(rules).read_text(encoding="utf-8"))
        check = SolutionCheck(data["key"], data["mode"], tuple(data["beside"]))
        if check.key == key:
            return check
    return None


def check_solution(rules: Rules, open_pool: Callable[[Settings], Pool]) -> SolutionCheck:
    """Grade the instructor's solution, if it has to be, and say where tests run.

    Parameters
    ----------
    rules : Rules
        Of the assignment.
    open_pool : callable
        Called with settings; returns a pool that grades by them.

    Raises
    ------
    CourseError
        If the solution does not get full marks wherever its tests may run.
    PoolError
        If nothing can be graded.
    """
    tasks = _tasks(rules)
    key = _key(tasks, rules.settings)
    check = _recorded(rules, key)
    if check is not None:
        return check
    failures: dict[str, list[str]] = {}
    for settings in _attempts(rules.settings):
        failed = _failed(tasks, open_pool(settings))
        if not failed:
            check = SolutionCheck(key, settings.mode, tuple(failures.get("judge", ())))
            _record(rules, check)
            return check
        # The first attempt of a mode is the one that students get.
        failures.setdefault(settings.mode, failed)
    reasons = " ".join(f"{WHERE[mode]}: {'; '.join(failed)}." for mode, failed in failures.items())
    advice = f"run `nbgrader generate_assignment {rules.cells.name} --force`"
    if rules.settings.mode == "judge":
        advice += ', or set c.FastGrade.mode = "auto" if the tests need live objects'
    raise CourseError(
        f"nobody is graded in {rules.cells.name}, since the instructor's own solution does not get "
        f"full marks. {reasons} Mend the solution or the test and {advice}. "
        "c.FastGrade.check_solution = False grades without looking."
    )


def _attempts(settings: Settings) -> Iterator[Settings]:
    """Yield the settings to try: as students' answers run, then with what only they are refused."""
    for mode in ("judge", "kernel") if settings.mode == "auto" else (settings.mode,):
        own = replace(settings, mode=mode)
        free = replace(
            own,
            preload=tuple(dict.fromkeys((*own.preload, *own.judge_preload))),
            forbidden_modules=(),
            allowed_modules=(),
            forbidden_files=(),
        )
        yield own
        if free != own:
            yield free


def _failed(tasks: Sequence[Task], pool: Pool) -> list[str]:
    """Return the tests that the solution fails, each with the reason."""
    for number, task in enumerate(tasks):
        pool.submit(number, task)
    failed: dict[int, list[str]] = {}
    while len(failed) < len(tasks):
        for outcome in pool.wait(1.0):
            if outcome.verdict is None:
                failed[outcome.number] = [outcome.reason]
            else:
                failed[outcome.number] = _failures(tasks[outcome.number], outcome.verdict)
    return [reason for _, reasons in sorted(failed.items()) for reason in reasons]


def _tasks(rules: Rules) -> list[Task]:
    return [
        Task(
            assignment=rules.cells.name,
            student=STUDENT,
            notebook=name,
            source=source,
            submission=read(source, rules.settings.limits.submission_mb),
            files=rules.files,
            instructors=tuple(rules.files),
        )
        for name, source in rules.sources.items()
    ]


def _failures(task: Task, verdict: Verdict) -> list[str]:
    """Return why tests do not give full marks; what a person grades is left to that person."""
    tests = {
        tag_of(cell).get("grade_id")
        for cell in load(task.source)["cells"]
        if role_of(cell) == "test"
    }
    return [
        f"{question.grade_id} in {task.notebook}.ipynb: {question.message or 'no full marks'}"
        for question in verdict.questions
        if question.grade_id in tests and not question.passed
    ]


def _key(tasks: Sequence[Task], settings: Settings) -> str:
    keys = [grader.key(task, settings) for task in tasks]
    return hashlib.sha256("".join(keys).encode()).hexdigest()


def _place(rules: Rules) -> Path:
    return path_of(rules.course.root, rules.cells.name).with_suffix(".solution.json")


def _record(rules: Rules, check: SolutionCheck) -> None:
    place = _place(rules)
    temporary = place.with_suffix(".part")
    data = {"key": check.key, "mode": check.mode, "beside": check.beside}
    temporary.write_text(json.dumps(data), encoding="utf-8")
    os.replace(temporary, place)
