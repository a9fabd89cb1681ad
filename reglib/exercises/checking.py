"""What a contract is made of, and how a student's function is held against it.

A contract (:class:`Exercise`) belongs to one function. It has *aspects*, each a thing to learn
that earns points alone: an aspect is a generator function ``aspect(student, rng)`` that calls the
student's function on random inputs and yields a :class:`Finding` for each promise that is broken.
A finding names a :class:`Mistake` where the outputs give one away. No finding, full marks.

The student's function is an opaque callable on plain data (numbers, strings, lists, tuples, dicts,
arrays, Generators, functions): it may live in another process. A student's class is used through
its constructor, its methods and its attributes.

``check`` draws its inputs from a public seed. ``check_hidden`` draws more of them, from a seed
that only the instructor knows (:func:`course_seed`) and that is the same at every regrade.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import re
import sys
import textwrap
import traceback
import types
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib._validation import check_instance, check_integer, check_text

#: The environment variable that holds the course's secret, and what is used without it.
SECRET_VARIABLE = "REGLIB_COURSE_SECRET"
DEFAULT_SECRET = "no secret set"
#: How many draws of inputs a hidden test makes; a visible one makes a single draw.
HIDDEN_ROUNDS = 2
#: Standard errors that a rate may be off: a correct answer exceeds it once in 4e11 tests.
SIGMAS = 7.0
#: How far a result may be off: an answer in float32 passes, no mistake comes near.
RELATIVE, ABSOLUTE = 1e-5, 1e-7
#: Messages are wrapped, because a notebook cuts long lines off.
_WIDTH = 88


@dataclass(frozen=True)
class Mistake:
    """A misconception that can be told from what a function returns.

    Parameters
    ----------
    name : str
        A few words, the same in feedback and in an instructor's statistics.
    why : str
        One sentence: what it does to the result.
    hint : str
        Where to look, without the answer's line.
    """

    name: str
    why: str
    hint: str


@dataclass(frozen=True)
class Finding:
    """One broken promise: what came, what was expected, and the mistake that it looks like."""

    came: str
    expected: str
    mistake: Mistake | None = None


@dataclass(frozen=True)
class Chapter:
    """Where to read about an exercise."""

    number: int
    title: str
    page: str

    def __str__(self) -> str:
        return f"chapter {self.number}, {self.title} (book/chapters/{self.page}.md)"


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


class BrokenCall(Exception):  # noqa: N818 - carries a finding, is no error of ours
    """The student's function could not be called, or what it returned is of no use."""

    def __init__(self, finding: Finding, error: BaseException | None = None) -> None:
        super().__init__(finding.came)
        self.finding = finding
        self.error = error


NOT_WRITTEN = Mistake(
    "not written yet",
    "The function still raises NotImplementedError.",
    "Replace the line that raises NotImplementedError with your answer.",
)
RETURNS_NOTHING = Mistake(
    "return is missing",
    "A function without a return statement returns None.",
    "End the function with return and the value that the task asks for.",
)
SIGNATURE = Mistake(
    "other arguments",
    "The function does not take the arguments that the task names, in their order.",
    "Compare your def line with the task's.",
)
UNDEFINED = Mistake(
    "name from nowhere",
    "The function uses a name that is neither an argument nor defined or imported anywhere.",
    "Take every value that the function needs from its arguments, and define every helper.",
)
NO_NUMBERS = Mistake(
    "not a number",
    "The result holds NaN, infinity or something that is no number.",
    "Print the intermediate values for a small input and see where it begins.",
)
HARD_CODED = Mistake(
    "hard-coded value",
    "The result fits one fixed value of a quantity, written as a number or taken from a variable "
    "outside the function, and no other.",
    "Compute the quantity from the arguments: m, for example, is the number of examples.",
)

GENERAL_MISTAKES = (
    NOT_WRITTEN,
    RETURNS_NOTHING,
    SIGNATURE,
    UNDEFINED,
    NO_NUMBERS,
    HARD_CODED,
)


