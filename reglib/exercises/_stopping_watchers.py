"""How a student's EarlyStopping is put through a training, and what is read from it."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib.exercises._comparison import close, show
from reglib.exercises._findings import BrokenCall, Finding
from reglib.exercises._stopping_losses import HUGE
from reglib.exercises._stopping_mistakes import NO_ATTRIBUTE, SHARED
from reglib.exercises._student_function import Student, copied

#: What stands for weights that are None, and for weights of no epoch.
_NOTHING, _NO_EPOCH = -1, -2


def _train(
    student: Student,
    patience: int,
    min_delta: float,
    restore: bool,
    losses: Sequence[float],
    weights: Sequence[list[NDArray]],
    beside: bool,
) -> Iterator[tuple[Any, Any]]:
    """Yield the student's object and what update returns, epoch by epoch.

    Last arguments that have their default are left out. With ``beside``, another object is given
    losses of its own in turn, lower than any other.
    """
    given = (patience, min_delta, restore)[: 3 if not restore else 2 if min_delta else 1]
    stopper, *others = [student(*given) for _ in range(1 + beside)]
    for epoch, (loss, arrays) in enumerate(zip(losses, weights, strict=True)):
        for other in others:
            other.update(-HUGE * (epoch + 1), arrays)
        answer = stopper.update(loss, arrays)
        best = getattr(stopper, "best", None) if others and epoch == 0 else 0.0
        if _is_finite(best) and best <= -HUGE:  # type: ignore[operator]
            came = f"a new object's first loss was {show(loss)}, and its best is {show(best)}"
            expected = f"{show(loss)}: the other loss was given to another object"
            raise BrokenCall(Finding(came, expected, SHARED))
        yield stopper, answer


def _is_finite(value: Any) -> bool:
    return isinstance(value, (int, float, np.number)) and bool(np.isfinite(value))


def _attribute(stopper: Any, name: str) -> Any:
    try:
        return getattr(stopper, name)
    except AttributeError as error:
        came, expected = f"the object has no attribute {name}", f"update sets the attribute {name}"
        raise BrokenCall(Finding(came, expected, NO_ATTRIBUTE), error) from None


def _says_stop(student: Student, answer: Any) -> bool:
    """Return what update answers; nothing returned is no."""
    return answer is not None and student.answer(answer, "what update returned")


def stopping_epoch(student: Student, *arguments: Any) -> int:
    """Return the epoch at which update first says stop, -1 for never."""
    epochs = enumerate(_train(student, *arguments))
    return next((epoch for epoch, (_, answer) in epochs if _says_stop(student, answer)), -1)


def tell_stop(epoch: Any) -> str:
    """Put a stopping epoch into words."""
    told = f"first returns True at epoch {epoch:.0f}" if epoch >= 0 else "never returns True"
    return f"update {told}"


def best_losses(student: Student, *arguments: Any) -> list[tuple[float, float]]:
    """Return after each epoch whether best is a number, and which."""
    found = []
    for stopper, _ in _train(student, *arguments):
        best = _attribute(stopper, "best")
        unset = best is None or (isinstance(best, (float, np.floating)) and not np.isfinite(best))
        found.append((0.0, 0.0) if unset else (1.0, float(student.numbers(best, "best", ()))))
    return found


def tell_best(losses: NDArray) -> str:
    """Put what best was after each epoch into words."""
    told = ", ".join(f"{loss:.4g}" if known else "no number" for known, loss in losses)
    return f"after each epoch, best is {told}"


def _epoch_of(kept: Any, weights: Sequence[list[NDArray]]) -> int:
    if kept is None:
        return _NOTHING
    if isinstance(kept, (list, tuple, np.ndarray)) and len(kept) == len(weights[0]):
        with contextlib.suppress(TypeError, ValueError):
            for epoch, arrays in enumerate(weights):
                if all(map(close, kept, arrays)):
                    return epoch
    return _NO_EPOCH


def kept_epochs(student: Student, *arguments: Any) -> list[int]:
    """Return after each epoch the one whose weights are kept; note if they are no copy.

    An object in another process never sees the arrays that its caller goes on changing, so a
    missing copy costs no points.
    """
    weights, epochs, stopper = arguments[4], [], None
    handed = copied(weights)
    for stopper, _ in _train(student, *(*arguments[:4], handed, *arguments[5:])):
        kept = _attribute(stopper, "weights")
        epochs.append(_epoch_of(kept, weights))
        if epochs[-1] == _NO_EPOCH:
            came = (
                f"after epoch {len(epochs) - 1}, weights (a {type(kept).__name__}) are of no epoch"
            )
            raise BrokenCall(Finding(came, "the list of arrays that update was given in an epoch"))
    for array in itertools.chain(*handed):
        array += 1
    if _epoch_of(_attribute(stopper, "weights"), weights) != epochs[-1]:
        student.note(
            "update keeps the very arrays that it is given. An optimizer that works in place goes "
            "on changing them: keep a copy (copy.deepcopy). No points are lost."
        )
    return epochs


def tell_kept(epochs: NDArray) -> str:
    """Put what weights were after each epoch into words."""
    told = ", ".join("None" if epoch < 0 else f"of epoch {epoch:.0f}" for epoch in epochs)
    return f"after each epoch, weights are {told}"


def at_the_end(student: Student, *arguments: Any) -> tuple[float, float, float]:
    """Return the stopping epoch, best and the epoch whose weights are kept.

    NaN stands for what other aspects are paid for: no such attribute, or the latest epoch's.
    """
    losses, weights = arguments[3:5]
    stop, epoch, stopper = -1, 0, None
    for epoch, (stopper, answer) in enumerate(_train(student, *arguments)):  # noqa: B007
        if _says_stop(student, answer):
            stop = epoch
            break
    best = getattr(stopper, "best", None)
    kept = _epoch_of(getattr(stopper, "weights", None), weights)
    told = _is_finite(best) and not close(best, losses[epoch])
    return (
        stop,
        float(best) if told else np.nan,  # type: ignore[arg-type]
        kept if kept not in (_NOTHING, _NO_EPOCH, epoch) else np.nan,
    )


def where_told(student: Student, got: Any, wanted: Any, what: str) -> NDArray:
    """Return what came, where that is another aspect's matter what was expected."""
    return np.where(np.isnan(got), wanted, got)


def tell_end(end: NDArray) -> str:
    """Put the end of a training into words."""
    stop, best, kept = end
    return f"{tell_stop(stop)}; then best is {best:.4g} and weights are those of epoch {kept:.0f}"


def epoch_or_none(student: Student, got: Any, wanted: Any, what: str) -> NDArray:
    """Return whether there is an epoch, and which."""
    return np.array((0, 0) if got is None else (1, student.numbers(got, what, ())), dtype=float)


def tell_epoch(epoch: NDArray) -> str:
    """Put an epoch or None into words."""
    return f"the epoch is {epoch[1]:.6g}" if epoch[0] else "the epoch is None"
