"""The instructor's own solution is graded before anybody else.

A test that even the solution fails says nothing about a student, so it grades nobody. A test that
the solution passes only with live objects runs beside the answers, every other one in the judge.
What came of it is kept until the notebook, its files, the settings or the software change.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from fastgrade.batch.journal import path_of
from fastgrade.batch.pool import Outcome, Pool
from fastgrade.batch.rules import Rules
from fastgrade.course.config import CourseError
from fastgrade.engine import grader
from fastgrade.notebook.ipynb import load, role_of, tag_of
from fastgrade.notebook.submission import read
from fastgrade.settings import Settings
from fastgrade.verdict import Task

__all__ = [
    *("Examined", "Failure", "SolutionCheck", "check_solution", "examine", "recorded_check"),
    *("recorded_checks", "solution_task", "solution_tasks"),
]

#: Whose submission the solution is, in what the engine says of it.
STUDENT = "the instructor's solution"
_WITH_OTHERS = "others that it may depend on run there"


@dataclass(frozen=True)
class Failure:
    """A test that the solution fails somewhere, and why."""

    notebook: str
    test: str
    why: str

    def __str__(self) -> str:
        return f"{self.test} in {self.notebook}.ipynb: {self.why}"


@dataclass(frozen=True)
class Examined:
    """What grading a solution has told of its tests.

    Parameters
    ----------
    tests : int
        How many there are.
    beside : list of Failure
        Tests that the solution passes beside the answer only, each with what failed in the judge.
    failing : list of Failure
        Tests that it passes nowhere.
    scoring, warned : dict of str to tuple of str
        For each notebook, tests whose value is a number of points, and tests that print a warning.
    aliased : dict of str to tuple of pairs
        For each notebook, tests, and in what way copies may not stand for the solution's objects.
    looking : dict of str to tuple of str
        For each notebook, tests that look into objects of the solution's own.
    """

    tests: int
    beside: tuple[Failure, ...] = ()
    failing: tuple[Failure, ...] = ()
    scoring: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    aliased: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    warned: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    looking: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def names_beside(self) -> dict[str, tuple[str, ...]]:
        """Return, for each notebook, the tests that run beside the answer."""
        return _by_notebook((failure.notebook, failure.test) for failure in self.beside)


@dataclass(frozen=True)
class SolutionCheck:
    """Where the tests of an assignment run, and why.

    Parameters
    ----------
    key : str
        Hash of all that this depends on.
    examined : Examined
        What is known of the tests.
    """

    key: str
    examined: Examined

    def applied(self, rules: Rules) -> Rules:
        """Return the rules with what is known of the tests."""
        return replace(
            rules,
            solution="passes",
            beside=self.examined.names_beside(),
            scoring=self.examined.scoring,
            aliased=self.examined.aliased,
            warned=self.examined.warned,
            looking=self.examined.looking,
        )

    @property
    def places(self) -> str:
        """How many tests run where."""
        beside = len(self.examined.beside)
        told = f"{self.examined.tests - beside} tests in the judge"
        return f"{told}, {beside} beside the answers (not leak-proof)" if beside else told

    @property
    def note(self) -> str:
        """What the instructor is told; empty where there is nothing to tell."""
        return " ".join(filter(None, (self._note_of_places, self._note_of_warnings)))

    @property
    def told(self) -> str:
        """The same, and a sentence where all tests run in the judge."""
        return self.note if self.examined.beside else f"All {self.places}. {self.note}".rstrip()

    @property
    def _note_of_warnings(self) -> str:
        warned = [
            f"{test} in {name}.ipynb"
            for name, tests in self.examined.warned.items()
            for test in tests
        ]
        if not warned:
            return ""
        return (
            "The solution prints a warning in these tests, which costs nothing here and all of "
            f"their points in nbgrader autograde: {', '.join(warned)}."
        )

    @property
    def _note_of_places(self) -> str:
        beside = self.examined.beside
        if not beside:
            return ""
        return (
            f"Tests run beside the answers: {self.places}. There an answer can read a test and "
            "decide what comes of it. The solution does not pass them in the judge: "
            f"{'; '.join(map(str, beside))}."
        )


def recorded_check(rules: Rules) -> SolutionCheck | None:
    """Return what an earlier run has found, if nothing has changed since."""
    return _recorded(rules, _key(solution_tasks(rules), rules.settings))


def recorded_checks(root: Path) -> dict[str, SolutionCheck]:
    """Return what the last run over each assignment of a course has found."""
    suffix = ".solution.json"
    found = {
        place.name.removesuffix(suffix): _read(place)
        for place in sorted(path_of(root, "any").parent.glob(f"*{suffix}"))
    }
    return {assignment: check for assignment, check in found.items() if check is not None}


def _recorded(rules: Rules, key: str) -> SolutionCheck | None:
    check = _read(_place(rules))
    return check if check is not None and check.key == key else None


def _read(place: Path) -> SolutionCheck | None:
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError, AttributeError):
        data = json.loads(place.read_text(encoding="utf-8"))
        known = data["examined"]
        return SolutionCheck(
            str(data["key"]),
            Examined(
                tests=int(known["tests"]),
                beside=tuple(Failure(**failure) for failure in known["beside"]),
                scoring={name: tuple(tests) for name, tests in known["scoring"].items()},
                aliased={
                    name: tuple((test, kind) for test, kind in pairs)
                    for name, pairs in known["aliased"].items()
                },
                warned={name: tuple(tests) for name, tests in known["warned"].items()},
                looking={name: tuple(tests) for name, tests in known["looking"].items()},
            ),
        )
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
    tasks = solution_tasks(rules)
    key = _key(tasks, rules.settings)
    check = _recorded(rules, key)
    if check is not None:
        return check
    examined = examine(tasks, rules.settings, open_pool)
    if examined.failing:
        raise CourseError(_refusal(rules, examined))
    check = SolutionCheck(key, examined)
    _record(rules, check)
    return check


def _refusal(rules: Rules, examined: Examined) -> str:
    advice = f"run `nbgrader generate_assignment {rules.cells.name} --force`"
    if rules.settings.mode == "judge":
        advice += ', or set c.FastGrade.mode = "auto" if the tests need live objects'
    tests = "".join(f"\n  {failure}" for failure in examined.failing)
    return (
        f"nobody is graded in {rules.cells.name}, since the instructor's own solution does not get "
        f"full marks:{tests}\nMend the solution or the test and {advice}. "
        "c.FastGrade.check_solution = False grades without looking."
    )


def examine(
    tasks: Sequence[Task], settings: Settings, open_pool: Callable[[Settings], Pool]
) -> Examined:
    """Grade a solution until it is known where each of its tests passes.

    Parameters
    ----------
    tasks : sequence of Task
        The instructor's notebooks, handed in as they are.
    settings : Settings
        Those that hold for the assignment.
    open_pool : callable
        Called with settings; returns a pool that grades by them.
    """
    found = _examine(tasks, settings, open_pool)
    free = _free(settings)
    if found.failing and free != settings:
        # What is refused to students alone may be what the solution is made of.
        freely = _examine(tasks, free, open_pool)
        return found if freely.failing else freely
    return found


def _examine(
    tasks: Sequence[Task], settings: Settings, open_pool: Callable[[Settings], Pool]
) -> Examined:
    pool = open_pool(settings)
    judged = _attempt(tasks, {}, pool)
    if not judged.failing or settings.mode != "auto":
        return judged
    first = {(failure.notebook, failure.test): failure.why for failure in judged.failing}
    everywhere = {task.notebook: tuple(_tests(task)) for task in tasks}
    # Tests may need what others leave behind: if some do not pass beside the answer, all move.
    for names in (_by_notebook(first), everywhere):
        tried = _attempt(tasks, names, pool)
        if not tried.failing:
            beside = tuple(
                Failure(notebook, test, first.get((notebook, test), _WITH_OTHERS))
                for notebook, tests in names.items()
                for test in tests
            )
            return replace(tried, beside=beside)
    failing = tuple(
        _both(failure, first.get((failure.notebook, failure.test), failure.why))
        for failure in tried.failing
    )
    return replace(tried, failing=failing)


def _both(failure: Failure, judged: str) -> Failure:
    there, here = (why.strip().partition("\n")[0] for why in (judged, failure.why))
    if here.endswith(there):  # with the kind of error before it
        return replace(failure, why=here)
    return replace(failure, why=f"{there} (in the judge), {here} (beside the answer)")


def _attempt(tasks: Sequence[Task], beside: Mapping[str, tuple[str, ...]], pool: Pool) -> Examined:
    """Grade the solution with some tests beside it."""
    tried = [replace(task, beside=beside.get(task.notebook, ())) for task in tasks]
    for number, task in enumerate(tried):
        pool.submit(number, task)
    outcomes: dict[int, Outcome] = {}
    while len(outcomes) < len(tried):
        outcomes |= {outcome.number: outcome for outcome in pool.wait(1.0)}
    failing: list[Failure] = []
    scoring: list[tuple[str, str]] = []
    aliased: dict[str, tuple[tuple[str, str], ...]] = {}
    warned: list[tuple[str, str]] = []
    looking: list[tuple[str, str]] = []
    for number, task in enumerate(tried):
        tests, verdict = _tests(task), outcomes[number].verdict
        if verdict is None:
            failing += [Failure(task.notebook, test, outcomes[number].reason) for test in tests]
            continue
        for question in verdict.questions:
            if question.grade_id in tests:
                if question.warned:
                    warned.append((task.notebook, question.grade_id))
                pairs = tuple((question.grade_id, kind) for kind in question.aliased)
                aliased[task.notebook] = aliased.get(task.notebook, ()) + pairs
                if not question.passed:
                    why = question.message or "no full marks"
                    failing.append(Failure(task.notebook, question.grade_id, why))
                elif question.scored:
                    scoring.append((task.notebook, question.grade_id))
                if question.looked:
                    looking.append((task.notebook, question.grade_id))
    count = sum(len(_tests(task)) for task in tasks)
    marked = _by_notebook(scoring), aliased, _by_notebook(warned), _by_notebook(looking)
    return Examined(count, (), tuple(failing), *marked)


def _by_notebook(pairs: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for notebook, test in pairs:
        found[notebook] = (*found.get(notebook, ()), test)
    return found


def _tests(task: Task) -> list[str]:
    """Return the tests of a notebook; what a person grades is left to that person."""
    return [
        str(tag_of(cell).get("grade_id"))
        for cell in load(task.source)["cells"]
        if role_of(cell) == "test" and cell["cell_type"] == "code"
    ]


def _free(settings: Settings) -> Settings:
    """Return the settings for a solution that uses what answers are refused."""
    return replace(
        settings,
        preload=tuple(dict.fromkeys((*settings.preload, *settings.judge_preload))),
        forbidden_modules=(),
        allowed_modules=(),
        forbidden_files=(),
    )


def solution_task(
    assignment: str, notebook: str, source: bytes, files: dict[str, bytes], limit_mb: int
) -> Task:
    """Return the instructor's notebook as a submission."""
    return Task(
        assignment=assignment,
        student=STUDENT,
        notebook=notebook,
        source=source,
        submission=read(source, limit_mb),
        files=files,
        instructors=tuple(files),
        solution="itself",
    )


def solution_tasks(rules: Rules) -> list[Task]:
    """Return the instructor's notebooks as submissions."""
    limit_mb = rules.settings.limits.submission_mb
    return [
        solution_task(rules.cells.name, name, source, rules.files, limit_mb)
        for name, source in rules.sources.items()
    ]


def _key(tasks: Sequence[Task], settings: Settings) -> str:
    keys = [grader.key(task, settings) for task in tasks]
    return hashlib.sha256("".join(keys).encode()).hexdigest()


def _place(rules: Rules) -> Path:
    return path_of(rules.course.root, rules.cells.name).with_suffix(".solution.json")


def _record(rules: Rules, check: SolutionCheck) -> None:
    place = _place(rules)
    place.parent.mkdir(exist_ok=True)
    temporary = place.with_suffix(".part")
    temporary.write_text(json.dumps(asdict(check)), encoding="utf-8")
    os.replace(temporary, place)
