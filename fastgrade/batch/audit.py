"""Which tests pass cheap wrong answers: what an instructor should know before students find out.

The instructor's solution is handed in again and again, each time with its answers replaced by wrong
ones of one kind (`wrong_answers`). A test that still gives full marks cannot tell them apart.
"""

from __future__ import annotations

import ast
import inspect
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from fastgrade.batch import wrong_answers
from fastgrade.batch.pool import Outcome, Pool
from fastgrade.batch.rules import read_rules
from fastgrade.batch.solution import Examined, check_solution, solution_tasks
from fastgrade.course.config import Course
from fastgrade.engine.grader import plan_of
from fastgrade.notebook.assignment import bound_names
from fastgrade.notebook.ipynb import load, role_of, tag_of, text_of
from fastgrade.notebook.submission import read
from fastgrade.settings import Settings
from fastgrade.verdict import Task

__all__ = ["WRONG", "Audit", "audit", "audit_assignment"]

WRONG = (*wrong_answers.KINDS, *wrong_answers.OF_CALLS)


@dataclass(frozen=True)
class Audit:
    """What has come of it for one test.

    Parameters
    ----------
    notebook, test : str
        Which.
    passing : tuple of str
        The kinds of wrong answers that get full marks.
    tried : bool
        Whether it takes anything from the answer that could be replaced.
    """

    notebook: str
    test: str
    passing: tuple[str, ...]
    tried: bool


def audit(
    tasks: Sequence[Task],
    settings: Settings,
    examined: Examined,
    open_pool: Callable[[Settings], Pool],
    kinds: Sequence[str] = WRONG,
) -> list[Audit]:
    """Return, for each test of the instructor's notebooks, what wrong answers it lets pass.

    Parameters
    ----------
    tasks : sequence of Task
        The notebooks, as `solution.examine` takes them.
    settings : Settings
        Those that hold for the assignment.
    examined : Examined
        What is known of their tests.
    open_pool : callable
        Called with settings; returns a pool that grades by them.
    kinds : sequence of str
        Some of `WRONG`.
    """
    pool = open_pool(settings)
    wrong = [(task, kind) for task in tasks for kind in kinds]
    for number, (task, kind) in enumerate(wrong):
        given = replace(
            task,
            submission=read(_spoiled(task, settings, kind), settings.limits.submission_mb),
            solution="passes",
            beside=examined.names_beside().get(task.notebook, ()),
            scoring=examined.scoring.get(task.notebook, ()),
            aliased=examined.aliased.get(task.notebook, ()),
            warned=examined.warned.get(task.notebook, ()),
            looking=examined.looking.get(task.notebook, ()),
        )
        pool.submit(number, given)
    outcomes: dict[int, Outcome] = {}
    while len(outcomes) < len(wrong):
        outcomes |= {outcome.number: outcome for outcome in pool.wait(1.0)}
    passing: dict[tuple[str, str], list[str]] = {}
    for number, (task, kind) in enumerate(wrong):
        verdict = outcomes[number].verdict
        for question in verdict.questions if verdict is not None else ():
            if question.passed and question.max_points:
                passing.setdefault((task.notebook, question.grade_id), []).append(kind)
    return [
        Audit(
            task.notebook,
            test,
            _apart(passing.get((task.notebook, test), []), reads, functions),
            bool(reads),
        )
        for task in tasks
        for functions in [_functions(task)]
        for test, reads in _tests(task, settings)
    ]


def audit_assignment(
    course: Course,
    assignment: str,
    open_pool: Callable[[Settings], Pool],
    kinds: Sequence[str] = WRONG,
) -> list[Audit]:
    """Audit the tests of an assignment as the gradebook has recorded them.

    Raises
    ------
    CourseError
        If the instructor's own solution does not get full marks.
    """
    with course.gradebook() as book:
        rules = read_rules(course, assignment, book, lambda note: None)
    check = check_solution(rules, open_pool)
    tasks = solution_tasks(rules)
    return audit(tasks, rules.settings, check.examined, open_pool, kinds)


def _apart(
    kinds: Sequence[str], reads: frozenset[str], functions: frozenset[str]
) -> tuple[str, ...]:
    """Return the kinds that have replaced anything that a test reads."""
    if not reads:
        return ()
    return tuple(k for k in kinds if k in wrong_answers.KINDS or reads & functions)


def _functions(task: Task) -> frozenset[str]:
    """Return the functions that the solution defines."""
    return frozenset(
        name
        for cell in load(task.source)["cells"]
        for name in _answers(cell)
        if re.search(rf"^(async )?def {name}\b|^{name} *= *lambda\b", text_of(cell["source"]), re.M)
    )


def _tests(task: Task, settings: Settings) -> Iterator[tuple[str, frozenset[str]]]:
    """Yield each test with the names of answers that it reads."""
    about = plan_of(task, settings)
    answers = frozenset[str]().union(*(_answers(cell) for cell in about.notebook["cells"]))
    for cell, names in zip(about.notebook["cells"], about.names, strict=True):
        tag = tag_of(cell)
        if role_of(cell) == "test" and cell["cell_type"] == "code" and tag.get("points"):
            yield str(tag["grade_id"]), answers.intersection(names)


def _answers(cell: dict[str, object]) -> set[str]:
    """Return the functions and values that a cell of the solution defines."""
    if role_of(cell) not in ("solution", "manual") or cell["cell_type"] != "code":
        return set()
    code = text_of(cell["source"])
    try:
        tree = ast.parse(code)
    except SyntaxError:
        return set()
    others = (ast.Import, ast.ImportFrom, ast.ClassDef)
    apart = {
        name
        for node in tree.body
        if isinstance(node, others)
        for name in bound_names(ast.unparse(node))
    }
    return bound_names(code) - apart


def _spoiled(task: Task, settings: Settings, kind: str) -> bytes:
    """Return the instructor's notebook with wrong answers below the right ones."""
    notebook = load(task.source)
    text = inspect.getsource(wrong_answers)
    wanted = set[str]().union(*(reads for _, reads in _tests(task, settings)))
    for cell in notebook["cells"]:
        names = sorted(_answers(cell) & wanted)
        if names:
            scope = "_fastgrade_scope"
            run = f"{scope} = {{}}\nexec({text!r}, {scope})\n"
            run += f"{scope}['spoil'](globals(), {names!r}, {kind!r})"
            cell["source"] = f"{text_of(cell['source'])}\n{run}"
    return json.dumps(notebook).encode()
