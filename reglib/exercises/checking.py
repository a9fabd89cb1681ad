"""How a student's function is held against the contract that it answers.

A contract (:class:`~reglib.exercises._task.Task`) belongs to one function. It has *aspects*, each
a thing to learn that earns points alone. The student's function is called on random inputs, and
each promise that is broken becomes a finding, which names a mistake where the results give one
away. No finding, full marks.

The student's function is an opaque callable on plain data (numbers, strings, lists, tuples, dicts,
arrays, Generators, functions): it may live in another process. A student's class is used through
its constructor, its methods and its attributes.

``check`` draws its inputs from a public seed. ``check_hidden`` draws more of them, from a seed
that only the instructor knows (:func:`course_seed`) and that is the same at every regrade.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import sys
from collections.abc import Mapping
from typing import Any

from reglib._arguments import Flag, Instance, Integer, Text, arguments
from reglib.exercises._findings import NOT_WRITTEN
from reglib.exercises._messages import Chapter, shown_in_notebook, wrapped
from reglib.exercises._messages import CheckFailed as CheckFailed
from reglib.exercises._shown import Shown
from reglib.exercises._task import CheckerError, Task

#: The environment variable that holds the course's secret, and what is used without it.
SECRET_VARIABLE = "REGLIB_COURSE_SECRET"
DEFAULT_SECRET = "no secret set"
#: How many draws of inputs a hidden test makes; a visible one makes a single draw.
HIDDEN_ROUNDS = 2


class Assignment:
    """The contracts of one assignment, with the two functions that its test cells call.

    Parameters
    ----------
    chapter : Chapter
        Where to read.
    *tasks : Task
        One for each function that the student writes.
    """

    def __init__(self, chapter: Chapter, *tasks: Task) -> None:
        Instance(Chapter, "a Chapter").check("chapter", chapter)
        if not tasks:
            raise ValueError("tasks must not be empty, got none")
        for task in tasks:
            Instance(Task, "a Task").check("tasks", task)
        self.chapter = chapter
        self.exercises = {task.name: task.read_in(chapter) for task in tasks}
        self._hints_given: dict[str, int] = {}

    def check(
        self,
        function: Any,
        aspect: str | None = None,
        *,
        name: str | None = None,
        show: bool = False,
    ) -> Shown | None:
        """Test a function on inputs that are the same every time; say what is wrong with it.

        Parameters
        ----------
        function : callable
            What you wrote.
        aspect : str, optional
            Only this aspect; by default all of them.
        name : str, optional
            Which task it answers; by default the name that you gave it.
        show : bool
            Print the message instead of raising it, and return the arguments, the result and the
            right result of the first call that went wrong; images and curves are drawn.

        Returns
        -------
        Shown or None
            None if all is right, or if ``show`` is False.

        Raises
        ------
        CheckFailed
            If it is not right yet; the message is for you.
        """
        __tracebackhide__ = True
        show = Flag().check("show", show)
        task = self._find(function, name, sys._getframe(1).f_globals)
        try:
            student = task.examine(function, aspect, [0])
        except CheckerError as error:
            print(_excuse(error))
        except CheckFailed as failed:
            if not show:
                raise shown_in_notebook(failed) from None
            print(failed)
            return Shown.of(failed, task, function)
        else:
            print(f"{task.name}{f' ({aspect})' if aspect else ''}: right.")
            for note in student.notes:
                print(f"Note: {note}")
        return None

    def check_hidden(self, function: Any, *, name: str | None = None) -> None:
        """Test a function as :meth:`check` does, on more inputs, from the course's secret seed.

        Parameters
        ----------
        function, name
            As for :meth:`check`.

        Raises
        ------
        CheckFailed
            If it is not right yet; the message tells no values.
        """
        __tracebackhide__ = True
        task = self._find(function, name, sys._getframe(1).f_globals)
        _, verdict = _hidden_verdict(task, function)
        if verdict is not None:
            raise verdict
        print(f"{task.name}: right on all further inputs.")

    def hidden_points(self, function: Any, *, name: str | None = None) -> float:
        """Return the points of the hidden test, which nbgrader takes as partial credit.

        Parameters
        ----------
        function, name
            As for :meth:`check`.

        Raises
        ------
        CheckFailed
            If no aspect is right.
        """
        __tracebackhide__ = True
        task = self._find(function, name, sys._getframe(1).f_globals)
        earned, verdict = _hidden_verdict(task, function)
        if verdict is None:
            print(f"{task.name}: right on all further inputs.")
            return earned
        if not earned:
            raise verdict
        print(verdict)
        return Earned(earned, verdict)

    def hint(self, function: Any, *, name: str | None = None) -> None:
        """Print a hint for what is wrong first, and a second one when it is called again.

        Parameters
        ----------
        function, name
            As for :meth:`check`.
        """
        task = self._find(function, name, sys._getframe(1).f_globals)
        try:
            task.examine(function, None, [0])
        except CheckFailed as failed:
            first = failed.hint or task.hints[0]
            given = self._hints_given[task.name] = min(self._hints_given.get(task.name, 0) + 1, 2)
            print(wrapped(f"Hint {given} of 2: {(first, task.hints[1])[given - 1]}"))
            print(f"Read: {task.chapter.reference}")
        except CheckerError as error:
            print(_excuse(error))
        else:
            print(f"{task.name} is right: there is nothing to hint at.")

    def report(self, *functions: Any) -> None:
        """Print for each task what is done, what is not, and the points of the visible tests.

        Parameters
        ----------
        *functions : callable
            What you wrote, one for each task, in the notebook's order.
        """
        earned = possible = 0.0
        for task, function in itertools.zip_longest(self.exercises.values(), functions):
            if task is None:
                break
            states = {aspect.name: _state(task, aspect.name, function) for aspect in task.aspects}
            points = {aspect.name: aspect.points for aspect in task.aspects}
            earned += sum(points[name] for name, state in states.items() if state == "right")
            possible += sum(points.values())
            told = dict.fromkeys(states.values())
            if len(told) > 1:  # each aspect has a state of its own
                told = dict.fromkeys(f"{name} {state}" for name, state in states.items())
            print(f"{task.name:<42}{', '.join(told)}")
        print(f"Visible tests: {earned:g} of {possible:g} points; hidden tests give as many more.")

    def _find(self, function: Any, name: str | None, cell: Mapping[str, Any]) -> Task:
        """Return the contract of a function by the name that it has in the test cell.

        The name in the cell comes first: a lambda or a wrapped function has another one inside.
        """
        bound = [known for known in self.exercises if cell.get(known) is function]
        own = getattr(function, "__name__", None)
        found = name or (own if own in bound or not bound else bound[0])
        if found not in self.exercises:
            known = ", ".join(self.exercises)
            raise ValueError(f"name must be one of {known}, got {found!r}")
        return self.exercises[found]


def _hidden_verdict(task: Task, function: Any) -> tuple[float, CheckFailed | None]:
    """Return the points of the aspects that are right on hidden inputs, and what is wrong."""
    seeds = [course_seed(task.name, number) for number in range(HIDDEN_ROUNDS)]
    examination = task.examination(function, None, seeds)
    for fault in examination.faults:
        print(_excuse(fault))
    earned = sum(one.points for one in task.aspects if one.name not in examination.broken)
    if not examination.broken:
        return earned, None
    broken = task.promises(examination)
    return earned, CheckFailed(task.name, broken, task.chapter, hidden=True)


class Earned(float):
    """Points for a part of what is tested, and what was wrong with the rest.

    Attributes
    ----------
    message, hint : str
        As of the :class:`CheckFailed` that it stands for.
    mistakes : dict
        The names of the mistakes, each with its hint.
    """

    message: str
    hint: str
    mistakes: dict[str, str]

    def __new__(cls, points: float, verdict: CheckFailed) -> Earned:
        """Return the points, with what the verdict says."""
        earned = super().__new__(cls, points)
        earned.message, earned.hint = str(verdict), verdict.hint
        earned.mistakes = verdict.mistakes
        return earned


def _state(task: Task, aspect: str, function: Any) -> str:
    """Say how far one aspect of a task is, whatever the function is or does."""
    if function is None:
        return "not defined yet"
    try:
        task.examine(function, aspect, [0])
    except CheckFailed as failed:
        return "not written yet" if list(failed.mistakes) == [NOT_WRITTEN.name] else "not right yet"
    except CheckerError:
        return "could not be checked"
    return "right"


def _excuse(error: CheckerError) -> str:
    return (
        f"{error}: the check itself stopped, with {error.__cause__!r}. That is our fault, not "
        "yours, and costs you no points; please report it."
    )


@arguments(question=Text(), number=Integer(">= 0"))
def course_seed(question: str, number: int = 0) -> int:
    """Return a seed that follows from the course's secret and the question.

    The secret is the environment variable ``REGLIB_COURSE_SECRET`` of the process that grades;
    nothing that students receive holds it. The same secret gives the same seeds at every regrade.

    Examples
    --------
    >>> course_seed("l2_penalty") == course_seed("l2_penalty")
    True
    """
    secret = os.environ.get(SECRET_VARIABLE) or DEFAULT_SECRET
    digest = hashlib.blake2b(f"{secret}|{question}|{number}".encode(), digest_size=8)
    return int.from_bytes(digest.digest(), "big")
