"""How an answer's results are held against the reference's, on random inputs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib.exercises._findings import INPUT_CHANGED, BrokenCall, Finding, Mistake
from reglib.exercises._student_function import Student, copied

#: How far a result may be off: an answer in float32 passes, no mistake comes near.
RELATIVE, ABSOLUTE = 1e-5, 1e-7


@dataclass(frozen=True)
class Case:
    """One input of a function whose result is determined: its arguments and a text for them."""

    arguments: tuple[Any, ...]
    text: str
    quantities: Mapping[str, float] = field(default_factory=dict)


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


def differ(
    got: NDArray,
    wanted: NDArray,
    what: str,
    mistake: Mistake | None = None,
    places: Sequence[str] | None = None,
) -> Finding:
    """Return a finding that says where two results differ and by how much.

    ``places`` has a name for each entry, such as ``dW2[0, 3]``; by default its index is told.
    """
    if got.ndim == 0:
        came, expected = f"{what} is {show(got)}", f"{show(wanted)}"
        if wanted != 0 and got != 0 and np.isfinite(got):
            came += f", {float(got / wanted):.4g} times what was expected"
        return Finding(came, expected, mistake)
    gap = np.abs(got - wanted)
    largest = np.argmax(np.where(np.isnan(gap), np.inf, gap))
    worst = tuple(map(int, np.unravel_index(largest, gap.shape)))
    place = "[" + ", ".join(map(str, worst)) + "]"
    wrong = ~(gap <= ABSOLUTE + RELATIVE * np.abs(wanted))
    owners = ""
    if places is not None:
        place = places[worst[0]] + (str(list(worst[1:])) if worst[1:] else "")
        names = dict.fromkeys(places[int(i)].split("[")[0] for i in np.nonzero(wrong)[0])
        owners = f" ({', '.join(names)})" if any(names) else ""
    came = (
        f"{int(wrong.sum())} of the {got.size} entries of {what} differ{owners}, most at {place}: "
        f"{got[worst]:.6g}"
    )
    factor = ratio(got, wanted)
    if close(got, factor * wanted) and abs(factor) > ABSOLUTE:
        came += f"; all are {factor:.4g} times what was expected"
    return Finding(came, f"{wanted[worst]:.6g} there", mistake)


def ratio(got: NDArray, wanted: NDArray) -> float:
    """Return the factor that comes nearest to making one result of the other."""
    scale = float(np.sum(wanted * wanted))
    return float(np.sum(got * wanted)) / scale if scale else np.nan


def _numbers(student: Student, got: Any, wanted: Any, what: str) -> NDArray:
    return student.numbers(got, what, np.shape(wanted))


def _call(student: Student, *arguments: Any) -> Any:
    return student(*arguments)


@dataclass(frozen=True)
class Comparison:
    """The test of an aspect: on random inputs, the results are those of the reference.

    Parameters
    ----------
    cases : callable
        ``cases(rng)`` yields the inputs.
    what : str
        What the result is called.
    call : callable, optional
        ``call(student, *arguments)`` returns what is compared, where that is not what the
        function itself returns. The reference is called in the same way.
    given : callable, optional
        ``given(*arguments)`` returns what the function itself is called with, where ``call`` makes
        that of a case's arguments.
    read : callable, optional
        ``read(student, result, wanted, what)`` makes an array of it; by default one of the shape
        of the reference's result.
    part : callable, optional
        ``part(*arguments)`` says which entries of the result this aspect is about.
    places : callable, optional
        ``places(*arguments)`` names each entry of what is compared.
    tell : callable, optional
        Puts a single number into words, where it is more than a number.
    betrays : callable, optional
        ``betrays(result, *arguments)`` returns the mistake that a wrong result gives away by
        itself, or None; it is asked where no listed program returns the same.
    exact_zeros : bool
        Whether a 0 must be exactly 0, not merely small.
    unchanged : bool
        Whether the arguments must come back as they were.
    """

    cases: Callable[[np.random.Generator], Iterator[Case]]
    what: str = "the result"
    call: Callable[..., Any] = _call
    given: Callable[..., tuple[Any, ...]] | None = None
    read: Callable[[Student, Any, Any, str], NDArray] = _numbers
    part: Callable[..., NDArray] | None = None
    places: Callable[..., Sequence[str]] | None = None
    tell: Callable[[NDArray], str] | None = None
    betrays: Callable[..., Mistake | None] | None = None
    exact_zeros: bool = False
    unchanged: bool = False

    def agree(self, got: NDArray, wanted: NDArray) -> bool:
        """Say whether two results are the same for this aspect."""
        zeros = not self.exact_zeros or bool(np.all((wanted != 0) | (got == 0)))
        return zeros and close(got, wanted)

    def expected(self, student: Student, cases: Sequence[Case], reference: Any) -> list[Any]:
        """Return for each case what the reference gives, as it comes."""
        right = Student(reference, student.name, student.signature)
        try:
            return [self.call(right, *copied(case.arguments)) for case in cases]
        except BrokenCall as broken:  # not for the answer to pay
            raise RuntimeError(f"the reference: {broken.finding.came}") from broken.error

    def results(
        self, student: Student, cases: Sequence[Case], expected: Sequence[Any]
    ) -> Iterator[tuple[NDArray, NDArray]]:
        """Yield for each case what came and what was expected.

        Raises
        ------
        BrokenCall
            If what came is of no use.
        """
        for case, wanted in zip(cases, expected, strict=True):
            target = self.read(student, wanted, wanted, self.what)
            got = student.guard(self.call, student, *copied(case.arguments))
            result = self.read(student, got, wanted, self.what)
            if self.part is not None:
                chosen = self.part(*case.arguments)
                result, target = result[chosen], target[chosen]
            yield result, target

    def finding(
        self, case: Case, got: NDArray, wanted: NDArray, mistake: Mistake | None, more: str = ""
    ) -> Finding:
        """Return what is said of a case whose result is wrong."""
        if self.tell is not None:
            came, expected = self.tell(got), self.tell(wanted)
        else:
            names = self.places(*case.arguments) if self.places else None
            if names is None and self.part is not None:
                names = [str(at.tolist()) for at in np.argwhere(self.part(*case.arguments))]
            told = differ(got, wanted, self.what, places=names)
            came, expected = told.came, told.expected
        given = case.arguments if self.given is None else self.given(*case.arguments)
        return Finding(f"{came} (for {case.text}){more}", expected, mistake, given, got, wanted)


def overwritten(student: Student, case: Case) -> Finding:
    """Return what is said of a function that changes what it was given."""
    return Finding(
        f"an array that went in is another one afterwards (for {case.text})",
        "the arguments are as they were",
        INPUT_CHANGED,
        case.arguments,
    )
