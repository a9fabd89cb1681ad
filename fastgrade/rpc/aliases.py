"""What copies do not show: one object under two names, or in the hands of both sides.

Values cross by copy, so a test in the judge cannot tell a copy that an answer has made from the
object itself. The student's end notices where that might make a difference: an object that occurs
twice in a message, an argument that is handed back or kept, a result that is kept, and a value that
has changed since it was told.
"""

from __future__ import annotations

import itertools
import sys
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from fastgrade.rpc import WireError

__all__ = ["KINDS", "Aliases"]

#: What can be noticed.
KINDS = ("told twice", "shared memory", "argument kept", "result kept", "changed later")

#: Of these types alone, whose methods are Python's own.
_CONTAINERS = (list, set, deque, dict, Counter, OrderedDict, defaultdict)
#: Values that are looked at in one message, and the size of one that is compared later.
_MOST = 20_000
_MOST_ITEMS, _MOST_BYTES = 2_000, 1 << 16
#: References to an object that nobody else has: a name here and the argument of `getrefcount`.
_OWN = 2


class Aliases:
    """Notices what the other side cannot see.

    Parameters
    ----------
    picture : callable
        Returns a value as bytes, to be compared later.
    """

    def __init__(self, picture: Callable[[Any], bytes]):
        self._picture = picture
        self._told: dict[int, tuple[Any, bytes | None]] = {}
        self._found: set[str] = set()

    def passed(self, values: Iterable[Any]) -> deque[Any]:
        """Return the objects in arguments that can change."""
        return deque(_changeable(values))

    def returned(self, values: Iterable[Any], passed: Sequence[Any] = ()) -> deque[Any]:
        """Look at what is going to be told; return the objects in it that can change."""
        objects = _changeable(values)
        numbers = [id(value) for value in objects]
        known = self._told.keys() | {id(value) for value in passed}
        if len(set(numbers)) < len(numbers) or not known.isdisjoint(numbers):
            self._found.add("told twice")
        told = (value for value, _ in self._told.values())
        if _share_memory([*objects, *passed, *told]):
            self._found.add("shared memory")
        return deque(objects)

    def keep(self, objects: Iterable[Any]) -> None:
        """Remember values of the student's own names, to see later if they have changed."""
        for value in objects:
            self._told.setdefault(id(value), (value, self._pictured(value)))

    def let_go(self, objects: deque[Any], what: str) -> None:
        """Drop objects, outermost first, and notice those that somebody else has kept."""
        while objects:
            value = objects.popleft()
            if sys.getrefcount(value) > _OWN:
                self._found.add(what)
                return

    def found(self) -> list[str]:
        """Return in what ways a copy may have shown something else than the object would."""
        if any(
            before is not None and self._pictured(value) != before
            for value, before in self._told.values()
        ):
            self._found.add("changed later")
        return sorted(self._found)

    def _pictured(self, value: Any) -> bytes | None:
        if isinstance(value, np.ndarray):
            is_small = value.nbytes <= _MOST_BYTES
        else:
            is_small = type(value) in _CONTAINERS and len(value) <= _MOST_ITEMS
        try:
            return self._picture(value) if is_small else None
        except WireError:
            return None


def _changeable(values: Iterable[Any]) -> list[Any]:
    """Return the objects in plain values that can change, each before what it holds."""
    found: list[Any] = []
    entered: set[int] = set()
    waiting = deque(values)
    for _ in range(_MOST):
        if not waiting:
            break
        value = waiting.popleft()
        if type(value) in _CONTAINERS:
            found.append(value)
        elif isinstance(value, np.ndarray | bytearray) or _is_table(value):
            found.append(value)
            continue
        elif type(value) is not tuple:
            continue
        if id(value) not in entered:
            entered.add(id(value))
            parts = dict.values(value) if isinstance(value, dict) else value
            waiting.extend(itertools.islice(parts, _MOST))
    return found


def _is_table(value: Any) -> bool:
    return type(value).__name__ in ("DataFrame", "Series") and hasattr(type(value), "iloc")


def _share_memory(objects: Iterable[Any]) -> bool:
    """Whether two arrays are views of the same numbers."""
    by_owner: dict[int, list[np.ndarray]] = {}
    for value in objects:
        if isinstance(value, np.ndarray):
            owner = value
            while isinstance(owner.base, np.ndarray):
                owner = owner.base
            by_owner.setdefault(id(owner), []).append(value)
    return any(
        np.may_share_memory(one, other)
        for arrays in by_owner.values()
        for number, one in enumerate(arrays)
        for other in arrays[:number]
        if one is not other
    )