class Student:
    """The student's function behind a guard: copies go in, clear findings come out.

    Parameters
    ----------
    function : callable
        What the student wrote; opaque.
    name : str
        What it is called in messages.
    signature : str
        What it should look like.
    """

    def __init__(self, function: Any, name: str, signature: str) -> None:
        self.function = function
        self.name = name
        self.signature = signature
        self.notes: list[str] = []

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Return what the function returns for copies of the arguments.

        Raises
        ------
        BrokenCall
            If it raises instead.
        """
        given = [_copy(argument) for argument in arguments]
        result = self.guard(self.function, *given, **named)
        if any(map(_differs, arguments, given)):
            self.note(
                f"{self.name} changes an array that it was given. No points are lost, but whoever "
                "calls it may still need that array: work on a copy."
            )
        return result

    def guard(self, function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        """Return ``function(*arguments)``; an error becomes a finding."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return function(*arguments, **named)
        except BrokenCall:
            raise
        except (Exception, SystemExit) as error:
            raise BrokenCall(self._explain(error), error) from None

    def note(self, text: str) -> None:
        """Keep an advice that costs no points."""
        if text not in self.notes:
            self.notes.append(text)

    def numbers(self, value: Any, what: str, shape: tuple[int, ...] | None = None) -> NDArray:
        """Return a result as an array of finite floats of the given shape.

        Raises
        ------
        BrokenCall
            If it is something else.
        """
        size = "a number" if shape == () else f"an array of shape {shape}" if shape else "numbers"
        if value is None:
            raise BrokenCall(Finding(f"{what} is None", f"{what} is {size}", RETURNS_NOTHING))
        try:
            array = np.array(value, dtype=np.float64)
        except (TypeError, ValueError):
            came = f"{what} is {type(value).__name__}: {_short(value)}"
            raise BrokenCall(Finding(came, f"{what} is {size}", NO_NUMBERS)) from None
        if shape is not None and array.shape != shape:
            if shape == () and array.size == 1:
                return array.reshape(())
            came = f"{what} has shape {array.shape}"
            raise BrokenCall(
                Finding(came, f"{what} has shape {shape}" if shape else f"{what}, one number")
            )
        if not np.isfinite(array).all():
            raise BrokenCall(
                Finding(f"{what} holds NaN or infinity", f"{what} is finite", NO_NUMBERS)
            )
        return array

    def pair(self, value: Any, first: str, second: str) -> tuple[Any, Any]:
        """Return a result that must be a pair.

        Raises
        ------
        BrokenCall
            If it is no tuple or list of two.
        """
        expected = f"a pair ({first}, {second})"
        if value is None:
            raise BrokenCall(Finding(f"{self.name} returned None", expected, RETURNS_NOTHING))
        if not isinstance(value, (tuple, list)) or len(value) != 2:
            found = f"{len(value)} values" if isinstance(value, (tuple, list)) else _short(value)
            raise BrokenCall(Finding(f"{self.name} returned {found}", expected))
        return value[0], value[1]

    def _names(self) -> set[str]:
        """Return the names that an error message may call the function by."""
        own = getattr(self.function, "__name__", self.name)
        return {self.name, str(own), "<lambda>", "<module>", "__init__", "update"}

    def _explain(self, error: BaseException) -> Finding:
        kind, text = type(error).__name__, str(error)
        expected = f"a result from {self.signature}"
        if _is(error, NotImplementedError):
            inner = _raised_in(error)
            if inner is None or inner in self._names():
                return Finding(f"{self.name} is not written yet", expected, NOT_WRITTEN)
            came = f"{self.name} calls {inner}, which is not written yet"
            return Finding(came, expected, NOT_WRITTEN)
        came = f"{self.name} raised {kind}: {text}{_line_of(error)}"
        if _is(error, NameError):
            return Finding(came, expected, UNDEFINED)
        called = re.match(r"(?:[\w.<>]*\.)?([\w<>]+)\(\) (?:takes|missing|got)\b", text)
        # The call itself failed, not one further in.
        outermost = called and (called[1] in self._names() or _raised_in(error) is None)
        if _is(error, TypeError) and outermost:
            return Finding(came, f"the arguments of {self.signature}", SIGNATURE)
        return Finding(came, expected)


def _is(error: BaseException, kind: type[BaseException]) -> bool:
    """Say whether an error is of a kind; one from another process has only its name."""
    return isinstance(error, kind) or type(error).__name__ in {
        kind.__name__,
        *(sub.__name__ for sub in kind.__subclasses__()),
    }


def _raised_in(error: BaseException) -> str | None:
    """Return the name of the function that raised an error, if that can be seen."""
    frames = traceback.extract_tb(error.__traceback__)
    return frames[-1].name if frames and not _ours(frames[-1]) else None


