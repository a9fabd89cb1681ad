"""Assignment 7, early stopping: when to stop, and what to keep."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib.exercises._comparison import Case, close, compare, show
from reglib.exercises._findings import HARD_CODED, BrokenCall, Finding, Mistake
from reglib.exercises._student_function import Student
from reglib.exercises.checking import Aspect, Assignment, Chapter, Exercise
from reglib.textbook import stopping as reference

CHAPTER = Chapter(7, "Early stopping", "07-early-stopping")

TOO_LATE = Mistake(
    "one epoch too late",
    "Training goes on for patience + 1 epochs without improvement: > where >= is meant.",
    "With patience = 1, the first epoch that does not improve is the last.",
)
TOO_EARLY = Mistake(
    "one epoch too early",
    "The best epoch itself is counted as one without improvement.",
    "Start counting at the first epoch that is not better.",
)
NOT_RESET = Mistake(
    "counter not reset",
    "The epochs without improvement are counted over the whole training, not in a row.",
    "What should happen to the counter when the loss improves?",
)
FIRST_COUNTED = Mistake(
    "first epoch counted as bad",
    "best begins as the first loss, so the first epoch is not better than best and is counted.",
    "Begin with infinity, or begin the loop at the second epoch.",
)
PREVIOUS = Mistake(
    "compared with the previous epoch",
    "A loss that only falls back after a peak counts as progress.",
    "Compare with the best loss so far.",
)
IMPATIENT = Mistake(
    "patience ignored",
    "Training stops at the first epoch that does not improve; validation losses are noisy.",
    "Count the epochs without improvement and compare the count with patience.",
)
UPWARDS = Mistake(
    "larger taken for better",
    "A loss is better when it is smaller.",
    "Look at the direction of your comparison.",
)
EQUAL_COUNTS = Mistake(
    "a plateau taken for progress",
    "A loss equal to the best one resets the counter, so a flat curve never stops.",
    "Better means smaller, not smaller or equal.",
)
NO_MIN_DELTA = Mistake(
    "min_delta ignored",
    "Any improvement counts, however small.",
    "How much smaller than the best loss must a loss be?",
)
DELTA_SIGN = Mistake(
    "min_delta with the wrong sign",
    "A loss that is a little worse than the best counts as better.",
    "min_delta makes it harder to count as better, not easier.",
)
CREEPING = Mistake(
    "best updated without improvement",
    "Losses that are better by less than min_delta still replace the best one, so a slow decline "
    "never counts.",
    "Change the best loss and the counter in the same place.",
)
NEVER_STOPS = Mistake(
    "never stops",
    "No epoch, however bad, ends the training.",
    "Once the counter has reached patience, return (not print) True from update, the epoch's "
    "number from stop_epoch.",
)
AT_ONCE = Mistake(
    "stops at the first epoch",
    "Training ends before it has begun, though the first epoch always improves.",
    "Are True and False exchanged, or does the counter begin too high?",
)
FROM_ZERO = Mistake(
    "best begins at 0",
    "No loss is smaller than 0, so no epoch ever improves.",
    "Begin with a number that every loss is smaller than: float('inf').",
)
GOES_ON = Mistake(
    "loop not left",
    "The loop goes on after the stopping epoch, so the last one that could be is returned.",
    "Return as soon as the counter reaches patience.",
)
FORESIGHT = Mistake(
    "all losses looked at first",
    "The best of all epochs is found before the rule begins; in a training, the losses come one by "
    "one.",
    "At each epoch, use the losses up to this one only.",
)
RELATIVE_DELTA = Mistake(
    "min_delta as a fraction",
    "best is multiplied by 1 - min_delta, so the bar depends on the size of the loss.",
    "The task subtracts min_delta from best.",
)
SHARED = Mistake(
    "one record for all objects",
    "A new object knows losses that were given to another one.",
    "Set every attribute in __init__ as self.name = ...; what stands in the class body is shared.",
)
NO_ATTRIBUTE = Mistake(
    "attribute with another name",
    "The object has no attribute of the name that the task gives.",
    "Set self.best and self.weights, spelled like this.",
)
NOTHING_KEPT = Mistake(
    "weights never kept",
    "The attribute weights is still None after the training.",
    "Set self.weights in update.",
)
BEST_EPOCH = Mistake(
    "best epoch for stopping epoch",
    "That is the epoch to go back to; training stops patience epochs later.",
    "Return the epoch at which the counter reaches patience.",
)
FROM_ONE = Mistake(
    "epochs counted from 1",
    "The first epoch has the number 0.",
    "enumerate(losses) counts from 0.",
)
NOT_NONE = Mistake(
    "a number where training never stops",
    "When the losses end before patience does, there is no stopping epoch.",
    "Return None after the loop.",
)
LAST_WEIGHTS = Mistake(
    "last weights kept",
    "The weights of the last epoch are patience epochs past the best.",
    "With restore=True, keep the weights whenever the loss improves, and only then.",
)
RESTORE_IGNORED = Mistake(
    "restore ignored",
    "With restore=False the weights of the last epoch are wanted.",
    "Ask for self.restore where you keep the weights.",
)
BEST_WRONG = Mistake(
    "best is not the best loss",
    "The attribute best must hold the loss of the best epoch so far.",
    "Set self.best when, and only when, the loss improves.",
)
COMPLEMENT = Mistake(
    "what is left for what is learned",
    "(1 - lr * eigenvalue) ** steps is the part that is still missing.",
    "At steps = 0 nothing has been learned: the result should be 0.",
)
LINEAR = Mistake(
    "steps multiplied instead of repeated",
    "Each step removes a fraction of what is still missing, so the factors multiply.",
    "Write down the error after two steps.",
)
EXPONENTIAL = Mistake(
    "exponential for the power",
    "1 - exp(-lr * eigenvalue * steps) is the limit of tiny steps.",
    "Use the power itself: the steps are finite.",
)
ONE_STEP_MORE = Mistake(
    "one step more",
    "The exponent is steps, not steps + 1.",
    "At steps = 0 nothing has been learned: the result should be 0.",
)
ONE_STEP_LESS = Mistake(
    "one step less",
    "The exponent is steps, not steps - 1.",
    "At steps = 1 one step has been made: the result should be lr * eigenvalue.",
)
NO_LR = Mistake(
    "learning rate forgotten",
    "A step of any length would do the same.",
    "Each step multiplies the distance by 1 - lr * eigenvalue.",
)
SQUARED_FACTOR = Mistake(
    "factor squared",
    "The loss shrinks with the square of the factor, the weight with the factor itself.",
    "Follow one weight, not the loss.",
)

_STOP_MISTAKES = (
    TOO_LATE,
    TOO_EARLY,
    NOT_RESET,
    PREVIOUS,
    IMPATIENT,
    EQUAL_COUNTS,
    UPWARDS,
    FIRST_COUNTED,
    NEVER_STOPS,
    AT_ONCE,
    FROM_ZERO,
)
_DELTA_MISTAKES = (NO_MIN_DELTA, DELTA_SIGN, CREEPING, RELATIVE_DELTA)
_EPOCH_MISTAKES = (FROM_ONE, BEST_EPOCH, GOES_ON, FORESIGHT, NOT_NONE)


def _faulty_stop(
    wrong: frozenset[str], losses: Sequence[float], patience: int, min_delta: float
) -> float:
    """Return the stopping epoch of somebody with the named mistakes; -1 for never."""
    if NEVER_STOPS.name in wrong:
        return -1
    if AT_ONCE.name in wrong:
        return 0
    sign = -1 if UPWARDS.name in wrong else 1
    delta = 0 if NO_MIN_DELTA.name in wrong else min_delta
    delta = -delta if DELTA_SIGN.name in wrong else delta
    needed = patience + (TOO_LATE.name in wrong) - (TOO_EARLY.name in wrong)
    needed = 1 if IMPATIENT.name in wrong else needed
    best, wait, previous, stop = np.inf, 0, np.inf, -1
    if FROM_ZERO.name in wrong:
        best = previous = 0.0
    if FIRST_COUNTED.name in wrong:
        best = sign * losses[0]
    for epoch, loss in enumerate(sign * np.asarray(losses)):
        bar = previous if PREVIOUS.name in wrong else best
        bar = bar * (1 - delta) if RELATIVE_DELTA.name in wrong else bar - delta
        better = loss <= bar if EQUAL_COUNTS.name in wrong else loss < bar
        previous = loss
        if better:
            best = loss
            wait = wait if NOT_RESET.name in wrong else 0
        else:
            wait += 1
        if CREEPING.name in wrong:
            best = min(best, loss)
        if wait >= needed and (not better or needed <= 0):
            stop = epoch
            if GOES_ON.name not in wrong:
                break
    return stop


def _right_stop(losses: Sequence[float], patience: int, min_delta: float) -> float:
    epoch = reference.stop_epoch(losses, patience, min_delta)
    return -1 if epoch is None else epoch


def _curve(rng: np.random.Generator, epochs: int) -> list[float]:
    """Return a noisy loss that falls, then rises."""
    time = np.linspace(0, 1, epochs)
    loss = 0.4 + 1.4 * (time - rng.uniform(0.4, 0.7)) ** 2 + 0.08 * rng.standard_normal(epochs)
    return [float(value) for value in loss]


def _stop_cases(rng: np.random.Generator) -> Iterator[Case]:
    for patience in (2, 3, 4, 2, 3):
        losses = _curve(rng, int(rng.integers(12, 19)))
        yield Case((losses, patience, 0.0), f"{len(losses)} noisy losses and patience = {patience}")
    flat = [float(rng.uniform(0.3, 0.9))] * 9
    yield Case((flat, 3, 0.0), f"nine losses of {flat[0]:.3g} and patience = 3")
    # The epoch after the right one improves: who waits for it goes on.
    dip = [0.9, 0.5, 0.6, 0.7, 0.1, 0.2, 0.3, 0.4]
    yield Case((dip, 2, 0.0), f"the losses {dip} and patience = 2")
    # Up and down around a rising line: better than the epoch before, never than the best.
    saw = [0.3 + 0.02 * i + 0.1 * (i % 2) for i in range(12)]
    yield Case((saw, 4, 0.0), "a saw-tooth that rises and patience = 4")


def _delta_cases(rng: np.random.Generator) -> Iterator[Case]:
    for patience in (2, 3, 2, 4):
        losses = _curve(rng, int(rng.integers(12, 19)))
        min_delta = float(rng.uniform(0.05, 0.15))
        text = f"{len(losses)} noisy losses, patience = {patience} and min_delta = {min_delta:.3g}"
        yield Case((losses, patience, min_delta), text)
    # The first fall adds up to min_delta within patience; the second does not.
    for epochs, least in ((12, 0.006), (9, 0.002)):
        step = float(rng.uniform(least, least + 0.002))
        slow = [1 - step * i for i in range(epochs)]
        yield Case(
            (slow, 4, 0.02), f"a fall of {step:.2g} an epoch, patience = 4, min_delta = 0.02"
        )
    rising = [0.5 + 0.004 * i for i in range(10)]
    yield Case((rising, 3, 0.01), "a rise of 0.004 an epoch, patience = 3 and min_delta = 0.01")


# EarlyStopping

_SIGNATURE = "EarlyStopping(patience, min_delta=0.0, restore=True) with update(loss, weights)"


def _run(
    student: Student,
    losses: Sequence[float],
    patience: int,
    min_delta: float,
    restore: bool = True,
    *,
    strict: bool = False,
) -> tuple[Any, int]:
    """Return the student's object after its training, and the epoch at which it stopped.

    Only if ``strict`` is it an error that update returns neither True nor False.
    """
    stopper = student(patience, min_delta, restore)
    for epoch, loss in enumerate(losses):
        weights = [np.full((2, 3), float(epoch)), np.full(2, -float(epoch))]
        if _update(student, stopper, loss, weights, strict=strict):
            return stopper, epoch
    return stopper, -1


def _update(
    student: Student, stopper: Any, loss: float, weights: list[NDArray], *, strict: bool = False
) -> bool:
    """Return what update answers; nothing returned is no."""
    answer = student.guard(lambda *given: stopper.update(*given), loss, weights)
    try:
        return answer is not None and student.answer(answer, "what update returned")
    except BrokenCall:
        if strict:
            raise
        return False


def _sharing(student: Student) -> Iterator[Finding]:
    """Yield a finding if a new object knows a loss that only another one was given."""
    low, weights = 1.25e-4, [np.zeros(2)]
    for loss in (low, 0.9):
        stopper = student(3, 0.0, True)
        _update(student, stopper, loss, weights)
        best = student.guard(lambda stopper=stopper: getattr(stopper, "best", None))
    if isinstance(best, (int, float)) and close(best, low):
        came = f"a new object's first loss was 0.9, and its best is {show(best)}"
        yield Finding(came, "0.9: the other loss was given to an object before it", SHARED)


def _stop_told(epoch: NDArray) -> str:
    return (
        f"update first returns True at epoch {epoch:.0f}"
        if epoch >= 0
        else "update never returns True"
    )


def _class_test(
    make: Callable[[np.random.Generator], Iterator[Case]], mistakes: Sequence[Mistake]
) -> Callable[[Student, np.random.Generator], Iterator[Finding]]:
    def test(student: Student, rng: np.random.Generator) -> Iterator[Finding]:
        shared = list(_sharing(student))
        yield from shared or compare(
            student,
            make(rng),
            _right_stop,
            faulty=_faulty_stop,
            mistakes=mistakes,
            read=lambda got, wanted: np.asarray(float(got)),
            call=lambda *arguments: _run(student, *arguments, strict=True)[1],
            together=2,
            tell=_stop_told,
        )

    return test


def _attribute(student: Student, stopper: Any, name: str) -> Any:
    try:
        return student.guard(lambda: getattr(stopper, name))
    except BrokenCall as broken:
        if type(broken.error).__name__ != "AttributeError":
            raise
        came, expected = f"the object has no attribute {name}", f"update sets the attribute {name}"
        raise BrokenCall(Finding(came, expected, NO_ATTRIBUTE), broken.error) from None


def _class_best(student: Student, rng: np.random.Generator) -> Iterator[Finding]:
    shared = list(_sharing(student))
    yield from shared
    for _ in range(0 if shared else 2):
        losses = _curve(rng, int(rng.integers(8, 20)))
        stopper, epoch = _run(student, losses, len(losses), 0.0)
        best = _attribute(student, stopper, "best")
        if best is None:
            yield Finding("best is None after the training", "the best loss", BEST_WRONG)
            return
        got = student.numbers(best, "best", ())
        seen = losses[: epoch + 1] if epoch >= 0 else losses
        if not close(got, min(seen)):
            came = f"best is {show(got)}, the last loss was {show(seen[-1])}"
            yield Finding(came, f"{show(min(seen))}, the smallest of them", BEST_WRONG)
            return


def _class_restore(student: Student, rng: np.random.Generator) -> Iterator[Finding]:
    shared = list(_sharing(student))
    if shared:
        yield from shared
        return
    for restore in (True, False, True):
        best = int(rng.integers(2, 6))
        losses = [1 - 0.1 * i if i <= best else 1 + 0.05 * i for i in range(best + 6)]
        stopper, epoch = _run(student, losses, 3, 0.0, restore)
        weights = _attribute(student, stopper, "weights")
        if weights is None:
            came = f"with restore={restore}, weights is None after the training"
            yield Finding(came, "a list of two arrays, as update was given it", NOTHING_KEPT)
            return
        if not isinstance(weights, (list, tuple)) or len(weights) != 2:
            came = f"weights is a {type(weights).__name__}"
            yield Finding(came, "what update was given at that epoch, a list of two arrays")
            return
        got = student.numbers(weights[0], "weights[0]", (2, 3))[0, 0]
        last = epoch if epoch >= 0 else len(losses) - 1
        wanted = best if restore else last
        if not close(got, wanted):
            mistake = None
            if restore and close(got, last):
                mistake = LAST_WEIGHTS
            elif not restore and close(got, best):
                mistake = RESTORE_IGNORED
            came = f"with restore={restore}, weights are those of epoch {got:.0f}"
            yield Finding(came, f"those of epoch {wanted} (the losses' best is {best})", mistake)
            return
    _advise_a_copy(student)


def _advise_a_copy(student: Student) -> None:
    """Note if the best weights are kept without a copy.

    An object in another process never sees the array that its caller goes on changing, so this
    costs no points.
    """
    stopper, W = student(2, 0.0, True), np.zeros(1)
    for loss in (0.9, 0.5, 0.7, 0.8):
        W += 1
        _update(student, stopper, loss, [W])
    kept = student.numbers(_attribute(student, stopper, "weights")[0], "weights")
    if not close(kept.ravel(), [2.0]):
        student.note(
            "update keeps the very arrays that it is given. An optimizer that works in place goes "
            "on changing them: keep a copy (copy.deepcopy). No points are lost."
        )


# stop_epoch


def _epoch_or_none(student: Student) -> Callable[[Any, Any], NDArray]:
    def read(got: Any, wanted: Any) -> NDArray:
        return np.asarray(-1.0) if got is None else student.numbers(got, "the epoch", ())

    return read


def _faulty_epoch(
    wrong: frozenset[str], losses: Sequence[float], patience: int, min_delta: float
) -> float:
    if FORESIGHT.name in wrong:
        late = int(np.argmin(losses)) + patience
        return late if late < len(losses) else -1
    epoch = _faulty_stop(wrong, losses, patience, min_delta)
    if epoch < 0:
        return float(len(losses) - 1) if NOT_NONE.name in wrong else epoch
    if BEST_EPOCH.name in wrong:
        return float(np.argmin(losses[: int(epoch) + 1]))
    return epoch + 1 if FROM_ONE.name in wrong else epoch


def _epoch_test(
    make: Callable[[np.random.Generator], Iterator[Case]], mistakes: Sequence[Mistake]
) -> Callable[[Student, np.random.Generator], Iterator[Finding]]:
    def test(student: Student, rng: np.random.Generator) -> Iterator[Finding]:
        yield from compare(
            student,
            make(rng),
            _right_stop,
            faulty=_faulty_epoch,
            mistakes=mistakes,
            read=_epoch_or_none(student),
            together=3,
            tell=lambda epoch: f"the epoch is {epoch:.6g}" if epoch >= 0 else "the epoch is None",
        )

    return test


def _epoch_never(student: Student, rng: np.random.Generator) -> Iterator[Finding]:
    for epochs in (6, int(rng.integers(7, 12))):
        falling = [1 - 0.05 * i for i in range(epochs)]
        got = student(falling, 3, 0.0)
        if got is not None:
            yield Finding(f"{show(student.numbers(got, 'the epoch', ()))} for losses that only "
                          "fall", "None", NOT_NONE)  # fmt: skip
            return


# gradient_descent_shrinkage


def _faulty_shrinkage(
    wrong: frozenset[str], eigenvalues: NDArray, lr: float, steps: int
) -> NDArray:
    x = lr * np.asarray(eigenvalues)
    if COMPLEMENT.name in wrong:
        return (1 - x) ** steps
    if LINEAR.name in wrong:
        return x * steps
    if EXPONENTIAL.name in wrong:
        return 1 - np.exp(-x * steps)
    if ONE_STEP_MORE.name in wrong:
        return 1 - (1 - x) ** (steps + 1)
    if ONE_STEP_LESS.name in wrong:
        return 1 - (1 - x) ** float(steps - 1)
    if NO_LR.name in wrong:
        return 1 - (1 - np.asarray(eigenvalues)) ** steps
    if SQUARED_FACTOR.name in wrong:
        return 1 - (1 - x) ** (2 * steps)
    return 1 - (1 - x) ** steps


_SHRINKAGE_MISTAKES = (
    COMPLEMENT,
    LINEAR,
    EXPONENTIAL,
    ONE_STEP_MORE,
    ONE_STEP_LESS,
    NO_LR,
    SQUARED_FACTOR,
)


def _shrinkage_value(student: Student, rng: np.random.Generator) -> Iterator[Finding]:
    cases = []
    for size, steps in ((4, 3), (6, 10), (3, 0), (5, 1)):
        eigenvalues = np.sort(rng.uniform(0, 2, size))[::-1].copy()
        eigenvalues[-1] = 0.0
        lr = float(rng.uniform(0.1, 0.6))
        text = f"{size} eigenvalues, lr = {lr:.3g} and steps = {steps}"
        cases.append(Case((eigenvalues, lr, steps), text))
    yield from compare(
        student,
        cases,
        reference.gradient_descent_shrinkage,
        faulty=_faulty_shrinkage,
        mistakes=_SHRINKAGE_MISTAKES,
        together=1,
    )


ASSIGNMENT = Assignment(
    Exercise(
        "EarlyStopping",
        _SIGNATURE,
        reference.EarlyStopping,
        CHAPTER,
        (
            Aspect(
                "stop",
                "update returns True once patience epochs in a row have not improved",
                _class_test(_stop_cases, _STOP_MISTAKES),
            ),
            Aspect(
                "min_delta",
                "a loss counts as better only below best - min_delta",
                _class_test(_delta_cases, (*_DELTA_MISTAKES, *_STOP_MISTAKES)),
            ),
            Aspect("best", "best is the smallest loss so far", _class_best),
            Aspect(
                "restore",
                "weights are the best epoch's, or with restore=False the last's",
                _class_restore,
            ),
        ),
        (
            *_STOP_MISTAKES,
            *_DELTA_MISTAKES,
            BEST_WRONG,
            LAST_WEIGHTS,
            RESTORE_IGNORED,
            SHARED,
            NO_ATTRIBUTE,
            NOTHING_KEPT,
        ),
    ),
    Exercise(
        "stop_epoch",
        "stop_epoch(losses, patience, min_delta)",
        reference.stop_epoch,
        CHAPTER,
        (
            Aspect(
                "stop",
                "the result is the epoch, from 0, after which training stops",
                _epoch_test(_stop_cases, (*_EPOCH_MISTAKES[:4], *_STOP_MISTAKES, NOT_NONE)),
            ),
            Aspect("never", "the result is None where training does not stop", _epoch_never),
            Aspect(
                "min_delta",
                "a loss counts as better only below best - min_delta",
                _epoch_test(
                    _delta_cases,
                    (*_DELTA_MISTAKES, *_EPOCH_MISTAKES[:4], *_STOP_MISTAKES, NOT_NONE),
                ),
            ),
        ),
        (*_STOP_MISTAKES, *_DELTA_MISTAKES, *_EPOCH_MISTAKES),
    ),
    Exercise(
        "gradient_descent_shrinkage",
        "gradient_descent_shrinkage(eigenvalues, lr, steps)",
        reference.gradient_descent_shrinkage,
        CHAPTER,
        (Aspect("value", "the result is 1 - (1 - lr * eigenvalue) ** steps", _shrinkage_value),),
        (*_SHRINKAGE_MISTAKES, HARD_CODED),
    ),
)

check = ASSIGNMENT.check
check_hidden = ASSIGNMENT.check_hidden
