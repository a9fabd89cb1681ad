"""What a contract is made of, and how a student's function is held against it.

A contract (:class:`Exercise`) belongs to one function. It has *aspects*, each a thing to learn
that earns points alone: an aspect is a generator function ``aspect(student, rng)`` that calls the
student's function on random inputs and yields a finding for each promise that is broken. A finding
names a mistake where the outputs give one away. No finding, full marks.

The student's function is an opaque callable on plain data (numbers, strings, lists, tuples, dicts,
arrays, Generators, functions): it may live in another process. A student's class is used through
its constructor, its methods and its attributes.

``check`` draws its inputs from a public seed. ``check_hidden`` draws more of them, from a seed
that only the instructor knows (:func:`course_seed`) and that is the same at every regrade.

``_findings`` has what is said of an answer, ``_student`` the guard around it, and ``_compare`` the
comparison of its results with the right ones.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reglib._arguments import Instance, Integer, Text, arguments
from reglib.exercises._findings import NOT_WRITTEN, BrokenCall, Finding, Mistake
from reglib.exercises._student_function import Student

#: The environment variable that holds the course's secret, and what is used without it.
SECRET_VARIABLE = "REGLIB_COURSE_SECRET"
DEFAULT_SECRET = "no secret set"
#: How many draws of inputs a hidden test makes; a visible one makes a single draw.
HIDDEN_ROUNDS = 2
#: Messages are wrapped, because a notebook cuts long lines off.
_WIDTH = 88


@dataclass(frozen=True)
class Chapter:
    """Where to read about an exercise."""

    number: int
    title: str
    page: str

    def __str__(self) -> str:
        return f"chapter {self.number}, {self.title} (book/chapters/{self.page}.md)"


@dataclass(frozen=True)
class Aspect:
    """One thing to learn, tested and paid alone.

    Parameters
    ----------
    name : str
        One word, used in the test cell.
    promise : str
        What a correct function does, for the message.
    test : callable
        ``test(student, rng)`` yields findings.
    """

    name: str
    promise: str
    test: Callable[[Student, np.random.Generator], Iterator[Finding]]


@dataclass(frozen=True)
class Exercise:
    """The contract of one function.

    Parameters
    ----------
    name, signature : str
        ``"l2_penalty"`` and ``"l2_penalty(weights, lam, m)"``.
    reference : callable
        The right answer, imported from reglib.
    chapter : Chapter
        Where to read.
    aspects : tuple of Aspect
        What is tested.
    mistakes : tuple of Mistake
        Those that this contract can name, beside the general ones.
    diagnose : callable, optional
        ``diagnose(student, broken)`` may return more findings when a call broke down.
    """

    name: str
    signature: str
    reference: Callable[..., Any]
    chapter: Chapter
    aspects: tuple[Aspect, ...]
    mistakes: tuple[Mistake, ...] = ()
    diagnose: Callable[[Student, BrokenCall], Iterable[Finding]] | None = None

    def aspect(self, name: str) -> Aspect:
        """Return the aspect of that name.

        Raises
        ------
        ValueError
            If there is none.
        """
        for aspect in self.aspects:
            if aspect.name == name:
                return aspect
        known = ", ".join(aspect.name for aspect in self.aspects)
        raise ValueError(f"aspect must be one of {known}, got {name!r}")

    def examine(
        self, function: Any, aspect: str | None, seeds: Iterable[int], where: str = ""
    ) -> Student:
        """Hold a function against one aspect or all of them.

        Parameters
        ----------
        function : callable
            The student's.
        aspect : str or None
            One aspect's name; None stands for all.
        seeds : iterable of int
            One for each draw of inputs.
        where : str
            What the message says of the inputs.

        Returns
        -------
        Student
            With its notes, if nothing was wrong.

        Raises
        ------
        CheckFailed
            With all findings of the first draw that has any.
        """
        __tracebackhide__ = True
        student = Student(function, self.name, self.signature)
        chosen = self.aspects if aspect is None else (self.aspect(aspect),)
        failure = None
        with contextlib.redirect_stderr(io.StringIO()):
            for seed in seeds:
                findings = [f for one in chosen for f in self._findings(one, student, seed)]
                if findings:
                    failure = self._failure(chosen, findings, where)
                    break
        if failure is not None:
            raise failure from None
        return student

    def _findings(self, aspect: Aspect, student: Student, seed: int) -> list[Finding]:
        rng = np.random.default_rng([seed, *aspect.name.encode()])
        findings: list[Finding] = []
        try:
            findings += aspect.test(student, rng)
        except BrokenCall as broken:
            more: list[Finding] = []
            if self.diagnose is not None:
                with contextlib.suppress(BrokenCall):
                    more += self.diagnose(student, broken)
            findings += [broken.finding, *more]
        return findings

    def _failure(
        self, chosen: Sequence[Aspect], findings: Sequence[Finding], where: str
    ) -> CheckFailed:
        unique: dict[Any, Finding] = {}
        for finding in findings:
            unique.setdefault(finding.mistake or (finding.came, finding.expected), finding)
        findings = list(unique.values())
        mistakes = [finding.mistake for finding in findings if finding.mistake]
        if mistakes == [NOT_WRITTEN]:
            return CheckFailed(
                f"{findings[0].came}, so there are no points for it so far.\n"
                f"Hint: {NOT_WRITTEN.hint} Then run this cell again.\n"
                f"Read: {self.chapter}",
                mistakes,
            )
        topic = chosen[0].name if len(chosen) == 1 else ""
        lines = [f"{self.name}{' (' + topic + ')' if topic else ''}: not right yet{where}."]
        if topic:
            lines.append(f"What is tested: {chosen[0].promise}")
        for number, finding in enumerate(findings, start=1):
            bullet = f"{number}. " if len(findings) > 1 else ""
            lines += ["", *_told(bullet, finding)]
        lines += ["", f"Read: {self.chapter}"]
        return CheckFailed("\n".join(lines), mistakes)


class CheckFailed(AssertionError):  # noqa: N818 - it is a verdict, read by students
    """What a student reads when a promise is broken; ``str`` is the message.

    Attributes
    ----------
    mistake : str or None
        The first mistake that was recognized.
    mistakes : tuple of str
        All of them.
    hint : str
        The first one's hint.
    """

    def __init__(self, message: str, mistakes: Sequence[Mistake] = (), hint: str = "") -> None:
        super().__init__(message)
        self.mistakes = tuple(mistake.name for mistake in mistakes)
        self.mistake = self.mistakes[0] if mistakes else None
        self.hint = hint or (mistakes[0].hint if mistakes else "")

    def _render_traceback_(self) -> list[str]:
        """Show a notebook the message alone, without the way through these modules."""
        return str(self).split("\n")


def _told(bullet: str, finding: Finding) -> list[str]:
    parts = [("What came:", finding.came), ("Expected:", finding.expected)]
    if finding.mistake is not None:
        mistake = finding.mistake
        parts += [("Looks like:", f'"{mistake.name}". {mistake.why}'), ("Hint:", mistake.hint)]
    margin, lines = " " * len(bullet), []
    for label, text in parts:
        first, after = f"{bullet}{label:<12}", f"{margin}{'':<12}"
        for line in text.split("\n"):
            lines += textwrap.wrap(
                line.strip(), _WIDTH, initial_indent=first, subsequent_indent=after
            )
            first = after
        bullet = margin
    return lines


class Assignment:
    """The contracts of one assignment, with the two functions that its test cells call.

    Parameters
    ----------
    *exercises : Exercise
        One for each function that the student writes.
    """

    def __init__(self, *exercises: Exercise) -> None:
        if not exercises:
            raise ValueError("exercises must not be empty, got none")
        for exercise in exercises:
            Instance(Exercise, "exercises").check("exercises", exercise)
        self.exercises = {exercise.name: exercise for exercise in exercises}

    def check(self, function: Any, aspect: str | None = None, *, name: str | None = None) -> None:
        """Test a function on inputs that are the same every time; say what is wrong with it.

        Parameters
        ----------
        function : callable
            What you wrote.
        aspect : str, optional
            Only this aspect; by default all of them.
        name : str, optional
            Which exercise it answers; by default the name that you gave it.

        Raises
        ------
        CheckFailed
            If it is not right yet; the message is for you.
        """
        __tracebackhide__ = True
        exercise = self._find(function, name, sys._getframe(1).f_globals)
        student = exercise.examine(function, aspect, [0])
        print(f"{exercise.name}{f' ({aspect})' if aspect else ''}: right.")
        for note in student.notes:
            print(f"Note: {note}")

    def check_hidden(
        self, function: Any, aspect: str | None = None, *, name: str | None = None
    ) -> None:
        """Test a function as :meth:`check` does, on more inputs, from the course's secret seed.

        Parameters
        ----------
        function, aspect, name
            As for :meth:`check`.

        Raises
        ------
        CheckFailed
            If it is not right yet.
        """
        __tracebackhide__ = True
        exercise = self._find(function, name, sys._getframe(1).f_globals)
        seeds = [course_seed(exercise.name, number) for number in range(HIDDEN_ROUNDS)]
        exercise.examine(function, aspect, seeds, " on further inputs of the same kind")
        print(f"{exercise.name}: right on all further inputs.")

    def _find(self, function: Any, name: str | None, cell: Mapping[str, Any]) -> Exercise:
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