def _ours(frame: traceback.FrameSummary) -> bool:
    here = os.path.dirname(os.path.abspath(__file__))
    return frame.filename.startswith(here) or "site-packages" in frame.filename


def _line_of(error: BaseException) -> str:
    """Return where in the student's own code an error arose, if that can be seen."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if not _ours(frame):
            return f"\n     in the line: {frame.line}" if frame.line else ""
    return ""


def undefined_name(broken: BrokenCall) -> str | None:
    """Return the name that a NameError complains about, if that is what broke the call."""
    found = re.search(r"name '(\w+)' is not defined|variable '(\w+)'", str(broken.error))
    return (found[1] or found[2]) if found and broken.finding.mistake is UNDEFINED else None


def lend(function: Any, over: Mapping[str, Any], under: Mapping[str, Any]) -> Any:
    """Return the function with names lent to it, to see what else is wrong; or None.

    Only a plain function of this process can be lent names. That decides what a message says,
    never whether an answer passes.

    Parameters
    ----------
    function : callable
        The student's function.
    over, under : mapping
        Names that replace its globals, and names that stand in where a global is missing.
    """
    if type(function) is not types.FunctionType:
        return None
    scope = {**under, **function.__globals__, **over}
    copy = types.FunctionType(
        function.__code__, scope, function.__name__, function.__defaults__, function.__closure__
    )
    copy.__kwdefaults__ = function.__kwdefaults__
    return copy


def _copy(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)(_copy(item) for item in value)
    return value


def _differs(before: Any, after: Any) -> bool:
    if isinstance(before, np.ndarray):
        return before.shape != np.shape(after) or not np.array_equal(before, after)
    if isinstance(before, dict):
        return set(before) != set(after) or any(_differs(before[k], after[k]) for k in before)
    if type(before) in (list, tuple):
        return len(before) != len(after) or any(map(_differs, before, after))
    return False


def _short(value: Any) -> str:
    if isinstance(value, np.ndarray) and value.size > 12:
        return f"an array of shape {value.shape}"
    text = " ".join(repr(value).split())
    return text if len(text) <= 120 else text[:117] + "..."


def close(a: Any, b: Any) -> bool:
    """Return whether two results agree up to rounding; NaN agrees with nothing."""
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    return a.shape == b.shape and bool(np.all(np.abs(a - b) <= ABSOLUTE + RELATIVE * np.abs(b)))


def show(value: Any) -> str:
    """Return a number or a small array as a short text."""
    array = np.asarray(value, dtype=float)
    if array.ndim == 0:
        return f"{float(array):.6g}"
    if array.size <= 8:
        return np.array2string(array, precision=4, separator=", ").replace("\n", "")
    return f"an array of shape {array.shape}"


def differ(got: NDArray, wanted: NDArray, what: str, mistake: Mistake | None = None) -> Finding:
    """Return a finding that says where two results differ and by how much."""
    if got.ndim == 0:
        came, expected = f"{what} is {show(got)}", f"{show(wanted)}"
        if wanted != 0 and np.isfinite(got):
            came += f", {float(got / wanted):.4g} times what was expected"
        return Finding(came, expected, mistake)
    gap = np.abs(got - wanted)
    worst = np.unravel_index(np.argmax(np.where(np.isnan(gap), np.inf, gap)), gap.shape)
    place = "[" + ", ".join(str(int(i)) for i in worst) + "]"
    count = int(np.sum(~(gap <= ABSOLUTE + RELATIVE * np.abs(wanted))))
    return Finding(
        f"{count} of the {got.size} entries of {what} differ, most at {place}: {got[worst]:.6g}",
        f"{wanted[worst]:.6g} there",
        mistake,
    )


@dataclass(frozen=True)
class Case:
    """One input of a function whose result is determined: its arguments and a text for them."""

    arguments: tuple[Any, ...]
    text: str
    quantities: Mapping[str, float] = field(default_factory=dict)


def compare(
    student: Student,
    cases: Iterable[Case],
    correct: Callable[..., Any],
    *,
    faulty: Callable[..., Any] | None = None,
    mistakes: Iterable[Mistake] = (),
    read: Callable[[Any, Any], NDArray] | None = None,
    call: Callable[..., Any] | None = None,
    together: int = 3,
    what: str = "the result",
) -> Iterator[Finding]:
    """Yield findings where a function's results are not the correct ones.

    Parameters
    ----------
    student : Student
        Called with each case's arguments.
    cases : iterable of Case
        The inputs.
    correct : callable
        The reference.
    faulty : callable, optional
        ``faulty(names, *arguments)`` returns what somebody with the named mistakes would get.
    mistakes : iterable of Mistake
        What to look for, the likeliest first. The smallest set (of at most ``together``) whose
        results equal the student's in every case is named, each of its members.
    read : callable, optional
        ``read(result, wanted)`` turns a result into an array; by default one of the shape of
        the reference's.
    call : callable, optional
        What is compared, where it is not the function itself but something made of its results.
    what : str
        What the result is called.
    """
    cases, call = list(cases), call or student
    read = read or (lambda got, wanted: student.numbers(got, what, np.shape(wanted)))
    wanted = [correct(*_copy(case.arguments)) for case in cases]
    targets = [np.asarray(read(value, value), dtype=float) for value in wanted]
    got = [read(call(*case.arguments), w) for case, w in zip(cases, wanted, strict=True)]
    wrong = [i for i in range(len(cases)) if not close(got[i], targets[i])]
    if not wrong:
        return
    first = wrong[0]
    named = list(mistakes)
    if faulty is not None:
        for size in range(1, together + 1):
            for group in combinations(named, size):
                names = frozenset(mistake.name for mistake in group)
                if _explains(names, faulty, cases, got, wanted, read):
                    for mistake in group:
                        yield _at(cases[first], differ(got[first], targets[first], what, mistake))
                    return
    fixed = _fixed_quantity(cases, got, targets)
    mistake = HARD_CODED if fixed else None
    finding = _at(cases[first], differ(got[first], targets[first], what, mistake))
    yield Finding(finding.came + fixed, finding.expected, mistake)


def _at(case: Case, finding: Finding) -> Finding:
    return Finding(f"{finding.came} (for {case.text})", finding.expected, finding.mistake)


def _explains(
    names: frozenset[str],
    faulty: Callable[..., Any],
    cases: Sequence[Case],
    got: Sequence[NDArray],
    wanted: Sequence[Any],
    read: Callable[[Any, Any], NDArray],
) -> bool:
    for case, result, right in zip(cases, got, wanted, strict=True):
        try:
            with np.errstate(all="ignore"):
                answer = read(faulty(names, *_copy(case.arguments)), right)
        except (BrokenCall, ArithmeticError, ValueError):
            return False
        if not close(result, answer):
            return False
    return True


def _fixed_quantity(
    cases: Sequence[Case], got: Sequence[NDArray], wanted: Sequence[NDArray]
) -> str:
    """Return a text if one fixed value of a quantity, in place of the true one, explains all."""
    ratios = []
    for result, right in zip(got, wanted, strict=True):
        scale = float(np.sum(right * right))
        ratio = float(np.sum(result * right)) / scale if scale else np.nan
        if not close(result, ratio * right):
            return ""
        ratios.append(ratio)
    for name in cases[0].quantities:
        values = np.array([case.quantities[name] for case in cases])
        for used in (values / ratios, values * ratios) if all(ratios) else ():
            if np.ptp(values) and np.ptp(used) <= 1e-6 * abs(used[0]):
                return f"; it is what {name} = {used[0]:.4g} would give in every case"
    return ""


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
        findings = []
        try:
            findings += aspect.test(student, rng)
        except BrokenCall as broken:
            more = []
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


def course_seed(question: str, number: int = 0) -> int:
    """Return a seed that follows from the course's secret and the question.

    The secret is the environment variable ``REGLIB_COURSE_SECRET`` of the process that grades;
    nothing that students receive holds it. The same secret gives the same seeds at every regrade.

    Examples
    --------
    >>> course_seed("l2_penalty") == course_seed("l2_penalty")
    True
    """
    check_text("question", question)
    check_integer("number", number, low=0)
    secret = os.environ.get(SECRET_VARIABLE) or DEFAULT_SECRET
    digest = hashlib.blake2b(f"{secret}|{question}|{number}".encode(), digest_size=8)
    return int.from_bytes(digest.digest(), "big")


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
            check_instance("exercises", exercise, Exercise, "exercises")
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
