"""How an answer's results are held against the right ones, and against wrong ones with a name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib.exercises._findings import HARD_CODED, WHOLE_NUMBERS, BrokenCall, Finding, Mistake
from reglib.exercises._student_function import Student, copied

#: How far a result may be off: an answer in float32 passes, no mistake comes near.
RELATIVE, ABSOLUTE = 1e-5, 1e-7
#: The quantities that results are divided by; by the others they are multiplied.
_DIVISORS = ("m", "keep_prob")


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
        place = places[worst[0]]
        names = dict.fromkeys(places[i].split("[")[0] for i in map(int, np.flatnonzero(wrong)))
        owners = f" ({', '.join(names)})" if any(names) else ""
    came = (
        f"{int(wrong.sum())} of the {got.size} entries of {what} differ{owners}, most at {place}: "
        f"{got[worst]:.6g}"
    )
    ratio = _ratio(got, wanted)
    if close(got, ratio * wanted) and abs(ratio) > ABSOLUTE:
        came += f"; all are {ratio:.4g} times what was expected"
    return Finding(came, f"{wanted[worst]:.6g} there", mistake)


def _ratio(got: NDArray, wanted: NDArray) -> float:
    """Return the factor that comes nearest to making one result of the other."""
    scale = float(np.sum(wanted * wanted))
    return float(np.sum(got * wanted)) / scale if scale else np.nan


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
    places: Callable[..., Sequence[str]] | None = None,
    tell: Callable[[NDArray], str] | None = None,
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
    places : callable, optional
        ``places(*arguments)`` names each entry of what is compared.
    tell : callable, optional
        Puts a single number into words, where it is more than a number.
    """
    cases, call = list(cases), call or student
    read = read or (lambda got, wanted: student.numbers(got, what, np.shape(wanted)))
    wanted = [correct(*copied(case.arguments)) for case in cases]
    targets = [np.asarray(read(value, value), dtype=float) for value in wanted]
    got = [read(call(*case.arguments), w) for case, w in zip(cases, wanted, strict=True)]
    wrong = [i for i in range(len(cases)) if not close(got[i], targets[i])]
    if not wrong:
        return
    first = wrong[0]
    named = list(mistakes)

    def finding(mistake: Mistake | None, more: str = "") -> Finding:
        case, one, other = cases[first], got[first], targets[first]
        if tell is not None:
            found = Finding(tell(one), tell(other), mistake)
        else:
            names = places(*case.arguments) if places else None
            found = differ(one, other, what, mistake, names)
        return Finding(f"{found.came} (for {case.text}){more}", found.expected, mistake)

    if faulty is not None:
        for size in range(1, together + 1):
            for group in combinations(named, size):
                names = frozenset(mistake.name for mistake in group)
                if _explains(names, faulty, cases, got, wanted, read):
                    for mistake in group:
                        yield finding(mistake)
                    return
    fixed = _fixed_quantity(cases, got, targets)
    if fixed:
        yield finding(HARD_CODED, fixed)
    elif all(close(one, np.trunc(other)) for one, other in zip(got, targets, strict=True)):
        yield finding(WHOLE_NUMBERS)
    else:
        yield finding(None)


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
                answer = read(faulty(names, *copied(case.arguments)), right)
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
        ratio = _ratio(result, right)
        if not close(result, ratio * right):
            return ""
        ratios.append(ratio)
    for name in cases[0].quantities:
        values = np.array([case.quantities[name] for case in cases])
        if not all(ratios) or not np.ptp(values):
            continue
        used = values / ratios if name in _DIVISORS else values * ratios
        if np.ptp(used) <= 1e-6 * abs(used[0]):
            return f"; it is what {name} = {used[0]:.4g} would give in every case"
    return ""
