"""Which mistake a wrong answer has: the wrong programs that a contract lists are run beside it.

A name is given only where the wrong program of that name returns what the answer returns, on
every input of every aspect. Where no single mistake explains that, several at once are tried.
"""

from __future__ import annotations

import functools
import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib.exercises._answers import Given, function_of, wrong_answers
from reglib.exercises._comparison import Case, Comparison, close, ratio
from reglib.exercises._findings import (
    HARD_CODED,
    NO_DIFFERENCE,
    OTHER_ORDER,
    WHOLE_NUMBERS,
    BrokenCall,
    Finding,
    Mistake,
)
from reglib.exercises._student_function import Student

#: How many mistakes at once are looked for.
TOGETHER = 3
#: How many wrong programs are tried, so that no answer takes much longer than a second.
PROGRAMS = 1000
#: The quantities that results are divided by; by the others they are multiplied.
_DIVISORS = ("m", "keep_prob")


@dataclass(frozen=True)
class Trial:
    """What came and what was expected in all cases of one aspect, or how the answer broke down.

    ``expected`` holds the reference's results as they come; ``wanted`` holds what is compared.
    """

    comparison: Comparison
    cases: Sequence[Case]
    expected: Sequence[Any]
    got: Sequence[NDArray]
    wanted: Sequence[NDArray]
    broken: BrokenCall | None = None
    seconds: float = 0.0

    @classmethod
    def of(
        cls, comparison: Comparison, cases: Sequence[Case], student: Student, reference: Any
    ) -> Trial:
        """Call the reference and the student's function."""
        started = time.process_time()
        expected = comparison.expected(student, cases, reference)
        seconds = time.process_time() - started
        try:
            results = list(comparison.results(student, cases, expected))
        except BrokenCall as broken:
            return cls(comparison, cases, expected, (), (), broken, seconds)
        got, wanted = [got for got, _ in results], [wanted for _, wanted in results]
        return cls(comparison, cases, expected, got, wanted, seconds=seconds)

    @property
    def wrong(self) -> int | None:
        """The place of the first case whose result is wrong."""
        pairs = zip(self.got, self.wanted, strict=True)
        return next(
            (i for i, (got, wanted) in enumerate(pairs) if not self.comparison.agree(got, wanted)),
            None,
        )

    @property
    def fails(self) -> bool:
        """Whether the answer breaks a promise here."""
        return self.broken is not None or self.wrong is not None

    def betrayed(self) -> Mistake | None:
        """Return the mistake that the results give away by themselves."""
        if self.comparison.betrays is None:
            return None
        pairs = zip(self.got, self.cases, strict=True)
        told = (self.comparison.betrays(got, *case.arguments) for got, case in pairs)
        return next((mistake for mistake in told if mistake is not None), None)

    def matches(self, results: Sequence[NDArray], function: Any) -> bool:
        """Say whether a function returns these results, in every case, or breaks down as well."""
        student = Student(function, "answer", "answer()")
        try:
            with np.errstate(all="ignore"):
                found = self.comparison.results(student, self.cases, self.expected)
                if self.broken is not None:
                    return not list(found)
                return all(
                    self.comparison.agree(one, got)
                    for one, (got, _) in zip(results, found, strict=True)
                )
        except BrokenCall as broken:
            return self.broken is not None and _kind(broken) == _kind(self.broken)
        except (ArithmeticError, ValueError):
            return False


