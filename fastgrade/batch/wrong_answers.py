"""Cheap wrong answers, made of a right one: what `audit` tries against every test.

This text runs in the answer's process, below the instructor's solution, so it imports nothing of
fastgrade. Each kind takes what the solution returns, or holds, and makes something wrong of it.
"""

import functools
import inspect
from typing import Any

import numpy as np


class _Agreeable:
    """Equals, contains and is whatever a test asks of it."""

    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False

    __lt__ = __le__ = __gt__ = __ge__ = __contains__ = __eq__
    __hash__ = None  # type: ignore[assignment]

    def __bool__(self) -> bool:
        return True

    def __float__(self) -> float:
        return 1.0

    def __array__(self, *arguments: Any, **options: Any) -> np.ndarray:
        return np.ones(1)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        return self


def _not_a_number(right: Any) -> Any:
    try:
        return np.full(np.shape(right), np.nan)[()]
    except ValueError:
        return float("nan")


def _small_integers(right: Any) -> Any:
    try:
        wrong = np.asarray(right).astype(np.int8)
        return wrong + np.int8(1) if np.array_equal(wrong, right) else wrong
    except (TypeError, ValueError, OverflowError):
        return np.int8(1)


KINDS: dict[str, Any] = {
    "None": lambda right: None,
    "empty array": lambda right: np.empty(0),
    "NaN": _not_a_number,
    "int8": _small_integers,
    "empty list": lambda right: [],
    "object that equals everything": lambda right: _Agreeable(),
}
#: Kinds that only a function can be wrong by.
OF_CALLS = ("changed arguments", "first answer again")


def _spoiled(function: Any, kind: str) -> Any:
    answers: list[Any] = []

    @functools.wraps(function)
    def wrong(*arguments: Any, **options: Any) -> Any:
        right = function(*arguments, **options)
        if kind in KINDS:
            return KINDS[kind](right)
        if kind == "first answer again":
            answers.append(right)
            return answers[0]
        changed = False
        for value in (*arguments, *options.values()):
            if isinstance(value, np.ndarray) and value.flags.writeable and value.size:
                value[...] = 0 if np.any(value) else 1
                changed = True
            elif isinstance(value, list) and value:
                value.clear()
                changed = True
        # Where there is nothing to change, a right answer would be no wrong one.
        return right if changed else None

    return wrong


def spoil(names: dict[str, Any], wanted: list[str], kind: str) -> None:
    """Replace those of the wanted names that are there by wrong ones of a kind."""
    for name in wanted:
        value = names.get(name)
        if name not in names or inspect.isclass(value) or inspect.ismodule(value):
            continue
        if callable(value):
            names[name] = _spoiled(value, kind)
        elif kind in KINDS:
            names[name] = KINDS[kind](value)
