"""The contract of one function that a student writes: what is tested, and what goes wrong in it."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from reglib.exercises._comparison import Comparison, overwritten
from reglib.exercises._findings import BrokenCall, Finding, Mistake
from reglib.exercises._messages import Chapter, CheckFailed
from reglib.exercises._naming import Naming, Trial, finding_of
from reglib.exercises._student_function import Student


@dataclass(frozen=True)
class Aspect:
    """One thing to learn, tested and paid alone.

    Parameters
    ----------
    name : str
        One word, used in the test cell.
    promise : str
        What a correct function does, for the message.
    test : Comparison or callable
        A comparison with the reference; where results are random, ``test(student, rng)`` yields
        findings.
    points : float
        What it earns in the visible test, and once more in the hidden one.
    """

    name: str
    promise: str
    test: Comparison | Callable[[Student, np.random.Generator], Iterator[Finding]]
    points: float = 1


class CheckerError(Exception):
    """The check itself is at fault; whoever answers must not pay for it."""


@dataclass(frozen=True)
class Examination:
    """What came of holding a function against its contract.

    Parameters
    ----------
    student : Student
        The function, with its notes.
    broken : dict
        What was found, by the name of the aspect.
    faults : list of CheckerError
        Tests that could not be made, through no fault of the answer.
    """

    student: Student
    broken: dict[str, list[Finding]]
    faults: list[CheckerError]


@dataclass(frozen=True)
class Task:
    """The contract of one function.

    Parameters
    ----------
    signature : str
        ``"l2_penalty(weights, lam, m)"``.
    reference : callable
        The right answer, imported from reglib.
    model : str
        A right answer as a student writes it; the mistakes are edits of it.
    aspects : tuple of Aspect
        What is tested.
    mistakes : tuple of Mistake
        Those that this contract can name, beside the general ones, each with its wrong answers.
    right : tuple of str
        Right answers in other styles.
    hints : tuple of str
        What helps where no mistake is recognized: a first hint, and a second that says more.
    section : str
        The section of the chapter that explains it.
    chapter : Chapter
        The chapter, which the assignment sets.
    given : mapping, optional
        What an answer may use beside NumPy.
    diagnose : callable, optional
        ``diagnose(student, broken)`` may yield more findings when a call broke down.
    explain : callable, optional
        ``explain(student)`` may yield findings where results are wrong and no name fits.
    """

    signature: str
    reference: Callable[..., Any]
    model: str
    aspects: tuple[Aspect, ...]
    mistakes: tuple[Mistake, ...]
    right: tuple[str, ...]
    hints: tuple[str, str] = ("", "")
    section: str = ""
    chapter: Chapter = Chapter(0, "", "")  # noqa: RUF009 - it is frozen
    given: Mapping[str, Any] = field(default_factory=dict)
    diagnose: Callable[[Student, BrokenCall], Iterable[Finding]] | None = None
    explain: Callable[[Student], Iterable[Finding]] | None = None

    @property
    def name(self) -> str:
        """The function's name."""
        return self.signature.split("(")[0]

    @property
    def _naming(self) -> Naming:
        return Naming(
            self.signature,
            self.reference,
            self.model,
            tuple(self.given.items()),
            [mistake for mistake in self.mistakes if mistake.answers],
        )

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

    def examine(self, function: Any, aspect: str | None, seeds: Iterable[int]) -> Student:
        """Hold a function against one aspect or all of them.

        Parameters
        ----------
        function : callable
            The student's.
        aspect : str or None
            One aspect's name; None stands for all.
        seeds : iterable of int
            One for each draw of inputs.

        Returns
        -------
        Student
            With its notes, if nothing was wrong.

        Raises
        ------
        CheckFailed
            With what the first draw of inputs that shows it gives away of each aspect.
        CheckerError
            If nothing is wrong but a test could not be made.
        """
        __tracebackhide__ = True
        examination = self.examination(function, aspect, seeds)
        if examination.broken:
            title = f"{self.name} ({aspect})" if aspect else self.name
            raise CheckFailed(title, self.promises(examination), self.chapter) from None
        if examination.faults:
            raise examination.faults[0]
        return examination.student

    def examination(self, function: Any, aspect: str | None, seeds: Iterable[int]) -> Examination:
        """Return what :meth:`examine` finds, aspect by aspect, and raise nothing."""
        student = Student(function, self.name, self.signature)
        broken: dict[str, list[Finding]] = {}
        faults: list[CheckerError] = []
        with contextlib.redirect_stderr(io.StringIO()):
            for seed in seeds:
                student.explained = None  # by what is true of these inputs
                for one in self.aspects if aspect is None else (self.aspect(aspect),):
                    if one.name not in broken:
                        try:
                            findings = self._findings(one, student, seed)
                        except CheckerError as fault:
                            faults.append(fault)
                            continue
                        if findings:
                            broken[one.name] = findings
        return Examination(student, broken, faults)

    def promises(self, examination: Examination) -> dict[str, list[Finding]]:
        """Return the promises that are broken, in the contract's order, with what was found."""
        broken = examination.broken
        return {one.promise: broken[one.name] for one in self.aspects if one.name in broken}

    def read_in(self, chapter: Chapter) -> Task:
        """Return the contract with the chapter that explains the function."""
        return replace(self, chapter=replace(chapter, section=self.section))

    def _findings(self, aspect: Aspect, student: Student, seed: int) -> list[Finding]:
        findings: list[Finding] = []
        try:
            if isinstance(aspect.test, Comparison):
                findings += self._compared(aspect, aspect.test, student, seed)
            else:
                findings += aspect.test(student, _generator(aspect, seed))
        except BrokenCall as broken:
            findings += self._diagnosed(student, broken)
        except OSError:  # the machine's, or the grader's
            raise
        except Exception as error:
            if not self._is_examined(aspect, seed):
                raise CheckerError(f"{self.name} ({aspect.name})") from error
            warnings.warn(f"the check of {self.name}: {error!r}", RuntimeWarning, stacklevel=2)
            came = f"results that stopped the check with {type(error).__name__}"
            findings.append(Finding(came, "results of the kind that the task asks for"))
        return findings

    def _diagnosed(self, student: Student, broken: BrokenCall) -> list[Finding]:
        """Return what is said of an answer that breaks down."""
        more: list[Finding] = []
        if self.diagnose is not None:
            with contextlib.suppress(BrokenCall):
                more += self.diagnose(student, broken)
        return [broken.finding, *more]

    def accepts(self, function: Any, seeds: Iterable[int]) -> bool:
        """Say whether a function keeps all promises, without a word on what is wrong.

        Raises
        ------
        Exception
            If the check itself stops.
        """
        student = Student(function, self.name, self.signature)
        try:
            return not any(
                self._is_broken(aspect, student, seed) for seed in seeds for aspect in self.aspects
            )
        except BrokenCall:
            return False

    def _is_broken(self, aspect: Aspect, student: Student, seed: int) -> bool:
        if not isinstance(aspect.test, Comparison):
            return any(True for _ in aspect.test(student, _generator(aspect, seed)))
        student.changed = False
        trial = self._trial(aspect, aspect.test, student, seed)
        return trial.fails or (aspect.test.unchanged and student.changed)

    def _is_examined(self, aspect: Aspect, seed: int) -> bool:
        """Say whether the reference passes where the check has stopped: then the answer is odd."""
        reference = Student(self.reference, self.name, self.signature)
        try:
            return not self._is_broken(aspect, reference, seed)
        except Exception:
            return False

    def _compared(
        self, aspect: Aspect, comparison: Comparison, student: Student, seed: int
    ) -> Iterator[Finding]:
        student.changed = False
        trial = self._trial(aspect, comparison, student, seed)
        if trial.fails:
            found = _named(self._naming, trial, student, self._other_trials(aspect, student, seed))
            if trial.broken is not None and not found:
                found = self._diagnosed(student, trial.broken)
            elif self.explain is not None and not any(finding.mistake for finding in found):
                with contextlib.suppress(BrokenCall):
                    found = list(self.explain(student)) or found
            yield from found
        elif comparison.unchanged and student.changed:
            yield overwritten(student, trial.cases[0])

    def _trial(self, aspect: Aspect, comparison: Comparison, student: Student, seed: int) -> Trial:
        cases = list(comparison.cases(_generator(aspect, seed)))
        return Trial.of(comparison, cases, student, self.reference)

    def _other_trials(self, aspect: Aspect, student: Student, seed: int) -> Sequence[Trial]:
        return [
            self._trial(other, other.test, student, seed)
            for other in self.aspects
            if other is not aspect and isinstance(other.test, Comparison)
        ]


def _named(
    naming: Naming, trial: Trial, student: Student, others: Sequence[Trial]
) -> list[Finding]:
    """Return what is wrong by its name; a fault in the search for names costs only the name."""
    try:
        return list(naming.findings(student, trial, others))
    except Exception as error:
        warnings.warn(f"the search for a name: {error!r}", RuntimeWarning, stacklevel=2)
        return [finding_of(trial)] if trial.broken is None else []


def _generator(aspect: Aspect, seed: int) -> np.random.Generator:
    return np.random.default_rng([seed, *aspect.name.encode()])