@dataclass(frozen=True)
class Naming:
    """What is known of a task's answers: the model, its mistakes, and how it is called."""

    signature: str
    reference: Callable[..., Any]
    model: str
    given: Given
    mistakes: Sequence[Mistake]

    def findings(
        self, student: Student, trial: Trial, others: Sequence[Trial]
    ) -> Iterator[Finding]:
        """Yield a finding for each mistake that explains the results, or one without a name.

        Nothing is yielded for an answer that breaks down in no way that has a name.

        Parameters
        ----------
        student : Student
            The answer.
        trial : Trial
            Of the aspect that is wrong.
        others : sequence of Trial
            Of all other aspects.
        """
        if trial.broken is not None:
            yield from self._breakdown(student, trial.broken, trial, others)
            return
        finding = functools.partial(finding_of, trial)
        trials = [trial, *others]
        group = self._explaining(student, trials)
        exchanged = self._exchanged(trials)
        fixed = _fixed_quantity(trial)
        if exchanged and len(group) != 1:  # one mistake of the list says more
            yield finding(OTHER_ORDER, f"; {exchanged} have changed places")
        elif group:
            alone = [mistake for mistake in group if self._matters(mistake, trial)]
            yield from map(finding, alone or group)
        elif fixed:
            yield finding(HARD_CODED, fixed)
        elif all(map(close, trial.got, map(np.trunc, trial.wanted))):
            yield finding(WHOLE_NUMBERS)
        elif betrayed := trial.betrayed():
            yield finding(betrayed)
        else:
            idle = self._without_effect(trials, student)
            yield finding(NO_DIFFERENCE, f"; {idle} makes no difference") if idle else finding(None)

    def _breakdown(
        self, student: Student, broken: BrokenCall, trial: Trial, others: Sequence[Trial]
    ) -> Iterator[Finding]:
        """Yield the mistakes that break down in the same way and agree in what can be compared."""
        if any(other.broken is None and other.fails for other in others):
            for mistake in self._explaining(student, [trial, *others]):
                yield replace(broken.finding, mistake=mistake)

    def _explaining(self, student: Student, trials: Sequence[Trial]) -> tuple[Mistake, ...]:
        """Return the smallest set of mistakes whose program returns what the answer returns.

        It explains all aspects, so it is looked for once. What is quickly tried comes first.
        """
        if student.explained is None:
            order = sorted(trials, key=lambda one: (one.broken is not None, one.seconds))
            student.explained = self._search(order)
        return student.explained

    def _search(self, trials: Sequence[Trial]) -> tuple[Mistake, ...]:
        for group, text in itertools.islice(self._wrong_programs(trials), PROGRAMS):
            try:
                function = function_of(text, self.signature, self.given)
            except SyntaxError:  # edits that do not go together
                continue
            if all(one.matches(one.got, function) for one in trials):
                return group
        return ()

    def _wrong_programs(self, trials: Sequence[Trial]) -> Iterator[tuple[tuple[Mistake, ...], str]]:
        """Yield programs with one mistake, then with several that break no promise kept here."""
        kept = [trial for trial in trials if not trial.fails]
        mistakes = list(self.mistakes)
        for size in range(1, TOGETHER + 1):
            for group in itertools.combinations(mistakes, size):
                for text in wrong_answers(self.model, group):
                    yield group, text
            if size == 1:
                mistakes = [self._within(mistake, kept) for mistake in mistakes]
                yield from self._joined(mistakes, [trial for trial in trials if trial.fails])

    def _joined(
        self, mistakes: Sequence[Mistake], wrong: Sequence[Trial]
    ) -> Iterator[tuple[tuple[Mistake, ...], str]]:
        """Yield programs that join what explains each aspect alone, with one mistake more or none.

        So slips in several places of a class are found among few programs.
        """
        single = [mistake.written(way) for mistake in mistakes for way in mistake.answers]
        fits = [[one for one in single if self._explains(one, trial)] for trial in wrong]
        for joined in itertools.product(*filter(None, fits)):
            for more in ((), *zip(single)):
                group = tuple(one for one in single if one in joined + more)
                if len({one.name for one in group}) == len(group) > 1:
                    for text in wrong_answers(self.model, group):
                        yield group, text

    def _explains(self, mistake: Mistake, trial: Trial) -> bool:
        """Say whether a mistake by itself gives the results of one aspect."""
        texts = wrong_answers(self.model, [mistake])
        functions = (function_of(text, self.signature, self.given) for text in texts)
        return any(trial.matches(trial.got, one) for one in functions)

    def _within(self, mistake: Mistake, kept: Sequence[Trial]) -> Mistake:
        """Return a mistake in those of its ways that do not show in some aspects."""
        functions = {
            way: function_of(text, self.signature, self.given)
            for way in mistake.answers
            for text in wrong_answers(self.model, [mistake.written(way)])
        }
        return mistake.written(
            *[way for way, one in functions.items() if all(t.matches(t.wanted, one) for t in kept)]
        )

    def _matters(self, mistake: Mistake, trial: Trial) -> bool:
        """Say whether a mistake by itself makes an aspect wrong."""
        texts = wrong_answers(self.model, [mistake])
        functions = (function_of(text, self.signature, self.given) for text in texts)
        return not all(trial.matches(trial.wanted, one) for one in functions)

    def _exchanged(self, trials: Sequence[Trial]) -> str:
        """Return the names of two arguments that the answer takes for each other."""
        names = argument_names(self.signature)
        model = function_of(self.model, self.signature, self.given)
        for i, j in itertools.combinations(range(len(names)), 2):

            def call(*given: Any, i: int = i, j: int = j) -> Any:
                order = list(given)
                order[i], order[j] = order[j], order[i]
                return model(*order)

            if all(
                j < len(case.arguments) and _alike(case.arguments[i], case.arguments[j])
                for trial in trials
                for case in trial.cases
            ) and all(trial.matches(trial.got, call) for trial in trials):
                return f"{names[i]} and {names[j]}"
        return ""

    def _without_effect(self, trials: Sequence[Trial], student: Student) -> str:
        """Return the name of a number or flag that the answer's results do not depend on."""
        for place, name in enumerate(argument_names(self.signature)):
            try:
                pairs = [
                    pair
                    for one in trials
                    if one.broken is None
                    for pair in self._moved(one, trials, place, student)
                ]
            except BrokenCall:
                continue
            if pairs and all(still for still, _ in pairs) and not all(right for _, right in pairs):
                return name
        return ""

    def _moved(
        self, trial: Trial, trials: Sequence[Trial], place: int, student: Student
    ) -> Iterator[tuple[bool, bool]]:
        """Yield whether the answer and the reference stay where they were with another value."""
        values = _values_of([trial], place)
        if len(values) == 1:  # such as a lambda that is 0 throughout
            values = _values_of(trials, place)
        swapped = [
            (i, replace(case, arguments=_put(case.arguments, place, value)))
            for i, case in enumerate(trial.cases)
            for value in values
            if _is_scalar(case, place) and value != case.arguments[place]
        ]
        # Which entries an aspect is about may depend on the value as well.
        whole, part = replace(trial.comparison, part=None), trial.comparison.part
        moved = Trial.of(whole, [case for _, case in swapped], student, self.reference)
        if moved.broken is not None:
            raise moved.broken
        for (i, _), got, wanted in zip(swapped, moved.got, moved.wanted, strict=True):
            chosen = ... if part is None else part(*trial.cases[i].arguments)
            yield close(got[chosen], trial.got[i]), close(wanted[chosen], trial.wanted[i])


def _kind(broken: BrokenCall) -> tuple[str, Mistake | None]:
    return type(broken.error).__name__, broken.finding.mistake


def _values_of(trials: Sequence[Trial], place: int) -> set[Any]:
    """Return the values of an argument, where it is a number or flag."""
    cases = [case for trial in trials for case in trial.cases]
    return {case.arguments[place] for case in cases if _is_scalar(case, place)}


def _is_scalar(case: Case, place: int) -> bool:
    return place < len(case.arguments) and isinstance(case.arguments[place], (int, float))


def _put(arguments: tuple[Any, ...], place: int, value: Any) -> tuple[Any, ...]:
    return (*arguments[:place], value, *arguments[place + 1 :])


def finding_of(trial: Trial, mistake: Mistake | None = None, more: str = "") -> Finding:
    """Return what is said of the first case of a trial that is wrong."""
    at = trial.wrong
    assert at is not None
    case, got, wanted = trial.cases[at], trial.got[at], trial.wanted[at]
    return trial.comparison.finding(case, got, wanted, mistake, more)


def argument_names(signature: str) -> list[str]:
    """Return the names of a signature's arguments.

    Examples
    --------
    >>> argument_names("EarlyStopping(patience, min_delta=0.0)")
    ['patience', 'min_delta']
    """
    inside = signature[signature.index("(") + 1 : signature.index(")")]
    return [argument.split("=")[0].strip() for argument in inside.split(",")]


def _alike(one: Any, other: Any) -> bool:
    """Say whether two arguments could stand for each other."""
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        return one.shape == other.shape
    return isinstance(one, (int, float)) and isinstance(other, (int, float))


def _fixed_quantity(trial: Trial) -> str:
    """Return a text if one fixed value of a quantity, in place of the true one, explains all."""
    ratios = []
    for result, right in zip(trial.got, trial.wanted, strict=True):
        factor = ratio(result, right)
        if not close(result, factor * right):
            return ""
        ratios.append(factor)
    for name in trial.cases[0].quantities:
        values = np.array([case.quantities[name] for case in trial.cases])
        if not all(ratios) or not np.ptp(values):
            continue
        used = values / ratios if name in _DIVISORS else values * ratios
        if np.ptp(used) <= 1e-6 * abs(used[0]):
            return f"; it is what {name} = {used[0]:.4g} would give in every case"
    return ""
